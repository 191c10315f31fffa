//! Rules: from a text, a file or the library, with options chosen, and composed.

use std::sync::Arc;

use aplysia_compiler::diag::{Code, Diagnostics, Severity, code, render};
use aplysia_compiler::ir;
use aplysia_compiler::source::Sources;

use crate::error::{Error, Result};

/// A rule that groups can follow.
#[derive(Clone, Debug)]
pub struct Rule {
    sources: Arc<Sources>,
    body: Arc<ir::Rule>,
}

/// A finished rule, with its texts for messages.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) ir: Arc<ir::Rule>,
    sources: Arc<Sources>,
}

impl Rule {
    pub(crate) fn finish(&self) -> Result<Finished> {
        Ok(Finished { ir: self.body.clone(), sources: self.sources.clone() })
    }

    /// A rule that other code has made.
    #[doc(hidden)]
    pub fn from_ir(rule: ir::Rule) -> Self {
        Self { sources: Arc::new(Sources::new()), body: Arc::new(rule) }
    }
}

impl Finished {
    /// Diagnostics as an error.
    pub(crate) fn error(&self, found: &Diagnostics) -> Error {
        error(&self.sources, found)
    }
}

/// Diagnostics as an error that carries them as people see them.
fn error(sources: &Sources, found: &Diagnostics) -> Error {
    let first = found.iter().find(|diagnostic| diagnostic.severity() == Severity::Error);
    let code: Code = first.map_or(code::NOT_SUPPORTED_HERE, |diagnostic| diagnostic.code);
    Error::Rule { code, rendered: render::render_all(sources, found, false) }
}
