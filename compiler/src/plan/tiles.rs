//! Products over the batch, tile by tile.
//!
//! Where the rows of a dense group sum, over the batch, the product of a presynaptic and a postsynaptic value, that sum is a
//! product of matrices. It is made for a tile of rows and columns at a time, so that what a tile reads stays in cache and
//! registers, and the rest of the rule (priors, bounds, an optimizer, constraints) follows on the tile, row after row: a tile
//! has few rows, but whole ones, since memory is read fastest in one go. Each element has one accumulator, the batch
//! ascending: the bits of the plain loop.
//!
//! The factors are copied first, once for each step, so that those of a block of rows and those of a strip of columns lie
//! together: in their own arrays consecutive terms are a whole side of neurons apart, often a power of two, and every
//! tile would fetch them again from afar, each from a page of its own.

use super::emit::Emitter;
use super::layout::{Range, Where};
use super::pieces::PieceTerm;
use super::program::{Count, Launch, Size, StorageId};
use super::rows::{Rows, index};
use super::section::{Access, Work};
use super::stage::Key;
use crate::ir::{ExprId, ExprKind, ReduceOp};
use crate::kernel::{self, Binary, Compare, Conversion, Side, SpaceKind, Stmt, TileProduct, Type, ValueId};
use crate::topology::{Counts, Kind};

/// Factors of a batch as large as this lie in narrow panels, whose size suits the processor's vectors and nearest cache, and
/// which are used for several panels of rows before the next comes: all the factors of a side take more than the caches that
/// are near. Smaller batches take wide panels, which are few.
const DEEP: i64 = 64;
/// Rows and columns of a panel of a smaller batch.
const ROWS: i64 = 16;
const COLUMNS: i64 = 256;
/// The panels of rows of a tile in a deep product: few, so that a tile of whole rows stays in the second cache.
const TALL: i64 = 4;
/// The neurons of a block of `Count::PreBlocks`, as a power of two.
const BLOCK_SHIFT: i64 = 8;
const BLOCK: i64 = 1 << BLOCK_SHIFT;
/// The neurons that the panels of such a block have room for: the last of them may reach beyond the block.
const ROOM: i64 = BLOCK + Counts::PANEL_ROWS as i64;
/// The most rows of a tile.
const TALLEST: u64 = TALL as u64 * Counts::PANEL_ROWS as u64;
/// How far consecutive terms of a wide panel lie apart: a few cache lines more than it is wide, so that they fall into
/// different sets of the cache.
const WIDE_STRIDE: i64 = COLUMNS + 32;

/// A product that is made in tiles.
#[derive(Clone, Copy)]
pub(super) struct Product {
    /// The sum over the batch.
    sum: ExprId,
    left: Factor,
    right: Factor,
    tile: StorageId,
}

/// A factor of a product.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Factor {
    /// `[batch, neurons]`
    of: StorageId,
    /// Panels `[batch, neurons of the panel]`, one behind the other.
    panels: StorageId,
}

/// The products of a pass that are made in tiles.
pub(super) fn products(work: &mut Work<'_, '_>, key: Key, roots: &[ExprId]) -> Vec<Product> {
    if !work.planner.options.tiles || !work.layout.batched || work.layout.kind != Kind::Dense {
        return Vec::new();
    }
    let mut products: Vec<Product> = Vec::new();
    for id in work.closure(key, roots) {
        products.extend(product(work, key, id, &products));
    }
    products
}

fn product(work: &mut Work<'_, '_>, key: Key, id: ExprId, others: &[Product]) -> Option<Product> {
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
    let known = |of: StorageId, factor: fn(&Product) -> Factor| {
        others.iter().map(factor).find(|factor| factor.of == of)
    };
    let mut panels = |of: StorageId, blocks: Count, width: i64| {
        let shape = vec![Size::Count(blocks), Size::Count(Count::Batch), Size::Constant(width as u64)];
        Factor { of, panels: work.planner.storages.scratch(ty, shape) }
    };
    let left = known(left, |product| product.left).unwrap_or_else(|| panels(left, Count::PreBlocks, ROOM));
    let right = known(right, |product| product.right)
        .unwrap_or_else(|| panels(right, Count::PostBlocks, WIDE_STRIDE));
    // A block of rows makes its groups of rows one after another in the same place.
    let tile = vec![Size::Count(Count::PreBlocks), Size::Constant(TALLEST), Size::Count(Count::Post)];
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

/// The launches that copy the factors of the products into their panels.
pub(super) fn panels(work: &mut Work<'_, '_>, key: Key, products: &[Product]) -> Vec<Launch> {
    let mut launches = Vec::new();
    let mut done: Vec<Factor> = Vec::new();
    for product in products {
        for (factor, side) in [(product.left, Side::Pre), (product.right, Side::Post)] {
            if !done.contains(&factor) {
                done.push(factor);
                launches.push(fill_panels(work, key, factor, side));
            }
        }
    }
    launches
}

fn fill_panels(work: &mut Work<'_, '_>, key: Key, factor: Factor, side: Side) -> Launch {
    let (word, count, blocks) = match side {
        Side::Pre => ("rows", Count::Pre, Count::PreBlocks),
        Side::Post => ("columns", Count::Post, Count::PostBlocks),
    };
    let name = super::rows::pass_name(work, key, &format!("_{word}_{}", factor.panels.index()));
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Tiles);
    emitter.builder.doc(format!("the factors of a product, those of a block of {word} together"));
    let items = emitter.extent(Size::Count(blocks));
    emitter.set_space(vec![items], 1);
    let (total, depth) = (emitter.count(count), emitter.count(Count::Batch));
    let of = emitter.buffer(factor.of, kernel::Access::Read);
    let into = emitter.buffer(factor.panels, kernel::Access::Write);
    let block = index(&mut emitter, "block");
    emitter.enter();
    let (first, last) = super::neuron::block_range(&mut emitter, block, BLOCK as u32, total);
    let zero = emitter.builder.int(0);
    let Panels { width, stride } = Panels::new(&mut emitter, side, depth);
    let length = emitter.builder.sub(last, first);
    let panels = blocks_of(&mut emitter, length, width);
    let whole = emitter.builder.int(if side == Side::Pre { ROOM } else { WIDE_STRIDE });
    let of_block = emitter.builder.mul(block, whole);
    let panel = index(&mut emitter, "panel");
    emitter.enter();
    let skipped = emitter.builder.mul(panel, width);
    let start = emitter.builder.add(first, skipped);
    let full = emitter.builder.add(start, width);
    let end = emitter.builder.binary(Binary::Min, full, last);
    // The panels before it take as many elements as their terms do.
    let before = emitter.builder.mul(panel, stride);
    let before = emitter.builder.add(of_block, before);
    let before = emitter.builder.mul(before, depth);
    let term = index(&mut emitter, "term");
    emitter.enter();
    let from = emitter.builder.mul(term, total);
    let along = emitter.builder.mul(term, stride);
    let to = emitter.builder.add(before, along);
    let to = emitter.builder.sub(to, start);
    let at = index(&mut emitter, "at");
    emitter.enter();
    let source = emitter.builder.add(from, at);
    let target = emitter.builder.add(to, at);
    let value = emitter.builder.load(of, source);
    emitter.builder.store(into, target, value, None);
    let copied = emitter.leave();
    let push = super::neuron::push_loop;
    push(&mut emitter, kernel::LoopKind::Lanes, at, Some(start), Some(end), copied);
    let terms = emitter.leave();
    push(&mut emitter, kernel::LoopKind::Serial, term, Some(zero), Some(depth), terms);
    let of_panels = emitter.leave();
    push(&mut emitter, kernel::LoopKind::Serial, panel, Some(zero), Some(panels), of_panels);
    let of_block = emitter.leave();
    push(&mut emitter, kernel::LoopKind::Blocks, block, None, None, of_block);
    emitter.finish()
}

/// How the factors of a side lie in their panels.
struct Panels {
    /// Neurons of a panel.
    width: ValueId,
    /// How far consecutive terms lie apart.
    stride: ValueId,
}

impl Panels {
    fn new(emitter: &mut Emitter<'_, '_, '_>, side: Side, depth: ValueId) -> Self {
        let deep = is_deep(emitter, depth);
        let (narrow, width, stride) = match side {
            Side::Pre => (Count::PanelRows, ROWS, ROWS),
            Side::Post => (Count::PanelColumns, COLUMNS, WIDE_STRIDE),
        };
        let narrow = emitter.count(narrow);
        let [width, stride] = [width, stride].map(|wide| {
            let wide = emitter.builder.int(wide);
            emitter.builder.select(deep, narrow, wide)
        });
        Self { width, stride }
    }
}

/// Whether a batch is large.
fn is_deep(emitter: &mut Emitter<'_, '_, '_>, depth: ValueId) -> ValueId {
    let least = emitter.builder.int(DEEP);
    emitter.builder.compare(Compare::GreaterEqual, depth, least)
}

/// Some of the columns: the first, and one past the last.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) start: ValueId,
    pub(super) end: ValueId,
}

/// Rows whose products have been made.
#[derive(Clone, Copy)]
pub(super) struct Made {
    /// The first row.
    pub(super) first: ValueId,
    /// One past the last.
    pub(super) end: ValueId,
    /// The first element of their tile.
    base: ValueId,
}

/// The loop over groups of the rows `first .. end` of a block. In each, the products are made, strip by strip of the columns,
/// before `body` is written, which then goes along whole rows.
pub(super) fn groups(
    emitter: &mut Emitter<'_, '_, '_>,
    rows: &Rows,
    (block, first, end): (ValueId, ValueId, ValueId),
    products: &[Product],
    body: impl FnOnce(&mut Emitter<'_, '_, '_>, Made),
) {
    let height = emitter.builder.sub(end, first);
    let depth = emitter.count(Count::Batch);
    let deep = is_deep(emitter, depth);
    let panel = emitter.count(Count::PanelRows);
    let several = emitter.builder.int(TALL);
    let several = emitter.builder.mul(panel, several);
    let low = emitter.builder.int(ROWS);
    let tall = emitter.builder.select(deep, several, low);
    let count = blocks_of(emitter, height, tall);
    let group = index(emitter, "group");
    emitter.enter();
    let skipped = emitter.builder.mul(group, tall);
    let first = emitter.builder.add(first, skipped);
    let full = emitter.builder.add(first, tall);
    let end = emitter.builder.binary(Binary::Min, full, end);
    let most = emitter.builder.int(TALLEST as i64);
    let before = emitter.builder.mul(block, most);
    let base = emitter.builder.mul(before, rows.columns);
    let made = Made { first, end, base };
    strips(emitter, rows, made, products);
    body(emitter, made);
    let inner = emitter.leave();
    let (kind, zero) = (kernel::LoopKind::Serial, rows.zero);
    super::neuron::push_loop(emitter, kind, group, Some(zero), Some(count), inner);
}

/// How many panels of a width so many items take, both far below 2^50. The division is one of floats: half an item more puts
/// the quotient between two whole numbers.
fn blocks_of(emitter: &mut Emitter<'_, '_, '_>, items: ValueId, width: ValueId) -> ValueId {
    let b = &mut emitter.builder;
    let one = b.int(1);
    let most = b.sub(width, one);
    let items = b.add(items, most);
    let [items, width] = [items, width].map(|count| b.convert(Conversion::Value, Type::F64, count));
    let half = b.real(Type::F64, 0.5);
    let items = b.add(items, half);
    let quotient = b.div(items, width);
    b.convert(Conversion::Value, Type::I64, quotient)
}

/// Where the panel begins that starts with a neuron: blocks lie so far apart, panels of a block one behind the other.
fn start_of(emitter: &mut Emitter<'_, '_, '_>, neuron: ValueId, stride: i64, depth: ValueId) -> ValueId {
    let b = &mut emitter.builder;
    let [shift, rest, stride] = [BLOCK_SHIFT, BLOCK - 1, stride].map(|number| b.int(number));
    let block = b.binary(Binary::ShiftRight, neuron, shift);
    let before = b.mul(block, stride);
    let within = b.binary(Binary::And, neuron, rest);
    let start = b.add(before, within);
    b.mul(start, depth)
}

/// The products of a group of rows: for each panel of columns all panels of rows, which are fewer.
fn strips(emitter: &mut Emitter<'_, '_, '_>, rows: &Rows, made: Made, products: &[Product]) {
    let depth = emitter.count(Count::Batch);
    let left = Panels::new(emitter, Side::Pre, depth);
    let right = Panels::new(emitter, Side::Post, depth);
    let height = emitter.builder.sub(made.end, made.first);
    let panels_of_rows = blocks_of(emitter, height, left.width);
    let panels_of_columns = blocks_of(emitter, rows.columns, right.width);
    let strip = index(emitter, "strip");
    emitter.enter();
    let start = emitter.builder.mul(strip, right.width);
    let full = emitter.builder.add(start, right.width);
    let stop = emitter.builder.binary(Binary::Min, full, rows.columns);
    let columns = emitter.builder.sub(stop, start);
    let right_start = start_of(emitter, start, WIDE_STRIDE, depth);
    let part = index(emitter, "part");
    emitter.enter();
    let skipped = emitter.builder.mul(part, left.width);
    let first = emitter.builder.add(made.first, skipped);
    let full = emitter.builder.add(first, left.width);
    let end = emitter.builder.binary(Binary::Min, full, made.end);
    let height = emitter.builder.sub(end, first);
    let left_start = start_of(emitter, first, ROOM, depth);
    let along = emitter.builder.mul(skipped, rows.columns);
    let tile_start = emitter.builder.add(made.base, along);
    let tile_start = emitter.builder.add(tile_start, start);
    for product in products {
        let of_rows = emitter.buffer(product.left.panels, kernel::Access::Read);
        let of_columns = emitter.buffer(product.right.panels, kernel::Access::Read);
        let into = emitter.buffer(product.tile, kernel::Access::ReadWrite);
        emitter.builder.push(Stmt::Tile(TileProduct {
            left: of_rows,
            right: of_columns,
            into,
            strides: [left.stride, right.stride],
            origin: [left_start, right_start],
            size: [height, columns],
            depth,
            tile_stride: rows.columns,
            tile_start,
        }));
    }
    let inner = emitter.leave();
    let (kind, zero) = (kernel::LoopKind::Serial, rows.zero);
    super::neuron::push_loop(emitter, kind, part, Some(zero), Some(panels_of_rows), inner);
    let inner = emitter.leave();
    super::neuron::push_loop(emitter, kind, strip, Some(zero), Some(panels_of_columns), inner);
}

/// Takes the products of a synapse out of their tiles.
pub(super) fn recall(
    emitter: &mut Emitter<'_, '_, '_>,
    products: &[Product],
    (rows, made): (&Rows, Made),
    (row, column): (ValueId, ValueId),
) {
    let row = emitter.builder.sub(row, made.first);
    let along = emitter.builder.mul(row, rows.columns);
    let start = emitter.builder.add(made.base, along);
    let at = emitter.builder.add(start, column);
    for product in products {
        let tile = emitter.buffer(product.tile, kernel::Access::Read);
        let value = emitter.builder.load(tile, at);
        emitter.remember(product.sum, value);
    }
}
