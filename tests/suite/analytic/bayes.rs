//! Bayesian confidence propagation (Tully, Hennig & Lansner 2014).

use super::{Bench, Random, near};
use aplysia::prelude::*;

const F_MAX: f64 = 0.05;
const TAU_Z: f64 = 10.0;
const TAU_E: f64 = 100.0;
const TAU_P: f64 = 1000.0;

/// What a spike s ms ago has left in z, e and p: the responses of one, two and three filters in a row.
fn responses(s: f64) -> [f64; 3] {
    let rates = [1.0 / TAU_Z, 1.0 / TAU_E, 1.0 / TAU_P];
    let response = |count: usize| {
        let terms = (0..count).map(|k| {
            let others = (0..count).filter(|&l| l != k).map(|l| rates[l] - rates[k]);
            (-rates[k] * s).exp() / others.product::<f64>()
        });
        rates[..count].iter().product::<f64>() / F_MAX * terms.sum::<f64>()
    };
    [response(1), response(2), response(3)]
}

/// Random spikes: the traces of the neurons as sums over spikes, the joint ones by their recurrence, and the logarithms.
pub fn traces() {
    let (dt, steps, eps) = (0.5, 3000, 1.0 / (F_MAX * TAU_P));
    let mut bench = Bench::new(Bench::shipped("bcpnn", 1, 1).dt(ms(dt)).param("gain", 2.0));
    let (mut random, mut spikes) = (Random(41), [Vec::new(), Vec::new()]);
    let (mut joint, mut probability) = (eps * eps, eps * eps);
    let mut z = [eps, eps];
    for step in 0..steps {
        let at = f64::from(step) * dt;
        // Both joint traces advance from the values before the step.
        let (e, p) = ((-dt / TAU_E).exp(), (-dt / TAU_P).exp());
        probability = probability * p + joint * (1.0 - p);
        joint = joint * e + z[0] * z[1] * (1.0 - e);
        let lists = [0, 1].map(|side: usize| {
            let spike = random.uniform() < 0.02;
            if spike {
                spikes[side].push(at);
            }
            if spike { vec![0u32] } else { vec![] }
        });
        bench.step(&lists[0], &lists[1]);
        let expected = [0, 1].map(|side: usize| {
            let mut total = [eps; 3];
            for spike in &spikes[side] {
                total.iter_mut().zip(responses(at - spike)).for_each(|(total, left)| *total += left);
            }
            total
        });
        z = [expected[0][0], expected[1][0]];
        for (side, name) in ["pre", "post"].into_iter().enumerate() {
            for (stage, expected) in ["z", "e", "p"].into_iter().zip(expected[side]) {
                near(
                    bench.value(&format!("{stage}_{name}")),
                    expected,
                    1e-12,
                    &format!("{stage}_{name}, {at} ms"),
                );
            }
        }
        near(bench.value("e_joint"), joint, 1e-13, "e_joint");
        near(bench.value("p_joint"), probability, 1e-13, "p_joint");
        let weight = 2.0 * (probability / (expected[0][2] * expected[1][2])).ln();
        near(bench.value("w"), weight, 1e-10, "w");
        near(bench.value("bias"), expected[1][2].ln(), 1e-11, "bias");
    }
    assert!(spikes.iter().all(|train| train.len() > 30));
}

/// Periodic trains, the postsynaptic one L ms late: with A = 1 / (f_max tau (1 - q)) and q = e^(-T / tau), the product of the
/// traces has the mean A^2 tau / (2 T) (e^(-(T - L) / tau) (1 - e^(-2 L / tau)) + e^(-L / tau) - e^(-(2 T - L) / tau)), and each
/// trace 1 / (f_max T). Neurons that are active together are tied, those that are active in turn are kept apart.
pub fn periodic() {
    let (dt, period, lags) = (0.1, 1000usize, [0usize, 50, 200, 500]);
    let group = Bench::shipped("bcpnn", lags.len(), 1).dt(ms(dt)).param("tau_p", 20.0).param("tau_e", 1000.0);
    let mut bench = Bench::new(group);
    for step in 0..period * 1500 {
        let pre = super::which(lags.len(), |i| (step + lags[i]) % period == 0);
        bench.step(&pre, if step % period == 0 { &[0] } else { &[] });
    }
    let (length, eps) = (period as f64 * dt, 1.0 / (F_MAX * 20_000.0));
    let (left, height) = ((-length / TAU_Z).exp(), 1.0 / (F_MAX * TAU_Z));
    let mean = 1.0 / (F_MAX * length);
    let weights = bench.values("w");
    for (lag, found) in lags.into_iter().zip(&weights) {
        let late = lag as f64 * dt;
        let decays = |s: f64| (-s / TAU_Z).exp();
        let overlap =
            decays(length - late) * (1.0 - decays(2.0 * late)) + decays(late) - decays(2.0 * length - late);
        let product = (height / (1.0 - left)).powi(2) * TAU_Z / (2.0 * length) * overlap;
        let expected = ((product + 2.0 * eps * mean + eps * eps) / (mean + eps).powi(2)).ln();
        near(*found, expected, 0.02, &format!("w of trains {late} ms apart"));
    }
    assert!(weights[0] > 1.0 && weights[3] < -1.0, "{weights:?}");
}
