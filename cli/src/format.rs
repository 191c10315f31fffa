//! `aplysia fmt`: one canonical layout.

use std::path::Path;

use aplysia_compiler::fmt;
use aplysia_compiler::parse;
use aplysia_compiler::source::Sources;

use crate::arguments::FmtArguments;
use crate::report::{self, Failure, Outcome};
use crate::text::Text;

/// Formats files in place, or says which would change.
///
/// # Errors
/// Where a file has syntax errors or cannot be read or written, or, with `--check`, would change.
pub fn run(arguments: &FmtArguments) -> Outcome {
    let mut outcome = Ok(());
    for file in &arguments.files {
        let one = if file.starts_with("std::") {
            Err(Failure::usage(format!("`{file}` is a shipped rule and cannot be changed")))
        } else {
            format(file, arguments.check)
        };
        // The other files are formatted all the same; an unreadable file outweighs a wrong one.
        match one {
            Ok(()) => {}
            Err(Failure::Closed) => return Err(Failure::Closed),
            Err(failure) if report::conclude(&failure) == 2 => outcome = Err(Failure::ShownFile),
            Err(_) if outcome.is_ok() => outcome = Err(Failure::Shown),
            Err(_) => {}
        }
    }
    outcome
}

fn format(file: &str, check: bool) -> Outcome {
    let text = Text::read(file)?;
    let mut sources = Sources::new();
    let id = sources.add(text.name.as_str(), text.text.as_str());
    let (tree, found) = parse::parse(&sources, id);
    if found.has_errors() {
        return Err(report::refused(&sources, &found));
    }
    let formatted = fmt::format(&text.text, &tree);
    let changed = formatted != text.text;
    if check {
        if !changed {
            return Ok(());
        }
        report::print(&format!("{} would change\n", text.name))?;
        return Err(Failure::Shown);
    }
    if file == "-" {
        return report::print(&formatted);
    }
    if changed {
        std::fs::write(file, formatted).map_err(|error| Failure::file(Path::new(file), error))?;
    }
    Ok(())
}
