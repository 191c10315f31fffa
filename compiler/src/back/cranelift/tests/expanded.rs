//! Our own functions and random bits, as expansion writes them.

use super::*;
use crate::back::cranelift::Routines;
use crate::kernel::expand::{expand, expand_operations};
use crate::kernel::print::print;

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

/// What the routine has been called with.
static FETCHED: std::sync::Mutex<Vec<(usize, i64)>> = std::sync::Mutex::new(Vec::new());

unsafe extern "C" fn note(at: *const u8, bytes: i64) {
    FETCHED.lock().unwrap().push((at as usize, bytes));
}

#[test]
fn fetches_are_calls_and_change_nothing() {
    let mut b = builder("asking");
    let out = declare(&mut b, "out", Type::F64, Access::ReadWrite);
    let first = b.add_scalar("first", Type::I64);
    b.blocks(|b, block| {
        let (start, count) = (b.scalar(first), b.int(3));
        b.push(Stmt::Fetch(Fetch { buffer: out, start, count }));
        let value = b.load(out, block);
        let value = b.binary(Binary::Add, value, value);
        b.store(out, block, value, None);
    });
    let kernel = b.finish();
    assert!(!print(&expand(&kernel)).contains("fetch"), "the interpreter and GPUs have none");
    let kernel = expand_operations(&kernel);
    assert!(print(&kernel).contains("fetch out[first] below 3i64;"), "{}", print(&kernel));
    let arrays = [samples(Type::F64, COUNT, 4)];
    let expected = interpret(&kernel, &arrays, &[5], 1);
    for (variant, isa, options) in variants() {
        let found = run_with(&kernel, (&isa, &options), &arrays, &[5], 1);
        assert_same(variant, &found[0], &expected[0]);
    }
    assert!(FETCHED.lock().unwrap().is_empty());
    let isa = Isa::host().unwrap().with_routines(Routines { fetch: Some(note), ..Routines::default() });
    let found = run_with(&kernel, (&isa, &JitOptions::default()), &arrays, &[5], 1);
    assert_same("with the routine", &found[0], &expected[0]);
    let fetched = FETCHED.lock().unwrap();
    let (at, _) = fetched[0];
    assert!(fetched.iter().all(|call| *call == (at, 24)), "{fetched:?}");
}
