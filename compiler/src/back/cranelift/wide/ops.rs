//! Arithmetic, comparisons and selections.

use iced_x86::Code;

use super::inst::Vector;
use super::select::{Lanes, Reason, Select};
use crate::kernel::*;

/// Rounding toward -inf, and to the nearest with halves to even; without a flag of inexactness.
const FLOOR: u8 = 0b1001;
const NEAREST: u8 = 0b1000;

impl Select<'_> {
    /// The same instruction on each register.
    fn each(
        &mut self,
        ty: Type,
        a: ValueId,
        f: impl Fn(&mut Self, Vector) -> Vector,
    ) -> Result<Lanes, Reason> {
        Ok(match ty.size() {
            8 => {
                let [low, high] = self.two(a)?;
                Lanes::Two([f(self, low), f(self, high)])
            }
            _ => {
                let a = self.one(a)?;
                Lanes::One(f(self, a))
            }
        })
    }

    /// The same instruction on each pair of registers.
    fn both(
        &mut self,
        ty: Type,
        (a, b): (ValueId, ValueId),
        f: impl Fn(&mut Self, Vector, Vector) -> Vector,
    ) -> Result<Lanes, Reason> {
        Ok(match ty.size() {
            8 => {
                let ([a, c], [b, d]) = (self.two(a)?, self.two(b)?);
                Lanes::Two([f(self, a, b), f(self, c, d)])
            }
            _ => {
                let (a, b) = (self.one(a)?, self.one(b)?);
                Lanes::One(f(self, a, b))
            }
        })
    }

    /// Two conditions in lanes of one width: the wide one where both have it.
    fn conditions(
        &mut self,
        (a, b): (ValueId, ValueId),
        f: impl Fn(&mut Self, Vector, Vector) -> Vector,
    ) -> Result<Lanes, Reason> {
        if self.prefers_wide(a) && self.prefers_wide(b) {
            let ([a, c], [b, d]) = (self.wide(a)?, self.wide(b)?);
            return Ok(Lanes::Two([f(self, a, b), f(self, c, d)]));
        }
        let (a, b) = (self.narrow(a)?, self.narrow(b)?);
        Ok(Lanes::One(f(self, a, b)))
    }

    fn prefers_wide(&self, condition: ValueId) -> bool {
        matches!(self.known(condition), Some(Lanes::Two(_)))
    }

    /// One operand.
    pub fn unary(&mut self, op: Unary, ty: Type, a: ValueId) -> Result<Lanes, Reason> {
        if ty == Type::Bool {
            return self.conditions((a, a), |s, a, _| s.not(a));
        }
        if op == Unary::TrailingZeros {
            return Err("trailing zeros");
        }
        self.each(ty, a, |s, a| match (op, ty) {
            (Unary::Negate, Type::F32) => {
                let sign = s.body.words([1 << 31; 8]);
                s.body.binary(Code::VEX_Vxorps_ymm_ymm_ymmm256, a, sign)
            }
            (Unary::Negate, Type::F64) => {
                let sign = s.body.doubles([1 << 63; 4]);
                s.body.binary(Code::VEX_Vxorps_ymm_ymm_ymmm256, a, sign)
            }
            (Unary::Abs, Type::F32) => {
                let rest = s.body.words([!(1 << 31); 8]);
                s.body.binary(Code::VEX_Vandps_ymm_ymm_ymmm256, a, rest)
            }
            (Unary::Abs, Type::F64) => {
                let rest = s.body.doubles([!(1 << 63); 4]);
                s.body.binary(Code::VEX_Vandps_ymm_ymm_ymmm256, a, rest)
            }
            (Unary::Sqrt, Type::F32) => s.body.unary(Code::VEX_Vsqrtps_ymm_ymmm256, a),
            (Unary::Sqrt, _) => s.body.unary(Code::VEX_Vsqrtpd_ymm_ymmm256, a),
            (Unary::Floor, Type::F32) => s.body.unary_with(Code::VEX_Vroundps_ymm_ymmm256_imm8, a, FLOOR),
            (Unary::Floor, _) => s.body.unary_with(Code::VEX_Vroundpd_ymm_ymmm256_imm8, a, FLOOR),
            (Unary::Nearest, Type::F32) => s.body.unary_with(Code::VEX_Vroundps_ymm_ymmm256_imm8, a, NEAREST),
            (Unary::Nearest, _) => s.body.unary_with(Code::VEX_Vroundpd_ymm_ymmm256_imm8, a, NEAREST),
            (Unary::Not, _) => s.not(a),
            (Unary::TrailingZeros, _) => crate::ice!("what has no vectors is refused"),
            (Unary::Negate, Type::I32) => {
                let zero = s.body.words([0; 8]);
                s.body.binary(Code::VEX_Vpsubd_ymm_ymm_ymmm256, zero, a)
            }
            (Unary::Negate, _) => {
                let zero = s.body.words([0; 8]);
                s.body.binary(Code::VEX_Vpsubq_ymm_ymm_ymmm256, zero, a)
            }
            (Unary::Abs, Type::I32) => s.body.unary(Code::VEX_Vpabsd_ymm_ymmm256, a),
            (Unary::Abs, _) => {
                let zero = s.body.words([0; 8]);
                let sign = s.body.binary(Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256, zero, a);
                let flipped = s.body.binary(Code::VEX_Vpxor_ymm_ymm_ymmm256, a, sign);
                s.body.binary(Code::VEX_Vpsubq_ymm_ymm_ymmm256, flipped, sign)
            }
        })
    }

    /// All bits.
    fn not(&mut self, a: Vector) -> Vector {
        let ones = self.body.words([!0; 8]);
        self.body.binary(Code::VEX_Vpxor_ymm_ymm_ymmm256, a, ones)
    }

    /// Two operands.
    pub fn binary(&mut self, op: Binary, ty: Type, a: ValueId, b: ValueId) -> Result<Lanes, Reason> {
        match op {
            Binary::And | Binary::Or | Binary::Xor if ty == Type::Bool => {
                self.conditions((a, b), |s, a, b| s.body.binary(bitwise(op), a, b))
            }
            Binary::ShiftLeft | Binary::ShiftRight | Binary::ShiftRightSigned => self.shift(op, ty, a, b),
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder
            | Binary::Min
            | Binary::Max
            | Binary::MultiplyHigh
            | Binary::And
            | Binary::Or
            | Binary::Xor => {
                if ty.size() == 8 {
                    let ([a, c], [b, d]) = (self.two(a)?, self.two(b)?);
                    return Ok(Lanes::Two([self.plain(op, ty, a, b)?, self.plain(op, ty, c, d)?]));
                }
                let (a, b) = (self.one(a)?, self.one(b)?);
                Ok(Lanes::One(self.plain(op, ty, a, b)?))
            }
        }
    }

    /// Two registers.
    pub fn plain(&mut self, op: Binary, ty: Type, a: Vector, b: Vector) -> Result<Vector, Reason> {
        let code = match (op, ty) {
            (Binary::MultiplyHigh, _) => return Ok(self.multiply_high(a, b)),
            // `if b < a { b } else { a }` is what the instruction does with `b` as its first operand.
            (Binary::Min, Type::F32) => return Ok(self.body.binary(Code::VEX_Vminps_ymm_ymm_ymmm256, b, a)),
            (Binary::Max, Type::F32) => return Ok(self.body.binary(Code::VEX_Vmaxps_ymm_ymm_ymmm256, b, a)),
            (Binary::Min, Type::F64) => return Ok(self.body.binary(Code::VEX_Vminpd_ymm_ymm_ymmm256, b, a)),
            (Binary::Max, Type::F64) => return Ok(self.body.binary(Code::VEX_Vmaxpd_ymm_ymm_ymmm256, b, a)),
            (Binary::Min | Binary::Max, Type::I64) => {
                let (greater, less) = if op == Binary::Max { (b, a) } else { (a, b) };
                let second = self.body.binary(Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256, greater, less);
                return Ok(self.body.blend(second, b, a));
            }
            (Binary::Min, _) => Code::VEX_Vpminsd_ymm_ymm_ymmm256,
            (Binary::Max, _) => Code::VEX_Vpmaxsd_ymm_ymm_ymmm256,
            (Binary::Add, Type::F32) => Code::VEX_Vaddps_ymm_ymm_ymmm256,
            (Binary::Add, Type::F64) => Code::VEX_Vaddpd_ymm_ymm_ymmm256,
            (Binary::Add, Type::I64) => Code::VEX_Vpaddq_ymm_ymm_ymmm256,
            (Binary::Add, _) => Code::VEX_Vpaddd_ymm_ymm_ymmm256,
            (Binary::Subtract, Type::F32) => Code::VEX_Vsubps_ymm_ymm_ymmm256,
            (Binary::Subtract, Type::F64) => Code::VEX_Vsubpd_ymm_ymm_ymmm256,
            (Binary::Subtract, Type::I64) => Code::VEX_Vpsubq_ymm_ymm_ymmm256,
            (Binary::Subtract, _) => Code::VEX_Vpsubd_ymm_ymm_ymmm256,
            (Binary::Multiply, Type::F32) => Code::VEX_Vmulps_ymm_ymm_ymmm256,
            (Binary::Multiply, Type::F64) => Code::VEX_Vmulpd_ymm_ymm_ymmm256,
            (Binary::Multiply, Type::I32) => Code::VEX_Vpmulld_ymm_ymm_ymmm256,
            (Binary::Multiply, _) => return Err("a product of 64 bits"),
            (Binary::Divide, Type::F32) => Code::VEX_Vdivps_ymm_ymm_ymmm256,
            (Binary::Divide, Type::F64) => Code::VEX_Vdivpd_ymm_ymm_ymmm256,
            (Binary::Divide | Binary::Remainder, _) => return Err("a remainder"),
            (
                Binary::And
                | Binary::Or
                | Binary::Xor
                | Binary::ShiftLeft
                | Binary::ShiftRight
                | Binary::ShiftRightSigned,
                _,
            ) => bitwise(op),
        };
        Ok(self.body.binary(code, a, b))
    }

    fn shift(&mut self, op: Binary, ty: Type, a: ValueId, b: ValueId) -> Result<Lanes, Reason> {
        let wide = ty.size() == 8;
        if wide && op == Binary::ShiftRightSigned {
            return Err("a signed shift of 64 bits");
        }
        let known = match self.kernel.values[b].op {
            Op::Constant(Constant::I32(count)) => Some(count as u8 & 31),
            Op::Constant(Constant::I64(count)) => Some(count as u8 & 63),
            _ => None,
        };
        if let Some(count) = known {
            let code = match (op, wide) {
                (Binary::ShiftLeft, false) => Code::VEX_Vpslld_ymm_ymm_imm8,
                (Binary::ShiftLeft, true) => Code::VEX_Vpsllq_ymm_ymm_imm8,
                (Binary::ShiftRight, false) => Code::VEX_Vpsrld_ymm_ymm_imm8,
                (Binary::ShiftRight, true) => Code::VEX_Vpsrlq_ymm_ymm_imm8,
                _ => Code::VEX_Vpsrad_ymm_ymm_imm8,
            };
            return self.each(ty, a, |s, a| s.body.shift(code, a, count));
        }
        let code = match (op, wide) {
            (Binary::ShiftLeft, false) => Code::VEX_Vpsllvd_ymm_ymm_ymmm256,
            (Binary::ShiftLeft, true) => Code::VEX_Vpsllvq_ymm_ymm_ymmm256,
            (Binary::ShiftRight, false) => Code::VEX_Vpsrlvd_ymm_ymm_ymmm256,
            (Binary::ShiftRight, true) => Code::VEX_Vpsrlvq_ymm_ymm_ymmm256,
            _ => Code::VEX_Vpsravd_ymm_ymm_ymmm256,
        };
        self.both(ty, (a, b), |s, a, b| {
            let most = if wide { s.body.doubles([63; 4]) } else { s.body.words([31; 8]) };
            let count = s.body.binary(Code::VEX_Vpand_ymm_ymm_ymmm256, b, most);
            s.body.binary(code, a, count)
        })
    }

    /// The upper halves of unsigned products.
    fn multiply_high(&mut self, a: Vector, b: Vector) -> Vector {
        let odd = |s: &mut Self, a| s.body.shift(Code::VEX_Vpsrlq_ymm_ymm_imm8, a, 32);
        let (high_a, high_b) = (odd(self, a), odd(self, b));
        let multiply = Code::VEX_Vpmuludq_ymm_ymm_ymmm256;
        let even = self.body.binary(multiply, a, b);
        let even = odd(self, even);
        let odd = self.body.binary(multiply, high_a, high_b);
        // The odd words of the one, the even words of the other.
        self.body.binary_with(Code::VEX_Vpblendd_ymm_ymm_ymmm256_imm8, even, odd, 0b1010_1010)
    }

    /// a · b + c, rounded once.
    pub fn fma(&mut self, ty: Type, a: ValueId, b: ValueId, c: ValueId) -> Result<Lanes, Reason> {
        let code = match ty {
            Type::F32 => Code::VEX_Vfmadd213ps_ymm_ymm_ymmm256,
            _ => Code::VEX_Vfmadd213pd_ymm_ymm_ymmm256,
        };
        if ty.size() == 8 {
            let ([a, d], [b, e], [c, f]) = (self.two(a)?, self.two(b)?, self.two(c)?);
            return Ok(Lanes::Two([self.body.tied(code, [a, b, c]), self.body.tied(code, [d, e, f])]));
        }
        let (a, b, c) = (self.one(a)?, self.one(b)?, self.one(c)?);
        Ok(Lanes::One(self.body.tied(code, [a, b, c])))
    }

    /// A comparison.
    pub fn compare(&mut self, compare: Compare, a: ValueId, b: ValueId) -> Result<Lanes, Reason> {
        let ty = self.kernel.values[a].ty;
        if ty == Type::Bool {
            return self.conditions((a, b), |s, a, b| {
                let different = s.body.binary(Code::VEX_Vpxor_ymm_ymm_ymmm256, a, b);
                if compare == Compare::NotEqual { different } else { s.not(different) }
            });
        }
        if ty.is_float() {
            let code = match ty {
                Type::F32 => Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8,
                _ => Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8,
            };
            let predicate = predicate(compare);
            return self.both(ty, (a, b), |s, a, b| s.body.binary_with(code, a, b, predicate));
        }
        self.both(ty, (a, b), |s, a, b| s.compare_integers(compare, ty, a, b))
    }

    fn compare_integers(&mut self, compare: Compare, ty: Type, a: Vector, b: Vector) -> Vector {
        let (equal, greater, sign) = match ty.size() {
            8 => (
                Code::VEX_Vpcmpeqq_ymm_ymm_ymmm256,
                Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256,
                self.body.doubles([1 << 63; 4]),
            ),
            _ => (
                Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256,
                Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256,
                self.body.words([1 << 31; 8]),
            ),
        };
        match compare {
            Compare::Equal => self.body.binary(equal, a, b),
            Compare::NotEqual => {
                let same = self.body.binary(equal, a, b);
                self.not(same)
            }
            Compare::Greater => self.body.binary(greater, a, b),
            Compare::Less => self.body.binary(greater, b, a),
            Compare::LessEqual => {
                let more = self.body.binary(greater, a, b);
                self.not(more)
            }
            Compare::GreaterEqual => {
                let less = self.body.binary(greater, b, a);
                self.not(less)
            }
            Compare::Below => {
                let flip = Code::VEX_Vpxor_ymm_ymm_ymmm256;
                let (a, b) = (self.body.binary(flip, a, sign), self.body.binary(flip, b, sign));
                self.body.binary(greater, b, a)
            }
        }
    }

    /// Condition, where it holds, where it does not.
    pub fn choose(&mut self, ty: Type, condition: ValueId, a: ValueId, b: ValueId) -> Result<Lanes, Reason> {
        if let Some((assumed, holds)) = self.assumed
            && assumed == condition
        {
            return self.lanes(if holds { a } else { b });
        }
        if ty == Type::Bool {
            let (condition, a, b) = (self.narrow(condition)?, self.narrow(a)?, self.narrow(b)?);
            return Ok(Lanes::One(self.body.blend(condition, a, b)));
        }
        let zero = self.is_zero(b);
        let one = |s: &mut Self, mask, a, b| match zero {
            true => s.body.binary(Code::VEX_Vandps_ymm_ymm_ymmm256, mask, a),
            false => s.body.blend(mask, a, b),
        };
        if ty.size() == 8 {
            let (masks, a, b) = (self.wide(condition)?, self.two(a)?, self.two(b)?);
            return Ok(Lanes::Two([one(self, masks[0], a[0], b[0]), one(self, masks[1], a[1], b[1])]));
        }
        let (mask, a, b) = (self.narrow(condition)?, self.one(a)?, self.one(b)?);
        Ok(Lanes::One(one(self, mask, a, b)))
    }

    /// Whether all bits of a value are 0.
    fn is_zero(&self, value: ValueId) -> bool {
        match self.kernel.values[value].op {
            Op::Constant(Constant::F32(bits)) => bits == 0,
            Op::Constant(Constant::F64(bits)) => bits == 0,
            Op::Constant(Constant::I32(word)) => word == 0,
            Op::Constant(Constant::I64(word)) => word == 0,
            _ => false,
        }
    }
}

/// The instruction for all bits.
fn bitwise(op: Binary) -> Code {
    match op {
        Binary::And => Code::VEX_Vpand_ymm_ymm_ymmm256,
        Binary::Or => Code::VEX_Vpor_ymm_ymm_ymmm256,
        _ => Code::VEX_Vpxor_ymm_ymm_ymmm256,
    }
}

/// The number of a comparison of floats: quiet, and false with a NaN but for `NotEqual`.
pub(super) fn predicate(compare: Compare) -> u8 {
    match compare {
        Compare::Equal => 0x00,
        Compare::NotEqual => 0x04,
        Compare::Less | Compare::Below => 0x11,
        Compare::LessEqual => 0x12,
        Compare::Greater => 0x1e,
        Compare::GreaterEqual => 0x1d,
    }
}
