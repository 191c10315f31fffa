//! Precompiled code for compiled kernels, in the widest vectors that the processor has.

use aplysia_compiler::back::cranelift::Routines;
use aplysia_native::{Real, tile};

/// All that there is.
pub(crate) fn routines() -> Routines {
    Routines { tile_f32: Some(tile_of::<f32>), tile_f64: Some(tile_of::<f64>) }
}

/// A tile of a product; see `TileRoutine`.
///
/// # Safety
/// The pointers are those of the arrays of a tile product of this type, valid for all that it reads and writes; nobody else
/// touches what it writes.
unsafe extern "C" fn tile_of<T: Real>(
    left: *const u8,
    right: *const u8,
    into: *mut u8,
    numbers: *const [i64; 9],
) {
    // SAFETY: the kernel has stored nine numbers there.
    let [left_stride, right_stride, row, column, rows, columns, depth, stride, start] = unsafe { *numbers };
    if rows <= 0 || columns <= 0 {
        return;
    }
    let factor = |stride: i64, first: i64, width: i64| match depth {
        1.. => ((depth - 1) * stride + first + width) as usize,
        _ => 0,
    };
    let (lefts, rights) = (factor(left_stride, row, rows), factor(right_stride, column, columns));
    let length = ((rows - 1) * stride + columns) as usize;
    // SAFETY: the terms of a factor end where its last one does, and the tile goes from its first to its last element; the
    // kernel's author guarantees that these lie in its arrays, and that the tile is the caller's own.
    let (left, right, into) = unsafe {
        (
            std::slice::from_raw_parts(left.cast::<T>(), lefts),
            std::slice::from_raw_parts(right.cast::<T>(), rights),
            std::slice::from_raw_parts_mut(into.cast::<T>().add(start as usize), length),
        )
    };
    tile(left, right, into, [left_stride, right_stride], [row, column], [rows, columns], depth, [stride, 0]);
}
