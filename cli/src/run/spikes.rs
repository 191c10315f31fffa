//! The spikes of one side of a run, from an array, from a list or drawn, and the piece of them that a few steps need.

use std::collections::BTreeMap;

use aplysia::{Error, Side};
use aplysia_compiler::diag::code;
use ndarray::{Array2, ArrayD, ArrayView2, Axis, s};

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
    /// `[steps, neurons]`
    Dense(Array2<bool>),
    /// Sorted by step, counted from 0, then by neuron.
    Listed {
        /// Of each spike.
        step: Vec<u64>,
        /// Of each spike.
        index: Vec<u32>,
    },
    /// Drawn where they are needed.
    Drawn(Poisson),
}

/// The spikes of a side in some steps.
pub enum Piece<'a> {
    /// None.
    None,
    /// `[steps, neurons]`
    Dense(ArrayView2<'a, bool>),
    /// Steps, counted from the piece's first, and neurons.
    Listed(Vec<u64>, Vec<u32>),
}

impl Spikes {
    /// Takes the spikes of a side out of the arrays of a file.
    ///
    /// # Errors
    /// Where they are no spikes.
    pub fn take(arrays: &mut BTreeMap<String, Array>, side: &str) -> Outcome<Self> {
        let name = format!("{side}.spike");
        let (step_name, index_name) = (format!("{name}.step"), format!("{name}.index"));
        let (dense, step, index) =
            (arrays.remove(&name), arrays.remove(&step_name), arrays.remove(&index_name));
        match (dense, step, index) {
            (None, None, None) => Ok(Spikes::None),
            (Some(dense), None, None) => Ok(Spikes::Dense(truth(&name, dense)?)),
            (None, Some(step), Some(index)) => {
                let (step, index) = (whole(&step_name, step)?, whole(&index_name, index)?);
                if step.len() != index.len() {
                    let text = format!(
                        "`{step_name}` has {} elements, but `{index_name}` has {}",
                        step.len(),
                        index.len()
                    );
                    return Err(Failure::data(code::WRONG_SHAPE, text));
                }
                let narrow = index.into_iter().map(|value| u32::try_from(value).unwrap_or(u32::MAX));
                Ok(Spikes::Listed { step, index: narrow.collect() })
            }
            (None, Some(_), None) => Err(lonely(&step_name, &index_name)),
            (None, None, Some(_)) => Err(lonely(&index_name, &step_name)),
            (Some(_), ..) => {
                let text = format!("the input gives `{name}` as an array and as a list");
                Err(Failure::data(code::WRONG_SHAPE, text).help("leave one of them out"))
            }
        }
    }

    /// Steps and neurons, where they are known.
    pub fn shape(&self) -> Option<(usize, usize)> {
        match self {
            Spikes::Dense(array) => Some(array.dim()),
            Spikes::None | Spikes::Listed { .. } | Spikes::Drawn(_) => None,
        }
    }

    /// How many steps a list needs at least.
    pub fn least_steps(&self) -> Option<usize> {
        match self {
            Spikes::Listed { step, .. } => {
                let last = step.iter().max().map_or(0, |&last| last.saturating_add(1));
                Some(usize::try_from(last).unwrap_or(usize::MAX))
            }
            Spikes::None | Spikes::Dense(_) | Spikes::Drawn(_) => None,
        }
    }

    /// Refuses a list that is out of order or names neurons that do not exist.
    ///
    /// # Errors
    /// With the first place that is wrong.
    pub fn check(&self, side: Side, count: usize) -> Outcome {
        let Spikes::Listed { step, index } = self else { return Ok(()) };
        for position in 0..step.len() {
            let (at, neuron) = (step[position], index[position]);
            if neuron as usize >= count {
                return Err(Error::EventIndex { side, position, index: neuron.into(), count }.into());
            }
            let Some(before) = position.checked_sub(1) else { continue };
            let (last, previous) = (step[before], index[before]);
            if at < last {
                return Err(Error::EventOrder { side, position, index: at, previous: last }.into());
            }
            if at == last && neuron <= previous {
                let (index, previous) = (neuron.into(), previous.into());
                return Err(Error::EventOrder { side, position, index, previous }.into());
            }
        }
        Ok(())
    }

    /// The spikes of the steps `from .. to`, counted from 0.
    pub fn piece(&self, from: u64, to: u64) -> Piece<'_> {
        match self {
            Spikes::None => Piece::None,
            Spikes::Dense(array) => Piece::Dense(array.slice(s![from as usize..to as usize, ..])),
            Spikes::Listed { step, index } => {
                let first = step.partition_point(|&at| at < from);
                let end = step.partition_point(|&at| at < to);
                let steps = step[first..end].iter().map(|at| at - from).collect();
                Piece::Listed(steps, index[first..end].to_vec())
            }
            Spikes::Drawn(poisson) => {
                let (mut steps, mut index) = (Vec::new(), Vec::new());
                for step in from..to {
                    poisson.step(step, &mut index);
                    steps.resize(index.len(), step - from);
                }
                Piece::Listed(steps, index)
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
            Piece::Listed(_, index) => index.len() as u64,
        }
    }
}

fn lonely(name: &str, other: &str) -> Failure {
    Failure::data(code::WRONG_SHAPE, format!("the input holds `{name}`, but no `{other}`"))
}

/// An array of 0 and 1 of any type.
fn truth(name: &str, array: Array) -> Outcome<Array2<bool>> {
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
    let found = match shape[..] {
        [_, 1, _] => found.index_axis_move(Axis(1), 0),
        [_, batch, _] => {
            let text = format!("`{name}` has a batch of {batch}; batches are not in this version");
            return Err(Failure::data(code::NOT_SUPPORTED_HERE, text));
        }
        _ => found,
    };
    found.into_dimensionality().map_err(|_| {
        let text = format!("`{name}` has shape {shape:?}, but [steps, neurons] is needed");
        Failure::data(code::WRONG_SHAPE, text)
    })
}

/// A list of whole numbers from 0.
fn whole(name: &str, array: Array) -> Outcome<Vec<u64>> {
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
        Spikes::take(&mut arrays, "pre")
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
            Array::F64(array![[[1.0, -0.0]]].into_dyn()),
        ] {
            let spikes = take(vec![("pre.spike", array)]).unwrap();
            let Spikes::Dense(array) = spikes else { panic!("{spikes:?}") };
            assert_eq!(array, array![[true, false]]);
        }
        let text = format!(
            "{:?}",
            take(vec![("pre.spike", Array::I64(array![[0, 1], [2, 0]].into_dyn()))]).unwrap_err()
        );
        assert!(text.contains("is 2 at [1, 0]"), "{text}");
        assert!(take(vec![("pre.spike", Array::F32(array![[f32::NAN]].into_dyn()))]).is_err());
        assert!(take(vec![("pre.spike", Array::I64(array![1, 0].into_dyn()))]).is_err());
        assert!(take(vec![("pre.spike", Array::I64(array![[[1], [0]]].into_dyn()))]).is_err());
        assert!(take(vec![("pre.spike.step", Array::I64(array![1].into_dyn()))]).is_err());
    }

    #[test]
    fn pieces_of_lists() {
        let spikes = listed(&[0, 0, 4, 5, 9], &[1, 2, 0, 0, 3]);
        spikes.check(Side::Pre, 4).unwrap();
        assert_eq!(spikes.least_steps(), Some(10));
        let Piece::Listed(step, index) = spikes.piece(4, 9) else { panic!("not a list") };
        assert_eq!((step, index), (vec![0, 1], vec![0, 0]));
        assert_eq!(spikes.piece(0, 10).count(), 5);
    }

    #[test]
    fn wrong_lists_are_refused_with_their_place() {
        let text = |spikes: Spikes| format!("{:?}", spikes.check(Side::Pre, 4).unwrap_err());
        assert!(text(listed(&[0, 3, 2], &[0, 0, 0])).contains("position 2"));
        assert!(text(listed(&[0, 0], &[1, 1])).contains("there twice"));
        assert!(text(listed(&[0], &[4])).contains("out of range"));
        assert!(text(listed(&[0], &[1 << 40])).contains("out of range"));
        let negative = Array::I64(array![-1].into_dyn());
        assert!(whole("x", negative).is_err());
        assert!(whole("x", Array::F64(array![0.5].into_dyn())).is_err());
    }
}
