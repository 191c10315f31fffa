//! A fuzz driver that needs nothing but the stable toolchain.
//!
//! `cargo run -p aplysia-tests --bin fuzz -- --minutes 30 --seed 1 --jobs 1` changes the texts of the corpus and takes
//! each through `aplysia_tests::pipeline`, in a process of its own with a limit on memory, a small stack and a watch on
//! time. What breaks a promise is made small and kept under `target/fuzz`, one text for each kind of failure, with the
//! message beside it. `--replay FILE …` examines texts and says what comes of them.

mod corpus;
mod findings;
mod limit;
mod minimise;
mod mutate;
mod supervisor;
mod worker;

use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: limit::Limited = limit::Limited;

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long to run.
    pub seconds: u64,
    /// Where the random numbers start.
    pub seed: u64,
    /// How many processes run at once.
    pub jobs: u64,
    /// Which of them this process is; none where it supervises.
    pub worker: Option<u64>,
    /// Texts to examine instead.
    pub replay: Vec<String>,
}

const USAGE: &str = "fuzz [--minutes N] [--seed N] [--jobs N] | fuzz --replay FILE …";

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if !options.replay.is_empty() {
        // On a stack as small as that of a worker.
        let work = move || replay(&options.replay);
        let thread = std::thread::Builder::new().stack_size(worker::STACK).spawn(work);
        return thread.ok().and_then(|thread| thread.join().ok()).unwrap_or(ExitCode::FAILURE);
    }
    match options.worker {
        Some(job) => worker::run(job, &options),
        None => supervisor::run(&options),
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { seconds: 60, seed: 1, jobs: 1, worker: None, replay: Vec::new() };
    while let Some(argument) = arguments.next() {
        if argument == "--replay" {
            options.replay = arguments.by_ref().collect();
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("`{argument}` needs a number"))?;
        let value: u64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        match argument.as_str() {
            "--minutes" => options.seconds = value.saturating_mul(60),
            "--seconds" => options.seconds = value,
            "--seed" => options.seed = value,
            "--jobs" => options.jobs = value.clamp(1, 64),
            "--worker" => options.worker = Some(value),
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    Ok(options)
}

/// Examines texts one by one.
fn replay(paths: &[String]) -> ExitCode {
    let mut failed = false;
    for path in paths {
        let text = aplysia_tests::read(Path::new(path));
        let watch = worker::Stopwatch::start();
        let outcome = worker::examine(&text);
        let (seconds, bytes) = (watch.seconds(), limit::most());
        match outcome {
            Ok(progress) => println!("{path}: {progress:?}, {seconds:.3} s, at most {bytes} bytes"),
            Err(failure) => {
                failed = true;
                println!("{path}: {failure}, {seconds:.3} s");
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
