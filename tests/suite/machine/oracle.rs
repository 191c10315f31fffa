//! The rule interpreter.

use std::collections::BTreeSet;

use aplysia_compiler::interp::rule::{Assignment, Refusal, RuleMachine};
use aplysia_compiler::ir::{Rule, Statement, VarId};
use aplysia_compiler::math::Real;

use super::Machine;
use super::script::{Act, Script};

/// A rule on the rule interpreter.
pub struct Oracle<R: Real>(RuleMachine<R>);

impl<R: Real> Oracle<R> {
    /// A machine to which everything that the script says of creation has been given.
    pub fn new(rule: &Rule, script: &Script) -> Result<Self, Refusal> {
        let topology = script.topology.clone();
        let mut machine = RuleMachine::new(rule, topology, script.batch, script.dt, script.seed)?;
        for (id, values) in &script.parameters {
            machine.set_parameter(*id, values)?;
        }
        for (id, values) in &script.initial {
            machine.write(*id, values)?;
        }
        for (id, values) in &script.draws {
            machine.set_draw(*id, values)?;
        }
        Ok(Self(machine))
    }

    /// The assignments that have written something.
    pub fn ran(&self) -> &BTreeSet<Assignment> {
        self.0.ran()
    }

    /// All assignments of the rule with its equations integrated.
    pub fn assignments(&self) -> BTreeSet<Assignment> {
        let rule = self.0.rule();
        let blocks = [&rule.create, &rule.update, &rule.modulate, &rule.apply, &rule.constrain];
        let named = rule.calls.iter().map(|call| &call.body);
        let timed = rule.schedules.iter().map(|schedule| &schedule.body);
        let mut all = BTreeSet::new();
        for block in blocks.into_iter().chain(named).chain(timed) {
            collect(block, &mut all);
        }
        all
    }
}

fn collect(block: &[Statement], all: &mut BTreeSet<Assignment>) {
    for statement in block {
        match statement {
            Statement::Let { .. } => {}
            Statement::Assign { variable, element, op, span, .. } => {
                all.insert((*span, *variable, *element, *op as u8));
            }
            Statement::If { then, otherwise, .. } => {
                collect(then, all);
                collect(otherwise, all);
            }
        }
    }
}

impl<R: Real> Machine for Oracle<R> {
    fn act(&mut self, act: &Act) -> Result<(), String> {
        let done = match act {
            Act::Parameter(id, values) => self.0.set_parameter(*id, values),
            Act::Input(id, values) => self.0.set_input(*id, values),
            Act::Write(id, values) => self.0.write(*id, values),
            Act::Draw(id, values) => self.0.set_draw(*id, values),
            Act::Call(name) => self.0.call(name),
            Act::Step { pre, post } => self.0.step(pre, post),
        };
        done.map_err(|refusal| refusal.to_string())
    }

    fn read(&mut self, variable: VarId) -> Result<Option<Vec<f64>>, String> {
        self.0.read(variable).map(Some).map_err(|refusal| refusal.to_string())
    }
}
