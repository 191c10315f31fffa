//! Synapse passes row by row: of a dense group, whose rows are whole, and of a sparse one, whose rows are lists.

use super::columns;
use super::emit::Emitter;
use super::events::{Sparse, Variant};
use super::lanes::{RowPass, lanes};
use super::layout::{Place, Range, Where};
use super::neuron::{block_range, push_loop, say_writes};
use super::program::{Count, Launch, ScalarSource, Size, Table};
use super::section::{Access, Work};
use super::stage::{Key, needed_operands};
use super::tiles::{self, Made, Product};
use crate::ir::{ExprId, ExprKind, ReduceOp};
use crate::kernel::{self, LoopKind, RowSet, Side, Slot, SpaceKind, Type, ValueId};
use crate::topology::Kind;

/// Rows of a block where sums over a column are left: the reduction order's block.
const ROWS_OF_A_SUM: u32 = 256;
/// Rows of a block elsewhere.
const ROWS_PER_BLOCK: u32 = 32;
/// Rows of a block of those in a list.
const LISTED_ROWS_PER_BLOCK: u32 = 1;

/// The name of a synapse pass.
pub(super) fn pass_name(work: &Work<'_, '_>, key: Key, suffix: &str) -> String {
    let number = if key.pass == 0 { String::new() } else { format!("_{}", key.pass) };
    format!("{}_synapses{number}{suffix}", work.name)
}

/// What a synapse pass does, in words.
pub(super) fn describe(emitter: &mut Emitter<'_, '_, '_>, key: Key, how: &str) {
    emitter.builder.doc(how.to_string());
    say_writes(emitter, key);
}

/// What a kernel over rows keeps at hand.
pub(super) struct Rows {
    /// Postsynaptic neurons.
    pub(super) columns: ValueId,
    pub(super) zero: ValueId,
    pub(super) one: ValueId,
}

impl Rows {
    fn new(emitter: &mut Emitter<'_, '_, '_>) -> Self {
        Self {
            columns: emitter.count(Count::Post),
            zero: emitter.builder.int(0),
            one: emitter.builder.int(1),
        }
    }
}

/// The synapses of a row: the first, and how many.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) first: ValueId,
    pub(super) count: ValueId,
}

/// The outermost loop in which a value can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Launch,
    Row,
    Lane,
}

/// All synapses: the pass, behind the launches that it needs.
pub(super) fn full_pass(work: &mut Work<'_, '_>, key: Key) -> Vec<Launch> {
    let name = pass_name(work, key, "");
    let roots = &work.roots[&key];
    let variant = Variant { writes: roots.writes.clone(), sums: roots.sums.iter().copied().collect() };
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::All));
    describe(&mut emitter, key, "all synapses");
    let roots = variant_roots(&emitter, &variant);
    let row_sums = !sums_of(&emitter, &variant, Range::Rows).is_empty();
    // A sum along a row takes the whole row at once.
    let products = if row_sums { Vec::new() } else { tiles::products(emitter.work, key, &roots) };
    let pass = over_rows(emitter, key, &variant, &products, |emitter, rows, block, row, made| {
        row_body(emitter, key, (rows, block, row), &variant, (&products, made));
    });
    let mut launches = tiles::panels(work, key, &products);
    launches.push(pass);
    launches
}

/// Rows of spiking neurons in full and, on a dense group, the spiking columns of the others.
pub(super) fn event_pass(work: &mut Work<'_, '_>, key: Key, sparse: &Sparse) -> Launch {
    // Sums over columns are left by blocks of rows, spiking or not.
    if work.layout.kind == Kind::Sparse && sparse.touched.is_none() && sparse.row.sums.is_empty() {
        return listed_rows(work, key, &sparse.row);
    }
    let name = pass_name(work, key, "_events");
    let dense = work.layout.kind == Kind::Dense;
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::Touched));
    let how = "rows of spiking neurons";
    let with_columns = format!("{how}, and spiking columns of the other rows");
    describe(&mut emitter, key, if dense { &with_columns } else { how });
    let touched = sparse.touched.as_ref();
    let spikes = match touched {
        Some(touched) => touched.flags(Side::Pre),
        None => emitter.work.planner.storages.spikes(Side::Pre),
    };
    over_rows(emitter, key, &sparse.row, &[], |emitter, rows, block, row, _| {
        let spike = emitter.load(spikes, Place::neuron(Side::Pre), 0, 1);
        emitter.enter();
        row_body(emitter, key, (rows, block, row), &sparse.row, (&[], None));
        let then = emitter.leave();
        emitter.enter();
        if dense && !sparse.column.writes.is_empty() {
            columns::of_row(emitter, key, rows, row, &sparse.column, touched);
        }
        let otherwise = emitter.leave();
        emitter.builder.push(kernel::Stmt::If { condition: spike, then, otherwise, results: Vec::new() });
    })
}

/// The rows of a list: those of spiking neurons, where nothing is done in others.
fn listed_rows(work: &mut Work<'_, '_>, key: Key, variant: &Variant) -> Launch {
    let name = pass_name(work, key, "_events");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::Active));
    describe(&mut emitter, key, "rows of spiking neurons");
    let count = emitter.scalar_value(ScalarSource::EventCount(Side::Pre), Type::I64);
    let items = emitter.event_extent(Side::Pre);
    emitter.set_space(vec![items], LISTED_ROWS_PER_BLOCK);
    let rows = Rows::new(&mut emitter);
    let block = index(&mut emitter, "block");
    emitter.enter();
    let roots = variant_roots(&emitter, variant);
    let top = of_level(&mut emitter, key, &roots, Level::Launch);
    emitter.emit_all(top);
    let (start, end) = block_range(&mut emitter, block, LISTED_ROWS_PER_BLOCK, count);
    let event = index(&mut emitter, "event");
    emitter.enter();
    let list = emitter.work.planner.storages.events(Side::Pre);
    let row = columns::listed_neuron(&mut emitter, list, event);
    emitter.builder.name(row, "i");
    emitter.at.pre = Some(row);
    row_body(&mut emitter, key, (&rows, block, row), variant, (&[], None));
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Serial, event, Some(start), Some(end), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

/// The loops over blocks and rows, and the clearing of what the blocks leave.
pub(super) fn over_rows(
    mut emitter: Emitter<'_, '_, '_>,
    key: Key,
    variant: &Variant,
    products: &[Product],
    body: impl FnOnce(&mut Emitter<'_, '_, '_>, &Rows, ValueId, ValueId, Option<Made>),
) -> Launch {
    let column_sums = sums_of(&emitter, variant, Range::Columns);
    let small = column_sums.is_empty() && products.is_empty();
    let per_block = if small { ROWS_PER_BLOCK } else { ROWS_OF_A_SUM };
    let items = emitter.extent(Size::Count(Count::Pre));
    emitter.set_space(vec![items], per_block);
    let total = emitter.count(Count::Pre);
    let rows = Rows::new(&mut emitter);
    let block = index(&mut emitter, "block");
    emitter.enter();
    for sum in column_sums {
        let clear = |emitter: &mut Emitter<'_, '_, '_>| clear_partials(emitter, &rows, block, sum);
        if emitter.place(sum).batched { over_batch(&mut emitter, clear) } else { clear(&mut emitter) }
    }
    let roots = variant_roots(&emitter, variant);
    let top = of_level(&mut emitter, key, &roots, Level::Launch);
    emitter.emit_all(top);
    let (start, end) = block_range(&mut emitter, block, per_block, total);
    let each_row = |emitter: &mut Emitter<'_, '_, '_>, made: Option<Made>| {
        let (start, end) = made.map_or((start, end), |made| (made.first, made.end));
        let row = index(emitter, "i");
        emitter.enter();
        emitter.at.pre = Some(row);
        body(emitter, &rows, block, row, made);
        let inner = emitter.leave();
        push_loop(emitter, LoopKind::Serial, row, Some(start), Some(end), inner);
    };
    if products.is_empty() {
        each_row(&mut emitter, None);
    } else {
        tiles::groups(&mut emitter, &rows, (block, start, end), products, |emitter, made| {
            each_row(emitter, Some(made));
        });
    }
    let outer = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, outer);
    emitter.finish()
}

/// A loop's index with a name.
pub(super) fn index(emitter: &mut Emitter<'_, '_, '_>, name: &str) -> ValueId {
    let index = emitter.builder.defined(Type::I64);
    emitter.builder.name(index, name);
    index
}

/// A serial loop over the elements of the batch.
pub(super) fn over_batch(emitter: &mut Emitter<'_, '_, '_>, body: impl FnOnce(&mut Emitter<'_, '_, '_>)) {
    let zero = emitter.builder.int(0);
    let count = emitter.count(Count::Batch);
    let batch = index(emitter, "batch");
    emitter.enter();
    let outer = emitter.at;
    emitter.at.batch = Some(batch);
    body(emitter);
    emitter.at = outer;
    let inner = emitter.leave();
    push_loop(emitter, LoopKind::Serial, batch, Some(zero), Some(count), inner);
}

/// The synapses of a row.
pub(super) fn synapses_of(emitter: &mut Emitter<'_, '_, '_>, rows: &Rows, row: ValueId) -> Row {
    if emitter.work.layout.kind == Kind::Dense {
        let first = emitter.builder.mul(row, rows.columns);
        emitter.builder.name(first, "row");
        return Row { first, count: rows.columns };
    }
    let next = emitter.builder.add(row, rows.one);
    let first = emitter.look_up(Table::RowStart, row);
    let end = emitter.look_up(Table::RowStart, next);
    emitter.builder.name(first, "row");
    let count = emitter.builder.sub(end, first);
    Row { first, count }
}

/// Stands at a synapse of a row, counted from its first.
pub(super) fn stand_at(emitter: &mut Emitter<'_, '_, '_>, row: Row, at: ValueId) -> ValueId {
    let synapse = emitter.builder.add(row.first, at);
    emitter.builder.name(synapse, "k");
    let column = if emitter.work.layout.kind == Kind::Dense {
        at
    } else {
        let column = emitter.look_up(Table::Column, synapse);
        emitter.builder.name(column, "j");
        column
    };
    (emitter.at.post, emitter.at.synapse) = (Some(column), Some(synapse));
    column
}

/// The name of a loop over a row.
pub(super) fn column_index(emitter: &mut Emitter<'_, '_, '_>) -> ValueId {
    let name = if emitter.work.layout.kind == Kind::Dense { "j" } else { "entry" };
    index(emitter, name)
}

/// All that is done in one row.
pub(super) fn row_body(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    (rows, block, row): (&Rows, ValueId, ValueId),
    variant: &Variant,
    (products, made): (&[Product], Option<Made>),
) {
    let roots = variant_roots(emitter, variant);
    let of_row = of_level(emitter, key, &roots, Level::Row);
    emitter.emit_all(of_row);
    let synapses = synapses_of(emitter, rows, row);
    for sum in sums_of(emitter, variant, Range::Rows) {
        let sum_row = |emitter: &mut Emitter<'_, '_, '_>| row_sum(emitter, key, rows, synapses, sum);
        if emitter.place(sum).batched { over_batch(emitter, sum_row) } else { sum_row(emitter) }
    }
    let sums = sums_of(emitter, variant, Range::Columns);
    if variant.writes.is_empty() && sums.is_empty() {
        return;
    }
    let pass = RowPass { key, rows, block, at: row, row: synapses, products, made };
    // A condition of the row around the sums is decided once for the row, not for each synapse.
    match shared_row_gate(emitter, &sums) {
        Some(gates) => {
            let mut condition = emitter.value(gates[0]);
            for &gate in &gates[1..] {
                let gate = emitter.value(gate);
                condition = emitter.builder.binary(kernel::Binary::And, condition, gate);
            }
            emitter.enter();
            lanes(emitter, &pass, &variant.writes, &sums, true);
            let then = emitter.leave();
            emitter.enter();
            if !variant.writes.is_empty() {
                lanes(emitter, &pass, &variant.writes, &[], false);
            }
            let otherwise = emitter.leave();
            emitter.builder.push(kernel::Stmt::If { condition, then, otherwise, results: Vec::new() });
        }
        None => lanes(emitter, &pass, &variant.writes, &sums, false),
    }
}

/// The gates of the sums, if all sums have the same and all of them belong to the row.
fn shared_row_gate(emitter: &Emitter<'_, '_, '_>, sums: &[ExprId]) -> Option<Vec<ExprId>> {
    let gates = emitter.work.pieces(*sums.first()?).gates;
    let same = sums.iter().all(|&sum| emitter.work.pieces(sum).gates == gates);
    let of_row = gates.iter().all(|&gate| emitter.known(gate).is_some());
    (same && of_row && !gates.is_empty()).then_some(gates)
}

/// Adds one term to what the block leaves for a column.
pub(super) fn accumulate_column(
    emitter: &mut Emitter<'_, '_, '_>,
    sum: ExprId,
    partial_start: ValueId,
    column: ValueId,
    gate_holds: bool,
) {
    let op = reduce_op(emitter, sum);
    let (term, gate) = emitter.term(sum, gate_holds);
    let storage = emitter.work.partials[&sum];
    let partials = emitter.buffer(storage, kernel::Access::ReadWrite);
    let index = emitter.builder.add(partial_start, column);
    let before = emitter.builder.load(partials, index);
    let after = emitter.accumulate(op, before, term);
    let after = match gate {
        Some(gate) => emitter.builder.select(gate, after, before),
        None => after,
    };
    emitter.builder.store(partials, index, after, None);
}

/// A reduction of one row, finished in it.
fn row_sum(emitter: &mut Emitter<'_, '_, '_>, key: Key, rows: &Rows, row: Row, sum: ExprId) {
    let op = reduce_op(emitter, sum);
    let at = column_index(emitter);
    emitter.enter();
    let outer = emitter.at;
    let column = stand_at(emitter, row, at);
    let roots: Vec<ExprId> = emitter.work.pieces(sum).values().collect();
    let closure = emitter.work.closure(key, &roots);
    emitter.emit_all(closure);
    let (term, gate) = emitter.term(sum, false);
    emitter.at = outer;
    let body = emitter.leave();
    let order = kernel::Order::Lanes32;
    // The order of a sum goes by the neuron, not by the place in the list.
    let sparse = emitter.work.layout.kind == Kind::Sparse;
    let slot = sparse.then_some(Slot { index: column, extent: rows.columns });
    let result = emitter.push_slotted(op, order, at, row.count, body, term, gate, slot);
    let storage = emitter.work.partials[&sum];
    let place = emitter.place(sum);
    emitter.store(storage, place, 0, 1, result);
}

/// Starts what a block leaves; in a loop over the batch for each of its elements.
fn clear_partials(emitter: &mut Emitter<'_, '_, '_>, rows: &Rows, block: ValueId, sum: ExprId) {
    let op = reduce_op(emitter, sum);
    let storage = emitter.work.partials[&sum];
    let partials = emitter.buffer(storage, kernel::Access::ReadWrite);
    let ty = emitter.work.planner.storages.get(storage).ty;
    let identity = emitter.identity(op, ty);
    let blocks = emitter.count(Count::PreBlocks);
    let block = match emitter.first_block(sum, blocks) {
        Some(first) => emitter.builder.add(first, block),
        None => block,
    };
    let start = emitter.builder.mul(block, rows.columns);
    let column = index(emitter, "j");
    emitter.enter();
    let index = emitter.builder.add(start, column);
    emitter.builder.store(partials, index, identity, None);
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Lanes, column, Some(rows.zero), Some(rows.columns), body);
}

fn reduce_op(emitter: &Emitter<'_, '_, '_>, sum: ExprId) -> ReduceOp {
    match emitter.work.flow.graph.get(sum).kind {
        ExprKind::Reduce { op, .. } => op,
        _ => crate::ice!("{sum:?} is no reduction"),
    }
}

pub(super) fn sums_of(emitter: &Emitter<'_, '_, '_>, variant: &Variant, wanted: Range) -> Vec<ExprId> {
    variant.sums.iter().copied().filter(|&sum| emitter.work.range(sum) == Some(wanted)).collect()
}

/// The values that a variant starts from.
pub(super) fn variant_roots(emitter: &Emitter<'_, '_, '_>, variant: &Variant) -> Vec<ExprId> {
    let writes = variant.writes.iter().map(|write| write.value);
    let sums = variant.sums.iter().flat_map(|&sum| emitter.work.pieces(sum).values());
    writes.chain(sums).collect()
}

/// The values that `roots` need which can be computed in the loop of a level, but in no outer one.
pub(super) fn of_level(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    roots: &[ExprId],
    wanted: Level,
) -> Vec<ExprId> {
    let closure = emitter.work.closure(key, roots);
    let mut levels = std::collections::HashMap::new();
    let mut list = Vec::new();
    for id in closure {
        let of_place = match emitter.place(id) {
            // In a loop over the batch.
            Place { batched: true, .. } => Level::Lane,
            Place { at: Where::Global, .. } => Level::Launch,
            Place { at: Where::Pre | Where::PreChannel, .. } => Level::Row,
            Place { at: Where::Post | Where::PostChannel | Where::Synapse, .. } => Level::Lane,
        };
        let kind = emitter.work.flow.graph.get(id).kind.clone();
        let level = if emitter.work.stages.is_invariant(id) {
            Level::Launch
        } else if emitter.work.access(id, key) != Access::Inline || emitter.work.is_inline_loop(id) {
            of_place
        } else {
            match &kind {
                ExprKind::Load { .. }
                | ExprKind::Builtin(_)
                | ExprKind::Draw { .. }
                | ExprKind::Past { .. } => of_place,
                kind => needed_operands(kind)
                    .iter()
                    .filter_map(|operand| levels.get(operand).copied())
                    .max()
                    .unwrap_or(of_place),
            }
        };
        levels.insert(id, level);
        if level == wanted {
            list.push(id);
        }
    }
    list
}
