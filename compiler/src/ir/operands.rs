//! What an expression is made of, for walks that need not know the kinds.

use super::{Expr, ExprId, ExprKind};
use crate::arena::Arena;

impl ExprKind {
    /// The operands, in order. The stated upper end of a `past` is one of them.
    pub fn operands(&self) -> Vec<ExprId> {
        match self {
            ExprKind::Number(_)
            | ExprKind::Integer(_)
            | ExprKind::Boolean(_)
            | ExprKind::Load { .. }
            | ExprKind::Local(_)
            | ExprKind::Builtin(_) => Vec::new(),
            ExprKind::Unary(_, a)
            | ExprKind::Convert(a)
            | ExprKind::Widen(a)
            | ExprKind::Reduce { body: a, .. }
            | ExprKind::Scan { body: a, .. } => vec![*a],
            ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) | ExprKind::Gate(a, b) => vec![*a, *b],
            ExprKind::Select(a, b, c) => vec![*a, *b, *c],
            ExprKind::Past { body, delay, longest, initial } => vec![*body, *delay, *longest, *initial],
            ExprKind::Math(_, operands)
            | ExprKind::Exponential { entries: operands, .. }
            | ExprKind::Draw { parameters: operands, .. } => operands.clone(),
        }
    }

    /// The same kind with other operands; `map` is asked in the order of [`ExprKind::operands`].
    #[must_use]
    pub fn map_operands(&self, mut map: impl FnMut(ExprId) -> ExprId) -> ExprKind {
        match self {
            ExprKind::Number(_)
            | ExprKind::Integer(_)
            | ExprKind::Boolean(_)
            | ExprKind::Load { .. }
            | ExprKind::Local(_)
            | ExprKind::Builtin(_) => self.clone(),
            ExprKind::Unary(op, a) => ExprKind::Unary(*op, map(*a)),
            ExprKind::Convert(a) => ExprKind::Convert(map(*a)),
            ExprKind::Widen(a) => ExprKind::Widen(map(*a)),
            ExprKind::Reduce { op, over, body } => {
                ExprKind::Reduce { op: *op, over: *over, body: map(*body) }
            }
            ExprKind::Scan { over, body } => ExprKind::Scan { over: *over, body: map(*body) },
            ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, map(*a), map(*b)),
            ExprKind::Compare(comparison, a, b) => ExprKind::Compare(*comparison, map(*a), map(*b)),
            ExprKind::Gate(a, b) => ExprKind::Gate(map(*a), map(*b)),
            ExprKind::Select(a, b, c) => ExprKind::Select(map(*a), map(*b), map(*c)),
            ExprKind::Past { body, delay, longest, initial } => ExprKind::Past {
                body: map(*body),
                delay: map(*delay),
                longest: map(*longest),
                initial: map(*initial),
            },
            ExprKind::Math(function, operands) => {
                ExprKind::Math(*function, operands.iter().map(|operand| map(*operand)).collect())
            }
            ExprKind::Exponential { entries, place } => ExprKind::Exponential {
                entries: entries.iter().map(|operand| map(*operand)).collect(),
                place: *place,
            },
            ExprKind::Draw { site, parameters } => {
                let parameters = parameters.iter().map(|operand| map(*operand)).collect();
                ExprKind::Draw { site: *site, parameters }
            }
        }
    }
}

/// The expressions that `roots` are made of, themselves included, operands first. Without recursion: the depth of an
/// expression is the user's.
pub fn reachable(exprs: &Arena<Expr>, roots: impl IntoIterator<Item = ExprId>) -> Vec<ExprId> {
    let mut seen = vec![false; exprs.len()];
    let mut pending: Vec<ExprId> = roots.into_iter().collect();
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            pending.extend(exprs[id].kind.operands());
        }
    }
    exprs.handles().filter(|id| seen[id.index()]).collect()
}
