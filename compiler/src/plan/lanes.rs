//! The loop over the synapses of a row: what is computed, filled, stored and summed in it.

use super::emit::Emitter;
use super::neuron::{push_loop, write_variables};
use super::program::Count;
use super::rows::{Row, Rows, accumulate_column, column_index, over_batch, stand_at};
use super::stage::Key;
use super::strips::{self, Filled};
use super::tiles::{self, Made, Product, Strip};
use crate::flow::Write;
use crate::ir::ExprId;
use crate::kernel::{LoopKind, ValueId};

/// Where a loop over the synapses of a row stands.
pub(super) struct RowPass<'r> {
    pub(super) key: Key,
    pub(super) rows: &'r Rows,
    pub(super) block: ValueId,
    pub(super) at: ValueId,
    pub(super) row: Row,
    pub(super) products: &'r [Product],
    /// Where products have been made.
    pub(super) made: Option<Made>,
}

/// The loop over the synapses of a row.
pub(super) fn lanes(
    emitter: &mut Emitter<'_, '_, '_>,
    pass: &RowPass<'_>,
    writes: &[Write],
    sums: &[ExprId],
    gate_holds: bool,
) {
    let (batched, shared): (Vec<ExprId>, Vec<ExprId>) =
        sums.iter().partition(|&&sum| emitter.place(sum).batched);
    let of_batch = |write: &&Write| emitter.work.variable_place(write.variable).batched;
    let plain = batched.is_empty() && !writes.iter().any(|write| of_batch(&write));
    let mut roots: Vec<ExprId> =
        writes.iter().filter(|write| !of_batch(write)).map(|write| write.value).collect();
    for &sum in &shared {
        let pieces = emitter.work.pieces(sum);
        let skipped = if gate_holds { pieces.gates.len() } else { 0 };
        roots.extend(pieces.values().skip(skipped));
    }
    let filled = if plain { strips::filled(emitter, pass.key, &roots) } else { Vec::new() };
    let work = LaneWork { writes, sums, roots: &roots, filled: &filled, gate_holds };
    if filled.is_empty() {
        lanes_of(emitter, pass, &work, Strip { start: pass.rows.zero, end: pass.row.count });
    } else {
        strips::each(emitter, pass.row.count, |emitter, strip| lanes_of(emitter, pass, &work, strip));
    }
}

/// What a loop over synapses does.
struct LaneWork<'r> {
    writes: &'r [Write],
    sums: &'r [ExprId],
    /// What is shared by the batch.
    roots: &'r [ExprId],
    filled: &'r [Filled],
    gate_holds: bool,
}

/// The loop over some of the synapses of a row.
fn lanes_of(emitter: &mut Emitter<'_, '_, '_>, pass: &RowPass<'_>, work: &LaneWork<'_>, columns: Strip) {
    let first = if work.filled.is_empty() { pass.rows.zero } else { strips::first(emitter, pass.block) };
    let strip = strips::At { columns, first };
    strips::fill(emitter, pass.key, work.filled, strip, &|emitter, column| {
        stand_at(emitter, pass.row, column);
        if let Some(made) = pass.made {
            tiles::recall(emitter, pass.products, (pass.rows, made), (pass.at, column));
        }
    });
    let at = column_index(emitter);
    let any_shared = work.sums.iter().any(|&sum| !emitter.place(sum).batched);
    let partial_start =
        if any_shared { emitter.builder.mul(pass.block, pass.rows.columns) } else { pass.rows.zero };
    emitter.enter();
    let outer = emitter.at;
    let column = stand_at(emitter, pass.row, at);
    if let Some(made) = pass.made {
        tiles::recall(emitter, pass.products, (pass.rows, made), (pass.at, column));
    }
    strips::recall(emitter, work.filled, strip, column);
    let accumulate = |emitter: &mut Emitter<'_, '_, '_>, sum: ExprId| {
        let start = if emitter.place(sum).batched {
            let blocks = emitter.count(Count::PreBlocks);
            let first = emitter.first_block(sum, blocks).unwrap_or(pass.rows.zero);
            let block = emitter.builder.add(first, pass.block);
            emitter.builder.mul(block, pass.rows.columns)
        } else {
            partial_start
        };
        accumulate_column(emitter, sum, start, column, work.gate_holds);
    };
    if !work.filled.is_empty() {
        let needed = strips::needed(emitter, pass.key, work.roots);
        emitter.emit_all(needed);
    }
    write_batched_with(emitter, pass.key, work.roots, work.writes, work.sums, &accumulate);
    emitter.at = outer;
    emitter.forget_bases();
    let body = emitter.leave();
    push_loop(emitter, LoopKind::Lanes, at, Some(columns.start), Some(columns.end), body);
}

/// What is done with one synapse, where nothing is summed over columns.
pub(super) fn write_batched(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    roots: &[ExprId],
    writes: &[Write],
    sums: &[ExprId],
) {
    write_batched_with(emitter, key, roots, writes, sums, &|_, _| {});
}

/// What is done with one synapse. All that is shared by the batch is computed first, then each element of the batch is
/// computed and stored, then what is shared is stored: everything sees the values from before the pass.
fn write_batched_with(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    roots: &[ExprId],
    writes: &[Write],
    sums: &[ExprId],
    accumulate: &dyn Fn(&mut Emitter<'_, '_, '_>, ExprId),
) {
    let of_batch =
        |emitter: &Emitter<'_, '_, '_>, write: &Write| emitter.work.variable_place(write.variable).batched;
    let (batched, shared): (Vec<Write>, Vec<Write>) =
        writes.iter().partition(|write| of_batch(emitter, write));
    let (batched_sums, shared_sums): (Vec<ExprId>, Vec<ExprId>) =
        sums.iter().partition(|&&sum| emitter.place(sum).batched);
    // Where values have been filled, what the roots need has been written, and what the fills need is not wanted.
    if roots.iter().any(|&root| emitter.known(root).is_none()) {
        let closure = emitter.work.closure(key, roots);
        let closure: Vec<ExprId> = closure.into_iter().filter(|&id| !emitter.place(id).batched).collect();
        emitter.emit_all(closure);
    }
    if !batched.is_empty() || !batched_sums.is_empty() {
        over_batch(emitter, |emitter| {
            let mut roots: Vec<ExprId> = batched.iter().map(|write| write.value).collect();
            roots.extend(batched_sums.iter().flat_map(|&sum| emitter.work.pieces(sum).values()));
            let closure = emitter.work.closure(key, &roots);
            emitter.emit_all(closure);
            for &sum in &batched_sums {
                accumulate(emitter, sum);
            }
            write_variables(emitter, &batched);
        });
    }
    for &sum in &shared_sums {
        accumulate(emitter, sum);
    }
    write_variables(emitter, &shared);
}
