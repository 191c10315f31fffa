//! Changes of a text: some that any text allows, and some that respect the language, so that rules stay rules.

use aplysia_tests::random::Random;

use crate::corpus::{Kind, tokens};

/// Words that may stand where another of the same list stands.
const ALIKE: &[&[&str]] = &[
    &["+", "-", "*", "/", "%", "^"],
    &["<", "<=", ">", ">=", "==", "!="],
    &["&&", "||"],
    &["=", "+=", "-=", "*=", "/="],
    &["global", "pre", "post", "pre_channel", "post_channel", "synapse", "batch", "position"],
    &["state", "plastic", "param", "input", "output", "extern", "const"],
    &["exp", "ln", "log2", "log1p", "expm1", "sqrt", "abs", "sign", "floor", "round", "sin", "cos", "tanh"],
    &["sigmoid", "heaviside", "abs", "ln", "round"],
    &["min", "max", "pow", "uniform", "normal", "lognormal", "gamma", "beta"],
    &["bernoulli", "exponential", "exp"],
    &["sum", "mean", "max", "min", "count", "std", "cumsum"],
    &["update", "modulate", "apply", "constrain"],
    &[
        "s", "ms", "us", "Hz", "kHz", "V", "mV", "uV", "A", "nA", "pA", "S", "nS", "F", "nF", "pF", "Ohm",
        "MOhm",
    ],
    &["euler", "rk4", "exponential_euler"],
    &["batched", "shared"],
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "1.0",
    "-0.0",
    "1e-300",
    "1e300",
    "1e39",
    "1e-46",
    "1e400",
    "16777217",
    "255",
    "256",
    "257",
    "1024",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "0.1",
    "1e-5",
    "33",
];

/// Expressions; `X` stands for what was there, `Y` for another name of the text.
const EXPRESSIONS: &[&str] = &[
    "sum[pre](X)",
    "sum[post](X)",
    "sum[synapse](X)",
    "mean[pre](X)",
    "max[post](X)",
    "min[synapse](X)",
    "std[pre](X)",
    "count[synapse](X)",
    "sum[batch](X)",
    "mean[position](X)",
    "sum[post by 2](X)",
    "cumsum[post](X)",
    "cumsum[pre](X)",
    "(X * pre.spike)",
    "(post.spike * X)",
    "(pre.spike * post.spike * X)",
    "(X - Y)",
    "(X * Y)",
    "(X / Y)",
    "(X + Y)",
    "(X % Y)",
    "(X ^ 2)",
    "(X ^ Y)",
    "(-X)",
    "(!X)",
    "(if X > Y { X } else { Y })",
    "(if pre.spike { X } else { Y })",
    "max(X, Y)",
    "clamp(X, 0, Y)",
    "(X > 0 && Y > 0)",
    "past(X, 2 ms)",
    "normal(X, 1)",
    "normal[synapse](0, 1)",
    "uniform[pre](0, X)",
    "bernoulli[post](0.5)",
    "gamma(X, 1)",
    "beta(1, 2)",
    "exponential(1)",
    "lognormal(0, 1)",
    "exp(X)",
    "ln(X)",
    "sqrt(X)",
    "tanh(X)",
    "sin(X)",
    "floor(X)",
    "round(X)",
    "pow(X, Y)",
    "sigmoid(X)",
    "sign(X)",
    "t",
    "dt",
    "step",
    "pi",
    "inf",
    "pre.index",
    "post.index",
    "pre.count",
    "post.count",
    "pair.count",
    "batch.count",
    "pre.spike",
    "post.spike",
    "dw",
    "w",
    "(step % 3)",
    "(X / dt)",
    "sum[pre](X * Y)",
    "sum[post](X * Y * Y)",
    "(pre.spike * dw)",
    "(X * 20 ms)",
    "(X / 20 ms)",
    "heaviside(X)",
    "log1p(X)",
    "expm1(X)",
    "X[0]",
    "X[1]",
];

/// Statements; as above, and `N` for a number that makes names new.
const STATEMENTS: &[&str] = &[
    "let vN = X;",
    "let vN = sum[pre](w);",
    "let vN = normal[synapse](0, 1); dw += vN * X;",
    "dw += X;",
    "dw -= X * Y;",
    "if X > Y { dw += X; }",
    "if pre.spike { dw += X; } else { dw -= Y; }",
    "for kN in 0 .. 3 { dw += kN * X; }",
    "w = X;",
    "w += X * pre.spike;",
    "X += Y;",
    "X = Y;",
    "X *= 0.5;",
    "dw *= X;",
    "dw = X;",
    "X += pre.spike;",
    "X = post.index;",
    "if post.spike { X = Y; }",
    "if X < 0 { X = 0; } else if X > 2 { X = 2; }",
    "X -= Y * dt;",
    "w = max(w, X);",
    "if bernoulli(0.5) { dw += X; }",
    "X[1] += Y;",
    "if step > 2 { X = Y; }",
    "w *= X;",
    "X += sum[post](pre.spike * w);",
];

/// Items of a rule.
const ITEMS: &[&str] = &[
    "state sN: int = 0; update { sN += 1; }",
    "pre state sN = X; update { sN += pre.spike; }",
    "post state sN = 1; dsN/dt = -sN / (20 ms); on post { sN += 1; }",
    "synapse state sN = uniform(0, 1);",
    "synapse state sN[3] = [1, 2, 3]; update { sN[1] += X; }",
    "param pN = 0.5;",
    "param pN;",
    "post param pN = 2;",
    "pre param pN;",
    "synapse param pN = 0.25;",
    "param pN in 0 .. 1 = 0.5;",
    "plastic vN in 0 .. 1 = uniform(0, 1);",
    "post plastic bN = 0.1; update { dbN += X; }",
    "pre input iN;",
    "post input iN = 1;",
    "input iN;",
    "synapse input iN = 2;",
    "post output oN; on pre { oN += w; }",
    "output oN; update { oN = X; }",
    "every 2 steps { w *= 0.9; }",
    "every 3 ms { w += X; }",
    "on call go { w = X; }",
    "on create { w = X; }",
    "apply every 2 steps;",
    "apply on call go;",
    "batch mean;",
    "batch sum;",
    "solver euler;",
    "solver rk4;",
    "solver exponential_euler;",
    "update { dw += X; }",
    "on pre { dw += X; }",
    "on post { dw -= X; }",
    "on pre { X += 1; }",
    "modulate { dw *= X; }",
    "constrain { w = max(w, X); }",
    "constrain { w *= 1 / sum[pre](abs(w)); }",
    "apply { w += dw * X; }",
    "apply { w -= X * dw; }",
    "per w state mN; apply { mN = 0.9 * mN + dw; w += mN; }",
    "dX/dt = -X / (10 ms);",
    "dX/dt = (Y - X) / (10 ms);",
    "dX/dt = -X * X / (10 ms);",
    "dw/dt = X;",
    "extern state eN;",
    "extern synapse eta;",
    "const cN = 2 * ln(2);",
    "option qN in {a, b} = a; update { match qN { a => { dw += X; }, b => { dw -= X; } } }",
    "fn fN(a, b) = a * b + Y; update { dw += fN(X, w); }",
    "state sN = t; update { sN = t - sN; }",
    "global state sN; update { sN += sum[synapse](w); }",
    "batched state sN; shared pre state rN;",
    "pre_channel state sN = 1; update { dw += sN; }",
    "on pre after 2 ms { dw += X; }",
];

/// The result of some changes of a text; `other` lends pieces.
pub fn changed(text: &str, other: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + random.below(4) {
        text = match random.below(24) {
            0 => bytes(&text, random),
            1 => composed(&text, other, random),
            2..=4 => spliced(&text, other, random),
            5..=8 => inserted(&text, random),
            9..=13 => expression(&text, random),
            14..=16 => alike(&text, random),
            17..=18 => names(&text, random),
            19..=20 => numbers(&text, random),
            _ => shuffled(&text, other, random),
        };
    }
    text
}

/// Flips bits, drops or repeats bytes.
fn bytes(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            2 => bytes.insert(at, random.next() as u8),
            _ => bytes.truncate(bytes.len() - random.below(bytes.len().min(16))),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text with another's rules and a composition of rules of both.
fn composed(text: &str, other: &str, random: &mut Random) -> String {
    let declared = |text: &str| -> Vec<String> {
        let names: Vec<&str> = significant(text).map(|(_, token)| token).collect();
        names.windows(2).filter(|pair| pair[0] == "rule").map(|pair| pair[1].to_owned()).collect()
    };
    let both = if random.below(3) == 0 { text.to_owned() } else { format!("{text}\n{other}") };
    let rules = declared(&both);
    let variables = declarations(&both);
    let mut parts = Vec::new();
    for place in 0..1 + random.below(3) {
        let Some(rule) = random.pick(&rules) else { return both };
        let mut part = rule.clone();
        if let (0, Some(left), Some(right)) =
            (random.below(3), random.pick(&variables), random.pick(&variables))
        {
            let value = if random.below(2) == 0 { "2" } else { right };
            part = format!("{part}({left} = {value})");
        }
        if random.below(4) == 0 {
            part = format!("{part} as part{place}");
        }
        parts.push(part);
    }
    format!("{both}\nrule all{} = {};\n", random.below(100), parts.join(" + "))
}

/// An item or statement of another text, put between two of this one at the same depth.
fn spliced(text: &str, other: &str, random: &mut Random) -> String {
    let depth = random.below(3);
    let (from, to) = (pieces(other), pieces(text));
    let from: Vec<&Piece> = from.iter().filter(|piece| piece.depth == depth).collect();
    let to: Vec<&Piece> = to.iter().filter(|piece| piece.depth == depth).collect();
    let (Some(from), Some(to)) = (random.pick(&from), random.pick(&to)) else { return text.to_owned() };
    let piece = &other[from.start..from.end];
    match random.below(3) {
        0 => [&text[..to.start], piece, &text[to.end..]].concat(),
        1 => [&text[..to.start], &text[to.end..]].concat(),
        _ => [&text[..to.end], " ", piece, &text[to.end..]].concat(),
    }
}

/// A statement or item made from a pattern.
fn inserted(text: &str, random: &mut Random) -> String {
    let inside = random.below(2);
    let patterns = if inside == 0 { ITEMS } else { STATEMENTS };
    let places = pieces(text);
    let places: Vec<&Piece> = places.iter().filter(|piece| piece.depth == 1 + inside).collect();
    let (Some(pattern), Some(place)) = (random.pick(patterns), random.pick(&places)) else {
        return text.to_owned();
    };
    let names = declarations(text);
    let first = random.pick(&names).map_or("1", String::as_str);
    let made = filled(pattern, first, &names, random);
    [&text[..place.end], " ", &made, &text[place.end..]].concat()
}

/// A name or number behind an operator replaced by an expression that holds it.
fn expression(text: &str, random: &mut Random) -> String {
    let variables = declarations(text);
    let all = tokens(text);
    let is_value = |&place: &usize| {
        let (kind, token) = all[place];
        let behind =
            all[..place].iter().rev().find(|(kind, _)| *kind != Kind::Space).map_or("", |(_, token)| *token);
        let value =
            kind == Kind::Number || (kind == Kind::Name && variables.iter().any(|name| name == token));
        value
            && matches!(
                behind,
                "=" | "+=" | "-=" | "*=" | "+" | "-" | "*" | "/" | "(" | "," | "<" | ">" | "if"
            )
    };
    let places: Vec<usize> = (0..all.len()).filter(is_value).collect();
    let (Some(&place), Some(pattern)) = (random.pick(&places), random.pick(EXPRESSIONS)) else {
        return text.to_owned();
    };
    let made = filled(pattern, all[place].1, &variables, random);
    replaced(&all, place, &made)
}

/// A word for another of its kind.
fn alike(text: &str, random: &mut Random) -> String {
    let all = tokens(text);
    let kin = |token: &str| ALIKE.iter().filter(|words| words.contains(&token)).copied().collect::<Vec<_>>();
    let places: Vec<usize> = (0..all.len()).filter(|&place| !kin(all[place].1).is_empty()).collect();
    let Some(&place) = random.pick(&places) else { return text.to_owned() };
    let kin = kin(all[place].1);
    let word = random.pick(&kin).and_then(|words| random.pick(words)).copied().unwrap_or("");
    replaced(&all, place, word)
}

/// A name for another of the text.
fn names(text: &str, random: &mut Random) -> String {
    let all = tokens(text);
    let places: Vec<usize> = (0..all.len()).filter(|&place| all[place].0 == Kind::Name).collect();
    let (Some(&place), Some(&other)) = (random.pick(&places), random.pick(&places)) else {
        return text.to_owned();
    };
    replaced(&all, place, all[other].1)
}

fn numbers(text: &str, random: &mut Random) -> String {
    let all = tokens(text);
    let places: Vec<usize> = (0..all.len()).filter(|&place| all[place].0 == Kind::Number).collect();
    let (Some(&place), Some(number)) = (random.pick(&places), random.pick(NUMBERS)) else {
        return text.to_owned();
    };
    replaced(&all, place, number)
}

/// Tokens dropped, repeated, swapped, or taken from another text.
fn shuffled(text: &str, other: &str, random: &mut Random) -> String {
    let mut all: Vec<&str> = tokens(text).into_iter().map(|(_, token)| token).collect();
    let lent: Vec<&str> = significant(other).map(|(_, token)| token).collect();
    let (at, to) = (random.below(all.len()), random.below(all.len()));
    match random.below(5) {
        0 if !all.is_empty() => {
            let end = (at + 1 + random.below(6)).min(all.len());
            all.drain(at..end);
        }
        1 if !all.is_empty() => {
            let piece: Vec<&str> = all[at..(at + 1 + random.below(20)).min(all.len())].to_vec();
            let times = if random.below(8) == 0 { random.below(200) } else { 1 };
            all.splice(to..to, piece.repeat(times));
        }
        2 if !all.is_empty() => all.swap(at, to),
        3 if !all.is_empty() && !lent.is_empty() => all[at] = lent[random.below(lent.len())],
        _ => {
            let start = random.below(lent.len());
            let end = (start + random.below(8)).min(lent.len());
            all.splice(at..at, lent[start..end].iter().copied());
        }
    }
    all.concat()
}

fn replaced(all: &[(Kind, &str)], place: usize, with: &str) -> String {
    all.iter().enumerate().map(|(at, (_, token))| if at == place { with } else { *token }).collect()
}

fn significant(text: &str) -> impl Iterator<Item = (Kind, &str)> {
    tokens(text).into_iter().filter(|(kind, _)| *kind != Kind::Space)
}

/// Fills a pattern.
fn filled(pattern: &str, first: &str, names: &[String], random: &mut Random) -> String {
    let number = random.below(1000).to_string();
    let mut made = String::new();
    for character in pattern.chars() {
        match character {
            'X' => made.push_str(first),
            'Y' => made.push_str(random.pick(names).map_or("2", String::as_str)),
            'N' => made.push_str(&number),
            other => made.push(other),
        }
    }
    made
}

/// The names behind a word that declares.
fn declarations(text: &str) -> Vec<String> {
    let words =
        ["state", "plastic", "param", "input", "output", "const", "let", "extern", "pre", "post", "synapse"];
    let all: Vec<(Kind, &str)> = significant(text).collect();
    let declared = |pair: &&[(Kind, &str)]| {
        words.contains(&pair[0].1) && pair[1].0 == Kind::Name && !words.contains(&pair[1].1)
    };
    let mut names: Vec<String> = all.windows(2).filter(declared).map(|pair| pair[1].1.to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// An item or a statement.
struct Piece {
    /// In how many braces it stands.
    depth: usize,
    start: usize,
    end: usize,
}

/// What ends with a semicolon or a closing brace.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    // By depth: where the present piece starts.
    let mut starts: Vec<Option<usize>> = vec![None];
    let mut at = 0;
    for (kind, token) in tokens(text) {
        let end = at + token.len();
        let depth = starts.len() - 1;
        match token {
            "{" => {
                starts[depth].get_or_insert(at);
                starts.push(None);
            }
            "}" if depth > 0 => {
                starts.pop();
                if let Some(start) = starts[depth - 1].take() {
                    pieces.push(Piece { depth: depth - 1, start, end });
                }
            }
            ";" => {
                let start = starts[depth].take().unwrap_or(at);
                pieces.push(Piece { depth, start, end });
            }
            _ if kind != Kind::Space => {
                starts[depth].get_or_insert(at);
            }
            _ => {}
        }
        at = end;
    }
    pieces
}
