//! The function of a kernel: its entry, and statements one by one.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, BlockArg, InstBuilder, Signature, StackSlot, StackSlotData, StackSlotKind, UserFuncName,
    Value, types,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::FunctionBuilder;

use super::form::{Form, form_of, registers, scalar_type};
use super::vary::{self, Values, Varying};
use super::wide::WideLoops;
use super::workshop::Workshop;
use super::{Isa, JitOptions, Routines, widen};
use crate::kernel::*;

/// A function that is being written.
pub(super) struct Lower<'a, 'f> {
    pub kernel: &'a Kernel,
    pub options: &'a JitOptions,
    pub b: FunctionBuilder<'f>,
    /// Where each value is; a body that is written several times sets its values each time.
    forms: Vec<Option<Form>>,
    /// The buffers' pointers.
    pub pointers: Vec<Value>,
    /// The launch's scalars.
    pub scalars: Vec<Value>,
    /// Inside a vector loop: the values that differ between lanes.
    pub varying: Option<Varying>,
    /// `Let`s that have been evaluated before their loop.
    pub hoisted: Values,
    /// Loads that their uses widen, and make.
    pub widened: Values,
    pub config: TargetFrontendConfig,
    /// Code of the host that may be called.
    pub routines: Routines,
    /// Loops in vectors wider than Cranelift's.
    pub wide: WideLoops,
    /// Rooms on the stack, one for each depth of nested reductions, and how many are in use.
    rooms: (Vec<StackSlot>, usize),
}

/// Bytes of a room: 64 accumulators of two vectors each, the most that a reduction keeps.
pub(super) const ROOM: u32 = 64 * 32;

/// Writes the function of a kernel into an empty workshop; the loops that it calls.
pub(super) fn lower(kernel: &Kernel, isa: &Isa, options: &JitOptions, workshop: &mut Workshop) -> WideLoops {
    let target = isa.target();
    let pointer = target.pointer_type();
    let mut signature = Signature::new(target.default_call_conv());
    signature.params = [pointer, pointer, types::I64, types::I64].map(AbiParam::new).to_vec();
    let function = &mut workshop.context.func;
    function.name = UserFuncName::testcase(kernel.name.as_bytes());
    function.signature = signature;
    let mut lower = Lower {
        kernel,
        options,
        b: FunctionBuilder::new(function, &mut workshop.builder),
        forms: vec![None; kernel.values.len()],
        pointers: Vec::new(),
        scalars: Vec::new(),
        varying: None,
        hoisted: Values::default(),
        widened: widen::widened(kernel),
        config: target.frontend_config(),
        routines: isa.routines,
        wide: WideLoops::new(isa.gathers().filter(|_| options.simd && options.wide)),
        rooms: (Vec::new(), 0),
    };
    lower.body();
    lower.b.seal_all_blocks();
    let loops = std::mem::take(&mut lower.wide);
    lower.b.finalize(target.frontend_config());
    loops
}

impl Lower<'_, '_> {
    fn body(&mut self) {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        let &[pointers, scalars, first, end] = self.b.block_params(entry) else {
            crate::ice!("the signature has four parameters");
        };
        let flags = self.flags().with_aligned();
        for id in self.kernel.buffers.handles() {
            let pointer = self.pointer(id, pointers);
            self.pointers.push(pointer);
        }
        for (id, scalar) in self.kernel.scalars.iter() {
            let offset = id.index() as i32 * 8;
            let value = self.b.ins().load(scalar_type(scalar.ty), flags, scalars, offset);
            self.scalars.push(match scalar.ty {
                Type::Bool => self.b.ins().icmp_imm_u(IntCC::NotEqual, value, 0),
                Type::F32 | Type::F64 | Type::I32 | Type::I64 => value,
            });
        }
        let kernel = self.kernel;
        for stmt in &kernel.body {
            match stmt {
                Stmt::For(blocks) if blocks.kind == LoopKind::Blocks => self.serial(blocks, first, end),
                other => self.stmt(other),
            }
        }
        self.b.ins().return_(&[]);
    }

    /// Loads a buffer's pointer.
    fn pointer(&mut self, buffer: BufferId, table: Value) -> Value {
        let flags = self.flags().with_aligned();
        let ty = self.config.pointer_type();
        self.b.ins().load(ty, flags, table, buffer.index() as i32 * ty.bytes() as i32)
    }

    /// Writes an innermost loop that Cranelift makes, with pointers that are loaded in front of it: those that live through the
    /// whole function are the first to leave the registers, and come back to them in each iteration.
    pub fn innermost(&mut self, body: &[Stmt], write: impl FnOnce(&mut Self)) {
        let outer = self.pointers.clone();
        // The first parameter of the function: where the pointers stand in memory.
        let entry = self.b.func.layout.entry_block();
        let table = self.b.block_params(entry.unwrap_or_else(|| crate::ice!("a function has an entry")))[0];
        for buffer in vary::buffers(body, self.kernel) {
            self.pointers[buffer.index()] = self.pointer(buffer, table);
        }
        write(self);
        self.pointers = outer;
    }

    /// The type of a value.
    pub fn ty(&self, value: ValueId) -> Type {
        self.kernel.values[value].ty
    }

    /// Where a value is.
    pub fn form(&self, value: ValueId) -> Form {
        self.forms[value.index()].unwrap_or_else(|| crate::ice!("{value:?} is used before it is defined"))
    }

    /// The value as a scalar.
    pub fn scalar(&mut self, value: ValueId) -> Value {
        let form = self.form(value);
        self.scalar_of(form)
    }

    /// Says where a value is.
    pub fn set(&mut self, value: ValueId, form: Form) {
        self.forms[value.index()] = Some(form);
    }

    /// Evaluates a value where it is defined.
    pub fn define(&mut self, value: ValueId) {
        if !self.widened.contains(&value) {
            let form = self.evaluate(value);
            self.set(value, form);
        }
    }

    /// Whether a value has lanes here.
    pub fn is_packed(&self, value: ValueId) -> bool {
        self.varying.as_ref().is_some_and(|varying| varying.contains(&value))
    }

    /// Statements in order.
    pub fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if !self.hoisted.contains(value) {
                    self.define(*value);
                }
            }
            Stmt::Store { buffer, index, value, gate } => {
                let (index, value) = (self.form(*index), self.form(*value));
                let gate = gate.map(|gate| self.form(gate));
                self.store(*buffer, index, value, gate);
            }
            Stmt::If { condition, then, otherwise, results } => {
                self.branch(*condition, then, otherwise, results);
            }
            Stmt::For(inner) => {
                let (Some(start), Some(end)) = (inner.start, inner.end) else {
                    crate::ice!("only the outermost loop has no range");
                };
                let (start, end) = (self.scalar(start), self.scalar(end));
                match inner.kind {
                    LoopKind::Lanes => self.lanes(inner, start, end),
                    LoopKind::Serial if !vary::has_loops(&inner.body) => {
                        self.innermost(&inner.body, |s| match s.is_straight(inner) {
                            true => s.straight(inner, start, end),
                            false => s.serial(inner, start, end),
                        });
                    }
                    LoopKind::Serial | LoopKind::Blocks => self.serial(inner, start, end),
                }
            }
            Stmt::Reduce(reduce) => self.reduce(reduce),
            Stmt::Tile(tile) => self.tile(tile),
            Stmt::Fill(fill) => self.fill(fill),
            Stmt::Fetch(fetch) => self.fetch(fetch),
        }
    }

    /// A new block with one parameter for each register of a value.
    pub fn block_with(&mut self, values: &[(Type, bool)]) -> (ir::Block, Vec<Form>) {
        let block = self.b.create_block();
        let forms = values
            .iter()
            .map(|&(ty, packed)| {
                let registers: Vec<Value> = registers(ty, packed)
                    .into_iter()
                    .map(|register| self.b.append_block_param(block, register))
                    .collect();
                form_of(packed, &registers)
            })
            .collect();
        (block, forms)
    }

    /// The arguments for such a block.
    pub fn arguments(&mut self, values: &[(Type, bool)], forms: &[Form]) -> Vec<BlockArg> {
        values
            .iter()
            .zip(forms)
            .flat_map(|(&(ty, packed), &form)| self.flat(ty, packed, form))
            .map(BlockArg::Value)
            .collect()
    }

    /// Goes on at `block` with these values.
    pub fn jump(&mut self, block: ir::Block, values: &[(Type, bool)], forms: &[Form]) {
        let arguments = self.arguments(values, forms);
        self.b.ins().jump(block, &arguments);
    }

    /// Runs `work` with the address of a room on the stack, which is 16-byte aligned and its own until it ends.
    pub fn with_room<T>(&mut self, work: impl FnOnce(&mut Self, Value) -> T) -> T {
        let (rooms, used) = &mut self.rooms;
        if *used == rooms.len() {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, ROOM, 4);
            rooms.push(self.b.create_sized_stack_slot(data));
        }
        let slot = rooms[*used];
        *used += 1;
        let address = self.b.ins().stack_addr(self.config.pointer_type(), slot, 0);
        let result = work(self, address);
        self.rooms.1 -= 1;
        result
    }

    /// Runs `then` where the scalar condition holds.
    pub fn when(&mut self, condition: Value, then: impl FnOnce(&mut Self)) {
        let (inside, after) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, inside, &[], after, &[]);
        self.b.switch_to_block(inside);
        then(self);
        self.b.ins().jump(after, &[]);
        self.b.switch_to_block(after);
    }

    /// A loop without carried values over `start .. end` by `step`. It asks at its end: what is the same in every iteration
    /// moves out of such a loop only.
    pub fn counted(&mut self, start: Value, end: Value, step: i64, body: impl FnOnce(&mut Self, Value)) {
        let index = [(Type::I64, false)];
        let (inside, forms) = self.block_with(&index);
        let after = self.b.create_block();
        let any = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
        self.b.ins().brif(any, inside, &[start.into()], after, &[]);
        self.b.switch_to_block(inside);
        let at = self.scalar_of(forms[0]);
        body(self, at);
        let next = self.add_constant(at, step);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, next, end);
        self.b.ins().brif(more, inside, &[next.into()], after, &[]);
        self.b.switch_to_block(after);
    }

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt], results: &[BranchResult]) {
        let condition = self.scalar(condition);
        let shapes: Vec<(Type, bool)> =
            results.iter().map(|result| (self.ty(result.value), self.is_packed(result.value))).collect();
        let (left, right) = (self.b.create_block(), self.b.create_block());
        let (after, forms) = self.block_with(&shapes);
        self.b.ins().brif(condition, left, &[], right, &[]);
        self.b.switch_to_block(left);
        self.block(then);
        let values: Vec<Form> = results.iter().map(|result| self.form(result.then)).collect();
        self.jump(after, &shapes, &values);
        self.b.switch_to_block(right);
        self.block(otherwise);
        let values: Vec<Form> = results.iter().map(|result| self.form(result.otherwise)).collect();
        self.jump(after, &shapes, &values);
        self.b.switch_to_block(after);
        for (result, form) in results.iter().zip(forms) {
            self.set(result.value, form);
        }
    }

    /// A loop that Cranelift makes: time is spent in it, unless it is spent in the loops that it holds.
    pub fn own_loop(&mut self, body: &[Stmt]) {
        if !vary::has_loops(body) {
            self.wide.leave_loop();
        }
    }

    /// One iteration after another. Whether there is another is asked at the end, as in `counted`.
    fn serial(&mut self, inner: &Loop, start: Value, end: Value) {
        // Of one item there is no second iteration.
        let once = self.kernel.space.items.iter().all(|extent| *extent == Extent::Constant(1));
        if inner.kind != LoopKind::Blocks || !once {
            self.own_loop(&inner.body);
        }
        let carried: Vec<(Type, bool)> = inner
            .carried
            .iter()
            .map(|carried| (self.ty(carried.value), self.is_packed(carried.value)))
            .collect();
        let shapes: Vec<(Type, bool)> = std::iter::once((Type::I64, false)).chain(carried.clone()).collect();
        let (body, forms) = self.block_with(&shapes);
        let (after, results) = self.block_with(&carried);
        let mut initial = vec![Form::Scalar(start)];
        initial.extend(inner.carried.iter().map(|carried| self.form(carried.initial)));
        let entering = self.arguments(&shapes, &initial);
        let any = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
        let leaving = entering[1..].to_vec();
        self.b.ins().brif(any, body, &entering, after, &leaving);

        self.b.switch_to_block(body);
        let index = self.scalar_of(forms[0]);
        self.set(inner.index, forms[0]);
        for (carried, &form) in inner.carried.iter().zip(&forms[1..]) {
            self.set(carried.value, form);
        }
        self.block(&inner.body);
        let next = self.add_constant(index, 1);
        let mut values = vec![Form::Scalar(next)];
        values.extend(inner.carried.iter().map(|carried| self.form(carried.next)));
        let going_on = self.arguments(&shapes, &values);
        let mut more = self.b.ins().icmp(IntCC::SignedLessThan, next, end);
        if let Some(exit) = inner.exit {
            let exit = self.scalar(exit);
            more = self.b.ins().band_not(more, exit);
        }
        let leaving = going_on[1..].to_vec();
        self.b.ins().brif(more, body, &going_on, after, &leaving);

        self.b.switch_to_block(after);
        for (carried, &form) in inner.carried.iter().zip(&results) {
            self.set(carried.result, form);
        }
    }
}
