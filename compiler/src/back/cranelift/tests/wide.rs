//! Loops in vectors of 256 bits: which ones there are, and what they do when registers run out.

use super::*;

/// Operations that these lanes do not have.
const NARROW: [&str; 9] = [
    "Multiply_I64",
    "ShiftRightSigned_I64",
    "Value_I64_F32",
    "Value_I64_F64",
    "Value_F32_I64",
    "Value_F64_I32",
    "Value_F64_I64",
    "Remainder",
    "TrailingZeros",
];

fn loops(kernel: &Kernel) -> String {
    let info = validate(kernel).unwrap();
    super::super::loops(kernel, &info, &Isa::version_3().unwrap(), &JitOptions::default()).unwrap()
}

/// The one loop of a kernel of one operation is wide, but for the operations that are known not to be.
#[track_caller]
pub(super) fn is_wide(kernel: &Kernel, name: &str) {
    let text = loops(kernel);
    let narrow = NARROW.iter().any(|operation| name.starts_with(operation));
    assert_eq!(text.contains(" four at once: "), narrow, "{name}:\n{text}");
}

/// `out[i] = Σ_k weight_k · in[i + k]`, first all loads and then all sums, in both directions: as many values are alive at once
/// as there are terms.
fn many_alive(ty: Type, terms: i64) -> Kernel {
    let mut b = builder("many");
    let input = declare(&mut b, "input", ty, Access::Read);
    let out = declare(&mut b, "out", ty, Access::ReadWrite);
    let count = b.add_scalar("count", Type::I64);
    b.blocks(|b, block| {
        let count = b.scalar(count);
        b.lanes(block, count, |b, index| {
            let mut loaded = Vec::new();
            for term in 0..terms {
                let offset = b.int(term);
                let at = b.add(index, offset);
                let value = b.load(input, at);
                let weight = b.real(ty, 1.0 + term as f64 / 8.0);
                loaded.push(b.mul(value, weight));
            }
            let mut sum = b.real(ty, 0.0);
            for value in loaded.iter().rev().chain(&loaded) {
                sum = b.add(sum, *value);
            }
            let before = b.load(out, index);
            let value = b.binary(Binary::Max, sum, before);
            let gate = b.compare(Compare::Less, before, sum);
            b.store(out, index, value, Some(gate));
        });
    });
    b.finish()
}

#[test]
fn values_that_find_no_register_wait_on_the_stack() {
    for ty in [Type::F32, Type::F64] {
        for terms in [1, 6, 13, 14, 15, 16, 17, 24, 40] {
            let kernel = many_alive(ty, terms);
            let text = loops(&kernel);
            assert!(text.starts_with("loop 1"), "{text}");
            let vectors = terms * ty.size() as i64 / 4;
            if !(13..=17).contains(&vectors) {
                assert_eq!(text.contains("[rsp"), vectors > 17, "{terms} {text}");
            }
            for count in [7, 8, 16, 61] {
                let input = samples(ty, count + terms as usize, 3);
                let arrays = [input, samples(ty, count, 4)];
                let expected = interpret(&kernel, &arrays, &[count as u64], 1);
                expect(&kernel, &arrays, &[count as u64], 1, &expected[1]);
            }
        }
    }
}

#[test]
fn more_than_the_stack_holds_stays_with_cranelift() {
    let text = loops(&many_alive(Type::F64, 130));
    assert_eq!(text, "a loop four at once: more vectors than the stack should hold\n");
}

#[test]
fn more_buffers_than_registers_for_addresses() {
    let mut b = builder("buffers");
    let inputs: Vec<BufferId> =
        (0..15).map(|k| declare(&mut b, &format!("in{k}"), Type::F32, Access::Read)).collect();
    let out = declare(&mut b, "out", Type::F32, Access::Write);
    let (offset, count) = (b.add_scalar("offset", Type::I64), b.add_scalar("count", Type::I64));
    b.blocks(|b, block| {
        let (offset, count) = (b.scalar(offset), b.scalar(count));
        b.lanes(block, count, |b, index| {
            let mut sum = b.real(Type::F32, 0.0);
            for &input in &inputs {
                let at = b.sub(index, offset);
                let value = b.load(input, at);
                sum = b.add(sum, value);
            }
            b.store(out, index, sum, None);
        });
    });
    let kernel = b.finish();
    assert!(loops(&kernel).contains("r11"));
    let mut arrays: Vec<Array> = (0..15).map(|k| samples(Type::F32, 50, k)).collect();
    arrays.push(Array::zeros(Type::F32, 50));
    let scalars = [0u64, 50];
    let expected = interpret(&kernel, &arrays, &scalars, 1);
    expect(&kernel, &arrays, &scalars, 15, &expected[15]);
}

/// `out[i] = a[list[i]]` for each type, with signed and unsigned places, and places behind a first one.
#[test]
fn elements_where_a_list_says() {
    for ty in [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool] {
        for (conversion, base) in [(Conversion::Unsigned, 0), (Conversion::Value, 0), (Conversion::Value, 40)]
        {
            let mut b = builder("gather");
            let a = declare(&mut b, "a", ty, Access::Read);
            let list = declare(&mut b, "list", Type::I32, Access::Read);
            let out = declare(&mut b, "out", ty, Access::Write);
            let (first, count) = (b.add_scalar("first", Type::I64), b.add_scalar("count", Type::I64));
            b.blocks(|b, block| {
                let (first, count) = (b.scalar(first), b.scalar(count));
                b.lanes(block, count, |b, index| {
                    let place = b.load(list, index);
                    let mut place = b.convert(conversion, Type::I64, place);
                    if base != 0 {
                        place = b.add(first, place);
                    }
                    let value = b.load(a, place);
                    b.store(out, index, value, None);
                });
            });
            let kernel = b.finish();
            let wide = ty != Type::Bool || base == 0;
            assert_eq!(loops(&kernel).contains("gather"), wide, "{}", loops(&kernel));
            // The first and the last element, and negative places before the first one of a slice.
            let places = (0..61).map(|k: i64| (k * 37 % 90 - base).rem_euclid(90) - base);
            let places: Vec<u64> = match base {
                0 => (0..61).map(|k| [0, 89, k * 37 % 90][k as usize % 3]).collect(),
                _ => places.map(|place| u64::from(place as i32 as u32)).collect(),
            };
            let arrays = [samples(ty, 90, 5), Array::new(Type::I32, places), Array::zeros(ty, 61)];
            let scalars = [base as u64, 61];
            let expected = interpret(&kernel, &arrays, &scalars, 1);
            expect(&kernel, &arrays, &scalars, 2, &expected[2]);
        }
    }
}

/// A store whose gate differs from lane to lane into what the kernel may not read.
#[test]
fn gated_stores_leave_the_rest_alone() {
    for ty in [Type::F32, Type::F64, Type::I32, Type::I64] {
        let mut b = builder("gated");
        let input = declare(&mut b, "input", ty, Access::Read);
        let holds = declare(&mut b, "holds", Type::Bool, Access::Read);
        let out = declare(&mut b, "out", ty, Access::Write);
        let count = b.add_scalar("count", Type::I64);
        b.blocks(|b, block| {
            let count = b.scalar(count);
            b.lanes(block, count, |b, index| {
                let (value, gate) = (b.load(input, index), b.load(holds, index));
                b.store(out, index, value, Some(gate));
            });
        });
        let kernel = b.finish();
        assert!(loops(&kernel).contains("vmaskmovp"));
        let arrays = [samples(ty, 45, 1), samples(Type::Bool, 45, 2), samples(ty, 45, 3)];
        let expected = interpret(&kernel, &arrays, &[45], 1);
        expect(&kernel, &arrays, &[45], 2, &expected[2]);
    }
}

#[test]
fn sums_keep_their_accumulators_in_registers() {
    let mut b = builder("mean");
    let input = declare(&mut b, "input", Type::F32, Access::Read);
    let out = declare(&mut b, "out", Type::F32, Access::Write);
    let count = b.add_scalar("count", Type::I64);
    b.blocks(|b, block| {
        let count = b.scalar(count);
        let sum = b.reduce(ReduceOp::Sum, Order::Lanes32, count, |b, index| {
            let value = b.load(input, index);
            (Term::Product(value, value), None)
        });
        b.store(out, block, sum, None);
    });
    let text = loops(&b.finish());
    assert!(text.starts_with("loop 1, 32 at once:"), "{text}");
    assert_eq!(text.matches("vfmadd231ps").count(), 4, "{text}");
    let iteration = text.split("vfmadd231ps").nth(2).unwrap();
    assert!(!iteration.contains("vmovaps"), "{text}");
}
