//! Statements of a kernel: what is done, in which order.

use super::{Block, BufferId, MathFn, Random, ReduceOp, ValueId};

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
    /// A strip of draws, or of values of a function.
    Fill(Fill),
    /// Asks for elements that are needed soon.
    Fetch(Fetch),
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
    /// Where the terms stand among those of a longer row, of which only some are stored; the loop's index where there
    /// is none. `Pairwise` has none.
    pub slot: Option<Slot>,
    /// The result, `Defined`.
    pub result: ValueId,
}

/// The place of a term in a row of `0 .. extent`, in which some places have no term. It stands for the loop's index in
/// the order of the reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The place of the term, `I64`, of the body: strictly ascending from one iteration to the next, gated off or not,
    /// and in `0 .. extent`. The kernel's author guarantees it, the interpreter verifies it.
    pub index: ValueId,
    /// How long the row is, `I64`, of outside the body.
    pub extent: ValueId,
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

/// Sets the elements `start .. start + count` of a buffer, so that what is long to compute is computed for many of them at
/// once: by code of the host that is made for it. `expand` makes a lanes loop of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// Scratch. Blocks that run side by side need elements of their own.
    pub into: BufferId,
    /// The first element (`I64`).
    pub start: ValueId,
    /// How many (`I64`).
    pub count: ValueId,
    /// With what.
    pub with: Filling,
}

/// What a strip is filled with.
#[derive(Clone, Debug, PartialEq)]
pub enum Filling {
    /// Random words, the k-th of the column `column + k`; of a buffer of `I32`.
    Words(Random),
    /// Standard normal numbers of such words; of a buffer of floats.
    Normals(Random),
    /// The function, of one argument, of what the elements are; of a buffer of floats.
    Function(MathFn),
}

/// Asks for the elements `start .. start + count` of a buffer, so that they are on their way while something else is done. It
/// changes nothing but how long a kernel takes; `expand` for the interpreter and for GPUs leaves it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// What is read soon.
    pub buffer: BufferId,
    /// The first element (`I64`).
    pub start: ValueId,
    /// How many (`I64`).
    pub count: ValueId,
}
