//! Launches over neurons of a side, and of one element.

use super::emit::Emitter;
use super::program::{Count, Launch, Size, StorageId};
use super::section::Work;
use super::stage::{Key, Place, Range, range};
use super::storage::side_word;
use crate::flow::Write;
use crate::ir::{ExprId, ExprKind, Over, ReduceOp};
use crate::kernel::{self, Binary, Conversion, Extent, Order, Side, SpaceKind, Type, ValueId};

/// How many neurons one block holds: enough work for a task of its own.
const NEURONS_PER_BLOCK: u32 = 4096;

/// Writes the kernel of a launch that is not a synapse pass.
pub(super) fn launch(work: &mut Work<'_, '_>, key: Key) -> Launch {
    let side = match key.place {
        Place::Global => None,
        Place::Pre => Some(Side::Pre),
        Place::Post => Some(Side::Post),
        Place::Synapse => crate::ice!("a synapse pass is not a launch over neurons"),
    };
    let word = side.map_or("global", side_word);
    let number =
        if (key.pass, key.round) == (0, 0) { String::new() } else { format!("_{}_{}", key.pass, key.round) };
    let name = format!("{}_{word}{number}", work.name);
    let kind = side.map_or(SpaceKind::Single, SpaceKind::Neurons);
    let mut emitter = Emitter::new(work, key, name, kind);
    describe(&mut emitter, key);
    match side {
        None => {
            emitter.set_space(vec![Extent::Constant(1)], 1);
            let index = emitter.builder.defined(Type::I64);
            emitter.enter();
            body(&mut emitter, key);
            let block = emitter.leave();
            push_loop(&mut emitter, kernel::LoopKind::Blocks, index, None, None, block);
        }
        Some(side) => {
            let count = if side == Side::Pre { Count::Pre } else { Count::Post };
            let items = emitter.extent(Size::Count(count));
            emitter.set_space(vec![items], NEURONS_PER_BLOCK);
            let total = emitter.count(count);
            let index = emitter.builder.defined(Type::I64);
            emitter.enter();
            let (start, end) = block_range(&mut emitter, index, NEURONS_PER_BLOCK, total);
            let lane = emitter.builder.defined(Type::I64);
            emitter.builder.name(index, "block");
            emitter.builder.name(lane, if side == Side::Pre { "i" } else { "j" });
            hoist_invariants(&mut emitter, key);
            emitter.enter();
            match side {
                Side::Pre => emitter.at.pre = Some(lane),
                Side::Post => emitter.at.post = Some(lane),
            }
            body(&mut emitter, key);
            let block = emitter.leave();
            push_loop(&mut emitter, kernel::LoopKind::Lanes, lane, Some(start), Some(end), block);
            let block = emitter.leave();
            push_loop(&mut emitter, kernel::LoopKind::Blocks, index, None, None, block);
        }
    }
    emitter.finish()
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
        let global = Place::of(emitter.work.flow.graph.get(id).shape.domain) == Place::Global;
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
        .filter(|id| !loops.contains(id))
        .collect();
    let closure = emitter.work.closure(key, &plain);
    emitter.emit_all(closure);
    for id in roots.leaves.iter().copied().filter(|id| !loops.contains(id)) {
        let storage = emitter.work.left[&id];
        let place = Place::of(emitter.work.flow.graph.get(id).shape.domain);
        let value = emitter.value(id);
        emitter.store(storage, place, 0, 1, value);
    }
    write_variables(emitter, &roots.writes);
}

/// Stores the new values of variables.
pub(super) fn write_variables(emitter: &mut Emitter<'_, '_, '_>, writes: &[Write]) {
    for write in writes {
        let value = emitter.value(write.value);
        let length = emitter.work.planner.rule.variables[write.variable].elements();
        let storage = emitter.work.planner.storages.variable(write.variable);
        let place = emitter.work.variable_place(write.variable);
        emitter.store(storage, place, write.element, length, value);
    }
}

/// A running sum, or the sums of blocks: a loop that fills an array.
fn array_loop(emitter: &mut Emitter<'_, '_, '_>, id: ExprId, storage: StorageId) {
    match emitter.work.flow.graph.get(id).kind {
        ExprKind::Scan { .. } => running_sum(emitter, id, storage),
        ExprKind::Reduce { op, over: over @ Over::PostBlocks(_), .. } => {
            match range(&emitter.work.flow.graph, id, over) {
                Range::Blocks(size) => block_sums(emitter, id, op, size, storage),
                Range::Columns | Range::Rows | Range::Pre | Range::Post | Range::Single => {
                    crate::ice!("blocks range over blocks")
                }
            }
        }
        _ => crate::ice!("{id:?} needs no loop"),
    }
}

fn running_sum(emitter: &mut Emitter<'_, '_, '_>, id: ExprId, storage: StorageId) {
    let place = Place::of(emitter.work.flow.graph.get(id).shape.domain);
    let count = emitter.count(if place == Place::Pre { Count::Pre } else { Count::Post });
    let ty = emitter.work.planner.storages.get(storage).ty;
    let zero_index = emitter.builder.int(0);
    let zero = emitter.identity(ReduceOp::Sum, ty);
    let index = emitter.builder.defined(Type::I64);
    let (before, after) = (emitter.builder.defined(ty), emitter.builder.defined(ty));
    emitter.enter();
    let outer = emitter.at;
    match place {
        Place::Pre => emitter.at.pre = Some(index),
        Place::Post => emitter.at.post = Some(index),
        Place::Global | Place::Synapse => crate::ice!("a running sum has a side"),
    }
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

/// Each block's sum, written to each neuron of the block.
fn block_sums(emitter: &mut Emitter<'_, '_, '_>, id: ExprId, op: ReduceOp, size: u32, storage: StorageId) {
    let zero = emitter.builder.int(0);
    let length = emitter.builder.int(i64::from(size));
    let total = emitter.count(Count::Post);
    // The division of two whole numbers below 2^53, rounded down, is exact in f64.
    let wide_total = emitter.builder.convert(Conversion::Value, Type::F64, total);
    let wide_length = emitter.builder.convert(Conversion::Value, Type::F64, length);
    let quotient = emitter.builder.div(wide_total, wide_length);
    let blocks = emitter.builder.convert(Conversion::Value, Type::I64, quotient);
    let block = emitter.builder.defined(Type::I64);
    emitter.enter();
    let start = emitter.builder.mul(block, length);
    let index = emitter.builder.defined(Type::I64);
    emitter.enter();
    let outer = emitter.at;
    emitter.at.post = Some(emitter.builder.add(start, index));
    let (term, gate) = emitter.loop_term(id);
    let body = emitter.leave();
    let sum = emitter.push_reduce(op, Order::Lanes32, index, length, body, term, gate);
    let member = emitter.builder.defined(Type::I64);
    emitter.enter();
    emitter.at.post = Some(emitter.builder.add(start, member));
    emitter.store(storage, Place::Post, 0, 1, sum);
    emitter.at = outer;
    let body = emitter.leave();
    push_loop(emitter, kernel::LoopKind::Lanes, member, Some(zero), Some(length), body);
    let body = emitter.leave();
    push_loop(emitter, kernel::LoopKind::Serial, block, Some(zero), Some(blocks), body);
}

/// What the launch does, in words.
fn describe(emitter: &mut Emitter<'_, '_, '_>, key: Key) {
    let writes: Vec<String> = emitter.work.roots[&key]
        .writes
        .iter()
        .map(|write| emitter.work.planner.rule.variables[write.variable].address())
        .collect();
    if !writes.is_empty() {
        emitter.builder.doc(format!("writes {}", writes.join(", ")));
    }
    let leaves = emitter.work.roots[&key].leaves.len();
    if leaves > 0 {
        let values = if leaves == 1 { "value" } else { "values" };
        emitter.builder.doc(format!("leaves {leaves} {values} for later launches"));
    }
}
