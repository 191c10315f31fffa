//! The two precisions behind one trait, for code that computes directly.

use crate::Precision;

/// f32 or f64. Every operation rounds once, to nearest even.
pub trait Real: Copy + PartialEq + PartialOrd + core::fmt::Debug + Send + Sync + 'static {
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
    ($ty:ident, $precision:ident, $fma:ident, $sqrt:ident, $floor:ident, $rint:ident) => {
        impl Real for $ty {
            const PRECISION: Precision = Precision::$precision;
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $ty
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                value as $ty
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self - other
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                self / other
            }
            #[inline(always)]
            fn rem(self, other: Self) -> Self {
                self % other
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                #[cfg(feature = "std")]
                return self.mul_add(a, b);
                #[cfg(not(feature = "std"))]
                return libm::$fma(self, a, b);
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $ty::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                #[cfg(feature = "std")]
                return $ty::sqrt(self);
                #[cfg(not(feature = "std"))]
                return libm::$sqrt(self);
            }
            #[inline(always)]
            fn floor(self) -> Self {
                #[cfg(feature = "std")]
                return $ty::floor(self);
                #[cfg(not(feature = "std"))]
                return libm::$floor(self);
            }
            #[inline(always)]
            fn nearest(self) -> Self {
                #[cfg(feature = "std")]
                return self.round_ties_even();
                #[cfg(not(feature = "std"))]
                return libm::$rint(self);
            }
            #[inline(always)]
            fn to_bits64(self) -> u64 {
                self.to_bits().into()
            }
            #[inline(always)]
            fn from_bits64(bits: u64) -> Self {
                $ty::from_bits(bits as _)
            }
        }
    };
}

real!(f32, F32, fmaf, sqrtf, floorf, rintf);
real!(f64, F64, fma, sqrt, floor, rint);
