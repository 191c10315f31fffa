//! Errors against references of higher precision.

use super::super::*;

fn ulp32(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got.is_nan() && want.is_nan() || got == rounded && (got.is_infinite() || got == 0.0) {
        return 0.0;
    }
    if got.is_nan() || want.is_nan() || got.is_infinite() != rounded.is_infinite() {
        return f64::INFINITY;
    }
    let exponent = ((want.abs().to_bits() >> 52) as i32 - 1023).max(-126);
    (f64::from(got) - want).abs() * 2f64.powi(23 - exponent)
}

fn worst(function: MathFn, reference: fn(f64) -> f64) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for bits in (0..=u32::MAX).step_by(4099) {
        let x = f32::from_bits(bits);
        let error = ulp32(evaluate(function, &[x]), reference(x.into()));
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

#[test]
fn single_precision_functions_keep_their_bounds() {
    let table: [(MathFn, fn(f64) -> f64, f64); 9] = [
        (MathFn::Exp, f64::exp, 1.0),
        (MathFn::Ln, f64::ln, 1.0),
        (MathFn::Log2, f64::log2, 1.0),
        (MathFn::Log1p, f64::ln_1p, 1.0),
        (MathFn::Expm1, f64::exp_m1, 1.0),
        (MathFn::Sin, f64::sin, 1.0),
        (MathFn::Cos, f64::cos, 1.0),
        (MathFn::Tanh, f64::tanh, 1.0),
        (MathFn::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 1.0),
    ];
    for (function, reference, bound) in table {
        let (error, x) = worst(function, reference);
        eprintln!("{function:?} {error:.4} at {x:e}");
        assert!(error <= bound, "{function:?} has {error} ulp at {x:e}");
    }
}
