//! Random words: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
//!
//! A word is a pure function of a key and a counter, so there is no state and no order of draws.

use super::arith::Arithmetic;

/// Multipliers of the two halves of the counter.
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// What is added to the key after each round: the golden ratio and √3 - 1.
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

/// What the rounds are made of.
pub(super) trait Rounds {
    /// A word.
    type Word: Copy;
    /// A constant word.
    fn constant(&self, value: u32) -> Self::Word;
    /// a + b
    fn sum(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bits that differ.
    fn difference(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// The high and the low half of a product.
    fn product(&self, a: Self::Word, b: Self::Word) -> [Self::Word; 2];
}

impl<A: Arithmetic> Rounds for A {
    type Word = A::Word;
    #[inline(always)]
    fn constant(&self, value: u32) -> A::Word {
        self.word(value)
    }
    #[inline(always)]
    fn sum(&self, a: A::Word, b: A::Word) -> A::Word {
        self.word_add(a, b)
    }
    #[inline(always)]
    fn difference(&self, a: A::Word, b: A::Word) -> A::Word {
        self.word_xor(a, b)
    }
    #[inline(always)]
    fn product(&self, a: A::Word, b: A::Word) -> [A::Word; 2] {
        [self.word_mul_high(a, b), self.word_mul(a, b)]
    }
}

/// Words as low halves of 64 bits, which vectors multiply in one piece; what stands above them never matters.
pub(super) struct LowHalves;

impl Rounds for LowHalves {
    type Word = u64;
    #[inline(always)]
    fn constant(&self, value: u32) -> u64 {
        value.into()
    }
    #[inline(always)]
    fn sum(&self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn difference(&self, a: u64, b: u64) -> u64 {
        a ^ b
    }
    #[inline(always)]
    fn product(&self, a: u64, b: u64) -> [u64; 2] {
        let product = u64::from(a as u32) * u64::from(b as u32);
        [product >> 32, product]
    }
}

/// Four random words.
#[inline(always)]
pub(super) fn philox<R: Rounds>(r: &R, counter: [R::Word; 4], key: [R::Word; 2]) -> [R::Word; 4] {
    let (mut c, mut k) = (counter, key);
    let [first, second] = MULTIPLIERS.map(|multiplier| r.constant(multiplier));
    for round in 0..ROUNDS {
        if round > 0 {
            k = [0, 1].map(|half| r.sum(k[half], r.constant(KEY_STEPS[half])));
        }
        let [high_2, low_2] = r.product(second, c[2]);
        let [high_0, low_0] = r.product(first, c[0]);
        c = [
            r.difference(r.difference(high_2, c[1]), k[0]),
            low_2,
            r.difference(r.difference(high_0, c[3]), k[1]),
            low_0,
        ];
    }
    c
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
pub(super) fn counter<A: Arithmetic>(a: &A, at: &Address<A::Word>) -> [A::Word; 4] {
    let byte = a.word(0xff);
    let site = a.word_shl(at.site, 16);
    let attempt = a.word_shl(a.word_and(at.attempt, byte), 8);
    let place = a.word_or(a.word_or(site, attempt), a.word_and(at.run, byte));
    [at.step, place, at.row, at.column_quarter]
}
