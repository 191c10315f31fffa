//! Dendritic prediction of somatic spiking (Urbanczik & Senn 2014).

use super::{Bench, Random, near};
use aplysia::units::ms;

/// The rate of a soma whose potential is V, in 1/ms.
fn rate(potential: f64) -> f64 {
    0.15 / (1.0 + 0.5 * ((-55.0 - potential) / 3.0).exp())
}

/// The logarithmic slope of the rate by a difference, in 1/mV.
fn slope(potential: f64) -> f64 {
    let step = 1e-4;
    (rate(potential + step).ln() - rate(potential - step).ln()) / (2.0 * step)
}

fn predicted(dendrite: f64) -> f64 {
    (30.0 * -70.0 + 600.0 * dendrite) / 630.0
}

/// Irregular spikes and potentials: the PSP as a sum of kernels tau_s / (tau_L - tau_s) (e^(-s / tau_L) - e^(-s / tau_s))
/// over all spikes, the change under way as a sum of errors with e^(-s / tau_delta) / tau_delta.
pub fn sums_over_spikes() {
    let (dt, steps, eta) = (0.5, 400usize, 5.25);
    let mut random = Random(21);
    let mut bench = Bench::new(Bench::shipped("urbanczik_senn", 1, 1).dt(ms(dt)).init("w", 1.0));
    let (mut w, mut spikes, mut errors) = (1.0, Vec::new(), Vec::new());
    for step in 0..steps {
        let at = step as f64 * dt;
        let (pre, post) = (random.uniform() < 0.05, random.uniform() < 0.05);
        let dendrite = -62.0 + 5.0 * random.normal();
        if pre {
            spikes.push(at);
        }
        let kernel = |s: f64| 3.0 / 7.0 * ((-s / 10.0).exp() - (-s / 3.0).exp());
        let psp: f64 = spikes.iter().map(|spike| kernel(at - spike)).sum();
        let potential = predicted(dendrite);
        let error = f64::from(u8::from(post)) - rate(potential) * dt;
        errors.push((at, error * slope(potential) * psp));
        let delta: f64 = errors.iter().map(|(then, error)| error / 100.0 * ((then - at) / 100.0).exp()).sum();
        w += eta * dt * delta;
        bench.input("v", &[dendrite]);
        let list = |spike: bool| if spike { vec![0u32] } else { vec![] };
        bench.step(&list(pre), &list(post));
        near(bench.value("psp"), psp, 1e-13, &format!("psp, step {step}"));
        near(bench.value("w"), w, 1e-9, &format!("w, step {step}"));
    }
    assert!((w - 1.0).abs() > 0.01, "w has hardly moved: {w}");
}

/// Where the soma spikes at the predicted rate w rests, whatever the input; below it w grows, above it w falls.
pub fn rests_where_predicted() {
    let period = 20;
    // V* of the rate 1 / period, solved for the dendrite.
    let potential = -55.0 - 3.0 * ((0.15 * f64::from(period) - 1.0) / 0.5).ln();
    let dendrite = (630.0 * potential + 30.0 * 70.0) / 600.0;
    near(rate(predicted(dendrite)), 1.0 / f64::from(period), 1e-15, "the rate at rest");
    let drift = |dendrite: f64| {
        let mut bench = Bench::new(Bench::shipped("urbanczik_senn", 1, 1).init("w", 1.0));
        bench.input("v", &[dendrite]);
        let mut before = 0.0;
        for step in 0..period * 200 {
            if step == period * 199 {
                before = bench.value("w");
            }
            bench.step(&[0], if step % period == 7 { &[0] } else { &[] });
        }
        bench.value("w") - before
    };
    near(drift(dendrite), 0.0, 1e-13, "the drift of w in a period");
    assert!(drift(dendrite - 3.0) > 1e-4, "the dendrite predicts too little");
    assert!(drift(dendrite + 3.0) < -1e-4, "the dendrite predicts too much");
}
