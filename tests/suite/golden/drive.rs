//! A plan in the library's engine.

use aplysia::prelude::*;
use aplysia::{Device, GroupId};
use aplysia_compiler::compose;
use aplysia_compiler::ir::{self, Domain, Shape, SiteId, VarId};
use aplysia_compiler::kernel::Side;
use aplysia_compiler::topology::Topology;
use ndarray::{ArrayD, IxDyn};

use super::plan::{Act, Plan};
use crate::machine;

/// The axes of an array in a group.
pub fn axes(plan: &Plan, shape: Shape, length: Option<u32>) -> Vec<usize> {
    let mut axes = if shape.batched && plan.batch > 1 { vec![plan.batch] } else { Vec::new() };
    axes.extend(shape_of(&plan.topology, shape.domain));
    axes.extend(length.map(|length| length as usize));
    axes
}

fn shape_of(topology: &Topology, domain: Domain) -> Vec<usize> {
    let channels = |side: Side| topology.neuron_shape(side)[0];
    match domain {
        Domain::Global => vec![],
        Domain::Pre => topology.neuron_shape(Side::Pre),
        Domain::Post => topology.neuron_shape(Side::Post),
        Domain::PreChannel => vec![channels(Side::Pre)],
        Domain::PostChannel => vec![channels(Side::Post)],
        Domain::Synapse => topology.synapse_shape(),
    }
}

/// An engine with a group that follows a plan.
pub struct Driver<'a> {
    plan: &'a Plan,
    rule: ir::Rule,
    engine: Engine,
    group: GroupId,
}

/// The variable of an address.
pub fn variable(rule: &ir::Rule, name: &str) -> VarId {
    compose::find(rule, name).unwrap_or_else(|error| panic!("{error}"))
}

/// The draw of an address.
pub fn site(rule: &ir::Rule, name: &str) -> SiteId {
    let ends = |address: &str| address == name || address.ends_with(&format!(".{name}"));
    let found = rule.sites.iter().find(|(_, site)| site.address.as_deref().is_some_and(ends));
    found.unwrap_or_else(|| panic!("the rule has no draw `{name}`")).0
}

/// Values in the axes of a variable; one value stands for all.
pub fn shaped(plan: &Plan, rule: &ir::Rule, name: &str, values: &[f64]) -> ArrayD<f64> {
    let of = &rule.variables[variable(rule, name)];
    array(name, axes(plan, of.shape, of.length), values)
}

fn drawn(plan: &Plan, rule: &ir::Rule, name: &str, values: &[f64]) -> ArrayD<f64> {
    array(name, axes(plan, rule.sites[site(rule, name)].shape, None), values)
}

fn array(name: &str, axes: Vec<usize>, values: &[f64]) -> ArrayD<f64> {
    let places: usize = axes.iter().product();
    // One value stands for all.
    let values = if values.len() == 1 { vec![values[0]; places] } else { values.to_vec() };
    let array = ArrayD::from_shape_vec(IxDyn(&axes), values);
    array.unwrap_or_else(|error| panic!("{name}: {error} ({axes:?})"))
}

impl<'a> Driver<'a> {
    /// A group to which everything has been given that the plan says of its beginning.
    pub fn new(plan: &'a Plan) -> Result<Self, String> {
        let case = machine::Case::new("case.rule", &plan.rule, None, &[])?;
        Self::start(plan, &case).map_err(|error| error.to_string())
    }

    fn start(plan: &'a Plan, case: &machine::Case) -> Result<Self> {
        let rule = &case.rule;
        let group = Group::on(plan.topology.clone()).batch(plan.batch).dt(ms(plan.dt));
        let mut group = group.rule(&Rule::from_ir(case.open.clone()));
        if let Some([axonal, dendritic]) = plan.delays() {
            group =
                group.axonal_delay(Delay::per_neuron(axonal)).dendritic_delay(Delay::per_neuron(dendritic));
        }
        for (name, values) in &plan.params {
            group = group.param(name, shaped(plan, rule, name, values));
        }
        for (name, values) in &plan.initial {
            group = group.init(name, shaped(plan, rule, name, values));
        }
        for (name, values) in &plan.draws {
            group = group.draw(name, drawn(plan, rule, name, values));
        }
        let mut engine = Engine::new(Device::cpu())?;
        let group = engine.register(group)?;
        Ok(Self { plan, rule: rule.clone(), engine, group })
    }

    /// Writes a state.
    pub fn write(&mut self, variable: &str, values: &[f64]) -> Result<(), String> {
        let values = shaped(self.plan, &self.rule, variable, values);
        self.engine.write(self.group, variable, values).map_err(|error| error.to_string())
    }

    /// Carries out an act.
    pub fn act(&mut self, act: &Act) -> Result<(), String> {
        self.carry_out(act).map_err(|error| error.to_string())
    }

    /// The values of a variable.
    pub fn read(&mut self, variable: &str) -> Result<Vec<f64>, String> {
        let values = self.engine.read::<f64>(self.group, variable);
        values.map(|values| values.iter().copied().collect()).map_err(|error| error.to_string())
    }

    fn carry_out(&mut self, act: &Act) -> Result<()> {
        match act {
            Act::Input(name, values) => {
                let values = shaped(self.plan, &self.rule, name, values);
                let flat: Vec<f64> = values.iter().copied().collect();
                self.engine.set_input(self.group, name.as_str(), &flat)
            }
            Act::Draw(name, values) => {
                let draw = self.engine.draw(self.group, name)?;
                self.engine.set_draw(draw, drawn(self.plan, &self.rule, name, values))
            }
            Act::Call(name) => self.engine.call(self.group, name),
            Act::Step { pre, post } => {
                let batch = self.plan.batch;
                let [pre, post] = [pre, post].map(|spikes| places(spikes, batch));
                let [first, second] = [&pre, &post]
                    .map(|places| -> Vec<u32> { places.iter().map(|(_, neuron)| *neuron).collect() });
                let events = match batch {
                    1 => Events::new().pre(&first).post(&second),
                    _ => Events::new().pre_batched(&pre).post_batched(&post),
                };
                self.engine.step(&[(self.group, events)])
            }
        }
    }
}

/// Batch element and neuron of each spike.
fn places(spikes: &[bool], batch: usize) -> Vec<(u32, u32)> {
    let neurons = spikes.len() / batch;
    let spiking = (0..spikes.len()).filter(|&at| spikes[at]);
    spiking.map(|at| ((at / neurons) as u32, (at % neurons) as u32)).collect()
}
