//! The topologies as types: what a group's type says about its connections, and the data that make one.

use alloc::sync::Arc;

use aplysia_topology::{Convolution, Sparse, Topology};

/// How the neurons of a group are connected.
pub trait Connected {
    /// How many patterns are presented at once.
    fn batch(&self) -> usize {
        1
    }

    /// The connections.
    fn into_topology(self) -> Topology;
}

/// Synapses from every presynaptic to every postsynaptic neuron: `[pre, post]`, a row for each presynaptic neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dense {
    /// Presynaptic neurons.
    pub pre: usize,
    /// Postsynaptic neurons.
    pub post: usize,
}

impl Connected for Dense {
    fn into_topology(self) -> Topology {
        Topology::Dense { pre: self.pre, post: self.post }
    }
}

/// Neuron i with neuron i.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OneToOne {
    /// Neurons of a side.
    pub count: usize,
}

impl Connected for OneToOne {
    fn into_topology(self) -> Topology {
        Topology::OneToOne { count: self.count }
    }
}

impl Connected for Sparse {
    fn into_topology(self) -> Topology {
        Topology::Sparse(Arc::new(self))
    }
}

/// A convolution: one kernel for each output channel, shared by all positions; synapses are
/// `[output channel, input channel of the group, row, column]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d(pub Convolution);

impl Connected for Conv2d {
    fn into_topology(self) -> Topology {
        Topology::Conv2d(self.0)
    }
}

/// A convolution without sharing, each output neuron with a kernel of its own; synapses are
/// `[output channel, position, kernel]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local2d(pub Convolution);

impl Connected for Local2d {
    fn into_topology(self) -> Topology {
        Topology::Local2d(self.0)
    }
}

/// A topology on which several patterns are presented at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batched<T> {
    topology: T,
    batch: usize,
}

impl<T> Batched<T> {
    /// So many patterns.
    pub fn new(topology: T, batch: usize) -> Self {
        Self { topology, batch }
    }
}

impl<T: Connected> Connected for Batched<T> {
    fn batch(&self) -> usize {
        self.batch
    }

    fn into_topology(self) -> Topology {
        self.topology.into_topology()
    }
}
