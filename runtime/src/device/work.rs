//! How much a step of a group has to do, for those who share steps among threads. No value depends on it.

use aplysia_compiler::plan::program::{Condition, Count};

use super::executor::{Act, Machine, holds};

impl Machine {
    /// How many synapses the spikes that are in place touch, where a step looks at no others.
    pub(crate) fn touched(&self) -> Option<u64> {
        if self.lag.is_some() {
            return None;
        }
        let moment = self.moment(0);
        let few = |condition: Condition| {
            matches!(condition, Condition::FewEvents { .. }) && holds(condition, &moment, self.dirty)
        };
        let any = |act: &Act| match act {
            Act::Choose(choices) => choices.iter().any(|choice| few(choice.condition)),
            Act::Launch(_) | Act::Clear(_) => false,
        };
        if !self.advance.iter().any(any) {
            return None;
        }
        let synapses = self.counts.get(Count::Synapses);
        let share = |events: u64, of: Count| {
            (u128::from(synapses) * u128::from(events) / u128::from(self.counts.get(of).max(1))) as u64
        };
        let [pre, post] = moment.spikes;
        Some(share(pre, Count::Pre).saturating_add(share(post, Count::Post)))
    }
}
