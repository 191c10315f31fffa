//! Expressions of a rule: what computes a value.

use super::{Domain, ExprId, LocalId, Shape, SiteId, Type, VarId};
use crate::source::Span;
pub use aplysia_math::{Distribution, MathFn};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// What its value is.
    pub ty: Type,
    /// Where its value lives.
    pub shape: Shape,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A literal, `Wide`. Equal bits are equal constants.
    Number(f64),
    /// A literal among integers, `Int`.
    Integer(i64),
    /// A literal condition.
    Boolean(bool),
    /// The present value of a variable; `element` is 0 for a plain one.
    Load {
        /// Which.
        variable: VarId,
        /// Which element of an array.
        element: u32,
    },
    /// A `let` that has been evaluated.
    Local(LocalId),
    /// A value that the step provides.
    Builtin(Builtin),
    /// One operand.
    Unary(UnaryOp, ExprId),
    /// Two operands of one type.
    Binary(BinaryOp, ExprId, ExprId),
    /// A comparison of two operands of one type, not `Bool`; its value is `Bool`.
    Compare(Comparison, ExprId, ExprId),
    /// `condition`, where it holds, where it does not. The condition is `Bool`, the others of one type.
    Select(ExprId, ExprId, ExprId),
    /// `condition`, value: the value where the condition holds, else +0. Unlike a product it does not see the value
    /// where it does not hold. Inside a sum, what is gated off adds nothing.
    Gate(ExprId, ExprId),
    /// One of our own functions; operands and value `Real`, or all `Wide`.
    Math(MathFn, Vec<ExprId>),
    /// An entry of e^M - 1, M being a square matrix of `Wide` expressions in rows (see `math::matrix`); `Wide`. What
    /// equations do over a step is made of these, so that a rule's text holds none.
    Exponential {
        /// All entries of M.
        entries: Vec<ExprId>,
        /// Which entry of the result.
        place: u32,
    },
    /// From one type to another: `Wide` to `Real` rounds once; `Int` to `Real` or `Wide` rounds once; `Bool` to any
    /// gives 0 or 1; any to `Bool` asks whether it is not 0 (a NaN is not 0).
    Convert(ExprId),
    /// A random number. The operands are the distribution's parameters.
    Draw {
        /// The occurrence.
        site: SiteId,
        /// As many as the distribution has.
        parameters: Vec<ExprId>,
    },
    /// A reduction.
    Reduce {
        /// How.
        op: ReduceOp,
        /// Over what.
        over: Over,
        /// Of what.
        body: ExprId,
    },
    /// The running sum over `pre` or `post`: up to and including this element, in index order.
    Scan {
        /// `Domain::Pre` or `Domain::Post`.
        over: Domain,
        /// Of what; lives in `over`.
        body: ExprId,
    },
    /// The value of a presynaptic neuron at a synapse or pair of a spatial group, and +0 in the padding. Only in flows.
    Widen(ExprId),
    /// The value of a pre or post expression some steps ago.
    Past {
        /// Of what.
        body: ExprId,
        /// How long ago, in ms; `Wide` or `Real`.
        delay: ExprId,
        /// The declared upper end of the delay, in ms: a `Wide` constant expression.
        longest: ExprId,
        /// What it was before the first step. In a rule the body itself, as it is at creation; in a flow that value.
        initial: ExprId,
    },
}

/// Values that the step provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// The length of the step in ms, `Wide`.
    Dt,
    /// The end of the step in ms, `Real`: step · dt, computed in f64 and rounded once.
    T,
    /// The number of the step, 1 in the first, `Int`.
    Step,
    /// `Bool`, batched, pre.
    PreSpike,
    /// `Bool`, batched, post.
    PostSpike,
    /// `Int`, pre.
    PreIndex,
    /// `Int`, post.
    PostIndex,
    /// `Int`, global.
    PreCount,
    /// `Int`, global.
    PostCount,
    /// `Int`, global.
    BatchCount,
    /// `Int`, global: how many (pre, post) pairs one synapse serves.
    PairCount,
}

/// Operations on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `Real`, `Wide`, `Int`.
    Negate,
    /// `Bool`.
    Not,
    /// `Real`, `Wide`, `Int`. Clears the sign.
    Abs,
    /// `Real`, `Wide`: correctly rounded.
    Sqrt,
    /// `Real`, `Wide`.
    Floor,
    /// `Real`, `Wide`: halves to even.
    Round,
}

/// Operations on two values of one type, which is also the result's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `Real`, `Wide`, `Int`.
    Add,
    /// `Real`, `Wide`, `Int`.
    Subtract,
    /// `Real`, `Wide`, `Int`.
    Multiply,
    /// `Real`, `Wide`.
    Divide,
    /// `Real`, `Wide`: the exact remainder of the division that truncates, as C's `fmod` and Rust's `%`.
    Remainder,
    /// `if b < a { b } else { a }`; `Real`, `Wide`, `Int`.
    Min,
    /// `if b > a { b } else { a }`; `Real`, `Wide`, `Int`.
    Max,
    /// `Bool`.
    And,
    /// `Bool`.
    Or,
}

/// Comparisons; with a NaN all but `NotEqual` are false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
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
}

/// How a reduction combines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReduceOp {
    /// From +0. If the body, below its gate, is a product, each term is one fma.
    Sum,
    /// From inf, with the language's `min`.
    Min,
    /// From -inf, with the language's `max`.
    Max,
    /// How many hold; the body is `Bool`, the value `Int`.
    Count,
}

/// What a reduction ranges over. `mean` is a sum divided by a count and `std` two reductions: `check` has written
/// them out; `[synapse]` is a reduction over `[post]` inside one over `[pre]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// The pre axis: serial, ascending, in blocks of 256, block results pairwise. A synapse value becomes one per
    /// post, a pre value global.
    Pre,
    /// The post axis, contiguous: 32 lanes (index mod 32), halved 16, 8, 4, 2, 1. A synapse value becomes one per
    /// pre, a post value global.
    Post,
    /// Like `Pre`, over channels.
    PreChannel,
    /// Like `Post`, over channels.
    PostChannel,
    /// The positions of a channel; a neuron value becomes one per channel.
    Position,
    /// The batch: serial, ascending, in blocks of 256, block results pairwise.
    Batch,
    /// The pairs that a shared synapse serves, by position: serial, ascending, in blocks of 256, block results pairwise.
    /// Only in flows: in a rule an increment of a synapse by a value of pairs implies it.
    Pairs,
    /// Blocks of so many consecutive post neurons; the value stays in `post` and each neuron has its block's sum.
    PostBlocks(u32),
}

/// A draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// From what.
    pub distribution: Distribution,
    /// One value per element of this.
    pub shape: Shape,
    /// `RULE.NAME` where a `let` with a stated domain binds the draw alone: the host may give the values.
    pub address: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// A `let`.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// Its name, or a made-up one (`%3`) for a condition.
    pub name: String,
    /// The type of its value.
    pub ty: Type,
    /// Where its value lives.
    pub shape: Shape,
}
