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

use super::arith::Arithmetic;
use super::{exactly, exp, gamma, log};
use crate::ir::Distribution;

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
pub(super) fn number<A: Arithmetic>(
    a: &A,
    distribution: Distribution,
    parameters: &[A::Float],
    words: &impl Fn(A::Word) -> A::Word,
) -> A::Float {
    let first = || words(a.word(0));
    match distribution {
        Distribution::Uniform => {
            let [low, high] = exactly(parameters);
            let u = fraction(a, first());
            a.add(low, a.mul(a.sub(high, low), u))
        }
        Distribution::Bernoulli => {
            let [p] = exactly(parameters);
            a.select(bernoulli(a, p, first()), a.real(1.0), a.real(0.0))
        }
        Distribution::Normal => {
            let [mu, sigma] = exactly(parameters);
            a.add(mu, a.mul(sigma, normal(a, first())))
        }
        Distribution::LogNormal => {
            let [mu, sigma] = exactly(parameters);
            exp::exp(a, a.add(mu, a.mul(sigma, normal(a, first()))))
        }
        Distribution::Exponential => {
            let [rate] = exactly(parameters);
            let log = log::log1p(a, a.neg(fraction(a, first())));
            a.div(a.neg(log), rate)
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

/// Whether a number below `p` comes.
pub(super) fn bernoulli<A: Arithmetic>(a: &A, p: A::Float, word: A::Word) -> A::Cond {
    a.less(fraction(a, word), p)
}

/// From 0 to below 1, exact.
fn fraction<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    let (drop, scale) = a.pick((8, 2f64.powi(-24)), (0, 2f64.powi(-32)));
    let word = if drop > 0 { a.word_shr(word, drop) } else { word };
    a.mul(a.word_to_real(word), a.real(scale))
}

/// From above 0 to 1: the middles of 2^31 equal parts, from the low 31 bits.
pub(super) fn open_fraction<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    let odd = a.word_or(a.word_shl(word, 1), a.word(1));
    a.mul(a.word_to_real(odd), a.real(2f64.powi(-32)))
}

/// A standard normal number.
pub(super) fn normal<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    // 2 m + 1, and its distance from the middle in the same unit: both keep their relative precision.
    let odd = a.word_or(a.word_shl(word, 1), a.word(1));
    let unit = a.real(2f64.powi(-33));
    let q = a.mul(a.word_to_real(odd), unit);
    let distance = a.word_add(a.word_xor(odd, a.word(u32::MAX)), a.word(1));
    let distance = a.mul(a.word_to_real(distance), unit);

    let ratio = |x: A::Float, [numerator, denominator]: [&[f64]; 2]| {
        a.div(a.polynomial(x, numerator), a.polynomial(x, denominator))
    };
    let r = a.fma(a.neg(distance), distance, a.real(0.180625));
    let centre = a.mul(distance, ratio(r, a.pick(CENTRE_F32, CENTRE_F64)));
    let r = a.sub(a.sqrt(a.neg(log::ln(a, q))), a.real(1.6));
    let tail = ratio(r, a.pick(TAIL_F32, TAIL_F64));
    let magnitude = a.select(a.less(a.real(0.425), distance), tail, centre);
    let positive = a.word_equal(a.word_shr(word, 31), a.word(0));
    a.select(positive, magnitude, a.neg(magnitude))
}
