//! Finding what the host names: variables by short or full address, draws and calls, with a suggestion where there is
//! no such name.

use aplysia_compiler::diag::did_you_mean;
use aplysia_compiler::ir::{Rule, SiteId, VarId, VarKind};

use crate::error::{Error, Result};

/// What kind of variable is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Anything that has values.
    Any,
    /// States and plastic variables.
    State,
    /// Parameters.
    Param,
    /// Inputs.
    Input,
}

impl Wanted {
    fn word(self) -> &'static str {
        match self {
            Wanted::Any => "variable",
            Wanted::State => "state",
            Wanted::Param => "parameter",
            Wanted::Input => "input",
        }
    }

    fn takes(self, kind: VarKind) -> bool {
        match self {
            Wanted::Any => !matches!(kind, VarKind::Extern),
            Wanted::State => matches!(kind, VarKind::State | VarKind::Plastic { .. }),
            Wanted::Param => kind == VarKind::Param,
            Wanted::Input => matches!(kind, VarKind::Input { .. }),
        }
    }
}

/// What a variable is, and what its values are changed with.
fn kind(kind: VarKind) -> (&'static str, &'static str) {
    match kind {
        VarKind::Param => ("a parameter", "use `set_param`, or `.param` at registration"),
        VarKind::State => ("a state", "use `write`, or `.init` at registration"),
        VarKind::Plastic { .. } => ("a plastic variable", "use `write`, or `.init` at registration"),
        VarKind::Proposal { .. } => ("a proposed change", "it can only be read"),
        VarKind::Input { .. } => ("an input", "use `set_input`"),
        VarKind::Output => ("an output", "it can only be read"),
        VarKind::Extern => ("an extern", "compose the rule with the one that declares it"),
    }
}

/// The variable behind a name. A full address always counts; a short one where only one variable has it.
pub(crate) fn variable(rule: &Rule, group: usize, name: &str, wanted: Wanted) -> Result<VarId> {
    let fits = |id: &VarId| wanted.takes(rule.variables[*id].kind);
    let named = |id: &VarId| rule.variables[*id].address() == name;
    let ids = || rule.variables.handles();
    let mut found: Vec<VarId> = ids().filter(named).collect();
    if found.is_empty() {
        found = ids().filter(|&id| rule.variables[id].name == name).collect();
        if found.iter().any(fits) {
            found.retain(fits);
        }
    }
    match found[..] {
        [id] if fits(&id) => Ok(id),
        [id] => Err(wrong_kind(rule, id, wanted)),
        [] => {
            let candidates: Vec<String> = ids()
                .filter(fits)
                .flat_map(|id| [rule.variables[id].name.clone(), rule.variables[id].address()])
                .collect();
            Err(unknown(rule, group, wanted.word(), name, &candidates))
        }
        _ => {
            let candidates = found.iter().map(|&id| rule.variables[id].address()).collect();
            Err(Error::AmbiguousName { group, name: name.to_owned(), candidates })
        }
    }
}

/// The variable of a handle, where it is of the kind wanted.
pub(crate) fn check(rule: &Rule, id: VarId, wanted: Wanted) -> Result<VarId> {
    if wanted.takes(rule.variables[id].kind) { Ok(id) } else { Err(wrong_kind(rule, id, wanted)) }
}

fn wrong_kind(rule: &Rule, id: VarId, wanted: Wanted) -> Error {
    let (found, help) = kind(rule.variables[id].kind);
    let expected = match wanted {
        Wanted::Any => "a variable",
        Wanted::State => "a state",
        Wanted::Param => "a parameter",
        Wanted::Input => "an input",
    };
    Error::WrongKind { name: rule.variables[id].address(), expected, found, help }
}

/// The draw behind an address; a short one where only one draw has it.
pub(crate) fn draw(rule: &Rule, group: usize, name: &str) -> Result<SiteId> {
    match rule.site_named(name) {
        Ok(id) => Ok(id),
        Err(found) if found.is_empty() => {
            let candidates: Vec<String> =
                rule.sites.iter().filter_map(|(_, site)| site.address.clone()).collect();
            Err(unknown(rule, group, "draw", name, &candidates))
        }
        Err(found) => {
            let candidates = found.into_iter().map(str::to_owned).collect();
            Err(Error::AmbiguousName { group, name: name.to_owned(), candidates })
        }
    }
}

/// An unknown name, with the nearest known one.
pub(crate) fn unknown(
    rule: &Rule,
    group: usize,
    what: &'static str,
    name: &str,
    candidates: &[String],
) -> Error {
    let help = help(name, candidates.iter().map(String::as_str));
    Error::UnknownName { group, rule: rule.name.clone(), what, name: name.to_owned(), help }
}

/// `; did you mean …?`, or nothing.
pub(crate) fn help<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(name, candidates).map(|help| format!("; {help}")).unwrap_or_default()
}
