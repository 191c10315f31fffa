//! Loops of scalars over a few statements without a branch: several iterations between two questions whether there is another.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::form::Form;
use super::function::Lower;
use super::vary;
use crate::kernel::{Loop, Stmt};

/// Iterations that are written one after the other.
const COPIES: i64 = 4;
/// A body of more statements is written once.
const STATEMENTS: usize = 20;

impl Lower<'_, '_> {
    /// Whether a loop of scalars is of that kind.
    pub fn is_straight(&self, inner: &Loop) -> bool {
        let plain = inner.carried.is_empty() && inner.exit.is_none() && self.varying.is_none();
        let simple = |stmt: &Stmt| match stmt {
            Stmt::Let(_) | Stmt::Store { .. } => true,
            Stmt::If { .. }
            | Stmt::For(_)
            | Stmt::Reduce(_)
            | Stmt::Tile(_)
            | Stmt::Fill(_)
            | Stmt::Fetch(_) => false,
        };
        plain && inner.body.iter().all(simple) && vary::statements(&inner.body) <= STATEMENTS
    }

    /// Such a loop over `start .. end`, one iteration after another.
    pub fn straight(&mut self, inner: &Loop, start: Value, end: Value) {
        self.wide.leave_loop();
        let count = self.b.ins().isub(end, start);
        let whole = self.b.ins().band_imm_s(count, -COPIES);
        let last = self.b.ins().iadd(start, whole);
        // A range may end before it begins.
        let last = self.b.ins().smax(start, last);
        self.counted(start, last, COPIES, |s, index| {
            for copy in 0..COPIES {
                let index = s.add_constant(index, copy);
                s.set(inner.index, Form::Scalar(index));
                s.block(&inner.body);
            }
        });
        self.counted(last, end, 1, |s, index| {
            s.set(inner.index, Form::Scalar(index));
            s.block(&inner.body);
        });
    }
}
