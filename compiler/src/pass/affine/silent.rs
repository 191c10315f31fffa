//! A step in the rows of silent presynaptic neurons.

use crate::arena::HandleMap;
use crate::flow::Graph;
use crate::ir::{Builtin, Domain, Expr, ExprId, ExprKind, Shape, Type, operands};
use crate::kernel::Precision;
use crate::pass::fold;

/// Each root as it is where the presynaptic neuron does not spike; values of neurons included, which `sparsity` leaves as
/// they are. Shapes become those of what is left.
pub(super) fn silent(graph: &mut Graph, roots: &[ExprId], precision: Precision) -> Vec<ExprId> {
    let mut map: HandleMap<Expr, ExprId> = HandleMap::default();
    for id in operands::reachable(graph.exprs(), roots.iter().copied()) {
        let expr = graph.get(id).clone();
        let span = graph.span(id);
        let new = match &expr.kind {
            ExprKind::Builtin(Builtin::PreSpike) => {
                let shape = Shape::of(Domain::Global);
                graph.add(Expr { kind: ExprKind::Boolean(false), ty: Type::Bool, shape }, span)
            }
            // They have shapes of their own, and what they read is that of other neurons or steps.
            ExprKind::Past { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Draw { .. }
            | ExprKind::Widen(_) => id,
            kind => {
                let kind = kind.map_operands(|operand| map[&operand]);
                let parts = kind.operands();
                let joined = parts.iter().map(|&part| graph.get(part).shape).reduce(Shape::join);
                let shape = joined.unwrap_or(expr.shape);
                fold::add(graph, Expr { kind, ty: expr.ty, shape }, span, precision)
            }
        };
        map.insert(id, new);
    }
    roots.iter().map(|root| map[root]).collect()
}
