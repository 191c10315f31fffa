//! The scan before the grammar: one pass over the text that needs no stack.
//!
//! It finds the comments, the tokens (to which messages point), what is wrong with single tokens, and whether
//! the brackets are balanced and, like conditions, nested to a bounded depth. Only a text whose brackets, comments and strings are
//! sound goes on to the grammar, which recurses.

use super::nesting::Nesting;
use crate::ast::Comment;
use crate::diag::{Diagnostic, code};
use crate::source::{FileId, Span};

/// The longest text, in bytes.
pub(super) const MAX_SOURCE: usize = 1 << 20;
/// How deep brackets and conditions, and nested comments, may go.
pub(super) const MAX_NESTING: usize = 64;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Text,
    Doc,
    Symbol,
}

/// One token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The result of a scan.
pub(super) struct Scan {
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    pub(super) problems: Vec<Diagnostic>,
    /// Whether the text must not go to the grammar.
    pub(super) fatal: bool,
}

/// Scans a text of at most [`MAX_SOURCE`] bytes.
pub(super) fn scan(text: &str, file: FileId) -> Scan {
    let result = Scan { tokens: Vec::new(), comments: Vec::new(), problems: Vec::new(), fatal: false };
    let mut scanner =
        Scanner { text, bytes: text.as_bytes(), file, at: 0, nesting: Nesting::default(), result };
    while scanner.at < text.len() && !scanner.result.fatal {
        scanner.step();
    }
    scanner.finish()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    file: FileId,
    at: usize,
    nesting: Nesting,
    result: Scan,
}

const SYMBOLS: &[&str] =
    &["&&", "||", "==", "!=", "<=", ">=", "=>", "+=", "-=", "*=", "/=", "..", "::", "**", ":=", "++", "--"];

impl Scanner<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn token(&mut self, kind: Kind, end: usize) {
        self.result.tokens.push(Token { kind, start: self.at, end });
        self.at = end;
    }

    fn step(&mut self) {
        let Some(letter) = self.rest().chars().next() else { return };
        match letter {
            ' ' | '\t' | '\r' | '\n' => self.at += 1,
            '/' if self.rest().starts_with("//") => self.line_comment(),
            '/' if self.rest().starts_with("/*") => self.block_comment(),
            '"' => self.string(),
            '0'..='9' => self.number(),
            '.' if self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) => self.leading_point(),
            '(' | '[' | '{' => self.open_bracket(),
            ')' | ']' | '}' => self.close_bracket(letter),
            _ if letter == '_' || letter.is_alphabetic() => self.word(),
            '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>' | '&' | '|' | ';' | ',' | '.' | ':'
            | '?' => {
                if letter == ';' {
                    self.nesting.end_statement();
                }
                let long = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol));
                self.token(Kind::Symbol, self.at + long.map_or(1, |symbol| symbol.len()));
            }
            '#' if self.rest()[1..].trim_start().starts_with('[') => self.token(Kind::Symbol, self.at + 1),
            _ => self.strange(letter),
        }
    }

    fn line_end(&self) -> usize {
        self.rest().find('\n').map_or(self.text.len(), |length| self.at + length)
    }

    fn line_comment(&mut self) {
        let mut end = self.line_end();
        let rest = self.rest();
        if rest.starts_with("///") && !rest.starts_with("////") {
            self.token(Kind::Doc, end);
            return;
        }
        if self.bytes[..end].ends_with(b"\r") {
            end -= 1;
        }
        let text = self.text[self.at..end].trim_end().to_owned();
        self.result.comments.push(Comment { text, span: self.span(self.at, end) });
        self.at = end;
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0usize;
        let mut deepest = 0;
        let mut at = start;
        while at < self.bytes.len() {
            if self.bytes[at..].starts_with(b"/*") {
                depth += 1;
                at += 2;
            } else if self.bytes[at..].starts_with(b"*/") {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    break;
                }
            } else {
                at += 1;
            }
            deepest = deepest.max(depth);
        }
        if depth > 0 {
            let problem = Diagnostic::new(
                code::UNTERMINATED_COMMENT,
                self.span(start, start + 2),
                "this comment does not end",
            );
            self.stop(problem.label("begins here").help("close it with `*/`; comments nest"));
            return;
        }
        if deepest > MAX_NESTING {
            self.too_deep(start, "comments");
            return;
        }
        let text = self.text[start..at].to_owned();
        self.result.comments.push(Comment { text, span: self.span(start, at) });
        self.at = at;
    }

    fn stop(&mut self, problem: Diagnostic) {
        self.result.problems.push(problem);
        self.result.fatal = true;
    }

    fn too_deep(&mut self, at: usize, what: &str) {
        let problem = Diagnostic::new(
            code::NESTED_TOO_DEEP,
            self.span(at, at + 1),
            format!("{what} are nested more than {MAX_NESTING} deep"),
        );
        self.stop(problem.help("give inner parts a name with `let`"));
    }

    fn string(&mut self) {
        let start = self.at;
        let mut at = start + 1;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(b'\n') | None => return self.unterminated_string(start),
                Some(_) => at += 1,
            }
        }
        self.token(Kind::Text, at + 1);
    }

    /// A raw string, as `#[doc = …]` may hold one.
    fn raw_string(&mut self) {
        let hashes = self.rest()[1..].bytes().take_while(|byte| *byte == b'#').count();
        let body = self.at + 2 + hashes;
        let close = format!("\"{}", "#".repeat(hashes));
        match self.text[body..].find(&close) {
            Some(length) => self.token(Kind::Text, body + length + close.len()),
            None => self.unterminated_string(self.at),
        }
    }

    fn unterminated_string(&mut self, start: usize) {
        let problem = Diagnostic::new(
            code::UNTERMINATED_STRING,
            self.span(start, start + 1),
            "this string does not end",
        );
        self.stop(problem.label("begins here").help("close it with `\"` on the same line"));
    }

    fn word(&mut self) {
        let length = self
            .rest()
            .find(|letter: char| letter != '_' && !letter.is_alphanumeric())
            .unwrap_or(self.rest().len());
        // Superscripts and subscripts are numeric, but no letters of a name.
        let plain = self.rest()[..length].find(is_script_digit).unwrap_or(length);
        if &self.rest()[..plain] == "r" && self.rest()[1..].trim_start_matches('#').starts_with('"') {
            self.raw_string();
            return;
        }
        if matches!(&self.rest()[..plain], "if" | "match") {
            if self.nesting.depth() >= MAX_NESTING {
                self.too_deep(self.at, "conditions");
                return;
            }
            self.nesting.begin_condition();
        }
        self.token(Kind::Word, self.at + plain);
    }

    fn last_token(&self) -> &str {
        self.result.tokens.last().map_or("", |token| &self.text[token.start..token.end])
    }

    fn digits(&self, mut at: usize) -> usize {
        while self.bytes.get(at).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'_') {
            at += 1;
        }
        at
    }

    fn number(&mut self) {
        let start = self.at;
        let mut end = self.digits(start);
        let next = |at: usize| self.bytes.get(at).copied().unwrap_or(b' ');
        if next(end) == b'.' && next(end + 1).is_ascii_digit() {
            end = self.digits(end + 1);
        } else if next(end) == b'.' && next(end + 1) != b'.' {
            let digits = &self.text[start..end];
            let problem = Diagnostic::new(
                code::MALFORMED_NUMBER,
                self.span(start, end + 1),
                "a number cannot end in a point",
            )
            .help(format!("write `{digits}.0` or `{digits}`"));
            self.result.problems.push(problem);
            self.token(Kind::Number, end + 1);
            return;
        }
        if matches!(next(end), b'e' | b'E') {
            let sign = usize::from(matches!(next(end + 1), b'+' | b'-'));
            if next(end + 1 + sign).is_ascii_digit() {
                end = self.digits(end + 1 + sign);
            }
        }
        self.token(Kind::Number, end);
    }

    fn leading_point(&mut self) {
        let end = self.digits(self.at + 1);
        let digits = &self.text[self.at..end];
        let problem = Diagnostic::new(
            code::MALFORMED_NUMBER,
            self.span(self.at, end),
            "a number cannot begin with a point",
        )
        .help(format!("write `0{digits}`"));
        self.result.problems.push(problem);
        self.token(Kind::Number, end);
    }

    fn open_bracket(&mut self) {
        if self.nesting.depth() >= MAX_NESTING {
            self.too_deep(self.at, "brackets");
            return;
        }
        let is_inside = matches!(self.last_token(), "else" | "=>");
        self.nesting.open(self.at, self.bytes[self.at] == b'{' && !is_inside);
        self.token(Kind::Symbol, self.at + 1);
    }

    fn close_bracket(&mut self, letter: char) {
        let here = self.span(self.at, self.at + 1);
        let Some(opened) = self.nesting.close() else {
            let problem = Diagnostic::new(
                code::UNMATCHED_BRACKET,
                here,
                format!("nothing is open for this `{letter}`"),
            );
            self.stop(problem.help("remove it, or open it earlier"));
            return;
        };
        let want = closing(self.bytes[opened]);
        if want != letter {
            let problem = Diagnostic::new(
                code::UNMATCHED_BRACKET,
                here,
                format!("expected `{want}`, found `{letter}`"),
            );
            self.stop(problem.also(self.span(opened, opened + 1), format!("closed by `{want}`")));
            return;
        }
        self.token(Kind::Symbol, self.at + 1);
    }

    /// A character that no token contains, with its like up to the next known one.
    fn strange(&mut self, letter: char) {
        let length: usize = self.rest().chars().take_while(|next| *next == letter).map(char::len_utf8).sum();
        let shown = letter.escape_debug();
        let (message, help): (String, Option<String>) = match letter {
            '\'' => (
                "a derivative is not written with a prime".into(),
                Some("write `dx/dt = …;` for the equation of `x`".into()),
            ),
            '\0' => ("the text contains a NUL character".into(), Some("is this a text file?".into())),
            '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{3000}' => {
                ("the text contains a space of typography".into(), Some("write an ordinary space".into()))
            }
            '\u{feff}' => (
                "the text contains a byte order mark".into(),
                Some("save the file as UTF-8 without one".into()),
            ),
            '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '⁻' => (
                format!("superscript `{letter}` is not understood"),
                Some("write `^2` for the square".into()),
            ),
            '₀'..='₉' => (format!("subscript `{letter}` is not understood"), Some("write `x_1`".into())),
            _ => match known_sign(letter) {
                Some(plain) => (format!("`{letter}` is not understood"), Some(format!("write `{plain}`"))),
                None => (format!("the character `{shown}` has no meaning here"), None),
            },
        };
        let code = if letter == '\'' { code::PRIME_DERIVATIVE } else { code::UNKNOWN_CHARACTER };
        let problem = Diagnostic::new(code, self.span(self.at, self.at + length), message);
        self.result.problems.push(problem.maybe_help(help));
        self.token(Kind::Symbol, self.at + length);
    }

    fn finish(mut self) -> Scan {
        if let (Some(opened), false) = (self.nesting.innermost(), self.result.fatal) {
            let letter = char::from(self.bytes[opened]);
            let problem = Diagnostic::new(
                code::UNMATCHED_BRACKET,
                self.span(opened, opened + 1),
                format!("this `{letter}` is never closed"),
            );
            let want = closing(self.bytes[opened]);
            self.stop(problem.label("opened here").help(format!("add the missing `{want}`")));
        }
        self.result
    }
}

fn closing(open: u8) -> char {
    match open {
        b'(' => ')',
        b'[' => ']',
        _ => '}',
    }
}

fn is_script_digit(letter: char) -> bool {
    matches!(letter, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉')
}

/// What a sign of printed mathematics is written as.
fn known_sign(letter: char) -> Option<&'static str> {
    Some(match letter {
        '×' | '·' | '⋅' | '∗' => "*",
        '÷' | '∕' => "/",
        '−' | '–' | '—' => "-",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '∧' => "&&",
        '∨' => "||",
        '¬' | '~' => "!",
        '∞' => "inf",
        '√' => "sqrt(…)",
        '“' | '”' => "\"",
        '#' => "//",
        _ => return None,
    })
}
