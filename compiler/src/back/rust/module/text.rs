//! Lines of a text, with their depth.

/// A text that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        for _ in 0..self.depth {
            self.out.push_str("    ");
        }
        self.out.push_str(text.as_ref().trim_end());
        self.out.push('\n');
    }

    /// All lines of another text.
    pub(super) fn lines(&mut self, text: &str) {
        text.lines().for_each(|line| self.line(line));
    }

    /// A line that opens braces.
    pub(super) fn open(&mut self, head: impl AsRef<str>) {
        self.line(format!("{} {{", head.as_ref()));
        self.depth += 1;
    }

    /// The line that closes them.
    pub(super) fn close(&mut self) {
        self.close_with("}");
    }

    /// Closes braces and says more.
    pub(super) fn close_with(&mut self, tail: &str) {
        self.depth -= 1;
        self.line(tail);
    }

    /// A line that closes braces and opens others.
    pub(super) fn close_and_open(&mut self, text: &str) {
        self.close_with(text);
        self.depth += 1;
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}
