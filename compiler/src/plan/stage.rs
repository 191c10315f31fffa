//! How many reductions stand before a value, and so in which launch it can be computed at the earliest.
//!
//! A launch is named by a [`Key`]: the number of synapse passes before it, the number of neuron reductions since, and
//! the place. Launches run in the order of their keys.

use crate::flow::Graph;
use crate::ir::{Builtin, Domain, ExprId, ExprKind, Over, Type, visit};

/// Where a launch's elements live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// One element.
    Global,
    /// Presynaptic neurons.
    Pre,
    /// Postsynaptic neurons.
    Post,
    /// Synapses.
    Synapse,
}

impl Place {
    /// On a dense group a channel is a neuron.
    pub(super) fn of(domain: Domain) -> Self {
        match domain {
            Domain::Global => Place::Global,
            Domain::Pre | Domain::PreChannel => Place::Pre,
            Domain::Post | Domain::PostChannel => Place::Post,
            Domain::Synapse => Place::Synapse,
        }
    }
}

/// Names a launch of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    /// How many synapse passes stand before it.
    pub(super) pass: u32,
    /// How many neuron reductions stand between; `u32::MAX` for the synapse pass itself.
    pub(super) round: u32,
    /// Where it runs.
    pub(super) place: Place,
}

impl Key {
    /// The synapse pass with a number.
    pub(super) fn synapses(pass: u32) -> Self {
        Self { pass, round: u32::MAX, place: Place::Synapse }
    }

    /// The launch at `place` of a value that depends on what is finished at (`pass`, `round`).
    pub(super) fn at(pass: u32, round: u32, place: Place) -> Self {
        if place == Place::Synapse { Self::synapses(pass) } else { Self { pass, round, place } }
    }
}

/// What a reduction ranges over, on a dense group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// Synapses of a column: one result per post.
    Columns,
    /// Synapses of a row: one result per pre.
    Rows,
    /// All presynaptic neurons.
    Pre,
    /// All postsynaptic neurons.
    Post,
    /// Blocks of so many postsynaptic neurons.
    Blocks(u32),
    /// Exactly one value: a position where a channel is a neuron, a batch of one.
    Single,
}

/// What a `Reduce` of a dense group ranges over.
pub(super) fn range(graph: &Graph, id: ExprId, over: Over) -> Range {
    let result = Place::of(graph.get(id).shape.domain);
    match over {
        Over::Pre | Over::PreChannel => match result {
            Place::Post => Range::Columns,
            Place::Global | Place::Pre | Place::Synapse => Range::Pre,
        },
        Over::Post | Over::PostChannel => match result {
            Place::Pre => Range::Rows,
            Place::Global | Place::Post | Place::Synapse => Range::Post,
        },
        Over::PostBlocks(size) => Range::Blocks(size),
        Over::Position | Over::Batch => Range::Single,
    }
}

/// The launches of the values of a graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Stages {
    of: Vec<(u32, u32)>,
    invariant: Vec<bool>,
}

impl Stages {
    /// Takes in what the graph has gained since the last call.
    pub(super) fn update(&mut self, graph: &Graph) {
        let exprs = graph.exprs();
        for id in exprs.handles().skip(self.of.len()) {
            let expr = &exprs[id];
            let operands = visit::operands(&expr.kind);
            let mut stage = (0, 0);
            let mut invariant = true;
            for operand in &operands {
                stage = stage.max(self.of[operand.index()]);
                invariant &= self.invariant[operand.index()];
            }
            match &expr.kind {
                ExprKind::Load { .. } => invariant = expr.ty == Type::Wide,
                ExprKind::Builtin(builtin) => invariant = is_launch_scalar(*builtin),
                ExprKind::Draw { .. } => invariant = false,
                ExprKind::Scan { .. } => {
                    invariant = false;
                    stage.1 += 1;
                }
                ExprKind::Reduce { over, .. } => {
                    invariant = false;
                    match range(graph, id, *over) {
                        Range::Columns | Range::Rows => stage = (stage.0 + 1, 0),
                        Range::Pre | Range::Post | Range::Blocks(_) => stage.1 += 1,
                        Range::Single => {}
                    }
                }
                ExprKind::Number(_)
                | ExprKind::Integer(_)
                | ExprKind::Boolean(_)
                | ExprKind::Local(_)
                | ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Compare(..)
                | ExprKind::Select(..)
                | ExprKind::Gate(..)
                | ExprKind::Math(..)
                | ExprKind::Convert(_)
                | ExprKind::Past { .. } => {}
            }
            self.of.push(stage);
            self.invariant.push(invariant);
        }
    }

    /// Whether the value is the same for a whole launch without any load: it is computed wherever it is needed.
    pub(super) fn is_invariant(&self, id: ExprId) -> bool {
        self.invariant[id.index()]
    }

    /// The first launch that can compute the value, for elements of `place`.
    pub(super) fn key(&self, id: ExprId, place: Place) -> Key {
        let (pass, round) = self.of[id.index()];
        Key::at(pass, round, place)
    }

    /// The launch that computes the value for its own elements.
    pub(super) fn home(&self, graph: &Graph, id: ExprId) -> Key {
        self.key(id, Place::of(graph.get(id).shape.domain))
    }
}

/// Values that every launch is given as scalars.
pub(super) fn is_launch_scalar(builtin: Builtin) -> bool {
    match builtin {
        Builtin::Dt
        | Builtin::T
        | Builtin::Step
        | Builtin::PreCount
        | Builtin::PostCount
        | Builtin::BatchCount
        | Builtin::PairCount => true,
        Builtin::PreSpike | Builtin::PostSpike | Builtin::PreIndex | Builtin::PostIndex => false,
    }
}
