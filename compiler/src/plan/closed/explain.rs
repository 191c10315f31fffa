//! The proof, in words.

use super::{Closed, STEPS};
use crate::ir::VarId;
use crate::plan::section::Work;

/// Notes what was proved, and what is kept for it.
pub(super) fn say(work: &mut Work<'_, '_>, closed: &Closed) {
    let rule = work.planner.rule;
    let text = |id| crate::flow::print::value(&work.flow, rule, id);
    let spot = |(variable, element): (VarId, u32)| {
        let variable = &rule.variables[variable];
        let index = if variable.length.is_some() { format!("[{element}]") } else { String::new() };
        format!("{}{index}", variable.address())
    };
    let name = |number: usize| {
        let state = &closed.affine.states[number];
        spot((state.variable, state.element))
    };
    let mut notes = Vec::new();
    for (row, state) in closed.affine.states.iter().enumerate() {
        let mut terms = Vec::new();
        for (column, entry) in closed.affine.matrix[row].iter().enumerate() {
            if let Some(entry) = entry {
                let factor = text(*entry);
                let other = name(column);
                terms.push(if factor == "1.0" { other } else { format!("{factor} · {other}") });
            }
        }
        for drive in &closed.affine.drives {
            if let Some(input) = drive.inputs[row] {
                let trace: Vec<String> = drive.factors.iter().map(|&factor| spot(factor)).collect();
                let trace =
                    if trace.is_empty() { String::new() } else { format!("{} · ", trace.join(" · ")) };
                terms.push(format!("{trace}({})", text(input)));
            }
        }
        let bounds = if state.clips.is_empty() {
            ""
        } else {
            ", clipped once for all steps: what is added has one sign"
        };
        let sum = if terms.is_empty() { "0".to_string() } else { terms.join(" + ") };
        notes.push(format!("without a presynaptic spike {} becomes {sum}{bounds}", name(row)));
    }
    let mut said = Vec::new();
    for drive in &closed.affine.drives {
        for (&factor, &decay) in drive.factors.iter().zip(&drive.decays) {
            let line = format!("{} of a silent neuron decays by {} in a step", spot(factor), text(decay));
            if !said.contains(&line) {
                said.push(line);
            }
        }
    }
    notes.extend(said);
    notes.push(format!(
        "rows are left behind until their neuron spikes, at most {STEPS} steps; equal to the full pass up to rounding"
    ));
    for note in notes {
        work.planner.note("closed form", note, None);
    }
}
