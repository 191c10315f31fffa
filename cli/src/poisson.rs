//! Poisson spike trains: in each step each neuron of a side spikes with the same probability.
//!
//! The spikes of a step are a pure function of the seed, the step and the side, so a run that is resumed sees the same
//! trains. The gaps between the neurons that spike are geometric, and each takes one word of the language's own random
//! stream at a site that no rule reaches.

use aplysia::Side;
use aplysia_compiler::ir::MathFn;
use aplysia_compiler::math::{self, Stream};

/// Where the trains of one side come from.
#[derive(Clone, Debug)]
pub struct Poisson {
    seed: u64,
    site: u32,
    count: usize,
    probability: f64,
}

impl Poisson {
    /// Trains of `count` neurons that spike with `probability` (0 … 1) in each step.
    pub fn new(seed: u64, side: Side, count: usize, probability: f64) -> Self {
        let site = match side {
            Side::Pre => u32::MAX,
            Side::Post => u32::MAX - 1,
        };
        Self { seed, site, count, probability }
    }

    /// Appends the neurons that spike in a step, counted from 0, in ascending order.
    pub fn step(&self, step: u64, spikes: &mut Vec<u32>) {
        if self.probability >= 1.0 {
            spikes.extend(0..self.count as u32);
            return;
        }
        // The logarithm of the probability that a neuron is silent. 0 where none ever spikes.
        let silence = math::evaluate(MathFn::Log1p, &[-self.probability]);
        if silence >= 0.0 {
            return;
        }
        let mut next = 0u64;
        for draw in 0u64.. {
            let stream = Stream { seed: self.seed, step, site: self.site, run: 0, row: 0, column: draw };
            let uniform = (f64::from(math::random_word(&stream, 0)) + 0.5) / 4_294_967_296.0;
            // The conversion saturates, so an endless gap ends the step.
            let gap = (math::evaluate(MathFn::Ln, &[uniform]) / silence) as u64;
            next = next.saturating_add(gap);
            if next >= self.count as u64 {
                return;
            }
            spikes.push(next as u32);
            next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(poisson: &Poisson, steps: u64) -> Vec<Vec<u32>> {
        let one = |step| {
            let mut spikes = Vec::new();
            poisson.step(step, &mut spikes);
            spikes
        };
        (0..steps).map(one).collect()
    }

    #[test]
    fn the_rate_is_the_rate_everywhere() {
        let (count, steps, probability) = (200, 4000, 0.02);
        let trains = all(&Poisson::new(3, Side::Pre, count, probability), steps);
        let mut of = vec![0u64; count];
        for spikes in &trains {
            assert!(spikes.is_sorted_by(|a, b| a < b));
            spikes.iter().for_each(|&neuron| of[neuron as usize] += 1);
        }
        // 16,000 spikes are expected, with a standard deviation of 125; of each neuron 80, with 8.9.
        let total: u64 = of.iter().sum();
        assert!(total.abs_diff(16_000) < 5 * 125, "{total}");
        assert!(of.iter().all(|&spikes| spikes.abs_diff(80) < 50), "{of:?}");
    }

    #[test]
    fn steps_do_not_depend_on_one_another() {
        let poisson = Poisson::new(9, Side::Post, 50, 0.1);
        let whole = all(&poisson, 20);
        let mut seventh = Vec::new();
        poisson.step(7, &mut seventh);
        assert_eq!(seventh, whole[7]);
        assert_ne!(whole, all(&Poisson::new(9, Side::Pre, 50, 0.1), 20));
        assert_ne!(whole, all(&Poisson::new(10, Side::Post, 50, 0.1), 20));
    }

    #[test]
    fn never_and_always() {
        assert!(all(&Poisson::new(0, Side::Pre, 10, 0.0), 100).concat().is_empty());
        assert_eq!(all(&Poisson::new(0, Side::Pre, 3, 1.0), 2), [[0, 1, 2], [0, 1, 2]]);
        assert!(all(&Poisson::new(0, Side::Pre, 0, 0.5), 10).concat().is_empty());
        assert!(all(&Poisson::new(0, Side::Pre, 10, 1e-300), 100).concat().is_empty());
    }
}
