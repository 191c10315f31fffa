//! `aplysia check`: everything that is wrong with rule files, and what a code means.

use aplysia_compiler::check::step_warnings;
use aplysia_compiler::diag::{Code, Diagnostic, Diagnostics, Severity, code, did_you_mean};
use aplysia_compiler::library::{Library, Settings};
use aplysia_compiler::pass::integrate::integrate;
use aplysia_compiler::plan;
use aplysia_compiler::source::{Sources, Span};
use serde_json::{Value, json};

use crate::arguments::{CheckArguments, Format, Precision, Topology};
use crate::emit;
use crate::report::{self, Failure, Outcome};
use crate::text::Text;

/// Checks files, or explains a code.
///
/// # Errors
/// Where a file has errors or cannot be read.
pub fn run(arguments: &CheckArguments) -> Outcome {
    if let Some(code) = &arguments.explain {
        return explain(code, arguments.format);
    }
    let mut counts = Counts::default();
    let mut list = Vec::new();
    for file in &arguments.files {
        let library = Text::read(file).and_then(|text| text.library(arguments.root.as_deref()));
        let library = match library {
            Ok(library) => library,
            Err(failure) => {
                // The other files are checked all the same.
                counts.unreadable |= report::conclude(&failure) == 2;
                counts.errors += 1;
                continue;
            }
        };
        let found = diagnose(&library, arguments);
        let before = counts.errors;
        counts.add(&found);
        match arguments.format {
            Format::Text => {
                report::diagnostics(library.sources(), &found);
                if counts.errors == before {
                    report::print(&format!("{file}: ok{}\n", rules(&library, arguments.rule.as_deref())))?;
                }
            }
            Format::Json => list.extend(found.iter().map(|one| diagnostic(library.sources(), one))),
        }
    }
    if arguments.format == Format::Json {
        report::print_json(&Value::Array(list))?;
    } else if counts.errors + counts.warnings > 0 {
        report::show(&counts.summary());
    }
    if counts.unreadable {
        return Err(Failure::ShownFile);
    }
    let failed = counts.errors > 0 || arguments.deny_warnings && counts.warnings > 0;
    if failed { Err(Failure::Shown) } else { Ok(()) }
}

/// What was found in all files.
#[derive(Default)]
struct Counts {
    errors: usize,
    warnings: usize,
    unreadable: bool,
}

impl Counts {
    fn add(&mut self, found: &Diagnostics) {
        let errors = found.iter().filter(|one| one.severity() == Severity::Error).count();
        self.errors += errors;
        self.warnings += found.len() - errors;
    }

    fn summary(&self) -> String {
        let count = |count: usize, word: &str| match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{count} {word}s")),
        };
        let parts: Vec<String> =
            [count(self.errors, "error"), count(self.warnings, "warning")].into_iter().flatten().collect();
        format!("{}\n", parts.join(", "))
    }
}

fn rules(library: &Library, rule: Option<&str>) -> String {
    match (rule, library.rules().len()) {
        (Some(rule), _) => format!(", rule `{rule}`"),
        (None, 0) => ", no rules".to_owned(),
        (None, 1) => ", 1 rule".to_owned(),
        (None, count) => format!(", {count} rules"),
    }
}

/// Everything that is wrong with a file: its texts, each of its rules, equations without an exact step, and, where they are
/// named, what stands in the way on a topology or of a batch. A rule that waits for another part (an `extern`) is in order,
/// unless it is the one asked for.
fn diagnose(library: &Library, arguments: &CheckArguments) -> Diagnostics {
    let settings = Settings::default();
    let rule = arguments.rule.as_deref();
    let planned = arguments.topology.is_some() || arguments.batch.is_some();
    let topology = arguments.topology.unwrap_or(Topology::Dense);
    let options = emit::options(topology, arguments.batch.unwrap_or(1), Precision::F32);
    let mut found = match rule {
        None => library.check(),
        Some(name) => match library.elaborate(Some(name), &settings) {
            Ok(elaborated) => elaborated.warnings,
            Err(found) => found,
        },
    };
    let all = library.rules();
    for summary in all.iter().filter(|summary| rule.is_none_or(|name| summary.name == name)) {
        if let Ok(elaborated) = library.elaborate(Some(&summary.name), &settings) {
            found.append(step_warnings(&elaborated.rule, arguments.dt));
            let faults = if planned {
                plan::compile(&elaborated.rule, &options).err()
            } else {
                integrate(&elaborated.rule).err()
            };
            if let Some(more) = faults {
                found.append(more);
            }
        }
    }
    found.sort();
    found
}

/// A diagnostic for programs.
fn diagnostic(sources: &Sources, one: &Diagnostic) -> Value {
    let severity = match one.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut value = place(sources, one.primary.span);
    let labels = one.secondary.iter().map(|label| {
        let mut value = place(sources, label.span);
        value["message"] = json!(label.message);
        value
    });
    let labels: Vec<Value> = labels.collect();
    value["code"] = json!(one.code.id());
    value["severity"] = json!(severity);
    value["message"] = json!(one.message);
    value["label"] = json!(one.primary.message);
    value["labels"] = json!(labels);
    value["help"] = json!(one.help);
    value
}

/// A place for programs: lines and columns are counted from 1, the end is exclusive, columns are characters.
pub fn place(sources: &Sources, span: Span) -> Value {
    let Some((file, source)) = sources.iter().find(|(file, _)| *file == span.file) else {
        return json!({});
    };
    let (start, end) = (sources.line_column(file, span.start), sources.line_column(file, span.end));
    json!({
        "file": source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}

fn explain(id: &str, format: Format) -> Outcome {
    let Some(found) = Code::find(id) else {
        let upper = id.to_uppercase();
        let failure = Failure::usage(format!("there is no error or warning `{id}`"));
        return Err(match did_you_mean(&upper, code::all().map(Code::id)) {
            Some(help) => failure.help(help),
            None => {
                failure.help("codes look like E0203 and W0101; every message carries its own in brackets")
            }
        });
    };
    match format {
        Format::Text => report::print(&format!(
            "{}: {}\n\n{}\n",
            found.id(),
            found.0.title,
            found.0.explanation.trim_end()
        )),
        Format::Json => report::print_json(&json!({
            "code": found.id(),
            "title": found.0.title,
            "explanation": found.0.explanation,
        })),
    }
}
