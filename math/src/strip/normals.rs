//! Normal numbers of a strip of words.

use super::CHUNK;
use crate::lane::{Double, Single};
use crate::{marks, normal};

/// Numbers of the tail that are made together.
const FAR: usize = 16;
/// So many numbers at least are made together in f32.
const FEW: usize = 32;

/// Normal numbers in f32.
#[inline(always)]
pub(super) fn single(words: &[u32], into: &mut [f32]) {
    let (words, rest_of_words) = words.as_chunks::<CHUNK>();
    let (into, rest_of_into) = into.as_chunks_mut::<CHUNK>();
    for (into, words) in into.iter_mut().zip(words) {
        many(words, into);
    }
    for (into, words) in rest_of_into.chunks_mut(FEW).zip(rest_of_words.chunks(FEW)) {
        let mut all = [0; FEW];
        all[..words.len()].copy_from_slice(words);
        let mut found = [0.0; FEW];
        many(&all, &mut found);
        into.copy_from_slice(&found[..into.len()]);
    }
}

/// Step by step for all of them: of the whole formula, the processor would not see enough at a time to do some while it waits
/// for others. The tail is too rare for more than one at a time.
#[inline(always)]
fn many<const N: usize>(words: &[u32; N], into: &mut [f32; N]) {
    let a = &Single;
    let mut y = [0.0; N];
    for ((f, whole), &word) in y.iter_mut().zip(into.iter_mut()).zip(words) {
        (*f, *whole) = normal::log_parts(a, word);
    }
    for (y, &whole) in y.iter_mut().zip(into.iter()) {
        *y = normal::depth(a, *y, whole);
    }
    for ((into, &y), &word) in into.iter_mut().zip(&y).zip(words) {
        *into = normal::of_factor(a, word, normal::centre(a, y));
    }
    // The largest of those that are equally far from a multiple of 16: as integers, whose order is that of the reals but for
    // negative ones among themselves.
    let mut largest = y.map(|y| y.to_bits() as i32);
    let mut length = N;
    while length > FAR {
        length /= 2;
        let (first, second) = largest.split_at_mut(length);
        for (first, &second) in first.iter_mut().zip(&second[..length]) {
            *first = (*first).max(second);
        }
    }
    for (lane, &bits) in largest[..FAR].iter().enumerate() {
        if normal::is_far(f32::from_bits(bits as u32)) {
            for place in (lane..N).step_by(FAR) {
                if normal::is_far(y[place]) {
                    into[place] = normal::of_factor(a, words[place], normal::tail(a, y[place]));
                }
            }
        }
    }
}

/// Normal numbers in f64. A seventh of them belong to the tail, whose formula is the longer one: their words are put
/// together first.
#[inline(always)]
pub(super) fn double(words: &[u32], into: &mut [f64]) {
    let a = &Double;
    let mut marks = [false; CHUNK];
    for ((into, &word), mark) in into.iter_mut().zip(words).zip(&mut marks) {
        let tail = normal::Tail::new(a, word);
        *into = normal::signed(a, word, tail.centre(a));
        *mark = tail.is_far(a);
    }
    let mut places = [0u8; CHUNK + 8];
    let count = marks::places(&marks, &mut places);
    let places = &places[..count.min(CHUNK)];
    for places in places.chunks(FAR) {
        // Always as many as fill a vector: what is too much is thrown away.
        let mut far = [0u32; FAR];
        let mut numbers = [0.0; FAR];
        for (word, &place) in far.iter_mut().zip(places) {
            *word = words[usize::from(place)];
        }
        for (number, &word) in numbers.iter_mut().zip(&far) {
            *number = normal::signed(a, word, normal::Tail::new(a, word).magnitude(a));
        }
        for (&number, &place) in numbers.iter().zip(places) {
            into[usize::from(place)] = number;
        }
    }
}
