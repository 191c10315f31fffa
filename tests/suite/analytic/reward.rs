//! Rules with a third factor.

use super::{Bench, near};

/// One pair, then dopamine: the sum over steps of gain dt c d is a geometric series (Izhikevich 2007, equations 1 to 3).
pub fn rstdp_closed_form() {
    let (tau, tau_c, tau_d) = (20.0f64, 1000.0f64, 200.0f64);
    for (pre_at, post_at, amplitude) in [(0u32, 10u32, 0.1), (10, 0, -0.15), (5, 5, 0.1)] {
        let (reward_at, release, end) = (310u32, 0.7, 1310u32);
        let mut bench = Bench::new(Bench::shipped("rstdp", 1, 1).param("tonic", 0.0));
        for step in 0..=end {
            let pre: &[u32] = if step == pre_at { &[0] } else { &[] };
            let post: &[u32] = if step == post_at { &[0] } else { &[] };
            bench.input("reward", &[if step == reward_at { release } else { 0.0 }]);
            bench.step(pre, post);
        }
        let last = pre_at.max(post_at);
        let delay = f64::from(last - pre_at.min(post_at));
        let eligibility = amplitude * (-delay / tau).exp();
        near(bench.value("c"), eligibility * (-f64::from(end - last) / tau_c).exp(), 1e-13, "eligibility");
        near(bench.value("d"), release * (-f64::from(end - reward_at) / tau_d).exp(), 1e-13, "dopamine");
        let at_reward = eligibility * (-f64::from(reward_at - last) / tau_c).exp();
        let ratio = (-1.0 / tau_c - 1.0 / tau_d).exp();
        let terms = f64::from(end - reward_at + 1);
        // 1 Hz times 1 ms.
        let change = 1e-3 * at_reward * release * (1.0 - ratio.powf(terms)) / (1.0 - ratio);
        near(bench.value("w"), 0.5 + change, 1e-13, "w");
    }
}

/// What the host gives before the first step counts in it.
pub fn rstdp_first_step() {
    let mut bench = Bench::new(Bench::shipped("rstdp", 1, 1).param("tonic", 0.0).init("c", 0.5));
    bench.input("reward", &[2.0]);
    bench.step(&[], &[]);
    near(bench.value("w"), 0.5 + 1e-3 * 2.0 * 0.5 * (-1.0f64 / 1000.0).exp(), 1e-15, "w");
}
