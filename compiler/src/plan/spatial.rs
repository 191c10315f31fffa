//! Convolutions, with shared weights and without: the pass over their synapses, and the loops that reduce over them.
//!
//! A synapse is a kernel index of an output: of an output channel where weights are shared, of a postsynaptic neuron where
//! they are not. Which presynaptic neuron it reads follows from the kernel index and the position by tables. In the
//! padding there is none: such a value is +0.

use super::element::At;
use super::emit::Emitter;
use super::lanes::write_batched;
use super::layout::Where;
use super::neuron::{block_range, push_loop};
use super::program::{Count, Launch, Size, Table};
use super::rows::{describe, index, pass_name};
use super::section::Work;
use super::stage::Key;
use crate::ir::ExprId;
use crate::kernel::{
    Binary, Compare, LoopKind, Order, ReduceOp, RowSet, Side, Slot, SpaceKind, Term, ValueId,
};

/// Postsynaptic neurons of a block, where each has a kernel of its own.
const NEURONS_PER_BLOCK: u32 = 32;

/// A synapse, or a pair, of a spatial group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    /// The output channel.
    pub(super) output: ValueId,
    /// The kernel index.
    pub(super) kernel: ValueId,
    /// The position; none for a shared synapse.
    pub(super) position: Option<ValueId>,
    /// The postsynaptic neuron; none for a shared synapse.
    pub(super) post: Option<ValueId>,
}

/// The pass over all synapses.
pub(super) fn launch(work: &mut Work<'_, '_>, key: Key) -> Launch {
    let shared = work.layout.kind.shares_weights();
    let name = pass_name(work, key, "");
    let writes = work.roots[&key].writes.clone();
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Rows(RowSet::All));
    describe(&mut emitter, key, "all synapses");
    let (count, per_block) = if shared { (Count::PostChannels, 1) } else { (Count::Post, NEURONS_PER_BLOCK) };
    let items = emitter.extent(Size::Count(count));
    emitter.set_space(vec![items], per_block);
    let total = emitter.count(count);
    let (zero, kernel) = (emitter.builder.int(0), emitter.count(Count::Kernel));
    let block = index(&mut emitter, "block");
    emitter.enter();
    let (start, end) = block_range(&mut emitter, block, per_block, total);
    let row = index(&mut emitter, if shared { "output" } else { "j" });
    emitter.enter();
    let (output, position, post) = if shared {
        (row, None, None)
    } else {
        let output = emitter.look_up(Table::PostChannel, row);
        let position = emitter.look_up(Table::PostPosition, row);
        (output, Some(position), Some(row))
    };
    let tap = index(&mut emitter, "k");
    emitter.enter();
    emitter.at = emitter.at_tap(Tap { output, kernel: tap, position, post });
    let roots: Vec<ExprId> = writes.iter().map(|write| write.value).collect();
    write_batched(&mut emitter, key, &roots, &writes, &[]);
    emitter.at = At::default();
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Lanes, tap, Some(zero), Some(kernel), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Serial, row, Some(start), Some(end), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

impl Emitter<'_, '_, '_> {
    fn shares(&self) -> bool {
        self.work.layout.kind.shares_weights()
    }

    /// What owns the kernel of a synapse: the output channel, or the postsynaptic neuron.
    pub(super) fn kernel_owner(&self, tap: Tap) -> ValueId {
        match (self.shares(), tap.post) {
            (true, _) => tap.output,
            (false, Some(post)) => post,
            (false, None) => crate::ice!("an unshared synapse has a postsynaptic neuron"),
        }
    }

    /// The element that a synapse or a pair is.
    fn at_tap(&mut self, tap: Tap) -> At {
        let kernel = self.count(Count::Kernel);
        let owner = self.kernel_owner(tap);
        let first = self.builder.mul(owner, kernel);
        let synapse = self.builder.add(first, tap.kernel);
        At {
            batch: self.at.batch,
            post: tap.post,
            post_channel: Some(tap.output),
            synapse: Some(synapse),
            tap: Some(tap),
            ..At::default()
        }
    }

    /// The input channel of a synapse.
    pub(super) fn input_channel(&mut self, tap: Tap) -> ValueId {
        let first = self.look_up(Table::FirstInput, tap.output);
        let channel = self.look_up(Table::KernelChannel, tap.kernel);
        let channel = self.builder.add(first, channel);
        self.at.pre_channel = Some(channel);
        channel
    }

    /// The presynaptic neuron of a pair, 0 in the padding; whether there is one stands in `at.valid` afterwards.
    pub(super) fn presynaptic(&mut self, tap: Tap) -> ValueId {
        let Some(position) = tap.position else {
            crate::ice!("a shared synapse has many presynaptic neurons")
        };
        let axis = |emitter: &mut Self, at: Table, tap_table: Table, length: Count| {
            let first = emitter.look_up(at, position);
            let offset = emitter.look_up(tap_table, tap.kernel);
            let image = emitter.builder.add(first, offset);
            let length = emitter.count(length);
            emitter.builder.compare(Compare::Below, image, length)
        };
        let inside_y = axis(self, Table::PositionY, Table::KernelY, Count::InputHeight);
        let inside_x = axis(self, Table::PositionX, Table::KernelX, Count::InputWidth);
        let inside = self.builder.binary(Binary::And, inside_y, inside_x);
        let start = self.look_up(Table::InputStart, tap.output);
        let offset = self.look_up(Table::KernelOffset, tap.kernel);
        let at = self.look_up(Table::PositionOffset, position);
        let neuron = self.builder.add(start, offset);
        let neuron = self.builder.add(neuron, at);
        let zero = self.builder.int(0);
        let neuron = self.builder.select(inside, neuron, zero);
        self.builder.name(neuron, "i");
        (self.at.pre, self.at.valid) = (Some(neuron), Some(inside));
        neuron
    }

    /// The sum over the pairs of a shared synapse, by position.
    pub(super) fn pairs(&mut self, id: ExprId, op: ReduceOp) -> ValueId {
        let Some(tap) = self.at.tap else { crate::ice!("a sum over pairs belongs to a synapse") };
        let count = self.count(Count::Positions);
        let position = index(self, "position");
        self.looped(id, (op, Order::Serial256), (position, count), |emitter| {
            let first = emitter.builder.mul(tap.output, count);
            let post = emitter.builder.add(first, position);
            emitter.at = emitter.at_tap(Tap { position: Some(position), post: Some(post), ..tap });
        })
    }

    /// The reduction over the synapses of the present output neuron, or output channel.
    pub(super) fn outputs(&mut self, id: ExprId, op: ReduceOp) -> ValueId {
        let count = self.count(Count::Kernel);
        let (output, position, post) = match self.place(id).at {
            Where::PostChannel => (self.channel(Side::Post), None, None),
            _ => {
                let Some(post) = self.at.post else { crate::ice!("no postsynaptic neuron in this loop") };
                (self.channel(Side::Post), Some(self.look_up(Table::PostPosition, post)), Some(post))
            }
        };
        let kernel = index(self, "k");
        self.looped(id, (op, Order::Serial256), (kernel, count), |emitter| {
            emitter.at = emitter.at_tap(Tap { output, kernel, position, post });
        })
    }

    /// The reduction over the synapses that reach the present input neuron, or input channel: lanes over the output channels
    /// of its group, each of them lanes over the positions, or over the channel's part of the kernel.
    pub(super) fn inputs(&mut self, id: ExprId, op: ReduceOp) -> ValueId {
        let channel = self.channel(Side::Pre);
        let first = self.look_up(Table::FirstOutput, channel);
        let outputs = self.count(Count::OutputsPerGroup);
        let of_neuron = self.place(id).at == Where::Pre;
        let entries = if of_neuron {
            let Some(pre) = self.at.pre else { crate::ice!("no presynaptic neuron in this loop") };
            let one = self.builder.int(1);
            let next = self.builder.add(pre, one);
            let (start, end) = (self.look_up(Table::EntryStart, pre), self.look_up(Table::EntryStart, next));
            let count = self.builder.binary(Binary::Subtract, end, start);
            (start, count)
        } else {
            (self.look_up(Table::KernelStart, channel), self.count(Count::KernelArea))
        };
        let outer_index = index(self, "of_group");
        self.enter();
        let outer = self.at;
        let output = self.builder.add(first, outer_index);
        let sum = self.input_entries(id, op, output, entries, of_neuron);
        self.at = outer;
        let body = self.leave();
        // Counts of the channels add up.
        let op = if op == ReduceOp::Count { ReduceOp::Sum } else { op };
        self.push_reduce(op, Order::Lanes32, outer_index, outputs, body, Term::Value(sum), None)
    }

    /// The part of one output channel.
    fn input_entries(
        &mut self,
        id: ExprId,
        op: ReduceOp,
        output: ValueId,
        (start, count): (ValueId, ValueId),
        of_neuron: bool,
    ) -> ValueId {
        let here = self.at;
        let positions = self.count(Count::Positions);
        let entry = index(self, "entry");
        self.enter();
        let outer = self.at;
        let at = self.builder.add(start, entry);
        let (tap, slot) = if of_neuron {
            let position = self.look_up(Table::EntryPosition, at);
            let kernel = self.look_up(Table::EntryKernel, at);
            let first = self.builder.mul(output, positions);
            let post = self.builder.add(first, position);
            let slot = Slot { index: position, extent: positions };
            (Tap { output, kernel, position: Some(position), post: Some(post) }, Some(slot))
        } else {
            (Tap { output, kernel: at, position: None, post: None }, None)
        };
        self.at = self.at_tap(tap);
        (self.at.pre, self.at.pre_channel) = (here.pre, here.pre_channel);
        let (term, gate) = self.inline_term(id);
        self.at = outer;
        let body = self.leave();
        self.push_slotted(op, Order::Lanes32, entry, count, body, term, gate, slot)
    }
}
