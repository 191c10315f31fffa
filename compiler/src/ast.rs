//! The syntax tree: what the author wrote, with a span on every node.
//!
//! The parser makes it, the formatter prints it back, and `check` reads it. Names are not resolved, units are
//! words, and nothing has been simplified. Trees are boxed; the parser bounds their depth (brackets and
//! operator chains together) before it builds them, so that walking and dropping them by recursion is safe.

#![allow(
    clippy::large_enum_variant,
    reason = "a file has few items, and boxes would only stand between the reader and the tree"
)]

mod expr;

pub use expr::*;

use crate::source::{FileId, Span};

/// A name as it stands in the text, after `µ` (U+00B5) has become `μ` (U+03BC).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The letters.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// `stdp.x`, `std::stdp`, or a single name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// At least one.
    pub segments: Vec<Name>,
    /// From the first to the last segment.
    pub span: Span,
}

impl Path {
    /// The name, if the path is a single one.
    pub fn single(&self) -> Option<&Name> {
        match self.segments.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The segments joined by dots.
    pub fn dotted(&self) -> String {
        self.segments.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
    }
}

/// One `///` line, without the slashes and one space after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// The text of the line.
    pub text: String,
    /// The whole line, slashes included.
    pub span: Span,
}

/// A `//` or `/* */` comment; the formatter puts it back beside what follows or precedes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// With its slashes.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A whole file, or the inside of one `plasticity!`.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Which text.
    pub id: FileId,
    /// In the order written.
    pub items: Vec<Item>,
    /// In the order written; doc comments are not among them.
    pub comments: Vec<Comment>,
}

/// What may stand at the top of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `use std::stdp;` or `use "my/rules.rule";`
    Use(Use),
    /// `fn soft(w, lo, hi) = …;`
    Fn(Function),
    /// `const k = …;`
    Const(Declaration),
    /// `rule … { … }` or `rule … = … + …;`
    Rule(Rule),
}

/// An import.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// What is imported.
    pub target: UseTarget,
    /// The whole item.
    pub span: Span,
}

/// What a `use` names.
#[derive(Clone, Debug, PartialEq)]
pub enum UseTarget {
    /// `std::stdp`.
    Path(Path),
    /// A file, relative to the one that imports it; the text between the quotes and its place.
    File(Name),
}

/// `fn NAME(a, b) = expression;`
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its documentation.
    pub docs: Vec<Doc>,
    /// Its name.
    pub name: Name,
    /// Its arguments.
    pub parameters: Vec<Name>,
    /// Its value.
    pub body: Expr,
    /// The whole item.
    pub span: Span,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its documentation.
    pub docs: Vec<Doc>,
    /// Its name.
    pub name: Name,
    /// Its content.
    pub body: RuleBody,
    /// The whole item.
    pub span: Span,
}

/// The two forms of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleBody {
    /// `rule r { … }`
    Items(Vec<RuleItem>),
    /// `rule r = { param tau = 20 ms; } stdp(tau_plus = tau) + dale;`
    Composition {
        /// Declarations that the parts' arguments may use.
        declarations: Vec<Declaration>,
        /// At least one.
        parts: Vec<Part>,
    },
}

/// One part of a composition.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The rule.
    pub rule: Path,
    /// `name = value` pairs.
    pub arguments: Vec<Argument>,
    /// `as NAME`.
    pub alias: Option<Name>,
    /// The whole part.
    pub span: Span,
}

/// `tau_plus = 10 ms`, `w = b`, `bound = soft` or `eta = fuzzy_lr.eta`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// What is set.
    pub name: Path,
    /// To what; what it means depends on what is set.
    pub value: Expr,
    /// Both.
    pub span: Span,
}

/// What may stand in a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleItem {
    /// A declaration.
    Declaration(Declaration),
    /// A function.
    Fn(Function),
    /// `dx/dt = …;`
    Equation(Equation),
    /// `solver rk4;`
    Solver(Name, Span),
    /// `batch mean;`
    Batch(Name, Span),
    /// `apply every 100 steps;` or `apply on call learn;`
    Apply(When, Span),
    /// A `for` around equations.
    For(For<RuleItem>),
    /// A block of statements with what starts it.
    Handler(Handler),
}

/// A word in front of a declared name.
#[derive(Clone, Debug, PartialEq)]
pub struct Modifier {
    /// Which.
    pub kind: ModifierKind,
    /// Where.
    pub span: Span,
}

/// The words that may stand in front of a declared name, in any order; `check` says which go together.
#[derive(Clone, Debug, PartialEq)]
pub enum ModifierKind {
    /// `batched`
    Batched,
    /// `shared`
    Shared,
    /// A domain.
    Domain(Domain),
    /// `param`, `state`, …
    Kind(Kind),
}

/// Where a value lives, as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// `global`
    Global,
    /// `pre`
    Pre,
    /// `post`
    Post,
    /// `pre_channel`
    PreChannel,
    /// `post_channel`
    PostChannel,
    /// `synapse`
    Synapse,
    /// `per w`
    Per(Name),
}

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `param`
    Param,
    /// `const`
    Const,
    /// `option`
    Option,
    /// `state`
    State,
    /// `plastic`
    Plastic,
    /// `input`
    Input,
    /// `output`
    Output,
    /// `extern`
    Extern,
}

/// `post param target: Hz in 0 Hz .. 100 Hz = 5 Hz;`
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Its documentation.
    pub docs: Vec<Doc>,
    /// The words before the name.
    pub modifiers: Vec<Modifier>,
    /// The name; more than one segment is an error that `check` reports.
    pub name: Path,
    /// `[4]`
    pub length: Option<Expr>,
    /// `: mV` or `: int`
    pub unit: Option<UnitExpr>,
    /// `in 0 .. 1` or `in {none, hard, soft}`
    pub range: Option<Range>,
    /// `= 0.01`
    pub value: Option<Expr>,
    /// The whole declaration.
    pub span: Span,
}

/// What stands behind `in`.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// `lo .. hi`, both ends included.
    Between(Expr, Expr),
    /// The values of an option.
    Names(Vec<Name>, Span),
}

/// A unit annotation: `mV`, `1/ms`, `mV^2`, `int`.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitExpr {
    /// `1` or a unit, with a sign that says multiply or divide, and an exponent.
    pub terms: Vec<UnitTerm>,
    /// All of it.
    pub span: Span,
}

/// One factor of a unit annotation.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitTerm {
    /// `1`, `int` or the name of a unit.
    pub name: Name,
    /// The exponent as written, 1 where none is.
    pub exponent: i32,
    /// Whether a `/` stands before it.
    pub divide: bool,
}

/// `dx/dt = …;` or `du[k]/dt = …;`
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    /// Its documentation; allowed and kept.
    pub docs: Vec<Doc>,
    /// The variable's name, without the letter d; its span covers the whole of `dx`.
    pub variable: Name,
    /// `[k]`
    pub index: Option<Expr>,
    /// The right-hand side.
    pub value: Expr,
    /// The whole item.
    pub span: Span,
}

/// `for k in 0 .. 4 { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct For<T> {
    /// The index.
    pub variable: Name,
    /// First.
    pub start: Expr,
    /// One past the last.
    pub end: Expr,
    /// What is repeated.
    pub body: Vec<T>,
    /// All of it.
    pub span: Span,
}

/// A block with its head.
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    /// Its documentation; allowed and kept.
    pub docs: Vec<Doc>,
    /// When it runs.
    pub head: Head,
    /// The words of the head.
    pub head_span: Span,
    /// What it does.
    pub body: Block,
    /// All of it.
    pub span: Span,
}

/// When a block runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// `on pre`, `on pre after d`
    OnPre(Option<Expr>),
    /// `on post`, `on post after d`
    OnPost(Option<Expr>),
    /// `on create`
    OnCreate,
    /// `on call name`, `every 100 steps`
    When(When),
    /// `update`
    Update,
    /// `modulate`
    Modulate,
    /// `apply`
    Apply,
    /// `constrain`
    Constrain,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// `on call name`
    Call(Name),
    /// `every 100 steps` (`steps` is true) or `every 10 s`.
    Every {
        /// The period.
        period: Expr,
        /// Whether it counts steps.
        steps: bool,
    },
}

/// `{ … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// In the order written.
    pub statements: Vec<Statement>,
    /// With its braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// All of it.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let u = …;`
    Let {
        /// The name.
        name: Name,
        /// Its value.
        value: Expr,
    },
    /// `x += …;`
    Assign {
        /// What is written.
        target: Path,
        /// `[k]`
        index: Option<Expr>,
        /// How.
        operator: AssignOperator,
        /// With what.
        value: Expr,
    },
    /// `if c { … } else { … }`; an `else if` is an `else` block that holds one `if`.
    If {
        /// The condition.
        condition: Expr,
        /// Where it holds.
        then: Block,
        /// Where it does not.
        otherwise: Option<Block>,
    },
    /// `match option { a => { … }, b => { … } }`
    Match {
        /// The option.
        option: Name,
        /// Value and block.
        arms: Vec<(Name, Block)>,
    },
    /// `for k in 0 .. 4 { … }`
    For(For<Statement>),
}

/// `=`, `+=` …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssignOperator {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Subtract,
    /// `*=`
    Multiply,
    /// `/=`
    Divide,
}
