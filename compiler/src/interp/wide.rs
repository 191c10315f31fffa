//! Evaluates what is computed in f64 when a parameter changes: the prologue of a program.
//!
//! In: an arena of `Wide`, `Bool` and literal `Int` expressions of numbers, global parameters and `dt`, operands first.
//! Out: the value of each. Whatever belongs to a step (states, spikes, draws, reductions) is a fault of the caller's.

use crate::arena::Arena;
use crate::ice;
use crate::interp::scalar::Scalar;
use crate::ir::{Builtin, Expr, ExprKind, VarId};
use crate::math::matrix::exponential_less_one;

/// The value of an expression of a prologue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WideValue {
    /// Of a `Wide` expression.
    Number(f64),
    /// Of a literal among integers.
    Integer(i64),
    /// Of a condition.
    Boolean(bool),
}

impl WideValue {
    /// As a number; a condition is 0 or 1.
    pub fn number(self) -> f64 {
        match self {
            WideValue::Number(value) => value,
            WideValue::Integer(value) => value as f64,
            WideValue::Boolean(value) => f64::from(u8::from(value)),
        }
    }
}

/// The values of all expressions, by index. `parameters` gives an element of a global parameter in base units, `dt` is
/// in ms.
pub fn evaluate(exprs: &Arena<Expr>, parameters: &dyn Fn(VarId, u32) -> f64, dt: f64) -> Vec<WideValue> {
    let mut values: Vec<Scalar<f64>> = Vec::with_capacity(exprs.len());
    let mut last = LastExponential::default();
    for (_, expr) in exprs.iter() {
        let Some(value) = one(expr, &|operand| Some(values[operand.index()]), parameters, dt, &mut last)
        else {
            ice!("{:?} does not belong to a prologue", expr.kind)
        };
        values.push(value);
    }
    let plain = |value| match value {
        Scalar::Wide(value) | Scalar::Real(value) => WideValue::Number(value),
        Scalar::Int(value) => WideValue::Integer(value),
        Scalar::Bool(value) => WideValue::Boolean(value),
    };
    values.into_iter().map(plain).collect()
}

/// The matrix whose exponential was computed last: the entries of one stand side by side.
#[derive(Default)]
pub(crate) struct LastExponential {
    matrix: Vec<u64>,
    value: Vec<f64>,
}

impl LastExponential {
    fn entry(&mut self, matrix: Vec<f64>, place: u32) -> f64 {
        let bits = matrix.iter().map(|entry| entry.to_bits());
        if !bits.clone().eq(self.matrix.iter().copied()) {
            self.matrix = bits.collect();
            self.value = exponential_less_one(&matrix);
        }
        self.value[place as usize]
    }
}

/// The value of one expression, if it is made of numbers, global parameters and `dt` only and its operands have values.
pub(crate) fn one<R: crate::math::Real>(
    expr: &Expr,
    operand: &dyn Fn(crate::ir::ExprId) -> Option<Scalar<R>>,
    parameters: &dyn Fn(VarId, u32) -> f64,
    dt: f64,
    last: &mut LastExponential,
) -> Option<Scalar<R>> {
    use crate::ir::Type;
    Some(match &expr.kind {
        ExprKind::Number(value) => Scalar::Wide(*value),
        ExprKind::Integer(value) => Scalar::Int(*value),
        ExprKind::Boolean(value) => Scalar::Bool(*value),
        ExprKind::Load { variable, element } if expr.ty == Type::Wide => {
            Scalar::Wide(parameters(*variable, *element))
        }
        ExprKind::Builtin(Builtin::Dt) => Scalar::Wide(dt),
        ExprKind::Unary(op, value) => operand(*value)?.unary(*op),
        ExprKind::Binary(op, a, b) => operand(*a)?.binary(*op, operand(*b)?),
        ExprKind::Compare(comparison, a, b) => Scalar::Bool(operand(*a)?.compare(*comparison, operand(*b)?)),
        ExprKind::Select(condition, then, otherwise) => {
            let (condition, then, otherwise) = (operand(*condition)?, operand(*then)?, operand(*otherwise)?);
            if condition.holds() { then } else { otherwise }
        }
        ExprKind::Gate(condition, value) => {
            let (condition, value) = (operand(*condition)?, operand(*value)?);
            if condition.holds() { value } else { Scalar::zero(expr.ty) }
        }
        ExprKind::Math(function, arguments) => {
            let arguments: Option<Vec<Scalar<R>>> = arguments.iter().map(|id| operand(*id)).collect();
            Scalar::math(*function, &arguments?)
        }
        ExprKind::Exponential { entries, place } => {
            let entries: Option<Vec<f64>> =
                entries.iter().map(|id| operand(*id).map(Scalar::to_host)).collect();
            Scalar::Wide(last.entry(entries?, *place))
        }
        ExprKind::Convert(value) => operand(*value)?.convert(expr.ty),
        ExprKind::Load { .. }
        | ExprKind::Local(_)
        | ExprKind::Builtin(_)
        | ExprKind::Draw { .. }
        | ExprKind::Reduce { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Widen(_)
        | ExprKind::Past { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{BinaryOp, Comparison, Domain, ExprId, Shape, Type, UnaryOp};

    #[test]
    fn operands_are_evaluated_in_order() {
        let mut exprs = Arena::new();
        let mut push =
            |kind, ty| -> ExprId { exprs.push(Expr { kind, ty, shape: Shape::of(Domain::Global) }) };
        let tau = push(ExprKind::Load { variable: VarId::from_index(2), element: 1 }, Type::Wide);
        let dt = push(ExprKind::Builtin(Builtin::Dt), Type::Wide);
        let ratio = push(ExprKind::Binary(BinaryOp::Divide, dt, tau), Type::Wide);
        let negated = push(ExprKind::Unary(UnaryOp::Negate, ratio), Type::Wide);
        let small = push(ExprKind::Compare(Comparison::Less, negated, dt), Type::Bool);
        push(ExprKind::Select(small, tau, dt), Type::Wide);
        let parameters = |variable: VarId, element: u32| (variable.index() * 10) as f64 + f64::from(element);
        let values = evaluate(&exprs, &parameters, 0.5);
        let expected = [21.0, 0.5, 0.5 / 21.0, -0.5 / 21.0, 1.0, 21.0];
        assert_eq!(values.iter().map(|value| value.number()).collect::<Vec<_>>(), expected);
        assert_eq!(values[4], WideValue::Boolean(true));
    }
}
