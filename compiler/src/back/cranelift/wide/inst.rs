//! Instructions over vectors of 256 bits, before registers are assigned.

use iced_x86::Code;

use crate::kernel::{BufferId, ValueId};

/// 256 bits: eight lanes of 32 bits, or four of 64. Defined once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Vector(pub u32);

/// A place in memory: an address that is the same in all iterations, the loop's index times the size of an element, and
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// The number of the input that holds the address.
    pub input: usize,
    /// Bytes of an element.
    pub size: u32,
    /// Bytes to add.
    pub offset: i64,
}

/// What an instruction reads, or the memory that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// All of a vector.
    Vector(Vector),
    /// Its low 128 bits.
    Low(Vector),
    /// An element of memory and those after it.
    Memory(Memory),
    /// The loop's index.
    Index,
}

/// How operands become those of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The result, then the operands.
    Plain,
    /// The first operand is overwritten by the result.
    Tied,
    /// The one operand holds an index for each lane, of elements of so many bytes behind the address of an input.
    Gather { input: usize, size: u32 },
}

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inst {
    pub code: Code,
    pub shape: Shape,
    /// What is defined, and whether only as 128 bits.
    pub result: Option<(Vector, bool)>,
    pub operands: Vec<Operand>,
    pub immediate: Option<u8>,
    /// The operand that may stand in memory.
    pub foldable: Option<usize>,
}

/// Where a vector that is the same in all iterations comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// The low 32 bits of an input in all lanes.
    Words(usize),
    /// The 64 bits of an input in all lanes.
    Doubles(usize),
    /// A literal.
    Literal([u8; 32]),
}

/// What the kernel gives to a loop: 64 bits each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Input {
    /// The address of the element of a buffer whose number is a sum, and bytes; without a buffer the sum itself.
    Sum { buffer: Option<BufferId>, plus: Vec<ValueId>, minus: Vec<ValueId>, bytes: i64 },
    /// A number in the low bits; a condition as 64 equal bits.
    Value(ValueId),
    /// The address of the accumulators of a reduction.
    Accumulators,
}

/// A vector that goes from one iteration to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    /// What it is at the start of an iteration.
    pub value: Vector,
    /// Before the first.
    pub initial: Source,
    /// What it is in the next.
    pub next: Vector,
    /// Where it goes after the last: bytes behind the address of an input.
    pub result: (usize, i64),
}

/// How elements are loaded from places that lanes have of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::back::cranelift) enum Gathers {
    /// By the one instruction that there is for it.
    #[default]
    AtOnce,
    /// Lane by lane, where that instruction is slower: on AMD's processors it is some forty operations.
    LaneByLane,
}

/// A loop: what it is given, what it prepares, and what an iteration does.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub inputs: Vec<Input>,
    pub invariants: Vec<(Vector, Source)>,
    pub insts: Vec<Inst>,
    pub carried: Vec<Carried>,
    /// How many vectors there are.
    pub vectors: u32,
    /// How many iterations of the kernel's loop one iteration makes.
    pub span: i64,
    pub gathers: Gathers,
}

impl Body {
    /// A vector that nothing defines yet.
    pub fn vector(&mut self) -> Vector {
        self.vectors += 1;
        Vector(self.vectors - 1)
    }

    /// The number of an input.
    pub fn input(&mut self, input: Input) -> usize {
        self.inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
            self.inputs.push(input);
            self.inputs.len() - 1
        })
    }

    /// A vector that is the same in all iterations.
    pub fn invariant(&mut self, source: Source) -> Vector {
        if let Some((vector, _)) = self.invariants.iter().find(|(_, known)| *known == source) {
            return *vector;
        }
        let vector = self.vector();
        self.invariants.push((vector, source));
        vector
    }

    /// Eight words.
    pub fn words(&mut self, words: [u32; 8]) -> Vector {
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.invariant(Source::Literal(bytes))
    }

    /// Four words of 64 bits.
    pub fn doubles(&mut self, doubles: [u64; 4]) -> Vector {
        let mut bytes = [0; 32];
        for (place, double) in bytes.chunks_exact_mut(8).zip(doubles) {
            place.copy_from_slice(&double.to_le_bytes());
        }
        self.invariant(Source::Literal(bytes))
    }

    /// `code(a, b, c)`, which takes the place of `a`.
    pub fn tied(&mut self, code: Code, [a, b, c]: [Vector; 3]) -> Vector {
        let result = self.vector();
        self.insts.push(Inst {
            code,
            shape: Shape::Tied,
            result: Some((result, false)),
            operands: [a, b, c].map(Operand::Vector).to_vec(),
            immediate: None,
            foldable: Some(2),
        });
        result
    }

    /// One instruction with a result.
    pub fn define(&mut self, code: Code, operands: Vec<Operand>, immediate: Option<u8>, low: bool) -> Vector {
        let foldable = match operands.last() {
            Some(Operand::Vector(_) | Operand::Low(_)) => Some(operands.len() - 1),
            Some(Operand::Memory(_) | Operand::Index) | None => None,
        };
        let result = self.vector();
        let shape = Shape::Plain;
        self.insts.push(Inst { code, shape, result: Some((result, low)), operands, immediate, foldable });
        result
    }

    /// `code(a)`
    pub fn unary(&mut self, code: Code, a: Vector) -> Vector {
        self.define(code, vec![Operand::Vector(a)], None, false)
    }

    /// `code(a)` with an immediate byte.
    pub fn unary_with(&mut self, code: Code, a: Vector, immediate: u8) -> Vector {
        self.define(code, vec![Operand::Vector(a)], Some(immediate), false)
    }

    /// `code(a)`, of the low half of `a`.
    pub fn widen(&mut self, code: Code, a: Vector) -> Vector {
        self.define(code, vec![Operand::Low(a)], None, false)
    }

    /// `code(a, b)`
    pub fn binary(&mut self, code: Code, a: Vector, b: Vector) -> Vector {
        self.define(code, vec![Operand::Vector(a), Operand::Vector(b)], None, false)
    }

    /// `code(a, b)` with an immediate byte.
    pub fn binary_with(&mut self, code: Code, a: Vector, b: Vector, immediate: u8) -> Vector {
        self.define(code, vec![Operand::Vector(a), Operand::Vector(b)], Some(immediate), false)
    }

    /// A shift by a number that is known, of a vector that has to be in a register.
    pub fn shift(&mut self, code: Code, a: Vector, count: u8) -> Vector {
        let result = self.unary_with(code, a, count);
        if let Some(inst) = self.insts.last_mut() {
            inst.foldable = None;
        }
        result
    }

    /// The high half as the low one.
    pub fn high(&mut self, a: Vector) -> Vector {
        let result = self.vector();
        self.insts.push(Inst {
            code: Code::VEX_Vextracti128_xmmm128_ymm_imm8,
            shape: Shape::Plain,
            result: Some((result, true)),
            operands: vec![Operand::Vector(a)],
            immediate: Some(1),
            foldable: None,
        });
        result
    }

    /// Lanes of `a` where the mask's are all ones, of `b` elsewhere; by the highest bits of bytes.
    pub fn blend(&mut self, mask: Vector, a: Vector, b: Vector) -> Vector {
        let result = self.define(
            Code::VEX_Vblendvps_ymm_ymm_ymmm256_ymm,
            vec![Operand::Vector(b), Operand::Vector(a), Operand::Vector(mask)],
            None,
            false,
        );
        if let Some(inst) = self.insts.last_mut() {
            inst.foldable = Some(1);
        }
        result
    }
}
