//! Workloads as code that `plasticity!` has made, on one thread.

use aplysia::native::{Batched, Dense, Item, Sparse};

use crate::clock::{Checked, Subject};
use crate::data::Data;
use crate::workload::{Kind, TRAIN, Workload};

aplysia::plasticity!(file = "rules/w1.rule", topologies = [dense, sparse]);
aplysia::plasticity!(file = "rules/w3.rule", topologies = [dense]);
aplysia::plasticity!(file = "rules/w4.rule", topologies = [dense], batch = true);
aplysia::plasticity!(file = "rules/w5.rule", topologies = [dense]);
aplysia::plasticity!(file = "rules/w6.rule", topologies = [dense]);

/// All synapses in every step.
mod full {
    aplysia::plasticity!(file = "rules/w1.rule", topologies = [dense, sparse], plan = full);
}

/// Rows of neurons that spike, in closed form.
mod closed_form {
    aplysia::plasticity!(file = "rules/w1.rule", topologies = [dense, sparse], plan = closed_form);
    aplysia::plasticity!(file = "rules/w3.rule", topologies = [dense], plan = closed_form);
}

/// No spikes in any pattern.
const NONE: [(usize, usize); 0] = [];

/// A plan of a module: what a module chooses by itself, or what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// What costs least.
    Auto,
    /// All synapses in every step.
    Full,
    /// Rows of neurons that spike, in closed form.
    ClosedForm,
}

impl Plan {
    /// All plans.
    pub const ALL: [Plan; 3] = [Plan::Auto, Plan::Full, Plan::ClosedForm];

    /// The name of the system in tables.
    pub fn system(self) -> &'static str {
        match self {
            Plan::Auto => "aplysia-native",
            Plan::Full => "aplysia-native-full",
            Plan::ClosedForm => "aplysia-native-closed-form",
        }
    }
}

/// A group of one of the modules.
pub struct Native<'a> {
    group: Box<dyn Group>,
    item: &'static Item,
    data: &'a Data,
}

/// A group of whichever module.
trait Group {
    fn step(&mut self, data: &Data, step: u64);
    fn weights(&self) -> &[f32];
}

macro_rules! groups {
    ($($($module:ident)::+: $topology:ty, $step:expr;)*) => {
        $(
            impl Group for $($module)::+::Group<f32, $topology> {
                fn step(&mut self, data: &Data, step: u64) {
                    let each: fn(&mut Self, &Data, u64) = $step;
                    each(self, data, step);
                }

                fn weights(&self) -> &[f32] {
                    self.w()
                }
            }
        )*
    };
}
groups! {
    w1: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    full::w1: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    closed_form::w1: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    w1: Sparse, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    full::w1: Sparse, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    closed_form::w1: Sparse, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    w3: Dense, |group, data, step| {
        group.set_dopamine(data.dopamine[(step % TRAIN as u64) as usize]);
        group.step(data.pre.of(step), data.post.of(step));
    };
    closed_form::w3: Dense, |group, data, step| {
        group.set_dopamine(data.dopamine[(step % TRAIN as u64) as usize]);
        group.step(data.pre.of(step), data.post.of(step));
    };
    w4: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    w4: Batched<Dense>, |group, _, _| group.step(&NONE, &NONE);
    w5: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    w6: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
    w6_more: Dense, |group, data, step| group.step(data.pre.of(step), data.post.of(step));
}

/// A group of pairs or of rewarded pairs, which need nothing but their weights.
macro_rules! with_weights {
    ($($module:ident)::+, $topology:expr, $data:expr) => {{
        let builder = $($module)::+::Builder::new($topology, $($module)::+::Params::default());
        let group = builder.init_w(&$data.weights).build().map_err(|error| error.to_string())?;
        (Box::new(group) as Box<dyn Group>, &$($module)::+::ITEM)
    }};
}

impl<'a> Native<'a> {
    /// Fills a group; `None` where a workload is not one group, or has no such plan of its own.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(workload: &Workload, data: &'a Data, plan: Plan) -> Result<Option<Self>, String> {
        let side = workload.side;
        let dense = Dense { pre: side, post: side };
        let (group, item): (Box<dyn Group>, &'static Item) = match (workload.kind, plan) {
            (Kind::Pairs, Plan::Auto) => with_weights!(w1, dense, data),
            (Kind::Pairs, Plan::Full) => with_weights!(full::w1, dense, data),
            (Kind::Pairs, Plan::ClosedForm) => with_weights!(closed_form::w1, dense, data),
            (Kind::Rewarded, Plan::Auto) => with_weights!(w3, dense, data),
            (Kind::Rewarded, Plan::ClosedForm) => with_weights!(closed_form::w3, dense, data),
            (Kind::SparsePairs(_), _) => {
                let Some(sparse) = &data.sparse else { return Ok(None) };
                let synapses = Sparse::new(side, side, sparse.starts.clone(), sparse.columns.clone());
                let synapses = synapses.map_err(|error| error.to_string())?;
                match plan {
                    Plan::Auto => with_weights!(w1, synapses, data),
                    Plan::Full => with_weights!(full::w1, synapses, data),
                    Plan::ClosedForm => with_weights!(closed_form::w1, synapses, data),
                }
            }
            (_, Plan::Full | Plan::ClosedForm) => return Ok(None),
            (Kind::Hebbian(1), _) => {
                let mut group = w4::Group::dense(side, side, w4::Params::default());
                group.set_w(&data.weights);
                group.set_u(&data.pre_activity);
                group.set_v(&data.post_activity);
                (Box::new(group), &w4::ITEM)
            }
            (Kind::Hebbian(batch), _) => {
                let builder = w4::Builder::new(dense, w4::Params::default()).batch(batch);
                let mut group = builder.build().map_err(|error| error.to_string())?;
                group.set_w(&data.weights);
                group.set_u(&data.pre_activity);
                group.set_v(&data.post_activity);
                (Box::new(group), &w4::ITEM)
            }
            (Kind::Noisy, _) => {
                let mut group = w5::Group::dense(side, side, w5::Params::new(1.0));
                group.set_sign(&data.signs);
                group.set_w(&data.weights);
                group.set_f(&data.fuzzy);
                group.set_gradient(&data.gradient);
                (Box::new(group), &w5::ITEM)
            }
            (Kind::Fused, _) => {
                let mut group = w6::Group::dense(side, side, w6::Params::new(1.0));
                group.set_sign(&data.signs);
                group.set_w(&data.weights);
                (Box::new(group), &w6::ITEM)
            }
            (Kind::FusedMore, _) => {
                let mut group = w6_more::Group::dense(side, side, w6_more::Params::new(1.0));
                group.set_sign(&data.signs);
                group.set_w(&data.weights);
                (Box::new(group), &w6_more::ITEM)
            }
            (Kind::Groups(_), _) => return Ok(None),
        };
        Ok(Some(Self { group, item, data }))
    }

    /// The rule as the module holds it.
    pub fn item(&self) -> &'static Item {
        self.item
    }
}

impl Subject for Native<'_> {
    type Error = String;

    fn steps(&mut self, from: u64, count: u64) -> Result<(), String> {
        (from..from + count).for_each(|step| self.group.step(self.data, step));
        Ok(())
    }
}

impl Checked for Native<'_> {
    fn checksum(&mut self) -> Result<f64, String> {
        Ok(self.group.weights().iter().map(|&weight| f64::from(weight)).sum())
    }
}
