//! When each postsynaptic neuron spiked last: what the rows of a sparse group are replayed from.
//!
//! A row of a sparse group has few of the neurons that spiked in a step, so it goes through its synapses, not through the lists
//! of the steps. A neuron spikes once in a step at most, so that so many times as steps are kept are enough: spike number n of
//! a neuron stands in slot n mod [`STEPS`] of its row.

use super::STEPS;
use crate::kernel::{
    Access, Binary, Carried, Compare, Conversion, Extent, Loop, LoopKind, Side, SpaceKind, Stmt, Type,
    ValueId,
};
use crate::plan::emit::Emitter;
use crate::plan::neuron::push_loop;
use crate::plan::program::{Count, Launch, Role, ScalarSource, Size, StorageId};
use crate::plan::rows::index;
use crate::plan::section::Work;
use crate::plan::stage::Key;

/// The times of the last spikes of each postsynaptic neuron.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The steps, `[post, STEPS]`.
    list: StorageId,
    /// How often each neuron has spiked since nothing lagged behind, `[post]`.
    counts: StorageId,
}

impl Times {
    pub(super) fn new(work: &mut Work<'_, '_>) -> Self {
        let (post, steps) = (Size::Count(Count::Post), Size::Constant(u64::from(STEPS)));
        let storages = &mut work.planner.storages;
        let history = Role::EventHistory(Side::Post);
        let list = storages.once(history, "%post_spike_steps", Type::I64, vec![post, steps]);
        let counts =
            storages.once(Role::EventCounts(Side::Post), "%post_spike_counts", Type::I64, vec![post]);
        Self { list, counts }
    }

    /// The launch that notes this step's spikes.
    pub(super) fn append(self, work: &mut Work<'_, '_>, key: Key) -> Launch {
        let name = format!("{}_remember", work.name);
        let mut emitter = Emitter::new(work, key, name, SpaceKind::Single);
        emitter.builder.doc("keeps the step for each spiking postsynaptic neuron");
        emitter.set_space(vec![Extent::Constant(1)], 1);
        let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
        let events = emitter.scalar_value(ScalarSource::EventCount(Side::Post), Type::I64);
        let (zero, one) = (emitter.builder.int(0), emitter.builder.int(1));
        let block = index(&mut emitter, "block");
        emitter.enter();
        let event = index(&mut emitter, "event");
        emitter.enter();
        let present = emitter.work.planner.storages.events(Side::Post);
        let present = emitter.buffer(present, Access::Read);
        let neuron = emitter.builder.load(present, event);
        let neuron = emitter.builder.convert(Conversion::Unsigned, Type::I64, neuron);
        emitter.builder.name(neuron, "j");
        let counts = emitter.buffer(self.counts, Access::ReadWrite);
        let count = emitter.builder.load(counts, neuron);
        let list = emitter.buffer(self.list, Access::Write);
        let at = place(&mut emitter, neuron, count);
        emitter.builder.store(list, at, step, None);
        let next = emitter.builder.add(count, one);
        emitter.builder.store(counts, neuron, next, None);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Serial, event, Some(zero), Some(events), body);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
        emitter.finish()
    }

    /// The numbers of the spikes of a neuron after the step `mark`: the first, and one past the last.
    pub(super) fn after(
        self,
        emitter: &mut Emitter<'_, '_, '_>,
        neuron: ValueId,
        mark: ValueId,
    ) -> (ValueId, ValueId) {
        let counts = emitter.buffer(self.counts, Access::Read);
        let count = emitter.builder.load(counts, neuron);
        let most = emitter.builder.int(i64::from(STEPS));
        let kept = emitter.builder.binary(Binary::Min, count, most);
        let (zero, one) = (emitter.builder.int(0), emitter.builder.int(1));
        let back = index(emitter, "back");
        let (before, first) = (emitter.builder.defined(Type::I64), emitter.builder.defined(Type::I64));
        emitter.enter();
        let candidate = emitter.builder.sub(before, one);
        let step = self.step(emitter, neuron, candidate);
        let known = emitter.builder.compare(Compare::LessEqual, step, mark);
        let next = emitter.builder.select(known, before, candidate);
        let body = emitter.leave();
        emitter.builder.push(Stmt::For(Loop {
            kind: LoopKind::Serial,
            index: back,
            start: Some(zero),
            end: Some(kept),
            carried: vec![Carried { value: before, initial: count, next, result: first }],
            exit: Some(known),
            body,
        }));
        (first, count)
    }

    /// The step of a spike.
    pub(super) fn step(self, emitter: &mut Emitter<'_, '_, '_>, neuron: ValueId, number: ValueId) -> ValueId {
        let list = emitter.buffer(self.list, Access::Read);
        let at = place(emitter, neuron, number);
        emitter.builder.load(list, at)
    }
}

/// Where spike number `number` of a neuron stands.
fn place(emitter: &mut Emitter<'_, '_, '_>, neuron: ValueId, number: ValueId) -> ValueId {
    let steps = emitter.builder.int(i64::from(STEPS));
    let first = emitter.builder.mul(neuron, steps);
    let slot = emitter.slot(number);
    emitter.builder.add(first, slot)
}
