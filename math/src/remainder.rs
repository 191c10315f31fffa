//! The exact remainder of a division, with the sign of the dividend, as Rust's `%`.
//!
//! Long division with digits of [`digit_bits`]: the divisor is scaled up while it fits, then divided out while it is
//! scaled down. Every step is exact, so the result is too.

use super::arith::{Arithmetic, two_to};

/// How many bits of the quotient a step gives; small enough that a digit is an exact integer.
fn digit_bits<A: Arithmetic>(a: &A) -> i32 {
    a.pick(22, 50)
}

/// As many steps as the exponents of two numbers can differ by.
fn steps<A: Arithmetic>(a: &A) -> u32 {
    a.pick(14, 44)
}

/// x - y · trunc(x / y)
pub fn remainder<A: Arithmetic>(a: &A, x: A::Float, y: A::Float) -> A::Float {
    let (zero, infinity) = (a.real(0.0), a.real(f64::INFINITY));
    let (dividend, divisor) = (a.abs(x), a.abs(y));
    let x_finite = a.less(dividend, infinity);
    let defined = a.and(x_finite, a.less(zero, divisor));
    let regular = a.and(defined, a.less(divisor, infinity));
    let r = a.select(regular, dividend, zero);
    let d = a.select(regular, divisor, a.real(1.0));

    let up = a.real(two_to(digit_bits(a)));
    let down = a.real(two_to(-digit_bits(a)));
    // An overflow is larger than any r, so the scaled divisor stays finite.
    let [top, _] = a.repeat(steps(a), [d, zero], |_, [scaled, spare]| {
        let next = a.mul(scaled, up);
        let too_large = a.less(r, next);
        ([a.select(too_large, scaled, next), spare], too_large)
    });
    let [_, rest] = a.repeat(steps(a), [top, r], |_, [scaled, r]| {
        let digit = a.floor(a.div(r, scaled));
        let rest = a.fma(a.neg(digit), scaled, r);
        // The rounded quotient may have reached the next integer.
        let rest = a.select(a.less(rest, zero), a.add(rest, scaled), rest);
        ([a.mul(scaled, down), rest], a.equal(scaled, d))
    });
    let rest = a.with_sign(rest, x);
    a.select(regular, rest, a.select(defined, x, a.real(f64::NAN)))
}
