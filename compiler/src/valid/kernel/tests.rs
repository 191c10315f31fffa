//! Each rule once broken, and the facts of valid kernels.

use super::*;
use crate::arena::Handle;
use crate::kernel::parse::parse;

const HEAD: &str = "kernel k: rows all [n] by 4 {
    scalar n: i64; scalar t: f32;
    buffer w: f32 read_write synapse [n];
    buffer e: i32 read index [n];
";

/// The errors of a kernel whose loop over blocks has these statements.
fn errors(statements: &str) -> Vec<String> {
    let used = "w0 = load w[b]; store w[b] = w0; e0 = load e[b];";
    let text = format!("{HEAD} for blocks b {{ {used} {statements} }} }}");
    let kernel = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    validate(&kernel).err().unwrap_or_default()
}

#[track_caller]
fn rejects(statements: &str, message: &str) {
    let errors = errors(statements);
    assert!(errors.iter().any(|error| error.contains(message)), "{statements}: {errors:?}");
}

#[test]
fn operands_have_the_types_of_their_operations() {
    assert_eq!(errors(""), [""; 0]);
    rejects("x = w0 + b;", "`x` takes F32, and `b` is I64");
    rejects("x = w0 & w0;", "`x` takes integers and conditions, and `w0` is F32");
    rejects("x = b / b;", "`x` takes floats, and `b` is I64");
    rejects("x = multiply_high(b, b);", "`x` takes i32");
    rejects("x = w0 << w0;", "takes integers");
    rejects("x = true < false;", "`x` takes numbers, and `true` is Bool");
    rejects("x = below(w0, w0);", "takes integers");
    rejects("x = fma(w0, w0, b);", "`x` takes F32");
    rejects("x = select(b, w0, w0);", "`x` takes a condition");
    rejects("x = sqrt(b);", "takes floats");
    rejects("x = negate(true);", "takes numbers");
    rejects("x = not(w0);", "takes integers and conditions");
    rejects("x = exp(b);", "takes floats");
    rejects("x = load w[e0];", "`x` takes i64, and `e0` is I32");
    rejects("x: f64 = w0 + w0;", "`x` is declared F64 and is F32");
    rejects("x = w0 as f32;", "which does not exist");
    rejects("x = w0 as bool;", "which does not exist");
    rejects("x = b as unsigned f32;", "which does not exist");
    rejects("x = w0 as bits i64;", "which does not exist");
    rejects("x = random(65536, 0i32, 0i32, b, b, b, b);", "more than 16 bits");
    rejects("x = random(1, 0i64, 0i32, b, b, b, b);", "takes i32");
    rejects("store w[b] = b;", "the store to `w` takes F32, and `b` is I64");
    rejects("store w[b] = w0 if b;", "the store to `w` takes a condition");
    rejects("if b { }", "the branch takes a condition");
}

#[test]
fn uses_stand_below_their_definition_and_inside_its_block() {
    rejects("for lanes j in 0i64 .. n { x = b + j; } y = x + b;", "`y` uses `x` where it is not defined");
    rejects("for lanes j in 0i64 .. n { } y = j + b;", "`y` uses `j` where it is not defined");
    rejects("if true { x = b + b; } else { y = x + b; }", "`y` uses `x`");
    rejects("s = sum lanes32 j below n { term w0; } y = j + b;", "`y` uses `j`");

    // The extent is of outside the body, the place of inside.
    let text = format!(
        "{HEAD} for blocks b {{ s = sum lanes32 j below n of n {{ k = j + b; term 1.0f32 at k; }} }} }}"
    );
    let mut kernel = parse(&text).expect("a text that parses");
    let Stmt::For(each) = &mut kernel.body[0] else { panic!("a loop") };
    let Some(Stmt::Reduce(reduce)) = each.body.last_mut() else { panic!("a reduction") };
    let slot = reduce.slot.as_mut().expect("places");
    slot.extent = slot.index;
    let errors = validate(&kernel).expect_err("an invalid kernel");
    assert!(errors.iter().any(|error| error.contains("`j` uses `k` where it is not defined")), "{errors:?}");

    let mut kernel = parse(&format!("{HEAD} for blocks b {{ x = b + b; }} }}")).expect("a text that parses");
    let Stmt::For(each) = &mut kernel.body[0] else { panic!("a loop") };
    let again = each.body[0].clone();
    each.body.push(again);
    each.body.push(Stmt::Let(each.index));
    each.body.push(Stmt::Let(Handle::from_index(99)));
    let errors = validate(&kernel).expect_err("an invalid kernel");
    for message in ["`x` is defined twice", "`b` is evaluated and has no operation", "that the kernel lacks"]
    {
        assert!(errors.iter().any(|error| error.contains(message)), "{message}: {errors:?}");
    }
}

#[test]
fn loops_have_bounds_and_only_serial_ones_carry() {
    rejects("for lanes j { }", "the loop over `j` lacks a bound");
    rejects("for serial j in 0i32 .. n { }", "takes i64");
    rejects("for lanes j in 0i64 .. n carry x = b { next x; } -> y;", "is not serial");
    rejects("for lanes j in 0i64 .. n { exit if true; }", "is not serial");
    rejects("for serial j in 0i64 .. n { exit if j; }", "takes a condition");
    rejects("for serial j in 0i64 .. n carry x = w0 { next j; } -> y;", "takes F32");
    rejects("for serial j in 0i64 .. n carry x = w0 { next x; } -> y: f64;", "another type than in its loop");
    rejects("if true { give b; } else { give w0; } -> x;", "the branch takes I64, and `w0` is F32");
    rejects("for blocks c { }", "the loop over blocks is not outermost");
    rejects("for blocks c { }", "there are 2 loops over blocks");
}

#[test]
fn reductions_have_no_effects_and_fitting_terms() {
    rejects("s = sum lanes32 j below n { store w[j] = w0; term w0; }", "in the body of a reduction");
    rejects("s = sum lanes32 j below n { term b * b; }", "takes floats");
    rejects("s = min lanes32 j below n { term w0 * w0; }", "has a product and is no sum");
    rejects("s = max serial256 j below n { term b; }", "takes floats");
    rejects("s = sum serial256 j below n { term true; }", "takes numbers");
    rejects("s = count serial256 j below n { term w0; }", "takes a condition");
    rejects("s = sum pairwise j below n { term w0 * w0; }", "is pairwise");
    rejects("s = sum pairwise j below n { term w0 if true; }", "is pairwise");
    rejects("s = sum lanes32 j below n { term w0 if b; }", "takes a condition");
    assert_eq!(errors("s = sum serial256 j below b of n { term w0 at j if true; }"), [""; 0]);
    rejects("s = sum lanes32 j below n of w0 { term w0 at j; }", "takes i64, and `w0` is F32");
    rejects("s = sum lanes32 j below n of n { term w0 at e0; }", "takes i64, and `e0` is I32");
    rejects("s = sum pairwise j below n of n { term w0 at j; }", "is pairwise and has places");
    rejects("s: f64 = sum lanes32 j below n { term w0; }", "is declared F64");
    let tile = "(stride n, from b, size n)";
    rejects(
        &format!("tile w(stride n, from n) = e{tile} * w{tile} over n;"),
        "three buffers of one float type",
    );
    rejects(&format!("tile w(stride n, from n) = w{tile} * w{tile} over n;"), "writes what it reads");
}

#[test]
fn declarations_are_sound_and_access_is_what_is_used() {
    let rejects = |text: &str, message: &str| {
        let errors = validate(&parse(text).expect("a text that parses")).expect_err("an invalid kernel");
        assert!(errors.iter().any(|error| error.contains(message)), "{errors:?}");
    };
    rejects("kernel k: single [] by 0 { for blocks b { } }", "a block holds no item");
    rejects("kernel k: single [] by 1 { }", "there are 0 loops over blocks");
    rejects("kernel k: rows all [x] by 1 { scalar x: f32; for blocks b { } }", "no i64");
    rejects("kernel k: single [] by 1 { buffer \"\": f32 read global []; for blocks b { } }", "has no name");
    let one = |access: &str, body: &str| {
        format!("kernel k: single [] by 1 {{ buffer x: f32 {access} global []; for blocks b {{ {body} }} }}")
    };
    rejects(&one("read", ""), "`x` declares Read and has no access");
    rejects(&one("read", "store x[b] = 0.0f32;"), "`x` declares Read and has Write");
    rejects(&one("read_write", "y = load x[b];"), "`x` declares ReadWrite and has Read");
    rejects(
        "kernel k: single [] by 1 { buffer x: f32 write global []; store x[0i64] = 1.0f32; for blocks b { } }",
        "outside the loop over blocks",
    );
    rejects(
        "kernel k: single [] by 1 { buffer x: f32 read_write global [];
         y = load x[0i64]; for blocks b { store x[b] = y; } }",
        "loaded from outside the loop over blocks",
    );

    let mut kernel = parse("kernel k: single [] by 1 { for blocks b { } }").expect("a text that parses");
    for _ in 0..2 {
        kernel.scalars.push(Scalar { name: "s".to_string(), ty: Type::I64 });
    }
    let errors = validate(&kernel).expect_err("an invalid kernel");
    assert_eq!(errors, ["two scalars are called `s`"]);
}

#[test]
fn blocks_nest_only_so_deep() {
    let space = Space { kind: SpaceKind::Single, items: Vec::new(), per_block: 1 };
    let nested = |depth: usize| {
        let mut builder = build::KernelBuilder::new("deep", space.clone());
        let condition = builder.boolean(true);
        let mut body = Vec::new();
        for _ in 0..depth {
            body = vec![Stmt::If { condition, then: body, otherwise: Vec::new(), results: Vec::new() }];
        }
        builder.blocks(|builder, _| body.into_iter().for_each(|stmt| builder.push(stmt)));
        validate(&builder.finish())
    };
    assert!(nested(MAX_DEPTH - 2).is_ok());
    assert_eq!(nested(MAX_DEPTH - 1).expect_err("an invalid kernel"), ["blocks nest more than 64 deep"]);
}

#[test]
fn the_facts_say_what_is_used_where_and_how_indices_run() {
    let text = "kernel k: rows all [n] by 1 {
        scalar n: i64;
        buffer w: f32 read_write synapse [n, n];
        buffer x: f32 read neuron post [n];
        buffer column: i64 read index [n];
        for blocks i {
            base = i * n;
            for lanes j in 0i64 .. n {
                k = base + j;
                back = k - n;
                down = n - j;
                twice = j * 2i64;
                w = load w[k];
                c = load column[j];
                far = base + c;
                same = load x[i];
                for serial s in 0i64 .. n carry a = w {
                    inner = base + s;
                    both = s + j;
                    a.next = a + same;
                    next a.next;
                } -> a.last;
                store w[k] = a.last;
            }
        }
    }";
    let kernel = parse(text).expect("a text that parses");
    let info = validate(&kernel).expect("a valid kernel");
    let find = |name: &str| {
        let found = kernel.values.iter().find(|(_, value)| value.name.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("no value `{name}`")).0
    };
    let lanes = find("j");
    let form = |name: &str| info.index_form(find(name), lanes);
    for name in ["base", "i", "same", "s", "inner"] {
        assert_eq!(form(name), IndexForm::Invariant, "{name}");
    }
    for name in ["j", "k", "back", "both"] {
        assert_eq!(form(name), IndexForm::Contiguous, "{name}");
    }
    for name in ["down", "twice", "w", "c", "far", "a", "a.next", "a.last"] {
        assert_eq!(form(name), IndexForm::Other, "{name}");
    }
    assert!(info.expanded);
    let w = Handle::from_index(0);
    assert!(info.is_read(w) && info.is_written(w) && !info.is_written(Handle::from_index(1)));
    let site = Site { index: Some(find("k")), loops: 2, lanes: Some(lanes) };
    assert_eq!(info.buffers[0], BufferUse { loads: vec![site], stores: vec![site] });
}
