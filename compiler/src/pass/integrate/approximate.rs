//! The steps that approximate: `euler`, `rk4` and `exponential_euler`.
//!
//! In: the equations that ask for them. Out: for each the increment over the step, or, for `exponential_euler`, a
//! linear form whose rest is held.

use super::linear::{Linear, Unknown, linear};
use super::writer::Writer;
use crate::ir::build::reduced;
use crate::ir::*;
use std::collections::BTreeMap;

/// `dt f`
pub(super) fn euler(writer: &mut Writer, equation: &Equation) -> ExprId {
    let dt = writer.dt();
    writer.multiply(dt, equation.value)
}

/// Linear in the own variable as far as it goes; what is not linear is held, as every other variable is.
pub(super) fn own_part(writer: &mut Writer, equation: &Equation) -> Linear {
    let unknown = (equation.variable, equation.element);
    linear(writer, equation.value, &[unknown], true).unwrap_or_else(|_| Linear::default())
}

/// The increments of the classical method of order 4; all equations advance together.
pub(super) fn rk4(writer: &mut Writer, equations: &[Equation]) -> Vec<ExprId> {
    let dt = writer.dt();
    let two = writer.number(2.0);
    let half = writer.divide(dt, two);
    let first: Vec<ExprId> = equations.iter().map(|equation| equation.value).collect();
    let second = stage(writer, equations, &first, half);
    let third = stage(writer, equations, &second, half);
    let fourth = stage(writer, equations, &third, dt);
    let six = writer.number(6.0);
    let sixth = writer.divide(dt, six);
    let mut increments = Vec::new();
    for at in 0..equations.len() {
        let inner = writer.add(second[at], third[at]);
        let twice = writer.multiply(two, inner);
        let outer = writer.add(first[at], fourth[at]);
        let slope = writer.add(outer, twice);
        increments.push(writer.multiply(sixth, slope));
    }
    increments
}

/// The slopes at `x + span · slope`.
fn stage(writer: &mut Writer, equations: &[Equation], slopes: &[ExprId], span: ExprId) -> Vec<ExprId> {
    let mut values: BTreeMap<Unknown, ExprId> = BTreeMap::new();
    for (equation, slope) in equations.iter().zip(slopes) {
        let unknown = (equation.variable, equation.element);
        // Several equations of one plastic variable add up.
        let from = match values.get(&unknown) {
            Some(value) => *value,
            None => writer.load(equation.variable, equation.element),
        };
        let change = writer.multiply(span, *slope);
        let value = writer.add(from, change);
        values.insert(unknown, value);
    }
    equations.iter().map(|equation| substitute(writer, equation.value, &values)).collect()
}

/// The expression with other values in place of variables.
fn substitute(writer: &mut Writer, root: ExprId, values: &BTreeMap<Unknown, ExprId>) -> ExprId {
    let mut replaced: BTreeMap<ExprId, ExprId> = BTreeMap::new();
    for id in operands::reachable(&writer.builder.rule.exprs, [root]) {
        let Expr { kind, ty, shape } = writer.expr(id).clone();
        if let ExprKind::Load { variable, element } = kind {
            if let Some(value) = values.get(&(variable, element)) {
                replaced.insert(id, *value);
            }
            continue;
        }
        if !kind.operands().iter().any(|operand| replaced.contains_key(operand)) {
            continue;
        }
        let kind = kind.map_operands(|operand| *replaced.get(&operand).unwrap_or(&operand));
        // The intermediate value of a variable may be batched, or one of pairs, where the variable is not.
        let of = |operand: &ExprId| writer.expr(*operand).shape;
        let shape = match &kind {
            ExprKind::Reduce { over, body, .. } => reduced(of(body), *over).unwrap_or(shape),
            kind => kind.operands().iter().map(of).fold(shape, Shape::join),
        };
        let id_now = writer.push(kind, ty, shape);
        replaced.insert(id, id_now);
    }
    *replaced.get(&root).unwrap_or(&root)
}
