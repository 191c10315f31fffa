//! How the host gives numbers and sees them.

use alloc::vec;
use alloc::vec::Vec;

use super::error::Error;
use super::memory::{Cell, Memory};
use aplysia_topology::{Table, Tables};

/// How a group runs, whatever its rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The length of a step in ms.
    pub dt: f64,
    /// The seed of its random numbers.
    pub seed: u64,
}

impl Default for Options {
    /// Steps of 1 ms, seed 0.
    fn default() -> Self {
        Self { dt: 1.0, seed: 0 }
    }
}

/// Real numbers in memory: f32 and f64.
pub trait Value: Cell + PartialEq {
    /// Rounded once.
    fn narrow(value: f64) -> Self;
    /// Exact.
    fn wide(self) -> f64;
}

impl Value for f32 {
    #[inline]
    fn narrow(value: f64) -> Self {
        value as f32
    }
    #[inline]
    fn wide(self) -> f64 {
        self.into()
    }
}

impl Value for f64 {
    #[inline]
    fn narrow(value: f64) -> Self {
        value
    }
    #[inline]
    fn wide(self) -> f64 {
        self
    }
}

/// Numbers for the places of a variable: one for all, or one for each in row-major order.
pub trait Values<R> {
    /// The number of a place, and how many there are; `None` where one holds for all.
    fn length(&self) -> Option<usize>;
    /// The number of a place.
    fn value(&self, place: usize) -> R;
}

macro_rules! values {
    ($($ty:ident)*) => {
        $(
            impl Values<$ty> for $ty {
                #[inline]
                fn length(&self) -> Option<usize> {
                    None
                }
                #[inline]
                fn value(&self, _: usize) -> $ty {
                    *self
                }
            }
        )*
    };
}
values! { f32 f64 i64 bool }

macro_rules! lists {
    ($([$($generic:tt)*] $list:ty),*) => {
        $(
            impl<R: Copy, $($generic)*> Values<R> for $list {
                #[inline]
                fn length(&self) -> Option<usize> {
                    Some(self.len())
                }
                #[inline]
                fn value(&self, place: usize) -> R {
                    self[place]
                }
            }
        )*
    };
}
lists! { [] &[R], [] &Vec<R>, [const N: usize] &[R; N], [] Vec<R>, [const N: usize] [R; N] }

/// Initial values that wait for their group.
#[derive(Clone, Debug, PartialEq)]
pub struct Given<R> {
    values: Vec<R>,
    /// One number for all places.
    single: bool,
}

impl<R: Copy> Given<R> {
    /// A copy of the values.
    pub fn new(values: &impl Values<R>) -> Self {
        match values.length() {
            None => Self { values: vec![values.value(0)], single: true },
            Some(length) => {
                Self { values: (0..length).map(|place| values.value(place)).collect(), single: false }
            }
        }
    }
}

impl<R: Value> Given<R> {
    /// The same values in f64.
    #[must_use]
    pub fn in_f64(self) -> Given<f64> {
        Given { values: self.values.into_iter().map(Value::wide).collect(), single: self.single }
    }
}

impl<R: Copy> Values<R> for Given<R> {
    fn length(&self) -> Option<usize> {
        (!self.single).then_some(self.values.len())
    }

    fn value(&self, place: usize) -> R {
        self.values[if self.single { 0 } else { place }]
    }
}

/// How many blocks hold so many items.
#[inline]
pub fn blocks(items: i64, per_block: i64) -> core::ops::Range<i64> {
    let items = items.max(0);
    0..items / per_block + i64::from(items % per_block != 0)
}

/// An array of zeros, if there is memory for it: that of a number in its group.
///
/// # Errors
/// If there is none.
pub fn zeros<T: Cell>(number: usize, lengths: &[usize]) -> Result<Memory<T>, Error> {
    let length = lengths.iter().try_fold(1usize, |all, &length| all.checked_mul(length));
    Memory::zeros(number, length.ok_or(Error::TooLarge)?)
}

/// The numbers of a table of the topology, which has this length.
///
/// # Errors
/// If there is no memory for them.
pub fn table<T: Index>(
    number: usize,
    tables: &Tables<'_>,
    table: Table,
    lengths: &[usize],
) -> Result<Memory<T>, Error> {
    let mut array = zeros(number, lengths)?;
    array.iter_mut().zip(tables.get(table)).for_each(|(cell, number)| *cell = T::of(number));
    Ok(array)
}

/// Whole numbers of tables.
pub trait Index: Cell {
    /// A number that fits.
    fn of(number: i64) -> Self;
}

impl Index for i32 {
    fn of(number: i64) -> Self {
        number as i32
    }
}

impl Index for i64 {
    fn of(number: i64) -> Self {
        number
    }
}

/// A parameter in base units.
///
/// # Errors
/// If it is not in its range, which is in base units.
pub fn parameter(
    name: &'static str,
    value: f64,
    scale: f64,
    range: Option<(f64, f64)>,
) -> Result<f64, Error> {
    let base = value * scale;
    let (lo, hi) = range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    if value.is_nan() || base < lo || base > hi {
        return Err(Error::OutOfRange { name, value, lo: lo / scale, hi: hi / scale });
    }
    Ok(base)
}

/// Stores numbers in the declared unit of a variable, all or, on an error, none.
///
/// # Errors
/// If their number is not that of the places, or one is not a number or out of range.
pub fn store<R: Value>(
    name: &'static str,
    array: &mut [R],
    values: &impl Values<R>,
    scale: f64,
    range: Option<(f64, f64)>,
) -> Result<(), Error> {
    check(name, array.len(), values.length())?;
    for place in 0..array.len() {
        let value = values.value(place).wide();
        if value.is_nan() {
            return Err(Error::NotANumber { name, position: place });
        }
        parameter(name, value, scale, range)?;
    }
    for (place, cell) in array.iter_mut().enumerate() {
        let value = values.value(place);
        *cell = if scale == 1.0 { value } else { R::narrow(value.wide() * scale) };
    }
    Ok(())
}

/// Stores whole numbers or conditions.
///
/// # Errors
/// If their number is not that of the places.
pub fn store_exact<T: Copy>(
    name: &'static str,
    array: &mut [T],
    values: &impl Values<T>,
) -> Result<(), Error> {
    check(name, array.len(), values.length())?;
    for (place, cell) in array.iter_mut().enumerate() {
        *cell = values.value(place);
    }
    Ok(())
}

fn check(name: &'static str, expected: usize, length: Option<usize>) -> Result<(), Error> {
    match length {
        Some(found) if found != expected => Err(Error::WrongLength { name, expected, found }),
        Some(_) | None => Ok(()),
    }
}

/// Values in a declared unit that is no base unit.
#[derive(Clone, Copy, Debug)]
pub struct Scaled<'a, R> {
    values: &'a [R],
    scale: f64,
}

impl<'a, R: Value> Scaled<'a, R> {
    /// Values in base units, and how many of those a declared unit has.
    pub fn new(values: &'a [R], scale: f64) -> Self {
        Self { values, scale }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One of them, in row-major order.
    pub fn get(&self, place: usize) -> Option<R> {
        self.values.get(place).map(|value| R::narrow(value.wide() / self.scale))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = R> + 'a {
        let scale = self.scale;
        self.values.iter().map(move |value| R::narrow(value.wide() / scale))
    }

    /// All of them, as a list.
    pub fn to_vec(&self) -> Vec<R> {
        self.iter().collect()
    }
}

/// The values of a variable in memory, row by row, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Array<'a, R> {
    /// Real numbers.
    Real(&'a [R]),
    /// Whole numbers.
    Whole(&'a [i64]),
    /// Conditions.
    Condition(&'a [bool]),
}

/// A rule as text, for an engine that compiles it again, on whichever device.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The rule's name.
    pub name: &'static str,
    /// The text that declares it.
    pub source: &'static str,
    /// The finished rule, as the compiler's own form prints it.
    pub ir: &'static str,
    /// Its kernels for the first topology of its module, in f32, as CUDA C.
    pub cuda: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn numbers_are_stored_in_base_units_or_not_at_all() {
        let mut rates = [0.0f32; 2];
        assert_eq!(store("rate", &mut rates, &[5.0f32, 10.0], 0.001, None), Ok(()));
        assert_eq!(rates, [0.005, 0.01]);
        assert!(store("rate", &mut rates, &[1.0, f32::NAN], 1.0, None).is_err());
        assert!(store("rate", &mut rates, &vec![1.0f32; 3], 1.0, None).is_err());
        assert_eq!(rates, [0.005, 0.01]);
        assert_eq!(Scaled::new(&rates, 0.001).to_vec(), [5.0, 10.0]);
        assert_eq!(
            store("rate", &mut rates, &2.0f32, 1.0, Some((0.0, 1.0))),
            Err(Error::OutOfRange { name: "rate", value: 2.0, lo: 0.0, hi: 1.0 })
        );
    }

    #[test]
    fn blocks_hold_all_items() {
        assert_eq!(blocks(0, 32), 0..0);
        assert_eq!(blocks(33, 32), 0..2);
    }
}
