//! From tokens to the text of a rule, with the place of each token, and back from places to tokens.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

/// A text, and which token each of its parts was.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// First byte, end, token.
    places: Vec<(usize, usize, Span)>,
    /// Where the last token ends, as line and column.
    end: Option<(usize, usize)>,
}

impl Written {
    /// The text of a macro's content, with spaces and line breaks where it has some.
    pub(crate) fn new(tokens: TokenStream) -> Self {
        let mut written = Self::default();
        written.stream(tokens);
        written
    }

    /// The first and the last token of a part of the text.
    pub(crate) fn spans(&self, start: usize, end: usize) -> (Span, Span) {
        let end = end.max(start + 1);
        let mut inside = self.places.iter().filter(|(from, to, _)| *from < end && start < *to);
        let first = inside.next();
        let last = inside.next_back().or(first);
        match (first, last) {
            (Some((_, _, first)), Some((_, _, last))) => (*first, *last),
            // Behind the last token, or between two: the one before.
            _ => {
                let before = self.places.iter().rev().find(|(_, to, _)| *to <= start);
                let span = before.or(self.places.last()).map_or(Span::call_site(), |(_, _, span)| *span);
                (span, span)
            }
        }
    }

    fn stream(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = tokens.peek()
                        && let Some((text, span)) = documentation(group)
                    {
                        tokens.next();
                        self.documentation(&text, span);
                        continue;
                    }
                    self.put("#", mark.span());
                }
                TokenTree::Punct(mark) => self.put(&mark.as_char().to_string(), mark.span()),
                TokenTree::Ident(name) => self.put(&name.to_string(), name.span()),
                TokenTree::Literal(literal) => self.put(&literal.to_string(), literal.span()),
                TokenTree::Group(group) => self.group(group),
            }
        }
    }

    fn group(&mut self, group: &Group) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.put(open, group.span_open());
        self.stream(group.stream());
        self.put(close, group.span_close());
    }

    fn put(&mut self, text: &str, span: Span) {
        if text.is_empty() {
            return;
        }
        let (begin, end) = (span.start(), span.end());
        let begin = (begin.line, begin.column);
        match self.end {
            Some(last) if last == begin => {}
            Some((line, _)) if line < begin.0 => self.text.push('\n'),
            Some(_) => self.text.push(' '),
            None => {}
        }
        self.end = Some((end.line, end.column));
        let start = self.text.len();
        self.text.push_str(text);
        self.places.push((start, self.text.len(), span));
    }

    /// A doc comment, which comes in as `#[doc = "…"]`.
    fn documentation(&mut self, text: &str, span: Span) {
        for line in text.split('\n') {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            let start = self.text.len();
            self.text.push_str("///");
            self.text.push_str(line.trim_end());
            self.places.push((start, self.text.len(), span));
            self.text.push('\n');
        }
        self.end = None;
    }
}

/// The text of `[doc = "…"]`.
fn documentation(group: &Group) -> Option<(String, Span)> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name), TokenTree::Punct(equals), TokenTree::Literal(literal)]
            if group.delimiter() == Delimiter::Bracket && *name == "doc" && equals.as_char() == '=' =>
        {
            Some((string(&literal.to_string())?, literal.span()))
        }
        _ => None,
    }
}

/// The value of a string literal.
pub(crate) fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let raw = raw.trim_matches('#');
        return Some(raw.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '0' => text.push('\0'),
            'x' => {
                let code: String = letters.by_ref().take(2).collect();
                text.push(char::from(u8::from_str_radix(&code, 16).ok()?));
            }
            'u' => {
                let code: String = letters.by_ref().skip(1).take_while(|&letter| letter != '}').collect();
                text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
            }
            // A line break in the literal, with the spaces that follow.
            '\n' => {
                let rest = letters.as_str().trim_start();
                letters = rest.chars();
            }
            other => text.push(other),
        }
    }
    Some(text)
}
