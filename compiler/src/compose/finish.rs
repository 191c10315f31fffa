//! The last step of composing: what the language says without the author's writing it.

use super::creation;
use super::equal::merge_equal_states;
use super::link;
use super::merge::applied;
use crate::check::fold::evaluate;
use crate::diag::Diagnostics;
use crate::ir::build::RuleBuilder;
use crate::ir::{AssignOp, BinaryOp, Comparison, ExprId, Rule, Statement, Type, VarId, VarKind};
use crate::source::Span;

/// Finishes an open rule: finds the states of its externs, keeps equal states once, orders creation, and writes out
/// missing initial values, the default apply of every plastic variable that no part applies, and, as the last act of
/// constrain, the clips to the declared ranges.
///
/// # Errors
/// Externs without a state, and what of the above contradicts itself.
pub fn finish(rule: Rule) -> Result<Rule, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let rule = link::resolve(rule, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let rule = creation::order(merge_equal_states(rule), &mut diagnostics);
    let mut builder = RuleBuilder::extend(rule);
    fill_initial_values(&mut builder);
    let plastics = builder.rule.variables.iter().filter_map(|(id, variable)| match variable.kind {
        VarKind::Plastic { proposal } => Some((id, proposal)),
        VarKind::Param
        | VarKind::State
        | VarKind::Proposal { .. }
        | VarKind::Input { .. }
        | VarKind::Output
        | VarKind::Extern => None,
    });
    let plastics: Vec<(VarId, VarId)> = plastics.collect();
    let own = applied(&builder.rule, &builder.rule.apply);
    for (plastic, proposal) in plastics {
        if !own.contains_key(&plastic) {
            apply_by_default(&mut builder, plastic, proposal);
        }
    }
    let persistent = builder.rule.variables.iter().filter_map(|(id, variable)| {
        matches!(variable.kind, VarKind::Plastic { .. } | VarKind::State).then_some((id, variable.range?))
    });
    let ranges: Vec<(VarId, (ExprId, ExprId))> = persistent.collect();
    for (id, (low, high)) in ranges {
        clip(&mut builder, id, low, high);
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(builder.finish()) }
}

/// Zero, where no part states an initial value.
fn fill_initial_values(builder: &mut RuleBuilder) {
    let missing = builder.rule.variables.iter().filter(|(_, variable)| {
        variable.init.is_empty() && matches!(variable.kind, VarKind::State | VarKind::Plastic { .. })
    });
    let missing: Vec<(VarId, Type, Span)> =
        missing.map(|(id, variable)| (id, variable.ty, variable.span)).collect();
    for (id, ty, span) in missing {
        let zero = zero(builder, ty, span);
        builder.rule.variables[id].init.push(zero);
    }
}

fn zero(builder: &mut RuleBuilder, ty: Type, span: Span) -> ExprId {
    match ty {
        Type::Int => builder.integer(0, span),
        Type::Wide | Type::Real | Type::Bool => {
            let zero = builder.number(0.0, span);
            builder.convert(zero, ty, span)
        }
    }
}

/// `if dw != 0 { w += dw; }`, for each element.
fn apply_by_default(builder: &mut RuleBuilder, plastic: VarId, proposal: VarId) {
    let span = builder.rule.variables[plastic].span;
    for element in 0..builder.rule.variables[plastic].elements() {
        let change = builder.load(proposal, element, span);
        let zero = zero(builder, builder.ty(change), span);
        let changes = builder.compare(Comparison::NotEqual, change, zero, span);
        let name = format!("%{}", builder.rule.locals.len());
        let local = builder.declare(name, changes);
        let condition = builder.local(local, span);
        let assign = Statement::Assign { variable: plastic, element, op: AssignOp::Add, value: change, span };
        builder.rule.apply.push(Statement::Let { local, value: changes, span });
        builder.rule.apply.push(Statement::If { condition, then: vec![assign], otherwise: Vec::new(), span });
    }
}

/// `w = min(max(w, lo), hi)`, for each element; a bound that is infinite does nothing and is left out.
fn clip(builder: &mut RuleBuilder, id: VarId, low: ExprId, high: ExprId) {
    let variable = &builder.rule.variables[id];
    let (span, ty, elements) = (variable.span, variable.ty, variable.elements());
    let mut bounds = Vec::new();
    for (op, bound, idle) in [(BinaryOp::Max, low, f64::NEG_INFINITY), (BinaryOp::Min, high, f64::INFINITY)] {
        let value = evaluate(&builder.rule, bound);
        if value == Some(idle) {
            continue;
        }
        let bound = match (ty, value) {
            (Type::Int, Some(value)) => {
                // The integers of the range: inward.
                let whole = if op == BinaryOp::Max { value.ceil() } else { value.floor() };
                builder.integer(whole as i64, span)
            }
            // `check` takes only constant ranges for states, and only states count.
            (Type::Int, None) => crate::ice!("the range of an integer is not constant"),
            (Type::Real | Type::Wide | Type::Bool, _) => builder.convert(bound, ty, span),
        };
        bounds.push((op, bound));
    }
    if bounds.is_empty() {
        return;
    }
    for element in 0..elements {
        let mut value = builder.load(id, element, span);
        for &(op, bound) in &bounds {
            value = builder.binary(op, value, bound, span);
        }
        let assign = Statement::Assign { variable: id, element, op: AssignOp::Set, value, span };
        builder.rule.constrain.push(assign);
    }
}
