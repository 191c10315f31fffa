//! Formulas written into a kernel.

use std::cell::RefCell;

use crate::kernel::build::KernelBuilder;
use crate::kernel::{
    Binary, Carried, Compare, Constant, Conversion, Loop, LoopKind, Op, Precision, Stmt, Type, Unary, ValueId,
};
use aplysia_math::arith::{Arithmetic, Words};

/// Writes into the block that is open.
pub(super) struct Emit<'a> {
    builder: RefCell<&'a mut KernelBuilder>,
    precision: Precision,
}

impl<'a> Emit<'a> {
    pub(super) fn new(builder: &'a mut KernelBuilder, precision: Precision) -> Self {
        Self { builder: RefCell::new(builder), precision }
    }

    fn float_type(&self) -> Type {
        Type::real(self.precision)
    }

    fn int_type(&self) -> Type {
        self.pick(Type::I32, Type::I64)
    }

    fn int_literal(&self, value: i64) -> Constant {
        self.pick(Constant::I32(value as i32), Constant::I64(value))
    }

    /// Adds an operation of the kernel IR.
    pub(super) fn op(&self, ty: Type, op: Op) -> ValueId {
        self.builder.borrow_mut().op(ty, op)
    }

    fn unary(&self, op: Unary, a: ValueId) -> ValueId {
        self.builder.borrow_mut().unary(op, a)
    }

    fn binary(&self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        self.builder.borrow_mut().binary(op, a, b)
    }

    fn compare(&self, op: Compare, a: ValueId, b: ValueId) -> ValueId {
        self.op(Type::Bool, Op::Compare(op, a, b))
    }

    fn choose(&self, condition: ValueId, a: ValueId, b: ValueId) -> ValueId {
        self.builder.borrow_mut().select(condition, a, b)
    }

    fn shift(&self, op: Binary, a: ValueId, count: u32) -> ValueId {
        let count = self.int(count.into());
        self.binary(op, a, count)
    }

    fn shift_word(&self, op: Binary, a: ValueId, count: u32) -> ValueId {
        let count = self.word(count);
        self.binary(op, a, count)
    }

    /// Converts to `ty`.
    pub(super) fn convert(&self, conversion: Conversion, ty: Type, a: ValueId) -> ValueId {
        self.op(ty, Op::Convert(conversion, a))
    }

    fn defined(&self, ty: Type) -> ValueId {
        self.builder.borrow_mut().defined(ty)
    }
}

impl Words for Emit<'_> {
    type Word = ValueId;

    fn word(&self, value: u32) -> ValueId {
        self.builder.borrow_mut().word(value)
    }
    fn word_add(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Add, a, b)
    }
    fn word_mul(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Multiply, a, b)
    }
    fn word_mul_high(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::MultiplyHigh, a, b)
    }
    fn word_and(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::And, a, b)
    }
    fn word_or(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Or, a, b)
    }
    fn word_xor(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Xor, a, b)
    }
    fn word_shl(&self, a: ValueId, count: u32) -> ValueId {
        self.shift_word(Binary::ShiftLeft, a, count)
    }
    fn word_shr(&self, a: ValueId, count: u32) -> ValueId {
        self.shift_word(Binary::ShiftRight, a, count)
    }
}

impl Arithmetic for Emit<'_> {
    type Float = ValueId;
    type Int = ValueId;
    type Cond = ValueId;

    fn precision(&self) -> Precision {
        self.precision
    }

    fn real(&self, value: f64) -> ValueId {
        let ty = self.float_type();
        self.builder.borrow_mut().real(ty, value)
    }
    fn add(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Add, a, b)
    }
    fn sub(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Subtract, a, b)
    }
    fn mul(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Multiply, a, b)
    }
    fn div(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Divide, a, b)
    }
    fn fma(&self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        self.op(self.float_type(), Op::Fma(a, b, c))
    }
    fn neg(&self, a: ValueId) -> ValueId {
        self.unary(Unary::Negate, a)
    }
    fn abs(&self, a: ValueId) -> ValueId {
        self.unary(Unary::Abs, a)
    }
    fn sqrt(&self, a: ValueId) -> ValueId {
        self.unary(Unary::Sqrt, a)
    }
    fn floor(&self, a: ValueId) -> ValueId {
        self.unary(Unary::Floor, a)
    }
    fn equal(&self, a: ValueId, b: ValueId) -> ValueId {
        self.compare(Compare::Equal, a, b)
    }
    fn less(&self, a: ValueId, b: ValueId) -> ValueId {
        self.compare(Compare::Less, a, b)
    }
    fn select(&self, condition: ValueId, a: ValueId, b: ValueId) -> ValueId {
        self.choose(condition, a, b)
    }

    fn and(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::And, a, b)
    }
    fn or(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Or, a, b)
    }
    fn not(&self, a: ValueId) -> ValueId {
        self.unary(Unary::Not, a)
    }

    fn int(&self, value: i64) -> ValueId {
        self.builder.borrow_mut().constant(self.int_literal(value))
    }
    fn to_bits(&self, a: ValueId) -> ValueId {
        self.convert(Conversion::Bits, self.int_type(), a)
    }
    fn real_from_bits(&self, a: ValueId) -> ValueId {
        self.convert(Conversion::Bits, self.float_type(), a)
    }
    fn int_add(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Add, a, b)
    }
    fn int_sub(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Subtract, a, b)
    }
    fn int_mul(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Multiply, a, b)
    }
    fn int_and(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::And, a, b)
    }
    fn int_or(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Or, a, b)
    }
    fn int_xor(&self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Xor, a, b)
    }
    fn int_shl(&self, a: ValueId, count: u32) -> ValueId {
        self.shift(Binary::ShiftLeft, a, count)
    }
    fn int_shr(&self, a: ValueId, count: u32) -> ValueId {
        self.shift(Binary::ShiftRight, a, count)
    }
    fn int_sar(&self, a: ValueId, count: u32) -> ValueId {
        self.shift(Binary::ShiftRightSigned, a, count)
    }
    fn int_equal(&self, a: ValueId, b: ValueId) -> ValueId {
        self.compare(Compare::Equal, a, b)
    }
    fn int_less(&self, a: ValueId, b: ValueId) -> ValueId {
        self.compare(Compare::Less, a, b)
    }
    fn int_select(&self, condition: ValueId, a: ValueId, b: ValueId) -> ValueId {
        self.choose(condition, a, b)
    }

    fn word_equal(&self, a: ValueId, b: ValueId) -> ValueId {
        self.compare(Compare::Equal, a, b)
    }
    fn word_select(&self, condition: ValueId, a: ValueId, b: ValueId) -> ValueId {
        self.choose(condition, a, b)
    }
    fn word_to_real(&self, a: ValueId) -> ValueId {
        self.convert(Conversion::Unsigned, self.float_type(), a)
    }

    fn repeat(
        &self,
        count: u32,
        initial: [ValueId; 2],
        body: impl Fn(ValueId, [ValueId; 2]) -> ([ValueId; 2], ValueId),
    ) -> [ValueId; 2] {
        let (start, end) = {
            let mut builder = self.builder.borrow_mut();
            (builder.int(0), builder.int(count.into()))
        };
        let index = self.defined(Type::I64);
        let values = initial.map(|_| self.defined(self.float_type()));
        let results = initial.map(|_| self.defined(self.float_type()));
        // The body borrows the builder itself, so the block is opened and closed by hand.
        self.builder.borrow_mut().enter();
        let number = self.convert(Conversion::Value, Type::I32, index);
        let (next, exit) = body(number, values);
        let mut builder = self.builder.borrow_mut();
        let body = builder.leave();
        let carried = (0..2)
            .map(|k| Carried { value: values[k], initial: initial[k], next: next[k], result: results[k] })
            .collect();
        let (start, end, exit) = (Some(start), Some(end), Some(exit));
        builder.push(Stmt::For(Loop { kind: LoopKind::Serial, index, start, end, carried, exit, body }));
        results
    }
}
