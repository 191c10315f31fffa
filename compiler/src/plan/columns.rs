//! The columns of spiking postsynaptic neurons, in the rows of silent presynaptic ones.

use super::batch::Touched;
use super::element::At;
use super::emit::Emitter;
use super::events::Variant;
use super::lanes::write_batched;
use super::layout::Place;
use super::neuron::{block_range, push_loop, write_variables_if};
use super::program::{Launch, ScalarSource, StorageId, Table};
use super::rows::{Level, Rows, describe, index, of_level, pass_name, variant_roots};
use super::section::Work;
use super::stage::Key;
use crate::kernel::{self, Conversion, LoopKind, Side, SpaceKind, Type, Unary, ValueId};

/// Columns of a block on a sparse group.
pub(super) const COLUMNS_PER_BLOCK: u32 = 1;

/// The spiking columns of a row of a dense group whose neuron is silent.
pub(super) fn of_row(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    rows: &Rows,
    row: ValueId,
    variant: &Variant,
    touched: Option<&Touched>,
) {
    let (list, count) = listed(emitter, touched);
    let any = emitter.builder.compare(kernel::Compare::GreaterEqual, count, rows.one);
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
    let column = spiking_column(emitter, list, event);
    let synapse = emitter.builder.add(start, column);
    emitter.builder.name(synapse, "k");
    (emitter.at.post, emitter.at.synapse) = (Some(column), Some(synapse));
    write_batched(emitter, key, &roots, &variant.writes, &[]);
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

/// The list of the postsynaptic neurons that spike, and its length.
fn listed(emitter: &mut Emitter<'_, '_, '_>, touched: Option<&Touched>) -> (StorageId, ValueId) {
    let Some(touched) = touched else {
        let list = emitter.work.planner.storages.events(Side::Post);
        return (list, emitter.scalar_value(ScalarSource::EventCount(Side::Post), Type::I64));
    };
    let (list, count) = touched.list();
    let count = emitter.buffer(count, kernel::Access::Read);
    let zero = emitter.builder.int(0);
    (list, emitter.builder.load(count, zero))
}

fn spiking_column(emitter: &mut Emitter<'_, '_, '_>, list: StorageId, event: ValueId) -> ValueId {
    let column = listed_neuron(emitter, list, event);
    emitter.builder.name(column, "j");
    column
}

/// A neuron of a list of those that spike.
pub(super) fn listed_neuron(emitter: &mut Emitter<'_, '_, '_>, list: StorageId, event: ValueId) -> ValueId {
    let list = emitter.buffer(list, kernel::Access::Read);
    let neuron = emitter.builder.load(list, event);
    emitter.builder.convert(Conversion::Unsigned, Type::I64, neuron)
}

/// The columns of a sparse group. Synapses of rows that spike have been taken care of.
pub(super) fn launch(work: &mut Work<'_, '_>, key: Key, variant: &Variant) -> Launch {
    let name = pass_name(work, key, "_columns");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Columns);
    describe(&mut emitter, key, "spiking columns, without the rows of spiking neurons");
    let count = emitter.scalar_value(ScalarSource::EventCount(Side::Post), Type::I64);
    let items = emitter.event_extent(Side::Post);
    emitter.set_space(vec![items], COLUMNS_PER_BLOCK);
    let roots = variant_roots(&emitter, variant);
    let (zero, one) = (emitter.builder.int(0), emitter.builder.int(1));
    let block = index(&mut emitter, "block");
    emitter.enter();
    let top = of_level(&mut emitter, key, &roots, Level::Launch);
    emitter.emit_all(top);
    let (start, end) = block_range(&mut emitter, block, COLUMNS_PER_BLOCK, count);
    let event = index(&mut emitter, "event");
    emitter.enter();
    let list = emitter.work.planner.storages.events(Side::Post);
    let column = spiking_column(&mut emitter, list, event);
    each_synapse(&mut emitter, column, (zero, one), |emitter| {
        let spikes = emitter.work.planner.storages.spikes(Side::Pre);
        let spike = emitter.load(spikes, Place::neuron(Side::Pre), 0, 1);
        let silent = emitter.builder.unary(Unary::Not, spike);
        let closure = emitter.work.closure(key, &roots);
        emitter.emit_all(closure);
        write_variables_if(emitter, &variant.writes, Some(silent));
    });
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Serial, event, Some(start), Some(end), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

/// A loop over the synapses of a column of a sparse group.
pub(super) fn each_synapse(
    emitter: &mut Emitter<'_, '_, '_>,
    column: ValueId,
    (zero, one): (ValueId, ValueId),
    body: impl FnOnce(&mut Emitter<'_, '_, '_>),
) {
    let next = emitter.builder.add(column, one);
    let first = emitter.look_up(Table::ColumnStart, column);
    let last = emitter.look_up(Table::ColumnStart, next);
    let length = emitter.builder.sub(last, first);
    let entry = index(emitter, "entry");
    emitter.enter();
    let at = emitter.builder.add(first, entry);
    let row = emitter.look_up(Table::ColumnRow, at);
    emitter.builder.name(row, "i");
    let synapse = emitter.look_up(Table::ColumnSynapse, at);
    emitter.builder.name(synapse, "k");
    emitter.at = At { pre: Some(row), post: Some(column), synapse: Some(synapse), ..At::default() };
    body(emitter);
    emitter.at = At::default();
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Lanes, entry, Some(zero), Some(length), body);
}
