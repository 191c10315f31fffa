//! Loads and stores.

use iced_x86::Code;

use super::inst::{Inst, Operand, Shape, Vector};
use super::linear::Linear;
use super::select::{Lanes, Reason, Select};
use crate::kernel::{Access, BufferId, BufferKind, RowSet, SpaceKind, Type, ValueId};

/// How many bytes ahead a full pass asks for synapses.
pub const AHEAD: i64 = 4096;

impl Select<'_> {
    /// An element for each lane.
    pub fn load(&mut self, buffer: BufferId, index: ValueId) -> Result<Lanes, Reason> {
        let ty = self.kernel.buffers[buffer].ty;
        if self.invariant(index) {
            return Err("an element that the loop itself may write, the same for all iterations");
        }
        match self.index_of(index)? {
            Place::Linear(linear) => self.load_side_by_side(buffer, ty, &linear),
            Place::List { words, unsigned, sum } => self.gather(buffer, ty, words, unsigned, sum),
        }
    }

    fn index_of(&mut self, index: ValueId) -> Result<Place, Reason> {
        match self.known(index) {
            Some(Lanes::Linear(linear)) => Ok(Place::Linear(linear)),
            Some(Lanes::Words { words, unsigned, sum }) => Ok(Place::List { words, unsigned, sum }),
            Some(Lanes::One(_) | Lanes::Two(_)) | None => Err("places that are computed in 64 bits"),
        }
    }

    fn load_side_by_side(&mut self, buffer: BufferId, ty: Type, linear: &Linear) -> Result<Lanes, Reason> {
        let code = match ty {
            Type::F32 | Type::F64 => Code::VEX_Vmovups_ymm_ymmm256,
            Type::I32 | Type::I64 => Code::VEX_Vmovdqu_ymm_ymmm256,
            Type::Bool => Code::VEX_Vpmovzxbd_ymm_xmmm64,
        };
        if matches!(self.kernel.buffers[buffer].kind, BufferKind::Synapse) && ty != Type::Bool {
            self.fetch_ahead(buffer, linear)?;
        }
        let from = |select: &mut Self, lane: i64| {
            let place = select.place(buffer, linear, lane)?;
            Ok::<_, Reason>(select.body.define(code, vec![Operand::Memory(place)], None, false))
        };
        if ty.size() == 8 {
            return Ok(Lanes::Two([from(self, 0)?, from(self, 4)?]));
        }
        let lanes = from(self, 0)?;
        Ok(Lanes::One(if ty == Type::Bool { self.is_not_zero(lanes) } else { lanes }))
    }

    /// Asks for the cache line of a later iteration. Arrays of synapses come from afar, and the processor's own prefetchers do not
    /// look as far ahead. What lies behind the array is asked for as well, which has no effect.
    fn fetch_ahead(&mut self, buffer: BufferId, linear: &Linear) -> Result<(), Reason> {
        let bytes = match self.kernel.space.kind {
            SpaceKind::Rows(RowSet::All) => AHEAD,
            _ => 1024,
        };
        let elements = bytes / self.kernel.buffers[buffer].ty.size() as i64;
        let place = self.place(buffer, linear, elements)?;
        self.effect(Code::Prefetcht0_m8, vec![Operand::Memory(place)]);
        Ok(())
    }

    /// A mask of words that are not negative.
    fn is_not_zero(&mut self, words: Vector) -> Vector {
        let zero = self.body.words([0; 8]);
        self.body.binary(Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256, words, zero)
    }

    fn gather(
        &mut self,
        buffer: BufferId,
        ty: Type,
        words: Vector,
        unsigned: bool,
        sum: Linear,
    ) -> Result<Lanes, Reason> {
        if ty == Type::Bool {
            return self.gather_bytes(buffer, words, &sum);
        }
        // The hardware extends with the sign: an unsigned word is moved to the signed range, and the address against it.
        let size = ty.size() as i64;
        let mut bytes = sum.constant.checked_mul(size).ok_or("a constant that no address can hold")?;
        let mut index = words;
        if unsigned {
            let sign = self.body.words([1 << 31; 8]);
            index = self.body.binary(Code::VEX_Vpxor_ymm_ymm_ymmm256, words, sign);
            bytes = bytes.wrapping_add(size << 31);
        }
        let input = self.sum_input(Some(buffer), &sum, bytes);
        let size = size as u32;
        if size == 4 {
            let code = if ty == Type::F32 {
                Code::VEX_Vgatherdps_ymm_vm32y_ymm
            } else {
                Code::VEX_Vpgatherdd_ymm_vm32y_ymm
            };
            return Ok(Lanes::One(self.gathered(code, Operand::Vector(index), input, size)));
        }
        let code = if ty == Type::F64 {
            Code::VEX_Vgatherdpd_ymm_vm32x_ymm
        } else {
            Code::VEX_Vpgatherdq_ymm_vm32x_ymm
        };
        let high = self.body.high(index);
        Ok(Lanes::Two([index, high].map(|index| self.gathered(code, Operand::Low(index), input, size))))
    }

    fn gathered(&mut self, code: Code, index: Operand, input: usize, size: u32) -> Vector {
        let result = self.body.vector();
        self.body.insts.push(Inst {
            code,
            shape: Shape::Gather { input, size },
            result: Some((result, false)),
            operands: vec![index],
            immediate: None,
            foldable: None,
        });
        result
    }

    /// Bytes come as the aligned words that they are in, so that nothing outside of the buffer's words is touched.
    fn gather_bytes(&mut self, buffer: BufferId, words: Vector, sum: &Linear) -> Result<Lanes, Reason> {
        if *sum != Linear::default() {
            return Err("conditions at places behind a first one");
        }
        let input = self.sum_input(Some(buffer), sum, 0);
        let index = self.body.shift(Code::VEX_Vpsrld_ymm_ymm_imm8, words, 2);
        let found = self.gathered(Code::VEX_Vpgatherdd_ymm_vm32y_ymm, Operand::Vector(index), input, 4);
        let three = self.body.words([3; 8]);
        let within = self.body.binary(Code::VEX_Vpand_ymm_ymm_ymmm256, words, three);
        let shift = self.body.shift(Code::VEX_Vpslld_ymm_ymm_imm8, within, 3);
        let byte = self.body.binary(Code::VEX_Vpsrlvd_ymm_ymm_ymmm256, found, shift);
        let low = self.body.words([0xff; 8]);
        let byte = self.body.binary(Code::VEX_Vpand_ymm_ymm_ymmm256, byte, low);
        Ok(Lanes::One(self.is_not_zero(byte)))
    }

    /// Writes an element for each lane, where the gate holds.
    pub fn store(
        &mut self,
        buffer: BufferId,
        index: ValueId,
        value: ValueId,
        gate: Option<ValueId>,
    ) -> Result<(), Reason> {
        let Some(Lanes::Linear(linear)) = self.known(index) else {
            return Err("a store to places that are not side by side");
        };
        let ty = self.kernel.buffers[buffer].ty;
        if ty == Type::Bool {
            return self.store_bytes(buffer, &linear, value, gate);
        }
        let vectors = if ty.size() == 8 { self.two(value)?.to_vec() } else { vec![self.one(value)?] };
        let masks = match gate {
            Some(gate) if ty.size() == 8 => Some(self.wide(gate)?.to_vec()),
            Some(gate) => Some(vec![self.narrow(gate)?]),
            None => None,
        };
        let blend = self.kernel.buffers[buffer].access == Access::ReadWrite;
        for (number, &vector) in vectors.iter().enumerate() {
            let place = self.place(buffer, &linear, 4 * number as i64)?;
            let store = Code::VEX_Vmovups_ymmm256_ymm;
            match masks.as_ref().map(|masks| masks[number]) {
                None => self.effect(store, vec![Operand::Memory(place), Operand::Vector(vector)]),
                // The iterations of the loop belong to this thread: what may be read may be written back.
                Some(mask) if blend => {
                    let load = Code::VEX_Vmovups_ymm_ymmm256;
                    let old = self.body.define(load, vec![Operand::Memory(place)], None, false);
                    let new = self.body.blend(mask, vector, old);
                    self.effect(store, vec![Operand::Memory(place), Operand::Vector(new)]);
                }
                Some(mask) => {
                    let code = match ty.size() {
                        8 => Code::VEX_Vmaskmovpd_m256_ymm_ymm,
                        _ => Code::VEX_Vmaskmovps_m256_ymm_ymm,
                    };
                    let operands =
                        vec![Operand::Memory(place), Operand::Vector(mask), Operand::Vector(vector)];
                    self.effect(code, operands);
                }
            }
        }
        Ok(())
    }

    fn store_bytes(
        &mut self,
        buffer: BufferId,
        linear: &Linear,
        value: ValueId,
        gate: Option<ValueId>,
    ) -> Result<(), Reason> {
        if gate.is_some() {
            return Err("conditions that are stored where another holds");
        }
        let mask = self.narrow(value)?;
        let high = self.body.high(mask);
        let pair = vec![Operand::Low(mask), Operand::Low(high)];
        let halves = self.body.define(Code::VEX_Vpackssdw_xmm_xmm_xmmm128, pair, None, true);
        let pair = vec![Operand::Low(halves), Operand::Low(halves)];
        let bytes = self.body.define(Code::VEX_Vpacksswb_xmm_xmm_xmmm128, pair, None, true);
        let ones = self.body.words([0x0101_0101; 8]);
        let pair = vec![Operand::Low(bytes), Operand::Low(ones)];
        let bits = self.body.define(Code::VEX_Vpand_xmm_xmm_xmmm128, pair, None, true);
        let place = self.place(buffer, linear, 0)?;
        self.effect(Code::VEX_Vmovq_xmmm64_xmm, vec![Operand::Memory(place), Operand::Low(bits)]);
        Ok(())
    }
}

/// Where the elements of a load are.
enum Place {
    /// Side by side.
    Linear(Linear),
    /// Where a list says.
    List { words: Vector, unsigned: bool, sum: Linear },
}
