//! The network: Poisson input, the synapses in an engine, and the neurons around it.

use std::path::Path;

use aplysia::prelude::*;
use aplysia::{GroupId, StateId};
use ndarray::{Array2, CowArray, Ix2, IxDyn};

use super::data::{Image, PIXELS, normalised};
use super::neurons::Neurons;
use super::random::Random;

/// How long an image is shown to learn from it, in steps of 1 ms.
const LEARNING_STEPS: usize = 150;
/// How long an image is shown to be recognised.
const READING_STEPS: usize = 250;
/// Spikes per step of a pixel as bright as the whole image is long. The brightest pixels reach about 700 Hz: a pixel
/// stands for the dozen input cells that an image of 28 × 28 has in its place.
const INTENSITY: f32 = 2.0;
/// The rate of learning at first; it falls exponentially.
const FIRST_RATE: f32 = 0.1;
/// The rate of learning at last, over the square root of the number of neurons: the more there are, the fewer images
/// each of them wins.
const LAST_RATE: f32 = 0.0015;
/// What a spike raises its neuron's threshold by, in mV, at first and at last; it falls exponentially too.
const RISE: [f32; 2] = [0.4, 0.0012];
/// What is left of an adaptation after an image: thresholds recover with a time constant of 100 s.
const RECOVERY: f32 = 0.9985;

/// A network that learns, and can be read without learning.
pub struct Network {
    /// Synapses under the whole rule.
    plastic: Synapses,
    /// The same synapses, with nothing but transmission: reading does without the work of learning.
    frozen: Synapses,
    neurons: Neurons,
    random: Random,
    /// Pixels that spike in a step.
    spikes: Vec<u32>,
}

/// An engine of one group, and what is read of it in every step.
struct Synapses {
    engine: Engine,
    group: GroupId,
    current: StateId,
}

impl Network {
    /// An untrained network. The folder holds the rules.
    ///
    /// # Errors
    /// If a rule cannot be read.
    pub fn new(rules: &Path, neurons: usize, seed: u64) -> Result<Self> {
        let register = |file: &str| -> Result<Synapses> {
            // A step of so few synapses is shorter than handing a part of it to another thread.
            let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
            let rule = Rule::from_file(rules.join(file))?;
            let group = engine.register(Group::dense(PIXELS, neurons).rule(&rule).dt(ms(1.0)).seed(seed))?;
            let current = engine.state(group, "current")?;
            Ok(Synapses { engine, group, current })
        };
        let plastic = register("digits.rule")?;
        let frozen = register("transmission.rule")?;
        let mut network = Self {
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
        let last_rate = LAST_RATE * (self.neurons.count() as f32).sqrt();
        let Synapses { engine, group, .. } = &mut self.plastic;
        engine.set_param(*group, "rate", between([FIRST_RATE, last_rate]))?;
        engine.call(*group, "rest")?;
        self.neurons.rest();
        let image = normalised(image);
        let mut count = 0;
        let mut last = None;
        for _ in 0..LEARNING_STEPS {
            self.draw_input(&image);
            let current = self.plastic.step(&self.spikes, last)?;
            last = self.neurons.step(&current);
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
        self.frozen.engine.write(self.frozen.group, "w", weights)
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
            self.draw_input(&image);
            let current = self.frozen.step(&self.spikes, None)?;
            if let Some(neuron) = self.neurons.step(&current) {
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
        let weights = self.plastic.engine.read::<f32>(self.plastic.group, "w")?.into_owned();
        Ok(weights.into_dimensionality::<Ix2>().expect("synaptic arrays have two axes"))
    }

    /// Draws the pixels that spike in a step.
    fn draw_input(&mut self, image: &Image) {
        self.spikes.clear();
        for (pixel, value) in image.iter().enumerate() {
            if self.random.uniform() < value * INTENSITY {
                self.spikes.push(pixel as u32);
            }
        }
    }
}

impl Synapses {
    /// One step: the input's spikes and the neuron that spiked in the step before go in, the neurons' currents come
    /// out.
    fn step(&mut self, pre: &[u32], last: Option<usize>) -> Result<CowArray<'_, f32, IxDyn>> {
        let post = last.map(|neuron| neuron as u32);
        self.engine.step(&[(self.group, Events::new().pre(pre).post(post.as_slice()))])?;
        self.engine.read::<f32>(self.group, self.current)
    }
}
