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
mod domains;
mod draw;
mod equation;
mod expr;
pub(crate) mod fold;
mod initial;
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
mod write;

use std::collections::BTreeMap;

pub use scope::{Scope, collect_scope};
pub use unit::{Dimension, Ratio};
pub use warn::step_warnings;

use crate::ast;
use crate::diag::{Diagnostics, code};
use crate::ir::build::RuleBuilder;
use crate::ir::{Domain, Rule};
use crate::pass::integrate::settle;
use crate::source::{Sources, Span};
use context::{Checker, OptionChoice, Symbol, Value};

/// What a composition, or the host, decides about one part before it is checked.
#[derive(Clone, Debug, Default)]
pub struct PartSettings {
    /// The alias or the rule's name: the `part` of its private variables.
    pub part: String,
    /// Option to chosen value.
    pub options: BTreeMap<String, (String, Span)>,
    /// Parameter to new default, and constant to new value.
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
    let (mut lowered, options) = lower_once(sources, rule, items, scope, settings, &mut found);
    if !found.has_errors() {
        other_choices(sources, rule, items, scope, settings, &options, &mut found);
    }
    if !found.has_errors() {
        warn::warnings(rule, items, &lowered, &mut found);
        domains::warnings(&lowered, &mut found);
    }
    let sound = !found.has_errors();
    diagnostics.append(found);
    if sound {
        settle(&mut lowered);
    }
    sound.then_some(lowered)
}

/// Lowers with the options as the settings choose them; also gives the options.
fn lower_once(
    sources: &Sources,
    rule: &ast::Rule,
    items: &[ast::RuleItem],
    scope: &Scope,
    settings: &PartSettings,
    diagnostics: &mut Diagnostics,
) -> (Rule, Vec<(String, OptionChoice)>) {
    let mut checker = Checker::new(sources, &rule.name.text, scope, settings, diagnostics);
    checker.builder.rule.docs = rule.docs.iter().map(|doc| doc.text.clone()).collect();
    checker.declarations(items);
    checker.items(items);
    let options = checker.symbols.iter().filter_map(|(name, symbol)| match symbol {
        Symbol::Option(choice) => Some((name.clone(), choice.clone())),
        Symbol::Variable(_) | Symbol::Constant(_) | Symbol::Poison => None,
    });
    let options = options.collect();
    (checker.builder.finish(), options)
}

/// Reports the mistakes in cases that are not chosen: each other value of each option is tried once.
fn other_choices(
    sources: &Sources,
    rule: &ast::Rule,
    items: &[ast::RuleItem],
    scope: &Scope,
    settings: &PartSettings,
    options: &[(String, OptionChoice)],
    diagnostics: &mut Diagnostics,
) {
    let others = options.iter().flat_map(|(name, choice)| {
        choice.values.iter().filter(|value| **value != choice.chosen).map(move |value| (name, value))
    });
    // More choices than this are nobody's rule; the first ones show what is wrong.
    for (name, value) in others.take(64) {
        let mut settings = settings.clone();
        settings.options.insert(name.clone(), (value.clone(), rule.name.span));
        let mut found = Diagnostics::new();
        lower_once(sources, rule, items, scope, &settings, &mut found);
        if found.has_errors() {
            for diagnostic in found {
                diagnostics.push(diagnostic.help(format!("this is reached with `{name} = {value}`")));
            }
            return;
        }
    }
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
