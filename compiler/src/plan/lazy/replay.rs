//! The kernel that brings rows up to date: the spikes of the steps that a row has missed, in their order.

use super::bits::Bits;
use super::{Lazy, STEPS, Spikes, history};
use crate::ir::ExprId;
use crate::kernel::{self, Access, BufferId, Compare, Fetch, LoopKind, RowSet, SpaceKind, ValueId};
use crate::plan::emit::Emitter;
use crate::plan::events::Sparse;
use crate::plan::lag::{Lag, Moded, lag, moded};
use crate::plan::layout::Where;
use crate::plan::neuron::{push_loop, write_variables, write_variables_if};
use crate::plan::program::Launch;
use crate::plan::rows::{
    Level, Rows, describe, index, of_level, over_rows, pass_name, row_body, synapses_of,
};
use crate::plan::section::Work;
use crate::plan::stage::Key;
use crate::plan::strips;

/// What is the same for all rows of a launch.
struct Pass<'l> {
    key: Key,
    lazy: &'l Lazy,
    step: ValueId,
    /// Whether spikes are looked at.
    heeds: ValueId,
    /// From which age on a row is due without a spike.
    limit: ValueId,
    /// The last step that a silent row is brought up to, and one.
    end: ValueId,
}

/// Rows of spiking neurons, brought up to date first, and rows that lag too far behind.
pub(super) fn pass(work: &mut Work<'_, '_>, key: Key, sparse: &Sparse, lazy: &Lazy) -> Launch {
    let name = pass_name(work, key, "_rows");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::Touched));
    describe(&mut emitter, key, "rows of spiking neurons, after the spikes that they have missed");
    let Moded { step, heeds, before } = moded(&mut emitter);
    let (one, most) = (emitter.builder.int(1), emitter.builder.int(i64::from(STEPS)));
    let limit = emitter.builder.select(heeds, most, one);
    let next = emitter.builder.add(step, one);
    let end = emitter.builder.select(before, step, next);
    let pass = Pass { key, lazy, step, heeds, limit, end };
    // What every launch can compute by itself, once.
    let roots = column_roots(lazy);
    let top = of_level(&mut emitter, key, &roots, Level::Launch);
    let top: Vec<_> = top.into_iter().filter(|id| !lazy.varying.contains(id)).collect();
    emitter.emit_all(top);
    over_rows(emitter, key, &sparse.row, &[], |emitter, rows, block, row, _| {
        each_row(emitter, &pass, (rows, block, row), sparse);
    })
}

/// One row, where it is due.
fn each_row(
    emitter: &mut Emitter<'_, '_, '_>,
    pass: &Pass<'_>,
    (rows, block, row): (&Rows, ValueId, ValueId),
    sparse: &Sparse,
) {
    let marks = pass.lazy.marks;
    let asked = (pass.step, pass.heeds, pass.limit);
    let Lag { mark, spike, due } = lag(emitter, (marks, Access::ReadWrite), (rows, row), asked);
    let marks = emitter.buffer(marks, Access::ReadWrite);
    emitter.enter();
    let first = emitter.builder.add(mark, rows.one);
    let end = emitter.builder.select(spike, pass.step, pass.end);
    match pass.lazy.spikes {
        Spikes::Lists(lists) => missed_steps(emitter, pass, lists, (rows, block, row), (first, end)),
        Spikes::Bits(bits) => missed_spikes(emitter, pass, bits, (rows, block, row), (first, end)),
    }
    emitter.builder.store(marks, row, pass.step, None);
    emitter.enter();
    row_body(emitter, pass.key, (rows, block, row), &sparse.row, (&[], None));
    let then = emitter.leave();
    branch(emitter, spike, then);
    let then = emitter.leave();
    branch(emitter, due, then);
}

fn branch(emitter: &mut Emitter<'_, '_, '_>, condition: ValueId, then: kernel::Block) {
    emitter.builder.push(kernel::Stmt::If { condition, then, otherwise: Vec::new(), results: Vec::new() });
}

/// The spikes of the steps `first .. end` in a row whose neuron was silent.
fn missed_steps(
    emitter: &mut Emitter<'_, '_, '_>,
    pass: &Pass<'_>,
    lists: history::Events,
    (rows, block, row): (&Rows, ValueId, ValueId),
    (first, end): (ValueId, ValueId),
) {
    let roots = column_roots(pass.lazy);
    let start = emitter.builder.mul(row, rows.columns);
    emitter.builder.name(start, "row");
    fetch(emitter, pass, start, rows.columns);
    let gathered = gather(emitter, pass, block, (first, end));
    let step = index(emitter, "s");
    emitter.enter();
    let slot = emitter.slot(step);
    let count = lists.count(emitter, slot);
    let any = emitter.builder.compare(Compare::GreaterEqual, count, rows.one);
    emitter.enter();
    emitter.hide(pass.lazy.varying.iter().copied());
    let present = emitter.moment.replace(step);
    recall(emitter, pass, slot, &[Where::Global]);
    recall_gathered(emitter, &gathered, slot);
    for level in [Level::Launch, Level::Row] {
        let values = of_level(emitter, pass.key, &roots, level);
        emitter.emit_all(values);
    }
    let list = emitter.builder.mul(slot, rows.columns);
    let list_end = emitter.builder.add(list, count);
    let event = index(emitter, "event");
    emitter.enter();
    let outer = emitter.at;
    let column = lists.neuron(emitter, event);
    let synapse = emitter.builder.add(start, column);
    emitter.builder.name(synapse, "k");
    (emitter.at.post, emitter.at.synapse) = (Some(column), Some(synapse));
    recall(emitter, pass, slot, &[Where::Post]);
    let closure = emitter.work.closure(pass.key, &roots);
    emitter.emit_all(closure);
    write_variables(emitter, &pass.lazy.column.writes);
    emitter.at = outer;
    let body = emitter.leave();
    if let Some(gate) = pass.lazy.gate {
        emitter.enter();
        push_loop(emitter, LoopKind::Serial, event, Some(list), Some(list_end), body);
        let then = emitter.leave();
        let gate = emitter.value(gate);
        branch(emitter, gate, then);
    } else {
        push_loop(emitter, LoopKind::Serial, event, Some(list), Some(list_end), body);
    }
    emitter.moment = present;
    let then = emitter.leave();
    branch(emitter, any, then);
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Serial, step, Some(first), Some(end), body);
}

/// Asks for the synapses of a row: its spikes go from one place of it to another, where each would wait for its own.
fn fetch(emitter: &mut Emitter<'_, '_, '_>, pass: &Pass<'_>, start: ValueId, count: ValueId) {
    let mut variables: Vec<_> = pass.lazy.column.writes.iter().map(|write| write.variable).collect();
    variables.dedup();
    for variable in variables {
        let length = i64::from(emitter.work.planner.rule.variables[variable].elements());
        let storage = emitter.work.planner.storages.variable(variable);
        let buffer = emitter.buffer(storage, Access::Read);
        let [start, count] = [start, count].map(|number| match length {
            1 => number,
            _ => {
                let length = emitter.builder.int(length);
                emitter.builder.mul(number, length)
            }
        });
        emitter.builder.push(kernel::Stmt::Fetch(Fetch { buffer, start, count }));
    }
}

/// The spikes of the steps `first .. end` at each synapse of a row whose neuron was silent.
fn missed_spikes(
    emitter: &mut Emitter<'_, '_, '_>,
    pass: &Pass<'_>,
    bits: Bits,
    (rows, block, row): (&Rows, ValueId, ValueId),
    steps: (ValueId, ValueId),
) {
    let roots = column_roots(pass.lazy);
    let synapses = synapses_of(emitter, rows, row);
    let gathered = gather(emitter, pass, block, steps);
    bits.over_words(emitter, steps, |emitter, word| {
        bits.over_spikes(emitter, word, (synapses, block), |emitter, step| {
            emitter.hide(pass.lazy.varying.iter().copied());
            let present = emitter.moment.replace(step);
            let slot = emitter.slot(step);
            recall(emitter, pass, slot, &[Where::Global, Where::Post]);
            recall_gathered(emitter, &gathered, slot);
            let closure = emitter.work.closure(pass.key, &roots);
            emitter.emit_all(closure);
            let gate = pass.lazy.gate.map(|gate| emitter.value(gate));
            write_variables_if(emitter, &pass.lazy.column.writes, gate);
            emitter.moment = present;
        });
    });
}

/// A value of the row's neuron in all slots, from the first on.
struct Gathered {
    value: ExprId,
    buffer: BufferId,
    first: ValueId,
}

/// Puts what is kept of the row's neuron side by side, by its slots: every step of a history is in a place far from the others,
/// and many of them can be asked for at once only where nothing else happens.
fn gather(
    emitter: &mut Emitter<'_, '_, '_>,
    pass: &Pass<'_>,
    block: ValueId,
    (first, end): (ValueId, ValueId),
) -> Vec<Gathered> {
    let histories: Vec<_> =
        pass.lazy.histories.iter().filter(|history| history.place.at == Where::Pre).copied().collect();
    if histories.is_empty() {
        return Vec::new();
    }
    let width = emitter.builder.int(i64::from(STEPS));
    let room = emitter.builder.mul(block, width);
    let step = index(emitter, "s");
    emitter.enter();
    let slot = emitter.slot(step);
    let at = emitter.builder.add(room, slot);
    let gathered = histories
        .iter()
        .map(|history| {
            let kept = emitter.kept(history, slot);
            let ty = emitter.builder.kernel().values[kept].ty;
            let storage = emitter.work.planner.storages.scratch(ty, strips::of_blocks(u64::from(STEPS)));
            let buffer = emitter.buffer(storage, Access::ReadWrite);
            emitter.builder.store(buffer, at, kept, None);
            Gathered { value: history.value, buffer, first: room }
        })
        .collect();
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Serial, step, Some(first), Some(end), body);
    gathered
}

/// Loads what has been put side by side.
fn recall_gathered(emitter: &mut Emitter<'_, '_, '_>, gathered: &[Gathered], slot: ValueId) {
    for &Gathered { value, buffer, first } in gathered {
        let at = emitter.builder.add(first, slot);
        let kept = emitter.builder.load(buffer, at);
        emitter.remember(value, kept);
    }
}

/// What the columns of a row whose neuron is silent start from.
fn column_roots(lazy: &Lazy) -> Vec<ExprId> {
    lazy.column.writes.iter().map(|write| write.value).chain(lazy.gate).collect()
}

/// Loads what is kept of the values of some places.
fn recall(emitter: &mut Emitter<'_, '_, '_>, pass: &Pass<'_>, slot: ValueId, places: &[Where]) {
    for history in pass.lazy.histories.iter().filter(|history| places.contains(&history.place.at)) {
        let value = emitter.kept(history, slot);
        emitter.remember(history.value, value);
    }
}
