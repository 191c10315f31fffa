//! Which neurons spike in any element of a batch.
//!
//! A synapse that the batch shares changes where a neuron of its spikes in some element. A plan that looks at the rows and
//! columns of spiking neurons therefore goes by what is found here, in launches of its own: a flag for each neuron, and on
//! a dense group the list of the postsynaptic ones.

use super::columns;
use super::element::At;
use super::emit::Emitter;
use super::events::Variant;
use super::lanes::write_batched;
use super::layout::Place;
use super::neuron::{block_range, push_loop};
use super::program::{Action, Count, Launch, Size, StorageId};
use super::rows::{Level, describe, index, of_level, pass_name, variant_roots};
use super::section::Work;
use super::stage::Key;
use super::storage::side_word;
use crate::kernel::{self, Access, Binary, Conversion, Extent, LoopKind, Side, SpaceKind, Type, Unary};
use crate::topology::Kind;

/// Neurons of a block.
const NEURONS_PER_BLOCK: u32 = 4096;

/// Where the launches leave what they find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    /// For each neuron of a side whether it spikes in some element.
    flags: [StorageId; 2],
    /// The postsynaptic neurons that do, ascending, and how many there are.
    list: Option<(StorageId, StorageId)>,
}

impl Touched {
    /// Room for what the launches find.
    pub(super) fn new(work: &mut Work<'_, '_>) -> Self {
        let dense = work.layout.kind == Kind::Dense;
        let storages = &mut work.planner.storages;
        let count = |side| Size::Count(count_of(side));
        let flags = [Side::Pre, Side::Post].map(|side| storages.scratch(Type::Bool, vec![count(side)]));
        let list = dense.then(|| {
            let list = storages.scratch(Type::I32, vec![count(Side::Post)]);
            (list, storages.scratch(Type::I64, vec![Size::Constant(1)]))
        });
        Self { flags, list }
    }

    /// The flags of a side.
    pub(super) fn flags(&self, side: Side) -> StorageId {
        self.flags[side as usize]
    }

    /// The list of postsynaptic neurons and its length; of a dense group.
    pub(super) fn list(&self) -> (StorageId, StorageId) {
        self.list.unwrap_or_else(|| crate::ice!("columns are listed on dense groups"))
    }

    /// What finds them out, in front of the pass.
    pub(super) fn launches(&self, work: &mut Work<'_, '_>, key: Key) -> Vec<Action> {
        let mut launches =
            vec![flag(work, key, Side::Pre, self.flags[0]), flag(work, key, Side::Post, self.flags[1])];
        if let Some((list, count)) = self.list {
            launches.push(listed(work, key, self.flags[1], list, count));
        }
        launches.into_iter().map(Action::Launch).collect()
    }
}

fn count_of(side: Side) -> Count {
    match side {
        Side::Pre => Count::Pre,
        Side::Post => Count::Post,
    }
}

/// The flags of a side.
fn flag(work: &mut Work<'_, '_>, key: Key, side: Side, into: StorageId) -> Launch {
    let name = pass_name(work, key, &format!("_{}_in_batch", side_word(side)));
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Neurons(side));
    emitter.builder.doc("which neurons spike in some element of the batch");
    let items = emitter.extent(Size::Count(count_of(side)));
    emitter.set_space(vec![items], NEURONS_PER_BLOCK);
    let (total, batches) = (emitter.count(count_of(side)), emitter.count(Count::Batch));
    let spikes = emitter.work.planner.storages.spikes(side);
    let (spikes, into) = (emitter.buffer(spikes, Access::Read), emitter.buffer(into, Access::Write));
    let (zero, never) = (emitter.builder.int(0), emitter.builder.boolean(false));
    let block = index(&mut emitter, "block");
    emitter.enter();
    let (start, end) = block_range(&mut emitter, block, NEURONS_PER_BLOCK, total);
    let neuron = index(&mut emitter, if side == Side::Pre { "i" } else { "j" });
    emitter.enter();
    let any = emitter.builder.carry(zero, batches, &[never], |builder, batch, any| {
        let first = builder.mul(batch, total);
        let at = builder.add(first, neuron);
        let spike = builder.load(spikes, at);
        (vec![builder.binary(Binary::Or, any[0], spike)], None)
    });
    emitter.builder.store(into, neuron, any[0], None);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Lanes, neuron, Some(start), Some(end), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

/// The list of those that have a flag.
fn listed(work: &mut Work<'_, '_>, key: Key, flags: StorageId, list: StorageId, count: StorageId) -> Launch {
    let name = pass_name(work, key, "_list_of_batch");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Single);
    emitter.builder.doc("the neurons that spike in some element of the batch, as a list");
    emitter.set_space(vec![Extent::Constant(1)], 1);
    let total = emitter.count(Count::Post);
    let [flags, list, count] = [(flags, Access::Read), (list, Access::Write), (count, Access::Write)]
        .map(|(storage, access)| emitter.buffer(storage, access));
    let zero = emitter.builder.int(0);
    let block = index(&mut emitter, "block");
    emitter.enter();
    let found = emitter.builder.carry(zero, total, &[zero], |builder, neuron, found| {
        let flag = builder.load(flags, neuron);
        let word = builder.convert(Conversion::Value, Type::I32, neuron);
        builder.store(list, found[0], word, Some(flag));
        let more = builder.convert(Conversion::Value, Type::I64, flag);
        (vec![builder.add(found[0], more)], None)
    });
    emitter.builder.store(count, zero, found[0], None);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

/// The columns with a flag of a sparse group. Synapses of rows with a flag have been taken care of.
pub(super) fn columns(work: &mut Work<'_, '_>, key: Key, variant: &Variant, touched: &Touched) -> Launch {
    let name = pass_name(work, key, "_columns");
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Columns);
    describe(&mut emitter, key, "spiking columns, without the rows of spiking neurons");
    let items = emitter.extent(Size::Count(Count::Post));
    emitter.set_space(vec![items], columns::COLUMNS_PER_BLOCK);
    let total = emitter.count(Count::Post);
    let roots = variant_roots(&emitter, variant);
    let (zero, one) = (emitter.builder.int(0), emitter.builder.int(1));
    let block = index(&mut emitter, "block");
    emitter.enter();
    let top = of_level(&mut emitter, key, &roots, Level::Launch);
    emitter.emit_all(top);
    let (start, end) = block_range(&mut emitter, block, columns::COLUMNS_PER_BLOCK, total);
    let column = index(&mut emitter, "j");
    emitter.enter();
    emitter.at = At { post: Some(column), ..At::default() };
    let spikes = emitter.load(touched.flags(Side::Post), Place::neuron(Side::Post), 0, 1);
    emitter.enter();
    columns::each_synapse(&mut emitter, column, (zero, one), |emitter| {
        let spike = emitter.load(touched.flags(Side::Pre), Place::neuron(Side::Pre), 0, 1);
        let silent = emitter.builder.unary(Unary::Not, spike);
        emitter.enter();
        write_batched(emitter, key, &roots, &variant.writes, &[]);
        let then = emitter.leave();
        when(emitter, silent, then);
    });
    let then = emitter.leave();
    when(&mut emitter, spikes, then);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Serial, column, Some(start), Some(end), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

fn when(emitter: &mut Emitter<'_, '_, '_>, condition: kernel::ValueId, then: kernel::Block) {
    emitter.builder.push(kernel::Stmt::If { condition, then, otherwise: Vec::new(), results: Vec::new() });
}
