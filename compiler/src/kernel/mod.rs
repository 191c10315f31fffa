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
//! Where a reduction has a [`Slot`], the terms are those that a longer row has stored: the slot stands for the index, and
//! the row's extent for the number of terms, so blocks without a term take part with what an empty reduction gives. The
//! result is that of the whole row with the absent terms left out.
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
mod op;
pub mod parse;
pub mod print;
mod stmt;
mod words;

pub use op::*;
pub use stmt::*;

use crate::arena::{Arena, Handle};
pub use crate::ir::{Distribution, MathFn, ReduceOp};
pub use crate::topology::Side;
pub use aplysia_math::Precision;

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
    /// The type of a real.
    pub fn real(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Type::F32,
            Precision::F64 => Type::F64,
        }
    }

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
