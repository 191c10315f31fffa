//! Our own functions and random bits, as expansion writes them.

use super::*;
use crate::kernel::expand::expand;

const COUNT: usize = 45;

/// Runs the expanded kernel in all ways; what each way gives must be what the interpreter gives, four lanes at once where lanes are allowed.
fn check(kernel: &Kernel, arrays: &[Array], scalars: &[u64]) {
    let kernel = expand(kernel);
    let expected = interpret(&kernel, arrays, scalars, 1);
    for (variant, isa, options) in variants() {
        let found = run_with(&kernel, (&isa, &options), arrays, scalars, 1);
        for (found, expected) in found.iter().zip(&expected) {
            assert_same(&format!("{} ({variant})", kernel.name), found, expected);
        }
    }
    let info = validate(&kernel).unwrap();
    let options = JitOptions { wide: false, ..JitOptions::default() };
    let text = super::super::clif(&kernel, &info, &Isa::host().unwrap(), &options).unwrap();
    assert!(text.contains("x4"), "{text}");
}

#[test]
fn functions() {
    use MathFn::*;
    for ty in [Type::F32, Type::F64] {
        for function in [Exp, Ln, Log2, Log1p, Expm1, Sin, Cos, Tanh, Sigmoid, Pow] {
            let mut b = builder(&format!("{function:?}_{ty:?}"));
            let out = declare(&mut b, "out", ty, Access::Write);
            let from = declare(&mut b, "from", ty, Access::Read);
            b.blocks(|b, block| {
                let end = b.int(COUNT as i64);
                b.lanes(block, end, |b, index| {
                    let x = b.load(from, index);
                    let arguments = if function == Pow { vec![x, x] } else { vec![x] };
                    let value = b.op(ty, Op::Math(function, arguments));
                    b.store(out, index, value, None);
                });
            });
            check(&b.finish(), &[Array::zeros(ty, COUNT), samples(ty, COUNT, 4)], &[]);
        }
    }
}

#[test]
fn random_bits() {
    let mut b = builder("random");
    let out = declare(&mut b, "out", Type::I32, Access::Write);
    let [seed, step] = ["seed", "step"].map(|name| b.add_scalar(name, Type::I64));
    b.blocks(|b, row| {
        let (end, seed, step, zero) = (b.int(COUNT as i64), b.scalar(seed), b.scalar(step), b.word(0));
        b.lanes(row, end, |b, column| {
            let random = Random { site: 3, attempt: zero, run: zero, step, seed, row, column };
            let value = b.op(Type::I32, Op::Random(random));
            b.store(out, column, value, None);
        });
    });
    check(&b.finish(), &[Array::zeros(Type::I32, COUNT)], &[0x0123_4567_89ab_cdef, 77]);
}
