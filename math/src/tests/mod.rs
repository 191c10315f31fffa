//! Accuracy, special values, known answers, and strips against one number after another.

mod accuracy;
mod bits;
mod precise;
mod random;
mod special;
mod strip;

use crate::MathFn;
use bits::Bits;

/// The functions of one argument.
const UNARY: [MathFn; 9] = MathFn::UNARY;
