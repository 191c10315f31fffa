//! Modulated spike-timing-dependent plasticity (Florian 2007).

use super::{Bench, Random, near};
use aplysia::units::ms;

/// The recurrences of the paper (section 3), in plain f64. `reward[n]` is r(t_n).
///
/// P+(t) = P+(t - dt) e^(-dt / tau+) + A+ f_pre(t), P-(t) likewise; zeta(t) = P+(t) f_post(t) + P-(t) f_pre(t).
/// MSTDP: w(t + dt) = w(t) + gamma r(t + dt) zeta(t). MSTDPET: z(t + dt) = e^(-dt / tau_z) z(t) + zeta(t) / tau_z and
/// w(t + dt) = w(t) + gamma r(t + dt) z(t + dt) dt.
fn recurrences(dt: f64, spikes: &[(bool, bool)], reward: &[f64]) -> Vec<(f64, f64)> {
    let (mut plus, mut minus, mut z, mut found) = (0.0, 0.0, 0.0, Vec::new());
    let (mut mstdp, mut mstdpet) = (2.5, 2.5);
    let number = |spike: bool| f64::from(u8::from(spike));
    for (&(pre, post), next) in spikes.iter().zip(&reward[1..]) {
        plus = plus * (-dt / 20.0f64).exp() + number(pre);
        minus = minus * (-dt / 20.0f64).exp() - number(post);
        let zeta = plus * number(post) + minus * number(pre);
        z = z * (-dt / 25.0f64).exp() + zeta / 25.0;
        mstdp += 0.1 * next * zeta;
        mstdpet += 0.625 * next * z * dt;
        found.push((mstdp, mstdpet));
    }
    found
}

/// Random spikes, coincidences among them, and rewards of both signs.
pub fn published_recurrences() {
    for dt in [1.0, 0.25] {
        let (mut random, steps) = (Random(12), 600);
        let spikes: Vec<_> = (0..steps).map(|_| (random.uniform() < 0.1, random.uniform() < 0.1)).collect();
        let reward: Vec<f64> = (0..=steps).map(|_| 0.1 * random.normal()).collect();
        assert!(spikes.contains(&(true, true)), "coincidences count, too");
        let expected = recurrences(dt, &spikes, &reward);
        let inside = |w: &(f64, f64)| (0.1..4.9).contains(&w.0) && (0.1..4.9).contains(&w.1);
        assert!(expected.iter().all(inside), "w would be clipped");
        let bench = |name| Bench::new(Bench::shipped(name, 1, 1).dt(ms(dt)).init("w", 2.5));
        let (mut mstdp, mut mstdpet) = (bench("mstdp"), bench("mstdpet"));
        for (step, ((&(pre, post), next), expected)) in
            spikes.iter().zip(&reward[1..]).zip(expected).enumerate()
        {
            let list = |spike: bool| if spike { vec![0u32] } else { vec![] };
            for bench in [&mut mstdp, &mut mstdpet] {
                bench.input("reward", &[*next]);
                bench.step(&list(pre), &list(post));
            }
            near(mstdp.value("w"), expected.0, 1e-12, &format!("MSTDP, step {step}"));
            near(mstdpet.value("w"), expected.1, 1e-12, &format!("MSTDPET, step {step}"));
        }
    }
}

/// One pair and a reward that stays: over all time the trace turns it into the change by MSTDP, but for the step,
/// gamma A e^(-s / tau) dt / (tau_z (1 - e^(-dt / tau_z))).
pub fn one_pair() {
    for (pre_at, post_at, sign) in [(0u32, 8u32, 1.0), (8, 0, -1.0)] {
        let change = |name| {
            let mut bench = Bench::new(Bench::shipped(name, 1, 1).param("gamma", 0.2).init("w", 1.0));
            bench.input("reward", &[1.0]);
            for step in 0..2000 {
                let list = |at| if step == at { vec![0u32] } else { vec![] };
                bench.step(&list(pre_at), &list(post_at));
            }
            bench.value("w") - 1.0
        };
        let window = sign * 0.2 * (-8.0f64 / 20.0).exp();
        near(change("mstdp"), window, 1e-13, "MSTDP");
        let steps = 1.0 / (25.0 * (1.0 - (-1.0f64 / 25.0).exp()));
        near(change("mstdpet"), window * steps, 1e-13, "MSTDPET");
    }
}
