//! What a workload starts with and is given in each step.

use crate::generator::{Stream, uniform, uniforms};
use crate::workload::{Kind, TRAIN, Workload};

/// A spike train of [`TRAIN`] steps, as lists of neurons.
#[derive(Clone, Debug, Default)]
pub struct Spikes {
    starts: Vec<usize>,
    neurons: Vec<u32>,
}

impl Spikes {
    fn new(stream: Stream, neurons: usize, rate: f32) -> Self {
        let mut spikes = Self { starts: vec![0], neurons: Vec::new() };
        for step in 0..TRAIN {
            let first = step * neurons;
            let spiking = (0..neurons).filter(|k| uniform(stream, (first + k) as u64) < rate);
            spikes.neurons.extend(spiking.map(|k| k as u32));
            spikes.starts.push(spikes.neurons.len());
        }
        spikes
    }

    /// The neurons that spike in a step, ascending; after the end the train begins again.
    pub fn of(&self, step: u64) -> &[u32] {
        let row = (step % TRAIN as u64) as usize;
        match self.starts.get(row..row + 2) {
            Some(&[from, to]) => &self.neurons[from..to],
            _ => &[],
        }
    }
}

/// Synapses of a sparse workload, row by row.
#[derive(Clone, Debug)]
pub struct Sparse {
    /// Where each row begins, and where the last one ends.
    pub starts: Vec<u64>,
    /// The postsynaptic neuron of each synapse.
    pub columns: Vec<u32>,
}

/// What a workload starts with and is given in each step. What it has no use for is empty.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Presynaptic spikes.
    pub pre: Spikes,
    /// Postsynaptic spikes.
    pub post: Spikes,
    /// Initial weights, of each synapse.
    pub weights: Vec<f32>,
    /// Where synapses are sparse.
    pub sparse: Option<Sparse>,
    /// Dopamine in each step of the train.
    pub dopamine: Vec<f32>,
    /// 1 or -1 for each presynaptic neuron.
    pub signs: Vec<f32>,
    /// The gradient, the same in every step.
    pub gradient: Vec<f32>,
    /// Fuzzy learning rates at the beginning.
    pub fuzzy: Vec<f32>,
    /// Presynaptic activities, pattern by pattern, held.
    pub pre_activity: Vec<f32>,
    /// Postsynaptic activities, pattern by pattern, held.
    pub post_activity: Vec<f32>,
}

impl Data {
    /// Of a workload.
    pub fn new(workload: &Workload) -> Self {
        let side = workload.side;
        let dense = side * side;
        let mut data = Self::default();
        if workload.rate > 0.0 {
            data.pre = Spikes::new(Stream::Pre, side, workload.rate);
            data.post = Spikes::new(Stream::Post, side, workload.rate);
        }
        let signs = || uniforms(Stream::Sign, side).map(|u| if u < 0.8 { 1.0 } else { -1.0 }).collect();
        match workload.kind {
            Kind::Pairs => data.weights = uniforms(Stream::Weight, dense).collect(),
            Kind::Groups(groups) => data.weights = uniforms(Stream::Weight, groups * dense).collect(),
            Kind::SparsePairs(density) => {
                let sparse = connections(side, density);
                data.weights = uniforms(Stream::Weight, sparse.columns.len()).collect();
                data.sparse = Some(sparse);
            }
            Kind::Rewarded => {
                data.weights = uniforms(Stream::Weight, dense).collect();
                data.dopamine = uniforms(Stream::Dopamine, TRAIN).map(|u| (u - 0.3) * 0.1).collect();
            }
            Kind::Hebbian(batch) => {
                data.weights = uniforms(Stream::Weight, dense).map(|u| u - 0.5).collect();
                data.pre_activity = uniforms(Stream::PreActivity, batch * side).collect();
                data.post_activity = uniforms(Stream::PostActivity, batch * side).map(|u| u - 0.5).collect();
            }
            Kind::Noisy => {
                data.signs = signs();
                data.weights = signed(&data.signs, side, 0.1);
                data.gradient = uniforms(Stream::Gradient, dense).map(|u| (u - 0.5) * 0.2).collect();
                data.fuzzy = uniforms(Stream::Fuzzy, dense).map(|u| 1.0 + (u * 2.0 - 1.0) * 0.16).collect();
            }
            Kind::Fused | Kind::FusedMore => {
                data.signs = signs();
                data.weights = signed(&data.signs, side, 1.0);
            }
        }
        data
    }

    /// How many synapses there are.
    pub fn synapses(&self) -> usize {
        self.weights.len()
    }
}

/// Weights with the signs of their presynaptic neurons.
fn signed(signs: &[f32], side: usize, scale: f32) -> Vec<f32> {
    uniforms(Stream::Weight, side * side).enumerate().map(|(k, u)| u * signs[k / side] * scale).collect()
}

fn connections(side: usize, density: f32) -> Sparse {
    let mut sparse = Sparse { starts: vec![0], columns: Vec::new() };
    for row in 0..side {
        let first = row * side;
        let there = (0..side).filter(|k| uniform(Stream::Connection, (first + k) as u64) < density);
        sparse.columns.extend(there.map(|k| k as u32));
        sparse.starts.push(sparse.columns.len() as u64);
    }
    sparse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trains_repeat_and_spike_at_their_rate() {
        let workload = Workload::find("W1-1000-p05").unwrap();
        let data = Data::new(&workload);
        assert_eq!(data.pre.of(3), data.pre.of(TRAIN as u64 + 3));
        assert_ne!(data.pre.of(3), data.post.of(3));
        let spikes: usize = (0..TRAIN as u64).map(|step| data.pre.of(step).len()).sum();
        // A million draws: 50,000 with a standard deviation of 218.
        assert!(spikes.abs_diff(50_000) < 1000, "{spikes}");
    }

    #[test]
    fn sparse_synapses_are_rows() {
        let data = Data::new(&Workload::find("W2-200-10pc").unwrap());
        let sparse = data.sparse.as_ref().unwrap();
        assert_eq!((sparse.starts.len(), sparse.starts[200]), (201, data.synapses() as u64));
        let row = sparse.starts[7] as usize..sparse.starts[8] as usize;
        assert!(sparse.columns[row].is_sorted());
        assert!(data.synapses().abs_diff(4000) < 400, "{}", data.synapses());
    }
}
