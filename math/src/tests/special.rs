//! Exact and special values, and the remainder.

use super::{Bits, UNARY};
use crate::MathFn;
use crate::arith::Arithmetic;
use crate::eval::Direct;
use crate::remainder::remainder;
use crate::{Real, evaluate};

/// Equal bits; any NaN is as good as any other.
#[track_caller]
fn same<R: Real>(got: R, want: R, what: &str) {
    let nan = got.to_f64().is_nan() && want.to_f64().is_nan();
    assert!(nan || got.to_bits64() == want.to_bits64(), "{what}: {got:?}, not {want:?}");
}

fn unary<R: Real>(function: MathFn, x: f64, want: f64) {
    same(evaluate(function, &[R::from_f64(x)]), R::from_f64(want), &format!("{function:?}({x:e})"));
}

fn both(function: MathFn, x: f64, want: f64) {
    unary::<f32>(function, x, want);
    unary::<f64>(function, x, want);
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn special_arguments_give_what_annex_f_says() {
    let rows: [(MathFn, &[(f64, f64)]); 9] = [
        (MathFn::Exp, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e4, INF), (-1e4, 0.0)]),
        (
            MathFn::Ln,
            &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-1e-40, NAN), (INF, INF), (-INF, NAN)],
        ),
        (
            MathFn::Log2,
            &[(1.0, 0.0), (8.0, 3.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (-INF, NAN)],
        ),
        (MathFn::Log1p, &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN), (INF, INF), (-INF, NAN)]),
        (MathFn::Expm1, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (-1e4, -1.0), (1e4, INF)]),
        (MathFn::Sin, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)]),
        (MathFn::Cos, &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)]),
        (MathFn::Tanh, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e4, 1.0), (-1e4, -1.0)]),
        (MathFn::Sigmoid, &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e4, 1.0), (-1e4, 0.0)]),
    ];
    for (function, cases) in rows {
        for &(x, want) in cases {
            both(function, x, want);
        }
    }
    for function in UNARY {
        both(function, NAN, NAN);
        both(function, -NAN, NAN);
    }
}

#[test]
fn a_logarithm_of_a_power_of_two_is_exact() {
    for exponent in -1074..=1023 {
        unary::<f64>(
            MathFn::Log2,
            2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2),
            exponent.into(),
        );
    }
    for exponent in -149..=127 {
        unary::<f32>(MathFn::Log2, 2f64.powi(exponent), exponent.into());
    }
}

#[test]
fn subnormal_arguments_and_results_are_kept() {
    for function in [MathFn::Log1p, MathFn::Expm1, MathFn::Sin, MathFn::Tanh] {
        unary::<f32>(function, 1e-45, 1e-45);
        unary::<f64>(function, -5e-324, -5e-324);
    }
    assert_eq!(evaluate(MathFn::Exp, &[-103.0f32]), f32::from_bits(1));
    assert_eq!(evaluate(MathFn::Exp, &[-745.0f64]), f64::from_bits(1));
    assert_eq!(evaluate(MathFn::Pow, &[2.0f64, -1074.0]), f64::from_bits(1));
    assert_eq!(evaluate(MathFn::Pow, &[f32::from_bits(1), 1.0]), f32::from_bits(1));
}

/// Every pair of these is tried with `pow`.
const PIVOTS: [f64; 19] = [
    0.0,
    0.25,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    4.0,
    7.0,
    100.0,
    101.0,
    1e9,
    16_777_217.0,
    3e38,
    1e-38,
    INF,
    NAN,
];

fn power_grid<R: Real>(reference: fn(R, R) -> R) {
    for x in PIVOTS {
        for y in PIVOTS {
            for (x, y) in [(x, y), (-x, y), (x, -y), (-x, -y)] {
                let (x, y) = (R::from_f64(x), R::from_f64(y));
                let (got, want) = (evaluate(MathFn::Pow, &[x, y]), reference(x, y));
                // Where rounding matters both may be right; `accuracy` and `precise` look at that.
                let close = (got.to_f64() - want.to_f64()).abs() <= want.to_f64().abs() * 2e-7;
                let plain = got.to_f64().is_normal() && close && got.to_f64().abs() != 1.0;
                if !plain {
                    same(got, want, &format!("pow({x:?}, {y:?})"));
                }
            }
        }
    }
}

#[test]
fn powers_agree_with_the_standard_library_on_special_pairs() {
    power_grid::<f32>(f32::powf);
    power_grid::<f64>(f64::powf);
}

#[test]
fn small_whole_powers_are_exact() {
    for base in 1..=20u32 {
        for exponent in 0..=5i32 {
            let want = f64::from(base).powi(exponent);
            assert_eq!(evaluate(MathFn::Pow, &[f64::from(base), exponent.into()]), want);
            let single = evaluate(MathFn::Pow, &[base as f32, exponent as f32]);
            assert_eq!(f64::from(single), want, "{base}^{exponent}");
        }
    }
}

fn check_remainder<R: Real>(x: R, y: R) {
    let direct = Direct::<R>::new();
    assert_eq!(direct.precision(), R::PRECISION);
    same(remainder(&direct, x, y), x.rem(y), &format!("{x:?} % {y:?}"));
}

#[test]
fn the_remainder_is_that_of_the_language() {
    let mut bits = Bits(3);
    for _ in 0..100_000 {
        let [x, y] = [0, 1].map(|_| bits.next());
        check_remainder(f32::from_bits(x as u32), f32::from_bits(y as u32));
        check_remainder(f64::from_bits(x), f64::from_bits(y));
        check_remainder(bits.between(-1e6, 1e6), bits.between(-100.0, 100.0));
        check_remainder(bits.spread(-3, 30) as f32, (y % 1000) as f32 / 8.0);
    }
    let edges =
        [0.0, 1.0, 3.0, 5e-324, 1e-310, 2.2e-308, 1e-45, 1e-39, 1e308, f64::MAX, 3.4e38, 6.0, INF, NAN];
    for x in edges {
        for y in edges {
            for (x, y) in [(x, y), (-x, y), (x, -y), (-x, -y)] {
                check_remainder(x, y);
                check_remainder(x as f32, y as f32);
            }
        }
    }
}

/// A digest (FNV-1a) of a function's bits at 2000 arguments; NaN counts as one value.
fn digest<R: Real>(function: MathFn) -> u64 {
    let mut bits = Bits(11);
    (0..2000).fold(0xcbf2_9ce4_8422_2325, |digest, _| {
        let arguments = [R::from_f64(bits.spread(-20, 7)), R::from_f64(bits.spread(-8, 4))];
        let count = if function == MathFn::Pow { 2 } else { 1 };
        let value = evaluate(function, &arguments[..count]);
        let value = if value.to_f64().is_nan() { u64::MAX } else { value.to_bits64() };
        value
            .to_le_bytes()
            .iter()
            .fold(digest, |digest: u64, &byte| (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    })
}

#[test]
fn functions_keep_their_bits() {
    let mut table = String::new();
    for function in UNARY.into_iter().chain([MathFn::Pow]) {
        table += &format!("{function:?} {:016x} {:016x}\n", digest::<f32>(function), digest::<f64>(function));
    }
    assert_eq!(table, FROZEN, "results of earlier versions must stay reproducible");
}

/// The digests in f32 and in f64.
const FROZEN: &str = "\
Exp 634cd90f24f50f1e f6e62103c6d25cb3
Ln eb4cde01ac4228b4 3207b70e7235b993
Log2 523c20fa72c1bfcb 27d00bc3c2450750
Log1p dc2b6beb0461274b cdd2059e608b6a8b
Expm1 c3a19e28328afd20 beee0a0dbe65af9a
Sin 3b472e1597b191b5 43681644bcf706d8
Cos b78a0c4a8a12acb7 28d93f39e0ac434c
Tanh a3fe765aa3f699c1 147b808764890905
Sigmoid 521de1c5ba027574 f651479dcaa774fb
Pow 6d0030d229ba0c3d be1d522967461bfd
";
