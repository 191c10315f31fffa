//! An expanded kernel, run by the interpreter of kernels, gives the bits of `evaluate` and `draw`.

use super::{Bits, UNARY};
use crate::interp::kernel::{Array, run};
use crate::ir::{Distribution, MathFn};
use crate::kernel::build::KernelBuilder;
use crate::kernel::expand::expand;
use crate::kernel::*;
use crate::math::{Real, Stream, draw, emit_draw, evaluate, random_word};
use crate::valid::kernel::validate;

/// A kernel that computes one number for each element: `out[i] = compute(x[i], y[i], i)`.
fn elementwise(
    ty: Type,
    out: Type,
    compute: impl FnOnce(&mut KernelBuilder, ValueId, ValueId, ValueId) -> ValueId,
) -> Kernel {
    let items = vec![Extent::Constant(1)];
    let mut builder = KernelBuilder::new("probe", Space { kind: SpaceKind::Single, items, per_block: 1 });
    let count = builder.add_scalar("count", Type::I64);
    for name in ["seed", "step"] {
        builder.add_scalar(name, Type::I64);
    }
    let buffer = |name: &str, ty, access| Buffer {
        name: name.into(),
        ty,
        access,
        kind: BufferKind::Scratch,
        shape: vec![Extent::Scalar(count)],
    };
    let x = builder.buffer(buffer("x", ty, Access::Read));
    let y = builder.buffer(buffer("y", ty, Access::Read));
    let result = builder.buffer(buffer("out", out, Access::Write));
    builder.blocks(|builder, _| {
        let (start, end) = (builder.int(0), builder.scalar(count));
        builder.lanes(start, end, |builder, index| {
            let (x, y) = (builder.load(x, index), builder.load(y, index));
            let value = compute(builder, x, y, index);
            builder.name(value, "answer");
            builder.store(result, index, value, None);
        });
    });
    builder.finish()
}

/// What the kernel gives, expanded.
fn results(kernel: &Kernel, x: Array, y: Array, mut out: Array, count: usize) -> Array {
    let expanded = expand(kernel);
    if let Err(errors) = validate(&expanded) {
        panic!("{}", errors.join("\n"));
    }
    let primitive = |op: &Op| !matches!(op, Op::Math(..) | Op::Random(_) | Op::Binary(Binary::Remainder, ..));
    assert!(expanded.values.iter().all(|(_, value)| primitive(&value.op)));
    assert_eq!((&expanded.buffers, &expanded.scalars), (&kernel.buffers, &kernel.scalars));
    assert!(expanded.values.iter().any(|(_, value)| value.name.as_deref() == Some("answer")));
    assert_eq!(expand(&expanded), expanded, "expanding again changes nothing");
    let (mut x, mut y) = (x, y);
    run(&expanded, &mut [&mut x, &mut y, &mut out], &[count as u64, SEED, STEP], 0..1).expect("no fault");
    out
}

const SEED: u64 = 0xfeed_0000_dead_beef;
const STEP: u64 = 77;

/// What differs between the precisions in these tests.
trait Precise: Real {
    fn array(values: Vec<Self>) -> Array;
    fn values(array: Array) -> Vec<Self>;
    fn any(bits: u64) -> Self;
}

impl Precise for f32 {
    fn array(values: Vec<f32>) -> Array {
        Array::F32(values)
    }
    fn values(array: Array) -> Vec<f32> {
        match array {
            Array::F32(values) => values,
            other => panic!("{other:?}"),
        }
    }
    fn any(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
}

impl Precise for f64 {
    fn array(values: Vec<f64>) -> Array {
        Array::F64(values)
    }
    fn values(array: Array) -> Vec<f64> {
        match array {
            Array::F64(values) => values,
            other => panic!("{other:?}"),
        }
    }
    fn any(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
}

/// Special values, numbers of everyday size and any bits.
fn arguments<R: Precise>(seed: u64) -> Vec<R> {
    let mut bits = Bits(seed);
    let special =
        [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-310, 1e-40, 3e38];
    let mut values: Vec<R> = special.into_iter().map(R::from_f64).collect();
    for _ in 0..300 {
        values.push(R::from_f64(bits.spread(-12, 7)));
        values.push(R::any(bits.next()));
    }
    // Neither list starts in the same place, so that pairs of special values meet.
    values.rotate_left(seed as usize % 7);
    values
}

#[track_caller]
fn same<R: Real>(got: &[R], want: impl Fn(usize) -> R, what: &str) {
    for (index, &got) in got.iter().enumerate() {
        let want = want(index);
        let nan = got.to_f64().is_nan() && want.to_f64().is_nan();
        assert!(nan || got.to_bits64() == want.to_bits64(), "{what}, element {index}: {got:?}, not {want:?}");
    }
}

fn check_binary<R: Precise>(op: Op, want: impl Fn(R, R) -> R) {
    let ty = Type::real(R::PRECISION);
    let what = format!("{op:?} in {ty:?}");
    let kernel = elementwise(ty, ty, |builder, x, y, _| {
        let op = match op {
            Op::Math(MathFn::Pow, _) => Op::Math(MathFn::Pow, vec![x, y]),
            Op::Math(function, _) => Op::Math(function, vec![x]),
            _ => Op::Binary(Binary::Remainder, x, y),
        };
        builder.op(ty, op)
    });
    let (x, y) = (arguments::<R>(1), arguments::<R>(5));
    let zeros = Array::zeros(ty, x.len());
    let got = R::values(results(&kernel, R::array(x.clone()), R::array(y.clone()), zeros, x.len()));
    same(&got, |index| want(x[index], y[index]), &what);
}

fn check_functions<R: Precise>() {
    for function in UNARY {
        check_binary::<R>(Op::Math(function, Vec::new()), |x, _| evaluate(function, &[x]));
    }
    check_binary::<R>(Op::Math(MathFn::Pow, Vec::new()), |x, y| evaluate(MathFn::Pow, &[x, y]));
    check_binary::<R>(Op::Defined, |x, y| x.rem(y));
}

#[test]
fn functions_are_emitted_as_they_are_evaluated() {
    check_functions::<f32>();
    check_functions::<f64>();
}

/// The random number of element `index`, as the kernels of these tests place it.
fn emit_random(builder: &mut KernelBuilder, index: ValueId) -> Random {
    let [_, seed, step] = [0, 1, 2].map(|scalar| builder.scalar(ScalarId::from_index(scalar)));
    let (attempt, run) = (builder.word(0), builder.word(2));
    let row = builder.int(1 << 34 | 11);
    Random { site: 9, attempt, run, step, seed, row, column: index }
}

fn stream(column: usize) -> Stream {
    Stream { seed: SEED, step: STEP, site: 9, run: 2, row: 1 << 34 | 11, column: column as u64 }
}

const COUNT: usize = 300;

fn check_draw<R: Precise>(distribution: Distribution, parameters: &[f64]) {
    let ty = Type::real(R::PRECISION);
    let out = if distribution == Distribution::Bernoulli { Type::Bool } else { ty };
    let kernel = elementwise(ty, out, |builder, x, y, index| {
        let random = emit_random(builder, index);
        emit_draw(builder, distribution, &[x, y][..parameters.len()], &random)
    });
    let parameters: Vec<R> = parameters.iter().map(|&parameter| R::from_f64(parameter)).collect();
    let [x, y] = [0, 1].map(|k| R::array(vec![*parameters.get(k).unwrap_or(&R::from_f64(0.0)); COUNT]));
    let got = match results(&kernel, x, y, Array::zeros(out, COUNT), COUNT) {
        Array::Bool(bits) => bits.into_iter().map(|bit| R::from_i64(bit.into())).collect(),
        reals => R::values(reals),
    };
    same(&got, |column| draw(distribution, &parameters, &stream(column)), &format!("{distribution:?}"));
}

#[test]
fn draws_are_emitted_as_they_are_evaluated() {
    let cases: [(Distribution, &[f64]); 9] = [
        (Distribution::Uniform, &[-1.0, 3.0]),
        (Distribution::Normal, &[0.5, 2.0]),
        (Distribution::LogNormal, &[-1.0, 0.5]),
        (Distribution::Bernoulli, &[0.3]),
        (Distribution::Exponential, &[2.0]),
        (Distribution::Gamma, &[0.5, 2.0]),
        (Distribution::Gamma, &[2.5, 1.0]),
        (Distribution::Gamma, &[-2.5, 1.0]),
        (Distribution::Beta, &[2.0, 0.3]),
    ];
    for (distribution, parameters) in cases {
        check_draw::<f32>(distribution, parameters);
        check_draw::<f64>(distribution, parameters);
    }
}

#[test]
fn a_random_word_is_expanded_to_the_generator() {
    let kernel = elementwise(Type::F32, Type::I32, |builder, _, _, index| {
        let random = emit_random(builder, index);
        let attempt = builder.word(0x105);
        builder.op(Type::I32, Op::Random(Random { attempt, ..random }))
    });
    let empty = || Array::zeros(Type::F32, COUNT);
    let got = results(&kernel, empty(), empty(), Array::zeros(Type::I32, COUNT), COUNT);
    let want = (0..COUNT).map(|column| random_word(&stream(column), 0x105) as i32).collect();
    assert_eq!(got, Array::I32(want));
}
