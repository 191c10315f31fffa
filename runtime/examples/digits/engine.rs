//! The synapses in engines: rules of files, compiled when the program runs.

use std::path::Path;

use aplysia::prelude::*;
use aplysia::{GroupId, StateId};
use ndarray::{ArrayD, IxDyn};

use super::experiment::data::PIXELS;
use super::experiment::network::Synapses;

/// Synapses that learn, and the same ones with nothing but transmission.
pub struct Compiled {
    plastic: Part,
    frozen: Part,
    neurons: usize,
}

/// An engine of one group, and what is read of it in every step.
struct Part {
    engine: Engine,
    group: GroupId,
    current: StateId,
}

impl Compiled {
    /// Synapses onto so many neurons, with random weights. The folder holds the rules.
    ///
    /// # Errors
    /// If a rule cannot be read.
    pub fn new(rules: &Path, neurons: usize, seed: u64) -> Result<Self> {
        let register = |file: &str| -> Result<Part> {
            // A step of so few synapses is shorter than handing a part of it to another thread.
            let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
            let rule = Rule::from_file(rules.join(file))?;
            let group = engine.register(Group::dense(PIXELS, neurons).rule(&rule).dt(ms(1.0)).seed(seed))?;
            let current = engine.state(group, "current")?;
            Ok(Part { engine, group, current })
        };
        Ok(Self { plastic: register("digits.rule")?, frozen: register("transmission.rule")?, neurons })
    }
}

impl Part {
    fn step(&mut self, pre: &[u32], last: Option<usize>, current: &mut [f32]) -> Result<()> {
        let post = last.map(|neuron| neuron as u32);
        self.engine.step(&[(self.group, Events::new().pre(pre).post(post.as_slice()))])?;
        let found = self.engine.read::<f32>(self.group, self.current)?;
        current.iter_mut().zip(&found).for_each(|(cell, found)| *cell = *found);
        Ok(())
    }
}

impl Synapses for Compiled {
    type Error = Error;

    fn begin(&mut self, rate: f32) -> Result<()> {
        let Part { engine, group, .. } = &mut self.plastic;
        engine.set_param(*group, "rate", rate)?;
        engine.call(*group, "rest")
    }

    fn learn(&mut self, pre: &[u32], last: Option<usize>, current: &mut [f32]) -> Result<()> {
        self.plastic.step(pre, last, current)
    }

    fn freeze(&mut self) -> Result<()> {
        let shape = IxDyn(&[PIXELS, self.neurons]);
        let weights = ArrayD::from_shape_vec(shape, self.weights()?).expect("a weight for each synapse");
        self.frozen.engine.write(self.frozen.group, "w", weights)
    }

    fn transmit(&mut self, pre: &[u32], current: &mut [f32]) -> Result<()> {
        self.frozen.step(pre, None, current)
    }

    fn weights(&mut self) -> Result<Vec<f32>> {
        let Part { engine, group, .. } = &mut self.plastic;
        Ok(engine.read::<f32>(*group, "w")?.iter().copied().collect())
    }
}
