//! The types of operations.

use super::*;

fn any(_: Type) -> bool {
    true
}

fn number(ty: Type) -> bool {
    ty.is_float() || ty.is_integer()
}

fn bits(ty: Type) -> bool {
    ty.is_integer() || ty == Type::Bool
}

/// The types that an operation on one value takes, and what they are called.
fn unary(unary: Unary) -> (fn(Type) -> bool, &'static str) {
    match unary {
        Unary::Negate | Unary::Abs => (number, "numbers"),
        Unary::Sqrt | Unary::Floor | Unary::Nearest => (Type::is_float, "floats"),
        Unary::Not => (bits, "integers and conditions"),
        Unary::TrailingZeros => (Type::is_integer, "integers"),
    }
}

/// The types that an operation on two values takes.
fn binary(binary: Binary) -> (fn(Type) -> bool, &'static str) {
    match binary {
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Min | Binary::Max => (number, "numbers"),
        Binary::Divide | Binary::Remainder => (Type::is_float, "floats"),
        Binary::MultiplyHigh => (|ty| ty == Type::I32, "i32"),
        Binary::And | Binary::Or | Binary::Xor => (bits, "integers and conditions"),
        Binary::ShiftLeft | Binary::ShiftRight | Binary::ShiftRightSigned => (Type::is_integer, "integers"),
    }
}

/// The types that a comparison takes.
fn compare(compare: Compare) -> (fn(Type) -> bool, &'static str) {
    match compare {
        Compare::Equal | Compare::NotEqual => (any, "anything"),
        Compare::Less | Compare::LessEqual | Compare::Greater | Compare::GreaterEqual => (number, "numbers"),
        Compare::Below => (Type::is_integer, "integers"),
    }
}

/// Whether a conversion from one type to another exists.
fn converts(conversion: Conversion, from: Type, to: Type) -> bool {
    match conversion {
        Conversion::Value => match (from, to) {
            (Type::Bool, to) => to != Type::Bool,
            (_, Type::Bool) => false,
            (from, to) => from != to,
        },
        Conversion::Unsigned => from == Type::I32 && matches!(to, Type::I64 | Type::F32 | Type::F64),
        Conversion::Bits => matches!(
            (from, to),
            (Type::F32, Type::I32) | (Type::I32, Type::F32) | (Type::F64, Type::I64) | (Type::I64, Type::F64)
        ),
    }
}

impl Validator<'_> {
    /// Checks the operands of a value's operation, and that the value has the type that comes out.
    pub(super) fn op(&mut self, id: ValueId, value: &Value) {
        let name = self.definition(id);
        let user: &dyn Display = &name;
        let given = match &value.op {
            Op::Defined => {
                self.error(format!("{user} is evaluated and has no operation"));
                None
            }
            Op::Constant(constant) => Some(constant.ty()),
            Op::Scalar(scalar) => {
                let ty = self.kernel.scalars.get(*scalar).map(|scalar| scalar.ty);
                self.demand(ty.is_some(), |_| format!("{user} names a scalar that the kernel lacks"));
                ty
            }
            Op::Unary(op, a) => {
                let (fits, wanted) = unary(*op);
                self.operand(user, *a, fits, wanted)
            }
            Op::Binary(op, a, b) => self.pair(user, binary(*op), *a, *b),
            Op::Compare(op, a, b) => {
                self.pair(user, compare(*op), *a, *b);
                Some(Type::Bool)
            }
            Op::Fma(a, b, c) => {
                let ty = self.pair(user, (Type::is_float, "floats"), *a, *b);
                self.same(user, *c, ty);
                ty
            }
            Op::Select(condition, a, b) => {
                self.boolean(user, *condition);
                self.pair(user, (any, "anything"), *a, *b)
            }
            Op::Convert(conversion, a) => {
                let from = self.operand(user, *a, any, "anything");
                let exists = from.is_none_or(|from| converts(*conversion, from, value.ty));
                self.demand(exists, |_| {
                    format!("{user} converts {from:?} to {:?}, which does not exist", value.ty)
                });
                None
            }
            Op::Load(buffer, index) => {
                self.i64(user, *index);
                self.load(*buffer, Some(*index));
                self.kernel.buffers.get(*buffer).map(|buffer| buffer.ty)
            }
            Op::Math(function, arguments) => self.math(user, *function, arguments),
            Op::Random(random) => self.random(user, random),
        };
        if let Some(given) = given {
            self.demand(given == value.ty, |_| format!("{user} is declared {:?} and is {given:?}", value.ty));
        }
        self.info.expanded &=
            !matches!(value.op, Op::Math(..) | Op::Random(_) | Op::Binary(Binary::Remainder, ..));
    }

    fn pair(
        &mut self,
        user: &dyn Display,
        (fits, wanted): (fn(Type) -> bool, &str),
        a: ValueId,
        b: ValueId,
    ) -> Option<Type> {
        let ty = self.operand(user, a, fits, wanted);
        self.same(user, b, ty);
        ty
    }

    fn math(&mut self, user: &dyn Display, function: MathFn, arguments: &[ValueId]) -> Option<Type> {
        let count = if function == MathFn::Pow { 2 } else { 1 };
        self.demand(arguments.len() == count, |_| {
            format!("{user} calls {function:?} with {} values", arguments.len())
        });
        let ty = self.operand(user, *arguments.first()?, Type::is_float, "floats");
        for &argument in &arguments[1..] {
            self.same(user, argument, ty);
        }
        ty
    }

    pub(super) fn random(&mut self, user: &dyn Display, random: &Random) -> Option<Type> {
        let Random { site, attempt, run, step, seed, row, column } = random;
        self.demand(*site < 1 << 16, |_| format!("{user} draws at site {site}, which has more than 16 bits"));
        for word in [attempt, run] {
            self.operand(user, *word, |ty| ty == Type::I32, "i32");
        }
        for long in [step, seed, row, column] {
            self.i64(user, *long);
        }
        Some(Type::I32)
    }
}
