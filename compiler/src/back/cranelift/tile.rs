//! Tiles of a batched product.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::form::{Form, LANES};
use super::function::Lower;
use super::reduce::Accumulator;
use crate::kernel::{Binary, BufferId, ReduceOp, TileProduct, Type};

/// The operands of a tile, as scalars.
#[derive(Clone, Copy)]
struct Operands {
    ty: Type,
    left: Value,
    right: Value,
    into: Value,
    strides: [Value; 2],
    origin: [Value; 2],
    depth: Value,
    tile_stride: Value,
    tile_start: Value,
}

impl Lower<'_, '_> {
    /// Row after row; the elements of a row four at a time, then one by one.
    pub fn tile(&mut self, tile: &TileProduct) {
        let pointer = |s: &Self, buffer: BufferId| s.pointers[buffer.index()];
        let operands = Operands {
            ty: self.kernel.buffers[tile.into].ty,
            left: pointer(self, tile.left),
            right: pointer(self, tile.right),
            into: pointer(self, tile.into),
            strides: tile.strides.map(|value| self.scalar(value)),
            origin: tile.origin.map(|value| self.scalar(value)),
            depth: self.scalar(tile.depth),
            tile_stride: self.scalar(tile.tile_stride),
            tile_start: self.scalar(tile.tile_start),
        };
        let [rows, columns] = tile.size.map(|value| self.scalar(value));
        let zero = self.zero(Type::I64);
        let whole = match self.options.simd {
            true => {
                let columns = self.scalar_binary(Binary::Max, Type::I64, columns, zero);
                self.b.ins().band_imm_s(columns, -LANES)
            }
            false => zero,
        };
        self.counted(zero, rows, 1, |s, row| {
            if s.options.simd {
                s.counted(zero, whole, LANES, |s, column| s.tile_elements(operands, row, column, true));
            }
            s.counted(whole, columns, 1, |s, column| s.tile_elements(operands, row, column, false));
        });
    }

    fn tile_elements(&mut self, operands: Operands, row: Value, column: Value, packed: bool) {
        let Operands { ty, left, right, into, strides, origin, depth, tile_stride, tile_start } = operands;
        let accumulator = Accumulator { op: ReduceOp::Sum, ty, packed };
        let (row_of_left, column_of_right) =
            (self.b.ins().iadd(origin[0], row), self.b.ins().iadd(origin[1], column));
        let size = ty.size() as i64;
        let result = self.blocks_pairwise(accumulator, depth, 8, |s, k, before| {
            let element = |s: &mut Self, pointer: Value, stride: Value, first: Value, packed: bool| {
                let row = s.b.ins().imul(k, stride);
                let index = s.b.ins().iadd(row, first);
                let place = s.place_in(pointer, index, size, 0);
                match packed {
                    true => s.load_lanes(ty, place),
                    false => Form::Scalar(s.load_scalar(ty, place)),
                }
            };
            let a = element(s, left, strides[0], row_of_left, false);
            let b = element(s, right, strides[1], column_of_right, packed);
            s.fma(ty, a, b, before)
        });
        let row_start = self.b.ins().imul(row, tile_stride);
        let start = self.b.ins().iadd(tile_start, row_start);
        let index = self.b.ins().iadd(start, column);
        let place = self.place_in(into, index, size, 0);
        match packed {
            true => self.store_lanes(ty, result, place),
            false => {
                let value = self.scalar_of(result);
                self.store_scalar(value, place);
            }
        }
    }
}
