//! How many reductions stand before a value, and so in which launch it can be computed at the earliest.
//!
//! A launch is named by a [`Key`]: the number of synapse passes before it, the number of neuron reductions since, and
//! the place. Launches run in the order of their keys.

use super::layout::{Layout, Place, Range};
use crate::flow::Graph;
use crate::ir::{Builtin, ExprId, ExprKind, Type};

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
        Self { pass, round: u32::MAX, place: Place::SYNAPSE }
    }

    /// The launch at `place` of a value that depends on what is finished at (`pass`, `round`). One pass takes care of all
    /// values of synapses, those of the batch included.
    pub(super) fn at(pass: u32, round: u32, place: Place) -> Self {
        if place.is_synapse() { Self::synapses(pass) } else { Self { pass, round, place } }
    }
}

/// The launches of the values of a graph.
#[derive(Clone, Debug)]
pub(super) struct Stages {
    layout: Layout,
    of: Vec<(u32, u32)>,
    invariant: Vec<bool>,
}

impl Stages {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, of: Vec::new(), invariant: Vec::new() }
    }

    /// Takes in what the graph has gained since the last call.
    pub(super) fn update(&mut self, graph: &Graph) {
        let exprs = graph.exprs();
        for id in exprs.handles().skip(self.of.len()) {
            let expr = &exprs[id];
            let mut stage = (0, 0);
            let mut invariant = true;
            for operand in needed_operands(&expr.kind) {
                stage = stage.max(self.of[operand.index()]);
                invariant &= self.invariant[operand.index()];
            }
            match &expr.kind {
                ExprKind::Load { .. } => invariant = expr.ty == Type::Wide,
                ExprKind::Builtin(builtin) => invariant = is_launch_scalar(*builtin),
                ExprKind::Draw { .. } => invariant = false,
                // What was is read from where an earlier launch has put it.
                ExprKind::Scan { .. } => {
                    invariant = false;
                    stage.1 += 1;
                }
                ExprKind::Past { body, .. } => {
                    invariant = false;
                    stage = stage.max(self.of[body.index()]);
                    stage.1 += 1;
                }
                // It depends on the synapse whether there is a neuron.
                ExprKind::Widen(_) => invariant = false,
                ExprKind::Reduce { over, body, .. } => {
                    invariant = false;
                    match self.layout.range(graph, id, *over) {
                        Range::Columns | Range::Rows => stage = (stage.0 + 1, 0),
                        Range::Outputs | Range::Inputs | Range::Along(_) | Range::Blocks(_) => stage.1 += 1,
                        Range::Batch if !self.layout.place(graph.get(*body).shape).is_synapse() => {
                            stage.1 += 1
                        }
                        // Made where it is needed, in a loop over what it ranges over.
                        Range::Batch | Range::Pairs | Range::Single => {}
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
                | ExprKind::Exponential { .. }
                | ExprKind::Convert(_) => {}
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
        self.key(id, self.layout.place(graph.get(id).shape))
    }
}

/// The operands that a launch needs for a value. What `past` looks back at has been put away, and what it was before the
/// first step as well.
pub(super) fn needed_operands(kind: &ExprKind) -> Vec<ExprId> {
    match kind {
        ExprKind::Past { delay, .. } => vec![*delay],
        kind => kind.operands(),
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
