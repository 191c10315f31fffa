//! Loops over independent iterations: a vector loop where the body allows it, and a scalar loop over the rest.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::form::{Affine, Form, LANES, Step};
use super::function::Lower;
use super::vary::{self, Varying};
use crate::kernel::Loop;

/// Above this many statements a body is not repeated within an iteration of the vector loop.
const UNROLLED_STATEMENTS: usize = 40;

impl Lower<'_, '_> {
    /// The loop over `start .. end`, in whatever order is fastest.
    pub fn lanes(&mut self, inner: &Loop, start: Value, end: Value) {
        let any = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
        self.when(any, |s| s.lanes_of_some(inner, start, end));
    }

    /// The loop, given that there is an iteration.
    fn lanes_of_some(&mut self, inner: &Loop, start: Value, end: Value) {
        let hoisted = vary::hoistable(self.kernel, inner.index, &inner.body);
        for &value in &hoisted {
            self.define(value);
        }
        let before = self.hoisted.clone();
        self.hoisted.extend(hoisted);
        let varying = match self.options.simd && self.varying.is_none() {
            true => vary::varying(self.kernel, inner.index, &inner.body),
            false => None,
        };
        if self.is_straight(inner)
            && varying.as_ref().is_none_or(|varying| vary::scatters(self.kernel, varying, inner))
        {
            self.straight(inner, start, end);
            self.hoisted = before;
            return;
        }
        let wide_end = varying.as_ref().and_then(|varying| self.wide_loop(inner, start, end, varying));
        let left = match (wide_end, varying) {
            (Some(end), _) => end,
            (None, Some(varying)) => {
                self.wide.leave_loop();
                self.vector_loop(inner, start, end, varying)
            }
            (None, None) => {
                self.own_loop(&inner.body);
                start
            }
        };
        self.counted(left, end, 1, |s, index| {
            s.set(inner.index, Form::Scalar(index));
            s.block(&inner.body);
        });
        self.hoisted = before;
    }

    /// As many iterations as fill vectors, of a loop that has some; the first index that is left.
    fn vector_loop(&mut self, inner: &Loop, start: Value, end: Value, varying: Varying) -> Value {
        let copies = match vary::statements(&inner.body) > UNROLLED_STATEMENTS {
            true => 1,
            false => 1 << self.options.unroll.clamp(1, 8).ilog2(),
        };
        let span = LANES * copies;
        let count = self.b.ins().isub(end, start);
        let whole = self.b.ins().band_imm_s(count, -span);
        let last = self.b.ins().iadd(start, whole);
        self.counted(start, last, span, |s, index| {
            s.varying = Some(varying);
            for copy in 0..copies {
                let affine = Affine { base: index, offset: copy * LANES, step: Step::Constant(1) };
                s.set(inner.index, Form::Affine(affine));
                s.block(&inner.body);
            }
            s.varying = None;
        });
        last
    }
}
