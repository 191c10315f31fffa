//! The canonical layout: formatting twice changes nothing, and formatting never changes what a text means. Over every
//! rule file of the repository and over generated rules.

use aplysia_compiler::fmt::{format, same_meaning};
use aplysia_compiler::parse::parse;
use aplysia_compiler::source::Sources;
use libtest_mimic::{Failed, Trial};

use crate::{files, random, read, root};

/// One trial a file, and one for all generated rules.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for path in files("", &["rule"]) {
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        trials.push(Trial::test(format!("formatting::{shown}"), move || check(&read(&path))));
    }
    trials.push(Trial::test("formatting::generated", || {
        random::texts(60).iter().try_for_each(|text| check(text))
    }));
    trials.push(Trial::test("formatting::shipped_rules_are_formatted", || {
        for (name, text) in aplysia_rules::all() {
            if formatted(text) != text {
                return Err(format!("`{name}` is not laid out as `aplysia fmt` does").into());
            }
        }
        Ok(())
    }));
    trials
}

fn formatted(text: &str) -> String {
    let mut sources = Sources::new();
    let file = sources.add("a.rule", text);
    format(text, &parse(&sources, file).0)
}

fn check(text: &str) -> Result<(), Failed> {
    let once = formatted(text);
    if formatted(&once) != once {
        return Err(format!("formatting twice is not formatting once:\n{once}").into());
    }
    let tree = |text: &str| {
        let mut sources = Sources::new();
        let file = sources.add("a.rule", text);
        parse(&sources, file)
    };
    let ((before, problems), (after, _)) = (tree(text), tree(&once));
    if problems.has_errors() {
        return if once == text { Ok(()) } else { Err("a text with errors was changed".into()) };
    }
    if same_meaning(&before, &after) { Ok(()) } else { Err(format!("another meaning:\n{once}").into()) }
}
