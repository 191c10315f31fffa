//! The inputs of a whole run: spike trains, as dense arrays or event lists, and series of input values.

use std::cell::Cell;

use aplysia_compiler::ir::VarId;
use ndarray::{ArrayView, ArrayView2, ArrayViewD, Axis, Dimension};

use crate::error::{Error, Result};
use crate::events::Side;
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
    /// `[steps, neurons]`
    Dense(ArrayView2<'a, bool>),
    /// Sorted by step, then by neuron; the cursor is the first event that has not happened yet.
    Listed { step: &'a [u64], index: &'a [u32], cursor: Cell<usize> },
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

    /// Presynaptic spikes, `[steps, n_pre]`.
    #[must_use]
    pub fn pre(mut self, spikes: ArrayView2<'a, bool>) -> Self {
        self.spikes[0] = Spikes::Dense(spikes);
        self
    }

    /// Postsynaptic spikes, `[steps, n_post]`.
    #[must_use]
    pub fn post(mut self, spikes: ArrayView2<'a, bool>) -> Self {
        self.spikes[1] = Spikes::Dense(spikes);
        self
    }

    /// Presynaptic spikes as a list, sorted by step (counted from 0 in the run), then by neuron.
    #[must_use]
    pub fn pre_events(mut self, step: &'a [u64], index: &'a [u32]) -> Self {
        self.spikes[0] = Spikes::Listed { step, index, cursor: Cell::new(0) };
        self
    }

    /// Postsynaptic spikes as a list, sorted by step (counted from 0 in the run), then by neuron.
    #[must_use]
    pub fn post_events(mut self, step: &'a [u64], index: &'a [u32]) -> Self {
        self.spikes[1] = Spikes::Listed { step, index, cursor: Cell::new(0) };
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
            self.check_spikes(side, group.machine.counts.side(side.kernel()), steps)?;
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

    fn check_spikes(&self, side: Side, count: usize, steps: u64) -> Result<()> {
        match &self.spikes[side as usize] {
            Spikes::None => Ok(()),
            Spikes::Dense(array) => {
                let expected = vec![usize::try_from(steps).unwrap_or(usize::MAX), count];
                if array.shape() == expected {
                    return Ok(());
                }
                let found = array.shape().to_vec();
                Err(Error::WrongShape { name: format!("{side}.spike"), expected, found })
            }
            Spikes::Listed { step, index, .. } => check_list(side, step, index, count, steps),
        }
    }

    /// Puts the spikes of step `step` (from 0) of the run in place. Steps come in order.
    pub(crate) fn give_spikes(&self, group: &mut GroupState, step: u64) {
        for side in Side::BOTH {
            match &self.spikes[side as usize] {
                Spikes::None => {}
                Spikes::Dense(array) => {
                    let row = array.index_axis(Axis(0), step as usize);
                    let active = row.into_iter().enumerate().filter(|(_, spike)| **spike);
                    group.machine.set_events(side, active.map(|(neuron, _)| neuron as u32));
                }
                Spikes::Listed { step: steps, index, cursor } => {
                    let first = cursor.get();
                    let count = steps[first..].iter().take_while(|&&at| at == step).count();
                    cursor.set(first + count);
                    group.machine.set_events(side, index[first..first + count].iter().copied());
                }
            }
        }
    }

    /// Begins again at step 0.
    pub(crate) fn rewind(&self) {
        for spikes in &self.spikes {
            if let Spikes::Listed { cursor, .. } = spikes {
                cursor.set(0);
            }
        }
    }
}

fn check_list(side: Side, step: &[u64], index: &[u32], count: usize, steps: u64) -> Result<()> {
    if step.len() != index.len() {
        let (name, expected, found) = (format!("{side}.spike.index"), vec![step.len()], vec![index.len()]);
        return Err(Error::WrongShape { name, expected, found });
    }
    for position in 0..step.len() {
        let (at, neuron) = (step[position], index[position]);
        if at >= steps {
            return Err(Error::EventStep { side, position, step: at, steps });
        }
        if neuron as usize >= count {
            return Err(Error::EventIndex { side, position, index: neuron.into(), count });
        }
        if position == 0 {
            continue;
        }
        let (before, previous) = (step[position - 1], index[position - 1]);
        if at < before {
            return Err(Error::EventOrder { side, position, index: at, previous: before });
        }
        if at == before && neuron <= previous {
            let (index, previous) = (neuron.into(), previous.into());
            return Err(Error::EventOrder { side, position, index, previous });
        }
    }
    Ok(())
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
