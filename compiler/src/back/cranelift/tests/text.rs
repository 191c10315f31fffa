//! The texts of the stages, and errors.

use super::*;

fn clif(kernel: &Kernel, isa: &Isa, options: &JitOptions) -> Result<String, JitError> {
    super::super::clif(kernel, &validate(kernel).unwrap(), isa, options)
}

fn assembly(kernel: &Kernel, isa: &Isa, options: &JitOptions) -> Result<String, JitError> {
    super::super::assembly(kernel, &validate(kernel).unwrap(), isa, options)
}

fn update() -> Kernel {
    let mut b = builder("update");
    let w = declare(&mut b, "w", Type::F32, Access::ReadWrite);
    let count = b.add_scalar("count", Type::I64);
    b.blocks(|b, block| {
        let count = b.scalar(count);
        let start = b.mul(block, count);
        let end = b.add(start, count);
        b.lanes(start, end, |b, index| {
            let before = b.load(w, index);
            let factor = b.real(Type::F32, 0.5);
            let low = b.real(Type::F32, 0.25);
            let product = b.mul(before, factor);
            let clamped = b.binary(Binary::Max, product, low);
            b.store(w, index, clamped, None);
        });
    });
    b.finish()
}

#[test]
fn texts_are_the_same_each_time() {
    let Ok(isa) = Isa::baseline() else { return };
    let kernel = update();
    let options = JitOptions::default();
    let (first, code) = (clif(&kernel, &isa, &options).unwrap(), assembly(&kernel, &isa, &options).unwrap());
    for _ in 0..5 {
        assert_eq!(clif(&kernel, &isa, &options).unwrap(), first);
        assert_eq!(assembly(&kernel, &isa, &options).unwrap(), code);
    }
    assert!(first.starts_with("function %update("), "{first}");
    // Two vectors an iteration, then single elements; a maximum is one instruction.
    assert_eq!(first.matches("load.f32x4").count(), 2, "{first}");
    assert_eq!((code.matches("maxps").count(), code.matches("maxss").count()), (2, 1), "{code}");
    assert!(!code.contains("blendv") && !code.contains("cmpps"), "{code}");
    let scalar = clif(&kernel, &isa, &JitOptions { simd: false, ..options }).unwrap();
    assert!(!scalar.contains("load.f32x4"), "{scalar}");
}

#[test]
fn constants_are_made_outside_the_vector_loop() {
    let Ok(isa) = Isa::baseline() else { return };
    let code = assembly(&update(), &isa, &JitOptions::default()).unwrap();
    // The loop is the block with the vector multiplications; it must hold no shuffle that makes a splat.
    let vector_loop = code.split("block").find(|block| block.contains("mulps")).unwrap();
    assert!(!vector_loop.contains("shufps") && !vector_loop.contains("pshufd"), "{code}");
}

#[test]
fn unexpanded_kernels_are_refused() {
    let mut b = builder("raw");
    let out = declare(&mut b, "out", Type::F32, Access::Write);
    b.blocks(|b, block| {
        let (x, y) = (b.real(Type::F32, 1.0), b.real(Type::F32, 2.0));
        let value = b.binary(Binary::Remainder, x, y);
        b.store(out, block, value, None);
    });
    let kernel = b.finish();
    let result = compile(&kernel, &Isa::host().unwrap(), &JitOptions::default());
    assert_eq!(result.unwrap_err(), JitError::NotExpanded("raw".to_owned()));
}

#[test]
fn a_malformed_kernel_is_an_error_and_not_a_crash() {
    let mut b = builder("malformed");
    let out = declare(&mut b, "out", Type::F32, Access::Write);
    let nowhere = b.defined(Type::F32);
    b.blocks(|b, block| b.store(out, block, nowhere, None));
    let info = validate(&update()).unwrap();
    let result = super::super::compile(&b.finish(), &info, &Isa::host().unwrap(), &JitOptions::default());
    assert!(matches!(result, Err(JitError::Internal { kernel, .. }) if kernel == "malformed"));
}

#[test]
fn words_of_a_product_stay_in_vectors() {
    let Ok(isa) = Isa::baseline() else { return };
    let mut b = builder("mix");
    let out = declare(&mut b, "out", Type::I32, Access::Write);
    let count = b.add_scalar("count", Type::I64);
    b.blocks(|b, block| {
        let count = b.scalar(count);
        b.lanes(block, count, |b, index| {
            // A counter from the index, and a round of multiplications as a generator of random numbers has it.
            let counter = b.convert(Conversion::Value, Type::I32, index);
            let key = b.word(0xd251_1f53);
            let (high, low) = (b.binary(Binary::MultiplyHigh, counter, key), b.mul(counter, key));
            let mixed = b.binary(Binary::Xor, high, low);
            let eight = b.word(8);
            let shifted = b.binary(Binary::ShiftRight, mixed, eight);
            b.store(out, index, shifted, None);
        });
    });
    let code = assembly(&b.finish(), &isa, &JitOptions::default()).unwrap();
    let vector_loop: Vec<&str> = code.split("block").filter(|block| block.contains("pmuludq")).collect();
    assert_eq!(vector_loop.len(), 1, "{code}");
    assert_eq!(vector_loop[0].matches("pmuludq").count(), 4, "{code}");
    assert!(!vector_loop[0].contains("pextr") && !vector_loop[0].contains("pinsr"), "{code}");
}
