//! The triplet rule.

use aplysia::prelude::*;
use super::{Bench, near};

/// Parameters of a full all-to-all fit: a2+, a3+, a2-, a3-, tau_x, tau_y (Pfister & Gerstner 2006, tables 3 and 4).
type Fit = [f64; 6];

const VISUAL_CORTEX: Fit = [5e-10, 6.2e-3, 7e-3, 2.3e-4, 101.0, 125.0];
const HIPPOCAMPUS: Fit = [6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946.0, 27.0];
const TAU_PLUS: f64 = 16.8;
const TAU_MINUS: f64 = 33.7;

/// The change of w by spikes at these times in ms, from the sums over all earlier spikes (equations 2 to 4). Of two spikes
/// at one time the presynaptic one comes first.
fn change(fit: Fit, pre: &[f64], post: &[f64]) -> f64 {
    let [a2_plus, a3_plus, a2_minus, a3_minus, tau_x, tau_y] = fit;
    let trace = |spikes: &[f64], before: &dyn Fn(f64) -> bool, at: f64, tau: f64| {
        spikes.iter().filter(|&&spike| before(spike)).map(|spike| ((spike - at) / tau).exp()).sum::<f64>()
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
fn simulated(data: &str, pre: &[u64], post: &[u64]) -> f64 {
    let rule = Rule::shipped("stdp_triplet").unwrap().option("data", data).unwrap();
    // Without the clip: 1000 rows that each take a small part of the protocol would hide nothing, but a weight may.
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
    for (data, fit) in [("visual_cortex", VISUAL_CORTEX), ("hippocampus", HIPPOCAMPUS)] {
        let expected = change(fit, &times(&pre), &times(&post));
        near(simulated(data, &pre, &post), expected, 1e-13, data);
    }
}

/// Pairs at growing frequency: the rule follows the equations, and the equations follow the experiment of Sjöström et al.
/// (2001) as in figure 2 of Pfister & Gerstner (2006): pairs 10 ms apart leave w alone at 0.1 Hz and potentiate at 40 and
/// 50 Hz, whatever their order, while post before pre depresses at 0.1 to 20 Hz.
pub fn frequency() {
    for delay in [10i64, -10] {
        let mut changes = Vec::new();
        for period in [10_000u64, 100, 50, 25, 20] {
            let pairs = if period == 10_000 { 5 } else { 60 };
            let pre: Vec<u64> = (0..pairs).map(|pair| 20 + pair * period).collect();
            let post: Vec<u64> = pre.iter().map(|&step| step.wrapping_add_signed(delay)).collect();
            let times = |spikes: &[u64]| spikes.iter().map(|&step| step as f64).collect::<Vec<_>>();
            let expected = change(VISUAL_CORTEX, &times(&pre), &times(&post));
            // The rule clips w to 0 .. 1; pairs beyond that are compared by `equations`.
            let found = simulated("visual_cortex", &pre[..pre.len().min(10)], &post[..post.len().min(10)]);
            let first = change(VISUAL_CORTEX, &times(&pre[..pre.len().min(10)]), &times(&post[..post.len().min(10)]));
            near(found, first, 1e-13, &format!("ten pairs every {period} ms at a delay of {delay} ms"));
            changes.push(expected * 60.0 / pairs as f64);
        }
        println!("{delay}: {changes:?}");
    }
}
