//! Lines, indents, empty lines and comments.

use crate::ast::Comment;
use crate::source::Span;

/// Writes lines and puts the comments back between them.
pub(super) struct Printer<'a> {
    pub(super) text: &'a str,
    comments: &'a [Comment],
    /// How many comments have been written.
    done: usize,
    out: String,
    indent: usize,
    /// The byte behind the last thing written, for empty lines and trailing comments.
    last: usize,
    /// Whether a line has just been opened by a brace, behind which no empty line stands.
    opened: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(text: &'a str, comments: &'a [Comment]) -> Self {
        Self { text, comments, done: 0, out: String::new(), indent: 0, last: 0, opened: true }
    }

    pub(super) fn finish(mut self) -> String {
        self.comments_before(self.text.len());
        self.out
    }

    /// The columns that a line has.
    pub(super) fn room(&self) -> usize {
        super::WIDTH - (4 * self.indent).min(super::WIDTH / 2)
    }

    pub(super) fn deeper(&mut self) {
        self.indent += 1;
        self.opened = true;
    }

    pub(super) fn shallower(&mut self) {
        self.indent -= 1;
        self.opened = false;
    }

    /// Whether any comment lies in a span.
    pub(super) fn has_comment(&self, start: u32, end: u32) -> bool {
        let first = self.comments.partition_point(|comment| comment.span.start < start);
        self.comments.get(first).is_some_and(|comment| comment.span.start < end)
    }

    /// Writes the comments that stand before a byte and an empty line where the text has one.
    pub(super) fn before(&mut self, start: u32) {
        self.comments_before(start as usize);
        self.empty_line(start as usize);
    }

    /// Whether a comment before a byte has not been written yet.
    pub(super) fn has_comment_left(&self, end: u32) -> bool {
        self.comments.get(self.done).is_some_and(|comment| comment.span.start < end)
    }

    /// Writes the comments before a brace, behind which no empty line follows.
    pub(super) fn before_brace(&mut self, end: u32) {
        self.comments_before(end as usize);
    }

    fn comments_before(&mut self, end: usize) {
        while let Some(comment) =
            self.comments.get(self.done).filter(|comment| (comment.span.start as usize) < end)
        {
            self.done += 1;
            let start = comment.span.start as usize;
            // On the line of what was written last, it stays there.
            if self.last > 0 && !self.gap(start).contains('\n') && self.out.ends_with('\n') {
                self.out.pop();
                self.out.push(' ');
                self.out.push_str(&comment.text);
                self.out.push('\n');
            } else {
                self.empty_line(start);
                self.raw(&comment.text);
            }
            self.last = comment.span.end as usize;
            self.opened = false;
        }
    }

    fn gap(&self, start: usize) -> &'a str {
        self.text.get(self.last..start).unwrap_or("")
    }

    fn empty_line(&mut self, start: usize) {
        let lines = self.gap(start).bytes().filter(|byte| *byte == b'\n').count();
        if lines > 1 && !self.opened && !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// One line, or several that a break joins; each is indented.
    pub(super) fn lines(&mut self, lines: &str) {
        for line in lines.split('\n') {
            self.raw(line);
        }
        self.opened = false;
    }

    /// Text that may hold line breaks of its own, indented only at its beginning.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(&"    ".repeat(self.indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Notes that all up to the end of a span has been written.
    pub(super) fn wrote(&mut self, end: u32) {
        self.last = end as usize;
        self.opened = false;
    }

    /// Notes that a brace has been opened.
    pub(super) fn opened(&mut self, end: u32) {
        self.last = end as usize;
    }

    /// What was written between two bytes with comments among it, line by line as its author laid it out.
    pub(super) fn verbatim(&mut self, prefix: &str, span: Span, suffix: &str) {
        let mut out = prefix.to_owned();
        let mut at = span.start as usize;
        while let Some(comment) = self.comments.get(self.done).filter(|comment| comment.span.start < span.end)
        {
            let start = (comment.span.start as usize).max(at);
            self.relay(at, start, &mut out);
            out.push_str(&comment.text);
            at = (comment.span.end as usize).max(start);
            self.done += 1;
        }
        self.relay(at, span.end as usize, &mut out);
        out.push_str(suffix);
        self.raw(&out);
        self.wrote(span.end);
    }

    /// Copies text outside comments with its line breaks, each line indented one level deeper.
    fn relay(&self, start: usize, end: usize, out: &mut String) {
        let text = self.text.get(start..end).unwrap_or("");
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                while out.ends_with([' ', '\t', '\r']) {
                    out.pop();
                }
                out.push('\n');
                out.push_str(&"    ".repeat(self.indent + 1));
                out.push_str(line.trim_start());
            } else {
                out.push_str(line);
            }
        }
    }
}
