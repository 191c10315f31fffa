//! The process that examines texts, one after another.
//!
//! The main thread only watches the time: a text that takes far too long ends the process, and the supervisor keeps it.

use std::cell::RefCell;
use std::fs;
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aplysia_tests::pipeline::{self, Failure, Progress};
use aplysia_tests::random::Random;

use crate::Options;
use crate::corpus::{self, MOST_BYTES};
use crate::findings::{self, Finding};
use crate::limit;
use crate::minimise::minimise;
use crate::mutate::changed;

/// A text that takes longer is a finding, in seconds of the processor.
const SLOW: f64 = 2.0;
/// A text that takes longer ends the process, in seconds by the clock.
const HANG: u64 = 60;
/// The exit status of such an end.
pub const HUNG: i32 = 124;
/// What a thread has by default: hosts compile rules on such threads.
pub const STACK: usize = 2 << 20;
/// How many accepted texts are kept as further starts.
const POOL: usize = 400;

thread_local! {
    /// Where the last panic was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Counts of one process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Texts.
    pub cases: u64,
    /// Texts without syntax errors.
    pub parsed: u64,
    /// Texts with a finished rule.
    pub finished: u64,
    /// Programs that ran beside their rule.
    pub compared: u64,
    /// Failures, known kinds included.
    pub failures: u64,
    /// The slowest text, in milliseconds of the processor.
    pub slowest: u64,
    /// The most memory, in KiB.
    pub memory: u64,
}

impl Counts {
    /// As a line of numbers.
    pub fn line(&self) -> String {
        let numbers =
            [self.cases, self.parsed, self.finished, self.compared, self.failures, self.slowest, self.memory];
        numbers.map(|number| number.to_string()).join(" ")
    }

    /// From such a line.
    pub fn parse(line: &str) -> Option<Self> {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let &[cases, parsed, finished, compared, failures, slowest, memory] = numbers.as_slice() else {
            return None;
        };
        Some(Self { cases, parsed, finished, compared, failures, slowest, memory })
    }

    /// Takes in those of another process.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.parsed += other.parsed;
        self.finished += other.finished;
        self.compared += other.compared;
        self.failures += other.failures;
        self.slowest = self.slowest.max(other.slowest);
        self.memory = self.memory.max(other.memory);
    }
}

/// Time of the processor that this thread has used, where the system says it; else by the clock.
pub struct Stopwatch(Option<u64>, Instant);

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self(Self::used(), Instant::now())
    }

    /// Since the start.
    pub fn seconds(&self) -> f64 {
        match (self.0, Self::used()) {
            (Some(start), Some(end)) => (end - start) as f64 * 1e-9,
            _ => self.1.elapsed().as_secs_f64(),
        }
    }

    /// Linux counts nanoseconds on the processor.
    fn used() -> Option<u64> {
        fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
    }
}

/// Examines a text; the place of a panic is added to its message.
pub fn examine(text: &str) -> Result<Progress, Failure> {
    PLACE.with_borrow_mut(String::clear);
    pipeline::examine(text).map_err(|mut failure| {
        if failure.panicked {
            failure.message = PLACE.with_borrow(|place| format!("{} at {place}", failure.message));
        }
        failure
    })
}

/// Examines texts until the time is over.
pub fn run(job: u64, options: &Options) -> ExitCode {
    // Panics are findings; nothing is printed.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or(String::new(), |at| format!("{}:{}", at.file(), at.line()));
        PLACE.with_borrow_mut(|last| *last = place);
    }));
    let started = Instant::now();
    // Seconds since the start at which the present text was begun.
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let work = {
        let (seconds, seed) = (options.seconds, options.seed);
        move || {
            let mut session = Session::new(job, seed);
            while started.elapsed().as_secs() < seconds {
                BEGUN.store(started.elapsed().as_secs(), Ordering::Relaxed);
                session.case(&mut || BEGUN.store(started.elapsed().as_secs(), Ordering::Relaxed));
            }
            session.save();
        }
    };
    let Ok(worker) = thread::Builder::new().stack_size(STACK).spawn(work) else {
        return ExitCode::FAILURE;
    };
    while !worker.is_finished() {
        thread::sleep(Duration::from_millis(200));
        if started.elapsed().as_secs().saturating_sub(BEGUN.load(Ordering::Relaxed)) > HANG {
            std::process::exit(HUNG);
        }
    }
    if worker.join().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Session {
    job: u64,
    random: Random,
    seeds: Vec<String>,
    /// Accepted texts that were made here.
    pool: Vec<String>,
    counts: Counts,
    saved: Instant,
}

impl Session {
    fn new(job: u64, seed: u64) -> Self {
        let random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(job));
        let (pool, counts) = (Vec::new(), Counts::default());
        Self { job, random, seeds: corpus::seeds(), pool, counts, saved: Instant::now() }
    }

    fn case(&mut self, alive: &mut dyn FnMut()) {
        let cases = self.counts.cases as usize;
        // Every seed once as it is.
        let text = match self.seeds.get(cases) {
            Some(seed) => seed.clone(),
            None => self.new_text(),
        };
        findings::write(&findings::current(self.job), &text);
        let watch = Stopwatch::start();
        let outcome = examine(&text);
        let seconds = watch.seconds();
        self.counts.cases += 1;
        self.counts.slowest = self.counts.slowest.max((seconds * 1e3) as u64);
        match outcome {
            Ok(progress) => {
                self.counts.parsed += u64::from(progress.parsed);
                self.counts.finished += u64::from(progress.finished > 0);
                self.counts.compared += progress.compared as u64;
                if progress.planned > 0 {
                    self.keep(text.clone());
                }
                if seconds > SLOW {
                    let slow = Finding::new(&text, "slow", &format!("takes {seconds:.1} s"));
                    self.found(slow, alive, |text| {
                        let watch = Stopwatch::start();
                        examine(text).is_ok() && watch.seconds() > SLOW
                    });
                }
            }
            Err(failure) => {
                let finding = Finding::new(&text, &failure.to_string(), &failure.to_string());
                let signature = finding.signature.clone();
                self.found(finding, alive, |text| {
                    examine(text).is_err_and(|failure| findings::signature(&failure.to_string()) == signature)
                });
            }
        }
        if self.saved.elapsed() > Duration::from_secs(5) {
            self.save();
        }
    }

    /// A text made of one or two others.
    fn new_text(&mut self) -> String {
        let from_pool = !self.pool.is_empty() && self.random.below(2) == 0;
        let from = if from_pool { &self.pool } else { &self.seeds };
        let text = self.random.pick(from).cloned().unwrap_or_default();
        let from = if self.random.below(4) == 0 && !self.pool.is_empty() { &self.pool } else { &self.seeds };
        let other = self.random.pick(from).cloned().unwrap_or_default();
        changed(&text, &other, &mut self.random)
    }

    fn keep(&mut self, text: String) {
        if text.len() > MOST_BYTES / 3 {
            return;
        }
        if self.pool.len() < POOL {
            self.pool.push(text);
        } else {
            let place = self.random.below(POOL);
            self.pool[place] = text;
        }
    }

    fn found(&mut self, finding: Finding, alive: &mut dyn FnMut(), fails: impl Fn(&str) -> bool) {
        self.counts.failures += 1;
        if finding.is_known() {
            return;
        }
        finding.save();
        let limit = Duration::from_secs(60);
        let small = minimise(&finding.text, limit, &mut |text| {
            alive();
            findings::write(&findings::current(self.job), text);
            fails(text)
        });
        Finding { text: small, ..finding }.save();
    }

    fn save(&mut self) {
        self.saved = Instant::now();
        self.counts.memory = limit::most() as u64 / 1024;
        findings::write(&findings::statistics(self.job), &self.counts.line());
    }
}
