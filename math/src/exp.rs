//! e^x and what is made of it: `exp`, `expm1`, `tanh`, `sigmoid`.
//!
//! x = k ln 2 + r with |r| ≤ ln 2 / 2 by two fused multiply-adds (Cody and Waite 1980, Software Manual for the
//! Elementary Functions); e^r = 1 + r + r² q(r), q the interpolation polynomial in Chebyshev nodes. What the
//! reduction rounds away is carried along, so that results are rounded about once. Measured bounds: see `math`.

use super::arith::{Arithmetic, two_to};

/// (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2.
const TAIL_F32: &[f64] = &[
    0.5,
    0.1666666716337204,
    0.04166646674275398,
    0.00833331048488617,
    0.0013933649752289057,
    0.00019890991097781807,
];
const TAIL_F64: &[f64] = &[
    0.5,
    0.16666666666666666,
    0.04166666666666668,
    0.008333333333333333,
    0.0013888888888879073,
    0.00019841269841263298,
    2.4801587336442236e-05,
    2.755731924721873e-06,
    2.75572632790885e-07,
    2.505207109429355e-08,
    2.0918137737642736e-09,
    1.608662795678037e-10,
];

/// The high part of ln 2, as f32 and f64.
pub(super) const LN_2_HIGH: (f64, f64) = (0.6931471824645996, core::f64::consts::LN_2);
/// ln 2 less its high part.
pub(super) const LN_2_LOW: (f64, f64) = (-1.9046542121259336e-9, 2.3190468138462996e-17);

/// x = k ln 2 + r + c, where c is a rounding error of r.
struct Reduced<A: Arithmetic> {
    k: A::Int,
    r: A::Float,
    c: A::Float,
}

#[inline(always)]
fn reduce<A: Arithmetic>(a: &A, x: A::Float) -> Reduced<A> {
    let shifted = a.fma(x, a.real(core::f64::consts::LOG2_E), a.real(a.magic()));
    let k = a.int_sub(a.to_bits(shifted), a.magic_bits());
    let minus_k = a.sub(a.real(a.magic()), shifted);
    let first = a.fma(minus_k, a.constant(LN_2_HIGH.0, LN_2_HIGH.1), x);
    let low = a.constant(LN_2_LOW.0, LN_2_LOW.1);
    let r = a.fma(minus_k, low, first);
    let c = a.fma(minus_k, low, a.sub(first, r));
    Reduced { k, r, c }
}

/// e^(r + c) - 1 - r
#[inline(always)]
fn tail<A: Arithmetic>(a: &A, r: A::Float, c: A::Float) -> A::Float {
    let q = a.polynomial(r, a.pick(TAIL_F32, TAIL_F64));
    let c = a.fma(c, r, c);
    a.fma(a.mul(r, r), q, c)
}

/// e^(r + c) as a pair, for |r| ≤ ln 2 / 2 and c a rounding error of r.
#[inline(always)]
pub(super) fn exp_pair<A: Arithmetic>(a: &A, r: A::Float, c: A::Float) -> (A::Float, A::Float) {
    let (high, low) = a.fast_two_sum(a.real(1.0), r);
    (high, a.add(low, tail(a, r, c)))
}

/// Below it e^x rounds to 0.
#[inline(always)]
fn lowest<A: Arithmetic>(a: &A) -> A::Float {
    a.constant(-104.0, -746.0)
}

/// Above it e^x overflows.
#[inline(always)]
fn highest<A: Arithmetic>(a: &A) -> A::Float {
    a.constant(89.0, 710.0)
}

/// e^x, within 0.80 ulp.
#[inline(always)]
pub(super) fn exp<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let reduced = reduce(a, a.clamp(x, lowest(a), highest(a)));
    let (high, low) = exp_pair(a, reduced.r, reduced.c);
    a.keep_nan(x, a.scale(a.add(high, low), reduced.k))
}

/// Up to this magnitude of x, [`exp_moderate`] is [`exp`].
#[inline(always)]
pub(super) fn moderate<A: Arithmetic>(a: &A) -> A::Float {
    a.constant(87.0, 708.0)
}

/// [`exp`] where neither x nor a power of 2 on the way is out of range: the same bits, since all that is left out is exact.
#[inline(always)]
pub(super) fn exp_moderate<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let reduced = reduce(a, x);
    let (high, low) = exp_pair(a, reduced.r, reduced.c);
    a.mul(a.add(high, low), a.power_of_two(reduced.k))
}

/// (e^x - 1) / 2 as a pair, for x that e^x / 2 does not overflow and that is not below -80.
#[inline(always)]
fn half_expm1_pair<A: Arithmetic>(a: &A, x: A::Float) -> (A::Float, A::Float) {
    let reduced = reduce(a, x);
    let t = a.power_of_two(a.int_sub(reduced.k, a.int(1)));
    let (base, base_low) = a.two_sum(t, a.real(-0.5));
    let high = a.fma(t, reduced.r, base);
    let error = a.add(a.fma(t, reduced.r, a.sub(base, high)), base_low);
    (high, a.fma(t, tail(a, reduced.r, reduced.c), error))
}

/// `result`, or `x` where the function is x to the last bit.
#[inline(always)]
fn keep_tiny<A: Arithmetic>(a: &A, x: A::Float, result: A::Float) -> A::Float {
    let bound = a.constant(two_to(-30), two_to(-60));
    a.select(a.less(a.abs(x), bound), x, result)
}

/// e^x - 1, within 0.95 ulp.
#[inline(always)]
pub(super) fn expm1<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    // Below -40 the result is -1.
    let (high, low) = half_expm1_pair(a, a.clamp(x, a.real(-40.0), highest(a)));
    let result = a.mul(a.add(high, low), a.real(2.0));
    a.keep_nan(x, keep_tiny(a, x, result))
}

/// Hyperbolic tangent, within 0.80 ulp: tanh |x| = -E / (1 + E) with E = (e^(-2|x|) - 1) / 2.
#[inline(always)]
pub(super) fn tanh<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    // Above 20 the result is 1.
    let magnitude = a.clamp(a.abs(x), a.real(0.0), a.real(20.0));
    let (high, low) = half_expm1_pair(a, a.mul(magnitude, a.real(-2.0)));
    let (high, low) = a.fast_two_sum(high, low);
    let (sum, error) = a.fast_two_sum(a.real(1.0), high);
    let result = a.divide_pairs((a.neg(high), a.neg(low)), (sum, a.add(error, low)));
    a.keep_nan(x, keep_tiny(a, x, a.with_sign(result, x)))
}

/// 1 / (1 + e^-x), within 0.80 ulp; for negative x as e^x / (1 + e^x).
#[inline(always)]
pub(super) fn sigmoid<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let reduced = reduce(a, a.clamp(a.neg(a.abs(x)), lowest(a), a.real(0.0)));
    let (high, low) = exp_pair(a, reduced.r, reduced.c);
    let (high, low) = a.fast_two_sum(high, low);
    let (high, low) = (a.scale(high, reduced.k), a.scale(low, reduced.k));
    let (sum, error) = a.fast_two_sum(a.real(1.0), high);
    let negative = a.less(x, a.real(0.0));
    let numerator = (a.select(negative, high, a.real(1.0)), a.select(negative, low, a.real(0.0)));
    a.keep_nan(x, a.divide_pairs(numerator, (sum, a.add(error, low))))
}
