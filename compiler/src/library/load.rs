//! Following imports: each file is read and parsed once, and each learns which rules it sees.

use indexmap::IndexMap;

use super::{FileUnit, Library, RulePlace};
use crate::ast;
use crate::check::{Scope, collect_scope};
use crate::diag::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::parse;
use crate::source::{FileId, Sources, Span};

/// How many files one library may read.
const MOST_FILES: usize = 256;
/// How many bytes of text one library may read.
const MOST_BYTES: usize = 16 << 20;
/// How many files, counted along every way that leads to them, one file's scope may be made of.
const MOST_SCOPES: usize = 4096;

/// What a `use` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Import {
    /// The shipped rule of this name: `std::NAME`.
    Shipped(String),
    /// A file, as written between the quotes: relative to the file that imports it.
    File(String),
}

impl Import {
    /// As it is written behind `use`.
    fn written(&self) -> String {
        match self {
            Import::Shipped(name) => format!("std::{name}"),
            Import::File(path) => format!("\"{path}\""),
        }
    }
}

/// A text that a [`Loader`] has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What messages call it, and what tells it from other files: the same file must always have the same name.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Why a [`Loader`] has not read a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no such file or shipped rule.
    #[error("not found")]
    NotFound,
    /// It lies outside the folder that the host allows.
    #[error("outside the allowed folder")]
    OutsideRoot,
    /// It is larger than the host allows.
    #[error("too large")]
    TooLarge,
    /// Anything else, in the host's words.
    #[error("{0}")]
    Other(String),
}

/// Reads imported texts for the compiler, which opens no file itself.
pub trait Loader {
    /// Reads what `target` names, as seen from the file called `importer`.
    ///
    /// # Errors
    /// Where there is no such text, or the host does not allow it.
    fn load(&self, importer: &str, target: &Import) -> Result<Loaded, LoadError>;

    /// The names of all shipped rules, for suggestions.
    fn shipped(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The loader of a host that allows no import.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoImports;

impl Loader for NoImports {
    fn load(&self, _importer: &str, _target: &Import) -> Result<Loaded, LoadError> {
        Err(LoadError::NotFound)
    }
}

/// Parses the root and everything it imports.
pub(super) fn load(name: &str, text: &str, loader: &dyn Loader) -> Library {
    let mut reading = Reading {
        loader,
        sources: Sources::new(),
        names: IndexMap::new(),
        trees: Vec::new(),
        imports: Vec::new(),
        scopes: Vec::new(),
        chain: Vec::new(),
        bytes: text.len(),
        diagnostics: Diagnostics::new(),
    };
    if text.len() > MOST_BYTES {
        let root = reading.sources.add(name, "");
        let message = "the file is larger than 16 MiB";
        reading.diagnostics.push(Diagnostic::new(code::IMPORT_TOO_LARGE, Span::new(root, 0, 0), message));
        reading.trees.push(ast::File { id: root, items: Vec::new(), comments: Vec::new() });
        reading.imports.push(Vec::new());
        reading.scopes.push((Scope::new(), 1));
    } else {
        reading.read(Loaded { name: name.to_owned(), text: text.to_owned() });
    }
    let Reading { sources, trees, imports, scopes, mut diagnostics, .. } = reading;
    let files = scopes.into_iter().enumerate();
    let files = files
        .map(|(index, (scope, _))| {
            let (rules, shipped) = resolve(index, &trees, &imports, &mut diagnostics);
            FileUnit { tree: trees[index].clone(), scope, rules, shipped }
        })
        .collect();
    diagnostics.sort();
    Library { sources, files, diagnostics }
}

/// An import that has been followed.
struct Followed {
    target: Import,
    /// Whether it stands in a `use`, so that its rules can be used by their names alone.
    by_name: bool,
    file: FileId,
    span: Span,
}

/// The state of reading: files are numbered in the order in which they are first met.
struct Reading<'a> {
    loader: &'a dyn Loader,
    sources: Sources,
    names: IndexMap<String, FileId>,
    trees: Vec<ast::File>,
    imports: Vec<Vec<Followed>>,
    /// The functions and constants that each file sees, and of how many files' scopes it is made.
    scopes: Vec<(Scope, usize)>,
    /// The files whose imports are being followed, outermost first.
    chain: Vec<FileId>,
    bytes: usize,
    diagnostics: Diagnostics,
}

impl Reading<'_> {
    /// Parses a text and follows its imports. The recursion is as deep as the longest chain of imports, which the
    /// number of files bounds.
    fn read(&mut self, loaded: Loaded) -> FileId {
        let file = self.sources.add(loaded.name.as_str(), loaded.text);
        self.names.insert(loaded.name, file);
        let (tree, diagnostics) = parse::parse(&self.sources, file);
        self.diagnostics.append(diagnostics);
        let wanted = wanted(&tree, &mut self.diagnostics);
        self.trees.push(tree);
        self.imports.push(Vec::new());
        self.scopes.push((Scope::new(), 1));
        self.chain.push(file);
        for (target, by_name, span) in wanted {
            let known = self.imports[file.0 as usize].iter().find(|followed| followed.target == target);
            let found = match known {
                Some(followed) if followed.by_name || !by_name => continue,
                Some(followed) => Some(followed.file),
                None => self.follow(file, &target, span),
            };
            if let Some(found) = found {
                self.imports[file.0 as usize].push(Followed { target, by_name, file: found, span });
            }
        }
        self.chain.pop();
        self.collect(file);
        file
    }

    /// Collects a file's functions and constants, once its imports are complete. A file that is imported brings its
    /// own along; a shipped rule brings only itself.
    fn collect(&mut self, file: FileId) {
        let index = file.0 as usize;
        let mut seen: Vec<FileId> = Vec::new();
        let mut size = 1;
        for followed in &self.imports[index] {
            if !matches!(followed.target, Import::File(_)) || seen.contains(&followed.file) {
                continue;
            }
            let added = self.scopes[followed.file.0 as usize].1;
            if size + added > MOST_SCOPES {
                let message =
                    format!("{} imports too many files in too many ways", followed.target.written());
                self.diagnostics.push(Diagnostic::new(code::IMPORT_TOO_LARGE, followed.span, message));
                break;
            }
            size += added;
            seen.push(followed.file);
        }
        let imported: Vec<&Scope> = seen.iter().map(|file| &self.scopes[file.0 as usize].0).collect();
        let scope = collect_scope(&self.trees[index], &imported, &mut self.diagnostics);
        self.scopes[index] = (scope, size);
    }

    /// The file behind an import, read if it is new.
    fn follow(&mut self, importer: FileId, target: &Import, span: Span) -> Option<FileId> {
        let name = self.sources.get(importer).name.clone();
        let loaded = match self.loader.load(&name, target) {
            Ok(loaded) => loaded,
            Err(error) => {
                let diagnostic = self.refusal(target, &error, span);
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        if let Some(&file) = self.names.get(&loaded.name) {
            if let Some(start) = self.chain.iter().position(|&open| open == file) {
                self.report_cycle(start, span);
                return None;
            }
            return Some(file);
        }
        if self.names.len() >= MOST_FILES || loaded.text.len() > MOST_BYTES.saturating_sub(self.bytes) {
            let message = format!("{} exceeds the limit of 256 files and 16 MiB of text", target.written());
            self.diagnostics.push(Diagnostic::new(code::IMPORT_TOO_LARGE, span, message));
            return None;
        }
        self.bytes += loaded.text.len();
        Some(self.read(loaded))
    }

    fn refusal(&self, target: &Import, error: &LoadError, span: Span) -> Diagnostic {
        let written = target.written();
        match (error, target) {
            (LoadError::NotFound, Import::Shipped(name)) => {
                let shipped = self.loader.shipped();
                let message = format!("there is no shipped rule `{written}`");
                Diagnostic::new(code::IMPORT_NOT_FOUND, span, message)
                    .maybe_help(did_you_mean(name, shipped.iter().map(String::as_str)))
            }
            (LoadError::NotFound, Import::File(_)) => {
                Diagnostic::new(code::IMPORT_NOT_FOUND, span, format!("the file {written} does not exist"))
                    .help("a path is relative to the file that imports it")
            }
            (LoadError::OutsideRoot, _) => {
                let message = format!("{written} lies outside the folder that imports may come from");
                Diagnostic::new(code::IMPORT_OUTSIDE, span, message)
            }
            (LoadError::TooLarge, _) => {
                Diagnostic::new(code::IMPORT_TOO_LARGE, span, format!("{written} is too large"))
            }
            (LoadError::Other(reason), _) => {
                Diagnostic::new(code::IMPORT_UNREADABLE, span, format!("{written} cannot be read: {reason}"))
            }
        }
    }

    fn report_cycle(&mut self, start: usize, span: Span) {
        let cycle = &self.chain[start..];
        let names = cycle.iter().chain(&cycle[..1]).map(|&file| format!("`{}`", self.sources.get(file).name));
        let chain = names.collect::<Vec<_>>().join(" imports ");
        let message = format!("files import each other: {chain}");
        let diagnostic = Diagnostic::new(code::IMPORT_CYCLE, span, message)
            .help("move what both need into a file that imports neither");
        self.diagnostics.push(diagnostic);
    }
}

/// All imports of a file in the order written: target, whether in a `use`, and place.
fn wanted(tree: &ast::File, diagnostics: &mut Diagnostics) -> Vec<(Import, bool, Span)> {
    let mut wanted = Vec::new();
    for item in &tree.items {
        match item {
            ast::Item::Use(used) => match &used.target {
                ast::UseTarget::File(path) => wanted.push((Import::File(path.text.clone()), true, path.span)),
                ast::UseTarget::Path(path) => match shipped_name(path) {
                    Some(name) => wanted.push((Import::Shipped(name.to_owned()), true, path.span)),
                    None => diagnostics.push(bad_path(path)),
                },
            },
            ast::Item::Rule(rule) => {
                if let ast::RuleBody::Composition { parts, .. } = &rule.body {
                    let shipped =
                        parts.iter().filter_map(|part| Some((shipped_name(&part.rule)?, part.rule.span)));
                    wanted
                        .extend(shipped.map(|(name, span)| (Import::Shipped(name.to_owned()), false, span)));
                }
            }
            ast::Item::Fn(_) | ast::Item::Const(_) => {}
        }
    }
    wanted
}

/// `NAME` of `std::NAME`.
pub(crate) fn shipped_name(path: &ast::Path) -> Option<&str> {
    match path.segments.as_slice() {
        [std, name] if std.text == "std" => Some(&name.text),
        _ => None,
    }
}

fn bad_path(path: &ast::Path) -> Diagnostic {
    let message = format!("`{}` is no import", path.dotted());
    Diagnostic::new(code::IMPORT_NOT_FOUND, path.span, message)
        .help("write `use std::NAME;` for a shipped rule or `use \"FILE.rule\";` for a file")
}

/// The rules that a file declares, with the places of their names.
fn declared(tree: &ast::File) -> impl Iterator<Item = (&ast::Name, RulePlace)> {
    tree.items.iter().enumerate().filter_map(|(item, content)| match content {
        ast::Item::Rule(rule) => Some((&rule.name, RulePlace { file: tree.id, item })),
        ast::Item::Use(_) | ast::Item::Fn(_) | ast::Item::Const(_) => None,
    })
}

/// Rules by the name under which a file sees them.
type Visible = IndexMap<String, RulePlace>;

/// What a file sees by name, and by `std::NAME`: its own rules first, so that messages point at the import that clashes.
fn resolve(
    index: usize,
    trees: &[ast::File],
    imports: &[Vec<Followed>],
    diagnostics: &mut Diagnostics,
) -> (Visible, Visible) {
    let tree = &trees[index];
    let mut rules = Visible::new();
    let mut shipped = Visible::new();
    let mut add = |name: &str, place: RulePlace, span: Span| match rules.get(name) {
        Some(&earlier) if earlier == place => {}
        Some(&earlier) => {
            let first = rule_name(trees, earlier).span;
            let message = format!("two rules are called `{name}` here");
            diagnostics.push(
                Diagnostic::new(code::RULE_TWICE, span, message)
                    .also(first, "the first")
                    .help("rename one of them"),
            );
        }
        None => {
            rules.insert(name.to_owned(), place);
        }
    };
    for (name, place) in declared(tree) {
        add(&name.text, place, name.span);
    }
    let mut missing = Vec::new();
    for followed in &imports[index] {
        let target = &trees[followed.file.0 as usize];
        match &followed.target {
            Import::File(_) => {
                for (name, place) in declared(target) {
                    add(&name.text, place, followed.span);
                }
            }
            Import::Shipped(wanted) => match declared(target).find(|(name, _)| &name.text == wanted) {
                Some((_, place)) if followed.by_name => add(wanted, place, followed.span),
                Some((_, place)) => {
                    shipped.insert(wanted.clone(), place);
                }
                None => missing.push((wanted, followed.span)),
            },
        }
    }
    for (name, span) in missing {
        let message = format!("the shipped file `std::{name}` declares no rule `{name}`");
        diagnostics.push(Diagnostic::new(code::IMPORT_NOT_FOUND, span, message));
    }
    // `std::NAME` stays usable where `use std::NAME;` has been written.
    let used = imports[index].iter().filter(|followed| followed.by_name);
    for followed in used {
        if let Import::Shipped(name) = &followed.target
            && let Some((_, place)) =
                declared(&trees[followed.file.0 as usize]).find(|(declared, _)| &declared.text == name)
        {
            shipped.insert(name.clone(), place);
        }
    }
    (rules, shipped)
}

fn rule_name(trees: &[ast::File], place: RulePlace) -> &ast::Name {
    match &trees[place.file.0 as usize].items[place.item] {
        ast::Item::Rule(rule) => &rule.name,
        ast::Item::Use(_) | ast::Item::Fn(_) | ast::Item::Const(_) => {
            crate::ice!("a rule's place holds no rule")
        }
    }
}
