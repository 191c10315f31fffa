//! Indices that grow by one from iteration to iteration.

use crate::kernel::{Binary, Constant, Kernel, Op, ValueId};

/// The loop's index, plus and minus values that are the same in all iterations, plus a constant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Linear {
    pub plus: Vec<ValueId>,
    pub minus: Vec<ValueId>,
    pub constant: i64,
}

impl Linear {
    /// Itself, with a value added or taken away.
    fn with(&self, kernel: &Kernel, value: ValueId, subtract: bool) -> Self {
        let mut sum = self.clone();
        match kernel.values[value].op {
            Op::Constant(Constant::I64(constant)) if subtract => {
                sum.constant = sum.constant.wrapping_sub(constant);
            }
            Op::Constant(Constant::I64(constant)) => sum.constant = sum.constant.wrapping_add(constant),
            _ if subtract => sum.minus.push(value),
            _ => sum.plus.push(value),
        }
        sum
    }

    /// The sum or difference of a linear value and one that is the same in all iterations.
    pub fn of(
        kernel: &Kernel,
        op: Binary,
        (a, linear_a): (ValueId, Option<&Linear>),
        (b, linear_b): (ValueId, Option<&Linear>),
        invariant: impl Fn(ValueId) -> bool,
    ) -> Option<Self> {
        match (op, linear_a, linear_b) {
            (Binary::Add, Some(linear), None) if invariant(b) => Some(linear.with(kernel, b, false)),
            (Binary::Add, None, Some(linear)) if invariant(a) => Some(linear.with(kernel, a, false)),
            (Binary::Subtract, Some(linear), None) if invariant(b) => Some(linear.with(kernel, b, true)),
            _ => None,
        }
    }
}
