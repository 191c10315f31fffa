//! The arguments of a part: `tau_plus = 10 ms`, `bound = soft`, `w = b`, `eta = fuzzy_lr.eta`, `stdp.a_plus = 0.1`.
//!
//! The argument of an input is a name, which renames it, or an address with a dot, which points it at a state.

use super::part::{FlatPart, SlotKind, Target};
use crate::ast;
use crate::check::{Scope, constant};
use crate::diag::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::source::Span;

/// Where arguments stand.
pub(super) struct Context<'a> {
    /// The composition's name, which is that of the part made of its declarations.
    pub composition: &'a str,
    /// The parameters that it declares.
    pub parameters: &'a [String],
    /// What constant expressions see.
    pub scope: &'a Scope,
}

/// An extern or an input that is to be pointed at a state, once all parts are there.
pub(super) struct Pointer {
    /// The index in the group.
    pub part: usize,
    /// The extern.
    pub name: String,
    /// The state, as written.
    pub path: String,
    /// The argument.
    pub span: Span,
}

/// The leaves of one part while its arguments are set.
pub(super) struct Setting<'a, 'b> {
    pub group: &'a mut Vec<FlatPart<'b>>,
    /// The names of the leaves before the part's alias, which its arguments use.
    pub names: &'a [String],
    /// Whether the part is a composition.
    pub composed: bool,
    /// Whether the first leaf is made of the composition's own declarations.
    pub own: bool,
    pub part: &'a ast::Part,
}

/// What an argument reaches: one private declaration, or a shared variable of several leaves.
enum Reached {
    Private(usize),
    Shared(Vec<(usize, String)>),
}

impl Setting<'_, '_> {
    /// Sets all arguments, and returns what has to wait.
    pub(super) fn arguments(&mut self, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Vec<Pointer> {
        let mut pointers = Vec::new();
        // All renames of a part happen together, so that two names can be exchanged.
        let mut renames: Vec<(usize, String, String, Span)> = Vec::new();
        let mut seen: Vec<(String, Span)> = Vec::new();
        for argument in &self.part.arguments {
            let written = argument.name.dotted();
            if let Some((_, first)) = seen.iter().find(|(name, _)| *name == written) {
                let message = format!("`{written}` is given twice");
                let diagnostic = Diagnostic::new(code::ARGUMENT_TWICE, argument.name.span, message);
                diagnostics.push(diagnostic.also(*first, "given here first"));
                continue;
            }
            seen.push((written, argument.name.span));
            if self.group.is_empty() {
                // The part could not be found or flattened, which has been reported.
                continue;
            }
            match self.reach(&argument.name, diagnostics) {
                None => {}
                Some(Reached::Private(index)) => {
                    pointers.extend(self.private(index, argument, context, diagnostics));
                }
                Some(Reached::Shared(places)) => match path(&argument.value) {
                    Some(new) if let Some(new) = new.single() => {
                        let new = |(index, local)| (index, local, new.text.clone(), argument.span);
                        renames.extend(places.into_iter().map(new));
                    }
                    Some(state) if self.are_inputs(&places) => {
                        pointers.extend(self.point(places, state));
                    }
                    Some(_) | None => diagnostics.push(self.not_a_name(&places, argument)),
                },
            }
        }
        for (index, local, new, span) in renames {
            let slot = self.group[index].slots.get_mut(&local);
            if let Some(SlotKind::Shared { name, renamed, .. }) = slot.map(|slot| &mut slot.kind) {
                *name = new;
                *renamed = Some(span);
            }
        }
        pointers
    }

    fn are_inputs(&self, places: &[(usize, String)]) -> bool {
        places.iter().all(|(index, local)| {
            matches!(self.group[*index].slots[local.as_str()].kind, SlotKind::Shared { input: true, .. })
        })
    }

    /// Makes externs of inputs; their state is found once all parts are there.
    fn point(&mut self, places: Vec<(usize, String)>, state: &ast::Path) -> Vec<Pointer> {
        let mut pointers = Vec::new();
        for (part, name) in places {
            if let Some(slot) = self.group[part].slots.get_mut(&name) {
                slot.kind = SlotKind::Extern;
            }
            pointers.push(Pointer { part, name, path: state.dotted(), span: state.span });
        }
        pointers
    }

    fn not_a_name(&self, places: &[(usize, String)], argument: &ast::Argument) -> Diagnostic {
        let name = argument.name.dotted();
        let (message, help) = if self.are_inputs(places) {
            let help = format!("write another name, `{name} = NAME`, or a state, `{name} = PART.STATE`");
            (format!("`{name}` can only be renamed or pointed at a state"), help)
        } else {
            (format!("`{name}` can only be renamed"), format!("write another name: `{name} = NAME`"))
        };
        Diagnostic::new(code::ARGUMENT_FORM, argument.value.span, message).help(help)
    }

    /// What an argument's name means.
    fn reach(&self, name: &ast::Path, diagnostics: &mut Diagnostics) -> Option<Reached> {
        let (last, head) = name.segments.split_last()?;
        let head = head.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
        let found = self.candidates(&head, &last.text);
        let shared: Vec<(usize, String)> = found
            .iter()
            .filter(|(index, local)| {
                matches!(self.group[*index].slots[local.as_str()].kind, SlotKind::Shared { .. })
            })
            .cloned()
            .collect();
        if !found.is_empty() && shared.len() == found.len() {
            return Some(Reached::Shared(shared));
        }
        match found.as_slice() {
            [] => {
                diagnostics.push(self.unknown(name, &head, &last.text));
                None
            }
            [(index, _)] => Some(Reached::Private(*index)),
            _ => {
                let addresses: Vec<String> =
                    found.iter().map(|(index, local)| format!("`{}.{local}`", self.names[*index])).collect();
                let message = format!("`{}` may be {}", name.dotted(), addresses.join(" or "));
                diagnostics.push(
                    Diagnostic::new(code::AMBIGUOUS_ARGUMENT, name.span, message)
                        .help("write one of them in full"),
                );
                None
            }
        }
    }

    /// The declarations that a name may mean: the leaf's index and the name in its text.
    fn candidates(&self, head: &str, name: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (index, part) in self.group.iter().enumerate() {
            if !head.is_empty() && (!self.composed || self.names[index] != head) {
                continue;
            }
            for (local, slot) in &part.slots {
                let hit = match &slot.kind {
                    SlotKind::Param | SlotKind::Option(_) | SlotKind::Extern => local == name,
                    // Those of a composition have been used for the arguments of its parts.
                    SlotKind::Const => local == name && !part.declarations,
                    SlotKind::Shared { name: outer, .. } => outer == name,
                    SlotKind::State => false,
                };
                if hit {
                    found.push((index, local.clone()));
                }
            }
            // A composition's own parameter hides those of its parts.
            if self.own && index == 0 && !found.is_empty() && head.is_empty() {
                break;
            }
        }
        found
    }

    fn unknown(&self, path: &ast::Path, head: &str, name: &str) -> Diagnostic {
        let rule = self.part.rule.dotted();
        let mut known = Vec::new();
        let mut state = false;
        for (part, part_name) in self.group.iter().zip(self.names) {
            for (local, slot) in &part.slots {
                match &slot.kind {
                    SlotKind::State => state |= local == name,
                    SlotKind::Shared { name: outer, .. } => known.push(outer.clone()),
                    SlotKind::Const if part.declarations => {}
                    SlotKind::Param | SlotKind::Const | SlotKind::Option(_) | SlotKind::Extern => {
                        known.push(local.clone());
                        if self.composed {
                            known.push(format!("{part_name}.{local}"));
                        }
                    }
                }
            }
        }
        let message = format!("`{rule}` has nothing called `{}` that can be set", path.dotted());
        let diagnostic = Diagnostic::new(code::UNKNOWN_ARGUMENT, path.span, message);
        if !head.is_empty() && self.composed && !self.names.iter().any(|name| name == head) {
            let parts = self.names.iter().map(String::as_str);
            let help = did_you_mean(head, parts).unwrap_or_else(|| format!("`{rule}` has no part `{head}`"));
            return diagnostic.help(help);
        }
        if state {
            return diagnostic
                .help(format!("`{name}` is a state: its initial value can be given by the host"));
        }
        diagnostic.maybe_help(did_you_mean(&path.dotted(), known.iter().map(String::as_str)))
    }

    /// Sets a parameter, a constant, an option or an extern.
    fn private(
        &mut self,
        index: usize,
        argument: &ast::Argument,
        context: &Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Pointer> {
        let name = argument.name.segments.last()?.text.clone();
        let part = &mut self.group[index];
        let kind = part.slots.get(&name)?.kind.clone();
        match kind {
            SlotKind::Param => parameter(part, name, argument, context, diagnostics),
            SlotKind::Const => {
                if let Some(value) = constant(&argument.value, context.scope, diagnostics) {
                    part.defaults.insert(name, (value, argument.value.span));
                }
            }
            SlotKind::Option(values) => match path(&argument.value).and_then(ast::Path::single) {
                Some(value) => choose(part, &name, &values, &value.text, value.span, diagnostics),
                None => {
                    let message = format!("the option `{name}` takes one of its values");
                    diagnostics.push(
                        Diagnostic::new(code::ARGUMENT_FORM, argument.value.span, message)
                            .help(list(&values)),
                    );
                }
            },
            SlotKind::Extern => match path(&argument.value) {
                Some(state) => {
                    return Some(Pointer {
                        part: index,
                        name,
                        path: state.dotted(),
                        span: argument.value.span,
                    });
                }
                None => {
                    let message = format!("the extern `{name}` takes the address of a state");
                    diagnostics.push(
                        Diagnostic::new(code::ARGUMENT_FORM, argument.value.span, message)
                            .help(format!("write `{name} = PART.STATE`")),
                    );
                }
            },
            SlotKind::State | SlotKind::Shared { .. } => {
                crate::ice!("`{name}` was taken for a parameter, a constant, an option or an extern")
            }
        }
        None
    }
}

/// A default, or a parameter of the composition in its place; what was said before of the parameter gives way.
fn parameter(
    part: &mut FlatPart<'_>,
    name: String,
    argument: &ast::Argument,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) {
    let shared = path(&argument.value)
        .and_then(ast::Path::single)
        .filter(|value| context.parameters.contains(&value.text));
    if let Some(shared) = shared {
        let target = Target { part: context.composition.to_owned(), name: shared.text.clone() };
        part.defaults.remove(&name);
        part.bindings.insert(name, (target, argument.span));
    } else if let Some(value) = constant(&argument.value, context.scope, diagnostics) {
        part.bindings.remove(&name);
        part.defaults.insert(name, (value, argument.value.span));
    }
}

/// Chooses the value of an option.
fn choose(
    part: &mut FlatPart<'_>,
    name: &str,
    values: &[String],
    value: &str,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    if values.iter().any(|known| known == value) {
        part.options.insert(name.to_owned(), (value.to_owned(), span));
        return;
    }
    let message = format!("the option `{}.{name}` has no value `{value}`", part.name);
    let help = did_you_mean(value, values.iter().map(String::as_str)).unwrap_or_else(|| list(values));
    diagnostics.push(Diagnostic::new(code::OPTION_VALUE, span, message).help(help));
}

fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    format!("its values are {}", values.join(", "))
}

/// The path that an expression consists of, brackets aside.
pub(super) fn path(mut value: &ast::Expr) -> Option<&ast::Path> {
    while let ast::ExprKind::Group(inner) = &value.kind {
        value = inner;
    }
    if let ast::ExprKind::Path(path) = &value.kind { Some(path) } else { None }
}

/// The state that a pointer means among the parts of its composition.
pub(super) fn resolve(
    flat: &[FlatPart<'_>],
    pointer: &Pointer,
    diagnostics: &mut Diagnostics,
) -> Option<Target> {
    let states = flat.iter().flat_map(|part| {
        let states = part.slots.iter().filter(|(_, slot)| slot.kind == SlotKind::State);
        states.map(|(name, _)| Target { part: part.name.clone(), name: name.clone() })
    });
    let states: Vec<Target> = states.collect();
    let ending = format!(".{}", pointer.path);
    let exact = states.iter().find(|state| state.address() == pointer.path);
    let short: Vec<&Target> = states.iter().filter(|state| state.address().ends_with(&ending)).collect();
    match (exact, short.as_slice()) {
        (Some(state), _) => Some(state.clone()),
        (None, [state]) => Some((*state).clone()),
        (None, []) => {
            let known: Vec<String> = states.iter().map(Target::address).collect();
            let message = format!("no part has a state `{}`", pointer.path);
            diagnostics.push(
                Diagnostic::new(code::EXTERN_MISSING, pointer.span, message)
                    .maybe_help(did_you_mean(&pointer.path, known.iter().map(String::as_str))),
            );
            None
        }
        (None, several) => {
            let known: Vec<String> = several.iter().map(|state| format!("`{}`", state.address())).collect();
            let message = format!("`{}` may be {}", pointer.path, known.join(" or "));
            diagnostics.push(
                Diagnostic::new(code::EXTERN_AMBIGUOUS, pointer.span, message)
                    .help("write one of them in full"),
            );
            None
        }
    }
}

/// Chooses the options that the host has set; `span` is the rule's name.
pub(super) fn choose_options(
    flat: &mut [FlatPart<'_>],
    options: &[(String, String)],
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    for (address, value) in options {
        let mut all = Vec::new();
        for (index, part) in flat.iter().enumerate() {
            for (name, slot) in &part.slots {
                if let SlotKind::Option(values) = &slot.kind {
                    all.push((index, name.clone(), values.clone(), format!("{}.{name}", part.name)));
                }
            }
        }
        let ending = format!(".{address}");
        let exact = all.iter().find(|(.., full)| full == address);
        let short: Vec<_> = all.iter().filter(|(.., full)| full.ends_with(&ending)).collect();
        match (exact, short.as_slice()) {
            (Some((index, name, values, _)), _) | (None, [(index, name, values, _)]) => {
                choose(&mut flat[*index], name, values, value, span, diagnostics);
            }
            (None, []) => {
                let known = all.iter().flat_map(|(_, name, _, full)| [full.as_str(), name.as_str()]);
                diagnostics.push(
                    Diagnostic::new(code::UNKNOWN_ARGUMENT, span, format!("there is no option `{address}`"))
                        .maybe_help(did_you_mean(address, known)),
                );
            }
            (None, several) => {
                let known: Vec<String> = several.iter().map(|(.., full)| format!("`{full}`")).collect();
                let message = format!("the option `{address}` may be {}", known.join(" or "));
                diagnostics.push(
                    Diagnostic::new(code::AMBIGUOUS_ARGUMENT, span, message)
                        .help("write one of them in full"),
                );
            }
        }
    }
}
