//! The host's numbers: arrays of any shape going in, in the declared unit, and being checked at the door.
//!
//! A number in the declared unit times the unit's scale is one in base units; the product is computed in f64 and rounded
//! once. Where the scale is 1 and the types agree, bits are copied.

use aplysia_compiler::ice;
use aplysia_compiler::kernel::Type;
use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Dimension, IxDyn};

use crate::device::memory::{Element, Memory};
use crate::error::{Error, Result};

/// A number, or an array of numbers, given by the host.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// One for all elements.
    Number(f64),
    /// An array.
    F32(ArrayD<f32>),
    /// An array.
    F64(ArrayD<f64>),
    /// An array.
    I64(ArrayD<i64>),
}

/// A type that values can have on the host's side: `f32`, `f64` and `i64`.
#[expect(private_bounds, reason = "the trait is sealed: the crate knows all its types")]
pub trait Number: Copy + Send + Sync + 'static + Convert {}

impl Number for f32 {}
impl Number for f64 {}
impl Number for i64 {}

/// Conversions between the host's types and those of arrays.
pub(crate) trait Convert: Element + PartialEq {
    const NAME: &'static str;
    fn wide(self) -> f64;
    fn narrow(value: f64) -> Self;
    fn whole(self) -> Option<i64>;
    /// Whether every value of an array of `ty` is one of this type.
    fn holds(ty: Type) -> bool;
    fn of_whole(value: i64) -> Self;
}

impl Convert for f32 {
    const NAME: &'static str = "f32";
    fn wide(self) -> f64 {
        self.into()
    }
    fn narrow(value: f64) -> Self {
        value as f32
    }
    fn whole(self) -> Option<i64> {
        f64::from(self).whole()
    }
    fn holds(ty: Type) -> bool {
        matches!(ty, Type::F32 | Type::Bool)
    }
    fn of_whole(value: i64) -> Self {
        value as f32
    }
}

impl Convert for f64 {
    const NAME: &'static str = "f64";
    fn wide(self) -> f64 {
        self
    }
    fn narrow(value: f64) -> Self {
        value
    }
    fn whole(self) -> Option<i64> {
        // Every whole f64 below 2^63 in size is an i64.
        (self.trunc() == self && self.abs() < 9.2e18).then_some(self as i64)
    }
    fn holds(ty: Type) -> bool {
        matches!(ty, Type::F32 | Type::F64 | Type::I64 | Type::Bool)
    }
    fn of_whole(value: i64) -> Self {
        value as f64
    }
}

impl Convert for i64 {
    const NAME: &'static str = "i64";
    fn wide(self) -> f64 {
        self as f64
    }
    fn narrow(value: f64) -> Self {
        value as i64
    }
    fn whole(self) -> Option<i64> {
        Some(self)
    }
    fn holds(ty: Type) -> bool {
        matches!(ty, Type::I64 | Type::Bool)
    }
    fn of_whole(value: i64) -> Self {
        value
    }
}

macro_rules! from_numbers {
    ($($number:ty)*) => {
        $(impl From<$number> for Values {
            fn from(value: $number) -> Self {
                Values::Number(value.into())
            }
        })*
    };
}
from_numbers! { f64 f32 i32 u32 }

macro_rules! from_arrays {
    ($($number:ty => $variant:ident),*) => {
        $(
            impl<D: Dimension> From<Array<$number, D>> for Values {
                fn from(array: Array<$number, D>) -> Self {
                    Values::$variant(array.into_dyn())
                }
            }
            impl<D: Dimension> From<ArrayView<'_, $number, D>> for Values {
                fn from(array: ArrayView<'_, $number, D>) -> Self {
                    Values::$variant(array.to_owned().into_dyn())
                }
            }
            impl<D: Dimension> From<&Array<$number, D>> for Values {
                fn from(array: &Array<$number, D>) -> Self {
                    Values::$variant(array.to_owned().into_dyn())
                }
            }
            impl From<Vec<$number>> for Values {
                fn from(list: Vec<$number>) -> Self {
                    Values::$variant(Array::from(list).into_dyn())
                }
            }
            impl From<&[$number]> for Values {
                fn from(list: &[$number]) -> Self {
                    list.to_vec().into()
                }
            }
        )*
    };
}
from_arrays! { f32 => F32, f64 => F64, i64 => I64 }

/// Where values go: the name for messages, the shape and the unit.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: &'a [usize],
    pub(crate) scale: f64,
    /// Base units.
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) refuse_nan: bool,
}

impl Place<'_> {
    /// Refuses a shape other than the place's own.
    pub(crate) fn check_shape(&self, found: &[usize]) -> Result<()> {
        if found == self.shape {
            return Ok(());
        }
        let (name, expected) = (self.name.to_owned(), self.shape.to_vec());
        Err(Error::WrongShape { name, expected, found: found.to_vec() })
    }

    /// Refuses NaN and values outside the range.
    fn check<T: Convert>(&self, values: impl Iterator<Item = T>) -> Result<()> {
        if !self.refuse_nan && self.range.is_none() {
            return Ok(());
        }
        for (position, value) in values.enumerate() {
            let value = value.wide();
            if self.refuse_nan && value.is_nan() {
                return Err(Error::NotANumber { name: self.name.to_owned(), position });
            }
            if let Some((lo, hi)) = self.range {
                let base = value * self.scale;
                if base < lo || base > hi {
                    let (lo, hi) = (lo / self.scale, hi / self.scale);
                    return Err(Error::OutOfRange { name: self.name.to_owned(), position, value, lo, hi });
                }
            }
        }
        Ok(())
    }

    /// Checks and stores what the host gives. On an error nothing has been stored.
    pub(crate) fn store(&self, values: &Values, memory: &mut Memory) -> Result<()> {
        match values {
            Values::Number(value) => self.store_all(std::iter::repeat_n(*value, memory.len()), memory),
            Values::F32(array) => self.store_array(array, memory),
            Values::F64(array) => self.store_array(array, memory),
            Values::I64(array) => self.store_array(array, memory),
        }
    }

    fn store_array<T: Convert>(&self, array: &ArrayD<T>, memory: &mut Memory) -> Result<()> {
        self.check_shape(array.shape())?;
        match array.as_slice() {
            Some(slice) => self.store_slice(slice, memory),
            None => self.store_all(array.iter().copied(), memory),
        }
    }

    /// Checks and stores an array in row-major order; allocates nothing.
    pub(crate) fn store_slice<T: Convert>(&self, values: &[T], memory: &mut Memory) -> Result<()> {
        if values.len() != memory.len() {
            return self.check_shape(&[values.len()]);
        }
        if self.scale == 1.0
            && let Some(target) = memory.slice_mut::<T>()
        {
            self.check(values.iter().copied())?;
            target.copy_from_slice(values);
            return Ok(());
        }
        self.store_all(values.iter().copied(), memory)
    }

    /// Checks and stores so many values as there are elements; allocates nothing.
    pub(crate) fn store_all<T: Convert>(
        &self,
        values: impl Iterator<Item = T> + Clone,
        memory: &mut Memory,
    ) -> Result<()> {
        self.check(values.clone())?;
        let scale = self.scale;
        match memory.ty() {
            Type::F32 => fill(memory, values.map(|value| (value.wide() * scale) as f32)),
            Type::F64 => fill(memory, values.map(|value| value.wide() * scale)),
            Type::Bool => fill(memory, values.map(|value| u8::from(value.wide() != 0.0))),
            Type::I64 => {
                if values.clone().any(|value| value.whole().is_none()) {
                    let name = self.name.to_owned();
                    return Err(Error::WrongType { name, holds: "whole", asked: T::NAME });
                }
                fill(memory, values.filter_map(Convert::whole));
            }
            Type::I32 => ice!("`{}` is an event list, not a variable", self.name),
        }
        Ok(())
    }
}

fn fill<T: Element>(memory: &mut Memory, values: impl Iterator<Item = T>) {
    let Some(target) = memory.slice_mut::<T>() else { ice!("an array of another type") };
    for (slot, value) in target.iter_mut().zip(values) {
        *slot = value;
    }
}

/// The values of an array in the declared unit: a view where that is what lies in memory, a converted copy otherwise.
pub(crate) fn read<'a, T: Number>(
    place: &Place<'_>,
    memory: &'a Memory,
) -> Result<ndarray::CowArray<'a, T, IxDyn>> {
    if !T::holds(memory.ty()) {
        let (name, asked) = (place.name.to_owned(), T::NAME);
        return Err(Error::WrongType { name, holds: word(memory.ty()), asked });
    }
    if place.scale == 1.0
        && let Some(slice) = memory.slice::<T>()
    {
        return Ok(shaped(place, ArrayViewD::from_shape(place.shape, slice)).into());
    }
    let mut list = Vec::with_capacity(memory.len());
    append(place.scale, memory, &mut list);
    Ok(shaped(place, Array::from_shape_vec(place.shape, list)).into())
}

fn shaped<A>(place: &Place<'_>, array: Result<A, ndarray::ShapeError>) -> A {
    match array {
        Ok(array) => array,
        Err(error) => ice!("the array of `{}` does not have its shape: {error}", place.name),
    }
}

/// Appends the values of an array in the declared unit; allocates nothing where the list has room.
pub(crate) fn append<T: Convert>(scale: f64, memory: &Memory, list: &mut Vec<T>) {
    if scale == 1.0
        && let Some(slice) = memory.slice::<T>()
    {
        return list.extend_from_slice(slice);
    }
    if let Some(slice) = memory.slice::<f32>() {
        list.extend(slice.iter().map(|&value| T::narrow(f64::from(value) / scale)));
    } else if let Some(slice) = memory.slice::<f64>() {
        list.extend(slice.iter().map(|&value| T::narrow(value / scale)));
    } else if let Some(slice) = memory.slice::<i64>() {
        list.extend(slice.iter().map(|&value| T::of_whole(value)));
    } else if let Some(slice) = memory.slice::<u8>() {
        list.extend(slice.iter().map(|&value| T::of_whole(value.into())));
    }
}

fn word(ty: Type) -> &'static str {
    match ty {
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::I32 | Type::I64 => "whole",
        Type::Bool => "true-or-false",
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::*;

    fn place(shape: &[usize], scale: f64) -> Place<'_> {
        Place { name: "v", shape, scale, range: None, refuse_nan: true }
    }

    #[test]
    fn units_are_applied_both_ways() {
        let mut memory = Memory::zeroed(Type::F32, 2, 0, "v").unwrap();
        let place = place(&[2], 0.001);
        place.store(&arr1(&[5.0, 10.0]).into(), &mut memory).unwrap();
        assert_eq!(memory.slice::<f32>().unwrap(), &[0.005, 0.01]);
        let values = read::<f32>(&place, &memory).unwrap();
        assert!(values.is_owned());
        assert_eq!(values.as_slice().unwrap(), &[5.0, 10.0]);
    }

    #[test]
    fn reading_without_a_unit_copies_nothing() {
        let mut memory = Memory::zeroed(Type::F32, 6, 0, "w").unwrap();
        let place = place(&[2, 3], 1.0);
        place.store(&arr2(&[[1f32, 2., 3.], [4., 5., 6.]]).t().to_owned().into(), &mut memory).unwrap_err();
        // Column-major arrays are taken by their logical order.
        let turned = arr2(&[[1f32, 4.], [2., 5.], [3., 6.]]).reversed_axes();
        place.store(&turned.into(), &mut memory).unwrap();
        assert_eq!(memory.slice::<f32>().unwrap(), &[1., 2., 3., 4., 5., 6.]);
        assert!(read::<f32>(&place, &memory).unwrap().is_view());
        assert_eq!(read::<f64>(&place, &memory).unwrap()[[1, 2]], 6.0);
        assert!(matches!(read::<i64>(&place, &memory), Err(Error::WrongType { .. })));
    }

    #[test]
    fn bad_values_are_refused_and_nothing_is_stored() {
        let mut memory = Memory::zeroed(Type::F64, 3, 0, "p").unwrap();
        let shape = [3];
        let place = Place { range: Some((0.0, 1.0)), ..place(&shape, 1.0) };
        let error = place.store(&vec![0.5, f64::NAN, 0.0].into(), &mut memory).unwrap_err();
        assert!(matches!(error, Error::NotANumber { position: 1, .. }), "{error}");
        let error = place.store(&vec![0.5, 0.5, 1.5].into(), &mut memory).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { position: 2, .. }), "{error}");
        let error = place.store(&vec![0.5, 0.5].into(), &mut memory).unwrap_err();
        assert!(matches!(error, Error::WrongShape { .. }), "{error}");
        assert_eq!(memory.slice::<f64>().unwrap(), &[0.0; 3]);
    }

    #[test]
    fn integer_states_take_whole_numbers() {
        let mut memory = Memory::zeroed(Type::I64, 2, 0, "n").unwrap();
        let place = place(&[2], 1.0);
        place.store(&vec![3i64, -1].into(), &mut memory).unwrap();
        assert_eq!(read::<i64>(&place, &memory).unwrap().as_slice().unwrap(), &[3, -1]);
        assert!(matches!(place.store(&0.5.into(), &mut memory), Err(Error::WrongType { .. })));
    }
}
