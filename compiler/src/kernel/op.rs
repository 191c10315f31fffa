//! Values of a kernel and the operations that they come from.

use super::{BufferId, MathFn, ScalarId, Type, ValueId};

/// A value: its type and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Its type.
    pub ty: Type,
    /// Where it comes from.
    pub op: Op,
    /// A name for people; need not be unique.
    pub name: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Given by the statement that defines it: a loop's index or carried value, a result.
    Defined,
    /// A literal.
    Constant(Constant),
    /// A scalar of the launch.
    Scalar(ScalarId),
    /// One operand.
    Unary(Unary, ValueId),
    /// Two operands of one type, which is the value's.
    Binary(Binary, ValueId, ValueId),
    /// a · b + c, rounded once. Floats.
    Fma(ValueId, ValueId, ValueId),
    /// Two operands of one type; the value is `Bool`.
    Compare(Compare, ValueId, ValueId),
    /// Condition, where it holds, where it does not.
    Select(ValueId, ValueId, ValueId),
    /// To the value's type.
    Convert(Conversion, ValueId),
    /// An element of a buffer; the index is `I64`.
    Load(BufferId, ValueId),
    /// One of our own functions; `expand` replaces it by operations.
    Math(MathFn, Vec<ValueId>),
    /// 32 random bits (`I32`); `expand` replaces it by operations. The key and the step are the scalars `seed` and
    /// `step` of the kernel (`I64` both).
    Random(Random),
}

/// A literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// The bits of an f32.
    F32(u32),
    /// The bits of an f64.
    F64(u64),
    /// 32 bits.
    I32(i32),
    /// 64 bits.
    I64(i64),
    /// A condition.
    Bool(bool),
}

impl Constant {
    /// Its type.
    pub fn ty(self) -> Type {
        match self {
            Constant::F32(_) => Type::F32,
            Constant::F64(_) => Type::F64,
            Constant::I32(_) => Type::I32,
            Constant::I64(_) => Type::I64,
            Constant::Bool(_) => Type::Bool,
        }
    }
}

/// Operations on one value, of the value's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// Floats: flips the sign. Integers: wraps.
    Negate,
    /// Floats: clears the sign. Integers: wraps.
    Abs,
    /// Floats: correctly rounded.
    Sqrt,
    /// Floats: toward -inf.
    Floor,
    /// Floats: to nearest, halves to even.
    Nearest,
    /// `Bool` and integers: all bits.
    Not,
    /// Integers: how many bits below the lowest that is 1; all of them where none is.
    TrailingZeros,
}

/// Operations on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// Floats and integers.
    Add,
    /// Floats and integers.
    Subtract,
    /// Floats and integers.
    Multiply,
    /// Floats.
    Divide,
    /// Floats: exact remainder, sign of the first; `expand` replaces it. Integers do not have it.
    Remainder,
    /// Floats and integers (signed): `if b < a { b } else { a }`.
    Min,
    /// Floats and integers (signed): `if b > a { b } else { a }`.
    Max,
    /// The upper half of the unsigned product. `I32` only.
    MultiplyHigh,
    /// Integers and `Bool`.
    And,
    /// Integers and `Bool`.
    Or,
    /// Integers and `Bool`.
    Xor,
    /// Integers; the count is the second operand modulo the width.
    ShiftLeft,
    /// Integers, zeros come in.
    ShiftRight,
    /// Integers, the sign comes in.
    ShiftRightSigned,
}

/// Comparisons. With a NaN all but `NotEqual` are false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// Any type.
    Equal,
    /// Any type.
    NotEqual,
    /// Floats and integers (signed).
    Less,
    /// Floats and integers (signed).
    LessEqual,
    /// Floats and integers (signed).
    Greater,
    /// Floats and integers (signed).
    GreaterEqual,
    /// Integers, unsigned.
    Below,
}

/// From one type to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conversion {
    /// Integer (signed) to float, rounded once; float to integer, truncated and saturated, NaN to 0; `F64` to `F32`
    /// rounded once; `F32` to `F64`; `I32` to `I64` with the sign; `I64` to `I32`, the low bits; `Bool` to any: 0 or 1.
    Value,
    /// `I32` to `I64` with zeros; `I32` (unsigned) to float, rounded once.
    Unsigned,
    /// The same bits: `F32` and `I32`, `F64` and `I64`.
    Bits,
}

/// 32 random bits of Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
///
/// Key: the low and the high half of `seed`. Counter: the low half of the step; `site << 16 | attempt << 8 | run`
/// with 16, 8 and 8 bits; the row (batch · rows + row); column / 4. The word is number column mod 4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Random {
    /// The number of the site in the composed rule.
    pub site: u32,
    /// Which try of a rejection method (`I32`).
    pub attempt: ValueId,
    /// How often the block has run in this step (`I32`).
    pub run: ValueId,
    /// The step (`I64`); 0 at creation.
    pub step: ValueId,
    /// The group's seed (`I64`).
    pub seed: ValueId,
    /// The logical row (`I64`); 0 for a post or global value.
    pub row: ValueId,
    /// The logical column (`I64`); 0 for a pre or global value.
    pub column: ValueId,
}
