//! A rule and its program side by side, on random spikes and values: equal to the bit, any NaN with any NaN.

use aplysia_compiler::interp::program::{ProgramMachine, constant};
use aplysia_compiler::interp::rule::{Refusal, RuleMachine, Topology};
use aplysia_compiler::ir::{Domain, Rule, VarId, VarKind, Variable, When};
use aplysia_compiler::math::Real;
use aplysia_compiler::plan::program::{Program, Role};

use crate::random::Random;

const STEPS: u64 = 7;
const SEED: u64 = 7;

/// Runs both for some steps, with calls between them. False where the rule interpreter does not support the rule.
///
/// # Errors
/// Where values differ, or one of the two stops.
pub fn agree<R: Real>(
    rule: &Rule,
    program: &Program,
    (pre, post): (usize, usize),
    dt: f64,
) -> Result<bool, String> {
    let slow = match RuleMachine::<R>::new(rule, Topology::Dense { pre, post }, 1, dt, SEED) {
        Ok(machine) => machine,
        Err(Refusal::Unsupported(_) | Refusal::Blocks { .. } | Refusal::TooLarge) => return Ok(false),
        Err(refusal) => return Err(format!("the program was planned, but {refusal}")),
    };
    let fast = ProgramMachine::new(rule, program, pre, post, dt, SEED);
    let mut pair = Pair { rule, program, slow, fast, sizes: (pre, post), random: Random::new(SEED) };
    pair.fast.set_blocks_at_once(1);
    pair.fill(|kind| kind == VarKind::Param)?;
    pair.run()?;
    Ok(true)
}

/// Both machines, and what they are given.
struct Pair<'a, R: Real> {
    rule: &'a Rule,
    program: &'a Program,
    slow: RuleMachine<R>,
    fast: ProgramMachine<'a>,
    sizes: (usize, usize),
    random: Random,
}

impl<R: Real> Pair<'_, R> {
    fn run(&mut self) -> Result<(), String> {
        let calls = calls(self.rule);
        for step in 1..=STEPS {
            // In the steps between, plans may count on nothing having been written.
            if step % 3 == 1 {
                self.fill(|kind| matches!(kind, VarKind::Input { .. }))?;
            }
            let quiet = step % 4 == 0;
            let (pre, post) = self.sizes;
            let pre: Vec<bool> = (0..pre).map(|_| !quiet && self.random.below(4) == 0).collect();
            let post: Vec<bool> = (0..post).map(|_| !quiet && self.random.below(4) == 0).collect();
            self.slow.step(&pre, &post).map_err(|refusal| format!("the rule stops: {refusal}"))?;
            self.fast.step(&pre, &post).map_err(|fault| format!("the program stops: {fault}"))?;
            self.same(&format!("step {step}"))?;
            if step % 3 == 2 {
                for name in &calls {
                    self.slow.call(name).map_err(|refusal| format!("the rule stops: {refusal}"))?;
                    self.fast.call(name).map_err(|fault| format!("the program stops: {fault}"))?;
                    self.same(&format!("a call of `{name}` after step {step}"))?;
                }
            }
        }
        Ok(())
    }

    /// Gives values to the parameters or inputs that need them.
    fn fill(&mut self, which: impl Fn(VarKind) -> bool) -> Result<(), String> {
        for (id, variable) in self.rule.variables.iter() {
            if !which(variable.kind) || !variable.init.is_empty() {
                continue;
            }
            let values = self.values(variable);
            let parameter = variable.kind == VarKind::Param;
            let given = if parameter {
                self.slow.set_parameter(id, &values)
            } else {
                self.slow.set_input(id, &values)
            };
            given.map_err(|refusal| format!("`{}` cannot be given: {refusal}", variable.address()))?;
            if parameter {
                self.fast.set_parameter(id, &values);
            } else if keeps(self.program, id) {
                self.fast.write(id, &values);
            }
        }
        Ok(())
    }

    /// Random values in the declared range.
    fn values(&mut self, variable: &Variable) -> Vec<f64> {
        let (pre, post) = self.sizes;
        let places = match variable.shape.domain {
            Domain::Global => 1,
            Domain::Pre | Domain::PreChannel => pre,
            Domain::Post | Domain::PostChannel => post,
            Domain::Synapse => pre * post,
        };
        let no_parameters = |_: VarId, _: u32| 0.0;
        let bound = |expression| constant(self.rule, expression, &no_parameters, 1.0);
        let range = variable.range.map(|(low, high)| (bound(low), bound(high)));
        (0..places * variable.elements() as usize)
            .map(|_| {
                let value = self.random.number();
                // Not `clamp`, which panics where the range is empty.
                range.map_or(value, |(low, high)| value.max(low).min(high))
            })
            .collect()
    }

    fn same(&mut self, occasion: &str) -> Result<(), String> {
        for (id, variable) in self.rule.variables.iter() {
            let slow = self.slow.read(id).map_err(|refusal| format!("the rule stops: {refusal}"))?;
            let fast = self.fast.read(id).map_err(|fault| format!("the program stops: {fault}"))?;
            if fast.is_empty() || matches!(variable.kind, VarKind::Proposal { .. }) {
                continue;
            }
            let equal = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            let name = variable.address();
            if slow.len() != fast.len() {
                return Err(format!("`{name}` has {} and {} values", slow.len(), fast.len()));
            }
            if let Some(place) = (0..slow.len()).find(|&place| !equal(slow[place], fast[place])) {
                let (slow, fast) = (slow[place], fast[place]);
                return Err(format!("`{name}`[{place}] differs after {occasion}: {slow:e} and {fast:e}"));
            }
        }
        Ok(())
    }
}

/// Whether a program has an array for a variable.
fn keeps(program: &Program, variable: VarId) -> bool {
    program.storages.iter().any(|(_, storage)| storage.role == Role::Variable(variable))
}

/// The names that the host may call, each once.
fn calls(rule: &Rule) -> Vec<String> {
    let mut names: Vec<String> = rule.calls.iter().map(|call| call.name.clone()).collect();
    if let When::Call(name) = &rule.apply_when {
        names.push(name.clone());
    }
    names.sort();
    names.dedup();
    names
}
