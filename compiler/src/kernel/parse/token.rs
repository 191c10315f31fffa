//! The tokens of a kernel text, with their lines.

use super::ParseError;
use crate::kernel::words::is_word;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A name between quotes.
    Quoted(String),
    /// A value without a name, with its `%`.
    Unnamed(String),
    /// Digits with what follows them without a space; never with a sign.
    Number(String),
    /// Punctuation.
    Sign(&'static str),
    /// A line of documentation.
    Docs(String),
    /// The end of the text.
    End,
}

/// Punctuation, longer signs first.
const SIGNS: [&str; 27] = [
    "->", "..", "==", "!=", "<=", ">=", "<<", ">>", "{", "}", "[", "]", "(", ")", ",", ";", ":", "=", "<",
    ">", "+", "-", "*", "/", "&", "|", "^",
];

/// All tokens, the last of them `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, u32)>, ParseError> {
    let mut lexer = Lexer { text, at: 0, line: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.spaces();
        let line = lexer.line;
        let token = lexer.token()?;
        match token {
            // Documentation stands before the kernel; anywhere else three slashes are a comment.
            Token::Docs(_) if tokens.iter().any(|(token, _)| !matches!(token, Token::Docs(_))) => {}
            Token::End => {
                tokens.push((token, line));
                return Ok(tokens);
            }
            Token::Docs(_)
            | Token::Word(_)
            | Token::Quoted(_)
            | Token::Unnamed(_)
            | Token::Number(_)
            | Token::Sign(_) => tokens.push((token, line)),
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Skips white space and comments that are no documentation.
    fn spaces(&mut self) {
        loop {
            let byte = self.byte(0);
            if byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.at += 1;
            } else if byte.is_ascii_whitespace() {
                self.at += 1;
            } else if self.rest().starts_with("//") && !self.rest().starts_with("///") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else {
                return;
            }
        }
    }

    /// Takes bytes as long as `accept` holds of them; it accepts ASCII only.
    fn take(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !accept(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn token(&mut self) -> Result<Token, ParseError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if let Some(docs) = rest.strip_prefix("///") {
            let line = &docs[..docs.find('\n').unwrap_or(docs.len())];
            self.at += 3 + line.len();
            return Ok(Token::Docs(line.strip_prefix(' ').unwrap_or(line).to_string()));
        }
        if first.is_ascii_digit() {
            return Ok(Token::Number(self.number()));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Word(self.word()));
        }
        if first == '%' && self.byte(1).is_ascii_digit() {
            self.at += 1;
            let digits = self.take(|byte| byte.is_ascii_digit());
            return Ok(Token::Unnamed(format!("%{digits}")));
        }
        if first == '"' {
            return self.quoted().map(Token::Quoted);
        }
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(ParseError::new(self.line, format!("{first:?} means nothing here"))),
        }
    }

    fn word(&mut self) -> String {
        let mut word = self.take(is_word).to_string();
        while self.byte(0) == b'.' && is_word(self.byte(1)) {
            self.at += 1;
            word.push('.');
            word.push_str(self.take(is_word));
        }
        word
    }

    fn number(&mut self) -> String {
        let start = self.at;
        if self.rest().starts_with("0x") {
            self.take(is_word);
            return self.text[start..self.at].to_string();
        }
        self.take(|byte| byte.is_ascii_digit());
        if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
            self.at += 1;
            self.take(|byte| byte.is_ascii_digit());
        }
        let signed = usize::from(matches!(self.byte(1), b'+' | b'-'));
        if self.byte(0) == b'e' && self.byte(1 + signed).is_ascii_digit() {
            self.at += 1 + signed;
        }
        self.take(is_word);
        self.text[start..self.at].to_string()
    }

    /// The inverse of `escape_default`.
    fn quoted(&mut self) -> Result<String, ParseError> {
        let error = |message: &str| ParseError::new(self.line, message);
        let mut name = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((place, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += place + 1;
                    return Ok(name);
                }
                '\n' => break,
                '\\' => name.push(match chars.next().map(|(_, c)| c) {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some(c @ ('"' | '\'' | '\\')) => c,
                    Some('u') => {
                        let digits: String = chars
                            .by_ref()
                            .map(|(_, c)| c)
                            .skip_while(|c| *c == '{')
                            .take_while(|c| *c != '}')
                            .collect();
                        let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                        code.ok_or_else(|| error("no such character"))?
                    }
                    Some(_) | None => return Err(error("no such escape")),
                }),
                c => name.push(c),
            }
        }
        Err(error("the name between quotes does not end on its line"))
    }
}
