//! The rule interpreter, driven by fixed patterns of numbers and spikes.

use aplysia::compiler::compose::find;
use aplysia::compiler::interp::rule::{RuleMachine, Topology};
use aplysia::compiler::ir::{Rule, VarId, VarKind, When};
use aplysia::compiler::math::Real;
use aplysia::native::{Array, Item, Options, Value};

/// Nothing, one block and less, several blocks of a sum, more than one lane.
pub const SIZES: [(usize, usize); 3] = [(0, 3), (5, 7), (300, 40)];

/// The rule interpreter on a dense group.
pub struct Oracle<R: Real> {
    rule: Rule,
    machine: RuleMachine<R>,
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
    pub fn new(item: &Item, size: (usize, usize), options: Options) -> Self {
        let rule = aplysia::Rule::from_item(item).unwrap_or_else(|error| panic!("{error}"));
        let rule = (*rule.ir().unwrap_or_else(|error| panic!("{error}"))).clone();
        let topology = Topology::Dense { pre: size.0, post: size.1 };
        let machine = RuleMachine::new(&rule, topology, 1, options.dt, options.seed);
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
fn rough(salt: usize, count: usize) -> Vec<f64> {
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
