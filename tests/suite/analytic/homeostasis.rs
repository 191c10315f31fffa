//! Rules that hold a rate or a sum.

use aplysia::prelude::*;
use ndarray::Array2;

use super::{Bench, Random, near, which};

/// The published equations, advanced in plain f64.
pub fn rate_equations() {
    let (pre, post, tau_rate, tau_scaling, target) = (3, 2, 200.0f64, 5000.0, [0.005, 0.02]);
    let start = Array2::from_shape_fn((pre, post), |(i, j)| 0.2 + 0.1 * i as f64 + 0.05 * j as f64);
    let group = Bench::shipped("rate_homeostasis", pre, post).param("tau_rate", tau_rate / 1000.0);
    let group =
        group.param("tau_scaling", tau_scaling / 1000.0).param("target", vec![5.0, 20.0]).init("w", &start);
    let mut bench = Bench::new(group);
    let (mut random, mut w, mut r) = (Random(3), start, target);
    for _ in 0..400 {
        let spikes = which(post, |j| random.uniform() < [0.03, 0.002][j]);
        bench.step(&[], &spikes);
        for j in 0..post {
            r[j] *= (-1.0 / tau_rate).exp();
            r[j] += if spikes.contains(&(j as u32)) { 1.0 / tau_rate } else { 0.0 };
            for i in 0..pre {
                w[[i, j]] += w[[i, j]] / tau_scaling * (1.0 - r[j] / target[j]);
            }
        }
    }
    for (found, expected) in bench.values("w").into_iter().zip(&w) {
        near(found, *expected, 1e-13, "w");
    }
    for (found, expected) in bench.values("r").into_iter().zip(r) {
        near(found, 1000.0 * expected, 1e-10, "the estimated rate in Hz");
    }
}

/// Equation 3 of van Rossum et al. (2000). A spike leaves e^(-s / tau) / tau in a and 1 - e^(-s / tau) in its integral; w is
/// multiplied once a step. A silent neuron with the published constants: w e^(beta g t + gamma g t^2 / 2), g the target.
pub fn scaling_equations() {
    let (dt, tau, beta, gamma, target) = (2.0, 700.0, 0.3, 2e-4, 0.006);
    let group = Bench::shipped("synaptic_scaling", 1, 1).dt(ms(dt)).param("tau", tau / 1000.0).init("w", 0.5);
    let group = group.param("beta", beta).param("gamma", 1000.0 * gamma).param("target", 1000.0 * target);
    let (mut bench, mut random, mut spikes, mut w) = (Bench::new(group), Random(9), Vec::new(), 0.5);
    for step in 1..=1500 {
        let at = f64::from(step) * dt;
        let spike = random.uniform() < 0.01;
        if spike {
            spikes.push(at);
        }
        let left = |s: &f64| ((s - at) / tau).exp();
        let a: f64 = spikes.iter().map(|s| left(s) / tau).sum();
        let integral = target * at - spikes.iter().map(|s| 1.0 - left(s)).sum::<f64>();
        w *= 1.0 + dt * (beta * (target - a) + gamma * integral);
        bench.step(&[], if spike { &[0] } else { &[] });
        near(bench.value("a"), 1000.0 * a, 1e-10, "the activity in Hz");
        near(bench.value("integral"), integral, 1e-11, "the integral");
        near(bench.value("w"), w, 1e-11, "w");
    }
    let mut bench = Bench::new(Bench::shipped("synaptic_scaling", 1, 1).dt(ms(100.0)).init("w", 0.5));
    for _ in 0..6000 {
        bench.step(&[], &[]);
    }
    let (t, g) = (6e5, 0.005);
    near(
        bench.value("w"),
        0.5 * (4e-5 * g * t + 1e-10 * g * t * t / 2.0f64).exp(),
        1e-5,
        "w after ten minutes",
    );
}

/// A neuron that is driven in proportion to its weight, which also decays, fires at its target: the integral leaves no
/// offset, where the proportional part alone would rest at target - 1 / (beta tau_decay), 2 Hz below it.
pub fn scaling_target() {
    let rule =
        Rule::shipped("synaptic_scaling").unwrap().compose(&Rule::shipped("weight_decay").unwrap()).unwrap();
    for (gamma, expected) in [(5e-3, 8.0), (0.0, 6.0)] {
        let group =
            Group::dense(1, 1).rule(&rule).precision(Precision::F64).init("w", 0.1).param("target", 8.0);
        let group = group.param("synaptic_scaling.tau", 0.5).param("beta", 0.05).param("gamma", gamma);
        let mut bench = Bench::new(group.param("weight_decay.tau", 10.0));
        let (mut phase, mut spikes) = (0.0, 0);
        for step in 0..180_000 {
            phase += 0.02 * bench.value("w");
            let spike = phase >= 1.0;
            if spike {
                phase -= 1.0;
                spikes += u32::from(step >= 120_000);
            }
            bench.step(&[], if spike { &[0] } else { &[] });
        }
        near(f64::from(spikes) / 60.0, expected, 0.02 * expected, "the postsynaptic rate in Hz");
    }
}

/// Neurons that are driven in proportion to their weights settle at the target, and the ratios of weights stay (Turrigiano
/// et al. 1998: scaling is multiplicative).
pub fn rate_target() {
    let (pre, post, target) = (8, 16, 8.0);
    let start = Array2::from_shape_fn((pre, post), |(i, j)| 0.02 * (1.0 + i as f64) + 0.03 * j as f64);
    let group = Bench::shipped("rate_homeostasis", pre, post).param("target", target);
    let mut bench = Bench::new(group.param("tau_scaling", 4.0).init("w", &start));
    let mut random = Random(5);
    let (settle, measure) = (40_000, 120_000);
    let (mut spikes, mut mean) = (0, vec![0.0; post]);
    for step in 0..settle + measure {
        if step % 20 == 0 {
            let w = bench.values("w");
            mean = (0..post).map(|j| (0..pre).map(|i| w[i * post + j]).sum::<f64>() / pre as f64).collect();
        }
        let post_spikes = which(post, |j| random.uniform() < 0.04 * mean[j]);
        if step >= settle {
            spikes += post_spikes.len();
        }
        bench.step(&[], &post_spikes);
    }
    let rate = spikes as f64 / post as f64 / (f64::from(measure) * 1e-3);
    near(rate, target, 0.03 * target, "the postsynaptic rate in Hz");
    let w = bench.values("w");
    for j in 0..post {
        let ratio = w[(pre - 1) * post + j] / w[j];
        near(
            ratio / (start[[pre - 1, j]] / start[[0, j]]),
            1.0,
            1e-9,
            "the ratio of two weights, to its start",
        );
    }
}

/// The mean of all spikes so far against the target, added up (inferno, LinearHomeostasis).
pub fn linear_closed_form() {
    let (lambda, target) = (0.02, [0.1, 0.3]);
    let group =
        Bench::shipped("linear_homeostasis", 2, 2).param("lambda", lambda).param("target", target.to_vec());
    let mut bench = Bench::new(group);
    let mut random = Random(7);
    let (mut spikes, mut w) = ([0.0; 2], [0.0; 2]);
    for step in 1..=200 {
        let post = which(2, |_| random.uniform() < 0.2);
        bench.step(&[], &post);
        for j in 0..2 {
            spikes[j] += f64::from(u8::from(post.contains(&(j as u32))));
            w[j] += lambda * (target[j] - spikes[j] / f64::from(step)) / target[j];
        }
    }
    let found = bench.values("w");
    for (index, found) in found.into_iter().enumerate() {
        near(found, w[index % 2], 1e-12, "w");
    }
}

/// After every step the weights onto a neuron add up to the norm; a neuron without weights keeps none.
pub fn normalise_sum() {
    let (pre, post) = (300, 5);
    let rule = Rule::shipped("stdp").unwrap().compose(&Rule::shipped("normalise").unwrap()).unwrap();
    let start =
        Array2::from_shape_fn((pre, post), |(i, j)| if j == 4 { 0.0 } else { 0.2 + 0.001 * i as f64 });
    let group = Group::dense(pre, post).rule(&rule).precision(Precision::F64).param("norm", 30.0);
    let mut bench = Bench::new(group.param("a_minus", 0.0).init("w", &start));
    let mut random = Random(9);
    for step in 0..50 {
        let w = bench.values("w");
        for j in 0..post {
            let sum: f64 = (0..pre).map(|i| w[i * post + j]).sum();
            near(
                sum,
                if j == 4 { 0.0 } else { 30.0 },
                1e-12,
                &format!("the sum onto neuron {j} after step {step}"),
            );
        }
        let pre_spikes = which(pre, |_| random.uniform() < 0.05);
        bench.step(&pre_spikes, &which(post - 1, |_| random.uniform() < 0.1));
    }
    assert!(bench.values("w").iter().all(|&w| w < 1.0), "the clip has spoiled the sums");
    assert!((bench.values("w")[0] - start[[0, 0]]).abs() > 1e-3, "nothing has changed");
}
