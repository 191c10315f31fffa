//! The words of the kernel text, shared by the printer and the parser, and the type that an operation has by itself.

use super::*;

/// Words that begin a statement or an operation; no value, buffer or scalar is printed under one of them.
pub(super) const KEYWORDS: [&str; 29] = [
    "kernel", "buffer", "scalar", "for", "if", "else", "store", "tile", "fetch", "next", "exit", "give",
    "term", "load", "true", "false", "as", "in", "below", "sum", "min", "max", "count", "carry", "inf_f32",
    "inf_f64", "nan_f32", "nan_f64", "by",
];

/// Whether `name` can stand in a text without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    is_identifier(name) && !is_reserved(name)
}

/// Whether `name` means something else than a name.
pub(super) fn is_reserved(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// A letter or `_`, then letters, digits, `_`, and single dots between them.
fn is_identifier(name: &str) -> bool {
    let bytes = name.as_bytes();
    let follows = |k: usize| match bytes.get(k) {
        Some(b'.') => bytes.get(k + 1).is_some_and(|&next| is_word(next)),
        Some(&byte) => is_word(byte),
        None => false,
    };
    bytes.first().is_some_and(|&first| is_word(first) && !first.is_ascii_digit())
        && (1..bytes.len()).all(follows)
}

/// Whether a byte can be part of a name.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The table of a word list: the word of a value and the value of a word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $find:ident: $ty:ty { $($value:pat => $word:literal = $made:expr),* $(,)? }) => {
        $(#[$doc])*
        pub(super) fn $name(value: $ty) -> &'static str {
            match value { $($value => $word),* }
        }
        $(#[$doc])*
        pub(super) fn $find(word: &str) -> Option<$ty> {
            match word { $($word => Some($made),)* _ => None }
        }
    };
}

words! {
    /// Types.
    type_word, find_type: Type {
        Type::F32 => "f32" = Type::F32,
        Type::F64 => "f64" = Type::F64,
        Type::I32 => "i32" = Type::I32,
        Type::I64 => "i64" = Type::I64,
        Type::Bool => "bool" = Type::Bool,
    }
}
words! {
    /// Access to a buffer.
    access_word, find_access: Access {
        Access::Read => "read" = Access::Read,
        Access::Write => "write" = Access::Write,
        Access::ReadWrite => "read_write" = Access::ReadWrite,
    }
}
words! {
    /// Sides.
    side_word, find_side: Side {
        Side::Pre => "pre" = Side::Pre,
        Side::Post => "post" = Side::Post,
    }
}
words! {
    /// Sets of rows.
    rows_word, find_rows: RowSet {
        RowSet::All => "all" = RowSet::All,
        RowSet::Active => "active" = RowSet::Active,
        RowSet::Touched => "touched" = RowSet::Touched,
    }
}
words! {
    /// Operations on one value, written as calls.
    unary_word, find_unary: Unary {
        Unary::Negate => "negate" = Unary::Negate,
        Unary::Abs => "abs" = Unary::Abs,
        Unary::Sqrt => "sqrt" = Unary::Sqrt,
        Unary::Floor => "floor" = Unary::Floor,
        Unary::Nearest => "nearest" = Unary::Nearest,
        Unary::Not => "not" = Unary::Not,
        Unary::TrailingZeros => "trailing_zeros" = Unary::TrailingZeros,
    }
}
words! {
    /// Operations on two values: a sign between them, or a word before them.
    binary_word, find_binary: Binary {
        Binary::Add => "+" = Binary::Add,
        Binary::Subtract => "-" = Binary::Subtract,
        Binary::Multiply => "*" = Binary::Multiply,
        Binary::Divide => "/" = Binary::Divide,
        Binary::Remainder => "remainder" = Binary::Remainder,
        Binary::Min => "min" = Binary::Min,
        Binary::Max => "max" = Binary::Max,
        Binary::MultiplyHigh => "multiply_high" = Binary::MultiplyHigh,
        Binary::And => "&" = Binary::And,
        Binary::Or => "|" = Binary::Or,
        Binary::Xor => "^" = Binary::Xor,
        Binary::ShiftLeft => "<<" = Binary::ShiftLeft,
        Binary::ShiftRight => ">>" = Binary::ShiftRight,
        Binary::ShiftRightSigned => "shift_right_signed" = Binary::ShiftRightSigned,
    }
}
words! {
    /// Comparisons.
    compare_word, find_compare: Compare {
        Compare::Equal => "==" = Compare::Equal,
        Compare::NotEqual => "!=" = Compare::NotEqual,
        Compare::Less => "<" = Compare::Less,
        Compare::LessEqual => "<=" = Compare::LessEqual,
        Compare::Greater => ">" = Compare::Greater,
        Compare::GreaterEqual => ">=" = Compare::GreaterEqual,
        Compare::Below => "below" = Compare::Below,
    }
}
words! {
    /// Our own functions.
    math_word, find_math: MathFn {
        MathFn::Exp => "exp" = MathFn::Exp,
        MathFn::Ln => "ln" = MathFn::Ln,
        MathFn::Log2 => "log2" = MathFn::Log2,
        MathFn::Log1p => "log1p" = MathFn::Log1p,
        MathFn::Expm1 => "expm1" = MathFn::Expm1,
        MathFn::Sin => "sin" = MathFn::Sin,
        MathFn::Cos => "cos" = MathFn::Cos,
        MathFn::Tanh => "tanh" = MathFn::Tanh,
        MathFn::Sigmoid => "sigmoid" = MathFn::Sigmoid,
        MathFn::Pow => "pow" = MathFn::Pow,
    }
}
words! {
    /// Loops.
    loop_word, find_loop: LoopKind {
        LoopKind::Blocks => "blocks" = LoopKind::Blocks,
        LoopKind::Lanes => "lanes" = LoopKind::Lanes,
        LoopKind::Serial => "serial" = LoopKind::Serial,
    }
}
words! {
    /// Reductions.
    reduce_word, find_reduce: ReduceOp {
        ReduceOp::Sum => "sum" = ReduceOp::Sum,
        ReduceOp::Min => "min" = ReduceOp::Min,
        ReduceOp::Max => "max" = ReduceOp::Max,
        ReduceOp::Count => "count" = ReduceOp::Count,
    }
}
words! {
    /// Orders of reductions.
    order_word, find_order: Order {
        Order::Serial256 => "serial256" = Order::Serial256,
        Order::Lanes32 => "lanes32" = Order::Lanes32,
        Order::Pairwise => "pairwise" = Order::Pairwise,
    }
}

/// The word of a kind of buffer, and its side where it has one.
pub(super) fn buffer_words(kind: BufferKind) -> (&'static str, Option<Side>) {
    match kind {
        BufferKind::Global => ("global", None),
        BufferKind::Neuron(side) => ("neuron", Some(side)),
        BufferKind::Channel(side) => ("channel", Some(side)),
        BufferKind::Synapse => ("synapse", None),
        BufferKind::Batch => ("batch", None),
        BufferKind::EventList(side) => ("event_list", Some(side)),
        BufferKind::EventBitmap(side) => ("event_bitmap", Some(side)),
        BufferKind::SpikeRing(side) => ("spike_ring", Some(side)),
        BufferKind::EventHistory(side) => ("event_history", Some(side)),
        BufferKind::Marks => ("marks", None),
        BufferKind::DelayRing => ("delay_ring", None),
        BufferKind::Partials => ("partials", None),
        BufferKind::Index => ("index", None),
        BufferKind::Scratch => ("scratch", None),
    }
}

/// The kind of buffer that a word means, with the side behind it.
pub(super) fn find_buffer_kind(word: &str, side: Option<Side>) -> Option<BufferKind> {
    Some(match (word, side) {
        ("global", None) => BufferKind::Global,
        ("neuron", Some(side)) => BufferKind::Neuron(side),
        ("channel", Some(side)) => BufferKind::Channel(side),
        ("synapse", None) => BufferKind::Synapse,
        ("batch", None) => BufferKind::Batch,
        ("event_list", Some(side)) => BufferKind::EventList(side),
        ("event_bitmap", Some(side)) => BufferKind::EventBitmap(side),
        ("spike_ring", Some(side)) => BufferKind::SpikeRing(side),
        ("event_history", Some(side)) => BufferKind::EventHistory(side),
        ("marks", None) => BufferKind::Marks,
        ("delay_ring", None) => BufferKind::DelayRing,
        ("partials", None) => BufferKind::Partials,
        ("index", None) => BufferKind::Index,
        ("scratch", None) => BufferKind::Scratch,
        (_, _) => return None,
    })
}

/// The type that the result of `op` has by itself; `None` where the operation does not say (a conversion, a value
/// that a statement defines) or names something that the kernel lacks.
pub(super) fn own_type(kernel: &Kernel, op: &Op) -> Option<Type> {
    let of = |value: &ValueId| kernel.values.get(*value).map(|value| value.ty);
    match op {
        Op::Defined | Op::Convert(..) => None,
        Op::Constant(constant) => Some(constant.ty()),
        Op::Scalar(scalar) => kernel.scalars.get(*scalar).map(|scalar| scalar.ty),
        Op::Unary(_, a) | Op::Binary(_, a, _) | Op::Fma(a, _, _) | Op::Select(_, a, _) => of(a),
        Op::Compare(..) => Some(Type::Bool),
        Op::Load(buffer, _) => kernel.buffers.get(*buffer).map(|buffer| buffer.ty),
        Op::Math(_, arguments) => arguments.first().and_then(of),
        Op::Random(_) => Some(Type::I32),
    }
}
