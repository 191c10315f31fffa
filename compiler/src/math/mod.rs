//! Our own functions and random numbers, one formula for all back ends.
//!
//! A formula is written once, over `arith::Arithmetic`; `eval` computes it (for interpreters, and by [`evaluate`] and
//! [`draw`]), `emit` writes it into a kernel (for `kernel::expand` and [`emit_draw`]). Both perform the same operations
//! on the same operands: add, sub, mul, div, sqrt, fma, floor, comparisons, selects, integer operations and moves of
//! bits, each rounded as IEEE 754 says. So all back ends give the same bits. There are no branches and no tables;
//! only the remainder and the rejection draws loop, with a bound. A NaN's bits never matter.
//!
//! Bit equality rests on the operations staying as they are written: no pass and no back end may contract, reassociate
//! or cancel floats. `(a + b) - a` is a rounding error here and `x == x` a test for NaN.
//!
//! # Accuracy
//! Largest errors in units of the last place of the exact result, subnormal results included. f32: the arguments
//! of `docs/accuracy.md` (all 2^32, by `examples/ulp.rs`), 400,000 pairs for `pow`. f64:
//! 20,000 arguments against 128-bit arithmetic, 10,000 pairs for `pow`. The tests assert the bounds.
//!
//! | function | f32, found | f32, bound | f64, found | f64, bound |
//! | --- | --- | --- | --- | --- |
//! | exp | 0.76 | 0.80 | 0.57 | 0.80 |
//! | ln | 0.64 | 0.70 | 0.55 | 0.70 |
//! | log2 | 0.70 | 0.70 | 0.58 | 0.70 |
//! | log1p | 0.64 | 0.70 | 0.60 | 0.70 |
//! | expm1 | 0.90 | 0.95 | 0.67 | 0.95 |
//! | sin, cos | 0.76 | 0.80 | 0.68 | 0.80 |
//! | tanh | 0.78 | 0.80 | 0.62 | 0.80 |
//! | sigmoid | 0.77 | 0.80 | 0.69 | 0.80 |
//! | pow | 0.73 | 0.80 | 0.71 | 0.80 |
//!
//! The reduction of `sin` and `cos` serves every finite argument. `log2` is exact for powers of 2, `pow` for small whole
//! numbers. Special values are those of C99, annex F. The remainder is exact.

pub(crate) mod arith;
mod draw;
mod emit;
mod eval;
mod exp;
mod gamma;
mod log;
pub(crate) mod matrix;
mod philox;
mod pow;
pub mod real;
mod remainder;
mod trig;

#[cfg(test)]
mod tests;

pub use real::Real;

use arith::Arithmetic;
use emit::Emit;
use eval::Direct;

use crate::ir::{Distribution, MathFn};
use crate::kernel::build::KernelBuilder;
use crate::kernel::{Binary, Conversion, Op, Precision, Random, Type, ValueId};

/// The value of one of our functions, with the bits that every back end gives.
pub fn evaluate<R: Real>(function: MathFn, arguments: &[R]) -> R {
    apply(&Direct::new(), function, arguments)
}

/// Where a random number comes from: everything but the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The group's seed.
    pub seed: u64,
    /// The step; 0 at creation.
    pub step: u64,
    /// The number of the site in the composed rule.
    pub site: u32,
    /// How often the block has run in this step.
    pub run: u32,
    /// The logical row, or 0.
    pub row: u64,
    /// The logical column, or 0.
    pub column: u64,
}

/// The random word of a try: what `Op::Random` gives.
pub fn random_word(stream: &Stream, attempt: u32) -> u32 {
    let address = philox::Address {
        key: [stream.seed as u32, (stream.seed >> 32) as u32],
        step: stream.step as u32,
        site: stream.site,
        attempt,
        run: stream.run,
        row: stream.row as u32,
        column_quarter: (stream.column >> 2) as u32,
        lane: stream.column as u32 & 3,
    };
    philox::word(&Direct::<f32>::new(), &address)
}

/// A number from a distribution; `Bernoulli` gives 0 or 1.
pub fn draw<R: Real>(distribution: Distribution, parameters: &[R], stream: &Stream) -> R {
    draw::number(&Direct::new(), distribution, parameters, &|attempt| random_word(stream, attempt))
}

/// Writes a draw into a kernel; `Bernoulli` gives a `Bool`. `random.attempt` is ignored.
///
/// The words stay [`Op::Random`], the rest is primitive operations.
pub fn emit_draw(
    builder: &mut KernelBuilder,
    distribution: Distribution,
    parameters: &[ValueId],
    random: &Random,
) -> ValueId {
    let Some(&first) = parameters.first() else {
        crate::ice!("{distribution:?} without parameters");
    };
    let precision = precision(builder.ty(first));
    let emit = Emit::new(builder, precision);
    let words = |attempt| emit.op(Type::I32, Op::Random(Random { attempt, ..random.clone() }));
    if distribution == Distribution::Bernoulli {
        return draw::bernoulli(&emit, first, words(emit.word(0)));
    }
    draw::number(&emit, distribution, parameters, &words)
}

/// Writes what `op` stands for, or gives nothing for an operation that is primitive.
pub(crate) fn emit_expansion(builder: &mut KernelBuilder, ty: Type, op: &Op) -> Option<ValueId> {
    match op {
        Op::Math(function, arguments) => {
            let emit = Emit::new(builder, precision(ty));
            Some(apply(&emit, *function, arguments))
        }
        &Op::Binary(Binary::Remainder, x, y) if ty.is_float() => {
            let emit = Emit::new(builder, precision(ty));
            Some(remainder::remainder(&emit, x, y))
        }
        Op::Random(random) => Some(emit_word(builder, random)),
        Op::Defined
        | Op::Constant(_)
        | Op::Scalar(_)
        | Op::Unary(..)
        | Op::Binary(..)
        | Op::Fma(..)
        | Op::Compare(..)
        | Op::Select(..)
        | Op::Convert(..)
        | Op::Load(..) => None,
    }
}

fn emit_word(builder: &mut KernelBuilder, random: &Random) -> ValueId {
    let [two, thirty_two] = [2, 32].map(|count| builder.int(count));
    let seed_high = builder.binary(Binary::ShiftRight, random.seed, thirty_two);
    let quarter = builder.binary(Binary::ShiftRight, random.column, two);
    let site = builder.word(random.site);
    let three = builder.word(3);
    let mut low = |value| builder.convert(Conversion::Value, Type::I32, value);
    let key = [low(random.seed), low(seed_high)];
    let [step, row, column] = [random.step, random.row, random.column].map(&mut low);
    let column_quarter = low(quarter);
    let lane = builder.binary(Binary::And, column, three);
    let (attempt, run) = (random.attempt, random.run);
    let address = philox::Address { key, step, site, attempt, run, row, column_quarter, lane };
    philox::word(&Emit::new(builder, Precision::F32), &address)
}

fn precision(ty: Type) -> Precision {
    match ty {
        Type::F32 => Precision::F32,
        Type::F64 => Precision::F64,
        Type::I32 | Type::I64 | Type::Bool => crate::ice!("a function of {ty:?}"),
    }
}

fn apply<A: Arithmetic>(a: &A, function: MathFn, arguments: &[A::Float]) -> A::Float {
    let one = || exactly::<_, 1>(arguments)[0];
    match function {
        MathFn::Exp => exp::exp(a, one()),
        MathFn::Ln => log::ln(a, one()),
        MathFn::Log2 => log::log2(a, one()),
        MathFn::Log1p => log::log1p(a, one()),
        MathFn::Expm1 => exp::expm1(a, one()),
        MathFn::Sin => trig::sin(a, one()),
        MathFn::Cos => trig::cos(a, one()),
        MathFn::Tanh => exp::tanh(a, one()),
        MathFn::Sigmoid => exp::sigmoid(a, one()),
        MathFn::Pow => {
            let [x, y] = exactly(arguments);
            pow::pow(a, x, y)
        }
    }
}

/// All values, of which there must be `N`: `check` and `valid` have seen to that.
fn exactly<T: Copy, const N: usize>(values: &[T]) -> [T; N] {
    match values.try_into() {
        Ok(values) => values,
        Err(_) => crate::ice!("{} operands in place of {N}", values.len()),
    }
}
