//! One canonical layout of a rule text.
//!
//! In goes a text with its syntax tree, out comes the same program laid out: four spaces of indent, lines of at most
//! 110 columns, at most one empty line between things, each comment beside the same neighbour. The layout depends
//! only on the tree, the comments and where empty lines were, so formatting twice changes nothing. A text with errors
//! comes back as it is, because its tree does not hold all of it.

mod expression;
mod item;
mod layout;
mod meaning;
mod statement;
#[cfg(test)]
mod tests;

pub use meaning::same_meaning;

use crate::ast::File;
use crate::source::Sources;

/// The widest line.
const WIDTH: usize = 110;

/// A comment that moves may let its surroundings take their plain layout in the next round; so many rounds suffice
/// for it to settle.
const ROUNDS: usize = 4;

/// Lays a text out. `file` must be the tree of `text`; a text with syntax errors comes back unchanged.
pub fn format(text: &str, file: &File) -> String {
    let (_, problems) = parsed(text);
    if problems {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    let mut file = file.clone();
    for _ in 0..ROUNDS {
        let mut printer = layout::Printer::new(&text, &file.comments);
        printer.file(&file);
        let next = printer.finish();
        let (next_file, problems) = parsed(&next);
        // The promise is kept even where the layout is at fault: rather no change than another meaning.
        if next == text || problems || !same_meaning(&file, &next_file) || lost_comment(&file, &next_file) {
            break;
        }
        (text, file) = (next, next_file);
    }
    text
}

/// The tree of a text and whether anything is wrong with it.
fn parsed(text: &str) -> (File, bool) {
    let mut sources = Sources::new();
    let id = sources.add("", text);
    let (file, problems) = crate::parse::parse(&sources, id);
    (file, problems.has_errors())
}

fn lost_comment(before: &File, after: &File) -> bool {
    !before
        .comments
        .iter()
        .map(|comment| &comment.text)
        .eq(after.comments.iter().map(|comment| &comment.text))
}
