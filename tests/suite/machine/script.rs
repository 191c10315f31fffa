//! What is done to a rule: spikes, inputs, parameters, host writes and calls, all decided by one seed.

use aplysia_compiler::interp::program::constant;
use aplysia_compiler::ir::{Domain, Rule, Shape, SiteId, Type, VarId, VarKind, Variable, When};
use aplysia_compiler::kernel::{Precision, Side};
use aplysia_compiler::topology::Topology;

/// One act of the host.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sets a parameter.
    Parameter(VarId, Vec<f64>),
    /// Gives an input.
    Input(VarId, Vec<f64>),
    /// Writes a state or a plastic variable.
    Write(VarId, Vec<f64>),
    /// Replaces the values of a draw.
    Draw(SiteId, Vec<f64>),
    /// Calls a block.
    Call(String),
    /// Takes a step.
    Step {
        /// Which presynaptic neurons spike.
        pre: Vec<bool>,
        /// Which postsynaptic neurons spike.
        post: Vec<bool>,
    },
}

/// A group and all that is done to it.
#[derive(Clone, Debug)]
pub struct Script {
    /// Presynaptic and postsynaptic neurons.
    pub size: (usize, usize),
    /// How they are connected.
    pub topology: Topology,
    /// Elements of the batch.
    pub batch: usize,
    /// f32 or f64.
    pub precision: Precision,
    /// The length of a step in ms.
    pub dt: f64,
    /// The group's seed.
    pub seed: u64,
    /// Parameters that are set before creation.
    pub parameters: Vec<(VarId, Vec<f64>)>,
    /// Values in the place of initial expressions.
    pub initial: Vec<(VarId, Vec<f64>)>,
    /// Values in the place of draws.
    pub draws: Vec<(SiteId, Vec<f64>)>,
    /// What follows.
    pub acts: Vec<Act>,
}

/// A stream of numbers: splitmix64 (Steele et al. 2014, doi:10.1145/2714064.2660195).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// A stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1, with 20 bits, so that f32 holds it exactly.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 44) as f64 / (1u64 << 20) as f64
    }

    /// Below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of a list.
    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// The axes of a value of a shape, the batch outermost.
pub fn axes(shape: Shape, topology: &Topology, batch: usize) -> Vec<usize> {
    let mut axes = if shape.batched && batch > 1 { vec![batch] } else { Vec::new() };
    match shape.domain {
        Domain::Global => {}
        Domain::PreChannel => axes.push(topology.channels(Side::Pre)),
        Domain::PostChannel => axes.push(topology.channels(Side::Post)),
        Domain::Pre => axes.extend(topology.neuron_shape(Side::Pre)),
        Domain::Post => axes.extend(topology.neuron_shape(Side::Post)),
        Domain::Synapse => axes.extend(topology.synapse_shape()),
    }
    axes
}

/// A script of so many steps on a dense group. Odd seeds also give initial values and the values of draws.
pub fn script(rule: &Rule, size: (usize, usize), precision: Precision, steps: u64, seed: u64) -> Script {
    let (pre, post) = size;
    script_on(rule, &Topology::Dense { pre, post }, 1, precision, steps, seed)
}

/// The same on any group.
pub fn script_on(
    rule: &Rule,
    topology: &Topology,
    batch: usize,
    precision: Precision,
    steps: u64,
    seed: u64,
) -> Script {
    let dt = if seed.is_multiple_of(3) { 0.5 } else { 1.0 };
    let size = (topology.pre(), topology.post());
    let mut writer = Writer { rule, topology, batch, size, precision, dt, numbers: Numbers::new(seed) };
    let parameters = writer.of_kind(|kind| kind == VarKind::Param);
    let parameters = parameters.into_iter().map(|id| (id, writer.values(id))).collect();
    let given = seed % 2 == 1;
    let plastics = writer.of_kind(|kind| given && matches!(kind, VarKind::Plastic { .. }));
    let initial = plastics.into_iter().map(|id| (id, writer.values(id))).collect();
    let addressed = rule.sites.iter().filter(|(_, site)| given && site.address.is_some());
    let draws = addressed.map(|(id, _)| (id, writer.draws(id))).collect();
    let mut acts = Vec::new();
    for step in 0..steps {
        writer.step(step, given, &mut acts);
    }
    let topology = topology.clone();
    Script { size, topology, batch, precision, dt, seed, parameters, initial, draws, acts }
}

/// A script of many steps in which a quarter of the presynaptic neurons never spikes and the host does little, with an even
/// seed next to nothing: what is left behind stays so for long.
pub fn long_script(rule: &Rule, topology: &Topology, precision: Precision, steps: u64, seed: u64) -> Script {
    let mut script = script_on(rule, topology, 1, precision, 0, seed);
    let (dt, size) = (script.dt, script.size);
    let numbers = Numbers::new(seed ^ 0x5eed);
    let mut writer = Writer { rule, topology, batch: 1, size, precision, dt, numbers };
    for step in 0..steps {
        writer.long_step(step, if seed % 2 == 1 { 150 } else { 900 }, &script.draws, &mut script.acts);
    }
    script
}

struct Writer<'a> {
    rule: &'a Rule,
    topology: &'a Topology,
    batch: usize,
    size: (usize, usize),
    precision: Precision,
    dt: f64,
    numbers: Numbers,
}

impl Writer<'_> {
    fn of_kind(&self, wanted: impl Fn(VarKind) -> bool) -> Vec<VarId> {
        self.rule.variables.iter().filter(|(_, of)| wanted(of.kind)).map(|(id, _)| id).collect()
    }

    fn step(&mut self, step: u64, given: bool, acts: &mut Vec<Act>) {
        if step.is_multiple_of(3) {
            for id in self.of_kind(|kind| matches!(kind, VarKind::Input { .. })) {
                acts.push(Act::Input(id, self.values(id)));
            }
        }
        if step == 4 || step == 7 {
            for id in self.of_kind(|kind| kind == VarKind::Param) {
                if self.numbers.below(2) == 0 {
                    acts.push(Act::Parameter(id, self.values(id)));
                }
            }
        }
        if step == 5 {
            let written = self.of_kind(|kind| matches!(kind, VarKind::State | VarKind::Plastic { .. }));
            if !written.is_empty() {
                let id = written[self.numbers.below(written.len())];
                acts.push(Act::Write(id, self.values(id)));
            }
        }
        if given && step == 6 {
            for (id, _) in self.rule.sites.iter().filter(|(_, site)| site.address.is_some()) {
                acts.push(Act::Draw(id, self.draws(id)));
            }
        }
        let (pre, post) = self.spikes(step);
        acts.push(Act::Step { pre, post });
        if step % 2 == 1 {
            let mut names: Vec<String> = self.rule.calls.iter().map(|call| call.name.clone()).collect();
            if let When::Call(name) = &self.rule.apply_when {
                names.push(name.clone());
            }
            names.dedup();
            for name in names {
                for _ in 0..if step == 3 { 2 } else { 1 } {
                    acts.push(Act::Call(name.clone()));
                }
            }
        }
    }

    fn long_step(&mut self, step: u64, patience: usize, draws: &[(SiteId, Vec<f64>)], acts: &mut Vec<Act>) {
        let inputs = self.of_kind(|kind| matches!(kind, VarKind::Input { .. }));
        for id in inputs.into_iter().filter(|_| step.is_multiple_of(5)) {
            acts.push(Act::Input(id, self.values(id)));
        }
        let written = |kind| matches!(kind, VarKind::State | VarKind::Plastic { .. } | VarKind::Param);
        let mut calls: Vec<&str> = self.rule.calls.iter().map(|call| call.name.as_str()).collect();
        if let When::Call(name) = &self.rule.apply_when {
            calls.push(name);
        }
        match self.numbers.below(patience) {
            0 | 1 => {
                let all = self.of_kind(written);
                let id = all[self.numbers.below(all.len())];
                let values = self.values(id);
                let parameter = self.rule.variables[id].kind == VarKind::Param;
                acts.push(if parameter { Act::Parameter(id, values) } else { Act::Write(id, values) });
            }
            2 if !draws.is_empty() => {
                let id = draws[self.numbers.below(draws.len())].0;
                acts.push(Act::Draw(id, self.draws(id)));
            }
            3..6 if !calls.is_empty() => {
                let name = self.numbers.pick(&calls).to_owned();
                acts.push(Act::Call(name));
            }
            _ => {}
        }
        let mut side = |count: usize, rates: [f64; 4]| -> Vec<bool> {
            (0..count).map(|neuron| self.numbers.unit() < rates[neuron % 4]).collect()
        };
        // Now and then nearly everybody spikes, or nobody.
        let factor = [8.0, 0.0, 1.0, 1.0, 1.0][(step % 97).min(4) as usize];
        let pre = side(self.size.0, [0.0, 0.003, 0.03, 0.1].map(|rate| rate * factor));
        let post = side(self.size.1, [0.02, 0.05, 0.1, 0.2].map(|rate| rate * factor));
        acts.push(Act::Step { pre, post });
    }

    /// Silent, sparse, one-sided, random and full steps by turns.
    fn spikes(&mut self, step: u64) -> (Vec<bool>, Vec<bool>) {
        let (pre, post) = self.size;
        let (first, second) = match step % 7 {
            0 | 5 => (0.3, 0.3),
            1 => (0.0, 0.0),
            2 => (-1.0, -1.0),
            3 => (1.0, 1.0),
            4 => (-1.0, 0.0),
            _ => (0.0, -1.0),
        };
        let mut side = |count: usize, share: f64| -> Vec<bool> {
            let one = self.numbers.below(count);
            (0..count).map(|k| if share < 0.0 { k == one } else { self.numbers.unit() < share }).collect()
        };
        (side(pre * self.batch, first), side(post * self.batch, second))
    }

    /// Random values for a variable, inside its range.
    fn values(&mut self, id: VarId) -> Vec<f64> {
        let variable = &self.rule.variables[id];
        let axes = axes(variable.shape, self.topology, self.batch);
        let count = axes.iter().product::<usize>() * variable.elements() as usize;
        let number = |root| constant(self.rule, root, &|_, _| 1.0, self.dt);
        let fixed = matches!(variable.kind, VarKind::Param | VarKind::Input { .. });
        let range =
            variable.range.map_or((f64::NEG_INFINITY, f64::INFINITY), |(lo, hi)| (number(lo), number(hi)));
        let default = variable.init.first().filter(|_| fixed).map(|&root| number(root));
        let default = default.filter(|value| value.is_finite());
        (0..count).map(|_| self.value(variable, range, default)).collect()
    }

    fn value(&mut self, variable: &Variable, (lo, hi): (f64, f64), default: Option<f64>) -> f64 {
        let u = self.numbers.unit();
        let value = match default {
            Some(default) if u > 0.5 && hi.is_finite() => default + (hi - default) * (u - 0.5),
            Some(default) if default != 0.0 => default * (0.5 + u),
            _ if variable.ty == Type::Int => (u * 5.0).floor(),
            _ if lo.is_finite() && hi.is_finite() => lo + (hi - lo) * u,
            _ if lo.is_finite() => lo + 4.0 * u,
            _ => 1.25 * u - 0.25,
        };
        let value = if variable.ty == Type::Int { value.round() } else { value };
        let value = value.clamp(lo, hi);
        match (self.precision, variable.ty) {
            (Precision::F32, Type::Real) => f64::from(value as f32),
            _ => value,
        }
    }

    fn draws(&mut self, site: SiteId) -> Vec<f64> {
        let count: usize = axes(self.rule.sites[site].shape, self.topology, self.batch).iter().product();
        (0..count).map(|_| self.numbers.unit()).collect()
    }
}
