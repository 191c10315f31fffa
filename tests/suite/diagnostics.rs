//! Every file of `tests/in/err` and `tests/in/warn`: the code that its name begins with comes first, and what people see
//! is a snapshot. Every code of a rule's text has a file, and every code an explanation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aplysia_compiler::diag::code;
use aplysia_compiler::diag::render::render_all;
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader};
use libtest_mimic::{Failed, Trial};

use crate::machine::Shipped;
use crate::{files, read, snapshot, stem};

/// One trial a file, and one for all codes.
pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = cases()
        .into_iter()
        .map(|path| Trial::test(format!("diagnostics::{}", stem(&path)), move || case(&path)))
        .collect();
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
            Import::File(name) if name.contains("..") || name.starts_with('/') => Err(LoadError::OutsideRoot),
            Import::File(name) => match std::fs::read_to_string(self.0.join(name)) {
                Ok(text) => Ok(Loaded { name: name.clone(), text }),
                Err(_) => Err(LoadError::NotFound),
            },
        }
    }

    fn shipped(&self) -> Vec<String> {
        Shipped.shipped()
    }
}

/// A file's library, and everything that is found in it: by checking each rule, or by finishing the last.
fn found(path: &Path) -> (Library, aplysia_compiler::diag::Diagnostics) {
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (library, _) = Library::load(&name, &read(path), &Beside(folder));
    let mut found = library.check();
    if !found.has_errors()
        && let Err(more) = library.elaborate(None, &Default::default())
    {
        found.append(more);
        found.sort();
    }
    (library, found)
}

fn case(path: &Path) -> Result<(), Failed> {
    let (library, found) = found(path);
    let name = stem(path);
    let text = render_all(library.sources(), &found, false);
    let wanted = name.split('_').next().unwrap_or_default();
    let Some(first) = found.iter().next() else { return Err("nothing is wrong with it".into()) };
    if first.code.id() != wanted {
        return Err(format!("the first code is {}\n{text}", first.code).into());
    }
    snapshot::check("diag", &name, &text);
    Ok(())
}

fn in_order(path: &Path) -> Result<(), Failed> {
    let (library, found) = found(path);
    if found.has_errors() { Err(render_all(library.sources(), &found, false).into()) } else { Ok(()) }
}

fn codes_have_cases() -> Result<(), Failed> {
    let cases: BTreeSet<String> = cases()
        .iter()
        .map(|path| stem(path).split('_').next().unwrap_or_default().to_owned())
        .collect();
    let of_texts =
        |id: &str| ["E01", "E02", "E03", "E04", "E05", "E06", "E07", "W01"].iter().any(|start| id.starts_with(start));
    let missing: Vec<String> = code::all()
        .map(|code| code.id().to_owned())
        .filter(|id| of_texts(id) && !cases.contains(id))
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
        if info.title.is_empty() || info.explanation.len() < 60 || !info.explanation.contains("```") {
            return Err(format!("{code} has no title, or no explanation with an example").into());
        }
    }
    Ok(())
}
