//! Pair-based rules.

use aplysia::prelude::*;
use ndarray::Array2;

use super::{Bench, Random, near, which};

/// The change by one pair, for all delays: a_plus exp(-s / tau_plus) for s ≥ 0, -a_minus exp(s / tau_minus) for s < 0
/// (Song, Miller & Abbott 2000, equation 1; spikes of one step count as pre before post).
pub fn stdp_window() {
    for (dt, precision, tolerance) in
        [(1.0, Precision::F64, 1e-13), (0.1, Precision::F64, 1e-12), (1.0, Precision::F32, 2e-7)]
    {
        let (half, tau_plus, tau_minus) = (60usize, 17.0, 34.0);
        let count = 2 * half + 1;
        let group = Bench::shipped("stdp", count, 1).precision(precision).dt(ms(dt));
        let mut bench = Bench::new(group.param("tau_plus", tau_plus).param("tau_minus", tau_minus));
        // Neuron i spikes in step i, the postsynaptic neuron in step `half`.
        for step in 0..count {
            let post: &[u32] = if step == half { &[0] } else { &[] };
            bench.step(&[step as u32], post);
        }
        for (neuron, w) in bench.values("w").into_iter().enumerate() {
            let delay = (half as f64 - neuron as f64) * dt;
            let change = if delay >= 0.0 {
                0.01 * (-delay / tau_plus).exp()
            } else {
                -0.012 * (delay / tau_minus).exp()
            };
            near(w, 0.5 + change, tolerance, &format!("w after a delay of {delay} ms at dt = {dt} ms"));
        }
    }
}

/// The table of the language reference: both neurons spike in one step, with traces left from before.
pub fn stdp_coincidence() {
    let group = Bench::shipped("stdp", 1, 1).init("x", 0.6).init("y", 0.4).init("w", 0.5);
    let mut bench = Bench::new(group);
    bench.step(&[0], &[0]);
    near(bench.value("x"), 1.57074, 5e-6, "x");
    near(bench.value("y"), 1.38049, 5e-6, "y");
    near(bench.value("w"), 0.5111415, 5e-8, "w");
    let decay = (-1.0f64 / 20.0).exp();
    near(bench.value("w"), 0.5 - 0.012 * (0.4 * decay) + 0.01 * (0.6 * decay + 1.0), 1e-15, "w");
}

/// Periodic pairs have one fixed point: w = P / (1 - (1 - D)(1 - P)) of the largest weight after potentiation, with P =
/// a_plus x and D = a_minus y, x and y the traces of periodic spike trains at the other side's spikes.
pub fn stdp_soft_fixed_point() {
    let (period, delay, tau, a_plus, a_minus) = (40, 10, 20.0, 0.1, 0.15);
    for (w_max, start) in [(1.0, 0.0), (1.0, 1.0), (2.5, 2.0)] {
        let group = Bench::shipped("stdp_soft", 1, 1).param("a_plus", a_plus).param("a_minus", a_minus);
        let mut bench = Bench::new(group.param("w_max", w_max).init("w", start));
        for step in 0..period * 300 + delay + 1 {
            let pre: &[u32] = if step % period == 0 { &[0] } else { &[] };
            let post: &[u32] = if step % period == delay { &[0] } else { &[] };
            bench.step(pre, post);
        }
        let (period, delay) = (f64::from(period), f64::from(delay));
        let peak = 1.0 / (1.0 - (-period / tau).exp());
        let up = a_plus * peak * (-delay / tau).exp();
        let down = a_minus * peak * (-(period - delay) / tau).exp();
        near(bench.value("w"), w_max * up / (1.0 - (1.0 - down) * (1.0 - up)), 1e-9, "the fixed point of w");
    }
}

/// A neuron that is inhibited in proportion to its weights settles at the target rate (Vogels et al. 2011, equation S1
/// and the text after it: rho_0 = alpha / (2 tau)).
pub fn istdp_target_rate() {
    for target in [5.0, 12.0] {
        let (pre, post) = (24, 16);
        let group = Bench::shipped("istdp", pre, post).param("rho", target).param("eta", 0.01);
        let mut bench = Bench::new(group.init("w", Array2::<f64>::zeros((pre, post))));
        let mut random = Random(11);
        let (settle, measure) = (60_000, 120_000);
        let (mut spikes, mut mean) = (0, vec![0.0; post]);
        for step in 0..settle + measure {
            // The weights move slowly, so looking at them now and then is enough.
            if step % 50 == 0 {
                let w = bench.values("w");
                mean =
                    (0..post).map(|j| (0..pre).map(|i| w[i * post + j]).sum::<f64>() / pre as f64).collect();
            }
            let pre_spikes = which(pre, |_| random.uniform() < 0.02);
            let post_spikes = which(post, |j| random.uniform() < 0.025 * (1.0 - mean[j]));
            if step >= settle {
                spikes += post_spikes.len();
            }
            bench.step(&pre_spikes, &post_spikes);
        }
        let rate = spikes as f64 / post as f64 / (f64::from(measure) * 1e-3);
        near(rate, target, 0.03 * target, "the postsynaptic rate in Hz");
    }
}

/// Spikes at 0 and 5 ms, seen at 12 ms: scale (e^(-12 / tau) + e^(-7 / tau)).
pub fn traces_closed_form() {
    let group = Bench::shipped("traces", 1, 1).param("tau_pre", 10.0).param("tau_post", 30.0);
    let mut bench = Bench::new(group.param("scale_pre", 0.5));
    for time in 0..=12 {
        let spikes: &[u32] = if time == 0 || time == 5 { &[0] } else { &[] };
        bench.step(spikes, spikes);
    }
    let sum = |tau: f64| (-12.0 / tau).exp() + (-7.0 / tau).exp();
    near(bench.value("x"), 0.5 * sum(10.0), 1e-14, "the presynaptic trace");
    near(bench.value("y"), sum(30.0), 1e-14, "the postsynaptic trace");
}

/// One pair on exact traces, with each bound: the change is an exponential of the delay times the bound at the weight.
pub fn exact_traces_in_conex_stdp() {
    let (start, delay) = (0.25f64, 7);
    for (bound, factor) in [("none", 1.0), ("hard", 1.0), ("soft", start * (1.0 - start))] {
        let text = format!(
            "use std::conex_stdp; use std::traces; rule exact = traces + conex_stdp(positive_bound = {bound}, \
             negative_bound = {bound}, pre_trace = traces.x, post_trace = traces.y);"
        );
        let rule = Rule::from_source("exact", &text).unwrap();
        for (first, amplitude, tau) in [("pre", 0.02, 10.0f64), ("post", -0.03, 30.0)] {
            let group = Group::dense(1, 1).rule(&rule).precision(Precision::F64).init("w", start);
            let group = group.param("a_plus", 0.02).param("a_minus", 0.03);
            let mut bench = Bench::new(group.param("tau_pre", 10.0).param("tau_post", 30.0));
            for time in 0..=delay {
                let (one, other): (&[u32], &[u32]) =
                    (if time == 0 { &[0] } else { &[] }, if time == delay { &[0] } else { &[] });
                if first == "pre" { bench.step(one, other) } else { bench.step(other, one) }
            }
            let expected = start + amplitude * (-f64::from(delay) / tau).exp() * factor;
            near(bench.value("w"), expected, 1e-15, &format!("{first} first, {bound}"));
        }
    }
}
