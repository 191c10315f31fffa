//! Valid kernels at random.

use super::*;

/// The kernel of a seed.
pub(super) fn kernel(seed: u64) -> Kernel {
    let space =
        Space { kind: SpaceKind::Rows(RowSet::All), items: vec![Extent::Constant(seed)], per_block: 2 };
    let mut builder = build::KernelBuilder::new(format!("random_{seed}"), space);
    let n = builder.add_scalar("n", Type::I64);
    let buffers = [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool].map(|ty| {
        let name = format!("{ty:?}").to_lowercase();
        let shape = vec![Extent::Scalar(n), Extent::Constant(3)];
        builder.buffer(Buffer { name, ty, access: Access::ReadWrite, kind: BufferKind::Synapse, shape })
    });
    let mut random = Generator { numbers: Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), buffers };
    builder.blocks(|builder, index| {
        let n = builder.scalar(n);
        let mut known = vec![index, n];
        for buffer in buffers {
            let value = builder.load(buffer, index);
            builder.store(buffer, index, value, None);
            known.push(value);
        }
        random.statements(builder, &mut known, 3, true);
    });
    builder.finish()
}

struct Generator {
    numbers: Numbers,
    buffers: [BufferId; 5],
}

impl Generator {
    /// A value of a type among those that may be used.
    fn value(&mut self, builder: &mut build::KernelBuilder, known: &[ValueId], ty: Type) -> ValueId {
        let fitting: Vec<ValueId> = known.iter().copied().filter(|&value| builder.ty(value) == ty).collect();
        if self.numbers.below(4) > 0 && !fitting.is_empty() {
            return fitting[self.numbers.below(fitting.len())];
        }
        let bits = self.numbers.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        builder.constant(match ty {
            Type::F32 => Constant::F32((bits >> 32) as u32),
            Type::F64 => Constant::F64(bits),
            Type::I32 => Constant::I32((bits >> 32) as i32),
            Type::I64 => Constant::I64(bits as i64),
            Type::Bool => Constant::Bool(bits >> 63 == 1),
        })
    }

    fn ty(&mut self) -> Type {
        [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool][self.numbers.below(5)]
    }

    fn statements(
        &mut self,
        builder: &mut build::KernelBuilder,
        known: &mut Vec<ValueId>,
        depth: usize,
        stores: bool,
    ) {
        let start = known.len();
        for _ in 0..2 + self.numbers.below(5) {
            match self.numbers.below(if depth == 0 { 5 } else { 9 }) {
                0..=3 => {
                    let value = self.operation(builder, known);
                    if self.numbers.below(2) == 0 {
                        let names = [
                            "w",
                            "x",
                            "min",
                            "stdp.trace",
                            "n",
                            "for",
                            "w.3",
                            "2\u{b5}",
                            "",
                            "inf_f32",
                            "a..b",
                        ];
                        builder.name(value, names[self.numbers.below(names.len())]);
                    }
                    known.push(value);
                }
                4 if stores => {
                    let place = self.numbers.below(5);
                    let buffer = self.buffers[place];
                    let ty = builder.kernel().buffers[buffer].ty;
                    let (index, value) =
                        (self.value(builder, known, Type::I64), self.value(builder, known, ty));
                    let gate = (place > 2).then(|| self.value(builder, known, Type::Bool));
                    builder.store(buffer, index, value, gate);
                }
                4 => {
                    let buffer = self.buffers[self.numbers.below(5)];
                    let [start, count] = [0, 1].map(|_| self.value(builder, known, Type::I64));
                    builder.push(Stmt::Fetch(Fetch { buffer, start, count }));
                }
                5 => self.branch(builder, known, depth - 1, stores),
                6 => self.serial(builder, known, depth - 1, stores),
                7 => {
                    let (from, to) =
                        (self.value(builder, known, Type::I64), self.value(builder, known, Type::I64));
                    builder.lanes(from, to, |builder, index| {
                        let mut inside = known.clone();
                        inside.push(index);
                        self.statements(builder, &mut inside, depth - 1, stores);
                    });
                }
                _ => self.reduce(builder, known, depth - 1),
            }
        }
        assert!(known.len() >= start, "values are only added");
    }

    fn branch(
        &mut self,
        builder: &mut build::KernelBuilder,
        known: &mut Vec<ValueId>,
        depth: usize,
        stores: bool,
    ) {
        let condition = self.value(builder, known, Type::Bool);
        let types: Vec<Type> = (0..self.numbers.below(3)).map(|_| self.ty()).collect();
        builder.enter();
        let then_values = self.side(builder, known, depth, stores, &types);
        let then = builder.leave();
        builder.enter();
        let otherwise_values = self.side(builder, known, depth, stores, &types);
        let otherwise = builder.leave();
        let mut results = Vec::new();
        for ((then, otherwise), ty) in then_values.into_iter().zip(otherwise_values).zip(types) {
            results.push(BranchResult { value: builder.defined(ty), then, otherwise });
        }
        known.extend(results.iter().map(|result| result.value));
        builder.push(Stmt::If { condition, then, otherwise, results });
    }

    fn side(
        &mut self,
        builder: &mut build::KernelBuilder,
        known: &[ValueId],
        depth: usize,
        stores: bool,
        types: &[Type],
    ) -> Vec<ValueId> {
        let mut inside = known.to_vec();
        self.statements(builder, &mut inside, depth, stores);
        types.iter().map(|&ty| self.value(builder, &inside, ty)).collect()
    }

    fn serial(
        &mut self,
        builder: &mut build::KernelBuilder,
        known: &mut Vec<ValueId>,
        depth: usize,
        stores: bool,
    ) {
        let (from, to) = (self.value(builder, known, Type::I64), self.value(builder, known, Type::I64));
        let types: Vec<Type> = (0..self.numbers.below(3)).map(|_| self.ty()).collect();
        let initial: Vec<ValueId> = types.iter().map(|&ty| self.value(builder, known, ty)).collect();
        let outside = known.clone();
        let results = builder.carry(from, to, &initial, |builder, index, values| {
            let mut inside = outside;
            inside.push(index);
            inside.extend(values);
            self.statements(builder, &mut inside, depth, stores);
            let next = types.iter().map(|&ty| self.value(builder, &inside, ty)).collect();
            let exit = (self.numbers.below(2) == 0).then(|| self.value(builder, &inside, Type::Bool));
            (next, exit)
        });
        known.extend(results);
    }

    fn reduce(&mut self, builder: &mut build::KernelBuilder, known: &mut Vec<ValueId>, depth: usize) {
        let count = self.value(builder, known, Type::I64);
        let op = [ReduceOp::Sum, ReduceOp::Min, ReduceOp::Max, ReduceOp::Count][self.numbers.below(4)];
        let order = [Order::Serial256, Order::Lanes32, Order::Pairwise][self.numbers.below(3)];
        let float = [Type::F32, Type::F64][self.numbers.below(2)];
        if order != Order::Pairwise && self.numbers.below(4) == 0 {
            return self.stored(builder, known, (op, order, float), count);
        }
        let result = builder.reduce(op, order, count, |builder, index| {
            let mut inside = known.clone();
            inside.push(index);
            self.statements(builder, &mut inside, depth, false);
            let ty = if op == ReduceOp::Count { Type::Bool } else { float };
            let term = self.value(builder, &inside, ty);
            if order == Order::Pairwise {
                return (Term::Value(term), None);
            }
            let gate = (self.numbers.below(2) == 0).then(|| self.value(builder, &inside, Type::Bool));
            if op == ReduceOp::Sum && self.numbers.below(2) == 0 {
                return (Term::Product(term, self.value(builder, &inside, ty)), gate);
            }
            (Term::Value(term), gate)
        });
        known.push(result);
    }

    /// A reduction of which only the text and the validity are right: its places may be anywhere.
    fn stored(
        &mut self,
        builder: &mut build::KernelBuilder,
        known: &mut Vec<ValueId>,
        (op, order, float): (ReduceOp, Order, Type),
        count: ValueId,
    ) {
        let extent = self.value(builder, known, Type::I64);
        let result = builder.reduce_stored(op, order, [count, extent], |builder, index| {
            let mut inside = known.clone();
            inside.push(index);
            let ty = if op == ReduceOp::Count { Type::Bool } else { float };
            let term = self.value(builder, &inside, ty);
            let gate = (self.numbers.below(2) == 0).then(|| self.value(builder, &inside, Type::Bool));
            (Term::Value(term), gate, self.value(builder, &inside, Type::I64))
        });
        known.push(result);
    }

    fn operation(&mut self, builder: &mut build::KernelBuilder, known: &[ValueId]) -> ValueId {
        let float = [Type::F32, Type::F64][self.numbers.below(2)];
        let integer = [Type::I32, Type::I64][self.numbers.below(2)];
        let any = self.ty();
        let choice = self.numbers.below(12);
        let ty = match choice {
            0..=2 => float,
            3..=5 => integer,
            _ => any,
        };
        let [a, b, c] = [0; 3].map(|_| self.value(builder, known, ty));
        match choice {
            0 => {
                let ops = [Binary::Add, Binary::Subtract, Binary::Divide, Binary::Remainder, Binary::Min];
                builder.binary(ops[self.numbers.below(5)], a, b)
            }
            1 => builder.fma(a, b, c),
            2 => builder.unary([Unary::Negate, Unary::Sqrt, Unary::Nearest][self.numbers.below(3)], a),
            3 => {
                let ops = [
                    Binary::Xor,
                    Binary::ShiftLeft,
                    Binary::ShiftRight,
                    Binary::ShiftRightSigned,
                    Binary::Max,
                ];
                builder.binary(ops[self.numbers.below(5)], a, b)
            }
            4 => builder.compare(
                [Compare::Below, Compare::Less, Compare::GreaterEqual][self.numbers.below(3)],
                a,
                b,
            ),
            5 => builder.convert(Conversion::Value, float, a),
            6 => builder.compare([Compare::Equal, Compare::NotEqual][self.numbers.below(2)], a, b),
            7 => {
                let condition = self.value(builder, known, Type::Bool);
                builder.select(condition, a, b)
            }
            8 => {
                let a = self.value(builder, known, Type::F32);
                builder.convert(Conversion::Bits, Type::I32, a)
            }
            9 => {
                let index = self.value(builder, known, Type::I64);
                builder.load(self.buffers[self.numbers.below(5)], index)
            }
            10 => {
                let [a, b] = [0; 2].map(|_| self.value(builder, known, float));
                builder.op(float, Op::Math(MathFn::Pow, vec![a, b]))
            }
            _ => {
                let [attempt, run] = [0; 2].map(|_| self.value(builder, known, Type::I32));
                let [step, seed, row, column] = [0; 4].map(|_| self.value(builder, known, Type::I64));
                let site = self.numbers.below(1 << 16) as u32;
                builder.op(Type::I32, Op::Random(Random { site, attempt, run, step, seed, row, column }))
            }
        }
    }
}
