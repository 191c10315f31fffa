//! Loops, branches and stores.

use super::*;

/// `w[i] = min(max(w[i] + a·x[i], lo), hi)` over `start .. start + count`.
fn row_update() -> Kernel {
    let mut b = builder("row");
    let w = declare(&mut b, "w", Type::F32, Access::ReadWrite);
    let x = declare(&mut b, "x", Type::F32, Access::Read);
    let [start, count] = ["start", "count"].map(|name| b.add_scalar(name, Type::I64));
    let a = b.add_scalar("a", Type::F32);
    b.blocks(|b, _| {
        let (start, count, a) = (b.scalar(start), b.scalar(count), b.scalar(a));
        let end = b.add(start, count);
        b.lanes(start, end, |b, index| {
            let (before, x) = (b.load(w, index), b.load(x, index));
            let change = b.mul(a, x);
            let sum = b.add(before, change);
            let (low, high) = (b.real(Type::F32, 0.0), b.real(Type::F32, 1.0));
            let raised = b.binary(Binary::Max, sum, low);
            let clamped = b.binary(Binary::Min, raised, high);
            b.store(w, index, clamped, None);
        });
    });
    b.finish()
}

#[test]
fn every_length_and_start() {
    let kernel = row_update();
    let (w, x) = (samples(Type::F32, 80, 1), samples(Type::F32, 80, 2));
    for (variant, isa, options) in variants() {
        let code = compile(&kernel, &isa, &options).unwrap();
        for count in 0..=70u64 {
            let start = count % 7;
            let mut memory = w.bytes();
            let mut other = x.bytes();
            let pointers = [memory[MARGIN..].as_mut_ptr(), other[MARGIN..].as_mut_ptr()];
            let scalars = [start, count, u64::from(0.3f32.to_bits())];
            // SAFETY: two buffers, three scalars, and at most 76 of 80 elements.
            unsafe { code.call(pointers.as_ptr(), scalars.as_ptr(), 0, 1) };
            let found = Array::from_bytes(Type::F32, &memory);
            let mut expected = w.clone();
            for index in start as usize..(start + count) as usize {
                let get = |array: &Array| f32::from_bits(array.elements[index] as u32);
                let sum = get(&w) + 0.3 * get(&x);
                let raised = if 0.0 > sum { 0.0 } else { sum };
                let clamped = if 1.0 < raised { 1.0 } else { raised };
                expected.elements[index] = u64::from(clamped.to_bits());
            }
            assert_same(&format!("{count} from {start} ({variant})"), &found, &expected);
        }
    }
}

/// `to[list[k]] = spikes[list[k]] ? from[list[k]] + 1 : from[list[k]]` over `start .. end`, and the same at `k` of another array.
fn listed(kind: LoopKind) -> Kernel {
    let mut b = builder("listed");
    let list = declare(&mut b, "list", Type::I32, Access::Read);
    let spikes = declare(&mut b, "spikes", Type::Bool, Access::Read);
    let from = declare(&mut b, "from", Type::F32, Access::Read);
    let scattered = declare(&mut b, "scattered", Type::F32, Access::Write);
    let gathered = declare(&mut b, "gathered", Type::F32, Access::Write);
    let [start, end] = ["start", "end"].map(|name| b.add_scalar(name, Type::I64));
    b.blocks(|b, _| {
        for into in [scattered, gathered] {
            let (start, end) = (b.scalar(start), b.scalar(end));
            let index = b.defined(Type::I64);
            b.enter();
            let place = b.load(list, index);
            let place = b.convert(Conversion::Unsigned, Type::I64, place);
            let (spike, value) = (b.load(spikes, place), b.load(from, place));
            let one = b.real(Type::F32, 1.0);
            let more = b.add(value, one);
            let chosen = b.select(spike, more, value);
            b.store(into, if into == scattered { place } else { index }, chosen, None);
            let body = b.leave();
            b.push(Stmt::For(Loop {
                kind,
                index,
                start: Some(start),
                end: Some(end),
                carried: Vec::new(),
                exit: None,
                body,
            }));
        }
    });
    b.finish()
}

#[test]
fn lists_lead_to_places() {
    let places = |count: u64| (0..count).map(|k| k * 7 % 32);
    let list = Array::new(Type::I32, places(32).collect());
    let spikes = Array::bool((0..32).map(|k| k % 3 == 0));
    let from = Array::f32((0..32).map(|k| k as f32 * 0.5));
    for kind in [LoopKind::Serial, LoopKind::Lanes] {
        let kernel = listed(kind);
        for (variant, isa, options) in variants() {
            let code = compile(&kernel, &isa, &options).unwrap();
            for (start, end) in (0..20).map(|end| (end / 4, end)).chain([(9, 2), (31, 32)]) {
                let inputs = [&list, &spikes, &from].map(Array::bytes);
                let mut outputs = [Array::zeros(Type::F32, 32).bytes(), Array::zeros(Type::F32, 32).bytes()];
                let mut pointers: Vec<*mut u8> =
                    inputs.iter().map(|bytes| bytes[MARGIN..].as_ptr().cast_mut()).collect();
                pointers.extend(outputs.iter_mut().map(|bytes| bytes[MARGIN..].as_mut_ptr()));
                // SAFETY: five buffers of 32 elements of which three are only read, two scalars, places below 32.
                unsafe { code.call(pointers.as_ptr(), [start, end].as_ptr(), 0, 1) };
                let mut expected = [vec![0.0; 32], vec![0.0; 32]];
                for k in start..end {
                    let place = (k * 7 % 32) as usize;
                    let value = place as f32 * 0.5 + f32::from(u8::from(place.is_multiple_of(3)));
                    expected[0][place] = value;
                    expected[1][k as usize] = value;
                }
                for (found, expected) in outputs.iter().zip(expected) {
                    let what = format!("{start} to {end}, {kind:?} ({variant})");
                    assert_same(&what, &Array::from_bytes(Type::F32, found), &Array::f32(expected));
                }
            }
        }
    }
}

#[test]
fn blocks_are_a_half_open_range() {
    let mut b = builder("blocks");
    let out = declare(&mut b, "out", Type::I64, Access::Write);
    b.blocks(|b, block| b.store(out, block, block, None));
    let kernel = b.finish();
    let code = compile(&kernel, &Isa::host().unwrap(), &JitOptions::default()).unwrap();
    let mut values = [-1i64; 6];
    let pointers = [values.as_mut_ptr().cast::<u8>()];
    // SAFETY: one buffer of six elements.
    unsafe { code.call(pointers.as_ptr(), std::ptr::null(), 2, 5) };
    assert_eq!(values, [-1, -1, 2, 3, 4, -1]);
    // SAFETY: as above; no block.
    unsafe { code.call(pointers.as_ptr(), std::ptr::null(), 4, 4) };
    assert_eq!(values, [-1, -1, 2, 3, 4, -1]);
}

#[test]
fn gates_keep_what_they_exclude() {
    for ty in [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool] {
        for access in [Access::Write, Access::ReadWrite] {
            for shared in [false, true] {
                let mut b = builder(&format!("gate_{ty:?}_{access:?}_{shared}"));
                let out = declare(&mut b, "out", ty, access);
                let from = declare(&mut b, "from", ty, Access::Read);
                let gates = declare(&mut b, "gates", Type::Bool, Access::Read);
                b.blocks(|b, _| {
                    let (start, end) = (b.int(2), b.int(43));
                    b.lanes(start, end, |b, index| {
                        let three = b.int(3);
                        if access == Access::ReadWrite {
                            b.load(out, index);
                        }
                        let gate = b.load(gates, if shared { three } else { index });
                        let value = b.load(from, index);
                        b.store(out, index, value, Some(gate));
                    });
                });
                let kernel = b.finish();
                for seed in 0..3 {
                    let (before, value) = (samples(ty, 45, seed), samples(ty, 45, seed + 10));
                    let gates = samples(Type::Bool, 45, seed + 20);
                    let mut expected = before.clone();
                    for index in 2..43 {
                        if gates.elements[if shared { 3 } else { index }] == 1 {
                            expected.elements[index] = value.elements[index];
                        }
                    }
                    expect(&kernel, &[before, value, gates], &[], 0, &expected);
                }
            }
        }
    }
}

#[test]
fn gathers_and_scatters() {
    let count = 57;
    for ty in [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool] {
        let mut b = builder(&format!("permute_{ty:?}"));
        let out = declare(&mut b, "out", ty, Access::Write);
        let from = declare(&mut b, "from", ty, Access::Read);
        let order = declare(&mut b, "order", Type::I32, Access::Read);
        let stride = b.add_scalar("stride", Type::I64);
        b.blocks(|b, _| {
            let (start, end) = (b.int(0), b.int(count));
            let stride = b.scalar(stride);
            b.lanes(start, end, |b, index| {
                let target = b.load(order, index);
                let target = b.convert(Conversion::Value, Type::I64, target);
                let strided = b.mul(index, stride);
                let two = b.int(2);
                let place = b.add(strided, two);
                let value = b.load(from, place);
                let gate = b.compare(Compare::NotEqual, target, two);
                b.store(out, target, value, Some(gate));
                let doubled = b.mul(index, two);
                let far = b.add(doubled, end);
                let other = b.load(from, target);
                b.store(out, far, other, None);
            });
        });
        let kernel = b.finish();
        let from = samples(ty, 3 * count as usize + 2, 5);
        let order: Vec<u64> = (0..count as u64).map(|k| k * 20 % count as u64).collect();
        let mut expected = Array::zeros(ty, 3 * count as usize);
        for (index, &target) in order.iter().enumerate() {
            if target != 2 {
                expected.elements[target as usize] = from.elements[index * 3 + 2];
            }
            expected.elements[2 * index + count as usize] = from.elements[target as usize];
        }
        let arrays = [Array::zeros(ty, 3 * count as usize), from, Array::new(Type::I32, order)];
        expect(&kernel, &arrays, &[3], 0, &expected);
    }
}

#[test]
fn carried_values_and_exits() {
    let mut b = builder("carry");
    let out = declare(&mut b, "out", Type::I64, Access::Write);
    let from = declare(&mut b, "from", Type::I64, Access::Read);
    let limit = b.add_scalar("limit", Type::I64);
    b.blocks(|b, _| {
        let (zero, end, one, limit) = (b.int(0), b.int(20), b.int(1), b.scalar(limit));
        let results = b.carry(zero, end, &[zero, one], |b, index, carried| {
            let value = b.load(from, index);
            let sum = b.add(carried[0], value);
            let exit = b.compare(Compare::Greater, sum, limit);
            // The values change places: all carried values move at once.
            (vec![carried[1], sum], Some(exit))
        });
        b.store(out, zero, results[0], None);
        b.store(out, one, results[1], None);
        let none = b.carry(end, zero, &[limit], |_, index, _| (vec![index], None));
        let two = b.int(2);
        b.store(out, two, none[0], None);
    });
    let kernel = b.finish();
    let from = Array::i64((0..20).map(|k| k * k % 7));
    for limit in [-1i64, 0, 5, 9, 1000] {
        let mut carried = (0, 1);
        for index in 0..20 {
            let sum = carried.0 + from.elements[index] as i64;
            carried = (carried.1, sum);
            if sum > limit {
                break;
            }
        }
        let expected = Array::i64([carried.0, carried.1, limit]);
        expect(&kernel, &[Array::zeros(Type::I64, 3), from.clone()], &[limit as u64], 0, &expected);
    }
}

#[test]
fn branches_inside_lanes() {
    // A condition that all lanes share keeps the vectors; one that differs does not.
    for shared in [true, false] {
        let mut b = builder(&format!("branch_{shared}"));
        let out = declare(&mut b, "out", Type::F64, Access::Write);
        let from = declare(&mut b, "from", Type::F64, Access::Read);
        let which = declare(&mut b, "which", Type::Bool, Access::Read);
        b.blocks(|b, _| {
            let (start, end) = (b.int(1), b.int(30));
            b.lanes(start, end, |b, index| {
                let zero = b.int(0);
                let condition = b.load(which, if shared { zero } else { index });
                let value = b.load(from, index);
                let results = b.branch(
                    condition,
                    |b| {
                        let two = b.real(Type::F64, 2.0);
                        vec![b.mul(value, two), two, condition]
                    },
                    |b| {
                        let half = b.real(Type::F64, 0.5);
                        let less = b.compare(Compare::Less, value, half);
                        vec![half, value, less]
                    },
                );
                let sum = b.add(results[0], results[1]);
                let turned = b.unary(Unary::Negate, sum);
                let value = b.select(results[2], turned, sum);
                b.store(out, index, value, None);
            });
        });
        let kernel = b.finish();
        for first in [false, true] {
            let from = Array::f64((0..30).map(|k| f64::from(k) * 0.37 - 3.0));
            let which = Array::bool((0..30).map(|k| (k % 3 == 0) == first));
            let expected = Array::f64((0..30).map(|index| {
                let value = f64::from_bits(from.elements[index]);
                let holds = which.elements[if shared { 0 } else { index }] == 1;
                match (index, holds) {
                    (0, _) => 0.0,
                    (_, true) => -(value * 2.0 + 2.0),
                    (_, false) if value < 0.5 => -(0.5 + value),
                    (_, false) => 0.5 + value,
                }
            }));
            expect(&kernel, &[Array::zeros(Type::F64, 30), from, which], &[], 0, &expected);
        }
    }
}

#[test]
fn serial_loops_inside_lanes() {
    // Bounds shared by all lanes (a vector loop) and bounds of each lane (a scalar loop); an inner loop over lanes.
    for shared in [true, false] {
        let mut b = builder(&format!("nested_{shared}"));
        let out = declare(&mut b, "out", Type::I32, Access::ReadWrite);
        let table = declare(&mut b, "table", Type::I32, Access::ReadWrite);
        b.blocks(|b, _| {
            let (zero, end, nine) = (b.int(0), b.int(21), b.int(9));
            b.lanes(zero, end, |b, index| {
                let one = b.word(1);
                let last = if shared { nine } else { index };
                let results = b.carry(zero, last, &[one], |b, k, carried| {
                    let seven = b.word(7);
                    let scaled = b.mul(carried[0], seven);
                    let place = b.mul(k, end);
                    let place = b.add(place, index);
                    let term = b.load(table, place);
                    (vec![b.add(scaled, term)], None)
                });
                b.store(out, index, results[0], None);
            });
            b.lanes(zero, end, |b, row| {
                b.lanes(zero, end, |b, column| {
                    let start = b.mul(row, end);
                    let place = b.add(start, column);
                    let value = b.load(table, place);
                    let other = b.load(out, column);
                    let sum = b.add(value, other);
                    b.store(table, place, sum, None);
                });
            });
        });
        let kernel = b.finish();
        let table = samples(Type::I32, 21 * 21, 3);
        let at = |place: usize| table.elements[place] as u32;
        let value = |index: usize| {
            let last = if shared { 9 } else { index };
            (0..last).fold(1u32, |sum, k| sum.wrapping_mul(7).wrapping_add(at(k * 21 + index)))
        };
        let out = Array::new(Type::I32, (0..21).map(|index| u64::from(value(index))).collect());
        let sums = (0..441).map(|place| u64::from(at(place).wrapping_add(value(place % 21)))).collect();
        let arrays = [Array::zeros(Type::I32, 21), table.clone()];
        expect(&kernel, &arrays, &[], 0, &out);
        expect(&kernel, &arrays, &[], 1, &Array::new(Type::I32, sums));
    }
}

#[test]
fn what_a_loop_stores_is_not_loaded_before_it() {
    let mut b = builder("order");
    let total = declare(&mut b, "total", Type::I64, Access::ReadWrite);
    b.blocks(|b, _| {
        let (zero, one, end) = (b.int(0), b.int(1), b.int(10));
        b.serial(zero, end, |b, _| {
            let next = b.add(zero, one);
            b.lanes(zero, next, |b, _| {
                let value = b.load(total, zero);
                let sum = b.add(value, one);
                b.store(total, zero, sum, None);
            });
        });
    });
    expect(&b.finish(), &[Array::zeros(Type::I64, 1)], &[], 0, &Array::i64([10]));
}
