//! The functions and random numbers of rules, one formula for all back ends, `no_std`.
//!
//! A formula is written once, over [`arith::Arithmetic`]. [`evaluate`] and [`draw`] compute it, for interpreters; [`strip`]
//! computes many at once, for devices and modules; the compiler writes it into kernels. All perform the same operations on
//! the same operands: add, sub, mul, div, sqrt, fma, floor, comparisons, selects, integer operations and moves of
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

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[cfg(all(feature = "std", not(test)))]
extern crate std;

pub mod arith;
pub mod draw;
mod eval;
mod exp;
mod gamma;
mod kinds;
mod lane;
mod log;
mod marks;
mod normal;
pub mod philox;
mod pow;
pub mod real;
mod remainder;
pub mod strip;
mod trig;

#[cfg(test)]
mod tests;

pub use kinds::{Distribution, MathFn, Precision};
pub use real::Real;
pub use remainder::remainder;

use arith::Arithmetic;
use eval::Direct;

/// Stops at a fault of our own: a state that no input can bring about.
#[macro_export]
macro_rules! ice {
    ($($argument:tt)*) => {
        panic!("internal compiler error, please report it: {}", format_args!($($argument)*))
    };
}

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

/// A function in an arithmetic.
#[inline(always)]
pub fn apply<A: Arithmetic>(a: &A, function: MathFn, arguments: &[A::Float]) -> A::Float {
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
#[inline(always)]
fn exactly<T: Copy, const N: usize>(values: &[T]) -> [T; N] {
    match values.try_into() {
        Ok(values) => values,
        Err(_) => ice!("{} operands in place of {N}", values.len()),
    }
}
