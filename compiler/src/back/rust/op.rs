//! Operations and literals as Rust.
//!
//! Floats use the operators, which round to nearest and never contract, and the methods that are exact: `sqrt`, `floor`,
//! `round_ties_even`, `abs`, `mul_add`. Integers use the wrapping methods; where an operation is unsigned, it is cast.
//! A literal is the shortest decimal that gives its bits back. Operands are names or literals, negative ones in
//! brackets.

use crate::kernel::*;

/// The Rust type of a value, and of an element in memory.
pub(super) fn type_word(ty: Type) -> &'static str {
    match ty {
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::Bool => "bool",
    }
}

/// The unsigned integer of the same width.
fn unsigned(ty: Type) -> &'static str {
    match ty {
        Type::F32 | Type::I32 => "u32",
        Type::F64 | Type::I64 => "u64",
        Type::Bool => crate::ice!("a condition is no number"),
    }
}

/// A literal.
pub(super) fn literal(constant: Constant) -> String {
    match constant {
        Constant::F32(bits) => {
            let value = f32::from_bits(bits);
            real(&format!("{value:?}"), "f32", value.is_nan().then(|| format!("{bits:#010x}")))
        }
        Constant::F64(bits) => {
            let value = f64::from_bits(bits);
            real(&format!("{value:?}"), "f64", value.is_nan().then(|| format!("{bits:#018x}")))
        }
        Constant::I32(i32::MIN) => "i32::MIN".to_owned(),
        Constant::I64(i64::MIN) => "i64::MIN".to_owned(),
        Constant::I32(value) => bracketed(&format!("{value}i32")),
        Constant::I64(value) => bracketed(&format!("{value}i64")),
        Constant::Bool(value) => value.to_string(),
    }
}

fn real(decimal: &str, word: &str, nan: Option<String>) -> String {
    match (decimal, nan) {
        (_, Some(bits)) => format!("{word}::from_bits({bits})"),
        ("inf", None) => format!("{word}::INFINITY"),
        ("-inf", None) => format!("{word}::NEG_INFINITY"),
        (decimal, None) => bracketed(&format!("{decimal}{word}")),
    }
}

fn bracketed(number: &str) -> String {
    if number.starts_with('-') { format!("({number})") } else { number.to_owned() }
}

/// What an accumulator starts from.
pub(super) fn identity(op: ReduceOp, ty: Type) -> String {
    let word = type_word(ty);
    match op {
        ReduceOp::Sum | ReduceOp::Count if ty.is_float() => format!("0.0{word}"),
        ReduceOp::Sum | ReduceOp::Count => format!("0{word}"),
        ReduceOp::Min => format!("{word}::INFINITY"),
        ReduceOp::Max => format!("{word}::NEG_INFINITY"),
    }
}

/// How two accumulators combine.
pub(super) fn combine(op: ReduceOp, ty: Type, a: &str, b: &str) -> String {
    let op = match op {
        ReduceOp::Sum | ReduceOp::Count => Binary::Add,
        ReduceOp::Min => Binary::Min,
        ReduceOp::Max => Binary::Max,
    };
    binary(op, ty, a, b, None)
}

/// One operand.
pub(super) fn unary(op: Unary, ty: Type, a: &str) -> String {
    match op {
        Unary::Negate if ty.is_float() => format!("-{a}"),
        Unary::Negate => format!("{a}.wrapping_neg()"),
        Unary::Abs if ty.is_float() => format!("{a}.abs()"),
        Unary::Abs => format!("{a}.wrapping_abs()"),
        Unary::Sqrt => format!("{a}.sqrt()"),
        Unary::Floor => format!("{a}.floor()"),
        Unary::Nearest => format!("{a}.round_ties_even()"),
        Unary::Not => format!("!{a}"),
        Unary::TrailingZeros => format!("{a}.trailing_zeros() as {}", type_word(ty)),
    }
}

/// Two operands of type `ty`; `count` is the second operand, where it is a literal.
pub(super) fn binary(op: Binary, ty: Type, a: &str, b: &str, count: Option<u64>) -> String {
    let float = ty.is_float();
    let width = if ty == Type::I32 { 32 } else { 64 };
    let shift = |value: &str, left: bool| match count {
        Some(count) => format!("{value} {} {}", if left { "<<" } else { ">>" }, count % width),
        None => format!("{value}.wrapping_sh{}({b} as u32)", if left { "l" } else { "r" }),
    };
    let word = type_word(ty);
    match op {
        Binary::Add if float => format!("{a} + {b}"),
        Binary::Subtract if float => format!("{a} - {b}"),
        Binary::Multiply if float => format!("{a} * {b}"),
        Binary::Add => format!("{a}.wrapping_add({b})"),
        Binary::Subtract => format!("{a}.wrapping_sub({b})"),
        Binary::Multiply => format!("{a}.wrapping_mul({b})"),
        Binary::Divide => format!("{a} / {b}"),
        Binary::Remainder => crate::ice!("a remainder is expanded"),
        Binary::Min => format!("if {b} < {a} {{ {b} }} else {{ {a} }}"),
        Binary::Max => format!("if {b} > {a} {{ {b} }} else {{ {a} }}"),
        Binary::MultiplyHigh => {
            format!("((u64::from({a} as u32) * u64::from({b} as u32)) >> 32) as i32")
        }
        Binary::And => format!("{a} & {b}"),
        Binary::Or => format!("{a} | {b}"),
        Binary::Xor => format!("{a} ^ {b}"),
        Binary::ShiftLeft => shift(a, true),
        Binary::ShiftRight => format!("({}) as {word}", shift(&format!("({a} as {})", unsigned(ty)), false)),
        Binary::ShiftRightSigned => shift(a, false),
    }
}

/// A comparison of operands of type `ty`.
pub(super) fn compare(op: Compare, ty: Type, a: &str, b: &str) -> String {
    match op {
        Compare::Equal => format!("{a} == {b}"),
        Compare::NotEqual => format!("{a} != {b}"),
        Compare::Less => format!("{a} < {b}"),
        Compare::LessEqual => format!("{a} <= {b}"),
        Compare::Greater => format!("{a} > {b}"),
        Compare::GreaterEqual => format!("{a} >= {b}"),
        Compare::Below => format!("({a} as {word}) < ({b} as {word})", word = unsigned(ty)),
    }
}

/// A conversion.
pub(super) fn convert(conversion: Conversion, from: Type, to: Type, a: &str) -> String {
    if from == to {
        return a.to_owned();
    }
    let word = type_word(to);
    match conversion {
        Conversion::Bits => match (from, to) {
            (Type::F32, Type::I32) | (Type::F64, Type::I64) => format!("{a}.to_bits() as {word}"),
            (Type::I32, Type::F32) => format!("f32::from_bits({a} as u32)"),
            (Type::I64, Type::F64) => format!("f64::from_bits({a} as u64)"),
            (from, to) => crate::ice!("the bits of {from:?} are not {to:?}"),
        },
        Conversion::Unsigned => format!("({a} as {}) as {word}", unsigned(from)),
        Conversion::Value => match (from, to) {
            (Type::Bool, Type::F32 | Type::F64) => format!("u8::from({a}) as {word}"),
            (Type::Bool, _) => format!("{word}::from({a})"),
            // From float to integer, `as` truncates, saturates and makes 0 of a NaN.
            (Type::F32 | Type::F64 | Type::I32 | Type::I64, _) => format!("{a} as {word}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_give_their_bits_back() {
        let single = |value: f32| literal(Constant::F32(value.to_bits()));
        assert_eq!(single(0.1), "0.1f32");
        assert_eq!(single(-0.0), "(-0.0f32)");
        assert_eq!(single(f32::from_bits(1)), "1e-45f32");
        assert_eq!("1e-45".parse::<f32>().map(f32::to_bits), Ok(1));
        assert_eq!(single(f32::NEG_INFINITY), "f32::NEG_INFINITY");
        assert_eq!(literal(Constant::F32(0x7fc0_0000)), "f32::from_bits(0x7fc00000)");
        assert_eq!(literal(Constant::I64(i64::MIN)), "i64::MIN");
        assert_eq!(literal(Constant::I32(-1)), "(-1i32)");
    }

    #[test]
    fn shifts_take_their_count_modulo_the_width() {
        assert_eq!(binary(Binary::ShiftLeft, Type::I32, "a", "33i32", Some(33)), "a << 1");
        assert_eq!(
            binary(Binary::ShiftRight, Type::I64, "a", "b", None),
            "((a as u64).wrapping_shr(b as u32)) as i64"
        );
    }
}
