//! Expressions as written.

use super::{Domain, Name, Path};
use crate::source::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// All of it, brackets included.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `0.5`, `20 ms`; `2 ms^2` is a power of one
    Number(Number),
    /// `x`, `pre.spike`, `fuzzy_lr.eta`
    Path(Path),
    /// `u[k]`
    Index(Path, Box<Expr>),
    /// `exp(x)`, `sum[pre](w * x)`
    Call {
        /// The function.
        function: Name,
        /// What stands in brackets behind its name.
        over: Option<Over>,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
    /// `[1, 2, 4]`
    Array(Vec<Expr>),
    /// `( e )`: kept, so that the formatter can print what was written.
    Group(Box<Expr>),
    /// `-x`, `!x`
    Unary(UnaryOperator, Box<Expr>),
    /// `a + b`; the operator's place.
    Binary(BinaryOperator, Span, Box<Expr>, Box<Expr>),
    /// `if c { a } else { b }`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match option { a => e, b => e }`
    Match(Name, Vec<(Name, Expr)>),
    /// What could not be parsed, or an operand of it; `check` is silent about it.
    Error,
}

/// A number literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// The digits as written.
    pub text: String,
    /// The value of the digits, without the unit.
    pub value: f64,
    /// Whether it is written without a point and without an exponent.
    pub whole: bool,
    /// The unit and its exponent, which is 1: the square of `2 ms` is a power.
    pub unit: Option<(Name, i32)>,
}

/// What a reduction or a draw ranges over.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// Which.
    pub kind: OverKind,
    /// What stands between the brackets.
    pub span: Span,
}

/// The kinds of [`Over`].
#[derive(Clone, Debug, PartialEq)]
pub enum OverKind {
    /// `[pre]`
    Domain(Domain),
    /// `[batch]`
    Batch,
    /// `[position]`
    Position,
    /// `[post by n]`
    PostBy(Box<Expr>),
}

/// `-` and `!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// The operators between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `^`
    Power,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `&&`
    And,
    /// `||`
    Or,
}

impl BinaryOperator {
    /// How tightly it binds, as in the language reference.
    pub fn level(self) -> u8 {
        match self {
            Self::Power => 7,
            Self::Multiply | Self::Divide | Self::Remainder => 5,
            Self::Add | Self::Subtract => 4,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual => 3,
            Self::And => 2,
            Self::Or => 1,
        }
    }

    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Power => "^",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}
