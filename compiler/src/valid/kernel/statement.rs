//! Statements, scopes and definitions.

use super::*;

/// A statement that an error may have to name.
struct Of<'a>(&'static str, Definition<'a>);

impl Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

impl Validator<'_> {
    /// Checks the statements of a block, then what its end uses.
    pub(super) fn block(&mut self, block: &[Stmt], last: impl FnOnce(&mut Self)) {
        self.scope(&[], block, last);
    }

    /// A block in which some values are defined from the start.
    fn scope(&mut self, given: &[ValueId], block: &[Stmt], last: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            // Once is enough: such a kernel has many such blocks.
            let message = format!("blocks nest more than {MAX_DEPTH} deep");
            let first = !self.errors.contains(&message);
            return self.demand(!first, |_| message);
        }
        self.depth += 1;
        let start = self.scope.len();
        for &value in given {
            self.define(value, true);
        }
        for stmt in block {
            self.stmt(stmt);
        }
        last(self);
        for value in self.scope.split_off(start) {
            self.visible[value.index()] = false;
        }
        self.depth -= 1;
    }

    /// Makes a value visible in the innermost block. `by_statement` says that no operation makes it.
    fn define(&mut self, value: ValueId, by_statement: bool) {
        let Some(Value { op, .. }) = self.kernel.values.get(value) else {
            return self.error("a value is defined that the kernel lacks");
        };
        if by_statement && *op != Op::Defined {
            self.error(format!("{} has an operation and is defined by another statement", self.name(value)));
        }
        if std::mem::replace(&mut self.defined[value.index()], true) {
            self.error(format!("{} is defined twice", self.name(value)));
        }
        self.visible[value.index()] = true;
        self.scope.push(value);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if let Some(known) = self.kernel.values.get(*value) {
                    self.op(*value, known);
                }
                self.define(*value, false);
            }
            Stmt::Store { buffer, index, value, gate } => {
                let user = &format!("the store to {}", self.buffer_name(*buffer));
                self.i64(user, *index);
                self.same(user, *value, self.kernel.buffers.get(*buffer).map(|buffer| buffer.ty));
                if let Some(gate) = gate {
                    self.boolean(user, *gate);
                }
                self.store(*buffer, Some(*index));
            }
            Stmt::If { condition, then, otherwise, results } => {
                self.branch(*condition, then, otherwise, results);
            }
            Stmt::For(each) => self.each(each),
            Stmt::Reduce(reduce) => self.reduce(reduce),
            Stmt::Tile(tile) => self.tile(tile),
            Stmt::Fill(fill) => self.fill(fill),
            Stmt::Fetch(fetch) => self.fetch(fetch),
        }
    }

    fn ty(&self, value: ValueId) -> Option<Type> {
        self.kernel.values.get(value).map(|value| value.ty)
    }

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt], results: &[BranchResult]) {
        let user = &"the branch";
        self.boolean(user, condition);
        self.block(then, |v| {
            for result in results {
                v.same(user, result.then, v.ty(result.value));
            }
        });
        self.block(otherwise, |v| {
            for result in results {
                v.same(user, result.otherwise, v.ty(result.value));
            }
        });
        for result in results {
            self.define(result.value, true);
        }
    }

    fn each(&mut self, each: &Loop) {
        let user = &Of("the loop over", self.definition(each.index));
        if each.kind == LoopKind::Blocks {
            self.blocks_loops += 1;
            self.demand(self.depth == 1, |_| "the loop over blocks is not outermost".to_string());
            let unbounded = each.start.is_none() && each.end.is_none();
            self.demand(unbounded, |_| format!("{user} has bounds, and its range is the launch's"));
        } else {
            let bounded = each.start.is_some() && each.end.is_some();
            self.demand(bounded, |_| format!("{user} lacks a bound"));
            self.demand(self.inside_blocks, |_| format!("{user} stands outside the loop over blocks"));
        }
        for bound in each.start.iter().chain(&each.end) {
            self.i64(user, *bound);
        }
        if each.kind != LoopKind::Serial {
            let simple = each.carried.is_empty() && each.exit.is_none();
            self.demand(simple, |_| format!("{user} carries values or has an exit, and is not serial"));
        }
        self.demand(self.ty(each.index).is_none_or(|ty| ty == Type::I64), |_| {
            format!("{user} has an index that is no i64")
        });
        for carried in &each.carried {
            self.same(user, carried.initial, self.ty(carried.value));
        }
        let given: Vec<ValueId> =
            std::iter::once(each.index).chain(each.carried.iter().map(|carried| carried.value)).collect();
        let outside = self.inside_blocks;
        self.inside_blocks |= each.kind == LoopKind::Blocks;
        self.loops += 1;
        if each.kind == LoopKind::Lanes {
            self.lanes.push(each.index);
        }
        self.scope(&given, &each.body, |v| {
            for carried in &each.carried {
                v.same(user, carried.next, v.ty(carried.value));
            }
            if let Some(exit) = each.exit {
                v.boolean(user, exit);
            }
        });
        if each.kind == LoopKind::Lanes {
            self.lanes.pop();
        }
        self.loops -= 1;
        self.inside_blocks = outside;
        for carried in &each.carried {
            let one_type = self.ty(carried.result) == self.ty(carried.value);
            self.demand(one_type, |v| {
                format!("{} has another type than in its loop", v.name(carried.result))
            });
            self.define(carried.result, true);
        }
    }

    fn reduce(&mut self, reduce: &Reduce) {
        let user = &Of("the reduction over", self.definition(reduce.index));
        self.i64(user, reduce.count);
        self.demand(self.inside_blocks, |_| format!("{user} stands outside the loop over blocks"));
        self.demand(self.ty(reduce.index).is_none_or(|ty| ty == Type::I64), |_| {
            format!("{user} has an index that is no i64")
        });
        if let Some(slot) = reduce.slot {
            self.i64(user, slot.extent);
        }
        if reduce.order == Order::Pairwise {
            let plain = matches!(reduce.term, Term::Value(_)) && reduce.gate.is_none();
            self.demand(plain, |_| format!("{user} is pairwise and has a product or a gate"));
            self.demand(reduce.slot.is_none(), |_| {
                format!("{user} is pairwise and has places for its terms")
            });
        }
        let inside = std::mem::replace(&mut self.inside_reduce, true);
        self.loops += 1;
        self.scope(&[reduce.index], &reduce.body, |v| {
            v.term(user, reduce);
            if let Some(gate) = reduce.gate {
                v.boolean(user, gate);
            }
            if let Some(slot) = reduce.slot {
                v.i64(user, slot.index);
            }
        });
        self.loops -= 1;
        self.inside_reduce = inside;
        self.define(reduce.result, true);
    }

    fn term(&mut self, user: &dyn Display, reduce: &Reduce) {
        let (a, b) = match reduce.term {
            Term::Value(a) => (a, None),
            Term::Product(a, b) => (a, Some(b)),
        };
        let number = |ty: Type| ty != Type::Bool;
        let ty = match (reduce.op, b) {
            (ReduceOp::Sum, None) => self.operand(user, a, number, "numbers"),
            (ReduceOp::Sum, Some(_)) | (ReduceOp::Min | ReduceOp::Max, _) => {
                self.operand(user, a, Type::is_float, "floats")
            }
            (ReduceOp::Count, _) => {
                self.boolean(user, a);
                Some(Type::I64)
            }
        };
        if let Some(b) = b {
            self.same(user, b, ty);
            self.demand(reduce.op == ReduceOp::Sum, |_| format!("{user} has a product and is no sum"));
        }
        if let (Some(ty), Some(result)) = (ty, self.ty(reduce.result)) {
            self.demand(ty == result, |_| format!("{user} gives {ty:?} and is declared {result:?}"));
        }
    }

    fn fill(&mut self, fill: &Fill) {
        let user = &"the fill";
        self.i64(user, fill.start);
        self.i64(user, fill.count);
        let ty = self.kernel.buffers.get(fill.into).map(|buffer| buffer.ty);
        let fits = match &fill.with {
            Filling::Words(random) => {
                self.random(user, random);
                ty == Some(Type::I32)
            }
            Filling::Normals(random) => {
                self.random(user, random);
                ty.is_some_and(Type::is_float)
            }
            Filling::Function(function) => {
                self.demand(*function != MathFn::Pow, |_| format!("{user} has a function of two values"));
                ty.is_some_and(Type::is_float)
            }
        };
        self.demand(fits, |_| format!("{user} does not give {ty:?}"));
        self.info.fills = true;
        self.loops += 1;
        if matches!(fill.with, Filling::Function(_)) {
            self.load(fill.into, None);
        }
        self.store(fill.into, None);
        self.loops -= 1;
    }

    fn fetch(&mut self, fetch: &Fetch) {
        let user = &"the fetch";
        self.i64(user, fetch.start);
        self.i64(user, fetch.count);
        self.info.fetches = true;
        self.load(fetch.buffer, None);
    }

    fn tile(&mut self, tile: &TileProduct) {
        let user = &"the tile product";
        let TileProduct { left, right, into, strides, origin, size, depth, tile_stride, tile_start } = tile;
        for value in [strides, origin, size].into_iter().flatten().chain([depth, tile_stride, tile_start]) {
            self.i64(user, *value);
        }
        let types =
            [left, right, into].map(|buffer| self.kernel.buffers.get(*buffer).map(|buffer| buffer.ty));
        let floats = types.iter().all(|ty| ty.is_some_and(Type::is_float) && *ty == types[0]);
        self.demand(floats, |_| format!("{user} takes three buffers of one float type"));
        self.demand(into != left && into != right, |_| format!("{user} writes what it reads"));
        self.loops += 1;
        self.load(*left, None);
        self.load(*right, None);
        self.store(*into, None);
        self.loops -= 1;
    }
}
