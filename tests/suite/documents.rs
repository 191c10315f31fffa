//! Every block of rule text in the documents: it parses and checks, and where it is complete it also compiles and runs
//! a few steps the same way on all machines.

use std::path::Path;

use aplysia::Plan;
use aplysia_compiler::diag::render::render_all;
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::library::Library;
use aplysia_compiler::plan;
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, check_engine, check_programs, expected};
use crate::machine::script::script;
use crate::machine::{Case, Shipped, planned};
use crate::{read, root};

/// One trial a block.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for document in ["docs/language.md", "README.md", "rules/README.md"] {
        let path = root().join(document);
        for (line, text) in blocks(&path) {
            trials.push(Trial::test(format!("documents::{document}:{line}"), move || check(&text)));
        }
    }
    trials
}

/// The blocks of a document that begin with "```rule", with the numbers of their lines.
fn blocks(path: &Path) -> Vec<(usize, String)> {
    if !path.exists() {
        return Vec::new();
    }
    let (text, mut found, mut open) = (read(path), Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None if line.trim() == "```rule" => open = Some((number + 1, String::new())),
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some((_, block)) => *block += &format!("{line}\n"),
            None => {}
        }
    }
    found
}

fn check(text: &str) -> Result<(), Failed> {
    let (library, _) = Library::load("block", text, &Shipped);
    let found = library.check();
    if found.has_errors() {
        return Err(render_all(library.sources(), &found, false).into());
    }
    for summary in library.rules() {
        // One that waits for another rule's state cannot be finished alone.
        let Ok(case) = Case::new("block", text, Some(&summary.name), &[]) else { continue };
        let script = script(&case.rule, (5, 8), Precision::F32, 6, 2);
        let program = plan::compile(&case.rule, &planned::options(&script, plan::PlanChoice::Auto));
        if program.is_err() {
            continue;
        }
        let mut seen = Seen::default();
        let trace = expected(&case, &script, &mut seen)?;
        check_programs(&case, &script, &trace, &mut seen)?;
        check_engine(&case, &script, &trace, Plan::Auto, 1)?;
    }
    Ok(())
}
