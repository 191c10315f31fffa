//! Finding a variable by the address that a user writes.

use crate::diag::did_you_mean;
use crate::ir::{Rule, VarId};

/// Why an address names no single variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupError {
    /// What was looked for.
    pub name: String,
    /// The full addresses that it could mean; empty where there is no such variable.
    pub candidates: Vec<String>,
    /// `did you mean …?`, where there is no such variable but a similar one.
    pub suggestion: Option<String>,
}

impl std::error::Error for LookupError {}

impl std::fmt::Display for LookupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        if !self.candidates.is_empty() {
            let candidates = self.candidates.iter().map(|address| format!("`{address}`")).collect::<Vec<_>>();
            return write!(f, "`{name}` may be {}", candidates.join(" or "));
        }
        write!(f, "the rule has no variable `{name}`")?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// The variable behind `stdp.x`, or `x` where only one part has it; of nested parts any unique ending will do.
///
/// # Errors
/// Where there is none, or several.
pub fn find(rule: &Rule, address: &str) -> Result<VarId, LookupError> {
    let all = || {
        let own = rule.variables.iter().map(|(id, variable)| (variable.address(), id));
        own.chain(rule.aliases.iter().cloned())
    };
    if let Some((_, id)) = all().find(|(known, _)| known == address) {
        return Ok(id);
    }
    let ends = |known: &str| known.strip_suffix(address).is_some_and(|head| head.ends_with('.'));
    let mut found: Vec<(String, VarId)> = Vec::new();
    for (known, id) in all().filter(|(known, _)| ends(known)) {
        if !found.iter().any(|&(_, earlier)| earlier == id) {
            found.push((known, id));
        }
    }
    match found.as_slice() {
        [(_, id)] => Ok(*id),
        [] => {
            let known: Vec<String> = all().map(|(known, _)| known).collect();
            let short = known.iter().filter_map(|known| known.rsplit_once('.').map(|(_, name)| name));
            let suggestion = did_you_mean(address, known.iter().map(String::as_str).chain(short));
            Err(LookupError { name: address.to_owned(), candidates: Vec::new(), suggestion })
        }
        _ => {
            let candidates = found.into_iter().map(|(known, _)| known).collect();
            Err(LookupError { name: address.to_owned(), candidates, suggestion: None })
        }
    }
}
