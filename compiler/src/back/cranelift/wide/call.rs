//! The call of such a loop from a kernel.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, InstBuilder, StackSlotData, StackSlotKind, UserExternalName, Value, types,
};

use super::super::function::Lower;
use super::super::vary::{self, Varying};
use super::inst::{Body, Input};
use super::select::LANES;
use super::{WideLoop, made, reduce, signature, widen};
use crate::back::decisive::decisive;
use crate::kernel::{Constant, Loop, Reduce, Type, ValueId};

impl Lower<'_, '_> {
    /// As many iterations of `start .. end` as fill wide vectors; the first index that is left.
    pub fn wide_loop(&mut self, inner: &Loop, start: Value, end: Value, varying: &Varying) -> Option<Value> {
        let gathers = self.wide.gathers?;
        let decisive = decisive(self.kernel, &inner.body, |selection, condition| {
            !self.hoisted.contains(&selection) && !varying.contains(&condition)
        });
        let decisive = decisive.map(|(condition, _)| condition);
        let ways: Vec<_> = match decisive {
            Some(condition) => [true, false].map(|holds| Some((condition, holds))).to_vec(),
            None => vec![None],
        };
        let made: Result<Vec<WideLoop>, _> = ways
            .into_iter()
            .map(|assumed| widen(self.kernel, inner, varying, &self.hoisted, assumed, gathers))
            .collect();
        match made {
            Ok(made) => {
                let count = self.b.ins().isub(end, start);
                let whole = self.b.ins().band_imm_s(count, -LANES);
                let last = self.b.ins().iadd(start, whole);
                let any = self.b.ins().icmp(IntCC::SignedLessThan, start, last);
                self.when(any, |s| s.call_one(decisive, made, start, last));
                Some(last)
            }
            Err(reason) => {
                self.wide.loops.push(Err(reason));
                None
            }
        }
    }

    /// The loop that belongs to what the condition is.
    fn call_one(&mut self, condition: Option<ValueId>, made: Vec<WideLoop>, start: Value, end: Value) {
        let mut made = made.into_iter();
        let (Some(first), second) = (made.next(), made.next()) else { return };
        let (Some(condition), Some(second)) = (condition, second) else {
            self.call_wide(&first, None, start, end);
            self.wide.loops.push(Ok(first));
            return;
        };
        let condition = self.scalar(condition);
        let (holds, fails, after) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, holds, &[], fails, &[]);
        for (block, wide) in [(holds, first), (fails, second)] {
            self.b.switch_to_block(block);
            self.call_wide(&wide, None, start, end);
            self.wide.loops.push(Ok(wide));
            self.b.ins().jump(after, &[]);
        }
        self.b.switch_to_block(after);
    }

    /// Whole groups of 32 terms of `0 .. end`, in accumulators that begin as `identity` and are left in `room`. Nothing where
    /// the reduction stays with Cranelift.
    pub fn wide_groups(
        &mut self,
        reduce: &Reduce,
        (end, room): (Value, Value),
        varying: &Varying,
        identity: Constant,
    ) -> bool {
        let Some(gathers) = self.wide.gathers else { return false };
        let hoisted = vary::hoistable(self.kernel, reduce.index, &reduce.body);
        let known = self.hoisted.iter().copied().chain(hoisted.iter().copied()).collect();
        match reduce::select(self.kernel, reduce, varying, &known, identity)
            .and_then(|body| made(Body { gathers, ..body }))
        {
            Ok(wide) => {
                let start = self.zero(Type::I64);
                let any = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
                // What is hoisted holds within: the terms that are left compute it again.
                self.when(any, |s| {
                    for &value in &hoisted {
                        let form = s.evaluate(value);
                        s.set(value, form);
                    }
                    s.call_wide(&wide, Some(room), start, end);
                });
                self.wide.loops.push(Ok(wide));
                true
            }
            Err(reason) => {
                self.wide.loops.push(Err(reason));
                false
            }
        }
    }

    fn call_wide(&mut self, wide: &WideLoop, room: Option<Value>, start: Value, end: Value) {
        let list = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * wide.inputs.len() as u32, 3);
        let list = self.b.create_sized_stack_slot(list);
        for (place, input) in wide.inputs.iter().enumerate() {
            let value = self.wide_input(input, room);
            self.b.ins().stack_store(self.config.pointer_type(), value, list, 8 * place as i32);
        }
        let list = self.b.ins().stack_addr(self.config.pointer_type(), list, 0);
        let signature = self.b.import_signature(signature(self.config));
        // The kernel is the module's first function.
        let number = 1 + self.wide.codes().count() as u32;
        let name = self.b.func.declare_imported_user_function(UserExternalName::new(0, number));
        let data =
            ExtFuncData { name: ExternalName::user(name), signature, colocated: false, patchable: false };
        let callee = self.b.import_function(data);
        self.b.ins().call(callee, &[list, start, end]);
    }

    fn wide_input(&mut self, input: &Input, room: Option<Value>) -> Value {
        match input {
            Input::Accumulators => room.unwrap_or_else(|| crate::ice!("a loop without accumulators")),
            Input::Value(value) => {
                let scalar = self.scalar(*value);
                if self.ty(*value) == Type::Bool { self.b.ins().bmask(types::I64, scalar) } else { scalar }
            }
            Input::Sum { buffer, plus, minus, bytes } => {
                let mut sum = None;
                for &value in plus {
                    sum = Some(self.added(sum, value));
                }
                for &value in minus {
                    let value = self.scalar(value);
                    let before = sum.unwrap_or_else(|| self.b.ins().iconst(types::I64, 0));
                    sum = Some(self.b.ins().isub(before, value));
                }
                match (buffer, sum) {
                    (None, None) => self.b.ins().iconst(types::I64, *bytes),
                    (None, Some(sum)) => self.add_constant(sum, *bytes),
                    (Some(buffer), None) => {
                        let pointer = self.pointers[buffer.index()];
                        self.add_constant(pointer, *bytes)
                    }
                    (Some(buffer), Some(sum)) => {
                        let size = self.kernel.buffers[*buffer].ty.size() as i64;
                        let place = self.place_in(self.pointers[buffer.index()], sum, size, 0);
                        self.add_constant(place.base, *bytes)
                    }
                }
            }
        }
    }

    fn added(&mut self, sum: Option<Value>, value: ValueId) -> Value {
        let value = self.scalar(value);
        match sum {
            Some(sum) => self.b.ins().iadd(sum, value),
            None => value,
        }
    }
}
