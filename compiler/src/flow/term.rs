//! The terms of sums. A sum whose body is a product, perhaps behind gates, takes it in with one fma; any other value is
//! rounded first. Which of the two a body is, is decided by the text, so carrying out statements and folding must not
//! make a product of what was a value (a `let`, an `if`, `x * y * 1`), nor the other way round.
//!
//! In a flow a `Convert` from `Real` to `Real` stands around a product that is rounded before it is added.

use super::Graph;
use crate::arena::Arena;
use crate::ir::{BinaryOp, Expr, ExprId, ExprKind, Type};
use crate::source::Span;

/// The conditions around a term, outermost first, and the term itself.
pub fn gates(exprs: &Arena<Expr>, body: ExprId) -> (Vec<ExprId>, ExprId) {
    let (mut gates, mut term) = (Vec::new(), body);
    while let ExprKind::Gate(condition, inner) = exprs[term].kind {
        gates.push(condition);
        term = inner;
    }
    (gates, term)
}

/// The factors of a term that is a product.
pub fn product(exprs: &Arena<Expr>, term: ExprId) -> Option<(ExprId, ExprId)> {
    match exprs[term].kind {
        ExprKind::Binary(BinaryOp::Multiply, a, b) if exprs[term].ty == Type::Real => Some((a, b)),
        _ => None,
    }
}

/// The body with its product, if it is one, rounded before it is added.
pub(crate) fn rounded(graph: &mut Graph, body: ExprId, span: Span) -> ExprId {
    let (conditions, term) = gates(graph.exprs(), body);
    if product(graph.exprs(), term).is_none() {
        return body;
    }
    let shape = graph.get(term).shape;
    let term = graph.add(Expr { kind: ExprKind::Convert(term), ty: Type::Real, shape }, span);
    gated(graph, &conditions, term, span)
}

/// A term behind conditions, outermost first.
pub(crate) fn gated(graph: &mut Graph, conditions: &[ExprId], term: ExprId, span: Span) -> ExprId {
    conditions.iter().rev().fold(term, |term, &condition| {
        let ty = graph.get(term).ty;
        let shape = graph.get(condition).shape.join(graph.get(term).shape);
        graph.add(Expr { kind: ExprKind::Gate(condition, term), ty, shape }, span)
    })
}
