//! Strips of random words, normal numbers and function values, in machine code that rustc makes.
//!
//! These are the formulas of the kernels, element by element, and so the same bits. Everything is inlined into the caller:
//! a caller that has been compiled for wide vectors gets loops in wide vectors.

use super::arith::Words;
use super::lane::{Double, Four, Halves, Single, low};
use super::{Real, Stream, apply, exp, philox};
use crate::MathFn;

mod normals;

/// So many blocks of four words are made together.
const TOGETHER: usize = 16;
/// Numbers that are made together.
const CHUNK: usize = 256;

/// 32 random bits in memory.
pub trait Word: Copy {
    /// The bits.
    fn of(word: u32) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn of(word: u32) -> Self {
        word
    }
}

impl Word for i32 {
    #[inline(always)]
    fn of(word: u32) -> Self {
        word as i32
    }
}

/// A real with the arithmetic of its vectors.
pub trait StripReal: Real + Default {
    /// The words of a strip as normal numbers.
    fn normals(words: &[u32], into: &mut [Self]);
    /// A function of each.
    fn function(function: MathFn, values: &mut [Self]);
}

macro_rules! strip_real {
    ($ty:ident, $lane:ident, $normals:path) => {
        impl StripReal for $ty {
            #[inline(always)]
            fn normals(words: &[u32], into: &mut [Self]) {
                $normals(words, into);
            }
            #[inline(always)]
            fn function(function: MathFn, values: &mut [Self]) {
                macro_rules! each {
                    ($name:ident) => {
                        each!($name, values)
                    };
                    ($name:ident, $values:ident) => {
                        for value in $values {
                            *value = apply(&$lane, MathFn::$name, &[*value]);
                        }
                    };
                }
                match function {
                    MathFn::Exp => {
                        for values in values.chunks_mut(CHUNK) {
                            let bound = exp::moderate(&$lane).to_bits();
                            let mut largest = 0;
                            for value in values.iter() {
                                largest = largest.max(value.abs().to_bits());
                            }
                            if largest <= bound {
                                for value in values {
                                    *value = exp::exp_moderate(&$lane, *value);
                                }
                            } else {
                                each!(Exp, values);
                            }
                        }
                    }
                    MathFn::Ln => each!(Ln),
                    MathFn::Log2 => each!(Log2),
                    MathFn::Log1p => each!(Log1p),
                    MathFn::Expm1 => each!(Expm1),
                    MathFn::Sin => each!(Sin),
                    MathFn::Cos => each!(Cos),
                    MathFn::Tanh => each!(Tanh),
                    MathFn::Sigmoid => each!(Sigmoid),
                    MathFn::Pow => crate::ice!("a strip has one argument"),
                }
            }
        }
    };
}
strip_real!(f32, Single, normals::single);
strip_real!(f64, Double, normals::double);

/// The words of the columns from `stream.column` on.
#[inline(always)]
pub fn words<W: Word>(stream: &Stream, attempt: u32, into: &mut [W]) {
    let place = |column: u64| Stream { column, ..*stream };
    let skipped = (stream.column % 4) as usize;
    let (head, rest) = into.split_at_mut(((4 - skipped) % 4).min(into.len()));
    for (k, word) in head.iter_mut().enumerate() {
        *word = W::of(super::random_word(&place(stream.column.wrapping_add(k as u64)), attempt));
    }
    let mut quarter = (stream.column.wrapping_add(head.len() as u64) >> 2) as u32;
    for chunk in rest.chunks_mut(4 * TOGETHER) {
        let pairs = blocks_of(stream, attempt, quarter);
        let bytes = pairs.as_flattened().as_flattened().as_flattened().as_chunks().0;
        for (word, &bytes) in chunk.iter_mut().zip(bytes) {
            *word = W::of(u32::from_le_bytes(bytes));
        }
        quarter = quarter.wrapping_add(TOGETHER as u32);
    }
}

/// The words of so many blocks, as the bytes of two words each.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "a block stands in four places")]
fn blocks_of(stream: &Stream, attempt: u32, quarter: u32) -> [[[[u8; 8]; 2]; TOGETHER / 4]; 4] {
    let mut pairs = [[[[0; 8]; 2]; TOGETHER / 4]; 4];
    for block in 0..TOGETHER / 4 {
        let quarters =
            [0, 1, 2, 3].map(|side| quarter.wrapping_add((side * TOGETHER / 4 + block) as u32).into());
        let [a, b, c, d] = block_of(stream, attempt, quarters);
        for side in 0..4 {
            pairs[side][block] =
                [low(a[side]) | b[side] << 32, low(c[side]) | d[side] << 32].map(u64::to_le_bytes);
        }
    }
    pairs
}

#[inline(always)]
fn block_of(stream: &Stream, attempt: u32, column_quarter: Four) -> [Four; 4] {
    let a = &Halves;
    let key = [a.word(stream.seed as u32), a.word((stream.seed >> 32) as u32)];
    let address = philox::Address {
        key,
        step: a.word(stream.step as u32),
        site: a.word(stream.site),
        attempt: a.word(attempt),
        run: a.word(stream.run),
        row: a.word(stream.row as u32),
        column_quarter,
        lane: a.word(0),
    };
    philox::philox(a, philox::counter(a, &address), key)
}

/// Standard normal numbers of the columns from `stream.column` on.
#[inline(always)]
pub fn normals<R: StripReal>(stream: &Stream, attempt: u32, into: &mut [R]) {
    let mut column = stream.column;
    for into in into.chunks_mut(CHUNK) {
        let mut found = [0; CHUNK];
        let found = &mut found[..into.len()];
        words(&Stream { column, ..*stream }, attempt, found);
        R::normals(found, into);
        column = column.wrapping_add(CHUNK as u64);
    }
}
