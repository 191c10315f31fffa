//! Pairs whose effect depends on the weight by a power.

use super::{Bench, Random, near};

const LAMBDA: f64 = 0.1;
const ALPHA: f64 = 0.0513;
const MU: f64 = 0.4;
const TAU_PLUS: f64 = 15.0;
const TAU_MINUS: f64 = 30.0;

/// Spike by spike, as NEST's stdp_pl_synapse_hom has it for a weight in units of w_0: w + lambda w^mu K+ at a postsynaptic
/// spike, w - lambda alpha w K- at a presynaptic one.
pub fn power_law_spike_by_spike() {
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
pub fn power_law_fixed_point() {
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

/// Runs random trains without coincidences through a rule and, spike by spike, through a function of the weight, the trace
/// of the other side with tau = 20 ms, and whether the spike is postsynaptic.
fn against(mut bench: Bench, (mut w, w_max): (f64, f64), steps: u32, change: impl Fn(f64, f64, bool) -> f64) {
    let (mut random, mut x, mut y) = (Random(8), 0.0, 0.0);
    for step in 0..steps {
        x *= (-1.0f64 / 20.0).exp();
        y *= (-1.0f64 / 20.0).exp();
        let u = random.uniform();
        let (pre, post): (&[u32], &[u32]) = match u {
            u if u < 0.05 => (&[0], &[]),
            u if u < 0.1 => (&[], &[0]),
            _ => (&[], &[]),
        };
        if !pre.is_empty() {
            w -= change(w, y, false);
            x += 1.0;
        }
        if !post.is_empty() {
            w += change(w, x, true);
            y += 1.0;
        }
        w = w.clamp(0.0, w_max);
        bench.step(pre, post);
        near(bench.value("w"), w, 1e-12, &format!("w after step {step}"));
    }
}

/// As NEST's stdp_synapse has it: lambda (1 - w / w_max)^mu_plus K+ up, alpha lambda (w / w_max)^mu_minus K- down, in
/// units of w_max.
pub fn exponents_spike_by_spike() {
    for (mu_plus, mu_minus) in [(0.5, 0.5), (0.02, 0.3), (0.0, 1.0)] {
        let group = Bench::shipped("stdp_weight_dependent", 1, 1).param("w_max", 2.5).init("w", 1.5);
        let group = group.param("lambda", 0.02).param("mu_plus", mu_plus).param("mu_minus", mu_minus);
        against(Bench::new(group), (1.5, 2.5), 3000, |w, trace, up| match up {
            true => 0.02 * 2.5 * (1.0 - w / 2.5).powf(mu_plus) * trace,
            false => 1.05 * 0.02 * 2.5 * (w / 2.5).powf(mu_minus) * trace,
        });
    }
}

/// Exponents of 0 and 1 are the additive rule and the one with soft bounds.
pub fn exponents_at_their_ends() {
    for (exponent, name) in [(0.0, "stdp"), (1.0, "stdp_soft")] {
        let group = Bench::shipped("stdp_weight_dependent", 1, 1).param("mu_plus", exponent);
        let group = group.param("mu_minus", exponent).param("lambda", 0.01).param("alpha", 1.2);
        let mut general = Bench::new(group);
        let special = Bench::shipped(name, 1, 1).param("a_plus", 0.01).param("a_minus", 0.012);
        let mut special = Bench::new(special);
        let mut random = Random(17);
        for step in 0..2000 {
            let mut spikes = || if random.uniform() < 0.06 { vec![0u32] } else { vec![] };
            let (pre, post) = (spikes(), spikes());
            general.step(&pre, &post);
            special.step(&pre, &post);
            near(general.value("w"), special.value("w"), 1e-13, &format!("{name}: w after step {step}"));
        }
    }
}
