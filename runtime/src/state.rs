//! A registered group: the rule's variables by name and unit over the arrays of its machine.
//!
//! Everything that the host gives passes here once: names are found, shapes and values checked, units applied. Stepping
//! itself is `device::executor`'s.

use std::collections::BTreeSet;
use std::sync::Arc;

use aplysia_compiler::ice;
use aplysia_compiler::ir::{Domain, Rule, SiteId, VarId, VarKind};
use aplysia_compiler::plan::program::Program;
use ndarray::{Array, Axis, CowArray, IxDyn};

use crate::cache::KernelCache;
use crate::device::Device;
use crate::device::executor::Machine;
use crate::error::{Error, Result};
use crate::handle::{GroupId, Key, Named};
use crate::keeps::Keeps;
use crate::names::{self, Wanted};
use crate::prologue;
use crate::shape;
use crate::train::Series;
use crate::values::{self, Convert, Number, Place, Values};

/// A registered group.
pub(crate) struct GroupState {
    pub(crate) id: GroupId,
    pub(crate) rule: Arc<Rule>,
    pub(crate) machine: Machine,
    /// Of each variable.
    pub(crate) addresses: Vec<String>,
    shapes: Vec<Vec<usize>>,
    storages: Vec<Option<usize>>,
    ranges: Vec<Option<(f64, f64)>>,
    /// Global parameters in base units; empty for other variables.
    pub(crate) parameters: Vec<Vec<f64>>,
    /// Whether an input or parameter has a value from the host.
    pub(crate) given: Vec<bool>,
    /// The inputs that the host must give before a step.
    pub(crate) required: Vec<VarId>,
    concern_constrain: BTreeSet<VarId>,
    inits: Vec<(VarId, Values)>,
    pub(crate) created: bool,
    /// How often each call has run since the last step, in the order of first use.
    pub(crate) runs: Vec<(String, u64)>,
    /// The engine's number of the last step or run that named the group.
    pub(crate) named: u64,
}

/// What a group starts with, its names resolved.
pub(crate) struct Given {
    pub(crate) params: Vec<(VarId, Values)>,
    pub(crate) inits: Vec<(VarId, Values)>,
    pub(crate) draws: Vec<(SiteId, Values)>,
}

impl GroupState {
    /// Allocates a group and puts parameters, defaults and the host's draws in place.
    pub(crate) fn new(id: GroupId, rule: Arc<Rule>, machine: Machine, given: Given) -> Result<Self> {
        let variables = || rule.variables.handles();
        let count = rule.variables.len();
        let mut state = Self {
            id,
            addresses: variables().map(|id| rule.variables[id].address()).collect(),
            shapes: variables()
                .map(|id| shape::of_variable(&rule, id, &machine.topology, machine.batch))
                .collect(),
            storages: variables().map(|id| machine.variable(id)).collect(),
            ranges: variables().map(|id| range(&rule, id, &machine)).collect(),
            parameters: vec![Vec::new(); count],
            given: vec![false; count],
            required: Self::required_inputs(&rule),
            concern_constrain: rule.parameters_of_constrain(),
            inits: Vec::new(),
            created: false,
            runs: Vec::new(),
            named: 0,
            rule: rule.clone(),
            machine,
        };
        for (variable, values) in given.params {
            state.store_param(variable, &values)?;
        }
        state.default_params()?;
        for (variable, values) in &given.inits {
            state.store(*variable, values)?;
        }
        state.inits = given.inits;
        for (site, values) in given.draws {
            state.set_draw(site, &values)?;
        }
        state.refresh()?;
        Ok(state)
    }

    /// The variable that the host means.
    pub(crate) fn find<N: Named + ?Sized>(&self, name: &N, wanted: Wanted) -> Result<VarId> {
        match name.key() {
            Key::Name(name) => names::variable(&self.rule, self.id.index, name, wanted),
            Key::Variable(group, variable) if group == self.id => names::check(&self.rule, variable, wanted),
            Key::Variable(group, _) => Err(Error::UnknownGroup { group: group.index }),
        }
    }

    /// Where the values of a variable go.
    pub(crate) fn place(&self, variable: VarId, refuse_nan: bool) -> Place<'_> {
        let at = variable.index();
        Place {
            name: &self.addresses[at],
            shape: &self.shapes[at],
            scale: self.rule.variables[variable].unit.scale,
            range: self.ranges[at],
            refuse_nan,
        }
    }

    pub(crate) fn storage(&self, variable: VarId) -> Option<usize> {
        self.storages[variable.index()]
    }

    fn is_global_param(&self, variable: VarId) -> bool {
        let variable = &self.rule.variables[variable];
        variable.kind == VarKind::Param && variable.shape.domain == Domain::Global
    }

    /// Sets a parameter; what depends on it is computed again, nothing is compiled.
    pub(crate) fn set_param(&mut self, variable: VarId, values: &Values) -> Result<()> {
        let before = self.parameters[variable.index()].clone();
        self.store_param(variable, values)?;
        // On a parameter of neurons or synapses nothing else depends.
        if self.is_global_param(variable)
            && let Err(error) = self.refresh()
        {
            // It has made a period NaN.
            self.parameters[variable.index()] = before;
            self.refresh()?;
            return Err(error);
        }
        if self.concern_constrain.contains(&variable) {
            self.machine.dirty = true;
        }
        Ok(())
    }

    fn store_param(&mut self, variable: VarId, values: &Values) -> Result<()> {
        self.given[variable.index()] = true;
        if !self.is_global_param(variable) {
            return self.store(variable, values);
        }
        let place = self.place(variable, true);
        let count = self.rule.variables[variable].elements() as usize;
        let mut memory =
            crate::device::memory::Memory::zeroed(aplysia_compiler::kernel::Type::F64, count, 0, place.name)?;
        place.store(values, &mut memory)?;
        self.parameters[variable.index()] = memory.slice::<f64>().map(<[f64]>::to_vec).unwrap_or_default();
        Ok(())
    }

    /// Checks and stores values of a variable that has an array.
    fn store(&mut self, variable: VarId, values: &Values) -> Result<()> {
        let at = variable.index();
        let place = Place {
            name: &self.addresses[at],
            shape: &self.shapes[at],
            scale: self.rule.variables[variable].unit.scale,
            range: self.ranges[at],
            refuse_nan: true,
        };
        match self.storages[at] {
            Some(storage) => self.machine.write(storage, |memory| place.store(values, memory)),
            None => Ok(()),
        }
    }

    /// Defaults of the parameters that the host has not given.
    fn default_params(&mut self) -> Result<()> {
        let rule = self.rule.clone();
        let mut missing = Vec::new();
        for (id, variable) in rule.variables.iter() {
            if variable.kind != VarKind::Param || self.given[id.index()] {
                continue;
            }
            if variable.init.is_empty() {
                missing.push(variable.address());
                continue;
            }
            let list = self.default_values(id);
            if self.is_global_param(id) {
                self.parameters[id.index()] = list;
            } else {
                self.store_default(id, &list);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::MissingParameters { rule: rule.name.clone(), names: missing })
    }

    /// The default of a parameter or input, one value for each element of its array, in base units.
    fn default_values(&self, id: VarId) -> Vec<f64> {
        let variable = &self.rule.variables[id];
        let parameters = &self.parameters;
        let parameter = |id: VarId, element: u32| parameter(parameters, id, element);
        let one = |expr| match prologue::value(&self.rule.exprs, expr, &parameter, self.machine.dt) {
            Some(value) => value,
            None => ice!("the default of `{}` is not constant", variable.address()),
        };
        let elements = variable.elements() as usize;
        (0..elements).map(|element| one(variable.init[element.min(variable.init.len() - 1)])).collect()
    }

    /// Stores a default, which is in base units, for every neuron or synapse.
    fn store_default(&mut self, id: VarId, list: &[f64]) {
        if let Some(storage) = self.storages[id.index()] {
            let name = &self.addresses[id.index()];
            let place = Place { name, shape: &[], scale: 1.0, range: None, refuse_nan: false };
            let stored = self.machine.write(storage, |memory| {
                let values = list.iter().copied().cycle().take(memory.len());
                place.store_all(values, memory)
            });
            if stored.is_err() {
                ice!("the default of `{name}` does not fit its type");
            }
        }
    }

    /// Computes again what depends on parameters.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let parameters = &self.parameters;
        self.machine.evaluate(&|id, element| parameter(parameters, id, element))?;
        let rule = self.rule.clone();
        for (id, variable) in rule.variables.iter() {
            let open = matches!(variable.kind, VarKind::Input { required: false }) && !self.given[id.index()];
            if open && !variable.init.is_empty() {
                let list = self.default_values(id);
                self.store_default(id, &list);
            }
        }
        Ok(())
    }

    /// Sets an input, which is held until it is set again; allocates nothing.
    pub(crate) fn set_input<T: Convert>(
        &mut self,
        variable: VarId,
        values: &[T],
        refuse_nan: bool,
    ) -> Result<()> {
        let at = variable.index();
        let place = Place {
            name: &self.addresses[at],
            shape: &self.shapes[at],
            scale: self.rule.variables[variable].unit.scale,
            range: self.ranges[at],
            refuse_nan,
        };
        if let Some(storage) = self.storages[at] {
            self.machine.write(storage, |memory| match values {
                // One number holds for all elements.
                [value] => place.store_all(std::iter::repeat_n(*value, memory.len()), memory),
                _ => place.store_slice(values, memory),
            })?;
        }
        self.given[at] = true;
        Ok(())
    }

    /// Puts values in the place of a draw.
    pub(crate) fn set_draw(&mut self, site: SiteId, values: &Values) -> Result<()> {
        let (name, shape) = self.draw_place(site);
        let place = Place { name: &name, shape: &shape, scale: 1.0, range: None, refuse_nan: true };
        match self.machine.draws(site) {
            Some(storage) => self.machine.write(storage, |memory| place.store(values, memory)),
            None => Err(Error::NotSupported {
                what: format!("giving the draw `{name}` after registration without `.draw` at registration"),
                on: "this group".to_owned(),
            }),
        }
    }

    /// Takes one step of an input's series; allocates nothing. The whole series has been checked.
    pub(crate) fn give_input(&mut self, variable: VarId, series: &Series<'_>, step: usize) -> Result<()> {
        let at = variable.index();
        let scale = self.rule.variables[variable].unit.scale;
        self.given[at] = true;
        give(&self.addresses[at], scale, series, step, self.storages[at], &mut self.machine)
    }

    /// Takes one step of a draw's series; allocates nothing.
    pub(crate) fn give_draw(&mut self, site: SiteId, series: &Series<'_>, step: usize) -> Result<()> {
        let storage = self.machine.draws(site);
        give("a draw", 1.0, series, step, storage, &mut self.machine)
    }

    /// The address of a draw and the shape of its values.
    pub(crate) fn draw_place(&self, site: SiteId) -> (String, Vec<usize>) {
        let site = &self.rule.sites[site];
        let name = site.address.clone().unwrap_or_default();
        (name, shape::of(site.shape, &self.machine.topology, self.machine.batch))
    }

    /// Writes a state. Constrain looks at every synapse in the next step.
    pub(crate) fn write(&mut self, variable: VarId, values: &Values) -> Result<()> {
        self.ensure_created()?;
        self.store(variable, values)?;
        self.machine.dirty = true;
        Ok(())
    }

    /// The values of a variable in its declared unit.
    pub(crate) fn read<T: Number>(&mut self, variable: VarId) -> Result<CowArray<'_, T, IxDyn>> {
        self.ensure_created()?;
        let shown = match self.storages[variable.index()] {
            Some(storage) => Some(self.machine.shown(storage)?),
            None => None,
        };
        let place = self.place(variable, false);
        if self.is_global_param(variable) {
            if !T::holds(aplysia_compiler::kernel::Type::F64) {
                let name = place.name.to_owned();
                return Err(Error::WrongType { name, holds: "f64", asked: T::NAME });
            }
            let list = self.parameters[variable.index()].iter().map(|value| T::narrow(value / place.scale));
            return match Array::from_shape_vec(place.shape, list.collect()) {
                Ok(array) => Ok(array.into()),
                Err(error) => ice!("`{}` does not have its shape: {error}", place.name),
            };
        }
        match shown {
            Some(storage) => values::read(&place, &self.machine.memory[storage]),
            None => Err(Error::NotSupported {
                what: format!("reading `{}`, which does not outlive a step,", place.name),
                on: "this group".to_owned(),
            }),
        }
    }

    /// Carries out creation where it has not been.
    pub(crate) fn ensure_created(&mut self) -> Result<()> {
        if !self.created {
            self.machine.create()?;
            self.created = true;
        }
        Ok(())
    }

    /// Gives a state the value that creation gave it, with the same draws and the present parameters.
    pub(crate) fn reset(&mut self, variable: VarId, device: &Device, cache: &KernelCache) -> Result<()> {
        self.ensure_created()?;
        let Some(storage) = self.storages[variable.index()] else { return Ok(()) };
        let machine = &self.machine;
        let (program, topology) = (machine.program.clone(), machine.topology.clone());
        let fresh = Machine::new(program, topology, machine.batch, machine.dt, machine.seed, device, cache)?;
        let mut old = std::mem::replace(&mut self.machine, fresh);
        let outcome = self.recreate(&mut old, storage);
        if outcome.is_ok() {
            old.dirty = true;
        }
        self.machine = old;
        outcome
    }

    /// Carries out creation in the present machine, which is fresh, with what `old` has been given, and takes one array
    /// of it over into `old`.
    fn recreate(&mut self, old: &mut Machine, storage: usize) -> Result<()> {
        let program = old.program.clone();
        for (at, (_, declared)) in program.storages.iter().enumerate() {
            if self.rule.keeps(declared.role) {
                let from = old.read(at)?;
                self.machine.write(at, |to| {
                    to.bytes_mut().copy_from_slice(from.bytes());
                    Ok(())
                })?;
            }
        }
        let inits = std::mem::take(&mut self.inits);
        let outcome = inits.iter().try_for_each(|(variable, values)| self.store(*variable, values));
        self.inits = inits;
        outcome?;
        self.refresh()?;
        self.machine.create()?;
        let from = self.machine.read(storage)?;
        old.write(storage, |to| {
            to.bytes_mut().copy_from_slice(from.bytes());
            Ok(())
        })
    }

    /// Carries out what the rule says for a call.
    pub(crate) fn call(&mut self, name: &str) -> Result<()> {
        if !self.machine.has_call(name) {
            let calls = self.machine.program.calls.iter().map(|(call, _)| call.clone());
            return Err(names::unknown(&self.rule, self.id.index, "call", name, &calls.collect::<Vec<_>>()));
        }
        self.ensure_created()?;
        if !self.runs.iter().any(|(call, _)| call == name) {
            self.runs.push((name.to_owned(), 0));
        }
        let Some((_, runs)) = self.runs.iter_mut().find(|(call, _)| call == name) else { return Ok(()) };
        // The random stream has eight bits for the run.
        if *runs >= 256 {
            return Err(Error::CalledTooOften { name: name.to_owned() });
        }
        let run = *runs;
        *runs += 1;
        self.machine.call(name, run)
    }

    pub(crate) fn program(&self) -> &Program {
        &self.machine.program
    }
}

fn give(
    name: &str,
    scale: f64,
    series: &Series<'_>,
    step: usize,
    storage: Option<usize>,
    machine: &mut Machine,
) -> Result<()> {
    let Some(storage) = storage else { return Ok(()) };
    let place = Place { name, shape: &[], scale, range: None, refuse_nan: false };
    machine.write(storage, |memory| match series {
        Series::F32(array) => place.store_all(array.index_axis(Axis(0), step).iter().copied(), memory),
        Series::F64(array) => place.store_all(array.index_axis(Axis(0), step).iter().copied(), memory),
    })
}

fn parameter(parameters: &[Vec<f64>], id: VarId, element: u32) -> f64 {
    match parameters[id.index()].get(element as usize) {
        Some(value) => *value,
        None => ice!("a constant expression reads a variable that is no global parameter"),
    }
}

/// The declared range of a parameter, in base units; or what a plan has proved of a state.
fn range(rule: &Rule, id: VarId, machine: &Machine) -> Option<(f64, f64)> {
    let variable = &rule.variables[id];
    let dt = machine.dt;
    if machine.program.lazy.as_ref().is_some_and(|lazy| lazy.never_negative.contains(&id)) {
        return Some((0.0, f64::INFINITY));
    }
    if variable.kind != VarKind::Param {
        return None;
    }
    let (lo, hi) = variable.range?;
    let none = |_: VarId, _: u32| f64::NAN;
    Some((prologue::value(&rule.exprs, lo, &none, dt)?, prologue::value(&rule.exprs, hi, &none, dt)?))
}
