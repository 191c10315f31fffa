//! Writing kernels: the builder that lowering, expansions and tests share.
//!
//! It keeps a stack of open blocks, gives equal pure operations of enclosing blocks one value, and leaves all
//! checking to `valid`.

use std::collections::HashMap;

use super::*;

/// Builds one [`Kernel`].
pub struct KernelBuilder {
    kernel: Kernel,
    open: Vec<Open>,
}

/// A block that is being written, with the pure values that are known in it.
#[derive(Default)]
struct Open {
    block: Block,
    known: HashMap<(Type, Op), ValueId>,
}

impl KernelBuilder {
    /// A kernel without buffers, scalars and statements.
    pub fn new(name: impl Into<String>, space: Space) -> Self {
        let kernel = Kernel {
            name: name.into(),
            docs: Vec::new(),
            space,
            buffers: Arena::new(),
            scalars: Arena::new(),
            values: Arena::new(),
            body: Vec::new(),
        };
        Self { kernel, open: vec![Open::default()] }
    }

    /// A builder that goes on from the declarations and values of `kernel`, with an empty body.
    pub fn rewrite(kernel: &Kernel) -> Self {
        let kernel = Kernel { body: Vec::new(), ..kernel.clone() };
        Self { kernel, open: vec![Open::default()] }
    }

    /// The finished kernel.
    ///
    /// # Panics
    /// If a block is still open: a fault of the caller.
    pub fn finish(mut self) -> Kernel {
        assert_eq!(self.open.len(), 1, "a block is still open");
        self.kernel.body = self.open.pop().expect("the outermost block").block;
        self.kernel
    }

    /// What has been built so far.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Adds a line of documentation.
    pub fn doc(&mut self, line: impl Into<String>) {
        self.kernel.docs.push(line.into());
    }

    /// Changes what the blocks are.
    pub fn set_space(&mut self, space: Space) {
        self.kernel.space = space;
    }

    /// Declares a buffer.
    pub fn buffer(&mut self, buffer: Buffer) -> BufferId {
        self.kernel.buffers.push(buffer)
    }

    /// Changes how a declared buffer is accessed.
    pub fn set_access(&mut self, buffer: BufferId, access: Access) {
        self.kernel.buffers[buffer].access = access;
    }

    /// Changes the lengths of a declared buffer's axes.
    pub fn set_shape(&mut self, buffer: BufferId, shape: Vec<Extent>) {
        self.kernel.buffers[buffer].shape = shape;
    }

    /// Declares a scalar.
    pub fn add_scalar(&mut self, name: impl Into<String>, ty: Type) -> ScalarId {
        self.kernel.scalars.push(Scalar { name: name.into(), ty })
    }

    /// The type of a value.
    pub fn ty(&self, value: ValueId) -> Type {
        self.kernel.values[value].ty
    }

    /// Names a value for people.
    pub fn name(&mut self, value: ValueId, name: impl Into<String>) {
        self.kernel.values[value].name = Some(name.into());
    }

    /// A value that a statement will define.
    pub fn defined(&mut self, ty: Type) -> ValueId {
        self.kernel.values.push(Value { ty, op: Op::Defined, name: None })
    }

    /// Adds a statement to the block that is open.
    pub fn push(&mut self, stmt: Stmt) {
        self.innermost().block.push(stmt);
    }

    /// Evaluates an operation here, or gives the value that already holds it. Loads are never shared.
    pub fn op(&mut self, ty: Type, op: Op) -> ValueId {
        let shared = !matches!(op, Op::Load(..) | Op::Defined);
        if shared {
            let key = (ty, op.clone());
            if let Some(&value) = self.open.iter().rev().find_map(|open| open.known.get(&key)) {
                return value;
            }
        }
        let value = self.kernel.values.push(Value { ty, op: op.clone(), name: None });
        if shared {
            self.innermost().known.insert((ty, op), value);
        }
        self.push(Stmt::Let(value));
        value
    }

    /// A literal.
    pub fn constant(&mut self, constant: Constant) -> ValueId {
        self.op(constant.ty(), Op::Constant(constant))
    }

    /// A real literal, rounded once to `ty`.
    pub fn real(&mut self, ty: Type, value: f64) -> ValueId {
        self.constant(match ty {
            Type::F32 => Constant::F32((value as f32).to_bits()),
            _ => Constant::F64(value.to_bits()),
        })
    }

    /// An `I64` literal.
    pub fn int(&mut self, value: i64) -> ValueId {
        self.constant(Constant::I64(value))
    }

    /// An `I32` literal.
    pub fn word(&mut self, value: u32) -> ValueId {
        self.constant(Constant::I32(value as i32))
    }

    /// A literal condition.
    pub fn boolean(&mut self, value: bool) -> ValueId {
        self.constant(Constant::Bool(value))
    }

    /// A scalar of the launch.
    pub fn scalar(&mut self, scalar: ScalarId) -> ValueId {
        let ty = self.kernel.scalars[scalar].ty;
        self.op(ty, Op::Scalar(scalar))
    }

    /// One operand.
    pub fn unary(&mut self, op: Unary, a: ValueId) -> ValueId {
        let ty = self.ty(a);
        self.op(ty, Op::Unary(op, a))
    }

    /// Two operands.
    pub fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        let ty = self.ty(a);
        self.op(ty, Op::Binary(op, a, b))
    }

    /// a + b
    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Add, a, b)
    }

    /// a - b
    pub fn sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Subtract, a, b)
    }

    /// a · b
    pub fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Multiply, a, b)
    }

    /// a / b
    pub fn div(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(Binary::Divide, a, b)
    }

    /// a · b + c, rounded once
    pub fn fma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        let ty = self.ty(a);
        self.op(ty, Op::Fma(a, b, c))
    }

    /// A comparison.
    pub fn compare(&mut self, compare: Compare, a: ValueId, b: ValueId) -> ValueId {
        self.op(Type::Bool, Op::Compare(compare, a, b))
    }

    /// Condition, where it holds, where it does not.
    pub fn select(&mut self, condition: ValueId, a: ValueId, b: ValueId) -> ValueId {
        let ty = self.ty(a);
        self.op(ty, Op::Select(condition, a, b))
    }

    /// A conversion to `ty`.
    pub fn convert(&mut self, conversion: Conversion, ty: Type, a: ValueId) -> ValueId {
        self.op(ty, Op::Convert(conversion, a))
    }

    /// An element of a buffer.
    pub fn load(&mut self, buffer: BufferId, index: ValueId) -> ValueId {
        let ty = self.kernel.buffers[buffer].ty;
        self.op(ty, Op::Load(buffer, index))
    }

    /// Writes an element of a buffer.
    pub fn store(&mut self, buffer: BufferId, index: ValueId, value: ValueId, gate: Option<ValueId>) {
        self.push(Stmt::Store { buffer, index, value, gate });
    }

    /// The loop over the launch's blocks.
    pub fn blocks(&mut self, body: impl FnOnce(&mut Self, ValueId)) {
        self.simple_loop(LoopKind::Blocks, None, None, body);
    }

    /// A loop whose iterations are independent.
    pub fn lanes(&mut self, start: ValueId, end: ValueId, body: impl FnOnce(&mut Self, ValueId)) {
        self.simple_loop(LoopKind::Lanes, Some(start), Some(end), body);
    }

    /// A loop in ascending order that carries nothing.
    pub fn serial(&mut self, start: ValueId, end: ValueId, body: impl FnOnce(&mut Self, ValueId)) {
        self.simple_loop(LoopKind::Serial, Some(start), Some(end), body);
    }

    fn simple_loop(
        &mut self,
        kind: LoopKind,
        start: Option<ValueId>,
        end: Option<ValueId>,
        body: impl FnOnce(&mut Self, ValueId),
    ) {
        let index = self.defined(Type::I64);
        self.enter();
        body(self, index);
        let body = self.leave();
        self.push(Stmt::For(Loop { kind, index, start, end, carried: Vec::new(), exit: None, body }));
    }

    /// A loop in ascending order that carries values. `body` gets the index and the carried values and gives the
    /// next ones, and a condition that ends the loop. The values after the loop are returned.
    pub fn carry(
        &mut self,
        start: ValueId,
        end: ValueId,
        initial: &[ValueId],
        body: impl FnOnce(&mut Self, ValueId, &[ValueId]) -> (Vec<ValueId>, Option<ValueId>),
    ) -> Vec<ValueId> {
        let index = self.defined(Type::I64);
        let values: Vec<ValueId> = initial.iter().map(|&value| self.defined_like(value)).collect();
        let results: Vec<ValueId> = initial.iter().map(|&value| self.defined_like(value)).collect();
        self.enter();
        let (next, exit) = body(self, index, &values);
        let body = self.leave();
        let carried = (0..initial.len())
            .map(|k| Carried { value: values[k], initial: initial[k], next: next[k], result: results[k] })
            .collect();
        let (start, end) = (Some(start), Some(end));
        self.push(Stmt::For(Loop { kind: LoopKind::Serial, index, start, end, carried, exit, body }));
        results
    }

    /// A branch without values.
    pub fn when(&mut self, condition: ValueId, then: impl FnOnce(&mut Self)) {
        self.enter();
        then(self);
        let then = self.leave();
        self.push(Stmt::If { condition, then, otherwise: Vec::new(), results: Vec::new() });
    }

    /// A branch that gives values; both sides give as many, of the same types.
    pub fn branch(
        &mut self,
        condition: ValueId,
        then: impl FnOnce(&mut Self) -> Vec<ValueId>,
        otherwise: impl FnOnce(&mut Self) -> Vec<ValueId>,
    ) -> Vec<ValueId> {
        self.enter();
        let then_values = then(self);
        let then = self.leave();
        self.enter();
        let otherwise_values = otherwise(self);
        let otherwise = self.leave();
        let results: Vec<BranchResult> = then_values
            .into_iter()
            .zip(otherwise_values)
            .map(|(then, otherwise)| BranchResult { value: self.defined_like(then), then, otherwise })
            .collect();
        let values = results.iter().map(|result| result.value).collect();
        self.push(Stmt::If { condition, then, otherwise, results });
        values
    }

    /// An ordered reduction over `0 .. count`. `body` gives the term and its gate.
    pub fn reduce(
        &mut self,
        op: ReduceOp,
        order: Order,
        count: ValueId,
        body: impl FnOnce(&mut Self, ValueId) -> (Term, Option<ValueId>),
    ) -> ValueId {
        self.any_reduce(op, order, count, |builder, index| {
            let (term, gate) = body(builder, index);
            (term, gate, None)
        })
    }

    /// An ordered reduction over the `count` stored terms of a row that is `extent` long. `body` gives the term, its
    /// gate, and its place in the row.
    pub fn reduce_stored(
        &mut self,
        op: ReduceOp,
        order: Order,
        [count, extent]: [ValueId; 2],
        body: impl FnOnce(&mut Self, ValueId) -> (Term, Option<ValueId>, ValueId),
    ) -> ValueId {
        self.any_reduce(op, order, count, |builder, index| {
            let (term, gate, slot) = body(builder, index);
            (term, gate, Some(Slot { index: slot, extent }))
        })
    }

    fn any_reduce(
        &mut self,
        op: ReduceOp,
        order: Order,
        count: ValueId,
        body: impl FnOnce(&mut Self, ValueId) -> (Term, Option<ValueId>, Option<Slot>),
    ) -> ValueId {
        let index = self.defined(Type::I64);
        self.enter();
        let (term, gate, slot) = body(self, index);
        let body = self.leave();
        let ty = match (op, term) {
            (ReduceOp::Count, _) => Type::I64,
            (_, Term::Value(value) | Term::Product(value, _)) => self.ty(value),
        };
        let result = self.defined(ty);
        self.push(Stmt::Reduce(Reduce { op, order, index, count, body, term, gate, slot, result }));
        result
    }

    /// Opens a block.
    pub fn enter(&mut self) {
        self.open.push(Open::default());
    }

    /// Closes the innermost block and gives it.
    pub fn leave(&mut self) -> Block {
        assert!(self.open.len() > 1, "the outermost block is closed by `finish`");
        self.open.pop().expect("just counted").block
    }

    fn innermost(&mut self) -> &mut Open {
        self.open.last_mut().expect("the outermost block stays open until `finish`")
    }

    fn defined_like(&mut self, value: ValueId) -> ValueId {
        let ty = self.ty(value);
        self.defined(ty)
    }
}
