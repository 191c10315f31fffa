//! What the host says about a group before it is registered.

use std::sync::Arc;

use aplysia_compiler::kernel;
use aplysia_compiler::topology::Topology;

use crate::delay::Delay;
use crate::rule::Rule;
use crate::units::{Time, ms};
use crate::values::Values;

/// The precision of a group's real numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 64 bits.
    F64,
}

impl Precision {
    pub(crate) fn kernel(self) -> kernel::Precision {
        match self {
            Precision::F32 => kernel::Precision::F32,
            Precision::F64 => kernel::Precision::F64,
        }
    }
}

/// Which plan a group follows. All give the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Plan {
    /// The cheapest in each step.
    #[default]
    Auto,
    /// Every synapse in every step.
    FullPass,
    /// Only synapses of neurons that spike, wherever that is proved to be the same.
    Events,
    /// Only rows of presynaptic neurons that spike; what postsynaptic spikes do in the others is done when their neuron
    /// spikes or when somebody looks, wherever that is proved to be the same. It is for dense groups on a processor;
    /// elsewhere it is `Auto`.
    Replay,
    /// Only rows of presynaptic neurons that spike; what the others have missed they take in closed form when their neuron
    /// spikes. Equal to the other plans up to rounding, not to the bit. Looking at a weight changes nothing; a write of the
    /// host, a changed parameter, a call and a schedule bring all rows up to date, and so round anew. Registering is an error
    /// where the rule has no closed form, and on a GPU.
    ClosedForm,
}

/// The synapses between two populations, with a rule: what `Engine::register` takes.
#[derive(Clone, Debug)]
pub struct Group {
    pub(crate) topology: Topology,
    /// For each synapse its place in the lists that it was made from.
    pub(crate) order: Option<Arc<[usize]>>,
    pub(crate) rule: Option<Rule>,
    pub(crate) dt: Time,
    pub(crate) precision: Precision,
    pub(crate) plan: Plan,
    pub(crate) batch: usize,
    /// Axonal and dendritic.
    pub(crate) delays: [Option<Delay>; 2],
    pub(crate) inits: Vec<(String, Values)>,
    pub(crate) params: Vec<(String, Values)>,
    pub(crate) draws: Vec<(String, Values)>,
    pub(crate) seed: Option<u64>,
}

impl Group {
    /// Neurons that are connected like this; `dense`, `csr`, `conv2d` and others make the topology themselves.
    pub fn on(topology: Topology) -> Self {
        Self {
            topology,
            order: None,
            rule: None,
            dt: ms(1.0),
            precision: Precision::default(),
            plan: Plan::default(),
            batch: 1,
            delays: [None, None],
            inits: Vec::new(),
            params: Vec::new(),
            draws: Vec::new(),
            seed: None,
        }
    }

    /// How its neurons are connected.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The rule that it follows.
    #[must_use]
    pub fn rule(mut self, rule: &Rule) -> Self {
        self.rule = Some(rule.clone());
        self
    }

    /// The length of a step; 1 ms where nothing is said.
    #[must_use]
    pub fn dt(mut self, dt: Time) -> Self {
        self.dt = dt;
        self
    }

    /// f32 where nothing is said.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The cheapest in each step where nothing is said.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = plan;
        self
    }

    /// How many patterns are presented at once; 1 where nothing is said.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// The initial value of a state or plastic variable, in place of the rule's own expression. An array is kept, for
    /// `Engine::reset`; `Engine::write` keeps none.
    #[must_use]
    pub fn init(mut self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.inits.push((name.into(), values.into()));
        self
    }

    /// A parameter, in its declared unit.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.params.push((name.into(), values.into()));
        self
    }

    /// Values in the place of a draw that a `let` with a stated domain binds (`"RULE.z"`); they are held until they are
    /// replaced with `Engine::set_draw` or by a series of a run.
    #[must_use]
    pub fn draw(mut self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.draws.push((name.into(), values.into()));
        self
    }

    /// The seed of its random numbers; where nothing is said, the engine's, mixed with the group's number.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}
