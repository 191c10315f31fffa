//! A workload of `docs/performance.md`: a line of JSON for each plan.

use aplysia::compiler::plan::program::Program;
use aplysia_bench::engine::OnEngine;
use aplysia_bench::{Data, Workload, measure};

use super::arguments::BenchArguments;
use super::settings;
use crate::report::{self, Outcome};
use crate::run::arguments::{Backend, PlanChoice};
use crate::run::execute;

/// All plans, with what stands behind the program's name in a table.
const PLANS: [(PlanChoice, &str); 5] = [
    (PlanChoice::Auto, "aplysia"),
    (PlanChoice::Full, "aplysia-full"),
    (PlanChoice::Events, "aplysia-events"),
    (PlanChoice::Replay, "aplysia-replay"),
    (PlanChoice::ClosedForm, "aplysia-closed"),
];

/// Measures each plan that was asked for; where none was, each that carries out something else.
pub fn run(workload: &Workload, arguments: &BenchArguments) -> Outcome {
    let data = Data::new(workload);
    let mut seen: Vec<Program> = Vec::new();
    for (choice, system) in PLANS {
        let asked = arguments.plans.contains(&choice);
        if !asked && !arguments.plans.is_empty() {
            continue;
        }
        let device = execute::device(Backend::Cpu, arguments.threads)?;
        let threads = device.threads();
        let mut subject = match OnEngine::new(workload, &data, device, execute::plan(choice)) {
            // Not every rule has a closed form.
            Err(_) if choice == PlanChoice::ClosedForm && !asked => continue,
            subject => subject?,
        };
        let program = Program { notes: Vec::new(), ..subject.program()?.clone() };
        if !asked && seen.contains(&program) {
            continue;
        }
        seen.push(program);
        let found = measure(&mut subject, workload, &settings(arguments))?;
        let line = found.json(workload, &data, system, threads, subject.prepared(), &subject.note()?);
        report::print(&format!("{line}\n"))?;
    }
    Ok(())
}
