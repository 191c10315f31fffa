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

/// No spikes in any pattern.
const NONE: [(usize, usize); 0] = [];

/// A group of one of the modules.
pub struct Native<'a> {
    group: Group,
    data: &'a Data,
}

enum Group {
    Pairs(w1::Group<f32, Dense>),
    SparsePairs(w1::Group<f32, Sparse>),
    Rewarded(w3::Group<f32, Dense>),
    Hebbian(w4::Group<f32, Dense>),
    Batch(w4::Group<f32, Batched<Dense>>),
    Noisy(w5::Group<f32, Dense>),
    Fused(w6::Group<f32, Dense>),
    FusedMore(w6_more::Group<f32, Dense>),
}

impl<'a> Native<'a> {
    /// Fills a group; `None` where a workload is not one group.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(workload: &Workload, data: &'a Data) -> Result<Option<Self>, String> {
        let side = workload.side;
        let group = match workload.kind {
            Kind::Pairs => {
                let mut group = w1::Group::dense(side, side, w1::Params::default());
                group.set_w(&data.weights);
                Group::Pairs(group)
            }
            Kind::Rewarded => {
                let mut group = w3::Group::dense(side, side, w3::Params::default());
                group.set_w(&data.weights);
                Group::Rewarded(group)
            }
            Kind::Hebbian(1) => {
                let mut group = w4::Group::dense(side, side, w4::Params::default());
                group.set_w(&data.weights);
                group.set_u(&data.pre_activity);
                group.set_v(&data.post_activity);
                Group::Hebbian(group)
            }
            Kind::Noisy => {
                let mut group = w5::Group::dense(side, side, w5::Params::new(1.0));
                group.set_sign(&data.signs);
                group.set_w(&data.weights);
                group.set_f(&data.fuzzy);
                group.set_gradient(&data.gradient);
                Group::Noisy(group)
            }
            Kind::Fused => {
                let mut group = w6::Group::dense(side, side, w6::Params::new(1.0));
                group.set_sign(&data.signs);
                group.set_w(&data.weights);
                Group::Fused(group)
            }
            Kind::FusedMore => {
                let mut group = w6_more::Group::dense(side, side, w6_more::Params::new(1.0));
                group.set_sign(&data.signs);
                group.set_w(&data.weights);
                Group::FusedMore(group)
            }
            Kind::SparsePairs(_) => {
                let Some(sparse) = &data.sparse else { return Ok(None) };
                let synapses = Sparse::new(side, side, sparse.starts.clone(), sparse.columns.clone());
                let synapses = synapses.map_err(|error| error.to_string())?;
                let mut group = w1::Group::sparse(synapses, w1::Params::default());
                group.set_w(&data.weights);
                Group::SparsePairs(group)
            }
            Kind::Hebbian(batch) => {
                let topology = Dense { pre: side, post: side };
                let builder = w4::Builder::new(topology, w4::Params::default()).batch(batch);
                let mut group = builder.build().map_err(|error| error.to_string())?;
                group.set_w(&data.weights);
                group.set_u(&data.pre_activity);
                group.set_v(&data.post_activity);
                Group::Batch(group)
            }
            Kind::Groups(_) => return Ok(None),
        };
        Ok(Some(Self { group, data }))
    }

    /// The rule as the module holds it.
    pub fn item(&self) -> &'static Item {
        match self.group {
            Group::Pairs(_) | Group::SparsePairs(_) => &w1::ITEM,
            Group::Rewarded(_) => &w3::ITEM,
            Group::Hebbian(_) | Group::Batch(_) => &w4::ITEM,
            Group::Noisy(_) => &w5::ITEM,
            Group::Fused(_) => &w6::ITEM,
            Group::FusedMore(_) => &w6_more::ITEM,
        }
    }

    fn weights(&self) -> &[f32] {
        match &self.group {
            Group::Pairs(group) => group.w(),
            Group::SparsePairs(group) => group.w(),
            Group::Rewarded(group) => group.w(),
            Group::Hebbian(group) => group.w(),
            Group::Batch(group) => group.w(),
            Group::Noisy(group) => group.w(),
            Group::Fused(group) => group.w(),
            Group::FusedMore(group) => group.w(),
        }
    }
}

impl Subject for Native<'_> {
    type Error = String;

    fn steps(&mut self, from: u64, count: u64) -> Result<(), String> {
        let data = self.data;
        for step in from..from + count {
            let (pre, post) = (data.pre.of(step), data.post.of(step));
            match &mut self.group {
                Group::Pairs(group) => group.step(pre, post),
                Group::SparsePairs(group) => group.step(pre, post),
                Group::Rewarded(group) => {
                    group.set_dopamine(data.dopamine[(step % TRAIN as u64) as usize]);
                    group.step(pre, post);
                }
                Group::Hebbian(group) => group.step(pre, post),
                Group::Batch(group) => group.step(&NONE, &NONE),
                Group::Noisy(group) => group.step(pre, post),
                Group::Fused(group) => group.step(pre, post),
                Group::FusedMore(group) => group.step(pre, post),
            }
        }
        Ok(())
    }
}

impl Checked for Native<'_> {
    fn checksum(&mut self) -> Result<f64, String> {
        Ok(self.weights().iter().map(|&weight| f64::from(weight)).sum())
    }
}
