//! The dataflow of one occasion: what a step, a call or the creation does, without statements.
//!
//! A [`Flow`] is made by carrying out the statements of a rule on symbols instead of numbers (`build`). It says, for
//! every place that is written, its value afterwards as one pure expression of the values before: a `Load` here always
//! means the value before. Conditions have become `Select`s, `Let`s are gone, and equal expressions are one node.
//! Since expressions are pure, when and in which kernel one is computed no longer matters; `plan` decides that.
//!
//! Passes (`pass`) rewrite a flow; `print` shows one. A flow is exact: no pass changes a bit.

pub mod build;
pub mod graph;
pub mod print;
pub mod term;

use crate::ir::{ExprId, VarId};
use crate::kernel::Precision;
use crate::source::Span;

pub use graph::Graph;

/// What one occasion does.
#[derive(Clone, Debug)]
pub struct Flow {
    /// All expressions.
    pub graph: Graph,
    /// The places that are written, ordered by variable and element.
    pub writes: Vec<Write>,
    /// Every assignment, in the order of the text: what the place held after it. For explanations only.
    pub trace: Vec<Write>,
    /// The precision that constants are folded in.
    pub precision: Precision,
}

/// A place and its value afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which variable.
    pub variable: VarId,
    /// Which element of an array.
    pub element: u32,
    /// Its value afterwards.
    pub value: ExprId,
    /// The last statement that wrote it.
    pub span: Span,
}
