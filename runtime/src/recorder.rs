//! Recorders: the values of some variables after every so many steps.

use aplysia_compiler::ice;
use aplysia_compiler::ir::VarId;
use aplysia_compiler::kernel::Type;
use ndarray::{ArrayViewD, IxDyn};

use crate::device::executor::Machine;
use crate::error::{Error, Result};
use crate::handle::Key;
use crate::handle::private::Sealed;
use crate::names::Wanted;
use crate::state::GroupState;
use crate::values::{self, Number};

/// What to record: names of variables, and how often.
#[derive(Clone, Debug)]
pub struct Recorder {
    names: Vec<String>,
    every: u64,
    rows: usize,
}

impl Recorder {
    /// Records these variables after every step.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), every: 1, rows: 0 }
    }

    /// Records after the steps whose number is a multiple of `steps` (0 is taken as 1).
    #[must_use]
    pub fn every(mut self, steps: u64) -> Self {
        self.every = steps.max(1);
        self
    }

    /// Keeps room for so many rows, so that recording them allocates nothing. A `run` makes its own room.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }
}

/// A recorder of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordingId {
    pub(crate) engine: u64,
    pub(crate) index: usize,
}

/// A recorder at work.
pub(crate) struct Recording {
    pub(crate) group: usize,
    every: u64,
    rows: usize,
    traces: Vec<Trace>,
}

/// The values of one variable.
struct Trace {
    variable: VarId,
    storage: usize,
    scale: f64,
    shape: Vec<usize>,
    values: List,
}

/// Values of an array's own type.
enum List {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
}

impl Recording {
    pub(crate) fn new(recorder: &Recorder, state: &GroupState) -> Result<Self> {
        let mut traces = Vec::with_capacity(recorder.names.len());
        for name in &recorder.names {
            let variable = state.find(name.as_str(), Wanted::Any)?;
            let place = state.place(variable, false);
            let storage = state.storage(variable).ok_or_else(|| Error::NotSupported {
                what: format!("recording `{name}`, which has no array,"),
                on: "this group".to_owned(),
            })?;
            let values = match state.machine.memory[storage].ty() {
                Type::F32 => List::F32(Vec::new()),
                Type::F64 => List::F64(Vec::new()),
                Type::I64 => List::I64(Vec::new()),
                Type::I32 | Type::Bool => ice!("`{name}` is not a variable"),
            };
            traces.push(Trace { variable, storage, scale: place.scale, shape: place.shape.to_vec(), values });
        }
        let mut recording = Self { group: state.id.index, every: recorder.every, rows: 0, traces };
        recording.make_room(recorder.rows)?;
        Ok(recording)
    }

    /// Makes room for the rows of so many steps.
    pub(crate) fn reserve(&mut self, last_step: u64, steps: u64) -> Result<()> {
        let rows = last_step.saturating_add(steps) / self.every - last_step / self.every;
        self.make_room(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    fn make_room(&mut self, rows: usize) -> Result<()> {
        for trace in &mut self.traces {
            let elements: usize = trace.shape.iter().product();
            let count = rows.saturating_mul(elements);
            let outcome = match &mut trace.values {
                List::F32(list) => list.try_reserve(count),
                List::F64(list) => list.try_reserve(count),
                List::I64(list) => list.try_reserve(count),
            };
            let error = |_| Error::NoMemory { name: "recording".to_owned(), bytes: count.saturating_mul(8) };
            outcome.map_err(error)?;
        }
        Ok(())
    }

    /// Takes a row after a step, where one is due.
    pub(crate) fn take(&mut self, machine: &mut Machine) -> Result<()> {
        if !machine.step.is_multiple_of(self.every) {
            return Ok(());
        }
        self.rows += 1;
        for trace in &mut self.traces {
            let array = machine.read(trace.storage)?;
            match &mut trace.values {
                List::F32(list) => values::append(trace.scale, array, list),
                List::F64(list) => values::append(trace.scale, array, list),
                List::I64(list) => values::append(trace.scale, array, list),
            }
        }
        Ok(())
    }

    /// The rows of a variable, with a leading axis.
    pub(crate) fn rows<T: Number>(&self, state: &GroupState, name: &str) -> Result<ArrayViewD<'_, T>> {
        let variable = match name.key() {
            Key::Name(name) => state.find(name, Wanted::Any)?,
            Key::Variable(_, variable) => variable,
        };
        let trace = self.traces.iter().find(|trace| trace.variable == variable).ok_or_else(|| {
            Error::Recording { reason: format!("`{name}` is not among the recorded variables") }
        })?;
        let (holds, list): (&str, &dyn std::any::Any) = match &trace.values {
            List::F32(list) => ("f32", list),
            List::F64(list) => ("f64", list),
            List::I64(list) => ("i64", list),
        };
        let asked = <T as values::Convert>::NAME;
        let slice = list.downcast_ref::<Vec<T>>().ok_or_else(|| Error::WrongType {
            name: name.to_owned(),
            holds,
            asked,
        })?;
        let shape = IxDyn(&[&[self.rows], trace.shape.as_slice()].concat());
        match ArrayViewD::from_shape(shape, slice.as_slice()) {
            Ok(array) => Ok(array),
            Err(error) => ice!("a recording does not have its shape: {error}"),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        for trace in &mut self.traces {
            match &mut trace.values {
                List::F32(list) => list.clear(),
                List::F64(list) => list.clear(),
                List::I64(list) => list.clear(),
            }
        }
    }
}
