//! Optimizers and decays.

use super::{Bench, Random, near};
use aplysia::prelude::*;

/// A rule that proposes what the host says.
const GIVEN: &str = "rule given { plastic w; synapse input proposal; update { dw += proposal; } }";

fn with(names: &[&str]) -> Rule {
    let given = Rule::from_source("given", GIVEN).unwrap();
    names.iter().fold(given, |rule, name| rule.compose(&Rule::shipped(name).unwrap()).unwrap())
}

/// Algorithm 1 of Kingma & Ba (2015), in plain f64, on random gradients of very different sizes.
pub fn adam_reference() {
    for (precision, tolerance) in [(Precision::F64, 1e-12), (Precision::F32, 2e-6)] {
        let (alpha, beta1, beta2, epsilon) = (0.01, 0.9f64, 0.999f64, 1e-8);
        let group = Group::dense(2, 3).rule(&with(&["adam"])).precision(precision).param("eta", alpha);
        let mut bench = Bench::new(group);
        let (mut w, mut m, mut v, mut random) = ([0.0; 6], [0.0; 6], [0.0; 6], Random(4));
        for t in 1..=300 {
            let gradient: [f64; 6] = std::array::from_fn(|k| 10f64.powi(k as i32 - 3) * random.normal());
            let proposal = gradient.map(|g| -g);
            bench.input("proposal", &proposal);
            bench.step(&[], &[]);
            for k in 0..6 {
                m[k] = beta1 * m[k] + (1.0 - beta1) * gradient[k];
                v[k] = beta2 * v[k] + (1.0 - beta2) * gradient[k] * gradient[k];
                let first = m[k] / (1.0 - beta1.powi(t));
                let second = v[k] / (1.0 - beta2.powi(t));
                w[k] -= alpha * first / (second.sqrt() + epsilon);
            }
            for (found, expected) in bench.values("w").into_iter().zip(w) {
                near(found, expected, tolerance, &format!("w after {t} applications"));
            }
        }
    }
}

/// Nesterov's recurrence in plain f64, on the gradient of a quadratic: the first application has no momentum.
pub fn nag_reference() {
    let (eta, mu, curvature) = (0.05, 0.9, [1.0, 4.0, 0.25]);
    let group = Group::dense(1, 3).rule(&with(&["nag"])).precision(Precision::F64);
    let start = [1.0, -2.0, 0.5];
    let group = group.init("w", ndarray::arr2(&[start])).param("nag.eta", -eta).param("mu", mu);
    let mut bench = Bench::new(group);
    let (mut w, mut phi) = (start, start);
    for t in 1..=200 {
        let gradient: [f64; 3] = std::array::from_fn(|k| curvature[k] * w[k]);
        bench.input("proposal", &gradient);
        bench.step(&[], &[]);
        for k in 0..3 {
            let next = w[k] - eta * gradient[k];
            w[k] = if t == 1 { next } else { next + mu * (next - phi[k]) };
            phi[k] = next;
        }
        for (found, expected) in bench.values("w").into_iter().zip(w) {
            near(found, expected, 1e-12, &format!("w after {t} applications"));
        }
    }
    assert!(w.iter().all(|w| w.abs() < 0.1), "it does not descend: {w:?}");
}

/// The penalty of a few weights.
pub fn l1_weights_sum() {
    let mut bench = Bench::new(
        Bench::shipped("l1_weights", 1, 4)
            .init("w", ndarray::arr2(&[[1.0, -2.0, 0.0, 0.5]]))
            .param("lambda", 2.0),
    );
    bench.step(&[], &[]);
    assert_eq!(bench.value("l1"), 7.0);
}

/// w moves by eta times the proposal.
pub fn sgd_step() {
    let group = Group::dense(1, 3).rule(&with(&["sgd"])).precision(Precision::F64).param("eta", 0.25);
    let mut bench = Bench::new(group.init("w", ndarray::arr2(&[[1.0, -0.0, 2.0]])));
    bench.input("proposal", &[4.0, 0.0, -1.0]);
    bench.step(&[], &[]);
    let w = bench.values("w");
    assert_eq!(w, [2.0, 0.0, 1.75]);
    assert!(w[1].is_sign_negative(), "a weight without a proposal keeps its sign of zero");
}

/// The factors that n steps of each prior amount to.
pub fn prior_factors() {
    let (lambda, ratio, steps, start) = (0.01, 0.25, 50, [1.0f64, -2.0]);
    for (kind, expected) in [
        ("l2", start.map(|w| w * (1.0f64 - lambda).powi(steps))),
        ("l1", start.map(|w| w - lambda * f64::from(steps) * w.signum())),
        // w + c is multiplied by 1 - q in each step, with q = lambda (1 - ratio) / 2 and c = lambda ratio / q.
        ("elastic_net", {
            let q = lambda * (1.0 - ratio) / 2.0;
            let c = lambda * ratio / q;
            start.map(|w| ((w.abs() + c) * (1.0 - q).powi(steps) - c) * w.signum())
        }),
    ] {
        let rule = Rule::shipped("prior").unwrap().option("kind", kind).unwrap();
        let group = Group::dense(1, 2).rule(&rule).precision(Precision::F64).param("lambda", lambda);
        let mut bench = Bench::new(group.param("ratio", ratio).init("w", ndarray::arr2(&[start])));
        for _ in 0..steps {
            bench.step(&[], &[]);
        }
        for (found, expected) in bench.values("w").into_iter().zip(expected) {
            near(found, expected, 1e-13, kind);
        }
    }
}

/// w exp(-t / tau), whatever the step.
pub fn weight_decay_exact() {
    for (dt, steps) in [(0.1, 1000), (1.0, 100), (50.0, 2)] {
        let group = Bench::shipped("weight_decay", 1, 1).dt(ms(dt)).param("tau", 0.03).init("w", 0.8);
        let mut bench = Bench::new(group);
        for _ in 0..steps {
            bench.step(&[], &[]);
        }
        near(bench.value("w"), 0.8 * (-100.0f64 / 30.0).exp(), 1e-14, &format!("w at dt = {dt} ms"));
    }
}
