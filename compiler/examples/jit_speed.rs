//! How fast a compiled row update is, next to the same loop in Rust: nanoseconds an element over 16 MiB.
//!
//! `cargo run --release -p aplysia-compiler --features cranelift --example jit_speed`

use std::hint::black_box;
use std::time::Instant;

use aplysia_compiler::back::cranelift::{Isa, JitOptions, compile};
use aplysia_compiler::kernel::build::KernelBuilder;
use aplysia_compiler::kernel::{
    Access, Binary, Buffer, BufferKind, Extent, Kernel, RowSet, Side, Space, SpaceKind, Type, Unary,
};
use aplysia_compiler::valid::kernel::validate;

const COLUMNS: usize = 4096;
const ROWS: usize = 1024;
const REPEATS: usize = 25;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kernel = update();
    let info = validate(&kernel).map_err(|errors| errors.join("\n"))?;
    let isa = Isa::host()?;
    let trace: Vec<f32> = (0..COLUMNS).map(|k| k as f32 / COLUMNS as f32).collect();
    let spiked: Vec<u8> = (0..COLUMNS).map(|k| u8::from(k % 50 == 0)).collect();
    let start: Vec<f32> = (0..ROWS * COLUMNS).map(|k| (k % 977) as f32 / 977.0).collect();

    let mut expected = start.clone();
    let rust =
        time(|| rows(black_box(&mut expected), black_box(&trace), black_box(&spiked), black_box(0.01)));
    println!("Rust                 {rust:6.3} ns/element");
    for (name, simd, unroll, wide) in [
        ("scalar", false, 1, false),
        ("vectors", true, 1, false),
        ("2 vectors", true, 2, false),
        ("4 vectors", true, 4, false),
        ("256 bits", true, 1, true),
    ] {
        let code = compile(&kernel, &info, &isa, &JitOptions { simd, unroll, wide, verify: false })?;
        let mut weights = start.clone();
        let pointers =
            [weights.as_mut_ptr().cast::<u8>(), trace.as_ptr().cast_mut().cast(), spiked.as_ptr().cast_mut()];
        let scalars = [COLUMNS as u64, u64::from(0.01f32.to_bits())];
        let nanoseconds = time(|| {
            // SAFETY: the buffers have the lengths that the kernel's loops run over; only `weights` is written.
            unsafe { code.call(pointers.as_ptr(), scalars.as_ptr(), 0, ROWS as u64) }
        });
        let equal = weights.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
        println!(
            "{name:20} {nanoseconds:6.3} ns/element, {} bytes, {}",
            code.code_size(),
            if equal { "same bits" } else { "OTHER BITS" }
        );
    }
    Ok(())
}

/// The best of several runs, as nanoseconds an element: other load only adds to it.
fn time(mut work: impl FnMut()) -> f64 {
    (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e9 / (ROWS * COLUMNS) as f64
        })
        .fold(f64::INFINITY, f64::min)
}

/// What the kernel computes, in Rust.
fn rows(weights: &mut [f32], trace: &[f32], spiked: &[u8], rate: f32) {
    for row in weights.chunks_exact_mut(COLUMNS) {
        for ((w, &x), &spike) in row.iter_mut().zip(trace).zip(spiked) {
            let change = rate * x;
            let sum = *w + if spike != 0 { change } else { -change };
            let raised = if 0.0 > sum { 0.0 } else { sum };
            *w = if 1.0 < raised { 1.0 } else { raised };
        }
    }
}

/// `w = clamp(w + select(spiked, rate · trace, -rate · trace), 0, 1)` for each row.
fn update() -> Kernel {
    let space = Space {
        kind: SpaceKind::Rows(RowSet::All),
        items: vec![Extent::Constant(ROWS as u64)],
        per_block: 1,
    };
    let mut b = KernelBuilder::new("update", space);
    let buffer = |b: &mut KernelBuilder, name: &str, ty, access, kind| {
        b.buffer(Buffer {
            name: name.to_owned(),
            ty,
            access,
            kind,
            shape: vec![Extent::Constant(COLUMNS as u64)],
        })
    };
    let weights = buffer(&mut b, "w", Type::F32, Access::ReadWrite, BufferKind::Synapse);
    let trace = buffer(&mut b, "trace", Type::F32, Access::Read, BufferKind::Neuron(Side::Post));
    let spiked = buffer(&mut b, "spiked", Type::Bool, Access::Read, BufferKind::EventBitmap(Side::Post));
    let columns = b.add_scalar("columns", Type::I64);
    let rate = b.add_scalar("rate", Type::F32);
    b.blocks(|b, row| {
        let (zero, columns, rate) = (b.int(0), b.scalar(columns), b.scalar(rate));
        let first = b.mul(row, columns);
        b.lanes(zero, columns, |b, column| {
            let place = b.add(first, column);
            let before = b.load(weights, place);
            let x = b.load(trace, column);
            let spike = b.load(spiked, column);
            let up = b.mul(rate, x);
            let down = b.unary(Unary::Negate, up);
            let change = b.select(spike, up, down);
            let sum = b.add(before, change);
            let (low, high) = (b.real(Type::F32, 0.0), b.real(Type::F32, 1.0));
            let raised = b.binary(Binary::Max, sum, low);
            let clamped = b.binary(Binary::Min, raised, high);
            b.store(weights, place, clamped, None);
        });
    });
    b.finish()
}
