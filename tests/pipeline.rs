//! Any text through every stage of the compiler, and on both interpreters: what the fuzz driver and its regressions ask.
//!
//! In goes a text. Out comes how far it got, or the stage that broke a promise: a panic, a place outside the text, a
//! layout that changes the program or itself, an invalid rule or kernel, or values that differ between the two
//! interpreters. That a text is refused is no failure. Nothing is limited here: time and memory are the caller's.

mod machines;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aplysia_compiler::ast::File;
use aplysia_compiler::diag::{Diagnostics, render};
use aplysia_compiler::fmt::{format, same_meaning};
use aplysia_compiler::ir::Rule;
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader, Settings};
use aplysia_compiler::plan::{self, Options, PlanChoice};
use aplysia_compiler::source::{Sources, Span};
use aplysia_compiler::{ir, parse, valid};

/// How many rules of a text are taken further than `check`.
const MOST_RULES: usize = 4;

/// Rules with more expressions are not run: interpreting them says little and takes long.
const MOST_EXPRESSIONS: usize = 4000;

/// A stage of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the text to a tree, imports included.
    Parse,
    /// Names, units, domains; composition and finishing.
    Check,
    /// The canonical layout.
    Format,
    /// From a finished rule to a program.
    Plan,
    /// Both interpreters, side by side.
    Run,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Parse => "parse",
            Stage::Check => "check",
            Stage::Format => "format",
            Stage::Plan => "plan",
            Stage::Run => "run",
        })
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub stage: Stage,
    /// Whether the compiler panicked, rather than gave a wrong answer.
    pub panicked: bool,
    /// What happened.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.panicked { "panic in " } else { "" };
        write!(f, "{what}{}: {}", self.stage, self.message)
    }
}

/// How far a text got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether it has no syntax errors.
    pub parsed: bool,
    /// How many of its rules were finished.
    pub finished: usize,
    /// How many programs were planned.
    pub planned: usize,
    /// How many programs ran beside the rule itself.
    pub compared: usize,
}

/// Takes a text as far as it goes.
///
/// # Errors
/// The first promise that is broken.
pub fn examine(text: &str) -> Result<Progress, Failure> {
    let mut progress = Progress::default();
    let library = guard(Stage::Parse, || {
        let (library, diagnostics) = Library::load("fuzz.rule", text, &Shipped);
        shown(library.sources(), &diagnostics)?;
        Ok(library)
    })?;
    let laid_out = guard(Stage::Format, || layout(text))?;
    progress.parsed = laid_out.is_some();
    guard(Stage::Check, || shown(library.sources(), &library.check()))?;
    let other = match &laid_out {
        Some(laid_out) => Some(guard(Stage::Parse, || Ok(Library::load("fuzz.rule", laid_out, &Shipped).0))?),
        None => None,
    };
    for summary in library.rules().iter().rev().take(MOST_RULES) {
        let Some(rule) = guard(Stage::Check, || finished(&library, &summary.name))? else { continue };
        progress.finished += 1;
        guard(Stage::Format, || match &other {
            None => Err("a text with syntax errors has a finished rule".to_owned()),
            Some(other) => match other.elaborate(Some(&summary.name), &Settings::default()) {
                Ok(found) if ir::print::print(&found.rule) == ir::print::print(&rule) => Ok(()),
                Ok(_) => Err("the formatted text is another rule".to_owned()),
                Err(_) => Err("the formatted text is refused".to_owned()),
            },
        })?;
        compare(&rule, &mut progress)?;
    }
    Ok(progress)
}

/// Plans a rule in four ways and runs each beside the rule.
fn compare(rule: &Rule, progress: &mut Progress) -> Result<(), Failure> {
    if rule.exprs.len() > MOST_EXPRESSIONS {
        return Ok(());
    }
    let options = [
        Options::default(),
        Options { choice: PlanChoice::Events, ..Options::default() },
        Options { choice: PlanChoice::Replay, ..Options::default() },
        Options { precision: Precision::F64, choice: PlanChoice::FullPass, ..Options::default() },
    ];
    for options in &options {
        let program = guard(Stage::Plan, || {
            let Ok(program) = plan::compile(rule, options) else { return Ok(None) };
            for (_, kernel) in program.kernels.iter() {
                valid::kernel::validate(kernel).map_err(|errors| errors.join("; "))?;
            }
            Ok(Some(program))
        })?;
        let Some(program) = program else { return Ok(()) };
        progress.planned += 1;
        let ran = guard(Stage::Run, || match options.precision {
            Precision::F32 => machines::agree::<f32>(rule, &program, (3, 4), 1.0),
            Precision::F64 => machines::agree::<f64>(rule, &program, (4, 3), 0.1),
        })?;
        progress.compared += usize::from(ran);
    }
    Ok(())
}

/// Makes a failure of an error and of a panic.
fn guard<T>(stage: Stage, work: impl FnOnce() -> Result<T, String>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|message| Failure { stage, panicked: false, message }),
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            let message = text.unwrap_or("a panic without a message").to_owned();
            Err(Failure { stage, panicked: true, message })
        }
    }
}

/// The finished rule, or nothing where it is refused with errors.
fn finished(library: &Library, name: &str) -> Result<Option<Rule>, String> {
    let elaborated = match library.elaborate(Some(name), &Settings::default()) {
        Ok(elaborated) => elaborated,
        Err(diagnostics) if diagnostics.has_errors() => {
            return shown(library.sources(), &diagnostics).map(|()| None);
        }
        Err(_) => return Err("a rule was refused without an error".to_owned()),
    };
    shown(library.sources(), &elaborated.warnings)?;
    if elaborated.warnings.has_errors() {
        return Err("a finished rule has errors".to_owned());
    }
    valid::rule::validate(&elaborated.rule).map_err(|faults| faults.join("; "))?;
    Ok(Some(elaborated.rule))
}

/// Renders diagnostics, whose places must be in their texts and whose messages are not empty.
fn shown(sources: &Sources, diagnostics: &Diagnostics) -> Result<(), String> {
    let fits = |span: Span| {
        sources.iter().any(|(file, source)| {
            file == span.file && source.text.get(span.start as usize..span.end as usize).is_some()
        })
    };
    for diagnostic in diagnostics.iter() {
        let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
        if !labels.map(|label| label.span).all(fits) {
            return Err(format!("{} has a place outside its text", diagnostic.code.id()));
        }
        if diagnostic.message.is_empty() || render::render(sources, diagnostic, false).is_empty() {
            return Err(format!("{} says nothing", diagnostic.code.id()));
        }
    }
    Ok(())
}

/// The canonical layout of a text without syntax errors.
fn layout(text: &str) -> Result<Option<String>, String> {
    let (tree, wrong) = parsed(text);
    let once = format(text, &tree);
    if wrong {
        return if once == text { Ok(None) } else { Err("a text with errors was laid out".to_owned()) };
    }
    let (again, wrong) = parsed(&once);
    if wrong {
        return Err("the formatted text has errors".to_owned());
    }
    if !same_meaning(&tree, &again) {
        return Err("formatting changed the program".to_owned());
    }
    if format(&once, &again) != once {
        return Err("formatting twice changes more than formatting once".to_owned());
    }
    Ok(Some(once))
}

fn parsed(text: &str) -> (File, bool) {
    let mut sources = Sources::new();
    let file = sources.add("fuzz.rule", text);
    let (tree, diagnostics) = parse::parse(&sources, file);
    (tree, diagnostics.has_errors())
}

/// The shipped rules, and no files.
struct Shipped;

impl Loader for Shipped {
    fn load(&self, _importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let Import::Shipped(name) = target else { return Err(LoadError::NotFound) };
        let text = aplysia_rules::find(name).ok_or(LoadError::NotFound)?;
        Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() })
    }

    fn shipped(&self) -> Vec<String> {
        aplysia_rules::all().map(|(name, _)| name.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_goes_all_the_way_and_a_mistake_is_no_failure() {
        let whole = "rule decay { param rate; plastic w = 1; update { dw -= rate * w * pre.spike; } }";
        let progress = examine(whole).expect("no failure");
        assert_eq!(progress, Progress { parsed: true, finished: 1, planned: 4, compared: 4 });
        assert_eq!(examine("rule { }").expect("no failure"), Progress::default());
    }

    #[test]
    fn a_panic_is_a_failure_of_its_stage() {
        let failure = guard::<()>(Stage::Plan, || panic!("at {}", 1)).expect_err("a failure");
        assert_eq!(failure.to_string(), "panic in plan: at 1");
    }
}
