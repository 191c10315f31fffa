//! Where values live on a kind of topology, which axes they have, and what reductions range over.

use super::Options;
use super::program::{Count, Size};
use crate::flow::Graph;
use crate::ir::{Domain, ExprId, Over, Shape};
use crate::kernel::Side;
use crate::topology::Kind;

/// Which elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Where {
    /// One.
    Global,
    /// Input channels.
    PreChannel,
    /// Output channels.
    PostChannel,
    /// Presynaptic neurons; on a one-to-one group every neuron with its synapse.
    Pre,
    /// Postsynaptic neurons.
    Post,
    /// Synapses.
    Synapse,
}

/// Where a value lives: which elements, and whether there is one for each element of the batch. Wider places stand before
/// those that read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which elements.
    pub(super) at: Where,
    /// Whether each has a value for every element of the batch.
    pub(super) batched: bool,
}

impl Place {
    /// Synapses.
    pub(super) const SYNAPSE: Place = Place { at: Where::Synapse, batched: false };

    /// Neurons of a side, shared by the batch.
    pub(super) fn neuron(side: Side) -> Self {
        let at = if side == Side::Pre { Where::Pre } else { Where::Post };
        Self { at, batched: false }
    }

    /// Whether it is a place of synapses.
    pub(super) fn is_synapse(self) -> bool {
        self.at == Where::Synapse
    }
}

/// What a reduction ranges over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// Synapses of a column: one result per post, from what the rows leave.
    Columns,
    /// Synapses of a row: one result per pre.
    Rows,
    /// On a spatial group, synapses of an output: one result per post, or per output channel.
    Outputs,
    /// On a spatial group, synapses that reach an input: one result per pre, or per input channel.
    Inputs,
    /// Neurons, channels or positions.
    Along(Axis),
    /// Blocks of so many postsynaptic neurons, or output channels at one position.
    Blocks(u32),
    /// The batch.
    Batch,
    /// The pairs of a shared synapse.
    Pairs,
    /// Exactly one value: a position where a channel is a neuron, a batch of one, a synapse of a one-to-one group.
    Single,
}

/// What a reduction that is no synapse's ranges over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// All presynaptic neurons.
    Pre,
    /// All postsynaptic neurons.
    Post,
    /// All input channels.
    PreChannel,
    /// All output channels.
    PostChannel,
    /// The positions of a channel.
    Position(Side),
}

/// What the places and axes of a program depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    pub(super) batched: bool,
}

impl Layout {
    pub(super) fn new(options: &Options) -> Self {
        Self { kind: options.topology, batched: options.batched }
    }

    /// Where a value of a shape lives.
    pub(super) fn place(self, shape: Shape) -> Place {
        let spatial = self.kind.is_spatial();
        let at = match shape.domain {
            Domain::Global => Where::Global,
            _ if self.kind == Kind::OneToOne => Where::Pre,
            Domain::PreChannel if spatial => Where::PreChannel,
            Domain::PostChannel if spatial => Where::PostChannel,
            // Elsewhere a channel is a neuron.
            Domain::Pre | Domain::PreChannel => Where::Pre,
            Domain::Post | Domain::PostChannel => Where::Post,
            Domain::Synapse => Where::Synapse,
        };
        Place { at, batched: self.batched && shape.batched }
    }

    /// The axes of a place, the batch outermost.
    pub(super) fn axes(self, place: Place) -> Vec<Size> {
        let mut axes = if place.batched { vec![Size::Count(Count::Batch)] } else { Vec::new() };
        let inner: &[Count] = match place.at {
            Where::Global => &[],
            Where::PreChannel => &[Count::PreChannels],
            Where::PostChannel => &[Count::PostChannels],
            Where::Pre => &[Count::Pre],
            Where::Post => &[Count::Post],
            Where::Synapse => match self.kind {
                Kind::Dense => &[Count::Pre, Count::Post],
                Kind::OneToOne | Kind::Sparse => &[Count::Synapses],
                Kind::Conv2d => &[Count::PostChannels, Count::Kernel],
                Kind::Local2d => &[Count::Post, Count::Kernel],
            },
        };
        axes.extend(inner.iter().map(|&count| Size::Count(count)));
        axes
    }

    /// How many elements a place has for one element of the batch; `None` for one.
    pub(super) fn count(self, at: Where) -> Option<Count> {
        match at {
            Where::Global => None,
            Where::PreChannel => Some(Count::PreChannels),
            Where::PostChannel => Some(Count::PostChannels),
            Where::Pre => Some(Count::Pre),
            Where::Post => Some(Count::Post),
            Where::Synapse => Some(Count::Synapses),
        }
    }

    /// How many rows the draws of a domain have for one element of the batch; `None` for one.
    pub(super) fn draw_rows(self, domain: Domain) -> Option<Count> {
        let spatial = self.kind.is_spatial();
        match domain {
            Domain::Global | Domain::Post | Domain::PostChannel => None,
            Domain::PreChannel if spatial => Some(Count::PreChannels),
            Domain::Pre | Domain::PreChannel => Some(Count::Pre),
            Domain::Synapse => match self.kind {
                Kind::Dense | Kind::OneToOne | Kind::Sparse => Some(Count::Pre),
                Kind::Conv2d => Some(Count::PostChannels),
                Kind::Local2d => Some(Count::Post),
            },
        }
    }

    /// What a `Reduce` ranges over. Its result's domain tells a sum over synapses from one over neurons.
    pub(super) fn range(self, graph: &Graph, id: ExprId, over: Over) -> Range {
        let result = graph.get(id).shape.domain;
        let spatial = self.kind.is_spatial();
        match over {
            Over::Pre | Over::PreChannel => match result {
                Domain::Post | Domain::PostChannel => match self.kind {
                    Kind::Dense | Kind::Sparse => Range::Columns,
                    Kind::OneToOne => Range::Single,
                    Kind::Conv2d | Kind::Local2d => Range::Outputs,
                },
                Domain::Global | Domain::Pre | Domain::PreChannel | Domain::Synapse => {
                    let channels = spatial && over == Over::PreChannel;
                    Range::Along(if channels { Axis::PreChannel } else { Axis::Pre })
                }
            },
            Over::Post | Over::PostChannel => match result {
                Domain::Pre | Domain::PreChannel => match self.kind {
                    Kind::Dense | Kind::Sparse => Range::Rows,
                    Kind::OneToOne => Range::Single,
                    Kind::Conv2d | Kind::Local2d => Range::Inputs,
                },
                Domain::Global | Domain::Post | Domain::PostChannel | Domain::Synapse => {
                    let channels = spatial && over == Over::PostChannel;
                    Range::Along(if channels { Axis::PostChannel } else { Axis::Post })
                }
            },
            Over::PostBlocks(size) => Range::Blocks(size),
            Over::Position if spatial => {
                let side = if result == Domain::PreChannel { Side::Pre } else { Side::Post };
                Range::Along(Axis::Position(side))
            }
            Over::Batch if self.batched => Range::Batch,
            Over::Pairs => Range::Pairs,
            Over::Position | Over::Batch => Range::Single,
        }
    }
}
