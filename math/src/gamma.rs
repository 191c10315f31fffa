//! Gamma and beta numbers.
//!
//! Gamma by the rejection method of Marsaglia and Tsang (2000, doi:10.1145/358407.358414) for shapes from 1 on; a
//! smaller shape takes a number of shape + 1 times u^(1 / shape). A try k uses the words 2k (normal) and 2k + 1
//! (acceptance), at most [`TRIES`] of them; word 2 · [`TRIES`] is that of u. If all tries are rejected, which happens
//! less than once in 10^20 draws, the number is shape - ⅓ of the rejection method. A shape that is not positive
//! gives NaN.
//!
//! Beta is x / (x + y) of two gamma numbers, the second with words from [`SECOND`] on. It is computed from their
//! logarithms, so that small shapes, whose gamma numbers underflow, do not give 0 / 0.

use super::arith::Arithmetic;
use super::{draw, exp, log};

/// How many candidates are tried.
const TRIES: u32 = 16;
/// The first word of the second gamma number of a beta number.
const SECOND: u32 = 64;

/// A gamma number as a product: the number of the rejection method, and the logarithm of what it is multiplied by.
struct Parts<A: Arithmetic> {
    base: A::Float,
    log_boost: A::Float,
    valid: A::Cond,
}

/// Gamma with a shape and a rate.
pub(super) fn gamma<A: Arithmetic>(
    a: &A,
    shape: A::Float,
    rate: A::Float,
    words: &impl Fn(A::Word) -> A::Word,
) -> A::Float {
    let parts = parts(a, shape, 0, words);
    let number = a.mul(parts.base, exp::exp(a, parts.log_boost));
    a.select(parts.valid, a.div(number, rate), a.real(f64::NAN))
}

/// Beta with two shapes.
pub(super) fn beta<A: Arithmetic>(
    a: &A,
    first: A::Float,
    second: A::Float,
    words: &impl Fn(A::Word) -> A::Word,
) -> A::Float {
    let x = parts(a, first, 0, words);
    let y = parts(a, second, SECOND, words);
    let [log_x, log_y] = [&x, &y].map(|part| a.add(log::ln(a, part.base), part.log_boost));
    let ratio = exp::sigmoid(a, a.sub(log_x, log_y));
    a.select(a.and(x.valid, y.valid), ratio, a.real(f64::NAN))
}

fn parts<A: Arithmetic>(
    a: &A,
    shape: A::Float,
    first_word: u32,
    words: &impl Fn(A::Word) -> A::Word,
) -> Parts<A> {
    let (zero, one) = (a.real(0.0), a.real(1.0));
    let valid = a.and(a.less(zero, shape), a.less(shape, a.real(f64::INFINITY)));
    let shape = a.select(valid, shape, one);
    let small = a.less(shape, one);
    let d = a.sub(a.select(small, a.add(shape, one), shape), a.real(1.0 / 3.0));
    let c = a.div(one, a.sqrt(a.mul(d, a.real(9.0))));
    let [base, _] = a.repeat(TRIES, [d, zero], |number, _| {
        let at = a.word_add(a.word_shl(number, 1), a.word(first_word));
        let z = draw::normal(a, words(at));
        let u = draw::open_fraction(a, words(a.word_add(at, a.word(1))));
        let root = a.fma(c, z, one);
        let v = a.mul(a.mul(root, root), root);
        let positive = a.less(zero, v);
        // ln u < z²/2 + d (1 - v + ln v)
        let log_v = log::ln(a, a.select(positive, v, one));
        let bound = a.fma(a.mul(z, a.real(0.5)), z, a.mul(d, a.add(a.sub(one, v), log_v)));
        let accept = a.and(positive, a.less(log::ln(a, u), bound));
        ([a.select(accept, a.mul(d, v), d), zero], accept)
    });
    let u = draw::open_fraction(a, words(a.word(first_word + 2 * TRIES)));
    let log_boost = a.select(small, a.div(log::ln(a, u), shape), zero);
    Parts { base, log_boost, valid }
}
