//! The engine: groups on a device, stepped together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aplysia_compiler::plan::program::Program;
use aplysia_compiler::topology::Topology;
use ndarray::{ArrayViewD, CowArray, IxDyn};

use crate::cache::KernelCache;
use crate::device::Device;
#[cfg(feature = "cuda")]
use crate::device::cuda::conductor::Conductor;
use crate::dispatch::{self, Work};
use crate::error::{Error, Result};
use crate::events::{Events, Side};
use crate::handle::{DrawId, GroupId, InputId, Named, ParamId, StateId};
use crate::names::{self, Wanted};
use crate::recorder::{Recorder, Recording, RecordingId};
use crate::register::Planned;
use crate::state::GroupState;
use crate::train::{Inputs, Train};
use crate::values::{Number, Values};

/// Groups on a device, stepped together. See the crate's documentation for an example.
pub struct Engine {
    /// Steps the groups where the device is a GPU.
    #[cfg(feature = "cuda")]
    conductor: Option<Conductor>,
    pub(crate) device: Device,
    pub(crate) cache: Arc<KernelCache>,
    pub(crate) identity: u64,
    pub(crate) seed: u64,
    check_inputs: bool,
    pub(crate) groups: Vec<GroupState>,
    recordings: Vec<Recording>,
    work: Work,
    pub(crate) planned: Option<Planned>,
    /// How often groups have been named, by steps and runs.
    named: u64,
}

impl Engine {
    /// An engine without groups.
    ///
    /// # Errors
    /// If the device cannot be used.
    pub fn new(device: Device) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let device = device.for_engine()?;
        Ok(Self {
            #[cfg(feature = "cuda")]
            conductor: device.gpu.as_ref().map(Conductor::new).transpose()?,
            device,
            cache: KernelCache::shared(),
            identity: NEXT.fetch_add(1, Ordering::Relaxed),
            seed: 0,
            check_inputs: false,
            groups: Vec::new(),
            recordings: Vec::new(),
            work: Work::default(),
            planned: None,
            named: 0,
        })
    }

    /// The seed that the groups registered from here on get theirs from, where they state none: the group numbered n
    /// gets the output number n of splitmix64 (Steele et al. 2014, doi:10.1145/2714064.2660195) started at this seed.
    /// 0 where nothing is said.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Whether step inputs are searched for NaN. Parameters, initial values and writes always are.
    pub fn check_inputs(&mut self, check: bool) {
        self.check_inputs = check;
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many kernels the cache of this engine has compiled so far, in the whole process.
    pub fn compilations(&self) -> u64 {
        self.cache.compilations()
    }

    /// One step of every group; groups that are not named get no spikes.
    ///
    /// # Errors
    /// If an event list is out of order or range, or an input is missing. No group has then been stepped.
    pub fn step(&mut self, events: &[(GroupId, Events<'_>)]) -> Result<()> {
        self.named += 1;
        for (id, group_events) in events {
            let index = self.name_once(*id)?;
            self.groups[index].check_step(group_events)?;
        }
        self.groups.iter().try_for_each(|group| group.check_inputs(&[]))?;
        self.groups.iter_mut().try_for_each(GroupState::ensure_created)?;
        for (id, events) in events {
            for side in Side::BOTH {
                let machine = &mut self.groups[id.index].machine;
                machine.set_events(side, events.places(side, machine.room(side)));
            }
        }
        self.advance(false)
    }

    /// So many steps with whole trains.
    ///
    /// # Errors
    /// If anything in `inputs` does not fit its group or the number of steps. No step has then been taken.
    pub fn run(&mut self, steps: u64, inputs: &Inputs<'_>) -> Result<()> {
        self.named += 1;
        for (id, train) in &inputs.groups {
            let index = self.name_once(*id)?;
            train.check(&self.groups[index], steps, self.check_inputs)?;
            train.rewind();
        }
        let mut others = self.groups.iter().filter(|group| group.named != self.named);
        others.try_for_each(|group| group.check_inputs(&[]))?;
        for recording in &mut self.recordings {
            recording.reserve(self.groups[recording.group].machine.step, steps)?;
        }
        self.groups.iter_mut().try_for_each(GroupState::ensure_created)?;
        // A GPU gets the spikes of many steps at once, where nothing else goes in or out between these.
        let only_spikes =
            inputs.groups.iter().all(|(_, train)| train.inputs.is_empty() && train.draws.is_empty());
        let gathers = only_spikes && self.recordings.is_empty();
        for step in 0..steps {
            for (id, train) in &inputs.groups {
                give(&mut self.groups[id.index], train, step)?;
            }
            self.advance(gathers && step + 1 < steps)?;
        }
        Ok(())
    }

    /// Carries out a block that the rule names with `on call`, and constrain after it.
    ///
    /// # Errors
    /// If the rule has no such call.
    pub fn call(&mut self, group: GroupId, name: &str) -> Result<()> {
        let index = self.index(group)?;
        self.groups[index].call(name)
    }

    /// The handle of a state, plastic variable, input, output or parameter, for reading and writing it.
    ///
    /// # Errors
    /// If the group has no such variable.
    pub fn state(&self, group: GroupId, name: &str) -> Result<StateId> {
        let variable = self.group(group)?.find(name, Wanted::Any)?;
        Ok(StateId { group, variable })
    }

    /// The handle of an input.
    ///
    /// # Errors
    /// If the group has no such input.
    pub fn input(&self, group: GroupId, name: &str) -> Result<InputId> {
        let variable = self.group(group)?.find(name, Wanted::Input)?;
        Ok(InputId { group, variable })
    }

    /// The handle of a parameter.
    ///
    /// # Errors
    /// If the group has no such parameter.
    pub fn param(&self, group: GroupId, name: &str) -> Result<ParamId> {
        let variable = self.group(group)?.find(name, Wanted::Param)?;
        Ok(ParamId { group, variable })
    }

    /// The handle of a draw whose values the host gives.
    ///
    /// # Errors
    /// If the group has no such draw.
    pub fn draw(&self, group: GroupId, name: &str) -> Result<DrawId> {
        let state = self.group(group)?;
        Ok(DrawId { group, site: names::draw(&state.rule, group.index, name)? })
    }

    /// Sets a parameter, in its declared unit. Nothing is compiled.
    ///
    /// # Errors
    /// If the value is NaN, outside the parameter's range, or of another shape.
    pub fn set_param<N: Named + ?Sized>(
        &mut self,
        group: GroupId,
        name: &N,
        values: impl Into<Values>,
    ) -> Result<()> {
        let index = self.index(group)?;
        let variable = self.groups[index].find(name, Wanted::Param)?;
        self.groups[index].set_param(variable, &values.into())
    }

    /// Sets an input, in its declared unit and row-major order; it is held until it is set again. One number holds for
    /// all elements.
    ///
    /// # Errors
    /// If there are more or fewer values than elements, or, where `check_inputs` is on, one is NaN.
    pub fn set_input<N: Named + ?Sized, T: Number>(
        &mut self,
        group: GroupId,
        name: &N,
        values: &[T],
    ) -> Result<()> {
        let index = self.index(group)?;
        let variable = self.groups[index].find(name, Wanted::Input)?;
        self.groups[index].set_input(variable, values, self.check_inputs)
    }

    /// Replaces the values of a draw that the host gives.
    ///
    /// # Errors
    /// If the draw was not given at registration, or the values do not fit.
    pub fn set_draw(&mut self, draw: DrawId, values: impl Into<Values>) -> Result<()> {
        let index = self.index(draw.group)?;
        self.groups[index].set_draw(draw.site, &values.into())
    }

    /// The values of a variable in its declared unit, with the axes of its domain (see the crate's documentation): the batch
    /// first where it is larger than 1, the elements of an array innermost. It is a view of the group's memory where the unit's
    /// scale is 1 and `T` is the group's own type, and an owned copy, converted once, otherwise.
    ///
    /// # Errors
    /// If there is no such variable, or `T` does not hold its values exactly.
    pub fn read<T: Number>(&mut self, group: GroupId, name: impl Named) -> Result<CowArray<'_, T, IxDyn>> {
        let index = self.index(group)?;
        let variable = self.groups[index].find(&name, Wanted::Any)?;
        self.groups[index].read(variable)
    }

    /// Writes a state or plastic variable, in its declared unit. Constrain looks at it in the next step.
    ///
    /// # Errors
    /// If there is no such state, or the values do not fit it.
    pub fn write(&mut self, group: GroupId, name: impl Named, values: impl Into<Values>) -> Result<()> {
        let index = self.index(group)?;
        let variable = self.groups[index].find(&name, Wanted::State)?;
        self.groups[index].write(variable, &values.into())
    }

    /// Gives a state or plastic variable the value that creation gives it: the host's `init` or the rule's expression,
    /// with the same draws and the present parameters, then `on create` and constrain. What has been is not changed: `past`
    /// and the group's delays go on reading what was.
    ///
    /// # Errors
    /// If there is no such state.
    pub fn reset(&mut self, group: GroupId, name: impl Named) -> Result<()> {
        let index = self.index(group)?;
        let variable = self.groups[index].find(&name, Wanted::State)?;
        self.groups[index].reset(variable, &self.device, &self.cache)
    }

    /// Records variables of a group from the next step on.
    ///
    /// # Errors
    /// If there is no such variable, or no room for the rows asked for.
    pub fn record(&mut self, group: GroupId, recorder: &Recorder) -> Result<RecordingId> {
        let recording = Recording::new(recorder, self.group(group)?)?;
        self.recordings.push(recording);
        Ok(RecordingId { engine: self.identity, index: self.recordings.len() - 1 })
    }

    /// What has been recorded of a variable: its values, in the declared unit, with a leading axis of rows.
    ///
    /// # Errors
    /// If the variable is not recorded, or `T` is not the group's type.
    pub fn trace<T: Number>(&self, recording: RecordingId, name: &str) -> Result<ArrayViewD<'_, T>> {
        let recording = self.recording(recording)?;
        recording.rows(&self.groups[recording.group], name)
    }

    /// Forgets what has been recorded; the recorder goes on, and keeps its room.
    ///
    /// # Errors
    /// If there is no such recording.
    pub fn clear_recording(&mut self, recording: RecordingId) -> Result<()> {
        self.recording(recording)?;
        self.recordings[recording.index].clear();
        Ok(())
    }

    /// The number of a group's last step; 0 before the first.
    ///
    /// # Errors
    /// If the group is another engine's.
    pub fn steps(&self, group: GroupId) -> Result<u64> {
        Ok(self.group(group)?.machine.step)
    }

    /// How a group's neurons are connected: its sizes, and the synapses of a sparse group.
    ///
    /// # Errors
    /// If the group is another engine's.
    pub fn topology(&self, group: GroupId) -> Result<&Topology> {
        Ok(&self.group(group)?.machine.topology)
    }

    /// The alternatives of a group's step, and how often each was taken.
    ///
    /// # Errors
    /// If the group is another engine's.
    pub fn plans(&self, group: GroupId) -> Result<Vec<(String, u64)>> {
        Ok(self.group(group)?.machine.plans())
    }

    /// The program of a group, for `explain` and for the curious.
    ///
    /// # Errors
    /// If the group is another engine's.
    pub fn program(&self, group: GroupId) -> Result<&Program> {
        Ok(self.group(group)?.program())
    }

    fn index(&self, id: GroupId) -> Result<usize> {
        let known = id.engine == self.identity && id.index < self.groups.len();
        if known { Ok(id.index) } else { Err(Error::UnknownGroup { group: id.index }) }
    }

    /// The index of a group that a step or run names; twice is an error.
    fn name_once(&mut self, id: GroupId) -> Result<usize> {
        let index = self.index(id)?;
        if std::mem::replace(&mut self.groups[index].named, self.named) == self.named {
            return Err(Error::GroupTwice { group: index });
        }
        Ok(index)
    }

    fn group(&self, id: GroupId) -> Result<&GroupState> {
        Ok(&self.groups[self.index(id)?])
    }

    fn recording(&self, id: RecordingId) -> Result<&Recording> {
        let known = (id.engine == self.identity).then(|| self.recordings.get(id.index)).flatten();
        known.ok_or_else(|| Error::Recording { reason: "its handle is another engine's".to_owned() })
    }

    /// One step of all groups. More may follow before anybody looks at what comes of it.
    fn advance(&mut self, more: bool) -> Result<()> {
        if !self.advance_on_gpu(more)? {
            dispatch::advance(&mut self.groups, &mut self.work, &self.device.threads);
        }
        for recording in &mut self.recordings {
            recording.take(&mut self.groups[recording.group].machine)?;
        }
        Ok(())
    }

    /// Whether the device is a GPU, which then takes the step.
    #[cfg(feature = "cuda")]
    fn advance_on_gpu(&mut self, more: bool) -> Result<bool> {
        let Some(conductor) = &mut self.conductor else { return Ok(false) };
        conductor.prepare(&mut self.groups);
        conductor.go_on(&mut self.groups, more)?;
        Ok(true)
    }

    #[cfg(not(feature = "cuda"))]
    fn advance_on_gpu(&mut self, _: bool) -> Result<bool> {
        Ok(false)
    }

    /// Waits until everything that has been asked for is done. Reading waits by itself.
    ///
    /// # Errors
    /// If the device has failed.
    pub fn wait(&self) -> Result<()> {
        #[cfg(feature = "cuda")]
        if let Some(conductor) = &self.conductor {
            return conductor.wait();
        }
        Ok(())
    }
}

/// Puts what a train has for a step in place.
fn give(group: &mut GroupState, train: &Train<'_>, step: u64) -> Result<()> {
    train.give_spikes(group, step);
    for (input, series) in &train.inputs {
        group.give_input(input.variable, series, step as usize)?;
    }
    for (draw, series) in &train.draws {
        group.give_draw(draw.site, series, step as usize)?;
    }
    Ok(())
}
