//! The network: Poisson input, the synapses in an engine, and the neurons around it.

use std::path::Path;

use aplysia::prelude::*;
use aplysia::{GroupId, StateId};
use ndarray::{Array2, Ix2};

use super::data::{Image, PIXELS, normalised};
use super::neurons::Neurons;
use super::random::Random;

/// How long an image is shown to learn from it, in steps of 1 ms.
const LEARNING_STEPS: usize = 100;
/// How long an image is shown to be recognised.
const READING_STEPS: usize = 200;
/// Spikes per step of a pixel as bright as the whole image is long. The brightest pixels reach about 700 Hz: a pixel
/// stands for the dozen input cells that an image of 28 × 28 has in its place.
const INTENSITY: f32 = 2.0;
/// The rate of learning, at first and at last; in between it falls exponentially.
const RATE: [f32; 2] = [0.1, 0.015];
/// What a spike raises its neuron's threshold by, in mV, at first and at last.
const RISE: [f32; 2] = [0.4, 0.0012];
/// What is left of an adaptation after an image: thresholds recover with a time constant of 100 s.
const RECOVERY: f32 = 0.999;

/// A network that learns, and can be read without learning.
pub struct Network {
    engine: Engine,
    /// Synapses under the whole rule.
    plastic: Synapses,
    /// The same synapses, with nothing but transmission.
    frozen: Synapses,
    neurons: Neurons,
    random: Random,
    /// Pixels that spike in a step.
    spikes: Vec<u32>,
}

/// A group and what is read of it in every step.
#[derive(Clone, Copy)]
struct Synapses {
    group: GroupId,
    current: StateId,
}

impl Network {
    /// An untrained network. The folder holds the rules.
    ///
    /// # Errors
    /// If a rule cannot be read.
    pub fn new(rules: &Path, neurons: usize, seed: u64) -> Result<Self> {
        // A step of so few synapses is shorter than handing a part of it to another thread.
        let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
        let mut register = |file: &str| -> Result<Synapses> {
            let rule = Rule::from_file(rules.join(file))?;
            let group = engine.register(Group::dense(PIXELS, neurons).rule(&rule).dt(ms(1.0)).seed(seed))?;
            Ok(Synapses { group, current: engine.state(group, "current")? })
        };
        let plastic = register("digits.rule")?;
        let frozen = register("transmission.rule")?;
        let mut network = Self {
            engine,
            plastic,
            frozen,
            neurons: Neurons::new(neurons),
            random: Random::new(seed),
            spikes: Vec::with_capacity(PIXELS),
        };
        network.freeze()?;
        Ok(network)
    }

    /// Shows an image and learns from it; `progress` is the part of the training that is over, from 0 to 1. Gives the
    /// number of spikes.
    ///
    /// # Errors
    /// If a step fails.
    pub fn learn(&mut self, image: &Image, progress: f32) -> Result<u32> {
        let between = |[first, last]: [f32; 2]| first * (last / first).powf(progress);
        let Synapses { group, .. } = self.plastic;
        self.engine.set_param(group, "rate", between(RATE))?;
        self.engine.call(group, "rest")?;
        self.neurons.rest();
        let image = normalised(image);
        let mut count = 0;
        let mut last = None;
        for _ in 0..LEARNING_STEPS {
            last = self.step(self.plastic, &image, last)?;
            if let Some(neuron) = last {
                self.neurons.adapt(neuron, between(RISE));
                count += 1;
            }
        }
        self.neurons.recover(RECOVERY);
        Ok(count)
    }

    /// Ends the learning for now: `respond` takes the present weights from here on.
    ///
    /// # Errors
    /// If the weights cannot be copied.
    pub fn freeze(&mut self) -> Result<()> {
        let weights = self.weights()?;
        self.engine.write(self.frozen.group, "w", weights)
    }

    /// Shows an image, weights and thresholds fixed, and counts each neuron's spikes.
    ///
    /// # Errors
    /// If a step fails.
    pub fn respond(&mut self, image: &Image, counts: &mut [u32]) -> Result<()> {
        counts.fill(0);
        self.neurons.rest();
        let image = normalised(image);
        for _ in 0..READING_STEPS {
            if let Some(neuron) = self.step(self.frozen, &image, None)? {
                counts[neuron] += 1;
            }
        }
        Ok(())
    }

    /// The weights, `[pixels, neurons]`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn weights(&mut self) -> Result<Array2<f32>> {
        let weights = self.engine.read::<f32>(self.plastic.group, "w")?.into_owned();
        Ok(weights.into_dimensionality::<Ix2>().expect("synaptic arrays have two axes"))
    }

    /// One step: the input's spikes and the neuron that spiked in the step before go in, the neuron that spikes now
    /// comes out.
    fn step(&mut self, synapses: Synapses, image: &Image, last: Option<usize>) -> Result<Option<usize>> {
        self.spikes.clear();
        for (pixel, value) in image.iter().enumerate() {
            if self.random.uniform() < value * INTENSITY {
                self.spikes.push(pixel as u32);
            }
        }
        let post = last.map(|neuron| neuron as u32);
        let events = Events::new().pre(&self.spikes).post(post.as_slice());
        let Synapses { group, current } = synapses;
        self.engine.step(&[(group, events)])?;
        Ok(self.neurons.step(&self.engine.read::<f32>(group, current)?))
    }
}
