//! `Options`: the length of a step, the seed, and the options of the rule that are chosen when a group is made.

use super::Module;
use crate::back::rust::names::identifier;
use crate::interp::program::constant;
use crate::ir::{Rule, VarKind, Variable};

/// How many combinations of options one module may have: each is planned and compiled.
pub const MOST_VARIANTS: usize = 16;

impl Module<'_> {
    /// `Options`, and an enum for each option of the rule's.
    pub(super) fn choices(&mut self) {
        if self.options.is_empty() {
            return self.out.line("pub use native::Options;");
        }
        let mut taken = ["Options", "Params", "Group", "Builder", "Arrays", "Rows", "Loops", "Self"]
            .map(str::to_owned)
            .into();
        let types: Vec<String> =
            self.options.iter().map(|open| super::fresh(camel(&open.field), &mut taken)).collect();
        self.out.line(
            "/// How a group runs: the length of a step, the seed, and the choices of the rule's options.",
        );
        self.out.line("#[derive(Clone, Copy, Debug, PartialEq)]");
        self.out.open("pub struct Options");
        self.out.line("/// The length of a step in ms.");
        self.out.line("pub dt: f64,");
        self.out.line("/// The seed of its random numbers.");
        self.out.line("pub seed: u64,");
        for (open, ty) in self.options.iter().zip(&types) {
            for line in documentation(&open.option.docs, &open.option.address()) {
                self.out.line(format!("/// {line}"));
            }
            self.out.line(format!("pub {}: {ty},", identifier(&open.field)));
        }
        self.out.close();
        self.out.open("impl Default for Options");
        self.out.line("/// Steps of 1 ms, seed 0, and what the rule chooses.");
        self.out.open("fn default() -> Self");
        let chosen = self.options.iter().zip(&types).map(|(open, ty)| {
            format!(", {}: {ty}::{}", identifier(&open.field), camel(&open.option.values[open.default]))
        });
        let chosen: String = chosen.collect();
        self.out.line(format!("Self {{ dt: 1.0, seed: 0{chosen} }}"));
        self.out.close();
        self.out.close();
        self.out.open("impl Options");
        self.out.open("fn general(&self) -> native::Options");
        self.out.line("native::Options { dt: self.dt, seed: self.seed }");
        self.out.close();
        self.out.open("fn variant(&self) -> usize");
        let number = self.options.iter().fold("0".to_owned(), |before, open| {
            format!("({before} * {} + self.{} as usize)", open.option.values.len(), identifier(&open.field))
        });
        self.out.line(number);
        self.out.close();
        self.out.close();
        for (open, ty) in self.options.iter().zip(&types) {
            for line in documentation(&open.option.docs, &open.option.address()) {
                self.out.line(format!("/// {line}"));
            }
            self.out.line("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]");
            self.out.open(format!("pub enum {ty}"));
            for (place, value) in open.option.values.iter().enumerate() {
                let default = if place == open.default { ", where nothing is said" } else { "" };
                self.out.line(format!("/// `{value}`{default}."));
                self.out.line(format!("{},", camel(value)));
            }
            self.out.close();
        }
    }
}

/// Its documentation, or its address where it has none.
fn documentation(docs: &[String], address: &str) -> Vec<String> {
    if docs.is_empty() { vec![format!("The option `{address}`.")] } else { docs.to_vec() }
}

/// `dp_prime` as `DpPrime`.
fn camel(name: &str) -> String {
    let upper = |part: &str| {
        let mut letters = part.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    let name: String = identifier(name).split('_').map(upper).collect();
    if name == "Self" { "Self_".to_owned() } else { name }
}

/// Whether two variants of a rule can share a module: the same variables, parameters and moments.
///
/// # Errors
/// What differs.
pub fn same(rule: &Rule, other: &Rule) -> Result<(), String> {
    let of = |rule: &Rule| -> Vec<String> { rule.variables.iter().map(|(_, one)| one.address()).collect() };
    if of(rule) != of(other) {
        return Err("which variables the rule has".to_owned());
    }
    for ((_, one), (_, two)) in rule.variables.iter().zip(other.variables.iter()) {
        let kept = |of: &Variable| (of.kind, of.shape, of.ty, of.length, of.unit.clone());
        if kept(one) != kept(two) {
            return Err(format!("what `{}` is", one.address()));
        }
        let number = |rule: &Rule, id| constant(rule, id, &|_, _| f64::NAN, 1.0).to_bits();
        let range =
            |rule: &Rule, of: &Variable| of.range.map(|(lo, hi)| [number(rule, lo), number(rule, hi)]);
        let defaults =
            |rule: &Rule, of: &Variable| -> Vec<u64> { of.init.iter().map(|&id| number(rule, id)).collect() };
        if one.kind == VarKind::Param
            && (range(rule, one) != range(other, two) || defaults(rule, one) != defaults(other, two))
        {
            return Err(format!("the default or the range of `{}`", one.address()));
        }
    }
    let moments = |rule: &Rule| {
        let calls: Vec<String> = rule.calls.iter().map(|call| call.name.clone()).collect();
        (calls, rule.schedules.len(), std::mem::discriminant(&rule.apply_when))
    };
    if moments(rule) == moments(other) { Ok(()) } else { Err("when the rule acts".to_owned()) }
}
