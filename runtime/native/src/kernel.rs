//! What the text of a kernel calls: slices of rows, and the one order in which sums are taken.
//!
//! Orders are part of the language: blocks of 256 consecutive indices, each with one accumulator, combined pairwise; and
//! 32 lanes, halved.

use super::strip::{self, Draws};
use super::tile::{self, Tile};
use aplysia_math::MathFn;

/// Real numbers as kernels use them. With the standard library the methods of the same names are used.
pub trait Real: Copy {
    /// Zero.
    const ZERO: Self;
    /// `self · factor + term`, rounded once.
    #[must_use]
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The square root, correctly rounded.
    #[must_use]
    fn sqrt(self) -> Self;
    /// Toward -inf.
    #[must_use]
    fn floor(self) -> Self;
    /// To nearest, halves to even.
    #[must_use]
    fn round_ties_even(self) -> Self;
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// Makes a tile of a product.
    fn make(tile: Tile<'_, Self>);
    /// Fills a strip with standard normal numbers.
    fn normals(into: &mut [Self], draws: Draws);
    /// Puts the values of a function in the place of its arguments.
    fn function(function: MathFn, values: &mut [Self]);
}

macro_rules! real {
    ($($ty:ident)*) => {
        $(
            impl Real for $ty {
                const ZERO: Self = 0.0;
                #[inline(always)]
                fn mul_add(self, factor: Self, term: Self) -> Self {
                    aplysia_math::Real::fma(self, factor, term)
                }
                #[inline(always)]
                fn sqrt(self) -> Self {
                    aplysia_math::Real::sqrt(self)
                }
                #[inline(always)]
                fn floor(self) -> Self {
                    aplysia_math::Real::floor(self)
                }
                #[inline(always)]
                fn round_ties_even(self) -> Self {
                    aplysia_math::Real::nearest(self)
                }
                #[inline(always)]
                fn plus(self, other: Self) -> Self {
                    self + other
                }
                fn make(tile: Tile<'_, Self>) {
                    tile::make(tile);
                }
                fn normals(into: &mut [Self], draws: Draws) {
                    strip::fill_normals(into, draws);
                }
                fn function(function: MathFn, values: &mut [Self]) {
                    strip::apply(function, values);
                }
            }
        )*
    };
}
real! { f32 f64 }

/// How many indices `start .. end` has.
#[inline(always)]
pub fn count(start: i64, end: i64) -> usize {
    if start < end { end.wrapping_sub(start) as usize } else { 0 }
}

/// Where a slice begins: one of nothing begins at 0. Its length is then `length` in any case, which tells the compiler that
/// indices below it are inside.
#[inline(always)]
fn first(start: i64, length: usize) -> usize {
    if length == 0 { 0 } else { start as usize }
}

/// `length` elements from `start` on. Of nothing, `start` may lie anywhere.
///
/// # Panics
/// If the array is shorter.
#[inline(always)]
pub fn row<T>(array: &[T], start: i64, length: usize) -> &[T] {
    &array[first(start, length)..][..length]
}

/// As [`row`], to be written.
///
/// # Panics
/// If the array is shorter.
#[inline(always)]
pub fn row_mut<T>(array: &mut [T], start: i64, length: usize) -> &mut [T] {
    &mut array[first(start, length)..][..length]
}

/// Conditions as bytes, of which 0 is no.
#[inline(always)]
pub fn bytes(row: &[bool]) -> &[u8] {
    pulp::bytemuck::cast_slice(row)
}

/// The elements from `start` on; none, where there are no more.
#[inline(always)]
pub fn rest<T>(array: &[T], start: i64) -> &[T] {
    array.get(start as usize..).unwrap_or(&[])
}

/// As [`rest`], to be written.
#[inline(always)]
pub fn rest_mut<T>(array: &mut [T], start: i64) -> &mut [T] {
    array.get_mut(start as usize..).unwrap_or(&mut [])
}

/// A line of an array whose innermost axis is so long.
///
/// # Panics
/// If the array is shorter.
#[inline(always)]
pub fn line<T, const LENGTH: usize>(array: &[T], start: i64) -> &[T; LENGTH] {
    array[start as usize..].first_chunk().expect("a line of so many elements")
}

/// As [`line`], to be written.
///
/// # Panics
/// If the array is shorter.
#[inline(always)]
pub fn line_mut<T, const LENGTH: usize>(array: &mut [T], start: i64) -> &mut [T; LENGTH] {
    array[start as usize..].first_chunk_mut().expect("a line of so many elements")
}

/// Four elements from `start` on, of a slice.
///
/// # Panics
/// If it is shorter.
#[inline(always)]
pub fn four<T>(row: &[T], start: usize) -> &[T; 4] {
    line(row, start as i64)
}

/// As [`four`], to be written.
///
/// # Panics
/// If it is shorter.
#[inline(always)]
pub fn four_mut<T>(row: &mut [T], start: usize) -> &mut [T; 4] {
    line_mut(row, start as i64)
}

/// 32 lanes in halves: lane l takes lane l + 16 for l < 16, then l + 8, 4, 2, 1.
#[inline(always)]
pub fn halve<T: Copy>(mut lanes: [T; 32], combine: impl Fn(T, T) -> T) -> T {
    for half in [16, 8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = combine(lanes[lane], lanes[lane + half]);
        }
    }
    lanes[0]
}

/// Combines neighbours, level by level, as values come in; an odd one at the end of a level goes up as it is.
#[derive(Clone, Debug)]
pub struct Pairs<T> {
    /// What waits for a neighbour: at place l the combination of 2^l values, where bit l of `count` is set.
    waiting: [Option<T>; 64],
    count: u64,
}

impl<T: Copy> Pairs<T> {
    /// Of nothing yet.
    #[inline(always)]
    #[expect(clippy::new_without_default, reason = "the text of a kernel says what a sum begins with")]
    pub fn new() -> Self {
        Self { waiting: [None; 64], count: 0 }
    }

    /// One more value.
    #[inline(always)]
    pub fn push(&mut self, value: T, combine: impl Fn(T, T) -> T) {
        let mut value = value;
        for waiting in self.waiting.iter_mut().take(self.count.trailing_ones() as usize) {
            if let Some(left) = waiting.take() {
                value = combine(left, value);
            }
        }
        self.waiting[self.count.trailing_ones() as usize % 64] = Some(value);
        self.count += 1;
    }

    /// All of them as one; `none` where there is none.
    #[inline(always)]
    pub fn finish(self, none: T, combine: impl Fn(T, T) -> T) -> T {
        let mut right = None;
        for left in self.waiting.into_iter().take(64 - self.count.leading_zeros() as usize).flatten() {
            right = Some(match right {
                Some(right) => combine(left, right),
                None => left,
            });
        }
        right.unwrap_or(none)
    }
}

/// So many terms, neighbours combined level by level; `none` where there is none.
#[inline(always)]
pub fn pairwise<T: Copy>(count: i64, none: T, combine: impl Fn(T, T) -> T, term: impl Fn(i64) -> T) -> T {
    // Most sums have few terms: one for each block of rows.
    match count {
        ..=0 => none,
        1 => term(0),
        2 => combine(term(0), term(1)),
        3 => combine(combine(term(0), term(1)), term(2)),
        4 => combine(combine(term(0), term(1)), combine(term(2), term(3))),
        _ => {
            let mut pairs = Pairs::new();
            for index in 0..count {
                pairs.push(term(index), &combine);
            }
            pairs.finish(none, combine)
        }
    }
}

/// The blocks of a row of which only some terms are stored.
#[derive(Clone, Debug)]
pub struct StoredBlocks<T> {
    /// The accumulator of the block that is open.
    pub block: T,
    none: T,
    pairs: Pairs<T>,
    filled: i64,
}

impl<T: Copy> StoredBlocks<T> {
    /// An empty row; an accumulator starts from `none`.
    #[inline(always)]
    pub fn new(none: T) -> Self {
        Self { block: none, none, pairs: Pairs::new(), filled: 0 }
    }

    /// Opens the block of a place, which is above all places before.
    #[inline(always)]
    pub fn go_to(&mut self, place: i64, combine: impl Fn(T, T) -> T) {
        while self.filled < place / 256 {
            self.close(&combine);
        }
    }

    #[inline(always)]
    fn close(&mut self, combine: &impl Fn(T, T) -> T) {
        self.pairs.push(self.block, combine);
        self.block = self.none;
        self.filled += 1;
    }

    /// The result of a row of so many places.
    #[inline(always)]
    pub fn finish(mut self, extent: i64, combine: impl Fn(T, T) -> T) -> T {
        while self.filled < extent.max(0).wrapping_add(255) / 256 {
            self.close(&combine);
        }
        self.pairs.finish(self.none, combine)
    }
}

/// A tile of `Σ_k left[k, m] · right[k, n]`: one accumulator for each element, `k` ascending, one fused operation a term, in
/// blocks of 256 combined pairwise. `strides` are those of the factors between consecutive `k`, `origin` and `size` are
/// the tile's first row and column and how many there are, `placed` the stride of `into` between rows and the first
/// element.
///
/// # Panics
/// If an array is shorter than that.
#[expect(clippy::too_many_arguments, reason = "they are the fields of a tile product")]
#[inline]
pub fn tile<T: Real>(
    left: &[T],
    right: &[T],
    into: &mut [T],
    strides: [i64; 2],
    origin: [i64; 2],
    size: [i64; 2],
    depth: i64,
    placed: [i64; 2],
) {
    let size = size.map(|length| count(0, length));
    if size.contains(&0) {
        return;
    }
    T::make(Tile {
        left,
        right,
        into,
        strides: strides.map(|stride| stride as usize),
        origin: origin.map(|first| first as usize),
        size,
        depth: count(0, depth),
        stride: placed[0] as usize,
        start: placed[1] as usize,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate alloc;
    use alloc::string::{String, ToString};
    use alloc::{format, vec::Vec};

    fn shape(values: usize) -> String {
        // Texts are no `Copy`: numbers of a table stand for them.
        let table = core::cell::RefCell::new(Vec::new());
        let put = |text: String| {
            table.borrow_mut().push(text);
            table.borrow().len() - 1
        };
        let combine = |a: usize, b: usize| {
            let text = format!("({}{})", table.borrow()[a], table.borrow()[b]);
            put(text)
        };
        let mut pairs = Pairs::new();
        for value in 0..values {
            let leaf = put("abcdefgh"[value..=value].to_string());
            pairs.push(leaf, combine);
        }
        let none = put("-".to_string());
        let result = pairs.finish(none, combine);
        let leaf = |value: i64| put("abcdefgh"[value as usize..=value as usize].to_string());
        let other = pairwise(values as i64, none, combine, leaf);
        assert_eq!(table.borrow()[other], table.borrow()[result]);
        table.borrow()[result].clone()
    }

    #[test]
    fn pairs_are_neighbours_and_the_odd_one_goes_up() {
        assert_eq!(shape(0), "-");
        assert_eq!(shape(1), "a");
        assert_eq!(shape(2), "(ab)");
        assert_eq!(shape(3), "((ab)c)");
        assert_eq!(shape(4), "((ab)(cd))");
        assert_eq!(shape(5), "(((ab)(cd))e)");
        assert_eq!(shape(7), "(((ab)(cd))((ef)g))");
    }

    #[test]
    fn blocks_without_a_term_take_part() {
        let mut row = StoredBlocks::new(-0.0f32);
        row.go_to(300, |a, b| a + b);
        row.block += 1.0;
        assert_eq!(row.finish(600, |a, b| a + b), 1.0);
        assert_eq!(StoredBlocks::new(2i64).finish(513, |a, b| a.wrapping_add(b)), 6);
    }

    #[test]
    fn a_line_is_as_long_as_asked_for() {
        assert_eq!(line::<i32, 2>(&[1, 2, 3], 1), &[2, 3]);
        line_mut::<i32, 2>(&mut [1, 2, 3], 0)[1] = 4;
    }

    #[test]
    #[should_panic(expected = "a line of so many elements")]
    fn an_array_is_not_shorter_than_its_line() {
        line::<i32, 3>(&[1, 2, 3], 1);
    }

    #[test]
    fn nothing_lies_anywhere() {
        assert!(row(&[1, 2], 7, 0).is_empty());
        assert_eq!(row(&[1, 2, 3], 1, 2), [2, 3]);
        assert!(rest(&[1, 2], 3).is_empty() && rest(&[1, 2], -1).is_empty());
        assert_eq!(rest_mut(&mut [1, 2, 3], 1), [2, 3]);
        assert_eq!(four(&[1, 2, 3, 4, 5], 1), &[2, 3, 4, 5]);
        assert_eq!(count(5, 3), 0);
        assert_eq!(count(-1, 3), 4);
    }
}
