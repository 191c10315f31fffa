//! Every file of `tests/in/err` and `tests/in/warn`: the code that its name begins with is found, and what people see
//! is a snapshot. Every code of a rule's text has a file, and every code an explanation.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use aplysia_compiler::check::step_warnings;
use aplysia_compiler::diag::code;
use aplysia_compiler::diag::render::render_all;
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader};
use aplysia_compiler::parse::parse;
use aplysia_compiler::pass::integrate::integrate;
use aplysia_compiler::source::Sources;
use libtest_mimic::{Failed, Trial};

use crate::machine::Shipped;
use crate::{files, read, snapshot, stem};

/// One trial a file, and one for all codes.
pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = cases()
        .into_iter()
        .map(|path| Trial::test(format!("diagnostics::{}", stem(&path)), move || case(&path)))
        .collect();
    trials.push(Trial::test("diagnostics::limits", limits));
    trials.push(Trial::test("diagnostics::codes_have_cases", codes_have_cases));
    trials.push(Trial::test("diagnostics::codes_have_explanations", codes_have_explanations));
    for path in files("tests/in/ok", &["rule"]) {
        trials.push(Trial::test(format!("diagnostics::ok::{}", stem(&path)), move || in_order(&path)));
    }
    trials
}

/// The files with something to say about them.
pub fn cases() -> Vec<PathBuf> {
    let found = [files("tests/in/err", &["rule"]), files("tests/in/warn", &["rule"])].concat();
    // What stands in a folder below is imported by the others.
    let direct = |path: &PathBuf| {
        path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "err" || folder == "warn")
    };
    found.into_iter().filter(direct).collect()
}

/// Files beside the root, and the shipped rules.
struct Beside(PathBuf);

impl Loader for Beside {
    fn load(&self, importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        match target {
            Import::Shipped(_) => Shipped.load(importer, target),
            Import::File(name) => {
                let mut path = PathBuf::from(importer);
                path.pop();
                for step in Path::new(name).components() {
                    match step {
                        Component::Normal(part) => path.push(part),
                        Component::CurDir => {}
                        Component::ParentDir if path.pop() => {}
                        Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                            return Err(LoadError::OutsideRoot);
                        }
                    }
                }
                let name = path.to_string_lossy().into_owned();
                match std::fs::read_to_string(self.0.join(&path)) {
                    Ok(text) => Ok(Loaded { name, text }),
                    Err(error) if error.kind() == ErrorKind::NotFound => Err(LoadError::NotFound),
                    Err(_) => Err(LoadError::Other("it is a folder".to_owned())),
                }
            }
        }
    }

    fn shipped(&self) -> Vec<String> {
        Shipped.shipped()
    }
}

/// A file's library, and everything that is found in it: by checking each rule, or by finishing the last one and
/// integrating its equations with a step of 1 ms.
fn found(path: &Path) -> (Library, aplysia_compiler::diag::Diagnostics) {
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (library, _) = Library::load(&name, &read(path), &Beside(folder));
    let mut found = library.check();
    if !found.has_errors() {
        match library.elaborate(None, &Default::default()) {
            Err(more) => found.append(more),
            Ok(elaborated) => {
                found.append(step_warnings(&elaborated.rule, 1.0));
                if let Err(more) = integrate(&elaborated.rule) {
                    found.append(more);
                }
            }
        }
        found.sort();
    }
    (library, found)
}

fn case(path: &Path) -> Result<(), Failed> {
    let (library, found) = found(path);
    let name = stem(path);
    let text = render_all(library.sources(), &found, false);
    let wanted = name.split('_').next().unwrap_or_default();
    // A mistake may bring others about, before it or behind it.
    if !found.iter().any(|one| one.code.id() == wanted) {
        return Err(format!("{wanted} is not among what is found:\n{text}").into());
    }
    snapshot::check("diag", &name, &text);
    Ok(())
}

fn in_order(path: &Path) -> Result<(), Failed> {
    let mut sources = Sources::new();
    let file = sources.add(stem(path), read(path));
    let (_, found) = parse(&sources, file);
    if found.is_empty() { Ok(()) } else { Err(render_all(&sources, &found, false).into()) }
}

/// What no file of a sensible size shows: limits. Those on the parser's work and on imports have tests of their own
/// beside the parser and the library.
const LIMITS: [&str; 4] = ["E0101", "E0123", "E0124", "E0503"];

fn limits() -> Result<(), Failed> {
    let mistakes = "rule r { update { @; } }\n".repeat(150);
    for (wanted, text) in [("E0101", " ".repeat((1 << 20) + 1)), ("E0123", mistakes)] {
        let (library, _) = Library::load("limit", &text, &Shipped);
        if !library.check().iter().any(|one| one.code.id() == wanted) {
            return Err(format!("{wanted} is not found").into());
        }
    }
    Ok(())
}

fn codes_have_cases() -> Result<(), Failed> {
    let cases: BTreeSet<String> =
        cases().iter().map(|path| stem(path).split('_').next().unwrap_or_default().to_owned()).collect();
    let of_texts = |id: &str| {
        ["E01", "E02", "E03", "E04", "E05", "E06", "E07", "W01"].iter().any(|start| id.starts_with(start))
    };
    let missing: Vec<String> = code::all()
        .map(|code| code.id().to_owned())
        .filter(|id| of_texts(id) && !cases.contains(id) && !LIMITS.contains(&id.as_str()))
        .collect();
    let unknown: Vec<&String> = cases.iter().filter(|id| code::Code::find(id).is_none()).collect();
    if missing.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    Err(format!("codes without a case: {missing:?}; cases of no code: {unknown:?}").into())
}

fn codes_have_explanations() -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    for code in code::all() {
        if !seen.insert(code.id()) {
            return Err(format!("{code} is there twice").into());
        }
        let info = code.0;
        if info.title.is_empty() || info.explanation.len() < 30 {
            return Err(format!("{code} has no title, or no explanation").into());
        }
    }
    Ok(())
}
