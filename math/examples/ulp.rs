//! Goes over all 2^32 arguments of the unary f32 functions and prints their largest error.
//!
//! `cargo run --release -p aplysia-math --example ulp [-- NAME… [STEP]]`; with a number STEP only every STEP-th
//! argument is taken. The reference is the f64 function of the standard
//! library, whose own error is far below the figures printed. Errors are in units of the last place of the exact
//! result, subnormal ones included; `wrong` counts results that are NaN, infinite or zero where they should not be,
//! or the reverse.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use aplysia_math::MathFn;
use aplysia_math::evaluate;

const CHUNKS: u32 = 4096;

type Reference = fn(f64) -> f64;

const FUNCTIONS: [(&str, MathFn, Reference); 9] = [
    ("exp", MathFn::Exp, f64::exp),
    ("ln", MathFn::Ln, f64::ln),
    ("log2", MathFn::Log2, f64::log2),
    ("log1p", MathFn::Log1p, f64::ln_1p),
    ("expm1", MathFn::Expm1, f64::exp_m1),
    ("sin", MathFn::Sin, f64::sin),
    ("cos", MathFn::Cos, f64::cos),
    ("tanh", MathFn::Tanh, f64::tanh),
    ("sigmoid", MathFn::Sigmoid, sigmoid),
];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[derive(Clone, Copy, Default)]
struct Summary {
    error: f64,
    at: u32,
    wrong: u64,
    not_nearest: u64,
}

impl Summary {
    fn add(&mut self, other: Self) {
        if other.error > self.error || other.error == self.error && other.at < self.at {
            (self.error, self.at) = (other.error, other.at);
        }
        self.wrong += other.wrong;
        self.not_nearest += other.not_nearest;
    }
}

fn check(bits: u32, function: MathFn, reference: Reference) -> Summary {
    let x = f32::from_bits(bits);
    let (got, exact) = (evaluate(function, &[x]), reference(x.into()));
    let nearest = exact as f32;
    if got.to_bits() == nearest.to_bits() && (nearest == 0.0 || nearest.is_infinite()) {
        return Summary::default();
    }
    if got.is_nan() || nearest.is_nan() {
        return Summary { wrong: u64::from(got.is_nan() != nearest.is_nan()), ..Summary::default() };
    }
    if got.is_infinite() || nearest.is_infinite() {
        return Summary { wrong: 1, at: bits, ..Summary::default() };
    }
    let exponent = ((exact.to_bits() >> 52 & 0x7ff) as i32 - 1023).max(-126);
    let error = (f64::from(got) - exact).abs() * 2f64.powi(23 - exponent);
    Summary { error, at: bits, wrong: 0, not_nearest: u64::from(got != nearest) }
}

fn survey(function: MathFn, reference: Reference, step: usize) -> Summary {
    let next = AtomicU32::new(0);
    let work = || {
        let mut summary = Summary::default();
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= CHUNKS {
                return summary;
            }
            let size = (1u64 << 32) / u64::from(CHUNKS);
            for offset in (0..size).step_by(step) {
                let bits = u64::from(chunk) * size + offset;
                summary.add(check(bits as u32, function, reference));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    let mut total = Summary::default();
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            total.add(handle.join().expect("a worker does not panic"));
        }
    });
    total
}

fn main() {
    let (steps, wanted): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.parse::<usize>().is_ok());
    let step = steps.iter().find_map(|word| word.parse().ok()).unwrap_or(1).max(1);
    println!("| function | largest error (ulp) | at | not nearest | wrong | seconds |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (name, function, reference) in FUNCTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|each| each == name) {
            continue;
        }
        let start = Instant::now();
        let summary = survey(function, reference, step);
        println!(
            "| {name} | {:.4} | {:e} | {:.2} % | {} | {:.0} |",
            summary.error,
            f32::from_bits(summary.at),
            100.0 * summary.not_nearest as f64 / 2f64.powi(32) * step as f64,
            summary.wrong,
            start.elapsed().as_secs_f64(),
        );
    }
}
