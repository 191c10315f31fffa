//! In which steps each postsynaptic neuron spiked: what the rows of a sparse group are replayed from.
//!
//! A row of a sparse group has few of the neurons that spiked in a step, so it goes through its synapses, not through the lists
//! of the steps. A word has a bit for each of 64 steps; the words of all neurons for the same steps lie side by side, so that
//! a few hundred kilobytes hold all spikes that 10,000 neurons may have had.

use super::STEPS;
use crate::kernel::{
    self, Access, Binary, BufferId, Carried, Compare, Conversion, Extent, Loop, LoopKind, Side, SpaceKind,
    Stmt, Type, ValueId,
};
use crate::plan::emit::Emitter;
use crate::plan::neuron::push_loop;
use crate::plan::program::{Count, Launch, Role, ScalarSource, Size, StorageId};
use crate::plan::rows::{Row, index, stand_at};
use crate::plan::section::Work;
use crate::plan::stage::Key;
use crate::plan::strips;

/// Steps of a word.
const WORD: i64 = 64;
/// log2 of that.
const SHIFT: i64 = 6;
/// Words of a neuron: [`STEPS`] steps may begin and end in the middle of one. A power of two.
const WORDS: i64 = 2 * STEPS as i64 / WORD;

/// A bit for each step and postsynaptic neuron.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    /// `[WORDS, post]`; the word of the steps 64 n to 64 n + 63 is number n mod WORDS.
    words: StorageId,
    /// Which n that is, `[WORDS]`.
    numbers: StorageId,
    listed: Listed,
}

impl Bits {
    pub(super) fn new(work: &mut Work<'_, '_>) -> Self {
        let words = Size::Constant(WORDS as u64);
        let storages = &mut work.planner.storages;
        let shape = vec![words, Size::Count(Count::Post)];
        let history = storages.once(Role::EventHistory(Side::Post), "%post_spike_bits", Type::I64, shape);
        let counts = Role::EventCounts(Side::Post);
        let numbers = storages.once(counts, "%post_spike_words", Type::I64, vec![words]);
        Self { words: history, numbers, listed: Listed::new(work) }
    }

    /// The launch that notes this step's spikes.
    pub(super) fn append(self, work: &mut Work<'_, '_>, key: Key) -> Launch {
        let name = format!("{}_remember", work.name);
        let mut emitter = Emitter::new(work, key, name, SpaceKind::Single);
        emitter.builder.doc("keeps a bit for each spiking postsynaptic neuron");
        emitter.set_space(vec![Extent::Constant(1)], 1);
        let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
        let events = emitter.scalar_value(ScalarSource::EventCount(Side::Post), Type::I64);
        let neurons = emitter.count(Count::Post);
        let (zero, one) = (emitter.builder.int(0), emitter.builder.int(1));
        let number = word_of(&mut emitter, step);
        let slot = slot_of(&mut emitter, number);
        let first = emitter.builder.mul(slot, neurons);
        let bit = bit_of(&mut emitter, step);
        let bit = emitter.builder.binary(Binary::ShiftLeft, one, bit);
        let block = index(&mut emitter, "block");
        emitter.enter();
        // The first step of a word, or the first in which anything is kept.
        let numbers = emitter.buffer(self.numbers, Access::ReadWrite);
        let known = emitter.builder.load(numbers, slot);
        let other = emitter.builder.compare(Compare::NotEqual, known, number);
        let words = emitter.buffer(self.words, Access::ReadWrite);
        emitter.enter();
        emitter.builder.store(numbers, slot, number, None);
        let neuron = index(&mut emitter, "j");
        emitter.enter();
        let at = emitter.builder.add(first, neuron);
        emitter.builder.store(words, at, zero, None);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Lanes, neuron, Some(zero), Some(neurons), body);
        let then = emitter.leave();
        emitter.builder.push(Stmt::If { condition: other, then, otherwise: Vec::new(), results: Vec::new() });
        let event = index(&mut emitter, "event");
        emitter.enter();
        let present = emitter.work.planner.storages.events(Side::Post);
        let present = emitter.buffer(present, Access::Read);
        let neuron = emitter.builder.load(present, event);
        let neuron = emitter.builder.convert(Conversion::Unsigned, Type::I64, neuron);
        let at = emitter.builder.add(first, neuron);
        let before = emitter.builder.load(words, at);
        let after = emitter.builder.binary(Binary::Or, before, bit);
        emitter.builder.store(words, at, after, None);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Serial, event, Some(zero), Some(events), body);
        let body = emitter.leave();
        push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
        emitter.finish()
    }

    /// A loop over the words of the steps `first .. end`, with where the words of all neurons begin, the first step, and the
    /// bits of the steps.
    pub(super) fn over_words(
        self,
        emitter: &mut Emitter<'_, '_, '_>,
        (first, end): (ValueId, ValueId),
        body: impl FnOnce(&mut Emitter<'_, '_, '_>, WordOfAll),
    ) {
        let (zero, one, all) = (emitter.builder.int(0), emitter.builder.int(1), emitter.builder.int(-1));
        let neurons = emitter.count(Count::Post);
        let last = emitter.builder.sub(end, one);
        let first_word = word_of(emitter, first);
        let last_word = word_of(emitter, last);
        let any = emitter.builder.compare(Compare::Less, first, end);
        let end_word = emitter.builder.add(last_word, one);
        let end_word = emitter.builder.select(any, end_word, first_word);
        let number = index(emitter, "word");
        emitter.enter();
        let slot = slot_of(emitter, number);
        let begin = emitter.builder.mul(slot, neurons);
        let shift = emitter.builder.int(SHIFT);
        let step = emitter.builder.binary(Binary::ShiftLeft, number, shift);
        // Of the first and the last word only a part.
        let builder = &mut emitter.builder;
        let skipped = builder.sub(first, step);
        let skipped = builder.binary(Binary::Max, skipped, zero);
        let from = builder.binary(Binary::ShiftLeft, all, skipped);
        let highest = builder.int(WORD - 1);
        let beyond = builder.sub(last, step);
        let beyond = builder.binary(Binary::Min, beyond, highest);
        let beyond = builder.sub(highest, beyond);
        let until = builder.binary(Binary::ShiftRight, all, beyond);
        let mask = builder.binary(Binary::And, from, until);
        body(emitter, WordOfAll { begin, step, mask });
        let inner = emitter.leave();
        push_loop(emitter, LoopKind::Serial, number, Some(first_word), Some(end_word), inner);
    }

    /// What is done for each step of a word in which the neuron of a synapse spiked, in their order, in one row.
    ///
    /// Whether a neuron spiked cannot be foretold, and a branch that goes wrong costs more than a spike. So the synapses whose
    /// neurons spiked are listed first, without a branch; then, round by round, each of them has one spike, and those
    /// that have more are listed again.
    pub(super) fn over_spikes(
        self,
        emitter: &mut Emitter<'_, '_, '_>,
        word: WordOfAll,
        (row, block): (Row, ValueId),
        body: impl FnOnce(&mut Emitter<'_, '_, '_>, ValueId),
    ) {
        let listed = self.listed.at(emitter, block);
        strips::each(emitter, row.count, |emitter, strip| {
            let words = emitter.buffer(self.words, Access::Read);
            let count = compacting(emitter, "entry", (strip.start, strip.end), |emitter, entry, count| {
                let column = stand_at(emitter, row, entry);
                let at = emitter.builder.add(word.begin, column);
                let spikes = emitter.builder.load(words, at);
                let spikes = emitter.builder.binary(Binary::And, spikes, word.mask);
                listed.store(emitter, count, (entry, spikes))
            });
            let (zero, one, most) =
                (emitter.builder.int(0), emitter.builder.int(1), emitter.builder.int(WORD));
            let round = index(emitter, "round");
            let (left, none) = (emitter.builder.defined(Type::I64), emitter.builder.defined(Type::I64));
            emitter.enter();
            let next = compacting(emitter, "listed", (zero, left), |emitter, number, count| {
                let (entry, spikes) = listed.load(emitter, number);
                let place = emitter.builder.unary(kernel::Unary::TrailingZeros, spikes);
                let step = emitter.builder.add(word.step, place);
                emitter.builder.name(step, "s");
                stand_at(emitter, row, entry);
                body(emitter, step);
                let before = emitter.builder.sub(spikes, one);
                let more = emitter.builder.binary(Binary::And, spikes, before);
                listed.store(emitter, count, (entry, more))
            });
            let done = emitter.builder.compare(Compare::Equal, next, zero);
            let inner = emitter.leave();
            emitter.builder.push(Stmt::For(Loop {
                kind: LoopKind::Serial,
                index: round,
                start: Some(zero),
                end: Some(most),
                carried: vec![Carried { value: left, initial: count, next, result: none }],
                exit: Some(done),
                body: inner,
            }));
        });
    }
}

/// Synapses of a strip of a row that have spikes, and behind them the spikes: room for each block of rows.
#[derive(Clone, Copy, Debug)]
struct Listed(StorageId);

impl Listed {
    const WIDTH: u64 = 2 * strips::COLUMNS;

    fn new(work: &mut Work<'_, '_>) -> Self {
        Self(work.planner.storages.scratch(Type::I64, strips::of_blocks(Self::WIDTH)))
    }

    fn at(self, emitter: &mut Emitter<'_, '_, '_>, block: ValueId) -> ListedAt {
        let width = emitter.builder.int(Self::WIDTH as i64);
        let first = emitter.builder.mul(block, width);
        ListedAt { first, buffer: emitter.buffer(self.0, Access::ReadWrite) }
    }
}

/// Those of a block.
#[derive(Clone, Copy)]
struct ListedAt {
    first: ValueId,
    buffer: BufferId,
}

impl ListedAt {
    /// Where a synapse and its spikes stand.
    fn places(self, emitter: &mut Emitter<'_, '_, '_>, number: ValueId) -> [ValueId; 2] {
        let entry = emitter.builder.add(self.first, number);
        let behind = emitter.builder.int(strips::COLUMNS as i64);
        [entry, emitter.builder.add(entry, behind)]
    }

    fn load(self, emitter: &mut Emitter<'_, '_, '_>, number: ValueId) -> (ValueId, ValueId) {
        let [entry, spikes] = self.places(emitter, number);
        (emitter.builder.load(self.buffer, entry), emitter.builder.load(self.buffer, spikes))
    }

    /// Puts a synapse behind `count` others, and gives how many there are with it: no more, if it has no spikes.
    fn store(
        self,
        emitter: &mut Emitter<'_, '_, '_>,
        count: ValueId,
        (entry, spikes): (ValueId, ValueId),
    ) -> ValueId {
        let [entry_at, spikes_at] = self.places(emitter, count);
        let builder = &mut emitter.builder;
        builder.store(self.buffer, entry_at, entry, None);
        builder.store(self.buffer, spikes_at, spikes, None);
        let zero = builder.int(0);
        let any = builder.compare(Compare::NotEqual, spikes, zero);
        let any = builder.convert(Conversion::Value, Type::I64, any);
        builder.add(count, any)
    }
}

/// A loop that lists some of what it goes through. `body` is given how many there are so far, and gives how many there are then;
/// the loop gives how many there are in the end.
fn compacting(
    emitter: &mut Emitter<'_, '_, '_>,
    name: &str,
    (start, end): (ValueId, ValueId),
    body: impl FnOnce(&mut Emitter<'_, '_, '_>, ValueId, ValueId) -> ValueId,
) -> ValueId {
    let zero = emitter.builder.int(0);
    let number = index(emitter, name);
    let (value, result) = (emitter.builder.defined(Type::I64), emitter.builder.defined(Type::I64));
    emitter.enter();
    let outer = emitter.at;
    let next = body(emitter, number, value);
    emitter.at = outer;
    let inner = emitter.leave();
    emitter.builder.push(Stmt::For(Loop {
        kind: LoopKind::Serial,
        index: number,
        start: Some(start),
        end: Some(end),
        carried: vec![Carried { value, initial: zero, next, result }],
        exit: None,
        body: inner,
    }));
    result
}

/// The words of all neurons for 64 steps.
#[derive(Clone, Copy)]
pub(super) struct WordOfAll {
    /// That of neuron 0.
    begin: ValueId,
    /// The step of the lowest bit.
    step: ValueId,
    /// The bits of the steps that are asked for.
    mask: ValueId,
}

/// The number of the word that has a step.
fn word_of(emitter: &mut Emitter<'_, '_, '_>, step: ValueId) -> ValueId {
    let shift = emitter.builder.int(SHIFT);
    emitter.builder.binary(Binary::ShiftRight, step, shift)
}

/// Where a word stands.
fn slot_of(emitter: &mut Emitter<'_, '_, '_>, number: ValueId) -> ValueId {
    let last = emitter.builder.int(WORDS - 1);
    emitter.builder.binary(Binary::And, number, last)
}

/// The place of a step in its word.
fn bit_of(emitter: &mut Emitter<'_, '_, '_>, step: ValueId) -> ValueId {
    let last = emitter.builder.int(WORD - 1);
    emitter.builder.binary(Binary::And, step, last)
}
