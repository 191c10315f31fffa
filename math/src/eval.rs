//! Formulas computed at once.

use core::marker::PhantomData;

use super::arith::{Arithmetic, Words};
use super::real::Real;
use crate::Precision;

/// Computes in the precision of `R`. An `Int` of f32 is kept sign-extended.
pub(super) struct Direct<R>(PhantomData<R>);

impl<R: Real> Direct<R> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    fn wrap(&self, value: i64) -> i64 {
        self.pick(i64::from(value as i32), value)
    }
}

impl<R: Real> Words for Direct<R> {
    type Word = u32;

    fn word(&self, value: u32) -> u32 {
        value
    }
    fn word_add(&self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
    fn word_mul(&self, a: u32, b: u32) -> u32 {
        a.wrapping_mul(b)
    }
    fn word_mul_high(&self, a: u32, b: u32) -> u32 {
        ((u64::from(a) * u64::from(b)) >> 32) as u32
    }
    fn word_and(&self, a: u32, b: u32) -> u32 {
        a & b
    }
    fn word_or(&self, a: u32, b: u32) -> u32 {
        a | b
    }
    fn word_xor(&self, a: u32, b: u32) -> u32 {
        a ^ b
    }
    fn word_shl(&self, a: u32, count: u32) -> u32 {
        a << count
    }
    fn word_shr(&self, a: u32, count: u32) -> u32 {
        a >> count
    }
}

impl<R: Real> Arithmetic for Direct<R> {
    type Float = R;
    type Int = i64;
    type Cond = bool;

    fn precision(&self) -> Precision {
        R::PRECISION
    }

    fn real(&self, value: f64) -> R {
        R::from_f64(value)
    }
    fn add(&self, a: R, b: R) -> R {
        a.add(b)
    }
    fn sub(&self, a: R, b: R) -> R {
        a.sub(b)
    }
    fn mul(&self, a: R, b: R) -> R {
        a.mul(b)
    }
    fn div(&self, a: R, b: R) -> R {
        a.div(b)
    }
    fn fma(&self, a: R, b: R, c: R) -> R {
        a.fma(b, c)
    }
    fn neg(&self, a: R) -> R {
        a.neg()
    }
    fn abs(&self, a: R) -> R {
        a.abs()
    }
    fn sqrt(&self, a: R) -> R {
        a.sqrt()
    }
    fn floor(&self, a: R) -> R {
        a.floor()
    }
    fn equal(&self, a: R, b: R) -> bool {
        a == b
    }
    fn less(&self, a: R, b: R) -> bool {
        a < b
    }
    fn select(&self, condition: bool, a: R, b: R) -> R {
        if condition { a } else { b }
    }

    fn and(&self, a: bool, b: bool) -> bool {
        a & b
    }
    fn or(&self, a: bool, b: bool) -> bool {
        a | b
    }
    fn not(&self, a: bool) -> bool {
        !a
    }

    fn int(&self, value: i64) -> i64 {
        self.wrap(value)
    }
    fn to_bits(&self, a: R) -> i64 {
        self.wrap(a.to_bits64() as i64)
    }
    fn real_from_bits(&self, a: i64) -> R {
        R::from_bits64(a as u64)
    }
    fn int_add(&self, a: i64, b: i64) -> i64 {
        self.wrap(a.wrapping_add(b))
    }
    fn int_sub(&self, a: i64, b: i64) -> i64 {
        self.wrap(a.wrapping_sub(b))
    }
    fn int_mul(&self, a: i64, b: i64) -> i64 {
        self.wrap(a.wrapping_mul(b))
    }
    fn int_and(&self, a: i64, b: i64) -> i64 {
        a & b
    }
    fn int_or(&self, a: i64, b: i64) -> i64 {
        a | b
    }
    fn int_xor(&self, a: i64, b: i64) -> i64 {
        a ^ b
    }
    fn int_shl(&self, a: i64, count: u32) -> i64 {
        self.wrap(a << count)
    }
    fn int_shr(&self, a: i64, count: u32) -> i64 {
        let unsigned = self.pick(u64::from(a as u32), a as u64);
        self.wrap((unsigned >> count) as i64)
    }
    fn int_sar(&self, a: i64, count: u32) -> i64 {
        a >> count
    }
    fn int_equal(&self, a: i64, b: i64) -> bool {
        a == b
    }
    fn int_less(&self, a: i64, b: i64) -> bool {
        a < b
    }
    fn int_select(&self, condition: bool, a: i64, b: i64) -> i64 {
        if condition { a } else { b }
    }

    fn word_equal(&self, a: u32, b: u32) -> bool {
        a == b
    }
    fn word_select(&self, condition: bool, a: u32, b: u32) -> u32 {
        if condition { a } else { b }
    }
    fn word_to_real(&self, a: u32) -> R {
        R::from_i64(a.into())
    }

    fn repeat(&self, count: u32, initial: [R; 2], body: impl Fn(u32, [R; 2]) -> ([R; 2], bool)) -> [R; 2] {
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
