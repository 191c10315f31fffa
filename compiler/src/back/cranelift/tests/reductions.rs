//! Reductions in each order.

use super::*;

const COUNTS: [usize; 14] = [0, 1, 2, 31, 32, 33, 63, 255, 256, 257, 300, 768, 1000, 1300];

/// The definition of an order on terms that may be left out.
pub(super) fn reference(order: Order, op: ReduceOp, identity: f64, terms: &[Option<Step>]) -> f64 {
    match order {
        Order::Serial256 => {
            let blocks = terms
                .chunks(256)
                .map(|block| block.iter().flatten().fold(identity, |sum, step| step.onto(op, sum)));
            pairwise(op, identity, blocks.collect())
        }
        Order::Pairwise => {
            let terms = terms.iter().flatten().map(|step| step.0);
            pairwise(op, identity, terms.collect())
        }
        Order::Lanes32 => {
            let mut lanes = [identity; 32];
            for (index, term) in terms.iter().enumerate() {
                if let Some(step) = term {
                    lanes[index % 32] = step.onto(op, lanes[index % 32]);
                }
            }
            for half in [16, 8, 4, 2, 1] {
                for lane in 0..half {
                    lanes[lane] = combine(op, lanes[lane], lanes[lane + half]);
                }
            }
            lanes[0]
        }
    }
}

/// A value, or the product of two.
#[derive(Clone, Copy)]
pub(super) struct Step(pub f64, pub Option<f64>);

impl Step {
    fn onto(self, op: ReduceOp, sum: f64) -> f64 {
        match self.1 {
            Some(factor) => self.0.mul_add(factor, sum),
            None => combine(op, sum, self.0),
        }
    }
}

fn combine(op: ReduceOp, a: f64, b: f64) -> f64 {
    match op {
        ReduceOp::Sum | ReduceOp::Count => a + b,
        ReduceOp::Min => {
            if b < a {
                b
            } else {
                a
            }
        }
        ReduceOp::Max => {
            if b > a {
                b
            } else {
                a
            }
        }
    }
}

fn pairwise(op: ReduceOp, identity: f64, mut level: Vec<f64>) -> f64 {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| if let [a, b] = *pair { combine(op, a, b) } else { pair[0] })
            .collect();
    }
    level.first().copied().unwrap_or(identity)
}

pub(super) fn identity(op: ReduceOp) -> f64 {
    match op {
        ReduceOp::Sum | ReduceOp::Count => 0.0,
        ReduceOp::Min => f64::INFINITY,
        ReduceOp::Max => f64::NEG_INFINITY,
    }
}

/// Numbers whose sums depend on the order, with a few zeros of both signs.
pub(super) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut numbers = Numbers(seed);
    (0..count)
        .map(|_| match numbers.below(20) {
            0 => -0.0,
            k => (numbers.next() as i64 as f64) * 10f64.powi(k as i32 - 25),
        })
        .collect()
}

/// One reduction of `a` (times `b`), for the group or for each lane of an outer loop.
fn kernel(op: ReduceOp, order: Order, product: bool, gated: bool, lanes: bool) -> Kernel {
    let mut b = builder(&format!("{op:?}_{order:?}_{product}_{gated}_{lanes}"));
    let ty = if op == ReduceOp::Count { Type::I64 } else { Type::F64 };
    let out = declare(&mut b, "out", ty, Access::Write);
    let x = declare(&mut b, "x", Type::F64, Access::Read);
    let y = product.then(|| declare(&mut b, "y", Type::F64, Access::Read));
    let gates = gated.then(|| declare(&mut b, "gates", Type::Bool, Access::Read));
    let count = b.add_scalar("count", Type::I64);
    let reduce =
        |b: &mut KernelBuilder, count: ValueId, place: &dyn Fn(&mut KernelBuilder, ValueId) -> ValueId| {
            b.reduce(op, order, count, |b, index| {
                let at = place(b, index);
                let value = b.load(x, at);
                let gate = gates.map(|gates| b.load(gates, at));
                let term = match (y, op) {
                    (Some(y), _) => Term::Product(value, b.load(y, at)),
                    (None, ReduceOp::Count) => {
                        let zero = b.real(Type::F64, 0.0);
                        Term::Value(b.compare(Compare::Less, value, zero))
                    }
                    (None, ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max) => Term::Value(value),
                };
                (term, gate)
            })
        };
    b.blocks(|b, block| {
        let count = b.scalar(count);
        if lanes {
            let (start, end) = (b.int(0), b.int(7));
            b.lanes(start, end, |b, lane| {
                let result = reduce(b, count, &|b, index| {
                    let row = b.mul(index, end);
                    b.add(row, lane)
                });
                b.store(out, lane, result, None);
            });
        } else {
            let result = reduce(b, count, &|_, index| index);
            b.store(out, block, result, None);
        }
    });
    b.finish()
}

#[test]
fn every_order() {
    use ReduceOp::*;
    for order in [Order::Serial256, Order::Lanes32, Order::Pairwise] {
        for (op, product) in [(Sum, false), (Sum, true), (Min, false), (Max, false), (Count, false)] {
            for gated in [false, true] {
                if order == Order::Pairwise && (gated || product || op == Count) {
                    continue;
                }
                for lanes in [false, true] {
                    check(op, order, product, gated, lanes);
                }
            }
        }
    }
}

fn check(op: ReduceOp, order: Order, product: bool, gated: bool, lanes: bool) {
    let kernel = kernel(op, order, product, gated, lanes);
    let width = if lanes { 7 } else { 1 };
    let ty = if op == ReduceOp::Count { Type::I64 } else { Type::F64 };
    for (variant, isa, options) in variants() {
        let code = compile(&kernel, &isa, &options).unwrap();
        for count in COUNTS {
            let (x, y) = (numbers(count * width, 1), numbers(count * width, 2));
            let gates = samples(Type::Bool, count * width, 3);
            let result = |lane: usize| {
                let terms: Vec<Option<Step>> = (0..count)
                    .map(|index| {
                        let at = index * width + lane;
                        let value = if op == ReduceOp::Count { f64::from(x[at] < 0.0) } else { x[at] };
                        (!gated || gates.elements[at] == 1).then(|| Step(value, product.then(|| y[at])))
                    })
                    .collect();
                let value = reference(order, op, identity(op), &terms);
                if ty == Type::I64 { value as u64 } else { value.to_bits() }
            };
            let expected = Array::new(ty, (0..width).map(result).collect());
            let mut arrays = vec![Array::zeros(ty, width), Array::f64(x.clone())];
            arrays.extend(product.then(|| Array::f64(y.clone())));
            arrays.extend(gated.then(|| gates.clone()));
            let mut memory: Vec<Vec<u8>> = arrays.iter().map(Array::bytes).collect();
            let pointers: Vec<*mut u8> =
                memory.iter_mut().map(|bytes| bytes[MARGIN..].as_mut_ptr()).collect();
            // SAFETY: all buffers, one scalar, all indices below `count · width`.
            unsafe { code.call(pointers.as_ptr(), [count as u64].as_ptr(), 0, 1) };
            let found = Array::from_bytes(ty, &memory[0]);
            assert_same(&format!("{} of {count} ({variant})", kernel.name), &found, &expected);
        }
    }
}

#[test]
fn large_bodies_and_single_precision() {
    // Too long for eight vectors at once, and with an inner loop.
    for steps in [3, 60] {
        let mut b = builder(&format!("long_{steps}"));
        let out = declare(&mut b, "out", Type::F32, Access::Write);
        let x = declare(&mut b, "x", Type::F32, Access::Read);
        b.blocks(|b, block| {
            let count = b.int(101);
            let result = b.reduce(ReduceOp::Sum, Order::Lanes32, count, |b, index| {
                let mut value = b.load(x, index);
                for step in 0..steps {
                    let factor = b.real(Type::F32, 1.0 + f64::from(step) * 0.01);
                    value = b.mul(value, factor);
                }
                (Term::Value(value), None)
            });
            b.store(out, block, result, None);
        });
        let kernel = b.finish();
        let x: Vec<f32> = (0..101).map(|k| (k as f32 * 0.731).sin()).collect();
        let mut lanes = [0f32; 32];
        for (index, &value) in x.iter().enumerate() {
            let term = (0..steps).fold(value, |value, step| value * (1.0 + f64::from(step) * 0.01) as f32);
            lanes[index % 32] += term;
        }
        for half in [16, 8, 4, 2, 1] {
            for lane in 0..half {
                lanes[lane] += lanes[lane + half];
            }
        }
        let expected = Array::f32([lanes[0]]);
        expect(&kernel, &[Array::zeros(Type::F32, 1), Array::f32(x)], &[], 0, &expected);
    }
}

/// Reductions inside one another: each has accumulators of its own, and together they take several pages of stack.
fn nested(b: &mut KernelBuilder, depth: u32) -> ValueId {
    if depth == 0 {
        return b.real(Type::F64, 1.5);
    }
    let count = b.int(if depth == 3 { 300 } else { 2 });
    let order = if depth.is_multiple_of(2) { Order::Serial256 } else { Order::Lanes32 };
    b.reduce(ReduceOp::Sum, order, count, |b, _| (Term::Value(nested(b, depth - 1)), None))
}

#[test]
fn reductions_nest() {
    for lanes in [false, true] {
        let mut b = builder(&format!("nested_{lanes}"));
        let out = declare(&mut b, "out", Type::F64, Access::Write);
        b.blocks(|b, block| {
            if lanes {
                let end = b.int(9);
                b.lanes(block, end, |b, lane| {
                    let scale = b.convert(Conversion::Value, Type::F64, lane);
                    let value = nested(b, 7);
                    let product = b.mul(value, scale);
                    b.store(out, lane, product, None);
                });
            } else {
                let value = nested(b, 10);
                b.store(out, block, value, None);
            }
        });
        let kernel = b.finish();
        let expected = match lanes {
            true => Array::f64((0..9).map(|lane| 1.5 * 64.0 * 300.0 * f64::from(lane))),
            false => Array::f64([1.5 * 512.0 * 300.0]),
        };
        let arrays = [Array::zeros(Type::F64, expected.elements.len())];
        expect(&kernel, &arrays, &[], 0, &expected);
    }
}
