//! The kernel over rows: what they have missed, then the present step in those of spiking neurons.

use super::span::{Reach, Stand};
use super::{Closed, STEPS, history};
use crate::ir::ExprId;
use crate::kernel::{self, Access, Binary, Carried, Compare, LoopKind, RowSet, SpaceKind, Type, ValueId};
use crate::plan::emit::Emitter;
use crate::plan::lag::{Lag, Moded, lag, moded};
use crate::plan::layout::Range;
use crate::plan::neuron::{push_loop, write_variables};
use crate::plan::program::{Launch, StorageId};
use crate::plan::rows::{
    Level, Row, Rows, accumulate_column, column_index, describe, index, of_level, over_rows, pass_name,
    stand_at, sums_of, synapses_of, variant_roots,
};
use crate::plan::section::Work;
use crate::plan::stage::Key;

/// What is the same for all rows of a launch.
struct Pass<'c> {
    key: Key,
    closed: &'c Closed,
    step: ValueId,
    /// Whether spikes are looked at.
    heeds: ValueId,
    /// From which age on a row is due without a spike.
    limit: ValueId,
    /// The last step that a silent row is brought up to.
    last: ValueId,
}

/// Has what every row needs of the parameters written in front of the loops.
pub(super) fn hoist(emitter: &mut Emitter<'_, '_, '_>, key: Key, closed: &Closed) {
    let mut roots: Vec<ExprId> = Vec::new();
    for drive in &closed.affine.drives {
        roots.extend(drive.decays.iter().flat_map(|&decay| history::leaves(emitter.work, decay)));
    }
    for state in &closed.affine.states {
        roots.extend(state.clips.iter().map(|(_, bound)| *bound));
    }
    let top = of_level(emitter, key, &roots, Level::Launch);
    emitter.emit_all(top);
}

/// Writes it.
pub(super) fn pass(work: &mut Work<'_, '_>, key: Key, closed: &Closed) -> Launch {
    let name = pass_name(work, key, "_rows");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::Touched));
    describe(&mut emitter, key, "rows of spiking neurons, after what they have missed, in closed form");
    let Moded { step, heeds, before } = moded(&mut emitter);
    // The slot of the step that a row is marked with must still be there.
    let (one, most) = (emitter.builder.int(1), emitter.builder.int(i64::from(STEPS) - 1));
    let limit = emitter.builder.select(heeds, most, one);
    let previous = emitter.builder.sub(step, one);
    let last = emitter.builder.select(before, previous, step);
    let pass = Pass { key, closed, step, heeds, limit, last };
    hoist(&mut emitter, key, closed);
    over_rows(emitter, key, &closed.row, &[], |emitter, rows, block, row, _| {
        pass.each_row(emitter, (rows, block, row));
    })
}

impl Pass<'_> {
    /// One row, where it is due.
    fn each_row(&self, emitter: &mut Emitter<'_, '_, '_>, (rows, block, row): (&Rows, ValueId, ValueId)) {
        let marks = self.closed.marks;
        let asked = (self.step, self.heeds, self.limit);
        let Lag { mark, spike, due } = lag(emitter, (marks, Access::Read), (rows, row), asked);
        emitter.enter();
        let previous = emitter.builder.sub(self.step, rows.one);
        let last = emitter.builder.select(spike, previous, self.last);
        // The last two blocks of a spiking row are taken together with the present step.
        let two = emitter.builder.int(2);
        let own = emitter.builder.select(spike, two, rows.zero);
        let stand = emitter.stand(self.closed, row, mark);
        let synapses = synapses_of(emitter, rows, row);
        let stand =
            emitter.whole_blocks(self.closed, stand, (last, own), (rows, synapses), &self.closed.arrays);
        emitter.enter();
        let left = emitter.blocks_between(self.closed, stand.first, last);
        let both = emitter.builder.compare(Compare::GreaterEqual, left, two);
        emitter.enter();
        self.spiking(emitter, (rows, block), synapses, (&stand, last), 2);
        let then = emitter.leave();
        emitter.enter();
        self.spiking(emitter, (rows, block), synapses, (&stand, last), 1);
        let otherwise = emitter.leave();
        emitter.builder.push(kernel::Stmt::If { condition: both, then, otherwise, results: Vec::new() });
        let then = emitter.leave();
        branch(emitter, spike, then);
        emitter.mark(self.closed, row, self.step);
        let then = emitter.leave();
        branch(emitter, due, then);
    }

    /// The last blocks that a spiking row has missed, so many, and the present step, in one pass.
    fn spiking(
        &self,
        emitter: &mut Emitter<'_, '_, '_>,
        (rows, block): (&Rows, ValueId),
        row: Row,
        (stand, last): (&Stand, ValueId),
        blocks: usize,
    ) {
        let variant = &self.closed.row;
        let roots = variant_roots(emitter, variant);
        let of_row = of_level(emitter, self.key, &roots, Level::Row);
        emitter.emit_all(of_row);
        let mut spans = vec![emitter.span(self.closed, stand, last, rows.columns)];
        while spans.len() < blocks {
            let next = spans[spans.len() - 1].next.clone();
            spans.push(emitter.span(self.closed, &next, last, rows.columns));
        }
        let sums = sums_of(emitter, variant, Range::Columns);
        let partials = if sums.is_empty() { rows.zero } else { emitter.builder.mul(block, rows.columns) };
        let at = column_index(emitter);
        emitter.enter();
        let outer = emitter.at;
        let column = stand_at(emitter, row, at);
        let mut states = emitter.states(self.closed, &self.closed.arrays);
        for (number, span) in spans.iter().enumerate() {
            // Blocks of one sign's changes are clipped once; and a later block begins where it does.
            let shape = Reach { begins: number > 0, ends: number + 1 == blocks };
            states = emitter.caught_up(self.closed, (span, shape), &states, column);
        }
        for (state, value) in self.closed.affine.states.iter().zip(states) {
            emitter.remember(state.load, value);
        }
        let closure = emitter.work.closure(self.key, &roots);
        emitter.emit_all(closure);
        for &sum in &sums {
            accumulate_column(emitter, sum, partials, column, false);
        }
        write_variables(emitter, &variant.writes);
        emitter.at = outer;
        let body = emitter.leave();
        push_loop(emitter, LoopKind::Lanes, at, Some(rows.zero), Some(row.count), body);
    }
}

pub(super) fn branch(emitter: &mut Emitter<'_, '_, '_>, condition: ValueId, then: kernel::Block) {
    emitter.builder.push(kernel::Stmt::If { condition, then, otherwise: Vec::new(), results: Vec::new() });
}

impl Emitter<'_, '_, '_> {
    /// Where a row stands that has a mark.
    pub(super) fn stand(&mut self, closed: &Closed, row: ValueId, mark: ValueId) -> Stand {
        let one = self.builder.int(1);
        let first = self.builder.add(mark, one);
        let mut traces = Vec::new();
        for kept in &closed.kept {
            let kept = kept.map(|kept| self.buffer(kept, Access::Read));
            traces.push(kept.map(|kept| self.builder.load(kept, row)));
        }
        Stand { first, traces }
    }

    /// The states of the present synapse, in some arrays.
    pub(super) fn states(&mut self, closed: &Closed, arrays: &[StorageId]) -> Vec<ValueId> {
        let mut values = Vec::new();
        for (state, &array) in closed.affine.states.iter().zip(arrays) {
            let length = self.work.planner.rule.variables[state.variable].elements();
            let place = self.work.variable_place(state.variable);
            values.push(self.load(array, place, state.element, length));
        }
        values
    }

    /// Takes the synapses of a row through all blocks that it has missed, but for so many of the last.
    pub(super) fn whole_blocks(
        &mut self,
        closed: &Closed,
        stand: Stand,
        (last, but): (ValueId, ValueId),
        (rows, row): (&Rows, Row),
        arrays: &[StorageId],
    ) -> Stand {
        let blocks = self.blocks_between(closed, stand.first, last);
        let blocks = self.builder.sub(blocks, but);
        let blocks = self.builder.binary(Binary::Max, blocks, rows.zero);
        let number = index(self, "b");
        let initial: Vec<ValueId> =
            std::iter::once(stand.first).chain(stand.traces.iter().flatten().copied()).collect();
        let types: Vec<Type> = initial.iter().map(|&value| self.builder.ty(value)).collect();
        let values: Vec<ValueId> = types.iter().map(|&ty| self.builder.defined(ty)).collect();
        let results: Vec<ValueId> = types.iter().map(|&ty| self.builder.defined(ty)).collect();
        let with = |values: &[ValueId]| {
            let mut rest = values[1..].iter().copied();
            let traces = stand.traces.iter().map(|trace| trace.and_then(|_| rest.next())).collect();
            Stand { first: values[0], traces }
        };
        self.enter();
        let span = self.span(closed, &with(&values), last, rows.columns);
        let at = column_index(self);
        self.enter();
        let outer = self.at;
        let column = stand_at(self, row, at);
        let states = self.states(closed, arrays);
        let whole = Reach { begins: false, ends: true };
        let states = self.caught_up(closed, (&span, whole), &states, column);
        for ((state, &array), value) in closed.affine.states.iter().zip(arrays).zip(states) {
            let length = self.work.planner.rule.variables[state.variable].elements();
            let place = self.work.variable_place(state.variable);
            self.store(array, place, state.element, length, value);
        }
        self.at = outer;
        let body = self.leave();
        push_loop(self, LoopKind::Lanes, at, Some(rows.zero), Some(row.count), body);
        let next: Vec<ValueId> =
            std::iter::once(span.next.first).chain(span.next.traces.iter().flatten().copied()).collect();
        let body = self.leave();
        let carried = (0..initial.len())
            .map(|k| Carried { value: values[k], initial: initial[k], next: next[k], result: results[k] })
            .collect();
        let statement = kernel::Loop {
            kind: LoopKind::Serial,
            index: number,
            start: Some(rows.zero),
            end: Some(blocks),
            carried,
            exit: None,
            body,
        };
        self.builder.push(kernel::Stmt::For(statement));
        with(&results)
    }
}
