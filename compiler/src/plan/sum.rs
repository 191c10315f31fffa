//! Writing reductions of a flow into a kernel.

use super::element::At;
use super::emit::Emitter;
use super::layout::{Axis, Place, Range, Where};
use super::pieces::PieceTerm;
use super::program::Count;
use super::rows::index;
use super::section::Access;
use super::storage::machine_type;
use crate::ir::ExprId;
use crate::kernel::{self, Binary, Conversion, Order, ReduceOp, Side, Slot, Term, ValueId};
use crate::topology::Kind;

impl Emitter<'_, '_, '_> {
    pub(super) fn reduce(&mut self, id: ExprId, op: ReduceOp, range: Range) -> ValueId {
        match range {
            Range::Columns => {
                let storage = self.work.partials[&id];
                let partials = self.buffer(storage, kernel::Access::Read);
                let blocks = self.count(Count::PreBlocks);
                let columns = self.count(Count::Post);
                let column = self.index(Place { at: Where::Post, batched: false }, 0, 1);
                let first = self.first_block(id, blocks);
                // Counts of blocks add up.
                let op = if op == ReduceOp::Count { ReduceOp::Sum } else { op };
                self.builder.reduce(op, Order::Pairwise, blocks, |builder, block| {
                    let block = match first {
                        Some(first) => builder.add(first, block),
                        None => block,
                    };
                    let row = builder.mul(block, columns);
                    let index = builder.add(row, column);
                    (Term::Value(builder.load(partials, index)), None)
                })
            }
            Range::Rows => {
                let storage = self.work.partials[&id];
                let place = self.place(id);
                self.load(storage, place, 0, 1)
            }
            Range::Along(axis) => self.along(id, op, axis),
            Range::Batch => self.over_batch(id, op),
            Range::Pairs => self.pairs(id, op),
            Range::Outputs => self.outputs(id, op),
            Range::Inputs => self.inputs(id, op),
            Range::Single => self.single(id, op),
            Range::Blocks(_) => crate::ice!("block sums are made by a loop of their own"),
        }
    }

    /// The first block of the present element of the batch in what the rows leave.
    pub(super) fn first_block(&mut self, id: ExprId, blocks: ValueId) -> Option<ValueId> {
        if !self.place(id).batched {
            return None;
        }
        let Some(batch) = self.at.batch else { crate::ice!("no element of the batch in this loop") };
        Some(self.builder.mul(batch, blocks))
    }

    /// A reduction over neurons, channels or positions, of what earlier launches have left.
    fn along(&mut self, id: ExprId, op: ReduceOp, axis: Axis) -> ValueId {
        let (count, order) = match axis {
            Axis::Pre => (self.count(Count::Pre), Order::Serial256),
            Axis::PreChannel => (self.count(Count::PreChannels), Order::Serial256),
            Axis::Post => (self.count(Count::Post), Order::Lanes32),
            Axis::PostChannel => (self.count(Count::PostChannels), Order::Lanes32),
            Axis::Position(side) => (self.positions(side), Order::Lanes32),
        };
        let channel = match axis {
            Axis::Position(side) => Some(self.channel(side)),
            Axis::Pre | Axis::Post | Axis::PreChannel | Axis::PostChannel => None,
        };
        let index = self.builder.defined(kernel::Type::I64);
        self.looped(id, (op, order), (index, count), |emitter| {
            emitter.at = emitter.along_at(axis, index, channel, count);
        })
    }

    /// The element that an iteration over an axis stands at.
    fn along_at(&mut self, axis: Axis, index: ValueId, channel: Option<ValueId>, count: ValueId) -> At {
        let mut at = At { batch: self.at.batch, ..At::default() };
        // Where a neuron is its synapse it is both neurons.
        if self.work.layout.kind == Kind::OneToOne {
            return At { pre: Some(index), post: Some(index), synapse: Some(index), ..at };
        }
        match axis {
            Axis::Pre => at.pre = Some(index),
            Axis::Post => at.post = Some(index),
            Axis::PreChannel => at.pre_channel = Some(index),
            Axis::PostChannel => at.post_channel = Some(index),
            Axis::Position(side) => {
                let neuron = channel.map(|channel| {
                    let first = self.builder.mul(channel, count);
                    self.builder.add(first, index)
                });
                match side {
                    Side::Pre => (at.pre, at.pre_channel) = (neuron, channel),
                    Side::Post => (at.post, at.post_channel) = (neuron, channel),
                }
            }
        }
        at
    }

    /// How many positions a channel has.
    fn positions(&mut self, side: Side) -> ValueId {
        match side {
            Side::Post => self.count(Count::Positions),
            Side::Pre => {
                let (height, width) = (self.count(Count::InputHeight), self.count(Count::InputWidth));
                self.builder.mul(height, width)
            }
        }
    }

    /// A reduction over the batch: of what earlier launches have left, or of terms that are computed here.
    fn over_batch(&mut self, id: ExprId, op: ReduceOp) -> ValueId {
        let count = self.count(Count::Batch);
        let index = index(self, "batch");
        self.looped(id, (op, Order::Serial256), (index, count), |emitter| emitter.at.batch = Some(index))
    }

    /// A reduction over the indices below a count. `stand` goes to the element of an index.
    pub(super) fn looped(
        &mut self,
        id: ExprId,
        (op, order): (ReduceOp, Order),
        (index, count): (ValueId, ValueId),
        stand: impl FnOnce(&mut Self),
    ) -> ValueId {
        self.enter();
        let outer = self.at;
        stand(self);
        let (term, gate) =
            if self.work.is_inline_loop(id) { self.inline_term(id) } else { self.loop_term(id) };
        self.at = outer;
        let body = self.leave();
        self.push_reduce(op, order, index, count, body, term, gate)
    }

    /// The term and the gate of a reduction whose terms are computed in its loop.
    pub(super) fn inline_term(&mut self, id: ExprId) -> (Term, Option<ValueId>) {
        let pieces: Vec<ExprId> = self.work.pieces(id).values().collect();
        let closure = self.work.closure(self.key, &pieces);
        let varying: Vec<ExprId> =
            closure.iter().copied().filter(|&inner| self.work.varies(inner, id)).collect();
        self.hide(varying);
        self.emit_all(closure);
        self.term(id, false)
    }

    /// Adds a reduction whose body has been written.
    #[allow(clippy::too_many_arguments)] // the fields of the statement
    pub(super) fn push_reduce(
        &mut self,
        op: ReduceOp,
        order: Order,
        index: ValueId,
        count: ValueId,
        body: kernel::Block,
        term: Term,
        gate: Option<ValueId>,
    ) -> ValueId {
        self.push_slotted(op, order, index, count, body, term, gate, None)
    }

    /// The same, of terms that stand at places of a longer row.
    #[allow(clippy::too_many_arguments)] // the fields of the statement
    pub(super) fn push_slotted(
        &mut self,
        op: ReduceOp,
        order: Order,
        index: ValueId,
        count: ValueId,
        body: kernel::Block,
        term: Term,
        gate: Option<ValueId>,
        slot: Option<Slot>,
    ) -> ValueId {
        let ty = match (op, term) {
            (ReduceOp::Count, _) => kernel::Type::I64,
            (_, Term::Value(value) | Term::Product(value, _)) => self.builder.ty(value),
        };
        let result = self.builder.defined(ty);
        let reduce = kernel::Reduce { op, order, index, count, body, term, gate, slot, result };
        self.builder.push(kernel::Stmt::Reduce(reduce));
        result
    }

    /// The term and the gate of a loop over neurons, loaded.
    pub(super) fn loop_term(&mut self, id: ExprId) -> (Term, Option<ValueId>) {
        for piece in self.work.pieces(id).values() {
            if self.known(piece).is_some() {
                continue;
            }
            let value = match self.work.loop_access(piece, self.key) {
                Access::Left(storage, element, length) => {
                    let place = self.place(piece);
                    self.load(storage, place, element, length)
                }
                Access::Inline => {
                    let closure = self.work.closure(self.key, &[piece]);
                    self.emit_all(closure);
                    continue;
                }
            };
            self.remember(piece, value);
        }
        self.term(id, false)
    }

    /// The term and the gate of a reduction whose pieces have been written; no gate where it is known to hold.
    pub(super) fn term(&mut self, id: ExprId, gate_holds: bool) -> (Term, Option<ValueId>) {
        let pieces = self.work.pieces(id);
        let mut gate = None;
        let gates = if gate_holds { Vec::new() } else { pieces.gates };
        for condition in gates {
            let condition = self.value(condition);
            gate = Some(match gate {
                Some(gate) => self.builder.binary(Binary::And, gate, condition),
                None => condition,
            });
        }
        let term = match pieces.term {
            PieceTerm::Value(value) => Term::Value(self.value(value)),
            PieceTerm::Product(a, b) => Term::Product(self.value(a), self.value(b)),
        };
        (term, gate)
    }

    /// A reduction of exactly one term.
    fn single(&mut self, id: ExprId, op: ReduceOp) -> ValueId {
        let (term, gate) = self.term(id, false);
        let ty = machine_type(self.work.flow.graph.get(id).ty, self.work.planner.options.precision);
        let initial = self.identity(op, ty);
        let after = self.accumulate(op, initial, term);
        match gate {
            Some(gate) => self.builder.select(gate, after, initial),
            None => after,
        }
    }

    /// What a reduction starts from.
    pub(super) fn identity(&mut self, op: ReduceOp, ty: kernel::Type) -> ValueId {
        match op {
            ReduceOp::Sum => self.zero(ty),
            ReduceOp::Count => self.builder.int(0),
            ReduceOp::Min => self.builder.real(ty, f64::INFINITY),
            ReduceOp::Max => self.builder.real(ty, f64::NEG_INFINITY),
        }
    }

    /// An accumulator with one term more.
    pub(super) fn accumulate(&mut self, op: ReduceOp, accumulator: ValueId, term: Term) -> ValueId {
        match (op, term) {
            (ReduceOp::Sum, Term::Product(a, b)) => self.builder.fma(a, b, accumulator),
            (ReduceOp::Sum, Term::Value(value)) => self.builder.add(accumulator, value),
            (ReduceOp::Min, Term::Value(value)) => self.builder.binary(Binary::Min, accumulator, value),
            (ReduceOp::Max, Term::Value(value)) => self.builder.binary(Binary::Max, accumulator, value),
            (ReduceOp::Count, Term::Value(value)) => {
                let one = self.builder.convert(Conversion::Value, kernel::Type::I64, value);
                self.builder.add(accumulator, one)
            }
            (ReduceOp::Min | ReduceOp::Max | ReduceOp::Count, Term::Product(..)) => {
                crate::ice!("only a sum has products")
            }
        }
    }
}
