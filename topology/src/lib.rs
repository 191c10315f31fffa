//! How the neurons of a group are connected, as plain data with sizes.
//!
//! In: what the host says. Out: checked sizes and connections, the numbers ([`Counts`]) and index tables ([`Tables`]) that
//! a program asks for, whoever carries it out: the engine, an interpreter, or a module of `plasticity!` without the
//! standard library. A program depends on the [`Kind`] only. What an interpreter of rules makes of a topology stands in the
//! compiler's `interp::rule`, without these tables, so that the two can be held against each other.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod convolution;
mod counts;
mod sparse;
mod table;
mod tables;
#[cfg(test)]
mod tests;

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

pub use convolution::{Convolution, ConvolutionError, Pair};
pub use counts::{Count, Counts};
pub use sparse::{Sparse, SparseError};
pub use table::Table;
pub use tables::Tables;

/// Synapses from which on a group is large.
const LARGE: usize = 1 << 20;
/// Synapses of a row from which on rows of a large sparse group are long.
const LONG: usize = 512;

/// A side of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Presynaptic.
    Pre,
    /// Postsynaptic.
    Post,
}

/// The kinds of topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Every presynaptic neuron has a synapse onto every postsynaptic neuron.
    #[default]
    Dense,
    /// Neuron i has one synapse, onto neuron i.
    OneToOne,
    /// The synapses are listed row by row.
    Sparse,
    /// A convolution: one kernel for each output channel, shared by all positions.
    Conv2d,
    /// A convolution without sharing: each output neuron has a kernel of its own.
    Local2d,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 5] = [Kind::Dense, Kind::OneToOne, Kind::Sparse, Kind::Conv2d, Kind::Local2d];

    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Dense => "dense",
            Kind::OneToOne => "one-to-one",
            Kind::Sparse => "csr",
            Kind::Conv2d => "conv2d",
            Kind::Local2d => "local2d",
        }
    }

    /// Whether neurons have channels and positions.
    pub fn is_spatial(self) -> bool {
        matches!(self, Kind::Conv2d | Kind::Local2d)
    }

    /// Whether one synapse serves many pairs.
    pub fn shares_weights(self) -> bool {
        self == Kind::Conv2d
    }
}

/// The connections of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Topology {
    /// Every presynaptic neuron with every postsynaptic one; synapse (i, j) is i · post + j.
    Dense {
        /// Presynaptic neurons.
        pre: usize,
        /// Postsynaptic neurons.
        post: usize,
    },
    /// Neuron i with neuron i; so many of each.
    OneToOne {
        /// Neurons of a side.
        count: usize,
    },
    /// The listed synapses.
    Sparse(Arc<Sparse>),
    /// One kernel for each output channel; synapse (o, k) is o · kernel + k.
    Conv2d(Convolution),
    /// One kernel for each postsynaptic neuron; synapse (j, k) is j · kernel + k.
    Local2d(Convolution),
}

impl Topology {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Topology::Dense { .. } => Kind::Dense,
            Topology::OneToOne { .. } => Kind::OneToOne,
            Topology::Sparse(_) => Kind::Sparse,
            Topology::Conv2d(_) => Kind::Conv2d,
            Topology::Local2d(_) => Kind::Local2d,
        }
    }

    /// Presynaptic neurons.
    pub fn pre(&self) -> usize {
        match self {
            Topology::Dense { pre, .. } => *pre,
            Topology::OneToOne { count } => *count,
            Topology::Sparse(sparse) => sparse.pre(),
            Topology::Conv2d(shape) | Topology::Local2d(shape) => shape.pre(),
        }
    }

    /// Postsynaptic neurons.
    pub fn post(&self) -> usize {
        match self {
            Topology::Dense { post, .. } => *post,
            Topology::OneToOne { count } => *count,
            Topology::Sparse(sparse) => sparse.post(),
            Topology::Conv2d(shape) | Topology::Local2d(shape) => shape.post(),
        }
    }

    /// Synapses; `None` where their number does not fit.
    pub fn synapses(&self) -> Option<usize> {
        match self {
            Topology::Dense { pre, post } => pre.checked_mul(*post),
            Topology::OneToOne { count } => Some(*count),
            Topology::Sparse(sparse) => Some(sparse.synapses()),
            Topology::Conv2d(shape) => shape.outputs().checked_mul(shape.kernel()),
            Topology::Local2d(shape) => shape.post().checked_mul(shape.kernel()),
        }
    }

    /// Whether the synapses are so many that rows are better left behind until their neuron spikes. Fewer stay in a cache from step
    /// to step, and on sparse groups with short rows a row asks too often for what is kept of its neuron: there rows and
    /// columns have been measured to be as fast.
    pub fn is_large(&self) -> bool {
        let row = match self {
            Topology::Dense { .. } => 0,
            Topology::Sparse(_) => LONG,
            Topology::OneToOne { .. } | Topology::Conv2d(_) | Topology::Local2d(_) => return false,
        };
        self.synapses().is_none_or(|synapses| synapses >= LARGE.max(row.saturating_mul(self.pre())))
    }

    /// The axes of one value for each synapse: `[pre, post]`, `[n]`, `[nnz]`, `[out, in, kh, kw]` (`in` being the input
    /// channels of one group), `[out, positions, in * kh * kw]`.
    pub fn synapse_shape(&self) -> Vec<usize> {
        match self {
            Topology::Dense { pre, post } => vec![*pre, *post],
            Topology::OneToOne { count } => vec![*count],
            Topology::Sparse(sparse) => vec![sparse.synapses()],
            Topology::Conv2d(shape) => {
                let [height, width] = shape.kernel_size();
                vec![shape.outputs(), shape.inputs_per_group(), height, width]
            }
            Topology::Local2d(shape) => vec![shape.outputs(), shape.positions(), shape.kernel()],
        }
    }

    /// The axes of one value for each neuron of a side: `[n]`, or `[channels, height, width]`.
    pub fn neuron_shape(&self, side: Side) -> Vec<usize> {
        match (self, side) {
            (Topology::Conv2d(shape) | Topology::Local2d(shape), Side::Pre) => {
                let [height, width] = shape.input_size();
                vec![shape.inputs(), height, width]
            }
            (Topology::Conv2d(shape) | Topology::Local2d(shape), Side::Post) => {
                let [height, width] = shape.output_size();
                vec![shape.outputs(), height, width]
            }
            (_, Side::Pre) => vec![self.pre()],
            (_, Side::Post) => vec![self.post()],
        }
    }

    /// Channels of a side; neurons where there are no channels.
    pub fn channels(&self, side: Side) -> usize {
        self.neuron_shape(side).first().copied().unwrap_or(0)
    }
}
