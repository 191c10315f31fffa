//! Synapse passes of a dense group: loops over rows and columns of a row-major matrix.

use super::PlanChoice;
use super::emit::Emitter;
use super::events::{Sparse, Variant};
use super::neuron::{block_range, push_loop, write_variables};
use super::program::{Action, Alternative, Condition, Count, Launch, ScalarSource, Size};
use super::section::{Access, Work};
use super::stage::{Key, Place, Range, range};
use crate::flow::Write;
use crate::ir::{ExprId, ExprKind, ReduceOp};
use crate::kernel::{self, Conversion, LoopKind, RowSet, Side, SpaceKind, Type, ValueId};

/// Rows of a block where sums over a column are left: the reduction order's block.
const ROWS_OF_A_SUM: u32 = 256;
/// Rows of a block elsewhere.
const ROWS_PER_BLOCK: u32 = 32;
/// The event plan is taken below this share of a full pass, and a synapse of a column costs so many synapses of a
/// row: a strided access costs a cache line. Measured on dense matrices of 400 MB in f32.
const EVENT_SHARE: f64 = 0.5;
const COLUMN_COST: f64 = 20.0;

/// Writes the kernels of a synapse pass.
pub(super) fn launch(work: &mut Work<'_, '_>, key: Key, sparse: Option<&Sparse>, actions: &mut Vec<Action>) {
    let full = full_pass(work, key);
    let Some(sparse) = sparse else {
        actions.push(Action::Launch(full));
        return;
    };
    let share = match work.planner.options.choice {
        PlanChoice::Events => f64::INFINITY,
        PlanChoice::Auto | PlanChoice::FullPass => EVENT_SHARE,
    };
    let events = event_pass(work, key, sparse);
    actions.push(Action::Choose(vec![
        Alternative {
            name: "event rows and columns".to_string(),
            condition: Condition::FewEvents { share, column_cost: COLUMN_COST },
            actions: vec![Action::Launch(events)],
        },
        Alternative {
            name: "full pass".to_string(),
            condition: Condition::Always,
            actions: vec![Action::Launch(full)],
        },
    ]));
}

fn pass_name(work: &Work<'_, '_>, key: Key, suffix: &str) -> String {
    let number = if key.pass == 0 { String::new() } else { format!("_{}", key.pass) };
    format!("{}_synapses{number}{suffix}", work.name)
}

fn describe(emitter: &mut Emitter<'_, '_, '_>, key: Key, how: &str) {
    let writes: Vec<String> = emitter.work.roots[&key]
        .writes
        .iter()
        .map(|write| emitter.work.planner.rule.variables[write.variable].address())
        .collect();
    emitter.builder.doc(how.to_string());
    if !writes.is_empty() {
        emitter.builder.doc(format!("writes {}", writes.join(", ")));
    }
}

/// What a kernel over rows keeps at hand.
struct Rows {
    /// Synapses of a row.
    columns: ValueId,
    zero: ValueId,
    one: ValueId,
}

/// The outermost loop in which a value can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Launch,
    Row,
    Lane,
}

fn full_pass(work: &mut Work<'_, '_>, key: Key) -> Launch {
    let name = pass_name(work, key, "");
    let roots = &work.roots[&key];
    let variant = Variant { writes: roots.writes.clone(), sums: roots.sums.iter().copied().collect() };
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::All));
    describe(&mut emitter, key, "all synapses");
    over_rows(emitter, key, &variant, |emitter, rows, block, row| {
        row_body(emitter, key, rows, block, row, &variant);
    })
}

/// Rows of spiking neurons in full, and the spiking columns of the others.
fn event_pass(work: &mut Work<'_, '_>, key: Key, sparse: &Sparse) -> Launch {
    let name = pass_name(work, key, "_events");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::Touched));
    describe(&mut emitter, key, "rows of spiking neurons, and spiking columns of the other rows");
    let spikes = emitter.work.planner.storages.spikes(Side::Pre);
    over_rows(emitter, key, &sparse.row, |emitter, rows, block, row| {
        let spike = emitter.load(spikes, Place::Pre, 0, 1);
        emitter.enter();
        row_body(emitter, key, rows, block, row, &sparse.row);
        let then = emitter.leave();
        emitter.enter();
        if !sparse.column.writes.is_empty() {
            spiking_columns(emitter, key, rows, row, &sparse.column);
        }
        let otherwise = emitter.leave();
        emitter.builder.push(kernel::Stmt::If { condition: spike, then, otherwise, results: Vec::new() });
    })
}

/// The loops over blocks and rows, and the clearing of what the blocks leave.
fn over_rows(
    mut emitter: Emitter<'_, '_, '_>,
    key: Key,
    variant: &Variant,
    body: impl FnOnce(&mut Emitter<'_, '_, '_>, &Rows, ValueId, ValueId),
) -> Launch {
    let column_sums = sums_of(&emitter, variant, Range::Columns);
    let per_block = if column_sums.is_empty() { ROWS_PER_BLOCK } else { ROWS_OF_A_SUM };
    let items = emitter.extent(Size::Count(Count::Pre));
    emitter.set_space(vec![items], per_block);
    let total = emitter.count(Count::Pre);
    let rows = Rows {
        columns: emitter.count(Count::Post),
        zero: emitter.builder.int(0),
        one: emitter.builder.int(1),
    };
    let block = index(&mut emitter, "block");
    emitter.enter();
    for sum in column_sums {
        clear_partials(&mut emitter, &rows, block, sum);
    }
    let roots = variant_roots(&emitter, variant);
    let top = of_level(&mut emitter, key, &roots, Level::Launch);
    emitter.emit_all(top);
    let (start, end) = block_range(&mut emitter, block, per_block, total);
    let row = index(&mut emitter, "i");
    emitter.enter();
    emitter.at.pre = Some(row);
    body(&mut emitter, &rows, block, row);
    let inner = emitter.leave();
    push_loop(&mut emitter, LoopKind::Serial, row, Some(start), Some(end), inner);
    let outer = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, outer);
    emitter.finish()
}

/// A loop's index with a name.
fn index(emitter: &mut Emitter<'_, '_, '_>, name: &str) -> ValueId {
    let index = emitter.builder.defined(Type::I64);
    emitter.builder.name(index, name);
    index
}

/// The synapse of a column in the row that begins at `start`.
fn synapse(emitter: &mut Emitter<'_, '_, '_>, start: ValueId, column: ValueId) -> ValueId {
    let synapse = emitter.builder.add(start, column);
    emitter.builder.name(synapse, "k");
    synapse
}

/// All that is done in one row.
fn row_body(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    rows: &Rows,
    block: ValueId,
    row: ValueId,
    variant: &Variant,
) {
    let roots = variant_roots(emitter, variant);
    let of_row = of_level(emitter, key, &roots, Level::Row);
    emitter.emit_all(of_row);
    let start = emitter.builder.mul(row, rows.columns);
    emitter.builder.name(start, "row");
    for sum in sums_of(emitter, variant, Range::Rows) {
        row_sum(emitter, key, rows, start, sum);
    }
    let sums = sums_of(emitter, variant, Range::Columns);
    if variant.writes.is_empty() && sums.is_empty() {
        return;
    }
    // A condition of the row around the sums is decided once for the row, not for each synapse.
    match shared_row_gate(emitter, &sums) {
        Some(gates) => {
            let mut condition = emitter.value(gates[0]);
            for &gate in &gates[1..] {
                let gate = emitter.value(gate);
                condition = emitter.builder.binary(kernel::Binary::And, condition, gate);
            }
            emitter.enter();
            lanes(emitter, key, rows, block, start, &variant.writes, &sums, true);
            let then = emitter.leave();
            emitter.enter();
            if !variant.writes.is_empty() {
                lanes(emitter, key, rows, block, start, &variant.writes, &[], false);
            }
            let otherwise = emitter.leave();
            emitter.builder.push(kernel::Stmt::If { condition, then, otherwise, results: Vec::new() });
        }
        None => lanes(emitter, key, rows, block, start, &variant.writes, &sums, false),
    }
}

/// The gates of the sums, if all sums have the same and all of them belong to the row.
fn shared_row_gate(emitter: &Emitter<'_, '_, '_>, sums: &[ExprId]) -> Option<Vec<ExprId>> {
    let gates = emitter.work.pieces(*sums.first()?).gates;
    let same = sums.iter().all(|&sum| emitter.work.pieces(sum).gates == gates);
    let of_row = gates.iter().all(|&gate| emitter.known(gate).is_some());
    (same && of_row && !gates.is_empty()).then_some(gates)
}

/// The loop over the synapses of a row.
#[allow(clippy::too_many_arguments)] // what a row knows
fn lanes(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    rows: &Rows,
    block: ValueId,
    start: ValueId,
    writes: &[Write],
    sums: &[ExprId],
    gate_holds: bool,
) {
    let partial_start = if sums.is_empty() { rows.zero } else { emitter.builder.mul(block, rows.columns) };
    let column = index(emitter, "j");
    emitter.enter();
    let outer = emitter.at;
    emitter.at.post = Some(column);
    emitter.at.synapse = Some(synapse(emitter, start, column));
    let mut roots: Vec<ExprId> = writes.iter().map(|write| write.value).collect();
    for &sum in sums {
        let pieces = emitter.work.pieces(sum);
        let skipped = if gate_holds { pieces.gates.len() } else { 0 };
        roots.extend(pieces.values().skip(skipped));
    }
    let closure = emitter.work.closure(key, &roots);
    emitter.emit_all(closure);
    for &sum in sums {
        accumulate_column(emitter, sum, partial_start, column, gate_holds);
    }
    write_variables(emitter, writes);
    emitter.at = outer;
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Lanes, column, Some(rows.zero), Some(rows.columns), body);
}

/// Adds one term to what the block leaves for a column.
fn accumulate_column(
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
fn row_sum(emitter: &mut Emitter<'_, '_, '_>, key: Key, rows: &Rows, start: ValueId, sum: ExprId) {
    let op = reduce_op(emitter, sum);
    let index = index(emitter, "j");
    emitter.enter();
    let outer = emitter.at;
    emitter.at.post = Some(index);
    emitter.at.synapse = Some(synapse(emitter, start, index));
    let roots: Vec<ExprId> = emitter.work.pieces(sum).values().collect();
    let closure = emitter.work.closure(key, &roots);
    emitter.emit_all(closure);
    let (term, gate) = emitter.term(sum, false);
    emitter.at = outer;
    let body = emitter.leave();
    let order = kernel::Order::Lanes32;
    let result = emitter.push_reduce(op, order, index, rows.columns, body, term, gate);
    let storage = emitter.work.partials[&sum];
    emitter.store(storage, Place::Pre, 0, 1, result);
}

/// The spiking columns of a row whose neuron is silent.
fn spiking_columns(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    rows: &Rows,
    row: ValueId,
    variant: &Variant,
) {
    let count = emitter.scalar_value(ScalarSource::EventCount(Side::Post), Type::I64);
    let any = emitter.builder.compare(kernel::Compare::GreaterEqual, count, rows.one);
    let events = emitter.work.planner.storages.events(Side::Post);
    emitter.enter();
    let roots = variant_roots(emitter, variant);
    // What the launch has computed so far is what the spiking rows need; these columns may need more.
    for level in [Level::Launch, Level::Row] {
        let values = of_level(emitter, key, &roots, level);
        emitter.emit_all(values);
    }
    let start = emitter.builder.mul(row, rows.columns);
    emitter.builder.name(start, "row");
    let event = index(emitter, "event");
    emitter.enter();
    let outer = emitter.at;
    let list = emitter.buffer(events, kernel::Access::Read);
    let column = emitter.builder.load(list, event);
    let column = emitter.builder.convert(Conversion::Unsigned, Type::I64, column);
    emitter.builder.name(column, "j");
    emitter.at.post = Some(column);
    emitter.at.synapse = Some(synapse(emitter, start, column));
    let closure = emitter.work.closure(key, &roots);
    emitter.emit_all(closure);
    write_variables(emitter, &variant.writes);
    emitter.at = outer;
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Serial, event, Some(rows.zero), Some(count), body);
    let then = emitter.leave();
    emitter.builder.push(kernel::Stmt::If {
        condition: any,
        then,
        otherwise: Vec::new(),
        results: Vec::new(),
    });
}

fn clear_partials(emitter: &mut Emitter<'_, '_, '_>, rows: &Rows, block: ValueId, sum: ExprId) {
    let op = reduce_op(emitter, sum);
    let storage = emitter.work.partials[&sum];
    let partials = emitter.buffer(storage, kernel::Access::ReadWrite);
    let ty = emitter.work.planner.storages.get(storage).ty;
    let identity = emitter.identity(op, ty);
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

fn sums_of(emitter: &Emitter<'_, '_, '_>, variant: &Variant, wanted: Range) -> Vec<ExprId> {
    let graph = &emitter.work.flow.graph;
    let is_wanted = |sum: &ExprId| match graph.get(*sum).kind {
        ExprKind::Reduce { over, .. } => range(graph, *sum, over) == wanted,
        _ => false,
    };
    variant.sums.iter().copied().filter(is_wanted).collect()
}

fn variant_roots(emitter: &Emitter<'_, '_, '_>, variant: &Variant) -> Vec<ExprId> {
    let writes = variant.writes.iter().map(|write| write.value);
    let sums = variant.sums.iter().flat_map(|&sum| emitter.work.pieces(sum).values());
    writes.chain(sums).collect()
}

/// The values that `roots` need which can be computed in the loop of a level, but in no outer one.
fn of_level(emitter: &mut Emitter<'_, '_, '_>, key: Key, roots: &[ExprId], wanted: Level) -> Vec<ExprId> {
    let closure = emitter.work.closure(key, roots);
    let mut levels = std::collections::HashMap::new();
    let mut list = Vec::new();
    for id in closure {
        let place = Place::of(emitter.work.flow.graph.get(id).shape.domain);
        let of_place = match place {
            Place::Global => Level::Launch,
            Place::Pre => Level::Row,
            Place::Post | Place::Synapse => Level::Lane,
        };
        let kind = emitter.work.flow.graph.get(id).kind.clone();
        let level = if emitter.work.stages.is_invariant(id) {
            Level::Launch
        } else if emitter.work.access(id, key) != Access::Inline {
            of_place
        } else {
            match &kind {
                ExprKind::Load { .. } | ExprKind::Builtin(_) | ExprKind::Draw { .. } => of_place,
                kind => crate::ir::visit::operands(kind)
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
