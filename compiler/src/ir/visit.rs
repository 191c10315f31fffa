//! Walking expressions: operands, rebuilding, reachability. No walk recurses, however deep an expression is.

use super::{Expr, ExprId, ExprKind};
use crate::arena::Arena;

/// The operands of an expression, in order.
pub fn operands(kind: &ExprKind) -> Vec<ExprId> {
    match kind {
        ExprKind::Number(_)
        | ExprKind::Integer(_)
        | ExprKind::Boolean(_)
        | ExprKind::Load { .. }
        | ExprKind::Local(_)
        | ExprKind::Builtin(_) => Vec::new(),
        ExprKind::Unary(_, a) | ExprKind::Convert(a) | ExprKind::Widen(a) => vec![*a],
        ExprKind::Reduce { body, .. } | ExprKind::Scan { body, .. } => vec![*body],
        ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) | ExprKind::Gate(a, b) => vec![*a, *b],
        ExprKind::Select(a, b, c) => vec![*a, *b, *c],
        ExprKind::Past { body, delay, longest, initial } => vec![*body, *delay, *longest, *initial],
        ExprKind::Math(_, list) | ExprKind::Draw { parameters: list, .. } => list.clone(),
    }
}

/// The same kind of expression with other operands.
pub fn with_operands(kind: &ExprKind, mut map: impl FnMut(ExprId) -> ExprId) -> ExprKind {
    match kind {
        ExprKind::Number(_)
        | ExprKind::Integer(_)
        | ExprKind::Boolean(_)
        | ExprKind::Load { .. }
        | ExprKind::Local(_)
        | ExprKind::Builtin(_) => kind.clone(),
        ExprKind::Unary(op, a) => ExprKind::Unary(*op, map(*a)),
        ExprKind::Convert(a) => ExprKind::Convert(map(*a)),
        ExprKind::Widen(a) => ExprKind::Widen(map(*a)),
        ExprKind::Reduce { op, over, body } => ExprKind::Reduce { op: *op, over: *over, body: map(*body) },
        ExprKind::Scan { over, body } => ExprKind::Scan { over: *over, body: map(*body) },
        ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, map(*a), map(*b)),
        ExprKind::Compare(op, a, b) => ExprKind::Compare(*op, map(*a), map(*b)),
        ExprKind::Gate(a, b) => ExprKind::Gate(map(*a), map(*b)),
        ExprKind::Select(a, b, c) => ExprKind::Select(map(*a), map(*b), map(*c)),
        ExprKind::Past { body, delay, longest, initial } => ExprKind::Past {
            body: map(*body),
            delay: map(*delay),
            longest: map(*longest),
            initial: map(*initial),
        },
        ExprKind::Math(function, list) => {
            ExprKind::Math(*function, list.iter().map(|&operand| map(operand)).collect())
        }
        ExprKind::Draw { site, parameters } => ExprKind::Draw {
            site: *site,
            parameters: parameters.iter().map(|&operand| map(operand)).collect(),
        },
    }
}

/// All expressions that `roots` need, operands first.
pub fn reachable(exprs: &Arena<Expr>, roots: impl IntoIterator<Item = ExprId>) -> Vec<ExprId> {
    let mut seen = vec![false; exprs.len()];
    let mut open: Vec<ExprId> = roots.into_iter().collect();
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            open.extend(operands(&exprs[id].kind));
        }
    }
    exprs.handles().filter(|id| seen[id.index()]).collect()
}
