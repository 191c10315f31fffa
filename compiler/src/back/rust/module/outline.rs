//! The names of a rule that has errors, so that an editor knows them while it is being written.

use super::super::names;
use super::group::{Constructor, constructor};
use super::plans::kind_word;
use super::text::Text;
use crate::ast::{
    Declaration, Handler, Head, Kind as Declared, ModifierKind, Rule, RuleBody, RuleItem, When,
};
use crate::parse::word;
use crate::topology::Kind;

/// `Params` and `Group` of a rule with errors. Fields and methods are there by name; none of the methods can be called,
/// because there is no group.
pub fn outline(rule: &Rule, native: &str) -> String {
    let declarations = declared(rule);
    let of = |wanted: &[Declared]| -> Vec<String> {
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
    of(&[Declared::Param]).iter().for_each(|name| out.line(format!("pub {name}: f64,")));
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
    for name in of(&[Declared::State, Declared::Plastic, Declared::Input, Declared::Output]) {
        method(format!("pub fn {name}(&self) -> &[R]"));
    }
    let may_fail = "Result<(), native::Error>";
    for name in of(&[Declared::State, Declared::Plastic, Declared::Input]) {
        let values = "(&mut self, values: impl native::Values<R>)";
        method(format!("pub fn set_{name}{values}"));
        method(format!("pub fn try_set_{name}{values} -> {may_fail}"));
    }
    for name in called(rule) {
        method(format!("pub fn call_{name}(&mut self) -> {may_fail}"));
    }
    let spikes = "<A: native::Spikes + ?Sized, B: native::Spikes + ?Sized>(&mut self, pre: &A, post: &B)";
    method(format!("pub fn step{spikes}"));
    method(format!("pub fn try_step{spikes} -> {may_fail}"));
    method("pub fn steps(&self) -> u64".to_owned());
    method("pub fn params(&self) -> &Params".to_owned());
    method("pub fn topology(&self) -> &native::Topology".to_owned());
    method(format!("pub fn set_params(&mut self, params: Params) -> {may_fail}"));
    method(
        "pub fn for_each_variable(&self, visit: &mut dyn FnMut(&'static str, native::Array<'_, R>))"
            .to_owned(),
    );
    out.close();
    for kind in Kind::ALL {
        for (real, suffix) in [("f32", ""), ("f64", "_f64")] {
            let Constructor { ty, parameters, .. } = constructor(kind);
            let name = format!("{}{suffix}", kind_word(kind));
            out.open(format!("impl Group<{real}, native::{ty}>"));
            for head in [
                format!("pub fn {name}({parameters}, params: Params) -> Self"),
                format!(
                    "pub fn try_{name}({parameters}, params: Params, options: Options) -> Result<Self, native::Error>"
                ),
            ] {
                out.open(head);
                out.line("unreachable!(\"the rule has errors\")");
                out.close();
            }
            out.close();
        }
    }
    builder(&mut out, &of(&[Declared::State, Declared::Plastic]));
    out.line(format!(
        "pub const ITEM: native::Item = native::Item {{ name: {:?}, source: \"\", ir: \"\", cuda: \"\" }};",
        rule.name.text
    ));
    out.close();
    out.finish()
}

/// A name as Rust takes it. That a keyword cannot be a name is one of the errors, whose help offers this.
fn identifier(name: &str) -> String {
    let name = names::identifier(name);
    if word::RUST.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// What the host can call.
fn called(rule: &Rule) -> Vec<String> {
    let RuleBody::Items(items) = &rule.body else { return Vec::new() };
    let calls = items.iter().filter_map(|item| match item {
        RuleItem::Handler(Handler { head: Head::When(When::Call(name)), .. })
        | RuleItem::Apply(When::Call(name), _) => Some(identifier(&name.text)),
        RuleItem::Handler(_)
        | RuleItem::Apply(..)
        | RuleItem::Declaration(_)
        | RuleItem::Fn(_)
        | RuleItem::Equation(_)
        | RuleItem::Solver(..)
        | RuleItem::Batch(..)
        | RuleItem::For(_) => None,
    });
    let mut calls: Vec<String> = calls.collect();
    calls.sort();
    calls.dedup();
    calls
}

/// What a group is made with, which makes none.
fn builder(out: &mut Text, initial: &[String]) {
    out.open("pub struct Builder<R, T>");
    out.line("never: core::convert::Infallible,");
    out.line("kind: core::marker::PhantomData<(R, T)>,");
    out.close();
    out.open("impl<T: native::Connected> Builder<f32, T>");
    out.open("pub fn new(topology: T, params: Params) -> Self");
    out.line("unreachable!(\"the rule has errors\")");
    out.close();
    out.close();
    out.open("impl<R: native::Value, T: native::Connected> Builder<R, T>");
    let initial = initial
        .iter()
        .map(|name| format!("pub fn init_{name}(self, values: impl native::Values<R>) -> Self"));
    let heads = [
        "pub fn options(self, options: Options) -> Self".to_owned(),
        "pub fn f64(self) -> Builder<f64, T>".to_owned(),
        "pub fn batch(self, batch: usize) -> Builder<R, native::Batched<T>>".to_owned(),
        "pub fn build(self) -> Result<Group<R, T>, native::Error>".to_owned(),
    ];
    for head in heads.into_iter().chain(initial) {
        out.open(head);
        out.line("match self.never {}");
        out.close();
    }
    out.close();
}

/// What is declared, with its kind.
fn declared(rule: &Rule) -> Vec<(Declared, String)> {
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
