//! Numbers from distributions, made of random words.
//!
//! `words` gives the word of a try; all but `gamma` and `beta` use the word of try 0 alone.
//!
//! | distribution | method |
//! | --- | --- |
//! | uniform | u = (word >> 8) · 2^-24 in f32, word · 2^-32 in f64; lo + (hi - lo) · u, product and sum rounded each |
//! | Bernoulli | u < p |
//! | normal | inverse of the distribution function by Wichura's rational functions (AS 241, 1988, doi:10.2307/2347330): the sign is the top bit, the tail probability q = (m + ½) · 2^-32 comes from the other 31, so the tail keeps its relative precision and ends at 6.3 standard deviations |
//! | log-normal | e to a normal number |
//! | exponential | -ln(1 - u) / rate; 1 - u is never 0 |
//! | gamma, beta | see `gamma` |

use super::arith::{Arithmetic, two_to};
use super::{exactly, exp, gamma, log};
use crate::Distribution;

/// Numerator and denominator in 0.425² - (½ - q)², for q ≥ 0.075.
const CENTRE_F32: [&[f64]; 2] = [
    &[3.3871327179, 50.434271938, 159.29113202, 59.109374720],
    &[1.0, 17.895169469, 78.757757664, 67.187563600],
];
/// Numerator and denominator in √(-ln q) - 1.6, for smaller q.
const TAIL_F32: [&[f64]; 2] =
    [&[1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103], &[1.0, 0.73700164250, 0.12021132975]];
const CENTRE_F64: [&[f64]; 2] = [
    &[
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    &[
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const TAIL_F64: [&[f64]; 2] = [
    &[
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    &[
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

/// A number from a distribution; 0 or 1 from Bernoulli's.
#[inline(always)]
pub fn number<A: Arithmetic>(
    a: &A,
    distribution: Distribution,
    parameters: &[A::Float],
    words: &impl Fn(A::Word) -> A::Word,
) -> A::Float {
    match distribution {
        Distribution::Uniform | Distribution::Bernoulli | Distribution::Exponential => {
            of_word(a, distribution, parameters, || words(a.word(0)))
        }
        Distribution::Normal | Distribution::LogNormal => {
            of_normal(a, distribution, parameters, || normal(a, words(a.word(0))))
        }
        Distribution::Gamma => {
            let [shape, rate] = exactly(parameters);
            gamma::gamma(a, shape, rate, words)
        }
        Distribution::Beta => {
            let [first, second] = exactly(parameters);
            gamma::beta(a, first, second, words)
        }
    }
}

/// A number from a distribution that takes one word.
#[inline(always)]
pub fn of_word<A: Arithmetic>(
    a: &A,
    distribution: Distribution,
    parameters: &[A::Float],
    word: impl FnOnce() -> A::Word,
) -> A::Float {
    match distribution {
        Distribution::Uniform => {
            let [low, high] = exactly(parameters);
            let u = fraction(a, word());
            a.add(low, a.mul(a.sub(high, low), u))
        }
        Distribution::Bernoulli => {
            let [p] = exactly(parameters);
            a.select(bernoulli(a, p, word()), a.real(1.0), a.real(0.0))
        }
        Distribution::Exponential => {
            let [rate] = exactly(parameters);
            let log = log::log1p(a, a.neg(fraction(a, word())));
            a.div(a.neg(log), rate)
        }
        Distribution::Normal | Distribution::LogNormal | Distribution::Gamma | Distribution::Beta => {
            crate::ice!("{distribution:?} is not made of one word")
        }
    }
}

/// A number from a distribution that takes one standard normal number.
#[inline(always)]
pub fn of_normal<A: Arithmetic>(
    a: &A,
    distribution: Distribution,
    parameters: &[A::Float],
    normal: impl FnOnce() -> A::Float,
) -> A::Float {
    let [mu, sigma] = exactly(parameters);
    let number = a.add(mu, a.mul(sigma, normal()));
    if distribution == Distribution::LogNormal { exp::exp(a, number) } else { number }
}

/// Whether a number below `p` comes.
#[inline(always)]
pub fn bernoulli<A: Arithmetic>(a: &A, p: A::Float, word: A::Word) -> A::Cond {
    a.less(fraction(a, word), p)
}

/// From 0 to below 1, exact.
#[inline(always)]
fn fraction<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    let (drop, scale) = a.pick((8, two_to(-24)), (0, two_to(-32)));
    let word = if drop > 0 { a.word_shr(word, drop) } else { word };
    a.mul(a.word_to_real(word), a.real(scale))
}

/// From above 0 to 1: the middles of 2^31 equal parts, from the low 31 bits.
#[inline(always)]
pub(super) fn open_fraction<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    let odd = a.word_or(a.word_shl(word, 1), a.word(1));
    a.mul(a.word_to_real(odd), a.real(two_to(-32)))
}

/// A standard normal number.
#[inline(always)]
pub fn normal<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    let tail = Tail::new(a, word);
    let centre = tail.centre(a);
    let far = tail.magnitude(a);
    let magnitude = a.select(tail.is_far(a), far, centre);
    signed(a, word, magnitude)
}

/// Where a normal number stands among all.
pub(super) struct Tail<F> {
    /// The probability of a number farther out on its side.
    q: F,
    /// ½ - q
    distance: F,
}

impl<F: Copy> Tail<F> {
    /// Of the number that a word stands for.
    #[inline(always)]
    pub(super) fn new<A: Arithmetic<Float = F>>(a: &A, word: A::Word) -> Self {
        // 2 m + 1, and its distance from the middle in the same unit: both keep their relative precision.
        let odd = a.word_or(a.word_shl(word, 1), a.word(1));
        let unit = a.real(two_to(-33));
        let q = a.mul(a.word_to_real(odd), unit);
        let distance = a.word_add(a.word_xor(odd, a.word(u32::MAX)), a.word(1));
        let distance = a.mul(a.word_to_real(distance), unit);
        Self { q, distance }
    }

    /// Whether it belongs to the tail.
    #[inline(always)]
    pub(super) fn is_far<A: Arithmetic<Float = F>>(&self, a: &A) -> A::Cond {
        a.less(a.real(0.425), self.distance)
    }

    /// Its magnitude, if it belongs to the centre.
    #[inline(always)]
    pub(super) fn centre<A: Arithmetic<Float = F>>(&self, a: &A) -> F {
        let r = a.fma(a.neg(self.distance), self.distance, a.real(0.180625));
        a.mul(self.distance, ratio(a, r, a.pick(CENTRE_F32, CENTRE_F64)))
    }

    /// Its magnitude, if it belongs to the tail.
    #[inline(always)]
    pub(super) fn magnitude<A: Arithmetic<Float = F>>(&self, a: &A) -> F {
        let r = a.sub(a.sqrt(a.neg(log::ln(a, self.q))), a.real(1.6));
        ratio(a, r, a.pick(TAIL_F32, TAIL_F64))
    }
}

#[inline(always)]
fn ratio<A: Arithmetic>(a: &A, x: A::Float, [numerator, denominator]: [&[f64]; 2]) -> A::Float {
    a.div(a.polynomial(x, numerator), a.polynomial(x, denominator))
}

/// The sign is the first bit of the word.
#[inline(always)]
pub(super) fn signed<A: Arithmetic>(a: &A, word: A::Word, magnitude: A::Float) -> A::Float {
    let positive = a.word_equal(a.word_shr(word, 31), a.word(0));
    a.select(positive, magnitude, a.neg(magnitude))
}
