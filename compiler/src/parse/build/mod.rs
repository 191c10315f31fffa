//! From pest's pairs to the syntax tree.
//!
//! The grammar has decided what the text is; here names, numbers and levels of operators are made of it, and
//! what the grammar let through so that one file can show all its mistakes is reported.

mod expression;
mod item;
mod statement;

pub(super) use item::unit_help;
use pest::error::ErrorVariant;

use super::explain;
use super::grammar::{self, Node, Rule};
use super::scan::Token;
use super::word;
use crate::ast::{Doc, Item, Name, Path};
use crate::diag::{Diagnostic, code};
use crate::source::{FileId, Span};

/// What is known while a tree is built.
pub(super) struct Context<'a> {
    pub(super) text: &'a str,
    pub(super) file: FileId,
    pub(super) tokens: &'a [Token],
    pub(super) problems: Vec<Diagnostic>,
    /// Where single tokens are already known to be wrong.
    pub(super) known: Vec<Span>,
}

impl<'a> Context<'a> {
    pub(super) fn new(text: &'a str, file: FileId, tokens: &'a [Token], problems: Vec<Diagnostic>) -> Self {
        let known = problems.iter().map(|problem| problem.primary.span).collect();
        Self { text, file, tokens, problems, known }
    }

    /// Builds the whole file.
    pub(super) fn file(mut self) -> (Vec<Item>, Vec<Diagnostic>) {
        let items = match grammar::run(Rule::file, self.text) {
            Ok(pair) => self.top_items(pair),
            Err(error) => {
                let at = explain::error_place(&error);
                let message = match &error.variant {
                    ErrorVariant::CustomError { .. } => "the text takes too long to parse",
                    ErrorVariant::ParsingError { .. } => "the text cannot be understood from here on",
                };
                let span = self.span_of(at, at);
                self.problems.push(Diagnostic::new(code::TOO_COMPLEX, span, message));
                Vec::new()
            }
        };
        (items, self.problems)
    }

    pub(super) fn span_of(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// The span of a pair, without the white space that pest leaves at its end.
    pub(super) fn span(&self, pair: &Node<'_>) -> Span {
        let span = pair.as_span();
        let last = self.token_before(span.end()).map_or(span.end(), |token| token.end);
        self.span_of(span.start(), last.clamp(span.start(), span.end()))
    }

    /// The last token that begins before a byte.
    pub(super) fn token_before(&self, at: usize) -> Option<Token> {
        let index = self.tokens.partition_point(|token| token.start < at);
        index.checked_sub(1).and_then(|index| self.tokens.get(index)).copied()
    }

    /// The first token that begins at or behind a byte.
    pub(super) fn token_from(&self, at: usize) -> Option<Token> {
        self.tokens.get(self.tokens.partition_point(|token| token.start < at)).copied()
    }

    pub(super) fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// The children that carry meaning; a missing semicolon among them is reported.
    pub(super) fn children<'t>(&mut self, pair: Node<'t>) -> std::vec::IntoIter<Node<'t>> {
        let mut kept = Vec::new();
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::missing_semicolon => {
                    let at = child.as_span().start();
                    self.missing_semicolon(at);
                }
                rule if is_mark(rule) => {}
                _ => kept.push(child),
            }
        }
        kept.into_iter()
    }

    fn missing_semicolon(&mut self, at: usize) {
        let end = self.token_before(at).map_or(at, |token| token.end);
        let span = self.span_of(end, end);
        let problem =
            Diagnostic::new(code::MISSING_SEMICOLON, span, "expected `;`").label("a `;` is missing here");
        self.report(problem);
    }

    /// Any word as a name.
    pub(super) fn name(&self, pair: &Node<'_>) -> Name {
        Name { text: word::normal(pair.as_str()), span: self.span(pair) }
    }

    /// A word that becomes a name here.
    pub(super) fn declared_name(&mut self, pair: &Node<'_>) -> Name {
        let name = self.name(pair);
        self.refuse_reserved(&name);
        name
    }

    pub(super) fn refuse_reserved(&mut self, name: &Name) {
        let whose = if word::GRAMMAR.contains(&name.text.as_str()) {
            "a word of the language"
        } else if word::RUST.contains(&name.text.as_str()) {
            "a keyword of Rust"
        } else {
            return;
        };
        let problem = Diagnostic::new(
            code::RESERVED_WORD,
            name.span,
            format!("`{}` is {whose} and cannot be a name", name.text),
        );
        self.report(problem.help(format!("call it `{}_` or choose another name", name.text)));
    }

    /// A path of words.
    pub(super) fn path(&mut self, pair: Node<'_>) -> Path {
        let span = self.span(&pair);
        let segments: Vec<Name> = self.children(pair).map(|word| self.name(&word)).collect();
        Path { segments, span }
    }

    /// Takes the documentation lines from the front of a node's children.
    pub(super) fn docs<'t>(
        &mut self,
        children: &mut std::iter::Peekable<std::vec::IntoIter<Node<'t>>>,
    ) -> Vec<Doc> {
        let mut docs = Vec::new();
        while let Some(child) =
            children.next_if(|child| matches!(child.as_rule(), Rule::doc | Rule::doc_attribute))
        {
            self.doc(&child, &mut docs);
        }
        docs
    }

    fn doc(&mut self, pair: &Node<'_>, docs: &mut Vec<Doc>) {
        let span = self.span(pair);
        if pair.as_rule() == Rule::doc {
            let text = pair.as_str().trim_start_matches('/').trim_end();
            docs.push(Doc { text: text.strip_prefix(' ').unwrap_or(text).to_owned(), span });
            return;
        }
        let literal = pair
            .clone()
            .into_inner()
            .find(|child| matches!(child.as_rule(), Rule::string | Rule::raw_string));
        let Some(literal) = literal else { crate::ice!("a documentation attribute without a string") };
        let content = string_content(&literal);
        for line in content.split('\n') {
            let line = line.trim_end();
            docs.push(Doc { text: line.strip_prefix(' ').unwrap_or(line).to_owned(), span });
        }
    }

    /// Reports documentation of what cannot have any.
    pub(super) fn stray_docs(&mut self, docs: &[Doc], what: &str) {
        if let (Some(first), Some(last)) = (docs.first(), docs.last()) {
            let problem = Diagnostic::new(
                code::STRAY_DOCUMENTATION,
                first.span.to(last.span),
                format!("a `///` comment cannot document {what}"),
            );
            self.report(problem.help("begin an ordinary comment with `//`"));
        }
    }
}

/// Words and signs that have done their work.
fn is_mark(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw_use
            | Rule::kw_fn
            | Rule::kw_rule
            | Rule::kw_as
            | Rule::kw_in
            | Rule::kw_for
            | Rule::kw_let
            | Rule::kw_if
            | Rule::kw_else
            | Rule::kw_match
            | Rule::kw_on
            | Rule::kw_call
            | Rule::kw_after
            | Rule::kw_every
            | Rule::kw_steps
            | Rule::kw_solver
            | Rule::kw_batch
            | Rule::kw_per
            | Rule::kw_by
            | Rule::kw_pre
            | Rule::kw_post
            | Rule::kw_create
            | Rule::kw_dt
            | Rule::semicolon
            | Rule::equals
            | Rule::arrow
            | Rule::dots
            | Rule::open_brace
            | Rule::close_brace
            | Rule::open_paren
            | Rule::close_paren
            | Rule::close_bracket
            | Rule::EOI
    )
}

/// What a string literal says.
fn string_content(pair: &Node<'_>) -> String {
    let text = pair.as_str();
    if pair.as_rule() == Rule::raw_string {
        return text[1..].trim_matches('#').trim_start_matches('"').trim_end_matches('"').to_owned();
    }
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let mut content = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            content.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => content.push('\n'),
            Some('t') => content.push('\t'),
            Some('r') => content.push('\r'),
            Some('0') => content.push('\0'),
            Some('u') => {
                let digits: String = letters.by_ref().skip(1).take_while(|letter| *letter != '}').collect();
                content.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some('x') => {
                let digits: String = letters.by_ref().take(2).collect();
                content.extend(u8::from_str_radix(&digits, 16).ok().map(char::from));
            }
            Some(other) => content.push(other),
            None => {}
        }
    }
    content
}

/// The first child, which the grammar guarantees.
pub(super) fn only<'t>(children: &mut impl Iterator<Item = Node<'t>>, what: &str) -> Node<'t> {
    match children.next() {
        Some(child) => child,
        None => crate::ice!("the grammar gave no {what}"),
    }
}
