//! The one test binary: every module gives a list of trials, and what this machine cannot run shows as ignored.

mod analytic;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(analytic::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
