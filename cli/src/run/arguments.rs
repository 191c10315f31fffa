//! The command line of `aplysia run`.

use std::path::PathBuf;

use aplysia_compiler::plan;
use clap::{Args, ValueEnum};

use crate::arguments::{Format, Precision, RuleArguments, Topology, image, pair, sides};
use crate::quantity;

/// Shown below `aplysia run --help`.
pub const EXAMPLES: &str = "\
Without --input the neurons spike at random:
  aplysia run std::stdp --pre 100 --post 50 --rate 20Hz --steps 10000 --set w=0.5

With --input, an .npz file holds arrays by name, each number in the declared unit of its variable:
  pre.spike, post.spike             [steps, neurons] or [steps, batch, neurons], 0 or 1 of any type; or, as sorted lists,
  pre.spike.step, pre.spike.index   the step (from 0) and the neuron of each spike, and pre.spike.batch with a batch
  NAME                              an input of the rule, with a leading axis of steps, or without one to hold it
  param.NAME                        a parameter, for each neuron or synapse
  init.NAME                         the initial value of a state
  draw.RULE.NAME                    values in the place of a draw that `let NAME = normal[synapse](0, 1);` binds
  csr.indptr, csr.indices           the synapses of a csr group, row by row; rows are presynaptic
  delay.axonal, delay.dendritic     in ms: one number, one for each neuron of the side, or one for each synapse

Synapses are [pre, post] in a dense group, [n] one-to-one, [nnz] in csr, [out, in/groups, kh, kw] in conv2d and
[out, oh*ow, in/groups*kh*kw] in local2d, where neurons are [in, h, w] and [out, oh, ow], or all in one axis. Values of
neurons have an axis of the batch before these where it is larger than 1.

  python -c \"import numpy as np; r = np.random.default_rng(0); np.savez('case.npz',
      **{'pre.spike': r.random((1000, 40)) < 0.01, 'post.spike': r.random((1000, 10)) < 0.01})\"
  aplysia run std::stdp --input case.npz --set w=0.5 --record w --record-every 100 --output out.npz
  python -c \"import numpy as np; out = np.load('out.npz'); print(out['w'].mean(), out['w.trace'].shape)\"

A run that was interrupted goes on with the same command line and --resume:
  aplysia run my.rule --steps 1000000 --checkpoint run.check --checkpoint-every 10000
  aplysia run my.rule --steps 1000000 --checkpoint run.check --checkpoint-every 10000 --resume run.check";

/// See [`crate::arguments::Command::Run`].
#[derive(Args, Debug)]
pub struct RunArguments {
    /// Which rule.
    #[command(flatten)]
    pub rule: RuleArguments,
    /// Arrays by name: spikes, inputs, parameters, initial values (.npz); see below.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Write the final value of every state, and what was recorded as NAME.trace (.npz).
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw the histograms of the trainable variables before and after the run (.svg).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Who is connected to whom.
    #[arg(long, value_name = "KIND", default_value = "dense")]
    pub topology: Topology,
    /// How many patterns are presented at once; as in the input, else 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// Of csr groups: draw the synapses, each pair with this probability; 0.1 without input.
    #[arg(long, value_name = "P")]
    pub probability: Option<f64>,
    /// Of conv2d and local2d: channels, height and width of the input; as in the input, else 2,28,28.
    #[arg(long, value_name = "C,H,W", value_parser = image)]
    pub in_shape: Option<[usize; 3]>,
    /// Of conv2d and local2d: the number of output channels; as in the input, else 8.
    #[arg(long, value_name = "N")]
    pub out_channels: Option<u32>,
    /// Of conv2d and local2d: height and width of a kernel; as in the input, else 5.
    #[arg(long, value_name = "H,W", value_parser = sides)]
    pub kernel: Option<[usize; 2]>,
    /// Of conv2d and local2d: how far apart neighbouring outputs look, down and right; 1 where nothing is said.
    #[arg(long, value_name = "S", value_parser = sides)]
    pub stride: Option<[usize; 2]>,
    /// Of conv2d and local2d: how far outputs look beyond each edge; 0 where nothing is said.
    #[arg(long, value_name = "P", value_parser = sides)]
    pub padding: Option<[usize; 2]>,
    /// Of conv2d and local2d: how far apart neighbouring taps of a kernel look; 1 where nothing is said.
    #[arg(long, value_name = "D", value_parser = sides)]
    pub dilation: Option<[usize; 2]>,
    /// Of conv2d and local2d: into how many groups the channels are cut; 1 where nothing is said.
    #[arg(long, value_name = "N")]
    pub groups: Option<usize>,
    /// How late presynaptic spikes and values reach the synapses, where `delay.axonal` is not in the input.
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub axonal_delay: Option<f64>,
    /// How late postsynaptic spikes and values reach the synapses, where `delay.dendritic` is not in the input.
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub dendritic_delay: Option<f64>,
    /// The number of presynaptic neurons; as in the input, else 1000.
    #[arg(long, value_name = "N")]
    pub pre: Option<u32>,
    /// The number of postsynaptic neurons; as in the input, else 1000.
    #[arg(long, value_name = "N")]
    pub post: Option<u32>,
    /// The rate of the Poisson trains of a side whose spikes are not in the input; 10Hz without input, else none.
    #[arg(long, value_name = "RATE", value_parser = quantity::rate)]
    pub rate: Option<f64>,
    /// The number of steps; as in the input, else 1000.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// The length of a step.
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = quantity::time)]
    pub dt: f64,
    /// A parameter, a held input or an initial value: `--set a_plus=0.02 --set tau_plus=10ms --set w=0.5`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub settings: Vec<(String, String)>,
    /// Carry out `on call NAME` after these steps (0: before the first): `--call crystallize@10,20`.
    #[arg(long = "call", value_name = "NAME@STEPS")]
    pub calls: Vec<String>,
    /// Record these variables after each step: `--record w,x`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "output")]
    pub record: Vec<String>,
    /// Record only after the steps whose number is a multiple of this.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub record_every: u64,
    /// What carries out the kernels; both give the same bits.
    #[arg(long, value_name = "BACKEND", default_value = "cpu")]
    pub backend: Backend,
    /// Which synapses a step looks at; all but `closed-form` give the same bits.
    #[arg(long, value_name = "PLAN", default_value = "auto")]
    pub plan: PlanChoice,
    /// The precision of real numbers.
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub precision: Precision,
    /// How many threads take part, 0 for as many as the processor has; any number gives the same bits.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub threads: u16,
    /// The seed of the rule's random numbers and of the Poisson trains.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    /// Save the whole state here, at the end and as --checkpoint-every says.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Save after the steps whose number is a multiple of this.
    #[arg(long, value_name = "N", requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..))]
    pub checkpoint_every: Option<u64>,
    /// Go on from a saved state: the steps that it has taken are left out.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// How the summary is said.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// What carries out the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// Machine code.
    Cpu,
    /// The kernel interpreter: slow, and checked in every access.
    Interpreter,
    /// The first NVIDIA GPU; `aplysia devices` shows what there is.
    Cuda,
}

/// Which plan is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanChoice {
    /// The cheapest in each step.
    Auto,
    /// All synapses in every step.
    Full,
    /// The rows and columns of the neurons that spike, wherever that is proved to be equal.
    Events,
    /// The rows of presynaptic neurons that spike; the others are brought up to date when it matters, wherever that is
    /// proved to be equal.
    Replay,
    /// The same rows; the others catch up in closed form: equal up to rounding, and an error where that is not proved.
    ClosedForm,
}

impl PlanChoice {
    /// The compiler's word for it.
    pub fn choice(self) -> plan::PlanChoice {
        match self {
            PlanChoice::Auto => plan::PlanChoice::Auto,
            PlanChoice::Full => plan::PlanChoice::FullPass,
            PlanChoice::Events => plan::PlanChoice::Events,
            PlanChoice::Replay => plan::PlanChoice::Replay,
            PlanChoice::ClosedForm => plan::PlanChoice::ClosedForm,
        }
    }
}
