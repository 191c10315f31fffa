//! Takes a right-hand side apart: which coefficient each unknown has, and what is left.
//!
//! In: an expression and the unknowns. Out: `f = Σ (coefficient / dt) · unknown + rest`. Coefficients carry the factor
//! dt from the start, so that `-x / tau` has the coefficient `-dt / tau`, rounded as an author would write it. What is
//! not linear is refused, or, where `lenient`, goes to the rest as a whole.

use super::writer::Writer;
use crate::ir::*;
use std::collections::BTreeMap;

/// An unknown: a variable and an element of its array.
pub(super) type Unknown = (VarId, u32);

/// A linear form; what is absent is 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Linear {
    /// By the unknown; each with the factor dt.
    pub(super) coefficients: BTreeMap<Unknown, ExprId>,
    /// What reads no unknown, without the factor dt.
    pub(super) rest: Option<ExprId>,
}

impl Linear {
    fn map(mut self, mut change: impl FnMut(ExprId) -> ExprId) -> Self {
        self.coefficients.values_mut().for_each(|id| *id = change(*id));
        self.rest = self.rest.map(change);
        self
    }
}

/// Where a right-hand side is not linear.
pub(super) struct NotLinear(pub(super) ExprId);

/// The linear form of `root` in `unknowns`.
pub(super) fn linear(
    writer: &mut Writer,
    root: ExprId,
    unknowns: &[Unknown],
    lenient: bool,
) -> Result<Linear, NotLinear> {
    let nodes = operands::reachable(&writer.builder.rule.exprs, [root]);
    let reads = reads_any(&writer.builder.rule, &nodes, unknowns);
    let mut forms: BTreeMap<ExprId, Linear> = BTreeMap::new();
    for id in nodes {
        let form = if !reads.contains(&id) {
            Linear { coefficients: BTreeMap::new(), rest: Some(id) }
        } else {
            match node(writer, id, &forms, &reads) {
                Some(form) => form,
                None if lenient => Linear { coefficients: BTreeMap::new(), rest: Some(id) },
                None => return Err(NotLinear(id)),
            }
        };
        forms.insert(id, form);
    }
    Ok(forms.remove(&root).unwrap_or_default())
}

/// Those of `nodes` (operands first) that read one of the unknowns.
fn reads_any(rule: &Rule, nodes: &[ExprId], unknowns: &[Unknown]) -> std::collections::BTreeSet<ExprId> {
    let mut reads = std::collections::BTreeSet::new();
    for id in nodes {
        let kind = &rule.exprs[*id].kind;
        let own =
            matches!(kind, ExprKind::Load { variable, element } if unknowns.contains(&(*variable, *element)));
        if own || kind.operands().iter().any(|operand| reads.contains(operand)) {
            reads.insert(*id);
        }
    }
    reads
}

/// The form of a node that reads an unknown, from those of its operands. In a lenient run an operand's form may hold
/// the operand itself as its rest; a factor of such a form makes the whole product part of the rest.
fn node(
    writer: &mut Writer,
    id: ExprId,
    forms: &BTreeMap<ExprId, Linear>,
    reads: &std::collections::BTreeSet<ExprId>,
) -> Option<Linear> {
    let kind = writer.expr(id).kind.clone();
    match kind {
        ExprKind::Load { variable, element } => {
            let dt = writer.dt();
            Some(Linear { coefficients: BTreeMap::from([((variable, element), dt)]), rest: None })
        }
        ExprKind::Unary(UnaryOp::Negate, a) => Some(forms[&a].clone().map(|part| writer.negate(part))),
        ExprKind::Binary(BinaryOp::Add, a, b) => Some(sum(writer, &forms[&a], &forms[&b], false)),
        ExprKind::Binary(BinaryOp::Subtract, a, b) => Some(sum(writer, &forms[&a], &forms[&b], true)),
        ExprKind::Binary(BinaryOp::Multiply, a, b) if !reads.contains(&b) => {
            let factor = unrounded(writer, b);
            Some(forms[&a].clone().map(|part| writer.multiply(part, factor)))
        }
        ExprKind::Binary(BinaryOp::Multiply, a, b) if !reads.contains(&a) => {
            let factor = unrounded(writer, a);
            Some(forms[&b].clone().map(|part| writer.multiply(factor, part)))
        }
        ExprKind::Binary(BinaryOp::Divide, a, b) if !reads.contains(&b) => {
            let divisor = unrounded(writer, b);
            Some(forms[&a].clone().map(|part| writer.divide(part, divisor)))
        }
        ExprKind::Select(condition, a, b) if !reads.contains(&condition) => {
            Some(choice(writer, condition, &forms[&a], &forms[&b]))
        }
        ExprKind::Gate(condition, a) if !reads.contains(&condition) => {
            Some(choice(writer, condition, &forms[&a], &Linear::default()))
        }
        ExprKind::Number(_)
        | ExprKind::Integer(_)
        | ExprKind::Boolean(_)
        | ExprKind::Local(_)
        | ExprKind::Builtin(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Select(..)
        | ExprKind::Gate(..)
        | ExprKind::Math(..)
        | ExprKind::Exponential { .. }
        | ExprKind::Convert(_)
        | ExprKind::Draw { .. }
        | ExprKind::Reduce { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Widen(_)
        | ExprKind::Past { .. } => None,
    }
}

/// The number before it was rounded to the group's precision, so that propagators stay in f64.
fn unrounded(writer: &Writer, id: ExprId) -> ExprId {
    match writer.expr(id).kind {
        ExprKind::Convert(wide) if writer.expr(wide).ty == Type::Wide => wide,
        _ => id,
    }
}

fn sum(writer: &mut Writer, a: &Linear, b: &Linear, subtract: bool) -> Linear {
    let mut meet = |a: Option<ExprId>, b: Option<ExprId>| match (a, b) {
        (a, None) => a,
        (None, Some(b)) => Some(if subtract { writer.negate(b) } else { b }),
        (Some(a), Some(b)) => {
            Some(writer.binary(if subtract { BinaryOp::Subtract } else { BinaryOp::Add }, a, b))
        }
    };
    merge(a, b, &mut meet)
}

fn choice(writer: &mut Writer, condition: ExprId, a: &Linear, b: &Linear) -> Linear {
    let mut meet = |a: Option<ExprId>, b: Option<ExprId>| {
        if a.is_none() && b.is_none() {
            return None;
        }
        let mut or_zero = |part: Option<ExprId>| part.unwrap_or_else(|| writer.number(0.0));
        let (a, b) = (or_zero(a), or_zero(b));
        Some(writer.select(condition, a, b))
    };
    merge(a, b, &mut meet)
}

fn merge(
    a: &Linear,
    b: &Linear,
    meet: &mut impl FnMut(Option<ExprId>, Option<ExprId>) -> Option<ExprId>,
) -> Linear {
    let unknowns: std::collections::BTreeSet<&Unknown> =
        a.coefficients.keys().chain(b.coefficients.keys()).collect();
    let mut coefficients = BTreeMap::new();
    for unknown in unknowns {
        let coefficient = meet(a.coefficients.get(unknown).copied(), b.coefficients.get(unknown).copied());
        coefficients.extend(coefficient.map(|id| (*unknown, id)));
    }
    Linear { coefficients, rest: meet(a.rest, b.rest) }
}
