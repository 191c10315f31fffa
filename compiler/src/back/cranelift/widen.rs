//! Numbers of 32 bits that are loaded only to be widened: neurons and synapses of a list, by which memory is indexed. The load
//! widens them, into registers that index memory; a vector loop loads four of them one by one.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::form::Form;
use super::function::Lower;
use super::vary::{Values, operands};
use crate::kernel::*;

/// The loads of numbers that nothing stores, of which every use widens them in the block of the load.
pub(super) fn widened(kernel: &Kernel) -> Values {
    let is_load = |value: &crate::kernel::Value| matches!(value.op, Op::Load(buffer, _) if kernel.buffers[buffer].access == Access::Read);
    let numbers = kernel.values.iter().filter(|(_, value)| value.ty == Type::I32 && is_load(value));
    let mut found: Values = numbers.map(|(id, _)| id).collect();
    for (_, value) in kernel.values.iter() {
        if widening(value).is_none() {
            for operand in operands(&value.op) {
                found.remove(&operand);
            }
        }
    }
    used(kernel, &kernel.body, &mut found);
    found
}

/// What an operation widens to 64 bits.
fn widening(value: &crate::kernel::Value) -> Option<(Conversion, ValueId)> {
    let Op::Convert(conversion, a) = value.op else { return None };
    let widens = value.ty == Type::I64 && conversion != Conversion::Bits;
    widens.then_some((conversion, a))
}

/// Leaves out what statements use, and what is widened in another block.
fn used(kernel: &Kernel, body: &[Stmt], found: &mut Values) {
    let mut here = Values::default();
    let leave = |found: &mut Values, values: &[ValueId]| {
        for value in values {
            found.remove(value);
        }
    };
    for stmt in body {
        match stmt {
            Stmt::Let(value) => {
                here.insert(*value);
                if let Some((_, number)) = widening(&kernel.values[*value])
                    && !here.contains(&number)
                {
                    found.remove(&number);
                }
            }
            Stmt::Store { value, .. } => leave(found, &[*value]),
            Stmt::If { then, otherwise, results, .. } => {
                used(kernel, then, found);
                used(kernel, otherwise, found);
                for result in results {
                    leave(found, &[result.then, result.otherwise]);
                }
            }
            Stmt::For(inner) => {
                for carried in &inner.carried {
                    leave(found, &[carried.initial, carried.next]);
                }
                used(kernel, &inner.body, found);
            }
            Stmt::Reduce(reduce) => {
                match reduce.term {
                    Term::Value(value) => leave(found, &[value]),
                    Term::Product(a, b) => leave(found, &[a, b]),
                }
                used(kernel, &reduce.body, found);
            }
            Stmt::Tile(_) | Stmt::Fetch(_) => {}
            Stmt::Fill(fill) => match &fill.with {
                Filling::Words(random) | Filling::Normals(random) => {
                    leave(found, &[random.attempt, random.run]);
                }
                Filling::Function(_) => {}
            },
        }
    }
}

impl Lower<'_, '_> {
    /// The value of a widening of what is loaded only for that.
    pub fn widened_load(&mut self, value: ValueId) -> Option<Form> {
        let kernel = self.kernel;
        let (conversion, number) = widening(&kernel.values[value])?;
        if !self.widened.contains(&number) {
            return None;
        }
        let Op::Load(buffer, index) = kernel.values[number].op else { return None };
        let index = self.form(index);
        Some(match index {
            Form::Scalar(index) => Form::Scalar(self.load_wide(conversion, buffer, Form::Scalar(index), 0)),
            Form::Affine(_) | Form::Apart(_) | Form::One(_) | Form::Two(_) => {
                Form::Apart([0, 1, 2, 3].map(|lane| self.load_wide(conversion, buffer, index, lane)))
            }
        })
    }

    fn load_wide(&mut self, conversion: Conversion, buffer: BufferId, index: Form, lane: u8) -> Value {
        let place = self.lane_place(buffer, index, lane);
        let flags = self.flags();
        match conversion {
            Conversion::Unsigned => self.b.ins().uload32(flags, place.base, place.offset),
            Conversion::Value | Conversion::Bits => self.b.ins().sload32(flags, place.base, place.offset),
        }
    }
}
