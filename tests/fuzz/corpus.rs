//! The texts that the driver starts from, and how a text falls into tokens.

use aplysia_tests::{files, read, root};

/// Texts longer than this are not changed further.
pub const MOST_BYTES: usize = 24 * 1024;

/// The shipped rules, the case files and the code blocks of the language reference.
pub fn seeds() -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for folder in ["rules", "tests/in/ok", "tests/in/err", "tests/in/warn", "tests/in/fuzz"] {
        texts.extend(files(folder, &["rule"]).iter().map(|path| read(path)));
    }
    let reference = root().join("docs/language.md");
    if reference.exists() {
        texts.extend(blocks(&read(&reference)));
    }
    // Sketches of many rules in one text are taken apart, so that each rule is a start of its own.
    let parts: Vec<String> = texts.iter().flat_map(|text| rules(text)).collect();
    texts.extend(parts);
    texts.retain(|text| text.len() <= MOST_BYTES);
    texts
}

/// The fenced blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    page.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| Some(block.split_once('\n')?.1.to_owned()))
        .collect()
}

/// Each rule of a text that has several.
fn rules(text: &str) -> Vec<String> {
    let starts: Vec<usize> = text.match_indices("\nrule ").map(|(at, _)| at + 1).collect();
    if starts.is_empty() {
        return Vec::new();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| text[start..end].to_owned()).collect()
}

/// What a token is, as far as changing it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Space, line breaks and comments.
    Space,
    /// A name or a word of the language.
    Name,
    /// A number.
    Number,
    /// Anything else.
    Symbol,
}

/// Takes a text apart; the pieces joined are the text.
pub fn tokens(text: &str) -> Vec<(Kind, &str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = piece(rest, first);
        let (token, after) = rest.split_at(length);
        tokens.push((kind, token));
        rest = after;
    }
    tokens
}

fn piece(rest: &str, first: char) -> (Kind, usize) {
    let until = |stop: fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
    if rest.starts_with("//") {
        (Kind::Space, until(|c| c == '\n'))
    } else if rest.starts_with("/*") {
        (Kind::Space, rest.find("*/").map_or(rest.len(), |end| end + 2))
    } else if first.is_whitespace() {
        (Kind::Space, until(|c| !c.is_whitespace()))
    } else if first.is_ascii_digit() {
        (Kind::Number, number(rest))
    } else if first.is_alphabetic() || first == '_' {
        (Kind::Name, until(|c| !(c.is_alphanumeric() || c == '_')))
    } else {
        let pairs = ["..", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "=>", "::"];
        let pair = pairs.iter().any(|pair| rest.starts_with(pair));
        (Kind::Symbol, if pair { 2 } else { first.len_utf8() })
    }
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let point = byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let exponent = matches!(byte, b'e' | b'E');
        if exponent && matches!(bytes.get(at + 1), Some(b'+' | b'-')) {
            at += 1;
        } else if !(byte.is_ascii_digit() || byte == b'_' || point || exponent) {
            break;
        }
        at += 1;
    }
    at
}
