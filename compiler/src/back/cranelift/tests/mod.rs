//! What machine code computes, against plain Rust.

mod expanded;
mod loops;
mod operations;
mod products;
mod programs;
mod random;
mod reductions;
mod stored;
mod text;
#[cfg(target_arch = "x86_64")]
mod wide;

use super::{Isa, JitError, JitKernel, JitOptions};
use crate::interp::kernel::{self as interp, Cells};
use crate::kernel::build::KernelBuilder;
use crate::kernel::*;
use crate::valid::kernel::validate;

/// Bytes before and after each buffer that no kernel may change.
const MARGIN: usize = 64;
const CANARY: u8 = 0xa5;

/// A buffer's content: the bits of each element.
#[derive(Clone, Debug)]
struct Array {
    ty: Type,
    elements: Vec<u64>,
}

impl Array {
    fn new(ty: Type, elements: Vec<u64>) -> Self {
        Self { ty, elements }
    }

    fn f32(values: impl IntoIterator<Item = f32>) -> Self {
        Self::new(Type::F32, values.into_iter().map(|value| u64::from(value.to_bits())).collect())
    }

    fn f64(values: impl IntoIterator<Item = f64>) -> Self {
        Self::new(Type::F64, values.into_iter().map(f64::to_bits).collect())
    }

    fn i64(values: impl IntoIterator<Item = i64>) -> Self {
        Self::new(Type::I64, values.into_iter().map(|value| value as u64).collect())
    }

    fn bool(values: impl IntoIterator<Item = bool>) -> Self {
        Self::new(Type::Bool, values.into_iter().map(u64::from).collect())
    }

    fn zeros(ty: Type, count: usize) -> Self {
        Self::new(ty, vec![0; count])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![CANARY; MARGIN];
        for element in &self.elements {
            bytes.extend(&element.to_le_bytes()[..self.ty.size()]);
        }
        bytes.extend([CANARY; MARGIN]);
        bytes
    }

    fn from_bytes(ty: Type, bytes: &[u8]) -> Self {
        let inside = &bytes[MARGIN..bytes.len() - MARGIN];
        let margins = bytes[..MARGIN].iter().chain(&bytes[bytes.len() - MARGIN..]);
        assert!(margins.into_iter().all(|&byte| byte == CANARY), "a write out of range");
        let element = |chunk: &[u8]| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        };
        Self::new(ty, inside.chunks(ty.size()).map(element).collect())
    }
}

impl Cells for Array {
    fn ty(&self) -> Type {
        self.ty
    }

    fn length(&self) -> usize {
        self.elements.len()
    }

    fn load(&self, index: usize) -> Option<u64> {
        self.elements.get(index).copied()
    }

    fn store(&mut self, index: usize, bits: u64) -> Option<()> {
        *self.elements.get_mut(index)? = bits;
        Some(())
    }
}

/// Whether two elements are the same bits, or both a NaN.
fn same(ty: Type, a: u64, b: u64) -> bool {
    let is_nan = |bits: u64| match ty {
        Type::F32 => f32::from_bits(bits as u32).is_nan(),
        Type::F64 => f64::from_bits(bits).is_nan(),
        Type::I32 | Type::I64 | Type::Bool => false,
    };
    a == b || (is_nan(a) && is_nan(b))
}

#[track_caller]
fn assert_same(what: &str, found: &Array, expected: &Array) {
    assert_eq!(found.elements.len(), expected.elements.len(), "{what}");
    for (index, (&a, &b)) in found.elements.iter().zip(&expected.elements).enumerate() {
        assert!(same(found.ty, a, b), "{what}: element {index} is {a:#x}, not {b:#x}");
    }
}

/// All ways to compile: with and without vectors, for this machine and for the oldest one.
fn variants() -> Vec<(&'static str, Isa, JitOptions)> {
    let options = JitOptions { verify: true, ..JitOptions::default() };
    let scalar = JitOptions { simd: false, ..options };
    let mut variants = vec![
        ("host", Isa::host().unwrap(), options),
        ("host, other gathers", Isa::host().unwrap().with_other_gathers(), options),
        ("host, scalar", Isa::host().unwrap(), scalar),
        ("host, once", Isa::host().unwrap(), JitOptions { unroll: 1, ..options }),
        ("host, 128 bits", Isa::host().unwrap(), JitOptions { wide: false, ..options }),
        ("host, four times", Isa::host().unwrap(), JitOptions { unroll: 4, ..options }),
    ];
    if let Ok(baseline) = Isa::baseline()
        && baseline.runs_here()
    {
        variants.push(("baseline", baseline.clone(), options));
        variants.push(("baseline, scalar", baseline, scalar));
    }
    variants
}

/// Compiles and runs a kernel over blocks `0 .. blocks`; the buffers afterwards.
fn run_with(
    kernel: &Kernel,
    (isa, options): (&Isa, &JitOptions),
    arrays: &[Array],
    scalars: &[u64],
    blocks: u64,
) -> Vec<Array> {
    let code = compile(kernel, isa, options).unwrap_or_else(|error| panic!("{error}"));
    assert!(code.code_size() > 0);
    assert_eq!(kernel.buffers.len(), arrays.len());
    let mut memory: Vec<Vec<u8>> = arrays.iter().map(Array::bytes).collect();
    let pointers: Vec<*mut u8> = memory.iter_mut().map(|bytes| bytes[MARGIN..].as_mut_ptr()).collect();
    // SAFETY: one pointer a buffer and one slot a scalar; the tests keep their indices in range.
    unsafe { code.call(pointers.as_ptr(), scalars.as_ptr(), 0, blocks) };
    arrays.iter().zip(&memory).map(|(array, bytes)| Array::from_bytes(array.ty, bytes)).collect()
}

/// Validates and compiles.
#[track_caller]
fn compile(kernel: &Kernel, isa: &Isa, options: &JitOptions) -> Result<JitKernel, JitError> {
    let info = validate(kernel).unwrap_or_else(|errors| panic!("{}: {errors:#?}", kernel.name));
    super::compile(kernel, &info, isa, options)
}

/// What the interpreter makes of the buffers.
fn interpret(kernel: &Kernel, arrays: &[Array], scalars: &[u64], blocks: u64) -> Vec<Array> {
    let mut arrays = arrays.to_vec();
    let mut memory: Vec<&mut Array> = arrays.iter_mut().collect();
    interp::run(kernel, &mut memory, scalars, 0..blocks).unwrap_or_else(|fault| panic!("{fault}"));
    arrays
}

/// Runs a kernel in all ways; buffer `buffer` must be `expected` each time.
#[track_caller]
fn expect(kernel: &Kernel, arrays: &[Array], scalars: &[u64], buffer: usize, expected: &Array) {
    let found = interpret(kernel, arrays, scalars, 1);
    assert_same(&format!("{} (interpreter)", kernel.name), &found[buffer], expected);
    for (variant, isa, options) in variants() {
        let found = run_with(kernel, (&isa, &options), arrays, scalars, 1);
        assert_same(&format!("{} ({variant})", kernel.name), &found[buffer], expected);
    }
}

/// A kernel that is being written, of one block.
fn builder(name: &str) -> KernelBuilder {
    KernelBuilder::new(
        name,
        Space { kind: SpaceKind::Single, items: vec![Extent::Constant(1)], per_block: 1 },
    )
}

fn declare(b: &mut KernelBuilder, name: &str, ty: Type, access: Access) -> BufferId {
    b.buffer(Buffer {
        name: name.to_owned(),
        ty,
        access,
        kind: BufferKind::Scratch,
        shape: vec![Extent::Constant(1 << 20)],
    })
}

/// A sequence that looks random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mixed = self.0 ^ (self.0 >> 29);
        mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (mixed >> 32)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Elements with all special values of a type among them.
fn samples(ty: Type, count: usize, seed: u64) -> Array {
    let mut numbers = Numbers(seed);
    let special: Vec<u64> = match ty {
        Type::F32 => [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            1.5,
            2.5,
            -2.5,
            1e-40,
            -1e-40,
            f32::MAX,
            f32::MIN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            2147483648.0,
            -2147483648.0,
            2147483520.0,
            8388609.0,
            1e19,
            -0.25,
        ]
        .map(|value: f32| u64::from(value.to_bits()))
        .to_vec(),
        Type::F64 => [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            1.5,
            2.5,
            -2.5,
            1e-310,
            -1e-310,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            2147483648.0,
            -2147483649.0,
            9223372036854775808.0,
            -1e19,
            1e-46,
            16777217.0,
            1.0000000596046448,
        ]
        .map(f64::to_bits)
        .to_vec(),
        Type::I32 => {
            [0, 1, 2, 31, 32, 33, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0x8000_0001, 16777217].to_vec()
        }
        Type::I64 => [
            0,
            1,
            2,
            31,
            32,
            33,
            63,
            64,
            65,
            u64::MAX,
            1 << 63,
            (1 << 63) - 1,
            0xffff_ffff,
            0x8000_0000,
            9007199254740993,
            (1 << 63) + 1,
            16777217,
        ]
        .to_vec(),
        Type::Bool => vec![0, 1],
    };
    let element = |_| {
        let random = numbers.next();
        if numbers.below(3) == 0 {
            return special[numbers.below(special.len())];
        }
        match ty {
            Type::F32 if random & 1 == 0 => u64::from((random as i32 as f32 * 1e-9).to_bits()),
            Type::F64 if random & 1 == 0 => (random as i64 as f64 * 1e-18).to_bits(),
            Type::F32 | Type::I32 => random >> 32,
            Type::F64 | Type::I64 => random,
            Type::Bool => random & 1,
        }
    };
    Array::new(ty, (0..count).map(element).collect())
}

#[test]
fn freed_kernels_leave_nothing() {
    let isa = Isa::host().unwrap();
    let mut b = builder("small");
    let out = declare(&mut b, "out", Type::F32, Access::Write);
    b.blocks(|b, block| {
        let one = b.real(Type::F32, 1.0);
        b.store(out, block, one, None);
    });
    let kernel = b.finish();
    let options = JitOptions { verify: false, ..JitOptions::default() };
    for _ in 0..2000 {
        let code = compile(&kernel, &isa, &options).unwrap();
        let other = code.clone();
        drop(code);
        let mut value = [0.0f32; 3];
        let pointers = [value.as_mut_ptr().cast::<u8>()];
        // SAFETY: one buffer of three elements, blocks 1 and 2 of it.
        unsafe { other.call(pointers.as_ptr(), std::ptr::null(), 1, 3) };
        assert_eq!(value, [0.0, 1.0, 1.0]);
        assert_eq!(other.name(), "small");
    }
}

#[test]
fn handles_are_sent_and_shared() {
    fn check<T: Send + Sync + Clone>() {}
    check::<JitKernel>();
    check::<Isa>();
}
