//! Precompiled code for compiled kernels, in the widest vectors that the processor has: that of `aplysia-native`.

use aplysia_compiler::back::cranelift::{FillRoutines, FunctionRoutine, Routines};
use aplysia_compiler::ice;
use aplysia_compiler::kernel::{MathFn, Precision};
use aplysia_native::{Draws, Real, fetch, normals, tile, words};

/// All that there is.
pub(crate) fn routines() -> Routines {
    let fill =
        FillRoutines { words: draw::<i32>, normals_f32: draw::<f32>, normals_f64: draw::<f64>, function };
    Routines {
        fill: Some(fill),
        fetch: Some(fetch_bytes),
        tile_f32: Some(tile_of::<f32>),
        tile_f64: Some(tile_of::<f64>),
    }
}

/// What a strip of draws is made of.
trait Drawn: Sized {
    fn draw(into: &mut [Self], count: i64, draws: Draws);
}

impl Drawn for i32 {
    fn draw(into: &mut [Self], count: i64, draws: Draws) {
        words(into, 0, count, draws);
    }
}

impl Drawn for f32 {
    fn draw(into: &mut [Self], count: i64, draws: Draws) {
        normals(into, 0, count, draws);
    }
}

impl Drawn for f64 {
    fn draw(into: &mut [Self], count: i64, draws: Draws) {
        normals(into, 0, count, draws);
    }
}

/// A strip of draws; see `DrawRoutine`.
///
/// # Safety
/// So many elements of this type lie at the pointer, and nobody else touches them.
unsafe extern "C" fn draw<T: Drawn>(into: *mut u8, count: i64, address: *const [i64; 7]) {
    // SAFETY: the kernel has stored seven numbers there, and the elements are its own.
    let ([site, attempt, run, step, seed, row, column], into) =
        unsafe { (*address, strip::<T>(into, count)) };
    let [site, attempt, run] = [site, attempt, run].map(|number| number as i32);
    T::draw(into, count, Draws { site, attempt, run, step, seed, row, column });
}

/// A strip of elements.
///
/// # Safety
/// So many elements of this type lie at the pointer, and nobody else touches them.
unsafe fn strip<'a, T>(at: *mut u8, count: i64) -> &'a mut [T] {
    match count {
        // SAFETY: the caller's promise.
        1.. => unsafe { std::slice::from_raw_parts_mut(at.cast::<T>(), count as usize) },
        _ => &mut [],
    }
}

/// Asks for what is read soon; see `FetchRoutine`.
///
/// # Safety
/// So many bytes lie at the pointer.
unsafe extern "C" fn fetch_bytes(at: *const u8, bytes: i64) {
    if bytes > 0 {
        // SAFETY: the caller's promise. Others may read them meanwhile.
        let row = unsafe { std::slice::from_raw_parts(at, bytes as usize) };
        fetch(row, 0, bytes);
    }
}

/// A strip of values of a function; see `FunctionRoutine`.
///
/// # Safety
/// So many elements of this type lie at the pointer, and nobody else touches them.
unsafe extern "C" fn function_of<T: Real, const NUMBER: usize>(values: *mut u8, count: i64) {
    // SAFETY: the caller's promise.
    T::function(const { MathFn::UNARY[NUMBER] }, unsafe { strip(values, count) });
}

fn function(function: MathFn, precision: Precision) -> FunctionRoutine {
    match precision {
        Precision::F32 => of_type::<f32>(function),
        Precision::F64 => of_type::<f64>(function),
    }
}

fn of_type<T: Real>(function: MathFn) -> FunctionRoutine {
    match function {
        MathFn::Exp => function_of::<T, 0>,
        MathFn::Ln => function_of::<T, 1>,
        MathFn::Log2 => function_of::<T, 2>,
        MathFn::Log1p => function_of::<T, 3>,
        MathFn::Expm1 => function_of::<T, 4>,
        MathFn::Sin => function_of::<T, 5>,
        MathFn::Cos => function_of::<T, 6>,
        MathFn::Tanh => function_of::<T, 7>,
        MathFn::Sigmoid => function_of::<T, 8>,
        MathFn::Pow => ice!("a strip has one argument"),
    }
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
