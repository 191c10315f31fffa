//! One experiment: a network learns one split of the digits, and is judged beside its untrained self and k-means++.

pub mod clusters;
pub mod data;
pub mod network;
pub mod neurons;
pub mod random;
pub mod readout;

use data::{Digits, Split};
use network::{Network, Synapses};
use random::Random;
use readout::{Readout, Responses};

/// Attempts of k-means++, of which the best counts.
const RESTARTS: usize = 10;

/// What an experiment depends on.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Neurons, and centres of k-means++.
    pub neurons: usize,
    /// How often every image of the training part is shown.
    pub epochs: usize,
    /// The seed of the split, the initial weights and the input.
    pub seed: u64,
}

/// The part of the held-out images that are recognised, with two ways of counting spikes.
#[derive(Clone, Copy, Default)]
pub struct Accuracy {
    /// A spike votes for its neuron's label.
    pub labels: f64,
    /// A spike's vote is shared among the digits as its neuron's mean responses are.
    pub profiles: f64,
}

/// What came out.
pub struct Outcome {
    /// Before learning.
    pub untrained: Accuracy,
    /// After learning.
    pub trained: Accuracy,
    /// The weights after learning, `[pixels, neurons]`, row by row.
    pub weights: Vec<f32>,
}

/// A split and the generator that made it, which both the network and k-means++ get.
pub fn split(digits: &Digits, seed: u64) -> (Split, Random) {
    let mut random = Random::new(seed);
    (Split::new(digits.images.len(), &mut random), random)
}

/// Trains and judges a network around fresh synapses. `report` is told after each epoch how many spikes an image caused on
/// average.
///
/// # Errors
/// If a step fails.
pub fn run<S: Synapses>(
    synapses: S,
    digits: &Digits,
    settings: Settings,
    mut report: impl FnMut(usize, f64),
) -> Result<Outcome, S::Error> {
    let Settings { neurons, epochs, seed } = settings;
    let (mut split, mut random) = split(digits, seed);
    let mut network = Network::new(synapses, neurons, seed)?;
    let untrained = judge(&mut network, digits, &split, neurons)?;
    let total = (epochs * split.training.len()) as f32;
    let mut shown = 0;
    for epoch in 0..epochs {
        random.shuffle(&mut split.training);
        let mut spikes = 0;
        for &number in &split.training {
            spikes += network.learn(&digits.images[number], shown as f32 / total)?;
            shown += 1;
        }
        report(epoch + 1, f64::from(spikes) / split.training.len() as f64);
    }
    network.freeze()?;
    let trained = judge(&mut network, digits, &split, neurons)?;
    Ok(Outcome { untrained, trained, weights: network.weights()? })
}

/// The accuracy of k-means++ on the split of a seed: centres from the training part, each labelled as a neuron is
/// that answers once to the images nearest to it.
pub fn k_means(digits: &Digits, centres: usize, seed: u64) -> f64 {
    let (split, mut random) = split(digits, seed);
    let images: Vec<_> = split.training.iter().map(|&number| digits.images[number]).collect();
    let found = clusters::centres(&images, centres, RESTARTS, &mut random);
    let answer = |number: usize, counts: &mut [u32]| {
        counts.fill(0);
        counts[clusters::nearest(&digits.images[number], &found).0] = 1;
        Ok(())
    };
    let judged: Result<Accuracy, std::convert::Infallible> = accuracy(digits, &split, centres, answer);
    match judged {
        Ok(accuracy) => accuracy.labels,
        Err(never) => match never {},
    }
}

fn judge<S: Synapses>(
    network: &mut Network<S>,
    digits: &Digits,
    split: &Split,
    neurons: usize,
) -> Result<Accuracy, S::Error> {
    accuracy(digits, split, neurons, |number, counts| network.respond(&digits.images[number], counts))
}

/// Labels from the training part, accuracy on the part held out; `answer` gives the spikes that an image causes.
fn accuracy<E>(
    digits: &Digits,
    split: &Split,
    neurons: usize,
    mut answer: impl FnMut(usize, &mut [u32]) -> Result<(), E>,
) -> Result<Accuracy, E> {
    let mut counts = vec![0; neurons];
    let mut responses = Responses::new(neurons);
    for &number in &split.training {
        answer(number, &mut counts)?;
        responses.add(digits.labels[number], &counts);
    }
    let readout: Readout = responses.readout();
    let (mut labels, mut profiles) = (0u32, 0u32);
    for &number in &split.held_out {
        answer(number, &mut counts)?;
        let right = Some(digits.labels[number]);
        labels += u32::from(readout.by_labels(&counts) == right);
        profiles += u32::from(readout.by_profiles(&counts) == right);
    }
    let of = split.held_out.len() as f64;
    Ok(Accuracy { labels: f64::from(labels) / of, profiles: f64::from(profiles) / of })
}
