//! Strips of random words, normal numbers and function values, in machine code that rustc makes.
//!
//! These are the formulas of the kernels, element by element, and so the same bits. Everything is inlined into the caller:
//! a caller that has been compiled for wide vectors gets loops in wide vectors.

use super::arith::Arithmetic;
use super::lane::{Double, Single};
use super::{Real, Stream, apply, draw, marks, philox};
use crate::MathFn;

/// Words that are made together: so many blocks of four.
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
    ($ty:ident, $lane:ident) => {
        impl StripReal for $ty {
            #[inline(always)]
            fn normals(words: &[u32], into: &mut [Self]) {
                normals_of(&$lane, words, into);
            }
            #[inline(always)]
            fn function(function: MathFn, values: &mut [Self]) {
                macro_rules! each {
                    ($name:ident) => {
                        for value in values {
                            *value = apply(&$lane, MathFn::$name, &[*value]);
                        }
                    };
                }
                match function {
                    MathFn::Exp => each!(Exp),
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
strip_real!(f32, Single);
strip_real!(f64, Double);

/// The words of the columns from `stream.column` on.
#[inline(always)]
pub fn words<W: Word>(stream: &Stream, attempt: u32, into: &mut [W]) {
    let place = |column: u64| Stream { column, ..*stream };
    let skipped = (stream.column % 4) as usize;
    let (head, rest) = into.split_at_mut(((4 - skipped) % 4).min(into.len()));
    for (k, word) in head.iter_mut().enumerate() {
        *word = W::of(super::random_word(&place(stream.column.wrapping_add(k as u64)), attempt));
    }
    let mut column = stream.column.wrapping_add(head.len() as u64);
    let mut chunks = rest.chunks_exact_mut(4 * TOGETHER);
    for chunk in &mut chunks {
        let Some(chunk) = chunk.first_chunk_mut::<{ 4 * TOGETHER }>() else { continue };
        let mut blocks = [[0; TOGETHER]; 4];
        for block in 0..TOGETHER {
            let quarter = ((column >> 2) as u32).wrapping_add(block as u32);
            let words = block_of(stream, attempt, quarter);
            for (blocks, &word) in blocks.iter_mut().zip(&words) {
                blocks[block] = word;
            }
        }
        let [a, b, c, d] = &blocks;
        for block in 0..TOGETHER {
            chunk[4 * block] = W::of(a[block]);
            chunk[4 * block + 1] = W::of(b[block]);
            chunk[4 * block + 2] = W::of(c[block]);
            chunk[4 * block + 3] = W::of(d[block]);
        }
        column = column.wrapping_add(4 * TOGETHER as u64);
    }
    for words in chunks.into_remainder().chunks_mut(4) {
        let block = block_of(stream, attempt, (column >> 2) as u32);
        for (word, &value) in words.iter_mut().zip(&block) {
            *word = W::of(value);
        }
        column = column.wrapping_add(4);
    }
}

#[inline(always)]
fn block_of(stream: &Stream, attempt: u32, column_quarter: u32) -> [u32; 4] {
    let key = [stream.seed as u32, (stream.seed >> 32) as u32];
    let counter = philox::counter(
        &Single,
        &philox::Address {
            key,
            step: stream.step as u32,
            site: stream.site,
            attempt,
            run: stream.run,
            row: stream.row as u32,
            column_quarter,
            lane: 0,
        },
    );
    philox::philox(&Single, counter, key)
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

/// A seventh of the numbers belong to the tail, whose formula is the longer one: their words are put together first.
#[inline(always)]
fn normals_of<A: Arithmetic<Word = u32, Cond = bool>>(a: &A, words: &[u32], into: &mut [A::Float])
where
    A::Float: Default,
{
    let mut marks = [false; CHUNK];
    for ((into, &word), mark) in into.iter_mut().zip(words).zip(&mut marks) {
        let tail = draw::Tail::new(a, word);
        *into = draw::signed(a, word, tail.centre(a));
        *mark = tail.is_far(a);
    }
    let mut places = [0u8; CHUNK + 8];
    let count = marks::places(&marks, &mut places);
    let places = &places[..count.min(CHUNK)];
    for places in places.chunks(TOGETHER) {
        // Always as many as fill a vector: what is too much is thrown away.
        let mut far = [0u32; TOGETHER];
        let mut numbers = [A::Float::default(); TOGETHER];
        for (word, &place) in far.iter_mut().zip(places) {
            *word = words[usize::from(place)];
        }
        for (number, &word) in numbers.iter_mut().zip(&far) {
            *number = draw::signed(a, word, draw::Tail::new(a, word).magnitude(a));
        }
        for (&number, &place) in numbers.iter().zip(places) {
            into[usize::from(place)] = number;
        }
    }
}
