//! From the tree of one rule to its rule IR, with everything that is wrong with it in one go.
//!
//! Goes in: the items of one rule, the functions and constants it may use, and what a composition or the host has
//! decided about it ([`PartSettings`]). Comes out: an open [`Rule`], in which names are handles, units are gone,
//! functions, options and loops are inlined, and every expression has its type and shape. Not done here: several
//! rules (`compose`), externs, the default apply and the clips to the declared ranges (`compose::finish`).

mod access;
mod call;
mod context;
mod decl;
mod draw;
mod equation;
mod expr;
mod fold;
mod names;
mod path;
mod product;
mod reduce;
mod scope;
mod stmt;
#[cfg(test)]
mod tests;
mod unit;
mod value;
mod warn;

use std::collections::BTreeMap;

pub use scope::{Scope, collect_scope};
pub use unit::{Dimension, Ratio};
pub use warn::step_warnings;

use crate::ast;
use crate::diag::{Diagnostics, code};
use crate::ir::build::RuleBuilder;
use crate::ir::{Domain, Rule};
use crate::source::{Sources, Span};
use context::{Checker, Value};

/// What a composition, or the host, decides about one part before it is checked.
#[derive(Clone, Debug, Default)]
pub struct PartSettings {
    /// The alias or the rule's name: the `part` of its private variables.
    pub part: String,
    /// Option to chosen value.
    pub options: BTreeMap<String, (String, Span)>,
    /// Parameter to new default.
    pub defaults: BTreeMap<String, (Constant, Span)>,
    /// The name of a plastic variable, an input or an output to its new name; the proposal follows.
    pub renames: BTreeMap<String, (String, Span)>,
    /// The domains of plastic variables, inputs and outputs (by their names in the rule's text) whose declaration
    /// states none: another part that shares them has decided.
    pub domains: BTreeMap<String, Domain>,
}

/// The value of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    /// In base units: ms, mV, pA, nS, pF.
    pub value: f64,
    /// `None` for the literals `0` and `inf`, which fit any.
    pub dimension: Option<Dimension>,
}

/// Checks one rule and lowers it.
///
/// `None` if there is an error; warnings leave the result alone. A composition (`RuleBody::Composition`) is not a
/// single rule and gives `None`.
pub fn lower(
    sources: &Sources,
    rule: &ast::Rule,
    scope: &Scope,
    settings: &PartSettings,
    diagnostics: &mut Diagnostics,
) -> Option<Rule> {
    let ast::RuleBody::Items(items) = &rule.body else { return None };
    let mut found = Diagnostics::new();
    let mut checker = Checker::new(sources, &rule.name.text, scope, settings, &mut found);
    checker.builder.rule.docs = rule.docs.iter().map(|doc| doc.text.clone()).collect();
    checker.declarations(items);
    checker.items(items);
    let lowered = checker.builder.finish();
    if !found.has_errors() {
        warn::warnings(rule, items, &lowered, &mut found);
    }
    let sound = !found.has_errors();
    diagnostics.append(found);
    sound.then_some(lowered)
}

/// Evaluates a constant expression of a composition's argument.
pub fn constant(expr: &ast::Expr, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Constant> {
    let (sources, settings) = (Sources::new(), PartSettings::default());
    let mut checker = Checker::new(&sources, "", scope, &settings, diagnostics);
    let value = checker.expr(expr)?;
    let id = checker.number(value.id, expr.span);
    match fold::evaluate(&checker.builder.rule, id) {
        Some(number) => Some(Constant { value: number, dimension: value.dimension }),
        None => {
            checker.error(code::NOT_CONSTANT, expr.span, "an argument must be a constant");
            None
        }
    }
}

/// A constant as an expression.
fn value_of_constant(builder: &mut RuleBuilder, constant: Constant, span: Span) -> Value {
    let id = builder.number(constant.value, span);
    Value { id, dimension: constant.dimension, whole: false }
}
