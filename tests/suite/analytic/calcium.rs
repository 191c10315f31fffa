//! Calcium-based plasticity (Graupner & Brunel 2012).

use super::{Bench, near};
use aplysia::prelude::*;

/// C_pre, C_post, theta_p, gamma_d, gamma_p, delay in ms, of the sets whose name is given (table S1).
const SETS: [(&str, [f64; 6]); 4] = [
    ("dp", [1.0, 2.0, 1.3, 200.0, 321.808, 13.7]),
    ("dpd", [0.9, 0.9, 1.3, 250.0, 550.0, 4.6]),
    ("dpd_prime", [1.0, 2.0, 2.5, 50.0, 600.0, 2.2]),
    ("p", [2.0, 2.0, 1.3, 160.0, 257.447, 0.0]),
];

const TAU: f64 = 150_000.0;
const TAU_CA: f64 = 20.0;

/// How long calcium stays above a threshold after one pair, in ms: the second spike's calcium comes `lag` after the
/// first's.
fn time_above(theta: f64, first: f64, second: f64, lag: f64) -> f64 {
    let falls = |peak: f64| TAU_CA * (peak / theta).ln().max(0.0);
    falls(first).min(lag) + falls(first * (-lag / TAU_CA).exp() + second)
}

/// Times above theta_d and theta_p after a pair with the postsynaptic spike `delay` ms after the presynaptic one.
fn times([pre, post, theta_p, _, _, late]: [f64; 6], delay: f64) -> (f64, f64) {
    let lag = delay - late;
    let (first, second) = if lag >= 0.0 { (pre, post) } else { (post, pre) };
    (time_above(1.0, first, second, lag.abs()), time_above(theta_p, first, second, lag.abs()))
}

fn bench(data: &str, rest: &str, size: (usize, usize), dt: f64) -> Group {
    let rule = Rule::shipped("graupner_brunel").unwrap().option("data", data).unwrap();
    let rule = rule.option("rest", rest).unwrap();
    Group::dense(size.0, size.1).rule(&rule).precision(Precision::F64).dt(ms(dt))
}

/// The mean efficacy after 60 pairs without noise follows w_bar + (w_0 - w_bar) e^(-t / tau_eff), with the rates averaged
/// over the times above the thresholds (equations S17 to S21 of the supplement), for all delays and both starts; the curve
/// of each set has the signs after which figure 2 names it.
pub fn curves() {
    let (dt, pairs, period) = (0.1, 60usize, 3000usize);
    let delays: Vec<i64> = (-50..=50).step_by(5).collect();
    for (data, set) in SETS {
        let group = bench(data, "flat", (delays.len(), 2), dt).param("sigma", 0.0);
        let start = ndarray::Array2::from_shape_fn((delays.len(), 2), |(_, j)| j as f64);
        let mut bench = Bench::new(group.init("w", &start));
        for step in 0..pairs * period {
            let at = (step % period) as i64;
            // The postsynaptic spike comes 100 ms after the period begins.
            let pre = super::which(delays.len(), |i| at == 1000 - 10 * delays[i]);
            bench.step(&pre, if at == 1000 { &[0, 1] } else { &[] });
        }
        let found = bench.values("w");
        for (i, &delay) in delays.iter().enumerate() {
            let (weak, strong) = times(set, delay as f64);
            let (down, up) = (set[3] * weak / TAU, set[4] * strong / TAU);
            let bar = if up + down > 0.0 { up / (up + down) } else { 0.0 };
            for (j, start) in [0.0, 1.0].into_iter().enumerate() {
                let expected = bar + (start - bar) * (-(up + down) * pairs as f64).exp();
                let what = format!("{data}: the efficacy after pairs with {delay} ms, from {start}");
                near(found[2 * i + j], expected, 0.02, &what);
            }
        }
    }
    let bar = |set: [f64; 6], delay: f64| {
        let (weak, strong) = times(set, delay);
        set[4] * strong / (set[4] * strong + set[3] * weak)
    };
    let [dp, dpd, dpd_prime, p] = SETS.map(|(_, set)| set);
    // One presynaptic or postsynaptic spike alone changes nothing on average: gamma_p is chosen so.
    near(bar(dp, -500.0), 0.5, 1e-6, "DP at -500 ms");
    near(bar(p, -500.0), 0.5, 1e-6, "P at -500 ms");
    assert!(bar(dp, -20.0) < 0.45 && bar(dp, 20.0) > 0.54, "DP: depression, then potentiation");
    assert!(bar(dpd, -12.0) < 0.3 && bar(dpd, 4.6) > 0.5 && bar(dpd, 20.0) < 0.3, "DPD");
    assert!(bar(dpd_prime, -20.0) < 0.1 && bar(dpd_prime, 5.0) > 0.5 && bar(dpd_prime, 60.0) < 0.1, "DPD'");
    assert!([-30.0, 0.0, 30.0].iter().all(|&delay| bar(p, delay) >= 0.5), "P");
}

/// Step by step: calcium as the sum over spikes, each presynaptic one 13.7 ms late, and one Euler step of the equation.
pub fn step_by_step() {
    let (dt, steps) = (0.1, 6000usize);
    let [c_pre, c_post, theta_p, gamma_d, gamma_p, late] = SETS[0].1;
    let mut bench =
        Bench::new(bench("dp", "bistable", (1, 1), dt).param("sigma", 0.0).param("tau", 5.0).init("w", 0.3));
    let mut random = super::Random(14);
    let (mut w, mut pre_times, mut post_times) = (0.3, Vec::new(), Vec::new());
    let (mut below, mut between, mut above) = (0, 0, 0);
    for step in 0..steps {
        let (pre, post) = (random.uniform() < 0.004, random.uniform() < 0.004);
        if pre {
            pre_times.push(step as f64 * dt + late);
        }
        if post {
            post_times.push(step as f64 * dt);
        }
        let at = step as f64 * dt;
        let sum = |times: &[f64]| {
            let past = times.iter().filter(|&&time| time <= at + 0.01 * dt);
            past.map(|time| ((time - at) / TAU_CA).exp()).sum::<f64>()
        };
        let c = c_pre * sum(&pre_times) + c_post * sum(&post_times);
        let mut slope = -w * (1.0 - w) * (0.5 - w);
        if c > theta_p {
            slope += gamma_p * (1.0 - w);
            above += 1;
        } else if c > 1.0 {
            between += 1;
        } else {
            below += 1;
        }
        if c > 1.0 {
            slope -= gamma_d * w;
        }
        w += dt / 5000.0 * slope;
        let list = |spike: bool| if spike { vec![0u32] } else { vec![] };
        bench.step(&list(pre), &list(post));
        near(bench.value("w"), w, 1e-11, &format!("w after step {step}"));
    }
    assert!(below > 100 && between > 100 && above > 100, "{below} {between} {above}");
}

/// Without spikes an efficacy falls to the nearer of its two states: with v = w - 1/2, v^2 = (1/4) / (1 + (1 / (4 v_0^2) - 1)
/// e^(-t / (2 tau))).
pub fn bistability() {
    let start = [0.3, 0.45, 0.5, 0.55, 0.9];
    let row = ndarray::Array2::from_shape_fn((1, 5), |(_, j)| start[j]);
    let mut bench = Bench::new(bench("dp", "bistable", (1, 5), 50.0).init("w", &row));
    for _ in 0..12_000 {
        bench.step(&[], &[]);
    }
    for (found, start) in bench.values("w").into_iter().zip(start) {
        let v: f64 = start - 0.5;
        let grown =
            if v == 0.0 { 0.0 } else { 0.25 / (1.0 + (0.25 / (v * v) - 1.0) * (-600.0f64 / 300.0).exp()) };
        near(
            found,
            0.5 + v.signum() * grown.sqrt(),
            1e-4,
            &format!("the efficacy from {start} after ten minutes"),
        );
    }
}

/// With noise the efficacies after 60 pairs are normal: mean as without, variance sigma^2 (alpha_p + alpha_d) / (Gamma_p +
/// Gamma_d) / 2 (1 - e^(-2 t / tau_eff)); so a share of them, by the error function, crosses to the UP state (equations S22
/// to S25).
pub fn noise() {
    let (dt, pairs, period, count) = (0.5, 60usize, 600usize, 2000usize);
    let group = bench("dp", "flat", (1, count), dt).param("delay", 13.5).seed(5);
    let mut bench = Bench::new(group.init("w", ndarray::Array2::<f64>::zeros((1, count))));
    let all: Vec<u32> = (0..count as u32).collect();
    // The postsynaptic spike comes 20 ms after the presynaptic one.
    for step in 0..pairs * period {
        let pre: &[u32] = if step % period == 100 { &[0] } else { &[] };
        bench.step(pre, if step % period == 140 { &all } else { &[] });
    }
    // Times above the thresholds, counted in whole steps.
    let calcium = |at: f64| {
        if at < 6.5 { (-at / TAU_CA).exp() } else { (-at / TAU_CA).exp() + 2.0 * ((6.5 - at) / TAU_CA).exp() }
    };
    let above =
        |theta: f64| (0..period).filter(|&step| calcium(step as f64 * dt) > theta).count() as f64 * dt;
    let (weak, strong) = (above(1.0), above(1.3));
    let (down, up) = (200.0 * weak / TAU, 321.808 * strong / TAU);
    let (bar, passed) = (up / (up + down), (up + down) * pairs as f64);
    let mean = bar * (1.0 - (-passed).exp());
    let variance =
        2.8284f64.powi(2) * (weak + strong) / TAU / (up + down) / 2.0 * (1.0 - (-2.0 * passed).exp());
    let found = bench.values("w");
    let n = count as f64;
    let average = found.iter().sum::<f64>() / n;
    let spread = found.iter().map(|w| (w - average).powi(2)).sum::<f64>() / (n - 1.0);
    near(average, mean, 3.5 * (variance / n).sqrt() + 0.01, "the mean efficacy");
    near(
        spread,
        variance,
        3.5 * variance * (2.0 / n).sqrt() + 0.01 * variance,
        "the variance of the efficacies",
    );
    let share = found.iter().filter(|&&w| w > 0.5).count() as f64 / n;
    let expected = normal_above((0.5 - mean) / variance.sqrt());
    near(
        share,
        expected,
        3.5 * (expected * (1.0 - expected) / n).sqrt() + 0.01,
        "the share of synapses that are UP",
    );
}

/// The probability that a standard normal number is above x, by Simpson's rule.
fn normal_above(x: f64) -> f64 {
    let density = |z: f64| (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let (steps, end) = (2000, 12.0);
    let width = (end - x) / f64::from(steps);
    let weight = |k: i32| {
        if k == 0 || k == steps {
            1.0
        } else if k % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    (0..=steps).map(|k| weight(k) * density(x + f64::from(k) * width)).sum::<f64>() * width / 3.0
}
