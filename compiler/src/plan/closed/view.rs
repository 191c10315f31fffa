//! What whoever looks at a weight is shown: a copy of the arrays that lag behind, brought up to date.

use super::Closed;
use super::rows::hoist;
use crate::kernel::{Access, LoopKind, RowSet, SpaceKind, Type};
use crate::plan::emit::Emitter;
use crate::plan::events::Variant;
use crate::plan::neuron::push_loop;
use crate::plan::program::{Launch, ScalarSource, StorageId};
use crate::plan::rows::{column_index, over_rows, pass_name, stand_at, synapses_of};
use crate::plan::section::Work;
use crate::plan::stage::Key;

/// The launch that makes the copies, and where the copy of each array is.
pub(super) fn pass(
    work: &mut Work<'_, '_>,
    key: Key,
    closed: &Closed,
) -> (Launch, Vec<(StorageId, StorageId)>) {
    let mut copies: Vec<(StorageId, StorageId)> = Vec::new();
    for &array in &closed.arrays {
        if copies.iter().all(|(known, _)| *known != array) {
            copies.push((array, work.planner.storages.view(array)));
        }
    }
    let copy_of = |array: StorageId| copies.iter().find(|(known, _)| *known == array).map(|(_, copy)| *copy);
    let arrays: Vec<StorageId> = closed.arrays.iter().filter_map(|&array| copy_of(array)).collect();
    let name = pass_name(work, key, "_view");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::All));
    emitter.builder.doc("a copy of all synapses, brought up to date");
    let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
    hoist(&mut emitter, key, closed);
    let nothing = Variant::default();
    let launch = over_rows(emitter, key, &nothing, &[], |emitter, rows, _, row, _| {
        let synapses = synapses_of(emitter, rows, row);
        let at = column_index(emitter);
        emitter.enter();
        let outer = emitter.at;
        stand_at(emitter, synapses, at);
        let values = emitter.all_elements(closed, |emitter, array, place, element, length| {
            emitter.load(array, place, element, length)
        });
        let mut values = values.into_iter();
        emitter.all_elements(closed, |emitter, array, place, element, length| {
            if let (Some(copy), Some(value)) = (copy_of(array), values.next()) {
                emitter.store(copy, place, element, length, value);
            }
        });
        emitter.at = outer;
        let body = emitter.leave();
        push_loop(emitter, LoopKind::Lanes, at, Some(rows.zero), Some(synapses.count), body);
        let marks = emitter.buffer(closed.marks, Access::Read);
        let mark = emitter.builder.load(marks, row);
        let stand = emitter.stand(closed, row, mark);
        emitter.whole_blocks(closed, stand, (step, rows.zero), (rows, synapses), &arrays);
    });
    (launch, copies)
}

impl Emitter<'_, '_, '_> {
    /// Does something with each element of each array that lags behind, at the present synapse.
    fn all_elements<T>(
        &mut self,
        closed: &Closed,
        mut act: impl FnMut(&mut Self, StorageId, crate::plan::layout::Place, u32, u32) -> T,
    ) -> Vec<T> {
        let mut done = Vec::new();
        let mut results = Vec::new();
        for (state, &array) in closed.affine.states.iter().zip(&closed.arrays) {
            if done.contains(&array) {
                continue;
            }
            done.push(array);
            let length = self.work.planner.rule.variables[state.variable].elements();
            let place = self.work.variable_place(state.variable);
            for element in 0..length {
                results.push(act(self, array, place, element, length));
            }
        }
        results
    }
}
