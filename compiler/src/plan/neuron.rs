//! Launches over neurons of a side, and of one element.

use super::element::At;
use super::emit::Emitter;
use super::layout::{Range, Where};
use super::program::{Count, Launch, Size, StorageId};
use super::section::Work;
use super::stage::Key;
use crate::flow::Write;
use crate::ir::{ExprId, ExprKind, ReduceOp};
use crate::kernel::{self, Binary, Conversion, Extent, Order, Side, SpaceKind, Type, ValueId};
use crate::topology::Kind;

/// How many neurons one block holds: enough work for a task of its own.
const NEURONS_PER_BLOCK: u32 = 4096;
/// How many, where each looks at all of its synapses.
const SUMMING_NEURONS_PER_BLOCK: u32 = 64;

/// Writes the kernel of a launch that is not a synapse pass.
pub(super) fn launch(work: &mut Work<'_, '_>, key: Key) -> Launch {
    let (word, kind) = match key.place.at {
        Where::Global => ("global", SpaceKind::Single),
        Where::Pre => ("pre", SpaceKind::Neurons(Side::Pre)),
        Where::Post => ("post", SpaceKind::Neurons(Side::Post)),
        Where::PreChannel => ("pre_channels", SpaceKind::Channels(Side::Pre)),
        Where::PostChannel => ("post_channels", SpaceKind::Channels(Side::Post)),
        Where::Synapse => crate::ice!("a synapse pass is not a launch over neurons"),
    };
    let batch = if key.place.batched { "_batch" } else { "" };
    let number =
        if (key.pass, key.round) == (0, 0) { String::new() } else { format!("_{}_{}", key.pass, key.round) };
    let name = format!("{}_{word}{batch}{number}", work.name);
    let sums = sums_synapses(work, key);
    let mut emitter = Emitter::new(work, key, name, kind);
    describe(&mut emitter, key);
    let count = emitter.work.layout.count(key.place.at);
    // One element of the batch is a block, whatever its size: nothing has to be divided to find it.
    let (items, per_block) = match (count, key.place.batched) {
        (_, true) => (emitter.extent(Size::Count(Count::Batch)), 1),
        (None, false) => (Extent::Constant(1), 1),
        (Some(count), false) if sums => (emitter.extent(Size::Count(count)), SUMMING_NEURONS_PER_BLOCK),
        (Some(count), false) => (emitter.extent(Size::Count(count)), NEURONS_PER_BLOCK),
    };
    emitter.set_space(vec![items], per_block);
    let total = count.map(|count| emitter.count(count));
    let index = emitter.builder.defined(Type::I64);
    emitter.enter();
    if key.place.batched {
        emitter.builder.name(index, "batch");
        emitter.at.batch = Some(index);
    }
    match total {
        None => body(&mut emitter, key),
        Some(total) => {
            let (start, end) = if key.place.batched {
                (emitter.builder.int(0), total)
            } else {
                emitter.builder.name(index, "block");
                block_range(&mut emitter, index, per_block, total)
            };
            let lane = emitter.builder.defined(Type::I64);
            emitter.builder.name(lane, lane_name(key.place.at));
            hoist_invariants(&mut emitter, key);
            emitter.enter();
            let outer = emitter.at;
            emitter.at = standing_at(&emitter, key.place.at, lane);
            body(&mut emitter, key);
            emitter.at = outer;
            let block = emitter.leave();
            push_loop(&mut emitter, kernel::LoopKind::Lanes, lane, Some(start), Some(end), block);
        }
    }
    let block = emitter.leave();
    push_loop(&mut emitter, kernel::LoopKind::Blocks, index, None, None, block);
    emitter.finish()
}

/// Whether the launch has loops over synapses.
fn sums_synapses(work: &mut Work<'_, '_>, key: Key) -> bool {
    let roots = work.launch_roots(key);
    let closure = work.closure(key, &roots);
    closure.into_iter().any(|id| matches!(work.range(id), Some(Range::Outputs | Range::Inputs)))
}

fn lane_name(at: Where) -> &'static str {
    match at {
        Where::Pre => "i",
        Where::Post => "j",
        Where::PreChannel => "input",
        Where::PostChannel => "output",
        Where::Global | Where::Synapse => crate::ice!("{at:?} has no loop over neurons"),
    }
}

/// The element of a loop over neurons or channels. Where a neuron is its synapse it is both neurons.
fn standing_at(emitter: &Emitter<'_, '_, '_>, at: Where, lane: ValueId) -> At {
    let lane = Some(lane);
    let here = emitter.at;
    if emitter.work.layout.kind == Kind::OneToOne {
        return At { pre: lane, post: lane, synapse: lane, ..here };
    }
    match at {
        Where::Pre => At { pre: lane, ..here },
        Where::Post => At { post: lane, ..here },
        Where::PreChannel => At { pre_channel: lane, ..here },
        Where::PostChannel => At { post_channel: lane, ..here },
        Where::Global | Where::Synapse => crate::ice!("{at:?} has no loop over neurons"),
    }
}

/// The first and one past the last item of a block.
pub(super) fn block_range(
    emitter: &mut Emitter<'_, '_, '_>,
    block: ValueId,
    per_block: u32,
    total: ValueId,
) -> (ValueId, ValueId) {
    let size = emitter.builder.int(i64::from(per_block));
    let start = emitter.builder.mul(block, size);
    let full = emitter.builder.add(start, size);
    let end = emitter.builder.binary(Binary::Min, full, total);
    emitter.builder.name(start, "first");
    emitter.builder.name(end, "end");
    (start, end)
}

/// Adds a loop that carries nothing.
pub(super) fn push_loop(
    emitter: &mut Emitter<'_, '_, '_>,
    kind: kernel::LoopKind,
    index: ValueId,
    start: Option<ValueId>,
    end: Option<ValueId>,
    body: kernel::Block,
) {
    let statement = kernel::Loop { kind, index, start, end, carried: Vec::new(), exit: None, body };
    emitter.builder.push(kernel::Stmt::For(statement));
}

/// Writes what is the same for the whole launch in front of the loop.
fn hoist_invariants(emitter: &mut Emitter<'_, '_, '_>, key: Key) {
    let roots = emitter.work.launch_roots(key);
    let closure = emitter.work.closure(key, &roots);
    let mut top: Vec<ExprId> = Vec::new();
    for id in closure {
        let global = emitter.place(id).at == Where::Global;
        let computed = !emitter.work.stages.is_invariant(id)
            && emitter.work.access(id, key) == super::section::Access::Inline
            && !matches!(emitter.work.flow.graph.get(id).kind, ExprKind::Load { .. });
        if global && !computed {
            top.push(id);
        }
    }
    emitter.emit_all(top);
}

/// One element: all values first, then all stores, so that every load sees what was there before.
fn body(emitter: &mut Emitter<'_, '_, '_>, key: Key) {
    let roots = emitter.work.roots[&key].clone();
    let loops: Vec<ExprId> = roots.leaves.iter().copied().filter(|&id| emitter.work.needs_loop(id)).collect();
    for &id in &loops {
        let storage = emitter.work.left[&id];
        array_loop(emitter, id, storage);
    }
    let plain: Vec<ExprId> = roots
        .writes
        .iter()
        .map(|write| write.value)
        .chain(roots.leaves.iter().copied())
        .chain(roots.rings.iter().map(|&ring| emitter.work.rings[ring].value))
        .chain(emitter.work.kept_values(&roots))
        .filter(|id| !loops.contains(id))
        .collect();
    let closure = emitter.work.closure(key, &plain);
    emitter.emit_all(closure);
    for id in roots.leaves.iter().copied().filter(|id| !loops.contains(id)) {
        let storage = emitter.work.left[&id];
        let place = emitter.place(id);
        let value = emitter.value(id);
        emitter.store(storage, place, 0, 1, value);
    }
    for &ring in &roots.rings {
        emitter.keep(ring);
    }
    for &history in &roots.histories {
        emitter.keep_history(history);
    }
    write_variables(emitter, &roots.writes);
}

/// Stores the new values of variables.
pub(super) fn write_variables(emitter: &mut Emitter<'_, '_, '_>, writes: &[Write]) {
    write_variables_if(emitter, writes, None);
}

/// Stores the new values of variables where a condition holds.
pub(super) fn write_variables_if(emitter: &mut Emitter<'_, '_, '_>, writes: &[Write], gate: Option<ValueId>) {
    for write in writes {
        let value = emitter.value(write.value);
        let length = emitter.work.planner.rule.variables[write.variable].elements();
        let storage = emitter.work.planner.storages.variable(write.variable);
        let place = emitter.work.variable_place(write.variable);
        emitter.store_if(storage, place, write.element, length, value, gate);
    }
}

/// A running sum, or the sums of blocks: a loop that fills an array.
fn array_loop(emitter: &mut Emitter<'_, '_, '_>, id: ExprId, storage: StorageId) {
    match (&emitter.work.flow.graph.get(id).kind, emitter.work.range(id)) {
        (ExprKind::Scan { .. }, _) => running_sum(emitter, id, storage),
        (ExprKind::Reduce { op, .. }, Some(Range::Blocks(size))) => {
            let op = *op;
            block_sums(emitter, id, op, size, storage);
        }
        _ => crate::ice!("{id:?} needs no loop"),
    }
}

fn running_sum(emitter: &mut Emitter<'_, '_, '_>, id: ExprId, storage: StorageId) {
    let place = emitter.place(id);
    let count = emitter.count(if place.at == Where::Pre { Count::Pre } else { Count::Post });
    let ty = emitter.work.planner.storages.get(storage).ty;
    let zero_index = emitter.builder.int(0);
    let zero = emitter.identity(ReduceOp::Sum, ty);
    let index = emitter.builder.defined(Type::I64);
    let (before, after) = (emitter.builder.defined(ty), emitter.builder.defined(ty));
    emitter.enter();
    let outer = emitter.at;
    emitter.at = standing_at(emitter, place.at, index);
    let (term, gate) = emitter.loop_term(id);
    let sum = emitter.accumulate(ReduceOp::Sum, before, term);
    let next = match gate {
        Some(gate) => emitter.builder.select(gate, sum, before),
        None => sum,
    };
    emitter.store(storage, place, 0, 1, next);
    emitter.at = outer;
    let body = emitter.leave();
    let carried = vec![kernel::Carried { value: before, initial: zero, next, result: after }];
    let (kind, start, end) = (kernel::LoopKind::Serial, Some(zero_index), Some(count));
    emitter.builder.push(kernel::Stmt::For(kernel::Loop {
        kind,
        index,
        start,
        end,
        carried,
        exit: None,
        body,
    }));
}

/// The sums of blocks of neurons, stored for each of their members. On a spatial group the blocks are of channels, at one
/// position.
fn block_sums(emitter: &mut Emitter<'_, '_, '_>, id: ExprId, op: ReduceOp, size: u32, storage: StorageId) {
    let spatial = emitter.work.layout.kind.is_spatial();
    let zero = emitter.builder.int(0);
    let length = emitter.builder.int(i64::from(size));
    let total = emitter.count(if spatial { Count::PostChannels } else { Count::Post });
    // The division of two whole numbers below 2^53, rounded down, is exact in f64.
    let wide_total = emitter.builder.convert(Conversion::Value, Type::F64, total);
    let wide_length = emitter.builder.convert(Conversion::Value, Type::F64, length);
    let quotient = emitter.builder.div(wide_total, wide_length);
    let blocks = emitter.builder.convert(Conversion::Value, Type::I64, quotient);
    let block = emitter.builder.defined(Type::I64);
    emitter.enter();
    let start = emitter.builder.mul(block, length);
    if spatial {
        let positions = emitter.count(Count::Positions);
        let position = emitter.builder.defined(Type::I64);
        emitter.enter();
        one_block(emitter, id, op, (start, length), Some((positions, position)), storage);
        let body = emitter.leave();
        push_loop(emitter, kernel::LoopKind::Serial, position, Some(zero), Some(positions), body);
    } else {
        one_block(emitter, id, op, (start, length), None, storage);
    }
    let body = emitter.leave();
    push_loop(emitter, kernel::LoopKind::Serial, block, Some(zero), Some(blocks), body);
}

/// The sum of the block that begins at `start`, at a position where there are positions.
fn one_block(
    emitter: &mut Emitter<'_, '_, '_>,
    id: ExprId,
    op: ReduceOp,
    (start, length): (ValueId, ValueId),
    position: Option<(ValueId, ValueId)>,
    storage: StorageId,
) {
    let outer = emitter.at;
    let member = |emitter: &mut Emitter<'_, '_, '_>, index: ValueId| {
        let first = emitter.builder.add(start, index);
        match position {
            Some((positions, position)) => {
                let row = emitter.builder.mul(first, positions);
                let neuron = emitter.builder.add(row, position);
                emitter.at = At { post: Some(neuron), post_channel: Some(first), ..outer };
            }
            None => emitter.at = standing_at(emitter, post_place(emitter), first),
        }
    };
    let zero = emitter.builder.int(0);
    let index = emitter.builder.defined(Type::I64);
    emitter.enter();
    member(emitter, index);
    let (term, gate) = emitter.loop_term(id);
    emitter.at = outer;
    let body = emitter.leave();
    let sum = emitter.push_reduce(op, Order::Lanes32, index, length, body, term, gate);
    let each = emitter.builder.defined(Type::I64);
    emitter.enter();
    member(emitter, each);
    let place = emitter.place(id);
    emitter.store(storage, place, 0, 1, sum);
    emitter.at = outer;
    let body = emitter.leave();
    push_loop(emitter, kernel::LoopKind::Lanes, each, Some(zero), Some(length), body);
}

fn post_place(emitter: &Emitter<'_, '_, '_>) -> Where {
    if emitter.work.layout.kind == Kind::OneToOne { Where::Pre } else { Where::Post }
}

/// Which variables a launch writes, in words.
pub(super) fn say_writes(emitter: &mut Emitter<'_, '_, '_>, key: Key) {
    let mut writes: Vec<String> = emitter.work.roots[&key]
        .writes
        .iter()
        .map(|write| emitter.work.planner.rule.variables[write.variable].address())
        .collect();
    // The elements of an array stand side by side.
    writes.dedup();
    if !writes.is_empty() {
        emitter.builder.doc(format!("writes {}", writes.join(", ")));
    }
}

/// What the launch does, in words.
fn describe(emitter: &mut Emitter<'_, '_, '_>, key: Key) {
    say_writes(emitter, key);
    let leaves = emitter.work.roots[&key].leaves.len();
    if leaves > 0 {
        let values = if leaves == 1 { "value" } else { "values" };
        emitter.builder.doc(format!("leaves {leaves} {values} for later launches"));
    }
    let histories = emitter.work.roots[&key].histories.len();
    if histories > 0 {
        let values = if histories == 1 { "value" } else { "values" };
        emitter.builder.doc(format!("keeps {histories} {values} for rows that lag behind"));
    }
    let rings = emitter.work.roots[&key].rings.clone();
    if let Some(&first) = rings.first() {
        let values = if rings.len() == 1 { "value" } else { "values" };
        let doc = if emitter.work.rings[first].is_initial() {
            format!("fills {} {values} from before the first step", rings.len())
        } else {
            format!("keeps {} {values} for later steps", rings.len())
        };
        emitter.builder.doc(doc);
    }
}
