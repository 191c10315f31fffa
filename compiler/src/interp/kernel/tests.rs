//! Kernels that are written by hand, run and compared with plain Rust.

use super::*;
use crate::kernel::parse::parse;
use crate::kernel::print::print;
use crate::valid::kernel::validate;

mod hand;
mod operations;

/// The kernel of a text that is valid and that printing and parsing keep.
fn kernel(text: &str) -> Kernel {
    let kernel = parse(text).expect("a text that parses");
    if let Err(errors) = validate(&kernel) {
        panic!("{}:\n{}", kernel.name, errors.join("\n"));
    }
    assert_eq!(print(&kernel), text, "texts that are written by hand are written as they are printed");
    kernel
}

/// Runs all blocks of a kernel.
fn launch(kernel: &Kernel, memory: &mut [Array], scalars: &[u64], blocks: u64) -> Result<Counters, Fault> {
    let mut references: Vec<&mut Array> = memory.iter_mut().collect();
    run(kernel, &mut references, scalars, 0..blocks)
}

fn single(value: f32) -> u64 {
    u64::from(value.to_bits())
}

fn singles(array: &Array) -> &[f32] {
    match array {
        Array::F32(cells) => cells,
        Array::F64(_) | Array::I32(_) | Array::I64(_) | Array::Bool(_) => panic!("no f32 array: {array:?}"),
    }
}

/// Numbers that are not round, so that a wrong order shows.
fn uneven(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed | 1;
    let mut number = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32 - 0.4) * (1 << (state % 12)) as f32
    };
    (0..count).map(|_| number()).collect()
}
