//! What the host or the rule may ask of the interpreter in vain.

use crate::diag::Diagnostics;

/// Why a machine does not run.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The rule uses what the interpreter does not do.
    #[error("the interpreter does not support {0}")]
    Unsupported(&'static str),
    /// The group is too large.
    #[error("the group has more values than the interpreter holds")]
    TooLarge,
    /// dt is not a positive number.
    #[error("dt is {0} ms; it must be positive and finite")]
    Dt(f64),
    /// The equations cannot be integrated.
    #[error("the equations of the rule cannot be integrated exactly")]
    Equations(Diagnostics),
    /// A batch larger than 1 needs `batch sum;` or `batch mean;`.
    #[error(
        "increments are combined over a batch of {0}, but the rule does not say how: `batch sum;` or `batch mean;`"
    )]
    Batch(usize),
    /// A parameter or input that has no default has not been given.
    #[error("`{0}` has no default and has not been given")]
    Missing(String),
    /// Too few or too many values.
    #[error("`{name}` takes {expected} values, {given} were given")]
    Length {
        /// Of what.
        name: String,
        /// How many it takes.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// `sum[post by n]` where n does not divide the postsynaptic neurons.
    #[error("`[post by {size}]` needs a number of postsynaptic neurons that {size} divides, not {post}")]
    Blocks {
        /// n
        size: u32,
        /// How many neurons there are.
        post: usize,
    },
    /// No such call.
    #[error("the rule has no call `{0}`")]
    UnknownCall(String),
}
