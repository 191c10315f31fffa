//! Errors in f32, against the f64 functions of the standard library.

use super::{Bits, UNARY};
use crate::MathFn;
use crate::evaluate;

/// The error in units of the last place of the exact result; infinite where a NaN, an infinity or a signed zero is
/// wrong.
fn ulp(got: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if got.is_nan() && exact.is_nan() || got.to_bits() == nearest.to_bits() && nearest.is_infinite() {
        return 0.0;
    }
    if got.is_nan() || exact.is_nan() || got.is_infinite() || nearest.is_infinite() {
        return f64::INFINITY;
    }
    if nearest == 0.0 && got == 0.0 && got.is_sign_negative() != nearest.is_sign_negative() {
        return f64::INFINITY;
    }
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).max(-126);
    (f64::from(got) - exact).abs() * 2f64.powi(23 - exponent)
}

fn reference(function: MathFn) -> fn(f64) -> f64 {
    match function {
        MathFn::Exp => f64::exp,
        MathFn::Ln => f64::ln,
        MathFn::Log2 => f64::log2,
        MathFn::Log1p => f64::ln_1p,
        MathFn::Expm1 => f64::exp_m1,
        MathFn::Sin => f64::sin,
        MathFn::Cos => f64::cos,
        MathFn::Tanh => f64::tanh,
        MathFn::Sigmoid => |x| 1.0 / (1.0 + (-x).exp()),
        MathFn::Pow => unreachable!("two arguments"),
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
fn single_precision_functions_keep_their_bounds() {
    for function in UNARY {
        let exact = reference(function);
        let (mut worst, mut at) = (0.0, 0.0);
        for bits in (0..=u32::MAX).step_by(4099) {
            let x = f32::from_bits(bits);
            let error = ulp(evaluate(function, &[x]), exact(x.into()));
            if error > worst {
                (worst, at) = (error, x);
            }
        }
        println!("{function:?}: {worst:.4} ulp at {at:e}");
        assert!(worst <= bound(function), "{function:?} has {worst} ulp at {at:e}");
    }
}

#[test]
fn single_precision_power_keeps_its_bound() {
    let mut bits = Bits(7);
    let mut worst = (0.0, 0.0, 0.0);
    for round in 0..400_000 {
        let (x, y) = match round % 4 {
            0 => (bits.spread(-149, 127).abs(), bits.spread(-20, 6)),
            1 => (bits.between(0.5, 2.0), bits.between(-200.0, 200.0)),
            2 => (1.0 + bits.spread(-24, -3), bits.spread(0, 28)),
            _ => (bits.between(0.0, 50.0), bits.between(-20.0, 20.0)),
        };
        let (x, y) = (x as f32, y as f32);
        let error = ulp(evaluate(MathFn::Pow, &[x, y]), f64::from(x).powf(y.into()));
        if error > worst.0 {
            worst = (error, x, y);
        }
    }
    println!("Pow: {worst:?}");
    assert!(worst.0 <= bound(MathFn::Pow), "pow has {} ulp at {:e}, {:e}", worst.0, worst.1, worst.2);
}
