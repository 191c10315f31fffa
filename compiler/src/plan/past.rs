//! What `past` looks back at: for each value that a rule looks back at, a ring of the values of the last steps.
//!
//! The values of step s stand in slot s mod length, where the length is the longest delay in steps, and one. The launch that
//! has a value puts it into this step's slot; launches after it read the slot of so many steps ago. Creation fills all
//! slots with the value from before the first step, so a look beyond the first step finds that.

use super::emit::Emitter;
use super::layout::Place;
use super::program::{ScalarSource, StorageId};
use super::section::Work;
use super::storage::machine_type;
use crate::ir::{BinaryOp, Builtin, Domain, Expr, ExprId, ExprKind, Shape, Type, UnaryOp};
use crate::kernel::{self, Binary, Compare, Conversion, LoopKind, ValueId};

/// A value that is kept for some steps.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    /// What is put away.
    pub(super) value: ExprId,
    /// Where it lives.
    pub(super) place: Place,
    /// What it was before the first step.
    initial: ExprId,
    /// The longest delay.
    longest: ExprId,
    storage: StorageId,
    /// How many slots there are: a result of the prologue.
    length: usize,
    /// Whether it goes into every slot, as creation has it.
    fill: bool,
}

impl Ring {
    /// The ring as creation fills it.
    pub(super) fn initially(self) -> Self {
        Self { value: self.initial, fill: true, ..self }
    }

    /// Whether it is filled with what was before the first step.
    pub(super) fn is_initial(&self) -> bool {
        self.fill
    }
}

/// The rings of all that an occasion looks back at.
pub(super) fn rings(work: &mut Work<'_, '_>) -> Vec<Ring> {
    let mut rings: Vec<Ring> = Vec::new();
    // What is looked back at may look back itself.
    loop {
        work.rings = rings.clone();
        let pasts = work.needed().into_iter().filter_map(|id| match work.flow.graph.get(id).kind {
            ExprKind::Past { body, longest, initial, .. } => Some((body, longest, initial)),
            _ => None,
        });
        let known = |&(body, longest, initial): &(ExprId, ExprId, ExprId)| {
            rings.iter().any(|ring| (ring.value, ring.longest, ring.initial) == (body, longest, initial))
        };
        let new: Vec<_> = pasts.filter(|past| !known(past)).collect();
        if new.is_empty() {
            return rings;
        }
        for (body, longest, initial) in new {
            if !rings.iter().any(|ring| (ring.value, ring.longest, ring.initial) == (body, longest, initial))
            {
                let ring = ring(work, body, longest, initial);
                rings.push(ring);
            }
        }
    }
}

fn ring(work: &mut Work<'_, '_>, value: ExprId, longest: ExprId, initial: ExprId) -> Ring {
    let length = ring_length(work, longest);
    let place = work.place(value);
    let ty = machine_type(work.flow.graph.get(value).ty, work.planner.options.precision);
    let storage = work.planner.storages.ring(ty, place, length);
    Ring { value, place, initial, longest, storage, length, fill: false }
}

/// The number of slots as a result of the prologue.
fn ring_length(work: &mut Work<'_, '_>, longest: ExprId) -> usize {
    let steps = in_steps(work, longest);
    let span = work.flow.graph.span(longest);
    let wide = |kind| Expr { kind, ty: Type::Wide, shape: Shape::of(Domain::Global) };
    let one = work.flow.graph.add(wide(ExprKind::Number(1.0)), span);
    let length = work.flow.graph.add(wide(ExprKind::Binary(BinaryOp::Add, steps, one)), span);
    work.stages.update(&work.flow.graph);
    work.planner.prologue_result(&work.flow.graph, length)
}

/// round(time / dt), of a `Wide` time.
fn in_steps(work: &mut Work<'_, '_>, time: ExprId) -> ExprId {
    let graph = &mut work.flow.graph;
    let span = graph.span(time);
    let wide = |kind| Expr { kind, ty: Type::Wide, shape: Shape::of(Domain::Global) };
    let dt = graph.add(wide(ExprKind::Builtin(Builtin::Dt)), span);
    let steps = graph.add(wide(ExprKind::Binary(BinaryOp::Divide, time, dt)), span);
    let steps = graph.add(wide(ExprKind::Unary(UnaryOp::Round, steps)), span);
    work.stages.update(&work.flow.graph);
    steps
}

impl Emitter<'_, '_, '_> {
    /// The value of a `past` at the present element.
    pub(super) fn past(&mut self, body: ExprId, delay: ExprId, longest: ExprId, initial: ExprId) -> ValueId {
        let ring =
            self.work.rings.iter().find(|ring| {
                (ring.value, ring.longest, ring.initial) == (body, longest, initial) && !ring.fill
            });
        let Some(ring) = ring.cloned() else { crate::ice!("nothing is kept of {body:?}") };
        let zero = self.builder.int(0);
        let length = self.scalar_value(ScalarSource::Prologue(ring.length), kernel::Type::I64);
        let last = {
            let one = self.builder.int(1);
            self.builder.binary(Binary::Subtract, length, one)
        };
        let ago = self.steps_ago(delay);
        let ago = self.builder.binary(Binary::Max, ago, zero);
        let ago = self.builder.binary(Binary::Min, ago, last);
        let head = self.scalar_value(ScalarSource::Head(ring.length), kernel::Type::I64);
        let slot = self.builder.binary(Binary::Subtract, head, ago);
        let before = self.builder.compare(Compare::Less, slot, zero);
        let wrapped = self.builder.add(slot, length);
        let slot = self.builder.select(before, wrapped, slot);
        let index = self.ring_index(&ring, slot);
        let buffer = self.buffer(ring.storage, kernel::Access::Read);
        let value = self.builder.load(buffer, index);
        let ty = self.builder.ty(value);
        match self.at.inside(ring.place.at) {
            Some(inside) => {
                let nothing = self.zero(ty);
                self.builder.select(inside, value, nothing)
            }
            None => value,
        }
    }

    /// A delay in steps, not yet bounded.
    fn steps_ago(&mut self, delay: ExprId) -> ValueId {
        if self.work.flow.graph.get(delay).ty == Type::Wide {
            let steps = in_steps(self.work, delay);
            let place = self.work.planner.prologue_result(&self.work.flow.graph, steps);
            return self.scalar_value(ScalarSource::Prologue(place), kernel::Type::I64);
        }
        let delay = self.value(delay);
        let ty = self.builder.ty(delay);
        let dt = self.dt(ty);
        let steps = self.builder.div(delay, dt);
        let steps = self.builder.unary(kernel::Unary::Nearest, steps);
        self.builder.convert(Conversion::Value, kernel::Type::I64, steps)
    }

    /// The length of a step in ms.
    pub(super) fn dt(&mut self, ty: kernel::Type) -> ValueId {
        let kind = ExprKind::Builtin(Builtin::Dt);
        let dt = Expr { kind, ty: Type::Wide, shape: Shape::of(Domain::Global) };
        let dt = self.work.flow.graph.add(dt, crate::source::Span::default());
        self.work.stages.update(&self.work.flow.graph);
        let place = self.work.planner.prologue_result(&self.work.flow.graph, dt);
        self.scalar_value(ScalarSource::Prologue(place), ty)
    }

    /// The element of a ring in a slot.
    fn ring_index(&mut self, ring: &Ring, slot: ValueId) -> ValueId {
        let inner = self.index(ring.place, 0, 1);
        let mut rows = slot;
        if let Some(count) = self.work.layout.count(ring.place.at) {
            let mut size = self.count(count);
            if ring.place.batched {
                let batch = self.count(super::program::Count::Batch);
                size = self.builder.mul(batch, size);
            }
            rows = self.builder.mul(slot, size);
        } else if ring.place.batched {
            let batch = self.count(super::program::Count::Batch);
            rows = self.builder.mul(slot, batch);
        }
        self.builder.add(rows, inner)
    }

    /// Puts a value of this step, or the one from before the first, into its ring.
    pub(super) fn keep(&mut self, number: usize) {
        let ring = self.work.rings[number].clone();
        let value = self.value(ring.value);
        let buffer = self.buffer(ring.storage, kernel::Access::Write);
        if !ring.fill {
            let head = self.scalar_value(ScalarSource::Head(ring.length), kernel::Type::I64);
            let index = self.ring_index(&ring, head);
            self.builder.store(buffer, index, value, None);
            return;
        }
        let zero = self.builder.int(0);
        let length = self.scalar_value(ScalarSource::Prologue(ring.length), kernel::Type::I64);
        let slot = self.builder.defined(kernel::Type::I64);
        self.builder.name(slot, "slot");
        self.enter();
        let index = self.ring_index(&ring, slot);
        self.builder.store(buffer, index, value, None);
        let body = self.leave();
        super::neuron::push_loop(self, LoopKind::Serial, slot, Some(zero), Some(length), body);
    }
}
