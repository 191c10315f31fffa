//! From a rule of a library to one open rule: flatten, lower every leaf, merge.

use std::collections::BTreeMap;

use super::argument;
use super::expand::{Expander, check_names};
use super::merge::{MergePart, merge_parts};
use super::part::{FlatPart, SlotDomain, SlotKind, Target};
use crate::ast;
use crate::check::{PartSettings, lower};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::ir::{Domain, Rule, VarKind};
use crate::library::{Library, RuleOption, RulePlace, Settings};
use crate::source::Span;

/// Checks and composes a rule. `None` only if an error was reported.
pub(crate) fn elaborate(
    library: &Library,
    place: RulePlace,
    settings: &Settings,
    diagnostics: &mut Diagnostics,
) -> Option<Rule> {
    let rule = library.rule_at(place);
    let mut found = Diagnostics::new();
    let mut expander = Expander { library, diagnostics: &mut found, open: Vec::new(), visited: 0 };
    let mut flat = expander.rule(place, rule.name.span);
    argument::choose_options(&mut flat, &settings.options, rule.name.span, &mut found);
    check_names(&flat, &mut found);
    let domains = stated_domains(&flat);
    let bound: Vec<Target> =
        flat.iter().flat_map(|part| part.bindings.values()).map(|(to, _)| to.clone()).collect();
    let pointed: Vec<&Target> =
        flat.iter().flat_map(|part| part.pointers.values()).map(|(to, _)| to).collect();
    let lowered: Vec<Option<Rule>> = flat
        .iter()
        .map(|part| {
            let mut reported = Diagnostics::new();
            let settings = part_settings(part, &domains);
            let lowered = lower(library.sources(), part.rule.rule(), part.scope, &settings, &mut reported);
            let used = |diagnostic: &Diagnostic| {
                is_bound(part, &bound, diagnostic) || is_pointed_at(part, &pointed, diagnostic)
            };
            reported
                .into_iter()
                .filter(|diagnostic| !used(diagnostic))
                .for_each(|diagnostic| found.push(diagnostic));
            lowered
        })
        .collect();
    let failed = found.has_errors() || flat.is_empty();
    let parts: Option<Vec<Rule>> = lowered.into_iter().collect();
    let merged = match parts {
        Some(parts) if !failed => {
            let parts = flat.iter().zip(parts).map(|(part, rule)| merge_part(part, rule)).collect();
            let docs = rule.docs.iter().map(|doc| doc.text.clone()).collect();
            Some(merge_parts(parts, &rule.name.text, docs, &mut found))
        }
        Some(_) | None => None,
    };
    let merged = if found.has_errors() { None } else { merged };
    diagnostics.append(found);
    merged
}

/// The options of a rule's parts, with their values and what is chosen where the host says nothing.
pub(crate) fn options(library: &Library, place: RulePlace) -> Vec<RuleOption> {
    let rule = library.rule_at(place);
    let mut found = Diagnostics::new();
    let mut expander = Expander { library, diagnostics: &mut found, open: Vec::new(), visited: 0 };
    let flat = expander.rule(place, rule.name.span);
    let mut options = Vec::new();
    for part in &flat {
        for (name, slot) in &part.slots {
            let SlotKind::Option(values) = &slot.kind else { continue };
            let declaration = declaration(part.rule.rule(), name);
            let stated = declaration.and_then(|declaration| declaration.value.as_ref()).and_then(word);
            let chosen = part.options.get(name).map(|(value, _)| value.clone()).or(stated);
            let docs = declaration.map(|declaration| declaration.docs.iter().map(|doc| doc.text.clone()));
            let docs = docs.map(Iterator::collect).unwrap_or_default();
            options.push(RuleOption {
                part: part.name.clone(),
                name: name.clone(),
                docs,
                values: values.clone(),
                chosen,
            });
        }
    }
    options
}

/// The declaration of a name in a rule's body.
fn declaration<'a>(rule: &'a ast::Rule, name: &str) -> Option<&'a ast::Declaration> {
    let ast::RuleBody::Items(items) = &rule.body else { return None };
    items.iter().find_map(|item| match item {
        ast::RuleItem::Declaration(declaration) => {
            declaration.name.single().filter(|found| found.text == name).map(|_| declaration)
        }
        _ => None,
    })
}

/// The word that an expression is.
fn word(value: &ast::Expr) -> Option<String> {
    argument::path(value).and_then(ast::Path::single).map(|name| name.text.clone())
}

/// Whether a warning is about a parameter of a composition that only its parts use: by itself it looks unused.
fn is_bound(part: &FlatPart<'_>, bound: &[Target], diagnostic: &Diagnostic) -> bool {
    let about = diagnostic.primary.span;
    let is_used = |name: &String| bound.iter().any(|target| target.part == part.name && target.name == *name);
    diagnostic.severity() == Severity::Warning
        && part.declarations
        && part.slots.iter().any(|(name, slot)| slot.span.to(about) == slot.span && is_used(name))
}

/// Whether a warning is about a state that another part reads: by itself it looks as if nobody did.
fn is_pointed_at(part: &FlatPart<'_>, pointed: &[&Target], diagnostic: &Diagnostic) -> bool {
    let about = diagnostic.primary.span;
    let is_read =
        |name: &String| pointed.iter().any(|target| target.part == part.name && target.name == *name);
    diagnostic.severity() == Severity::Warning
        && part.slots.iter().any(|(name, slot)| slot.span.to(about) == slot.span && is_read(name))
}

/// The domain that some part states for each shared variable.
fn stated_domains(flat: &[FlatPart<'_>]) -> BTreeMap<String, Domain> {
    let mut domains = BTreeMap::new();
    for slot in flat.iter().flat_map(|part| part.slots.values()) {
        if let SlotKind::Shared { name, domain: SlotDomain::Stated(domain), .. } = &slot.kind {
            domains.entry(name.clone()).or_insert(*domain);
        }
    }
    domains
}

fn part_settings(part: &FlatPart<'_>, domains: &BTreeMap<String, Domain>) -> PartSettings {
    let mut settings = PartSettings {
        part: part.name.clone(),
        options: part.options.clone(),
        defaults: part.defaults.clone(),
        ..PartSettings::default()
    };
    for (local, slot) in &part.slots {
        let SlotKind::Shared { name, domain, renamed, .. } = &slot.kind else { continue };
        if let Some(span) = renamed
            && name != local
        {
            settings.renames.insert(local.clone(), (name.clone(), *span));
        }
        if let (SlotDomain::Open, Some(domain)) = (domain, domains.get(name)) {
            settings.domains.insert(local.clone(), *domain);
        }
    }
    settings
}

fn merge_part(part: &FlatPart<'_>, mut rule: Rule) -> MergePart {
    for (_, variable) in rule.variables.iter_mut() {
        // An input that has been pointed at a state is no longer the host's, and no longer shared with other parts.
        if matches!(variable.kind, VarKind::Input { .. }) && part.pointers.contains_key(&variable.name) {
            variable.kind = VarKind::Extern;
            variable.part.clone_from(&part.name);
            variable.init.clear();
        }
    }
    let addresses = |targets: &BTreeMap<String, (Target, Span)>| {
        targets.iter().map(|(name, (target, span))| (name.clone(), (target.address(), *span))).collect()
    };
    MergePart {
        rule,
        span: part.span,
        bindings: addresses(&part.bindings),
        pointers: addresses(&part.pointers),
    }
}
