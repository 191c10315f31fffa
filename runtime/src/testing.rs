//! What a user's tests ask of a rule: its kernels as a snapshot, that it is valid everywhere, and that all back ends agree
//! on random inputs.
//!
//! In: a [`Rule`]. Out: nothing, or what is wrong. Of an expansion of `plasticity!`, `Rule::from_item` takes the rule here;
//! [`assert_module_agrees`] steps its module.

#[cfg(feature = "macros")]
mod inline;

use aplysia_compiler::back::{cranelift, cuda, rust};
use aplysia_compiler::interp::rule::{RuleMachine, Topology};
use aplysia_compiler::ir::{self, VarId, VarKind, When};
use aplysia_compiler::kernel::{self, Kernel};
use aplysia_compiler::math::Real;
use aplysia_compiler::plan::{self, Options};
use aplysia_compiler::topology::Kind;
use aplysia_compiler::valid;
#[cfg(feature = "macros")]
pub use inline::{Oracle, both};
pub use insta;
use ndarray::IxDyn;

use crate::values::Number;
use crate::{Device, Engine, Error, Events, Group, GroupId, Plan, Precision, Result, Rule};

/// Snapshots a rule through insta: its IR, the kernels of a dense group in f32, and their CLIF, CUDA C and Rust, or those
/// [`Stage`]s that are named.
///
/// ```no_run
/// # use aplysia::prelude::*;
/// let rule = Rule::shipped("stdp")?;
/// aplysia::testing::assert_kernel_snapshot!("stdp", rule);
/// aplysia::testing::assert_kernel_snapshot!("stdp in short", rule, Kernels, Rust);
/// # Ok::<(), Error>(())
/// ```
#[doc(inline)]
pub use crate::assert_kernel_snapshot;
/// Steps the module that `plasticity!` has made of a rule beside the rule interpreter, on a dense group in f32 and f64 with
/// random spikes and the defaults of all parameters, and panics at the first bit that differs. Gives how many numbers were
/// compared. The inputs that the rule has no default for are given by their methods, with `[0]` behind those of which the
/// group has one.
///
/// ```
/// mod rules {
///     aplysia::plasticity! { use std::rstdp; rule rewarded = rstdp; }
/// }
///
/// let compared = aplysia::testing::assert_module_agrees!(rules::rewarded, reward = set_reward[0]);
/// assert!(compared > 1000);
/// ```
#[cfg(feature = "macros")]
#[doc(inline)]
pub use crate::assert_module_agrees;
/// Panics, with everything that is wrong, unless a rule is valid: it is complete, there is a program for a dense group in
/// either precision, and each of its kernels is valid on every topology that the rule goes with.
#[doc(inline)]
pub use crate::assert_rule_valid;

/// See [`testing::assert_kernel_snapshot`](crate::testing::assert_kernel_snapshot).
#[doc(hidden)]
#[macro_export]
macro_rules! assert_kernel_snapshot {
    ($name:expr, $rule:expr) => {
        $crate::assert_kernel_snapshot!($name, $rule, Rule, Kernels, Clif, Cuda, Rust)
    };
    ($name:expr, $rule:expr, $($stage:ident),+) => {
        match $crate::testing::texts(&$rule, &[$($crate::testing::Stage::$stage),+]) {
            Ok(text) => $crate::testing::insta::assert_snapshot!($name, text),
            Err(error) => panic!("{error}"),
        }
    };
}

/// See [`testing::assert_rule_valid`](crate::testing::assert_rule_valid).
#[doc(hidden)]
#[macro_export]
macro_rules! assert_rule_valid {
    ($rule:expr) => {
        if let Err(error) = $crate::testing::check(&$rule) {
            panic!("{error}");
        }
    };
}

/// A form that a rule takes on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The finished rule.
    Rule,
    /// The kernels of a dense group in f32.
    Kernels,
    /// Those as Cranelift is given them.
    Clif,
    /// Those as CUDA C.
    Cuda,
    /// Those as Rust.
    Rust,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 5] = [Stage::Rule, Stage::Kernels, Stage::Clif, Stage::Cuda, Stage::Rust];
}

/// What [`assert_kernel_snapshot`] compares: each stage behind a line that names it.
///
/// # Errors
/// If the rule is not complete, or has no program on a dense group.
pub fn texts(rule: &Rule, stages: &[Stage]) -> Result<String> {
    let finished = rule.finish()?;
    let program = plan::compile(&finished.ir, &Options::default()).map_err(|found| finished.error(&found))?;
    let failed = |error: cranelift::JitError| Error::BadDevice { reason: error.to_string() };
    let isa = cranelift::Isa::baseline().map_err(failed)?;
    let each = |text: &dyn Fn(&Kernel) -> Result<String>| -> Result<String> {
        let texts: Result<Vec<String>> = program.kernels.iter().map(|(_, kernel)| text(kernel)).collect();
        Ok(texts?.join("\n"))
    };
    let mut out = String::new();
    for stage in stages {
        let text = match stage {
            Stage::Rule => ir::print::print(&finished.ir),
            Stage::Kernels => plan::print::kernels(&program),
            Stage::Clif => each(&|kernel| {
                let options = cranelift::JitOptions::default();
                cranelift::clif(kernel, &facts(kernel), &isa, &options).map_err(failed)
            })?,
            Stage::Cuda => each(&|kernel| match cuda::kernel(kernel, &facts(kernel)) {
                Ok(cuda) => Ok(cuda.text),
                Err(error) => aplysia_compiler::ice!("{error}"),
            })?,
            Stage::Rust => each(&|kernel| match rust::kernel(kernel, &facts(kernel)) {
                Ok(rust) => Ok(rust.text),
                Err(error) => aplysia_compiler::ice!("{error}"),
            })?,
        };
        out.push_str(&format!("=== {stage:?} ===\n{text}\n"));
    }
    Ok(out)
}

fn facts(kernel: &Kernel) -> valid::kernel::KernelInfo {
    match valid::kernel::validate(kernel) {
        Ok(info) => info,
        Err(errors) => aplysia_compiler::ice!("kernel `{}` is not valid: {}", kernel.name, errors.join("; ")),
    }
}

/// What [`assert_rule_valid`] asks.
///
/// # Errors
/// Everything that is wrong.
pub fn check(rule: &Rule) -> Result<()> {
    let finished = rule.finish()?;
    if let Err(faults) = valid::rule::validate(&finished.ir) {
        aplysia_compiler::ice!("the rule is not valid: {}", faults.join("; "));
    }
    for precision in [kernel::Precision::F32, kernel::Precision::F64] {
        for topology in Kind::ALL {
            let options = Options { topology, precision, ..Options::default() };
            match plan::compile(&finished.ir, &options) {
                Ok(program) => program.kernels.iter().for_each(|(_, kernel)| {
                    facts(kernel);
                }),
                // Not every rule goes with every topology; with a dense one it has to.
                Err(found) if topology == Kind::Dense => return Err(finished.error(&found)),
                Err(_) => {}
            }
        }
    }
    Ok(())
}

/// How [`run_differential`] runs a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differential {
    /// Presynaptic neurons.
    pub pre: usize,
    /// Postsynaptic neurons.
    pub post: usize,
    /// How many steps.
    pub steps: usize,
    /// What spikes and numbers are made of.
    pub seed: u64,
}

impl Default for Differential {
    /// 37 × 44 neurons, 12 steps.
    fn default() -> Self {
        Self { pre: 37, post: 44, steps: 12, seed: 1 }
    }
}

/// Runs a rule on the rule interpreter, the kernel interpreter and as machine code, in all plans and on one and two
/// threads, in f32 and f64, with random weights, inputs and spikes, and compares every bit of every variable after every
/// step and call. Gives how many numbers were compared.
///
/// # Errors
/// If the rule cannot run on a dense group.
///
/// # Panics
/// With the place of the first difference.
pub fn run_differential(rule: &Rule, options: Differential) -> Result<u64> {
    Ok(differ::<f32>(rule, options, Precision::F32)? + differ::<f64>(rule, options, Precision::F64)?)
}

fn differ<R: Real + Number>(rule: &Rule, options: Differential, precision: Precision) -> Result<u64> {
    let finished = rule.ir()?;
    let topology = Topology::Dense { pre: options.pre, post: options.post };
    let oracle = RuleMachine::<R>::new(&finished, topology, 1, 1.0, options.seed);
    let oracle = oracle.map_err(|refusal| unsupported(&refusal.to_string()))?;
    let devices = [
        (Device::interpreter(), Plan::Auto),
        (Device::cpu_with_threads(1)?, Plan::FullPass),
        (Device::cpu_with_threads(2)?, Plan::Events),
        (Device::cpu_with_threads(1)?, Plan::Replay),
    ];
    let mut race =
        Race { oracle, rule: &finished, engines: Vec::new(), options, numbers: options.seed, compared: 0 };
    for (device, plan) in devices {
        let mut group = Group::dense(options.pre, options.post).rule(rule).precision(precision).plan(plan);
        for (_, variable) in finished.variables.iter() {
            if variable.kind == VarKind::Param && variable.init.is_empty() {
                group = group.param(variable.address(), 0.5);
            }
        }
        let mut engine = Engine::new(device)?;
        let id = engine.register(group.seed(options.seed))?;
        race.engines.push((engine, id));
    }
    race.run()?;
    Ok(race.compared)
}

/// A number from 0 to 1 (SplitMix64, Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195).
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 40) as f64 / f64::from(1 << 24)
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported { what: what.to_owned(), on: "the rule interpreter".to_owned() }
}

/// All machines, side by side.
struct Race<'a, R: Real> {
    oracle: RuleMachine<R>,
    rule: &'a ir::Rule,
    engines: Vec<(Engine, GroupId)>,
    options: Differential,
    numbers: u64,
    compared: u64,
}

impl<R: Real + Number> Race<'_, R> {
    fn run(&mut self) -> Result<()> {
        let options = self.options;
        for (id, variable) in self.rule.variables.iter() {
            if variable.kind == VarKind::Param && variable.init.is_empty() {
                let count = variable.elements() as usize * self.places(id);
                let values = vec![0.5 * variable.unit.scale; count];
                self.oracle
                    .set_parameter(id, &values)
                    .map_err(|refusal| unsupported(&refusal.to_string()))?;
            }
        }
        self.compare()?;
        let of = |wanted: fn(&VarKind) -> bool| -> Vec<VarId> {
            self.rule.variables.iter().filter(|(_, of)| wanted(&of.kind)).map(|(id, _)| id).collect()
        };
        let plastics = of(|kind| matches!(kind, VarKind::Plastic { .. }));
        let inputs = of(|kind| matches!(kind, VarKind::Input { .. }));
        plastics.into_iter().try_for_each(|id| self.write(id, false))?;
        let learns = match &self.rule.apply_when {
            When::Call(name) => Some(name.clone()),
            When::EveryStep | When::Every(_) => None,
        };
        let calls: Vec<String> = self.rule.calls.iter().map(|call| call.name.clone()).chain(learns).collect();
        for step in 0..options.steps {
            inputs.iter().try_for_each(|&id| self.write(id, true))?;
            let share = [0.3, 0.02, 0.1, 0.0][step % 4];
            let spikes = [options.pre, options.post]
                .map(|count| (0..count).map(|_| self.number() < share).collect::<Vec<bool>>());
            self.oracle.step(&spikes[0], &spikes[1]).map_err(|refusal| unsupported(&refusal.to_string()))?;
            let lists = [0, 1].map(|side| -> Vec<u32> {
                let places = spikes[side].iter().enumerate().filter(|(_, spikes)| **spikes);
                places.map(|(neuron, _)| neuron as u32).collect()
            });
            for (engine, id) in &mut self.engines {
                engine.step(&[(*id, Events::new().pre(&lists[0]).post(&lists[1]))])?;
            }
            self.compare()?;
            if step % 5 == 2 {
                for name in &calls {
                    self.oracle.call(name).map_err(|refusal| unsupported(&refusal.to_string()))?;
                    self.engines.iter_mut().try_for_each(|(engine, id)| engine.call(*id, name))?;
                }
                self.compare()?;
            }
        }
        Ok(())
    }

    /// How many places a variable has.
    fn places(&self, id: VarId) -> usize {
        match self.rule.variables[id].shape.domain {
            ir::Domain::Global => 1,
            ir::Domain::Pre | ir::Domain::PreChannel => self.options.pre,
            ir::Domain::Post | ir::Domain::PostChannel => self.options.post,
            ir::Domain::Synapse => self.options.pre * self.options.post,
        }
    }

    fn number(&mut self) -> f64 {
        random(&mut self.numbers)
    }

    /// Gives random numbers to an input or a weight.
    fn write(&mut self, id: VarId, input: bool) -> Result<()> {
        let of = &self.rule.variables[id];
        let count = self.places(id) * of.elements() as usize;
        let values: Vec<f64> = (0..count).map(|_| self.number()).collect();
        let base: Vec<f64> = values.iter().map(|value| value * of.unit.scale).collect();
        let written = if input { self.oracle.set_input(id, &base) } else { self.oracle.write(id, &base) };
        written.map_err(|refusal| unsupported(&refusal.to_string()))?;
        let name = of.address();
        for (engine, group) in &mut self.engines {
            if input {
                engine.set_input(*group, name.as_str(), &values)?;
            } else {
                let shape = engine.read::<R>(*group, name.as_str())?.shape().to_vec();
                let array = ndarray::ArrayD::from_shape_vec(IxDyn(&shape), values.clone());
                let array = array.map_err(|error| unsupported(&error.to_string()))?;
                engine.write(*group, name.as_str(), array)?;
            }
        }
        Ok(())
    }

    /// Every variable of every machine.
    fn compare(&mut self) -> Result<()> {
        for (id, of) in self.rule.variables.iter() {
            // Of proposals and parameters nothing is kept that could differ by itself.
            if matches!(of.kind, VarKind::Proposal { .. } | VarKind::Param) || of.ty != ir::Type::Real {
                continue;
            }
            let expected = self.oracle.read(id).map_err(|refusal| unsupported(&refusal.to_string()))?;
            let name = of.address();
            for (number, (engine, group)) in self.engines.iter_mut().enumerate() {
                let found = engine.read::<R>(*group, name.as_str())?;
                for (place, (found, base)) in found.iter().zip(&expected).enumerate() {
                    let (found, expected) = (found.to_f64(), R::from_f64(base / of.unit.scale).to_f64());
                    let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                    assert!(
                        same,
                        "`{name}` number {place} after step {}: {found:?} on machine {number}, {expected:?} by the text",
                        self.oracle.steps()
                    );
                    self.compared += 1;
                }
            }
        }
        Ok(())
    }
}
