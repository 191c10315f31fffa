//! Composing is fusing: one pass over the synapses a step, one read and one write of each synaptic array, and one more
//! pass only where a reduction depends on what the first pass leaves.

use aplysia_compiler::kernel::Precision;
use aplysia_compiler::plan::program::{Action, Count, Launch, Program, Role, Size};
use aplysia_compiler::plan::{self, PlanChoice};
use libtest_mimic::{Failed, Trial};

use crate::machine::planned::{Planned, options};
use crate::machine::script::{Act, Script, script};
use crate::machine::{Case, trace};

/// A name, a composition, its passes over the synapses, and its synaptic arrays.
type Row = (&'static str, &'static str, usize, &'static [(&'static str, u64, u64)]);

/// The composition, how many passes over the synapses a step makes, and the synaptic arrays with how often each
/// element is read and written in a step.
const CASES: &[Row] = &[
    ("stdp", "stdp", 1, &[("w", 1, 1)]),
    ("homeostasis_and_dale", "stdp + rate_homeostasis + dale", 1, &[("w", 1, 1)]),
    ("learning_rates", "stdp + rate_homeostasis + fuzzy_lr + dale", 1, &[("w", 1, 1), ("eta", 1, 0)]),
    ("two_modulators", "stdp + fuzzy_lr + volume_lr + prior(lambda = 0.1)", 1, &[("w", 1, 1), ("eta", 1, 0)]),
    ("optimizer", "stdp + adam", 1, &[("w", 1, 1), ("m", 1, 1), ("v", 1, 1)]),
    ("eligibility", "stdp + reward_gate(tau_c = 20) + dale", 1, &[("w", 1, 1), ("c", 1, 1)]),
    ("normalised", "stdp + rate_homeostasis + normalise", 2, &[]),
];

/// One trial a composition.
pub fn trials() -> Vec<Trial> {
    let trial = |&(name, parts, passes, arrays): &'static Row| {
        Trial::test(format!("fusion::{name}"), move || check(parts, passes, arrays))
    };
    CASES.iter().map(trial).collect()
}

fn text(parts: &str) -> String {
    let names = parts.split(" + ").map(|part| part.split('(').next().unwrap_or(part));
    let imports: String = names.map(|name| format!("use std::{name};\n")).collect();
    format!("{imports}rule fused = {parts};\n")
}

fn check(parts: &str, passes: usize, arrays: &[(&str, u64, u64)]) -> Result<(), Failed> {
    let case = Case::must("fused", &text(parts));
    let mut script = script(&case.rule, (37, 41), Precision::F32, 9, 2);
    // Only steps and inputs: calls and writes are not what is counted.
    script.acts.retain(|act| matches!(act, Act::Step { .. } | Act::Input(..)));
    let program =
        plan::compile(&case.rule, &options(&script, PlanChoice::FullPass)).map_err(|_| "not planned")?;
    let over_synapses: Vec<&Launch> =
        launches(&program).into_iter().filter(|launch| !synaptic(&program, launch).is_empty()).collect();
    if over_synapses.len() != passes {
        let names: Vec<_> = over_synapses.iter().map(|launch| &program.kernels[launch.kernel].name).collect();
        return Err(format!("passes over the synapses: {names:?}, wanted {passes}").into());
    }
    for launch in &over_synapses {
        let mut buffers = synaptic(&program, launch);
        let count = buffers.len();
        buffers.sort();
        buffers.dedup();
        if buffers.len() != count {
            return Err(format!("a synaptic array is two buffers of one launch: {buffers:?}").into());
        }
    }
    count_accesses(&case, &program, &script, over_synapses[0], arrays)
}

/// All launches of the step, in order.
fn launches(program: &Program) -> Vec<&Launch> {
    let mut found = Vec::new();
    for action in &program.step.actions {
        if let Action::Launch(launch) = action {
            found.push(launch);
        }
    }
    found
}

/// The names of the synaptic variables that a launch touches.
fn synaptic(program: &Program, launch: &Launch) -> Vec<String> {
    let storages = launch.buffers.iter().map(|id| &program.storages[*id]);
    let found = storages.filter(|storage| {
        matches!(storage.role, Role::Variable(_))
            && storage.shape.starts_with(&[Size::Count(Count::Pre), Size::Count(Count::Post)])
    });
    found.map(|storage| storage.name.clone()).collect()
}

fn count_accesses(
    case: &Case,
    program: &Program,
    script: &Script,
    launch: &Launch,
    arrays: &[(&str, u64, u64)],
) -> Result<(), Failed> {
    let mut machine = Planned::new(&case.rule, program, script, 1);
    trace(&case.rule, &mut machine, script)?;
    let steps = script.acts.iter().filter(|act| matches!(act, Act::Step { .. })).count() as u64;
    let synapses = (script.size.0 * script.size.1) as u64;
    let counters = &machine.counters()[&program.kernels[launch.kernel].name];
    for &(name, reads, writes) in arrays {
        let place = launch.buffers.iter().position(|id| {
            let full = &program.storages[*id].name;
            full == name || full.ends_with(&format!(".{name}"))
        });
        let place = place.ok_or_else(|| format!("`{name}` is not in the pass"))?;
        let found = (counters.loads[place], counters.stores[place]);
        let wanted = (reads * steps * synapses, writes * steps * synapses);
        if found != wanted {
            return Err(format!("`{name}`: loads and stores {found:?}, wanted {wanted:?}").into());
        }
    }
    let extra: Vec<String> = synaptic(program, launch)
        .into_iter()
        .filter(|full| {
            !arrays.is_empty()
                && !arrays.iter().any(|(name, ..)| full == name || full.ends_with(&format!(".{name}")))
        })
        .collect();
    if extra.is_empty() { Ok(()) } else { Err(format!("the pass also touches {extra:?}").into()) }
}
