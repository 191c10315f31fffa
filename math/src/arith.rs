//! The operations that our formulas are written in.
//!
//! A formula is a function that is generic over [`Arithmetic`]. Here it is computed at once, by the compiler it is written
//! into a kernel; both perform the same operations in the same order, so they give the same bits.

use crate::Precision;

/// 32-bit words, which wrap. A shift count is a constant below the width.
pub trait Words {
    /// 32 bits.
    type Word: Copy;

    /// A constant word.
    fn word(&self, value: u32) -> Self::Word;
    /// a + b
    fn word_add(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// The low half of a · b.
    fn word_mul(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// The high half of a · b, unsigned.
    fn word_mul_high(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bits of both.
    fn word_and(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bits of either.
    fn word_or(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bits that differ.
    fn word_xor(&self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Zeros come in.
    fn word_shl(&self, a: Self::Word, count: u32) -> Self::Word;
    /// Zeros come in.
    fn word_shr(&self, a: Self::Word, count: u32) -> Self::Word;
}

/// Floats of one precision, integers of the same width, conditions, and words.
///
/// Floats round to nearest even. Integers wrap. A shift count is a constant below the width.
pub trait Arithmetic: Words {
    /// A real.
    type Float: Copy;
    /// An integer as wide as a real.
    type Int: Copy;
    /// A condition.
    type Cond: Copy;

    /// The precision of `Float`.
    fn precision(&self) -> Precision;

    /// A real constant, rounded once.
    fn real(&self, value: f64) -> Self::Float;
    /// a + b
    fn add(&self, a: Self::Float, b: Self::Float) -> Self::Float;
    /// a - b
    fn sub(&self, a: Self::Float, b: Self::Float) -> Self::Float;
    /// a · b
    fn mul(&self, a: Self::Float, b: Self::Float) -> Self::Float;
    /// a / b
    fn div(&self, a: Self::Float, b: Self::Float) -> Self::Float;
    /// a · b + c, rounded once.
    fn fma(&self, a: Self::Float, b: Self::Float, c: Self::Float) -> Self::Float;
    /// -a
    fn neg(&self, a: Self::Float) -> Self::Float;
    /// |a|
    fn abs(&self, a: Self::Float) -> Self::Float;
    /// √a
    fn sqrt(&self, a: Self::Float) -> Self::Float;
    /// Toward -inf.
    fn floor(&self, a: Self::Float) -> Self::Float;
    /// a = b
    fn equal(&self, a: Self::Float, b: Self::Float) -> Self::Cond;
    /// a < b
    fn less(&self, a: Self::Float, b: Self::Float) -> Self::Cond;
    /// `a` where the condition holds, else `b`.
    fn select(&self, condition: Self::Cond, a: Self::Float, b: Self::Float) -> Self::Float;

    /// Both.
    fn and(&self, a: Self::Cond, b: Self::Cond) -> Self::Cond;
    /// Either.
    fn or(&self, a: Self::Cond, b: Self::Cond) -> Self::Cond;
    /// Not.
    fn not(&self, a: Self::Cond) -> Self::Cond;

    /// An integer constant.
    fn int(&self, value: i64) -> Self::Int;
    /// The bits of a real.
    fn to_bits(&self, a: Self::Float) -> Self::Int;
    /// The real with these bits.
    fn real_from_bits(&self, a: Self::Int) -> Self::Float;
    /// a + b
    fn int_add(&self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// a - b
    fn int_sub(&self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// a · b
    fn int_mul(&self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// Bits of both.
    fn int_and(&self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// Bits of either.
    fn int_or(&self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// Bits that differ.
    fn int_xor(&self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// a · 2^count
    fn int_shl(&self, a: Self::Int, count: u32) -> Self::Int;
    /// Zeros come in.
    fn int_shr(&self, a: Self::Int, count: u32) -> Self::Int;
    /// The sign comes in.
    fn int_sar(&self, a: Self::Int, count: u32) -> Self::Int;
    /// a = b
    fn int_equal(&self, a: Self::Int, b: Self::Int) -> Self::Cond;
    /// a < b, signed.
    fn int_less(&self, a: Self::Int, b: Self::Int) -> Self::Cond;
    /// `a` where the condition holds, else `b`.
    fn int_select(&self, condition: Self::Cond, a: Self::Int, b: Self::Int) -> Self::Int;

    /// a = b
    fn word_equal(&self, a: Self::Word, b: Self::Word) -> Self::Cond;
    /// `a` where the condition holds, else `b`.
    fn word_select(&self, condition: Self::Cond, a: Self::Word, b: Self::Word) -> Self::Word;
    /// The unsigned value, rounded once.
    fn word_to_real(&self, a: Self::Word) -> Self::Float;

    /// Runs `body` at most `count` times, with the number of the iteration and what the one before left; ends after
    /// the iteration whose condition holds.
    fn repeat(
        &self,
        count: u32,
        initial: [Self::Float; 2],
        body: impl Fn(Self::Word, [Self::Float; 2]) -> ([Self::Float; 2], Self::Cond),
    ) -> [Self::Float; 2];

    /// One of two, by precision.
    #[inline(always)]
    fn pick<T>(&self, single: T, double: T) -> T {
        match self.precision() {
            Precision::F32 => single,
            Precision::F64 => double,
        }
    }

    /// A real constant that differs by precision.
    #[inline(always)]
    fn constant(&self, single: f64, double: f64) -> Self::Float {
        self.real(self.pick(single, double))
    }

    /// Σ coefficients\[i\] · x^i by Horner's rule.
    #[inline(always)]
    fn polynomial(&self, x: Self::Float, coefficients: &[f64]) -> Self::Float {
        let (last, rest) = coefficients.split_last().expect("a polynomial has a coefficient");
        rest.iter().rev().fold(self.real(*last), |sum, &next| self.fma(sum, x, self.real(next)))
    }

    /// a + b as a rounded sum and its error; exact for |a| ≥ |b| or a = 0 (Dekker 1971, doi:10.1007/BF01397083).
    #[inline(always)]
    fn fast_two_sum(&self, a: Self::Float, b: Self::Float) -> (Self::Float, Self::Float) {
        let sum = self.add(a, b);
        (sum, self.add(self.sub(a, sum), b))
    }

    /// a + b as a rounded sum and its error, exact (Knuth's, for either may be the larger).
    #[inline(always)]
    fn two_sum(&self, a: Self::Float, b: Self::Float) -> (Self::Float, Self::Float) {
        let sum = self.add(a, b);
        let part = self.sub(sum, a);
        let error = self.add(self.sub(a, self.sub(sum, part)), self.sub(b, part));
        (sum, error)
    }

    /// `x` where it lies between the bounds, the nearer bound elsewhere; `low` for a NaN.
    #[inline(always)]
    fn clamp(&self, x: Self::Float, low: Self::Float, high: Self::Float) -> Self::Float {
        let x = self.select(self.less(low, x), x, low);
        self.select(self.less(x, high), x, high)
    }

    /// `result`, or `x` where it is a NaN.
    #[inline(always)]
    fn keep_nan(&self, x: Self::Float, result: Self::Float) -> Self::Float {
        self.select(self.equal(x, x), result, x)
    }

    /// (nh + nl) / (dh + dl), rounded about once; the low parts are small and dh is neither tiny nor huge.
    #[inline(always)]
    fn divide_pairs(&self, n: (Self::Float, Self::Float), d: (Self::Float, Self::Float)) -> Self::Float {
        let inverse = self.div(self.real(1.0), d.0);
        let quotient = self.mul(n.0, inverse);
        let rest = self.fma(self.neg(quotient), d.0, n.0);
        let rest = self.fma(self.neg(quotient), d.1, self.add(rest, n.1));
        self.fma(rest, inverse, quotient)
    }

    /// How many bits of a real follow its first one.
    #[inline(always)]
    fn mantissa_bits(&self) -> u32 {
        self.pick(23, 52)
    }

    /// What is added to an exponent.
    #[inline(always)]
    fn bias(&self) -> i64 {
        self.pick(127, 1023)
    }

    /// 1.5 · 2^mantissa_bits: adding it rounds to an integer, which is then in the low bits.
    #[inline(always)]
    fn magic(&self) -> f64 {
        self.pick(12_582_912.0, 6_755_399_441_055_744.0)
    }

    /// The bits of [`Arithmetic::magic`].
    #[inline(always)]
    fn magic_bits(&self) -> Self::Int {
        self.int(self.pick(12_582_912f32.to_bits().into(), 6_755_399_441_055_744f64.to_bits() as i64))
    }

    /// The real value of an integer of small magnitude.
    #[inline(always)]
    fn small_to_real(&self, a: Self::Int) -> Self::Float {
        self.sub(self.real_from_bits(self.int_add(a, self.magic_bits())), self.real(self.magic()))
    }

    /// 2^k for k in the range of normal numbers.
    #[inline(always)]
    fn power_of_two(&self, k: Self::Int) -> Self::Float {
        self.real_from_bits(self.int_shl(self.int_add(k, self.int(self.bias())), self.mantissa_bits()))
    }

    /// value · 2^k, rounded once, for a value near 1 and k within twice the range of exponents.
    #[inline(always)]
    fn scale(&self, value: Self::Float, k: Self::Int) -> Self::Float {
        let half = self.int_sar(k, 1);
        let first = self.power_of_two(half);
        let second = self.power_of_two(self.int_sub(k, half));
        self.mul(self.mul(value, first), second)
    }

    /// `magnitude`, negated where the sign bit of `sign` is set; `magnitude` is not negative.
    #[inline(always)]
    fn with_sign(&self, magnitude: Self::Float, sign: Self::Float) -> Self::Float {
        let negative = self.int_less(self.to_bits(sign), self.int(0));
        self.select(negative, self.neg(magnitude), magnitude)
    }
}

/// 2^exponent, for the exponents of normal numbers.
pub(crate) const fn two_to(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}
