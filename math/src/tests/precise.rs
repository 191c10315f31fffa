//! Errors in f64, against arbitrary precision.

use astro_float::{BigFloat, Consts, RoundingMode};

use super::{Bits, UNARY};
use crate::MathFn;
use crate::evaluate;

/// How many arguments each function is tried at.
const POINTS: usize = 20_000;
/// Bits of the reference: enough for what cancels in e^x - 1 at the smallest arguments that are tried, 2^-50.
const BITS: usize = 128;
const TO_EVEN: RoundingMode = RoundingMode::ToEven;

/// The value rounded toward zero to 64 bits, as a real and an exponent of 2.
fn scaled(value: &BigFloat) -> (f64, i32) {
    let (words, _, sign, exponent, _) = value.as_raw_parts().expect("a finite value");
    let top = *words.last().expect("a mantissa") as f64 * 2f64.powi(-64);
    (if sign.is_negative() { -top } else { top }, exponent)
}

/// The same number; the library misreads subnormal ones, so these take a way round.
fn big(x: f64) -> BigFloat {
    if x.is_subnormal() {
        let scale = BigFloat::from_f64(2f64.powi(-100), BITS);
        return BigFloat::from_f64(x * 2f64.powi(100), BITS).mul(&scale, BITS, TO_EVEN);
    }
    BigFloat::from_f64(x, BITS)
}

/// The error in units of the last place of the exact result.
fn ulp(got: f64, exact: &BigFloat) -> f64 {
    let (value, exponent) = scaled(exact);
    if got.is_infinite() {
        return if exponent > 1024 || exponent == 1024 && value.abs() > 1.0 - 2f64.powi(-54) {
            0.0
        } else {
            got
        };
    }
    let difference = big(got).sub(exact, BITS, TO_EVEN);
    if difference.is_zero() {
        return 0.0;
    }
    let (size, scale) = scaled(&difference);
    size.abs() * 2f64.powi(scale - (exponent - 53).max(-1074))
}

fn reference(function: MathFn, x: f64, constants: &mut Consts) -> BigFloat {
    let number = big(x);
    let one = BigFloat::from_f64(1.0, BITS);
    match function {
        MathFn::Exp => number.exp(BITS, TO_EVEN, constants),
        MathFn::Ln => number.ln(BITS, TO_EVEN, constants),
        MathFn::Log2 => number.log2(BITS, TO_EVEN, constants),
        MathFn::Log1p => number.add(&one, BITS, TO_EVEN).ln(BITS, TO_EVEN, constants),
        MathFn::Expm1 => number.exp(BITS, TO_EVEN, constants).sub(&one, BITS, TO_EVEN),
        MathFn::Sin => number.sin(BITS, TO_EVEN, constants),
        MathFn::Cos => number.cos(BITS, TO_EVEN, constants),
        MathFn::Tanh => number.tanh(BITS, TO_EVEN, constants),
        MathFn::Sigmoid => {
            let below = number.neg().exp(BITS, TO_EVEN, constants).add(&one, BITS, TO_EVEN);
            one.div(&below, BITS, TO_EVEN)
        }
        MathFn::Pow => unreachable!("two arguments"),
    }
}

/// An argument where the function is neither constant nor, but for rounding, the identity.
fn argument(function: MathFn, round: usize, bits: &mut Bits) -> f64 {
    match (function, round % 3) {
        (MathFn::Exp, 0) => bits.between(-745.0, 709.7),
        (MathFn::Exp, _) => bits.spread(-20, 5),
        (MathFn::Expm1, 0) => bits.between(-40.0, 709.7),
        (MathFn::Expm1 | MathFn::Tanh, _) => bits.spread(-50, 4),
        (MathFn::Ln | MathFn::Log2, 0) => bits.spread(-1074, 1023).abs(),
        (MathFn::Ln | MathFn::Log2, 1) => bits.between(0.5, 2.0),
        (MathFn::Ln | MathFn::Log2, _) => 1.0 + bits.spread(-45, -2),
        (MathFn::Log1p, 0) => bits.spread(0, 1023).abs(),
        (MathFn::Log1p, 1) => bits.between(-1.0, 1.0),
        (MathFn::Log1p, _) => bits.spread(-50, -2),
        (MathFn::Sin | MathFn::Cos, 0) => bits.spread(-30, 60),
        (MathFn::Sin | MathFn::Cos, 1) => bits.between(-100.0, 100.0),
        // Close to a multiple of π/2.
        (MathFn::Sin | MathFn::Cos, _) => (bits.next() % 100_000) as f64 * std::f64::consts::FRAC_PI_2,
        (MathFn::Sigmoid, 0) => bits.between(-745.0, 40.0),
        (MathFn::Sigmoid, _) => bits.spread(-20, 5),
        (MathFn::Pow, _) => unreachable!("two arguments"),
    }
}

/// The bounds of the table in `math`.
fn bound(function: MathFn) -> f64 {
    match function {
        MathFn::Ln | MathFn::Log2 | MathFn::Log1p => 0.70,
        MathFn::Expm1 => 0.95,
        MathFn::Exp | MathFn::Sin | MathFn::Cos | MathFn::Tanh | MathFn::Sigmoid | MathFn::Pow => 0.80,
    }
}

#[test]
fn double_precision_functions_keep_their_bounds() {
    let mut constants = Consts::new().expect("memory for constants");
    for function in UNARY {
        let mut bits = Bits(function as u64);
        let (mut worst, mut at) = (0.0, 0.0);
        for round in 0..POINTS {
            let x = argument(function, round, &mut bits);
            let error = ulp(evaluate(function, &[x]), &reference(function, x, &mut constants));
            if error.is_nan() || error > worst {
                (worst, at) = (error, x);
            }
        }
        println!("{function:?}: {worst:.4} ulp at {at:e}");
        assert!(worst <= bound(function), "{function:?} has {worst} ulp at {at:e}");
    }
}

#[test]
fn double_precision_power_keeps_its_bound() {
    let mut constants = Consts::new().expect("memory for constants");
    let mut bits = Bits(99);
    let mut worst = (0.0, 0.0, 0.0);
    for round in 0..POINTS / 2 {
        let x: f64 = match round % 3 {
            0 => bits.spread(-1074, 1023).abs(),
            1 => bits.between(0.25, 4.0),
            _ => 1.0 + bits.spread(-45, -2),
        };
        // Powers over the whole range of results.
        let y = bits.between(-1074.0, 1024.0) / x.log2();
        let exact = big(x).pow(&big(y), BITS, TO_EVEN, &mut constants);
        let error = ulp(evaluate(MathFn::Pow, &[x, y]), &exact);
        if error.is_nan() || error > worst.0 {
            worst = (error, x, y);
        }
    }
    println!("Pow: {worst:?}");
    assert!(worst.0 <= bound(MathFn::Pow), "pow has {} ulp at {:e}, {:e}", worst.0, worst.1, worst.2);
}

#[test]
fn sine_and_cosine_hold_for_the_largest_and_the_hardest_arguments() {
    let mut constants = Consts::new().expect("memory for constants");
    // 6381956970095103 · 2^797 is the double that comes closest to a multiple of π/2.
    let hardest = 6_381_956_970_095_103.0 * 2f64.powi(797);
    for x in [hardest, f64::MAX, 1e22, 2f64.powi(1023), 1e300] {
        for function in [MathFn::Sin, MathFn::Cos] {
            let number = BigFloat::from_f64(x, 1400);
            let exact = match function {
                MathFn::Sin => number.sin(1400, TO_EVEN, &mut constants),
                _ => number.cos(1400, TO_EVEN, &mut constants),
            };
            let error = ulp(evaluate(function, &[x]), &exact);
            assert!(error <= bound(function), "{function:?} has {error} ulp at {x:e}");
        }
    }
}
