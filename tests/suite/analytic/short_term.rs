//! Short-term plasticity.

use super::{Bench, Random, near};
use aplysia::prelude::*;

/// U, tau_rec, tau_facil: figure 1 of Tsodyks, Pawelzik & Markram 1998.
const KINDS: [(&str, f64, f64, f64); 2] =
    [("depressing", 0.5, 800.0, 0.0), ("facilitating", 0.03, 130.0, 530.0)];

fn bench(kind: &str, dt: f64) -> Bench {
    let rule = Rule::shipped("tsodyks_markram").unwrap().option("kind", kind).unwrap();
    let group = Group::dense(1, 1).rule(&rule).precision(Precision::F64).dt(ms(dt));
    Bench::new(group.init("w", 2.5))
}

/// From spike to spike, as the paper has it (equations 2.2 and 2.3): with the interval s,
/// u' = u e^(-s / tau_facil) (1 - U) + U and R' = 1 + (R (1 - u) - 1) e^(-s / tau_rec); a spike gives w u R.
pub fn spike_by_spike() {
    for (kind, usage, tau_rec, tau_facil) in KINDS {
        let dt = 0.25;
        let (mut bench, mut random) = (bench(kind, dt), Random(5));
        let mut last: Option<(u32, f64, f64)> = None;
        for step in 0..6000u32 {
            if random.uniform() >= 0.01 {
                bench.step(&[], &[]);
                assert_eq!(bench.value("current"), 0.0);
                continue;
            }
            let (u, resources) = match last {
                None => (usage, 1.0),
                Some((before, u, resources)) => {
                    let interval = f64::from(step - before) * dt;
                    let kept = if tau_facil == 0.0 { 0.0 } else { u * (-interval / tau_facil).exp() };
                    let missing = resources * (1.0 - u) - 1.0;
                    (kept * (1.0 - usage) + usage, 1.0 + missing * (-interval / tau_rec).exp())
                }
            };
            bench.step(&[0], &[]);
            near(bench.value("current"), 2.5 * u * resources, 1e-12, &format!("{kind}, step {step}"));
            last = Some((step, u, resources));
        }
    }
}

/// A regular train: u = U / (1 - (1 - U) e^(-s / tau_facil)), R = (1 - q) / (1 - (1 - u) q) with q = e^(-s / tau_rec).
/// Beyond the limiting frequency the mean current of the depressing synapse no longer depends on the rate: w / tau_rec.
pub fn steady_state() {
    for (kind, usage, tau_rec, tau_facil) in KINDS {
        for interval in [5u32, 50, 200] {
            let mut bench = bench(kind, 1.0);
            for step in 0..=interval * 800 {
                bench.step(if step % interval == 0 { &[0] } else { &[] }, &[]);
            }
            let s = f64::from(interval);
            let kept = if tau_facil == 0.0 { 0.0 } else { (-s / tau_facil).exp() };
            let u = usage / (1.0 - (1.0 - usage) * kept);
            let q = (-s / tau_rec).exp();
            let release = u * (1.0 - q) / (1.0 - (1.0 - u) * q);
            near(bench.value("current"), 2.5 * release, 1e-12, &format!("{kind}, every {interval} ms"));
            if kind == "depressing" && interval == 5 {
                let limit = 2.5 / tau_rec;
                near(bench.value("current") / s, limit, 0.01 * limit, "the current at 200 Hz");
            }
        }
    }
}
