//! What is kept of the last steps: which neurons spiked, and values of neurons and of the group.
//!
//! What belongs to step s stands in slot s mod [`STEPS`]. The launch that has a value puts it into this step's slot.

use super::STEPS;
use crate::ir::ExprId;
use crate::kernel::{self, Access, Binary, Extent, LoopKind, Side, SpaceKind, Type, ValueId};
use crate::plan::emit::Emitter;
use crate::plan::layout::Place;
use crate::plan::neuron::push_loop;
use crate::plan::program::{Count, Launch, Role, ScalarSource, Size, StorageId};
use crate::plan::rows::index;
use crate::plan::section::Work;
use crate::plan::stage::Key;
use crate::plan::storage::machine_type;

/// A value that is kept for [`STEPS`] steps.
#[derive(Clone, Copy, Debug)]
pub(in crate::plan) struct History {
    /// What is kept.
    pub(in crate::plan) value: ExprId,
    /// Where it lives: neurons of a side, or the group.
    pub(in crate::plan) place: Place,
    storage: StorageId,
}

/// Makes room for a value.
pub(super) fn of(work: &mut Work<'_, '_>, value: ExprId) -> History {
    let place = work.place(value);
    let ty = machine_type(work.flow.graph.get(value).ty, work.planner.options.precision);
    let mut shape = vec![Size::Constant(u64::from(STEPS))];
    shape.extend(work.layout.axes(place));
    let storage = work.planner.storages.history(ty, shape);
    History { value, place, storage }
}

impl Emitter<'_, '_, '_> {
    /// The slot of a step.
    pub(super) fn slot(&mut self, step: ValueId) -> ValueId {
        let last = self.builder.int(i64::from(STEPS) - 1);
        self.builder.binary(Binary::And, step, last)
    }

    /// What is kept of a value in a slot, at the present element.
    pub(super) fn kept(&mut self, history: &History, slot: ValueId) -> ValueId {
        let index = self.kept_index(history, slot);
        let buffer = self.buffer(history.storage, Access::Read);
        self.builder.load(buffer, index)
    }

    /// Keeps a value of this step, by its number.
    pub(in crate::plan) fn keep_history(&mut self, number: usize) {
        let lazy = self.work.lazy.as_ref();
        let Some(history) = lazy.and_then(|lazy| lazy.histories.get(number)).copied() else {
            crate::ice!("nothing is kept by the number {number}")
        };
        let value = self.value(history.value);
        let step = self.scalar_value(ScalarSource::Step, Type::I64);
        let slot = self.slot(step);
        let index = self.kept_index(&history, slot);
        let buffer = self.buffer(history.storage, Access::Write);
        self.builder.store(buffer, index, value, None);
    }

    fn kept_index(&mut self, history: &History, slot: ValueId) -> ValueId {
        match self.work.layout.count(history.place.at) {
            Some(count) => {
                let size = self.count(count);
                let first = self.builder.mul(slot, size);
                let inner = self.index(history.place, 0, 1);
                self.builder.add(first, inner)
            }
            None => slot,
        }
    }
}

/// The lists of the postsynaptic neurons that spiked in the last steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Events {
    /// The neurons, `[STEPS, post]`.
    list: StorageId,
    /// How many, `[STEPS]`.
    counts: StorageId,
}

impl Events {
    pub(super) fn new(work: &mut Work<'_, '_>) -> Self {
        let steps = Size::Constant(u64::from(STEPS));
        let storages = &mut work.planner.storages;
        let list = storages.once(
            Role::EventHistory(Side::Post),
            "%post_event_history",
            Type::I32,
            vec![steps, Size::Count(Count::Post)],
        );
        let counts =
            storages.once(Role::EventCounts(Side::Post), "%post_event_counts", Type::I64, vec![steps]);
        Self { list, counts }
    }

    /// The launch that puts this step's list away.
    pub(super) fn append(self, work: &mut Work<'_, '_>, key: Key) -> Launch {
        let name = format!("{}_remember", work.name);
        let mut emitter = Emitter::new(work, key, name, SpaceKind::Single);
        emitter.builder.doc("keeps the list of spiking postsynaptic neurons");
        emitter.set_space(vec![Extent::Constant(1)], 1);
        let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
        let slot = emitter.slot(step);
        let count = emitter.scalar_value(ScalarSource::EventCount(Side::Post), Type::I64);
        let neurons = emitter.count(Count::Post);
        let first = emitter.builder.mul(slot, neurons);
        let zero = emitter.builder.int(0);
        let block = index(&mut emitter, "block");
        emitter.enter();
        let counts = emitter.buffer(self.counts, Access::Write);
        emitter.builder.store(counts, slot, count, None);
        let event = index(&mut emitter, "event");
        emitter.enter();
        let present = emitter.work.planner.storages.events(Side::Post);
        let present = emitter.buffer(present, Access::Read);
        let neuron = emitter.builder.load(present, event);
        let list = emitter.buffer(self.list, Access::Write);
        let at = emitter.builder.add(first, event);
        emitter.builder.store(list, at, neuron, None);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Lanes, event, Some(zero), Some(count), body);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
        emitter.finish()
    }

    /// How many neurons spiked in the step of a slot.
    pub(super) fn count(self, emitter: &mut Emitter<'_, '_, '_>, slot: ValueId) -> ValueId {
        let counts = emitter.buffer(self.counts, Access::Read);
        emitter.builder.load(counts, slot)
    }

    /// A neuron of the lists.
    pub(super) fn neuron(self, emitter: &mut Emitter<'_, '_, '_>, at: ValueId) -> ValueId {
        let list = emitter.buffer(self.list, Access::Read);
        let column = emitter.builder.load(list, at);
        let column = emitter.builder.convert(kernel::Conversion::Unsigned, Type::I64, column);
        emitter.builder.name(column, "j");
        column
    }
}
