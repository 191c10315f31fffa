//! Random words: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
//!
//! A word is a pure function of a key and a counter, so there is no state and no order of draws.

use super::arith::{Arithmetic, Words};

/// Multipliers of the two halves of the counter.
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// What is added to the key after each round: the golden ratio and √3 - 1.
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// Four random words.
#[inline(always)]
pub(super) fn philox<A: Words>(a: &A, counter: [A::Word; 4], key: [A::Word; 2]) -> [A::Word; 4] {
    let at = (round(a, counter, key), key);
    // Written out: a loop over rounds keeps the compiler from making several blocks in one vector.
    let at = next(a, next(a, next(a, at)));
    let at = next(a, next(a, next(a, at)));
    next(a, next(a, next(a, at))).0
}

/// One more round, and its key.
#[inline(always)]
fn next<A: Words>(a: &A, (c, k): ([A::Word; 4], [A::Word; 2])) -> ([A::Word; 4], [A::Word; 2]) {
    let k = [a.word_add(k[0], a.word(KEY_STEPS[0])), a.word_add(k[1], a.word(KEY_STEPS[1]))];
    (round(a, c, k), k)
}

#[inline(always)]
fn round<A: Words>(a: &A, c: [A::Word; 4], k: [A::Word; 2]) -> [A::Word; 4] {
    let [first, second] = MULTIPLIERS.map(|multiplier| a.word(multiplier));
    [
        a.word_xor(a.word_xor(a.word_mul_high(second, c[2]), c[1]), k[0]),
        a.word_mul(second, c[2]),
        a.word_xor(a.word_xor(a.word_mul_high(first, c[0]), c[3]), k[1]),
        a.word_mul(first, c[0]),
    ]
}

/// What names a word, all but the attempt as the low halves of 64-bit numbers.
pub struct Address<W> {
    /// Low and high half of the seed.
    pub key: [W; 2],
    /// Low half.
    pub step: W,
    /// The number of the site.
    pub site: W,
    /// Which try.
    pub attempt: W,
    /// How often the block has run.
    pub run: W,
    /// Low half.
    pub row: W,
    /// column / 4, low half.
    pub column_quarter: W,
    /// column mod 4
    pub lane: W,
}

/// The word at an address, with the counter layout of `kernel::Random`.
#[inline(always)]
pub fn word<A: Arithmetic>(a: &A, at: &Address<A::Word>) -> A::Word {
    let words = philox(a, counter(a, at), at.key);
    let high = a.word_select(a.word_equal(at.lane, a.word(2)), words[2], words[3]);
    let low = a.word_select(a.word_equal(at.lane, a.word(0)), words[0], words[1]);
    let in_low = a.word_equal(a.word_and(at.lane, a.word(2)), a.word(0));
    a.word_select(in_low, low, high)
}

/// The counter of the block at an address.
#[inline(always)]
pub(super) fn counter<A: Words>(a: &A, at: &Address<A::Word>) -> [A::Word; 4] {
    let byte = a.word(0xff);
    let site = a.word_shl(at.site, 16);
    let attempt = a.word_shl(a.word_and(at.attempt, byte), 8);
    let place = a.word_or(a.word_or(site, attempt), a.word_and(at.run, byte));
    [at.step, place, at.row, at.column_quarter]
}
