//! Each operation for each type, as a scalar and in lanes, with operands that are the same for all lanes and not.

use super::*;

const TYPES: [Type; 5] = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];
/// Enough for whole vectors and a rest, wherever they start.
const COUNT: usize = 203;

fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn bits32(value: f32) -> u64 {
    u64::from(value.to_bits())
}

fn word(value: i32) -> u64 {
    u64::from(value as u32)
}

fn unary(op: Unary, ty: Type, a: u64) -> Option<u64> {
    Some(match (op, ty) {
        (Unary::Negate, Type::F32) => bits32(-f32_of(a)),
        (Unary::Negate, Type::F64) => (-f64::from_bits(a)).to_bits(),
        (Unary::Negate, Type::I32) => word((a as i32).wrapping_neg()),
        (Unary::Negate, Type::I64) => (a as i64).wrapping_neg() as u64,
        (Unary::Abs, Type::F32) => bits32(f32_of(a).abs()),
        (Unary::Abs, Type::F64) => f64::from_bits(a).abs().to_bits(),
        (Unary::Abs, Type::I32) => word((a as i32).wrapping_abs()),
        (Unary::Abs, Type::I64) => (a as i64).wrapping_abs() as u64,
        (Unary::Sqrt, Type::F32) => bits32(f32_of(a).sqrt()),
        (Unary::Sqrt, Type::F64) => f64::from_bits(a).sqrt().to_bits(),
        (Unary::Floor, Type::F32) => bits32(f32_of(a).floor()),
        (Unary::Floor, Type::F64) => f64::from_bits(a).floor().to_bits(),
        (Unary::Nearest, Type::F32) => bits32(f32_of(a).round_ties_even()),
        (Unary::Nearest, Type::F64) => f64::from_bits(a).round_ties_even().to_bits(),
        (Unary::Not, Type::I32) => word(!(a as i32)),
        (Unary::Not, Type::I64) => !a,
        (Unary::Not, Type::Bool) => 1 - a,
        (Unary::TrailingZeros, Type::I32) => u64::from((a as u32).trailing_zeros()),
        (Unary::TrailingZeros, Type::I64) => u64::from(a.trailing_zeros()),
        (Unary::Negate | Unary::Abs | Unary::Sqrt | Unary::Floor | Unary::Nearest, _) => return None,
        (Unary::Not | Unary::TrailingZeros, _) => return None,
    })
}

macro_rules! float_binary {
    ($op:expr, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        match $op {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
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
            Binary::Remainder
            | Binary::MultiplyHigh
            | Binary::And
            | Binary::Or
            | Binary::Xor
            | Binary::ShiftLeft
            | Binary::ShiftRight
            | Binary::ShiftRightSigned => return None,
        }
    }};
}

macro_rules! integer_binary {
    ($op:expr, $a:expr, $b:expr, $signed:ty, $unsigned:ty) => {{
        let (a, b) = ($a as $unsigned, $b as $unsigned);
        let (x, y) = (a as $signed, b as $signed);
        match $op {
            Binary::Add => a.wrapping_add(b),
            Binary::Subtract => a.wrapping_sub(b),
            Binary::Multiply => a.wrapping_mul(b),
            Binary::Min => x.min(y) as $unsigned,
            Binary::Max => x.max(y) as $unsigned,
            Binary::And => a & b,
            Binary::Or => a | b,
            Binary::Xor => a ^ b,
            Binary::ShiftLeft => a << (b % <$unsigned>::BITS as $unsigned),
            Binary::ShiftRight => a >> (b % <$unsigned>::BITS as $unsigned),
            Binary::ShiftRightSigned => (x >> (b % <$unsigned>::BITS as $unsigned)) as $unsigned,
            Binary::MultiplyHigh if <$unsigned>::BITS == 32 => ((a as u64 * b as u64) >> 32) as $unsigned,
            Binary::MultiplyHigh | Binary::Divide | Binary::Remainder => return None,
        }
    }};
}

fn binary(op: Binary, ty: Type, a: u64, b: u64) -> Option<u64> {
    Some(match ty {
        Type::F32 => bits32(float_binary!(op, f32_of(a), f32_of(b))),
        Type::F64 => float_binary!(op, f64::from_bits(a), f64::from_bits(b)).to_bits(),
        Type::I32 => u64::from(integer_binary!(op, a, b, i32, u32)),
        Type::I64 => integer_binary!(op, a, b, i64, u64),
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
            | Binary::ShiftRightSigned => return None,
        },
    })
}

fn ordered<T: PartialOrd>(op: Compare, a: T, b: T) -> Option<bool> {
    Some(match op {
        Compare::Equal => a == b,
        Compare::NotEqual => a != b,
        Compare::Less => a < b,
        Compare::LessEqual => a <= b,
        Compare::Greater => a > b,
        Compare::GreaterEqual => a >= b,
        Compare::Below => return None,
    })
}

fn compare(op: Compare, ty: Type, a: u64, b: u64) -> Option<u64> {
    let holds = match (ty, op) {
        (Type::I32, Compare::Below) => Some((a as u32) < b as u32),
        (Type::I64, Compare::Below) => Some(a < b),
        (Type::F32, _) => ordered(op, f32_of(a), f32_of(b)),
        (Type::F64, _) => ordered(op, f64::from_bits(a), f64::from_bits(b)),
        (Type::I32, _) => ordered(op, a as i32, b as i32),
        (Type::I64, _) => ordered(op, a as i64, b as i64),
        (Type::Bool, Compare::Equal | Compare::NotEqual) => ordered(op, a, b),
        (Type::Bool, _) => None,
    };
    holds.map(u64::from)
}

fn convert(conversion: Conversion, from: Type, to: Type, a: u64) -> Option<u64> {
    Some(match (conversion, from, to) {
        (Conversion::Bits, Type::F32, Type::I32) | (Conversion::Bits, Type::I32, Type::F32) => a,
        (Conversion::Bits, Type::F64, Type::I64) | (Conversion::Bits, Type::I64, Type::F64) => a,
        (Conversion::Unsigned, Type::I32, Type::I64) => a,
        (Conversion::Unsigned, Type::I32, Type::F32) => bits32(a as u32 as f32),
        (Conversion::Unsigned, Type::I32, Type::F64) => f64::from(a as u32).to_bits(),
        (Conversion::Value, Type::I32, Type::I64) => i64::from(a as i32) as u64,
        (Conversion::Value, Type::I64, Type::I32) => a & 0xffff_ffff,
        (Conversion::Value, Type::I32, Type::F32) => bits32(a as i32 as f32),
        (Conversion::Value, Type::I32, Type::F64) => f64::from(a as i32).to_bits(),
        (Conversion::Value, Type::I64, Type::F32) => bits32(a as i64 as f32),
        (Conversion::Value, Type::I64, Type::F64) => (a as i64 as f64).to_bits(),
        (Conversion::Value, Type::F32, Type::I32) => word(f32_of(a) as i32),
        (Conversion::Value, Type::F32, Type::I64) => f32_of(a) as i64 as u64,
        (Conversion::Value, Type::F64, Type::I32) => word(f64::from_bits(a) as i32),
        (Conversion::Value, Type::F64, Type::I64) => f64::from_bits(a) as i64 as u64,
        (Conversion::Value, Type::F32, Type::F64) => f64::from(f32_of(a)).to_bits(),
        (Conversion::Value, Type::F64, Type::F32) => bits32(f64::from_bits(a) as f32),
        (Conversion::Value, Type::Bool, Type::I32 | Type::I64) => a,
        (Conversion::Value, Type::Bool, Type::F32) => bits32(a as f32),
        (Conversion::Value, Type::Bool, Type::F64) => (a as f64).to_bits(),
        (Conversion::Value | Conversion::Unsigned | Conversion::Bits, _, _) => return None,
    })
}

/// Runs `operation` on elements of buffers of type `from`, over lanes 3 .. COUNT - 1; bit k of `shared` makes operand k
/// the same for all lanes. The rest of the result must stay as it was.
#[track_caller]
fn check<const N: usize>(
    name: &str,
    from: [Type; N],
    to: Type,
    shared: u32,
    operation: impl Fn(&mut KernelBuilder, [ValueId; N]) -> ValueId,
    expected: impl Fn([u64; N]) -> u64,
) {
    let mut b = builder(&format!("{name}_{shared}"));
    let inputs: [BufferId; N] =
        std::array::from_fn(|k| declare(&mut b, &format!("in{k}"), from[k], Access::Read));
    let out = declare(&mut b, "out", to, Access::Write);
    b.blocks(|b, _| {
        let (start, end) = (b.int(3), b.int(COUNT as i64 - 1));
        b.lanes(start, end, |b, index| {
            let seven = b.int(7);
            let operands = std::array::from_fn(|k| {
                let at = if shared >> k & 1 == 1 { seven } else { index };
                b.load(inputs[k], at)
            });
            let value = operation(b, operands);
            b.store(out, index, value, None);
        });
    });
    let kernel = b.finish();
    wide::is_wide(&kernel, name);
    // Several seeds, so that a shared operand takes several values.
    for seed in 0..if shared == 0 { 1 } else { 6 } {
        let mut arrays: Vec<Array> = (0..N).map(|k| samples(from[k], COUNT, seed * 10 + k as u64)).collect();
        let mut result = Array::zeros(to, COUNT);
        for index in 3..COUNT - 1 {
            result.elements[index] = expected(std::array::from_fn(|k| {
                arrays[k].elements[if shared >> k & 1 == 1 { 7 } else { index }]
            }));
        }
        arrays.push(Array::zeros(to, COUNT));
        if seed == 0 {
            expect(&kernel, &arrays, &[], N, &result);
        } else {
            let isa = Isa::host().unwrap();
            let found = run_with(&kernel, (&isa, &JitOptions::default()), &arrays, &[], 1);
            assert_same(&kernel.name, &found[N], &result);
        }
    }
}

#[test]
fn one_operand() {
    use Unary::*;
    for op in [Negate, Abs, Sqrt, Floor, Nearest, Not, TrailingZeros] {
        for ty in TYPES {
            if unary(op, ty, 0).is_some() {
                let name = format!("{op:?}_{ty:?}");
                check(&name, [ty], ty, 0, |b, [a]| b.unary(op, a), |[a]| unary(op, ty, a).unwrap());
            }
        }
    }
}

#[test]
fn two_operands() {
    use Binary::*;
    for op in [
        Add,
        Subtract,
        Multiply,
        Divide,
        Min,
        Max,
        MultiplyHigh,
        And,
        Or,
        Xor,
        ShiftLeft,
        ShiftRight,
        ShiftRightSigned,
    ] {
        for ty in TYPES {
            if binary(op, ty, 0, 0).is_some() {
                for shared in 0..3 {
                    check(
                        &format!("{op:?}_{ty:?}"),
                        [ty, ty],
                        ty,
                        shared,
                        |b, [x, y]| b.binary(op, x, y),
                        |[x, y]| binary(op, ty, x, y).unwrap(),
                    );
                }
            }
        }
    }
}

#[test]
fn comparisons() {
    use Compare::*;
    for op in [Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Below] {
        for ty in TYPES {
            if compare(op, ty, 0, 0).is_some() {
                for shared in 0..2 {
                    check(
                        &format!("{op:?}_{ty:?}"),
                        [ty, ty],
                        Type::Bool,
                        shared,
                        |b, [x, y]| b.compare(op, x, y),
                        |[x, y]| compare(op, ty, x, y).unwrap(),
                    );
                }
            }
        }
    }
}

#[test]
fn conversions() {
    for conversion in [Conversion::Value, Conversion::Unsigned, Conversion::Bits] {
        for from in TYPES {
            for to in TYPES {
                if convert(conversion, from, to, 0).is_some() {
                    check(
                        &format!("{conversion:?}_{from:?}_{to:?}"),
                        [from],
                        to,
                        0,
                        |b, [a]| b.convert(conversion, to, a),
                        |[a]| convert(conversion, from, to, a).unwrap(),
                    );
                }
            }
        }
    }
}

#[test]
fn fused() {
    for shared in [0, 1, 6] {
        check(
            "fma_f32",
            [Type::F32; 3],
            Type::F32,
            shared,
            |b, [x, y, z]| b.fma(x, y, z),
            |[x, y, z]| bits32(f32_of(x).mul_add(f32_of(y), f32_of(z))),
        );
        check(
            "fma_f64",
            [Type::F64; 3],
            Type::F64,
            shared,
            |b, [x, y, z]| b.fma(x, y, z),
            |[x, y, z]| f64::from_bits(x).mul_add(f64::from_bits(y), f64::from_bits(z)).to_bits(),
        );
    }
}

#[test]
fn selections() {
    for ty in TYPES {
        for shared in 0..5 {
            check(
                &format!("select_{ty:?}"),
                [Type::Bool, ty, ty],
                ty,
                shared,
                |b, [c, x, y]| b.select(c, x, y),
                |[c, x, y]| if c == 1 { x } else { y },
            );
        }
        // The condition from a comparison of the other lane width.
        for operand in [Type::F32, Type::F64] {
            check(
                &format!("select_{ty:?}_{operand:?}"),
                [operand, operand, ty, ty],
                ty,
                0,
                |b, [l, r, x, y]| {
                    let less = b.compare(Compare::Less, l, r);
                    let not = b.unary(Unary::Not, less);
                    let greater = b.compare(Compare::Greater, l, r);
                    let either = b.binary(Binary::Or, not, greater);
                    b.select(either, x, y)
                },
                |[l, r, x, y]| if compare(Compare::Less, operand, l, r) == Some(1) { y } else { x },
            );
        }
    }
}

#[test]
fn indices_as_values() {
    let mut b = builder("indices");
    let out = declare(&mut b, "out", Type::I64, Access::Write);
    let words = declare(&mut b, "words", Type::I32, Access::Write);
    let factor = b.add_scalar("factor", Type::I64);
    b.blocks(|b, block| {
        let (start, end) = (b.int(1), b.int(50));
        let factor = b.scalar(factor);
        b.lanes(start, end, |b, index| {
            let three = b.int(3);
            let tripled = b.mul(index, three);
            let moved = b.sub(tripled, factor);
            let scaled = b.mul(moved, factor);
            let sum = b.add(scaled, index);
            let turned = b.sub(block, sum);
            let mixed = b.binary(Binary::Xor, turned, index);
            b.store(out, index, mixed, None);
            let low = b.convert(Conversion::Value, Type::I32, moved);
            let other = b.convert(Conversion::Value, Type::I32, scaled);
            let both = b.add(low, other);
            b.store(words, index, both, None);
        });
    });
    let kernel = b.finish();
    let factor = 0x1_0000_0007_i64;
    let value = |index: i64| {
        let moved = index * 3 - factor;
        let scaled = moved.wrapping_mul(factor);
        (scaled.wrapping_add(index).wrapping_neg() ^ index, (moved as i32).wrapping_add(scaled as i32))
    };
    let inside = |index: i64| (1..50).contains(&index);
    let expected = Array::i64((0..60).map(|k| if inside(k) { value(k).0 } else { 0 }));
    let expected_words =
        Array::new(Type::I32, (0..60).map(|k| if inside(k) { word(value(k).1) } else { 0 }).collect());
    let arrays = [Array::zeros(Type::I64, 60), Array::zeros(Type::I32, 60)];
    expect(&kernel, &arrays, &[factor as u64], 0, &expected);
    expect(&kernel, &arrays, &[factor as u64], 1, &expected_words);
}
