//! Learning rates, signs and masks.

use aplysia::prelude::*;
use ndarray::Array2;

use super::{Bench, Random, near, which};

/// Mean and variance of each distribution, from 2^18 synapses: within five standard errors.
pub fn fuzzy_lr_moments() {
    let (side, nu) = (512, 0.16f64);
    let count = (side * side) as f64;
    let cases = [
        ("uniform", 1.0, nu * nu / 3.0, -1.2),
        ("normal", 1.0, nu * nu, 0.0),
        ("lognormal", 1.0, (nu * nu).exp_m1(), 0.5),
        ("gamma", 2.0, nu, 6.0 * nu),
        ("gamma_centred", 1.0, nu * nu, 6.0 * nu * nu),
        ("beta", 1.0, nu.powi(3) / (2.0 + nu), -6.0 * nu / (2.0 + 3.0 * nu)),
    ];
    for (distribution, expected, variance, excess_kurtosis) in cases {
        let rule = Rule::shipped("fuzzy_lr").unwrap().option("distribution", distribution).unwrap();
        let group = Group::dense(side, side).rule(&rule).param("nu", nu).seed(12);
        let mut bench = Bench::new(group.param("lowest", 0.0).param("highest", 100.0));
        let eta = bench.values("eta");
        let mean = eta.iter().sum::<f64>() / count;
        let found = eta.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        near(mean, expected, 5.0 * (variance / count).sqrt(), &format!("mean of {distribution}"));
        let error = variance * ((2.0 + excess_kurtosis) / count).sqrt();
        near(found, variance, 5.0 * error, &format!("variance of {distribution}"));
        if distribution == "uniform" {
            let inside = |&x: &f64| (1.0 - nu - 1e-6..=1.0 + nu + 1e-6).contains(&x);
            assert!(eta.iter().all(inside), "a uniform rate is out of range");
        }
    }
}

/// Mean and deviation of the learning rate at one weight, from 2^16 synapses: those of |mu + variability mu z|, which at a
/// variability of 0.2 differ from mu and 0.2 mu by less than the standard error.
pub fn volume_lr_statistics() {
    let side = 256;
    let count = (side * side) as f64;
    let text = "use std::volume_lr; rule one { plastic w; update { dw += 1; } } rule both = one + volume_lr;";
    let rule = Rule::from_source("both", text).unwrap();
    let start = 0.5f64;
    let mut bench = Bench::new(Group::dense(side, side).rule(&rule).seed(3).init("w", start));
    bench.step(&[], &[]);
    let rates: Vec<f64> = bench.values("w").iter().map(|w| w - start).collect();
    let mu = 0.1 * (-2.0 * start / (start + 1.0)).exp();
    let mean = rates.iter().sum::<f64>() / count;
    let deviation = (rates.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    near(mean, mu, 5.0 * 0.2 * mu / count.sqrt(), "mean rate");
    near(deviation, 0.2 * mu, 5.0 * 0.2 * mu / (2.0 * count).sqrt(), "deviation of the rate");
}

/// Every row has one sign, about the stated share of rows excites, and learning never turns a sign.
pub fn dale_signs() {
    let (pre, post) = (2000, 4);
    let text = "use std::dale; rule noise { plastic w = normal(0, 1); update { dw += normal(0, 1); } } rule both = noise + dale;";
    let rule = Rule::from_source("both", text).unwrap();
    let mut bench = Bench::new(Group::dense(pre, post).rule(&rule).param("excitatory", 0.8).seed(6));
    let polarity = bench.values("polarity");
    let excitatory = polarity.iter().filter(|&&sign| sign == 1.0).count() as f64 / pre as f64;
    near(excitatory, 0.8, 5.0 * (0.16 / pre as f64).sqrt(), "share of excitatory neurons");
    assert!(bench.values("w").iter().all(|&w| w != 0.0), "creation has lost a weight");
    for _ in 0..5 {
        for (index, w) in bench.values("w").into_iter().enumerate() {
            assert!(
                w * polarity[index / post] >= 0.0,
                "weight {index} is {w} against the sign of its neuron"
            );
        }
        bench.step(&[], &[]);
    }
    assert!(bench.values("w").contains(&0.0), "no weight has met the bound");
}

/// Absent synapses stay at 0, the others learn as if there were no mask.
pub fn mask_holds() {
    let rule = Rule::shipped("stdp").unwrap().compose(&Rule::shipped("mask").unwrap()).unwrap();
    let mask = Array2::from_shape_fn((4, 3), |(i, j)| f64::from(u8::from((i + j) % 2 == 0)));
    let group = |rule: &Rule| Group::dense(4, 3).rule(rule).precision(Precision::F64);
    let mut masked = Bench::new(group(&rule).init("mask", &mask));
    let mut plain = Bench::new(group(&Rule::shipped("stdp").unwrap()));
    let mut random = Random(8);
    for _ in 0..60 {
        let pre = which(4, |_| random.uniform() < 0.2);
        let post = which(3, |_| random.uniform() < 0.2);
        masked.step(&pre, &post);
        plain.step(&pre, &post);
    }
    let expected: Vec<f64> = plain.values("w").iter().zip(&mask).map(|(w, mask)| w * mask).collect();
    assert_eq!(masked.values("w"), expected);
    assert!(expected.iter().any(|&w| w != 0.0 && w != 0.5), "nothing has been learned");
}

/// The composition against its four parts, written out by hand in plain f64.
pub fn cortex_is_its_parts() {
    let (pre, post) = (6, 5);
    let mut bench = Bench::new(Bench::shipped("cortex", pre, post).param("tau_scaling", 2.0).seed(4));
    let eta = bench.values("eta");
    let mut w = bench.values("w");
    let (mut x, mut y, mut r) = (vec![0.0; pre], vec![0.0; post], vec![0.005; post]);
    let mut random = Random(10);
    for _ in 0..400 {
        let pre_spikes = which(pre, |_| random.uniform() < 0.05);
        let post_spikes = which(post, |_| random.uniform() < 0.03);
        bench.step(&pre_spikes, &post_spikes);
        let spiked = |spikes: &[u32], neuron: usize| f64::from(u8::from(spikes.contains(&(neuron as u32))));
        x.iter_mut().for_each(|x| *x *= (-1.0f64 / 20.0).exp());
        y.iter_mut().for_each(|y| *y *= (-1.0f64 / 20.0).exp());
        r.iter_mut().for_each(|r| *r *= (-1.0f64 / 1000.0).exp());
        for (i, x) in x.iter_mut().enumerate() {
            *x += spiked(&pre_spikes, i);
        }
        for j in 0..post {
            for (i, x) in x.iter().enumerate() {
                let (s, p) = (spiked(&pre_spikes, i), spiked(&post_spikes, j));
                let rate = r[j] + p / 1000.0;
                let index = i * post + j;
                let scaling = w[index] / 2000.0 * (1.0 - rate / 0.005);
                let change = -0.024 * s * y[j] + 0.02 * p * x + scaling;
                w[index] = (w[index] + eta[index] * change).clamp(0.0, 1.0);
            }
            y[j] += spiked(&post_spikes, j);
            r[j] += spiked(&post_spikes, j) / 1000.0;
        }
    }
    for (found, expected) in bench.values("w").into_iter().zip(w) {
        near(found, expected, 1e-12, "w");
    }
}
