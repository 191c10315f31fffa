//! The order of creation: an initial value stands behind those that it reads.
//!
//! Within one rule `check` sees to that. A variable that several parts share stands where the first part declares it,
//! although another part may give its initial value and read what that part declares.

use super::append::rebuild;
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::{ExprId, ExprKind, Rule, VarId, VarKind};

/// Puts variables into an order in which their initial values can be computed; leaves a good order alone.
pub(super) fn order(rule: Rule, diagnostics: &mut Diagnostics) -> Rule {
    let needs: Vec<Vec<VarId>> = rule.variables.handles().map(|id| read_at_creation(&rule, id)).collect();
    if needs.iter().enumerate().all(|(index, needs)| needs.iter().all(|need| need.index() < index)) {
        return rule;
    }
    let mut marks = vec![Mark::New; needs.len()];
    let mut order = Vec::new();
    for start in rule.variables.handles() {
        // Depth first, with a stack of our own: (variable, how many of its needs have been looked at).
        let mut stack = vec![(start, 0)];
        while let Some((id, next)) = stack.pop() {
            if next == 0 {
                if marks[id.index()] == Mark::Done {
                    continue;
                }
                marks[id.index()] = Mark::Open;
            }
            let Some(&need) = needs[id.index()].get(next) else {
                marks[id.index()] = Mark::Done;
                order.push(id);
                continue;
            };
            stack.push((id, next + 1));
            match marks[need.index()] {
                Mark::New => stack.push((need, 0)),
                Mark::Done => {}
                Mark::Open => {
                    diagnostics.push(cycle(&rule, id, need));
                    return rule;
                }
            }
        }
    }
    let every: Vec<VarId> = rule.variables.handles().collect();
    rebuild(&rule, &order, &every)
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

fn cycle(rule: &Rule, id: VarId, need: VarId) -> Diagnostic {
    let (variable, other) = (&rule.variables[id], &rule.variables[need]);
    let message =
        format!("the initial values of `{}` and `{}` depend on each other", variable.name, other.name);
    Diagnostic::new(code::CREATION_CYCLE, variable.span, message)
        .also(other.span, "declared here")
        .help("give one of them an initial value that reads only parameters")
}

/// The states and plastic variables that a variable's initial value reads.
fn read_at_creation(rule: &Rule, id: VarId) -> Vec<VarId> {
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    let mut stack: Vec<ExprId> = rule.variables[id].init.clone();
    while let Some(expr) = stack.pop() {
        if !seen.insert(expr) {
            continue;
        }
        match &rule.exprs[expr].kind {
            ExprKind::Load { variable, .. } => {
                let created =
                    matches!(rule.variables[*variable].kind, VarKind::State | VarKind::Plastic { .. });
                // Elements of one array are created together, in their own order.
                if created && *variable != id && !found.contains(variable) {
                    found.push(*variable);
                }
            }
            kind => stack.extend(kind.operands()),
        }
    }
    found.sort();
    found
}
