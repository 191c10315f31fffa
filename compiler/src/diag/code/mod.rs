//! The codes of all diagnostics, each with a title and a long explanation.
//!
//! Ranges: `E01` text and syntax, `E02` names, `E03` domains, stages and access, `E04` units, `E05` composition
//! and imports, `E06` options, functions and constant expressions, `E07` equations, `E08` groups and data given
//! to a rule, `W01` warnings.

mod compose;
mod delay;
mod domain;
mod equation;
mod function;
mod group;
mod integrate;
mod name;
mod plan;
mod syntax;
mod unit;
mod warning;

pub use compose::*;
pub use delay::*;
pub use domain::*;
pub use equation::*;
pub use function::*;
pub use group::*;
pub use integrate::*;
pub use name::*;
pub use plan::*;
pub use syntax::*;
pub use unit::*;
pub use warning::*;

use super::Severity;

/// What is known of a code.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeInfo {
    /// `E0203`.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means, an example that shows it, and how to mend it, in Markdown.
    pub explanation: &'static str,
}

/// One kind of mistake.
#[derive(Clone, Copy, Debug)]
pub struct Code(pub &'static CodeInfo);

impl Code {
    /// `E0203`.
    pub fn id(self) -> &'static str {
        self.0.id
    }

    /// Warnings begin with `W`.
    pub fn severity(self) -> Severity {
        if self.0.id.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// Finds a code by its name, in either case.
    pub fn find(id: &str) -> Option<Code> {
        all().find(|code| code.id().eq_ignore_ascii_case(id))
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}
impl Eq for Code {}
impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id().cmp(other.id())
    }
}
impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}
impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// All codes, in the order of their names.
#[allow(
    unused_qualifications,
    reason = "each file has a list of this name, and the globs bring in all of them"
)]
pub fn all() -> impl Iterator<Item = Code> {
    [
        syntax::CODES,
        name::CODES,
        domain::CODES,
        unit::CODES,
        compose::CODES,
        function::CODES,
        equation::CODES,
        integrate::CODES,
        group::CODES,
        delay::CODES,
        plan::CODES,
        warning::CODES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Declares the codes of one file: a constant for each, and the list `CODES`.
macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $explanation:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: $crate::diag::Code = $crate::diag::Code(&$crate::diag::code::CodeInfo {
                id: $id,
                title: $title,
                explanation: $explanation,
            });
        )*
        pub(super) const CODES: &[$crate::diag::Code] = &[$($name),*];
    };
}
pub(crate) use codes;
