//! Precompiled code that kernels call where Cranelift's own is slower: its vectors have 128 bits.
//!
//! The host gives the addresses; without one the kernel's own code does the work, to the same bits.

use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, StackSlotData, StackSlotKind, Value, types};

use super::function::Lower;
use crate::kernel::{TileProduct, Type};

/// Makes a tile of a product, as [`TileProduct`] says: `left`, `right`, `into`, and its numbers in the order of its fields:
/// the strides, the origin, the size, the depth, the tile's stride and its start.
pub type TileRoutine = unsafe extern "C" fn(*const u8, *const u8, *mut u8, *const [i64; 9]);

/// What is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Routines {
    /// A tile of f32.
    pub tile_f32: Option<TileRoutine>,
    /// A tile of f64.
    pub tile_f64: Option<TileRoutine>,
}

impl Routines {
    /// The routine for tiles of a type.
    fn tile(&self, ty: Type) -> Option<TileRoutine> {
        match ty {
            Type::F32 => self.tile_f32,
            Type::F64 => self.tile_f64,
            Type::I32 | Type::I64 | Type::Bool => None,
        }
    }
}

impl Lower<'_, '_> {
    /// Calls the routine for a tile, if there is one.
    pub fn tile_by_routine(&mut self, tile: &TileProduct) -> bool {
        let Some(routine) = self.routines.tile(self.kernel.buffers[tile.into].ty) else { return false };
        let numbers = tile.strides.iter().chain(&tile.origin).chain(&tile.size).chain([
            &tile.depth,
            &tile.tile_stride,
            &tile.tile_start,
        ]);
        let numbers: Vec<Value> = numbers.map(|&value| self.scalar(value)).collect();
        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * numbers.len() as u32, 3);
        let room = self.b.create_sized_stack_slot(room);
        for (place, &number) in numbers.iter().enumerate() {
            self.b.ins().stack_store(types::I64, number, room, 8 * place as i32);
        }
        let list = self.b.ins().stack_addr(self.pointer, room, 0);
        let [left, right, into] =
            [tile.left, tile.right, tile.into].map(|buffer| self.pointers[buffer.index()]);
        self.call_routine(routine as usize, &[left, right, into, list]);
        true
    }

    /// Calls code of the host with pointers and numbers of 64 bits.
    fn call_routine(&mut self, address: usize, arguments: &[Value]) {
        let mut signature = Signature::new(self.call_conv);
        for &argument in arguments {
            signature.params.push(AbiParam::new(self.b.func.dfg.value_type(argument)));
        }
        let signature = self.b.import_signature(signature);
        let callee = self.b.ins().iconst(self.pointer, address as i64);
        self.b.ins().call_indirect(signature, callee, arguments);
    }
}
