//! Formulas computed at once, element by element, in types that vectors have.
//!
//! As `eval`, but integers have the width of the reals, and everything is inlined.

use super::arith::{Arithmetic, Words};
use crate::Precision;

/// f32, with integers of 32 bits.
pub(super) struct Single;
/// f64, with integers of 64 bits.
pub(super) struct Double;

macro_rules! arithmetic {
    ($name:ident, $float:ident, $int:ident, $unsigned:ident) => {
        impl Words for $name {
            type Word = u32;

            #[inline(always)]
            fn word(&self, value: u32) -> u32 {
                value
            }
            #[inline(always)]
            fn word_add(&self, a: u32, b: u32) -> u32 {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn word_mul(&self, a: u32, b: u32) -> u32 {
                a.wrapping_mul(b)
            }
            #[inline(always)]
            fn word_mul_high(&self, a: u32, b: u32) -> u32 {
                ((u64::from(a) * u64::from(b)) >> 32) as u32
            }
            #[inline(always)]
            fn word_and(&self, a: u32, b: u32) -> u32 {
                a & b
            }
            #[inline(always)]
            fn word_or(&self, a: u32, b: u32) -> u32 {
                a | b
            }
            #[inline(always)]
            fn word_xor(&self, a: u32, b: u32) -> u32 {
                a ^ b
            }
            #[inline(always)]
            fn word_shl(&self, a: u32, count: u32) -> u32 {
                a << count
            }
            #[inline(always)]
            fn word_shr(&self, a: u32, count: u32) -> u32 {
                a >> count
            }
        }

        impl Arithmetic for $name {
            type Float = $float;
            type Int = $int;
            type Cond = bool;

            #[inline(always)]
            fn precision(&self) -> Precision {
                <$float as super::Real>::PRECISION
            }
            #[inline(always)]
            fn real(&self, value: f64) -> $float {
                value as $float
            }
            #[inline(always)]
            fn add(&self, a: $float, b: $float) -> $float {
                a + b
            }
            #[inline(always)]
            fn sub(&self, a: $float, b: $float) -> $float {
                a - b
            }
            #[inline(always)]
            fn mul(&self, a: $float, b: $float) -> $float {
                a * b
            }
            #[inline(always)]
            fn div(&self, a: $float, b: $float) -> $float {
                a / b
            }
            #[inline(always)]
            fn fma(&self, a: $float, b: $float, c: $float) -> $float {
                super::Real::fma(a, b, c)
            }
            #[inline(always)]
            fn neg(&self, a: $float) -> $float {
                -a
            }
            #[inline(always)]
            fn abs(&self, a: $float) -> $float {
                a.abs()
            }
            #[inline(always)]
            fn sqrt(&self, a: $float) -> $float {
                super::Real::sqrt(a)
            }
            #[inline(always)]
            fn floor(&self, a: $float) -> $float {
                super::Real::floor(a)
            }
            #[inline(always)]
            fn equal(&self, a: $float, b: $float) -> bool {
                a == b
            }
            #[inline(always)]
            fn less(&self, a: $float, b: $float) -> bool {
                a < b
            }
            #[inline(always)]
            fn select(&self, condition: bool, a: $float, b: $float) -> $float {
                if condition { a } else { b }
            }
            #[inline(always)]
            fn and(&self, a: bool, b: bool) -> bool {
                a & b
            }
            #[inline(always)]
            fn or(&self, a: bool, b: bool) -> bool {
                a | b
            }
            #[inline(always)]
            fn not(&self, a: bool) -> bool {
                !a
            }
            #[inline(always)]
            fn int(&self, value: i64) -> $int {
                value as $int
            }
            #[inline(always)]
            fn to_bits(&self, a: $float) -> $int {
                a.to_bits() as $int
            }
            #[inline(always)]
            fn real_from_bits(&self, a: $int) -> $float {
                $float::from_bits(a as $unsigned)
            }
            #[inline(always)]
            fn int_add(&self, a: $int, b: $int) -> $int {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn int_sub(&self, a: $int, b: $int) -> $int {
                a.wrapping_sub(b)
            }
            #[inline(always)]
            fn int_mul(&self, a: $int, b: $int) -> $int {
                a.wrapping_mul(b)
            }
            #[inline(always)]
            fn int_and(&self, a: $int, b: $int) -> $int {
                a & b
            }
            #[inline(always)]
            fn int_or(&self, a: $int, b: $int) -> $int {
                a | b
            }
            #[inline(always)]
            fn int_xor(&self, a: $int, b: $int) -> $int {
                a ^ b
            }
            #[inline(always)]
            fn int_shl(&self, a: $int, count: u32) -> $int {
                a << count
            }
            #[inline(always)]
            fn int_shr(&self, a: $int, count: u32) -> $int {
                (a as $unsigned >> count) as $int
            }
            #[inline(always)]
            fn int_sar(&self, a: $int, count: u32) -> $int {
                a >> count
            }
            #[inline(always)]
            fn int_equal(&self, a: $int, b: $int) -> bool {
                a == b
            }
            #[inline(always)]
            fn int_less(&self, a: $int, b: $int) -> bool {
                a < b
            }
            #[inline(always)]
            fn int_select(&self, condition: bool, a: $int, b: $int) -> $int {
                if condition { a } else { b }
            }
            #[inline(always)]
            fn word_equal(&self, a: u32, b: u32) -> bool {
                a == b
            }
            #[inline(always)]
            fn word_select(&self, condition: bool, a: u32, b: u32) -> u32 {
                if condition { a } else { b }
            }
            #[inline(always)]
            fn word_to_real(&self, a: u32) -> $float {
                a as $float
            }
            #[inline(always)]
            fn repeat(
                &self,
                count: u32,
                initial: [$float; 2],
                body: impl Fn(u32, [$float; 2]) -> ([$float; 2], bool),
            ) -> [$float; 2] {
                let mut state = initial;
                for index in 0..count {
                    let (next, exit) = body(index, state);
                    state = next;
                    if exit {
                        break;
                    }
                }
                state
            }
        }
    };
}
arithmetic!(Single, f32, i32, u32);
arithmetic!(Double, f64, i64, u64);

/// Four words at once, each in the low half of 64 bits whose high half may hold anything: of those a vector gives the whole
/// product in one instruction, where the two halves of one of 32 bits take seven. Each step of a word waits for the one
/// before, so several words go side by side.
pub(super) struct Halves;

/// What [`Halves`] calculates with.
pub(super) type Four = [u64; 4];

/// Without the high half.
#[inline(always)]
pub(super) fn low(word: u64) -> u64 {
    word & 0xffff_ffff
}

/// Written out, so that all of it is inlined.
#[inline(always)]
fn each(a: Four, b: Four, with: impl Fn(u64, u64) -> u64) -> Four {
    [with(a[0], b[0]), with(a[1], b[1]), with(a[2], b[2]), with(a[3], b[3])]
}

impl Words for Halves {
    type Word = Four;

    #[inline(always)]
    fn word(&self, value: u32) -> Four {
        [value.into(); 4]
    }
    #[inline(always)]
    fn word_add(&self, a: Four, b: Four) -> Four {
        each(a, b, u64::wrapping_add)
    }
    #[inline(always)]
    fn word_mul(&self, a: Four, b: Four) -> Four {
        each(a, b, |a, b| low(a).wrapping_mul(low(b)))
    }
    #[inline(always)]
    fn word_mul_high(&self, a: Four, b: Four) -> Four {
        each(a, b, |a, b| low(a).wrapping_mul(low(b)) >> 32)
    }
    #[inline(always)]
    fn word_and(&self, a: Four, b: Four) -> Four {
        each(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn word_or(&self, a: Four, b: Four) -> Four {
        each(a, b, |a, b| a | b)
    }
    #[inline(always)]
    fn word_xor(&self, a: Four, b: Four) -> Four {
        each(a, b, |a, b| a ^ b)
    }
    #[inline(always)]
    fn word_shl(&self, a: Four, count: u32) -> Four {
        each(a, a, |a, _| a << count)
    }
    #[inline(always)]
    fn word_shr(&self, a: Four, count: u32) -> Four {
        each(a, a, |a, _| low(a) >> count)
    }
}
