//! Carries out the program of one group: its arrays, its sections, its moments.
//!
//! In: a program and the group's sizes; then events, parameters and calls. Out: arrays. Nothing is decided here but
//! which alternative of a choice the step's spikes ask for. Names, units and checks of the host's values are elsewhere.

use std::sync::Arc;

use aplysia_compiler::interp::wide;
use aplysia_compiler::ir::{SiteId, VarId, When};
use aplysia_compiler::kernel;
use aplysia_compiler::plan::program::{Action, Condition, Count, Program, Role, Section};
use aplysia_compiler::topology::{Counts, Topology};

use super::allocate::allocate;
use super::cpu::Code;
#[cfg(feature = "cuda")]
use super::cuda::{self, group::OnGpu};
use super::lag::Lag;
use super::launch::{BoundLaunch, Moment, Sizes};
use super::memory::Memory;
use super::{Device, Mode, Threads};
use crate::cache::KernelCache;
use crate::error::{Error, Result};
use crate::events::{Room, Side};
use crate::prologue;

/// The program of a group, bound to memory.
pub(crate) struct Machine {
    pub(crate) program: Arc<Program>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) topology: Topology,
    pub(crate) batch: usize,
    pub(crate) counts: Counts,
    pub(crate) dt: f64,
    pub(crate) seed: u64,
    /// The number of the last step.
    pub(crate) step: u64,
    /// The host wrote something that constrain concerns.
    pub(crate) dirty: bool,
    threads: Threads,
    prologue: Vec<f64>,
    /// How often the prologue has been evaluated.
    version: u64,
    create: Vec<Act>,
    pub(super) advance: Vec<Act>,
    pub(super) commit: Option<(Due, Vec<Act>)>,
    pub(super) schedules: Vec<(u64, Vec<Act>)>,
    calls: Vec<Vec<Act>>,
    /// What steps leave behind.
    pub(super) lag: Option<Lag>,
    /// Which places of each side's bitmap `[batch, neurons]` spike, kept for clearing.
    pub(super) active: [Vec<u32>; 2],
    pub(super) lists: [Option<usize>; 2],
    pub(super) maps: [Option<usize>; 2],
    /// The arrays and kernels on a GPU; `memory` is then what the host sees of them.
    #[cfg(feature = "cuda")]
    pub(super) gpu: Option<OnGpu>,
}

/// When a commit is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Due {
    /// In steps that are multiples of this.
    Every(u64),
    /// When the host calls.
    Called,
}

/// An action that is bound to memory.
pub(super) enum Act {
    Launch(Bound),
    Clear(usize),
    Choose(Vec<Choice>),
}

/// A launch, on the processor or on a GPU.
pub(super) enum Bound {
    Host(BoundLaunch),
    #[cfg(feature = "cuda")]
    Cuda(cuda::group::Launch),
}

/// An alternative, and how often it was taken.
pub(super) struct Choice {
    name: String,
    pub(super) condition: Condition,
    pub(super) acts: Vec<Act>,
    pub(super) taken: u64,
}

/// Kernels on their way to launches.
struct Binder<'a> {
    program: &'a Program,
    codes: &'a [Code],
    memory: &'a [Memory],
    sizes: &'a Sizes<'a>,
    on: &'a str,
    #[cfg(feature = "cuda")]
    gpu: Option<&'a OnGpu>,
}

impl Machine {
    /// Allocates the arrays and binds all launches. The prologue has still to be evaluated.
    pub(crate) fn new(
        program: Arc<Program>,
        topology: Topology,
        batch: usize,
        dt: f64,
        seed: u64,
        device: &Device,
        cache: &KernelCache,
    ) -> Result<Self> {
        let sides = [kernel::Side::Pre, kernel::Side::Post];
        let too_large = || Error::NoMemory { name: "the group".to_owned(), bytes: usize::MAX };
        let counts = Counts::new(&topology, batch).ok_or_else(too_large)?;
        // The interpreter's panels are always the same, which shows that no bit depends on them.
        let counts = match device.mode {
            Mode::Interpreted => counts,
            #[cfg(any(feature = "jit", feature = "cuda"))]
            _ => counts.with_panel(aplysia_native::panel_size()),
        };
        let spikes = sides.map(|side| counts.side(side).checked_mul(batch));
        let [Some(pre_places), Some(post_places)] = spikes else { return Err(too_large()) };
        // Places in a bitmap are counted in 32 bits.
        if [pre_places, post_places].into_iter().any(|places| u32::try_from(places).is_err()) {
            return Err(too_large());
        }
        // No length depends on a parameter.
        let prologue = results(&program, &|_, _| f64::NAN, dt);
        let sizes = Sizes { counts: &counts, prologue: &prologue };
        let memory = allocate(&program, &topology, &sizes)?;
        let kernels = program.kernels.iter();
        let codes = kernels.filter_map(|(_, kernel)| code(kernel, device.mode, cache).transpose());
        let codes = codes.collect::<Result<Vec<Code>>>()?;
        #[cfg(feature = "cuda")]
        let gpu = device.gpu.as_ref().map(|stream| OnGpu::new(&program, &memory, stream)).transpose()?;
        let on = device.to_string();
        let bind = Binder {
            program: &program,
            codes: &codes,
            memory: &memory,
            sizes: &sizes,
            on: &on,
            #[cfg(feature = "cuda")]
            gpu: gpu.as_ref(),
        };
        let create = bind.section(&program.create)?;
        let advance = bind.section(&program.step)?;
        let commit = match &program.commit {
            Some(commit) => {
                let due = match commit.when {
                    When::EveryStep | When::Every(_) => Due::Every(1),
                    When::Call(_) => Due::Called,
                };
                Some((due, bind.section(&commit.section)?))
            }
            None => None,
        };
        let schedules = program.schedules.iter().map(|(_, section)| Ok((1, bind.section(section)?)));
        let schedules = schedules.collect::<Result<_>>()?;
        let calls = program.calls.iter().map(|(_, section)| bind.section(section)).collect::<Result<_>>()?;
        let lag = Lag::new(&program, |flush| bind.section(flush))?;
        let place = |role| program.storages.iter().position(|(_, storage)| storage.role == role);
        Ok(Self {
            lists: sides.map(|side| place(Role::Events(side))),
            maps: sides.map(|side| place(Role::Spikes(side))),
            active: [pre_places, post_places].map(Vec::with_capacity),
            threads: device.threads.clone(),
            create,
            advance,
            commit,
            schedules,
            calls,
            lag,
            memory,
            topology,
            batch,
            counts,
            prologue,
            version: 1,
            dt,
            seed,
            step: 0,
            dirty: false,
            program,
            #[cfg(feature = "cuda")]
            gpu,
        })
    }

    /// An array as the host sees it, up to date.
    pub(crate) fn read(&mut self, storage: usize) -> Result<&Memory> {
        let shown = self.shown(storage)?;
        Ok(&self.memory[shown])
    }

    /// The number of the array in which the host sees another up to date: its own, or that of a copy.
    pub(crate) fn shown(&mut self, storage: usize) -> Result<usize> {
        let shown = self.before_read(storage);
        #[cfg(feature = "cuda")]
        if let Some(gpu) = &mut self.gpu {
            gpu.fetch(storage, &mut self.memory[storage])?;
        }
        Ok(shown)
    }

    /// Lets the host write an array, all of it or, on an error, nothing.
    pub(crate) fn write<T>(
        &mut self,
        storage: usize,
        work: impl FnOnce(&mut Memory) -> Result<T>,
    ) -> Result<T> {
        self.before_write(storage);
        let done = work(&mut self.memory[storage])?;
        #[cfg(feature = "cuda")]
        if let Some(gpu) = &mut self.gpu {
            gpu.changed(storage);
        }
        Ok(done)
    }

    /// The storage of a variable.
    pub(crate) fn variable(&self, variable: VarId) -> Option<usize> {
        self.place(Role::Variable(variable))
    }

    /// The storage of a draw that the host gives.
    pub(crate) fn draws(&self, site: SiteId) -> Option<usize> {
        self.place(Role::Draws(site))
    }

    fn place(&self, role: Role) -> Option<usize> {
        self.program.storages.iter().position(|(_, storage)| storage.role == role)
    }

    /// Computes what depends on parameters. On an error nothing has changed.
    pub(crate) fn evaluate(&mut self, parameters: &dyn Fn(VarId, u32) -> f64) -> Result<()> {
        self.catch_up();
        let values = wide::evaluate(&self.program.prologue.exprs, parameters, self.dt);
        let periods = self.program.schedules.iter().map(|(period, _)| *period);
        let commit = match self.program.commit.as_ref().map(|commit| &commit.when) {
            Some(When::Every(period)) => Some(*period),
            Some(When::EveryStep | When::Call(_)) | None => None,
        };
        let mut lengths = Vec::with_capacity(self.schedules.len() + 1);
        for (schedule, period) in periods.chain(commit).enumerate() {
            let rule = &self.program.name;
            let error = || Error::BadPeriod { rule: rule.clone(), schedule };
            lengths.push(prologue::period(period, &values, self.dt).ok_or_else(error)?);
        }
        for ((period, _), length) in self.schedules.iter_mut().zip(&lengths) {
            *period = *length;
        }
        if let (Some((Due::Every(period), _)), Some(length)) =
            (&mut self.commit, lengths.get(self.schedules.len()))
        {
            *period = *length;
        }
        self.version += 1;
        for (result, id) in self.prologue.iter_mut().zip(&self.program.prologue.results) {
            *result = values[id.index()].number();
        }
        Ok(())
    }

    /// Creation: initial values, `on create`, constrain. At step 0.
    pub(crate) fn create(&mut self) -> Result<()> {
        let mut acts = std::mem::take(&mut self.create);
        let outcome = self.perform(&mut acts, 0);
        self.create = acts;
        self.dirty = false;
        outcome
    }

    /// How many neurons a side has, for each element of the batch.
    pub(crate) fn room(&self, side: Side) -> Room {
        Room { batch: self.batch, count: self.counts.side(side.kernel()) }
    }

    /// Puts the spikes of a side in place: places in its bitmap `[batch, neurons]`, ascending and in range. Lists of
    /// events are for groups without a batch, where a place is a neuron.
    pub(crate) fn set_events(&mut self, side: Side, places: impl Iterator<Item = u32>) {
        let at = side as usize;
        self.active[at].extend(places);
        #[cfg(feature = "cuda")]
        if self.gpu.is_some() {
            // They go with the message of the step.
            return;
        }
        if let Some(list) = self.lists[at].and_then(|place| self.memory[place].slice_mut::<i32>()) {
            for (slot, &place) in list.iter_mut().zip(&self.active[at]) {
                *slot = place as i32;
            }
        }
        self.mark(side, 1);
    }

    fn clear_events(&mut self) {
        for side in Side::BOTH {
            self.mark(side, 0);
            self.active[side as usize].clear();
        }
    }

    fn mark(&mut self, side: Side, value: u8) {
        let at = side as usize;
        if let Some(map) = self.maps[at].and_then(|place| self.memory[place].slice_mut::<u8>()) {
            for &place in &self.active[at] {
                map[place as usize] = value;
            }
        }
    }

    /// One step, on the processor, with the spikes that have been put in place; they are taken away after it.
    pub(crate) fn advance(&mut self) {
        self.step += 1;
        let mut acts = std::mem::take(&mut self.advance);
        self.perform_on_host(&mut acts, 0);
        self.advance = acts;
        self.leave_behind();
        let mut constrained = true;
        if let Some((due, mut acts)) = self.commit.take() {
            constrained = matches!(due, Due::Every(period) if self.step.is_multiple_of(period));
            if constrained {
                self.catch_up();
                self.perform_on_host(&mut acts, 0);
            }
            self.commit = Some((due, acts));
        }
        for schedule in 0..self.schedules.len() {
            if self.step.is_multiple_of(self.schedules[schedule].0) {
                self.catch_up();
                let mut acts = std::mem::take(&mut self.schedules[schedule].1);
                self.perform_on_host(&mut acts, 0);
                self.schedules[schedule].1 = acts;
            }
        }
        self.clear_events();
        if constrained {
            self.dirty = false;
        }
    }

    /// Whether the program does anything when the host calls `name`.
    pub(crate) fn has_call(&self, name: &str) -> bool {
        self.commits_on(name) || self.program.calls.iter().any(|(call, _)| call == name)
    }

    fn commits_on(&self, name: &str) -> bool {
        matches!(&self.program.commit, Some(commit) if commit.when == When::Call(name.to_owned()))
    }

    /// Carries out a call, which has run `run` times since the last step.
    pub(crate) fn call(&mut self, name: &str, run: u64) -> Result<()> {
        self.catch_up();
        if self.commits_on(name)
            && let Some((due, mut acts)) = self.commit.take()
        {
            let outcome = self.perform(&mut acts, run);
            self.commit = Some((due, acts));
            self.dirty = false;
            outcome?;
        }
        if let Some(call) = self.program.calls.iter().position(|(call, _)| call == name) {
            let mut acts = std::mem::take(&mut self.calls[call]);
            let outcome = self.perform(&mut acts, run);
            self.calls[call] = acts;
            outcome?;
        }
        Ok(())
    }

    /// Which alternatives there are in a step, and how often each was taken.
    pub(crate) fn plans(&self) -> Vec<(String, u64)> {
        let commit = self.commit.iter().map(|(_, acts)| acts);
        let acts = commit.chain([&self.advance]).flatten();
        let choices = acts.filter_map(|act| match act {
            Act::Choose(choices) => Some(choices),
            Act::Launch(_) | Act::Clear(_) => None,
        });
        choices.flatten().map(|choice| (choice.name.clone(), choice.taken)).collect()
    }

    /// Carries out a section that has been taken out of `self`.
    fn perform(&mut self, acts: &mut [Act], run: u64) -> Result<()> {
        #[cfg(feature = "cuda")]
        if self.gpu.is_some() {
            return self.perform_on_gpu(acts, run);
        }
        self.perform_on_host(acts, run);
        Ok(())
    }

    pub(super) fn perform_on_host(&mut self, acts: &mut [Act], run: u64) {
        // The scalars' sources and the arrays are lent apart.
        let mut memory = std::mem::take(&mut self.memory);
        perform(acts, &mut memory, &self.moment(run), self.dirty, &self.threads);
        self.memory = memory;
    }

    /// What the scalars of this moment's launches come from.
    pub(super) fn moment(&self, run: u64) -> Moment<'_> {
        Moment {
            prologue: &self.prologue,
            version: self.version,
            counts: &self.counts,
            step: self.step,
            dt: self.dt,
            seed: self.seed,
            run,
            spikes: [self.active[0].len() as u64, self.active[1].len() as u64],
        }
    }
}

/// The results of the prologue.
fn results(program: &Program, parameters: &dyn Fn(VarId, u32) -> f64, dt: f64) -> Vec<f64> {
    let values = wide::evaluate(&program.prologue.exprs, parameters, dt);
    program.prologue.results.iter().map(|id| values[id.index()].number()).collect()
}

fn perform(acts: &mut [Act], memory: &mut [Memory], moment: &Moment<'_>, dirty: bool, threads: &Threads) {
    for act in acts {
        match act {
            Act::Launch(Bound::Host(launch)) => launch.run(moment, threads),
            #[cfg(feature = "cuda")]
            Act::Launch(Bound::Cuda(_)) => aplysia_compiler::ice!("a launch of a GPU's on the host"),
            Act::Clear(storage) => memory[*storage].bytes_mut().fill(0),
            Act::Choose(choices) => {
                if let Some(choice) = choices.iter_mut().find(|choice| holds(choice.condition, moment, dirty))
                {
                    choice.taken += 1;
                    perform(&mut choice.acts, memory, moment, dirty, threads);
                }
            }
        }
    }
}

pub(super) fn holds(condition: Condition, moment: &Moment<'_>, dirty: bool) -> bool {
    match condition {
        Condition::Always => true,
        Condition::FewEvents { share, column_cost } => {
            let [pre_events, post_events] = moment.spikes.map(|count| count as f64);
            let [pre, post] = [Count::Pre, Count::Post].map(|count| moment.counts.get(count) as f64);
            !dirty && pre_events * post + column_cost * post_events * pre <= share * pre * post
        }
    }
}

impl Binder<'_> {
    fn section(&self, section: &Section) -> Result<Vec<Act>> {
        self.actions(&section.actions)
    }

    fn actions(&self, actions: &[Action]) -> Result<Vec<Act>> {
        actions.iter().map(|action| self.action(action)).collect()
    }

    fn action(&self, action: &Action) -> Result<Act> {
        Ok(match action {
            Action::Launch(launch) => {
                let kernel = &self.program.kernels[launch.kernel];
                #[cfg(feature = "cuda")]
                if let Some(gpu) = self.gpu {
                    return Ok(Act::Launch(Bound::Cuda(gpu.bind(launch, kernel, self.sizes)?)));
                }
                let code = self.codes[launch.kernel.index()].clone();
                let bound = BoundLaunch::new(launch, kernel, code, self.memory, self.sizes, self.on)?;
                Act::Launch(Bound::Host(bound))
            }
            Action::Clear(storage) => Act::Clear(storage.index()),
            Action::Choose(alternatives) => {
                let choices = alternatives.iter().map(|alternative| {
                    Ok(Choice {
                        name: alternative.name.clone(),
                        condition: alternative.condition,
                        acts: self.actions(&alternative.actions)?,
                        taken: 0,
                    })
                });
                Act::Choose(choices.collect::<Result<_>>()?)
            }
        })
    }
}

/// The kernel as the host runs it; nothing where a GPU does.
fn code(kernel: &kernel::Kernel, mode: Mode, cache: &KernelCache) -> Result<Option<Code>> {
    match mode {
        #[cfg(feature = "jit")]
        Mode::Compiled => Ok(Some(Code::Compiled(cache.get(kernel)?))),
        Mode::Interpreted => {
            let _ = cache;
            Ok(Some(Code::Interpreted(Arc::new(kernel.clone()))))
        }
        #[cfg(feature = "cuda")]
        Mode::Cuda => Ok(None),
    }
}
