//! The two precisions behind one trait, for code that computes directly.

use crate::kernel::Precision;

/// f32 or f64. Every operation rounds once, to nearest even.
pub trait Real: Copy + PartialEq + PartialOrd + std::fmt::Debug + Send + Sync + 'static {
    /// Which.
    const PRECISION: Precision;
    /// Rounds once.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// Rounds once.
    fn from_i64(value: i64) -> Self;
    /// a + b
    fn add(self, other: Self) -> Self;
    /// a - b
    fn sub(self, other: Self) -> Self;
    /// a · b
    fn mul(self, other: Self) -> Self;
    /// a / b
    fn div(self, other: Self) -> Self;
    /// Exact remainder with the sign of `self`.
    fn rem(self, other: Self) -> Self;
    /// self · a + b, rounded once.
    fn fma(self, a: Self, b: Self) -> Self;
    /// Flips the sign.
    fn neg(self) -> Self;
    /// Clears the sign.
    fn abs(self) -> Self;
    /// Correctly rounded.
    fn sqrt(self) -> Self;
    /// Toward -inf.
    fn floor(self) -> Self;
    /// To nearest, halves to even.
    fn nearest(self) -> Self;
    /// The bits, in the low end.
    fn to_bits64(self) -> u64;
    /// From the bits, in the low end.
    fn from_bits64(bits: u64) -> Self;
}

macro_rules! real {
    ($ty:ident, $precision:ident) => {
        impl Real for $ty {
            const PRECISION: Precision = Precision::$precision;
            fn from_f64(value: f64) -> Self {
                value as $ty
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn from_i64(value: i64) -> Self {
                value as $ty
            }
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn sub(self, other: Self) -> Self {
                self - other
            }
            fn mul(self, other: Self) -> Self {
                self * other
            }
            fn div(self, other: Self) -> Self {
                self / other
            }
            fn rem(self, other: Self) -> Self {
                self % other
            }
            fn fma(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            fn neg(self) -> Self {
                -self
            }
            fn abs(self) -> Self {
                $ty::abs(self)
            }
            fn sqrt(self) -> Self {
                $ty::sqrt(self)
            }
            fn floor(self) -> Self {
                $ty::floor(self)
            }
            fn nearest(self) -> Self {
                self.round_ties_even()
            }
            fn to_bits64(self) -> u64 {
                self.to_bits().into()
            }
            fn from_bits64(bits: u64) -> Self {
                $ty::from_bits(bits as _)
            }
        }
    };
}

real!(f32, F32);
real!(f64, F64);
