//! The inputs of a whole run: spike trains, as dense arrays or event lists, and series of input values.

use std::cell::Cell;

use aplysia_compiler::ir::VarId;
use ndarray::{ArrayView, ArrayViewD, Axis, Dimension};

use crate::error::{Error, Result};
use crate::events::{self, Room, Side};
use crate::handle::{DrawId, GroupId, InputId};
use crate::state::GroupState;

/// What the groups of an engine are given in a run. Groups that are not named get no spikes.
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a> {
    pub(crate) groups: Vec<(GroupId, Train<'a>)>,
}

impl<'a> Inputs<'a> {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a group is given.
    #[must_use]
    pub fn group(mut self, group: GroupId, train: Train<'a>) -> Self {
        self.groups.push((group, train));
        self
    }
}

/// What one group is given in a run.
#[derive(Clone, Debug, Default)]
pub struct Train<'a> {
    spikes: [Spikes<'a>; 2],
    pub(crate) inputs: Vec<(InputId, Series<'a>)>,
    pub(crate) draws: Vec<(DrawId, Series<'a>)>,
}

/// The spikes of a side.
#[derive(Clone, Debug, Default)]
enum Spikes<'a> {
    #[default]
    None,
    /// `[steps, batch, neurons]`
    Dense(ArrayViewD<'a, bool>),
    /// Sorted by step, then by batch element, then by neuron.
    Listed(Listed<'a>),
}

/// A list of spikes.
#[derive(Clone, Debug)]
struct Listed<'a> {
    step: &'a [u64],
    /// None where there is one element only.
    element: Option<&'a [u32]>,
    index: &'a [u32],
    /// The first event that has not happened yet.
    cursor: Cell<usize>,
}

/// Values with a leading axis of steps.
#[derive(Clone, Debug)]
pub enum Series<'a> {
    /// In single precision.
    F32(ArrayViewD<'a, f32>),
    /// In double precision.
    F64(ArrayViewD<'a, f64>),
}

impl<'a, D: Dimension> From<ArrayView<'a, f32, D>> for Series<'a> {
    fn from(array: ArrayView<'a, f32, D>) -> Self {
        Series::F32(array.into_dyn())
    }
}

impl<'a, D: Dimension> From<ArrayView<'a, f64, D>> for Series<'a> {
    fn from(array: ArrayView<'a, f64, D>) -> Self {
        Series::F64(array.into_dyn())
    }
}

impl Series<'_> {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Series::F32(array) => array.shape(),
            Series::F64(array) => array.shape(),
        }
    }
}

impl<'a> Train<'a> {
    /// No spikes and no series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Presynaptic spikes, `[steps, n_pre]`; with a batch `[steps, batch, n_pre]`. On an image the neurons may have their
    /// three axes, `[channels, height, width]`, in place of one.
    #[must_use]
    pub fn pre<D: Dimension>(self, spikes: ArrayView<'a, bool, D>) -> Self {
        self.with(Side::Pre, Spikes::Dense(spikes.into_dyn()))
    }

    /// Postsynaptic spikes, `[steps, n_post]`; otherwise like `pre`.
    #[must_use]
    pub fn post<D: Dimension>(self, spikes: ArrayView<'a, bool, D>) -> Self {
        self.with(Side::Post, Spikes::Dense(spikes.into_dyn()))
    }

    /// Presynaptic spikes as a list, sorted by step (counted from 0 in the run), then by neuron.
    #[must_use]
    pub fn pre_events(self, step: &'a [u64], index: &'a [u32]) -> Self {
        self.with(Side::Pre, Spikes::listed(step, None, index))
    }

    /// Postsynaptic spikes as a list, sorted by step (counted from 0 in the run), then by neuron.
    #[must_use]
    pub fn post_events(self, step: &'a [u64], index: &'a [u32]) -> Self {
        self.with(Side::Post, Spikes::listed(step, None, index))
    }

    /// Presynaptic spikes of a batch as a list, sorted by step, then by batch element, then by neuron.
    #[must_use]
    pub fn pre_events_batched(self, step: &'a [u64], element: &'a [u32], index: &'a [u32]) -> Self {
        self.with(Side::Pre, Spikes::listed(step, Some(element), index))
    }

    /// Postsynaptic spikes of a batch as a list, sorted by step, then by batch element, then by neuron.
    #[must_use]
    pub fn post_events_batched(self, step: &'a [u64], element: &'a [u32], index: &'a [u32]) -> Self {
        self.with(Side::Post, Spikes::listed(step, Some(element), index))
    }

    fn with(mut self, side: Side, spikes: Spikes<'a>) -> Self {
        self.spikes[side as usize] = spikes;
        self
    }

    /// The values of an input, with a leading axis of steps.
    #[must_use]
    pub fn input(mut self, input: InputId, series: impl Into<Series<'a>>) -> Self {
        self.inputs.push((input, series.into()));
        self
    }

    /// The values of a draw, with a leading axis of steps.
    #[must_use]
    pub fn draw(mut self, draw: DrawId, series: impl Into<Series<'a>>) -> Self {
        self.draws.push((draw, series.into()));
        self
    }

    /// Refuses what does not fit the group or the length of the run.
    pub(crate) fn check(&self, group: &GroupState, steps: u64, refuse_nan: bool) -> Result<()> {
        for side in Side::BOTH {
            self.check_spikes(side, group, steps)?;
        }
        let mut given: Vec<VarId> = Vec::with_capacity(self.inputs.len());
        for (input, series) in &self.inputs {
            if input.group != group.id {
                return Err(Error::UnknownGroup { group: input.group.index });
            }
            let place = group.place(input.variable, refuse_nan);
            check_series(place.name, place.shape, series, steps)?;
            if refuse_nan {
                check_numbers(place.name, series)?;
            }
            given.push(input.variable);
        }
        for (draw, series) in &self.draws {
            if draw.group != group.id {
                return Err(Error::UnknownGroup { group: draw.group.index });
            }
            let (name, shape) = group.draw_place(draw.site);
            check_series(&name, &shape, series, steps)?;
            check_numbers(&name, series)?;
        }
        group.check_inputs(&given)
    }

    fn check_spikes(&self, side: Side, group: &GroupState, steps: u64) -> Result<()> {
        let machine = &group.machine;
        match &self.spikes[side as usize] {
            Spikes::None => Ok(()),
            Spikes::Dense(array) => {
                let neurons = machine.topology.neuron_shape(side.kernel());
                let flat = [neurons.iter().product()];
                let leading = [usize::try_from(steps).unwrap_or(usize::MAX), machine.batch];
                let fits = |leading: &[usize], neurons: &[usize]| {
                    array.shape().strip_prefix(leading).is_some_and(|rest| rest == neurons)
                };
                // One element needs no axis.
                let leadings = if machine.batch == 1 { &[1, 2][..] } else { &[2] };
                let any = |axes: &usize| fits(&leading[..*axes], &neurons) || fits(&leading[..*axes], &flat);
                if leadings.iter().any(any) {
                    return Ok(());
                }
                let expected = [&leading[..leadings[0]], &neurons].concat();
                let found = array.shape().to_vec();
                Err(Error::WrongShape { name: format!("{side}.spike"), expected, found })
            }
            Spikes::Listed(list) => list.check(side, machine.room(side), steps),
        }
    }

    /// Puts the spikes of step `step` (from 0) of the run in place. Steps come in order.
    pub(crate) fn give_spikes(&self, group: &mut GroupState, step: u64) {
        for side in Side::BOTH {
            match &self.spikes[side as usize] {
                Spikes::None => {}
                Spikes::Dense(array) => {
                    let row = array.index_axis(Axis(0), step as usize);
                    let active = row.into_iter().zip(0u32..).filter(|(spike, _)| **spike);
                    group.machine.set_events(side, active.map(|(_, place)| place));
                }
                Spikes::Listed(list) => {
                    let room = group.machine.room(side);
                    group.machine.set_events(side, list.take(step, room));
                }
            }
        }
    }

    /// Begins again at step 0.
    pub(crate) fn rewind(&self) {
        for spikes in &self.spikes {
            if let Spikes::Listed(list) = spikes {
                list.cursor.set(0);
            }
        }
    }
}

impl<'a> Spikes<'a> {
    fn listed(step: &'a [u64], element: Option<&'a [u32]>, index: &'a [u32]) -> Self {
        Spikes::Listed(Listed { step, element, index, cursor: Cell::new(0) })
    }
}

impl Listed<'_> {
    fn check(&self, side: Side, room: Room, steps: u64) -> Result<()> {
        let element = self.element.map_or(self.step.len(), <[u32]>::len);
        for (list, length) in [("index", self.index.len()), ("batch", element)] {
            if length != self.step.len() {
                let (expected, found) = (vec![self.step.len()], vec![length]);
                return Err(Error::WrongShape { name: format!("{side}.spike.{list}"), expected, found });
            }
        }
        if self.element.is_none() && room.batch > 1 && !self.step.is_empty() {
            return Err(Error::NoBatchElements { side, batch: room.batch });
        }
        if let Some(position) = self.step.iter().position(|&step| step >= steps) {
            return Err(Error::EventStep { side, position, step: self.step[position], steps });
        }
        let event = |at: usize| (self.step[at], self.element.map_or(0, |list| list[at]), self.index[at]);
        events::check(side, (0..self.step.len()).map(event), room)
    }

    /// The places of the spikes of a step in the bitmap, which has not been asked for before.
    fn take(&self, step: u64, room: Room) -> impl Iterator<Item = u32> + '_ {
        let first = self.cursor.get();
        let count = self.step[first..].iter().take_while(|&&at| at == step).count();
        self.cursor.set(first + count);
        let place =
            move |at: usize| self.element.map_or(0, |list| list[at]) * room.count as u32 + self.index[at];
        (first..first + count).map(place)
    }
}

fn check_series(name: &str, shape: &[usize], series: &Series<'_>, steps: u64) -> Result<()> {
    let steps = usize::try_from(steps).unwrap_or(usize::MAX);
    let found = series.shape();
    if found.first() == Some(&steps) && found[1..] == *shape {
        return Ok(());
    }
    let expected = [&[steps], shape].concat();
    Err(Error::WrongShape { name: name.to_owned(), expected, found: found.to_vec() })
}

fn check_numbers(name: &str, series: &Series<'_>) -> Result<()> {
    let position = match series {
        Series::F32(array) => array.iter().position(|value| value.is_nan()),
        Series::F64(array) => array.iter().position(|value| value.is_nan()),
    };
    match position {
        Some(position) => Err(Error::NotANumber { name: name.to_owned(), position }),
        None => Ok(()),
    }
}
