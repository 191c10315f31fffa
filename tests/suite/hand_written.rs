//! The kernels of `tests/in/kernel`, which use what no rule is lowered to yet: the interpreter and machine code leave the
//! same bits in every buffer.
//!
//! The memory is made up: every length is three, lists hold small indices, floats are uneven. The interpreter, which
//! checks every access, goes first, and machine code runs only what it has passed.

use std::path::Path;

use aplysia_compiler::back::cranelift::{Isa, JitOptions, compile};
use aplysia_compiler::interp::kernel::{Array, run};
use aplysia_compiler::kernel::expand::expand;
use aplysia_compiler::kernel::parse::parse;
use aplysia_compiler::kernel::{BufferKind, Extent, Kernel, Type};
use aplysia_compiler::valid::kernel::validate;
use libtest_mimic::{Failed, Trial};

use crate::machine::script::Numbers;
use crate::{files, read, stem};

/// How long every axis is, and how many blocks run.
const LENGTH: u64 = 3;

/// One trial a kernel.
pub fn trials() -> Vec<Trial> {
    let kernels = files("tests/in/kernel", &["kernel"]);
    kernels
        .into_iter()
        .map(|path| Trial::test(format!("hand_written::{}", stem(&path)), move || check(&path)))
        .collect()
}

fn check(path: &Path) -> Result<(), Failed> {
    let kernel = expand(&parse(&read(path)).map_err(|error| error.to_string())?);
    let info = validate(&kernel).map_err(|errors| errors.join("\n"))?;
    let mut numbers = Numbers::new(7);
    let scalars: Vec<u64> =
        kernel.scalars.iter().map(|(_, scalar)| scalar_bits(scalar.ty, &scalar.name)).collect();
    let before: Vec<Array> = kernel
        .buffers
        .iter()
        .map(|(_, buffer)| array(&mut numbers, buffer.ty, buffer.kind, length(&buffer.shape, &scalars)))
        .collect();
    // Blocks divide the first axis; further ones are loops inside.
    let items = kernel.space.items.first().map_or(1, |extent| size(*extent, &scalars));
    let blocks = items.div_ceil(u64::from(kernel.space.per_block));

    let mut interpreted = before.clone();
    let mut references: Vec<&mut Array> = interpreted.iter_mut().collect();
    run(&kernel, &mut references, &scalars, 0..blocks).map_err(|fault| fault.to_string())?;
    if interpreted == before {
        return Err("the kernel changed nothing".into());
    }
    let isa = Isa::host().map_err(|error| error.to_string())?;
    for simd in [false, true] {
        let options = JitOptions { simd, ..JitOptions::default() };
        let code = compile(&kernel, &info, &isa, &options).map_err(|error| error.to_string())?;
        let mut compiled = before.clone();
        let pointers: Vec<*mut u8> = compiled.iter_mut().map(pointer).collect();
        // SAFETY: there is a pointer for each buffer and a slot for each scalar, and the interpreter has found every
        // access of these very blocks, with these very scalars and contents, inside its buffer. Nobody else runs.
        unsafe { code.call(pointers.as_ptr(), scalars.as_ptr(), 0, blocks) };
        compare(&kernel, &interpreted, &compiled)?;
    }
    Ok(())
}

fn scalar_bits(ty: Type, name: &str) -> u64 {
    match ty {
        Type::F32 => u64::from(0.75f32.to_bits()),
        Type::F64 => 0.75f64.to_bits(),
        Type::I32 | Type::I64 if name == "head" => 1,
        // A list of boundaries is longer than there are neurons, and a line longer than what a window leaves of it.
        Type::I32 | Type::I64 if name == "n_bounds" || name == "pre_length" => LENGTH + 2,
        Type::I32 | Type::I64 => LENGTH,
        Type::Bool => 1,
    }
}

fn size(extent: Extent, scalars: &[u64]) -> u64 {
    match extent {
        Extent::Constant(length) => length,
        Extent::Scalar(scalar) => scalars[scalar.index()],
    }
}

fn length(shape: &[Extent], scalars: &[u64]) -> usize {
    shape.iter().map(|extent| size(*extent, scalars)).product::<u64>() as usize
}

fn array(numbers: &mut Numbers, ty: Type, kind: BufferKind, length: usize) -> Array {
    match ty {
        Type::F32 => Array::F32((0..length).map(|_| numbers.unit() as f32 - 0.25).collect()),
        Type::F64 => Array::F64((0..length).map(|_| numbers.unit() - 0.25).collect()),
        Type::I32 => Array::I32((0..length as i32).map(|k| k.min(LENGTH as i32 - 1)).collect()),
        Type::I64 => Array::I64(vec![i64::from(kind != BufferKind::Marks) - 1; length]),
        Type::Bool => Array::Bool((0..length).map(|k| u8::from(k % 3 != 1)).collect()),
    }
}

fn pointer(array: &mut Array) -> *mut u8 {
    match array {
        Array::F32(cells) => cells.as_mut_ptr().cast(),
        Array::F64(cells) => cells.as_mut_ptr().cast(),
        Array::I32(cells) => cells.as_mut_ptr().cast(),
        Array::I64(cells) => cells.as_mut_ptr().cast(),
        Array::Bool(cells) => cells.as_mut_ptr(),
    }
}

/// Any NaN equals any NaN; -0 differs from +0.
fn bits(array: &Array) -> Vec<u64> {
    match array {
        Array::F32(cells) => {
            cells.iter().map(|cell| if cell.is_nan() { u64::MAX } else { cell.to_bits().into() }).collect()
        }
        Array::F64(cells) => {
            cells.iter().map(|cell| if cell.is_nan() { u64::MAX } else { cell.to_bits() }).collect()
        }
        Array::I32(cells) => cells.iter().map(|&cell| cell as u64).collect(),
        Array::I64(cells) => cells.iter().map(|&cell| cell as u64).collect(),
        Array::Bool(cells) => cells.iter().map(|&cell| cell.into()).collect(),
    }
}

fn compare(kernel: &Kernel, expected: &[Array], found: &[Array]) -> Result<(), Failed> {
    for ((_, buffer), (expected, found)) in kernel.buffers.iter().zip(expected.iter().zip(found)) {
        if bits(expected) != bits(found) {
            return Err(format!("buffer `{}`: {found:?}, not {expected:?}", buffer.name).into());
        }
    }
    Ok(())
}
