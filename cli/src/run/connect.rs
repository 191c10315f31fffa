//! Who is connected to whom in a run: from the command line and from what the arrays show.

use aplysia::{Group, Side, Topology};
use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Domain, Shape};
use aplysia_compiler::kernel;
use aplysia_compiler::plan::Topology as Kind;
use aplysia_compiler::topology::Convolution;

use super::arguments::RunArguments;
use super::axes::{Axis, Sizes};
use super::input::Input;
use super::spatial::{self, Steps};
use super::summary::grouped;
use crate::report::{Failure, Outcome};

/// Neurons of a side, where nothing says how many.
const DEFAULT_COUNT: usize = 1000;
/// Of random connections, where nothing says how many there are.
const DEFAULT_PROBABILITY: f64 = 0.1;
/// The image, where nothing says how large it is.
const DEFAULT_IMAGE: [usize; 3] = [2, 28, 28];
const DEFAULT_OUTPUTS: usize = 8;
const DEFAULT_KERNEL: usize = 5;

/// The group that is run.
#[derive(Clone, Debug)]
pub struct Connections {
    /// How its neurons are connected.
    pub topology: Topology,
    /// How many patterns are presented at once.
    pub batch: usize,
    /// Whether the connections were drawn.
    pub drawn: bool,
}

impl Connections {
    /// The group that command line and arrays describe.
    ///
    /// # Errors
    /// Where they do not say enough, or what they say cannot be.
    pub fn new(input: &Input, arguments: &RunArguments) -> Outcome<Self> {
        let (kind, sizes) = (arguments.topology.kind(), &input.sizes);
        let given = arguments.input.is_some();
        let mut drawn = false;
        let topology = match kind {
            Kind::Dense => Topology::Dense {
                pre: count(sizes, Side::Pre, given)?,
                post: count(sizes, Side::Post, given)?,
            },
            Kind::OneToOne => Topology::OneToOne { count: pairs(sizes, given)? },
            Kind::Sparse => {
                drawn = input.csr.is_none();
                sparse(input, arguments)?
            }
            Kind::Conv2d => Topology::Conv2d(convolution(sizes, arguments)?),
            Kind::Local2d => Topology::Local2d(convolution(sizes, arguments)?),
        };
        Ok(Self { topology, batch: sizes.get(Axis::Batch).unwrap_or(1), drawn })
    }

    /// Neurons of a side.
    pub fn count(&self, side: Side) -> usize {
        match side {
            Side::Pre => self.topology.pre(),
            Side::Post => self.topology.post(),
        }
    }

    /// The shape of an array as the engine takes it.
    pub fn shape(&self, shape: Shape, length: Option<u32>) -> Vec<usize> {
        let topology = &self.topology;
        let spatial = topology.kind().is_spatial();
        let mut axes = if shape.batched && self.batch > 1 { vec![self.batch] } else { Vec::new() };
        axes.extend(match shape.domain {
            Domain::Global => Vec::new(),
            Domain::PreChannel if spatial => vec![topology.channels(kernel::Side::Pre)],
            Domain::PostChannel if spatial => vec![topology.channels(kernel::Side::Post)],
            Domain::Pre | Domain::PreChannel => topology.neuron_shape(kernel::Side::Pre),
            Domain::Post | Domain::PostChannel => topology.neuron_shape(kernel::Side::Post),
            Domain::Synapse => topology.synapse_shape(),
        });
        axes.extend(length.map(|length| length as usize));
        axes
    }

    /// How many (pre, post) pairs a full pass visits.
    pub fn pairs(&self) -> f64 {
        let shared = match &self.topology {
            Topology::Conv2d(shape) => shape.positions(),
            Topology::Dense { .. }
            | Topology::OneToOne { .. }
            | Topology::Sparse(_)
            | Topology::Local2d(_) => 1,
        };
        self.topology.synapses().unwrap_or(0) as f64 * shared as f64 * self.batch as f64
    }

    /// `1,000 × 1,000 dense`
    pub fn words(&self) -> String {
        let (pre, post) = (grouped(self.count(Side::Pre) as u64), grouped(self.count(Side::Post) as u64));
        let kind = self.topology.kind().word();
        let text = match &self.topology {
            Topology::Dense { .. } => format!("{pre} × {post} {kind}"),
            Topology::OneToOne { .. } => format!("{pre} {kind}"),
            Topology::Sparse(sparse) => {
                format!("{pre} × {post} {kind}, {} synapses", grouped(sparse.synapses() as u64))
            }
            Topology::Conv2d(shape) | Topology::Local2d(shape) => {
                format!("{kind}, {}", spatial::words(shape))
            }
        };
        if self.batch > 1 { format!("{text}, batch {}", self.batch) } else { text }
    }
}

/// Neurons of a side.
fn count(sizes: &Sizes, side: Side, given: bool) -> Outcome<usize> {
    match sizes.get(if side == Side::Pre { Axis::Pre } else { Axis::Post }) {
        Some(count) => Ok(count),
        None if !given => Ok(DEFAULT_COUNT),
        None => {
            let text = format!("the input does not show how many {side}synaptic neurons there are");
            let help = format!("give `{side}.spike` as an array [steps, neurons], or say `--{side} N`");
            Err(Failure::data(code::WRONG_SHAPE, text).help(help))
        }
    }
}

/// Neurons of each side of a one-to-one group.
fn pairs(sizes: &Sizes, given: bool) -> Outcome<usize> {
    match (sizes.found(Axis::Pre), sizes.found(Axis::Post)) {
        (Some((pre, from)), Some((post, other))) if pre != post => {
            let text = format!(
                "{from} has {pre} presynaptic neurons and {other} {post} postsynaptic ones; a one-to-one group has as \
                 many of each"
            );
            Err(Failure::data(code::WRONG_SHAPE, text))
        }
        (Some((count, _)), _) | (None, Some((count, _))) => Ok(count),
        (None, None) => count(sizes, Side::Pre, given),
    }
}

fn sparse(input: &Input, arguments: &RunArguments) -> Outcome<Topology> {
    let given = arguments.input.is_some();
    let Some((indptr, indices)) = &input.csr else {
        if given && arguments.probability.is_none() {
            let text = "the input does not show the synapses of the csr group";
            let help =
                "put `csr.indptr` and `csr.indices` into the .npz file, or draw them with `--probability P`";
            return Err(Failure::data(code::WRONG_SHAPE, text).help(help));
        }
        let (pre, post) = (count(&input.sizes, Side::Pre, given)?, count(&input.sizes, Side::Post, given)?);
        let probability = arguments.probability.unwrap_or(DEFAULT_PROBABILITY);
        let topology = Group::random_probability(pre, post, probability, arguments.seed)?.topology().clone();
        if let (Some((count, from)), Some(found)) = (input.sizes.found(Axis::Synapses), topology.synapses())
            && count != found
        {
            let text = format!("{from} has {count} synapses, but {found} were drawn");
            return Err(Failure::data(code::WRONG_SHAPE, text).help("give `csr.indptr` and `csr.indices`"));
        }
        return Ok(topology);
    };
    if arguments.probability.is_some() {
        let text = "`--probability` draws the synapses, but the input holds `csr.indices`";
        return Err(Failure::usage(text).help("leave one of them out"));
    }
    // A neuron that does not exist is refused with its row.
    let columns = indices.iter().map(|&index| u32::try_from(index).unwrap_or(u32::MAX));
    let group = Group::csr(
        indptr.len() - 1,
        count(&input.sizes, Side::Post, given)?,
        indptr.as_slice(),
        columns.collect::<Vec<u32>>(),
    )?;
    Ok(group.topology().clone())
}

fn convolution(sizes: &Sizes, arguments: &RunArguments) -> Outcome<Convolution> {
    let steps = Steps {
        stride: arguments.stride.unwrap_or([1; 2]),
        padding: arguments.padding.unwrap_or([0; 2]),
        dilation: arguments.dilation.unwrap_or([1; 2]),
        groups: arguments.groups.unwrap_or(1),
    };
    let mut sizes = sizes.clone();
    if arguments.input.is_none() {
        let known = |axes: &[Axis]| axes.iter().any(|&axis| sizes.get(axis).is_some());
        let image = [Axis::InChannels, Axis::InHeight, Axis::InWidth];
        let (no_image, no_outputs) =
            (!known(&image) && !known(&[Axis::Pre]), !known(&[Axis::OutChannels, Axis::Post]));
        let no_kernel = !known(&[Axis::KernelHeight, Axis::KernelWidth]);
        let from = "the default";
        if no_image {
            image
                .into_iter()
                .zip(DEFAULT_IMAGE)
                .try_for_each(|(axis, count)| sizes.learn(axis, count, from))?;
        }
        if no_outputs {
            sizes.learn(Axis::OutChannels, DEFAULT_OUTPUTS, from)?;
        }
        if no_kernel {
            sizes.learn(Axis::KernelHeight, DEFAULT_KERNEL, from)?;
            sizes.learn(Axis::KernelWidth, DEFAULT_KERNEL, from)?;
        }
    }
    spatial::shape(&sizes, &steps)
}
