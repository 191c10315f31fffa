//! E-prop (Bellec et al. 2020) against the gradient that it stands for.
//!
//! A layer of neurons without recurrent synapses is simulated together with the derivatives of all its variables by each
//! weight (forward differentiation). The derivative of a spike is psi (dv - dA), that of the reset is left out, as in the
//! paper; there e-prop is the gradient of the squared error, with L = sum over k of B_jk (y_k - y*_k).

use aplysia_compiler::interp::rule::{RuleMachine, Topology};

use super::{Bench, Random, near};
use crate::machine::Case;

const INPUTS: usize = 4;
const NEURONS: usize = 3;
const OUTPUTS: usize = 2;
const V_TH: f64 = 0.6;
const GAMMA: f64 = 0.3;

/// A value and its derivatives by the weights from each input.
type Dual = (f64, [f64; INPUTS]);

struct Neuron {
    v: Dual,
    a: Dual,
    z: f64,
    dz: [f64; INPUTS],
    rested: u32,
}

/// What a step of the layer hands to the rule.
struct Seen {
    v: Vec<f64>,
    spikes: Vec<u32>,
    learning_signal: Vec<f64>,
}

struct Layer {
    beta: f64,
    weights: Vec<[f64; INPUTS]>,
    readout: Vec<[f64; OUTPUTS]>,
    neurons: Vec<Neuron>,
    y: [f64; OUTPUTS],
    /// By output, neuron and weight.
    dy: Vec<Vec<[f64; INPUTS]>>,
    gradient: Vec<[f64; INPUTS]>,
}

impl Layer {
    fn new(beta: f64, random: &mut Random) -> Self {
        let neuron = || Neuron {
            v: (0.0, [0.0; INPUTS]),
            a: (0.0, [0.0; INPUTS]),
            z: 0.0,
            dz: [0.0; INPUTS],
            rested: 100,
        };
        Self {
            beta,
            weights: (0..NEURONS).map(|_| std::array::from_fn(|_| 0.25 + 0.2 * random.normal())).collect(),
            readout: (0..NEURONS).map(|_| std::array::from_fn(|_| random.normal())).collect(),
            neurons: (0..NEURONS).map(|_| neuron()).collect(),
            y: [0.0; OUTPUTS],
            dy: vec![vec![[0.0; INPUTS]; NEURONS]; OUTPUTS],
            gradient: vec![[0.0; INPUTS]; NEURONS],
        }
    }

    /// One step of 1 ms with tau_m = tau_out = 20 ms, tau_a = 200 ms and 5 refractory steps.
    fn step(&mut self, input: &[bool; INPUTS], target: &[f64; OUTPUTS]) -> Seen {
        let (alpha, kappa, rho) = ((-1.0f64 / 20.0).exp(), (-1.0f64 / 20.0).exp(), (-1.0f64 / 200.0).exp());
        let mut seen = Seen { v: Vec::new(), spikes: Vec::new(), learning_signal: Vec::new() };
        for (j, neuron) in self.neurons.iter_mut().enumerate() {
            let arrived = |i: usize| f64::from(u8::from(input[i]));
            neuron.a.0 = rho * neuron.a.0 + neuron.z;
            neuron.v.0 = alpha * neuron.v.0 - V_TH * neuron.z;
            neuron.v.0 += (0..INPUTS).map(|i| self.weights[j][i] * arrived(i)).sum::<f64>();
            for i in 0..INPUTS {
                neuron.a.1[i] = rho * neuron.a.1[i] + neuron.dz[i];
                neuron.v.1[i] = alpha * neuron.v.1[i] + arrived(i);
            }
            neuron.rested += 1;
            let over = neuron.v.0 - V_TH - self.beta * neuron.a.0;
            let rested = neuron.rested > 5;
            let psi = if rested { GAMMA / V_TH * (1.0 - over.abs() / V_TH).max(0.0) } else { 0.0 };
            neuron.z = f64::from(u8::from(rested && over > 0.0));
            for i in 0..INPUTS {
                neuron.dz[i] = psi * (neuron.v.1[i] - self.beta * neuron.a.1[i]);
            }
            if neuron.z > 0.0 {
                neuron.rested = 0;
                seen.spikes.push(j as u32);
            }
            seen.v.push(neuron.v.0);
        }
        let mut error = [0.0; OUTPUTS];
        for k in 0..OUTPUTS {
            self.y[k] *= kappa;
            self.y[k] += (0..NEURONS).map(|j| self.readout[j][k] * self.neurons[j].z).sum::<f64>();
            error[k] = self.y[k] - target[k];
            for j in 0..NEURONS {
                for i in 0..INPUTS {
                    self.dy[k][j][i] = kappa * self.dy[k][j][i] + self.readout[j][k] * self.neurons[j].dz[i];
                    self.gradient[j][i] += error[k] * self.dy[k][j][i];
                }
            }
        }
        let signal = |j: usize| (0..OUTPUTS).map(|k| self.readout[j][k] * error[k]).sum();
        seen.learning_signal = (0..NEURONS).map(signal).collect();
        seen
    }
}

/// After every step, w has gone down the gradient of the error so far.
fn follows_the_gradient(rule: &str, beta: f64) {
    let mut random = Random(31);
    let mut layer = Layer::new(beta, &mut random);
    let mut group = Bench::shipped(rule, INPUTS, NEURONS).param("eta", 0.01);
    if beta > 0.0 {
        group = group.param("beta", beta).param("tau_a", 0.2);
    }
    let mut bench = Bench::new(group);
    let mut spikes = 0;
    for step in 0..500 {
        let input: [bool; INPUTS] = std::array::from_fn(|_| random.uniform() < 0.15);
        let target = [(f64::from(step) / 40.0).sin(), (f64::from(step) / 25.0).cos()];
        let seen = layer.step(&input, &target);
        spikes += seen.spikes.len();
        bench.input("v", &seen.v);
        bench.input("L", &seen.learning_signal);
        let arrived = super::which(INPUTS, |i| input[i]);
        bench.step(&arrived, &seen.spikes);
        for (at, w) in bench.values("w").into_iter().enumerate() {
            let (i, j) = (at / NEURONS, at % NEURONS);
            near(w, -0.01 * layer.gradient[j][i], 1e-12, &format!("{rule}: w[{i}, {j}] after step {step}"));
        }
    }
    assert!(spikes > 50, "the neurons spiked {spikes} times");
    let moved = layer.gradient.iter().flatten().fold(0.0f64, |most, g| most.max(g.abs()));
    assert!(moved > 1.0, "the gradient stayed small: {moved}");
}

/// Neurons without adaptation.
pub fn lif_gradient() {
    follows_the_gradient("eprop_lif", 0.0);
}

/// Neurons with adaptation.
pub fn alif_gradient() {
    follows_the_gradient("eprop_alif", 0.12);
}

/// Two trials at once, with `batch mean`, on the rule interpreter: w goes down the mean of their gradients.
pub fn batch_gradient() {
    let text = "use std::eprop_alif; rule over_trials { plastic w; batch mean; }
        rule trained = eprop_alif(eta = 0.01, beta = 0.12, tau_a = 200 ms) + over_trials;";
    let rule = Case::must("trained", text).rule;
    let id = |name: &str| {
        let found = rule.variables.iter().find(|(_, variable)| variable.address() == name);
        found.unwrap_or_else(|| panic!("there is no {name}")).0
    };
    let [w, v, signal] = ["w", "v", "L"].map(id);
    let topology = Topology::Dense { pre: INPUTS, post: NEURONS };
    let mut machine = RuleMachine::<f64>::new(&rule, topology, 2, 1.0, 1).unwrap();
    let mut random = Random(43);
    let mut layers = [Layer::new(0.12, &mut random), Layer::new(0.12, &mut random)];
    for step in 0..200 {
        let (mut potentials, mut signals, mut pre, mut post) = (vec![], vec![], vec![], vec![]);
        for (element, layer) in layers.iter_mut().enumerate() {
            let input: [bool; INPUTS] = std::array::from_fn(|_| random.uniform() < 0.15);
            let seen = layer.step(&input, &[(f64::from(step) / 40.0).sin(), element as f64]);
            potentials.extend(seen.v);
            signals.extend(seen.learning_signal);
            pre.extend(input);
            post.extend((0..NEURONS as u32).map(|neuron| seen.spikes.contains(&neuron)));
        }
        machine.set_input(v, &potentials).unwrap();
        machine.set_input(signal, &signals).unwrap();
        machine.step(&pre, &post).unwrap();
        for (at, w) in machine.read(w).unwrap().into_iter().enumerate() {
            let (i, j) = (at / NEURONS, at % NEURONS);
            let mean = layers.iter().map(|layer| layer.gradient[j][i]).sum::<f64>() / 2.0;
            near(w, -0.01 * mean, 1e-12, &format!("w[{i}, {j}] after step {step}"));
        }
    }
    assert!(layers.iter().all(|layer| layer.gradient.iter().flatten().any(|g| g.abs() > 0.5)));
}

/// Two presynaptic spikes by hand, in the numbers of the definition: x = 1, psi = 0.5 (1 - 0.1 / 0.6) and so on.
pub fn by_hand() {
    let group =
        Bench::shipped("eprop_lif", 1, 1).param("eta", 1.0).param("tau_m", 1e15).param("tau_out", 1e15);
    let mut bench = Bench::new(group);
    for (pre, v, post, signal, e_bar) in [
        (true, 0.5, false, 0.0, 0.5 * (5.0 / 6.0)),
        (false, 0.6, true, 2.0, 0.5 * (5.0 / 6.0) + 0.5),
        // Refractory for five steps: nothing becomes eligible.
        (true, 0.6, false, -1.0, 0.5 * (5.0 / 6.0) + 0.5),
    ] {
        let before = bench.value("w");
        bench.input("v", &[v]);
        bench.input("L", &[signal]);
        bench.step(if pre { &[0] } else { &[] }, if post { &[0] } else { &[] });
        near(bench.value("e_bar"), e_bar, 1e-12, "the filtered eligibility");
        near(bench.value("w") - before, -signal * e_bar, 1e-12, "the change of w");
    }
    bench.input("L", &[0.0]);
    let before = bench.value("e_bar");
    for _ in 0..4 {
        bench.step(&[], &[]);
        near(bench.value("e_bar"), before, 1e-12, "the filtered eligibility while refractory");
    }
    bench.step(&[], &[]);
    near(bench.value("e_bar"), before + 0.5 * 2.0, 1e-12, "the filtered eligibility after it, with x = 2");
}
