//! Starts the processes that examine texts, and keeps the texts that end them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Options;
use crate::findings::{self, Finding};
use crate::minimise::minimise;
use crate::worker::{Counts, HUNG};

/// Runs until the time is over. Fails where anything was found.
pub fn run(options: &Options) -> ExitCode {
    if let Err(error) = fs::create_dir_all(findings::folder()) {
        eprintln!("{}: {error}", findings::folder().display());
        return ExitCode::from(2);
    }
    let before = kept();
    let started = Instant::now();
    let totals: Vec<Counts> = thread::scope(|scope| {
        let jobs: Vec<_> =
            (0..options.jobs).map(|job| scope.spawn(move || supervise(job, options))).collect();
        jobs.into_iter().filter_map(|job| job.join().ok()).collect()
    });
    let mut total = Counts::default();
    for counts in &totals {
        total.add(counts);
    }
    println!("{} s, {}", started.elapsed().as_secs(), told(&total));
    let new: Vec<PathBuf> = kept().difference(&before).cloned().collect();
    for path in &new {
        println!("{}: {}", path.display(), fs::read_to_string(path).unwrap_or_default());
    }
    if total.failures == 0 && new.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One job: a process after another until the time is over.
fn supervise(job: u64, options: &Options) -> Counts {
    let started = Instant::now();
    let mut total = Counts::default();
    let mut restarts = 0;
    while let Some(left) = options.seconds.checked_sub(started.elapsed().as_secs()).filter(|left| *left > 0) {
        let seed = options.seed + restarts * 1000;
        let arguments =
            ["--worker", &job.to_string(), "--seed", &seed.to_string(), "--seconds", &left.to_string()];
        let _ = fs::remove_file(findings::statistics(job));
        let Some((status, complaint)) = child(&arguments.map(str::to_owned)) else { break };
        let line = fs::read_to_string(findings::statistics(job)).unwrap_or_default();
        total.add(&Counts::parse(&line).unwrap_or_default());
        if status.success() {
            continue;
        }
        restarts += 1;
        total.failures += 1;
        let text = fs::read_to_string(findings::current(job)).unwrap_or_default();
        let kind = ended(status, &complaint);
        let finding = Finding::new(&text, &kind, &kind);
        if !finding.is_known() {
            finding.save();
            Finding { text: smaller(job, &text, &kind), ..finding }.save();
        }
    }
    total
}

/// The text made small, each try in a process of its own. A hang takes too long for that.
fn smaller(job: u64, text: &str, kind: &str) -> String {
    if kind == "hang" {
        return text.to_owned();
    }
    let path = findings::folder().join(format!("try-{job}"));
    minimise(text, Duration::from_secs(90), &mut |text| {
        findings::write(&path, text);
        let arguments = ["--replay".to_owned(), path.display().to_string()];
        child(&arguments)
            .is_some_and(|(status, complaint)| status.code().is_none() && ended(status, &complaint) == kind)
    })
}

/// How a process ended.
fn ended(status: ExitStatus, complaint: &str) -> String {
    if status.code() == Some(HUNG) {
        return "hang".to_owned();
    }
    for (sign, kind) in [("stack", "stack overflow"), ("allocation", "too much memory")] {
        if complaint.contains(sign) {
            return kind.to_owned();
        }
    }
    format!("the process ended: {status}")
}

/// Runs this program; its status and what it wrote on stderr.
fn child(arguments: &[String]) -> Option<(ExitStatus, String)> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program).args(arguments).stdout(Stdio::null()).output().ok()?;
    Some((output.status, String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The messages that are kept.
fn kept() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(findings::folder()).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "txt")).collect()
}

fn told(counts: &Counts) -> String {
    format!(
        "{} texts, {} without syntax errors, {} with a finished rule, {} programs compared, {} failures, slowest {} ms, \
         at most {} KiB",
        counts.cases,
        counts.parsed,
        counts.finished,
        counts.compared,
        counts.failures,
        counts.slowest,
        counts.memory
    )
}
