//! Strips of random words, normal numbers and function values, as wide as the processor's vectors.
//!
//! They are the formulas of `aplysia_math`, element by element: the vector width changes no bit. The loops are compiled here,
//! once, and not in every kernel that calls them.

use aplysia_math::strip::{self, StripReal, Word};
use aplysia_math::{MathFn, Stream};

use super::dispatch::{Launch, dispatch};
use super::kernel::{Real, count, row_mut};

/// The place of a strip's first draw: numbers as kernels have them.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    /// The number of the site.
    pub site: i32,
    /// Which try.
    pub attempt: i32,
    /// How often the block has run in this step.
    pub run: i32,
    /// The step; 0 at creation.
    pub step: i64,
    /// The group's seed.
    pub seed: i64,
    /// The logical row.
    pub row: i64,
    /// The logical column of the first.
    pub column: i64,
}

impl Draws {
    fn stream(&self) -> Stream {
        Stream {
            seed: self.seed as u64,
            step: self.step as u64,
            site: self.site as u32,
            run: self.run as u32,
            row: self.row as u64,
            column: self.column as u64,
        }
    }
}

/// Fills `length` elements from `start` on with random words.
///
/// # Panics
/// If the array is shorter.
#[inline]
pub fn words(into: &mut [i32], start: i64, length: i64, draws: Draws) {
    fill_words(row_mut(into, start, count(0, length)), draws);
}

/// Fills `length` elements from `start` on with standard normal numbers.
///
/// # Panics
/// If the array is shorter.
#[inline]
pub fn normals<T: Real>(into: &mut [T], start: i64, length: i64, draws: Draws) {
    T::normals(row_mut(into, start, count(0, length)), draws);
}

/// Puts the values of a function in the place of `length` arguments from `start` on.
///
/// # Panics
/// If the array is shorter, or if the function has two arguments.
#[inline]
pub fn function<T: Real>(function: MathFn, into: &mut [T], start: i64, length: i64) {
    T::function(function, row_mut(into, start, count(0, length)));
}

struct Words<'a, W> {
    into: &'a mut [W],
    draws: Draws,
}

impl<W: Word> Launch for Words<'_, W> {
    #[inline(always)]
    fn run(self) {
        strip::words(&self.draws.stream(), self.draws.attempt as u32, self.into);
    }
}

fn fill_words(into: &mut [i32], draws: Draws) {
    dispatch(Words { into, draws });
}

struct Normals<'a, T> {
    into: &'a mut [T],
    draws: Draws,
}

impl<T: StripReal> Launch for Normals<'_, T> {
    #[inline(always)]
    fn run(self) {
        strip::normals(&self.draws.stream(), self.draws.attempt as u32, self.into);
    }
}

pub(crate) fn fill_normals<T: StripReal>(into: &mut [T], draws: Draws) {
    dispatch(Normals { into, draws });
}

/// The function is that of the number, so that each has loops of its own.
struct Function<'a, T, const NUMBER: usize>(&'a mut [T]);

impl<T: StripReal, const NUMBER: usize> Launch for Function<'_, T, NUMBER> {
    #[inline(always)]
    fn run(self) {
        T::function(const { MathFn::UNARY[NUMBER] }, self.0);
    }
}

pub(crate) fn apply<T: StripReal>(function: MathFn, values: &mut [T]) {
    match function {
        MathFn::Exp => dispatch(Function::<T, 0>(values)),
        MathFn::Ln => dispatch(Function::<T, 1>(values)),
        MathFn::Log2 => dispatch(Function::<T, 2>(values)),
        MathFn::Log1p => dispatch(Function::<T, 3>(values)),
        MathFn::Expm1 => dispatch(Function::<T, 4>(values)),
        MathFn::Sin => dispatch(Function::<T, 5>(values)),
        MathFn::Cos => dispatch(Function::<T, 6>(values)),
        MathFn::Tanh => dispatch(Function::<T, 7>(values)),
        MathFn::Sigmoid => dispatch(Function::<T, 8>(values)),
        MathFn::Pow => aplysia_math::ice!("a strip has one argument"),
    }
}
