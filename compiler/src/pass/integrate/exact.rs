//! The exact step of linear equations.
//!
//! In: the equations that ask for it. Out: for each, the change of its variable over the step as a sum of terms
//! `factor · what`, from the values before the step.
//!
//! An equation that reads no other unknown uses `x e^z + b dt (e^z - 1) / z` with z = a dt. One that reads another
//! unknown is solved with all that it depends on, so the step of `x` is the same, to the bit, whether or not another
//! equation reads `x`. Two equations in a chain (an alpha function) have a closed form that holds at equal rates, too;
//! other systems use the exponential of their matrix, in which each rest is one more, constant, unknown.

use super::exponential::{Matrix, exponential_less_one};
use super::linear::{Linear, NotLinear, Unknown, linear};
use super::writer::Writer;
use crate::diag::{Diagnostic, code};
use crate::ir::*;
use std::collections::{BTreeMap, BTreeSet};

/// The largest coupled system.
pub(super) const LARGEST: usize = 8;

/// What a step does to a variable.
pub(super) struct Change {
    /// The own variable's propagator, and the same less 1; `None` where it is 1.
    pub(super) own: Option<(ExprId, ExprId)>,
    /// What is added: a propagator and what it multiplies.
    pub(super) terms: Vec<(ExprId, ExprId)>,
}

/// A right-hand side taken apart, with its place in [`Rule::equations`].
pub(super) struct Form {
    pub(super) equation: Equation,
    pub(super) linear: Linear,
}

impl Form {
    pub(super) fn unknown(&self) -> Unknown {
        (self.equation.variable, self.equation.element)
    }
}

/// Takes an equation apart, or says why it has no exact step.
pub(super) fn form(
    writer: &mut Writer,
    equation: &Equation,
    unknowns: &[Unknown],
) -> Result<Form, Box<Diagnostic>> {
    match linear(writer, equation.value, unknowns, false) {
        Ok(linear) => Ok(Form { equation: equation.clone(), linear }),
        Err(NotLinear(at)) => {
            let name = name(&writer.builder.rule, (equation.variable, equation.element));
            let message = format!("the equation of `{name}` has no exact step");
            let place = writer.builder.rule.expr_spans.get(at.index()).copied().unwrap_or(equation.span);
            let label = "not linear in the variables that have equations";
            Err(Box::new(
                Diagnostic::new(code::NO_EXACT_STEP, equation.span, message).also(place, label).help(WAY_OUT),
            ))
        }
    }
}

const WAY_OUT: &str =
    "say how to approximate it: `solver euler;`, `solver rk4;` or `solver exponential_euler;`";

/// An exact step that would need the course of a variable which another solver approximates.
pub(super) fn approximated(rule: &Rule, form: &Form, unknown: Unknown) -> Diagnostic {
    let (own, other) = (name(rule, form.unknown()), name(rule, unknown));
    let message = format!("the equation of `{own}` has no exact step: `{other}` has another solver");
    Diagnostic::new(code::NO_EXACT_STEP, form.equation.span, message).help(WAY_OUT)
}

/// `stdp.x`, `u[3]`
pub(super) fn name(rule: &Rule, (variable, element): Unknown) -> String {
    let variable = &rule.variables[variable];
    match variable.length {
        Some(_) => format!("{}[{element}]", variable.address()),
        None => variable.address(),
    }
}

/// The change of `forms[index]`'s variable. Systems that are solved once are kept in `solved`.
pub(super) fn change(
    writer: &mut Writer,
    forms: &[&Form],
    index: usize,
    solved: &mut BTreeMap<Vec<usize>, Matrix>,
) -> Result<Change, Box<Diagnostic>> {
    let system = depends_on(forms, index);
    if system.len() == 1 {
        return Ok(alone(writer, &forms[index].linear, forms[index].unknown()));
    }
    refuse(writer, forms, index, &system)?;
    if let [reader, read] = system[..]
        && forms[read].linear.rest.is_none()
        && !forms[read].linear.coefficients.contains_key(&forms[reader].unknown())
    {
        return Ok(chain(writer, forms[reader], forms[read]));
    }
    let mut order = system.clone();
    order.sort_unstable();
    let driven: Vec<usize> = order.iter().copied().filter(|at| forms[*at].linear.rest.is_some()).collect();
    if !solved.contains_key(&order) {
        let matrix = augmented(writer, forms, &order, &driven);
        let exponential = exponential_less_one(writer, &matrix);
        solved.insert(order.clone(), exponential);
    }
    let at = order.iter().position(|member| *member == index).unwrap_or_default();
    let row = solved[&order][at].clone();
    Ok(from_row(writer, forms, &order, &driven, at, &row))
}

/// The equations that `index` depends on, itself first, the others in the order found.
fn depends_on(forms: &[&Form], index: usize) -> Vec<usize> {
    let mut found = vec![index];
    let mut next = 0;
    while next < found.len() {
        for unknown in forms[found[next]].linear.coefficients.keys() {
            let own = forms[index].unknown() == *unknown;
            for (at, form) in forms.iter().enumerate() {
                if form.unknown() == *unknown && !own && !found.contains(&at) {
                    found.push(at);
                }
            }
        }
        next += 1;
    }
    found
}

/// What a coupled system may not be.
pub(super) fn refuse(
    writer: &Writer,
    forms: &[&Form],
    index: usize,
    system: &[usize],
) -> Result<(), Box<Diagnostic>> {
    let span = forms[index].equation.span;
    let own = name(&writer.builder.rule, forms[index].unknown());
    if system.len() > LARGEST {
        let message =
            format!("`{own}` depends on {} equations; at most {LARGEST} are solved exactly", system.len());
        return Err(Box::new(Diagnostic::new(code::COUPLED_TOO_MANY, span, message).help(WAY_OUT)));
    }
    let mut seen = BTreeSet::new();
    for at in system {
        let form = &forms[*at];
        let other = name(&writer.builder.rule, form.unknown());
        if !seen.insert(form.unknown()) {
            let message =
                format!("the equation of `{own}` has no exact step: `{other}` has several equations");
            return Err(Box::new(Diagnostic::new(code::NO_EXACT_STEP, span, message).help(WAY_OUT)));
        }
        let narrow = form.linear.coefficients.values().find(|id| writer.expr(**id).ty != Type::Wide);
        if narrow.is_some() {
            let message = format!(
                "`{own}` is coupled, and the equation of `{other}` has a coefficient that is not made of global parameters"
            );
            let diagnostic = Diagnostic::new(code::COUPLED_COEFFICIENTS, span, message)
                .also(form.equation.span, "this equation")
                .help(WAY_OUT);
            return Err(Box::new(diagnostic));
        }
    }
    Ok(())
}

/// The exact step of `dx/dt = a x + b` with a and b held.
pub(super) fn alone(writer: &mut Writer, form: &Linear, own: Unknown) -> Change {
    let rate = form.coefficients.get(&own).copied();
    let factors = rate.map(|rate| (writer.math(MathFn::Exp, rate), writer.math(MathFn::Expm1, rate)));
    let mut terms = Vec::new();
    if let Some(rest) = form.rest {
        let dt = writer.dt();
        let factor = match rate {
            None => dt,
            Some(rate) => {
                let phi = writer.phi(rate);
                writer.multiply(dt, phi)
            }
        };
        terms.push((factor, rest));
    }
    Change { own: factors, terms }
}

/// `dx/dt = a x + c y + b`, `dy/dt = d y`: y's part in x is c (e^a - e^d) / (a - d), written with the faster rate in
/// the difference, so that it neither overflows nor cancels.
fn chain(writer: &mut Writer, reader: &Form, read: &Form) -> Change {
    let mut change = alone(writer, &reader.linear, reader.unknown());
    let coupling = reader.linear.coefficients[&read.unknown()];
    let mut rate = |form: &Form| match form.linear.coefficients.get(&form.unknown()) {
        Some(rate) => *rate,
        None => writer.number(0.0),
    };
    let (a, d) = (rate(reader), rate(read));
    let slow = writer.binary(BinaryOp::Max, a, d);
    let fast = writer.binary(BinaryOp::Min, a, d);
    let apart = writer.binary(BinaryOp::Subtract, fast, slow);
    let phi = writer.phi(apart);
    let decay = writer.math(MathFn::Exp, slow);
    let shared = writer.multiply(decay, phi);
    let factor = writer.multiply(coupling, shared);
    let value = writer.load(read.equation.variable, read.equation.element);
    change.terms.insert(0, (factor, value));
    change
}

/// The matrix of a system times dt, with one more column for each rest.
fn augmented(writer: &mut Writer, forms: &[&Form], order: &[usize], driven: &[usize]) -> Matrix {
    let size = order.len() + driven.len();
    let mut matrix: Matrix = vec![vec![None; size]; size];
    for (row, at) in order.iter().enumerate() {
        for (column, other) in order.iter().enumerate() {
            matrix[row][column] = forms[*at].linear.coefficients.get(&forms[*other].unknown()).copied();
        }
        if let Some(extra) = driven.iter().position(|other| other == at) {
            matrix[row][order.len() + extra] = Some(writer.dt());
        }
    }
    matrix
}

fn from_row(
    writer: &mut Writer,
    forms: &[&Form],
    order: &[usize],
    driven: &[usize],
    at: usize,
    row: &[Option<ExprId>],
) -> Change {
    let own = row[at].map(|less_one| {
        let one = writer.number(1.0);
        (writer.add(one, less_one), less_one)
    });
    let mut terms = Vec::new();
    for (column, other) in order.iter().enumerate() {
        if let (Some(factor), true) = (row[column], column != at) {
            let value = writer.load(forms[*other].equation.variable, forms[*other].equation.element);
            terms.push((factor, value));
        }
    }
    for (extra, other) in driven.iter().enumerate() {
        if let (Some(factor), Some(rest)) = (row[order.len() + extra], forms[*other].linear.rest) {
            terms.push((factor, rest));
        }
    }
    Change { own, terms }
}
