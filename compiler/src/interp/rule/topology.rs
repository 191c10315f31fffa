//! Which synapses there are, as index maps.
//!
//! In: a topology. Out: for each synapse its neurons, and the members of every reduction with their logical indices.
//! The interpreter asks nothing else, so another topology is another way to fill the maps. Spatial groups are answered from
//! the definition of a convolution, never from the tables that kernels use.

use crate::ice;
use crate::ir::{Domain, Over, Shape};
use crate::topology::{Convolution, Topology};

/// Where a value lives on a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Global,
    PreChannel,
    PostChannel,
    Pre,
    Post,
    Synapse,
    /// One use of a synapse, where weights are shared: synapse · positions + position.
    Pair,
}

/// The index maps of a topology.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub(super) pre: usize,
    pub(super) post: usize,
    synapses: usize,
    /// For each synapse its presynaptic and postsynaptic neuron; empty on spatial groups.
    ends: Vec<(usize, usize)>,
    /// The synapses of each presynaptic neuron, ascending in the postsynaptic one.
    rows: Vec<Vec<usize>>,
    /// The synapses of each postsynaptic neuron, ascending in the presynaptic one.
    columns: Vec<Vec<usize>>,
    spatial: Option<Spatial>,
}

#[derive(Clone, Copy, Debug)]
struct Spatial {
    shape: Convolution,
    shared: bool,
}

/// A term of a reduction: its logical index, and the element of the body.
pub(super) type Member = (usize, usize);

/// The terms of a reduction, in the order in which they combine.
pub(super) enum Members {
    /// Serial in blocks of 256, over so many logical indices.
    Serial(usize, Vec<Member>),
    /// 32 lanes.
    Lanes(Vec<Member>),
    /// 32 lanes of what 32 lanes give: logical indices of the outer lanes.
    Nested(Vec<(usize, Vec<Member>)>),
}

impl Space {
    pub(super) fn new(topology: &Topology) -> Self {
        let ends: Vec<(usize, usize)> = match topology {
            Topology::Dense { pre, post } => {
                (0..*pre).flat_map(|row| (0..*post).map(move |column| (row, column))).collect()
            }
            Topology::OneToOne { count } => (0..*count).map(|neuron| (neuron, neuron)).collect(),
            Topology::Sparse(sparse) => (0..sparse.pre())
                .flat_map(|row| sparse.row(row).iter().map(move |&column| (row, column as usize)))
                .collect(),
            Topology::Conv2d(_) | Topology::Local2d(_) => Vec::new(),
        };
        let spatial = match topology {
            Topology::Conv2d(shape) => Some(Spatial { shape: *shape, shared: true }),
            Topology::Local2d(shape) => Some(Spatial { shape: *shape, shared: false }),
            Topology::Dense { .. } | Topology::OneToOne { .. } | Topology::Sparse(_) => None,
        };
        let (pre, post) = (topology.pre(), topology.post());
        let (mut rows, mut columns) = (vec![Vec::new(); pre], vec![Vec::new(); post]);
        for (synapse, (row, column)) in ends.iter().enumerate() {
            rows[*row].push(synapse);
            columns[*column].push(synapse);
        }
        let synapses = topology.synapses().unwrap_or(0);
        Self { pre, post, synapses, ends, rows, columns, spatial }
    }

    /// Where a value of a shape lives here.
    pub(super) fn at(&self, shape: Shape) -> At {
        match shape.domain {
            Domain::Global => At::Global,
            Domain::PreChannel if self.spatial.is_some() => At::PreChannel,
            Domain::PostChannel if self.spatial.is_some() => At::PostChannel,
            Domain::PreChannel | Domain::Pre => At::Pre,
            Domain::PostChannel | Domain::Post => At::Post,
            Domain::Synapse if shape.pair && self.shares() => At::Pair,
            Domain::Synapse => At::Synapse,
        }
    }

    /// Whether one synapse serves many pairs.
    pub(super) fn shares(&self) -> bool {
        self.spatial.is_some_and(|spatial| spatial.shared)
    }

    /// How many pairs a synapse serves.
    pub(super) fn pairs(&self) -> usize {
        self.spatial.filter(|spatial| spatial.shared).map_or(1, |spatial| spatial.shape.positions())
    }

    /// How many elements there are.
    pub(super) fn size(&self, at: At) -> usize {
        match at {
            At::Global => 1,
            At::PreChannel => self.shape().inputs(),
            At::PostChannel => self.shape().outputs(),
            At::Pre => self.pre,
            At::Post => self.post,
            At::Synapse => self.synapses,
            At::Pair => self.synapses * self.pairs(),
        }
    }

    fn shape(&self) -> &Convolution {
        match &self.spatial {
            Some(spatial) => &spatial.shape,
            None => ice!("channels and pairs of a group that has none"),
        }
    }

    /// Output channel, kernel index and position of a synapse or a pair; of a shared synapse no position.
    fn place(&self, at: At, element: usize) -> (usize, usize, Option<usize>) {
        let shape = self.shape();
        let (kernel, positions) = (shape.kernel(), shape.positions());
        match at {
            At::Pair => {
                let synapse = element / positions;
                (synapse / kernel, synapse % kernel, Some(element % positions))
            }
            At::Synapse if self.shares() => (element / kernel, element % kernel, None),
            At::Synapse => {
                let neuron = element / kernel;
                (neuron / positions, element % kernel, Some(neuron % positions))
            }
            at => ice!("{at:?} is no synapse"),
        }
    }

    /// The element of the wider place `to` that is read at `element` of `from`; `None` in the padding.
    pub(super) fn project(&self, from: At, element: usize, to: At) -> Option<usize> {
        if from == to {
            return Some(element);
        }
        match (from, to, self.spatial) {
            (_, At::Global, _) => Some(0),
            (At::Synapse, At::Pre, None) => Some(self.ends[element].0),
            (At::Synapse, At::Post, None) => Some(self.ends[element].1),
            (At::Pre, At::PreChannel, Some(spatial)) => Some(element / spatial.shape.input_positions()),
            (At::Post, At::PostChannel, Some(spatial)) => Some(element / spatial.shape.positions()),
            (At::Pair, At::Synapse, Some(_)) => Some(element / self.pairs()),
            (At::Synapse | At::Pair, _, Some(spatial)) => {
                let (output, kernel, position) = self.place(from, element);
                match (to, position) {
                    (At::PostChannel, _) => Some(output),
                    (At::PreChannel, _) => {
                        Some(spatial.shape.first_input(output) + spatial.shape.tap(kernel)[0])
                    }
                    (At::Pre, Some(position)) => spatial.shape.pair(output, kernel, position).pre,
                    (At::Post, Some(position)) => Some(spatial.shape.pair(output, kernel, position).post),
                    (to, _) => ice!("a value of {to:?} is read in a shared synapse"),
                }
            }
            (from, to, _) => ice!("a value of {to:?} is read in {from:?}"),
        }
    }

    /// The row and the column that address a draw: the neurons of a synapse, or, on a spatial group, whose kernel it
    /// belongs to and its index in it.
    pub(super) fn address(&self, at: At, element: usize) -> (usize, usize) {
        match at {
            At::Global => (0, 0),
            At::PreChannel | At::Pre => (element, 0),
            At::PostChannel | At::Post => (0, element),
            At::Synapse => match &self.spatial {
                None => self.ends[element],
                Some(spatial) => (element / spatial.shape.kernel(), element % spatial.shape.kernel()),
            },
            At::Pair => ice!("a draw has no value for a pair"),
        }
    }

    /// How many rows a place's draws have.
    pub(super) fn draw_rows(&self, at: At) -> usize {
        match (at, &self.spatial) {
            (At::Global | At::PostChannel | At::Post, _) => 1,
            (At::PreChannel | At::Pre, _) => self.size(at),
            (At::Synapse | At::Pair, None) => self.pre,
            (At::Synapse | At::Pair, Some(spatial)) if spatial.shared => spatial.shape.outputs(),
            (At::Synapse | At::Pair, Some(_)) => self.post,
        }
    }

    /// The pairs of a synapse, in the order in which an increment takes them in.
    pub(super) fn pairs_of(&self, synapse: usize) -> Members {
        let pairs = self.pairs();
        Members::Serial(pairs, (0..pairs).map(|pair| (pair, synapse * pairs + pair)).collect())
    }

    /// The terms of a reduction other than over the batch, at `element` of the result's place.
    pub(super) fn members(&self, over: Over, body: At, element: usize) -> Members {
        let all = |count: usize| (0..count).map(|index| (index, index)).collect::<Vec<Member>>();
        match (over, body) {
            (Over::Pre | Over::Post, At::Synapse | At::Pair) if self.spatial.is_some() => {
                self.spatial_members(over, body, element)
            }
            (Over::Pre, At::Synapse) => {
                let column = self.columns[element].iter();
                Members::Serial(self.pre, column.map(|at| (self.ends[*at].0, *at)).collect())
            }
            (Over::Post, At::Synapse) => {
                Members::Lanes(self.rows[element].iter().map(|at| (self.ends[*at].1, *at)).collect())
            }
            (Over::Pre | Over::PreChannel, At::Pre) => Members::Serial(self.pre, all(self.pre)),
            (Over::Post | Over::PostChannel, At::Post) => Members::Lanes(all(self.post)),
            (Over::PreChannel, At::PreChannel) => {
                Members::Serial(self.size(At::PreChannel), all(self.size(At::PreChannel)))
            }
            (Over::PostChannel, At::PostChannel) => Members::Lanes(all(self.size(At::PostChannel))),
            // Every neuron counts with its channel's value.
            (Over::Pre, At::PreChannel) => {
                let area = self.shape().input_positions();
                Members::Serial(self.pre, (0..self.pre).map(|neuron| (neuron, neuron / area)).collect())
            }
            (Over::Post, At::PostChannel) => {
                let area = self.shape().positions();
                Members::Lanes((0..self.post).map(|neuron| (neuron, neuron / area)).collect())
            }
            (Over::Position, At::Pre | At::Post) => {
                let area = match (&self.spatial, body) {
                    // A neuron is the one position of its channel.
                    (None, _) => 1,
                    (Some(spatial), At::Pre) => spatial.shape.input_positions(),
                    (Some(spatial), _) => spatial.shape.positions(),
                };
                Members::Lanes((0..area).map(|at| (at, element * area + at)).collect())
            }
            (Over::PostBlocks(size), At::Post | At::PostChannel) => {
                let size = (size as usize).max(1);
                let area = if self.spatial.is_some() { self.shape().positions() } else { 1 };
                let (first, position) = (element / area / size * size, element % area);
                let of = |channel: usize| if body == At::Post { channel * area + position } else { channel };
                Members::Lanes((0..size).map(|at| (at, of(first + at))).collect())
            }
            (over, body) => ice!("a reduction of a value of {body:?} over {over:?}"),
        }
    }

    /// The synapses, or pairs, of a channel or neuron of a spatial group.
    fn spatial_members(&self, over: Over, body: At, element: usize) -> Members {
        let shape = *self.shape();
        let (kernel, positions) = (shape.kernel(), shape.positions());
        let index = |output: usize, k: usize, position: usize| {
            if self.shares() && body == At::Pair {
                (output * kernel + k) * positions + position
            } else if self.shares() {
                output * kernel + k
            } else {
                (output * positions + position) * kernel + k
            }
        };
        if over == Over::Pre {
            let (output, position) = match body {
                At::Synapse if self.shares() => (element, 0),
                _ => (element / positions, element % positions),
            };
            return Members::Serial(kernel, (0..kernel).map(|k| (k, index(output, k, position))).collect());
        }
        let outputs = |channel: usize| {
            let first = channel / shape.inputs_per_group() * shape.outputs_per_group();
            (0..shape.outputs_per_group()).map(move |output| (output, first + output))
        };
        if self.shares() && body == At::Synapse {
            let area = shape.kernel_size()[0] * shape.kernel_size()[1];
            let start = element % shape.inputs_per_group() * area;
            let taps = |output: usize| (0..area).map(|tap| (tap, index(output, start + tap, 0))).collect();
            return Members::Nested(outputs(element).map(|(at, output)| (at, taps(output))).collect());
        }
        let reaching = |output: usize| -> Vec<Member> {
            let places = (0..positions).flat_map(|position| (0..kernel).map(move |k| (position, k)));
            places
                .filter(|&(position, k)| shape.pair(output, k, position).pre == Some(element))
                .map(|(position, k)| (position, index(output, k, position)))
                .collect()
        };
        let channel = element / shape.input_positions();
        Members::Nested(outputs(channel).map(|(at, output)| (at, reaching(output))).collect())
    }
}
