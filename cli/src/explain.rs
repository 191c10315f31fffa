//! `aplysia explain`: how a rule will be carried out, and why so.

use std::fmt::Write as _;

use aplysia_compiler::plan::program::{Action, Program, Section};
use aplysia_compiler::plan::{Options, print};
use aplysia_compiler::source::Sources;
use serde_json::{Value, json};

use crate::arguments::{ExplainArguments, Format};
use crate::check::place;
use crate::emit;
use crate::report::{self, Outcome};
use crate::text;

/// Explains a rule.
///
/// # Errors
/// Where the rule has errors.
pub fn run(arguments: &ExplainArguments) -> Outcome {
    let options = emit::options(arguments.topology, arguments.batch, arguments.precision);
    let options = Options { choice: arguments.plan.choice(), ..options };
    let opened = text::open(&arguments.rule)?;
    let program = emit::program(&opened, &options)?;
    let sources = opened.library.sources();
    match arguments.format {
        Format::Text => report::print(&(print::explain(&program) + &places(&program, sources))),
        Format::Json => report::print_json(&value(&program, sources)),
    }
}

/// The notes that are about a statement, with its place and text.
fn places(program: &Program, sources: &Sources) -> String {
    let mut out = String::new();
    for note in &program.notes {
        let Some(span) = note.span else { continue };
        let Some((file, source)) = sources.iter().find(|(file, _)| *file == span.file) else { continue };
        let at = sources.line_column(file, span.start);
        let text = sources.slice(span).lines().next().unwrap_or_default().trim_end();
        let _ = writeln!(out, "  {}:{}:{}: {}: {text}", source.name, at.line, at.column, note.topic);
    }
    if out.is_empty() { out } else { format!("\nstatements named above\n{out}") }
}

fn value(program: &Program, sources: &Sources) -> Value {
    let notes = program.notes.iter().map(|note| {
        let mut value = note.span.map_or(json!({}), |span| place(sources, span));
        value["topic"] = json!(note.topic);
        value["text"] = json!(note.text);
        value
    });
    let notes: Vec<Value> = notes.collect();
    let arrays: Vec<Value> = program
        .storages
        .iter()
        .map(|(_, storage)| json!({"name": storage.name, "bytes": storage.ty.size()}))
        .collect();
    let schedules: Vec<Value> =
        program.schedules.iter().map(|(_, section)| actions(program, section)).collect();
    let calls: serde_json::Map<String, Value> =
        program.calls.iter().map(|(name, section)| (name.clone(), actions(program, section))).collect();
    json!({
        "rule": program.name,
        "precision": format!("{:?}", program.precision).to_lowercase(),
        "notes": notes,
        "arrays": arrays,
        "create": actions(program, &program.create),
        "step": actions(program, &program.step),
        "commit": program.commit.as_ref().map(|commit| actions(program, &commit.section)),
        "schedules": schedules,
        "calls": calls,
    })
}

fn actions(program: &Program, section: &Section) -> Value {
    list(program, &section.actions)
}

/// Alternatives nest once at most, by the planner's construction.
fn list(program: &Program, actions: &[Action]) -> Value {
    let each = actions.iter().map(|action| match action {
        Action::Launch(launch) => json!({"launch": program.kernels[launch.kernel].name}),
        Action::Clear(storage) => json!({"clear": program.storages[*storage].name}),
        Action::Choose(alternatives) => {
            let each = alternatives.iter().map(|alternative| {
                json!({"plan": alternative.name, "actions": list(program, &alternative.actions)})
            });
            json!({"choose": each.collect::<Vec<Value>>()})
        }
    });
    Value::Array(each.collect())
}
