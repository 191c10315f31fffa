//! The rule interpreter, driven by fixed patterns of numbers and spikes.

use aplysia::compiler::compose::find;
use aplysia::compiler::interp::rule::RuleMachine;
use aplysia::compiler::ir::{Rule, VarId, VarKind, When};
use aplysia::compiler::math::Real;
use aplysia::compiler::pass::delays::{Delays, with_delays};
use aplysia::native::{Array, Convolution, Dense, Item, OneToOne, Options, Sparse, Topology, Value};

/// Nothing, one block and less, several blocks of a sum, more than one lane.
pub fn dense() -> Vec<Dense> {
    [(0, 3), (5, 7), (300, 40)].map(|(pre, post)| Dense { pre, post }).into()
}

/// Nothing, less than a block, more.
pub fn one_to_one() -> Vec<OneToOne> {
    [0, 7, 70].map(|count| OneToOne { count }).into()
}

/// A list with empty rows and columns, one with several blocks of a sum, and one that holds every synapse.
pub fn sparse() -> Vec<Sparse> {
    let list = |pre: usize, post: usize, there: &dyn Fn(usize, usize) -> bool| {
        let (mut starts, mut columns) = (vec![0], Vec::new());
        for row in 0..pre {
            columns.extend((0..post).filter(|&column| there(row, column)).map(|column| column as u32));
            starts.push(columns.len() as u64);
        }
        Sparse::new(pre, post, starts, columns).expect("sorted rows")
    };
    vec![
        list(4, 6, &|row, column| row != 2 && column != 1 && (row + column) % 2 == 0),
        list(300, 40, &|row, column| (row * 7 + column * 11 + row * column) % 5 == 0),
        list(5, 7, &|_, _| true),
    ]
}

/// A plain convolution, and one with padding, strides, dilation and groups of channels.
pub fn convolutions() -> Vec<Convolution> {
    let plain = Convolution::new(1, [5, 4], 3, [2, 2]).expect("a shape");
    let other =
        Convolution::new(2, [4, 5], 4, [2, 3]).and_then(|shape| shape.with([2, 1], [1, 2], [1, 2], 2));
    vec![plain, other.expect("a shape")]
}

/// The rule interpreter on a group.
pub struct Oracle<R: Real> {
    rule: Rule,
    machine: RuleMachine<R>,
    /// Places of both sides' spikes, those of a batch included.
    size: (usize, usize),
    /// How many arrays were the same.
    pub compared: usize,
}

/// Values of a variable in base units.
pub struct Found(Vec<f64>);

impl<R: Value> From<Array<'_, R>> for Found {
    fn from(array: Array<'_, R>) -> Self {
        Found(match array {
            Array::Real(values) => values.iter().map(|value| value.wide()).collect(),
            Array::Whole(values) => values.iter().map(|&value| value as f64).collect(),
            Array::Condition(values) => values.iter().map(|&value| f64::from(u8::from(value))).collect(),
        })
    }
}

impl<R: Real + Value> Oracle<R> {
    /// The same rule, from the text that the module carries.
    pub fn new(item: &Item, topology: &Topology, batch: usize, options: Options) -> Self {
        Self::with_delays(item, topology, batch, options, &Delays::default())
    }

    /// The same of a group with delays.
    pub fn with_delays(
        item: &Item,
        topology: &Topology,
        batch: usize,
        options: Options,
        delays: &Delays,
    ) -> Self {
        let rule = aplysia::Rule::from_item(item).unwrap_or_else(|error| panic!("{error}"));
        Self::of_rule(&rule, topology, batch, options, delays)
    }

    /// The same of a rule that the engine has.
    pub fn of_rule(
        rule: &aplysia::Rule,
        topology: &Topology,
        batch: usize,
        options: Options,
        delays: &Delays,
    ) -> Self {
        let rule = (*rule.ir().unwrap_or_else(|error| panic!("{error}"))).clone();
        let rule = with_delays(&rule, delays).expect("a rule that can be delayed");
        let size = (topology.pre() * batch, topology.post() * batch);
        let machine = RuleMachine::new(&rule, topology.clone(), batch, options.dt, options.seed);
        let machine = machine.unwrap_or_else(|refusal| panic!("{refusal}"));
        Self { rule, machine, size, compared: 0 }
    }

    fn variable(&self, name: &str) -> VarId {
        find(&self.rule, name).expect("a variable of the rule")
    }

    /// Writes numbers to a variable whose unit is a base unit, and gives them.
    pub fn write(&mut self, name: &str) -> Vec<R> {
        let id = self.variable(name);
        let count = self.machine.read(id).expect("values").len();
        let values: Vec<f64> = rough(1, count).into_iter().map(|value| R::narrow(value).wide()).collect();
        self.machine.write(id, &values).expect("as many values");
        values.into_iter().map(R::narrow).collect()
    }

    /// Sets a parameter.
    pub fn set(&mut self, name: &str, values: &[f64]) {
        let id = self.variable(name);
        self.machine.set_parameter(id, values).expect("as many values");
    }

    /// Gives initial values in base units.
    pub fn begin(&mut self, name: &str, values: &[f64]) {
        let scale = self.rule.variables[self.variable(name)].unit.scale;
        let values: Vec<f64> = values.iter().map(|&value| R::narrow(value * scale).wide()).collect();
        self.machine.write(self.variable(name), &values).expect("as many values");
    }

    /// Puts values in the place of a draw.
    pub fn draw(&mut self, name: &str, values: &[f64]) {
        let site = self.rule.sites.iter().find(|(_, site)| site.address.as_deref() == Some(name));
        let (site, _) = site.expect("a draw");
        self.machine.set_draw(site, values).expect("as many values");
    }

    /// Gives an input other numbers in each step.
    pub fn input(&mut self, name: &str, step: usize) -> Vec<R> {
        let id = self.variable(name);
        let count = self.machine.read(id).expect("values").len();
        let values: Vec<f64> = rough(step, count).into_iter().map(|value| R::narrow(value).wide()).collect();
        self.machine.set_input(id, &values).expect("as many values");
        // Of a group without neurons an input still has a number to ask for.
        values.into_iter().map(R::narrow).collect()
    }

    /// One step, whose spikes are given.
    pub fn step(&mut self, step: usize) -> (Vec<bool>, Vec<bool>) {
        let (pre, post) = (spikes(step, self.size.0, 0), spikes(step, self.size.1, 1));
        self.machine.step(&pre, &post).unwrap_or_else(|refusal| panic!("{refusal}"));
        (pre, post)
    }

    /// A call.
    pub fn call(&mut self, name: &str) {
        self.machine.call(name).unwrap_or_else(|refusal| panic!("{refusal}"));
    }

    /// Compares a variable; of the rest between steps nothing is kept of proposals that are applied at once.
    pub fn check(&mut self, name: &str, Found(found): Found) {
        let id = self.variable(name);
        let forgotten = matches!(self.rule.variables[id].kind, VarKind::Proposal { .. })
            && self.rule.apply_when == When::EveryStep;
        if forgotten {
            return;
        }
        let expected = self.machine.read(id).expect("values");
        let bits = |values: &[f64]| -> Vec<u64> {
            values.iter().map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() }).collect()
        };
        let (a, b) = (bits(&found), bits(&expected));
        if let Some(at) = (0..a.len().max(b.len())).find(|&at| a.get(at) != b.get(at)) {
            panic!(
                "`{name}`[{at}] after step {}: {:?} inline, {:?} by the text",
                self.machine.steps(),
                found.get(at),
                expected.get(at)
            );
        }
        self.compared += 1;
    }
}

/// Numbers that show the order of a sum.
pub fn rough(salt: usize, count: usize) -> Vec<f64> {
    let one = |index: usize| {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ ((salt as u64) << 17)) >> 40;
        (mixed as f64 / f64::from(1 << 24) - 0.3) * [1.0, 0.5, 0.125, 0.25][(mixed % 4) as usize]
    };
    (0..count).map(one).collect()
}

/// Spikes of a step; every fourth step is quiet, and some have few.
fn spikes(step: usize, count: usize, salt: usize) -> Vec<bool> {
    let share = if step.is_multiple_of(3) { 97 } else { 4 + salt };
    let spike = |k: usize| {
        !step.is_multiple_of(4) && (k * 7 + step * 5 + salt * 3 + k * k * step).is_multiple_of(share)
    };
    (0..count).map(spike).collect()
}
