//! Machine instructions, and their bytes.

mod pairs;

use iced_x86::{Code, Formatter, Instruction, NasmFormatter, OpKind, Register};

use super::assign::{Assigned, MOVE};
use super::bytes;
use super::inst::{Body, Inst, Memory, Operand, Shape};

/// Where an operand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a vector register.
    Register(u8),
    /// On the stack.
    Stack(usize),
    /// Behind the code.
    Literal(usize),
}

/// An operand of the machine.
#[derive(Clone, Copy, Debug)]
enum Part {
    Register(Register),
    Memory {
        base: Register,
        index: Register,
        scale: u32,
        offset: i64,
    },
    /// An element behind the address of an input; an index in a vector register, that of a lane, or the loop's own.
    Element {
        input: usize,
        index: Register,
        scale: u32,
        offset: i64,
    },
    Literal(usize),
}

/// One instruction, but for the addresses that are known last.
#[derive(Clone, Debug)]
pub(super) struct Line {
    code: Code,
    parts: Vec<Part>,
    immediate: Option<u8>,
}

const LIST: Register = Register::RDI;
const INDEX: Register = Register::RSI;
const END: Register = Register::RDX;
/// Addresses of inputs that have no register of their own pass through this one.
const SCRATCH: Register = Register::R11;
/// Registers for addresses; those from the sixth on belong to the caller.
const ADDRESSES: [Register; 10] = [
    Register::RAX,
    Register::RCX,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::RBX,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];
const OWN: usize = 5;
/// The index of a lane, where lanes are gathered one by one: the last register for addresses.
const LANE: Register = Register::R15;

/// The stack that a loop may take, in vectors: less than the page that guards a thread's stack.
const FRAME: usize = 120;

fn full(register: u8) -> Register {
    Register::YMM0 + u32::from(register)
}

fn low(register: u8) -> Register {
    Register::XMM0 + u32::from(register)
}

fn part(place: Place) -> Part {
    match place {
        Place::Register(register) => Part::Register(full(register)),
        Place::Stack(slot) => {
            Part::Memory { base: Register::RSP, index: Register::None, scale: 1, offset: 32 * slot as i64 }
        }
        Place::Literal(number) => Part::Literal(number),
    }
}

impl Line {
    fn new(code: Code, parts: Vec<Part>) -> Self {
        Self { code, parts, immediate: None }
    }

    /// A number of the list in all lanes of a register.
    pub fn broadcast(register: u8, input: usize, size: usize) -> Self {
        let code = match size {
            4 => Code::VEX_Vbroadcastss_ymm_m32,
            _ => Code::VEX_Vbroadcastsd_ymm_m64,
        };
        let from = Part::Memory { base: LIST, index: Register::None, scale: 1, offset: 8 * input as i64 };
        Self::new(code, vec![Part::Register(full(register)), from])
    }

    /// A register's vector from memory.
    pub fn load(register: u8, place: Place) -> Self {
        Self::new(MOVE.0, vec![Part::Register(full(register)), part(place)])
    }

    /// A register's vector to memory.
    pub fn store(place: Place, register: u8) -> Self {
        Self::new(MOVE.1, vec![part(place), Part::Register(full(register))])
    }

    /// A register's vector to the memory behind the address of an input.
    pub fn leave((input, offset): (usize, i64), register: u8) -> Self {
        let into = Part::Element { input, index: Register::None, scale: 1, offset };
        Self::new(Code::VEX_Vmovups_ymmm256_ymm, vec![into, Part::Register(full(register))])
    }

    /// From one register to another.
    pub fn copy(into: u8, from: u8) -> Self {
        Self::new(MOVE.0, vec![Part::Register(full(into)), Part::Register(full(from))])
    }

    /// All bits of a register.
    pub fn ones(register: u8) -> Self {
        let register = Part::Register(full(register));
        Self::new(Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256, vec![register; 3])
    }

    /// An element for each lane; the mask is gone afterwards.
    pub fn gather(inst: &Inst, result: Option<u8>, index: Option<Place>, mask: u8) -> Self {
        let (Shape::Gather { input, size }, Some(result), Some(Place::Register(index))) =
            (inst.shape, result, index)
        else {
            crate::ice!("a gather has a result, and an index in a register")
        };
        let index = match inst.operands[0] {
            Operand::Low(_) => low(index),
            Operand::Vector(_) | Operand::Memory(_) | Operand::Index => full(index),
        };
        let from = Part::Element { input, index, scale: size, offset: 0 };
        Self::new(inst.code, vec![Part::Register(full(result)), from, Part::Register(full(mask))])
    }

    /// An element for each lane, one after another: their indices stand on the stack. The spare register is overwritten.
    pub fn lane_by_lane(inst: &Inst, result: Option<u8>, slot: usize, spare: u8) -> Vec<Self> {
        let (Shape::Gather { input, size }, Some(result)) = (inst.shape, result) else {
            crate::ice!("a gather has a result")
        };
        let element = Part::Element { input, index: LANE, scale: size, offset: 0 };
        let in_half = 16 / i64::from(size);
        let mut lines = Vec::new();
        for (half, register) in [result, spare].into_iter().enumerate() {
            let into = Part::Register(low(register));
            for lane in 0..in_half {
                let offset = 32 * slot as i64 + 4 * (half as i64 * in_half + lane);
                let index = Part::Memory { base: Register::RSP, index: Register::None, scale: 1, offset };
                lines.push(Self::new(Code::Movsxd_r64_rm32, vec![Part::Register(LANE), index]));
                lines.push(match (size, lane) {
                    (4, 0) => Self::new(Code::VEX_Vmovss_xmm_m32, vec![into, element]),
                    (4, _) => Self {
                        code: Code::VEX_Vinsertps_xmm_xmm_xmmm32_imm8,
                        parts: vec![into, into, element],
                        immediate: Some((lane as u8) << 4),
                    },
                    (_, 0) => Self::new(Code::VEX_Vmovsd_xmm_m64, vec![into, element]),
                    (_, _) => Self::new(Code::VEX_Vmovhpd_xmm_xmm_m64, vec![into, into, element]),
                });
            }
        }
        let whole = Part::Register(full(result));
        lines.push(Self {
            code: Code::VEX_Vinsertf128_ymm_ymm_xmmm128_imm8,
            parts: vec![whole, whole, Part::Register(low(spare))],
            immediate: Some(1),
        });
        lines
    }

    /// An instruction with its operands.
    pub fn of(inst: &Inst, result: Option<u8>, places: &[Option<Place>]) -> Self {
        let mut parts = Vec::with_capacity(4);
        if let (Some((_, half)), Some(register)) = (inst.result, result) {
            parts.push(Part::Register(if half { low(register) } else { full(register) }));
        }
        let operands = inst.operands.iter().zip(places).skip(usize::from(inst.shape == Shape::Tied));
        for (operand, place) in operands {
            parts.push(match (operand, place) {
                (Operand::Low(_), Some(Place::Register(register))) => Part::Register(low(*register)),
                (Operand::Vector(_) | Operand::Low(_), Some(place)) => part(*place),
                (Operand::Memory(Memory { input, size, offset }), _) => {
                    Part::Element { input: *input, index: INDEX, scale: *size, offset: *offset }
                }
                (Operand::Index, _) if inst.code == Code::VEX_Vmovd_xmm_rm32 => Part::Register(Register::ESI),
                (Operand::Index, _) => Part::Register(INDEX),
                (Operand::Vector(_) | Operand::Low(_), None) => {
                    crate::ice!("a vector without a place")
                }
            });
        }
        Self { code: inst.code, parts, immediate: inst.immediate }
    }
}

/// The machine code of a loop: `loop(list: *const u64, start: i64, end: i64)` in the calling convention of System V, for at least
/// one iteration.
pub(super) struct Code256 {
    pub bytes: Vec<u8>,
    instructions: Vec<Instruction>,
    literals: Vec<[u8; 32]>,
}

/// Puts a loop together; nothing where it needs more stack than is safe.
pub(super) fn encode(body: &Body, assigned: &Assigned) -> Option<Code256> {
    if assigned.frame > FRAME {
        return None;
    }
    let addresses = Addresses::new(assigned);
    let mut writer =
        Writer { addresses: &addresses, instructions: Vec::new(), literals: Vec::new(), jumps: Vec::new() };
    let mut saved = ADDRESSES[OWN.min(addresses.registers.len())..addresses.registers.len()].to_vec();
    saved.extend(addresses.lane.then_some(LANE));
    for &register in &saved {
        writer.plain(Code::Push_r64, &[Part::Register(register)]);
    }
    if assigned.frame > 0 {
        writer.plain(Code::Push_r64, &[Part::Register(Register::RBP)]);
        let (frame, stack) = (Part::Register(Register::RBP), Part::Register(Register::RSP));
        writer.plain(Code::Mov_r64_rm64, &[frame, stack]);
        writer.number(Code::Sub_rm64_imm32, Register::RSP, 32 * assigned.frame as i32);
        writer.number(Code::And_rm64_imm8, Register::RSP, -32);
    }
    for (&input, &register) in addresses.inputs.iter().zip(&addresses.registers) {
        writer.take(register, input);
    }
    assigned.before.iter().for_each(|line| writer.line(line));
    match pairs::next_iteration(assigned, body.span) {
        Some(next) => writer.in_pairs(assigned, &next, body.span as i32),
        None => {
            let head = writer.instructions.len();
            assigned.body.iter().for_each(|line| writer.line(line));
            writer.again(head, body.span as i32);
        }
    }
    assigned.after.iter().for_each(|line| writer.line(line));
    if assigned.frame > 0 {
        let (frame, stack) = (Part::Register(Register::RBP), Part::Register(Register::RSP));
        writer.plain(Code::Mov_r64_rm64, &[stack, frame]);
        writer.plain(Code::Pop_r64, &[Part::Register(Register::RBP)]);
    }
    for &register in saved.iter().rev() {
        writer.plain(Code::Pop_r64, &[Part::Register(register)]);
    }
    writer.plain(Code::VEX_Vzeroupper, &[]);
    writer.plain(Code::Retnq, &[]);
    let Writer { instructions, literals, jumps, .. } = writer;
    Some(assemble(instructions, (&literals, &assigned.literals), &jumps))
}

/// Which inputs are addresses, and the registers of those that have one.
struct Addresses {
    inputs: Vec<usize>,
    registers: Vec<Register>,
    /// Whether a register holds the index of a lane.
    lane: bool,
}

impl Addresses {
    fn new(assigned: &Assigned) -> Self {
        let mut counts: Vec<(usize, usize)> = Vec::new();
        for line in &assigned.body {
            for part in &line.parts {
                if let Part::Element { input, .. } = part {
                    match counts.iter_mut().find(|(known, _)| known == input) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((*input, 1)),
                    }
                }
            }
        }
        counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let is_lane = |part: &Part| matches!(part, Part::Element { index: LANE, .. });
        let lane = assigned.body.iter().any(|line| line.parts.iter().any(is_lane));
        let room = ADDRESSES.len() - usize::from(lane);
        let inputs: Vec<usize> = counts.into_iter().map(|(input, _)| input).take(room).collect();
        Self { registers: ADDRESSES[..inputs.len()].to_vec(), inputs, lane }
    }

    fn of(&self, input: usize) -> Option<Register> {
        self.inputs.iter().position(|known| *known == input).map(|place| self.registers[place])
    }
}

struct Writer<'a> {
    addresses: &'a Addresses,
    instructions: Vec<Instruction>,
    /// Instructions with a literal, and its number.
    literals: Vec<(usize, usize)>,
    /// Instructions that jump, and to which.
    jumps: Vec<(usize, usize)>,
}

impl Writer<'_> {
    /// A jump to an instruction by its number.
    fn jump(&mut self, code: Code, target: usize) {
        let mut instruction = Instruction::new();
        instruction.set_code(code);
        instruction.set_op0_kind(OpKind::NearBranch64);
        self.jumps.push((self.instructions.len(), target));
        self.instructions.push(instruction);
    }

    /// The end of an iteration: another, if there is one.
    fn again(&mut self, head: usize, span: i32) {
        self.number(Code::Add_rm64_imm8, INDEX, span);
        self.plain(Code::Cmp_r64_rm64, &[Part::Register(INDEX), Part::Register(END)]);
        self.jump(Code::Jl_rel32_64, head);
    }

    fn plain(&mut self, code: Code, parts: &[Part]) {
        self.line(&Line::new(code, parts.to_vec()));
    }

    /// An instruction of a register and a number that belongs to it.
    fn number(&mut self, code: Code, register: Register, number: i32) {
        let mut instruction = Instruction::new();
        instruction.set_code(code);
        instruction.set_op0_kind(OpKind::Register);
        instruction.set_op0_register(register);
        if code == Code::Sub_rm64_imm32 {
            instruction.set_op1_kind(OpKind::Immediate32to64);
            instruction.set_immediate32to64(i64::from(number));
        } else {
            instruction.set_op1_kind(OpKind::Immediate8to64);
            instruction.set_immediate8to64(i64::from(number));
        }
        self.instructions.push(instruction);
    }

    /// The address of an input.
    fn take(&mut self, register: Register, input: usize) {
        let from = Part::Memory { base: LIST, index: Register::None, scale: 1, offset: 8 * input as i64 };
        self.plain(Code::Mov_r64_rm64, &[Part::Register(register), from]);
    }

    fn line(&mut self, line: &Line) {
        let mut instruction = Instruction::new();
        instruction.set_code(line.code);
        for (number, part) in line.parts.iter().enumerate() {
            let number = number as u32;
            let (base, index, scale, offset) = match *part {
                Part::Register(register) => {
                    instruction.set_op_kind(number, OpKind::Register);
                    instruction.set_op_register(number, register);
                    continue;
                }
                Part::Literal(literal) => {
                    self.literals.push((self.instructions.len(), literal));
                    (Register::RIP, Register::None, 1, 0)
                }
                Part::Memory { base, index, scale, offset } => (base, index, scale, offset),
                Part::Element { input, index, scale, offset } => match self.addresses.of(input) {
                    Some(base) => (base, index, scale, offset),
                    None => {
                        self.take(SCRATCH, input);
                        (SCRATCH, index, scale, offset)
                    }
                },
            };
            instruction.set_op_kind(number, OpKind::Memory);
            instruction.set_memory_base(base);
            instruction.set_memory_index(index);
            instruction.set_memory_index_scale(scale);
            instruction.set_memory_displacement64(offset as u64);
            let size = match (base, offset) {
                (Register::RIP, _) => 8,
                (_, 0) => 0,
                _ => 1,
            };
            instruction.set_memory_displ_size(size);
        }
        if let Some(immediate) = line.immediate {
            instruction.set_op_kind(line.parts.len() as u32, OpKind::Immediate8);
            instruction.set_immediate8(immediate);
        }
        self.instructions.push(instruction);
    }
}

/// The bytes. Where literals and instructions stand is known when all of the code is: displacements are written last.
fn assemble(
    mut instructions: Vec<Instruction>,
    (uses, literals): (&[(usize, usize)], &[[u8; 32]]),
    jumps: &[(usize, usize)],
) -> Code256 {
    let mut bytes = Vec::with_capacity(8 * instructions.len() + 32 * (literals.len() + 1));
    let mut behind = Vec::with_capacity(uses.len());
    for instruction in &mut instructions {
        instruction.set_ip(bytes.len() as u64);
        if let Some(place) = bytes::put(&mut bytes, instruction) {
            behind.push((place, bytes.len()));
        }
    }
    for &(jump, target) in jumps {
        let (target, end) = (instructions[target].ip(), instructions[jump + 1].ip());
        instructions[jump].set_near_branch64(target);
        let end = end as usize;
        bytes[end - 4..end].copy_from_slice(&((target as usize).wrapping_sub(end) as u32).to_le_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    for (&(instruction, literal), (place, end)) in uses.iter().zip(behind) {
        let target = bytes.len() + 32 * literal;
        instructions[instruction].set_memory_displacement64(target as u64);
        bytes[place..place + 4].copy_from_slice(&((target - end) as u32).to_le_bytes());
    }
    bytes.extend(literals.iter().flatten());
    #[cfg(test)]
    check(&instructions, &bytes);
    Code256 { bytes, instructions, literals: literals.to_vec() }
}

/// Whether the bytes are those of iced's encoder.
#[cfg(test)]
fn check(instructions: &[Instruction], bytes: &[u8]) {
    let mut encoder = iced_x86::Encoder::new(64);
    for instruction in instructions {
        let length = encoder.encode(instruction, instruction.ip()).unwrap();
        let buffer = encoder.take_buffer();
        let at = instruction.ip() as usize;
        assert_eq!(bytes[at..at + length], buffer, "{instruction:?}");
    }
}

impl Code256 {
    /// The instructions as text, literals by their number.
    pub fn listing(&self) -> String {
        let mut formatter = NasmFormatter::new();
        formatter.options_mut().set_branch_leading_zeros(false);
        formatter.options_mut().set_show_branch_size(false);
        let mut text = String::new();
        let mut line = String::new();
        for instruction in &self.instructions {
            line.clear();
            formatter.format(instruction, &mut line);
            text.push_str(&format!("  {:4x}  {line}\n", instruction.ip()));
        }
        for (number, literal) in self.literals.iter().enumerate() {
            let words: Vec<String> = literal
                .chunks_exact(4)
                .map(|word| format!("{:08x}", u32::from_le_bytes([word[0], word[1], word[2], word[3]])))
                .collect();
            let at = self.bytes.len() - 32 * (self.literals.len() - number);
            text.push_str(&format!("  {at:4x}  {}\n", words.join(" ")));
        }
        text
    }
}
