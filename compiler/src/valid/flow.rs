//! Verifies a flow.
//!
//! * operands stand before the expressions that use them, and no `Local` is left;
//! * operands have the types that the kind of expression asks for;
//! * writes are ordered, each place once, and a value's shape broadcasts to its variable's (checked by the planner,
//!   which knows the variables).

use crate::flow::Flow;
use crate::ir::{ExprKind, Type};

/// Every fault that was found.
pub fn validate(flow: &Flow) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    let exprs = flow.graph.exprs();
    for (id, expr) in exprs.iter() {
        let operands = expr.kind.operands();
        if operands.iter().any(|operand| *operand >= id) {
            faults.push(format!("{id:?} uses an expression that stands behind it"));
            continue;
        }
        let ty = |k: usize| exprs[operands[k]].ty;
        let right = match &expr.kind {
            ExprKind::Local(_) => false,
            ExprKind::Binary(..) => ty(0) == expr.ty && ty(1) == expr.ty,
            ExprKind::Compare(..) => ty(0) == ty(1) && ty(0) != Type::Bool && expr.ty == Type::Bool,
            ExprKind::Select(..) => ty(0) == Type::Bool && ty(1) == expr.ty && ty(2) == expr.ty,
            ExprKind::Gate(..) => ty(0) == Type::Bool && ty(1) == expr.ty,
            ExprKind::Unary(..) => ty(0) == expr.ty,
            ExprKind::Number(_) => expr.ty == Type::Wide,
            ExprKind::Integer(_) => expr.ty == Type::Int,
            ExprKind::Boolean(_) => expr.ty == Type::Bool,
            ExprKind::Load { .. }
            | ExprKind::Builtin(_)
            | ExprKind::Math(..)
            | ExprKind::Exponential { .. }
            | ExprKind::Convert(_)
            | ExprKind::Draw { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Past { .. } => true,
            ExprKind::Widen(_) => ty(0) == expr.ty,
        };
        if !right {
            faults.push(format!("{id:?} has operands of the wrong type: {:?}", expr.kind));
        }
    }
    for pair in flow.writes.windows(2) {
        if (pair[0].variable, pair[0].element) >= (pair[1].variable, pair[1].element) {
            faults.push(format!("the writes of {:?} are out of order", pair[1].variable));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
