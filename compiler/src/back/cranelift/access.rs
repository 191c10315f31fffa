//! Loads and stores of either form.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, InstructionData, MemFlagsData, Opcode, Value, types};

use super::form::{Affine, Form, LANES, Step, vector_type};
use super::function::Lower;
use crate::kernel::{Access, BufferId, Type};

/// A place in memory.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub base: Value,
    pub offset: i32,
}

impl Lower<'_, '_> {
    /// The flags of every access: unaligned is allowed, and the kernel's author keeps it in range.
    pub fn flags(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap()
    }

    /// The place of an element.
    fn place(&mut self, buffer: BufferId, index: Value, offset: i64) -> Place {
        let (index, more) = self.without_constant(index);
        let offset = offset.wrapping_add(more);
        let size = self.kernel.buffers[buffer].ty.size() as i64;
        let pointer = self.pointers[buffer.index()];
        // An offset that fits is part of the instruction; one that does not is added to the index.
        match i32::try_from(offset.wrapping_mul(size)) {
            Ok(bytes) if offset.unsigned_abs() < 1 << 27 => self.place_in(pointer, index, size, bytes),
            _ => {
                let index = self.add_constant(index, offset);
                self.place_in(pointer, index, size, 0)
            }
        }
    }

    /// An index as a sum with a constant.
    fn without_constant(&self, index: Value) -> (Value, i64) {
        let dfg = &self.b.func.dfg;
        let sum = dfg.value_def(index).inst().map(|inst| dfg.insts[inst]);
        let Some(InstructionData::Binary { opcode: Opcode::Iadd, args: [value, constant] }) = sum else {
            return (index, 0);
        };
        match dfg.value_def(constant).inst().map(|inst| dfg.insts[inst]) {
            Some(InstructionData::UnaryImm { opcode: Opcode::Iconst, imm }) => (value, imm.bits()),
            Some(_) | None => (index, 0),
        }
    }

    /// The place of element `index`, given the place of the first.
    pub fn place_in(&mut self, pointer: Value, index: Value, size: i64, offset: i32) -> Place {
        let index = match size {
            1 => index,
            _ => self.b.ins().ishl_imm_u(index, i64::from(size.trailing_zeros())),
        };
        Place { base: self.b.ins().iadd(pointer, index), offset }
    }

    /// An element, or one for each lane.
    pub fn load(&mut self, buffer: BufferId, index: Form) -> Form {
        let ty = self.kernel.buffers[buffer].ty;
        match index {
            Form::Scalar(index) => {
                let place = self.place(buffer, index, 0);
                Form::Scalar(self.load_scalar(ty, place))
            }
            Form::Affine(Affine { base, offset, step: Step::Constant(1) }) => {
                let place = self.place(buffer, base, offset);
                self.load_lanes(ty, place)
            }
            Form::Affine(_) | Form::Apart(_) | Form::One(_) | Form::Two(_) => self.gather(buffer, index),
        }
    }

    /// Four elements that are apart.
    fn gather(&mut self, buffer: BufferId, index: Form) -> Form {
        let ty = self.kernel.buffers[buffer].ty;
        let places = [0, 1, 2, 3].map(|lane| self.lane_place(buffer, index, lane));
        if ty != Type::Bool {
            let lanes = places.map(|place| self.load_scalar(ty, place));
            return self.gather_lanes(ty, lanes);
        }
        // As words, so that one comparison makes four conditions.
        let flags = self.flags();
        let words = places.map(|place| self.b.ins().uload8(types::I32, flags, place.base, place.offset));
        let Form::One(words) = self.gather_lanes(Type::I32, words) else {
            crate::ice!("four words take one register");
        };
        let zero = self.vector_constant(types::I32X4, vec![0; 16]);
        Form::One(self.b.ins().icmp(IntCC::SignedGreaterThan, words, zero))
    }

    /// The place of one lane's element.
    pub fn lane_place(&mut self, buffer: BufferId, index: Form, lane: u8) -> Place {
        match index {
            Form::Affine(Affine { base, offset, step: Step::Constant(step) }) => {
                self.place(buffer, base, offset.wrapping_add(step.wrapping_mul(i64::from(lane))))
            }
            Form::Scalar(_) | Form::Affine(_) | Form::Apart(_) | Form::One(_) | Form::Two(_) => {
                let index = self.lane(Type::I64, index, lane);
                self.place(buffer, index, 0)
            }
        }
    }

    /// A scalar from memory.
    pub fn load_scalar(&mut self, ty: Type, place: Place) -> Value {
        let flags = self.flags();
        let value = self.b.ins().load(super::form::scalar_type(ty), flags, place.base, place.offset);
        match ty {
            Type::Bool => self.b.ins().icmp_imm_u(IntCC::NotEqual, value, 0),
            Type::F32 | Type::F64 | Type::I32 | Type::I64 => value,
        }
    }

    /// Four consecutive elements.
    pub fn load_lanes(&mut self, ty: Type, place: Place) -> Form {
        let flags = self.flags();
        let Place { base, offset } = place;
        let vector = vector_type(ty);
        match ty {
            Type::F32 | Type::I32 => Form::One(self.b.ins().load(vector, flags, base, offset)),
            Type::F64 | Type::I64 => Form::Two([
                self.b.ins().load(vector, flags, base, offset),
                self.b.ins().load(vector, flags, base, offset + 16),
            ]),
            Type::Bool => {
                let bytes = self.b.ins().load(types::I32, flags, base, offset);
                let bytes = self.b.ins().scalar_to_vector(types::I32X4, bytes);
                let bytes = self.cast(types::I8X16, bytes);
                let halves = self.b.ins().uwiden_low(bytes);
                let words = self.b.ins().uwiden_low(halves);
                let zero = self.vector_constant(types::I32X4, vec![0; 16]);
                // The words are bytes: not negative, and this comparison is one instruction.
                Form::One(self.b.ins().icmp(IntCC::SignedGreaterThan, words, zero))
            }
        }
    }

    /// Writes a scalar.
    pub fn store_scalar(&mut self, value: Value, place: Place) {
        let flags = self.flags();
        self.b.ins().store(flags, value, place.base, place.offset);
    }

    /// Writes four consecutive elements.
    pub fn store_lanes(&mut self, ty: Type, value: Form, place: Place) {
        let Place { base, offset } = place;
        let flags = self.flags();
        match self.pack(ty, value) {
            Form::One(mask) if ty == Type::Bool => {
                let halves = self.b.ins().snarrow(mask, mask);
                let bytes = self.b.ins().snarrow(halves, halves);
                let words = self.cast(types::I32X4, bytes);
                let word = self.b.ins().extractlane(words, 0);
                let ones = self.b.ins().band_imm_u(word, 0x0101_0101);
                self.b.ins().store(flags, ones, base, offset);
            }
            Form::One(value) => {
                self.b.ins().store(flags, value, base, offset);
            }
            Form::Two([low, high]) => {
                self.b.ins().store(flags, low, base, offset);
                self.b.ins().store(flags, high, base, offset + 16);
            }
            Form::Scalar(_) | Form::Affine(_) | Form::Apart(_) => {
                crate::ice!("packing leaves lanes in registers")
            }
        }
    }

    /// Writes an element, or one for each lane, where the gate holds.
    pub fn store(&mut self, buffer: BufferId, index: Form, value: Form, gate: Option<Form>) {
        match gate {
            Some(Form::Scalar(gate)) => {
                self.when(gate, |s| s.store(buffer, index, value, None));
            }
            Some(gate) => self.store_gated(buffer, index, value, gate),
            None => self.store_always(buffer, index, value),
        }
    }

    fn store_always(&mut self, buffer: BufferId, index: Form, value: Form) {
        let ty = self.kernel.buffers[buffer].ty;
        match (index, value) {
            (Form::Scalar(index), Form::Scalar(value)) => {
                let place = self.place(buffer, index, 0);
                self.store_scalar(value, place);
            }
            (Form::Affine(Affine { base, offset, step: Step::Constant(1) }), value) => {
                let place = self.place(buffer, base, offset);
                self.store_lanes(ty, value, place);
            }
            (index, value) => {
                for lane in 0..LANES as u8 {
                    let place = self.lane_place(buffer, index, lane);
                    let scalar = self.lane(ty, value, lane);
                    self.store_scalar(scalar, place);
                }
            }
        }
    }

    fn store_gated(&mut self, buffer: BufferId, index: Form, value: Form, gate: Form) {
        let ty = self.kernel.buffers[buffer].ty;
        // The iterations of a vector loop belong to this thread, so an element whose gate does not hold may be
        // written with what it holds, if the kernel may read it.
        let blend = self.kernel.buffers[buffer].access == Access::ReadWrite;
        if let (true, Form::Affine(Affine { base, offset, step: Step::Constant(1) })) = (blend, index) {
            let place = self.place(buffer, base, offset);
            let old = self.load_lanes(ty, place);
            let new = self.select(ty, gate, value, old);
            self.store_lanes(ty, new, place);
            return;
        }
        for lane in 0..LANES as u8 {
            let holds = self.lane(Type::Bool, gate, lane);
            self.when(holds, |s| {
                let place = s.lane_place(buffer, index, lane);
                let scalar = s.lane(ty, value, lane);
                s.store_scalar(scalar, place);
            });
        }
    }
}
