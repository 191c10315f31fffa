//! What each operation gives, on bits.

use super::*;

impl<C: Cells + ?Sized> Machine<'_, '_, C> {
    /// Evaluates the operation of a value.
    pub(super) fn op(&mut self, value: &Value) -> Result<u64, Fault> {
        let ty = value.ty;
        Ok(match &value.op {
            Op::Defined => crate::ice!("a value without an operation is evaluated"),
            Op::Constant(constant) => constant_bits(*constant),
            Op::Scalar(scalar) => narrow(ty, self.scalars[scalar.index()]),
            Op::Unary(op, a) => unary(*op, ty, self.bits(*a)),
            Op::Binary(op, a, b) => binary(*op, ty, self.bits(*a), self.bits(*b)),
            Op::Fma(a, b, c) => fma(ty, self.bits(*a), self.bits(*b), self.bits(*c)),
            Op::Compare(op, a, b) => u64::from(compare(*op, self.ty(*a), self.bits(*a), self.bits(*b))),
            Op::Select(condition, a, b) => self.bits(if self.holds(*condition) { *a } else { *b }),
            Op::Convert(conversion, a) => convert(*conversion, self.ty(*a), ty, self.bits(*a)),
            Op::Load(buffer, index) => self.load(*buffer, self.long(*index))?,
            Op::Math(function, _) => return Err(self.not_expanded(format!("{function:?}"))),
            Op::Random(_) => return Err(self.not_expanded("Random".to_string())),
        })
    }

    pub(super) fn not_expanded(&self, operation: String) -> Fault {
        Fault::NotExpanded { kernel: self.kernel.name.clone(), operation }
    }
}

fn constant_bits(constant: Constant) -> u64 {
    match constant {
        Constant::F32(bits) => u64::from(bits),
        Constant::F64(bits) => bits,
        Constant::I32(value) => u64::from(value as u32),
        Constant::I64(value) => value as u64,
        Constant::Bool(value) => u64::from(value),
    }
}

/// The low bits that a type has.
fn narrow(ty: Type, bits: u64) -> u64 {
    match ty {
        Type::F32 | Type::I32 => bits & 0xffff_ffff,
        Type::F64 | Type::I64 => bits,
        Type::Bool => u64::from(bits & 0xff != 0),
    }
}

fn single(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn from_single(value: f32) -> u64 {
    u64::from(value.to_bits())
}

fn from_word(value: i32) -> u64 {
    u64::from(value as u32)
}

fn unary(op: Unary, ty: Type, a: u64) -> u64 {
    match ty {
        Type::F32 => match op {
            Unary::Negate => a ^ 0x8000_0000,
            Unary::Abs => a & 0x7fff_ffff,
            Unary::Sqrt => from_single(single(a).sqrt()),
            Unary::Floor => from_single(single(a).floor()),
            Unary::Nearest => from_single(single(a).round_ties_even()),
            Unary::Not | Unary::TrailingZeros => crate::ice!("{op:?} of {ty:?}"),
        },
        Type::F64 => match op {
            Unary::Negate => a ^ (1 << 63),
            Unary::Abs => a & !(1 << 63),
            Unary::Sqrt => f64::from_bits(a).sqrt().to_bits(),
            Unary::Floor => f64::from_bits(a).floor().to_bits(),
            Unary::Nearest => f64::from_bits(a).round_ties_even().to_bits(),
            Unary::Not | Unary::TrailingZeros => crate::ice!("{op:?} of {ty:?}"),
        },
        Type::I32 | Type::I64 => match op {
            Unary::Negate => narrow(ty, a.wrapping_neg()),
            Unary::Abs if ty == Type::I32 => from_word((a as i32).wrapping_abs()),
            Unary::Abs => (a as i64).wrapping_abs() as u64,
            Unary::Not => narrow(ty, !a),
            Unary::TrailingZeros if ty == Type::I32 => u64::from((a as u32).trailing_zeros()),
            Unary::TrailingZeros => u64::from(a.trailing_zeros()),
            Unary::Sqrt | Unary::Floor | Unary::Nearest => crate::ice!("{op:?} of {ty:?}"),
        },
        Type::Bool => match op {
            Unary::Not => a ^ 1,
            Unary::Negate
            | Unary::Abs
            | Unary::Sqrt
            | Unary::Floor
            | Unary::Nearest
            | Unary::TrailingZeros => crate::ice!("{op:?} of {ty:?}"),
        },
    }
}

/// Two operands of one type.
pub(super) fn binary(op: Binary, ty: Type, a: u64, b: u64) -> u64 {
    match ty {
        Type::F32 => {
            let (x, y) = (single(a), single(b));
            from_single(match op {
                Binary::Add => x + y,
                Binary::Subtract => x - y,
                Binary::Multiply => x * y,
                Binary::Divide => x / y,
                Binary::Remainder => x % y,
                Binary::Min => return if y < x { b } else { a },
                Binary::Max => return if y > x { b } else { a },
                Binary::MultiplyHigh
                | Binary::And
                | Binary::Or
                | Binary::Xor
                | Binary::ShiftLeft
                | Binary::ShiftRight
                | Binary::ShiftRightSigned => crate::ice!("{op:?} of {ty:?}"),
            })
        }
        Type::F64 => {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            let value = match op {
                Binary::Add => x + y,
                Binary::Subtract => x - y,
                Binary::Multiply => x * y,
                Binary::Divide => x / y,
                Binary::Remainder => x % y,
                Binary::Min => return if y < x { b } else { a },
                Binary::Max => return if y > x { b } else { a },
                Binary::MultiplyHigh
                | Binary::And
                | Binary::Or
                | Binary::Xor
                | Binary::ShiftLeft
                | Binary::ShiftRight
                | Binary::ShiftRightSigned => crate::ice!("{op:?} of {ty:?}"),
            };
            value.to_bits()
        }
        Type::I32 => from_word(word(op, a as i32, b as i32)),
        Type::I64 => long(op, a as i64, b as i64) as u64,
        Type::Bool => match op {
            Binary::And => a & b,
            Binary::Or => a | b,
            Binary::Xor => a ^ b,
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder
            | Binary::Min
            | Binary::Max
            | Binary::MultiplyHigh
            | Binary::ShiftLeft
            | Binary::ShiftRight
            | Binary::ShiftRightSigned => crate::ice!("{op:?} of {ty:?}"),
        },
    }
}

fn word(op: Binary, a: i32, b: i32) -> i32 {
    match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Min => {
            if b < a {
                b
            } else {
                a
            }
        }
        Binary::Max => {
            if b > a {
                b
            } else {
                a
            }
        }
        Binary::MultiplyHigh => ((u64::from(a as u32) * u64::from(b as u32)) >> 32) as i32,
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::ShiftLeft => a.wrapping_shl(b as u32),
        Binary::ShiftRight => (a as u32).wrapping_shr(b as u32) as i32,
        Binary::ShiftRightSigned => a.wrapping_shr(b as u32),
        Binary::Divide | Binary::Remainder => crate::ice!("{op:?} of integers"),
    }
}

fn long(op: Binary, a: i64, b: i64) -> i64 {
    // A count modulo 64 is in its low 32 bits.
    let count = b as u32;
    match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Min => a.min(b),
        Binary::Max => a.max(b),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::ShiftLeft => a.wrapping_shl(count),
        Binary::ShiftRight => (a as u64).wrapping_shr(count) as i64,
        Binary::ShiftRightSigned => a.wrapping_shr(count),
        Binary::MultiplyHigh | Binary::Divide | Binary::Remainder => crate::ice!("{op:?} of i64"),
    }
}

/// a · b + c, rounded once.
pub(super) fn fma(ty: Type, a: u64, b: u64, c: u64) -> u64 {
    if ty == Type::F32 {
        from_single(single(a).mul_add(single(b), single(c)))
    } else {
        f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c)).to_bits()
    }
}

fn compare(op: Compare, ty: Type, a: u64, b: u64) -> bool {
    fn ordered<T: PartialOrd>(op: Compare, a: T, b: T) -> bool {
        match op {
            Compare::Equal => a == b,
            Compare::NotEqual => a != b,
            Compare::Less => a < b,
            Compare::LessEqual => a <= b,
            Compare::Greater => a > b,
            Compare::GreaterEqual => a >= b,
            Compare::Below => crate::ice!("an unsigned comparison is told apart before"),
        }
    }
    if op == Compare::Below {
        // Both types have zeros above their width.
        return a < b;
    }
    match ty {
        Type::F32 => ordered(op, single(a), single(b)),
        Type::F64 => ordered(op, f64::from_bits(a), f64::from_bits(b)),
        Type::I32 => ordered(op, a as i32, b as i32),
        Type::I64 => ordered(op, a as i64, b as i64),
        Type::Bool => ordered(op, a, b),
    }
}

fn convert(conversion: Conversion, from: Type, to: Type, a: u64) -> u64 {
    match conversion {
        Conversion::Bits => a,
        // An `I32` has zeros above its width.
        Conversion::Unsigned => match to {
            Type::F32 => from_single(a as f32),
            Type::F64 => (a as f64).to_bits(),
            Type::I64 => a,
            Type::I32 | Type::Bool => crate::ice!("an unsigned conversion to {to:?}"),
        },
        Conversion::Value => match from {
            Type::F32 => from_double(to, f64::from(single(a)), Some(single(a))),
            Type::F64 => from_double(to, f64::from_bits(a), None),
            Type::I32 => from_long(to, i64::from(a as i32)),
            Type::I64 => from_long(to, a as i64),
            Type::Bool => from_long(to, a as i64),
        },
    }
}

/// From a float; an f32 is exact as an f64, and truncating does not round. `same` is the f32 itself.
fn from_double(to: Type, value: f64, same: Option<f32>) -> u64 {
    match to {
        Type::F32 => from_single(same.unwrap_or(value as f32)),
        Type::F64 => value.to_bits(),
        Type::I32 => from_word(value as i32),
        Type::I64 => value as i64 as u64,
        Type::Bool => crate::ice!("a float becomes no condition"),
    }
}

fn from_long(to: Type, value: i64) -> u64 {
    match to {
        Type::F32 => from_single(value as f32),
        Type::F64 => (value as f64).to_bits(),
        Type::I32 => from_word(value as i32),
        Type::I64 => value as u64,
        Type::Bool => crate::ice!("an integer becomes no condition"),
    }
}
