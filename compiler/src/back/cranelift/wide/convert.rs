//! Conversions.

use iced_x86::Code;

use super::inst::{Operand, Vector};
use super::linear::Linear;
use super::ops::predicate;
use super::select::{Lanes, Reason, Select};
use crate::kernel::{Compare, Conversion, Type, ValueId};

/// 2⁵², to whose last bits a word is added, and whose subtraction then leaves the word as a number.
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;

impl Select<'_> {
    /// To another type.
    pub fn convert(&mut self, conversion: Conversion, to: Type, a: ValueId) -> Result<Lanes, Reason> {
        let from = self.kernel.values[a].ty;
        match (conversion, from, to) {
            (Conversion::Bits, _, _) => self.lanes(a),
            (Conversion::Value | Conversion::Unsigned, Type::I32, Type::I64) => {
                let words = self.one(a)?;
                let unsigned = conversion == Conversion::Unsigned;
                Ok(Lanes::Words { words, unsigned, sum: Linear::default() })
            }
            (Conversion::Unsigned, Type::I32, Type::F32) => {
                let words = self.one(a)?;
                let doubles = self.unsigned_doubles(words);
                Ok(Lanes::One(self.narrowed(doubles)))
            }
            (Conversion::Unsigned, _, _) => {
                let words = self.one(a)?;
                Ok(Lanes::Two(self.unsigned_doubles(words)))
            }
            (Conversion::Value, Type::Bool, _) => self.convert_condition(to, a),
            (Conversion::Value, Type::I64, Type::I32) => {
                if let Some(Lanes::Linear(linear)) = self.known(a) {
                    return Ok(Lanes::One(self.count_words(&linear)));
                }
                let pair = self.two(a)?;
                Ok(Lanes::One(self.low_words(pair)))
            }
            (Conversion::Value, Type::I32, Type::F32) => {
                let words = self.one(a)?;
                Ok(Lanes::One(self.body.unary(Code::VEX_Vcvtdq2ps_ymm_ymmm256, words)))
            }
            (Conversion::Value, Type::I32, Type::F64) => {
                let words = self.one(a)?;
                Ok(Lanes::Two(self.widened(Code::VEX_Vcvtdq2pd_ymm_xmmm128, words)))
            }
            (Conversion::Value, Type::F32, Type::F64) => {
                let floats = self.one(a)?;
                Ok(Lanes::Two(self.widened(Code::VEX_Vcvtps2pd_ymm_xmmm128, floats)))
            }
            (Conversion::Value, Type::F64, Type::F32) => {
                let doubles = self.two(a)?;
                Ok(Lanes::One(self.narrowed(doubles)))
            }
            (Conversion::Value, Type::F32, Type::I32) => {
                let floats = self.one(a)?;
                Ok(Lanes::One(self.saturated(floats)))
            }
            (Conversion::Value, _, _) => Err("a conversion between floats and integers of 64 bits"),
        }
    }

    /// Words without a sign as doubles, exact.
    fn unsigned_doubles(&mut self, words: Vector) -> [Vector; 2] {
        let bits = self.widened(Code::VEX_Vpmovzxdq_ymm_xmmm128, words);
        let base = self.body.doubles([TWO_TO_52; 4]);
        bits.map(|bits| {
            let sum = self.body.binary(Code::VEX_Vpor_ymm_ymm_ymmm256, bits, base);
            self.body.binary(Code::VEX_Vsubpd_ymm_ymm_ymmm256, sum, base)
        })
    }

    /// Doubles rounded to floats.
    fn narrowed(&mut self, doubles: [Vector; 2]) -> Vector {
        let [low, high] = doubles.map(|half| {
            self.body.define(Code::VEX_Vcvtpd2ps_xmm_ymmm256, vec![Operand::Vector(half)], None, true)
        });
        let halves = vec![Operand::Vector(low), Operand::Low(high)];
        self.body.define(Code::VEX_Vinsertf128_ymm_ymm_xmmm128_imm8, halves, Some(1), false)
    }

    /// Truncated; the least and the greatest integer beyond the range, 0 of a NaN. The instruction gives the least integer
    /// for all that it cannot represent.
    fn saturated(&mut self, floats: Vector) -> Vector {
        let compare = Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8;
        let words = self.body.unary(Code::VEX_Vcvttps2dq_ymm_ymmm256, floats);
        let limit = self.body.words([2_147_483_648_f32.to_bits(); 8]);
        let above = self.body.binary_with(compare, floats, limit, predicate(Compare::GreaterEqual));
        let words = self.body.binary(Code::VEX_Vpxor_ymm_ymm_ymmm256, words, above);
        let number = self.body.binary_with(compare, floats, floats, predicate(Compare::Equal));
        self.body.binary(Code::VEX_Vpand_ymm_ymm_ymmm256, words, number)
    }

    /// 0 or 1.
    fn convert_condition(&mut self, to: Type, a: ValueId) -> Result<Lanes, Reason> {
        let and = Code::VEX_Vpand_ymm_ymm_ymmm256;
        let wide = match to {
            Type::F64 => Some(1.0f64.to_bits()),
            Type::I64 => Some(1),
            Type::F32 | Type::I32 | Type::Bool => None,
        };
        if let Some(bits) = wide {
            let masks = self.wide(a)?;
            let one = self.body.doubles([bits; 4]);
            return Ok(Lanes::Two(masks.map(|mask| self.body.binary(and, mask, one))));
        }
        let one = self.body.words([if to == Type::F32 { 1.0f32.to_bits() } else { 1 }; 8]);
        let mask = self.narrow(a)?;
        Ok(Lanes::One(self.body.binary(and, mask, one)))
    }
}
