//! Ordered reductions.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::access::Place;
use super::form::{Affine, Form, LANES, Step, registers};
use super::function::Lower;
use super::vary::{self, Varying};
use crate::kernel::*;

/// The accumulators of `Lanes32`.
const ACCUMULATORS: i64 = 32;
/// Above this many statements the vectors of accumulators would not be filled in one iteration.
const UNROLLED_STATEMENTS: usize = 32;

/// What is accumulated, and how.
#[derive(Clone, Copy)]
pub(super) struct Accumulator {
    pub op: ReduceOp,
    pub ty: Type,
    /// Whether it has lanes of its own, inside a vector loop.
    pub packed: bool,
}

impl Accumulator {
    /// What an empty reduction gives.
    fn identity(self) -> Constant {
        let float = match self.op {
            ReduceOp::Sum | ReduceOp::Count => 0.0,
            ReduceOp::Min => f64::INFINITY,
            ReduceOp::Max => f64::NEG_INFINITY,
        };
        let integer = |least: i64, greatest: i64| match self.op {
            ReduceOp::Sum | ReduceOp::Count => 0,
            ReduceOp::Min => greatest,
            ReduceOp::Max => least,
        };
        match self.ty {
            Type::F32 => Constant::F32((float as f32).to_bits()),
            Type::F64 => Constant::F64(float.to_bits()),
            Type::I32 => Constant::I32(integer(i32::MIN.into(), i32::MAX.into()) as i32),
            Type::I64 => Constant::I64(integer(i64::MIN, i64::MAX)),
            Type::Bool => crate::ice!("a reduction does not give a condition"),
        }
    }

    fn shape(self) -> (Type, bool) {
        (self.ty, self.packed)
    }

    /// Bytes of one accumulator.
    fn bytes(self) -> i64 {
        registers(self.ty, self.packed).iter().map(|register| i64::from(register.bytes())).sum()
    }
}

impl Lower<'_, '_> {
    /// A reduction of either form.
    pub fn reduce(&mut self, reduce: &Reduce) {
        let ty = self.ty(reduce.result);
        let accumulator = Accumulator { op: reduce.op, ty, packed: self.is_packed(reduce.result) };
        let count = self.scalar(reduce.count);
        if reduce.order != Order::Lanes32 {
            self.wide.leave_loop();
        }
        let result = match reduce.order {
            Order::Serial256 if let Some(slot) = reduce.slot => {
                self.with_room(|s, room| s.stored_blocks(room, reduce, slot, accumulator, count))
            }
            Order::Serial256 => self.blocks_pairwise(accumulator, count, 8, |s, index, before| {
                s.set(reduce.index, Form::Scalar(index));
                s.block(&reduce.body);
                s.accumulate(reduce, accumulator, before)
            }),
            Order::Pairwise => self.blocks_pairwise(accumulator, count, 0, |s, index, _| {
                s.set(reduce.index, Form::Scalar(index));
                s.block(&reduce.body);
                match (reduce.term, reduce.gate) {
                    (Term::Value(value), None) if reduce.op != ReduceOp::Count => s.form(value),
                    _ => {
                        let identity = s.identity(accumulator);
                        s.accumulate(reduce, accumulator, identity)
                    }
                }
            }),
            Order::Lanes32 => self.with_room(|s, room| s.lanes32(room, reduce, accumulator, count)),
        };
        self.set(reduce.result, result);
    }

    /// What an empty reduction gives.
    pub fn identity(&mut self, accumulator: Accumulator) -> Form {
        Form::Scalar(self.constant(accumulator.identity()))
    }

    /// Two accumulators.
    fn combine(&mut self, accumulator: Accumulator, left: Form, right: Form) -> Form {
        let op = match accumulator.op {
            ReduceOp::Sum | ReduceOp::Count => Binary::Add,
            ReduceOp::Min => Binary::Min,
            ReduceOp::Max => Binary::Max,
        };
        self.binary(op, accumulator.ty, left, right)
    }

    /// An accumulator with the term that the body has just computed.
    fn accumulate(&mut self, reduce: &Reduce, accumulator: Accumulator, before: Form) -> Form {
        let after = match reduce.term {
            Term::Product(a, b) => {
                let (a, b) = (self.form(a), self.form(b));
                self.fma(accumulator.ty, a, b, before)
            }
            Term::Value(value) => {
                let (from, mut term) = (self.ty(value), self.form(value));
                if from == Type::Bool {
                    term = self.convert(Conversion::Value, from, accumulator.ty, term);
                }
                self.combine(accumulator, before, term)
            }
        };
        match reduce.gate {
            Some(gate) => {
                let gate = self.form(gate);
                self.select(accumulator.ty, gate, after, before)
            }
            None => after,
        }
    }

    /// Blocks of `1 << shift` terms, each ascending from the identity, combined pairwise.
    ///
    /// Neighbours level by level with an odd last one passing is what a binary counter does: a block result is
    /// combined with the one that waits at its level, as long as there is one; at the end those that still wait are
    /// combined from the last to the first.
    pub fn blocks_pairwise(
        &mut self,
        accumulator: Accumulator,
        count: Value,
        shift: i64,
        term: impl FnMut(&mut Self, Value, Form) -> Form,
    ) -> Form {
        self.with_room(|s, room| s.blocks_pairwise_in(room, accumulator, count, shift, term))
    }

    /// The same in a room that has a place for each bit of a count.
    fn blocks_pairwise_in(
        &mut self,
        room: Value,
        accumulator: Accumulator,
        count: Value,
        shift: i64,
        mut term: impl FnMut(&mut Self, Value, Form) -> Form,
    ) -> Form {
        let number = [(Type::I64, false)];
        let (head, forms) = self.block_with(&number);
        let (inside, combine) = (self.b.create_block(), self.b.create_block());
        let zero = self.zero(Type::I64);
        self.jump(head, &number, &[Form::Scalar(zero)]);

        self.b.switch_to_block(head);
        let block = self.scalar_of(forms[0]);
        let first = self.b.ins().ishl_imm_u(block, shift);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, first, count);
        self.b.ins().brif(more, inside, &[], combine, &[]);

        self.b.switch_to_block(inside);
        let result = if shift == 0 {
            let identity = self.identity(accumulator);
            term(self, first, identity)
        } else {
            self.one_block(accumulator, first, count, 1 << shift, &mut term)
        };
        self.push_result(accumulator, room, block, result);
        let next = self.add_constant(block, 1);
        self.jump(head, &number, &[Form::Scalar(next)]);

        self.b.switch_to_block(combine);
        self.combine_waiting(accumulator, room, block)
    }

    /// The terms of one block, in one accumulator.
    fn one_block(
        &mut self,
        accumulator: Accumulator,
        first: Value,
        count: Value,
        length: i64,
        term: &mut impl FnMut(&mut Self, Value, Form) -> Form,
    ) -> Form {
        let full = self.add_constant(first, length);
        let end = self.scalar_binary(Binary::Min, Type::I64, full, count);
        let shapes = [(Type::I64, false), accumulator.shape()];
        let (head, forms) = self.block_with(&shapes);
        let (inside, after) = (self.b.create_block(), self.b.create_block());
        let identity = self.identity(accumulator);
        self.jump(head, &shapes, &[Form::Scalar(first), identity]);
        self.b.switch_to_block(head);
        let index = self.scalar_of(forms[0]);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, index, end);
        self.b.ins().brif(more, inside, &[], after, &[]);
        self.b.switch_to_block(inside);
        let result = term(self, index, forms[1]);
        let next = self.add_constant(index, 1);
        self.jump(head, &shapes, &[Form::Scalar(next), result]);
        self.b.switch_to_block(after);
        forms[1]
    }

    /// As `blocks_pairwise` for the stored terms of a row: blocks of 256 places, with and without terms.
    ///
    /// The body of the first term of the next block is run once at the end of each block, for its place, and once more
    /// in its own.
    fn stored_blocks(
        &mut self,
        room: Value,
        reduce: &Reduce,
        slot: Slot,
        accumulator: Accumulator,
        count: Value,
    ) -> Form {
        let long = (Type::I64, false);
        let extent = self.scalar(slot.extent);
        let (head, forms) = self.block_with(&[long, long]);
        let (inside, combine) = (self.b.create_block(), self.b.create_block());
        let zero = Form::Scalar(self.zero(Type::I64));
        self.jump(head, &[long, long], &[zero, zero]);

        self.b.switch_to_block(head);
        let (block, first) = (self.scalar_of(forms[0]), forms[1]);
        let start = self.b.ins().ishl_imm_u(block, 8);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, start, extent);
        self.b.ins().brif(more, inside, &[], combine, &[]);

        self.b.switch_to_block(inside);
        let end = self.add_constant(start, 256);
        let shapes = [long, accumulator.shape()];
        let (terms, forms) = self.block_with(&shapes);
        let (stored, add, after) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let identity = self.identity(accumulator);
        self.jump(terms, &shapes, &[first, identity]);
        self.b.switch_to_block(terms);
        let index = self.scalar_of(forms[0]);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, index, count);
        self.b.ins().brif(more, stored, &[], after, &[]);

        self.b.switch_to_block(stored);
        self.set(reduce.index, Form::Scalar(index));
        self.block(&reduce.body);
        let place = self.scalar(slot.index);
        let within = self.b.ins().icmp(IntCC::SignedLessThan, place, end);
        self.b.ins().brif(within, add, &[], after, &[]);

        self.b.switch_to_block(add);
        let result = self.accumulate(reduce, accumulator, forms[1]);
        let next = self.add_constant(index, 1);
        self.jump(terms, &shapes, &[Form::Scalar(next), result]);

        self.b.switch_to_block(after);
        self.push_result(accumulator, room, block, forms[1]);
        let next = self.add_constant(block, 1);
        self.jump(head, &[long, long], &[Form::Scalar(next), Form::Scalar(index)]);

        self.b.switch_to_block(combine);
        self.combine_waiting(accumulator, room, block)
    }

    /// Adds the result of block number `block` to those that wait.
    fn push_result(&mut self, accumulator: Accumulator, room: Value, block: Value, result: Form) {
        let shapes = [(Type::I64, false), (Type::I64, false), accumulator.shape()];
        let (head, forms) = self.block_with(&shapes);
        let (merge, keep) = (self.b.create_block(), self.b.create_block());
        self.jump(head, &shapes, &[Form::Scalar(block), Form::Scalar(room), result]);
        self.b.switch_to_block(head);
        let (bits, place) = (self.scalar_of(forms[0]), self.scalar_of(forms[1]));
        let waits = self.b.ins().band_imm_u(bits, 1);
        self.b.ins().brif(waits, merge, &[], keep, &[]);
        self.b.switch_to_block(merge);
        let left = self.load_accumulator(accumulator, place);
        let sum = self.combine(accumulator, left, forms[2]);
        let bits = self.b.ins().ushr_imm_u(bits, 1);
        let above = self.add_constant(place, accumulator.bytes());
        self.jump(head, &shapes, &[Form::Scalar(bits), Form::Scalar(above), sum]);
        self.b.switch_to_block(keep);
        self.store_accumulator(accumulator, place, forms[2]);
    }

    /// The results that wait after `blocks` blocks, combined from the last to the first.
    fn combine_waiting(&mut self, accumulator: Accumulator, room: Value, blocks: Value) -> Form {
        let shapes = [(Type::I64, false), accumulator.shape()];
        let (after, results) = self.block_with(&[accumulator.shape()]);
        let (head, forms) = self.block_with(&shapes);
        let (some, inside) = (self.b.create_block(), self.b.create_block());
        let identity = self.identity(accumulator);
        let identity = self.arguments(&[accumulator.shape()], &[identity]);
        self.b.ins().brif(blocks, some, &[], after, &identity);

        self.b.switch_to_block(some);
        let last = self.lowest_waiting(accumulator, room, blocks);
        let bits = self.without_lowest(blocks);
        self.jump(head, &shapes, &[Form::Scalar(bits), last]);

        self.b.switch_to_block(head);
        let bits = self.scalar_of(forms[0]);
        let leaving = self.arguments(&[accumulator.shape()], &forms[1..]);
        self.b.ins().brif(bits, inside, &[], after, &leaving);

        self.b.switch_to_block(inside);
        let left = self.lowest_waiting(accumulator, room, bits);
        let sum = self.combine(accumulator, left, forms[1]);
        let bits = self.without_lowest(bits);
        self.jump(head, &shapes, &[Form::Scalar(bits), sum]);
        self.b.switch_to_block(after);
        results[0]
    }

    fn lowest_waiting(&mut self, accumulator: Accumulator, room: Value, bits: Value) -> Form {
        let level = self.b.ins().ctz(bits);
        let offset = self.multiply_constant(level, accumulator.bytes());
        let place = self.b.ins().iadd(room, offset);
        self.load_accumulator(accumulator, place)
    }

    fn without_lowest(&mut self, bits: Value) -> Value {
        let less = self.add_constant(bits, -1);
        self.b.ins().band(bits, less)
    }

    fn load_accumulator(&mut self, accumulator: Accumulator, base: Value) -> Form {
        let place = Place { base, offset: 0 };
        match accumulator.packed {
            true => self.load_lanes(accumulator.ty, place),
            false => Form::Scalar(self.load_scalar(accumulator.ty, place)),
        }
    }

    fn store_accumulator(&mut self, accumulator: Accumulator, base: Value, form: Form) {
        let place = Place { base, offset: 0 };
        match accumulator.packed {
            true => self.store_lanes(accumulator.ty, form, place),
            false => {
                let value = self.scalar_of(form);
                self.store_scalar(value, place);
            }
        }
    }

    /// 32 accumulators in memory, index mod 32; whole groups of 32 in registers first where the body allows it.
    fn lanes32(&mut self, room: Value, reduce: &Reduce, accumulator: Accumulator, count: Value) -> Form {
        let zero = self.zero(Type::I64);
        // Neighbouring terms of a row that is stored in part may share a lane.
        let flat = reduce.slot.is_none() && reduce.body.iter().all(|stmt| matches!(stmt, Stmt::Let(_)));
        let vectors =
            flat && reduce.body.len() <= UNROLLED_STATEMENTS && self.options.simd && self.varying.is_none();
        let varying = vectors.then(|| vary::varying(self.kernel, reduce.index, &reduce.body)).flatten();
        let start = match varying {
            Some(varying) => {
                let end = self.b.ins().band_imm_s(count, -ACCUMULATORS);
                match self.wide_groups(reduce, (end, room), &varying, accumulator.identity()) {
                    true => {
                        let none = self.b.ins().icmp(IntCC::SignedLessThanOrEqual, end, zero);
                        self.when(none, |s| s.clear(accumulator, room));
                        end
                    }
                    false => {
                        self.wide.leave_loop();
                        self.groups_of_32(reduce, accumulator, end, room, varying)
                    }
                }
            }
            None => {
                self.wide.leave_loop();
                self.clear(accumulator, room);
                zero
            }
        };
        self.counted(start, count, 1, |s, index| {
            s.set(reduce.index, Form::Scalar(index));
            s.block(&reduce.body);
            let slot = reduce.slot.map_or(index, |slot| s.scalar(slot.index));
            let lane = s.b.ins().band_imm_u(slot, ACCUMULATORS - 1);
            let offset = s.multiply_constant(lane, accumulator.bytes());
            let place = s.b.ins().iadd(room, offset);
            let before = s.load_accumulator(accumulator, place);
            let after = s.accumulate(reduce, accumulator, before);
            s.store_accumulator(accumulator, place, after);
        });
        if vectors { self.halve_vectors(accumulator, room) } else { self.halve(accumulator, room) }
    }

    /// Makes 32 accumulators of nothing.
    fn clear(&mut self, accumulator: Accumulator, room: Value) {
        let identity = self.identity(accumulator);
        for lane in 0..ACCUMULATORS {
            let place = self.add_constant(room, lane * accumulator.bytes());
            self.store_accumulator(accumulator, place, identity);
        }
    }

    /// The groups of 32 terms of `0 .. end`, in eight vectors of accumulators that are left in `room`; the first index left.
    fn groups_of_32(
        &mut self,
        reduce: &Reduce,
        accumulator: Accumulator,
        end: Value,
        room: Value,
        varying: Varying,
    ) -> Value {
        let vector = Accumulator { packed: true, ..accumulator };
        let copies = ACCUMULATORS / LANES;
        let mut shapes = vec![(Type::I64, false)];
        shapes.extend((0..copies).map(|_| vector.shape()));
        let (head, forms) = self.block_with(&shapes);
        let (inside, after) = (self.b.create_block(), self.b.create_block());
        let (zero, identity) = (self.zero(Type::I64), self.identity(vector));
        let identity = self.pack(vector.ty, identity);
        let mut initial = vec![Form::Scalar(zero)];
        initial.extend((0..copies).map(|_| identity));
        self.jump(head, &shapes, &initial);

        self.b.switch_to_block(head);
        let index = self.scalar_of(forms[0]);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, index, end);
        self.b.ins().brif(more, inside, &[], after, &[]);

        self.b.switch_to_block(inside);
        self.varying = Some(varying);
        let mut next = vec![Form::Scalar(self.add_constant(index, ACCUMULATORS))];
        for copy in 0..copies {
            let affine = Affine { base: index, offset: copy * LANES, step: Step::Constant(1) };
            self.set(reduce.index, Form::Affine(affine));
            self.block(&reduce.body);
            next.push(self.accumulate(reduce, vector, forms[copy as usize + 1]));
        }
        self.varying = None;
        self.jump(head, &shapes, &next);

        self.b.switch_to_block(after);
        for (copy, &form) in forms[1..].iter().enumerate() {
            let place = self.add_constant(room, copy as i64 * vector.bytes());
            self.store_accumulator(vector, place, form);
        }
        index
    }

    /// Lane l takes lane l + 16, then l + 8, 4, 2, 1.
    fn halve(&mut self, accumulator: Accumulator, room: Value) -> Form {
        let mut lanes: Vec<Form> = (0..ACCUMULATORS)
            .map(|lane| {
                let place = self.add_constant(room, lane * accumulator.bytes());
                self.load_accumulator(accumulator, place)
            })
            .collect();
        self.halve_forms(accumulator, &mut lanes);
        lanes[0]
    }

    /// The same from accumulators that lie side by side: the first three halvings add whole vectors.
    fn halve_vectors(&mut self, accumulator: Accumulator, room: Value) -> Form {
        let vector = Accumulator { packed: true, ..accumulator };
        let mut vectors: Vec<Form> = (0..ACCUMULATORS / LANES)
            .map(|copy| {
                let place = self.add_constant(room, copy * vector.bytes());
                self.load_accumulator(vector, place)
            })
            .collect();
        self.halve_forms(vector, &mut vectors);
        let mut lanes: Vec<Form> =
            (0..LANES as u8).map(|lane| Form::Scalar(self.lane(accumulator.ty, vectors[0], lane))).collect();
        self.halve_forms(accumulator, &mut lanes);
        lanes[0]
    }

    fn halve_forms(&mut self, accumulator: Accumulator, forms: &mut Vec<Form>) {
        while forms.len() > 1 {
            let upper = forms.split_off(forms.len() / 2);
            for (lower, upper) in forms.iter_mut().zip(upper) {
                *lower = self.combine(accumulator, *lower, upper);
            }
        }
    }
}
