//! Externs: which state of the composition each of them is.

use std::collections::BTreeMap;

use super::append::rebuild;
use super::shared::difference;
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::{Rule, VarId, VarKind};
use crate::source::Span;

/// Replaces the externs that arguments have pointed at a state.
pub(super) fn point(rule: Rule, pointers: &[(VarId, String, Span)], diagnostics: &mut Diagnostics) -> Rule {
    let mut found = Vec::new();
    for (id, target, span) in pointers {
        let state = rule.variables.iter().find(|(_, variable)| variable.address() == *target);
        let alias = || rule.aliases.iter().find(|(alias, _)| alias == target).map(|&(_, id)| id);
        let Some(state) = state.map(|(id, _)| id).or_else(alias) else {
            crate::ice!("the state {target} of an extern is not there");
        };
        if fits(&rule, *id, state, *span, diagnostics) {
            found.push((*id, state));
        }
    }
    replace(rule, &found)
}

/// Finds the state of every extern that is still open: the only one of its name.
pub(super) fn resolve(rule: Rule, diagnostics: &mut Diagnostics) -> Rule {
    let mut found = Vec::new();
    let mut states: BTreeMap<&str, Vec<VarId>> = BTreeMap::new();
    for (id, variable) in rule.variables.iter().filter(|(_, variable)| variable.kind == VarKind::State) {
        states.entry(&variable.name).or_default().push(id);
    }
    for (id, variable) in rule.variables.iter() {
        if variable.kind != VarKind::Extern {
            continue;
        }
        let states = states.get(variable.name.as_str()).map_or(&[][..], Vec::as_slice);
        match states {
            [state] => {
                if fits(&rule, id, *state, variable.span, diagnostics) {
                    found.push((id, *state));
                }
            }
            [] => diagnostics.push(missing(&rule, id)),
            _ => diagnostics.push(ambiguous(&rule, id, states)),
        }
    }
    replace(rule, &found)
}

fn missing(rule: &Rule, id: VarId) -> Diagnostic {
    let variable = &rule.variables[id];
    let message = format!("no part declares a state `{}`", variable.name);
    let example = rule.variables.iter().find(|(_, other)| {
        other.kind == VarKind::State && other.shape == variable.shape && other.part != variable.part
    });
    let help = match example {
        Some((_, state)) => {
            format!("point it at another state: `{}({} = {})`", variable.part, variable.name, state.address())
        }
        None => format!("add a part that declares `state {}`", variable.name),
    };
    Diagnostic::new(code::EXTERN_MISSING, variable.span, message).help(help)
}

fn ambiguous(rule: &Rule, id: VarId, states: &[VarId]) -> Diagnostic {
    let variable = &rule.variables[id];
    let message = format!("{} parts declare a state `{}`", states.len(), variable.name);
    let mut diagnostic = Diagnostic::new(code::EXTERN_AMBIGUOUS, variable.span, message);
    for &state in states {
        let state = &rule.variables[state];
        diagnostic = diagnostic.also(state.span, format!("`{}`", state.address()));
    }
    match states.first() {
        Some(&first) => diagnostic.help(format!(
            "say which: `{}({} = {})`",
            variable.part,
            variable.name,
            rule.variables[first].address()
        )),
        None => diagnostic,
    }
}

/// Whether an extern and its state agree; reports it where not.
fn fits(rule: &Rule, id: VarId, state: VarId, span: Span, diagnostics: &mut Diagnostics) -> bool {
    let (variable, state) = (&rule.variables[id], &rule.variables[state]);
    let Some((declared, found)) = difference(variable, state) else { return true };
    let message = format!("`{}` is {declared}, but `{}` is {found}", variable.address(), state.address());
    diagnostics.push(
        Diagnostic::new(code::EXTERN_MISMATCH, span, message)
            .also(variable.span, "the extern")
            .also(state.span, "the state"),
    );
    false
}

/// Puts states in the place of externs; the externs' addresses go on to work.
fn replace(mut rule: Rule, found: &[(VarId, VarId)]) -> Rule {
    if found.is_empty() {
        return rule;
    }
    let mut stands_for: Vec<VarId> = rule.variables.handles().collect();
    for &(id, state) in found {
        stands_for[id.index()] = state;
        rule.aliases.push((rule.variables[id].address(), state));
    }
    let order: Vec<VarId> = rule.variables.handles().filter(|id| stands_for[id.index()] == *id).collect();
    rebuild(&rule, &order, &stands_for)
}
