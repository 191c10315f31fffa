//! The term of a reduction taken apart: the conditions under which it counts, and what it adds.

use super::section::Work;
use crate::flow::term;
use crate::ir::{ExprId, ExprKind, ReduceOp};

/// A term of a reduction, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    /// All must hold.
    pub(super) gates: Vec<ExprId>,
    /// What is added.
    pub(super) term: PieceTerm,
}

/// What a reduction adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceTerm {
    /// A value.
    Value(ExprId),
    /// A product, with one fma.
    Product(ExprId, ExprId),
}

impl Pieces {
    /// All expressions.
    pub(super) fn values(&self) -> std::vec::IntoIter<ExprId> {
        let mut values = self.gates.clone();
        match self.term {
            PieceTerm::Value(value) => values.push(value),
            PieceTerm::Product(a, b) => values.extend([a, b]),
        }
        values.into_iter()
    }
}

impl Work<'_, '_> {
    /// The term of a reduction taken apart: the conditions under which it counts, and its factors.
    pub(super) fn pieces(&self, id: ExprId) -> Pieces {
        let graph = &self.flow.graph;
        let (op, body) = match graph.get(id).kind {
            ExprKind::Reduce { op, body, .. } => (op, body),
            ExprKind::Scan { body, .. } => (ReduceOp::Sum, body),
            _ => crate::ice!("{id:?} is no reduction"),
        };
        if op != ReduceOp::Sum {
            return Pieces { gates: Vec::new(), term: PieceTerm::Value(body) };
        }
        let (gates, value) = term::gates(graph.exprs(), body);
        let term = match term::product(graph.exprs(), value) {
            Some((a, b)) => PieceTerm::Product(a, b),
            None => PieceTerm::Value(value),
        };
        Pieces { gates, term }
    }
}
