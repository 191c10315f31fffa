//! The one test binary: every module gives a list of trials, and what this machine cannot run shows as ignored.

mod analytic;
mod closed;
mod command_line;
mod cuda;
mod delays;
mod diagnostics;
mod differential;
mod digits;
mod documents;
mod faults;
mod formatting;
mod fusion;
mod golden;
mod hand_written;
mod lazy;
mod machine;
mod matrix;
mod native;
mod numbers;
mod random;
mod reference;
mod regressions;
mod snapshot;
mod snapshots;
mod tidy;

use aplysia_tests::{files, read, root, stem};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    // Carried to another machine, the program has no repository, and runs what needs none.
    if !root().join("tests/suite").is_dir() {
        libtest_mimic::run(&arguments, cuda::carried()).exit();
    }
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(analytic::trials());
    trials.extend(closed::trials());
    trials.extend(command_line::trials());
    trials.extend(cuda::trials());
    trials.extend(delays::trials());
    trials.extend(diagnostics::trials());
    trials.extend(differential::trials());
    trials.extend(matrix::trials());
    trials.extend(digits::trials());
    trials.extend(documents::trials());
    trials.extend(faults::trials());
    trials.extend(formatting::trials());
    trials.extend(fusion::trials());
    trials.extend(golden::trials());
    trials.extend(hand_written::trials());
    trials.extend(lazy::trials());
    trials.extend(native::trials());
    trials.extend(numbers::trials());
    trials.extend(random::trials());
    trials.extend(reference::trials());
    trials.extend(regressions::trials());
    trials.extend(snapshots::trials());
    trials.extend(tidy::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
