//! Reads the text of a kernel, as `kernel::print` writes it and as people write it in tests.
//!
//! In goes a text with one kernel; out comes the kernel, or the first error with its line. Nothing but the text's
//! own form is checked: names are defined before they are used and only once, lists that belong together are
//! equally long. The rest is for `valid::kernel`.
//!
//! A constant or a scalar may be written wherever a value may; it is defined right before the statement that needs
//! it, unless the block or one around it has it already. `//` begins a comment, `///` above the kernel its
//! documentation. Blocks nest at most [`MAX_DEPTH`] deep.

use std::collections::HashMap;
use std::str::FromStr;

use super::print::base_name;
use super::words::*;
use super::*;

mod operation;
mod statement;
mod token;

#[cfg(test)]
mod tests;

use token::{Token, tokens};

/// How deep blocks nest.
pub const MAX_DEPTH: usize = 64;

/// Why a text is no kernel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// Where, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

impl ParseError {
    fn new(line: u32, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

type Parsed<T> = Result<T, ParseError>;

/// The kernel that a text describes.
///
/// # Errors
/// The first place that does not fit.
pub fn parse(text: &str) -> Result<Kernel, ParseError> {
    let space = Space { kind: SpaceKind::Single, items: Vec::new(), per_block: 1 };
    let kernel = build::KernelBuilder::new("", space).finish();
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        kernel,
        scalars: HashMap::new(),
        buffers: HashMap::new(),
        values: HashMap::new(),
        open: vec![Open::default()],
    };
    parser.kernel()?;
    Ok(parser.kernel)
}

/// What is being read.
struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
    kernel: Kernel,
    scalars: HashMap<String, ScalarId>,
    buffers: HashMap<String, BufferId>,
    values: HashMap<String, ValueId>,
    open: Vec<Open>,
}

/// A block that is being read, with the constants and scalars that were defined in it.
#[derive(Default)]
struct Open {
    block: Block,
    known: HashMap<Op, ValueId>,
}

/// A factor of a length, before the scalars are known.
enum Factor {
    Constant(u64),
    Scalar(String, u32),
}

impl Parser {
    fn kernel(&mut self) -> Parsed<()> {
        while let Token::Docs(line) = self.peek().clone() {
            self.at += 1;
            self.kernel.docs.push(line);
        }
        self.keyword("kernel")?;
        self.kernel.name = self.name()?;
        self.sign(":")?;
        self.kernel.space.kind = self.space_kind()?;
        let items = self.factors()?;
        self.keyword("by")?;
        self.kernel.space.per_block = self.plain_number()?;
        self.sign("{")?;
        let mut shapes = Vec::new();
        loop {
            if self.accept_keyword("scalar") {
                self.scalar_declaration()?;
            } else if self.accept_keyword("buffer") {
                shapes.push(self.buffer_declaration()?);
            } else {
                break;
            }
        }
        self.kernel.space.items = self.extents(items)?;
        for (index, shape) in shapes.into_iter().enumerate() {
            self.kernel.buffers[Handle::from_index(index)].shape = self.extents(shape)?;
        }
        let ending = self.statements()?;
        if let Some(ending) = ending {
            return Err(self.error(format!("`{ending}` ends no loop, branch or reduction here")));
        }
        self.sign("}")?;
        if *self.peek() != Token::End {
            return Err(self.unexpected("the end of the text"));
        }
        self.kernel.body = std::mem::take(&mut self.open[0].block);
        Ok(())
    }

    fn space_kind(&mut self) -> Parsed<SpaceKind> {
        let word = self.word()?;
        Ok(match word.as_str() {
            "single" => SpaceKind::Single,
            "neurons" => SpaceKind::Neurons(self.one_of("a side", find_side)?),
            "channels" => SpaceKind::Channels(self.one_of("a side", find_side)?),
            "rows" => SpaceKind::Rows(self.one_of("which rows", find_rows)?),
            "columns" => SpaceKind::Columns,
            "synapses" => SpaceKind::Synapses,
            "pairs" => SpaceKind::Pairs,
            "tiles" => SpaceKind::Tiles,
            _ => return Err(self.before(format!("`{word}` is no space"))),
        })
    }

    fn scalar_declaration(&mut self) -> Parsed<()> {
        let name = self.name()?;
        self.sign(":")?;
        let ty = self.one_of("a type", find_type)?;
        self.sign(";")?;
        let scalar = self.kernel.scalars.push(Scalar { name: name.clone(), ty });
        match self.scalars.insert(name, scalar) {
            None => Ok(()),
            Some(_) => Err(self.before("a scalar has this name already".to_string())),
        }
    }

    fn buffer_declaration(&mut self) -> Parsed<Vec<Factor>> {
        let name = self.name()?;
        self.sign(":")?;
        let ty = self.one_of("a type", find_type)?;
        let access = self.one_of("`read`, `write` or `read_write`", find_access)?;
        let word = self.word()?;
        let side = if self.is_sign("[") { None } else { Some(self.one_of("a side", find_side)?) };
        let kind = find_buffer_kind(&word, side);
        let kind =
            kind.ok_or_else(|| self.before(format!("`{word}` is no kind of buffer that stands so")))?;
        let shape = self.factors()?;
        self.sign(";")?;
        let buffer =
            self.kernel.buffers.push(Buffer { name: name.clone(), ty, access, kind, shape: Vec::new() });
        match self.buffers.insert(name, buffer) {
            None => Ok(shape),
            Some(_) => Err(self.before("a buffer has this name already".to_string())),
        }
    }

    fn factors(&mut self) -> Parsed<Vec<Factor>> {
        self.sign("[")?;
        let mut factors = Vec::new();
        if self.accept("]") {
            return Ok(factors);
        }
        loop {
            factors.push(if matches!(self.peek(), Token::Number(_)) {
                Factor::Constant(self.plain_number()?)
            } else {
                let line = self.line();
                Factor::Scalar(self.name()?, line)
            });
            if self.accept("]") {
                return Ok(factors);
            }
            self.sign(",")?;
        }
    }

    fn extents(&self, factors: Vec<Factor>) -> Parsed<Vec<Extent>> {
        let extent = |factor| match factor {
            Factor::Constant(count) => Ok(Extent::Constant(count)),
            Factor::Scalar(name, line) => match self.scalars.get(&name) {
                Some(&scalar) => Ok(Extent::Scalar(scalar)),
                None => Err(ParseError::new(line, format!("no scalar is called `{name}`"))),
            },
        };
        factors.into_iter().map(extent).collect()
    }

    fn peek(&self) -> &Token {
        // `End` is the last token and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn next(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].0
    }

    fn line(&self) -> u32 {
        self.tokens[self.at.min(self.tokens.len() - 1)].1
    }

    fn error(&self, message: String) -> ParseError {
        ParseError::new(self.line(), message)
    }

    /// An error about the token that was just read.
    fn before(&self, message: String) -> ParseError {
        ParseError::new(self.tokens[self.at.saturating_sub(1)].1, message)
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        let found = match self.peek() {
            Token::Word(text) | Token::Unnamed(text) | Token::Number(text) => format!("`{text}`"),
            Token::Quoted(text) => format!("{text:?}"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Docs(_) => "documentation".to_string(),
            Token::End => "the end of the text".to_string(),
        };
        self.error(format!("expected {wanted}, found {found}"))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn accept_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(word) if word == keyword);
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.accept_keyword(keyword) { Ok(()) } else { Err(self.unexpected(&format!("`{keyword}`"))) }
    }

    fn word(&mut self) -> Parsed<String> {
        match self.peek() {
            Token::Word(word) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            Token::Quoted(_)
            | Token::Unnamed(_)
            | Token::Number(_)
            | Token::Sign(_)
            | Token::Docs(_)
            | Token::End => Err(self.unexpected("a word")),
        }
    }

    fn one_of<T>(&mut self, wanted: &str, find: impl Fn(&str) -> Option<T>) -> Parsed<T> {
        match self.peek() {
            Token::Word(word) => {
                let found = find(word).ok_or_else(|| self.unexpected(wanted))?;
                self.at += 1;
                Ok(found)
            }
            Token::Quoted(_)
            | Token::Unnamed(_)
            | Token::Number(_)
            | Token::Sign(_)
            | Token::Docs(_)
            | Token::End => Err(self.unexpected(wanted)),
        }
    }

    /// The name of a kernel, buffer or scalar.
    fn name(&mut self) -> Parsed<String> {
        match self.peek() {
            Token::Word(name) if is_reserved(name) => Err(self.unexpected("a name")),
            Token::Word(name) | Token::Quoted(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            Token::Unnamed(_) | Token::Number(_) | Token::Sign(_) | Token::Docs(_) | Token::End => {
                Err(self.unexpected("a name"))
            }
        }
    }

    /// A number without sign and type.
    fn plain_number<T: FromStr>(&mut self) -> Parsed<T> {
        match self.peek() {
            Token::Number(digits) => {
                let number = digits.parse().map_err(|_| self.unexpected("a number in range"))?;
                self.at += 1;
                Ok(number)
            }
            Token::Word(_)
            | Token::Quoted(_)
            | Token::Unnamed(_)
            | Token::Sign(_)
            | Token::Docs(_)
            | Token::End => Err(self.unexpected("a number")),
        }
    }
}
