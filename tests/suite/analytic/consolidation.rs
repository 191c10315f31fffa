//! The chain of variables of Benna & Fusi (2016).

use super::{Bench, near};
use aplysia::prelude::*;

const SIZE: usize = 8;
type Levels = [f64; SIZE];
type Matrix = [Levels; SIZE];

/// C_k = 2^(k - 1)
fn width(k: usize) -> f64 {
    2f64.powi(k as i32 - 1)
}

/// g_k = 2^(-k - 2), the tube between u_k and u_(k + 1)
fn tube(k: usize) -> f64 {
    2f64.powi(-(k as i32) - 2)
}

/// The rates of change of the levels, as the text has them, for k = 1 .. 8.
fn rates(closed: bool) -> Matrix {
    let mut matrix = [[0.0; SIZE]; SIZE];
    for k in 1..=SIZE {
        let row = &mut matrix[k - 1];
        if k > 1 {
            row[k - 2] += tube(k - 1) / width(k);
            row[k - 1] -= tube(k - 1) / width(k);
        }
        if k < SIZE {
            row[k] += tube(k) / width(k);
        }
        if k < SIZE || !closed {
            row[k - 1] -= tube(k) / width(k);
        }
    }
    matrix
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..SIZE).map(|k| a[i][k] * b[k][j]).sum()))
}

/// e^(M t), by a Taylor polynomial of degree 24 of M t / 2^n, squared n times. No entry of M exceeds 1/2.
fn exponential(matrix: &Matrix, t: f64) -> Matrix {
    let squarings = t.log2().ceil().max(0.0) as i32;
    let small = matrix.map(|row| row.map(|entry| entry * t / 2f64.powi(squarings)));
    let one: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    let mut total = one;
    for k in (1..=24).rev() {
        total = multiply(&small, &total).map(|row| row.map(|entry| entry / f64::from(k)));
        (0..SIZE).for_each(|i| total[i][i] += 1.0);
    }
    (0..squarings).fold(total, |power, _| multiply(&power, &power))
}

/// A chain with steps of ten seconds.
fn chain(ends: &str) -> Bench {
    let rule = Rule::shipped("benna_fusi").unwrap().option("ends", ends).unwrap();
    Bench::new(Group::dense(1, 1).rule(&rule).precision(Precision::F64).dt(s(10.0)))
}

/// Steps are of so many units from now on; the chain rests at 0, but for its weight, which has just been raised to 1.
fn kick(bench: &mut Bench, step: f64) {
    bench.engine.set_param(bench.group, "unit", 10.0 / step).unwrap();
    bench.engine.write(bench.group, "w", 1.0).unwrap();
    bench.engine.write(bench.group, "u", ndarray::Array3::<f64>::zeros((1, 1, SIZE - 1))).unwrap();
}

fn levels(bench: &mut Bench) -> Levels {
    let mut all = vec![bench.value("w")];
    all.extend(bench.values("u"));
    all.try_into().unwrap()
}

/// After any number of steps of any length the levels are the first column of e^(M t).
pub fn propagator() {
    for ends in ["leaky", "closed"] {
        let mut bench = chain(ends);
        for (step, steps) in [(0.1, 300), (1.0, 30), (40.0, 5), (30_000.0, 2)] {
            kick(&mut bench, step);
            for _ in 0..steps {
                bench.step(&[], &[]);
            }
            let expected = exponential(&rates(ends == "closed"), step * f64::from(steps));
            for (k, level) in levels(&mut bench).into_iter().enumerate() {
                let what = format!("u_{} after {steps} steps of {step} units, {ends}", k + 1);
                near(level, expected[k][0], 1e-11, &what);
            }
        }
    }
}

/// The sum of C_k u_k is what has been poured in, of which the open end lets g_8 u_8 flow out in a unit of time.
pub fn conservation() {
    let total = |levels: Levels| (1..=SIZE).map(|k| width(k) * levels[k - 1]).sum::<f64>();
    let mut bench = chain("closed");
    kick(&mut bench, 10.0);
    for _ in 0..2000 {
        bench.step(&[], &[]);
        near(total(levels(&mut bench)), 1.0, 1e-12, "the sum over the closed chain");
    }
    // What is poured in while the chain runs is added.
    bench.engine.write(bench.group, "w", 3.0).unwrap();
    let before = total(levels(&mut bench));
    bench.step(&[], &[]);
    near(total(levels(&mut bench)), before, 1e-12, "the sum after more is poured in");
    // A chain that is level at 1 loses g_8 u_8: by Simpson's rule over two units.
    let group = Bench::shipped("benna_fusi", 1, 1).dt(s(1.0)).init("w", 1.0);
    let mut bench = Bench::new(group);
    let first = levels(&mut bench);
    assert_eq!(first, [1.0; SIZE], "the chain starts level with the weight");
    bench.step(&[], &[]);
    let second = levels(&mut bench);
    bench.step(&[], &[]);
    let third = levels(&mut bench);
    let out = tube(SIZE) * (first[SIZE - 1] + 4.0 * second[SIZE - 1] + third[SIZE - 1]) / 3.0;
    near(total(first) - total(third), out, 1e-13, "what has leaked out");
}

/// The trace of one change falls like t^(-1/2) (figure 2 of the paper): between 10 and 10^5 units its product with sqrt(t)
/// stays within 1 percent of one number, over four orders of magnitude. Then the chain comes to its end, at 2^17 units.
pub fn power_law() {
    let mut bench = chain("leaky");
    let mut trace = |t: f64| {
        kick(&mut bench, t);
        bench.step(&[], &[]);
        bench.value("w") * t.sqrt()
    };
    for t in [10.0, 100.0, 1000.0, 10_000.0, 100_000.0f64] {
        near(trace(t), 1.336, 0.013, &format!("the trace after {t} units times the square root of that"));
    }
    for (t, share) in [(4.0 * 131_072.0, 0.6), (8.0 * 131_072.0, 0.2f64)] {
        let product = trace(t);
        assert!(product < share * 1.336, "after {t} units the trace is still {product} / sqrt(t)");
    }
}
