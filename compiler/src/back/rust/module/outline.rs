//! The names of a rule that has errors, so that an editor knows them while it is being written.

use super::super::names::identifier;
use super::text::Text;
use crate::ast::{Declaration, Kind, ModifierKind, Rule, RuleBody, RuleItem};

/// `Params` and `Group` of a rule with errors. Fields and methods are there by name; none of the methods can be called,
/// because there is no group.
pub fn outline(rule: &Rule, native: &str) -> String {
    let declarations = declared(rule);
    let of = |wanted: &[Kind]| -> Vec<String> {
        let names =
            declarations.iter().filter(|(kind, _)| wanted.contains(kind)).map(|(_, name)| identifier(name));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        names
    };
    let mut out = Text::default();
    super::allow(&mut out);
    out.open(format!("pub mod {}", identifier(&rule.name.text)));
    out.line(format!("use {native} as native;"));
    out.line("pub use native::Options;");
    out.line("#[derive(Clone, Debug, Default, PartialEq)]");
    out.open("pub struct Params");
    of(&[Kind::Param]).iter().for_each(|name| out.line(format!("pub {name}: f64,")));
    out.close();
    out.open("pub struct Group<R = f32, T = native::Dense>");
    out.line("never: core::convert::Infallible,");
    out.line("kind: core::marker::PhantomData<(R, T)>,");
    out.close();
    out.open("impl<R: native::Value, T> Group<R, T>");
    let mut method = |head: String| {
        out.open(head);
        out.line("match self.never {}");
        out.close();
    };
    for name in of(&[Kind::State, Kind::Plastic, Kind::Input, Kind::Output]) {
        method(format!("pub fn {name}(&self) -> &[R]"));
    }
    for name in of(&[Kind::State, Kind::Plastic, Kind::Input]) {
        method(format!("pub fn set_{name}(&mut self, values: impl native::Values<R>)"));
    }
    method(
        "pub fn step<A: native::Spikes + ?Sized, B: native::Spikes + ?Sized>(&mut self, pre: &A, post: &B)"
            .to_owned(),
    );
    out.close();
    for (real, name) in [("f32", "dense"), ("f64", "dense_f64")] {
        out.open(format!("impl Group<{real}, native::Dense>"));
        let arguments = "pre: usize, post: usize, params: Params";
        for head in [
            format!("pub fn {name}({arguments}) -> Self"),
            format!("pub fn try_{name}({arguments}, options: Options) -> Result<Self, native::Error>"),
        ] {
            out.open(head);
            out.line("unreachable!(\"the rule has errors\")");
            out.close();
        }
        out.close();
    }
    out.line(format!(
        "pub const ITEM: native::Item = native::Item {{ name: {:?}, source: \"\", ir: \"\", cuda: \"\" }};",
        rule.name.text
    ));
    out.close();
    out.finish()
}

/// What is declared, with its kind.
fn declared(rule: &Rule) -> Vec<(Kind, String)> {
    let all: Vec<&Declaration> = match &rule.body {
        RuleBody::Composition { declarations, .. } => declarations.iter().collect(),
        RuleBody::Items(items) => items
            .iter()
            .filter_map(|item| match item {
                RuleItem::Declaration(declaration) => Some(declaration),
                RuleItem::Fn(_)
                | RuleItem::Equation(_)
                | RuleItem::Solver(..)
                | RuleItem::Batch(..)
                | RuleItem::Apply(..)
                | RuleItem::For(_)
                | RuleItem::Handler(_) => None,
            })
            .collect(),
    };
    let kind = |declaration: &Declaration| {
        declaration.modifiers.iter().find_map(|modifier| match modifier.kind {
            ModifierKind::Kind(kind) => Some(kind),
            ModifierKind::Batched | ModifierKind::Shared | ModifierKind::Domain(_) => None,
        })
    };
    all.into_iter()
        .filter_map(|declaration| Some((kind(declaration)?, declaration.name.single()?.text.clone())))
        .collect()
}
