//! What the rows of spiking neurons do, as sums of products of a value of the row and a value of the column.
//!
//! Where the result may differ by rounding, `if post.spike { x } else { 0 }` is x times a number of the column: all of the
//! column's work is then done once for each neuron, and little is left for each synapse.

use super::form::{Algebra, Form, Monomial, Spot};
use super::read::Reader;
use crate::flow::{Graph, Write};
use crate::ir::{BinaryOp, Expr, ExprId, ExprKind, Rule, Type};
use crate::kernel::Precision;

/// More terms are no gain.
const MOST_TERMS: usize = 4;

/// The writes with their values spread out where that is possible; others stay. `states` are what their rows read.
pub fn spread(
    graph: &mut Graph,
    rule: &Rule,
    writes: &[Write],
    states: &[(crate::ir::VarId, u32)],
    precision: Precision,
) -> Vec<Write> {
    let mut spread: Vec<Write> = Vec::new();
    let mut known: Vec<(ExprId, ExprId)> = Vec::new();
    for write in writes {
        let (inner, clips) = super::unclipped(graph, write.value);
        let algebra = Algebra { graph, precision };
        let mut reader = Reader::new(algebra, rule, states.to_vec());
        reader.take_rows_as_they_are(known.iter().map(|(old, _)| *old));
        let Ok(form) = reader.form(inner) else {
            spread.push(*write);
            continue;
        };
        let leaves = reader.leaves().to_vec();
        let leaf = |spot: &Spot| -> Option<ExprId> {
            let place = spot.0.index().checked_sub(rule.variables.len())?;
            let of = leaves[place];
            Some(known.iter().find(|(old, _)| *old == of).map_or(of, |(_, new)| *new))
        };
        let few = form.terms.len() <= MOST_TERMS && form.terms.keys().all(|term| term.states.len() <= 1);
        let value = if few { written_out(graph, rule, &form, &leaf, precision) } else { None };
        let Some(mut value) = value else {
            spread.push(*write);
            continue;
        };
        let span = write.span;
        for (op, bound) in clips {
            let shape = graph.get(value).shape;
            value = graph.add(Expr { kind: ExprKind::Binary(op, value, bound), ty: Type::Real, shape }, span);
        }
        known.push((write.value, value));
        spread.push(Write { value, ..*write });
    }
    spread
}

/// States first, so that what is added to them is small beside them.
fn written_out(
    graph: &mut Graph,
    rule: &Rule,
    form: &Form,
    leaf: &dyn Fn(&Spot) -> Option<ExprId>,
    precision: Precision,
) -> Option<ExprId> {
    let mut sum: Option<ExprId> = None;
    let of_state = |term: &&(&Monomial, &(ExprId, crate::source::Span))| !term.0.states.is_empty();
    let terms: Vec<_> = form.terms.iter().collect();
    let (first, rest): (Vec<_>, Vec<_>) = terms.iter().partition(|term| of_state(term));
    for (monomial, &(coefficient, span)) in first.into_iter().chain(rest) {
        let mut factors: Vec<ExprId> = Vec::new();
        for spot in monomial.pre.iter() {
            factors.push(leaf(spot)?);
        }
        for &(variable, element) in &monomial.states {
            let shape = rule.variables[variable].shape;
            let kind = ExprKind::Load { variable, element };
            factors.push(graph.add(Expr { kind, ty: Type::Real, shape }, span));
        }
        let mut algebra = Algebra { graph: &mut *graph, precision };
        let mut term = coefficient;
        for factor in factors {
            term = algebra.binary(BinaryOp::Multiply, factor, term, span);
        }
        sum = Some(match sum {
            Some(sum) => algebra.binary(BinaryOp::Add, sum, term, span),
            None => term,
        });
    }
    sum
}
