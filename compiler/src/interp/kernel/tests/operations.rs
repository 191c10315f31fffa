//! Each operation alone, and the faults.

use super::*;

/// The result of an expression of `x` and `y`, the two elements of `input`.
fn evaluate(expression: &str, input: Array, mut output: Array) -> Array {
    let word = |array: &Array| match array.ty() {
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::Bool => "bool",
    };
    let text = format!(
        "kernel operation: single [] by 1 {{
            buffer a: {} read global [2];
            buffer out: {} write global [];
            for blocks b {{ x = load a[0i64]; y = load a[1i64]; r = {expression}; store out[0i64] = r; }}
        }}",
        word(&input),
        word(&output)
    );
    let kernel = parse(&text).expect("a text that parses");
    validate(&kernel).unwrap_or_else(|errors| panic!("{expression}: {errors:?}"));
    let mut input = input;
    run(&kernel, &mut [&mut input, &mut output], &[], 0..1).expect("no fault");
    output
}

fn f32_pair(expression: &str, x: f32, y: f32) -> u32 {
    match evaluate(expression, Array::F32(vec![x, y]), Array::zeros(Type::F32, 1)) {
        Array::F32(out) => out[0].to_bits(),
        other => panic!("{other:?}"),
    }
}

fn f32_to(expression: &str, x: f32, out: Type) -> Array {
    evaluate(expression, Array::F32(vec![x, 0.0]), Array::zeros(out, 1))
}

fn i32_pair(expression: &str, x: i32, y: i32) -> i32 {
    match evaluate(expression, Array::I32(vec![x, y]), Array::zeros(Type::I32, 1)) {
        Array::I32(out) => out[0],
        other => panic!("{other:?}"),
    }
}

fn i64_pair(expression: &str, x: i64, y: i64) -> i64 {
    match evaluate(expression, Array::I64(vec![x, y]), Array::zeros(Type::I64, 1)) {
        Array::I64(out) => out[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn floats_round_once_and_keep_signs() {
    assert_eq!(f32_pair("x + y", 1e-45, 1e-45), 2, "subnormals are kept");
    assert_eq!(f32_pair("x / y", 1.0, 3.0), (1.0f32 / 3.0).to_bits());
    assert_eq!(f32_pair("remainder(x, y)", -7.5, 2.0), (-1.5f32).to_bits());
    assert_eq!(f32_pair("negate(x)", 0.0, 0.0), 0x8000_0000);
    assert_eq!(f32_pair("abs(x)", -0.0, 0.0), 0);
    assert_eq!(f32_pair("floor(x)", -0.5, 0.0), (-1.0f32).to_bits());
    assert_eq!(f32_pair("nearest(x)", 2.5, 0.0), 2.0f32.to_bits());
    assert_eq!(f32_pair("nearest(x)", -0.5, 0.0), (-0.0f32).to_bits());
    assert_eq!(f32_pair("sqrt(x)", 2.0, 0.0), 2.0f32.sqrt().to_bits());
    let (a, b) = (1.0f32 + f32::EPSILON, 1.0 - f32::EPSILON);
    assert_eq!(f32_pair("fma(x, y, -1.0f32)", a, b), (-(f32::EPSILON * f32::EPSILON)).to_bits());
    let wide = evaluate("x * y", Array::F64(vec![0.1, 0.2]), Array::zeros(Type::F64, 1));
    assert_eq!(wide, Array::F64(vec![0.1 * 0.2]));
}

#[test]
fn minimum_and_maximum_take_the_second_only_where_it_compares() {
    assert_eq!(f32_pair("min(x, y)", 1.0, f32::NAN), 1.0f32.to_bits());
    assert!(f32::from_bits(f32_pair("min(x, y)", f32::NAN, 1.0)).is_nan());
    assert_eq!(f32_pair("min(x, y)", 0.0, -0.0), 0);
    assert_eq!(f32_pair("max(x, y)", -0.0, 0.0), 0x8000_0000);
    assert_eq!(f32_pair("max(x, y)", 1.0, 2.0), 2.0f32.to_bits());
    assert_eq!(i32_pair("min(x, y)", -1, 1), -1);
    assert_eq!(i64_pair("max(x, y)", -1, 1), 1);
}

#[test]
fn integers_wrap_and_shift_modulo_their_width() {
    assert_eq!(i32_pair("x + y", i32::MAX, 1), i32::MIN);
    assert_eq!(i32_pair("x - y", i32::MIN, 1), i32::MAX);
    assert_eq!(i32_pair("x * y", 0x10001, 0x10001), 0x20001);
    assert_eq!(i32_pair("negate(x)", i32::MIN, 0), i32::MIN);
    assert_eq!(i32_pair("abs(x)", i32::MIN, 0), i32::MIN);
    assert_eq!(i32_pair("abs(x)", -5, 0), 5);
    assert_eq!(i32_pair("not(x)", 0, 0), -1);
    assert_eq!(i32_pair("multiply_high(x, y)", -1, -1), -2);
    assert_eq!(i32_pair("x << y", 1, 33), 2);
    assert_eq!(i32_pair("x >> y", -1, 31), 1);
    assert_eq!(i32_pair("shift_right_signed(x, y)", -8, 1), -4);
    assert_eq!(i32_pair("x ^ y", 6, 3), 5);
    assert_eq!(i64_pair("x + y", i64::MAX, 1), i64::MIN);
    assert_eq!(i64_pair("x << y", 1, 65), 2);
    assert_eq!(i64_pair("x >> y", -1, 63), 1);
    assert_eq!(i64_pair("shift_right_signed(x, y)", -8, 65), -4);
    assert_eq!(i64_pair("x | y", 6, 1), 7);
    assert_eq!(i64_pair("x & y", 6, 3), 2);
}

#[test]
fn comparisons_and_conditions() {
    let compare = |expression: &str, x: f32, y: f32| {
        evaluate(expression, Array::F32(vec![x, y]), Array::zeros(Type::Bool, 1)) == Array::Bool(vec![1])
    };
    for expression in ["x == y", "x < y", "x <= y", "x > y", "x >= y"] {
        assert!(!compare(expression, f32::NAN, 1.0), "{expression}");
    }
    assert!(compare("x != y", f32::NAN, 1.0));
    assert!(compare("x == y", 0.0, -0.0));
    let words = |expression: &str, x: i32, y: i32| {
        evaluate(expression, Array::I32(vec![x, y]), Array::zeros(Type::Bool, 1)) == Array::Bool(vec![1])
    };
    assert!(words("x < y", -1, 1));
    assert!(!words("below(x, y)", -1, 1));
    let conditions =
        |expression: &str| evaluate(expression, Array::Bool(vec![7, 0]), Array::zeros(Type::Bool, 1));
    assert_eq!(conditions("x & y"), Array::Bool(vec![0]));
    assert_eq!(conditions("x ^ true"), Array::Bool(vec![0]), "a byte that is not 0 is read as 1");
    assert_eq!(conditions("not(y)"), Array::Bool(vec![1]));
    assert_eq!(conditions("select(y, x, y)"), Array::Bool(vec![0]));
}

#[test]
fn conversions_saturate_round_and_keep_bits() {
    assert_eq!(f32_to("x as i32", 3e9, Type::I32), Array::I32(vec![i32::MAX]));
    assert_eq!(f32_to("x as i32", -2.7, Type::I32), Array::I32(vec![-2]));
    assert_eq!(f32_to("x as i64", f32::NAN, Type::I64), Array::I64(vec![0]));
    assert_eq!(f32_to("x as i64", f32::NEG_INFINITY, Type::I64), Array::I64(vec![i64::MIN]));
    assert_eq!(f32_to("x as f64", 0.1, Type::F64), Array::F64(vec![f64::from(0.1f32)]));
    assert_eq!(f32_to("x as bits i32", -0.0, Type::I32), Array::I32(vec![i32::MIN]));
    let words =
        |expression: &str, x: i32, out| evaluate(expression, Array::I32(vec![x, 0]), Array::zeros(out, 1));
    assert_eq!(words("x as i64", -1, Type::I64), Array::I64(vec![-1]));
    assert_eq!(words("x as unsigned i64", -1, Type::I64), Array::I64(vec![0xffff_ffff]));
    assert_eq!(words("x as unsigned f32", -1, Type::F32), Array::F32(vec![u32::MAX as f32]));
    assert_eq!(words("x as f32", 16_777_217, Type::F32), Array::F32(vec![16_777_216.0]));
    let long = Array::I64(vec![(1 << 54) + 1, -1]);
    assert_eq!(
        evaluate("x as f32", long.clone(), Array::zeros(Type::F32, 1)),
        Array::F32(vec![(1u64 << 54) as f32])
    );
    assert_eq!(evaluate("x as i32", long, Array::zeros(Type::I32, 1)), Array::I32(vec![1]));
    let double = Array::F64(vec![0.1, 0.0]);
    assert_eq!(evaluate("x as f32", double, Array::zeros(Type::F32, 1)), Array::F32(vec![0.1]));
    let condition = Array::Bool(vec![1, 0]);
    assert_eq!(evaluate("x as f64", condition, Array::zeros(Type::F64, 1)), Array::F64(vec![1.0]));
}

const SWAP: &str = "kernel swap: single [] by 1 {
    scalar n: i64;
    buffer out: i64 write global [2];
    for blocks b {
        for serial i in 0i64 .. n carry x = 1i64, y = 2i64 {
            next y, x;
        } -> x.last, y.last;
        odd = x.last == 2i64;
        if odd { z = x.last + 10i64; give z, y.last; } else { give y.last, x.last; } -> first, second;
        store out[b] = first;
        at = b + 1i64;
        store out[at] = second if odd;
    }
}";

#[test]
fn carried_values_change_together_and_branches_give_values() {
    let kernel = parse(SWAP).expect("a text that parses");
    validate(&kernel).expect("a valid kernel");
    let after = |n: u64| {
        let mut memory = [Array::zeros(Type::I64, 2)];
        let counters = launch(&kernel, &mut memory, &[n], 1).expect("no fault");
        (memory[0].clone(), counters.stores[0])
    };
    assert_eq!(after(3), (Array::I64(vec![12, 1]), 2));
    assert_eq!(after(4), (Array::I64(vec![2, 0]), 1), "a gate that does not hold stores nothing");
}

#[test]
fn what_is_out_of_range_or_too_long_is_a_fault() {
    let kernel = parse(SWAP).expect("a text that parses");
    let fault = launch(&kernel, &mut [Array::zeros(Type::I64, 1)], &[1], 1).expect_err("a fault");
    assert_eq!(fault.to_string(), "kernel `swap`: index 1 is outside buffer `out`, which has 1 elements");
    let mut array = Array::zeros(Type::I64, 2);
    let fault = run_limited(&kernel, &mut [&mut array], &[u64::MAX >> 1], 0..1, 1000).expect_err("a fault");
    assert_eq!(fault, Fault::StepLimit { kernel: "swap".to_string(), limit: 1000 });
    for (memory, scalars) in [(vec![], vec![1]), (vec![Type::I64], vec![]), (vec![Type::F64], vec![1])] {
        let mut memory: Vec<Array> = memory.into_iter().map(|ty| Array::zeros(ty, 2)).collect();
        let fault = launch(&kernel, &mut memory, &scalars, 1).expect_err("a fault");
        assert!(matches!(fault, Fault::Launch { .. }), "{fault}");
    }
}

#[test]
fn a_view_of_bytes_is_as_good_as_an_array() {
    let kernel = parse(SWAP).expect("a text that parses");
    let mut bytes = [0xffu8; 19];
    run(&kernel, &mut [&mut View::new(Type::I64, &mut bytes)], &[1], 0..1).expect("no fault");
    assert_eq!(bytes[..8], 12i64.to_le_bytes());
    assert_eq!(bytes[8..16], 1i64.to_le_bytes());
    assert_eq!(bytes[16..], [0xff; 3]);
    let mut view = View::new(Type::Bool, &mut bytes);
    assert_eq!((view.length(), view.load(18), view.load(19)), (19, Some(1), None));
    assert_eq!(view.store(18, 1), Some(()));
    assert_eq!(view.store(usize::MAX, 1), None);
    assert_eq!(bytes[18], 1);
}
