//! Which rows and columns a step can touch: what a flow becomes where a neuron is known to spike or not.
//!
//! `assume` decides conditions on spikes in the synapse expressions and folds what follows. A write that then gives
//! back what the place held before changes nothing there. The proof is to the bit: nothing is said of a product with
//! zero, only of what a gate leaves out.

use super::fold::{self, Known};
use crate::arena::HandleMap;
use crate::flow::{Graph, Write};
use crate::ir::*;
use crate::kernel::Precision;

/// What is known of the two neurons of a synapse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assumption {
    /// Whether the presynaptic neuron spikes.
    pub pre: Option<bool>,
    /// Whether the postsynaptic neuron spikes.
    pub post: Option<bool>,
}

impl Assumption {
    /// Neither neuron spikes.
    pub const SILENT: Assumption = Assumption { pre: Some(false), post: Some(false) };
    /// A row of a spiking presynaptic neuron.
    pub const ROW: Assumption = Assumption { pre: Some(true), post: None };
    /// The column of a spiking postsynaptic neuron, in a row that is silent.
    pub const COLUMN: Assumption = Assumption { pre: Some(false), post: Some(true) };

    fn of(self, builtin: Builtin) -> Option<bool> {
        match builtin {
            Builtin::PreSpike => self.pre,
            Builtin::PostSpike => self.post,
            Builtin::Dt
            | Builtin::T
            | Builtin::Step
            | Builtin::PreIndex
            | Builtin::PostIndex
            | Builtin::PreCount
            | Builtin::PostCount
            | Builtin::BatchCount
            | Builtin::PairCount => None,
        }
    }
}

/// Each root as it is under the assumption. Values of neurons stay as they are, since they are computed for all
/// neurons; only conditions on spikes, and what a condition on a spike makes constant, are decided.
pub fn assume(
    graph: &mut Graph,
    roots: &[ExprId],
    assumption: Assumption,
    precision: Precision,
) -> Vec<ExprId> {
    let mut map: HandleMap<Expr, ExprId> = HandleMap::default();
    for id in operands::reachable(graph.exprs(), roots.iter().copied()) {
        let expr = graph.get(id).clone();
        let span = graph.span(id);
        let new = match &expr.kind {
            ExprKind::Builtin(builtin) => match assumption.of(*builtin) {
                Some(holds) => {
                    let kind = ExprKind::Boolean(holds);
                    graph.add(Expr { kind, ty: Type::Bool, shape: Shape::of(Domain::Global) }, span)
                }
                None => id,
            },
            // A delayed or reduced spike is not this step's spike of this neuron.
            ExprKind::Past { .. } | ExprKind::Scan { .. } => id,
            // A sum over the batch of what adds nothing in any element.
            ExprKind::Reduce { op: ReduceOp::Sum, over: Over::Batch, body }
                if expr.ty == Type::Real && is_zero(graph, map[body], precision) =>
            {
                graph.real(0.0, span)
            }
            ExprKind::Reduce { .. } => id,
            // A mean over the batch; it has an element.
            ExprKind::Binary(BinaryOp::Divide, a, b)
                if fold::known(graph, map[a], precision).is_some_and(|a| a == Known::Real(0.0))
                    && is_batch_count(graph, *b) =>
            {
                map[a]
            }
            kind => {
                let kind = kind.map_operands(|operand| map[&operand]);
                let folded = fold::add(graph, Expr { kind, ty: expr.ty, shape: expr.shape }, span, precision);
                let of_neuron = expr.shape.domain != Domain::Synapse;
                if of_neuron && fold::known(graph, folded, precision).is_none() { id } else { folded }
            }
        };
        map.insert(id, new);
    }
    roots.iter().map(|root| map[root]).collect()
}

/// Each root as it is where a condition is known to hold, or not to.
pub fn decide(
    graph: &mut Graph,
    roots: &[ExprId],
    (condition, holds): (ExprId, bool),
    precision: Precision,
) -> Vec<ExprId> {
    let mut map: HandleMap<Expr, ExprId> = HandleMap::default();
    for id in operands::reachable(graph.exprs(), roots.iter().copied()) {
        let expr = graph.get(id).clone();
        let span = graph.span(id);
        let new = match &expr.kind {
            _ if id == condition => {
                let kind = ExprKind::Boolean(holds);
                graph.add(Expr { kind, ty: Type::Bool, shape: Shape::of(Domain::Global) }, span)
            }
            // What was, and what others have, does not hang on it.
            ExprKind::Past { .. } | ExprKind::Scan { .. } | ExprKind::Reduce { .. } => id,
            kind => {
                let kind = kind.map_operands(|operand| map[&operand]);
                fold::add(graph, Expr { kind, ty: expr.ty, shape: expr.shape }, span, precision)
            }
        };
        map.insert(id, new);
    }
    roots.iter().map(|root| map[root]).collect()
}

/// Zero of either sign.
fn is_zero(graph: &Graph, id: ExprId, precision: Precision) -> bool {
    fold::known(graph, id, precision) == Some(Known::Real(0.0))
}

fn is_batch_count(graph: &Graph, id: ExprId) -> bool {
    match graph.get(id).kind {
        ExprKind::Convert(count) => graph.get(count).kind == ExprKind::Builtin(Builtin::BatchCount),
        _ => false,
    }
}

/// A clip: `Min` or `Max`, and its bound.
pub type Clip = (BinaryOp, ExprId);

/// Where a write gives the place what it held before, perhaps clipped to bounds that only parameters decide: the
/// clips, innermost first.
pub fn clips(graph: &Graph, write: &Write) -> Option<Vec<Clip>> {
    let mut value = write.value;
    let mut clips = Vec::new();
    loop {
        match graph.get(value).kind {
            ExprKind::Load { variable, element } => {
                clips.reverse();
                return (variable == write.variable && element == write.element).then_some(clips);
            }
            ExprKind::Binary(op @ (BinaryOp::Min | BinaryOp::Max), inner, bound)
                if is_fixed(graph, bound) =>
            {
                clips.push((op, bound));
                value = inner;
            }
            _ => return None,
        }
    }
}

/// Whether a value can only change when a parameter does.
pub fn is_fixed(graph: &Graph, root: ExprId) -> bool {
    operands::reachable(graph.exprs(), [root]).into_iter().all(|id| {
        let expr = graph.get(id);
        match expr.kind {
            ExprKind::Load { .. } => expr.ty == Type::Wide,
            ExprKind::Builtin(builtin) => match builtin {
                Builtin::Dt
                | Builtin::PreCount
                | Builtin::PostCount
                | Builtin::BatchCount
                | Builtin::PairCount => true,
                Builtin::T
                | Builtin::Step
                | Builtin::PreSpike
                | Builtin::PostSpike
                | Builtin::PreIndex
                | Builtin::PostIndex => false,
            },
            ExprKind::Local(_)
            | ExprKind::Draw { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Past { .. } => false,
            ExprKind::Number(_)
            | ExprKind::Integer(_)
            | ExprKind::Boolean(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Gate(..)
            | ExprKind::Math(..)
            | ExprKind::Exponential { .. }
            | ExprKind::Widen(_)
            | ExprKind::Convert(_) => true,
        }
    })
}
