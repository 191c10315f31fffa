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

/// The widest line.
const WIDTH: usize = 110;

/// Lays a text out. `file` must be the tree of `text`, and the text free of syntax errors.
pub fn format(text: &str, file: &File) -> String {
    let mut printer = layout::Printer::new(text, &file.comments);
    printer.file(file);
    printer.finish()
}
