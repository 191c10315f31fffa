//! The pages: every rule block of the language reference is a file that checks, and that runs where the reference says so.

use aplysia::compiler::diag::code;
use aplysia::compiler::ir::VarKind;
use aplysia::compiler::library::{Import, Library, LoadError, Loaded, Loader};
use aplysia::prelude::*;
use aplysia_tests::{read, root};
use libtest_mimic::Trial;

/// One trial for each rule block of each page, and one for each shipped rule.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for page in ["docs/language.md", "README.md"] {
        let blocks = blocks(&read(&root().join(page)));
        assert!(!blocks.is_empty(), "{page} has no rule blocks");
        for (line, block) in blocks {
            let name = format!("{page}:{line}");
            trials.push(Trial::test(format!("reference::{name}"), move || {
                check(&name, &block);
                run(&name, &block);
                Ok(())
            }));
        }
    }
    for (name, text) in aplysia_rules::all() {
        trials.push(Trial::test(format!("reference::library::{name}"), move || {
            let found = check(&format!("std::{name}"), text);
            assert!(found.is_empty(), "a shipped rule has warnings:\n{found}");
            Ok(())
        }));
    }
    trials
}

/// The rule blocks of a page, with the line at which each begins.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```rule") => open = Some((index + 1, String::new())),
            (Some(_), "```") => found.extend(open.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

/// A text has no errors, and stands in the canonical layout. Its warnings come back.
fn check(name: &str, text: &str) -> String {
    let (library, _) = Library::load(name, text, &Shipped);
    let found = library.check();
    let shown = aplysia::compiler::diag::render::render_all(library.sources(), &found, false);
    assert!(!found.has_errors(), "{shown}");
    let formatted = aplysia::compiler::fmt::format(text, library.root());
    assert_eq!(formatted, text, "{name} is not in the canonical layout");
    shown
}

/// Every rule of a text takes a few steps, or is refused for what the reference names as not executed yet.
fn run(name: &str, text: &str) {
    let rules = text.lines().filter_map(|line| line.strip_prefix("rule "));
    for rule in rules.filter_map(|rest| rest.split_whitespace().next()) {
        let chosen = Rule::from_source(name, text).and_then(|all| all.select(rule));
        let chosen = chosen.unwrap_or_else(|error| panic!("{error}"));
        let ir = match chosen.ir() {
            Ok(ir) => ir,
            // A rule that waits for another part's state.
            Err(error) => {
                assert_eq!(error.code(), code::EXTERN_MISSING, "{rule}: {error}");
                continue;
            }
        };
        let mut engine = Engine::new(Device::cpu()).unwrap();
        let group = match engine.register(Group::dense(5, 4).rule(&chosen).seed(1)) {
            Ok(group) => group,
            Err(error) => {
                let delayed = text.contains("past(") || text.contains(" after ");
                assert!(delayed && error.to_string().contains("not supported on"), "{rule}: {error}");
                continue;
            }
        };
        for (_, variable) in ir.variables.iter() {
            if matches!(variable.kind, VarKind::Input { required: true }) {
                engine.set_input(group, variable.address().as_str(), &[0.5]).unwrap();
            }
        }
        for step in 0..4u32 {
            let events = Events::new().pre(&[0, 3]).post(if step % 2 == 0 { &[1] } else { &[] });
            engine.step(&[(group, events)]).unwrap_or_else(|error| panic!("{rule}: {error}"));
        }
        assert_eq!(engine.steps(group).unwrap(), 4);
    }
}

/// Reads shipped rules only.
struct Shipped;

impl Loader for Shipped {
    fn load(&self, _: &str, target: &Import) -> Result<Loaded, LoadError> {
        match target {
            Import::Shipped(name) => match aplysia_rules::find(name) {
                Some(text) => Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() }),
                None => Err(LoadError::NotFound),
            },
            Import::File(_) => Err(LoadError::OutsideRoot),
        }
    }
}
