//! What every step leaves for rows that lag behind: the numbers of the group, and the virtual rows.

use std::collections::{BTreeSet, HashMap};

use super::{Closed, Entry, PRE, STEPS};
use crate::ir::{BinaryOp, ExprId, ExprKind, Type as RuleType, UnaryOp};
use crate::kernel::{
    self, Access, Binary, Compare, Conversion, Extent, LoopKind, Side, SpaceKind, Type, ValueId,
};
use crate::pass::affine::Drive;
use crate::plan::emit::Emitter;
use crate::plan::neuron::{block_range, push_loop};
use crate::plan::program::{Count, Launch, ScalarSource, Size, StorageId};
use crate::plan::rows::{Level, index, of_level};
use crate::plan::section::Work;
use crate::plan::stage::Key;

/// Neurons of a block.
const NEURONS_PER_BLOCK: u32 = 1024;

/// The values of a coefficient that a launch is given; what is made of them it computes in f64.
pub(super) fn leaves(work: &Work<'_, '_>, root: ExprId) -> Vec<ExprId> {
    let composed = composed(work, root);
    let mut leaves: BTreeSet<ExprId> = BTreeSet::new();
    for &id in &composed {
        leaves
            .extend(work.flow.graph.get(id).kind.operands().into_iter().filter(|id| !composed.contains(id)));
    }
    if composed.is_empty() {
        leaves.insert(root);
    }
    leaves.into_iter().collect()
}

/// What is made of the leaves, operands first: they are older in a graph than what uses them.
fn composed(work: &Work<'_, '_>, root: ExprId) -> BTreeSet<ExprId> {
    let (mut open, mut composed) = (vec![root], BTreeSet::new());
    while let Some(id) = open.pop() {
        if is_composed(work, id) && composed.insert(id) {
            open.extend(work.flow.graph.get(id).kind.operands());
        }
    }
    composed
}

/// Whether a coefficient is put together here, and not a value that some variable takes.
fn is_composed(work: &Work<'_, '_>, id: ExprId) -> bool {
    let expr = work.flow.graph.get(id);
    let arithmetic = matches!(
        expr.kind,
        ExprKind::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide, ..)
            | ExprKind::Unary(UnaryOp::Negate, _)
            | ExprKind::Select(..)
            | ExprKind::Gate(..)
    );
    arithmetic && expr.ty == RuleType::Real && !work.flow.writes.iter().any(|write| write.value == id)
}

impl Emitter<'_, '_, '_> {
    /// A coefficient in f64. Its leaves have been written.
    fn precise(&mut self, root: ExprId) -> ValueId {
        let mut known: HashMap<ExprId, ValueId> = HashMap::new();
        let of = |emitter: &mut Self, known: &HashMap<ExprId, ValueId>, id: ExprId| match known.get(&id) {
            Some(value) => *value,
            None => {
                let value = emitter.value(id);
                emitter.in_f64(value)
            }
        };
        for id in composed(self.work, root) {
            let value = match self.work.flow.graph.get(id).kind.clone() {
                ExprKind::Unary(_, a) => {
                    let a = of(self, &known, a);
                    self.builder.unary(kernel::Unary::Negate, a)
                }
                ExprKind::Binary(op, a, b) => {
                    let (a, b) = (of(self, &known, a), of(self, &known, b));
                    self.builder.binary(crate::plan::words::binary(op), a, b)
                }
                ExprKind::Select(condition, a, b) => {
                    let condition = self.value(condition);
                    let (a, b) = (of(self, &known, a), of(self, &known, b));
                    self.builder.select(condition, a, b)
                }
                ExprKind::Gate(condition, a) => {
                    let condition = self.value(condition);
                    let (a, zero) = (of(self, &known, a), self.builder.real(Type::F64, 0.0));
                    self.builder.select(condition, a, zero)
                }
                kind => crate::ice!("{kind:?} is not put together here"),
            };
            known.insert(id, value);
        }
        of(self, &known, root)
    }

    pub(super) fn in_f64(&mut self, value: ValueId) -> ValueId {
        if self.builder.ty(value) == Type::F64 {
            return value;
        }
        self.builder.convert(Conversion::Value, Type::F64, value)
    }

    /// d_r in f64. Its leaves have been written.
    pub(super) fn decay(&mut self, drive: &Drive) -> ValueId {
        let mut product = None;
        for &decay in &drive.decays {
            let decay = self.precise(decay);
            product = Some(match product {
                Some(product) => self.builder.mul(product, decay),
                None => decay,
            });
        }
        product.unwrap_or_else(|| self.builder.real(Type::F64, 1.0))
    }

    /// x_r of the present row, as it is after the step, in f64.
    pub(super) fn product_of_traces(&mut self, drive: &Drive) -> ValueId {
        let mut product = None;
        for &(variable, element) in &drive.factors {
            let length = self.work.planner.rule.variables[variable].elements();
            let storage = self.work.planner.storages.variable(variable);
            let value = self.load(storage, PRE, element, length);
            let value = self.in_f64(value);
            product = Some(match product {
                Some(product) => self.builder.mul(product, value),
                None => value,
            });
        }
        product.unwrap_or_else(|| self.builder.real(Type::F64, 1.0))
    }

    /// The slot of a step.
    pub(super) fn slot_of(&mut self, step: ValueId) -> ValueId {
        let last = self.builder.int(i64::from(STEPS) - 1);
        self.builder.binary(Binary::And, step, last)
    }

    /// A number of a ring in f64.
    pub(super) fn recall(&mut self, ring: StorageId, slot: ValueId) -> ValueId {
        let buffer = self.buffer(ring, Access::Read);
        self.builder.load(buffer, slot)
    }

    /// The first step of the block that a step lies in, or of all blocks.
    pub(super) fn block_start(&mut self, closed: &Closed, step: ValueId) -> ValueId {
        let length = self.scalar_value(ScalarSource::Prologue(closed.block), Type::F64);
        // The quotient of whole numbers below 2^53, rounded down, is exact.
        let step = self.builder.convert(Conversion::Value, Type::F64, step);
        let quotient = self.builder.div(step, length);
        let quotient = self.builder.unary(kernel::Unary::Floor, quotient);
        let start = self.builder.mul(quotient, length);
        let start = self.builder.convert(Conversion::Value, Type::I64, start);
        let one = self.builder.int(1);
        self.builder.binary(Binary::Max, start, one)
    }
}

/// f_r and the entries of A of this step. Nothing where all of them are fixed.
pub(super) fn of_group(work: &mut Work<'_, '_>, key: Key, closed: &Closed) -> Option<Launch> {
    let entries: Vec<(StorageId, ExprId)> = closed
        .matrix
        .iter()
        .flatten()
        .filter_map(|entry| match entry {
            Entry::Kept(storage, id) => Some((*storage, *id)),
            Entry::Zero | Entry::One => None,
        })
        .collect();
    if entries.is_empty() && closed.factors.iter().all(Option::is_none) {
        return None;
    }
    let name = format!("{}_factors", work.name);
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Single);
    emitter.builder.doc("keeps how rows without a spike change, as far as that is the same for all of them");
    emitter.set_space(vec![Extent::Constant(1)], 1);
    let block = index(&mut emitter, "block");
    emitter.enter();
    let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
    let slot = emitter.slot_of(step);
    let mut roots: Vec<ExprId> = entries.iter().flat_map(|&(_, id)| leaves(emitter.work, id)).collect();
    for drive in &closed.affine.drives {
        roots.extend(drive.decays.iter().flat_map(|&decay| leaves(emitter.work, decay)));
    }
    let closure = emitter.work.closure(key, &roots);
    emitter.emit_all(closure);
    for (storage, id) in entries {
        let value = emitter.precise(id);
        let buffer = emitter.buffer(storage, Access::Write);
        emitter.builder.store(buffer, slot, value, None);
    }
    let start = emitter.block_start(closed, step);
    let starts = emitter.builder.compare(Compare::Equal, start, step);
    let one = emitter.builder.int(1);
    let before = emitter.builder.sub(step, one);
    let before = emitter.slot_of(before);
    for (drive, ring) in closed.affine.drives.iter().zip(&closed.factors) {
        let Some(ring) = *ring else { continue };
        let decay = emitter.decay(drive);
        let buffer = emitter.buffer(ring, Access::ReadWrite);
        let last = emitter.builder.load(buffer, before);
        let next = emitter.builder.mul(last, decay);
        let one = emitter.builder.real(Type::F64, 1.0);
        let factor = emitter.builder.select(starts, one, next);
        emitter.builder.store(buffer, slot, factor, None);
    }
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    Some(emitter.finish())
}

/// The virtual rows of this step. Nothing where nothing is added to a silent row.
pub(super) fn of_neurons(work: &mut Work<'_, '_>, key: Key, closed: &Closed) -> Option<Launch> {
    if closed.rings.iter().flatten().all(Option::is_none) {
        return None;
    }
    let name = format!("{}_virtual_rows", work.name);
    let mut emitter = Emitter::new(work, key, name, SpaceKind::Neurons(Side::Post));
    emitter
        .builder
        .doc("keeps what every row without a spike is given, for a trace that began the block as 1");
    let items = emitter.extent(Size::Count(Count::Post));
    emitter.set_space(vec![items], NEURONS_PER_BLOCK);
    let total = emitter.count(Count::Post);
    let block = index(&mut emitter, "block");
    emitter.enter();
    let (first, end) = block_range(&mut emitter, block, NEURONS_PER_BLOCK, total);
    let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
    let (slot, one) = (emitter.slot_of(step), emitter.builder.int(1));
    let before = emitter.builder.sub(step, one);
    let before = emitter.slot_of(before);
    let start = emitter.block_start(closed, step);
    let starts = emitter.builder.compare(Compare::Equal, start, step);
    let slots = [slot, before].map(|slot| emitter.builder.mul(slot, total));
    let inputs: Vec<ExprId> =
        closed.affine.drives.iter().flat_map(|drive| drive.inputs.iter().flatten().copied()).collect();
    let top = of_level(&mut emitter, key, &inputs, Level::Launch);
    emitter.emit_all(top);
    let step = Step { closed, key, slot, slots, starts };
    for (number, drive) in closed.affine.drives.iter().enumerate() {
        step.virtual_row(&mut emitter, number, drive, (first, end));
    }
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    Some(emitter.finish())
}

/// The present step, for virtual rows.
struct Step<'c> {
    closed: &'c Closed,
    key: Key,
    slot: ValueId,
    /// Where the values of this step and of the one before begin.
    slots: [ValueId; 2],
    /// Whether a block starts.
    starts: ValueId,
}

impl Step<'_> {
    fn virtual_row(
        &self,
        emitter: &mut Emitter<'_, '_, '_>,
        number: usize,
        drive: &Drive,
        (first, end): (ValueId, ValueId),
    ) {
        let Step { closed, key, slot, slots, starts } = *self;
        let real = Type::real(emitter.work.planner.options.precision);
        // Without factors nothing accumulates but the sum itself.
        let plain = closed.affine.is_identity(&emitter.work.flow.graph, emitter.work.flow.precision);
        let ty = if plain { real } else { Type::F64 };
        let factor = closed.factors[number].map(|ring| {
            let factor = emitter.recall(ring, slot);
            emitter.in_type(factor, ty)
        });
        let matrix: Vec<Vec<Option<ValueId>>> = closed
            .matrix
            .iter()
            .map(|entries| entries.iter().map(|entry| emitter.entry(*entry, slot)).collect())
            .collect();
        let lane = index(emitter, "j");
        emitter.enter();
        let outer = emitter.at;
        emitter.at.post = Some(lane);
        let inputs: Vec<ExprId> = drive.inputs.iter().flatten().copied().collect();
        let closure = emitter.work.closure(key, &inputs);
        emitter.emit_all(closure);
        let zero = emitter.builder.real(ty, 0.0);
        let rings = &closed.rings[number];
        let before: Vec<Option<ValueId>> = rings
            .iter()
            .map(|ring| {
                let buffer = emitter.buffer((*ring)?, Access::ReadWrite);
                let at = emitter.builder.add(slots[1], lane);
                let value = emitter.builder.load(buffer, at);
                let value = emitter.in_type(value, ty);
                Some(emitter.builder.select(starts, zero, value))
            })
            .collect();
        let after: Vec<Option<ValueId>> = (0..rings.len())
            .map(|state| {
                rings[state]?;
                let input = drive.inputs[state].map(|input| {
                    let value = emitter.value(input);
                    let value = emitter.in_type(value, ty);
                    factor.map_or(value, |factor| emitter.builder.mul(factor, value))
                });
                let mut sum = None;
                for (from, &value) in before.iter().enumerate() {
                    let (Some(value), entry) = (value, closed.matrix[state][from]) else { continue };
                    let term = match (entry, matrix[state][from]) {
                        (Entry::Zero, _) => continue,
                        (_, Some(entry)) => emitter.builder.mul(entry, value),
                        (_, None) => value,
                    };
                    sum = Some(emitter.plus(sum, term));
                }
                let total = match (sum, input) {
                    (sum, Some(input)) => emitter.plus(sum, input),
                    (Some(sum), None) => sum,
                    (None, None) => zero,
                };
                Some(emitter.in_type(total, real))
            })
            .collect();
        for (ring, value) in rings.iter().zip(after) {
            if let (Some(ring), Some(value)) = (*ring, value) {
                let buffer = emitter.buffer(ring, Access::ReadWrite);
                let at = emitter.builder.add(slots[0], lane);
                emitter.builder.store(buffer, at, value, None);
            }
        }
        emitter.at = outer;
        let body = emitter.leave();
        push_loop(emitter, LoopKind::Lanes, lane, Some(first), Some(end), body);
    }
}

impl Emitter<'_, '_, '_> {
    /// A float in a type.
    pub(super) fn in_type(&mut self, value: ValueId, ty: Type) -> ValueId {
        if self.builder.ty(value) == ty { value } else { self.builder.convert(Conversion::Value, ty, value) }
    }

    pub(super) fn plus(&mut self, sum: Option<ValueId>, term: ValueId) -> ValueId {
        match sum {
            Some(sum) => self.builder.add(sum, term),
            None => term,
        }
    }

    /// The entry of A in a slot, where it is no fixed number.
    pub(super) fn entry(&mut self, entry: Entry, slot: ValueId) -> Option<ValueId> {
        match entry {
            Entry::Zero | Entry::One => None,
            Entry::Kept(ring, _) => Some(self.recall(ring, slot)),
        }
    }
}

/// Says of all rows that they are up to date, and keeps their traces. It runs after whatever may have written these.
pub(super) fn anchor(work: &mut Work<'_, '_>, key: Key, closed: &Closed) -> Launch {
    let mut emitter = Emitter::new(work, key, "anchor_rows".to_string(), SpaceKind::Neurons(Side::Pre));
    emitter.builder.doc("all rows are up to date; keeps their traces");
    let items = emitter.extent(Size::Count(Count::Pre));
    emitter.set_space(vec![items], NEURONS_PER_BLOCK);
    let total = emitter.count(Count::Pre);
    let block = index(&mut emitter, "block");
    emitter.enter();
    let (first, end) = block_range(&mut emitter, block, NEURONS_PER_BLOCK, total);
    let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
    let row = index(&mut emitter, "i");
    emitter.enter();
    let outer = emitter.at;
    emitter.at.pre = Some(row);
    emitter.mark(closed, row, step);
    emitter.at = outer;
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Lanes, row, Some(first), Some(end), body);
    let body = emitter.leave();
    push_loop(&mut emitter, LoopKind::Blocks, block, None, None, body);
    emitter.finish()
}

impl Emitter<'_, '_, '_> {
    /// Marks the present row as up to date with a step that its neuron's traces are those of.
    pub(super) fn mark(&mut self, closed: &Closed, row: ValueId, step: ValueId) {
        for (drive, kept) in closed.affine.drives.iter().zip(&closed.kept) {
            let Some(kept) = *kept else { continue };
            let value = self.product_of_traces(drive);
            let buffer = self.buffer(kept, Access::Write);
            self.builder.store(buffer, row, value, None);
        }
        let marks = self.buffer(closed.marks, Access::Write);
        self.builder.store(marks, row, step, None);
    }
}
