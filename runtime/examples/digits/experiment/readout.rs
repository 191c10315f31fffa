//! What the neurons' answers mean: labels from the training part, and the digit that spikes vote for.

use super::data::CLASSES;

/// How each neuron answers to each digit.
pub struct Readout {
    /// The neuron's mean response to each digit, divided by their sum; zeros where it never answered.
    profiles: Vec<[f64; CLASSES]>,
}

/// Collects responses.
pub struct Responses {
    sums: Vec<[f64; CLASSES]>,
    images: [f64; CLASSES],
}

impl Responses {
    /// Nothing yet, for so many neurons.
    pub fn new(neurons: usize) -> Self {
        Self { sums: vec![[0.0; CLASSES]; neurons], images: [0.0; CLASSES] }
    }

    /// The answer to one image that shows `digit`.
    pub fn add(&mut self, digit: usize, counts: &[u32]) {
        self.images[digit] += 1.0;
        for (sums, count) in self.sums.iter_mut().zip(counts) {
            sums[digit] += f64::from(*count);
        }
    }

    /// The readout.
    pub fn readout(self) -> Readout {
        let Self { sums, images } = self;
        let profile = |sums: [f64; CLASSES]| {
            let means: [f64; CLASSES] = std::array::from_fn(|digit| sums[digit] / images[digit].max(1.0));
            let total: f64 = means.iter().sum();
            means.map(|mean| if total > 0.0 { mean / total } else { 0.0 })
        };
        Readout { profiles: sums.into_iter().map(profile).collect() }
    }
}

impl Readout {
    /// The neuron's label: the digit that it answers to most.
    pub fn label(&self, neuron: usize) -> Option<usize> {
        largest(&self.profiles[neuron])
    }

    /// The digit with most spikes of neurons that are labelled so.
    pub fn by_labels(&self, counts: &[u32]) -> Option<usize> {
        let mut votes = [0.0; CLASSES];
        for (neuron, count) in counts.iter().enumerate() {
            if let Some(digit) = self.label(neuron) {
                votes[digit] += f64::from(*count);
            }
        }
        largest(&votes)
    }

    /// The digit with most votes, where a spike's vote is shared as its neuron's mean responses are.
    pub fn by_profiles(&self, counts: &[u32]) -> Option<usize> {
        let mut votes = [0.0; CLASSES];
        for (profile, count) in self.profiles.iter().zip(counts) {
            for (vote, part) in votes.iter_mut().zip(profile) {
                *vote += part * f64::from(*count);
            }
        }
        largest(&votes)
    }
}

/// The first of the largest; none where nothing is larger than 0.
fn largest(values: &[f64; CLASSES]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (digit, value) in values.iter().enumerate() {
        if *value > best.map_or(0.0, |best| values[best]) {
            best = Some(digit);
        }
    }
    best
}
