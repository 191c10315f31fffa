//! Operations on values of either form: scalars where all operands are, lanes otherwise.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Value, types};

use super::form::{Affine, Form, Step, vector_type};
use super::function::Lower;
use super::scalar::{float_condition, integer_condition};
use crate::kernel::{Binary, Compare, Constant, Op, Type, Unary, ValueId};

impl Lower<'_, '_> {
    /// Evaluates the operation of a `Let`.
    pub fn evaluate(&mut self, value: ValueId) -> Form {
        let kernel = self.kernel;
        let ty = kernel.values[value].ty;
        match &kernel.values[value].op {
            Op::Constant(constant) => Form::Scalar(self.constant(*constant)),
            Op::Scalar(scalar) => Form::Scalar(self.scalars[scalar.index()]),
            Op::Unary(op, a) => {
                let a = self.form(*a);
                self.unary(*op, ty, a)
            }
            Op::Binary(op, a, b) => {
                let (left, right) = (self.form(*a), self.form(*b));
                if ty == Type::I64
                    && let Some(form) = self.affine_binary(*op, (*a, left), (*b, right))
                {
                    return form;
                }
                self.binary(*op, ty, left, right)
            }
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.form(*a), self.form(*b), self.form(*c));
                self.fma(ty, a, b, c)
            }
            Op::Compare(compare, a, b) => {
                let operand = self.ty(*a);
                let (a, b) = (self.form(*a), self.form(*b));
                self.compare(*compare, operand, a, b)
            }
            Op::Select(condition, a, b) => {
                let (condition, a, b) = (self.form(*condition), self.form(*a), self.form(*b));
                self.select(ty, condition, a, b)
            }
            Op::Convert(conversion, a) => {
                if let Some(form) = self.widened_load(value) {
                    return form;
                }
                let (from, a) = (self.ty(*a), self.form(*a));
                self.convert(*conversion, from, ty, a)
            }
            Op::Load(buffer, index) => {
                let index = self.form(*index);
                self.load(*buffer, index)
            }
            Op::Defined | Op::Math(..) | Op::Random(..) => {
                crate::ice!("{:?} cannot be evaluated", kernel.values[value].op)
            }
        }
    }

    fn unary(&mut self, op: Unary, ty: Type, a: Form) -> Form {
        match a {
            Form::Scalar(a) => Form::Scalar(self.unary_value(op, ty, a)),
            // The lanes of a condition are masks: all bits, not one.
            Form::One(_) | Form::Two(_) if ty == Type::Bool => self.each(a, |s, a| s.b.ins().bnot(a)),
            _ if op == Unary::TrailingZeros => self.by_lane(ty, ty, [a], |s, [a]| s.unary_value(op, ty, a)),
            Form::One(_) | Form::Two(_) | Form::Affine(_) | Form::Apart(_) => {
                let a = self.pack(ty, a);
                self.each(a, |s, a| s.unary_value(op, ty, a))
            }
        }
    }

    /// Two operands.
    pub fn binary(&mut self, op: Binary, ty: Type, a: Form, b: Form) -> Form {
        if let (Form::Scalar(a), Form::Scalar(b)) = (a, b) {
            return Form::Scalar(self.scalar_binary(op, ty, a, b));
        }
        if ty == Type::Bool {
            let [a, b] = self.masks([a, b]);
            return self.both(a, b, |s, a, b| s.plain_binary(op, ty, a, b));
        }
        match op {
            Binary::Min | Binary::Max => {
                let compare = if op == Binary::Min { Compare::Less } else { Compare::Greater };
                let (a, b) = (self.pack(ty, a), self.pack(ty, b));
                let second = self.compare(compare, ty, b, a);
                self.select(ty, second, b, a)
            }
            Binary::MultiplyHigh => {
                let (a, b) = (self.spread(a), self.spread(b));
                self.both(a, b, |s, a, b| s.multiply_high(a, b))
            }
            Binary::ShiftLeft | Binary::ShiftRight | Binary::ShiftRightSigned => {
                let Form::Scalar(count) = b else {
                    return self.by_lane(ty, ty, [a, b], |s, [a, b]| s.scalar_binary(op, ty, a, b));
                };
                let a = self.pack(ty, a);
                self.each(a, |s, a| s.scalar_binary(op, ty, a, count))
            }
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder
            | Binary::And
            | Binary::Or
            | Binary::Xor => {
                let (a, b) = (self.pack(ty, a), self.pack(ty, b));
                self.both(a, b, |s, a, b| s.plain_binary(op, ty, a, b))
            }
        }
    }

    /// Sums, differences and products of indices that stay out of vector registers.
    fn affine_binary(&mut self, op: Binary, a: (ValueId, Form), b: (ValueId, Form)) -> Option<Form> {
        match (op, a, b) {
            (Binary::Add, (_, Form::Affine(affine)), (other, Form::Scalar(value)))
            | (Binary::Add, (other, Form::Scalar(value)), (_, Form::Affine(affine))) => {
                Some(Form::Affine(self.affine_plus(affine, other, value, false)))
            }
            (Binary::Subtract, (_, Form::Affine(affine)), (other, Form::Scalar(value))) => {
                Some(Form::Affine(self.affine_plus(affine, other, value, true)))
            }
            (Binary::Multiply, (_, Form::Affine(affine)), (other, Form::Scalar(value)))
            | (Binary::Multiply, (other, Form::Scalar(value)), (_, Form::Affine(affine))) => {
                Some(Form::Affine(self.affine_times(affine, other, value)))
            }
            (Binary::Add, (_, Form::Apart(lanes)), (_, Form::Scalar(value)))
            | (Binary::Add, (_, Form::Scalar(value)), (_, Form::Apart(lanes))) => {
                Some(Form::Apart(lanes.map(|lane| self.b.ins().iadd(lane, value))))
            }
            (Binary::Add, (_, Form::Affine(a)), (_, Form::Affine(b))) => {
                let (Step::Constant(x), Step::Constant(y)) = (a.step, b.step) else { return None };
                Some(Form::Affine(Affine {
                    base: self.b.ins().iadd(a.base, b.base),
                    offset: a.offset.wrapping_add(b.offset),
                    step: Step::Constant(x.wrapping_add(y)),
                }))
            }
            _ => None,
        }
    }

    fn known(&self, value: ValueId) -> Option<i64> {
        match self.kernel.values[value].op {
            Op::Constant(Constant::I64(constant)) => Some(constant),
            _ => None,
        }
    }

    fn affine_plus(&mut self, affine: Affine, other: ValueId, value: Value, minus: bool) -> Affine {
        match self.known(other) {
            Some(constant) => {
                let constant = if minus { constant.wrapping_neg() } else { constant };
                Affine { offset: affine.offset.wrapping_add(constant), ..affine }
            }
            None if minus => Affine { base: self.b.ins().isub(affine.base, value), ..affine },
            None => Affine { base: self.b.ins().iadd(affine.base, value), ..affine },
        }
    }

    fn affine_times(&mut self, affine: Affine, other: ValueId, value: Value) -> Affine {
        match (self.known(other), affine.step) {
            (Some(constant), Step::Constant(step)) => Affine {
                base: self.b.ins().imul(affine.base, value),
                offset: affine.offset.wrapping_mul(constant),
                step: Step::Constant(step.wrapping_mul(constant)),
            },
            (_, step) => {
                let base = self.add_constant(affine.base, affine.offset);
                let step = match step {
                    Step::Constant(1) => value,
                    Step::Constant(step) => self.multiply_constant(value, step),
                    Step::Value(step) => self.b.ins().imul(step, value),
                };
                Affine { base: self.b.ins().imul(base, value), offset: 0, step: Step::Value(step) }
            }
        }
    }

    /// Four words; one that all lanes share is spread by a shuffle. Cranelift would fold the widening of a splat and
    /// then not see the widening multiplication.
    fn spread(&mut self, form: Form) -> Form {
        let Form::Scalar(value) = form else { return self.pack(Type::I32, form) };
        let lowest = self.b.ins().scalar_to_vector(types::I32X4, value);
        Form::One(self.shuffle(types::I32X4, lowest, lowest, [0; 4]))
    }

    /// The upper words of the products: two widening multiplications, then the odd words.
    fn multiply_high(&mut self, a: Value, b: Value) -> Value {
        let (x, y) = (self.b.ins().uwiden_low(a), self.b.ins().uwiden_low(b));
        let low = self.b.ins().imul(x, y);
        let (x, y) = (self.b.ins().uwiden_high(a), self.b.ins().uwiden_high(b));
        let high = self.b.ins().imul(x, y);
        self.shuffle(types::I32X4, low, high, [1, 3, 5, 7])
    }

    /// a · b + c, rounded once.
    pub fn fma(&mut self, ty: Type, a: Form, b: Form, c: Form) -> Form {
        if let (Form::Scalar(a), Form::Scalar(b), Form::Scalar(c)) = (a, b, c) {
            return Form::Scalar(self.b.ins().fma(a, b, c));
        }
        match (self.pack(ty, a), self.pack(ty, b), self.pack(ty, c)) {
            (Form::One(a), Form::One(b), Form::One(c)) => Form::One(self.b.ins().fma(a, b, c)),
            (Form::Two(a), Form::Two(b), Form::Two(c)) => {
                Form::Two([self.b.ins().fma(a[0], b[0], c[0]), self.b.ins().fma(a[1], b[1], c[1])])
            }
            forms => crate::ice!("operands of one type in different forms: {forms:?}"),
        }
    }

    /// A comparison of operands of type `ty`.
    pub fn compare(&mut self, compare: Compare, ty: Type, a: Form, b: Form) -> Form {
        if let (Form::Scalar(a), Form::Scalar(b)) = (a, b) {
            return Form::Scalar(self.scalar_compare(compare, ty, a, b));
        }
        let [a, b] = if ty == Type::Bool { self.masks([a, b]) } else { [self.pack(ty, a), self.pack(ty, b)] };
        // Cranelift knows the pattern of a maximum only by its `Less`.
        let (compare, a, b) = match (compare, ty.is_float()) {
            (Compare::Greater, true) => (Compare::Less, b, a),
            (Compare::GreaterEqual, true) => (Compare::LessEqual, b, a),
            (compare, _) => (compare, a, b),
        };
        self.both(a, b, |s, a, b| match ty.is_float() {
            true => s.b.ins().fcmp(float_condition(compare), a, b),
            false => s.b.ins().icmp(integer_condition(compare), a, b),
        })
    }

    /// Condition, where it holds, where it does not.
    pub fn select(&mut self, ty: Type, condition: Form, a: Form, b: Form) -> Form {
        if let (Form::Scalar(condition), Form::Scalar(a), Form::Scalar(b)) = (condition, a, b) {
            return Form::Scalar(self.b.ins().select(condition, a, b));
        }
        if ty == Type::Bool {
            let [condition, a, b] = self.masks([condition, a, b]);
            return match (condition, a, b) {
                (Form::One(c), Form::One(a), Form::One(b)) => Form::One(self.b.ins().bitselect(c, a, b)),
                (Form::Two(c), Form::Two(a), Form::Two(b)) => {
                    Form::Two([0, 1].map(|half| self.b.ins().bitselect(c[half], a[half], b[half])))
                }
                forms => crate::ice!("conditions in different forms: {forms:?}"),
            };
        }
        let zero = self.is_zero(b);
        let (a, b) = (self.pack(ty, a), self.pack(ty, b));
        match (a, b) {
            (Form::One(a), Form::One(b)) => {
                let mask = self.mask(condition);
                Form::One(self.choose(ty, mask, a, b, zero))
            }
            (Form::Two(a), Form::Two(b)) => {
                let masks = self.wide_mask(condition);
                Form::Two([0, 1].map(|half| self.choose(ty, masks[half], a[half], b[half], zero)))
            }
            forms => crate::ice!("operands of one type in different forms: {forms:?}"),
        }
    }

    /// Lanes of `a` where those of a mask of integers are all ones, and of `b` where they are 0. Cranelift makes one blend of
    /// a selection by a comparison, and three operations of another one; it recognises a comparison of floats behind a
    /// cast, and of integers only without one.
    fn choose(&mut self, ty: Type, mask: Value, a: Value, b: Value, b_is_zero: bool) -> Value {
        let vector = vector_type(ty);
        let comparison =
            self.b.func.dfg.value_def(mask).inst().map(|inst| self.b.func.dfg.insts[inst].opcode());
        if comparison == Some(Opcode::Fcmp) {
            let mask = self.cast(vector, mask);
            return self.b.ins().bitselect(mask, a, b);
        }
        if b_is_zero {
            let mask = self.cast(vector, mask);
            return self.b.ins().band(mask, a);
        }
        let lanes = self.b.func.dfg.value_type(mask);
        let mask = if comparison == Some(Opcode::Icmp) {
            mask
        } else {
            let zero = self.b.ins().iconst(lanes.lane_type(), 0);
            let zero = self.b.ins().splat(lanes, zero);
            self.b.ins().icmp(IntCC::SignedLessThan, mask, zero)
        };
        let (a, b) = (self.cast(lanes, a), self.cast(lanes, b));
        let chosen = self.b.ins().bitselect(mask, a, b);
        self.cast(vector, chosen)
    }

    /// Whether a value is the constant +0 in all lanes.
    fn is_zero(&self, form: Form) -> bool {
        let Form::Scalar(value) = form else { return false };
        let dfg = &self.b.func.dfg;
        dfg.value_def(value).inst().is_some_and(|inst| match dfg.insts[inst] {
            InstructionData::UnaryIeee32 { imm, .. } => imm.bits() == 0,
            InstructionData::UnaryIeee64 { imm, .. } => imm.bits() == 0,
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => imm.bits() == 0,
            _ => false,
        })
    }

    /// Conditions brought to one lane width: the wide one only where none is narrow.
    fn masks<const N: usize>(&mut self, forms: [Form; N]) -> [Form; N] {
        let narrow = forms.iter().any(|form| matches!(form, Form::One(_)))
            || !forms.iter().any(|form| matches!(form, Form::Two(_)));
        forms.map(|form| match narrow {
            true => Form::One(self.mask(form)),
            false => Form::Two(self.wide_mask(form)),
        })
    }

    /// The same instruction on each register.
    pub fn each(&mut self, a: Form, f: impl Fn(&mut Self, Value) -> Value) -> Form {
        match a {
            Form::Scalar(a) => Form::Scalar(f(self, a)),
            Form::One(a) => Form::One(f(self, a)),
            Form::Two([low, high]) => Form::Two([f(self, low), f(self, high)]),
            Form::Affine(_) | Form::Apart(_) => crate::ice!("an index that is not in registers"),
        }
    }

    /// The same instruction on each pair of registers.
    pub fn both(&mut self, a: Form, b: Form, f: impl Fn(&mut Self, Value, Value) -> Value) -> Form {
        match (a, b) {
            (Form::One(a), Form::One(b)) => Form::One(f(self, a, b)),
            (Form::Two(a), Form::Two(b)) => Form::Two([f(self, a[0], b[0]), f(self, a[1], b[1])]),
            forms => crate::ice!("operands of one type in different forms: {forms:?}"),
        }
    }

    /// Lane by lane with scalars: for what vectors cannot do.
    pub fn by_lane<const N: usize>(
        &mut self,
        from: Type,
        to: Type,
        operands: [Form; N],
        f: impl Fn(&mut Self, [Value; N]) -> Value,
    ) -> Form {
        let lanes = [0, 1, 2, 3].map(|lane| {
            let scalars = operands.map(|operand| self.lane(from, operand, lane));
            f(self, scalars)
        });
        self.gather_lanes(to, lanes)
    }
}
