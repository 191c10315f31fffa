//! One leaf of a flattened composition: a rule with a body, and what has been decided about it so far.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::ast;
use crate::check::{Constant, Scope};
use crate::ir::Domain;
use crate::source::Span;

/// A rule with a body in a composition.
#[derive(Clone, Debug)]
pub(super) struct FlatPart<'a> {
    /// What its private variables are addressed by, as seen from the composition that is being flattened.
    pub name: String,
    /// Whether these are the declarations of a composition, not a rule that somebody named.
    pub declarations: bool,
    /// What is lowered.
    pub rule: Content<'a>,
    /// The functions and constants it sees.
    pub scope: &'a Scope,
    /// The part of the outermost composition that brought it here.
    pub span: Span,
    /// What its declarations declare, by name.
    pub slots: IndexMap<String, Slot>,
    /// Option to chosen value.
    pub options: BTreeMap<String, (String, Span)>,
    /// Parameter to new default, and constant to new value.
    pub defaults: BTreeMap<String, (Constant, Span)>,
    /// Parameter to the one that takes its place.
    pub bindings: BTreeMap<String, (Target, Span)>,
    /// Extern, or input that is one here, to its state.
    pub pointers: BTreeMap<String, (Target, Span)>,
}

/// A rule of a file, or one made of a composition's declarations.
#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    /// As written.
    Written(&'a ast::Rule),
    /// `param` and `const` of a composition.
    Made(Box<ast::Rule>),
}

impl Content<'_> {
    pub(super) fn rule(&self) -> &ast::Rule {
        match self {
            Content::Written(rule) => rule,
            Content::Made(rule) => rule,
        }
    }
}

/// A private variable of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The part's name.
    pub part: String,
    /// The variable's.
    pub name: String,
}

impl Target {
    pub(super) fn address(&self) -> String {
        format!("{}.{}", self.part, self.name)
    }
}

/// A declaration, as far as composing has to know it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// What it declares.
    pub kind: SlotKind,
    /// Where.
    pub span: Span,
}

/// The kinds of [`Slot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SlotKind {
    /// A parameter.
    Param,
    /// A constant that is a single number.
    Const,
    /// An option and its values.
    Option(Vec<String>),
    /// A state.
    State,
    /// An extern, or an input that an argument has pointed at a state.
    Extern,
    /// A plastic variable, an input or an output.
    Shared {
        /// What the composition calls it.
        name: String,
        /// The domain that the declaration states.
        domain: SlotDomain,
        /// Whether it is an input.
        input: bool,
        /// Where it was renamed.
        renamed: Option<Span>,
    },
}

/// Whether a shared variable's declaration states a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SlotDomain {
    /// It does not: it follows the other parts.
    Open,
    /// It does.
    Stated(Domain),
    /// It says `per w`, which only `check` can resolve.
    PerVariable,
}

/// What the declarations of a rule's body offer. Of two with one name the first counts; `check` reports the other.
pub(super) fn slots(rule: &ast::Rule) -> IndexMap<String, Slot> {
    let mut slots = IndexMap::new();
    let ast::RuleBody::Items(items) = &rule.body else { return slots };
    for item in items {
        if let ast::RuleItem::Declaration(declaration) = item
            && let Some(name) = declaration.name.single()
            && let Some(kind) = slot_kind(declaration, &name.text)
        {
            slots.entry(name.text.clone()).or_insert(Slot { kind, span: declaration.span });
        }
    }
    slots
}

fn slot_kind(declaration: &ast::Declaration, name: &str) -> Option<SlotKind> {
    Some(match kind(declaration)? {
        ast::Kind::Param => SlotKind::Param,
        ast::Kind::Const if declaration.length.is_some() => return None,
        ast::Kind::Const => SlotKind::Const,
        ast::Kind::Option => match &declaration.range {
            Some(ast::Range::Names(names, _)) => {
                SlotKind::Option(names.iter().map(|name| name.text.clone()).collect())
            }
            Some(ast::Range::Between(..)) | None => SlotKind::Option(Vec::new()),
        },
        ast::Kind::State => SlotKind::State,
        ast::Kind::Extern => SlotKind::Extern,
        kind @ (ast::Kind::Plastic | ast::Kind::Input | ast::Kind::Output) => {
            let input = kind == ast::Kind::Input;
            SlotKind::Shared { name: name.to_owned(), domain: domain(declaration), input, renamed: None }
        }
    })
}

/// What a declaration declares; `state` where it says two things, as in `extern state`, gives way.
pub(super) fn kind(declaration: &ast::Declaration) -> Option<ast::Kind> {
    let kinds = declaration.modifiers.iter().filter_map(|modifier| match modifier.kind {
        ast::ModifierKind::Kind(kind) => Some(kind),
        ast::ModifierKind::Batched | ast::ModifierKind::Shared | ast::ModifierKind::Domain(_) => None,
    });
    let kinds: Vec<ast::Kind> = kinds.collect();
    if kinds.contains(&ast::Kind::Extern) { Some(ast::Kind::Extern) } else { kinds.first().copied() }
}

fn domain(declaration: &ast::Declaration) -> SlotDomain {
    let stated = declaration.modifiers.iter().find_map(|modifier| match &modifier.kind {
        ast::ModifierKind::Domain(domain) => Some(domain),
        ast::ModifierKind::Batched | ast::ModifierKind::Shared | ast::ModifierKind::Kind(_) => None,
    });
    match stated {
        None => SlotDomain::Open,
        Some(ast::Domain::Global) => SlotDomain::Stated(Domain::Global),
        Some(ast::Domain::Pre) => SlotDomain::Stated(Domain::Pre),
        Some(ast::Domain::Post) => SlotDomain::Stated(Domain::Post),
        Some(ast::Domain::PreChannel) => SlotDomain::Stated(Domain::PreChannel),
        Some(ast::Domain::PostChannel) => SlotDomain::Stated(Domain::PostChannel),
        Some(ast::Domain::Synapse) => SlotDomain::Stated(Domain::Synapse),
        Some(ast::Domain::Per(_)) => SlotDomain::PerVariable,
    }
}
