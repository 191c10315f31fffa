//! Runs programs on the kernel interpreter: the oracle of devices, and, against `interp::rule`, the check of passes,
//! plans and fusion.
//!
//! In goes a program with sizes; values go in and out in base units, as in `interp::rule`. Every launch is carried out
//! by `interp::kernel`, one block range after another; [`ProgramMachine::counters`] say what each kernel loaded and
//! stored, and [`ProgramMachine::taken`] which alternatives were chosen.

mod lag;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::kernel::{Array, Cells, Counters, Fault};
use super::wide::{self, WideValue};
use crate::ir::{Period, Rule, SiteId, Type, VarId, VarKind, When};
use crate::kernel::{self, Extent, Side};
use crate::plan::program::*;
use crate::topology::{Counts, Tables, Topology};

/// A program with its state.
#[derive(Clone, Debug)]
pub struct ProgramMachine<'a> {
    rule: &'a Rule,
    program: &'a Program,
    counts: Counts,
    dt: f64,
    seed: u64,
    step: u64,
    created: bool,
    /// Whether something was written from outside since the last step.
    dirty: bool,
    /// Whether rows may lag behind.
    behind: bool,
    arrays: Vec<Array>,
    wide_parameters: Vec<Vec<f64>>,
    prologue: Vec<WideValue>,
    events: [usize; 2],
    runs: BTreeMap<String, u64>,
    blocks_at_once: u64,
    counters: BTreeMap<String, Counters>,
    taken: BTreeMap<String, u64>,
    witness: Option<Rc<RefCell<Vec<Launched>>>>,
}

/// A launch that has been carried out.
#[derive(Clone, Debug)]
pub struct Launched {
    /// The kernel, by its place in the program.
    pub kernel: KernelId,
    /// A slot for each scalar.
    pub scalars: Vec<u64>,
    /// How many blocks there were.
    pub blocks: u64,
    /// Each buffer before the launch.
    pub before: Vec<Array>,
    /// Each buffer after it.
    pub after: Vec<Array>,
}

impl<'a> ProgramMachine<'a> {
    /// A machine for a program of `rule` (the finished rule that was planned) on a dense group.
    pub fn new(rule: &'a Rule, program: &'a Program, pre: usize, post: usize, dt_ms: f64, seed: u64) -> Self {
        Self::on(rule, program, &Topology::Dense { pre, post }, 1, dt_ms, seed)
    }

    /// A machine for a program of `rule` (the finished rule that was planned) on a group.
    ///
    /// # Panics
    /// If the group's numbers do not fit.
    pub fn on(
        rule: &'a Rule,
        program: &'a Program,
        topology: &Topology,
        batch: usize,
        dt_ms: f64,
        seed: u64,
    ) -> Self {
        let mut machine = Self {
            rule,
            program,
            counts: Counts::new(topology, batch).expect("the numbers of the group fit"),
            dt: dt_ms,
            seed,
            step: 0,
            created: false,
            dirty: true,
            behind: false,
            arrays: Vec::new(),
            wide_parameters: Vec::new(),
            prologue: Vec::new(),
            events: [0, 0],
            runs: BTreeMap::new(),
            blocks_at_once: u64::MAX,
            counters: BTreeMap::new(),
            taken: BTreeMap::new(),
            witness: None,
        };
        machine.wide_parameters = machine.wide_defaults();
        machine.evaluate_prologue();
        let tables = Tables::new(topology);
        for (_, storage) in program.storages.iter() {
            let length = storage.shape.iter().map(|&size| machine.size(size)).product();
            let mut array = Array::zeros(storage.ty, length);
            if let Role::Index(table) = storage.role {
                let numbers = tables.get(table);
                fill(&mut array, &numbers.iter().map(|&number| number as f64).collect::<Vec<f64>>());
            }
            machine.arrays.push(array);
        }
        machine.place_defaults();
        machine
    }

    /// Hands every launch over in ranges of so many blocks, the last first, as threads might.
    pub fn set_blocks_at_once(&mut self, blocks: u64) {
        self.blocks_at_once = blocks.max(1);
    }

    /// Notes every launch from here on, for whoever wants to do it again by other means.
    pub fn set_witness(&mut self, witness: Rc<RefCell<Vec<Launched>>>) {
        self.witness = Some(witness);
    }

    /// What each kernel has loaded and stored, by its name.
    pub fn counters(&self) -> &BTreeMap<String, Counters> {
        &self.counters
    }

    /// How often each alternative was taken, by its name.
    pub fn taken(&self) -> &BTreeMap<String, u64> {
        &self.taken
    }

    /// Sets a parameter, in base units.
    pub fn set_parameter(&mut self, parameter: VarId, values: &[f64]) {
        self.catch_up().expect("a kernel that ran before");
        self.dirty = true;
        if self.rule.variables[parameter].ty == Type::Wide {
            self.wide_parameters[parameter.index()] = values.to_vec();
            self.evaluate_prologue();
        } else {
            self.write(parameter, values);
        }
    }

    /// Gives an input, in base units; it is held until it is given again.
    ///
    /// # Panics
    /// If the program keeps no array for it.
    pub fn set_input(&mut self, input: VarId, values: &[f64]) {
        let storage = self.storage(Role::Variable(input)).expect("the input has an array");
        self.before_write(storage);
        fill(&mut self.arrays[storage.index()], values);
    }

    /// Writes a variable, in base units.
    ///
    /// # Panics
    /// If the program keeps no array for it.
    pub fn write(&mut self, variable: VarId, values: &[f64]) {
        // An input is given in every step; a plan that looks at events is proved for any input.
        self.dirty |= !matches!(self.rule.variables[variable].kind, VarKind::Input { .. });
        let storage = self.storage(Role::Variable(variable)).expect("the variable has an array");
        self.before_write(storage);
        fill(&mut self.arrays[storage.index()], values);
    }

    /// Puts values in the place of a draw that the program was planned with.
    ///
    /// # Panics
    /// If it was not.
    pub fn set_draw(&mut self, site: SiteId, values: &[f64]) {
        let storage = self.storage(Role::Draws(site)).expect("the program was planned with this draw given");
        self.before_write(storage);
        fill(&mut self.arrays[storage.index()], values);
    }

    /// The values of a variable in base units; empty where the program keeps none.
    pub fn read(&mut self, variable: VarId) -> Result<Vec<f64>, Fault> {
        self.create()?;
        Ok(match self.storage(Role::Variable(variable)) {
            Some(storage) => {
                let shown = self.up_to_date(storage)?;
                numbers(&self.arrays[shown.index()])
            }
            None => self.wide_parameters[variable.index()].clone(),
        })
    }

    /// The initial values.
    pub fn create(&mut self) -> Result<(), Fault> {
        if !self.created {
            self.created = true;
            let program = self.program;
            self.run_section(&program.create, 0)?;
        }
        Ok(())
    }

    /// One step.
    pub fn step(&mut self, pre_spikes: &[bool], post_spikes: &[bool]) -> Result<(), Fault> {
        self.create()?;
        self.step += 1;
        self.runs.clear();
        self.place_spikes(Side::Pre, pre_spikes);
        self.place_spikes(Side::Post, post_spikes);
        let program = self.program;
        self.run_section(&program.step, 0)?;
        self.behind = true;
        self.dirty = false;
        if let Some(commit) = &program.commit
            && let When::Every(period) = &commit.when
            && self.due(*period)
        {
            self.catch_up()?;
            self.run_section(&commit.section, 0)?;
        }
        for (period, section) in &program.schedules {
            if self.due(*period) {
                self.catch_up()?;
                self.run_section(section, 0)?;
            }
        }
        // There are no spikes between steps.
        self.place_spikes(Side::Pre, &vec![false; pre_spikes.len()]);
        self.place_spikes(Side::Post, &vec![false; post_spikes.len()]);
        Ok(())
    }

    /// Runs what is done on a call.
    pub fn call(&mut self, name: &str) -> Result<(), Fault> {
        self.create()?;
        let runs = self.runs.entry(name.to_owned()).or_default();
        let run = *runs;
        *runs += 1;
        self.catch_up()?;
        let program = self.program;
        if let Some(commit) = &program.commit
            && commit.when == When::Call(name.to_owned())
        {
            self.run_section(&commit.section, run)?;
        }
        for (_, section) in program.calls.iter().filter(|(called, _)| called == name) {
            self.run_section(section, run)?;
        }
        Ok(())
    }

    fn size(&self, size: Size) -> usize {
        match size {
            Size::Constant(length) => length as usize,
            Size::Count(count) => self.counts.get(count) as usize,
            Size::Prologue(place) => self.result(place) as usize,
        }
    }

    /// A result of the prologue.
    fn result(&self, place: usize) -> f64 {
        self.prologue[self.program.prologue.results[place].index()].number()
    }

    fn storage(&self, role: Role) -> Option<StorageId> {
        self.program.storages.iter().find(|(_, storage)| storage.role == role).map(|(id, _)| id)
    }

    fn wide_defaults(&self) -> Vec<Vec<f64>> {
        let nothing = |_: VarId, _: u32| 0.0;
        self.rule
            .variables
            .iter()
            .map(|(_, variable)| {
                if variable.kind != VarKind::Param || variable.init.is_empty() {
                    return vec![0.0; variable.elements() as usize];
                }
                (0..variable.elements() as usize)
                    .map(|element| {
                        let root = *variable.init.get(element).unwrap_or(&variable.init[0]);
                        constant(self.rule, root, &nothing, self.dt)
                    })
                    .collect()
            })
            .collect()
    }

    /// The defaults of inputs, and of parameters that are not global.
    fn place_defaults(&mut self) {
        let rule = self.rule;
        for (id, variable) in rule.variables.iter() {
            let fixed = matches!(variable.kind, VarKind::Param | VarKind::Input { .. });
            let Some(storage) = self.storage(Role::Variable(id)) else { continue };
            if !fixed || variable.init.is_empty() {
                continue;
            }
            let parameters = &self.wide_parameters;
            let value = |variable: VarId, element: u32| parameters[variable.index()][element as usize];
            let elements = 0..variable.elements() as usize;
            let init = |element: usize| *variable.init.get(element).unwrap_or(&variable.init[0]);
            let list: Vec<f64> =
                elements.map(|element| constant(rule, init(element), &value, self.dt)).collect();
            let array = &mut self.arrays[storage.index()];
            let values: Vec<f64> = list.into_iter().cycle().take(array.length()).collect();
            if !values.is_empty() {
                fill(array, &values);
            }
        }
    }

    fn evaluate_prologue(&mut self) {
        let parameters = &self.wide_parameters;
        let value = |variable: VarId, element: u32| parameters[variable.index()][element as usize];
        self.prologue = wide::evaluate(&self.program.prologue.exprs, &value, self.dt);
    }

    fn due(&self, period: Period) -> bool {
        let steps = match period {
            Period::Steps(id) => self.prologue[id.index()].number(),
            Period::Time(id) => self.prologue[id.index()].number() / self.dt,
        };
        self.step.is_multiple_of((steps.round_ties_even().max(1.0)) as u64)
    }

    fn place_spikes(&mut self, side: Side, spikes: &[bool]) {
        let events: Vec<i32> = (0..spikes.len()).filter(|&k| spikes[k]).map(|k| k as i32).collect();
        self.events[side as usize] = events.len();
        if let Some(storage) = self.storage(Role::Spikes(side)) {
            self.arrays[storage.index()] = Array::Bool(spikes.iter().map(|&spike| u8::from(spike)).collect());
        }
        if let Some(storage) = self.storage(Role::Events(side)) {
            let mut list = vec![0; spikes.len()];
            list[..events.len()].copy_from_slice(&events);
            self.arrays[storage.index()] = Array::I32(list);
        }
    }

    fn run_section(&mut self, section: &Section, run: u64) -> Result<(), Fault> {
        self.run_actions(&section.actions, run)
    }

    fn run_actions(&mut self, actions: &[Action], run: u64) -> Result<(), Fault> {
        for action in actions {
            match action {
                Action::Launch(launch) => self.launch(launch, run)?,
                Action::Clear(storage) => {
                    let array = &mut self.arrays[storage.index()];
                    *array = Array::zeros(array.ty(), array.length());
                }
                Action::Choose(alternatives) => {
                    if let Some(alternative) =
                        alternatives.iter().find(|alternative| self.holds(alternative.condition))
                    {
                        *self.taken.entry(alternative.name.clone()).or_default() += 1;
                        self.run_actions(&alternative.actions, run)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn holds(&self, condition: Condition) -> bool {
        match condition {
            Condition::Always => true,
            Condition::FewEvents { share, column_cost } => {
                let count = |count| self.counts.get(count) as f64;
                let (pre, post) = (count(Count::Pre), count(Count::Post));
                let rows = self.events[0] as f64 * post;
                let columns = column_cost * self.events[1] as f64 * pre;
                !self.dirty && rows + columns <= share * pre * post
            }
        }
    }

    fn launch(&mut self, launch: &Launch, run: u64) -> Result<(), Fault> {
        let kernel = &self.program.kernels[launch.kernel];
        let scalars: Vec<u64> = kernel
            .scalars
            .iter()
            .zip(&launch.scalars)
            .map(|((_, scalar), source)| self.scalar(*source, scalar.ty, run))
            .collect();
        let items: u64 = kernel
            .space
            .items
            .iter()
            .map(|extent| match extent {
                Extent::Constant(length) => *length,
                Extent::Scalar(scalar) => scalars[scalar.index()],
            })
            .product();
        let mut end = items.div_ceil(u64::from(kernel.space.per_block));
        let mut memory: Vec<Array> = launch
            .buffers
            .iter()
            .map(|storage| std::mem::replace(&mut self.arrays[storage.index()], Array::Bool(Vec::new())))
            .collect();
        let blocks = end;
        let before = self.witness.is_some().then(|| memory.clone());
        let counters = self.counters.entry(kernel.name.clone()).or_default();
        let mut result = Ok(());
        while end > 0 && result.is_ok() {
            let start = end - end.min(self.blocks_at_once);
            let mut cells: Vec<&mut Array> = memory.iter_mut().collect();
            result = super::kernel::run(kernel, &mut cells, &scalars, start..end).map(|done| {
                add(&mut counters.loads, &done.loads);
                add(&mut counters.stores, &done.stores);
                counters.steps += done.steps;
            });
            end = start;
        }
        if let (Some(witness), Some(before)) = (&self.witness, before) {
            let after = memory.clone();
            witness.borrow_mut().push(Launched { kernel: launch.kernel, scalars, blocks, before, after });
        }
        for (storage, array) in launch.buffers.iter().zip(memory) {
            self.arrays[storage.index()] = array;
        }
        result
    }

    fn scalar(&self, source: ScalarSource, ty: kernel::Type, run: u64) -> u64 {
        let number = match source {
            ScalarSource::Prologue(place) => self.result(place),
            ScalarSource::Time => self.step as f64 * self.dt,
            ScalarSource::Count(count) => return self.counts.get(count),
            ScalarSource::Step => return self.step,
            ScalarSource::Seed => return self.seed,
            ScalarSource::Run => return run,
            ScalarSource::EventCount(side) => return self.events[side as usize] as u64,
            ScalarSource::Constant(value) => return value,
            ScalarSource::Head(place) => return self.step % (self.result(place) as u64).max(1),
        };
        match ty {
            kernel::Type::F32 => u64::from((number as f32).to_bits()),
            kernel::Type::F64 => number.to_bits(),
            kernel::Type::I32 | kernel::Type::I64 => number as i64 as u64,
            kernel::Type::Bool => u64::from(number != 0.0),
        }
    }
}

fn add(total: &mut Vec<u64>, more: &[u64]) {
    total.resize(more.len().max(total.len()), 0);
    for (sum, count) in total.iter_mut().zip(more) {
        *sum += count;
    }
}

/// The value of a constant expression of a rule.
pub fn constant(
    rule: &Rule,
    root: crate::ir::ExprId,
    parameters: &dyn Fn(VarId, u32) -> f64,
    dt: f64,
) -> f64 {
    let needed = crate::ir::operands::reachable(&rule.exprs, [root]);
    let mut graph = crate::flow::Graph::new();
    let mut map = BTreeMap::new();
    for id in needed {
        let expr = &rule.exprs[id];
        let kind = expr.kind.map_operands(|operand| map[&operand]);
        let expr = crate::ir::Expr { kind, ty: expr.ty, shape: expr.shape };
        map.insert(id, graph.add(expr, rule.expr_spans[id.index()]));
    }
    wide::evaluate(graph.exprs(), parameters, dt)[map[&root].index()].number()
}

fn fill(array: &mut Array, values: &[f64]) {
    let value = |k: usize| values[if values.len() == 1 { 0 } else { k }];
    match array {
        Array::F32(cells) => cells.iter_mut().enumerate().for_each(|(k, cell)| *cell = value(k) as f32),
        Array::F64(cells) => cells.iter_mut().enumerate().for_each(|(k, cell)| *cell = value(k)),
        Array::I32(cells) => cells.iter_mut().enumerate().for_each(|(k, cell)| *cell = value(k) as i32),
        Array::I64(cells) => cells.iter_mut().enumerate().for_each(|(k, cell)| *cell = value(k) as i64),
        Array::Bool(cells) => {
            cells.iter_mut().enumerate().for_each(|(k, cell)| *cell = u8::from(value(k) != 0.0));
        }
    }
}

fn numbers(array: &Array) -> Vec<f64> {
    match array {
        Array::F32(cells) => cells.iter().map(|&cell| f64::from(cell)).collect(),
        Array::F64(cells) => cells.clone(),
        Array::I32(cells) => cells.iter().map(|&cell| f64::from(cell)).collect(),
        Array::I64(cells) => cells.iter().map(|&cell| cell as f64).collect(),
        Array::Bool(cells) => cells.iter().map(|&cell| f64::from(cell)).collect(),
    }
}
