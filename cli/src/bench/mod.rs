//! `aplysia bench`: how fast steps are, plan by plan.

pub mod arguments;
mod workload;

use aplysia_bench::workload::FORMS;
use aplysia_bench::{Settings, Workload};

use crate::report::{Failure, Outcome};
use arguments::BenchArguments;

/// Measures.
///
/// # Errors
/// Where there is no such workload, or a plan is refused.
pub fn run(arguments: &BenchArguments) -> Outcome {
    match Workload::find(&arguments.what) {
        Some(found) => workload::run(&found, arguments),
        None => {
            let failure = Failure::usage(format!("there is no workload `{}`", arguments.what));
            Err(failure.help(format!("it is called like {FORMS}")))
        }
    }
}

/// How long to measure.
fn settings(arguments: &BenchArguments) -> Settings {
    let rounds = usize::from(arguments.rounds);
    Settings { seconds: arguments.seconds, steps: arguments.steps, rounds }
}
