//! Pairs whose effect depends on the weight by a power law.

use super::{Bench, Random, near};

const LAMBDA: f64 = 0.1;
const ALPHA: f64 = 0.0513;
const MU: f64 = 0.4;
const TAU_PLUS: f64 = 15.0;
const TAU_MINUS: f64 = 30.0;

/// Spike by spike, as NEST's stdp_pl_synapse_hom has it for a weight in units of w_0: w + lambda w^mu K+ at a postsynaptic
/// spike, w - lambda alpha w K- at a presynaptic one.
pub fn spike_by_spike() {
    let (w_0, dt, steps) = (2.0, 0.5, 4000);
    let group = Bench::shipped("stdp_power_law", 1, 1).dt(aplysia::units::ms(dt)).param("w_0", w_0);
    let mut bench = Bench::new(group.init("w", 30.0));
    let mut random = Random(3);
    let (mut w, mut pre_spikes, mut post_spikes) = (30.0f64, Vec::new(), Vec::new());
    let trace =
        |spikes: &[f64], at: f64, tau: f64| spikes.iter().map(|s| ((s - at) / tau).exp()).sum::<f64>();
    for step in 0..steps {
        // No coincidences: both changes would be made from the weight before the step.
        let (u, at) = (random.uniform(), f64::from(step) * dt);
        let (pre, post): (&[u32], &[u32]) = if u < 0.02 {
            w -= LAMBDA * ALPHA * w * trace(&post_spikes, at, TAU_MINUS);
            pre_spikes.push(at);
            (&[0], &[])
        } else if u < 0.04 {
            w += LAMBDA * w_0 * (w / w_0).powf(MU) * trace(&pre_spikes, at, TAU_PLUS);
            post_spikes.push(at);
            (&[], &[0])
        } else {
            (&[], &[])
        };
        bench.step(pre, post);
        near(bench.value("w"), w, 1e-11, &format!("w after step {step}"));
    }
    assert!(pre_spikes.len() > 60 && post_spikes.len() > 60);
}

/// Periodic pairs: w^(1 - mu) = (1 - d) lambda x / d after depression, with d = lambda alpha y and x, y the traces of
/// periodic trains, from below and from above.
pub fn fixed_point() {
    let (period, delay) = (40, 10);
    let peak = |tau: f64| 1.0 / (1.0 - (-f64::from(period) / tau).exp());
    let x = peak(TAU_PLUS) * (-f64::from(delay) / TAU_PLUS).exp();
    let y = peak(TAU_MINUS) * (-f64::from(period - delay) / TAU_MINUS).exp();
    let d = LAMBDA * ALPHA * y;
    let expected = ((1.0 - d) * LAMBDA * x / d).powf(1.0 / (1.0 - MU));
    for start in [0.5 * expected, 2.0 * expected] {
        let mut bench = Bench::new(Bench::shipped("stdp_power_law", 1, 1).init("w", start));
        for step in 0..period * 40_000 + 1 {
            let pre: &[u32] = if step % period == 0 { &[0] } else { &[] };
            let post: &[u32] = if step % period == delay { &[0] } else { &[] };
            bench.step(pre, post);
        }
        near(bench.value("w"), expected, 1e-9 * expected, "the fixed point of w in pA");
    }
}
