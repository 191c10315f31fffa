//! How a kernel's value is held: in one scalar, or as four lanes in vector registers.

use cranelift_codegen::ir::{self, ConstantData, Endianness, InstBuilder, MemFlagsData, Value, types};

use super::function::Lower;
use crate::kernel::Type;

/// The lanes of a vector loop.
pub(super) const LANES: i64 = 4;

/// Where a value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// One scalar: every value outside a vector loop, and inside one those that are the same in all lanes.
    /// A `Bool` is an `I8` of 0 or 1.
    Scalar(Value),
    /// An `I64` that grows by a fixed step from lane to lane: addresses stay out of vector registers.
    Affine(Affine),
    /// Four `I64` in registers of their own: indices that come from memory, and go to memory.
    Apart([Value; 4]),
    /// Four 32-bit lanes; a `Bool` as 0 or all ones.
    One(Value),
    /// Four 64-bit lanes; a `Bool` that belongs to them as 0 or all ones.
    Two([Value; 2]),
}

/// `base + offset + lane · step`
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub base: Value,
    pub offset: i64,
    pub step: Step,
}

/// How far two lanes are apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Constant(i64),
    Value(Value),
}

/// The type of a scalar.
pub(super) fn scalar_type(ty: Type) -> ir::Type {
    match ty {
        Type::F32 => types::F32,
        Type::F64 => types::F64,
        Type::I32 => types::I32,
        Type::I64 => types::I64,
        Type::Bool => types::I8,
    }
}

/// The type of a register with lanes.
pub(super) fn vector_type(ty: Type) -> ir::Type {
    match ty {
        Type::F32 => types::F32X4,
        Type::F64 => types::F64X2,
        Type::I32 | Type::Bool => types::I32X4,
        Type::I64 => types::I64X2,
    }
}

/// Whether four lanes take two registers.
pub(super) fn is_wide(ty: Type) -> bool {
    ty.size() == 8
}

/// The registers of a value: of a scalar, or of four lanes.
pub(super) fn registers(ty: Type, packed: bool) -> Vec<ir::Type> {
    match (packed, is_wide(ty)) {
        (false, _) => vec![scalar_type(ty)],
        (true, false) => vec![vector_type(ty)],
        (true, true) => vec![vector_type(ty); 2],
    }
}

/// The form that these registers hold.
pub(super) fn form_of(packed: bool, values: &[Value]) -> Form {
    match (packed, values) {
        (false, [value]) => Form::Scalar(*value),
        (true, [value]) => Form::One(*value),
        (true, [low, high]) => Form::Two([*low, *high]),
        _ => crate::ice!("{} registers for one value", values.len()),
    }
}

impl Lower<'_, '_> {
    /// The registers of a form, made packed or scalar as asked.
    pub fn flat(&mut self, ty: Type, packed: bool, form: Form) -> Vec<Value> {
        if !packed {
            return vec![self.scalar_of(form)];
        }
        match self.pack(ty, form) {
            Form::Two(values) => values.to_vec(),
            Form::One(value) | Form::Scalar(value) => vec![value],
            Form::Affine(_) | Form::Apart(_) => crate::ice!("packing leaves lanes in registers"),
        }
    }

    /// The value of a form that all lanes share.
    pub fn scalar_of(&mut self, form: Form) -> Value {
        match form {
            Form::Scalar(value) => value,
            Form::Affine(_) | Form::Apart(_) | Form::One(_) | Form::Two(_) => {
                crate::ice!("a value that differs between lanes, where all must share it")
            }
        }
    }

    /// Four lanes in registers: `One` for 32-bit types and `Bool`, `Two` for 64-bit types.
    pub fn pack(&mut self, ty: Type, form: Form) -> Form {
        match form {
            Form::One(_) => form,
            Form::Two(_) if ty == Type::Bool => Form::One(self.mask(form)),
            Form::Two(_) => form,
            Form::Scalar(_) if ty == Type::Bool => Form::One(self.mask(form)),
            Form::Scalar(value) => {
                let value = self.b.ins().splat(vector_type(ty), value);
                if is_wide(ty) { Form::Two([value, value]) } else { Form::One(value) }
            }
            Form::Affine(affine) => self.pack_affine(affine),
            Form::Apart(lanes) => self.gather_lanes(Type::I64, lanes),
        }
    }

    fn pack_affine(&mut self, affine: Affine) -> Form {
        match affine.step {
            Step::Constant(step) => {
                let base = self.b.ins().splat(types::I64X2, affine.base);
                let mut half = |first: i64| {
                    let at = |lane: i64| affine.offset.wrapping_add(step.wrapping_mul(lane)).to_le_bytes();
                    let bytes = [at(first), at(first + 1)].concat();
                    let constant = self.vector_constant(types::I64X2, bytes);
                    self.b.ins().iadd(base, constant)
                };
                Form::Two([half(0), half(2)])
            }
            Step::Value(_) => {
                let lanes = [0, 1, 2, 3].map(|lane| self.affine_lane(affine, lane));
                self.gather_lanes(Type::I64, lanes)
            }
        }
    }

    /// A vector literal.
    pub fn vector_constant(&mut self, ty: ir::Type, bytes: Vec<u8>) -> Value {
        let constant = self.b.func.dfg.constants.insert(ConstantData::from(&bytes[..]));
        self.b.ins().vconst(ty, constant)
    }

    /// One lane of an affine value.
    pub fn affine_lane(&mut self, affine: Affine, lane: i64) -> Value {
        match affine.step {
            Step::Constant(step) => {
                let offset = affine.offset.wrapping_add(step.wrapping_mul(lane));
                self.add_constant(affine.base, offset)
            }
            Step::Value(step) => {
                let scaled = self.multiply_constant(step, lane);
                let sum = self.b.ins().iadd(affine.base, scaled);
                self.add_constant(sum, affine.offset)
            }
        }
    }

    /// value + constant
    pub fn add_constant(&mut self, value: Value, constant: i64) -> Value {
        if constant == 0 {
            return value;
        }
        let constant = self.b.ins().iconst(types::I64, constant);
        self.b.ins().iadd(value, constant)
    }

    /// value · constant
    pub fn multiply_constant(&mut self, value: Value, constant: i64) -> Value {
        let constant = self.b.ins().iconst(types::I64, constant);
        self.b.ins().imul(value, constant)
    }

    /// A condition as a mask of four 32-bit lanes.
    pub fn mask(&mut self, form: Form) -> Value {
        match form {
            Form::One(value) => value,
            Form::Two([low, high]) => self.shuffle(types::I32X4, low, high, [0, 2, 4, 6]),
            Form::Scalar(value) => {
                let word = self.b.ins().bmask(types::I32, value);
                self.b.ins().splat(types::I32X4, word)
            }
            Form::Affine(_) | Form::Apart(_) => crate::ice!("an index is no condition"),
        }
    }

    /// A condition as a mask of four 64-bit lanes.
    pub fn wide_mask(&mut self, form: Form) -> [Value; 2] {
        match form {
            Form::One(value) => [self.b.ins().swiden_low(value), self.b.ins().swiden_high(value)],
            Form::Two(values) => values,
            Form::Scalar(value) => {
                let word = self.b.ins().bmask(types::I64, value);
                let lanes = self.b.ins().splat(types::I64X2, word);
                [lanes, lanes]
            }
            Form::Affine(_) | Form::Apart(_) => crate::ice!("an index is no condition"),
        }
    }

    /// Four of the eight 32-bit words of two registers.
    pub fn shuffle(&mut self, ty: ir::Type, a: Value, b: Value, words: [u8; 4]) -> Value {
        let bytes: Vec<u8> = words.iter().flat_map(|word| (0..4).map(move |byte| word * 4 + byte)).collect();
        let pattern = self.b.func.dfg.immediates.push(ConstantData::from(&bytes[..]));
        let (a, b) = (self.cast(types::I8X16, a), self.cast(types::I8X16, b));
        let words = self.b.ins().shuffle(a, b, pattern);
        self.cast(ty, words)
    }

    /// The same bits as another type.
    pub fn cast(&mut self, ty: ir::Type, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new();
        let flags = if ty.is_vector() { flags.with_endianness(Endianness::Little) } else { flags };
        self.b.ins().bitcast(ty, flags, value)
    }

    /// One lane as a scalar.
    pub fn lane(&mut self, ty: Type, form: Form, lane: u8) -> Value {
        let value = match form {
            Form::Scalar(value) => return value,
            Form::Affine(affine) => return self.affine_lane(affine, i64::from(lane)),
            Form::Apart(lanes) => return lanes[usize::from(lane)],
            Form::One(value) => self.b.ins().extractlane(value, lane),
            Form::Two(values) => self.b.ins().extractlane(values[usize::from(lane / 2)], lane % 2),
        };
        if ty != Type::Bool {
            return value;
        }
        let byte = self.b.ins().ireduce(types::I8, value);
        self.b.ins().band_imm_u(byte, 1)
    }

    /// Four lanes from scalars.
    pub fn gather_lanes(&mut self, ty: Type, mut lanes: [Value; 4]) -> Form {
        if ty == Type::Bool {
            lanes = lanes.map(|lane| self.b.ins().bmask(types::I32, lane));
        }
        let vector = vector_type(ty);
        if is_wide(ty) {
            let mut half = |low: Value, high: Value| {
                let value = self.b.ins().splat(vector, low);
                self.b.ins().insertlane(value, high, 1)
            };
            return Form::Two([half(lanes[0], lanes[1]), half(lanes[2], lanes[3])]);
        }
        let mut value = self.b.ins().splat(vector, lanes[0]);
        for (lane, &scalar) in lanes.iter().enumerate().skip(1) {
            value = self.b.ins().insertlane(value, scalar, lane as u8);
        }
        Form::One(value)
    }
}
