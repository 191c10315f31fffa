//! What the topologies and this version do not support, as ordinary errors.

use crate::diag::{Code, Diagnostic, Diagnostics, code};
use crate::ir::{ExprKind, Rule};

/// Refuses a rule that no plan of this version carries out.
///
/// # Errors
/// One diagnostic for each expression that is not supported.
pub(super) fn check(rule: &Rule) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    for (id, expr) in rule.exprs.iter() {
        if let ExprKind::Past { .. } = expr.kind {
            let code: Code = code::NOT_ON_TOPOLOGY;
            let span = rule.expr_spans[id.index()];
            diagnostics.push(
                Diagnostic::new(code, span, "`past` and `after` are not supported on dense groups")
                    .help("leave the delay out"),
            );
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(()) }
}
