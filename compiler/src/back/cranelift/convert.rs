//! Conversions.

use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::form::{Form, Step, is_wide, scalar_type, vector_type};
use super::function::Lower;
use crate::kernel::{Conversion, Type};

impl Lower<'_, '_> {
    /// A conversion of either form.
    pub fn convert(&mut self, conversion: Conversion, from: Type, to: Type, a: Form) -> Form {
        if let Form::Scalar(a) = a {
            return Form::Scalar(self.scalar_convert(conversion, from, to, a));
        }
        if from == to {
            return a;
        }
        if let (Form::Affine(affine), Conversion::Value, Type::I32, Step::Constant(step)) = (
            a,
            conversion,
            to,
            match a {
                Form::Affine(affine) => affine.step,
                Form::Scalar(_) | Form::Apart(_) | Form::One(_) | Form::Two(_) => Step::Constant(0),
            },
        ) {
            // The low words of a sum are the sum of the low words: counters stay out of 64-bit lanes.
            let base = self.b.ins().ireduce(types::I32, affine.base);
            let base = self.b.ins().splat(types::I32X4, base);
            let at = |lane: i64| (affine.offset.wrapping_add(step.wrapping_mul(lane)) as i32).to_le_bytes();
            let steps = self.vector_constant(types::I32X4, [at(0), at(1), at(2), at(3)].concat());
            return Form::One(self.b.ins().iadd(base, steps));
        }
        let a = if from == Type::Bool { a } else { self.pack(from, a) };
        match conversion {
            Conversion::Bits => self.each(a, |s, a| s.cast(vector_type(to), a)),
            Conversion::Unsigned => self.packed_unsigned(to, a),
            Conversion::Value => self.packed_value(from, to, a),
        }
    }

    fn scalar_convert(&mut self, conversion: Conversion, from: Type, to: Type, a: Value) -> Value {
        if from == to {
            return a;
        }
        let target = scalar_type(to);
        match conversion {
            Conversion::Bits => self.cast(target, a),
            Conversion::Unsigned => {
                let wide = self.b.ins().uextend(types::I64, a);
                if to.is_float() { self.b.ins().fcvt_from_sint(target, wide) } else { wide }
            }
            Conversion::Value => match (from, to) {
                (Type::I32, Type::I64) => self.b.ins().sextend(target, a),
                (Type::I64, Type::I32) => self.b.ins().ireduce(target, a),
                (Type::I32 | Type::I64, Type::F32 | Type::F64) => self.b.ins().fcvt_from_sint(target, a),
                (Type::F32 | Type::F64, Type::I32 | Type::I64) => self.b.ins().fcvt_to_sint_sat(target, a),
                (Type::F32, _) => self.b.ins().fpromote(target, a),
                (Type::F64, _) => self.b.ins().fdemote(target, a),
                (Type::Bool, Type::I32 | Type::I64) => self.b.ins().uextend(target, a),
                (Type::Bool, _) => {
                    let word = self.b.ins().uextend(types::I32, a);
                    self.b.ins().fcvt_from_sint(target, word)
                }
                (from, to) => crate::ice!("no conversion from {from:?} to {to:?}"),
            },
        }
    }

    fn packed_unsigned(&mut self, to: Type, a: Form) -> Form {
        let Form::One(a) = a else { crate::ice!("an unsigned conversion takes 32-bit lanes") };
        if to == Type::F32 {
            return Form::One(self.b.ins().fcvt_from_uint(types::F32X4, a));
        }
        let halves = [self.b.ins().uwiden_low(a), self.b.ins().uwiden_high(a)];
        if to == Type::I64 {
            return Form::Two(halves);
        }
        let words = self.words_low(a);
        Form::Two(words.map(|half| {
            let wide = self.b.ins().uwiden_low(half);
            self.b.ins().fcvt_from_uint(types::F64X2, wide)
        }))
    }

    fn packed_value(&mut self, from: Type, to: Type, a: Form) -> Form {
        match (from, to, a) {
            (Type::Bool, _, _) => self.packed_bool(to, a),
            (Type::I32, Type::I64, Form::One(a)) => {
                Form::Two([self.b.ins().swiden_low(a), self.b.ins().swiden_high(a)])
            }
            (Type::I64, Type::I32, Form::Two([low, high])) => {
                Form::One(self.shuffle(types::I32X4, low, high, [0, 2, 4, 6]))
            }
            (Type::I32, Type::F32, Form::One(a)) => Form::One(self.b.ins().fcvt_from_sint(types::F32X4, a)),
            (Type::I32, Type::F64, Form::One(a)) => Form::Two(self.words_low(a).map(|half| {
                let wide = self.b.ins().swiden_low(half);
                self.b.ins().fcvt_from_sint(types::F64X2, wide)
            })),
            (Type::F32, Type::F64, Form::One(a)) => Form::Two(self.words_low(a).map(|half| {
                let half = self.cast(types::F32X4, half);
                self.b.ins().fvpromote_low(half)
            })),
            (Type::F64, Type::F32, Form::Two([low, high])) => {
                let (low, high) = (self.b.ins().fvdemote(low), self.b.ins().fvdemote(high));
                Form::One(self.shuffle(types::F32X4, low, high, [0, 1, 4, 5]))
            }
            (Type::F32, Type::I32, Form::One(a)) => Form::One(self.b.ins().fcvt_to_sint_sat(types::I32X4, a)),
            (_, _, a) => {
                self.by_lane(from, to, [a], |s, [a]| s.scalar_convert(Conversion::Value, from, to, a))
            }
        }
    }

    /// The low two words, and the high two brought to the low places.
    fn words_low(&mut self, a: Value) -> [Value; 2] {
        let ty = self.b.func.dfg.value_type(a);
        [a, self.shuffle(ty, a, a, [2, 3, 2, 3])]
    }

    /// 0 or 1 of a mask: the bits of one, where the mask has them.
    fn packed_bool(&mut self, to: Type, a: Form) -> Form {
        let one = match to {
            Type::F32 => u64::from(1.0f32.to_bits()),
            Type::F64 => 1.0f64.to_bits(),
            Type::I32 | Type::I64 => 1,
            Type::Bool => crate::ice!("conversions change the type"),
        };
        let target = vector_type(to);
        if is_wide(to) {
            let ones = self.vector_constant(types::I64X2, [one.to_le_bytes(); 2].concat());
            return Form::Two(self.wide_mask(a).map(|mask| {
                let bits = self.b.ins().band(mask, ones);
                self.cast(target, bits)
            }));
        }
        let ones = self.vector_constant(types::I32X4, [(one as u32).to_le_bytes(); 4].concat());
        let mask = self.mask(a);
        let bits = self.b.ins().band(mask, ones);
        Form::One(self.cast(target, bits))
    }
}
