//! From text to the syntax tree.
//!
//! In goes one text of a [`Sources`]; out come a tree and everything that is wrong with the text. The text is
//! scanned first (`scan`), which bounds what the grammar (`rule.pest`) is given; the grammar's parse is turned into
//! the tree (`build`), and what the grammar could not take is explained (`explain`) and left out. No name is
//! resolved here.

mod build;
mod explain;
mod grammar;
mod nesting;
mod scan;
#[cfg(test)]
mod tests;
pub(crate) mod word;

use crate::ast::File;
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::source::{FileId, Sources, Span};

/// After so many diagnostics the rest of a text is not reported.
const MAX_DIAGNOSTICS: usize = 100;

/// Parses one text. The tree holds all that could be understood, whatever the diagnostics say.
///
/// # Panics
/// If the file is of another `Sources`.
pub fn parse(sources: &Sources, file: FileId) -> (File, Diagnostics) {
    let text = &sources.get(file).text;
    let mut tree = File { id: file, items: Vec::new(), comments: Vec::new() };
    if text.len() > scan::MAX_SOURCE {
        let mut list = Diagnostics::new();
        let message = format!("the text is longer than {} KiB", scan::MAX_SOURCE / 1024);
        list.push(Diagnostic::new(code::SOURCE_TOO_LARGE, Span::new(file, 0, 0), message));
        return (tree, list);
    }
    let scan = scan::scan(text, file);
    tree.comments = scan.comments;
    let mut problems = scan.problems;
    if !scan.fatal {
        let context = build::Context::new(text, file, &scan.tokens, problems);
        (tree.items, problems) = context.file();
    }
    (tree, in_order(problems))
}

/// Sorted by place, each once, and not without end.
fn in_order(mut problems: Vec<Diagnostic>) -> Diagnostics {
    problems.sort_by_key(|problem| (problem.primary.span, problem.code));
    problems.dedup();
    let mut list = Diagnostics::new();
    let cut = problems.get(MAX_DIAGNOSTICS).map(|problem| problem.primary.span);
    for problem in problems.into_iter().take(MAX_DIAGNOSTICS) {
        list.push(problem);
    }
    if let Some(span) = cut {
        let message = format!("more than {MAX_DIAGNOSTICS} mistakes; the rest is not shown");
        list.push(Diagnostic::new(code::TOO_MANY_MISTAKES, span, message));
    }
    list
}
