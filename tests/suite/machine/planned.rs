//! Programs on the kernel interpreter.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aplysia_compiler::interp::kernel::Counters;
use aplysia_compiler::interp::program::{Launched, ProgramMachine};
use aplysia_compiler::ir::{Rule, VarId, VarKind};
use aplysia_compiler::plan::program::{Action, Program};
use aplysia_compiler::plan::{Options, PlanChoice};

use super::Machine;
use super::script::{Act, Script};

/// The options with which a script's programs are planned.
pub fn options(script: &Script, choice: PlanChoice) -> Options {
    Options {
        topology: script.topology.kind(),
        batched: script.batch > 1,
        precision: script.precision,
        given_values: script.initial.iter().map(|(id, _)| *id).collect(),
        given_draws: script.draws.iter().map(|(id, _)| *id).collect(),
        choice,
        tiles: choice != PlanChoice::Events,
        strips: false,
        large: false,
    }
}

/// The names of the alternatives that the step of a program offers.
pub fn offered(program: &Program) -> BTreeSet<String> {
    fn walk(actions: &[Action], names: &mut BTreeSet<String>) {
        for action in actions {
            if let Action::Choose(alternatives) = action {
                for alternative in alternatives {
                    names.insert(alternative.name.clone());
                    walk(&alternative.actions, names);
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    walk(&program.step.actions, &mut names);
    names
}

/// A program on the kernel interpreter.
pub struct Planned<'a> {
    rule: &'a Rule,
    machine: ProgramMachine<'a>,
}

impl<'a> Planned<'a> {
    /// A machine to which everything that the script says of creation has been given.
    pub fn new(rule: &'a Rule, program: &'a Program, script: &Script, blocks_at_once: u64) -> Self {
        let Script { topology, batch, dt, seed, .. } = script;
        let mut machine = ProgramMachine::on(rule, program, topology, *batch, *dt, *seed);
        machine.set_blocks_at_once(blocks_at_once);
        for (id, values) in &script.parameters {
            machine.set_parameter(*id, values);
        }
        for (id, values) in &script.initial {
            machine.write(*id, values);
        }
        for (id, values) in &script.draws {
            machine.set_draw(*id, values);
        }
        Self { rule, machine }
    }

    /// Notes every launch from here on.
    pub fn witness(&mut self) -> Rc<RefCell<Vec<Launched>>> {
        let witness = Rc::default();
        self.machine.set_witness(Rc::clone(&witness));
        witness
    }

    /// How often each alternative was taken.
    pub fn taken(&self) -> &BTreeMap<String, u64> {
        self.machine.taken()
    }

    /// What each kernel has loaded and stored.
    pub fn counters(&self) -> &BTreeMap<String, Counters> {
        self.machine.counters()
    }
}

impl Machine for Planned<'_> {
    fn act(&mut self, act: &Act) -> Result<(), String> {
        let done = match act {
            Act::Parameter(id, values) => {
                self.machine.set_parameter(*id, values);
                Ok(())
            }
            Act::Input(id, values) => {
                self.machine.set_input(*id, values);
                Ok(())
            }
            Act::Write(id, values) => {
                self.machine.write(*id, values);
                Ok(())
            }
            Act::Draw(id, values) => {
                self.machine.set_draw(*id, values);
                Ok(())
            }
            Act::Call(name) => self.machine.call(name),
            Act::Step { pre, post } => self.machine.step(pre, post),
        };
        done.map_err(|fault| fault.to_string())
    }

    fn read(&mut self, variable: VarId) -> Result<Option<Vec<f64>>, String> {
        let values = self.machine.read(variable).map_err(|fault| fault.to_string())?;
        let kept = !matches!(self.rule.variables[variable].kind, VarKind::Proposal { .. });
        Ok((kept || values.len() > 1).then_some(values))
    }
}
