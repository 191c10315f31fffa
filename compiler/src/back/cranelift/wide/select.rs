//! From the statements of a loop to instructions.

use iced_x86::Code;

use super::inst::{Body, Input, Inst, Memory, Operand, Shape, Source, Vector};
use super::linear::Linear;
use crate::arena::HandleMap;
use crate::back::cranelift::vary::{Values, Varying};
use crate::kernel::*;

/// Why a loop keeps to narrower vectors.
pub(super) type Reason = &'static str;

/// How many iterations of the loop fill the vectors: eight lanes of 32 bits each.
pub(super) const LANES: i64 = 8;

/// A value whose lanes differ.
#[derive(Clone, Debug)]
pub(super) enum Lanes {
    /// Eight lanes of 32 bits; a `Bool` as 0 or all ones.
    One(Vector),
    /// Eight lanes of 64 bits; a `Bool` as 0 or all ones.
    Two([Vector; 2]),
    /// An `I64` that grows by one from lane to lane.
    Linear(Linear),
    /// An `I64`: words made wider, plus a sum that all lanes share.
    Words { words: Vector, unsigned: bool, sum: Linear },
}

/// A loop that becomes instructions.
pub(super) struct Select<'k> {
    pub kernel: &'k Kernel,
    varying: &'k Varying,
    /// What has been evaluated before the loop.
    hoisted: &'k Values,
    index: ValueId,
    pub body: Body,
    values: HandleMap<Value, Lanes>,
    /// Conditions in lanes of the other width.
    narrow: HandleMap<Value, Vector>,
    wide: HandleMap<Value, [Vector; 2]>,
    /// The loop's index in all lanes of 32 and of 64 bits.
    counters: [Option<Vector>; 2],
    /// The first lane of the copy of the body that is being made.
    pub first: i64,
    /// A condition that is the same in all iterations, and what it is taken to be.
    pub assumed: Option<(ValueId, bool)>,
}

/// The instructions of a loop's body, or what stands in the way.
pub(super) fn select(
    kernel: &Kernel,
    inner: &Loop,
    varying: &Varying,
    hoisted: &Values,
    assumed: Option<(ValueId, bool)>,
) -> Result<Body, Reason> {
    let mut select = Select::new(kernel, inner.index, (varying, hoisted), 1);
    select.assumed = assumed;
    select.copy(0, &inner.body)?;
    Ok(select.body)
}

impl<'k> Select<'k> {
    /// Nothing yet, of so many copies of a body in an iteration.
    pub fn new(
        kernel: &'k Kernel,
        index: ValueId,
        (varying, hoisted): (&'k Varying, &'k Values),
        copies: i64,
    ) -> Self {
        Select {
            kernel,
            varying,
            hoisted,
            index,
            body: Body { span: LANES * copies, ..Body::default() },
            values: HandleMap::default(),
            narrow: HandleMap::default(),
            wide: HandleMap::default(),
            counters: [None, None],
            first: 0,
            assumed: None,
        }
    }

    /// One copy of the body.
    pub fn copy(&mut self, number: i64, body: &[Stmt]) -> Result<(), Reason> {
        self.first = number * LANES;
        self.values = HandleMap::from_iter([(self.index, Lanes::Linear(Linear::default()))]);
        self.narrow.clear();
        self.wide.clear();
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Reason> {
        match stmt {
            Stmt::Let(value) if self.hoisted.contains(value) => Ok(()),
            Stmt::Let(value) => {
                let lanes = self.evaluate(*value)?;
                self.values.insert(*value, lanes);
                Ok(())
            }
            Stmt::Store { buffer, index, value, gate } => self.store(*buffer, *index, *value, *gate),
            Stmt::If { .. } => Err("a branch"),
            Stmt::For(_) => Err("an inner loop"),
            Stmt::Reduce(_) => Err("a reduction in each iteration"),
            Stmt::Tile(_) => Err("a tile in each iteration"),
            Stmt::Fill(_) => Err("a strip in each iteration"),
            Stmt::Fetch(_) => Err("a fetch in each iteration"),
        }
    }

    /// Whether a value is the same in all iterations and known before the loop.
    pub fn invariant(&self, value: ValueId) -> bool {
        value != self.index && !self.values.contains_key(&value) && !self.varying.contains(&value)
    }

    /// Lanes that have been made before.
    pub fn known(&self, value: ValueId) -> Option<Lanes> {
        self.values.get(&value).cloned()
    }

    fn linear(&self, value: ValueId) -> Option<&Linear> {
        match self.values.get(&value) {
            Some(Lanes::Linear(linear)) => Some(linear),
            Some(Lanes::One(_) | Lanes::Two(_) | Lanes::Words { .. }) | None => None,
        }
    }

    fn evaluate(&mut self, value: ValueId) -> Result<Lanes, Reason> {
        let kernel = self.kernel;
        let ty = kernel.values[value].ty;
        match &kernel.values[value].op {
            Op::Load(buffer, index) => self.load(*buffer, *index),
            Op::Binary(op, a, b) if ty == Type::I64 => {
                if let Some(lanes) = self.sum(*op, *a, *b) {
                    return Ok(lanes);
                }
                self.binary(*op, ty, *a, *b)
            }
            Op::Binary(op, a, b) => self.binary(*op, ty, *a, *b),
            Op::Unary(op, a) => self.unary(*op, ty, *a),
            Op::Fma(a, b, c) => self.fma(ty, *a, *b, *c),
            Op::Compare(compare, a, b) => self.compare(*compare, *a, *b),
            Op::Select(condition, a, b) => self.choose(ty, *condition, *a, *b),
            Op::Convert(conversion, a) => self.convert(*conversion, ty, *a),
            Op::Constant(_) | Op::Scalar(_) | Op::Defined | Op::Math(..) | Op::Random(..) => {
                Err("a value that is not known before the loop")
            }
        }
    }

    /// A sum of 64 bits that stays out of the lanes.
    fn sum(&self, op: Binary, a: ValueId, b: ValueId) -> Option<Lanes> {
        let invariant = |value| self.invariant(value);
        let (linear_a, linear_b) = (self.linear(a), self.linear(b));
        if let Some(sum) = Linear::of(self.kernel, op, (a, linear_a), (b, linear_b), invariant) {
            return Some(Lanes::Linear(sum));
        }
        let part = |value: ValueId| match self.values.get(&value) {
            Some(Lanes::Words { words, unsigned, sum }) => Some((*words, *unsigned, sum)),
            Some(Lanes::One(_) | Lanes::Two(_) | Lanes::Linear(_)) | None => None,
        };
        let (words_a, words_b) = (part(a), part(b));
        let (words, unsigned, _) = words_a.or(words_b)?;
        let sums = (words_a.map(|part| part.2), words_b.map(|part| part.2));
        let sum = Linear::of(self.kernel, op, (a, sums.0), (b, sums.1), invariant)?;
        Some(Lanes::Words { words, unsigned, sum })
    }

    /// The lanes of a value that is no condition, in registers.
    pub fn lanes(&mut self, value: ValueId) -> Result<Lanes, Reason> {
        let ty = self.kernel.values[value].ty;
        match self.values.get(&value).cloned() {
            Some(Lanes::Linear(linear)) => Ok(Lanes::Two(self.count(&linear))),
            Some(Lanes::Words { words, unsigned, sum }) => {
                let base = self.sum_input(None, &sum, sum.constant);
                let base = self.body.invariant(Source::Doubles(base));
                let code =
                    if unsigned { Code::VEX_Vpmovzxdq_ymm_xmmm128 } else { Code::VEX_Vpmovsxdq_ymm_xmmm128 };
                let add = Code::VEX_Vpaddq_ymm_ymm_ymmm256;
                Ok(Lanes::Two(self.widened(code, words).map(|half| self.body.binary(add, half, base))))
            }
            Some(lanes) => Ok(lanes),
            None if self.invariant(value) => self.same(value, ty),
            None => Err("a value that is not known before the loop"),
        }
    }

    /// A value that all lanes share.
    fn same(&mut self, value: ValueId, ty: Type) -> Result<Lanes, Reason> {
        let wide = |vector: Vector| Lanes::Two([vector, vector]);
        if let Op::Constant(constant) = self.kernel.values[value].op {
            return Ok(match constant {
                Constant::F32(bits) => Lanes::One(self.body.words([bits; 8])),
                Constant::I32(word) => Lanes::One(self.body.words([word as u32; 8])),
                Constant::F64(bits) => wide(self.body.doubles([bits; 4])),
                Constant::I64(word) => wide(self.body.doubles([word as u64; 4])),
                Constant::Bool(holds) => Lanes::One(self.body.words([if holds { !0 } else { 0 }; 8])),
            });
        }
        let input = self.body.input(Input::Value(value));
        Ok(match ty {
            Type::F32 | Type::I32 => Lanes::One(self.body.invariant(Source::Words(input))),
            Type::F64 | Type::I64 => wide(self.body.invariant(Source::Doubles(input))),
            Type::Bool => Lanes::One(self.body.invariant(Source::Doubles(input))),
        })
    }

    /// Eight lanes of 32 bits.
    pub fn one(&mut self, value: ValueId) -> Result<Vector, Reason> {
        match self.lanes(value)? {
            Lanes::One(vector) => Ok(vector),
            lanes => crate::ice!("{lanes:?} where lanes of 32 bits are expected"),
        }
    }

    /// Eight lanes of 64 bits.
    pub fn two(&mut self, value: ValueId) -> Result<[Vector; 2], Reason> {
        match self.lanes(value)? {
            Lanes::Two(vectors) => Ok(vectors),
            lanes => crate::ice!("{lanes:?} where lanes of 64 bits are expected"),
        }
    }

    /// A condition in lanes of 32 bits.
    pub fn narrow(&mut self, value: ValueId) -> Result<Vector, Reason> {
        if let Some(vector) = self.narrow.get(&value) {
            return Ok(*vector);
        }
        let vector = match self.lanes(value)? {
            Lanes::One(vector) => vector,
            Lanes::Two(pair) => self.low_words(pair),
            lanes => crate::ice!("{lanes:?} is no condition"),
        };
        self.narrow.insert(value, vector);
        Ok(vector)
    }

    /// A condition in lanes of 64 bits.
    pub fn wide(&mut self, value: ValueId) -> Result<[Vector; 2], Reason> {
        if let Some(pair) = self.wide.get(&value) {
            return Ok(*pair);
        }
        let pair = match self.lanes(value)? {
            Lanes::One(vector) if self.invariant(value) => [vector, vector],
            Lanes::One(vector) => self.widened(Code::VEX_Vpmovsxdq_ymm_xmmm128, vector),
            Lanes::Two(pair) => pair,
            lanes => crate::ice!("{lanes:?} is no condition"),
        };
        self.wide.insert(value, pair);
        Ok(pair)
    }

    /// Both halves, each made as wide as a vector.
    pub fn widened(&mut self, code: Code, a: Vector) -> [Vector; 2] {
        let high = self.body.high(a);
        [self.body.widen(code, a), self.body.widen(code, high)]
    }

    /// The low words of eight lanes of 64 bits.
    pub fn low_words(&mut self, [low, high]: [Vector; 2]) -> Vector {
        // Words 0 and 2 of each half of both, which come out as 0 1 4 5 2 3 6 7.
        let mixed = self.body.binary_with(Code::VEX_Vshufps_ymm_ymm_ymmm256_imm8, low, high, 0b10_00_10_00);
        self.body.unary_with(Code::VEX_Vpermq_ymm_ymmm256_imm8, mixed, 0b11_01_10_00)
    }

    /// The number of the input that holds a sum.
    pub fn sum_input(&mut self, buffer: Option<BufferId>, sum: &Linear, bytes: i64) -> usize {
        self.body.input(Input::Sum { buffer, plus: sum.plus.clone(), minus: sum.minus.clone(), bytes })
    }

    /// The loop's index plus a sum, in lanes of 64 bits.
    fn count(&mut self, sum: &Linear) -> [Vector; 2] {
        let counter = self.counter(1, Code::VEX_Vmovq_xmm_rm64, Code::VEX_Vpbroadcastq_ymm_xmmm64);
        let base = self.sum_input(None, sum, sum.constant);
        let base = self.body.invariant(Source::Doubles(base));
        let add = Code::VEX_Vpaddq_ymm_ymm_ymmm256;
        let start = self.body.binary(add, counter, base);
        [0, 4].map(|lane| {
            let steps = [0, 1, 2, 3].map(|step| (self.first + lane + step) as u64);
            let steps = self.body.doubles(steps);
            self.body.binary(add, start, steps)
        })
    }

    /// The low words of the loop's index plus a sum.
    pub fn count_words(&mut self, sum: &Linear) -> Vector {
        let counter = self.counter(0, Code::VEX_Vmovd_xmm_rm32, Code::VEX_Vpbroadcastd_ymm_xmmm32);
        let base = self.sum_input(None, sum, sum.constant);
        let base = self.body.invariant(Source::Words(base));
        let steps = [0, 1, 2, 3, 4, 5, 6, 7].map(|step| (self.first + step) as u32);
        let steps = self.body.words(steps);
        let add = Code::VEX_Vpaddd_ymm_ymm_ymmm256;
        let start = self.body.binary(add, counter, base);
        self.body.binary(add, start, steps)
    }

    fn counter(&mut self, which: usize, take: Code, spread: Code) -> Vector {
        if let Some(vector) = self.counters[which] {
            return vector;
        }
        let one = self.body.define(take, vec![Operand::Index], None, true);
        let vector = self.body.widen(spread, one);
        self.counters[which] = Some(vector);
        vector
    }

    /// An instruction without a result.
    pub fn effect(&mut self, code: Code, operands: Vec<Operand>) {
        self.body.insts.push(Inst {
            code,
            shape: Shape::Plain,
            result: None,
            operands,
            immediate: None,
            foldable: None,
        });
    }

    /// The place of the first lane of an element and those after it.
    pub fn place(&mut self, buffer: BufferId, linear: &Linear, lane: i64) -> Result<Memory, Reason> {
        let size = self.kernel.buffers[buffer].ty.size() as u32;
        let input = self.sum_input(Some(buffer), linear, 0);
        let offset = (self.first + lane)
            .checked_add(linear.constant)
            .and_then(|elements| elements.checked_mul(i64::from(size)))
            .filter(|bytes| i32::try_from(*bytes).is_ok())
            .ok_or("a constant that no address can hold")?;
        Ok(Memory { input, size, offset })
    }
}
