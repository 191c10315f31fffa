//! Every diagnostic that the text of a rule can bring about, expanded: the code, the tokens under the mark, the message.
//!
//! The cases are the files of `tests/in/err` and `tests/in/warn`, whose names begin with the code that they show. What a
//! file says as a file it says as tokens, at the same places; what rustc is given is a snapshot for each family of codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aplysia_compiler::diag::{Severity, code, render};
use aplysia_compiler::library::{Library, Settings};
use aplysia_compiler::plan;
use aplysia_compiler::source::FileId;
use proc_macro2::TokenStream;

use super::{Shown, expansion, modules, root, shown};
use crate::files::Files;
use crate::report::message;

/// Codes that no tokens bring about.
const NOT_OF_TOKENS: [(&str, &str); 6] = [
    ("E0103", "rustc looks for the ends of comments"),
    ("E0104", "rustc looks for the ends of strings"),
    ("E0106", "rustc pairs brackets"),
    ("E0121", "rustc knows no `'` behind a name"),
    ("E0124", "what would take the parser that long is refused before, or too large to be read by a test"),
    ("W0103", "how long a step is shows when the program runs"),
];

/// Texts whose fault lies in spaces and comments, which are no tokens.
const NOT_IN_TOKENS: [&str; 3] = ["E0102_byte_order_mark", "E0102_hard_space", "E0107_comments"];

/// What begins as a setting of the macro does.
const A_SETTING: &str = "E0116_file";

/// The files with something to say about them: what lies in a folder below is imported by the others.
fn cases() -> Vec<(String, PathBuf)> {
    let mut cases = Vec::new();
    for folder in ["tests/in/err", "tests/in/warn"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("the folder of the cases");
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ending| ending == "rule") {
                let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
                cases.push((name.unwrap_or_default(), path));
            }
        }
    }
    cases.sort();
    cases
}

/// What the compiler finds in a file, as the macro would say it.
fn found(text: &str, folder: &Path) -> Vec<Shown> {
    let files = Files::new(folder.to_path_buf());
    let (library, _) = Library::load("plasticity!", text, &files);
    let mut all = library.check();
    if !all.has_errors() {
        let more = library.elaborate(None, &Settings::default());
        let more = more.and_then(|of| plan::compile(&of.rule, &plan::Options::default()));
        all.append(more.err().unwrap_or_default());
    }
    let all = all.iter().map(|one| {
        let place = one.primary.span;
        let own = place.file == FileId(0);
        Shown {
            error: one.severity() == Severity::Error,
            message: match own {
                true => message(library.sources(), one),
                false => render::render(library.sources(), one, false),
            },
            place: own.then_some((place.start as usize, place.end as usize)),
        }
    });
    all.collect()
}

#[test]
fn what_a_text_says_as_a_file_it_says_as_tokens() {
    let mut wrong = String::new();
    let mut tables: BTreeMap<String, String> = BTreeMap::new();
    let (mut seen, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (name, path) in cases() {
        let text = std::fs::read_to_string(&path).expect("the text of a case");
        let folder = path.parent().unwrap_or(Path::new(""));
        let wanted = name.split('_').next().unwrap_or_default().to_owned();
        all.insert(wanted.clone());
        let Ok(tokens) = text.parse::<TokenStream>() else { continue };
        let expanded = expansion(tokens, folder);
        let (of_tokens, of_file) = (shown(&expanded), found(&text, folder));
        let codes: BTreeSet<String> = of_tokens.iter().map(|one| one.code().to_owned()).collect();
        if !NOT_IN_TOKENS.contains(&name.as_str()) && name != A_SETTING {
            let outside = NOT_OF_TOKENS.iter().any(|(code, _)| *code == wanted);
            if !codes.contains(&wanted) && !outside {
                let _ = writeln!(wrong, "{name}: {wanted} is not among {codes:?}");
            }
            if let Err(what) = same(&of_tokens, &of_file, &text) {
                let _ = writeln!(wrong, "{name}: {what}");
            }
        }
        seen.extend(codes);
        // However many errors there are, what comes out is Rust with a module for each rule, each name once.
        let (library, _) = Library::load("plasticity!", &text, &Files::new(folder.to_path_buf()));
        let rules: BTreeSet<String> = library.rules().into_iter().map(|rule| rule.name).collect();
        let known = modules(&expanded);
        let names: Vec<&str> = known.iter().map(|module| module.name.trim_start_matches("r#")).collect();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        if names.len() != unique.len() || names.len() != rules.len() {
            let _ = writeln!(wrong, "{name}: the modules {names:?} of the rules {rules:?}");
        }
        let table = tables.entry(wanted[..3].to_owned()).or_default();
        table.push_str(&lines(&name, &text, &of_tokens));
    }
    assert!(wrong.is_empty(), "{wrong}");
    for (code, why) in NOT_OF_TOKENS {
        assert!(!seen.contains(code), "{code} is shown, although {why}");
    }
    let unseen: Vec<&String> =
        all.difference(&seen).filter(|code| !NOT_OF_TOKENS.iter().any(|(known, _)| known == code)).collect();
    assert!(unseen.is_empty(), "codes of no expansion: {unseen:?}");
    for (family, table) in tables {
        insta::assert_snapshot!(family, table);
    }
}

/// What rustc is given, with the tokens under each mark.
fn lines(name: &str, text: &str, list: &[Shown]) -> String {
    let mut out = format!("{name}\n");
    for one in list {
        let there =
            one.place.map_or("the whole macro".to_owned(), |(start, end)| format!("`{}`", &text[start..end]));
        let word = if one.error { "error" } else { "warning" };
        let message = one.message.replace('\n', "\n        ");
        // Writing to a string does not fail.
        let _ = writeln!(out, "    {word} at {there}: {message}");
    }
    out
}

/// The same is said, at the tokens of the same places.
fn same(of_tokens: &[Shown], of_file: &[Shown], text: &str) -> Result<(), String> {
    let sorted = |list: &[Shown]| {
        let mut list = list.to_vec();
        list.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
        list
    };
    let (of_tokens, of_file) = (sorted(of_tokens), sorted(of_file));
    if of_tokens.len() != of_file.len() {
        return Err(format!("{of_tokens:#?} instead of {of_file:#?}"));
    }
    for (token, file) in of_tokens.iter().zip(&of_file) {
        let there = match (token.place, file.place) {
            (None, None) => true,
            // Where nothing stands, the mark is at the token beside it.
            (Some((start, end)), Some((place, behind))) if place == behind => start <= place && place <= end,
            // A token that is a number and its unit cannot be parted.
            (Some((start, end)), Some((place, behind))) => {
                let whole = |from: usize, to: usize| !text[from..to].contains(char::is_whitespace);
                start <= place && behind <= end && whole(start, place) && whole(behind, end)
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        if token.error != file.error || token.message != file.message || !there {
            return Err(format!("{token:#?} instead of {file:#?}"));
        }
    }
    Ok(())
}

/// The codes of an expansion.
fn codes(text: &str, folder: &Path) -> BTreeSet<String> {
    let tokens: TokenStream = text.parse().expect("tokens");
    shown(&expansion(tokens, folder)).iter().map(|one| one.code().to_owned()).collect()
}

#[test]
fn limits_hold_for_tokens() {
    let none = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long = format!("/// {}\nrule r {{ plastic w; }}", "a".repeat(1 << 20));
    assert!(codes(&long, none).contains(code::SOURCE_TOO_LARGE.id()));
    let mistakes = "rule r { update { @; } }\n".repeat(150);
    assert!(codes(&mistakes, none).contains(code::TOO_MANY_MISTAKES.id()));
    let folder = tempfile::tempdir().expect("a folder");
    for index in 0..300 {
        let text = format!("use \"f{}.rule\";", index + 1);
        std::fs::write(folder.path().join(format!("f{index}.rule")), text).expect("a file");
    }
    assert!(codes("use \"f0.rule\";", folder.path()).contains(code::IMPORT_TOO_LARGE.id()));
}

#[test]
fn a_rule_that_only_waits_for_a_part_is_silent_where_others_follow() {
    let none = Path::new(env!("CARGO_MANIFEST_DIR"));
    let waits = "rule waits { extern synapse eta; plastic w; update { dw += eta; } }";
    let whole = "rule rates { synapse state eta = uniform[synapse](0, 1); update { eta *= 0.5; } } rule all = rates + waits;";
    // Nobody reads the rate of the part that is there for the composition.
    assert_eq!(codes(&format!("{waits} {whole}"), none), BTreeSet::from(["W0102".to_owned()]));
    assert_eq!(codes(waits, none), BTreeSet::from(["E0522".to_owned()]));
}

#[test]
fn what_is_wrong_with_the_macro_itself_is_said() {
    let none = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = |text: &str| {
        let found = shown(&expansion(text.parse().expect("tokens"), none));
        let one = found.first().cloned().expect("an error");
        (one.message, one.place.map(|(start, end)| text[start..end].to_owned()))
    };
    let (message, place) = at("file = \"no/such.rule\"");
    assert!(message.contains("no/such.rule") && message.contains("not found"), "{message}");
    assert_eq!(place.as_deref(), Some("\"no/such.rule\""));
    let (message, place) = at("file = name");
    assert!(message.contains("is the path of a rule file"), "{message}");
    assert_eq!(place.as_deref(), Some("name"));
    let (message, _) = at("file = \"../rules/stdp.rule\"");
    assert!(message.contains("outside"), "{message}");
    let (message, _) = at("use std::stdp;");
    assert!(message.contains("declares no rule"), "{message}");
}
