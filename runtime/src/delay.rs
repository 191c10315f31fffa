//! The delays of a group: how late spikes and values of a side reach its synapses.

use aplysia_compiler::ir::Domain;
use aplysia_compiler::pass::delays;

use crate::error::{Error, Result};
use crate::events::Side;
use crate::group::Group;
use crate::units::Time;
use crate::values::Values;

/// A delay, rounded to steps: one for the group, one for each neuron of the side, or one for each synapse.
///
/// An axonal delay is about presynaptic spikes and values, a dendritic one about postsynaptic ones. What happens at the
/// neurons themselves is not delayed; what reaches a synapse, or a neuron of the other side, is.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    values: Values,
    per: Per,
    longest: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Per {
    Group,
    Neuron,
    Synapse,
}

impl Delay {
    /// One for all.
    pub fn uniform(delay: Time) -> Self {
        Self { values: delay.milliseconds().into(), per: Per::Group, longest: None }
    }

    /// One for each neuron of the side, in ms, in the shape of its neurons.
    pub fn per_neuron(milliseconds: impl Into<Values>) -> Self {
        Self { values: milliseconds.into(), per: Per::Neuron, longest: None }
    }

    /// One for each synapse, in ms, in the shape of the group's synapses.
    pub fn per_synapse(milliseconds: impl Into<Values>) -> Self {
        Self { values: milliseconds.into(), per: Per::Synapse, longest: None }
    }

    /// The longest that the delay may become when it is set again (`set_param(group, "delay.axonal", …)`); where nothing is
    /// said, the longest of the given ones. So much of the past is kept.
    #[must_use]
    pub fn up_to(self, longest: Time) -> Self {
        Self { longest: Some(longest), ..self }
    }

    /// The longest in ms.
    fn longest(&self, side: Side) -> Result<f64> {
        let wrong = |&(_, value): &(usize, f64)| !(value >= 0.0 && value.is_finite());
        let check = |values: &mut dyn Iterator<Item = f64>| -> Result<f64> {
            let mut longest = 0f64;
            for (position, value) in values.enumerate() {
                if wrong(&(position, value)) {
                    return Err(Error::BadDelay { side, position, value });
                }
                longest = longest.max(value);
            }
            Ok(longest)
        };
        let given = match &self.values {
            Values::Number(value) => check(&mut [*value].into_iter()),
            Values::F32(array) => check(&mut array.iter().map(|&value| value.into())),
            Values::F64(array) => check(&mut array.iter().copied()),
            Values::I64(array) => check(&mut array.iter().map(|&value| value as f64)),
        }?;
        match self.longest {
            Some(longest) => check(&mut [longest.milliseconds()].into_iter()),
            None => Ok(given),
        }
    }
}

impl Group {
    /// How late presynaptic spikes and values reach the synapses; not at all where nothing is said.
    ///
    /// ```
    /// use aplysia::prelude::*;
    ///
    /// let rule = Rule::shipped("stdp")?;
    /// let group = Group::dense(100, 50).rule(&rule);
    /// let group = group.axonal_delay(Delay::uniform(ms(2.0)).up_to(ms(20.0)));
    /// let group = group.dendritic_delay(Delay::per_neuron(vec![1.0; 50]));
    /// let mut engine = Engine::new(Device::interpreter())?;
    /// let id = engine.register(group)?;
    /// engine.set_param(id, "delay.axonal", 5.0)?;
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn axonal_delay(mut self, delay: Delay) -> Self {
        self.delays[Side::Pre as usize] = Some(delay);
        self
    }

    /// How late postsynaptic spikes and values reach the synapses; not at all where nothing is said.
    #[must_use]
    pub fn dendritic_delay(mut self, delay: Delay) -> Self {
        self.delays[Side::Post as usize] = Some(delay);
        self
    }

    /// The delays as the compiler takes them.
    pub(crate) fn compiler_delays(&self) -> Result<delays::Delays> {
        let one = |side: Side| -> Result<Option<delays::Delay>> {
            let Some(delay) = &self.delays[side as usize] else { return Ok(None) };
            let domain = match (delay.per, side) {
                (Per::Group, _) => Domain::Global,
                (Per::Neuron, Side::Pre) => Domain::Pre,
                (Per::Neuron, Side::Post) => Domain::Post,
                (Per::Synapse, _) => Domain::Synapse,
            };
            Ok(Some(delays::Delay { domain, longest_ms: delay.longest(side)? }))
        };
        Ok(delays::Delays { axonal: one(Side::Pre)?, dendritic: one(Side::Post)? })
    }

    /// The parameters that they become.
    pub(crate) fn delay_parameters(&self) -> Vec<(String, Values)> {
        let names = [delays::AXONAL, delays::DENDRITIC];
        let given = names.into_iter().zip(&self.delays);
        given.filter_map(|(name, delay)| Some((name.to_owned(), delay.as_ref()?.values.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ms;

    #[test]
    fn the_longest_is_the_longest_given_or_the_one_stated() {
        let longest = |delay: Delay| delay.longest(Side::Pre).unwrap();
        assert_eq!(longest(Delay::uniform(ms(2.5))), 2.5);
        assert_eq!(longest(Delay::per_neuron(vec![1.0, 4.0, 2.0])), 4.0);
        assert_eq!(longest(Delay::per_synapse(vec![1i64, 3]).up_to(ms(20.0))), 20.0);
        assert_eq!(longest(Delay::per_neuron(Vec::<f64>::new())), 0.0);
    }

    #[test]
    fn what_is_no_time_is_refused_with_its_place() {
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            let error = Delay::per_neuron(vec![1.0, value]).longest(Side::Post).unwrap_err();
            assert!(matches!(error, Error::BadDelay { side: Side::Post, position: 1, .. }), "{error}");
            assert!(Delay::uniform(ms(1.0)).up_to(ms(value)).longest(Side::Pre).is_err());
        }
    }
}
