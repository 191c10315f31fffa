//! Rule texts: from files, standard input and the shipped library, with their imports.
//!
//! The compiler opens no file. Here it is decided what it may see: shipped rules, and files inside one folder.

use std::io::Read;
use std::path::{Path, PathBuf};

use aplysia_compiler::compose;
use aplysia_compiler::diag::code;
use aplysia_compiler::ir;
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader, Settings};

use crate::arguments::RuleArguments;
use crate::report::{self, Failure, Outcome};

/// No text is longer.
const MOST_BYTES: u64 = 16 << 20;

/// A text and what to call it.
pub struct Text {
    /// The path as given, `std::NAME` or `<stdin>`.
    pub name: String,
    /// The text.
    pub text: String,
    /// Where it is, if it is a file.
    path: Option<PathBuf>,
}

impl Text {
    /// Reads a file, `-` (standard input) or `std::NAME` (a shipped rule).
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(file: &str) -> Outcome<Self> {
        if file == "-" {
            let text = limited(std::io::stdin().lock());
            let text = text.map_err(|reason| Failure::file(Path::new("standard input"), reason))?;
            return Ok(Self { name: "<stdin>".to_owned(), text, path: None });
        }
        if let Some(name) = file.strip_prefix("std::") {
            return match aplysia_rules::find(name) {
                Some(text) => Ok(Self { name: file.to_owned(), text: text.to_owned(), path: None }),
                None => Err(unknown_shipped(name)),
            };
        }
        let path = Path::new(file);
        let text = read_file(path).map_err(|reason| {
            let failure = Failure::file(path, reason);
            match aplysia_rules::find(file) {
                Some(_) => failure.help(format!("the shipped rule is `std::{file}`")),
                None => failure,
            }
        })?;
        Ok(Self { name: file.to_owned(), text, path: Some(path.to_owned()) })
    }

    /// The text with everything it imports from shipped rules and files of `root`; without one, of the text's own
    /// folder.
    ///
    /// # Errors
    /// Where the folder does not exist. What is wrong with the texts is in the library.
    pub fn library(&self, root: Option<&Path>) -> Outcome<Library> {
        let own = self.path.as_deref().and_then(Path::parent);
        let own = own.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = root.unwrap_or(own);
        let root = root.canonicalize().map_err(|error| Failure::file(root, error))?;
        let folder = Folder { root, first: self };
        Ok(Library::load(&self.name, &self.text, &folder).0)
    }
}

/// A rule that is free of errors.
pub struct Opened {
    /// Its texts.
    pub library: Library,
    /// As the runtime wants it.
    pub open: ir::Rule,
    /// As the planner wants it.
    pub rule: ir::Rule,
}

/// Reads, checks and finishes the rule that a command names. Its warnings are shown.
///
/// # Errors
/// Where the text cannot be read or has errors, which are shown.
pub fn open(arguments: &RuleArguments) -> Outcome<Opened> {
    let library = Text::read(&arguments.file)?.library(arguments.root.as_deref())?;
    let settings = Settings { options: arguments.options.clone() };
    let opened = library.open(arguments.rule.as_deref(), &settings);
    let (open, warnings) = opened.map_err(|found| report::refused(library.sources(), &found))?;
    report::diagnostics(library.sources(), &warnings);
    let rule = compose::finish(open.clone()).map_err(|found| report::refused(library.sources(), &found))?;
    Ok(Opened { library, open, rule })
}

/// The failure of a name that no shipped rule has.
pub fn unknown_shipped(name: &str) -> Failure {
    let failure = Failure::data(code::UNKNOWN_SHIPPED_RULE, format!("there is no shipped rule `{name}`"));
    let known: Vec<&str> = aplysia_rules::all().map(|(name, _)| name).collect();
    failure.nearest(name, known).help("`aplysia list` shows all of them")
}

fn read_file(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    limited(file)
}

fn limited(reader: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err("it is larger than 16 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// Reads shipped rules, and files inside a folder.
struct Folder<'a> {
    /// Without links and `..`.
    root: PathBuf,
    first: &'a Text,
}

impl Loader for Folder<'_> {
    fn load(&self, importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let path = match target {
            Import::Shipped(name) => {
                let text = aplysia_rules::find(name).ok_or(LoadError::NotFound)?;
                return Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() });
            }
            Import::File(path) => path,
        };
        // A shipped rule imports no files.
        if importer.starts_with("std::") {
            return Err(LoadError::OutsideRoot);
        }
        let importer = match &self.first.path {
            Some(first) if importer == self.first.name => first.as_path(),
            // Standard input stands where the program was started.
            None if importer == self.first.name => Path::new("stdin"),
            _ => Path::new(importer),
        };
        let path = importer.parent().unwrap_or(Path::new("")).join(path);
        // Links are followed before the place is judged; a file that does not exist says nothing about others.
        let real = path.canonicalize().map_err(|_| LoadError::NotFound)?;
        if !real.starts_with(&self.root) {
            return Err(LoadError::OutsideRoot);
        }
        let first = self.first.path.as_ref().and_then(|first| first.canonicalize().ok());
        let name = match first {
            Some(first) if first == real => self.first.name.clone(),
            _ => real.to_string_lossy().into_owned(),
        };
        let text = read_file(&real).map_err(LoadError::Other)?;
        Ok(Loaded { name, text })
    }

    fn shipped(&self) -> Vec<String> {
        aplysia_rules::all().map(|(name, _)| name.to_owned()).collect()
    }
}
