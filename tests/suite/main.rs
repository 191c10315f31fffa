//! The one test binary: every module gives a list of trials, and what this machine cannot run shows as ignored.

mod analytic;
mod differential;
mod faults;
mod fusion;
mod machine;
mod random;
mod reference;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(analytic::trials());
    trials.extend(differential::trials());
    trials.extend(faults::trials());
    trials.extend(fusion::trials());
    trials.extend(random::trials());
    trials.extend(reference::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
