//! Our own functions and random numbers, one formula for all back ends.

pub mod real;

pub use real::Real;

use crate::ir::{Distribution, MathFn};
use crate::kernel::build::KernelBuilder;
use crate::kernel::{Random, ValueId};

/// The value of one of our functions, with the bits that every back end gives.
pub fn evaluate<R: Real>(_function: MathFn, _arguments: &[R]) -> R {
    unreachable!("replaced by the expansions")
}

/// Where a random number comes from: everything but the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The group's seed.
    pub seed: u64,
    /// The step; 0 at creation.
    pub step: u64,
    /// The number of the site in the composed rule.
    pub site: u32,
    /// How often the block has run in this step.
    pub run: u32,
    /// The logical row, or 0.
    pub row: u64,
    /// The logical column, or 0.
    pub column: u64,
}

/// A number from a distribution; `Bernoulli` gives 0 or 1.
pub fn draw<R: Real>(_distribution: Distribution, _parameters: &[R], _stream: &Stream) -> R {
    unreachable!("replaced by the expansions")
}

/// Writes a draw into a kernel; `Bernoulli` gives a `Bool`. `random.attempt` is ignored.
pub fn emit_draw(
    _builder: &mut KernelBuilder,
    _distribution: Distribution,
    _parameters: &[ValueId],
    _random: &Random,
) -> ValueId {
    unreachable!("replaced by the expansions")
}
