//! Operations on scalars.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Value, types};

use super::form::scalar_type;
use super::function::Lower;
use crate::kernel::{Binary, Compare, Constant, Type, Unary};

/// The condition on floats; with a NaN all but `NotEqual` are false.
pub(super) fn float_condition(compare: Compare) -> FloatCC {
    match compare {
        Compare::Equal => FloatCC::Equal,
        Compare::NotEqual => FloatCC::NotEqual,
        Compare::Less => FloatCC::LessThan,
        Compare::LessEqual => FloatCC::LessThanOrEqual,
        Compare::Greater => FloatCC::GreaterThan,
        Compare::GreaterEqual => FloatCC::GreaterThanOrEqual,
        Compare::Below => crate::ice!("`Below` compares integers"),
    }
}

/// The condition on integers.
pub(super) fn integer_condition(compare: Compare) -> IntCC {
    match compare {
        Compare::Equal => IntCC::Equal,
        Compare::NotEqual => IntCC::NotEqual,
        Compare::Less => IntCC::SignedLessThan,
        Compare::LessEqual => IntCC::SignedLessThanOrEqual,
        Compare::Greater => IntCC::SignedGreaterThan,
        Compare::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
        Compare::Below => IntCC::UnsignedLessThan,
    }
}

impl Lower<'_, '_> {
    /// A literal.
    pub fn constant(&mut self, constant: Constant) -> Value {
        match constant {
            Constant::F32(bits) => self.b.ins().f32const(Ieee32::with_bits(bits)),
            Constant::F64(bits) => self.b.ins().f64const(Ieee64::with_bits(bits)),
            Constant::I32(value) => self.b.ins().iconst(types::I32, i64::from(value as u32)),
            Constant::I64(value) => self.b.ins().iconst(types::I64, value),
            Constant::Bool(value) => self.b.ins().iconst(types::I8, i64::from(value)),
        }
    }

    /// One operand, of a scalar or of the lanes of a register; a `Bool` is a scalar.
    pub fn unary_value(&mut self, op: Unary, ty: Type, a: Value) -> Value {
        let ins = self.b.ins();
        match op {
            Unary::Negate if ty.is_float() => ins.fneg(a),
            Unary::Negate => ins.ineg(a),
            Unary::Abs if ty.is_float() => ins.fabs(a),
            Unary::Abs => ins.iabs(a),
            Unary::Sqrt => ins.sqrt(a),
            Unary::Floor => ins.floor(a),
            Unary::Nearest => ins.nearest(a),
            Unary::Not if ty == Type::Bool => self.b.ins().bxor_imm_u(a, 1),
            Unary::Not => ins.bnot(a),
            Unary::TrailingZeros => ins.ctz(a),
        }
    }

    /// Two scalars.
    pub fn scalar_binary(&mut self, op: Binary, ty: Type, a: Value, b: Value) -> Value {
        let (a, b) = if ty.is_float() { (self.kept(a), self.kept(b)) } else { (a, b) };
        match op {
            Binary::Min | Binary::Max if ty.is_float() => {
                // Of a selection by `less`, not by `greater`, Cranelift makes one instruction without a branch.
                let (left, right) = if op == Binary::Min { (b, a) } else { (a, b) };
                let second = self.b.ins().fcmp(FloatCC::LessThan, left, right);
                self.b.ins().select(second, b, a)
            }
            Binary::Min | Binary::Max => {
                let compare = if op == Binary::Min { Compare::Less } else { Compare::Greater };
                let second = self.scalar_compare(compare, ty, b, a);
                self.b.ins().select(second, b, a)
            }
            Binary::MultiplyHigh => {
                let (a, b) = (self.b.ins().uextend(types::I64, a), self.b.ins().uextend(types::I64, b));
                let product = self.b.ins().imul(a, b);
                let high = self.b.ins().ushr_imm_u(product, 32);
                self.b.ins().ireduce(types::I32, high)
            }
            Binary::ShiftLeft => self.b.ins().ishl(a, b),
            Binary::ShiftRight => self.b.ins().ushr(a, b),
            Binary::ShiftRightSigned => self.b.ins().sshr(a, b),
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder
            | Binary::And
            | Binary::Or
            | Binary::Xor => self.plain_binary(op, ty, a, b),
        }
    }

    /// A float that a loop need not make again: Cranelift makes a scalar literal wherever it is used, and leaves one of a
    /// vector in its register.
    fn kept(&mut self, value: Value) -> Value {
        let dfg = &self.b.func.dfg;
        let (ty, bytes) = match dfg.value_def(value).inst().map(|inst| dfg.insts[inst]) {
            Some(InstructionData::UnaryIeee32 { imm, .. }) => {
                (types::F32X4, imm.bits().to_le_bytes().repeat(4))
            }
            Some(InstructionData::UnaryIeee64 { imm, .. }) => {
                (types::F64X2, imm.bits().to_le_bytes().repeat(2))
            }
            Some(_) | None => return value,
        };
        let lanes = self.vector_constant(ty, bytes);
        self.b.ins().extractlane(lanes, 0)
    }

    /// Two operands, of scalars or lane by lane: the operations that are one instruction for both.
    pub fn plain_binary(&mut self, op: Binary, ty: Type, a: Value, b: Value) -> Value {
        let ins = self.b.ins();
        match (op, ty.is_float()) {
            (Binary::Add, true) => ins.fadd(a, b),
            (Binary::Add, false) => ins.iadd(a, b),
            (Binary::Subtract, true) => ins.fsub(a, b),
            (Binary::Subtract, false) => ins.isub(a, b),
            (Binary::Multiply, true) => ins.fmul(a, b),
            (Binary::Multiply, false) => ins.imul(a, b),
            (Binary::Divide, true) => ins.fdiv(a, b),
            (Binary::And, false) => ins.band(a, b),
            (Binary::Or, false) => ins.bor(a, b),
            (Binary::Xor, false) => ins.bxor(a, b),
            (op, _) => crate::ice!("{op:?} of {ty:?} has no instruction"),
        }
    }

    /// A comparison of scalars; 0 or 1.
    pub fn scalar_compare(&mut self, compare: Compare, ty: Type, a: Value, b: Value) -> Value {
        if ty.is_float() {
            self.b.ins().fcmp(float_condition(compare), a, b)
        } else {
            self.b.ins().icmp(integer_condition(compare), a, b)
        }
    }

    /// A scalar zero.
    pub fn zero(&mut self, ty: Type) -> Value {
        match ty {
            Type::F32 => self.constant(Constant::F32(0)),
            Type::F64 => self.constant(Constant::F64(0)),
            Type::I32 | Type::I64 | Type::Bool => self.b.ins().iconst(scalar_type(ty), 0),
        }
    }
}
