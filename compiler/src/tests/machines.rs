//! A rule on all machines at once: the rule interpreter, and programs of each plan on the kernel interpreter.

use crate::compose::find;
use crate::diag::Diagnostics;
use crate::interp::program::ProgramMachine;
use crate::interp::rule::{RuleMachine, Topology};
use crate::ir::{Domain, Rule, SiteId, Type, VarId, VarKind, Variable};
use crate::kernel::{Precision, Side};
use crate::library::{Library, NoImports, Settings};
use crate::math::Real;
use crate::plan::program::Program;
use crate::plan::{Options, PlanChoice, compile};

/// The finished rule of a text: its last one.
pub(super) fn rule(text: &str) -> Rule {
    match elaborate(text) {
        Ok((rule, _)) => rule,
        Err(diagnostics) => panic!("{text}\n{diagnostics:#?}"),
    }
}

/// The finished rule and its warnings.
pub(super) fn elaborate(text: &str) -> Result<(Rule, Diagnostics), Diagnostics> {
    let (library, diagnostics) = Library::load("test.rule", text, &NoImports);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    library.elaborate(None, &Settings::default()).map(|elaborated| (elaborated.rule, elaborated.warnings))
}

/// What is chosen when the group is made.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) topology: Topology,
    pub(super) batch: usize,
    /// Variables whose initial values the host gives.
    pub(super) given: Vec<(VarId, Vec<f64>)>,
    /// Draws whose values the host gives.
    pub(super) draws: Vec<(SiteId, Vec<f64>)>,
}

impl Setup {
    pub(super) fn dense(pre: usize, post: usize) -> Self {
        Self::on(Topology::Dense { pre, post }, 1)
    }

    pub(super) fn on(topology: Topology, batch: usize) -> Self {
        Self { topology, batch, given: Vec::new(), draws: Vec::new() }
    }

    /// How many values a variable has.
    pub(super) fn length(&self, of: &Variable) -> usize {
        let places = match of.shape.domain {
            Domain::Global => 1,
            Domain::PreChannel => self.topology.channels(Side::Pre),
            Domain::PostChannel => self.topology.channels(Side::Post),
            Domain::Pre => self.topology.pre(),
            Domain::Post => self.topology.post(),
            Domain::Synapse => self.topology.synapses().expect("a small group"),
        };
        places * of.elements() as usize * if of.shape.batched { self.batch } else { 1 }
    }
}

/// The programs of a rule for a setup, one for each plan.
pub(super) fn programs(
    rule: &Rule,
    setup: &Setup,
    precision: Precision,
) -> Result<Vec<Program>, Diagnostics> {
    let choices =
        [PlanChoice::FullPass, PlanChoice::Events, PlanChoice::Auto, PlanChoice::Replay, PlanChoice::Replay];
    let plan = |choice| {
        let options = Options {
            topology: setup.topology.kind(),
            batched: setup.batch > 1,
            precision,
            given_values: setup.given.iter().map(|(variable, _)| *variable).collect(),
            given_draws: setup.draws.iter().map(|(site, _)| *site).collect(),
            choice,
            // With and without: no bit may tell.
            tiles: choice != PlanChoice::Events,
            strips: false,
            large: false,
        };
        compile(rule, &options)
    };
    choices.into_iter().map(plan).collect()
}

/// All machines of a rule, in lockstep.
pub(super) struct Machines<'a, R: Real> {
    pub(super) rule: &'a Rule,
    setup: Setup,
    pub(super) slow: RuleMachine<R>,
    pub(super) fast: Vec<ProgramMachine<'a>>,
    /// How often they have been compared.
    compared: usize,
}

impl<'a, R: Real> Machines<'a, R> {
    pub(super) fn new(rule: &'a Rule, programs: &'a [Program], setup: &Setup) -> Self {
        let slow = RuleMachine::<R>::new(rule, setup.topology.clone(), setup.batch, 1.0, 7);
        let mut slow = slow.unwrap_or_else(|refusal| panic!("{refusal}"));
        let machine = |program| ProgramMachine::on(rule, program, &setup.topology, setup.batch, 1.0, 7);
        let mut fast: Vec<ProgramMachine<'a>> = programs.iter().map(machine).collect();
        for (number, machine) in fast.iter_mut().enumerate() {
            machine.set_blocks_at_once(1 + number as u64);
        }
        for (variable, values) in &setup.given {
            if rule.variables[*variable].kind == VarKind::Param {
                slow.set_parameter(*variable, values).expect("as many values as the parameter has");
            } else {
                slow.write(*variable, values).expect("as many values as the variable has");
            }
            fast.iter_mut().for_each(|machine| machine.write(*variable, values));
        }
        for (site, values) in &setup.draws {
            slow.set_draw(*site, values).expect("as many values as the draw has");
            fast.iter_mut().for_each(|machine| machine.set_draw(*site, values));
        }
        Self { rule, setup: setup.clone(), slow, fast, compared: 0 }
    }

    pub(super) fn find(&self, name: &str) -> VarId {
        find(self.rule, name).expect("a variable")
    }

    pub(super) fn set(&mut self, name: &str, values: &[f64]) {
        let variable = self.find(name);
        let values = match values {
            [value] => &vec![*value; self.setup.length(&self.rule.variables[variable])],
            values => values,
        };
        let parameter = self.rule.variables[variable].kind == VarKind::Param;
        if parameter {
            self.slow.set_parameter(variable, values).expect("as many values as the parameter has");
            self.fast.iter_mut().for_each(|machine| machine.set_parameter(variable, values));
        } else {
            self.slow.write(variable, values).expect("as many values as the variable has");
            self.fast.iter_mut().for_each(|machine| machine.write(variable, values));
        }
    }

    pub(super) fn step(&mut self, pre: &[bool], post: &[bool]) {
        self.slow.step(pre, post).unwrap_or_else(|refusal| panic!("{refusal}"));
        for machine in &mut self.fast {
            machine.step(pre, post).unwrap_or_else(|fault| panic!("{fault:?}"));
        }
        self.compare("a step");
    }

    pub(super) fn call(&mut self, name: &str) {
        self.slow.call(name).unwrap_or_else(|refusal| panic!("{refusal}"));
        for machine in &mut self.fast {
            machine.call(name).unwrap_or_else(|fault| panic!("{fault:?}"));
        }
        self.compare(name);
    }

    pub(super) fn read(&mut self, name: &str) -> Vec<f64> {
        let variable = self.find(name);
        self.slow.read(variable).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    pub(super) fn compare(&mut self, after: &str) {
        self.compared += 1;
        // Looking must change nothing, nor must not looking.
        let seldom = self.compared % 5 != 4;
        for (id, variable) in self.rule.variables.iter() {
            let slow = self.slow.read(id).unwrap_or_else(|refusal| panic!("{refusal}"));
            for (number, machine) in self.fast.iter_mut().enumerate() {
                if number == 4 && seldom {
                    continue;
                }
                let fast = machine.read(id).unwrap_or_else(|fault| panic!("{fault:?}"));
                let in_arrays = variable.kind != VarKind::Param || variable.ty != Type::Wide;
                let forgotten = matches!(variable.kind, VarKind::Proposal { .. })
                    && self.rule.apply_when == crate::ir::When::EveryStep;
                if !in_arrays || forgotten {
                    continue;
                }
                let bits = |values: &[f64]| {
                    let bits = |value: &f64| if value.is_nan() { u64::MAX } else { value.to_bits() };
                    values.iter().map(bits).collect::<Vec<_>>()
                };
                let name = variable.address();
                let plan = ["full pass", "events", "auto", "replay", "replay, seldom looked at"][number];
                let (slow_bits, fast_bits) = (bits(&slow), bits(&fast));
                let differing = (0..slow_bits.len().max(fast_bits.len()))
                    .find(|&index| slow_bits.get(index) != fast_bits.get(index));
                if let Some(index) = differing {
                    panic!(
                        "`{name}` number {index} after {after} {}, plan {plan}: {:?} by the text, {:?} by the program",
                        self.slow.steps(),
                        slow.get(index),
                        fast.get(index)
                    );
                }
            }
        }
    }

    pub(super) fn taken(&self, name: &str) -> u64 {
        self.fast.iter().filter_map(|machine| machine.taken().get(name)).sum()
    }
}

/// Numbers that show the order of a sum.
pub(super) fn rough(salt: u64, count: usize) -> Vec<f64> {
    let one = |index: usize| {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ (salt << 17)) >> 40;
        let fraction = mixed as f64 / f64::from(1 << 24);
        (fraction - 0.3) * [1.0, 8.0, 0.125, 2.0][(mixed % 4) as usize]
    };
    (0..count).map(one).collect()
}

/// Spikes of one step; every fourth step is quiet.
pub(super) fn spikes(step: usize, count: usize, salt: usize) -> Vec<bool> {
    let spike = |k: usize| {
        !step.is_multiple_of(4) && (k * 7 + step * 5 + salt * 3 + k * k * step).is_multiple_of(4 + salt)
    };
    (0..count).map(spike).collect()
}

/// Runs a rule on every machine in f32 and f64 with inputs, parameters, calls and host writes of a fixed pattern.
pub(super) fn agree(rule: &Rule, pre: usize, post: usize) {
    agree_in::<f32>(rule, Precision::F32, &Setup::dense(pre, post));
    agree_in::<f64>(rule, Precision::F64, &Setup::dense(pre, post));
}

/// In one precision, with a setup. Gives what the notes of the plan say.
pub(super) fn agree_in<R: Real>(rule: &Rule, precision: Precision, setup: &Setup) -> (u64, Vec<String>) {
    let mut setup = setup.clone();
    for (id, of) in rule.variables.iter() {
        if of.kind == VarKind::Param && of.ty != Type::Wide {
            let values =
                rough(id.index() as u64, setup.length(of)).iter().map(|value| value.abs() + 0.5).collect();
            setup.given.push((id, values));
        }
    }
    let setup = &setup;
    let programs = programs(rule, setup, precision).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let mut machines = Machines::<R>::new(rule, &programs, setup);
    let names = |wanted: &dyn Fn(&Variable) -> bool| -> Vec<String> {
        rule.variables.iter().filter(|(_, of)| wanted(of)).map(|(_, of)| of.address()).collect()
    };
    let parameters = names(&|of| of.kind == VarKind::Param && of.init.is_empty() && of.ty == Type::Wide);
    let inputs = names(&|of| matches!(of.kind, VarKind::Input { .. }));
    let plastics = names(&|of| matches!(of.kind, VarKind::Plastic { .. }));
    let length = |machines: &Machines<'_, R>, name: &str| {
        let id = machines.find(name);
        machines.setup.length(&rule.variables[id])
    };
    for (salt, name) in parameters.iter().enumerate() {
        let values: Vec<f64> =
            rough(salt as u64, length(&machines, name)).iter().map(|value| value.abs() + 0.5).collect();
        machines.set(name, &values);
    }
    machines.compare("creation");
    let calls: Vec<String> = rule.calls.iter().map(|call| call.name.clone()).collect();
    let learn = match &rule.apply_when {
        crate::ir::When::Call(name) => Some(name.clone()),
        _ => None,
    };
    for step in 1..=13usize {
        for (salt, name) in inputs.iter().enumerate() {
            let values = rough((step * 10 + salt) as u64, length(&machines, name));
            machines.set(name, &values);
        }
        if step == 9 {
            for name in &plastics {
                let values = rough(77, length(&machines, name));
                machines.set(name, &values);
            }
        }
        let (pre, post) = (setup.topology.pre() * setup.batch, setup.topology.post() * setup.batch);
        machines.step(&spikes(step, pre, 0), &spikes(step, post, 1));
        if step == 3 || step == 7 {
            for name in calls.iter().chain(&learn) {
                machines.call(name);
                machines.call(name);
            }
        }
    }
    let notes = programs[1].notes.iter().map(|note| format!("{}: {}", note.topic, note.text)).collect();
    (machines.taken("event rows and columns"), notes)
}
