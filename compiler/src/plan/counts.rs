//! Counts that the topology knows: how many synapses a neuron has, how many neurons there are.
//!
//! `check` writes a mean as a sum divided by the count of all elements of its range. On a dense group that count is a
//! number of the topology; nothing need be counted.

use super::layout::{Axis, Layout, Range};
use crate::arena::HandleMap;
use crate::flow::{Flow, Graph, Write};
use crate::ir::{BinaryOp, Builtin, Domain, Expr, ExprId, ExprKind, ReduceOp, Shape, Type, operands};
use crate::source::Span;
use crate::topology::Kind;

/// The flow with known counts in place of countings.
pub(super) fn known_counts(flow: &Flow, layout: Layout) -> Flow {
    let mut graph = Graph::new();
    let mut map: HandleMap<Expr, ExprId> = HandleMap::default();
    let roots = flow.writes.iter().chain(&flow.trace).map(|write| write.value);
    for id in operands::reachable(flow.graph.exprs(), roots) {
        let expr = flow.graph.get(id);
        let span = flow.graph.span(id);
        let kind = expr.kind.map_operands(|operand| map[&operand]);
        let new = match kind {
            ExprKind::Reduce { op, over, body } if expr.ty == Type::Int => {
                counted(&mut graph, op, layout.range(&flow.graph, id, over), layout, body, span)
            }
            _ => None,
        };
        let new = new.unwrap_or_else(|| graph.add(Expr { kind, ty: expr.ty, shape: expr.shape }, span));
        map.insert(id, new);
    }
    let rename = |write: &Write| Write { value: map[&write.value], ..*write };
    Flow {
        writes: flow.writes.iter().map(rename).collect(),
        trace: flow.trace.iter().map(rename).collect(),
        graph,
        precision: flow.precision,
    }
}

fn counted(
    graph: &mut Graph,
    op: ReduceOp,
    range: Range,
    layout: Layout,
    body: ExprId,
    span: Span,
) -> Option<ExprId> {
    let integer = |graph: &mut Graph, kind| {
        graph.add(Expr { kind, ty: Type::Int, shape: Shape::of(Domain::Global) }, span)
    };
    // On other topologies how many synapses a neuron has depends on the neuron.
    let dense = layout.kind == Kind::Dense;
    let length = match range {
        Range::Columns if dense => ExprKind::Builtin(Builtin::PreCount),
        Range::Rows if dense => ExprKind::Builtin(Builtin::PostCount),
        Range::Along(Axis::Pre) => ExprKind::Builtin(Builtin::PreCount),
        Range::Along(Axis::Post) => ExprKind::Builtin(Builtin::PostCount),
        Range::Blocks(size) => ExprKind::Integer(i64::from(size)),
        Range::Single => ExprKind::Integer(1),
        Range::Columns
        | Range::Rows
        | Range::Outputs
        | Range::Inputs
        | Range::Along(Axis::PreChannel | Axis::PostChannel | Axis::Position(_))
        | Range::Batch
        | Range::Pairs => return None,
    };
    match (op, &graph.get(body).kind) {
        (ReduceOp::Count, ExprKind::Boolean(true)) => Some(integer(graph, length)),
        // The counts of the rows added up.
        (ReduceOp::Sum, ExprKind::Builtin(Builtin::PreCount | Builtin::PostCount) | ExprKind::Integer(1)) => {
            let length = integer(graph, length);
            Some(integer(graph, ExprKind::Binary(BinaryOp::Multiply, length, body)))
        }
        _ => None,
    }
}
