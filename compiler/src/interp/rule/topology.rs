//! Which synapses there are, as index maps.
//!
//! In: a topology. Out: for each synapse its neurons, and the members of every reduction with their logical indices.
//! The interpreter asks nothing else, so another topology is another way to fill the maps.

use crate::ice;
use crate::ir::{Domain, Over};

/// How the neurons of a group are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topology {
    /// Every presynaptic neuron with every postsynaptic one; synapse (i, j) is i · post + j.
    Dense {
        /// Presynaptic neurons.
        pre: usize,
        /// Postsynaptic neurons.
        post: usize,
    },
}

/// The index maps of a topology.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub(super) pre: usize,
    pub(super) post: usize,
    /// For each synapse its presynaptic and postsynaptic neuron.
    pub(super) synapses: Vec<(usize, usize)>,
    /// The synapses of each presynaptic neuron, ascending in the postsynaptic one.
    rows: Vec<Vec<usize>>,
    /// The synapses of each postsynaptic neuron, ascending in the presynaptic one.
    columns: Vec<Vec<usize>>,
}

/// A term of a reduction: its logical index, and the element of the body.
pub(super) type Member = (usize, usize);

impl Space {
    pub(super) fn new(topology: Topology) -> Self {
        let Topology::Dense { pre, post } = topology;
        let synapses: Vec<(usize, usize)> =
            (0..pre).flat_map(|row| (0..post).map(move |column| (row, column))).collect();
        let (mut rows, mut columns) = (vec![Vec::new(); pre], vec![Vec::new(); post]);
        for (synapse, (row, column)) in synapses.iter().enumerate() {
            rows[*row].push(synapse);
            columns[*column].push(synapse);
        }
        Self { pre, post, synapses, rows, columns }
    }

    /// How many elements a domain has.
    pub(super) fn size(&self, domain: Domain) -> usize {
        match domain {
            Domain::Global => 1,
            Domain::PreChannel | Domain::Pre => self.pre,
            Domain::PostChannel | Domain::Post => self.post,
            Domain::Synapse => self.synapses.len(),
        }
    }

    /// The element of the wider domain `to` that is read at `element` of `from`.
    pub(super) fn project(&self, from: Domain, element: usize, to: Domain) -> usize {
        match (from, to) {
            (_, Domain::Global) => 0,
            (from, to) if from == to => element,
            // A channel is a neuron where weights are not shared, and an increment of a channel by its neurons' values is
            // the sum over that one.
            (Domain::Pre, Domain::PreChannel) | (Domain::Post, Domain::PostChannel) => element,
            (Domain::PreChannel, Domain::Pre) | (Domain::PostChannel, Domain::Post) => element,
            (Domain::Synapse, Domain::Pre | Domain::PreChannel) => self.synapses[element].0,
            (Domain::Synapse, Domain::Post | Domain::PostChannel) => self.synapses[element].1,
            (from, to) => ice!("a value of {} is read in {}", to.word(), from.word()),
        }
    }

    /// The row and the column that address a draw.
    pub(super) fn address(&self, domain: Domain, element: usize) -> (usize, usize) {
        match domain {
            Domain::Global => (0, 0),
            Domain::PreChannel | Domain::Pre => (element, 0),
            Domain::PostChannel | Domain::Post => (0, element),
            Domain::Synapse => self.synapses[element],
        }
    }

    /// How many rows a domain's draws have.
    pub(super) fn draw_rows(&self, domain: Domain) -> usize {
        match domain {
            Domain::Global | Domain::PostChannel | Domain::Post => 1,
            Domain::PreChannel | Domain::Pre | Domain::Synapse => self.pre,
        }
    }

    /// The terms of a reduction other than over the batch, ascending, at `element` of the result's domain.
    pub(super) fn members(&self, over: Over, body: Domain, element: usize) -> Vec<Member> {
        let all = |count: usize| (0..count).map(|index| (index, index)).collect();
        match (over, body) {
            (Over::Pre, Domain::Synapse) => {
                self.columns[element].iter().map(|at| (self.synapses[*at].0, *at)).collect()
            }
            (Over::Post, Domain::Synapse) => {
                self.rows[element].iter().map(|at| (self.synapses[*at].1, *at)).collect()
            }
            (Over::Pre | Over::PreChannel, Domain::Pre | Domain::PreChannel) => all(self.pre),
            (Over::Post | Over::PostChannel, Domain::Post | Domain::PostChannel) => all(self.post),
            // A neuron is the one position of its channel.
            (Over::Position, Domain::Pre | Domain::Post) => vec![(0, element)],
            (Over::PostBlocks(size), Domain::Post | Domain::PostChannel) => {
                let size = (size as usize).max(1);
                let first = element / size * size;
                (first..(first + size).min(self.post)).map(|at| (at - first, at)).collect()
            }
            (over, body) => ice!("a reduction of a value of {} over {over:?}", body.word()),
        }
    }
}
