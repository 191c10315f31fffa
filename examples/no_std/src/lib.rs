//! A rule file inside a program without the standard library; `aplysia-native` goes by another name here.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;

/// The weights of 2 × 3 synapses after one spike of each presynaptic neuron, and steps without spikes.
pub fn faded(gain: f64, steps: usize) -> Vec<f32> {
    // The module of a rule may stand inside a function.
    plastic::plasticity!(file = "rules/decay.rule");
    let mut group = decay::Group::dense(2, 3, decay::Params::new(gain));
    group.step(&[0, 1], &[false; 3]);
    (0..steps).for_each(|_| group.step(&[false; 2], &[false; 3]));
    group.w().to_vec()
}
