//! Flattening: a composition of compositions becomes a list of rules with bodies.
//!
//! Parts are named as seen from the composition at hand. An alias of a rule replaces its name, an alias of a
//! composition goes before the names of its parts.

use std::borrow::Cow;

use super::argument::{self, Context};
use super::part::{Content, FlatPart, SlotKind, Target, kind, slots};
use crate::ast;
use crate::check::{Scope, collect_scope};
use crate::diag::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::library::{Library, RulePlace};
use crate::source::Span;

/// How many parts a composition may have, nested ones and those that are compositions counted.
const MOST_PARTS: usize = 256;
/// How deep compositions may be nested.
const MOST_DEPTH: usize = 64;

/// Flattens compositions of one library.
pub(super) struct Expander<'a, 'd> {
    pub library: &'a Library,
    pub diagnostics: &'d mut Diagnostics,
    /// The compositions that are being flattened, outermost first.
    pub open: Vec<RulePlace>,
    /// How many rules have been visited.
    pub visited: usize,
}

impl<'a> Expander<'a, '_> {
    /// The leaves of a rule: itself, or those of its parts. `span` is where it is used.
    pub(super) fn rule(&mut self, place: RulePlace, span: Span) -> Vec<FlatPart<'a>> {
        let rule = self.library.rule_at(place);
        self.visited += 1;
        if self.visited > MOST_PARTS + 1 || self.open.len() >= MOST_DEPTH {
            let message = format!(
                "a composition has at most {MOST_PARTS} parts, nested ones counted, and is nested at most {MOST_DEPTH} deep"
            );
            // One such message is enough, and the visits end here.
            if !self.diagnostics.iter().any(|known| known.code == code::TOO_MANY_PARTS) {
                self.diagnostics.push(Diagnostic::new(code::TOO_MANY_PARTS, span, message));
            }
            return Vec::new();
        }
        match &rule.body {
            ast::RuleBody::Items(_) => {
                let scope = &self.library.file(place.file).scope;
                vec![leaf(Content::Written(rule), &rule.name.text, scope, span)]
            }
            ast::RuleBody::Composition { declarations, parts } => {
                if let Some(start) = self.open.iter().position(|&open| open == place) {
                    self.report_cycle(start, span);
                    return Vec::new();
                }
                self.open.push(place);
                let flat = self.composition(place, rule, declarations, parts);
                self.open.pop();
                flat
            }
        }
    }

    fn composition(
        &mut self,
        place: RulePlace,
        rule: &'a ast::Rule,
        declarations: &'a [ast::Declaration],
        parts: &'a [ast::Part],
    ) -> Vec<FlatPart<'a>> {
        let file_scope = &self.library.file(place.file).scope;
        let scope = self.scope(place, declarations, file_scope);
        let mut flat = Vec::new();
        let mut parameters = Vec::new();
        if let Some(own) = self.declarations(rule, declarations, file_scope) {
            let params = own.slots.iter().filter(|(_, slot)| slot.kind == SlotKind::Param);
            parameters.extend(params.map(|(name, _)| name.clone()));
            flat.push(own);
        }
        let context = Context { composition: &rule.name.text, parameters: &parameters, scope: &scope };
        let mut pointers = Vec::new();
        for part in parts {
            let Some(target) = self.find(place, &part.rule) else { continue };
            let mut group = self.rule(target, part.span);
            let used = self.library.rule_at(target);
            let composed = matches!(used.body, ast::RuleBody::Composition { .. });
            let names: Vec<String> = group.iter().map(|part| part.name.clone()).collect();
            // A nested composition may stand first as well; it is called by a name of its own.
            let own = group.first().is_some_and(|first| first.declarations && first.name == used.name.text);
            if let Some(alias) = &part.alias {
                rename(&mut group, &names, &alias.text, composed, own);
            }
            for leaf in &mut group {
                leaf.span = part.span;
            }
            let mut setting = argument::Setting { group: &mut group, names: &names, composed, own, part };
            let found = setting.arguments(&context, self.diagnostics);
            let before = flat.len();
            pointers.extend(found.into_iter().map(|pointer| (before + pointer.part, pointer)));
            flat.append(&mut group);
        }
        for (index, pointer) in pointers {
            if let Some(target) = argument::resolve(&flat, &pointer, self.diagnostics) {
                flat[index].pointers.insert(pointer.name.clone(), (target, pointer.span));
            }
        }
        flat
    }

    /// What the arguments of a composition see: its own constants, then those of its file.
    fn scope(
        &mut self,
        place: RulePlace,
        declarations: &[ast::Declaration],
        file_scope: &'a Scope,
    ) -> Cow<'a, Scope> {
        let constants = declarations.iter().filter(|declaration| kind(declaration) == Some(ast::Kind::Const));
        let items: Vec<ast::Item> = constants.cloned().map(ast::Item::Const).collect();
        if items.is_empty() {
            return Cow::Borrowed(file_scope);
        }
        let file = ast::File { id: place.file, items, comments: Vec::new() };
        Cow::Owned(collect_scope(&file, &[file_scope], self.diagnostics))
    }

    /// A rule made of the declarations of a composition.
    fn declarations(
        &mut self,
        rule: &ast::Rule,
        declarations: &[ast::Declaration],
        scope: &'a Scope,
    ) -> Option<FlatPart<'a>> {
        let mut items = Vec::new();
        for declaration in declarations {
            match kind(declaration) {
                Some(ast::Kind::Param | ast::Kind::Const) => {
                    items.push(ast::RuleItem::Declaration(declaration.clone()));
                }
                Some(
                    ast::Kind::Option
                    | ast::Kind::State
                    | ast::Kind::Plastic
                    | ast::Kind::Input
                    | ast::Kind::Output
                    | ast::Kind::Extern,
                )
                | None => {
                    let message = "a composition declares only parameters and constants";
                    self.diagnostics.push(
                        Diagnostic::new(code::COMPOSITION_DECLARATION, declaration.span, message)
                            .help("put it into a rule with a body, and add that rule as a part"),
                    );
                }
            }
        }
        if items.is_empty() {
            return None;
        }
        let made = ast::Rule {
            docs: Vec::new(),
            name: rule.name.clone(),
            body: ast::RuleBody::Items(items),
            span: rule.span,
        };
        let mut own = leaf(Content::Made(Box::new(made)), &rule.name.text, scope, rule.name.span);
        own.declarations = true;
        Some(own)
    }

    /// The rule that a part names.
    fn find(&mut self, place: RulePlace, path: &ast::Path) -> Option<RulePlace> {
        let file = self.library.file(place.file);
        let found = match path.single() {
            Some(name) => file.rules.get(&name.text),
            None => crate::library::shipped_name(path).and_then(|name| file.shipped.get(name)),
        };
        if found.is_none() {
            self.report_unknown(place, path);
        }
        found.copied()
    }

    fn report_unknown(&mut self, place: RulePlace, path: &ast::Path) {
        let file = self.library.file(place.file);
        let diagnostic = match (path.single(), crate::library::shipped_name(path)) {
            (Some(name), _) => {
                let message = format!("there is no rule `{}` here", name.text);
                let known = file.rules.keys().map(String::as_str);
                let help = did_you_mean(&name.text, known)
                    .unwrap_or_else(|| format!("a shipped rule is imported with `use std::{};`", name.text));
                Diagnostic::new(code::UNKNOWN_RULE, path.span, message).help(help)
            }
            // The import has been reported where the file was read.
            (None, Some(_)) => return,
            (None, None) => {
                let message = format!("`{}` names no rule", path.dotted());
                Diagnostic::new(code::UNKNOWN_RULE, path.span, message)
                    .help("a part is `NAME`, or `std::NAME` for a shipped rule")
            }
        };
        self.diagnostics.push(diagnostic);
    }

    fn report_cycle(&mut self, start: usize, span: Span) {
        let cycle = &self.open[start..];
        let names = cycle.iter().chain(&cycle[..1]).map(|&place| &self.library.rule_at(place).name.text);
        let chain = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" contains ");
        let message = format!("a rule is composed of itself: {chain}");
        self.diagnostics.push(Diagnostic::new(code::RULE_CYCLE, span, message));
    }
}

fn leaf<'a>(rule: Content<'a>, name: &str, scope: &'a Scope, span: Span) -> FlatPart<'a> {
    let slots = slots(rule.rule());
    FlatPart {
        name: name.to_owned(),
        declarations: false,
        rule,
        scope,
        span,
        slots,
        options: Default::default(),
        defaults: Default::default(),
        bindings: Default::default(),
        pointers: Default::default(),
    }
}

/// Gives a part an alias; what its parts say of each other follows.
fn rename(group: &mut [FlatPart<'_>], names: &[String], alias: &str, composed: bool, own: bool) {
    let new: Vec<String> = group
        .iter()
        .enumerate()
        // The first part of a composition with declarations is made of them, and is called as the composition.
        .map(|(index, part)| {
            let itself = !composed || (index == 0 && own);
            if itself { alias.to_owned() } else { format!("{alias}.{}", part.name) }
        })
        .collect();
    let moved = |target: &mut Target| {
        if let Some(index) = names.iter().position(|name| *name == target.part) {
            target.part.clone_from(&new[index]);
        }
    };
    for (part, name) in group.iter_mut().zip(&new) {
        part.name.clone_from(name);
        part.bindings.values_mut().for_each(|(target, _)| moved(target));
        part.pointers.values_mut().for_each(|(target, _)| moved(target));
    }
}

/// Reports parts of one name, and parts in which renames have made two variables one.
pub(super) fn check_names(flat: &[FlatPart<'_>], diagnostics: &mut Diagnostics) {
    for (index, part) in flat.iter().enumerate() {
        if let Some(first) = flat[..index].iter().find(|other| other.name == part.name) {
            let message = format!("two parts are called `{}`", part.name);
            diagnostics.push(
                Diagnostic::new(code::PART_TWICE, part.span, message)
                    .also(first.span, "the first")
                    .help("give one of them a name: `PART as NAME`"),
            );
        }
        check_renames(part, diagnostics);
    }
}

fn check_renames(part: &FlatPart<'_>, diagnostics: &mut Diagnostics) {
    for (index, (own, slot)) in part.slots.iter().enumerate() {
        let SlotKind::Shared { name, renamed: Some(span), .. } = &slot.kind else { continue };
        let other = part.slots.iter().enumerate().find(|(other, (local, slot))| {
            let called = match &slot.kind {
                SlotKind::Shared { name, .. } => name,
                SlotKind::Param
                | SlotKind::Const
                | SlotKind::Option(_)
                | SlotKind::State
                | SlotKind::Extern => *local,
            };
            *other != index && called == name
        });
        if let Some((_, (local, slot))) = other {
            let message = format!("`{own}` becomes `{name}`, but so is `{local}` of `{}` called", part.name);
            diagnostics.push(
                Diagnostic::new(code::RENAME_COLLISION, *span, message)
                    .also(slot.span, "the other variable")
                    .help("choose another name, or rename both"),
            );
        }
    }
}
