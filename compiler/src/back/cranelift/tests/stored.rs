//! Reductions of the terms that a row has stored, in the order of the whole row.

use super::reductions::{Step, identity, numbers, reference};
use super::*;

/// One reduction of the stored `x` (times `y` of their places), for the group or for each lane of an outer loop, in which
/// each lane may have `own` places.
fn kernel(
    (op, order, product, gated): (ReduceOp, Order, bool, bool),
    ty: Type,
    lanes: bool,
    own: bool,
) -> Kernel {
    let mut b = builder(&format!("stored_{op:?}_{order:?}_{product}_{gated}_{ty:?}_{lanes}_{own}"));
    let result = if op == ReduceOp::Count { Type::I64 } else { ty };
    let out = declare(&mut b, "out", result, Access::Write);
    let column = declare(&mut b, "column", Type::I32, Access::Read);
    let x = declare(&mut b, "x", ty, Access::Read);
    let y = product.then(|| declare(&mut b, "y", ty, Access::Read));
    let gates = gated.then(|| declare(&mut b, "gates", Type::Bool, Access::Read));
    let [count, extent] = ["count", "extent"].map(|name| b.add_scalar(name, Type::I64));
    let reduce = |b: &mut KernelBuilder, lane: ValueId, width: ValueId| {
        let ends = [count, extent].map(|scalar| b.scalar(scalar));
        b.reduce_stored(op, order, ends, |b, index| {
            let row = b.mul(index, width);
            let own_index = b.add(row, lane);
            let place = b.load(column, if own { own_index } else { index });
            let place = b.convert(Conversion::Value, Type::I64, place);
            let value = b.load(x, own_index);
            let gate = gates.map(|gates| b.load(gates, place));
            let term = match (y, op) {
                (Some(y), _) => Term::Product(value, b.load(y, place)),
                (None, ReduceOp::Count) => {
                    let zero = b.real(ty, 0.0);
                    Term::Value(b.compare(Compare::Less, value, zero))
                }
                (None, ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max) => Term::Value(value),
            };
            (term, gate, place)
        })
    };
    b.blocks(|b, block| {
        if lanes {
            let (start, width) = (b.int(0), b.int(WIDTH as i64));
            b.lanes(start, width, |b, lane| {
                let result = reduce(b, lane, width);
                b.store(out, lane, result, None);
            });
        } else {
            let one = b.int(1);
            let result = reduce(b, block, one);
            b.store(out, block, result, None);
        }
    });
    b.finish()
}

/// Lanes of the outer loop.
const WIDTH: usize = 7;

/// Which places of a row are stored: about one in `every`, none of those from 256 to 511.
fn places(extent: usize, every: usize, seed: u64) -> Vec<usize> {
    let mut numbers = Numbers(seed);
    (0..extent).filter(|place| numbers.below(every) == 0 && place / 256 != 1).collect()
}

#[test]
fn stored_terms_have_the_order_of_their_row() {
    use ReduceOp::*;
    for order in [Order::Serial256, Order::Lanes32] {
        for (op, product) in [(Sum, false), (Sum, true), (Min, false), (Max, false), (Count, false)] {
            for gated in [false, true] {
                for ty in [Type::F32, Type::F64] {
                    for (lanes, own) in [(false, false), (true, false), (true, true)] {
                        check((op, order, product, gated), ty, lanes, own);
                    }
                }
            }
        }
    }
}

fn check(what: (ReduceOp, Order, bool, bool), ty: Type, lanes: bool, own: bool) {
    let (op, order, product, gated) = what;
    let kernel = kernel(what, ty, lanes, own);
    let width = if lanes { WIDTH } else { 1 };
    let variants = variants();
    let codes: Vec<JitKernel> =
        variants.iter().map(|(_, isa, options)| compile(&kernel, isa, options).unwrap()).collect();
    for (extent, every) in [(0, 1), (1, 1), (33, 2), (257, 3), (300, 40), (700, 1), (1300, 6), (2100, 300)] {
        // Where each lane has places of its own, they have equally many.
        let mut rows: Vec<Vec<usize>> =
            (0..width).map(|lane| places(extent, every, if own { lane as u64 } else { 0 })).collect();
        let count = rows.iter().map(Vec::len).min().unwrap();
        rows.iter_mut().for_each(|row| row.truncate(count));
        let (x, y) = (numbers(count * width, 1), numbers(extent, 2));
        let (x, y) = match ty {
            // Large terms would be infinite.
            Type::F32 => (x.iter().map(|x| x * 1e-19).collect(), y.iter().map(|y| y * 1e-19).collect()),
            _ => (x, y),
        };
        let float = |values: &[f64]| match ty {
            Type::F32 => Array::f32(values.iter().map(|&value| value as f32)),
            _ => Array::f64(values.to_vec()),
        };
        let gates = samples(Type::Bool, extent, 3);
        let width_of_columns = if own { width } else { 1 };
        let column = (0..count * width_of_columns)
            .map(|at| rows[at % width_of_columns][at / width_of_columns] as u64)
            .collect();
        let result = if op == ReduceOp::Count { Type::I64 } else { ty };
        let mut arrays = vec![Array::zeros(result, width), Array::new(Type::I32, column), float(&x)];
        arrays.extend(product.then(|| float(&y)));
        arrays.extend(gated.then(|| gates.clone()));
        let scalars = [count as u64, extent as u64];
        let what = format!("{}, every {every} of {extent}", kernel.name);
        let interpreted = interpret(&kernel, &arrays, &scalars, 1);
        if ty == Type::F64 {
            let value = |lane: usize| {
                let mut terms: Vec<Option<Step>> = vec![None; extent];
                for (index, &place) in rows[lane].iter().enumerate() {
                    let value = x[index * width + lane];
                    let value = if op == ReduceOp::Count { f64::from(value < 0.0) } else { value };
                    let held = !gated || gates.elements[place] == 1;
                    terms[place] = held.then(|| Step(value, product.then(|| y[place])));
                }
                let value = reference(order, op, identity(op), &terms);
                if result == Type::I64 { value as u64 } else { value.to_bits() }
            };
            let expected = Array::new(result, (0..width).map(value).collect());
            assert_same(&format!("{what} (interpreter)"), &interpreted[0], &expected);
        }
        for ((variant, ..), code) in variants.iter().zip(&codes) {
            let mut memory: Vec<Vec<u8>> = arrays.iter().map(Array::bytes).collect();
            let pointers: Vec<*mut u8> =
                memory.iter_mut().map(|bytes| bytes[MARGIN..].as_mut_ptr()).collect();
            // SAFETY: all buffers, two scalars, indices below `count · width` and places below `extent`.
            unsafe { code.call(pointers.as_ptr(), scalars.as_ptr(), 0, 1) };
            let found = Array::from_bytes(result, &memory[0]);
            assert_same(&format!("{what} ({variant})"), &found, &interpreted[0]);
        }
    }
}

#[test]
fn the_text_of_stored_sums_compiles_to_the_interpreter_s_bits() {
    let text = include_str!("../../../../../tests/in/kernel/stored_sums.kernel");
    let kernel = parse::parse(text).expect("a text that parses");
    let column = Array::new(Type::I32, vec![0, 3, 32, 35, 255, 600, 601, 632, 799]);
    let (w, y) = (samples(Type::F32, 9, 4), samples(Type::F32, 800, 5));
    let arrays = [column, w, y, samples(Type::Bool, 800, 6), Array::zeros(Type::F32, 4)];
    let expected = interpret(&kernel, &arrays, &[800, 9], 1);
    expect(&kernel, &arrays, &[800, 9], 4, &expected[4]);
}
