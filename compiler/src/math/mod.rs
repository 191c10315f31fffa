//! Our own functions and random numbers in kernels.
//!
//! The formulas are those of `aplysia_math`, which computes them as well; `emit` writes them, for `kernel::expand` and
//! [`emit_draw`].

mod emit;
pub(crate) mod matrix;

#[cfg(test)]
mod tests;

pub use aplysia_math::{Real, Stream, draw, evaluate, random_word, strip};

use aplysia_math::arith::Words;
use aplysia_math::draw as formula;
use aplysia_math::{apply, philox, remainder};
use emit::Emit;

use crate::ir::Distribution;
use crate::kernel::build::KernelBuilder;
use crate::kernel::{Binary, Conversion, Op, Precision, Random, Type, ValueId};

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
        return formula::bernoulli(&emit, first, words(emit.word(0)));
    }
    formula::number(&emit, distribution, parameters, &words)
}

/// Writes what remains of a draw whose strip has been filled: `base` is its word, or its standard normal number, as
/// [`draws_normal`] says.
pub(crate) fn emit_draw_of(
    builder: &mut KernelBuilder,
    distribution: Distribution,
    parameters: &[ValueId],
    base: ValueId,
) -> ValueId {
    let Some(&first) = parameters.first() else {
        crate::ice!("{distribution:?} without parameters");
    };
    let precision = precision(builder.ty(first));
    let emit = Emit::new(builder, precision);
    if distribution == Distribution::Bernoulli {
        return formula::bernoulli(&emit, first, base);
    }
    match draws_normal(distribution) {
        true => formula::of_normal(&emit, distribution, parameters, || base),
        false => formula::of_word(&emit, distribution, parameters, || base),
    }
}

/// Whether a number from a distribution is made of a standard normal number, and not of a word.
pub(crate) fn draws_normal(distribution: Distribution) -> bool {
    matches!(distribution, Distribution::Normal | Distribution::LogNormal)
}

/// Writes the standard normal number of a word.
pub(crate) fn emit_normal(builder: &mut KernelBuilder, ty: Type, word: ValueId) -> ValueId {
    formula::normal(&Emit::new(builder, precision(ty)), word)
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
            Some(remainder(&emit, x, y))
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
