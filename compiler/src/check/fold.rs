//! The value of a constant expression, in f64, with our own functions.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{BinaryOp, Comparison, ExprId, ExprKind, Rule, UnaryOp};
use crate::math;

/// The value of an expression of literals; `None` where anything else is in it. Conditions are 0 or 1.
///
/// Operands stand before what uses them: walking down by handle and up again needs no recursion, however deep the
/// expression is.
pub(crate) fn evaluate(rule: &Rule, id: ExprId) -> Option<f64> {
    if let ExprKind::Number(number) = rule.exprs[id].kind {
        return Some(number);
    }
    let mut waiting = BTreeSet::from([id]);
    let mut order = Vec::new();
    while let Some(next) = waiting.pop_last() {
        waiting.extend(rule.exprs[next].kind.operands());
        order.push(next);
    }
    let mut values = BTreeMap::new();
    for &next in order.iter().rev() {
        let value = operation(rule, next, &values)?;
        values.insert(next, value);
    }
    values.get(&id).copied()
}

fn operation(rule: &Rule, id: ExprId, values: &BTreeMap<ExprId, f64>) -> Option<f64> {
    let value = |id: ExprId| -> Option<f64> { values.get(&id).copied() };
    let truth = |condition: bool| if condition { 1.0 } else { 0.0 };
    Some(match &rule.exprs[id].kind {
        ExprKind::Number(number) => *number,
        ExprKind::Integer(number) => *number as f64,
        ExprKind::Boolean(condition) => truth(*condition),
        ExprKind::Unary(op, a) => {
            let a = value(*a)?;
            match op {
                UnaryOp::Negate => -a,
                UnaryOp::Not => truth(a == 0.0),
                UnaryOp::Abs => a.abs(),
                UnaryOp::Sqrt => a.sqrt(),
                UnaryOp::Floor => a.floor(),
                UnaryOp::Round => a.round_ties_even(),
            }
        }
        ExprKind::Binary(op, a, b) => {
            let (a, b) = (value(*a)?, value(*b)?);
            match op {
                BinaryOp::Add => a + b,
                BinaryOp::Subtract => a - b,
                BinaryOp::Multiply => a * b,
                BinaryOp::Divide => a / b,
                BinaryOp::Remainder => a % b,
                BinaryOp::Min => {
                    if b < a {
                        b
                    } else {
                        a
                    }
                }
                BinaryOp::Max => {
                    if b > a {
                        b
                    } else {
                        a
                    }
                }
                BinaryOp::And => truth(a != 0.0 && b != 0.0),
                BinaryOp::Or => truth(a != 0.0 || b != 0.0),
            }
        }
        ExprKind::Compare(comparison, a, b) => {
            let (a, b) = (value(*a)?, value(*b)?);
            truth(match comparison {
                Comparison::Equal => a == b,
                Comparison::NotEqual => a != b,
                Comparison::Less => a < b,
                Comparison::LessEqual => a <= b,
                Comparison::Greater => a > b,
                Comparison::GreaterEqual => a >= b,
            })
        }
        ExprKind::Select(condition, a, b) => {
            if value(*condition)? != 0.0 {
                value(*a)?
            } else {
                value(*b)?
            }
        }
        ExprKind::Gate(condition, a) => {
            if value(*condition)? != 0.0 {
                value(*a)?
            } else {
                0.0
            }
        }
        ExprKind::Math(function, operands) => {
            let operands: Option<Vec<f64>> = operands.iter().map(|&id| value(id)).collect();
            math::evaluate(*function, &operands?)
        }
        ExprKind::Exponential { entries, place } => {
            let entries: Option<Vec<f64>> = entries.iter().map(|&id| value(id)).collect();
            math::matrix::exponential_less_one(&entries?)[*place as usize]
        }
        ExprKind::Convert(a) => {
            let a = value(*a)?;
            // A NaN is not 0 for the comparison, but is no condition that holds.
            if rule.exprs[id].ty == crate::ir::Type::Bool { truth(a != 0.0 && !a.is_nan()) } else { a }
        }
        ExprKind::Widen(a) => value(*a)?,
        ExprKind::Load { .. }
        | ExprKind::Local(_)
        | ExprKind::Builtin(_)
        | ExprKind::Draw { .. }
        | ExprKind::Reduce { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Past { .. } => return None,
    })
}
