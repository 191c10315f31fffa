//! Random statements over the declarations of `base`: expressions of any depth, conditions, lets, any target.

use super::base::Stage;
use crate::machine::script::Numbers;

/// The letters of domains that are read in a domain's expressions.
fn readable(letter: &str) -> &'static [&'static str] {
    match letter {
        "c" => &["g", "c"],
        "d" => &["g", "d"],
        "x" => &["g", "c", "x"],
        "y" => &["g", "d", "y"],
        "z" => &["g", "c", "d", "z", "x", "y"],
        _ => &["g"],
    }
}

/// A random statement for a stage, which the checker may refuse.
pub fn statement(numbers: &mut Numbers, stage: Stage) -> String {
    let letter = numbers.pick(&["g", "c", "d", "x", "y", "z", "z", "z"]);
    let proposes = matches!(stage, Stage::Update | Stage::Modulate);
    let target = match numbers.below(4) {
        0 | 1 if proposes => format!("dw{letter}"),
        1 => format!("u{letter}[{}]", numbers.below(2)),
        2 => format!("w{letter}"),
        3 if letter == "x" || letter == "y" => format!("t{letter}"),
        _ if stage == Stage::Constrain => format!("w{letter}"),
        _ => format!("a{letter}"),
    };
    let op = numbers.pick(&["=", "+=", "+=", "-=", "*=", "/="]);
    let value = expression(numbers, letter, 4);
    // Bounded values keep differences visible that a NaN would hide.
    let value = if numbers.below(3) == 0 { value } else { format!("tanh({value})") };
    let assign = format!("{target} {op} {value};");
    match numbers.below(6) {
        0 => format!("if {} {{ {assign} }}", condition(numbers, letter, 2)),
        1 => {
            let other = expression(numbers, letter, 2);
            format!("if {} {{ {assign} }} else {{ {target} += {other}; }}", condition(numbers, letter, 2))
        }
        2 => {
            let name = format!("v{}", numbers.below(1 << 30));
            format!("let {name} = {}; {target} {op} tanh({name}) * {name};", expression(numbers, letter, 3))
        }
        3 if stage == Stage::Update && matches!(letter, "x" | "y" | "z") => {
            let side = match letter {
                "x" => "pre",
                "y" => "post",
                _ => numbers.pick(&["pre", "post"]),
            };
            format!("if {side}.spike {{ {assign} }}")
        }
        _ => assign,
    }
}

fn leaf(numbers: &mut Numbers, letter: &str) -> String {
    let from = numbers.pick(readable(letter));
    match numbers.below(12) {
        0 => numbers.pick(&["0", "1", "0.5", "-2", "1e-3", "3", "inf", "pi"]).to_owned(),
        1 => format!("p{from}"),
        2 => format!("i{from}"),
        3 => format!("n{from}"),
        4 => format!("w{from}"),
        5 => format!("u{from}[{}]", numbers.below(2)),
        6 if letter == "x" || letter == "z" => numbers.pick(&["tx", "pre.spike", "pre.index"]).to_owned(),
        7 if letter == "y" || letter == "z" => numbers.pick(&["ty", "post.spike", "post.index"]).to_owned(),
        8 => numbers
            .pick(&["k", "step", "(t / 1 ms)", "(dt / 1 ms)", "list[1]", "pre.count", "(1 - k)"])
            .to_owned(),
        9 => format!("dw{from}"),
        _ => format!("a{from}"),
    }
}

fn condition(numbers: &mut Numbers, letter: &str, depth: usize) -> String {
    let [a, b] = [0, 0].map(|_| expression(numbers, letter, depth));
    let comparison = numbers.pick(&["<", "<=", ">", ">=", "==", "!="]);
    match numbers.below(5) {
        0 => format!("({a} {comparison} {b} && {})", leaf(numbers, letter)),
        1 => format!("!({a} {comparison} {b})"),
        _ => format!("{a} {comparison} {b}"),
    }
}

/// An expression that lives in a domain or in a wider one.
pub fn expression(numbers: &mut Numbers, letter: &str, depth: usize) -> String {
    if depth == 0 {
        return leaf(numbers, letter);
    }
    let next = |numbers: &mut Numbers| expression(numbers, letter, depth - 1);
    match numbers.below(16) {
        0 | 1 => leaf(numbers, letter),
        2..=4 => {
            let (a, b) = (next(numbers), next(numbers));
            format!("({a} {} {b})", numbers.pick(&["+", "-", "*", "*", "/", "%"]))
        }
        5 => {
            let (a, b) = (next(numbers), next(numbers));
            format!("{}({a}, {b})", numbers.pick(&["min", "max", "pow"]))
        }
        6 | 7 => {
            let a = next(numbers);
            let functions = [
                "exp",
                "ln",
                "log2",
                "log1p",
                "expm1",
                "sqrt",
                "abs",
                "sign",
                "floor",
                "round",
                "sin",
                "cos",
                "tanh",
                "sigmoid",
                "heaviside",
                "-",
                "!",
            ];
            format!("{}({a})", numbers.pick(&functions))
        }
        8 => format!("({})^{}", next(numbers), numbers.pick(&["2", "3", "-1", "-4", "0.5", "0"])),
        9 => format!("({})", condition(numbers, letter, depth - 1)),
        10 => {
            let test = condition(numbers, letter, depth - 1);
            let (a, b) = (next(numbers), next(numbers));
            format!("(if {test} {{ {a} }} else {{ {b} }})")
        }
        11 => {
            let a = next(numbers);
            format!("clamp({a}, -1, {})", leaf(numbers, letter))
        }
        12 => draw(numbers),
        13 => reduction(numbers, letter, depth - 1),
        14 if letter == "z" || letter == "x" => format!("(pre.spike * {})", next(numbers)),
        15 if letter == "z" || letter == "y" => format!("({} * post.spike)", next(numbers)),
        _ => leaf(numbers, letter),
    }
}

fn draw(numbers: &mut Numbers) -> String {
    numbers
        .pick(&[
            "uniform(-1, 2)",
            "normal(0, 1)",
            "lognormal(0, 0.5)",
            "bernoulli(0.3)",
            "exponential(2)",
            "gamma(0.6, 1.5)",
            "gamma(3, 1)",
            "beta(0.5, 2)",
        ])
        .to_owned()
}

fn reduction(numbers: &mut Numbers, letter: &str, depth: usize) -> String {
    let op = numbers.pick(&["sum", "sum", "mean", "min", "max", "count", "std"]);
    let (over, body) = match letter {
        "g" => *numbers.pick(&[&("pre", "x"), &("post", "y"), &("synapse", "z"), &("pre_channel", "c")]),
        "c" => ("position", "x"),
        "d" => ("position", "y"),
        "x" => *numbers.pick(&[&("post", "z"), &("batch", "x")]),
        "y" => *numbers.pick(&[&("pre", "z"), &("batch", "y")]),
        _ => ("batch", "z"),
    };
    match numbers.below(6) {
        0 if letter == "x" => format!("cumsum[pre]({})", expression(numbers, "x", depth)),
        0 if letter == "y" => format!("cumsum[post]({})", expression(numbers, "y", depth)),
        1 if letter == "y" => format!("sum[post by 2]({})", expression(numbers, "y", depth)),
        _ => format!("{op}[{over}]({})", expression(numbers, body, depth)),
    }
}
