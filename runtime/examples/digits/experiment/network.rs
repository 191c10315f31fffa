//! The network: Poisson input and neurons, and between them synapses that somebody else carries out.

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

/// Synapses from the pixels to the neurons under the rules of the example.
pub trait Synapses {
    /// Why a step fails.
    type Error;

    /// What lies between two images: traces are at rest, and `rate` is the rate of learning from here on.
    ///
    /// # Errors
    /// If the rate is not one.
    fn begin(&mut self, rate: f32) -> Result<(), Self::Error>;

    /// One step under the whole rule: the input's spikes and the neuron that spiked in the step before go in, the neurons'
    /// currents come out.
    ///
    /// # Errors
    /// If the step fails.
    fn learn(&mut self, pre: &[u32], last: Option<usize>, current: &mut [f32]) -> Result<(), Self::Error>;

    /// Ends the learning for now: `transmit` takes the present weights from here on.
    ///
    /// # Errors
    /// If the weights cannot be copied.
    fn freeze(&mut self) -> Result<(), Self::Error>;

    /// One step with nothing but transmission: reading does without the work of learning.
    ///
    /// # Errors
    /// If the step fails.
    fn transmit(&mut self, pre: &[u32], current: &mut [f32]) -> Result<(), Self::Error>;

    /// The weights that learn, `[pixels, neurons]`, row by row.
    ///
    /// # Errors
    /// If they cannot be read.
    fn weights(&mut self) -> Result<Vec<f32>, Self::Error>;
}

/// A network that learns, and can be read without learning.
pub struct Network<S> {
    synapses: S,
    neurons: Neurons,
    random: Random,
    /// Pixels that spike in a step.
    spikes: Vec<u32>,
    /// What the neurons get in a step.
    current: Vec<f32>,
}

impl<S: Synapses> Network<S> {
    /// An untrained network around these synapses.
    ///
    /// # Errors
    /// If the synapses' weights cannot be copied.
    pub fn new(synapses: S, neurons: usize, seed: u64) -> Result<Self, S::Error> {
        let mut network = Self {
            synapses,
            neurons: Neurons::new(neurons),
            random: Random::new(seed),
            spikes: Vec::with_capacity(PIXELS),
            current: vec![0.0; neurons],
        };
        network.freeze()?;
        Ok(network)
    }

    /// Shows an image and learns from it; `progress` is the part of the training that is over, from 0 to 1. Gives the
    /// number of spikes.
    ///
    /// # Errors
    /// If a step fails.
    pub fn learn(&mut self, image: &Image, progress: f32) -> Result<u32, S::Error> {
        let between = |[first, last]: [f32; 2]| first * (last / first).powf(progress);
        let last_rate = LAST_RATE * (self.neurons.count() as f32).sqrt();
        self.synapses.begin(between([FIRST_RATE, last_rate]))?;
        self.neurons.rest();
        let image = normalised(image);
        let mut count = 0;
        let mut last = None;
        for _ in 0..LEARNING_STEPS {
            self.draw_input(&image);
            self.synapses.learn(&self.spikes, last, &mut self.current)?;
            last = self.neurons.step(&self.current);
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
    pub fn freeze(&mut self) -> Result<(), S::Error> {
        self.synapses.freeze()
    }

    /// Shows an image, weights and thresholds fixed, and counts each neuron's spikes.
    ///
    /// # Errors
    /// If a step fails.
    pub fn respond(&mut self, image: &Image, counts: &mut [u32]) -> Result<(), S::Error> {
        counts.fill(0);
        self.neurons.rest();
        let image = normalised(image);
        for _ in 0..READING_STEPS {
            self.draw_input(&image);
            self.synapses.transmit(&self.spikes, &mut self.current)?;
            if let Some(neuron) = self.neurons.step(&self.current) {
                counts[neuron] += 1;
            }
        }
        Ok(())
    }

    /// The weights, `[pixels, neurons]`, row by row.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn weights(&mut self) -> Result<Vec<f32>, S::Error> {
        self.synapses.weights()
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
