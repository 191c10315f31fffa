//! What is written into kernels against what is computed.

#[path = "../../../../math/src/tests/bits.rs"]
mod bits;
mod emission;
mod matrix;

use crate::ir::MathFn;
use bits::Bits;

/// The functions of one argument.
const UNARY: [MathFn; 9] = MathFn::UNARY;
