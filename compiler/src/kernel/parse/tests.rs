//! Texts that are wrong, and texts and kernels at random.

use super::*;
use crate::interp::kernel::{Array, Fault, run_limited};
use crate::kernel::print::print;
use crate::valid::kernel::validate;

mod random;

/// Texts that are written by hand.
const TEXTS: [&str; 9] = [
    include_str!("../../../../tests/in/kernel/replayed_rows.kernel"),
    include_str!("../../../../tests/in/kernel/conv_pairs.kernel"),
    include_str!("../../../../tests/in/kernel/batched_tile.kernel"),
    include_str!("../../../../tests/in/kernel/delayed_arrival.kernel"),
    include_str!("../../../../tests/in/kernel/rejection_draw.kernel"),
    include_str!("../../../../tests/in/kernel/ordered_sums.kernel"),
    include_str!("../../../../tests/in/kernel/stored_sums.kernel"),
    include_str!("../../../../tests/in/kernel/inactive_rows.kernel"),
    include_str!("../../../../tests/in/kernel/random_draw.kernel"),
];

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

#[track_caller]
fn rejects(text: &str, message: &str) {
    assert_eq!(parse(text).expect_err("a text that does not parse").to_string(), message);
}

/// The error of statements in the loop over blocks, on line 2.
#[track_caller]
fn rejects_inside(statements: &str, message: &str) {
    rejects(
        &format!("kernel k: single [] by 1 {{ scalar n: i64; for blocks b {{\n{statements}\n}} }}"),
        message,
    );
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    rejects("", "line 1: expected `kernel`, found the end of the text");
    rejects("kernel k: circle [] by 1 { }", "line 1: `circle` is no space");
    rejects("kernel k: rows all [m] by 1 { }", "line 1: no scalar is called `m`");
    rejects(
        "kernel k: single [] by 4294967296 { }",
        "line 1: expected a number in range, found `4294967296`",
    );
    rejects("kernel k: single [] by 1 { scalar s: f16; }", "line 1: expected a type, found `f16`");
    rejects(
        "kernel k: single [] by 1 {\nscalar s: f32;\nscalar s: f32; }",
        "line 3: a scalar has this name already",
    );
    rejects("kernel k: single [] by 1 { } x", "line 1: expected the end of the text, found `x`");
    rejects("kernel k: single [] by 1 { ?", "line 1: '?' means nothing here");
    rejects("kernel \"k", "line 1: the name between quotes does not end on its line");
    rejects_inside(
        "x = y + 1i64;",
        "line 2: expected a value that is defined above, a scalar or a literal, found `y`",
    );
    rejects_inside("b = 1i64;", "line 2: `b` is defined already");
    rejects_inside("n = 1i64;", "line 2: `n` is defined already");
    rejects_inside("x = b;", "line 2: a definition needs an operation");
    rejects_inside("x = 1;", "line 2: expected a number in range with its type, found `1`");
    rejects_inside(
        "x = 3000000000i32;",
        "line 2: expected a number in range with its type, found `3000000000i32`",
    );
    rejects_inside("x = b ? b;", "line 2: '?' means nothing here");
    rejects_inside("x = fma(b, b);", "line 2: no operation `fma` takes 2 operands");
    rejects_inside("x = load w[b];", "line 2: no buffer is called `w`");
    rejects_inside("next b;", "line 3: the loop carries 0 values, and `next` gives 1");
    rejects_inside("give b;", "line 2: `give` does not end this block");
    rejects_inside("if true { give b; }", "line 2: both sides of a branch give equally many values");
    rejects_inside("s = sum lanes32 i below n { }", "line 2: a reduction ends with `term`");
    rejects_inside(
        "s = sum lanes32 i below n of n { term i; }",
        "line 2: an extent needs a place, `term … at …`",
    );
    rejects_inside(
        "s = sum lanes32 i below n { term i at i; }",
        "line 2: `at` needs an extent, `below … of …`",
    );
    rejects_inside(
        "s = sum lanes32 i below n of n { term i if true at i; }",
        "line 2: expected `;`, found `at`",
    );
    rejects_inside("for serial i in n .. n { exit if true; x = b + b; }", "line 2: expected `}`, found `x`");
    let deep = "if true {".repeat(100_000);
    rejects_inside(&deep, "line 2: blocks nest more than 64 deep");
}

#[test]
fn literals_come_back_bit_for_bit() {
    let mut builder =
        build::KernelBuilder::new("literals", Space { kind: SpaceKind::Single, items: vec![], per_block: 1 });
    let name = |ty| Buffer { name: "odd name \"\u{3c3}\"\n".to_string(), ty, ..buffer() };
    let [singles, doubles] = [Type::F32, Type::F64].map(|ty| {
        let suffix = format!("{ty:?}");
        builder.buffer(Buffer { name: name(ty).name + &suffix, ..name(ty) })
    });
    let bits = [
        0,
        1,
        0x8000_0000,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0001,
        0xffa0_0000,
        0x3dcc_cccd,
        0x0080_0000,
        0x7f7f_ffff,
    ];
    builder.blocks(|builder, index| {
        for bits in bits {
            let single = builder.constant(Constant::F32(bits));
            builder.store(singles, index, single, None);
            let double = builder.constant(Constant::F64(u64::from(bits) << 32 | 1));
            builder.store(doubles, index, double, None);
        }
    });
    let kernel = builder.finish();
    let text = print(&kernel);
    assert_eq!(parse(&text).as_ref(), Ok(&kernel), "{text}");
}

fn buffer() -> Buffer {
    let (access, kind) = (Access::Write, BufferKind::EventHistory(Side::Post));
    Buffer { name: String::new(), ty: Type::F32, access, kind, shape: vec![Extent::Constant(u64::MAX)] }
}

#[test]
fn every_space_and_buffer_comes_back() {
    let sides = [Side::Pre, Side::Post];
    let mut spaces = vec![SpaceKind::Single, SpaceKind::Columns, SpaceKind::Synapses, SpaceKind::Pairs];
    spaces.extend([RowSet::All, RowSet::Active, RowSet::Touched].map(SpaceKind::Rows));
    spaces.extend(sides.map(SpaceKind::Neurons).into_iter().chain(sides.map(SpaceKind::Channels)));
    spaces.push(SpaceKind::Tiles);
    let mut kinds = vec![BufferKind::Global, BufferKind::Synapse, BufferKind::Batch, BufferKind::Marks];
    kinds.extend([BufferKind::DelayRing, BufferKind::Partials, BufferKind::Index, BufferKind::Scratch]);
    for side in sides {
        kinds.extend([BufferKind::Neuron(side), BufferKind::Channel(side), BufferKind::EventList(side)]);
        kinds.extend([
            BufferKind::EventBitmap(side),
            BufferKind::SpikeRing(side),
            BufferKind::EventHistory(side),
        ]);
    }
    for kind in spaces {
        let items = vec![Extent::Scalar(Handle::from_index(0)), Extent::Constant(7)];
        let mut builder = build::KernelBuilder::new("for", Space { kind, items, per_block: u32::MAX });
        builder.add_scalar("x y", Type::I64);
        for (k, &kind) in kinds.iter().enumerate() {
            let access = [Access::Read, Access::Write, Access::ReadWrite][k % 3];
            builder.buffer(Buffer { name: format!("b{k}"), access, kind, ..buffer() });
        }
        let kernel = builder.finish();
        assert_eq!(parse(&print(&kernel)), Ok(kernel));
    }
}

#[test]
fn every_operation_comes_back() {
    use crate::kernel::{Binary::*, Compare::*, Conversion as To, MathFn::*, Unary::*};
    let mut builder =
        build::KernelBuilder::new("k", Space { kind: SpaceKind::Single, items: vec![], per_block: 1 });
    builder.blocks(|builder, a| {
        for unary in [Negate, Abs, Sqrt, Floor, Nearest, Not, TrailingZeros] {
            builder.unary(unary, a);
        }
        for binary in [Add, Subtract, Multiply, Divide, Remainder, Min, Max, MultiplyHigh, And, Or, Xor] {
            builder.binary(binary, a, a);
        }
        for binary in [ShiftLeft, ShiftRight, ShiftRightSigned] {
            builder.binary(binary, a, a);
        }
        for compare in [Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Below] {
            builder.compare(compare, a, a);
        }
        for function in [Exp, Ln, Log2, Log1p, Expm1, Sin, Cos, Tanh, Sigmoid] {
            builder.op(Type::I64, Op::Math(function, vec![a]));
        }
        builder.op(Type::F32, Op::Math(Pow, vec![a, a]));
        for ty in [Type::F32, Type::F64, Type::I32, Type::I64, Type::Bool] {
            for conversion in [To::Value, To::Unsigned, To::Bits] {
                builder.convert(conversion, ty, a);
            }
        }
    });
    let kernel = builder.finish();
    assert_eq!(parse(&print(&kernel)), Ok(kernel), "no operation is lost, whether it is valid or not");
}

#[test]
fn names_are_kept_apart() {
    let text = "kernel k: single [] by 1 { scalar n: i64; for blocks b { n.7 = b + n; b.2 = b + n.7; %5 = b + b.2; \
                min.1 = b - %5; x.y = min.1 - -3i64; } }";
    let kernel = parse(text).expect("a text that parses");
    let body = "    for blocks b {
        n.1 = b + n;
        b.1 = b + n.1;
        %0 = b + b.1;
        min.1 = b - %0;
        x.y = min.1 - -3i64;
    }
";
    assert!(print(&kernel).contains(body), "{}", print(&kernel));
}

#[test]
fn documentation_is_kept() {
    let text = "/// One.\n///\n///  Two.\nkernel k: single [] by 1 {\n}\n";
    let kernel = parse(text).expect("a text that parses");
    assert_eq!(kernel.docs, ["One.", "", " Two."]);
    assert_eq!(print(&kernel), text);
}

#[test]
fn random_kernels_are_valid_and_keep_their_text() {
    let mut statements = 0;
    for seed in 1..=300 {
        let kernel = random::kernel(seed);
        let text = print(&kernel);
        validate(&kernel).unwrap_or_else(|errors| panic!("{text}\n{}", errors.join("\n")));
        let again = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(print(&again), text);
        validate(&again).unwrap_or_else(|errors| panic!("{text}\n{}", errors.join("\n")));
        statements += text.lines().count();
    }
    assert!(statements > 6000, "the kernels are not empty: {statements} lines");
}

#[test]
fn random_kernels_run_or_fault_and_so_do_their_texts() {
    let (mut finished, mut stopped) = (0, 0);
    for seed in 1..=300 {
        let kernel = random::kernel(seed);
        let run = |kernel: &Kernel, limit: u64| {
            let mut memory: Vec<Array> = kernel.buffers.iter().map(|(_, b)| Array::zeros(b.ty, 12)).collect();
            let mut references: Vec<&mut Array> = memory.iter_mut().collect();
            let counters = run_limited(kernel, &mut references, &[4], 0..2, limit);
            (counters.map(|counters| (counters.loads, counters.stores)), memory)
        };
        let first = run(&kernel, 5000);
        if !matches!(first.0, Err(Fault::StepLimit { .. })) {
            // Constants move when a kernel is printed and parsed: it may take other steps, and does the same.
            let again = parse(&print(&kernel)).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                format!("{first:?}"),
                format!("{:?}", run(&again, 50_000)),
                "NaNs are compared as text"
            );
        }
        match first.0 {
            Ok((loads, _)) => {
                finished += 1;
                assert!(loads.iter().all(|&count| count >= 2), "two blocks load from each buffer");
            }
            Err(_) => stopped += 1,
        }
    }
    assert!(finished > 10 && stopped > 10, "{finished} finished, {stopped} stopped");
}

#[test]
fn broken_texts_never_panic() {
    let mut numbers = Numbers(0x5eed_0001);
    let (mut parsed, mut refused) = (0, 0);
    for case in 0..2000 {
        let mut bytes = TEXTS[case % TEXTS.len()].as_bytes().to_vec();
        for _ in 0..=numbers.below(3) {
            let place = numbers.below(bytes.len());
            match numbers.below(4) {
                0 => bytes[place] ^= 1 << numbers.below(8),
                1 => drop(bytes.remove(place)),
                2 => bytes.insert(place, b"{}[]();:=.-%\"0a"[numbers.below(15)]),
                _ => bytes.truncate(place.max(1)),
            }
        }
        match parse(&String::from_utf8_lossy(&bytes)) {
            Ok(kernel) => {
                parsed += 1;
                // What parses prints, whether it is valid or not, and the validator gives an answer.
                let text = print(&kernel);
                assert_eq!(parse(&text).map(|again| print(&again)), Ok(text));
                let _ = validate(&kernel);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(parsed > 20 && refused > 1000, "{parsed} parsed, {refused} refused");
}
