//! Operations and literals as CUDA C.
//!
//! Integers are unsigned throughout, so that they wrap; where an operation takes the sign, it is cast. Floats use the
//! operators, which round to nearest as long as contraction is off, and never the functions of the CUDA library but
//! those that are exact: sqrt, floor, rint, fabs, fma. Literals are exact: short binary fractions as decimals, all
//! others in hexadecimal; a real of f32 never passes through f64.

use crate::kernel::*;

/// The C++ type of a value.
pub(super) fn type_word(ty: Type) -> &'static str {
    match ty {
        Type::F32 => "float",
        Type::F64 => "double",
        Type::I32 => "u32",
        Type::I64 => "u64",
        Type::Bool => "bool",
    }
}

/// The C++ type of an element in memory.
pub(super) fn cell_word(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "u8",
        Type::F32 | Type::F64 | Type::I32 | Type::I64 => type_word(ty),
    }
}

/// A literal.
pub(super) fn literal(constant: Constant) -> String {
    match constant {
        Constant::F32(bits) => match f32::from_bits(bits) {
            value if !value.is_finite() => format!("__uint_as_float({bits:#010x}u)"),
            value => format!("{}f", real(f64::from(value))),
        },
        Constant::F64(bits) => match f64::from_bits(bits) {
            value if !value.is_finite() => format!("__longlong_as_double({bits:#018x}ll)"),
            value => real(value),
        },
        Constant::I32(value) if value < 0 => format!("{value:#010x}u"),
        Constant::I32(value) => format!("{value}u"),
        Constant::I64(value) if value < 0 => format!("{value:#018x}ull"),
        Constant::I64(value) => format!("{value}ull"),
        Constant::Bool(value) => value.to_string(),
    }
}

/// A finite real, exactly: `0.5`, `-3.0`, `0x1.921fb6p+1`.
fn real(value: f64) -> String {
    if value.abs() <= 1e6 && (value * 16.0).fract() == 0.0 {
        return format!("{value:?}");
    }
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let (lead, exponent) = if exponent == 0 { (0, -1022) } else { (1, exponent as i64 - 1023) };
    let text = format!("{fraction:013x}");
    let text = text.trim_end_matches('0');
    let point = if text.is_empty() { "" } else { "." };
    format!("{sign}0x{lead}{point}{text}p{exponent:+}")
}

/// What an accumulator starts from.
pub(super) fn identity(op: ReduceOp, ty: Type) -> String {
    let extreme = |sign: bool| match ty {
        Type::F32 => Constant::F32(if sign { f32::NEG_INFINITY } else { f32::INFINITY }.to_bits()),
        Type::F64 => Constant::F64(if sign { f64::NEG_INFINITY } else { f64::INFINITY }.to_bits()),
        Type::I32 | Type::I64 | Type::Bool => crate::ice!("an extremum of {ty:?}"),
    };
    let zero = match ty {
        Type::F32 => Constant::F32(0),
        Type::F64 => Constant::F64(0),
        Type::I32 => Constant::I32(0),
        Type::I64 => Constant::I64(0),
        Type::Bool => crate::ice!("a reduction does not give a condition"),
    };
    literal(match op {
        ReduceOp::Sum | ReduceOp::Count => zero,
        ReduceOp::Min => extreme(false),
        ReduceOp::Max => extreme(true),
    })
}

/// The prelude's word for how two accumulators combine.
pub(super) fn combiner(op: ReduceOp) -> &'static str {
    match op {
        ReduceOp::Sum | ReduceOp::Count => "Sum",
        ReduceOp::Min => "Min",
        ReduceOp::Max => "Max",
    }
}

/// One operand.
pub(super) fn unary(op: Unary, ty: Type, a: &str) -> String {
    let suffix = if ty == Type::F32 { "f" } else { "" };
    match op {
        Unary::Negate if ty.is_float() => format!("-{a}"),
        Unary::Negate => format!("0 - {a}"),
        Unary::Abs if ty.is_float() => format!("fabs{suffix}({a})"),
        Unary::Abs => format!("{} < 0 ? 0 - {a} : {a}", signed(ty, a)),
        Unary::Sqrt => format!("sqrt{suffix}({a})"),
        Unary::Floor => format!("floor{suffix}({a})"),
        Unary::Nearest => format!("rint{suffix}({a})"),
        Unary::Not if ty == Type::Bool => format!("!{a}"),
        Unary::Not => format!("~{a}"),
        // The bits below the lowest one; all bits, of none.
        Unary::TrailingZeros if ty == Type::I32 => format!("__popc(~{a} & ({a} - 1))"),
        Unary::TrailingZeros => format!("__popcll(~{a} & ({a} - 1))"),
    }
}

fn signed(ty: Type, a: &str) -> String {
    match ty {
        Type::I32 => format!("int({a})"),
        Type::I64 => format!("i64({a})"),
        Type::F32 | Type::F64 | Type::Bool => a.to_owned(),
    }
}

/// Two operands of type `ty`; `count` is the second operand, where it is a literal.
pub(super) fn binary(op: Binary, ty: Type, a: &str, b: &str, count: Option<u64>) -> String {
    let width = if ty == Type::I32 { 32 } else { 64 };
    let shift =
        || count.map_or_else(|| format!("({b} & {})", width - 1), |count| (count % width).to_string());
    match op {
        Binary::Add => format!("{a} + {b}"),
        Binary::Subtract => format!("{a} - {b}"),
        Binary::Multiply => format!("{a} * {b}"),
        Binary::Divide if ty.is_float() => format!("quotient({a}, {b})"),
        Binary::Divide => format!("{a} / {b}"),
        Binary::Remainder => crate::ice!("a remainder is expanded"),
        Binary::Min => format!("{} < {} ? {b} : {a}", signed(ty, b), signed(ty, a)),
        Binary::Max => format!("{} > {} ? {b} : {a}", signed(ty, b), signed(ty, a)),
        Binary::MultiplyHigh => format!("__umulhi({a}, {b})"),
        Binary::And => format!("{a} & {b}"),
        Binary::Or => format!("{a} | {b}"),
        Binary::Xor if ty == Type::Bool => format!("{a} != {b}"),
        Binary::Xor => format!("{a} ^ {b}"),
        Binary::ShiftLeft => format!("{a} << {}", shift()),
        Binary::ShiftRight => format!("{a} >> {}", shift()),
        Binary::ShiftRightSigned if ty == Type::I32 => format!("u32(int({a}) >> {})", shift()),
        Binary::ShiftRightSigned => format!("u64(i64({a}) >> {})", shift()),
    }
}

/// A comparison of operands of type `ty`.
pub(super) fn compare(op: Compare, ty: Type, a: &str, b: &str) -> String {
    let (sa, sb) = (signed(ty, a), signed(ty, b));
    match op {
        Compare::Equal => format!("{a} == {b}"),
        Compare::NotEqual => format!("{a} != {b}"),
        Compare::Less => format!("{sa} < {sb}"),
        Compare::LessEqual => format!("{sa} <= {sb}"),
        Compare::Greater => format!("{sa} > {sb}"),
        Compare::GreaterEqual => format!("{sa} >= {sb}"),
        Compare::Below => format!("{a} < {b}"),
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
            (Type::F32, Type::I32) => format!("__float_as_uint({a})"),
            (Type::I32, Type::F32) => format!("__uint_as_float({a})"),
            (Type::F64, Type::I64) => format!("u64(__double_as_longlong({a}))"),
            (Type::I64, Type::F64) => format!("__longlong_as_double(i64({a}))"),
            (from, to) => crate::ice!("the bits of {from:?} are not {to:?}"),
        },
        Conversion::Unsigned => format!("{word}({a})"),
        Conversion::Value => match (from, to) {
            (Type::F32 | Type::F64, Type::I32) => format!("to_i32({a})"),
            (Type::F32 | Type::F64, Type::I64) => format!("to_i64({a})"),
            (Type::I32, Type::I64) => format!("u64(i64(int({a})))"),
            (Type::I64, Type::I32) => format!("u32({a})"),
            (Type::I32 | Type::I64, _) => format!("{word}({})", signed(from, a)),
            (Type::F32 | Type::F64 | Type::Bool, _) => format!("{word}({a})"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_exact_and_of_their_type() {
        let single = |value: f32| literal(Constant::F32(value.to_bits()));
        assert_eq!(single(0.5), "0.5f");
        assert_eq!(single(-0.0), "-0.0f");
        assert_eq!(single(0.1), "0x1.99999ap-4f");
        assert_eq!(single(f32::from_bits(1)), "0x1p-149f");
        assert_eq!(single(f32::INFINITY), "__uint_as_float(0x7f800000u)");
        assert_eq!(literal(Constant::F64(0.1f64.to_bits())), "0x1.999999999999ap-4");
        assert_eq!(literal(Constant::F64(1)), "0x0.0000000000001p-1022");
        assert_eq!(literal(Constant::I64(i64::MIN)), "0x8000000000000000ull");
        assert_eq!(literal(Constant::I32(-1)), "0xffffffffu");
    }
}
