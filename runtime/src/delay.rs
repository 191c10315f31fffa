//! The delays of a group, as the host gives them.

use aplysia_compiler::ir::Domain;
use aplysia_compiler::pass::delays::{AXONAL, DENDRITIC, Delay as Kind, Delays};

use crate::units::Time;
use crate::values::Values;

/// How late spikes and values of one side reach the synapses: what [`Group::axonal_delay`](crate::Group::axonal_delay)
/// and [`Group::dendritic_delay`](crate::Group::dendritic_delay) take.
///
/// It is a parameter of the group, `delay.axonal` or `delay.dendritic`, in ms, which may be set again between steps, up to the
/// longest value.
#[derive(Clone, Debug)]
pub struct Delay {
    per: Per,
    values: Values,
    longest: Time,
}

/// What has one.
#[derive(Clone, Copy, Debug)]
enum Per {
    Group,
    Neuron,
    Synapse,
}

impl Delay {
    /// One for the group; it is the longest, too, unless [`up_to`](Self::up_to) says more.
    pub fn of(time: Time) -> Self {
        Self { per: Per::Group, values: Values::Number(time.milliseconds()), longest: time }
    }

    /// One for each neuron of the side, in ms, none above `longest`.
    pub fn per_neuron(values: impl Into<Values>, longest: Time) -> Self {
        Self { per: Per::Neuron, values: values.into(), longest }
    }

    /// One for each synapse, in ms, none above `longest`: of the shape of the weights.
    pub fn per_synapse(values: impl Into<Values>, longest: Time) -> Self {
        Self { per: Per::Synapse, values: values.into(), longest }
    }

    /// The longest that it will ever be: so far back the group remembers.
    #[must_use]
    pub fn up_to(mut self, longest: Time) -> Self {
        self.longest = longest;
        self
    }

    /// As the compiler takes it.
    fn kind(&self, neurons: Domain) -> Kind {
        let domain = match self.per {
            Per::Group => Domain::Global,
            Per::Neuron => neurons,
            Per::Synapse => Domain::Synapse,
        };
        Kind { domain, longest_ms: self.longest.milliseconds() }
    }
}

/// The delays of both sides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) axonal: Option<Delay>,
    pub(crate) dendritic: Option<Delay>,
}

impl Given {
    /// As the compiler takes them.
    pub(crate) fn kinds(&self) -> Delays {
        Delays {
            axonal: self.axonal.as_ref().map(|delay| delay.kind(Domain::Pre)),
            dendritic: self.dendritic.as_ref().map(|delay| delay.kind(Domain::Post)),
        }
    }

    /// The parameters that they are.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, Values)> {
        let both = [(AXONAL, &self.axonal), (DENDRITIC, &self.dendritic)];
        both.into_iter().filter_map(|(name, delay)| Some((name.to_owned(), delay.as_ref()?.values.clone())))
    }
}
