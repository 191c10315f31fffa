//! A network of leaky integrate-and-fire neurons after Brunel, Journal of Computational Neuroscience 8, 183 (2000),
//! doi:10.1023/A:1008925309027, whose inhibition learns to hold the excitatory neurons at a rate (Vogels et al., Science
//! 334, 1569 (2011), doi:10.1126/science.1211095).
//!
//! Excitatory neurons excite each other through fixed random connections; inhibitory neurons reach all of them through
//! plastic ones, which begin at 0. Every neuron has a Poisson drive of its own.

use crate::random::Random;

aplysia::plasticity! {
    use std::istdp;
    /// The shipped rule, with a faster learning rate: a demonstration is short.
    rule balance = istdp(eta = 0.02);
}

/// Excitatory neurons.
const EXCITATORY: usize = 200;
/// Inhibitory neurons.
const INHIBITORY: usize = 50;
/// The length of a step in ms.
const DT: f64 = 0.5;
/// The jump of a potential at an excitatory spike, in mV.
const JUMP: f64 = 0.2;
/// How many of the other excitatory neurons reach one.
const SOURCES: usize = 20;

/// Neurons with a membrane of 20 ms, a threshold at 20 mV, a reset to 10 mV and 2 ms of silence after a spike.
struct Population {
    potential: Vec<f64>,
    silent: Vec<u32>,
    /// How many spikes of the drive a step has in the mean.
    drive: f64,
}

impl Population {
    /// `mean` is the potential, in mV, to which the drive alone would bring a neuron.
    fn new(count: usize, mean: f64) -> Self {
        let drive = mean * DT / (20.0 * JUMP);
        Self { potential: vec![0.0; count], silent: vec![0; count], drive }
    }

    /// One step with these jumps; gives the neurons that spike.
    fn step(&mut self, jumps: &[f64], random: &mut Random) -> Vec<usize> {
        let mut spikes = Vec::new();
        for (neuron, potential) in self.potential.iter_mut().enumerate() {
            let driven = JUMP * f64::from(random.poisson(self.drive));
            if self.silent[neuron] > 0 {
                self.silent[neuron] -= 1;
                continue;
            }
            *potential += -*potential * DT / 20.0 + driven + jumps[neuron];
            if *potential >= 20.0 {
                *potential = 10.0;
                self.silent[neuron] = (2.0 / DT) as u32;
                spikes.push(neuron);
            }
        }
        spikes
    }
}

/// The rate of the excitatory neurons in each of so many seconds, in Hz.
pub fn rates(seconds: usize) -> Vec<f64> {
    let mut random = Random::new(1);
    let mut excitatory = Population::new(EXCITATORY, 30.0);
    let mut inhibitory = Population::new(INHIBITORY, 23.0);
    let targets: Vec<Vec<usize>> = (0..EXCITATORY)
        .map(|_| (0..SOURCES).map(|_| (random.unit() * EXCITATORY as f64) as usize).collect())
        .collect();
    let options = balance::Options { dt: DT, seed: 0 };
    let group = balance::Group::try_dense(INHIBITORY, EXCITATORY, balance::Params::default(), options);
    let Ok(mut synapses) = group else { return Vec::new() };
    let (mut jumps, still) = (vec![0.0; EXCITATORY], vec![0.0; INHIBITORY]);
    (0..seconds)
        .map(|_| {
            let mut count = 0;
            for _ in 0..(1000.0 / DT) as usize {
                let pre = inhibitory.step(&still, &mut random);
                let post = excitatory.step(&jumps, &mut random);
                jumps.fill(0.0);
                for &neuron in &post {
                    targets[neuron].iter().for_each(|&target| jumps[target] += JUMP);
                }
                for &neuron in &pre {
                    let row = &synapses.w()[neuron * EXCITATORY..][..EXCITATORY];
                    jumps.iter_mut().zip(row).for_each(|(jump, &w)| *jump -= f64::from(w));
                }
                synapses.step(&pre, &post);
                count += post.len();
            }
            count as f64 / EXCITATORY as f64
        })
        .collect()
}
