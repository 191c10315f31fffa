//! Numbers from distributions, made of random words.
//!
//! `words` gives the word of a try; all but `gamma` and `beta` use the word of try 0 alone.
//!
//! | distribution | method |
//! | --- | --- |
//! | uniform | u = (word >> 8) · 2^-24 in f32, word · 2^-32 in f64; lo + (hi - lo) · u, product and sum rounded each |
//! | Bernoulli | u < p |
//! | normal | inverse of the distribution function, see `normal` |
//! | log-normal | e to a normal number |
//! | exponential | -ln(1 - u) / rate; 1 - u is never 0 |
//! | gamma, beta | see `gamma` |

use super::arith::{Arithmetic, two_to};
pub use super::normal::normal;
use super::{exactly, exp, gamma, log};
use crate::Distribution;

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
