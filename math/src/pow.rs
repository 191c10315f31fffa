//! x^y as 2^(y log2 |x|), with the logarithm as an unevaluated pair of reals.
//!
//! log2 m = s (2 + s² (⅔ + s² P(s²))) / ln 2 with s = (m - 1) / (m + 1); all but the innermost polynomial P is
//! computed in pairs (Dekker 1971, doi:10.1007/BF01397083), so that the logarithm has about as many extra bits as the
//! product with y takes away. Measured bounds: see `math`.

use super::arith::{Arithmetic, two_to};
use super::exp::{LN_2_HIGH, LN_2_LOW, exp_pair};
use super::log::split;

/// (2 artanh s / s - 2 - ⅔ s²) / (s⁴ ln 2) as a polynomial in s².
const TAIL_F32: &[f64] = &[0.5770780444145203, 0.41220006346702576, 0.32034653425216675, 0.27586251497268677];
const TAIL_F64: &[f64] = &[
    0.5770780163555853,
    0.41219858311114393,
    0.32059889796710916,
    0.2623081914784343,
    0.22195278748893804,
    0.19238062555351235,
    0.16888369917040663,
    0.16914634677789261,
];
/// 2 / ln 2 as a pair.
const FIRST_HIGH: (f64, f64) = (2.885390043258667, 2.8853900817779268);
const FIRST_LOW: (f64, f64) = (3.851926067000022e-08, 4.0710547481862066e-17);
/// 2 / (3 ln 2) as a pair.
const SECOND_HIGH: (f64, f64) = (0.9617967009544373, 0.9617966939259756);
const SECOND_LOW: (f64, f64) = (-7.028461812552678e-09, 5.0577616648125907e-17);

/// log2 x as a pair, for x positive and finite.
#[inline(always)]
fn log2_pair<A: Arithmetic>(a: &A, x: A::Float) -> (A::Float, A::Float) {
    let (k, m) = split(a, x);
    let f = a.sub(m, a.real(1.0));
    // s = f / (2 + f)
    let (d, d_low) = a.fast_two_sum(a.real(2.0), f);
    let inverse = a.div(a.real(1.0), d);
    let s = a.mul(f, inverse);
    let rest = a.fma(a.neg(s), d, f);
    let s_low = a.mul(a.fma(a.neg(s), d_low, rest), inverse);
    // z = s²
    let z = a.mul(s, s);
    let twice = a.add(s, s);
    let z_low = a.fma(twice, s_low, a.fma(s, s, a.neg(z)));
    // w = ⅔ / ln 2 + z P(z)
    let tail = a.mul(z, a.polynomial(z, a.pick(TAIL_F32, TAIL_F64)));
    let (w, w_low) = a.fast_two_sum(a.constant(SECOND_HIGH.0, SECOND_HIGH.1), tail);
    let w_low = a.add(w_low, a.constant(SECOND_LOW.0, SECOND_LOW.1));
    let (v, v_low) = product(a, (z, z_low), (w, w_low));
    let (t, t_low) = a.fast_two_sum(a.constant(FIRST_HIGH.0, FIRST_HIGH.1), v);
    let t_low = a.add(t_low, a.add(v_low, a.constant(FIRST_LOW.0, FIRST_LOW.1)));
    let (log, log_low) = product(a, (s, s_low), (t, t_low));
    let (sum, error) = a.fast_two_sum(a.small_to_real(k), log);
    (sum, a.add(error, log_low))
}

/// (xh + xl) · (yh + yl)
#[inline(always)]
fn product<A: Arithmetic>(a: &A, x: (A::Float, A::Float), y: (A::Float, A::Float)) -> (A::Float, A::Float) {
    let high = a.mul(x.0, y.0);
    let error = a.fma(x.0, y.0, a.neg(high));
    let cross = a.fma(x.1, y.0, a.mul(x.0, y.1));
    (high, a.add(error, cross))
}

/// 2^(high + low)
#[inline(always)]
fn exp2_pair<A: Arithmetic>(a: &A, high: A::Float, low: A::Float) -> A::Float {
    let shifted = a.add(high, a.real(a.magic()));
    let k = a.int_sub(a.to_bits(shifted), a.magic_bits());
    let r = a.sub(high, a.sub(shifted, a.real(a.magic())));
    let ln_2 = (a.constant(LN_2_HIGH.0, LN_2_HIGH.1), a.constant(LN_2_LOW.0, LN_2_LOW.1));
    let (r, c) = product(a, (r, low), ln_2);
    let (r, c) = a.fast_two_sum(r, c);
    let (high, low) = exp_pair(a, r, c);
    a.scale(a.add(high, low), k)
}

/// |x|^y for |x| positive and finite and y finite.
#[inline(always)]
fn magnitude<A: Arithmetic>(a: &A, x: A::Float, y: A::Float) -> A::Float {
    // Beyond this every power of a number other than 1 is 0 or infinite.
    let far = a.constant(two_to(40), two_to(70));
    let y = a.clamp(y, a.neg(far), far);
    let (log, log_low) = log2_pair(a, x);
    let high = a.mul(y, log);
    let error = a.fma(y, log, a.neg(high));
    let low = a.fma(y, log_low, error);
    let clamped = a.clamp(high, a.constant(-160.0, -1080.0), a.constant(130.0, 1030.0));
    let low = a.select(a.equal(clamped, high), low, a.real(0.0));
    exp2_pair(a, clamped, low)
}

/// x^y, within 0.80 ulp, with the special cases of C99 (annex F.9.4.4).
#[inline(always)]
pub(super) fn pow<A: Arithmetic>(a: &A, x: A::Float, y: A::Float) -> A::Float {
    let (zero, one, infinity) = (a.real(0.0), a.real(1.0), a.real(f64::INFINITY));
    let size = a.abs(x);
    let is_zero = a.equal(size, zero);
    let is_infinite = a.equal(size, infinity);
    let is_nan = a.not(a.and(a.equal(x, x), a.equal(y, y)));
    let y_is_infinite = a.equal(a.abs(y), infinity);
    let special = a.or(a.or(is_zero, is_infinite), a.or(is_nan, y_is_infinite));
    let regular = magnitude(a, a.select(special, one, size), a.select(special, one, y));

    // A base above 1 grows with y, one below shrinks; 0 and inf belong to these.
    let grows = a.less(one, size);
    let y_positive = a.less(zero, y);
    let to_infinity = a.or(a.and(grows, y_positive), a.not(a.or(grows, y_positive)));
    let limit = a.select(a.equal(size, one), one, a.select(to_infinity, infinity, zero));
    let result = a.select(special, limit, regular);

    let whole = a.equal(a.floor(y), y);
    let half = a.mul(y, a.real(0.5));
    let odd = a.and(whole, a.not(a.equal(a.floor(half), half)));
    let result = a.select(odd, a.with_sign(result, x), result);
    let finite_negative = a.and(a.less(x, zero), a.not(is_infinite));
    let undefined = a.or(is_nan, a.and(finite_negative, a.not(whole)));
    let result = a.select(undefined, a.real(f64::NAN), result);
    a.select(a.or(a.equal(x, one), a.equal(y, zero)), one, result)
}
