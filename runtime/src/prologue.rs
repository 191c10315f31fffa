//! Numbers of a rule that are made of literals, parameters and `dt` only: defaults, ranges and periods.
//!
//! In: a root in the rule's arena, or a program's prologue. Out: f64. What depends on a step is not evaluated here.

use aplysia_compiler::arena::Arena;
use aplysia_compiler::interp::wide;
use aplysia_compiler::ir::{Builtin, Expr, ExprId, ExprKind, Period, Type, VarId};

/// The value of one expression of a rule's arena, if it is made of numbers, global parameters and `dt` only.
pub(crate) fn value(
    exprs: &Arena<Expr>,
    root: ExprId,
    parameters: &dyn Fn(VarId, u32) -> f64,
    dt: f64,
) -> Option<f64> {
    let reached = reachable(exprs, [root]);
    let mut place = vec![root; root.index() + 1];
    let mut copy = Arena::new();
    for (id, expr) in exprs.iter().take(root.index() + 1).filter(|(id, _)| reached[id.index()]) {
        if !is_constant(expr) {
            return None;
        }
        let kind = expr.kind.map_operands(|operand| place[operand.index()]);
        place[id.index()] = copy.push(Expr { kind, ty: expr.ty, shape: expr.shape });
    }
    wide::evaluate(&copy, parameters, dt).last().map(|value| value.number())
}

/// How many steps a period has; at least 1. `None` for a NaN.
pub(crate) fn period(period: Period, values: &[wide::WideValue], dt: f64) -> Option<u64> {
    let steps = match period {
        Period::Steps(id) => values[id.index()].number(),
        Period::Time(id) => values[id.index()].number() / dt,
    };
    // A conversion from float to integer saturates: an infinite period is never due.
    (!steps.is_nan()).then(|| (steps.round_ties_even() as u64).max(1))
}

/// Which expressions some roots are made of. Operands stand before what uses them, so that one walk backwards does.
fn reachable(exprs: &Arena<Expr>, roots: impl IntoIterator<Item = ExprId>) -> Vec<bool> {
    let mut reached = vec![false; exprs.len()];
    for root in roots {
        reached[root.index()] = true;
    }
    for (id, expr) in exprs.iter().rev() {
        if reached[id.index()] {
            for operand in expr.kind.operands() {
                reached[operand.index()] = true;
            }
        }
    }
    reached
}

/// Whether a kind of expression is made of numbers, global parameters and `dt`, as far as it alone is concerned.
fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number(_)
        | ExprKind::Integer(_)
        | ExprKind::Boolean(_)
        | ExprKind::Builtin(Builtin::Dt)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Gate(..)
        | ExprKind::Select(..)
        | ExprKind::Convert(_)
        | ExprKind::Exponential { .. }
        | ExprKind::Math(..) => true,
        ExprKind::Load { .. } => expr.ty == Type::Wide,
        ExprKind::Local(_)
        | ExprKind::Builtin(_)
        | ExprKind::Draw { .. }
        | ExprKind::Reduce { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Widen(_)
        | ExprKind::Past { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use aplysia_compiler::ir::{BinaryOp, Domain, Shape};

    use super::*;

    #[test]
    fn an_expression_is_taken_out_of_its_rule() {
        let mut exprs = Arena::new();
        let mut push = |kind, ty| exprs.push(Expr { kind, ty, shape: Shape::of(Domain::Global) });
        let step = push(ExprKind::Builtin(Builtin::Step), Type::Int);
        let ten = push(ExprKind::Number(10.0), Type::Wide);
        let tau = push(ExprKind::Load { variable: VarId::from_index(1), element: 0 }, Type::Wide);
        let ratio = push(ExprKind::Binary(BinaryOp::Divide, ten, tau), Type::Wide);
        let parameters = |_, _| 4.0;
        assert_eq!(value(&exprs, ratio, &parameters, 1.0), Some(2.5));
        assert_eq!(value(&exprs, step, &parameters, 1.0), None);
    }

    #[test]
    fn periods_are_rounded_and_at_least_one() {
        let at =
            |value, dt| period(Period::Time(ExprId::from_index(0)), &[wide::WideValue::Number(value)], dt);
        assert_eq!(at(10.0, 0.5), Some(20));
        assert_eq!(at(0.1, 1.0), Some(1));
        assert_eq!(at(-5.0, 1.0), Some(1));
        assert_eq!(at(f64::INFINITY, 1.0), Some(u64::MAX));
        assert_eq!(at(f64::NAN, 1.0), None);
    }
}
