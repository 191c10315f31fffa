//! Equations, statements and occasions of a rule: what has an effect.

use super::{Block, ExprId, LocalId, VarId};
use crate::source::Span;

/// `dx/dt = value` (`ty` `Real`).
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    /// A state or a plastic variable.
    pub variable: VarId,
    /// Which element of an array.
    pub element: u32,
    /// The right-hand side, in base units per ms.
    pub value: ExprId,
    /// How it advances.
    pub solver: Solver,
    /// Where it is written.
    pub span: Span,
}

/// How an equation advances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Solver {
    /// Exactly; `pass::integrate` reports equations that have no exact step.
    Exact,
    /// x + dt f
    Euler,
    /// The classical Runge–Kutta method of order 4.
    Rk4,
    /// Exact in the variable's own linear part, with the rest held.
    ExponentialEuler,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Evaluate and keep.
    Let {
        /// Under which name.
        local: LocalId,
        /// What.
        value: ExprId,
        /// Where it is written.
        span: Span,
    },
    /// Write a variable.
    Assign {
        /// Which.
        variable: VarId,
        /// Which element of an array.
        element: u32,
        /// How.
        op: AssignOp,
        /// With what; the variable's type (`Real` for a `Wide` parameter never occurs).
        value: ExprId,
        /// Where it is written.
        span: Span,
    },
    /// Statements under a condition.
    If {
        /// A `Local` of type `Bool`, so that it is evaluated once.
        condition: ExprId,
        /// Where it holds.
        then: Block,
        /// Where it does not.
        otherwise: Block,
        /// Where it is written.
        span: Span,
    },
}

/// How a statement writes. `*=` and `/=` are written out as `Set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssignOp {
    /// The new value.
    Set,
    /// The old value plus; an increment, which may be summed over the pairs and the batch.
    Add,
    /// The old value minus; an increment likewise.
    Subtract,
}

/// A block that the host calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// What it does; constrain follows.
    pub body: Block,
    /// Where it is written.
    pub span: Span,
}

/// A block that runs at certain steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// When.
    pub period: Period,
    /// What it does; constrain follows.
    pub body: Block,
    /// Where it is written.
    pub span: Span,
}

/// A period: the step's number is a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Period {
    /// A `Wide` expression in steps, rounded, at least 1.
    Steps(ExprId),
    /// A `Wide` expression in ms, divided by dt, rounded, at least 1.
    Time(ExprId),
}

/// When the proposals are applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum When {
    /// In every step.
    #[default]
    EveryStep,
    /// In steps that are multiples of the period; `dw` accumulates in between.
    Every(Period),
    /// When the host calls; `dw` accumulates in between.
    Call(String),
}

/// How increments are combined over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchReduction {
    /// `batch sum;`
    Sum,
    /// `batch mean;`
    Mean,
}
