//! A rule file with all it imports: the compiler's front door.
//!
//! A text and a [`Loader`] go in, and for a rule of the file a checked, composed and finished [`ir::Rule`] comes out.
//! The compiler opens no file: the host's loader does, and decides what may be read. Nothing is printed; all that is
//! wrong comes back as [`Diagnostics`], and [`Library::sources`] has the texts to show them with.
//!
//! ```
//! use aplysia_compiler::library::{Library, NoImports, Settings};
//!
//! let text = "rule decay { param rate = 0.1; plastic w; update { dw -= rate * w; } }";
//! let (library, diagnostics) = Library::load("decay.rule", text, &NoImports);
//! assert!(diagnostics.is_empty());
//! let elaborated = library.elaborate(Some("decay"), &Settings::default()).expect("a rule without mistakes");
//! assert!(aplysia_compiler::compose::find(&elaborated.rule, "decay.rate").is_ok());
//! ```

mod load;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;

use crate::ast;
use crate::check::Scope;
use crate::compose;
use crate::diag::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::ir;
use crate::source::{FileId, Sources, Span};

pub(crate) use load::shipped_name;
pub use load::{Import, LoadError, Loaded, Loader, NoImports};

/// A file, the files it imports, and which rules each of them sees.
#[derive(Clone, Debug)]
pub struct Library {
    sources: Sources,
    files: Vec<FileUnit>,
    diagnostics: Diagnostics,
}

/// One parsed file. The units of a library stand in the order of their [`FileId`]s; the root is the first.
#[derive(Clone, Debug)]
pub(crate) struct FileUnit {
    /// Its syntax tree.
    pub tree: ast::File,
    /// The functions and constants it sees.
    pub scope: Scope,
    /// What it sees by a single name: its own rules and imported ones, as (file, item).
    pub rules: IndexMap<String, RulePlace>,
    /// Shipped rules that it uses by path, `std::NAME`.
    pub shipped: IndexMap<String, RulePlace>,
}

/// Which rule: the file and the number of the item in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RulePlace {
    /// The file that declares it.
    pub file: FileId,
    /// The index among the file's items.
    pub item: usize,
}

/// What is to be known of a rule before it is elaborated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSummary {
    /// Its name.
    pub name: String,
    /// Its documentation, a line each.
    pub docs: Vec<String>,
    /// Where its name stands.
    pub span: Span,
}

/// Choices that the host makes before a rule is elaborated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Option and value; the option may be addressed (`stdp.bound`) or, where only one part has it, short (`bound`).
    pub options: Vec<(String, String)>,
}

/// An option of a rule's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOption {
    /// The part that has it.
    pub part: String,
    /// Its name there.
    pub name: String,
    /// Its documentation, a line each.
    pub docs: Vec<String>,
    /// What may be chosen.
    pub values: Vec<String>,
    /// What is chosen where the host says nothing.
    pub chosen: Option<String>,
}

impl RuleOption {
    /// `stdp.bound`, as settings take it.
    pub fn address(&self) -> String {
        format!("{}.{}", self.part, self.name)
    }
}

/// A rule that is ready for the later stages.
#[derive(Clone, Debug)]
pub struct Elaborated {
    /// The finished rule.
    pub rule: ir::Rule,
    /// What is worth saying although the rule compiles.
    pub warnings: Diagnostics,
}

impl Library {
    /// Parses a text and all it imports. Everything that is wrong with the texts is returned, and remembered: a library
    /// with errors elaborates no rule.
    pub fn load(name: &str, text: &str, loader: &dyn Loader) -> (Library, Diagnostics) {
        let library = load::load(name, text, loader);
        let diagnostics = library.diagnostics.clone();
        (library, diagnostics)
    }

    /// All texts, for showing diagnostics.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The tree of the root file.
    pub fn root(&self) -> &ast::File {
        &self.files[0].tree
    }

    /// The rules that the root file declares, in the order written.
    pub fn rules(&self) -> Vec<RuleSummary> {
        let rules = self.root().items.iter().filter_map(|item| match item {
            ast::Item::Rule(rule) => Some(rule),
            ast::Item::Use(_) | ast::Item::Fn(_) | ast::Item::Const(_) => None,
        });
        rules
            .map(|rule| RuleSummary {
                name: rule.name.text.clone(),
                docs: rule.docs.iter().map(|doc| doc.text.clone()).collect(),
                span: rule.name.span,
            })
            .collect()
    }

    /// The options of a rule of the root file, of all its parts.
    pub fn options(&self, rule: &str) -> Vec<RuleOption> {
        let place = self.find(Some(rule), &mut Diagnostics::new());
        place.map(|place| compose::options(self, place)).unwrap_or_default()
    }

    /// Checks, composes and finishes a rule of the root file; the last one where `rule` is `None`.
    ///
    /// # Errors
    /// Everything that is wrong with the rule, or with any of the texts.
    pub fn elaborate(&self, rule: Option<&str>, settings: &Settings) -> Result<Elaborated, Diagnostics> {
        let (open, mut warnings) = self.open(rule, settings)?;
        match compose::finish(open) {
            Ok(rule) => Ok(Elaborated { rule, warnings }),
            Err(diagnostics) => {
                warnings.append(diagnostics);
                warnings.sort();
                Err(warnings)
            }
        }
    }

    /// Checks and composes a rule of the root file, but leaves it open: externs may be unresolved and the default
    /// apply and the clips are not written out, so that [`compose::compose`] can add further rules. The diagnostics
    /// beside the rule are warnings.
    ///
    /// # Errors
    /// Everything that is wrong with the rule, or with any of the texts.
    pub fn open(
        &self,
        rule: Option<&str>,
        settings: &Settings,
    ) -> Result<(ir::Rule, Diagnostics), Diagnostics> {
        let mut diagnostics = self.diagnostics.clone();
        let opened = self
            .find(rule, &mut diagnostics)
            .and_then(|place| compose::elaborate(self, place, settings, &mut diagnostics));
        diagnostics.sort();
        match opened {
            Some(rule) if !diagnostics.has_errors() => Ok((rule, diagnostics)),
            _ => {
                if !diagnostics.has_errors() {
                    crate::ice!("a rule was refused without a diagnostic");
                }
                Err(diagnostics)
            }
        }
    }

    /// Everything that is wrong with any text or any rule of the root file, each taken by itself: an `extern` that
    /// waits for another part is in order.
    pub fn check(&self) -> Diagnostics {
        let mut diagnostics = self.diagnostics.clone();
        for summary in self.rules() {
            match self.open(Some(&summary.name), &Settings::default()) {
                Ok((_, found)) | Err(found) => diagnostics.append(found),
            }
        }
        diagnostics.sort();
        diagnostics
    }

    /// The rule behind a place.
    pub(crate) fn rule_at(&self, place: RulePlace) -> &ast::Rule {
        match &self.files[place.file.0 as usize].tree.items[place.item] {
            ast::Item::Rule(rule) => rule,
            ast::Item::Use(_) | ast::Item::Fn(_) | ast::Item::Const(_) => {
                crate::ice!("a rule's place holds no rule")
            }
        }
    }

    /// The file of an id.
    pub(crate) fn file(&self, file: FileId) -> &FileUnit {
        &self.files[file.0 as usize]
    }

    /// The place of a rule that the root file declares.
    fn find(&self, name: Option<&str>, diagnostics: &mut Diagnostics) -> Option<RulePlace> {
        let own = || self.files[0].tree.items.iter().enumerate();
        let place = |item: usize| RulePlace { file: FileId(0), item };
        let found = own().filter_map(|(index, item)| match item {
            ast::Item::Rule(rule) if name.is_none_or(|name| rule.name.text == name) => Some(index),
            ast::Item::Rule(_) | ast::Item::Use(_) | ast::Item::Fn(_) | ast::Item::Const(_) => None,
        });
        // Of two rules with one name the first counts, as everywhere; without a name the last rule is meant.
        let mut found = found;
        let found = if name.is_none() { found.next_back() } else { found.next() };
        if found.is_none() {
            let start = Span::new(FileId(0), 0, 0);
            diagnostics.push(match name {
                None => Diagnostic::new(code::UNKNOWN_RULE, start, "the file declares no rule"),
                Some(name) => {
                    let names = self.rules();
                    Diagnostic::new(code::UNKNOWN_RULE, start, format!("the file declares no rule `{name}`"))
                        .maybe_help(did_you_mean(name, names.iter().map(|rule| rule.name.as_str())))
                }
            });
        }
        found.map(place)
    }
}
