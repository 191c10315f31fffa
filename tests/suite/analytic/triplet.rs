//! The triplet rules.

use super::{Bench, near};
use aplysia::prelude::*;

/// Parameters of a full fit: a2+, a3+, a2-, a3-, tau_x, tau_y (Pfister & Gerstner 2006, tables 3 and 4).
type Fit = [f64; 6];

/// A rule, whether all earlier spikes count in it or the last one alone, and its fits to both experiments.
type Model = (&'static str, bool, [(&'static str, Fit); 2]);

const MODELS: [Model; 2] = [
    (
        "stdp_triplet",
        true,
        [
            ("visual_cortex", [5e-10, 6.2e-3, 7e-3, 2.3e-4, 101.0, 125.0]),
            ("hippocampus", [6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946.0, 27.0]),
        ],
    ),
    (
        "stdp_triplet_nearest",
        false,
        [
            ("visual_cortex", [8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714.0, 40.0]),
            ("hippocampus", [4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575.0, 47.0]),
        ],
    ),
];
const TAU_PLUS: f64 = 16.8;
const TAU_MINUS: f64 = 33.7;

/// The change of w by spikes at these times in ms, from the sums over all earlier spikes, or from the last of them
/// (equations 2 to 4). Of two spikes at one time the presynaptic one comes first.
fn change(all: bool, fit: Fit, pre: &[f64], post: &[f64]) -> f64 {
    let [a2_plus, a3_plus, a2_minus, a3_minus, tau_x, tau_y] = fit;
    let trace = |spikes: &[f64], before: &dyn Fn(f64) -> bool, at: f64, tau: f64| {
        let left = spikes.iter().filter(|&&spike| before(spike)).map(|spike| ((spike - at) / tau).exp());
        if all { left.sum::<f64>() } else { left.fold(0.0, f64::max) }
    };
    let mut w = 0.0;
    for &at in pre {
        let o1 = trace(post, &|spike| spike < at, at, TAU_MINUS);
        let r2 = trace(pre, &|spike| spike < at, at, tau_x);
        w -= o1 * (a2_minus + a3_minus * r2);
    }
    for &at in post {
        let r1 = trace(pre, &|spike| spike <= at, at, TAU_PLUS);
        let o2 = trace(post, &|spike| spike < at, at, tau_y);
        w += r1 * (a2_plus + a3_plus * o2);
    }
    w
}

/// The rule's change by spikes at these steps of 1 ms.
fn simulated(rule: &str, data: &str, pre: &[u64], post: &[u64]) -> f64 {
    let rule = Rule::shipped(rule).unwrap().option("data", data).unwrap();
    let group = Group::dense(1, 1).rule(&rule).precision(Precision::F64).init("w", 0.5);
    let mut bench = Bench::new(group);
    let last = pre.iter().chain(post).max().copied().unwrap_or(0);
    for step in 0..=last {
        let pre: &[u32] = if pre.contains(&step) { &[0] } else { &[] };
        let post: &[u32] = if post.contains(&step) { &[0] } else { &[] };
        bench.step(pre, post);
    }
    bench.value("w") - 0.5
}

/// Irregular trains, with coincidences, against the sums.
pub fn equations() {
    let pre = [3u64, 10, 12, 40, 41, 77, 120, 300, 301, 350];
    let post = [1u64, 12, 13, 44, 60, 77, 121, 290, 310, 352];
    let times = |spikes: &[u64]| spikes.iter().map(|&step| step as f64).collect::<Vec<_>>();
    for (rule, all, fits) in MODELS {
        for (data, fit) in fits {
            let expected = change(all, fit, &times(&pre), &times(&post));
            near(simulated(rule, data, &pre, &post), expected, 1e-13, &format!("{rule}, {data}"));
        }
    }
}

/// Sixty pairs, 10 ms apart, at growing frequency: the period in ms, the measured change of the synapse, and its standard
/// error, for pre before post and post before pre (Sjöström et al. 2001, as Pfister & Gerstner 2006 list them).
const EXPERIMENT: [(u64, [(f64, f64); 2]); 5] = [
    (10_000, [(-0.04, 0.05), (-0.29, 0.08)]),
    (100, [(0.14, 0.10), (-0.41, 0.11)]),
    (50, [(0.29, 0.14), (-0.34, 0.10)]),
    (25, [(0.53, 0.11), (0.56, 0.32)]),
    (20, [(0.56, 0.26), (0.74, 0.19)]),
];

/// The rules follow the equations at every frequency, and both follow the experiment within 1.5 standard errors: pairs of
/// either order potentiate at 40 and 50 Hz, which no sum over pairs of spikes can do.
pub fn frequency() {
    let times = |spikes: &[u64]| spikes.iter().map(|&step| step as f64).collect::<Vec<_>>();
    for (rule, all, [(data, fit), _]) in MODELS {
        for (period, measured) in EXPERIMENT {
            for (delay, (mean, error)) in [10i64, -10].into_iter().zip(measured) {
                let pre: Vec<u64> = (0..60).map(|pair| 20 + pair * period).collect();
                let post: Vec<u64> = pre.iter().map(|&step| step.wrapping_add_signed(delay)).collect();
                let expected = change(all, fit, &times(&pre), &times(&post));
                let what = format!("{rule}: sixty pairs every {period} ms at a delay of {delay} ms");
                near(expected, mean, 1.5 * error, &what);
                // The rule clips w to 0 .. 1, so it is given as many pairs as fit, few where they are far apart.
                let pairs = if period > 1000 { 2 } else { 20 };
                let expected = change(all, fit, &times(&pre[..pairs]), &times(&post[..pairs]));
                near(simulated(rule, data, &pre[..pairs], &post[..pairs]), expected, 1e-13, &what);
            }
        }
    }
}
