//! `aplysia list`: the shipped rules.

use std::fmt::Write as _;

use aplysia_compiler::library::{Library, NoImports};
use serde_json::{Value, json};

use crate::arguments::{Format, ListArguments};
use crate::report::{self, Outcome};
use crate::text;

/// Lists the shipped rules, or prints the text of one.
///
/// # Errors
/// Where there is no such rule.
pub fn run(arguments: &ListArguments) -> Outcome {
    if let Some(name) = &arguments.name {
        let plain = name.strip_prefix("std::").unwrap_or(name);
        let text = aplysia_rules::find(plain).ok_or_else(|| text::unknown_shipped(plain))?;
        return match arguments.format {
            Format::Text => report::print(text),
            Format::Json => report::print_json(&json!({"name": plain, "text": text})),
        };
    }
    let rules: Vec<(&str, Vec<String>)> =
        aplysia_rules::all().map(|(name, text)| (name, documentation(name, text))).collect();
    match arguments.format {
        Format::Text => {
            let width = rules.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let mut out = String::new();
            for (name, docs) in &rules {
                let first = docs.first().map_or("", |line| line.trim());
                let _ = writeln!(out, "{name:<width$}  {first}");
            }
            let _ = writeln!(out, "\n`aplysia list NAME` prints a rule, `aplysia run std::NAME` runs it.");
            report::print(&out)
        }
        Format::Json => {
            let each = rules.iter().map(|(name, docs)| json!({"name": name, "documentation": docs}));
            report::print_json(&Value::Array(each.collect()))
        }
    }
}

/// The documentation of the rule of this name. Imports do not matter for it.
fn documentation(name: &str, text: &str) -> Vec<String> {
    let (library, _) = Library::load(name, text, &NoImports);
    let rule = library.rules().into_iter().find(|rule| rule.name == name);
    rule.map(|rule| rule.docs.iter().map(|line| line.trim().to_owned()).collect()).unwrap_or_default()
}
