//! `ln`, `log2` and `log1p`.
//!
//! x = 2^k m with m from √½ to √2; f = m - 1 is exact, s = f / (2 + f), and ln m = f - f²/2 + s (f²/2 + R(s²)) with
//! R the tail of 2 artanh s / s, interpolated in Chebyshev nodes (the splitting is that of Tang 1990,
//! doi:10.1145/98267.98294, without its table). Leading terms are pairs. Measured bounds: see `math`.

use super::arith::{Arithmetic, two_to};

/// (2 artanh s / s - 2) / s² as a polynomial in s².
const TAIL_F32: &[f64] = &[0.6666666865348816, 0.4000012278556824, 0.28550779819488525, 0.23331613838672638];
const TAIL_F64: &[f64] = &[
    0.6666666666666666,
    0.40000000000000885,
    0.28571428570799784,
    0.22222222392581106,
    0.18181795547515953,
    0.15386244737852042,
    0.13268638364051974,
    0.1308803489814203,
];

/// ln 2 with so few bits that its product with an exponent is exact, and the rest.
const LN_2_SHORT: (f64, f64) = (0.693145751953125, 0.6931471805601177);
const LN_2_REST: (f64, f64) = (1.428606765330187e-06, -1.7239444525614835e-13);
/// 1 / ln 2 as a pair.
const LOG2_E_HIGH: (f64, f64) = (1.4426950216293335, core::f64::consts::LOG2_E);
const LOG2_E_LOW: (f64, f64) = (1.925963033500011e-08, 2.0355273740931033e-17);

/// x = 2^k m for x positive and finite; m from √½ to √2.
#[inline(always)]
pub(super) fn split<A: Arithmetic>(a: &A, x: A::Float) -> (A::Int, A::Float) {
    let shift = a.pick(24, 54);
    let small = a.less(x, a.constant(f32::MIN_POSITIVE.into(), f64::MIN_POSITIVE));
    let x = a.select(small, a.mul(x, a.real(two_to(shift))), x);
    let bits = a.to_bits(x);
    let half_root = a.int(a.pick(
        core::f32::consts::FRAC_1_SQRT_2.to_bits().into(),
        core::f64::consts::FRAC_1_SQRT_2.to_bits() as i64,
    ));
    let k = a.int_sar(a.int_sub(bits, half_root), a.mantissa_bits());
    let m = a.real_from_bits(a.int_sub(bits, a.int_shl(k, a.mantissa_bits())));
    let k = a.int_sub(k, a.int_select(small, a.int(shift.into()), a.int(0)));
    (k, m)
}

/// ln(1 + f) as a pair; and d/df of it, roughly.
struct Logarithm<A: Arithmetic> {
    high: A::Float,
    low: A::Float,
    slope: A::Float,
}

#[inline(always)]
fn ln_1p<A: Arithmetic>(a: &A, f: A::Float) -> Logarithm<A> {
    let s = a.div(f, a.add(a.real(2.0), f));
    let z = a.mul(s, s);
    let tail = a.mul(z, a.polynomial(z, a.pick(TAIL_F32, TAIL_F64)));
    let half = a.mul(f, a.real(0.5));
    let half_square = a.mul(half, f);
    let high = a.fma(a.neg(half), f, f);
    let error = a.fma(a.neg(half), f, a.sub(f, high));
    let low = a.fma(s, a.add(half_square, tail), error);
    // 1 / (1 + f) = (1 - s) / (1 + s) = 1 - 2 s + 2 s² - …
    let slope = a.fma(a.real(2.0), a.sub(z, s), a.real(1.0));
    Logarithm { high, low, slope }
}

/// k ln 2 + high + low
#[inline(always)]
fn combine<A: Arithmetic>(a: &A, k: A::Float, high: A::Float, low: A::Float) -> A::Float {
    let base = a.mul(k, a.constant(LN_2_SHORT.0, LN_2_SHORT.1));
    let (sum, error) = a.fast_two_sum(base, high);
    let low = a.fma(k, a.constant(LN_2_REST.0, LN_2_REST.1), a.add(error, low));
    a.add(sum, low)
}

/// `result` where the argument is positive and finite; else what a logarithm of `x` is.
#[inline(always)]
fn with_limits<A: Arithmetic>(a: &A, x: A::Float, regular: A::Cond, result: A::Float) -> A::Float {
    let zero = a.equal(x, a.real(0.0));
    let infinite = a.equal(x, a.real(f64::INFINITY));
    let other = a.select(infinite, x, a.real(f64::NAN));
    let other = a.select(zero, a.real(f64::NEG_INFINITY), other);
    a.select(regular, result, other)
}

#[inline(always)]
fn is_regular<A: Arithmetic>(a: &A, x: A::Float) -> A::Cond {
    a.and(a.less(a.real(0.0), x), a.less(x, a.real(f64::INFINITY)))
}

/// Natural logarithm, within 0.70 ulp: -inf at 0, NaN below.
#[inline(always)]
pub(super) fn ln<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let regular = is_regular(a, x);
    let (k, m) = split(a, a.select(regular, x, a.real(1.0)));
    let log = ln_1p(a, a.sub(m, a.real(1.0)));
    with_limits(a, x, regular, combine(a, a.small_to_real(k), log.high, log.low))
}

/// Logarithm to base 2, within 0.70 ulp and exact for powers of 2.
#[inline(always)]
pub(super) fn log2<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let regular = is_regular(a, x);
    let (k, m) = split(a, a.select(regular, x, a.real(1.0)));
    let log = ln_1p(a, a.sub(m, a.real(1.0)));
    let (high, low) = a.fast_two_sum(log.high, log.low);
    let factor = a.constant(LOG2_E_HIGH.0, LOG2_E_HIGH.1);
    let product = a.mul(high, factor);
    let rest = a.fma(high, factor, a.neg(product));
    let rest = a.fma(high, a.constant(LOG2_E_LOW.0, LOG2_E_LOW.1), rest);
    let rest = a.fma(low, factor, rest);
    let (sum, error) = a.fast_two_sum(a.small_to_real(k), product);
    with_limits(a, x, regular, a.add(sum, a.add(error, rest)))
}

/// ln(1 + x), within 0.70 ulp: -inf at -1, NaN below.
#[inline(always)]
pub(super) fn log1p<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let one = a.real(1.0);
    let regular = a.and(a.less(a.real(-1.0), x), a.less(x, a.real(f64::INFINITY)));
    let y = a.select(regular, x, one);
    let (sum, error) = a.two_sum(one, y);
    let (k, m) = split(a, sum);
    // Beyond 2^100 the error is far below the last bit, whatever its scale.
    let limit = a.int(100);
    let capped = a.int_select(a.int_less(k, limit), k, limit);
    let error = a.mul(error, a.power_of_two(a.int_sub(a.int(0), capped)));
    let (f, rest) = a.fast_two_sum(a.sub(m, one), error);
    let log = ln_1p(a, f);
    let low = a.fma(rest, log.slope, log.low);
    let result = combine(a, a.small_to_real(k), log.high, low);
    let result = with_limits(a, a.add(one, x), regular, result);
    let tiny = a.less(a.abs(x), a.constant(two_to(-30), two_to(-60)));
    a.select(tiny, x, result)
}
