//! Many open rules, one open rule: variables first, then stage by stage.

use std::collections::{BTreeMap, BTreeSet};

use super::append::{Handles, add_stages, append};
use super::link;
use super::shared::{difference, is_shared, kind_word, unify_kinds, unify_values, unit_difference};
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::build::RuleBuilder;
use crate::ir::{BatchReduction, Block, Period, Rule, Statement, VarId, VarKind, When};
use crate::source::Span;

/// A lowered part and what the composition has decided about it.
pub(super) struct MergePart {
    /// The rule; the names of its parts are final.
    pub rule: Rule,
    /// Where the part stands in the composition.
    pub span: Span,
    /// Private parameter to the address of the parameter that takes its place.
    pub bindings: BTreeMap<String, (String, Span)>,
    /// Extern to the address of its state.
    pub pointers: BTreeMap<String, (String, Span)>,
}

/// Merges open rules of the host. Two parts of one name are an error, because their variables would have one address.
///
/// # Errors
/// Everything in which the parts disagree.
pub fn merge(parts: Vec<Rule>, name: &str) -> Result<Rule, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for part in &parts {
        let own = part_names(part);
        for twice in own.intersection(&names) {
            let message = format!("two parts are called `{twice}`");
            diagnostics.push(
                Diagnostic::new(code::PART_TWICE, place(part), message)
                    .help("compose them in a rule file, where `as NAME` gives a part another name"),
            );
        }
        names.extend(own);
    }
    let docs = parts.iter().flat_map(|part| part.docs.clone()).collect();
    let parts = parts.into_iter().map(|rule| {
        let span = place(&rule);
        MergePart { rule, span, bindings: BTreeMap::new(), pointers: BTreeMap::new() }
    });
    let merged = merge_parts(parts.collect(), name, docs, &mut diagnostics);
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(merged) }
}

/// Composes open rules in the order given; the name is made of theirs, joined by `+`.
///
/// # Errors
/// Everything in which the parts disagree.
pub fn compose(rules: &[Rule]) -> Result<Rule, Diagnostics> {
    let name = rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>().join("+");
    merge(rules.to_vec(), &name)
}

/// All names under which a rule has private variables, and its own.
fn part_names(rule: &Rule) -> BTreeSet<String> {
    let own = rule.name.split('+').map(str::to_owned);
    let parts = rule.variables.iter().map(|(_, variable)| variable.part.clone());
    let aliases = rule.aliases.iter().filter_map(|(alias, _)| Some(alias.rsplit_once('.')?.0.to_owned()));
    own.chain(parts).chain(aliases).filter(|name| !name.is_empty()).collect()
}

/// A place of a rule, for what concerns it as a whole.
fn place(rule: &Rule) -> Span {
    rule.variables.iter().next().map(|(_, variable)| variable.span).unwrap_or_default()
}

/// Merges parts whose names are known to differ. What comes out is of use only if no error was reported.
pub(super) fn merge_parts(
    parts: Vec<MergePart>,
    name: &str,
    docs: Vec<String>,
    diagnostics: &mut Diagnostics,
) -> Rule {
    let mut merging = Merging {
        builder: RuleBuilder::new(name),
        shared: BTreeMap::new(),
        pointers: Vec::new(),
        diagnostics,
    };
    merging.builder.rule.docs = docs;
    for part in &parts {
        merging.add(part);
    }
    let Merging { builder, pointers, diagnostics, .. } = merging;
    let merged = builder.finish();
    link::point(merged, &pointers, diagnostics)
}

struct Merging<'a> {
    builder: RuleBuilder,
    /// The variables that parts share, by name.
    shared: BTreeMap<String, VarId>,
    pointers: Vec<(VarId, String, Span)>,
    diagnostics: &'a mut Diagnostics,
}

impl Merging<'_> {
    fn add(&mut self, part: &MergePart) {
        let (variables, joined) = self.variables(part);
        let handles = append(&mut self.builder, &part.rule, variables);
        self.describe(part, &handles, &joined);
        self.applies(part, &handles);
        add_stages(&mut self.builder.rule, &part.rule, &handles);
        let aliases = part.rule.aliases.iter().map(|(alias, id)| (alias.clone(), handles.variable(*id)));
        self.builder.rule.aliases.extend(aliases);
        self.schedule(part, &handles);
        self.batch(part);
    }

    /// What each variable of a part is in the merged rule, and which of them were there before.
    fn variables(&mut self, part: &MergePart) -> (Vec<VarId>, Vec<bool>) {
        let mut ids = Vec::new();
        let mut joined = Vec::new();
        for (_, variable) in part.rule.variables.iter() {
            let known = if is_shared(variable.kind) {
                self.shared.get(&variable.name).copied()
            } else {
                match part.bindings.get(&variable.name) {
                    Some((target, _)) if variable.kind == VarKind::Param => Some(self.bound(target)),
                    _ => None,
                }
            };
            joined.push(known.is_some());
            ids.push(match known {
                Some(id) => id,
                None => {
                    let id = self.builder.rule.variables.push(variable.clone());
                    if is_shared(variable.kind) {
                        self.shared.insert(variable.name.clone(), id);
                    }
                    id
                }
            });
            if let (VarKind::Extern, Some((target, span)), Some(&id)) =
                (variable.kind, part.pointers.get(&variable.name), ids.last())
            {
                self.pointers.push((id, target.clone(), *span));
            }
        }
        (ids, joined)
    }

    /// The parameter of a composition that a part uses; it stands before the part, or is itself another's.
    fn bound(&self, target: &str) -> VarId {
        let rule = &self.builder.rule;
        let own = rule.variables.iter().find(|(_, variable)| variable.address() == target).map(|(id, _)| id);
        let alias = || rule.aliases.iter().find(|(alias, _)| alias == target).map(|&(_, id)| id);
        own.or_else(alias).unwrap_or_else(|| crate::ice!("the shared parameter {target} is not there"))
    }

    /// Moves the descriptions of new variables to the merged rule's handles, and compares those of known ones.
    fn describe(&mut self, part: &MergePart, handles: &Handles, joined: &[bool]) {
        for (old, variable) in part.rule.variables.iter() {
            let mut moved = variable.clone();
            moved.kind = handles.variable_kind(variable.kind);
            moved.range = handles.range(variable.range);
            moved.init = handles.exprs(&variable.init);
            let id = handles.variable(old);
            if !joined[old.index()] {
                self.builder.rule.variables[id] = moved;
            } else if variable.kind == VarKind::Param {
                self.bind(id, &moved, part);
            } else {
                self.share(id, &moved);
            }
        }
    }

    fn share(&mut self, id: VarId, other: &crate::ir::Variable) {
        let known = &mut self.builder.rule.variables[id];
        let name = known.name.clone();
        let before = known.kind;
        if !unify_kinds(&mut known.kind, other.kind) {
            let message = format!(
                "`{name}` is {} of one part and {} of another",
                kind_word(before),
                kind_word(other.kind)
            );
            self.diagnostics.push(
                Diagnostic::new(code::SHARED_DISAGREE, other.span, message)
                    .also(known.span, "the other declaration")
                    .help(format!("rename one of them with an argument: `PART({name} = OTHER)`")),
            );
        } else if let Some((first, second)) =
            difference(known, other).or_else(|| unit_difference(known, other))
        {
            let message = format!("`{name}` is {first} in one part and {second} in another");
            self.diagnostics.push(
                Diagnostic::new(code::SHARED_DISAGREE, other.span, message)
                    .also(known.span, "the other declaration")
                    .help(format!(
                        "variables of one name are one variable; rename one of them: `PART({name} = OTHER)`"
                    )),
            );
        } else {
            unify_values(known, other, &name, other.span, self.diagnostics);
        }
    }

    /// A parameter of a part becomes one of the composition.
    fn bind(&mut self, id: VarId, other: &crate::ir::Variable, part: &MergePart) {
        let span = part.bindings.get(&other.name).map_or(part.span, |(_, span)| *span);
        let address = other.address();
        let known = &mut self.builder.rule.variables[id];
        if let Some((first, second)) = difference(known, other) {
            let message = format!("`{}` is {first}, `{address}` is {second}", known.address());
            self.diagnostics.push(
                Diagnostic::new(code::PARAMETER_MISMATCH, span, message)
                    .also(known.span, "the parameter of the composition")
                    .also(other.span, "the parameter of the part"),
            );
            return;
        }
        match (known.range, other.range) {
            (Some(a), Some(b)) if a != b => {
                let message = format!("`{}` and `{address}` have different ranges", known.address());
                self.diagnostics.push(
                    Diagnostic::new(code::PARAMETER_MISMATCH, span, message)
                        .also(known.span, "one range")
                        .also(other.span, "the other"),
                );
            }
            (None, Some(range)) => known.range = Some(range),
            (Some(_), _) | (None, None) => {}
        }
        self.builder.rule.aliases.push((address, id));
    }

    fn applies(&mut self, part: &MergePart, handles: &Handles) {
        let before = applied(&self.builder.rule, &self.builder.rule.apply);
        for (id, span) in applied(&part.rule, &part.rule.apply) {
            if let Some(first) = before.get(&handles.variable(id)) {
                let message = format!("two parts apply `{}`", part.rule.variables[id].name);
                self.diagnostics.push(
                    Diagnostic::new(code::APPLIED_TWICE, span, message)
                        .also(*first, "applied here as well")
                        .help("only one rule can turn the proposal into the new value; modulate rewrites it before"),
                );
            }
        }
    }

    fn schedule(&mut self, part: &MergePart, handles: &Handles) {
        let wanted = handles.when(&part.rule.apply_when);
        let known = &self.builder.rule.apply_when;
        match (known, &wanted) {
            (_, When::EveryStep) => {}
            (When::EveryStep, _) => self.builder.rule.apply_when = wanted,
            (known, wanted) if known == wanted => {}
            (When::Every(_) | When::Call(_), When::Every(_) | When::Call(_)) => {
                let message = "two parts say differently when changes are applied";
                let mut diagnostic = Diagnostic::new(code::SCHEDULE_TWICE, part.span, message);
                for when in [known, &wanted] {
                    if let When::Every(Period::Steps(id) | Period::Time(id)) = when
                        && let Some(span) = self.builder.rule.expr_spans.get(id.index())
                    {
                        diagnostic = diagnostic.also(*span, "a period");
                    }
                }
                self.diagnostics.push(
                    diagnostic.help("`apply every` and `apply on call` hold for the whole composition"),
                );
            }
        }
    }

    fn batch(&mut self, part: &MergePart) {
        let word = |batch| match batch {
            BatchReduction::Sum => "sum",
            BatchReduction::Mean => "mean",
        };
        match (self.builder.rule.batch, part.rule.batch) {
            (Some(a), Some(b)) if a != b => {
                let message = format!(
                    "one part says `batch {};`, another `batch {};`, but the batch is combined in one way",
                    word(a),
                    word(b)
                );
                self.diagnostics.push(Diagnostic::new(code::BATCH_TWICE, part.span, message));
            }
            (None, Some(batch)) => self.builder.rule.batch = Some(batch),
            (Some(_), _) | (None, None) => {}
        }
    }
}

/// The plastic variables that a block writes, with the place of the first statement that does.
pub(super) fn applied(rule: &Rule, block: &Block) -> BTreeMap<VarId, Span> {
    let mut found = BTreeMap::new();
    collect_applied(rule, block, &mut found);
    found
}

fn collect_applied(rule: &Rule, block: &Block, found: &mut BTreeMap<VarId, Span>) {
    for statement in block {
        match statement {
            Statement::Let { .. } => {}
            Statement::Assign { variable, span, .. } => {
                if matches!(rule.variables[*variable].kind, VarKind::Plastic { .. }) {
                    found.entry(*variable).or_insert(*span);
                }
            }
            Statement::If { then, otherwise, .. } => {
                collect_applied(rule, then, found);
                collect_applied(rule, otherwise, found);
            }
        }
    }
}
