//! Source texts and places in them.

/// Which text of a [`Sources`] a [`Span`] points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of the bytes `start .. end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        // Source texts are limited to far less than 4 GiB before any span is made.
        Self { file, start: start as u32, end: end as u32 }
    }

    /// The smallest span of one file that holds both; `self` where the files differ.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One text with the name that messages call it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// A path as the user gave it, `std::NAME` for a shipped rule, or `<inline>`.
    pub name: String,
    /// The text itself.
    pub text: String,
}

/// A place as an editor shows it: both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// All texts of one compilation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// No texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(Source { name: name.into(), text: text.into() });
        FileId((self.files.len() - 1) as u32)
    }

    /// The text of a file.
    ///
    /// # Panics
    /// If the file is of another `Sources`.
    pub fn get(&self, file: FileId) -> &Source {
        &self.files[file.0 as usize]
    }

    /// The text that a span covers; empty where the span does not fit.
    pub fn slice(&self, span: Span) -> &str {
        self.files
            .get(span.file.0 as usize)
            .and_then(|source| source.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// The line and column of a byte of a text; a place behind the end is the end.
    ///
    /// # Panics
    /// If the file is of another `Sources`.
    pub fn line_column(&self, file: FileId, offset: u32) -> LineColumn {
        let text = &self.get(file).text;
        let offset = text.floor_char_boundary(offset as usize);
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        LineColumn {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// All texts in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(index, source)| (FileId(index as u32), source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters() {
        let mut sources = Sources::new();
        let file = sources.add("a", "τ = 1;\nxy");
        let place = |offset| sources.line_column(file, offset);
        assert_eq!(place(0), LineColumn { line: 1, column: 1 });
        assert_eq!(place(2), LineColumn { line: 1, column: 2 });
        assert_eq!(place(8), LineColumn { line: 2, column: 1 });
        assert_eq!(place(10), LineColumn { line: 2, column: 3 });
        assert_eq!(place(99), LineColumn { line: 2, column: 3 });
    }
}
