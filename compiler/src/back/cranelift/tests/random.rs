//! Random kernels against the interpreter.

use super::*;

const TYPES: [Type; 5] = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool];
/// Elements of each buffer.
const LENGTH: usize = 64;
/// How many kernels.
const SEEDS: u64 = 80;

/// What is visible where the next statement goes.
struct Writer {
    numbers: Numbers,
    values: Vec<ValueId>,
    /// One read-only and one writable buffer for each type.
    inputs: [BufferId; 5],
    outputs: [BufferId; 5],
    /// The index of the loop over lanes.
    lane: ValueId,
}

impl Writer {
    fn pick(&mut self, b: &KernelBuilder, ty: Type) -> ValueId {
        let fitting: Vec<ValueId> = self.values.iter().copied().filter(|&value| b.ty(value) == ty).collect();
        // The last ones more often, so that operations build on each other.
        let back = self.numbers.below(fitting.len()).min(self.numbers.below(fitting.len()));
        fitting[fitting.len() - 1 - back]
    }

    fn any_type(&mut self) -> Type {
        TYPES[self.numbers.below(5)]
    }

    /// An index in range: the lane, or an element that is gathered, or one that all lanes share.
    fn index(&mut self, b: &mut KernelBuilder) -> ValueId {
        match self.numbers.below(4) {
            0 => self.lane,
            1 => {
                let (last, value) = (b.int(LENGTH as i64 - 1), self.pick(b, Type::I64));
                b.binary(Binary::And, value, last)
            }
            2 => {
                let last = b.int(LENGTH as i64 - 1);
                b.sub(last, self.lane)
            }
            _ => {
                let place = self.numbers.below(LENGTH) as i64;
                b.int(place)
            }
        }
    }

    /// Adds a random operation.
    fn operation(&mut self, b: &mut KernelBuilder) {
        use Binary::*;
        let ty = self.any_type();
        let value = match self.numbers.below(9) {
            0 => {
                let constant = samples(ty, 1, self.numbers.next()).elements[0];
                b.constant(match ty {
                    Type::F32 => Constant::F32(constant as u32),
                    Type::F64 => Constant::F64(constant),
                    Type::I32 => Constant::I32(constant as i32),
                    Type::I64 => Constant::I64(constant as i64),
                    Type::Bool => Constant::Bool(constant == 1),
                })
            }
            1 => {
                let index = self.index(b);
                let place = TYPES.iter().position(|&other| other == ty).unwrap();
                b.load(self.inputs[place], index)
            }
            2 => {
                let a = self.pick(b, ty);
                let ops: &[Unary] = match ty {
                    Type::F32 | Type::F64 => {
                        &[Unary::Negate, Unary::Abs, Unary::Sqrt, Unary::Floor, Unary::Nearest]
                    }
                    Type::I32 | Type::I64 => &[Unary::Negate, Unary::Abs, Unary::Not],
                    Type::Bool => &[Unary::Not],
                };
                b.unary(ops[self.numbers.below(ops.len())], a)
            }
            3 | 4 => {
                let (x, y) = (self.pick(b, ty), self.pick(b, ty));
                let ops: &[Binary] = match ty {
                    Type::F32 | Type::F64 => &[Add, Subtract, Multiply, Divide, Min, Max],
                    Type::I32 => &[
                        Add,
                        Subtract,
                        Multiply,
                        Min,
                        Max,
                        And,
                        Or,
                        Xor,
                        ShiftLeft,
                        ShiftRight,
                        ShiftRightSigned,
                        MultiplyHigh,
                    ],
                    Type::I64 => &[
                        Add,
                        Subtract,
                        Multiply,
                        Min,
                        Max,
                        And,
                        Or,
                        Xor,
                        ShiftLeft,
                        ShiftRight,
                        ShiftRightSigned,
                    ],
                    Type::Bool => &[And, Or, Xor],
                };
                b.binary(ops[self.numbers.below(ops.len())], x, y)
            }
            5 => {
                let (x, y) = (self.pick(b, ty), self.pick(b, ty));
                let ops: &[Compare] = match ty {
                    Type::Bool => &[Compare::Equal, Compare::NotEqual],
                    Type::F32 | Type::F64 => {
                        &[Compare::Less, Compare::LessEqual, Compare::Greater, Compare::GreaterEqual]
                    }
                    Type::I32 | Type::I64 => &[Compare::Below, Compare::Less, Compare::Greater],
                };
                b.compare(ops[self.numbers.below(ops.len())], x, y)
            }
            6 => {
                let condition = self.pick(b, Type::Bool);
                let (x, y) = (self.pick(b, ty), self.pick(b, ty));
                b.select(condition, x, y)
            }
            7 if ty.is_float() => {
                let (x, y, z) = (self.pick(b, ty), self.pick(b, ty), self.pick(b, ty));
                b.fma(x, y, z)
            }
            _ => {
                let to = [Type::F32, Type::F64, Type::I32, Type::I64][self.numbers.below(4)];
                let a = self.pick(b, ty);
                match (ty, to) {
                    (Type::I32, Type::F32 | Type::F64 | Type::I64) if self.numbers.below(2) == 0 => {
                        b.convert(Conversion::Unsigned, to, a)
                    }
                    (Type::I32, Type::F32) | (Type::I64, Type::F64) if self.numbers.below(2) == 0 => {
                        b.convert(Conversion::Bits, to, a)
                    }
                    // The bits of a NaN differ: none may be seen.
                    (Type::F32, Type::I32) | (Type::F64, Type::I64) if self.numbers.below(2) == 0 => {
                        let number = b.compare(Compare::Equal, a, a);
                        let one = b.real(ty, 1.0);
                        let a = b.select(number, a, one);
                        b.convert(Conversion::Bits, to, a)
                    }
                    _ if ty == to => b.unary(Unary::Abs, a),
                    _ => b.convert(Conversion::Value, to, a),
                }
            }
        };
        self.values.push(value);
    }

    /// Adds random statements; what they define inside stays inside.
    fn statements(&mut self, b: &mut KernelBuilder, count: usize, depth: u32, stores: bool) {
        for _ in 0..count {
            match self.numbers.below(if depth == 0 { 12 } else { 16 }) {
                11 if stores => {
                    let place = self.numbers.below(5);
                    let value = self.pick(b, TYPES[place]);
                    let gate = (self.numbers.below(2) == 0).then(|| self.pick(b, Type::Bool));
                    b.store(self.outputs[place], self.lane, value, gate);
                }
                12 => self.branch(b, depth, stores),
                13 => self.serial(b, depth, stores),
                14 | 15 => self.reduction(b, depth),
                _ => self.operation(b),
            }
        }
    }

    fn branch(&mut self, b: &mut KernelBuilder, depth: u32, stores: bool) {
        let condition = self.pick(b, Type::Bool);
        let types: Vec<Type> = (0..self.numbers.below(3)).map(|_| self.any_type()).collect();
        let outside = self.values.len();
        let mut sides = [0, 1].map(|_| {
            b.enter();
            self.statements(b, 4, depth - 1, stores);
            let results: Vec<ValueId> = types.iter().map(|&ty| self.pick(b, ty)).collect();
            self.values.truncate(outside);
            (b.leave(), results)
        });
        let results: Vec<BranchResult> = types
            .iter()
            .enumerate()
            .map(|(k, &ty)| BranchResult {
                value: b.defined(ty),
                then: sides[0].1[k],
                otherwise: sides[1].1[k],
            })
            .collect();
        self.values.extend(results.iter().map(|result| result.value));
        let [then, otherwise] = [0, 1].map(|side| std::mem::take(&mut sides[side].0));
        b.push(Stmt::If { condition, then, otherwise, results });
    }

    /// At most a few iterations; the bound and the exit may differ between lanes.
    fn bound(&mut self, b: &mut KernelBuilder, most: i64) -> ValueId {
        if self.numbers.below(2) == 0 {
            let most = self.numbers.below(most as usize + 1) as i64;
            return b.int(most);
        }
        let (mask, value) = (b.int(most), self.pick(b, Type::I64));
        b.binary(Binary::And, value, mask)
    }

    fn serial(&mut self, b: &mut KernelBuilder, depth: u32, stores: bool) {
        let (start, end) = (b.int(0), self.bound(b, 3));
        let types: Vec<Type> = (0..self.numbers.below(4)).map(|_| self.any_type()).collect();
        let initial: Vec<ValueId> = types.iter().map(|&ty| self.pick(b, ty)).collect();
        let outside = self.values.len();
        let results = b.carry(start, end, &initial, |b, index, carried| {
            self.values.push(index);
            self.values.extend(carried);
            self.statements(b, 4, depth - 1, stores);
            let next = types.iter().map(|&ty| self.pick(b, ty)).collect();
            let exit = (self.numbers.below(3) == 0).then(|| self.pick(b, Type::Bool));
            self.values.truncate(outside);
            (next, exit)
        });
        self.values.extend(results);
    }

    fn reduction(&mut self, b: &mut KernelBuilder, depth: u32) {
        let order = [Order::Serial256, Order::Lanes32, Order::Pairwise][self.numbers.below(3)];
        let op = [ReduceOp::Sum, ReduceOp::Min, ReduceOp::Max, ReduceOp::Count][self.numbers.below(4)];
        let count = self.bound(b, 63);
        if order != Order::Pairwise && self.numbers.below(3) == 0 {
            return self.stored(b, op, order, count);
        }
        let outside = self.values.len();
        let ty = [Type::F32, Type::F64][self.numbers.below(2)];
        let result = b.reduce(op, order, count, |b, index| {
            self.values.push(index);
            let place = TYPES.iter().position(|&other| other == ty).unwrap();
            let loaded = b.load(self.inputs[place], index);
            self.values.push(loaded);
            let depth = if self.numbers.below(3) == 0 { depth - 1 } else { 0 };
            self.statements(b, 4, depth, false);
            let pairwise = order == Order::Pairwise;
            let term = match op {
                ReduceOp::Count => Term::Value(self.pick(b, Type::Bool)),
                ReduceOp::Sum if !pairwise && self.numbers.below(2) == 0 => {
                    Term::Product(self.pick(b, ty), self.pick(b, ty))
                }
                ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max => Term::Value(self.pick(b, ty)),
            };
            let gate = (!pairwise && self.numbers.below(2) == 0).then(|| self.pick(b, Type::Bool));
            self.values.truncate(outside);
            (term, gate)
        });
        self.values.push(result);
    }

    /// A reduction over some places of a longer row, which may be others in each lane.
    fn stored(&mut self, b: &mut KernelBuilder, op: ReduceOp, order: Order, count: ValueId) {
        let (gap, offset) = (b.int(1 + self.numbers.below(20) as i64), self.bound(b, 511));
        let extent = b.int(511 + 20 * 64 + self.numbers.below(700) as i64);
        let ty = [Type::F32, Type::F64][self.numbers.below(2)];
        let input = self.inputs[TYPES.iter().position(|&other| other == ty).unwrap()];
        let result = b.reduce_stored(op, order, [count, extent], |b, index| {
            let far = b.mul(index, gap);
            let slot = b.add(far, offset);
            let loaded = b.load(input, index);
            let term = match op {
                ReduceOp::Count => Term::Value(self.pick(b, Type::Bool)),
                ReduceOp::Sum if self.numbers.below(2) == 0 => Term::Product(loaded, self.pick(b, ty)),
                ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max => Term::Value(loaded),
            };
            (term, (self.numbers.below(2) == 0).then(|| self.pick(b, Type::Bool)), slot)
        });
        self.values.push(result);
    }
}

fn kernel(seed: u64) -> Kernel {
    let mut b = builder(&format!("random_{seed}"));
    let inputs = TYPES.map(|ty| declare(&mut b, &format!("in_{ty:?}"), ty, Access::Read));
    let outputs = TYPES.map(|ty| declare(&mut b, &format!("out_{ty:?}"), ty, Access::ReadWrite));
    let names = [("f", Type::F32), ("d", Type::F64), ("i", Type::I32), ("l", Type::I64), ("c", Type::Bool)];
    let scalars = names.map(|(name, ty)| b.add_scalar(name, ty));
    b.blocks(|b, block| {
        let mut numbers = Numbers(seed.wrapping_mul(0x1234_5678_9abc_def1).wrapping_add(99));
        let first = numbers.below(5) as i64;
        let last = first + numbers.below(LENGTH - 5) as i64;
        let (start, end) = (b.int(first), b.int(last));
        let mut values: Vec<ValueId> = scalars.iter().map(|&scalar| b.scalar(scalar)).collect();
        values.push(block);
        b.lanes(start, end, |b, lane| {
            values.push(lane);
            // Every buffer is used as it is declared.
            values.extend(inputs.map(|buffer| b.load(buffer, lane)));
            values.extend(outputs.map(|buffer| b.load(buffer, lane)));
            let length = 10 + numbers.below(25);
            let mut writer = Writer { numbers, values, inputs, outputs, lane };
            let depth = writer.numbers.below(3) as u32;
            writer.statements(b, length, depth, true);
            for (place, ty) in TYPES.into_iter().enumerate() {
                let value = writer.pick(b, ty);
                b.store(outputs[place], lane, value, None);
            }
        });
    });
    b.finish()
}

#[test]
fn random_kernels_compute_what_the_interpreter_computes() {
    let variants: Vec<_> = variants().into_iter().filter(|(name, _, _)| !name.contains("times")).collect();
    let (isa, options) = (Isa::host().unwrap(), JitOptions::default());
    let mut vectors = 0;
    for seed in 0..SEEDS {
        let kernel = kernel(seed);
        let arrays: Vec<Array> =
            (0..10).map(|k| samples(TYPES[k as usize % 5], LENGTH, seed * 10 + k)).collect();
        let scalars: Vec<u64> = TYPES.iter().map(|&ty| samples(ty, 1, seed).elements[0]).collect();
        let expected = interpret(&kernel, &arrays, &scalars, 1);
        let info = validate(&kernel).unwrap();
        let text = super::super::clif(&kernel, &info, &isa, &options).unwrap();
        vectors += u64::from(text.contains("load.f32x4"));
        for (variant, isa, options) in &variants {
            let found = run_with(&kernel, (isa, options), &arrays, &scalars, 1);
            for (buffer, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_same(&format!("{} ({variant}), buffer {buffer}", kernel.name), found, expected);
            }
        }
    }
    assert!(vectors * 4 > SEEDS, "only {vectors} of {SEEDS} kernels run four lanes at once");
}
