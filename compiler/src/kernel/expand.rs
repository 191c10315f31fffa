//! Replaces our functions, random words and the float remainder by primitive operations.
//!
//! In: a kernel with `Op::Math`, `Op::Random` and `Binary::Remainder`. Out: a kernel of the same buffers, scalars and
//! statements without them, that computes the same bits. Names and docs stay; equal operations become one; values
//! that no statement defines are dropped. Nothing is simplified beyond that.

use super::build::KernelBuilder;
use super::*;
use crate::math;

/// Expands every operation that back ends do not have.
pub fn expand(kernel: &Kernel) -> Kernel {
    expand_with(kernel, false)
}

/// Expands every operation, and leaves the fills and fetches, for which the host has code.
pub fn expand_operations(kernel: &Kernel) -> Kernel {
    expand_with(kernel, true)
}

fn expand_with(kernel: &Kernel, keeps_fills: bool) -> Kernel {
    let mut builder = KernelBuilder::new(kernel.name.clone(), kernel.space.clone());
    for line in &kernel.docs {
        builder.doc(line.clone());
    }
    for (_, buffer) in kernel.buffers.iter() {
        builder.buffer(buffer.clone());
    }
    for (_, scalar) in kernel.scalars.iter() {
        builder.add_scalar(scalar.name.clone(), scalar.ty);
    }
    let mut walk = Walk { kernel, builder, keeps_fills, new: vec![None; kernel.values.len()] };
    walk.statements(&kernel.body);
    walk.builder.finish()
}

struct Walk<'a> {
    kernel: &'a Kernel,
    builder: KernelBuilder,
    keeps_fills: bool,
    /// The new handle of each value that has been defined.
    new: Vec<Option<ValueId>>,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block) -> Block {
        self.builder.enter();
        self.statements(block);
        self.builder.leave()
    }

    fn statements(&mut self, block: &Block) {
        for stmt in block {
            self.statement(stmt);
        }
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => self.evaluate(*value),
            Stmt::Store { buffer, index, value, gate } => {
                let (index, value) = (self.get(*index), self.get(*value));
                let gate = self.get_optional(*gate);
                self.builder.store(*buffer, index, value, gate);
            }
            Stmt::If { condition, then, otherwise, results } => {
                self.branch(*condition, then, otherwise, results);
            }
            Stmt::For(each) => self.repeat(each),
            Stmt::Reduce(reduce) => self.reduce(reduce),
            Stmt::Tile(tile) => {
                let tile = TileProduct {
                    strides: tile.strides.map(|value| self.get(value)),
                    origin: tile.origin.map(|value| self.get(value)),
                    size: tile.size.map(|value| self.get(value)),
                    depth: self.get(tile.depth),
                    tile_stride: self.get(tile.tile_stride),
                    tile_start: self.get(tile.tile_start),
                    ..tile.clone()
                };
                self.builder.push(Stmt::Tile(tile));
            }
            Stmt::Fill(fill) => self.fill(fill),
            Stmt::Fetch(fetch) if self.keeps_fills => {
                let (start, count) = (self.get(fetch.start), self.get(fetch.count));
                self.builder.push(Stmt::Fetch(Fetch { start, count, ..*fetch }));
            }
            Stmt::Fetch(_) => {}
        }
    }

    fn fill(&mut self, fill: &Fill) {
        let (start, count) = (self.get(fill.start), self.get(fill.count));
        let with = match &fill.with {
            Filling::Words(random) => Filling::Words(self.random(random)),
            Filling::Normals(random) => Filling::Normals(self.random(random)),
            Filling::Function(function) => Filling::Function(*function),
        };
        if self.keeps_fills {
            self.builder.push(Stmt::Fill(Fill { into: fill.into, start, count, with }));
            return;
        }
        let ty = self.kernel.buffers[fill.into].ty;
        let zero = self.builder.int(0);
        let index = self.builder.defined(Type::I64);
        self.builder.enter();
        let element = self.builder.add(start, index);
        let value = match with {
            Filling::Words(random) => self.word(random, index),
            Filling::Normals(random) => {
                let word = self.word(random, index);
                math::emit_normal(&mut self.builder, ty, word)
            }
            Filling::Function(function) => {
                let argument = self.builder.load(fill.into, element);
                self.primitive(ty, &Op::Math(function, vec![argument]))
            }
        };
        self.builder.store(fill.into, element, value, None);
        let body = self.builder.leave();
        self.builder.push(Stmt::For(Loop {
            kind: LoopKind::Lanes,
            index,
            start: Some(zero),
            end: Some(count),
            carried: Vec::new(),
            exit: None,
            body,
        }));
    }

    /// The word so many columns further.
    fn word(&mut self, random: Random, index: ValueId) -> ValueId {
        let column = self.builder.add(random.column, index);
        self.primitive(Type::I32, &Op::Random(Random { column, ..random }))
    }

    fn primitive(&mut self, ty: Type, op: &Op) -> ValueId {
        match math::emit_expansion(&mut self.builder, ty, op) {
            Some(value) => value,
            None => crate::ice!("{op:?} has no expansion"),
        }
    }

    fn evaluate(&mut self, old: ValueId) {
        let value = &self.kernel.values[old];
        let op = self.op(&value.op);
        let new = match math::emit_expansion(&mut self.builder, value.ty, &op) {
            Some(new) => new,
            None => self.builder.op(value.ty, op),
        };
        self.set(old, new);
    }

    fn branch(&mut self, condition: ValueId, then: &Block, otherwise: &Block, results: &[BranchResult]) {
        let condition = self.get(condition);
        let then = self.block(then);
        let otherwise = self.block(otherwise);
        let results = results
            .iter()
            .map(|result| BranchResult {
                then: self.get(result.then),
                otherwise: self.get(result.otherwise),
                value: self.define(result.value),
            })
            .collect();
        self.builder.push(Stmt::If { condition, then, otherwise, results });
    }

    fn repeat(&mut self, each: &Loop) {
        let (start, end) = (self.get_optional(each.start), self.get_optional(each.end));
        let index = self.define(each.index);
        let initial: Vec<ValueId> = each.carried.iter().map(|carried| self.get(carried.initial)).collect();
        let values: Vec<ValueId> = each.carried.iter().map(|carried| self.define(carried.value)).collect();
        let results: Vec<ValueId> = each.carried.iter().map(|carried| self.define(carried.result)).collect();
        let body = self.block(&each.body);
        let exit = self.get_optional(each.exit);
        let carried = each
            .carried
            .iter()
            .enumerate()
            .map(|(k, carried)| Carried {
                value: values[k],
                initial: initial[k],
                next: self.get(carried.next),
                result: results[k],
            })
            .collect();
        self.builder.push(Stmt::For(Loop { kind: each.kind, index, start, end, carried, exit, body }));
    }

    fn reduce(&mut self, reduce: &Reduce) {
        let count = self.get(reduce.count);
        let extent = self.get_optional(reduce.slot.map(|slot| slot.extent));
        let index = self.define(reduce.index);
        let body = self.block(&reduce.body);
        let term = match reduce.term {
            Term::Value(value) => Term::Value(self.get(value)),
            Term::Product(a, b) => Term::Product(self.get(a), self.get(b)),
        };
        let gate = self.get_optional(reduce.gate);
        let slot = self.get_optional(reduce.slot.map(|slot| slot.index)).zip(extent);
        let slot = slot.map(|(index, extent)| Slot { index, extent });
        let result = self.define(reduce.result);
        let (op, order) = (reduce.op, reduce.order);
        self.builder.push(Stmt::Reduce(Reduce { op, order, index, count, body, term, gate, slot, result }));
    }

    /// The operation with new operands.
    fn op(&self, op: &Op) -> Op {
        match op {
            Op::Defined => crate::ice!("a `let` of a value that another statement defines"),
            Op::Constant(constant) => Op::Constant(*constant),
            Op::Scalar(scalar) => Op::Scalar(*scalar),
            Op::Unary(unary, a) => Op::Unary(*unary, self.get(*a)),
            Op::Binary(binary, a, b) => Op::Binary(*binary, self.get(*a), self.get(*b)),
            Op::Fma(a, b, c) => Op::Fma(self.get(*a), self.get(*b), self.get(*c)),
            Op::Compare(compare, a, b) => Op::Compare(*compare, self.get(*a), self.get(*b)),
            Op::Select(condition, a, b) => Op::Select(self.get(*condition), self.get(*a), self.get(*b)),
            Op::Convert(conversion, a) => Op::Convert(*conversion, self.get(*a)),
            Op::Load(buffer, index) => Op::Load(*buffer, self.get(*index)),
            Op::Math(function, arguments) => {
                Op::Math(*function, arguments.iter().map(|&argument| self.get(argument)).collect())
            }
            Op::Random(random) => Op::Random(self.random(random)),
        }
    }

    fn random(&self, random: &Random) -> Random {
        Random {
            site: random.site,
            attempt: self.get(random.attempt),
            run: self.get(random.run),
            step: self.get(random.step),
            seed: self.get(random.seed),
            row: self.get(random.row),
            column: self.get(random.column),
        }
    }

    fn get(&self, old: ValueId) -> ValueId {
        match self.new[old.index()] {
            Some(new) => new,
            None => crate::ice!("value {} is used before it is defined", old.index()),
        }
    }

    fn get_optional(&self, old: Option<ValueId>) -> Option<ValueId> {
        old.map(|value| self.get(value))
    }

    fn define(&mut self, old: ValueId) -> ValueId {
        let new = self.builder.defined(self.kernel.values[old].ty);
        self.set(old, new);
        new
    }

    /// Records the new handle; the old name goes with it, unless an equal value already has one.
    fn set(&mut self, old: ValueId, new: ValueId) {
        self.new[old.index()] = Some(new);
        if let (Some(name), None) = (&self.kernel.values[old].name, &self.builder.kernel().values[new].name) {
            self.builder.name(new, name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::parse::parse;
    use crate::kernel::print::print;
    use crate::valid::kernel::validate;

    fn kernel(text: &str) -> Kernel {
        parse(text).expect("a text that parses")
    }

    macro_rules! text {
        ($name:literal) => {
            (include_str!(concat!("../../../tests/in/kernel/", $name, ".kernel")))
        };
    }

    #[test]
    fn a_kernel_without_such_operations_stays_as_it_is() {
        let texts = [
            text!("replayed_rows"),
            text!("conv_pairs"),
            text!("batched_tile"),
            text!("delayed_arrival"),
            text!("inactive_rows"),
            text!("ordered_sums"),
            text!("stored_sums"),
            text!("rejection_draw"),
        ];
        for text in texts {
            assert_eq!(print(&expand(&kernel(text))), text);
        }
    }

    #[test]
    fn an_expanded_kernel_is_valid_and_has_only_primitive_operations() {
        let expanded = expand(&kernel(text!("random_draw")));
        let info = validate(&expanded).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
        assert!(info.expanded);
    }
}
