//! What the topologies and this version do not support, as ordinary errors.

use super::Options;
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::{self, AssignOp, BatchReduction, Block, ExprKind, Rule, Statement, VarKind, When, operands};

/// Refuses a rule that no plan of this version carries out.
///
/// # Errors
/// One diagnostic for each expression or statement that is not supported.
pub(super) fn check(rule: &Rule, options: &Options) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    looking_back(rule, &mut diagnostics);
    if options.batched {
        for block in rule.blocks() {
            combining(rule, block, false, &mut diagnostics);
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(()) }
}

/// `past` needs a place that every step comes by.
fn looking_back(rule: &Rule, diagnostics: &mut Diagnostics) {
    let mut blocks: Vec<&Block> = vec![&rule.create, &rule.constrain];
    blocks.extend(rule.calls.iter().map(|call| &call.body));
    blocks.extend(rule.schedules.iter().map(|schedule| &schedule.body));
    if rule.apply_when != When::EveryStep {
        blocks.extend([&rule.modulate, &rule.apply]);
    }
    let mut values: Vec<ir::ExprId> =
        rule.variables.iter().flat_map(|(_, variable)| variable.init.clone()).collect();
    for block in blocks {
        values_of(block, &mut values);
    }
    for id in operands::reachable(&rule.exprs, values) {
        if let ExprKind::Past { .. } = rule.exprs[id].kind {
            let span = rule.expr_spans[id.index()];
            let message = "`past` looks back from a place that not every step comes by";
            let help = "keep what it gives in a state, in `update`, and read that state here";
            diagnostics.push(Diagnostic::new(code::NOT_ON_TOPOLOGY, span, message).help(help));
        }
    }
}

fn values_of(block: &Block, values: &mut Vec<ir::ExprId>) {
    for statement in block {
        match statement {
            Statement::Let { value, .. } | Statement::Assign { value, .. } => values.push(*value),
            Statement::If { condition, then, otherwise, .. } => {
                values.push(*condition);
                values_of(then, values);
                values_of(otherwise, values);
            }
        }
    }
}

/// Increments of what the batch shares by what it does not.
fn combining(rule: &Rule, block: &Block, around: bool, diagnostics: &mut Diagnostics) {
    for statement in block {
        match statement {
            Statement::Let { .. } => {}
            Statement::Assign { variable, value, op, span, .. } => {
                let target = &rule.variables[*variable];
                let batched = around || rule.exprs[*value].shape.batched;
                if !batched || target.shape.batched {
                    continue;
                }
                let name = target.address();
                let plain = matches!(target.kind, VarKind::Proposal { .. } | VarKind::State);
                let (message, help) = if *op == AssignOp::Set || !plain {
                    let message = format!("`{name}` is shared by the batch, and this value is not");
                    (message, "reduce it: `sum[batch](…)` or `mean[batch](…)`")
                } else if rule.batch.is_none() {
                    let message =
                        format!("the rule does not say how increments of `{name}` combine over a batch");
                    (
                        message,
                        "write `batch sum;` or `batch mean;` in the rule, or reduce here: `sum[batch](…)`",
                    )
                } else if rule.batch == Some(BatchReduction::Mean) && target.ty == ir::Type::Int {
                    let message =
                        format!("`{name}` counts in whole numbers, and a mean over a batch is none");
                    (message, "add the sum: `sum[batch](…)`")
                } else {
                    continue;
                };
                diagnostics.push(Diagnostic::new(code::NOT_ON_TOPOLOGY, *span, message).help(help));
            }
            Statement::If { condition, then, otherwise, .. } => {
                let around = around || rule.exprs[*condition].shape.batched;
                combining(rule, then, around, diagnostics);
                combining(rule, otherwise, around, diagnostics);
            }
        }
    }
}
