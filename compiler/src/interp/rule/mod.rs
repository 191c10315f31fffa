//! Runs a rule, element by element, statement by statement, in the order of the language's step: the oracle of passes,
//! plans, kernels and back ends.
//!
//! In: a finished rule, a topology, a batch size, and what the host gives. Out: the values of all variables, with the
//! bits that every other way of running the rule must give. Slow on purpose: every expression is evaluated for every
//! element, and nothing is left out because it could not matter. What is not done: `past` in blocks that do not run in
//! every step (an ordinary refusal), and the delays of a group.
//!
//! An increment of a shared variable by a batched value is `Σ_batch` of the value, gated by the conditions around it, in
//! the order of a reduction over the batch, divided by the batch size where the rule says `batch mean;`.

mod evaluate;
mod past;
mod refusal;
mod statement;
#[cfg(test)]
mod tests;
mod topology;

pub use crate::topology::Topology;
pub use refusal::Refusal;

use crate::interp::scalar::Scalar;
use crate::interp::wide;
use crate::ir::*;
use crate::math::Real;
use crate::pass::integrate::integrate;
use crate::pass::specialise::specialise;
use crate::source::Span;
use evaluate::Values;
use past::History;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use topology::{At, Space};

/// The most values that one variable may have.
const MOST_VALUES: usize = 1 << 24;

/// When a block runs.
#[derive(Clone, Copy, Debug)]
struct Occasion {
    /// How often the block has run in this step.
    run: u32,
    /// Whether there are spikes.
    spikes: bool,
}

/// What tells an assignment from the others of a rule: its place in the text, the variable, the element, and whether it
/// sets (0), adds (1) or subtracts (2).
pub type Assignment = (Span, VarId, u32, u8);

const BETWEEN: Occasion = Occasion { run: 0, spikes: false };

/// A rule with its state.
#[derive(Clone, Debug)]
pub struct RuleMachine<R: Real> {
    /// Shared, so that a block can be walked while the machine changes.
    rule: Arc<Rule>,
    space: Space,
    batch: usize,
    dt: f64,
    seed: u64,
    /// The last step, 0 before the first.
    step: u64,
    created: bool,
    variables: Vec<Values<R>>,
    /// Which variables the host has given.
    given: Vec<bool>,
    locals: Vec<Option<Values<R>>>,
    /// The values of the expressions that are made of numbers, global parameters and `dt` only.
    constants: Vec<Option<Scalar<R>>>,
    draws: Vec<Option<Vec<R>>>,
    pre_spikes: Vec<bool>,
    post_spikes: Vec<bool>,
    /// How often each call has run since the last step.
    runs: BTreeMap<String, u32>,
    /// How many statements of this step have begun: the place in the text.
    place: usize,
    /// The assignments that have written something.
    ran: BTreeSet<Assignment>,
    /// By place and expression. Evaluation records here, and changes nothing else.
    histories: RefCell<BTreeMap<(usize, ExprId), History<R>>>,
}

impl<R: Real> RuleMachine<R> {
    /// A machine for a finished rule. Its equations are integrated here.
    pub fn new(
        rule: &Rule,
        topology: Topology,
        batch: usize,
        dt_ms: f64,
        seed: u64,
    ) -> Result<Self, Refusal> {
        if !(dt_ms > 0.0 && dt_ms.is_finite()) {
            return Err(Refusal::Dt(dt_ms));
        }
        past::supported(rule)?;
        if rule.variables.iter().any(|(_, variable)| variable.kind == VarKind::Extern) {
            return Err(Refusal::Unsupported("an `extern` that no rule of the composition declares"));
        }
        let longest =
            rule.variables.iter().map(|(_, variable)| variable.elements() as usize).max().unwrap_or(1);
        let (pre, post) = (topology.pre(), topology.post());
        let synapses = match &topology {
            Topology::Conv2d(shape) => topology.synapses().and_then(|all| all.checked_mul(shape.positions())),
            _ => topology.synapses(),
        };
        let largest = synapses.map(|synapses| synapses.max(pre).max(post).max(1));
        let values =
            [batch.max(1), longest].iter().try_fold(largest, |a, b| Some(a?.checked_mul(*b))).flatten();
        if values.is_none_or(|values| values > MOST_VALUES) || batch == 0 {
            return Err(Refusal::TooLarge);
        }
        // In a convolution blocks are of channels.
        let post =
            if topology.kind().is_spatial() { topology.channels(crate::kernel::Side::Post) } else { post };
        let blocks = rule.exprs.iter().find_map(|(_, expr)| match expr.kind {
            ExprKind::Reduce { over: Over::PostBlocks(size), .. } => {
                (!post.is_multiple_of(size as usize)).then_some(size)
            }
            _ => None,
        });
        if let Some(size) = blocks {
            return Err(Refusal::Blocks { size, post });
        }
        let rule = integrate(rule).map_err(Refusal::Equations)?;
        let rule = specialise(rule, topology.kind()).map_err(Refusal::Equations)?;
        if batch > 1 && rule.batch.is_none() && combines_over_batch(&rule) {
            return Err(Refusal::Batch(batch));
        }
        let space = Space::new(&topology);
        let mut machine = Self {
            batch,
            dt: dt_ms,
            seed,
            step: 0,
            created: false,
            variables: Vec::new(),
            given: vec![false; rule.variables.len()],
            locals: vec![None; rule.locals.len()],
            constants: vec![None; rule.exprs.len()],
            draws: vec![None; rule.sites.len()],
            pre_spikes: vec![false; batch * space.pre],
            post_spikes: vec![false; batch * space.post],
            runs: BTreeMap::new(),
            place: 0,
            ran: BTreeSet::new(),
            histories: RefCell::default(),
            space,
            rule: Arc::new(rule),
        };
        let zeros = |machine: &Self, variable: &Variable| {
            vec![Scalar::zero(variable.ty); machine.count(variable.shape) * variable.elements() as usize]
        };
        machine.variables =
            machine.rule.variables.iter().map(|(_, variable)| zeros(&machine, variable)).collect();
        machine.defaults();
        Ok(machine)
    }

    /// The rule that runs: the given one, its equations written out.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Sets a parameter, in base units: its elements in index order, the array axis innermost.
    pub fn set_parameter(&mut self, parameter: VarId, values: &[f64]) -> Result<(), Refusal> {
        self.store(parameter, values)?;
        self.refresh();
        Ok(())
    }

    /// Gives an input, in base units; it is held until it is given again.
    pub fn set_input(&mut self, input: VarId, values: &[f64]) -> Result<(), Refusal> {
        self.store(input, values)
    }

    /// Writes a state or a plastic variable, in base units. Before creation it replaces the initial value.
    pub fn write(&mut self, variable: VarId, values: &[f64]) -> Result<(), Refusal> {
        self.store(variable, values)
    }

    /// The values of a variable in base units: the batch outermost, then the elements, then the array.
    pub fn read(&mut self, variable: VarId) -> Result<Vec<f64>, Refusal> {
        self.create()?;
        Ok(self.variables[variable.index()].iter().map(|value| value.to_host()).collect())
    }

    /// Puts values in the place of a draw, from now on.
    pub fn set_draw(&mut self, site: SiteId, values: &[f64]) -> Result<(), Refusal> {
        let Site { shape, address, .. } = &self.rule.sites[site];
        let expected = self.count(*shape);
        if values.len() != expected {
            let name = address.clone().unwrap_or_else(|| format!("draw {}", site.index()));
            return Err(Refusal::Length { name, expected, given: values.len() });
        }
        self.draws[site.index()] = Some(values.iter().map(|value| R::from_f64(*value)).collect());
        Ok(())
    }

    /// Initial values in the order written, `on create`, constrain. Does nothing the second time; the first step, call
    /// or read does it, too.
    pub fn create(&mut self) -> Result<(), Refusal> {
        if self.created {
            return Ok(());
        }
        self.missing(|kind| kind == VarKind::Param)?;
        self.refresh();
        for variable in self.rule.variables.handles() {
            let of = &self.rule.variables[variable];
            let initial = matches!(of.kind, VarKind::State | VarKind::Plastic { .. });
            if initial && !self.given[variable.index()] && !of.init.is_empty() {
                self.initialise(variable);
            }
        }
        let rule = Arc::clone(&self.rule);
        self.run_block(&rule.create, BETWEEN);
        self.run_block(&rule.constrain, BETWEEN);
        self.remember_creation(&rule);
        self.created = true;
        Ok(())
    }

    /// One step. The spikes are those of the step: batch outermost.
    pub fn step(&mut self, pre_spikes: &[bool], post_spikes: &[bool]) -> Result<(), Refusal> {
        self.create()?;
        self.missing(|kind| matches!(kind, VarKind::Input { required: true }))?;
        for (name, spikes, expected) in [
            ("pre.spike", pre_spikes, self.pre_spikes.len()),
            ("post.spike", post_spikes, self.post_spikes.len()),
        ] {
            if spikes.len() != expected {
                let given = spikes.len();
                return Err(Refusal::Length { name: name.to_owned(), expected, given });
            }
        }
        self.pre_spikes.copy_from_slice(pre_spikes);
        self.post_spikes.copy_from_slice(post_spikes);
        self.step += 1;
        self.runs.clear();
        self.place = 0;
        let rule = Arc::clone(&self.rule);
        let clears_first = rule.apply_when == When::EveryStep;
        self.clear(|kind| {
            kind == VarKind::Output || (clears_first && matches!(kind, VarKind::Proposal { .. }))
        });
        self.run_block(&rule.update, Occasion { run: 0, spikes: true });
        match &rule.apply_when {
            When::EveryStep => self.apply(&rule, Occasion { run: 0, spikes: true }),
            When::Every(period) if self.due(*period) => {
                self.commit(&rule, Occasion { run: 0, spikes: true });
            }
            When::Every(_) | When::Call(_) => {}
        }
        for schedule in &rule.schedules {
            if self.due(schedule.period) {
                self.run_block(&schedule.body, BETWEEN);
                self.run_block(&rule.constrain, BETWEEN);
            }
        }
        Ok(())
    }

    /// Runs what the rule does on a call: the applying, where it waits for this call, then the blocks of that name.
    pub fn call(&mut self, name: &str) -> Result<(), Refusal> {
        self.create()?;
        let rule = Arc::clone(&self.rule);
        let applies = rule.apply_when == When::Call(name.to_owned());
        let known = rule.calls.iter().any(|call| call.name == name);
        if !applies && !known {
            return Err(Refusal::UnknownCall(name.to_owned()));
        }
        let runs = self.runs.entry(name.to_owned()).or_default();
        let occasion = Occasion { run: *runs, spikes: false };
        *runs += 1;
        if applies {
            self.commit(&rule, occasion);
        }
        for call in rule.calls.iter().filter(|call| call.name == name) {
            self.run_block(&call.body, occasion);
            self.run_block(&rule.constrain, occasion);
        }
        Ok(())
    }

    /// The assignments that have written at least one element so far: their conditions held somewhere.
    pub fn ran(&self) -> &BTreeSet<Assignment> {
        &self.ran
    }

    /// The number of the last step.
    pub fn steps(&self) -> u64 {
        self.step
    }

    fn apply(&mut self, rule: &Rule, occasion: Occasion) {
        self.run_block(&rule.modulate, occasion);
        self.run_block(&rule.apply, occasion);
        self.run_block(&rule.constrain, occasion);
    }

    /// Applies what has accumulated.
    fn commit(&mut self, rule: &Rule, occasion: Occasion) {
        self.apply(rule, occasion);
        self.clear(|kind| matches!(kind, VarKind::Proposal { .. }));
    }

    fn clear(&mut self, which: impl Fn(VarKind) -> bool) {
        for (variable, of) in self.rule.variables.iter() {
            if which(of.kind) {
                self.variables[variable.index()].fill(Scalar::zero(of.ty));
            }
        }
    }

    /// Whether the step's number is a multiple of the period.
    fn due(&self, period: Period) -> bool {
        let steps = match period {
            Period::Steps(id) => self.constant(id),
            Period::Time(id) => self.constant(id) / self.dt,
        };
        // A conversion saturates; a NaN is 0 and so becomes 1.
        self.step.is_multiple_of((steps.round_ties_even() as u64).max(1))
    }

    fn constant(&self, id: ExprId) -> f64 {
        match self.constants[id.index()] {
            Some(value) => value.to_host(),
            None => self.evaluate(id, BETWEEN).first().map_or(f64::NAN, |value| value.to_host()),
        }
    }

    /// How many values a shape has.
    fn count(&self, shape: Shape) -> usize {
        self.space.size(self.space.at(shape)) * if shape.batched { self.batch } else { 1 }
    }

    fn load(&self, variable: VarId, place: u32, at: At, batch: usize, element: usize) -> Scalar<R> {
        let Variable { shape, ty, .. } = self.rule.variables[variable];
        let length = self.rule.variables[variable].elements() as usize;
        let own = self.space.at(shape);
        let Some(index) = self.space.project(at, element, own) else { return Scalar::zero(ty) };
        let index = if shape.batched { batch * self.space.size(own) + index } else { index };
        self.variables[variable.index()][index * length + place as usize]
    }

    fn store(&mut self, variable: VarId, values: &[f64]) -> Result<(), Refusal> {
        let of = &self.rule.variables[variable];
        let slots = &mut self.variables[variable.index()];
        if values.len() != slots.len() {
            let (expected, given) = (slots.len(), values.len());
            return Err(Refusal::Length { name: of.address(), expected, given });
        }
        for (slot, value) in slots.iter_mut().zip(values) {
            *slot = Scalar::from_host(*value, of.ty);
        }
        self.given[variable.index()] = true;
        Ok(())
    }

    /// The first variable of a kind that has neither a default nor a value.
    fn missing(&self, which: impl Fn(VarKind) -> bool) -> Result<(), Refusal> {
        let lacks = |(variable, of): &(VarId, &Variable)| {
            which(of.kind) && of.init.is_empty() && !self.given[variable.index()]
        };
        match self.rule.variables.iter().find(lacks) {
            Some((_, of)) => Err(Refusal::Missing(of.address())),
            None => Ok(()),
        }
    }

    /// The defaults of parameters and inputs, which are constants.
    fn defaults(&mut self) {
        self.refresh();
        for variable in self.rule.variables.handles() {
            let of = &self.rule.variables[variable];
            if matches!(of.kind, VarKind::Param | VarKind::Input { .. }) && !of.init.is_empty() {
                self.initialise(variable);
            }
        }
        self.refresh();
    }

    /// Gives a variable the values of its `= value`: one for each element of the array, or one for all.
    fn initialise(&mut self, variable: VarId) {
        let Variable { shape, ty, ref init, .. } = self.rule.variables[variable];
        let length = self.rule.variables[variable].elements() as usize;
        for (place, id) in init.clone().into_iter().enumerate() {
            let values = self.evaluate(id, BETWEEN);
            let values = self.widen(&values, self.rule.exprs[id].shape, shape);
            let places = if init_is_shared(&self.rule, variable) { 0..length } else { place..place + 1 };
            for (index, value) in values.into_iter().enumerate() {
                for place in places.clone() {
                    self.variables[variable.index()][index * length + place] = match (value, ty) {
                        (Scalar::Wide(value), ty) => Scalar::from_host(value, ty),
                        (value, ty) => value.convert(ty),
                    };
                }
            }
        }
    }

    /// Computes again what depends on parameters only.
    fn refresh(&mut self) {
        let mut constants: Vec<Option<Scalar<R>>> = Vec::with_capacity(self.rule.exprs.len());
        let mut last = wide::LastExponential::default();
        for (_, expr) in self.rule.exprs.iter() {
            let parameters = |variable: VarId, place: u32| {
                self.variables[variable.index()].get(place as usize).map_or(f64::NAN, |value| value.to_host())
            };
            let operand = |operand: ExprId| constants[operand.index()];
            let value = wide::one(expr, &operand, &parameters, self.dt, &mut last);
            constants.push(value);
        }
        self.constants = constants;
    }
}

fn init_is_shared(rule: &Rule, variable: VarId) -> bool {
    rule.variables[variable].init.len() == 1
}

/// Whether any statement combines increments over the batch.
fn combines_over_batch(rule: &Rule) -> bool {
    fn walk(rule: &Rule, block: &[Statement], batched: bool) -> bool {
        block.iter().any(|statement| match statement {
            Statement::Let { .. } => false,
            Statement::Assign { variable, value, .. } => {
                !rule.variables[*variable].shape.batched && (batched || rule.exprs[*value].shape.batched)
            }
            Statement::If { condition, then, otherwise, .. } => {
                let batched = batched || rule.exprs[*condition].shape.batched;
                walk(rule, then, batched) || walk(rule, otherwise, batched)
            }
        })
    }
    rule.blocks().any(|block| walk(rule, block, false))
}
