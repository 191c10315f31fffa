//! Products over the batch, tile by tile.
//!
//! Where the rows of a dense group sum, over the batch, the product of a presynaptic and a postsynaptic value, that sum is a
//! product of matrices. It is made for a tile of rows and columns at a time, so that what a tile reads stays in cache and
//! registers, and the rest of the rule (priors, bounds, an optimizer, constraints) follows on the tile. Each element has one
//! accumulator, the batch ascending: the bits of the plain loop.

use super::emit::Emitter;
use super::layout::{Range, Where};
use super::pieces::PieceTerm;
use super::program::{Count, Size, StorageId};
use super::rows::{Rows, index};
use super::section::{Access, Work};
use super::stage::Key;
use crate::ir::{ExprId, ExprKind, ReduceOp};
use crate::kernel::{self, Binary, Stmt, TileProduct, ValueId};
use crate::topology::Kind;

/// Columns of a tile, as a power of two.
const COLUMNS_SHIFT: i64 = 8;

/// A product that is made in tiles.
#[derive(Clone, Copy)]
pub(super) struct Product {
    /// The sum over the batch.
    sum: ExprId,
    left: StorageId,
    right: StorageId,
    tile: StorageId,
}

/// The products of a pass that are made in tiles.
pub(super) fn products(work: &mut Work<'_, '_>, key: Key, roots: &[ExprId]) -> Vec<Product> {
    if !work.planner.options.tiles || !work.layout.batched || work.layout.kind != Kind::Dense {
        return Vec::new();
    }
    let closure = work.closure(key, roots);
    closure.into_iter().filter_map(|id| product(work, key, id)).collect()
}

fn product(work: &mut Work<'_, '_>, key: Key, id: ExprId) -> Option<Product> {
    let ExprKind::Reduce { op: ReduceOp::Sum, .. } = work.flow.graph.get(id).kind else { return None };
    let pieces = work.pieces(id);
    let PieceTerm::Product(a, b) = pieces.term else { return None };
    if work.range(id) != Some(Range::Batch) || !work.place(id).is_synapse() || !pieces.gates.is_empty() {
        return None;
    }
    let (pre, post) = match (work.place(a).at, work.place(b).at) {
        (Where::Pre, Where::Post) => (a, b),
        (Where::Post, Where::Pre) => (b, a),
        _ => return None,
    };
    let (left, right) = (array(work, key, pre)?, array(work, key, post)?);
    let ty = work.planner.storages.get(left).ty;
    let tile = vec![Size::Count(Count::Pre), Size::Constant(1 << COLUMNS_SHIFT)];
    let tile = work.planner.storages.scratch(ty, tile);
    Some(Product { sum: id, left, right, tile })
}

/// The array of a batched value of neurons, one number for each.
fn array(work: &mut Work<'_, '_>, key: Key, id: ExprId) -> Option<StorageId> {
    if !work.place(id).batched {
        return None;
    }
    match work.access(id, key) {
        Access::Left(storage, 0, 1) => Some(storage),
        Access::Left(..) => None,
        Access::Inline => match work.flow.graph.get(id).kind {
            ExprKind::Load { variable, .. } if work.planner.rule.variables[variable].elements() == 1 => {
                Some(work.planner.storages.variable(variable))
            }
            _ => None,
        },
    }
}

/// A strip of columns: the first, and one past the last.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) start: ValueId,
    pub(super) end: ValueId,
}

/// The loop over strips of columns. In each, the tiles of the rows `first .. end` are made before `body` is written.
pub(super) fn strips(
    emitter: &mut Emitter<'_, '_, '_>,
    rows: &Rows,
    (first, end): (ValueId, ValueId),
    products: &[Product],
    body: impl FnOnce(&mut Emitter<'_, '_, '_>, Strip),
) {
    let shift = emitter.builder.int(COLUMNS_SHIFT);
    let width = emitter.builder.int(1 << COLUMNS_SHIFT);
    let last = emitter.builder.int((1 << COLUMNS_SHIFT) - 1);
    let rounded = emitter.builder.add(rows.columns, last);
    let count = emitter.builder.binary(Binary::ShiftRight, rounded, shift);
    let strip = index(emitter, "strip");
    emitter.enter();
    let start = emitter.builder.mul(strip, width);
    let full = emitter.builder.add(start, width);
    let stop = emitter.builder.binary(Binary::Min, full, rows.columns);
    let columns = emitter.builder.sub(stop, start);
    let height = emitter.builder.sub(end, first);
    let (pre, depth) = (emitter.count(Count::Pre), emitter.count(Count::Batch));
    let tile_start = emitter.builder.mul(first, width);
    for product in products {
        let left = emitter.buffer(product.left, kernel::Access::Read);
        let right = emitter.buffer(product.right, kernel::Access::Read);
        let into = emitter.buffer(product.tile, kernel::Access::ReadWrite);
        emitter.builder.push(Stmt::Tile(TileProduct {
            left,
            right,
            into,
            strides: [pre, rows.columns],
            origin: [first, start],
            size: [height, columns],
            depth,
            tile_stride: width,
            tile_start,
        }));
    }
    body(emitter, Strip { start, end: stop });
    let inner = emitter.leave();
    let (kind, zero) = (kernel::LoopKind::Serial, rows.zero);
    super::neuron::push_loop(emitter, kind, strip, Some(zero), Some(count), inner);
}

/// Takes the products of a synapse out of their tiles.
pub(super) fn recall(
    emitter: &mut Emitter<'_, '_, '_>,
    products: &[Product],
    strip: Strip,
    (row, column): (ValueId, ValueId),
) {
    let width = emitter.builder.int(1 << COLUMNS_SHIFT);
    let first = emitter.builder.mul(row, width);
    let offset = emitter.builder.sub(column, strip.start);
    let at = emitter.builder.add(first, offset);
    for product in products {
        let tile = emitter.buffer(product.tile, kernel::Access::Read);
        let value = emitter.builder.load(tile, at);
        emitter.remember(product.sum, value);
    }
}
