//! A spiking network that learns handwritten digits without being told what they show: that of `docs/digits.md`, with its
//! synapses compiled by rustc.
//!
//! Input, neurons and readout are those of the example `digits` of the crate `aplysia`, whose synapses an engine carries out.

#[path = "../../../runtime/examples/digits/experiment/mod.rs"]
pub mod experiment;

use aplysia::native::{Error, Options};
use experiment::data::PIXELS;
use experiment::network::Synapses;

aplysia::plasticity! {
    /// The current that a neuron gets in a step: the weights of the synapses whose presynaptic neuron spikes.
    rule transmission {
        plastic w in 0 .. 1;
        /// Summed input of this step, in units of the largest weight.
        post output current;
        on pre { current += w; }
    }

    /// Moves a neuron's weights towards what it has just answered to (Querlioz et al. 2013,
    /// doi:10.1109/TNANO.2013.2250995; Diehl & Cook 2015, doi:10.3389/fncom.2015.00099).
    rule clustering_stdp {
        /// The part of the way to the trace that one postsynaptic spike takes.
        param rate in 0 .. 1 = 0.1;
        /// How long a presynaptic spike is remembered.
        param tau in 1 ms .. inf = 100 ms;
        /// What a presynaptic spike adds to the trace.
        param gain in 0 .. inf = 0.0125;

        plastic w in 0 .. 1 = uniform(0, 1);

        /// Trace of presynaptic spikes, in units of the weight.
        pre state x;
        dx/dt = -x / tau;

        on pre { x += gain; }
        on post { dw += rate * (x * (1 - w) - (1 - x) * w); }
        /// The pause between two images, after which nothing is left of the first.
        on call rest { x = 0; }
    }

    /// Keeps the length of each neuron's weight vector (Turrigiano et al. 1998, doi:10.1038/36103; Oja 1982,
    /// doi:10.1007/BF00275687).
    rule scaling {
        /// That length.
        param norm in 0.001 .. inf = 2.5;
        plastic w in 0 .. 1;
        constrain {
            let length = sqrt(sum[pre](w * w));
            w *= norm / (if length == 0 { 1 } else { length });
        }
    }

    rule digits = transmission + clustering_stdp + scaling;
}

/// Synapses that learn, and the same ones with nothing but transmission.
pub struct Inline {
    plastic: digits::Group,
    frozen: transmission::Group,
}

impl Inline {
    /// Synapses onto so many neurons, with random weights.
    ///
    /// # Errors
    /// If there is no memory for so many.
    pub fn new(neurons: usize, seed: u64) -> Result<Self, Error> {
        let options = Options { dt: 1.0, seed };
        Ok(Self {
            plastic: digits::Group::try_dense(PIXELS, neurons, Default::default(), options)?,
            frozen: transmission::Group::try_dense(PIXELS, neurons, Default::default(), options)?,
        })
    }
}

impl Synapses for Inline {
    type Error = Error;

    fn begin(&mut self, rate: f32) -> Result<(), Error> {
        self.plastic.set_params(digits::Params { rate: rate.into(), ..self.plastic.params().clone() })?;
        self.plastic.call_rest()
    }

    fn learn(&mut self, pre: &[u32], last: Option<usize>, current: &mut [f32]) -> Result<(), Error> {
        self.plastic.try_step(pre, last.as_slice())?;
        current.copy_from_slice(self.plastic.current());
        Ok(())
    }

    fn freeze(&mut self) -> Result<(), Error> {
        self.frozen.try_set_w(self.plastic.w())
    }

    fn transmit(&mut self, pre: &[u32], current: &mut [f32]) -> Result<(), Error> {
        self.frozen.try_step(pre, &[0u32; 0])?;
        current.copy_from_slice(self.frozen.current());
        Ok(())
    }

    fn weights(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.plastic.w().to_vec())
    }
}
