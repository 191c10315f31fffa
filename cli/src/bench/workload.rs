//! A workload of `docs/performance.md`: a line of JSON for each plan.

use aplysia::compiler::plan::program::Program;
use aplysia_bench::engine::OnEngine;
use aplysia_bench::{Data, Workload, measure};

use super::arguments::BenchArguments;
use super::{is_optional, plans, settings, word};
use crate::report::{self, Outcome};
use crate::run::arguments::{Backend, PlanChoice};
use crate::run::execute;

/// Measures each plan that was asked for; where none was, each that carries out something else.
pub fn run(workload: &Workload, arguments: &BenchArguments) -> Outcome {
    let data = Data::new(workload);
    let mut seen: Vec<Program> = Vec::new();
    for &choice in plans(arguments) {
        let device = execute::device(Backend::Cpu, arguments.threads)?;
        let threads = device.threads();
        let mut subject = match OnEngine::new(workload, &data, device, execute::plan(choice)) {
            Err(_) if is_optional(choice, arguments) => continue,
            made => made?,
        };
        let program = Program { notes: Vec::new(), ..subject.program()?.clone() };
        if arguments.plans.is_empty() && seen.contains(&program) {
            continue;
        }
        seen.push(program);
        let found = measure(&mut subject, workload, &settings(arguments))?;
        let line =
            found.json(workload, &data, &system(choice), threads, subject.prepared(), &subject.note()?);
        report::print(&format!("{line}\n"))?;
    }
    Ok(())
}

/// What a plan is called in a table of programs.
fn system(choice: PlanChoice) -> String {
    if choice == PlanChoice::Auto { "aplysia".to_owned() } else { format!("aplysia-{}", word(choice)) }
}
