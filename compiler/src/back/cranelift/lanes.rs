//! Loops over independent iterations: a vector loop where the body allows it, and a scalar loop over the rest.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::form::{Affine, Form, LANES, Step};
use super::function::Lower;
use super::vary::{self, Varying};
use crate::kernel::{Loop, Type};

/// Above this many statements a body is not repeated within an iteration of the vector loop.
const UNROLLED_STATEMENTS: usize = 40;

const INDEX: [(Type, bool); 1] = [(Type::I64, false)];

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
            let form = self.evaluate(value);
            self.set(value, form);
        }
        let before = self.hoisted.clone();
        self.hoisted.extend(hoisted);
        let varying = match self.options.simd && self.varying.is_none() {
            true => vary::varying(self.kernel, inner.index, &inner.body),
            false => None,
        };
        let wide_end = varying.as_ref().and_then(|varying| self.wide_loop(inner, start, end, varying));
        let start = wide_end.unwrap_or(start);
        let (after, _) = self.block_with(&[]);
        let (rest, forms) = self.block_with(&INDEX);
        match varying {
            Some(varying) if wide_end.is_none() => {
                let (last, last_forms) = self.block_with(&INDEX);
                self.vector_loop(inner, start, end, varying, last);
                self.b.switch_to_block(last);
                let index = self.scalar_of(last_forms[0]);
                let more = self.b.ins().icmp(IntCC::SignedLessThan, index, end);
                let arguments = self.arguments(&INDEX, &last_forms);
                self.b.ins().brif(more, rest, &arguments, after, &[]);
            }
            Some(_) => {
                let more = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
                let arguments = self.arguments(&INDEX, &[Form::Scalar(start)]);
                self.b.ins().brif(more, rest, &arguments, after, &[]);
            }
            None => self.jump(rest, &INDEX, &[Form::Scalar(start)]),
        }
        self.b.switch_to_block(rest);
        let index = self.scalar_of(forms[0]);
        self.set(inner.index, forms[0]);
        self.block(&inner.body);
        let next = self.add_constant(index, 1);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, next, end);
        let arguments = self.arguments(&INDEX, &[Form::Scalar(next)]);
        self.b.ins().brif(more, rest, &arguments, after, &[]);
        self.b.switch_to_block(after);
        self.hoisted = before;
    }

    /// As many iterations as fill vectors; goes on at `last` with the first index that is left.
    fn vector_loop(
        &mut self,
        inner: &Loop,
        start: Value,
        end: Value,
        varying: Varying,
        last: cranelift_codegen::ir::Block,
    ) {
        let copies = match vary::statements(&inner.body) > UNROLLED_STATEMENTS {
            true => 1,
            false => 1 << self.options.unroll.clamp(1, 8).ilog2(),
        };
        let span = LANES * copies;
        let count = self.b.ins().isub(end, start);
        let whole = self.b.ins().band_imm_s(count, -span);
        let vector_end = self.b.ins().iadd(start, whole);
        let (head, forms) = self.block_with(&INDEX);
        let any = self.b.ins().icmp(IntCC::SignedLessThan, start, vector_end);
        let arguments = self.arguments(&INDEX, &[Form::Scalar(start)]);
        self.b.ins().brif(any, head, &arguments, last, &arguments);

        self.b.switch_to_block(head);
        let index = self.scalar_of(forms[0]);
        self.varying = Some(varying);
        for copy in 0..copies {
            let affine = Affine { base: index, offset: copy * LANES, step: Step::Constant(1) };
            self.set(inner.index, Form::Affine(affine));
            self.block(&inner.body);
        }
        self.varying = None;
        let next = self.add_constant(index, span);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, next, vector_end);
        let arguments = self.arguments(&INDEX, &[Form::Scalar(next)]);
        self.b.ins().brif(more, head, &arguments, last, &arguments);
    }
}
