//! Writes out what the equations do over a step, so that interpreter, dataflow and kernels share one definition.
//!
//! In: a checked rule. Out: the same rule without equations; at the head of `update` stand a `let` of each new value
//! (all of them before the first write, so that the equations advance together) and the writes. Errors: equations
//! with [`Solver::Exact`] that have no exact step. What is not done: sharing of equal expressions, which is for later
//! passes.

mod approximate;
mod exact;
mod exponential;
mod linear;
mod settle;
#[cfg(test)]
mod tests;
mod writer;

use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::build::RuleBuilder;
use crate::ir::*;
use exact::{Change, Form};
pub use settle::settle;
use std::collections::BTreeMap;
use writer::Writer;

/// The rule with its equations written out as statements.
pub fn integrate(rule: &Rule) -> Result<Rule, Diagnostics> {
    let Some(first) = rule.equations.first() else { return Ok(rule.clone()) };
    let equations = rule.equations.clone();
    let mut writer = Writer { span: first.span, builder: RuleBuilder::extend(rule.clone()) };
    let mut diagnostics = Diagnostics::new();
    let forms = exact_forms(&mut writer, &equations, &mut diagnostics);
    let together: Vec<Equation> = of_solver(&equations, Solver::Rk4).cloned().collect();
    let mut increments = approximate::rk4(&mut writer, &together).into_iter();
    let mut solved = BTreeMap::new();
    let (mut lets, mut writes) = (Block::new(), Block::new());
    for (index, equation) in equations.iter().enumerate() {
        writer.span = equation.span;
        let value = match equation.solver {
            Solver::Exact => {
                let Some(at) = forms.iter().position(|(of, _)| *of == index) else { continue };
                // A system with an equation that was refused is not solved in part.
                if diagnostics.has_errors() && forms.len() < of_solver(&equations, Solver::Exact).count() {
                    continue;
                }
                let forms: Vec<&Form> = forms.iter().map(|(_, form)| form).collect();
                match exact::change(&mut writer, &forms, at, &mut solved) {
                    Ok(change) => from_change(&mut writer, equation, change),
                    Err(diagnostic) => {
                        diagnostics.push(*diagnostic);
                        None
                    }
                }
            }
            Solver::Euler => {
                let increment = approximate::euler(&mut writer, equation);
                Some(from_increment(&mut writer, equation, increment))
            }
            Solver::Rk4 => {
                increments.next().map(|increment| from_increment(&mut writer, equation, increment))
            }
            Solver::ExponentialEuler => {
                let form = approximate::own_part(&mut writer, equation);
                let change = exact::alone(&mut writer, &form, (equation.variable, equation.element));
                from_change(&mut writer, equation, change)
            }
        };
        if let Some(value) = value {
            let (bind, write) = statements(&mut writer, equation, value);
            lets.push(bind);
            writes.push(write);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let mut result = writer.builder.finish();
    result.equations.clear();
    lets.append(&mut writes);
    lets.append(&mut result.update);
    result.update = lets;
    Ok(result)
}

fn of_solver(equations: &[Equation], solver: Solver) -> impl Iterator<Item = &Equation> {
    equations.iter().filter(move |equation| equation.solver == solver)
}

/// The exact equations taken apart, each with its place.
fn exact_forms(
    writer: &mut Writer,
    equations: &[Equation],
    diagnostics: &mut Diagnostics,
) -> Vec<(usize, Form)> {
    let unknowns: Vec<linear::Unknown> =
        equations.iter().map(|equation| (equation.variable, equation.element)).collect();
    let mut forms = Vec::new();
    for (index, equation) in equations.iter().enumerate() {
        if equation.solver != Solver::Exact {
            continue;
        }
        writer.span = equation.span;
        let form =
            exact::form(writer, equation, &unknowns).and_then(|form| other_solver(writer, equations, form));
        match form {
            Ok(form) => forms.push((index, form)),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    forms
}

/// An exact step needs the exact course of every variable that it reads.
fn other_solver(writer: &Writer, equations: &[Equation], form: Form) -> Result<Form, Box<Diagnostic>> {
    let own = form.unknown();
    let approximate = form.linear.coefficients.keys().find(|unknown| {
        **unknown != own
            && equations
                .iter()
                .any(|other| (other.variable, other.element) == **unknown && other.solver != Solver::Exact)
    });
    match approximate {
        None => Ok(form),
        Some(unknown) => Err(Box::new(exact::approximated(&writer.builder.rule, &form, *unknown))),
    }
}

/// The new value of a state, or the increment of a proposal; `None` where nothing changes.
fn from_change(writer: &mut Writer, equation: &Equation, change: Change) -> Option<ExprId> {
    let own = writer.load(equation.variable, equation.element);
    let mut total = match (change.own, is_plastic(&writer.builder.rule, equation)) {
        (Some((_, less_one)), true) => Some(writer.multiply(own, less_one)),
        (Some((factor, _)), false) => Some(writer.multiply(own, factor)),
        (None, true) => None,
        (None, false) if change.terms.is_empty() => None,
        (None, false) => Some(own),
    };
    for (factor, what) in change.terms {
        let term = writer.multiply(what, factor);
        total = Some(match total {
            Some(total) => writer.add(total, term),
            None => term,
        });
    }
    total.map(|total| writer.real(total))
}

fn from_increment(writer: &mut Writer, equation: &Equation, increment: ExprId) -> ExprId {
    if is_plastic(&writer.builder.rule, equation) {
        return writer.real(increment);
    }
    let own = writer.load(equation.variable, equation.element);
    writer.add(own, increment)
}

fn is_plastic(rule: &Rule, equation: &Equation) -> bool {
    matches!(rule.variables[equation.variable].kind, VarKind::Plastic { .. })
}

fn statements(writer: &mut Writer, equation: &Equation, value: ExprId) -> (Statement, Statement) {
    let span = equation.span;
    let Expr { ty, shape, .. } = *writer.expr(value);
    let name = format!("%{}", exact::name(&writer.builder.rule, (equation.variable, equation.element)));
    let local = writer.builder.rule.locals.push(Local { name, ty, shape });
    let read = writer.push(ExprKind::Local(local), ty, shape);
    let (variable, op) = match writer.builder.rule.variables[equation.variable].kind {
        VarKind::Plastic { proposal } => (proposal, AssignOp::Add),
        VarKind::Param
        | VarKind::State
        | VarKind::Proposal { .. }
        | VarKind::Input { .. }
        | VarKind::Output
        | VarKind::Extern => (equation.variable, AssignOp::Set),
    };
    let write = Statement::Assign { variable, element: equation.element, op, value: read, span };
    (Statement::Let { local, value, span }, write)
}
