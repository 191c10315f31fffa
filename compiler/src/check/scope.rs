//! The functions and constants that stand outside rules.
//!
//! Each item remembers the file it comes from, so that what it uses is found there and not where it is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast;
use crate::diag::{Diagnostic, Diagnostics, code};

/// File-level functions and constants that a rule may use: those of its own file, then those of imports.
#[derive(Clone, Debug)]
pub struct Scope {
    items: Vec<ScopeItem>,
    /// What each file sees; the first is the rule's own.
    files: Vec<BTreeMap<String, usize>>,
}

#[derive(Clone, Debug)]
struct ScopeItem {
    item: FileItem,
    file: usize,
}

/// One item.
#[derive(Clone, Debug)]
pub(super) enum FileItem {
    /// `fn`
    Function(Arc<ast::Function>),
    /// `const`
    Constant(Arc<ast::Declaration>),
}

impl Default for Scope {
    fn default() -> Self {
        Self { items: Vec::new(), files: vec![BTreeMap::new()] }
    }
}

impl Scope {
    /// Nothing at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `name` means in `file` (0: the rule's own): its number and the item. Functions and values have names
    /// of their own.
    pub(super) fn find(&self, file: usize, name: &str, function: bool) -> Option<(usize, &FileItem)> {
        let &index = self.files.get(file)?.get(&key(name, function))?;
        Some((index, &self.items[index].item))
    }

    /// The file of an item.
    pub(super) fn file_of(&self, item: usize) -> usize {
        self.items[item].file
    }

    /// The names of functions, or of values, that `file` sees.
    pub(super) fn names(&self, file: usize, function: bool) -> impl Iterator<Item = &str> {
        self.files.get(file).into_iter().flat_map(BTreeMap::keys).filter_map(move |key| {
            match (key.strip_suffix("()"), function) {
                (Some(name), true) => Some(name),
                (None, false) => Some(key.as_str()),
                _ => None,
            }
        })
    }

    fn import(&mut self, other: &Scope) {
        let (items, files) = (self.items.len(), self.files.len());
        let moved =
            other.items.iter().map(|entry| ScopeItem { item: entry.item.clone(), file: entry.file + files });
        self.items.extend(moved);
        for names in &other.files {
            self.files.push(names.iter().map(|(name, index)| (name.clone(), index + items)).collect());
        }
        for (name, index) in &other.files[0] {
            self.files[0].entry(name.clone()).or_insert(index + items);
        }
    }
}

/// Functions and values do not share names: `gamma` may be both.
fn key(name: &str, function: bool) -> String {
    if function { format!("{name}()") } else { name.to_owned() }
}

/// Collects the functions and constants of a file; those of `imports` are visible where the file has none of the
/// name. An import's own scope comes from `collect_scope` as well.
pub fn collect_scope(file: &ast::File, imports: &[&Scope], diagnostics: &mut Diagnostics) -> Scope {
    let mut scope = Scope::new();
    let mut seen: BTreeMap<String, crate::source::Span> = BTreeMap::new();
    for item in &file.items {
        let (name, item, function) = match item {
            ast::Item::Fn(function) => (&function.name, FileItem::Function(Arc::new(function.clone())), true),
            ast::Item::Const(declaration) => match declaration.name.segments.as_slice() {
                [name] => (name, FileItem::Constant(Arc::new(declaration.clone())), false),
                _ => continue,
            },
            ast::Item::Use(_) | ast::Item::Rule(_) => continue,
        };
        super::names::check_declarable(name, function, diagnostics);
        let key = key(&name.text, function);
        if let Some(&first) = seen.get(&key) {
            diagnostics.push(
                Diagnostic::new(
                    code::DUPLICATE_NAME,
                    name.span,
                    format!("`{}` is declared twice", name.text),
                )
                .label("declared again")
                .also(first, "first declared here"),
            );
            continue;
        }
        seen.insert(key.clone(), name.span);
        scope.files[0].insert(key, scope.items.len());
        scope.items.push(ScopeItem { item, file: 0 });
    }
    for import in imports {
        scope.import(import);
    }
    scope
}
