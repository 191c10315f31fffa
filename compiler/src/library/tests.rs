//! Imports, the rules of a file, and the case files of composition: every one is refused with the code in its name.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::{Import, Library, LoadError, Loaded, Loader, NoImports, Settings};
use crate::diag::{Diagnostics, Severity, code, render};

/// Texts by name.
#[derive(Default)]
struct Texts(BTreeMap<String, String>);

impl Texts {
    fn with(mut self, name: &str, text: &str) -> Self {
        self.0.insert(name.to_owned(), text.to_owned());
        self
    }
}

impl Loader for Texts {
    fn load(&self, _importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let name = match target {
            Import::Shipped(name) => format!("std::{name}"),
            Import::File(path) if path == "large.rule" => return Err(LoadError::TooLarge),
            Import::File(path) if path == "broken.rule" => {
                return Err(LoadError::Other("not UTF-8".to_owned()));
            }
            Import::File(path) => path.clone(),
        };
        let text = self.0.get(&name).cloned().ok_or(LoadError::NotFound)?;
        Ok(Loaded { name, text })
    }

    fn shipped(&self) -> Vec<String> {
        self.0.keys().filter_map(|name| name.strip_prefix("std::").map(str::to_owned)).collect()
    }
}

/// The case files, as a host would open them.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&self, importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let Import::File(path) = target else { return Err(LoadError::NotFound) };
        let mut place: Vec<String> = Path::new(importer)
            .parent()
            .into_iter()
            .flat_map(Path::iter)
            .map(|part| part.to_string_lossy().into())
            .collect();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir => {
                    place.pop().ok_or(LoadError::OutsideRoot)?;
                }
                other => place.push(other.as_os_str().to_string_lossy().into()),
            }
        }
        let name = place.join("/");
        let path = self.0.join(&name);
        if !path.exists() {
            return Err(LoadError::NotFound);
        }
        let text =
            std::fs::read_to_string(path).map_err(|error| LoadError::Other(error.kind().to_string()))?;
        Ok(Loaded { name, text })
    }
}

fn ids(diagnostics: &Diagnostics) -> Vec<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.id()).collect()
}

/// Everything that is wrong with a library: its texts, its rules, and its last rule when it is finished.
fn all_wrong(library: &Library) -> Diagnostics {
    let mut found = library.check();
    if let Err(more) = library.elaborate(None, &Settings::default()) {
        found.append(more);
    }
    found
}

#[test]
fn every_case_file_is_refused_with_its_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/in/err");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder of case files")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("E05"))
        .collect();
    names.sort();
    assert!(names.len() > 40, "only {} case files", names.len());
    let mut failures = String::new();
    for code in code::all().map(|code| code.id()).filter(|id| id.starts_with("E05")) {
        // No file of a sensible size exceeds the limits; `the_number_of_files_is_limited` shows this one.
        if code != "E0503" && !names.iter().any(|name| name.starts_with(code)) {
            failures.push_str(&format!("{code} has no case file\n"));
        }
    }
    for name in names {
        let text = std::fs::read_to_string(folder.join(&name)).expect("a case file");
        let (library, _) = Library::load(&name, &text, &Folder(folder.clone()));
        let found = all_wrong(&library);
        let mut errors =
            found.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error).peekable();
        if errors.peek().is_none() || errors.any(|diagnostic| diagnostic.code.id() != &name[..5]) {
            let rendered = render::render_all(library.sources(), &found, false);
            failures.push_str(&format!("{name}: {:?}\n{rendered}\n", ids(&found)));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

const DECAY: &str = "/// Decays.\nrule decay { param rate = 0.1; plastic w; update { dw -= rate * w; } }\n";

#[test]
fn the_rules_of_the_root_are_listed_with_their_docs() {
    let (library, found) = Library::load(
        "r.rule",
        &format!("use std::decay;\n{}", DECAY.replace("decay", "fade")),
        &Texts::default().with("std::decay", DECAY),
    );
    assert!(found.is_empty(), "{:?}", ids(&found));
    let rules = library.rules();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].name, "fade");
    assert_eq!(rules[0].docs, ["Decays."]);
    assert_eq!(library.sources().slice(rules[0].span), "fade");
}

#[test]
fn a_shipped_rule_is_read_once_and_only_when_named() {
    let loader = Texts::default().with("std::decay", DECAY).with("std::other", "rule broken {");
    let text = "use std::decay;\nrule a = decay + std::decay as twice;\nrule b = std::decay;\n";
    let (library, found) = Library::load("r.rule", text, &loader);
    assert!(found.is_empty(), "{:?}", ids(&found));
    assert_eq!(library.sources().iter().count(), 2);
}

#[test]
fn a_name_close_to_a_shipped_rule_is_suggested() {
    let (_, found) = Library::load("r.rule", "use std::decai;", &Texts::default().with("std::decay", DECAY));
    let help: Vec<&str> = found.iter().flat_map(|diagnostic| &diagnostic.help).map(String::as_str).collect();
    assert_eq!(help, ["did you mean `decay`?"]);
}

#[test]
fn a_shipped_file_without_its_rule_is_reported() {
    let loader = Texts::default().with("std::decay", "rule fade { plastic w; update { dw -= w; } }");
    let (_, found) = Library::load("r.rule", "rule r = std::decay;", &loader);
    assert_eq!(ids(&found), ["E0501"]);
}

#[test]
fn what_the_host_refuses_is_reported_in_its_words() {
    let (_, found) = Library::load("r.rule", "use \"large.rule\"; use \"broken.rule\";", &Texts::default());
    assert_eq!(ids(&found), ["E0503", "E0504"]);
    assert!(found.iter().any(|diagnostic| diagnostic.message.contains("not UTF-8")));
    let (_, found) = Library::load("r.rule", "use \"any.rule\";", &NoImports);
    assert_eq!(ids(&found), ["E0501"]);
}

#[test]
fn the_number_of_files_is_limited() {
    let mut loader = Texts::default();
    for index in 0..400 {
        loader = loader.with(&format!("f{index}.rule"), &format!("use \"f{}.rule\";", index + 1));
    }
    let (_, found) = Library::load("r.rule", "use \"f0.rule\";", &loader);
    assert_eq!(ids(&found), ["E0503"]);
}

#[test]
fn imports_that_meet_again_cost_no_exponential_work() {
    let mut loader = Texts::default().with("a40.rule", "").with("b40.rule", "");
    for index in 0..40 {
        let text = format!("use \"a{0}.rule\"; use \"b{0}.rule\";", index + 1);
        loader = loader.with(&format!("a{index}.rule"), &text).with(&format!("b{index}.rule"), &text);
    }
    let (library, found) = Library::load("r.rule", "use \"a0.rule\";", &loader);
    assert_eq!(library.sources().iter().count(), 82);
    assert!(!found.is_empty() && ids(&found).iter().all(|id| *id == "E0503"), "{:?}", ids(&found));
}

#[test]
fn a_cycle_names_its_chain() {
    let loader = Texts::default()
        .with("a.rule", "use \"b.rule\";")
        .with("b.rule", "use \"c.rule\";")
        .with("c.rule", "use \"a.rule\";");
    let (_, found) = Library::load("r.rule", "use \"a.rule\";", &loader);
    let messages: Vec<&str> = found.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages,
        ["files import each other: `a.rule` imports `b.rule` imports `c.rule` imports `a.rule`"]
    );
}

#[test]
fn an_unknown_rule_is_an_error_with_a_suggestion() {
    let (library, _) = Library::load("r.rule", DECAY, &NoImports);
    let found = library.elaborate(Some("decai"), &Settings::default()).err().unwrap_or_default();
    assert_eq!(ids(&found), ["E0507"]);
    assert_eq!(
        found.iter().next().map(|diagnostic| diagnostic.help.clone()),
        Some(vec!["did you mean `decay`?".to_owned()])
    );
}

#[test]
fn the_functions_of_a_used_rule_belong_to_it() {
    let loader = Texts::default()
        .with("a.rule", "const k = 3; fn twice(x) = k * x; rule a { plastic w; update { dw += twice(w); } }");
    let text = "use \"a.rule\"; const k = 5; rule b { plastic w; update { dw += k; } } rule r = a + b;";
    let (library, found) = Library::load("r.rule", text, &loader);
    assert!(found.is_empty(), "{:?}", ids(&found));
    let open = library.open(None, &Settings::default());
    let (rule, _) =
        open.unwrap_or_else(|found| panic!("{}", render::render_all(library.sources(), &found, false)));
    let holds =
        |value: f64| rule.exprs.iter().any(|(_, expr)| expr.kind == crate::ir::ExprKind::Number(value));
    assert!(holds(3.0) && holds(5.0));
}
