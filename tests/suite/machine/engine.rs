//! The runtime's engine: machine code on threads.

use aplysia::compiler::ir::{Rule, Shape, VarId, VarKind};
use aplysia::compiler::kernel::Precision;
use aplysia::compiler::topology::Topology;
use aplysia::units::ms;
use aplysia::{Device, DrawId, Engine, Events, Group, GroupId, Plan};
use ndarray::{ArrayD, IxDyn};

use super::script::{Act, Script, axes};
use super::{Case, Machine};

/// A rule in an engine of its own.
pub struct Running<'a> {
    rule: &'a Rule,
    topology: Topology,
    batch: usize,
    engine: Engine,
    group: GroupId,
}

impl<'a> Running<'a> {
    /// An engine to which everything that the script says of creation has been given.
    pub fn new(case: &'a Case, script: &Script, plan: Plan, device: &Device) -> aplysia::Result<Self> {
        let Script { topology, batch, .. } = script;
        let precision = match script.precision {
            Precision::F32 => aplysia::Precision::F32,
            Precision::F64 => aplysia::Precision::F64,
        };
        let rule = aplysia::Rule::from_ir(case.open.clone());
        let group = Group::on(topology.clone()).batch(*batch).rule(&rule).dt(ms(script.dt));
        let mut group = group.precision(precision).plan(plan).seed(script.seed);
        let place = |id: VarId, values: &[f64]| {
            let variable = &case.rule.variables[id];
            (variable.address(), array(variable.shape, variable.length, (topology, *batch), values))
        };
        for (id, values) in &script.parameters {
            let (name, values) = place(*id, values);
            group = group.param(name, values);
        }
        for (id, values) in &script.initial {
            let (name, values) = place(*id, values);
            group = group.init(name, values);
        }
        for (id, values) in &script.draws {
            let site = &case.rule.sites[*id];
            let name = site.address.clone().unwrap_or_default();
            group = group.draw(name, array(site.shape, None, (topology, *batch), values));
        }
        let mut engine = Engine::new(device.clone())?;
        let group = engine.register(group)?;
        Ok(Self { rule: &case.rule, topology: topology.clone(), batch: *batch, engine, group })
    }

    fn carry_out(&mut self, act: &Act) -> aplysia::Result<()> {
        let name = |id: VarId| self.rule.variables[id].address();
        let shaped = |id: VarId, values: &[f64]| {
            let variable = &self.rule.variables[id];
            array(variable.shape, variable.length, (&self.topology, self.batch), values)
        };
        match act {
            Act::Parameter(id, values) => {
                self.engine.set_param(self.group, name(*id).as_str(), shaped(*id, values))
            }
            Act::Input(id, values) => self.engine.set_input(self.group, name(*id).as_str(), values),
            Act::Write(id, values) => self.engine.write(self.group, name(*id).as_str(), shaped(*id, values)),
            Act::Draw(id, values) => {
                let site = &self.rule.sites[*id];
                let address = site.address.clone().unwrap_or_default();
                let draw: DrawId = self.engine.draw(self.group, &address)?;
                self.engine.set_draw(draw, array(site.shape, None, (&self.topology, self.batch), values))
            }
            Act::Call(call) => self.engine.call(self.group, call),
            Act::Step { pre, post } => {
                if self.batch > 1 {
                    let (pre, post) = (self.pairs(pre), self.pairs(post));
                    let events = Events::new().pre_batched(&pre).post_batched(&post);
                    return self.engine.step(&[(self.group, events)]);
                }
                let (pre, post) = (indices(pre), indices(post));
                self.engine.step(&[(self.group, Events::new().pre(&pre).post(&post))])
            }
        }
    }
}

impl Running<'_> {
    /// Everything that a later run needs.
    pub fn save(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.engine.save_to(&mut bytes).expect("memory takes everything");
        bytes
    }

    /// Goes on from what another engine of the same group has saved.
    pub fn restore(&mut self, saved: &[u8]) -> aplysia::Result<()> {
        self.engine.restore_from(saved)
    }

    /// The program.
    pub fn program(&self) -> &aplysia::compiler::plan::program::Program {
        self.engine.program(self.group).expect("a group of this engine")
    }

    /// Gives a variable the value that creation gave it.
    pub fn reset(&mut self, variable: VarId) -> aplysia::Result<()> {
        let name = self.rule.variables[variable].address();
        self.engine.reset(self.group, name.as_str())
    }

    /// Records a variable after every step whose number is a multiple of `every`.
    pub fn record(&mut self, variable: VarId, every: u64) -> aplysia::Result<aplysia::RecordingId> {
        let name = self.rule.variables[variable].address();
        self.engine.record(self.group, &aplysia::Recorder::new([name]).every(every))
    }

    /// What has been recorded, row after row.
    pub fn recorded(&self, recording: aplysia::RecordingId, variable: VarId) -> aplysia::Result<Vec<f32>> {
        let name = self.rule.variables[variable].address();
        Ok(self.engine.trace::<f32>(recording, &name)?.iter().copied().collect())
    }

    /// Element of the batch and neuron of each spike.
    fn pairs(&self, spikes: &[bool]) -> Vec<(u32, u32)> {
        let neurons = (spikes.len() / self.batch).max(1) as u32;
        indices(spikes).into_iter().map(|index| (index / neurons, index % neurons)).collect()
    }
}

fn indices(spikes: &[bool]) -> Vec<u32> {
    (0u32..).zip(spikes).filter(|(_, spikes)| **spikes).map(|(index, _)| index).collect()
}

fn array(
    shape: Shape,
    length: Option<u32>,
    (topology, batch): (&Topology, usize),
    values: &[f64],
) -> ArrayD<f64> {
    let mut axes = axes(shape, topology, batch);
    axes.extend(length.map(|length| length as usize));
    ArrayD::from_shape_vec(IxDyn(&axes), values.to_vec()).expect("as many values as places")
}

impl Machine for Running<'_> {
    fn act(&mut self, act: &Act) -> Result<(), String> {
        self.carry_out(act).map_err(|error| error.to_string())
    }

    fn read(&mut self, variable: VarId) -> Result<Option<Vec<f64>>, String> {
        let of = &self.rule.variables[variable];
        if matches!(of.kind, VarKind::Proposal { .. }) {
            return Ok(None);
        }
        let values = self.engine.read::<f64>(self.group, of.address().as_str());
        values.map(|values| Some(values.iter().copied().collect())).map_err(|error| error.to_string())
    }
}
