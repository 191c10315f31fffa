//! The delays of a group: spikes and values of a side reach the synapses late.
//!
//! In: a finished rule, and which delays the group has. Out: the rule without equations, with the parameters
//! [`AXONAL`] and [`DENDRITIC`], in which every value of a delayed side is the `past` of itself wherever a statement reads
//! it that does not write a neuron of that side. Without delays it is the identical rule.
//!
//! * A value of a side is one that lives there, as large as it is written: of `a * x * y` with `x` in `pre` and `y` in
//!   `post`, the values are `a * x` and `y`. It is computed at its neuron, at its place in the text, and then travels.
//!   What is made of parameters, indices and numbers alone is the same at all times and stays as it is.
//! * A `let` stands for its value: a statement that reads it reads what it would read if the value stood there. One that
//!   lives on the side is computed there and travels; one that reads values of the side gets a version of its own for
//!   each way of reading them.
//! * A condition is bound once, before its block, for each way in which the statements of the block read it; statements
//!   stay in their order.
//! * Constrain is about the present, and runs between steps, too: nothing is delayed there. Nor is it at creation, which
//!   has no past.
//!
//! The equations are integrated first. A step of an equation that reads a value of a side is the step of the undelayed
//! system, taken later: exact for a synapse that filters a trace, and with delays of 0 the same bits as without. Were the
//! past put into the equation, it would be held constant over the step.
//!
//! Not done here: how long a ring is and where it lies, which is for plans; what `past` cannot do in blocks that do not
//! run in every step, which they refuse.

mod block;
mod expression;
#[cfg(test)]
mod tests;

use super::integrate::integrate;
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::*;
use crate::source::{FileId, Span};
use expression::{Late, Rewriter, SIDES};

/// What is wrong with a delay alone stands in no text.
const NOWHERE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

/// The address of the axonal delay, a parameter in ms.
pub const AXONAL: &str = "delay.axonal";
/// The address of the dendritic delay, a parameter in ms.
pub const DENDRITIC: &str = "delay.dendritic";

/// A delay of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delay {
    /// `Global`: one number. `Pre` for an axonal, `Post` for a dendritic delay: one for each neuron. `Synapse`: one for
    /// each synapse.
    pub domain: Domain,
    /// The upper end of its range, in ms.
    pub longest_ms: f64,
}

/// The delays of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Delays {
    /// How late presynaptic spikes and values reach the synapse.
    pub axonal: Option<Delay>,
    /// How late postsynaptic spikes and values reach the synapse.
    pub dendritic: Option<Delay>,
}

/// The rule of a group with delays.
///
/// # Errors
/// Equations without an exact step; a longest delay that is no time; a rule that has a variable of the delay's name; a
/// delay for each synapse of what has no synapse.
pub fn with_delays(rule: &Rule, delays: &Delays) -> Result<Rule, Diagnostics> {
    let given = [delays.axonal, delays.dendritic];
    if given == [None, None] {
        return Ok(rule.clone());
    }
    let mut diagnostics = Diagnostics::new();
    for (side, delay) in SIDES.iter().zip(given) {
        if let Some(delay) = delay {
            check(rule, *side, delay, &mut diagnostics);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let rule = integrate(rule)?;
    let mut rewriter = Rewriter::new(&rule, given);
    let named = rule.calls.iter().map(|call| &call.body);
    let timed = rule.schedules.iter().map(|schedule| &schedule.body);
    let blocks = [&rule.update, &rule.modulate, &rule.apply].into_iter().chain(named).chain(timed);
    let blocks: Vec<&Block> = blocks.collect();
    rewriter.want(&blocks);
    let mut rewritten =
        blocks.into_iter().map(|block| rewriter.statements(block)).collect::<Vec<_>>().into_iter();
    let mut next = || rewritten.next().unwrap_or_default();
    let (update, modulate, apply) = (next(), next(), next());
    let calls: Vec<Block> = rule.calls.iter().map(|_| next()).collect();
    let schedules: Vec<Block> = rule.schedules.iter().map(|_| next()).collect();
    let mut result = rewriter.finish()?;
    (result.update, result.modulate, result.apply) = (update, modulate, apply);
    result.calls.iter_mut().zip(calls).for_each(|(call, body)| call.body = body);
    result.schedules.iter_mut().zip(schedules).for_each(|(schedule, body)| schedule.body = body);
    if cfg!(debug_assertions)
        && let Err(faults) = crate::valid::rule::validate(&result)
    {
        crate::ice!("delays broke the rule: {}", faults.join("; "));
    }
    Ok(result)
}

/// What is wrong with a delay before the rule is looked at.
fn check(rule: &Rule, side: Late, delay: Delay, diagnostics: &mut Diagnostics) {
    let (name, address) = (side.word(), side.address());
    let Delay { domain, longest_ms } = delay;
    if !(longest_ms >= 0.0 && longest_ms.is_finite()) {
        let message = format!("the longest {name} delay is {longest_ms} ms");
        diagnostics.push(
            Diagnostic::new(code::BAD_DELAY, NOWHERE, message)
                .help("it must be a number of ms that is 0 or more"),
        );
    }
    if ![Domain::Global, side.neurons(), Domain::Synapse].contains(&domain) {
        let message = format!("the group's {name} delay has one value for each element of {}", domain.word());
        diagnostics.push(Diagnostic::new(code::BAD_DELAY, NOWHERE, message).help(format!(
            "a group has one {name} delay, one for each {}synaptic neuron, or one for each synapse",
            side.neurons().word()
        )));
    }
    let declared = rule.variables.iter().find(|(_, variable)| variable.address() == address);
    let alias = rule.aliases.iter().find(|(alias, _)| alias == address);
    if let Some(id) = declared.map(|(id, _)| id).or(alias.map(|(_, id)| *id)) {
        let message = format!("`{address}` is declared by the rule, and is the group's {name} delay");
        diagnostics.push(
            Diagnostic::new(code::DELAY_NAME_TAKEN, rule.variables[id].span, message)
                .help("give the part `delay` another name where it is composed: `… + delay as other`"),
        );
    }
}
