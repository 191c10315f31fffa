//! The kernel IR: what one launch does, as plain data, complete enough for every topology, plan and device.
//!
//! # Values
//! A kernel is in single-assignment form. Every value has a [`Type`]; reals are already f32 or f64. An [`Op`] is
//! pure but for [`Op::Load`], which reads memory as it is when its [`Stmt::Let`] is reached. A value is defined
//! once, by a `Let`, as a loop's index or carried value, or as a result of an `If`, a loop or a reduction, and may
//! be used in the rest of the block that defines it and in the blocks inside.
//!
//! Floating-point operations round to nearest even, never contract, and keep subnormals. [`Op::Fma`] rounds once.
//! `Min` is `if b < a { b } else { a }`, `Max` likewise with `>`. Integers wrap; a shift takes its count modulo the
//! width; conversions from float to integer saturate and make 0 of a NaN. A NaN's bits are never looked at.
//!
//! # Loops and blocks
//! The outermost loop is over [`LoopKind::Blocks`]: its range is the half-open block range of the launch, a
//! rayon task on a CPU, the grid on a GPU; its iterations are independent. A [`LoopKind::Lanes`] loop has independent
//! iterations too (none reads what another writes): a CPU back end runs several in one vector, a GPU gives one to
//! each thread. A [`LoopKind::Serial`] loop runs in ascending order. Every loop is bounded by its range; `exit` may
//! end it early, after the iteration in which it holds.
//!
//! # Order
//! A [`Stmt::Reduce`] names its order, and every back end gives the bits of that order:
//! * [`Order::Serial256`]: within each block of 256 consecutive indices one accumulator, ascending; the block results
//!   are combined pairwise: neighbours (0, 1), (2, 3) …, an odd last one passes, until one is left.
//! * [`Order::Lanes32`]: 32 accumulators, index mod 32, each ascending; then lane l takes lane l + 16 for l < 16,
//!   then l + 8, 4, 2, 1.
//! * [`Order::Pairwise`]: the terms themselves are combined pairwise; this finishes a `Serial256` whose block results
//!   another launch has left in a buffer.
//!
//! A sum starts at +0, a minimum at +inf, a maximum at -inf. A term whose gate does not hold is left out. A product
//! term is one fma: `accumulator = fma(a, b, accumulator)`.
//!
//! # Memory
//! A [`Buffer`] is an array of one element type. An index counts elements. Loads and stores are in range: the
//! kernel's author guarantees it from what the launch checked, the interpreter verifies it.
//!
//! # Calling convention
//! `kernel(pointers: *const *mut u8, scalars: *const u64, first_block: u64, end_block: u64)`: one pointer for each
//! buffer in its order, 64-byte aligned; one 8-byte slot for each scalar in its order, the value in the low bytes
//! (little-endian); the half-open block range.

pub mod build;
pub mod expand;
pub mod parse;
pub mod print;
mod words;

use crate::arena::{Arena, Handle};
pub use crate::ir::{Distribution, MathFn, ReduceOp};

/// A value of a kernel.
pub type ValueId = Handle<Value>;
/// A buffer of a kernel.
pub type BufferId = Handle<Buffer>;
/// A scalar of a kernel.
pub type ScalarId = Handle<Scalar>;

/// One launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// A name that is unique in its program.
    pub name: String,
    /// What the kernel does, for people: a line each.
    pub docs: Vec<String>,
    /// What the blocks are.
    pub space: Space,
    /// Arrays.
    pub buffers: Arena<Buffer>,
    /// Numbers that stay the same for the whole launch.
    pub scalars: Arena<Scalar>,
    /// All values.
    pub values: Arena<Value>,
    /// What is done.
    pub body: Block,
}

/// Statements in order.
pub type Block = Vec<Stmt>;

/// What one index of the outermost loop stands for, and how many there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// What is iterated.
    pub kind: SpaceKind,
    /// How many items there are, as a product.
    pub items: Vec<Extent>,
    /// How many consecutive items a block holds; there are ceil(items / per_block) blocks.
    pub per_block: u32,
}

/// What the items of a launch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpaceKind {
    /// One item for the group.
    Single,
    /// Neurons of one side.
    Neurons(Side),
    /// Channels of one side.
    Channels(Side),
    /// Rows of the synaptic matrix.
    Rows(RowSet),
    /// Active columns of rows that are not active.
    Columns,
    /// Synapses, without rows.
    Synapses,
    /// Synapses with a loop over the positions that each serves.
    Pairs,
    /// Tiles of a batched product.
    Tiles,
}

/// Which rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowSet {
    /// All.
    All,
    /// Those in the list of pre events.
    Active,
    /// Those in a list that the step made.
    Touched,
}

/// A side of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Presynaptic.
    Pre,
    /// Postsynaptic.
    Post,
}

/// A factor of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Known.
    Constant(u64),
    /// An `I64` scalar of the launch.
    Scalar(ScalarId),
}

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// A name that is unique in its kernel.
    pub name: String,
    /// The element type; a `Bool` is stored as one byte, 0 or 1, and an event as `I32`.
    pub ty: Type,
    /// Whether the kernel reads it, writes it, or both.
    pub access: Access,
    /// What it holds.
    pub kind: BufferKind,
    /// The lengths of its axes, outermost first; the last is contiguous.
    pub shape: Vec<Extent>,
}

/// What a kernel does with a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Loads only.
    Read,
    /// Stores only.
    Write,
    /// Both.
    ReadWrite,
}

/// What a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BufferKind {
    /// One value for the group.
    Global,
    /// One value a neuron.
    Neuron(Side),
    /// One value a channel.
    Channel(Side),
    /// One value a synapse.
    Synapse,
    /// One value a batch element.
    Batch,
    /// Indices of the neurons that spiked, ascending.
    EventList(Side),
    /// One byte a neuron: whether it spiked.
    EventBitmap(Side),
    /// Event lists or bitmaps of the last steps, with a head.
    SpikeRing(Side),
    /// All events of one side since the oldest mark, with their steps.
    EventHistory(Side),
    /// One step number a row: when it was last brought up to date.
    Marks,
    /// Values of the last steps, with a head.
    DelayRing,
    /// Results of blocks, to be combined.
    Partials,
    /// Row starts, column indices, permutations, positions: what a topology is made of.
    Index,
    /// A value that one launch computes for another.
    Scratch,
}

/// A number for the whole launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// A name that is unique in its kernel.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// The machine types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// 32-bit integer, wrapping; signed or not as the operation says.
    I32,
    /// 64-bit integer, wrapping.
    I64,
    /// A condition.
    Bool,
}

impl Type {
    /// Whether it is `F32` or `F64`.
    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// Whether it is `I32` or `I64`.
    pub fn is_integer(self) -> bool {
        matches!(self, Type::I32 | Type::I64)
    }

    /// Bytes of an element in a buffer.
    pub fn size(self) -> usize {
        match self {
            Type::F32 | Type::I32 => 4,
            Type::F64 | Type::I64 => 8,
            Type::Bool => 1,
        }
    }
}

/// f32 or f64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 64 bits.
    F64,
}

impl Precision {
    /// The machine type of a real.
    pub fn ty(self) -> Type {
        match self {
            Precision::F32 => Type::F32,
            Precision::F64 => Type::F64,
        }
    }
}

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

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// Evaluates a value.
    Let(ValueId),
    /// Writes an element of a buffer, if the gate holds.
    Store {
        /// Where.
        buffer: BufferId,
        /// Which element, `I64`.
        index: ValueId,
        /// What.
        value: ValueId,
        /// `Bool`; always where there is none.
        gate: Option<ValueId>,
    },
    /// A branch.
    If {
        /// `Bool`.
        condition: ValueId,
        /// Where it holds.
        then: Block,
        /// Where it does not.
        otherwise: Block,
        /// Values that leave the branch.
        results: Vec<BranchResult>,
    },
    /// A loop.
    For(Loop),
    /// An ordered reduction.
    Reduce(Reduce),
    /// A tile of a batched product.
    Tile(TileProduct),
}

/// A value that a branch gives.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchResult {
    /// The value after the branch, `Defined`.
    pub value: ValueId,
    /// What it is where the condition holds.
    pub then: ValueId,
    /// What it is where it does not.
    pub otherwise: ValueId,
}

/// A bounded loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// How the iterations relate.
    pub kind: LoopKind,
    /// The index, `I64`, `Defined`.
    pub index: ValueId,
    /// First index. A `Blocks` loop has none: its range is the launch's.
    pub start: Option<ValueId>,
    /// One past the last.
    pub end: Option<ValueId>,
    /// What goes from one iteration to the next. `Serial` only.
    pub carried: Vec<Carried>,
    /// Evaluated at the end of an iteration; ends the loop where it holds. `Serial` only.
    pub exit: Option<ValueId>,
    /// What is done.
    pub body: Block,
}

/// How the iterations of a loop relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoopKind {
    /// Over the launch's block range; independent. Outermost, and only there.
    Blocks,
    /// Independent; may run together.
    Lanes,
    /// One after another.
    Serial,
}

/// A value that goes from one iteration to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// Inside the loop: the value at the start of the iteration, `Defined`.
    pub value: ValueId,
    /// Before the first iteration.
    pub initial: ValueId,
    /// At the end of an iteration.
    pub next: ValueId,
    /// After the loop, `Defined`.
    pub result: ValueId,
}

/// An ordered reduction over `0 .. count`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// How it combines; `Count` gives `I64`.
    pub op: ReduceOp,
    /// In which order.
    pub order: Order,
    /// The index, `I64`, `Defined`.
    pub index: ValueId,
    /// How many terms, `I64`.
    pub count: ValueId,
    /// Computes the term; has no stores.
    pub body: Block,
    /// The term.
    pub term: Term,
    /// A term is left out where this (`Bool`) does not hold.
    pub gate: Option<ValueId>,
    /// The result, `Defined`.
    pub result: ValueId,
}

/// A term of a reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// A value; `Bool` for `Count`.
    Value(ValueId),
    /// A product of two floats, accumulated with one fma. `Sum` only.
    Product(ValueId, ValueId),
}

/// The order of a reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Blocks of 256, each serial, combined pairwise.
    Serial256,
    /// 32 lanes, halved.
    Lanes32,
    /// Neighbours, level by level, as the block results of `Serial256`. Terms are values, not products, and have no
    /// gate.
    Pairwise,
}

/// `c[m, n] = Σ_k a[k, m] · b[k, n]` for a tile: one accumulator for each element, `k` ascending, one fma a term, in
/// blocks of 256 combined pairwise.
#[derive(Clone, Debug, PartialEq)]
pub struct TileProduct {
    /// `[depth, rows]`, read.
    pub left: BufferId,
    /// `[depth, columns]`, read.
    pub right: BufferId,
    /// `[rows_in_tile, columns_in_tile]` scratch, written from `tile_start` on, row-major with `tile_stride`. Blocks that
    /// run side by side need tiles of their own.
    pub into: BufferId,
    /// The strides of `left` and `right` between consecutive `k` (`I64`).
    pub strides: [ValueId; 2],
    /// The first row and column of the tile (`I64`).
    pub origin: [ValueId; 2],
    /// How many rows and columns the tile has (`I64`).
    pub size: [ValueId; 2],
    /// How many `k` (`I64`).
    pub depth: ValueId,
    /// The stride of `into` between rows (`I64`).
    pub tile_stride: ValueId,
    /// The first element of the tile in `into` (`I64`).
    pub tile_start: ValueId,
}
