//! The spikes of one side of a run, from an array, from a list or drawn, and the piece of them that a few steps need.

use std::collections::BTreeMap;

use aplysia::{Error, Side};
use aplysia_compiler::diag::code;
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

use super::connect::Connections;
use super::input::place;
use crate::npy::Array;
use crate::poisson::Poisson;
use crate::report::{Failure, Outcome};

/// The spikes of a side.
#[derive(Debug, Default)]
pub enum Spikes {
    /// None.
    #[default]
    None,
    /// `[steps, neurons]`, or `[steps, batch, neurons]`.
    Dense(ArrayD<bool>),
    /// Sorted by step, counted from 0, then by batch element, then by neuron.
    Listed {
        /// Of each spike.
        step: Vec<u64>,
        /// Of each spike, where there is a batch.
        element: Option<Vec<u32>>,
        /// Of each spike.
        index: Vec<u32>,
    },
    /// Drawn where they are needed.
    Drawn {
        /// The trains of all neurons, of one batch element after another.
        trains: Poisson,
        /// Neurons of an element.
        count: usize,
        /// Elements.
        batch: usize,
    },
}

/// The spikes of a side in some steps.
pub enum Piece<'a> {
    /// None.
    None,
    /// `[steps, neurons]`, or `[steps, batch, neurons]`.
    Dense(ArrayViewD<'a, bool>),
    /// Steps, counted from the piece's first, batch elements where there are several, and neurons.
    Listed(Vec<u64>, Option<Vec<u32>>, Vec<u32>),
}

impl Spikes {
    /// Takes the spikes of a side out of the arrays of a file.
    ///
    /// # Errors
    /// Where they are no spikes.
    pub fn take(arrays: &mut BTreeMap<String, Array>, side: Side) -> Outcome<Self> {
        let name = format!("{side}.spike");
        let [step_name, element_name, index_name] =
            ["step", "batch", "index"].map(|list| format!("{name}.{list}"));
        let dense = arrays.remove(&name);
        let (step, element, index) =
            (arrays.remove(&step_name), arrays.remove(&element_name), arrays.remove(&index_name));
        match (dense, step, index) {
            (None, None, None) => match element {
                Some(_) => Err(lonely(&element_name, &step_name)),
                None => Ok(Spikes::None),
            },
            (Some(dense), None, None) if element.is_none() => Ok(Spikes::Dense(truth(&name, dense)?)),
            (None, Some(step), Some(index)) => {
                let (step, index) = (whole(&step_name, step)?, whole(&index_name, index)?);
                let element = element.map(|element| whole(&element_name, element)).transpose()?;
                let others =
                    [(&index_name, Some(index.len())), (&element_name, element.as_ref().map(Vec::len))];
                for (other, length) in others {
                    if let Some(length) = length
                        && length != step.len()
                    {
                        let text =
                            format!("`{step_name}` has {} elements, but `{other}` has {length}", step.len());
                        return Err(Failure::data(code::WRONG_SHAPE, text));
                    }
                }
                let narrow = |list: Vec<u64>| -> Vec<u32> {
                    list.into_iter().map(|value| u32::try_from(value).unwrap_or(u32::MAX)).collect()
                };
                Ok(Spikes::Listed { step, element: element.map(narrow), index: narrow(index) })
            }
            (None, Some(_), None) => Err(lonely(&step_name, &index_name)),
            (None, None, Some(_)) => Err(lonely(&index_name, &step_name)),
            (Some(_), ..) => {
                let text = format!("the input gives `{name}` as an array and as a list");
                Err(Failure::data(code::WRONG_SHAPE, text).help("leave one of them out"))
            }
        }
    }

    /// The shape of an array.
    pub fn shape(&self) -> Option<&[usize]> {
        match self {
            Spikes::Dense(array) => Some(array.shape()),
            Spikes::None | Spikes::Listed { .. } | Spikes::Drawn { .. } => None,
        }
    }

    /// How many steps a list needs at least.
    pub fn least_steps(&self) -> Option<usize> {
        match self {
            Spikes::Listed { step, .. } => {
                let last = step.iter().max().map_or(0, |&last| last.saturating_add(1));
                Some(usize::try_from(last).unwrap_or(usize::MAX))
            }
            Spikes::None | Spikes::Dense(_) | Spikes::Drawn { .. } => None,
        }
    }

    /// Brings an array into the shape that the engine takes.
    ///
    /// # Errors
    /// Where a list is out of order, or names what does not exist.
    pub fn settle(&mut self, side: Side, connections: &Connections) -> Outcome {
        let (batch, count) = (connections.batch, connections.count(side));
        if let Spikes::Dense(array) = self {
            let steps = array.shape().first().copied().unwrap_or(0);
            let expected = if batch > 1 { vec![steps, batch, count] } else { vec![steps, count] };
            let found = array.shape().to_vec();
            let reshaped = array.to_shape(expected.as_slice()).map(|array| array.into_owned());
            *array = reshaped.map_err(|_| {
                let text = format!("`{side}.spike` has shape {found:?}, but {expected:?} is needed");
                Failure::data(code::WRONG_SHAPE, text)
            })?;
        }
        self.check(side, count, batch)
    }

    /// Refuses a list that is out of order or names neurons that do not exist.
    fn check(&self, side: Side, count: usize, batch: usize) -> Outcome {
        let Spikes::Listed { step, element, index } = self else { return Ok(()) };
        if element.is_none() && batch > 1 {
            let text = format!("there is a batch of {batch}, but `{side}.spike.batch` is not in the input");
            return Err(Failure::data(code::EVENT_ELEMENT, text));
        }
        let mut last = None;
        for position in 0..step.len() {
            let event = (step[position], element.as_ref().map_or(0, |list| list[position]), index[position]);
            if event.1 as usize >= batch {
                return Err(Error::EventElement { side, position, element: event.1, batch }.into());
            }
            if event.2 as usize >= count {
                return Err(Error::EventIndex { side, position, index: event.2.into(), count }.into());
            }
            if let Some(before) = last
                && event <= before
            {
                let (index, previous) = match (event.0 == before.0, event.1 == before.1) {
                    (false, _) => (event.0, before.0),
                    (true, false) => {
                        let (element, previous) = (event.1, before.1);
                        return Err(Error::EventElementOrder { side, position, element, previous }.into());
                    }
                    (true, true) => (event.2.into(), before.2.into()),
                };
                return Err(Error::EventOrder { side, position, index, previous }.into());
            }
            last = Some(event);
        }
        Ok(())
    }

    /// The spikes of the steps `from .. to`, counted from 0.
    pub fn piece(&self, from: u64, to: u64) -> Piece<'_> {
        match self {
            Spikes::None => Piece::None,
            Spikes::Dense(array) => {
                Piece::Dense(array.slice_axis(Axis(0), Slice::from(from as usize..to as usize)))
            }
            Spikes::Listed { step, element, index } => {
                let first = step.partition_point(|&at| at < from);
                let end = step.partition_point(|&at| at < to);
                let steps = step[first..end].iter().map(|at| at - from).collect();
                let element = element.as_ref().map(|list| list[first..end].to_vec());
                Piece::Listed(steps, element, index[first..end].to_vec())
            }
            Spikes::Drawn { trains, count, batch } => {
                let (mut steps, mut places) = (Vec::new(), Vec::new());
                for step in from..to {
                    trains.step(step, &mut places);
                    steps.resize(places.len(), step - from);
                }
                if *batch == 1 {
                    return Piece::Listed(steps, None, places);
                }
                let (elements, index) =
                    places.into_iter().map(|at| (at / *count as u32, at % *count as u32)).unzip();
                Piece::Listed(steps, Some(elements), index)
            }
        }
    }
}

impl Piece<'_> {
    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Piece::None => 0,
            Piece::Dense(array) => array.iter().filter(|spike| **spike).count() as u64,
            Piece::Listed(_, _, index) => index.len() as u64,
        }
    }
}

/// Of two arrays that belong together one is missing.
pub fn lonely(name: &str, other: &str) -> Failure {
    Failure::data(code::WRONG_SHAPE, format!("the input holds `{name}`, but no `{other}`"))
}

/// An array of 0 and 1 of any type.
fn truth(name: &str, array: Array) -> Outcome<ArrayD<bool>> {
    let shape = array.shape().to_vec();
    let wrong = |position: usize, value: f64| {
        let text = format!("`{name}` is {value} at {:?}; a spike is 0 or 1", place(&shape, position));
        Failure::data(code::WRONG_TYPE, text)
    };
    let found: ArrayD<bool> = match &array {
        Array::Bool(array) => array.clone(),
        Array::I64(array) => match array.iter().position(|&value| value != 0 && value != 1) {
            Some(position) => {
                return Err(wrong(position, array.iter().nth(position).map_or(0.0, |v| *v as f64)));
            }
            None => array.mapv(|value| value == 1),
        },
        Array::F32(_) | Array::F64(_) => {
            // Reals are always reals.
            let array = array.reals().unwrap_or_default();
            match array.iter().enumerate().find(|(_, value)| **value != 0.0 && **value != 1.0) {
                Some((position, value)) => return Err(wrong(position, *value)),
                None => array.mapv(|value| value == 1.0),
            }
        }
    };
    Ok(found)
}

/// A list of whole numbers from 0.
///
/// # Errors
/// Where it is none.
pub fn whole(name: &str, array: Array) -> Outcome<Vec<u64>> {
    if array.shape().len() != 1 {
        let text = format!("`{name}` has shape {:?}, but a list is needed", array.shape());
        return Err(Failure::data(code::WRONG_SHAPE, text));
    }
    let wrong = |position: usize, value: f64| {
        let text = format!("`{name}` is {value} at [{position}]; whole numbers from 0 are needed");
        Failure::data(code::WRONG_TYPE, text)
    };
    match &array {
        Array::I64(list) => {
            let each = list.iter().enumerate();
            each.map(|(at, &value)| u64::try_from(value).map_err(|_| wrong(at, value as f64))).collect()
        }
        Array::Bool(_) | Array::F32(_) | Array::F64(_) => {
            let list = array.reals().unwrap_or_default();
            let each = list.iter().enumerate();
            each.map(|(at, &value)| {
                let fits = (0.0..9e15).contains(&value) && value.trunc() == value;
                if fits { Ok(value as u64) } else { Err(wrong(at, value)) }
            })
            .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn take(arrays: Vec<(&str, Array)>) -> Outcome<Spikes> {
        let mut arrays = arrays.into_iter().map(|(name, array)| (name.to_owned(), array)).collect();
        Spikes::take(&mut arrays, Side::Pre)
    }

    fn listed(step: &[i64], index: &[i64]) -> Spikes {
        let list = |values: &[i64]| Array::I64(ndarray::Array1::from(values.to_vec()).into_dyn());
        take(vec![("pre.spike.step", list(step)), ("pre.spike.index", list(index))]).unwrap()
    }

    #[test]
    fn zeros_and_ones_of_any_type() {
        for array in [
            Array::Bool(array![[true, false]].into_dyn()),
            Array::I64(array![[1, 0]].into_dyn()),
            Array::F32(array![[1.0, 0.0]].into_dyn()),
            Array::F64(array![[1.0, -0.0]].into_dyn()),
        ] {
            let spikes = take(vec![("pre.spike", array)]).unwrap();
            let Spikes::Dense(array) = spikes else { panic!("{spikes:?}") };
            assert_eq!(array, array![[true, false]].into_dyn());
        }
        let text = format!(
            "{:?}",
            take(vec![("pre.spike", Array::I64(array![[0, 1], [2, 0]].into_dyn()))]).unwrap_err()
        );
        assert!(text.contains("is 2 at [1, 0]"), "{text}");
        assert!(take(vec![("pre.spike", Array::F32(array![[f32::NAN]].into_dyn()))]).is_err());
        for name in ["pre.spike.step", "pre.spike.batch", "pre.spike.index"] {
            assert!(take(vec![(name, Array::I64(array![1].into_dyn()))]).is_err());
        }
    }

    #[test]
    fn pieces_of_lists() {
        let spikes = listed(&[0, 0, 4, 5, 9], &[1, 2, 0, 0, 3]);
        spikes.check(Side::Pre, 4, 1).unwrap();
        assert_eq!(spikes.least_steps(), Some(10));
        let Piece::Listed(step, None, index) = spikes.piece(4, 9) else { panic!("not a list") };
        assert_eq!((step, index), (vec![0, 1], vec![0, 0]));
        assert_eq!(spikes.piece(0, 10).count(), 5);
    }

    #[test]
    fn trains_of_a_batch_are_those_of_all_its_neurons() {
        let trains = Poisson::new(3, Side::Pre, 6, 0.5);
        let drawn = Spikes::Drawn { trains: trains.clone(), count: 2, batch: 3 };
        let Piece::Listed(step, Some(element), index) = drawn.piece(4, 5) else { panic!("no batch") };
        let mut places = Vec::new();
        trains.step(4, &mut places);
        assert!(!places.is_empty() && step.iter().all(|&step| step == 0));
        let found: Vec<u32> =
            element.iter().zip(&index).map(|(element, index)| element * 2 + index).collect();
        assert_eq!(found, places);
    }

    #[test]
    fn elements_of_a_batch_are_checked() {
        let listed =
            |element: Option<Vec<u32>>| Spikes::Listed { step: vec![0, 0], element, index: vec![1, 0] };
        listed(Some(vec![0, 1])).check(Side::Pre, 2, 2).unwrap();
        let text = |spikes: Spikes, batch| format!("{:?}", spikes.check(Side::Pre, 2, batch).unwrap_err());
        assert!(text(listed(Some(vec![0, 2])), 2).contains("batch element 2"));
        assert!(text(listed(Some(vec![1, 0])), 2).contains("sorted by step, batch element and neuron"));
        assert!(text(listed(None), 2).contains("`pre.spike.batch` is not in the input"));
    }

    #[test]
    fn wrong_lists_are_refused_with_their_place() {
        let text = |spikes: Spikes| format!("{:?}", spikes.check(Side::Pre, 4, 1).unwrap_err());
        assert!(text(listed(&[0, 3, 2], &[0, 0, 0])).contains("position 2"));
        assert!(text(listed(&[0, 0], &[1, 1])).contains("there twice"));
        assert!(text(listed(&[0], &[4])).contains("out of range"));
        assert!(text(listed(&[0], &[1 << 40])).contains("out of range"));
        let negative = Array::I64(array![-1].into_dyn());
        assert!(whole("x", negative).is_err());
        assert!(whole("x", Array::F64(array![0.5].into_dyn())).is_err());
    }
}
