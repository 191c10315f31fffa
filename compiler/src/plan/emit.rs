//! Writing expressions of a flow into a kernel.

use std::collections::HashMap;

use super::element::At;
use super::layout::Place;
use super::program::{Launch, ScalarSource, Size, StorageId};
use super::section::{Access, Work};
use super::stage::Key;
use super::storage::machine_type;
use super::words::{binary, buffer_kind, compare, count_name, type_suffix, unary};
use crate::arena::{HandleMap, HandleSet};
use crate::ir::{Builtin, Expr, ExprId, ExprKind, Type};
use crate::kernel::build::KernelBuilder;
use crate::kernel::{
    self, Buffer, BufferId, Compare, Conversion, Extent, Op, ScalarId, Side, Space, SpaceKind, ValueId,
};
use crate::plan::program::Count;

/// Writes one kernel.
pub(super) struct Emitter<'w, 'p, 'a> {
    pub(super) work: &'w mut Work<'p, 'a>,
    pub(super) builder: KernelBuilder,
    pub(super) key: Key,
    pub(super) at: At,
    /// The number of the step that is written for, where it is not the present one.
    pub(super) moment: Option<ValueId>,
    buffers: Vec<StorageId>,
    scalars: Vec<ScalarSource>,
    scalar_ids: HashMap<(ScalarSource, kernel::Type), ScalarId>,
    /// Values of the open blocks, innermost last.
    frames: Vec<Frame>,
    /// What draws of this loop are made of, where it has been computed before.
    bases: HandleMap<Expr, ValueId>,
}

/// The values of an open block.
#[derive(Default)]
struct Frame {
    values: HandleMap<Expr, ValueId>,
    /// What differs between the iterations of the loop whose body this is: what is known of it outside is another value.
    hidden: HandleSet<Expr>,
}

impl<'w, 'p, 'a> Emitter<'w, 'p, 'a> {
    pub(super) fn new(work: &'w mut Work<'p, 'a>, key: Key, name: String, kind: SpaceKind) -> Self {
        let space = Space { kind, items: Vec::new(), per_block: 1 };
        Self {
            work,
            builder: KernelBuilder::new(name, space),
            key,
            at: At::default(),
            moment: None,
            buffers: Vec::new(),
            scalars: Vec::new(),
            scalar_ids: HashMap::new(),
            frames: vec![Frame::default()],
            bases: HandleMap::default(),
        }
    }

    /// Says what the blocks are.
    pub(super) fn set_space(&mut self, items: Vec<Extent>, per_block: u32) {
        let kind = self.builder.kernel().space.kind;
        self.builder.set_space(Space { kind, items, per_block });
    }

    /// Adds the kernel to the program and gives the launch.
    pub(super) fn finish(self) -> Launch {
        let kernel = match self.work.planner.options.strips {
            true => kernel::expand::expand_operations(&self.builder.finish()),
            false => kernel::expand::expand(&self.builder.finish()),
        };
        if cfg!(debug_assertions)
            && let Err(faults) = crate::valid::kernel::validate(&kernel)
        {
            let text = kernel::print::print(&kernel);
            crate::ice!("the planner wrote a wrong kernel: {}\n{text}", faults.join("; "));
        }
        let kernel = self.work.planner.kernels.push(kernel);
        Launch { kernel, buffers: self.buffers, scalars: self.scalars }
    }

    /// Opens a scope for values that a nested block defines.
    pub(super) fn enter(&mut self) {
        self.frames.push(Frame::default());
        self.builder.enter();
    }

    /// Closes it and gives the block.
    pub(super) fn leave(&mut self) -> kernel::Block {
        self.frames.pop();
        self.builder.leave()
    }

    /// The value of an expression that has been written.
    pub(super) fn value(&self, id: ExprId) -> ValueId {
        match self.known(id) {
            Some(value) => value,
            None => crate::ice!("{id:?} ({:?}) is used before it is written", self.work.flow.graph.get(id)),
        }
    }

    pub(super) fn known(&self, id: ExprId) -> Option<ValueId> {
        for frame in self.frames.iter().rev() {
            if let Some(&value) = frame.values.get(&id) {
                return Some(value);
            }
            if frame.hidden.contains(&id) {
                return None;
            }
        }
        None
    }

    /// Says that values differ between the iterations of the loop whose body has just been opened.
    pub(super) fn hide(&mut self, varying: impl IntoIterator<Item = ExprId>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.hidden.extend(varying);
        }
    }

    /// Writes all of `ids` (operands first) that are not there yet.
    pub(super) fn emit_all(&mut self, ids: impl IntoIterator<Item = ExprId>) {
        for id in ids {
            if self.known(id).is_none() {
                let value = self.emit(id);
                self.remember(id, value);
            }
        }
    }

    /// The word or the normal number that a draw of this loop is made of.
    pub(super) fn base(&self, id: ExprId) -> Option<ValueId> {
        self.bases.get(&id).copied()
    }

    pub(super) fn set_base(&mut self, id: ExprId, base: ValueId) {
        self.bases.insert(id, base);
    }

    /// At the end of a loop.
    pub(super) fn forget_bases(&mut self) {
        self.bases.clear();
    }

    pub(super) fn remember(&mut self, id: ExprId, value: ValueId) {
        if let Some(frame) = self.frames.last_mut() {
            frame.values.insert(id, value);
        }
    }

    /// The buffer of a storage.
    pub(super) fn buffer(&mut self, storage: StorageId, access: kernel::Access) -> BufferId {
        if let Some(place) = self.buffers.iter().position(|&known| known == storage) {
            let id = BufferId::from_index(place);
            let present = self.builder.kernel().buffers[id].access;
            if present != access {
                self.builder.set_access(id, kernel::Access::ReadWrite);
            }
            return id;
        }
        let description = self.work.planner.storages.get(storage).clone();
        let shape = description.shape.iter().map(|&size| self.extent(size)).collect();
        let kind = buffer_kind(&description, self.work.planner.rule, self.work.layout);
        let name = description.name.trim_start_matches('%').replace('.', "_");
        self.buffers.push(storage);
        self.builder.buffer(Buffer { name, ty: description.ty, access, kind, shape })
    }

    /// A length as an extent of the kernel.
    pub(super) fn extent(&mut self, size: Size) -> Extent {
        match size {
            Size::Constant(length) => Extent::Constant(length),
            Size::Count(count) => Extent::Scalar(self.scalar(ScalarSource::Count(count), kernel::Type::I64)),
            Size::Prologue(place) => {
                Extent::Scalar(self.scalar(ScalarSource::Prologue(place), kernel::Type::I64))
            }
        }
    }

    /// How many neurons of a side spike, as an extent.
    pub(super) fn event_extent(&mut self, side: Side) -> Extent {
        Extent::Scalar(self.scalar(ScalarSource::EventCount(side), kernel::Type::I64))
    }

    /// A count of the topology.
    pub(super) fn count(&mut self, count: Count) -> ValueId {
        self.scalar_value(ScalarSource::Count(count), kernel::Type::I64)
    }

    /// A scalar of the launch as a value.
    pub(super) fn scalar_value(&mut self, source: ScalarSource, ty: kernel::Type) -> ValueId {
        let scalar = self.scalar(source, ty);
        self.builder.scalar(scalar)
    }

    fn scalar(&mut self, source: ScalarSource, ty: kernel::Type) -> ScalarId {
        if let Some(&id) = self.scalar_ids.get(&(source, ty)) {
            return id;
        }
        let name = match source {
            ScalarSource::Prologue(place) => format!("c{place}"),
            ScalarSource::Count(count) => count_name(count).to_string(),
            ScalarSource::Step => "step".to_string(),
            ScalarSource::Time => "t".to_string(),
            ScalarSource::Seed => "seed".to_string(),
            ScalarSource::Run => "run".to_string(),
            ScalarSource::EventCount(Side::Pre) => "n_pre_events".to_string(),
            ScalarSource::EventCount(Side::Post) => "n_post_events".to_string(),
            ScalarSource::Constant(_) => "mode".to_string(),
            ScalarSource::Head(place) => format!("head{place}"),
        };
        let taken = self.builder.kernel().scalars.iter().any(|(_, scalar)| scalar.name == name);
        let name = if taken { format!("{name}_{}", type_suffix(ty)) } else { name };
        let id = self.builder.add_scalar(name, ty);
        self.scalars.push(source);
        self.scalar_ids.insert((source, ty), id);
        id
    }

    /// Loads an element of a storage that lives at `place`.
    pub(super) fn load(&mut self, storage: StorageId, place: Place, element: u32, length: u32) -> ValueId {
        let buffer = self.buffer(storage, kernel::Access::Read);
        let index = self.index(place, element, length);
        self.builder.load(buffer, index)
    }

    /// Stores the value of an expression into a storage that lives at `place`.
    pub(super) fn store(
        &mut self,
        storage: StorageId,
        place: Place,
        element: u32,
        length: u32,
        value: ValueId,
    ) {
        self.store_if(storage, place, element, length, value, None);
    }

    /// Stores a value where a condition holds.
    pub(super) fn store_if(
        &mut self,
        storage: StorageId,
        place: Place,
        element: u32,
        length: u32,
        value: ValueId,
        gate: Option<ValueId>,
    ) {
        let buffer = self.buffer(storage, kernel::Access::Write);
        let index = self.index(place, element, length);
        self.builder.store(buffer, index, value, gate);
    }

    pub(super) fn place(&self, id: ExprId) -> Place {
        self.work.place(id)
    }

    fn emit(&mut self, id: ExprId) -> ValueId {
        if let Access::Left(storage, element, length) = self.work.access(id, self.key) {
            let place = self.place(id);
            return self.load(storage, place, element, length);
        }
        let expr = self.work.flow.graph.get(id).clone();
        if let Some(value) = self.prologue_value(id, &expr) {
            return value;
        }
        let ty = machine_type(expr.ty, self.work.planner.options.precision);
        match &expr.kind {
            ExprKind::Past { body, delay, longest, initial } => self.past(*body, *delay, *longest, *initial),
            ExprKind::Widen(a) => {
                let value = self.value(*a);
                // Whether the neuron exists is known once it has been looked for.
                self.pre();
                match self.at.valid {
                    Some(valid) => {
                        let nothing = self.zero(ty);
                        self.builder.select(valid, value, nothing)
                    }
                    None => value,
                }
            }
            ExprKind::Number(_)
            | ExprKind::Local(_)
            | ExprKind::Exponential { .. }
            | ExprKind::Scan { .. } => {
                crate::ice!("no kernel computes {:?}", expr.kind)
            }
            ExprKind::Integer(value) => self.builder.int(*value),
            ExprKind::Boolean(value) => self.builder.boolean(*value),
            ExprKind::Load { variable, element } => {
                let length = self.work.planner.rule.variables[*variable].elements();
                let storage = self.work.planner.storages.variable(*variable);
                let place = self.work.variable_place(*variable);
                let value = self.load(storage, place, *element, length);
                let name = self.work.planner.rule.variables[*variable].name.clone();
                self.builder.name(value, name);
                value
            }
            ExprKind::Builtin(builtin) => self.builtin(*builtin),
            ExprKind::Unary(op, a) => {
                let a = self.value(*a);
                self.builder.unary(unary(*op), a)
            }
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.value(*a), self.value(*b));
                self.builder.binary(binary(*op), a, b)
            }
            ExprKind::Compare(op, a, b) => {
                let (a, b) = (self.value(*a), self.value(*b));
                self.builder.compare(compare(*op), a, b)
            }
            ExprKind::Select(condition, a, b) => {
                let (condition, a, b) = (self.value(*condition), self.value(*a), self.value(*b));
                self.builder.select(condition, a, b)
            }
            ExprKind::Gate(condition, a) => {
                let (condition, a) = (self.value(*condition), self.value(*a));
                let zero = self.zero(ty);
                self.builder.select(condition, a, zero)
            }
            ExprKind::Math(function, operands) => {
                let operands = operands.iter().map(|&operand| self.value(operand)).collect();
                self.builder.op(ty, Op::Math(*function, operands))
            }
            ExprKind::Convert(a) => self.convert(*a, ty),
            ExprKind::Draw { site, parameters } => self.draw(id, *site, parameters),
            ExprKind::Reduce { op, .. } => match self.work.range(id) {
                Some(range) => self.reduce(id, *op, range),
                None => crate::ice!("{id:?} is no reduction"),
            },
        }
    }

    /// Constants, and what only parameters decide.
    fn prologue_value(&mut self, id: ExprId, expr: &Expr) -> Option<ValueId> {
        let graph = &self.work.flow.graph;
        let ty = machine_type(expr.ty, self.work.planner.options.precision);
        let root = match &expr.kind {
            ExprKind::Convert(a) if graph.get(*a).ty == Type::Wide => match graph.get(*a).kind {
                ExprKind::Number(value) if expr.ty == Type::Real => {
                    return Some(self.builder.real(ty, value));
                }
                _ if expr.ty == Type::Bool => id,
                _ => *a,
            },
            ExprKind::Compare(_, a, _) if graph.get(*a).ty == Type::Wide => id,
            _ => return None,
        };
        let place = self.work.planner.prologue_result(&self.work.flow.graph, root);
        Some(self.scalar_value(ScalarSource::Prologue(place), ty))
    }

    pub(super) fn zero(&mut self, ty: kernel::Type) -> ValueId {
        match ty {
            kernel::Type::F32 | kernel::Type::F64 => self.builder.real(ty, 0.0),
            kernel::Type::I32 => self.builder.word(0),
            kernel::Type::I64 => self.builder.int(0),
            kernel::Type::Bool => self.builder.boolean(false),
        }
    }

    fn builtin(&mut self, builtin: Builtin) -> ValueId {
        let real = kernel::Type::real(self.work.planner.options.precision);
        match builtin {
            Builtin::Dt => crate::ice!("`dt` is wide"),
            Builtin::T => self.time(real),
            Builtin::Step => self.step(),
            Builtin::PreSpike => {
                let storage = self.work.planner.storages.spikes(Side::Pre);
                self.load(storage, self.spikes_place(Side::Pre), 0, 1)
            }
            Builtin::PostSpike => {
                let storage = self.work.planner.storages.spikes(Side::Post);
                self.load(storage, self.spikes_place(Side::Post), 0, 1)
            }
            Builtin::PreIndex => self.index(self.neuron_place(Side::Pre), 0, 1),
            Builtin::PostIndex => self.index(self.neuron_place(Side::Post), 0, 1),
            Builtin::PreCount => self.count(Count::Pre),
            Builtin::PostCount => self.count(Count::Post),
            Builtin::BatchCount => self.count(Count::Batch),
            Builtin::PairCount => self.count(Count::Pairs),
        }
    }

    fn convert(&mut self, a: ExprId, to: kernel::Type) -> ValueId {
        let value = self.value(a);
        let from = self.builder.ty(value);
        if from == to {
            return value;
        }
        if to != kernel::Type::Bool {
            return self.builder.convert(Conversion::Value, to, value);
        }
        let zero = self.zero(from);
        self.builder.compare(Compare::NotEqual, value, zero)
    }
}
