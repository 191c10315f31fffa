//! Each workload on the engine, against the same recurrences written as plain loops in f64.

use aplysia::{Device, Plan};
use aplysia_bench::engine::OnEngine;
use aplysia_bench::workload::TRAIN;
use aplysia_bench::{Checked, Data, Subject, Workload};

const STEPS: u64 = 60;

/// The sum of the weights after some steps on the engine.
fn engine(workload: &Workload, data: &Data, plan: Plan) -> f64 {
    let mut subject = OnEngine::new(workload, data, Device::cpu_with_threads(1).unwrap(), plan).unwrap();
    subject.steps(0, STEPS).unwrap();
    subject.checksum().unwrap()
}

/// Traces and spikes of a side.
struct Side {
    trace: Vec<f64>,
    spikes: Vec<f64>,
}

impl Side {
    fn new(neurons: usize) -> Self {
        Self { trace: vec![0.0; neurons], spikes: vec![0.0; neurons] }
    }

    fn step(&mut self, active: &[u32]) {
        self.spikes.fill(0.0);
        active.iter().for_each(|&neuron| self.spikes[neuron as usize] = 1.0);
        for (trace, spike) in self.trace.iter_mut().zip(&self.spikes) {
            *trace = *trace * 0.95 + spike;
        }
    }
}

/// Every synapse, by its neurons.
fn pairs(workload: &Workload, data: &Data) -> Vec<(usize, usize)> {
    let side = workload.side;
    match &data.sparse {
        None => (0..side * side).map(|k| (k / side, k % side)).collect(),
        Some(sparse) => {
            let row = |i: usize| sparse.starts[i] as usize..sparse.starts[i + 1] as usize;
            let rows = (0..side).map(|i| sparse.columns[row(i)].iter().map(move |&j| (i, j as usize)));
            rows.flatten().collect()
        }
    }
}

/// The sum of the weights, where `update` takes a weight and the change that a pair of spikes proposes, the postsynaptic
/// neuron's rate, the presynaptic neuron and the step, and a value that each synapse keeps.
fn plain(
    workload: &Workload,
    data: &Data,
    mut update: impl FnMut(f64, f64, f64, usize, u64, &mut f64) -> f64,
) -> f64 {
    let pairs = pairs(workload, data);
    let mut weights: Vec<f64> = data.weights.iter().map(|&weight| weight.into()).collect();
    let mut kept = vec![0.0; weights.len()];
    let mut rates = vec![0.0; workload.side];
    let (mut pre, mut post) = (Side::new(workload.side), Side::new(workload.side));
    for step in 0..STEPS {
        pre.step(data.pre.of(step));
        post.step(data.post.of(step));
        for (rate, spike) in rates.iter_mut().zip(&post.spikes) {
            *rate += 0.001 * (spike - *rate);
        }
        for ((weight, kept), &(i, j)) in weights.iter_mut().zip(&mut kept).zip(&pairs) {
            let change = 0.01 * pre.trace[i] * post.spikes[j] - 0.012 * pre.spikes[i] * post.trace[j];
            *weight = update(*weight, change, rates[j], i, step, kept);
        }
    }
    weights.iter().sum()
}

fn holds(name: &str, expected: impl Fn(&Workload, &Data) -> f64) {
    let workload = Workload::find(name).unwrap();
    let data = Data::new(&workload);
    let expected = expected(&workload, &data);
    let before: f64 = data.weights.iter().map(|&weight| f64::from(weight)).sum();
    let learned = (expected - before).abs();
    assert!(learned > 1e-4 * before.abs(), "{name}: {learned} of {before} is learned");
    for plan in [Plan::Auto, Plan::FullPass, Plan::Events] {
        let found = engine(&workload, &data, plan);
        assert!((found - expected).abs() < 1e-3 * learned, "{name}: {found} and {expected}");
    }
}

#[test]
fn pair_based_plasticity() {
    let expected = |workload: &Workload, data: &Data| {
        plain(workload, data, |weight, change, _, _, _, _| (weight + change).clamp(0.0, 1.0))
    };
    for name in ["W1-60-p20", "W2-90-20pc"] {
        holds(name, expected);
    }
}

#[test]
fn rewarded_plasticity() {
    holds("W3-80", |workload, data| {
        plain(workload, data, |weight, change, _, _, step, eligible| {
            *eligible += change - *eligible / 200.0;
            weight + *eligible * f64::from(data.dopamine[step as usize % TRAIN])
        })
    });
}

#[test]
fn hebbian_learning_with_adam() {
    for (name, batch) in [("W4-40-b1", 1), ("W4-33-b7", 7)] {
        holds(name, |workload, data| {
            let side = workload.side;
            let mut weights: Vec<f64> = data.weights.iter().map(|&weight| weight.into()).collect();
            for (k, weight) in weights.iter_mut().enumerate() {
                let both = |b: usize| {
                    let (pre, post) =
                        (data.pre_activity[b * side + k / side], data.post_activity[b * side + k % side]);
                    f64::from(pre) * f64::from(post)
                };
                let product: f64 = (0..batch).map(both).sum();
                let (mut first, mut second) = (0.0, 0.0);
                for step in 1..=STEPS as i32 {
                    let gradient = product * (1.0 - weight.abs()) - 1e-4 * *weight;
                    first = 0.9 * first + 0.1 * gradient;
                    second = 0.999 * second + 0.001 * gradient * gradient;
                    let (u1, u2) = (1.0 / (1.0 - 0.9f64.powi(step)), 1.0 / (1.0 - 0.999f64.powi(step)));
                    *weight = (*weight + 1e-3 * first * u1 / ((second * u2).sqrt() + 1e-8)).clamp(-1.0, 1.0);
                }
            }
            weights.iter().sum()
        });
    }
}

#[test]
fn five_rules_in_one_pass() {
    holds("W6-80", |workload, data| {
        plain(workload, data, |weight, change, rate, i, _, _| {
            let sign = f64::from(data.signs[i]);
            let scaled = (weight + change) * (1.0 + 0.01 * (0.01 - rate)) - 1e-4 * weight;
            ((scaled * sign).max(0.0) * sign).clamp(-1.0, 1.0)
        })
    });
}

/// Its normal numbers are our own; what does not depend on them: signs hold, and no weight grows where its gradient
/// lowers it.
#[test]
fn noisy_gradient_descent() {
    let workload = Workload::find("W5-48").unwrap();
    let data = Data::new(&workload);
    let mut subject =
        OnEngine::new(&workload, &data, Device::cpu_with_threads(1).unwrap(), Plan::Auto).unwrap();
    subject.steps(0, STEPS).unwrap();
    let after = subject.weights().unwrap();
    let mut moved = 0;
    for (k, (after, before)) in after.iter().zip(&data.weights).enumerate() {
        assert!(after * data.signs[k / workload.side] >= 0.0);
        assert!(*after == *before || (after < before) == (data.gradient[k] > 0.0), "synapse {k}");
        moved += usize::from(after != before);
    }
    assert!(moved * 10 > after.len() * 9, "{moved} of {}", after.len());
}

/// Code of `plasticity!` and the engine: every bit of every weight.
#[cfg(feature = "native")]
#[test]
fn native_code_computes_the_same_bits() {
    use aplysia_bench::native::{Native, Plan as Of};
    let names = ["W1-60-p20", "W2-90-20pc", "W3-80", "W4-40-b1", "W4-33-b7", "W5-48", "W6-80", "W6-80-more"];
    let mut plans_seen = 0;
    for name in names {
        let workload = Workload::find(name).unwrap();
        let data = Data::new(&workload);
        let plans = [(Of::Auto, Plan::Auto), (Of::Full, Plan::FullPass), (Of::ClosedForm, Plan::ClosedForm)];
        for (of, plan) in plans {
            let Some(mut native) = Native::new(&workload, &data, of).unwrap() else { continue };
            native.steps(0, STEPS).unwrap();
            assert_eq!(native.checksum().unwrap(), engine(&workload, &data, plan), "{name}, {plan:?}");
            plans_seen += 1;
        }
    }
    assert_eq!(plans_seen, names.len() + 2 + 3, "W1 and W2 have three plans, W3 two");
    let groups = Workload::find("G2-8-p01").unwrap();
    assert!(Native::new(&groups, &Data::new(&groups), Of::Auto).unwrap().is_none());
}
