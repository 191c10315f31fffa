//! Workloads on the engine, called as any program calls it.

use std::time::Instant;

use aplysia::compiler::plan::program::Program;
use aplysia::{Device, Engine, Error, Events, Group, GroupId, InputId, Plan, Result, Rule};
use ndarray::ArrayView;

use crate::clock::{Checked, Subject};
use crate::data::Data;
use crate::workload::{Kind, TRAIN, Workload};

/// A workload on an engine of its own.
pub struct OnEngine<'a> {
    engine: Engine,
    /// One, but where a workload has many.
    groups: Vec<GroupId>,
    data: &'a Data,
    /// Where it is given in every step.
    dopamine: Option<InputId>,
    /// What the present step is given.
    given: Vec<(GroupId, Events<'a>)>,
    prepared: f64,
}

/// How many steps apart in the trains neighbouring groups are.
const APART: u64 = 7;

impl<'a> OnEngine<'a> {
    /// Compiles and fills the group.
    ///
    /// # Errors
    /// If the plan is refused, or there is not enough memory.
    pub fn new(workload: &Workload, data: &'a Data, device: Device, plan: Plan) -> Result<Self> {
        let begin = Instant::now();
        let (text, name) = workload.rule();
        let rule = Rule::from_source(name, text)?.select(name)?;
        let side = workload.side;
        let own = side * side;
        let mut group = match &data.sparse {
            Some(sparse) => Group::csr(side, side, sparse.starts.as_slice(), sparse.columns.as_slice())?,
            None => Group::dense(side, side),
        };
        let synaptic = |values: &'a [f32]| {
            let shape = if data.sparse.is_some() { vec![values.len()] } else { vec![side, side] };
            match ArrayView::from_shape(shape, values) {
                Ok(view) => view,
                Err(error) => unreachable!("values of all synapses: {error}"),
            }
        };
        group = group.rule(&rule).plan(plan).seed(0);
        if let Kind::Hebbian(batch) = workload.kind {
            group = group.batch(batch);
        }
        if !data.signs.is_empty() {
            group = group.param("sign", data.signs.as_slice());
        }
        if !data.fuzzy.is_empty() {
            group = group.init("f", synaptic(&data.fuzzy));
        }
        let mut engine = Engine::new(device)?;
        let all = if let Kind::Groups(_) = workload.kind { own } else { data.synapses() };
        let groups = data
            .weights
            .chunks(all)
            .map(|weights| engine.register(group.clone().init("w", synaptic(weights))));
        let groups = groups.collect::<Result<Vec<GroupId>>>()?;
        // Every workload has synapses.
        let group = groups[0];
        let held = [("gradient", &data.gradient), ("u", &data.pre_activity), ("v", &data.post_activity)];
        for (name, values) in held.into_iter().filter(|(_, values)| !values.is_empty()) {
            engine.set_input(group, name, values)?;
        }
        let rewarded = workload.kind == Kind::Rewarded;
        let dopamine = rewarded.then(|| engine.input(group, "dopamine")).transpose()?;
        let (given, prepared) = (Vec::with_capacity(groups.len()), begin.elapsed().as_secs_f64());
        Ok(Self { engine, groups, data, dopamine, given, prepared })
    }

    /// Seconds from the rule's text to the group, its arrays filled.
    pub fn prepared(&self) -> f64 {
        self.prepared
    }

    /// What the group carries out.
    ///
    /// # Errors
    /// Never: the group is the engine's own.
    pub fn program(&self) -> Result<&Program> {
        self.engine.program(self.groups[0])
    }

    /// All weights.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn weights(&mut self) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(self.data.synapses());
        for &group in &self.groups {
            all.extend(self.engine.read::<f32>(group, "w")?);
        }
        Ok(all)
    }

    /// Which plans have been followed in how many steps, in words.
    ///
    /// # Errors
    /// Never: the group is the engine's own.
    pub fn note(&self) -> Result<String> {
        let plans = self.engine.plans(self.groups[0])?;
        let taken: Vec<String> = plans
            .iter()
            .filter(|(_, steps)| *steps > 0)
            .map(|(name, steps)| format!("{name}: {steps}"))
            .collect();
        Ok(taken.join(", "))
    }
}

impl Subject for OnEngine<'_> {
    type Error = Error;

    fn steps(&mut self, from: u64, count: u64) -> Result<()> {
        let data = self.data;
        for step in from..from + count {
            if let Some(dopamine) = &self.dopamine {
                let now = data.dopamine[(step % TRAIN as u64) as usize];
                self.engine.set_input(self.groups[0], dopamine, &[now])?;
            }
            self.given.clear();
            for (&group, number) in self.groups.iter().zip(0u64..) {
                let (pre, post) = (data.pre.of(step + APART * number), data.post.of(step + APART * number));
                if !pre.is_empty() || !post.is_empty() {
                    self.given.push((group, Events::new().pre(pre).post(post)));
                }
            }
            self.engine.step(&self.given)?;
        }
        self.engine.wait()
    }
}

impl Checked for OnEngine<'_> {
    fn checksum(&mut self) -> Result<f64> {
        Ok(self.weights()?.iter().map(|&weight| f64::from(weight)).sum())
    }
}
