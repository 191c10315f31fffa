//! Writing reductions of a flow into a kernel.

use super::emit::Emitter;
use super::program::Count;
use super::section::{Access, PieceTerm};
use super::stage::{Place, Range};
use super::storage::machine_type;
use crate::ir::ExprId;
use crate::kernel::{self, Binary, Conversion, Order, ReduceOp, Term, ValueId};

impl Emitter<'_, '_, '_> {
    pub(super) fn reduce(&mut self, id: ExprId, op: ReduceOp, range: Range) -> ValueId {
        match range {
            Range::Columns => {
                let storage = self.work.partials[&id];
                let partials = self.buffer(storage, kernel::Access::Read);
                let blocks = self.count(Count::PreBlocks);
                let columns = self.count(Count::Post);
                let column = self.index(Place::Post, 0, 1);
                // Counts of blocks add up.
                let op = if op == ReduceOp::Count { ReduceOp::Sum } else { op };
                self.builder.reduce(op, Order::Pairwise, blocks, |builder, block| {
                    let row = builder.mul(block, columns);
                    let index = builder.add(row, column);
                    (Term::Value(builder.load(partials, index)), None)
                })
            }
            Range::Rows => {
                let storage = self.work.partials[&id];
                self.load(storage, Place::Pre, 0, 1)
            }
            Range::Pre => self.neuron_reduce(id, op, Place::Pre, Order::Serial256),
            Range::Post => self.neuron_reduce(id, op, Place::Post, Order::Lanes32),
            Range::Single => self.single(id, op),
            Range::Blocks(_) => crate::ice!("block sums are made by a loop of their own"),
        }
    }

    /// A reduction over neurons, inside a launch of one element.
    fn neuron_reduce(&mut self, id: ExprId, op: ReduceOp, place: Place, order: Order) -> ValueId {
        let count = self.count(if place == Place::Pre { Count::Pre } else { Count::Post });
        let index = self.builder.defined(kernel::Type::I64);
        self.enter();
        let outer = self.at;
        match place {
            Place::Pre => self.at.pre = Some(index),
            Place::Post => self.at.post = Some(index),
            Place::Global | Place::Synapse => crate::ice!("a reduction over neurons has a side"),
        }
        let (term, gate) = self.loop_term(id);
        self.at = outer;
        let body = self.leave();
        self.push_reduce(op, order, index, count, body, term, gate)
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
        let ty = match (op, term) {
            (ReduceOp::Count, _) => kernel::Type::I64,
            (_, Term::Value(value) | Term::Product(value, _)) => self.builder.ty(value),
        };
        let result = self.builder.defined(ty);
        let reduce = kernel::Reduce { op, order, index, count, body, term, gate, slot: None, result };
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
