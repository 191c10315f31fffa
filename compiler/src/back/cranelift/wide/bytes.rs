//! The bytes of instructions.
//!
//! In goes an instruction of those that these loops are made of; out come its bytes. iced has an encoder too, but it makes a
//! table of all instructions that there are before it encodes the first, which takes a process longer than a loop does. Tests
//! hold these bytes against its.

use iced_x86::{Code, Instruction, OpKind, Register};

/// An instruction with a VEX prefix.
#[derive(Clone, Copy)]
struct Vex {
    prefix: Prefix,
    map: Map,
    /// The prefix's bit W.
    double: bool,
    /// Whether vectors have 256 bits.
    long: bool,
    opcode: u8,
    order: Order,
}

/// The prefix that is part of an instruction's name, by its number.
#[derive(Clone, Copy)]
enum Prefix {
    None = 0,
    H66 = 1,
    F3 = 2,
    F2 = 3,
}

/// The table of opcodes, by its number.
#[derive(Clone, Copy, PartialEq)]
enum Map {
    H0F = 1,
    H0F38 = 2,
    H0F3A = 3,
}

/// What the operands are, in their order. An immediate byte comes last.
#[derive(Clone, Copy)]
enum Order {
    /// A register, another where there are three, a register or memory; a fourth is a register in the immediate byte.
    Into,
    /// A register or memory, a register where there are three, a register.
    OutOf,
    /// A register, memory, a register.
    Gather,
    /// A register, another; the digit is part of the opcode.
    Shift(u8),
}

const fn vex(prefix: Prefix, map: Map, opcode: u8) -> Vex {
    Vex { prefix, map, double: false, long: true, opcode, order: Order::Into }
}

const fn double(vex: Vex) -> Vex {
    Vex { double: true, ..vex }
}

const fn short(vex: Vex) -> Vex {
    Vex { long: false, ..vex }
}

const fn ordered(vex: Vex, order: Order) -> Vex {
    Vex { order, ..vex }
}

/// Appends the bytes of an instruction, whose `ip` is the number of bytes before it. Where it has an operand behind the code, the
/// place of that operand's displacement, which is left 0.
pub(super) fn put(bytes: &mut Vec<u8>, instruction: &Instruction) -> Option<usize> {
    match vex_of(instruction.code()) {
        Some(vex) => put_vex(bytes, vex, instruction),
        None => {
            put_plain(bytes, instruction);
            None
        }
    }
}

fn put_vex(bytes: &mut Vec<u8>, vex: Vex, instruction: &Instruction) -> Option<usize> {
    let register = |operand: u32| number(instruction.op_register(operand));
    let is_memory = |operand: u32| instruction.op_kind(operand) == OpKind::Memory;
    let operands = instruction.op_count();
    let with_byte = operands > 0 && instruction.op_kind(operands - 1) == OpKind::Immediate8;
    let places = operands - u32::from(with_byte);
    // Which operand is where: the field `reg`, the register of the prefix, the register or memory.
    let (field, second, place) = match (vex.order, places) {
        (_, 0) => (0, 0, None),
        (Order::Into, 2) => (register(0), 0, Some(1)),
        (Order::Into, _) => (register(0), register(1), Some(2)),
        (Order::OutOf, 2) => (register(1), 0, Some(0)),
        (Order::OutOf, _) => (register(2), register(1), Some(0)),
        (Order::Gather, _) => (register(0), register(2), Some(1)),
        (Order::Shift(digit), _) => (digit, register(0), Some(1)),
    };
    let (index, base) = match place {
        Some(place) if is_memory(place) => {
            (number(instruction.memory_index()), number(instruction.memory_base()))
        }
        Some(place) => (0, register(place)),
        None => (0, 0),
    };
    let rest = (!second & 15) << 3 | u8::from(vex.long) << 2 | vex.prefix as u8;
    let high = |number: u8, bit: u8| u8::from(number < 8) << bit;
    if index < 8 && base < 8 && !vex.double && vex.map == Map::H0F {
        bytes.extend([0xc5, high(field, 7) | rest]);
    } else {
        let first = high(field, 7) | high(index, 6) | high(base, 5) | vex.map as u8;
        bytes.extend([0xc4, first, u8::from(vex.double) << 7 | rest]);
    }
    bytes.push(vex.opcode);
    let behind = match place {
        Some(place) if is_memory(place) => put_memory(bytes, field, instruction),
        Some(place) => {
            bytes.push(0b11 << 6 | (field & 7) << 3 | register(place) & 7);
            None
        }
        None => None,
    };
    if with_byte {
        bytes.push(instruction.immediate8());
    } else if places == 4 {
        bytes.push(register(3) << 4);
    }
    behind
}

/// A register's number among those of its kind; 0 where there is none.
fn number(register: Register) -> u8 {
    let kinds = [Register::EAX, Register::RAX, Register::XMM0, Register::YMM0];
    let numbers = kinds.map(|first| (register as u32).wrapping_sub(first as u32));
    numbers.into_iter().find(|&number| number < 16).unwrap_or(0) as u8
}

/// The bytes of an operand in memory; the place of its displacement where it is behind the code.
fn put_memory(bytes: &mut Vec<u8>, field: u8, instruction: &Instruction) -> Option<usize> {
    /// As a base this says that there is no base, unless a displacement follows.
    const NO_BASE: u8 = 0b101;
    /// As a place this says that another byte follows.
    const MORE: u8 = 0b100;
    let field = (field & 7) << 3;
    if instruction.memory_base() == Register::RIP {
        bytes.push(field | NO_BASE);
        bytes.extend([0; 4]);
        return Some(bytes.len() - 4);
    }
    let base = number(instruction.memory_base()) & 7;
    let offset = instruction.memory_displacement64() as i32;
    let near = i8::try_from(offset);
    let size: u8 = match near {
        Ok(0) if base != NO_BASE => 0b00,
        Ok(_) => 0b01,
        Err(_) => 0b10,
    };
    let index = instruction.memory_index();
    if index == Register::None && base != MORE {
        bytes.push(size << 6 | field | base);
    } else {
        // The stack's register cannot be an index: its number says that there is none.
        let index = if index == Register::None { MORE } else { number(index) & 7 };
        let scale = instruction.memory_index_scale().ilog2() as u8;
        bytes.extend([size << 6 | field | MORE, scale << 6 | index << 3 | base]);
    }
    match (size, near) {
        (0b00, _) => {}
        (_, Ok(near)) => bytes.push(near as u8),
        (_, Err(_)) => bytes.extend(offset.to_le_bytes()),
    }
    None
}

/// Instructions of whole registers.
fn put_plain(bytes: &mut Vec<u8>, instruction: &Instruction) {
    let register = |operand: u32| number(instruction.op_register(operand));
    // A prefix for 64 bits and for the upper registers, the opcode, and a register beside another or beside a digit.
    let two = |bytes: &mut Vec<u8>, opcode: u8, field: u8, place: u8| {
        bytes.extend([0x48 | (field >> 3) << 2 | place >> 3, opcode]);
        bytes.push(0b11 << 6 | (field & 7) << 3 | place & 7);
    };
    let stack = |bytes: &mut Vec<u8>, opcode: u8, register: u8| {
        if register > 7 {
            bytes.push(0x41);
        }
        bytes.push(opcode | register & 7);
    };
    match instruction.code() {
        Code::Push_r64 => stack(bytes, 0x50, register(0)),
        Code::Pop_r64 => stack(bytes, 0x58, register(0)),
        Code::Retnq => bytes.push(0xc3),
        Code::Mov_r64_rm64 if instruction.op_kind(1) == OpKind::Memory => {
            let (into, base) = (register(0), number(instruction.memory_base()));
            bytes.extend([0x48 | (into >> 3) << 2 | base >> 3, 0x8b]);
            put_memory(bytes, into, instruction);
        }
        Code::Movsxd_r64_rm32 => {
            let (into, base) = (register(0), number(instruction.memory_base()));
            bytes.extend([0x48 | (into >> 3) << 2 | base >> 3, 0x63]);
            put_memory(bytes, into, instruction);
        }
        Code::Mov_r64_rm64 => two(bytes, 0x8b, register(0), register(1)),
        Code::Cmp_r64_rm64 => two(bytes, 0x3b, register(0), register(1)),
        Code::Sub_r64_rm64 => two(bytes, 0x2b, register(0), register(1)),
        Code::Sub_rm64_imm32 => {
            two(bytes, 0x81, 5, register(0));
            bytes.extend((instruction.immediate32to64() as i32).to_le_bytes());
        }
        Code::Add_rm64_imm8 => {
            two(bytes, 0x83, 0, register(0));
            bytes.push(instruction.immediate8to64() as u8);
        }
        Code::And_rm64_imm8 => {
            two(bytes, 0x83, 4, register(0));
            bytes.push(instruction.immediate8to64() as u8);
        }
        // The distances of jumps are written when they are known.
        Code::Jl_rel32_64 => bytes.extend([0x0f, 0x8c, 0, 0, 0, 0]),
        Code::Je_rel32_64 => bytes.extend([0x0f, 0x84, 0, 0, 0, 0]),
        Code::Jmp_rel32_64 => bytes.extend([0xe9, 0, 0, 0, 0]),
        Code::Prefetcht0_m8 => {
            let upper = [(instruction.memory_index(), 1), (instruction.memory_base(), 0)];
            let prefix =
                upper.into_iter().fold(0, |bits, (register, bit)| bits | number(register) >> 3 << bit);
            if prefix != 0 {
                bytes.push(0x40 | prefix);
            }
            bytes.extend([0x0f, 0x18]);
            put_memory(bytes, 1, instruction);
        }
        other => crate::ice!("{other:?} has no bytes here"),
    }
}

/// What the manuals say of the instructions with a VEX prefix.
fn vex_of(code: Code) -> Option<Vex> {
    use Map::{H0F, H0F3A, H0F38};
    use Prefix::{F2, F3, H66, None as Bare};
    Some(match code {
        Code::VEX_Vmovups_ymm_ymmm256 => vex(Bare, H0F, 0x10),
        Code::VEX_Vmovss_xmm_m32 => short(vex(F3, H0F, 0x10)),
        Code::VEX_Vmovsd_xmm_m64 => short(vex(F2, H0F, 0x10)),
        Code::VEX_Vmovhpd_xmm_xmm_m64 => short(vex(H66, H0F, 0x16)),
        Code::VEX_Vmovups_ymmm256_ymm => ordered(vex(Bare, H0F, 0x11), Order::OutOf),
        Code::VEX_Vmovaps_ymm_ymmm256 => vex(Bare, H0F, 0x28),
        Code::VEX_Vmovaps_ymmm256_ymm => ordered(vex(Bare, H0F, 0x29), Order::OutOf),
        Code::VEX_Vsqrtps_ymm_ymmm256 => vex(Bare, H0F, 0x51),
        Code::VEX_Vsqrtpd_ymm_ymmm256 => vex(H66, H0F, 0x51),
        Code::VEX_Vandps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x54),
        Code::VEX_Vxorps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x57),
        Code::VEX_Vaddps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x58),
        Code::VEX_Vaddpd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x58),
        Code::VEX_Vmulps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x59),
        Code::VEX_Vmulpd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x59),
        Code::VEX_Vcvtps2pd_ymm_xmmm128 => vex(Bare, H0F, 0x5a),
        Code::VEX_Vcvtpd2ps_xmm_ymmm256 => vex(H66, H0F, 0x5a),
        Code::VEX_Vcvtdq2ps_ymm_ymmm256 => vex(Bare, H0F, 0x5b),
        Code::VEX_Vcvttps2dq_ymm_ymmm256 => vex(F3, H0F, 0x5b),
        Code::VEX_Vsubps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x5c),
        Code::VEX_Vsubpd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x5c),
        Code::VEX_Vminps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x5d),
        Code::VEX_Vminpd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x5d),
        Code::VEX_Vdivps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x5e),
        Code::VEX_Vdivpd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x5e),
        Code::VEX_Vmaxps_ymm_ymm_ymmm256 => vex(Bare, H0F, 0x5f),
        Code::VEX_Vmaxpd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x5f),
        Code::VEX_Vpacksswb_xmm_xmm_xmmm128 => short(vex(H66, H0F, 0x63)),
        Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x66),
        Code::VEX_Vpackssdw_xmm_xmm_xmmm128 => short(vex(H66, H0F, 0x6b)),
        Code::VEX_Vmovq_xmm_rm64 => short(double(vex(H66, H0F, 0x6e))),
        Code::VEX_Vmovd_xmm_rm32 => short(vex(H66, H0F, 0x6e)),
        Code::VEX_Vmovdqu_ymm_ymmm256 => vex(F3, H0F, 0x6f),
        Code::VEX_Vpsrad_ymm_ymm_imm8 => ordered(vex(H66, H0F, 0x72), Order::Shift(4)),
        Code::VEX_Vpslld_ymm_ymm_imm8 => ordered(vex(H66, H0F, 0x72), Order::Shift(6)),
        Code::VEX_Vpsrld_ymm_ymm_imm8 => ordered(vex(H66, H0F, 0x72), Order::Shift(2)),
        Code::VEX_Vpsllq_ymm_ymm_imm8 => ordered(vex(H66, H0F, 0x73), Order::Shift(6)),
        Code::VEX_Vpsrlq_ymm_ymm_imm8 => ordered(vex(H66, H0F, 0x73), Order::Shift(2)),
        Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256 => vex(H66, H0F, 0x76),
        Code::VEX_Vzeroupper => short(vex(Bare, H0F, 0x77)),
        Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8 => vex(Bare, H0F, 0xc2),
        Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8 => vex(H66, H0F, 0xc2),
        Code::VEX_Vshufps_ymm_ymm_ymmm256_imm8 => vex(Bare, H0F, 0xc6),
        Code::VEX_Vpaddq_ymm_ymm_ymmm256 => vex(H66, H0F, 0xd4),
        Code::VEX_Vmovq_xmmm64_xmm => ordered(short(vex(H66, H0F, 0xd6)), Order::OutOf),
        Code::VEX_Vpand_ymm_ymm_ymmm256 => vex(H66, H0F, 0xdb),
        Code::VEX_Vpand_xmm_xmm_xmmm128 => short(vex(H66, H0F, 0xdb)),
        Code::VEX_Vcvtdq2pd_ymm_xmmm128 => vex(F3, H0F, 0xe6),
        Code::VEX_Vpor_ymm_ymm_ymmm256 => vex(H66, H0F, 0xeb),
        Code::VEX_Vpxor_ymm_ymm_ymmm256 => vex(H66, H0F, 0xef),
        Code::VEX_Vpmuludq_ymm_ymm_ymmm256 => vex(H66, H0F, 0xf4),
        Code::VEX_Vpsubd_ymm_ymm_ymmm256 => vex(H66, H0F, 0xfa),
        Code::VEX_Vpsubq_ymm_ymm_ymmm256 => vex(H66, H0F, 0xfb),
        Code::VEX_Vpaddd_ymm_ymm_ymmm256 => vex(H66, H0F, 0xfe),
        Code::VEX_Vbroadcastss_ymm_m32 => vex(H66, H0F38, 0x18),
        Code::VEX_Vbroadcastsd_ymm_m64 => vex(H66, H0F38, 0x19),
        Code::VEX_Vpabsd_ymm_ymmm256 => vex(H66, H0F38, 0x1e),
        Code::VEX_Vpmovsxdq_ymm_xmmm128 => vex(H66, H0F38, 0x25),
        Code::VEX_Vpcmpeqq_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x29),
        Code::VEX_Vmaskmovps_m256_ymm_ymm => ordered(vex(H66, H0F38, 0x2e), Order::OutOf),
        Code::VEX_Vmaskmovpd_m256_ymm_ymm => ordered(vex(H66, H0F38, 0x2f), Order::OutOf),
        Code::VEX_Vpmovzxbd_ymm_xmmm64 => vex(H66, H0F38, 0x31),
        Code::VEX_Vpmovzxdq_ymm_xmmm128 => vex(H66, H0F38, 0x35),
        Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x37),
        Code::VEX_Vpminsd_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x39),
        Code::VEX_Vpmaxsd_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x3d),
        Code::VEX_Vpmulld_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x40),
        Code::VEX_Vpsrlvq_ymm_ymm_ymmm256 => double(vex(H66, H0F38, 0x45)),
        Code::VEX_Vpsrlvd_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x45),
        Code::VEX_Vpsravd_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x46),
        Code::VEX_Vpsllvq_ymm_ymm_ymmm256 => double(vex(H66, H0F38, 0x47)),
        Code::VEX_Vpsllvd_ymm_ymm_ymmm256 => vex(H66, H0F38, 0x47),
        Code::VEX_Vpbroadcastd_ymm_xmmm32 => vex(H66, H0F38, 0x58),
        Code::VEX_Vpbroadcastq_ymm_xmmm64 => vex(H66, H0F38, 0x59),
        Code::VEX_Vpgatherdd_ymm_vm32y_ymm => ordered(vex(H66, H0F38, 0x90), Order::Gather),
        Code::VEX_Vpgatherdq_ymm_vm32x_ymm => ordered(double(vex(H66, H0F38, 0x90)), Order::Gather),
        Code::VEX_Vgatherdpd_ymm_vm32x_ymm => ordered(double(vex(H66, H0F38, 0x92)), Order::Gather),
        Code::VEX_Vgatherdps_ymm_vm32y_ymm => ordered(vex(H66, H0F38, 0x92), Order::Gather),
        Code::VEX_Vfmadd213ps_ymm_ymm_ymmm256 => vex(H66, H0F38, 0xa8),
        Code::VEX_Vfmadd213pd_ymm_ymm_ymmm256 => double(vex(H66, H0F38, 0xa8)),
        Code::VEX_Vfmadd231ps_ymm_ymm_ymmm256 => vex(H66, H0F38, 0xb8),
        Code::VEX_Vfmadd231pd_ymm_ymm_ymmm256 => double(vex(H66, H0F38, 0xb8)),
        Code::VEX_Vpermq_ymm_ymmm256_imm8 => double(vex(H66, H0F3A, 0x00)),
        Code::VEX_Vpblendd_ymm_ymm_ymmm256_imm8 => vex(H66, H0F3A, 0x02),
        Code::VEX_Vroundps_ymm_ymmm256_imm8 => vex(H66, H0F3A, 0x08),
        Code::VEX_Vroundpd_ymm_ymmm256_imm8 => vex(H66, H0F3A, 0x09),
        Code::VEX_Vinsertps_xmm_xmm_xmmm32_imm8 => short(vex(H66, H0F3A, 0x21)),
        Code::VEX_Vinsertf128_ymm_ymm_xmmm128_imm8 => vex(H66, H0F3A, 0x18),
        Code::VEX_Vextracti128_xmmm128_ymm_imm8 => ordered(vex(H66, H0F3A, 0x39), Order::OutOf),
        Code::VEX_Vblendvps_ymm_ymm_ymmm256_ymm => vex(H66, H0F3A, 0x4a),
        _ => return None,
    })
}
