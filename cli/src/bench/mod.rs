//! `aplysia bench`: how fast steps are, plan by plan.

pub mod arguments;
mod rule;
mod table;
mod traffic;
mod workload;

use aplysia_bench::stream::bandwidth;
use aplysia_bench::{Settings, Workload, peak};
use clap::ValueEnum;
use serde_json::json;

use crate::report::{self, Failure, Outcome};
use crate::run::arguments::PlanChoice;
use arguments::BenchArguments;

/// What stands in the place of a workload where the machine itself is measured.
const MACHINE: &str = "machine";
/// The plans that are measured: those that were asked for, or all.
fn plans(arguments: &BenchArguments) -> &[PlanChoice] {
    if arguments.plans.is_empty() { PlanChoice::value_variants() } else { &arguments.plans }
}

/// Whether a plan that a rule or a group does not allow is left out: nobody has asked for it.
fn is_optional(choice: PlanChoice, arguments: &BenchArguments) -> bool {
    arguments.plans.is_empty() && choice != PlanChoice::Auto
}

/// A plan as the command line calls it.
fn word(plan: PlanChoice) -> String {
    plan.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Measures.
///
/// # Errors
/// Where the rule or the workload is none, what it is given does not fit, or a plan that was asked for is refused.
pub fn run(arguments: &BenchArguments) -> Outcome {
    if arguments.what == MACHINE {
        return machine(arguments);
    }
    let Some(found) = Workload::find(&arguments.what) else { return rule::run(arguments) };
    match arguments.group.given() {
        None => workload::run(&found, arguments),
        Some(name) => {
            let text =
                format!("`{name}` goes with a rule; {} is a workload, which states it itself", found.name);
            Err(Failure::usage(text))
        }
    }
}

/// What the memory and the processor allow: a line of JSON for each size of arrays, and one for operations.
fn machine(arguments: &BenchArguments) -> Outcome {
    let threads = match arguments.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads.into(),
    };
    for kilobytes in [512, 4 << 10, 64 << 10, 256 << 10] {
        let found = bandwidth(threads, kilobytes << 10);
        let line = json!({
            "workload": MACHINE, "threads": threads, "kib": kilobytes, "gb_per_s": found * 1e-9,
        });
        report::print(&format!("{line}\n"))?;
    }
    let line = json!({"workload": MACHINE, "threads": 1, "gflop_per_s": peak::operations() * 1e-9});
    report::print(&format!("{line}\n"))
}

/// How long to measure.
fn settings(arguments: &BenchArguments) -> Settings {
    let rounds = usize::from(arguments.rounds);
    Settings { seconds: arguments.seconds, steps: arguments.steps, rounds }
}
