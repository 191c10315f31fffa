//! Tiles of a batched product.
//!
//! Where one block of the sum's order holds the whole depth, four rows of two vectors are accumulated in registers at once;
//! a deeper sum combines its blocks element by element.

use cranelift_codegen::ir::condcodes::IntCC;
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

/// Rows, and vectors of a row, that are accumulated in registers at once.
const ROWS: i64 = 4;
const VECTORS: i64 = 2;
/// The terms of one block of the order.
const BLOCK: i64 = 256;

impl Lower<'_, '_> {
    /// A tile by a routine of the host; without one, one block of terms in panels, a deeper sum element by element.
    pub fn tile(&mut self, tile: &TileProduct) {
        if self.tile_by_routine(tile) {
            return;
        }
        self.wide.leave_loop();
        if !self.options.simd {
            return self.tile_by_elements(tile);
        }
        let depth = self.scalar(tile.depth);
        let shallow = self.b.ins().icmp_imm_s(IntCC::SignedLessThanOrEqual, depth, BLOCK);
        let deep = self.b.ins().bxor_imm_u(shallow, 1);
        self.when(shallow, |s| s.tile_by_panels(tile));
        self.when(deep, |s| s.tile_by_elements(tile));
    }

    fn tile_by_panels(&mut self, tile: &TileProduct) {
        let operands = self.tile_operands(tile);
        let [rows, columns] = tile.size.map(|value| self.scalar(value));
        let zero = self.zero(Type::I64);
        let at_least = |s: &mut Self, value: Value| s.scalar_binary(Binary::Max, Type::I64, value, zero);
        let (rows, columns) = (at_least(self, rows), at_least(self, columns));
        let whole = |s: &mut Self, value: Value, size: i64| s.b.ins().band_imm_s(value, -size);
        let of_rows = whole(self, rows, ROWS);
        let (of_panels, of_vectors) = (whole(self, columns, VECTORS * LANES), whole(self, columns, LANES));
        let columns_of = |s: &mut Self, row: Value, count: i64| {
            s.counted(zero, of_panels, VECTORS * LANES, |s, column| {
                s.tile_panel(operands, (row, count), (column, VECTORS));
            });
            s.counted(of_panels, of_vectors, LANES, |s, column| {
                s.tile_panel(operands, (row, count), (column, 1));
            });
            s.counted(of_vectors, columns, 1, |s, column| s.tile_panel(operands, (row, count), (column, 0)));
        };
        self.counted(zero, of_rows, ROWS, |s, row| columns_of(s, row, ROWS));
        self.counted(of_rows, rows, 1, |s, row| columns_of(s, row, 1));
    }

    /// So many rows of so many vectors, or of one element where there are none; an accumulator for each.
    fn tile_panel(&mut self, operands: Operands, (row, rows): (Value, i64), (column, vectors): (Value, i64)) {
        let Operands { ty, left, right, into, strides, origin, depth, tile_stride, tile_start } = operands;
        let packed = vectors > 0;
        let across = vectors.max(1);
        let accumulator = Accumulator { op: ReduceOp::Sum, ty, packed };
        let size = ty.size() as i64;
        let first_row = self.b.ins().iadd(origin[0], row);
        let first_column = self.b.ins().iadd(origin[1], column);
        let mut shapes = vec![(Type::I64, false)];
        shapes.extend((0..rows * across).map(|_| (ty, packed)));
        let (head, forms) = self.block_with(&shapes);
        let (inside, after) = (self.b.create_block(), self.b.create_block());
        let mut start = vec![Form::Scalar(self.zero(Type::I64))];
        start.extend((0..rows * across).map(|_| self.identity(accumulator)));
        self.jump(head, &shapes, &start);

        self.b.switch_to_block(head);
        let k = self.scalar_of(forms[0]);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, k, depth);
        self.b.ins().brif(more, inside, &[], after, &[]);

        self.b.switch_to_block(inside);
        let element =
            |s: &mut Self, pointer: Value, stride: Value, first: Value, offset: i64, packed: bool| {
                let start = s.b.ins().imul(k, stride);
                let start = s.b.ins().iadd(start, first);
                let index = s.add_constant(start, offset);
                let place = s.place_in(pointer, index, size, 0);
                match packed {
                    true => s.load_lanes(ty, place),
                    false => Form::Scalar(s.load_scalar(ty, place)),
                }
            };
        let lefts: Vec<Form> =
            (0..rows).map(|r| element(self, left, strides[0], first_row, r, false)).collect();
        let rights: Vec<Form> =
            (0..across).map(|v| element(self, right, strides[1], first_column, v * LANES, packed)).collect();
        let next = self.add_constant(k, 1);
        let mut sums = vec![Form::Scalar(next)];
        for (r, &a) in lefts.iter().enumerate() {
            for (v, &b) in rights.iter().enumerate() {
                let before = forms[1 + r * across as usize + v];
                sums.push(self.fma(ty, a, b, before));
            }
        }
        self.jump(head, &shapes, &sums);

        self.b.switch_to_block(after);
        for r in 0..rows {
            let row = self.add_constant(row, r);
            let row_start = self.b.ins().imul(row, tile_stride);
            let start = self.b.ins().iadd(tile_start, row_start);
            let start = self.b.ins().iadd(start, column);
            for v in 0..across {
                let index = self.add_constant(start, v * LANES);
                let place = self.place_in(into, index, size, 0);
                let result = forms[(1 + r * across + v) as usize];
                match packed {
                    true => self.store_lanes(ty, result, place),
                    false => {
                        let value = self.scalar_of(result);
                        self.store_scalar(value, place);
                    }
                }
            }
        }
    }

    fn tile_operands(&mut self, tile: &TileProduct) -> Operands {
        let pointer = |s: &Self, buffer: BufferId| s.pointers[buffer.index()];
        Operands {
            ty: self.kernel.buffers[tile.into].ty,
            left: pointer(self, tile.left),
            right: pointer(self, tile.right),
            into: pointer(self, tile.into),
            strides: tile.strides.map(|value| self.scalar(value)),
            origin: tile.origin.map(|value| self.scalar(value)),
            depth: self.scalar(tile.depth),
            tile_stride: self.scalar(tile.tile_stride),
            tile_start: self.scalar(tile.tile_start),
        }
    }

    /// Row after row; the elements of a row four at a time, then one by one.
    fn tile_by_elements(&mut self, tile: &TileProduct) {
        let operands = self.tile_operands(tile);
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
