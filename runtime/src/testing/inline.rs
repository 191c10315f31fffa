//! A module of `plasticity!` beside the rule interpreter, step by step, to the bit.

use std::sync::Arc;

use aplysia_compiler::compose::find;
use aplysia_compiler::interp::rule::{Refusal, RuleMachine, Topology};
use aplysia_compiler::ir::{self, VarId, VarKind, When};
use aplysia_compiler::math::Real;

use super::{Differential, random, unsupported};
use crate::native::{Array, Item, Value};
use crate::{Result, Rule};

/// See [`testing::assert_module_agrees`](crate::testing::assert_module_agrees).
#[doc(hidden)]
#[macro_export]
macro_rules! assert_module_agrees {
    ($($module:ident)::+ $(, $input:ident = $set:ident $([$at:literal])?)* $(,)?) => {
        $crate::testing::both(
            $crate::assert_module_agrees!(@in f32, try_dense, $($module)::+ $(, $input = $set $([$at])?)*),
            $crate::assert_module_agrees!(@in f64, try_dense_f64, $($module)::+ $(, $input = $set $([$at])?)*),
        )
    };
    (@in $real:ident, $new:ident, $($module:ident)::+ $(, $input:ident = $set:ident $([$at:literal])?)*) => {{
        let options = $crate::testing::Differential::default();
        let oracle = $crate::testing::Oracle::<$real>::new(&$($module)::+::ITEM, options);
        let mut oracle = match oracle {
            Ok(oracle) => oracle,
            Err(error) => panic!("{error}"),
        };
        let own = $($module)::+::Options { seed: options.seed, ..Default::default() };
        let group = $($module)::+::Group::$new(options.pre, options.post, Default::default(), own);
        let mut group = match group {
            Ok(group) => group,
            Err(error) => panic!("{error}"),
        };
        for _ in 0..options.steps {
            $(group.$set(oracle.input(stringify!($input))$([$at])?);)*
            let (pre, post) = oracle.step();
            group.step(&pre, &post);
            group.for_each_variable(&mut |name, values| oracle.compare(name, values));
        }
        oracle.compared()
    }};
}

/// What has been compared in f32 and in f64.
#[doc(hidden)]
pub fn both(in_f32: u64, in_f64: u64) -> u64 {
    in_f32 + in_f64
}

/// The rule interpreter, which says what a module's group has to hold.
pub struct Oracle<R: Real> {
    rule: Arc<ir::Rule>,
    machine: RuleMachine<R>,
    options: Differential,
    numbers: u64,
    step: usize,
    compared: u64,
}

impl<R: Real + Value> Oracle<R> {
    /// The rule of a module, with the defaults of its parameters, in steps of 1 ms.
    ///
    /// # Errors
    /// If it cannot run on a dense group.
    pub fn new(item: &Item, options: Differential) -> Result<Self> {
        let rule = Rule::from_item(item)?.ir()?;
        let topology = Topology::Dense { pre: options.pre, post: options.post };
        let machine = RuleMachine::new(&rule, topology, 1, 1.0, options.seed);
        let machine = machine.map_err(|refusal| unsupported(&refusal.to_string()))?;
        Ok(Self { rule, machine, options, numbers: options.seed, step: 0, compared: 0 })
    }

    /// Random numbers for an input, which the interpreter gets as well.
    ///
    /// # Panics
    /// If the rule has no such input.
    pub fn input(&mut self, name: &str) -> Vec<R> {
        let id = self.variable(name);
        let scale = self.rule.variables[id].unit.scale;
        let count = must(self.machine.read(id)).len();
        let values: Vec<R> = (0..count).map(|_| R::narrow(random(&mut self.numbers))).collect();
        let base: Vec<f64> = values.iter().map(|value| R::narrow(value.wide() * scale).wide()).collect();
        must(self.machine.set_input(id, &base));
        values
    }

    /// One step, whose spikes are given.
    ///
    /// # Panics
    /// If an input is missing.
    pub fn step(&mut self) -> (Vec<bool>, Vec<bool>) {
        let share = [0.3, 0.02, 0.1, 0.0][self.step % 4];
        self.step += 1;
        let [pre, post] = [self.options.pre, self.options.post]
            .map(|count| (0..count).map(|_| random(&mut self.numbers) < share).collect::<Vec<bool>>());
        must(self.machine.step(&pre, &post));
        (pre, post)
    }

    /// Compares a variable of the module.
    ///
    /// # Panics
    /// With the place of the first difference.
    pub fn compare(&mut self, name: &str, found: Array<'_, R>) {
        let id = self.variable(name);
        // Of proposals that are applied at once nothing is kept between steps.
        let proposal = matches!(self.rule.variables[id].kind, VarKind::Proposal { .. });
        if proposal && self.rule.apply_when == When::EveryStep {
            return;
        }
        let found: Vec<f64> = match found {
            Array::Real(values) => values.iter().map(|value| value.wide()).collect(),
            Array::Whole(values) => values.iter().map(|&value| value as f64).collect(),
            Array::Condition(values) => values.iter().map(|&value| f64::from(u8::from(value))).collect(),
        };
        let expected = must(self.machine.read(id));
        assert_eq!(found.len(), expected.len(), "values of `{name}`");
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            let step = self.step;
            assert!(
                same,
                "`{name}` number {place} after step {step}: {found:?} by the module, {expected:?} by the text"
            );
            self.compared += 1;
        }
    }

    /// How many numbers were the same.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    fn variable(&self, name: &str) -> VarId {
        match find(&self.rule, name) {
            Ok(id) => id,
            Err(_) => panic!("the rule has no `{name}`"),
        }
    }
}

fn must<T>(result: std::result::Result<T, Refusal>) -> T {
    match result {
        Ok(value) => value,
        Err(refusal) => panic!("{refusal}"),
    }
}
