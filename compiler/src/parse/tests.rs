//! What the parser takes, what it refuses, and that nothing makes it fall over.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::ast::{BinaryOperator, Expr, ExprKind, File, Item, RuleBody, RuleItem, UnaryOperator};
use crate::diag::{Diagnostics, code, render};
use crate::source::Sources;

fn parse(text: &str) -> (File, Diagnostics) {
    let mut sources = Sources::new();
    let file = sources.add("test.rule", text);
    super::parse(&sources, file)
}

/// Fails with the rendered diagnostics.
fn clean(text: &str) -> File {
    let mut sources = Sources::new();
    let file = sources.add("test.rule", text);
    let (tree, list) = super::parse(&sources, file);
    assert!(list.is_empty(), "{}", render::render_all(&sources, &list, false));
    tree
}

fn codes(text: &str) -> Vec<&'static str> {
    parse(text).1.iter().map(|problem| problem.code.id()).collect()
}

/// An expression with every operation in brackets.
fn shown(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Number(number) => match &number.unit {
            Some((unit, power)) => format!("{}{}^{power}", number.text, unit.text),
            None => number.text.clone(),
        },
        ExprKind::Path(path) => path.dotted(),
        ExprKind::Index(path, index) => format!("{}[{}]", path.dotted(), shown(index)),
        ExprKind::Call { function, arguments, .. } => {
            format!("{}({})", function.text, arguments.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        ExprKind::Array(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(",")),
        ExprKind::Group(inner) => format!("<{}>", shown(inner)),
        ExprKind::Unary(UnaryOperator::Negate, inner) => format!("(-{})", shown(inner)),
        ExprKind::Unary(UnaryOperator::Not, inner) => format!("(!{})", shown(inner)),
        ExprKind::Binary(operator, _, left, right) => {
            format!("({}{}{})", shown(left), operator.symbol(), shown(right))
        }
        ExprKind::If(a, b, c) => format!("if({},{},{})", shown(a), shown(b), shown(c)),
        ExprKind::Match(name, arms) => {
            let arms: Vec<_> =
                arms.iter().map(|(name, value)| format!("{}:{}", name.text, shown(value))).collect();
            format!("match({},{})", name.text, arms.join(","))
        }
        ExprKind::Error => "ERROR".to_owned(),
    }
}

fn expression(text: &str) -> String {
    let tree = clean(&format!("const k = {text};"));
    match tree.items.as_slice() {
        [Item::Const(constant)] => shown(constant.value.as_ref().expect("a value")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn levels_of_operators() {
    for (text, tree) in [
        ("-x^2", "(-(x^2))"),
        ("2^-3", "(2^(-3))"),
        ("2^-3^2", "(2^(-(3^2)))"),
        ("2^3^4", "(2^(3^4))"),
        ("2^-3*4", "((2^(-3))*4)"),
        ("-a*b", "((-a)*b)"),
        ("a*-b^2", "(a*(-(b^2)))"),
        ("a-b-c", "((a-b)-c)"),
        ("a/b*c%d", "(((a/b)*c)%d)"),
        ("a+b*c", "(a+(b*c))"),
        ("!a==b", "((!a)==b)"),
        ("a||b&&c", "(a||(b&&c))"),
        ("a<b&&c>=d", "((a<b)&&(c>=d))"),
        ("a+1<b*2", "((a+1)<(b*2))"),
        ("--a", "(-(-a))"),
        ("(a+b)*c", "(<(a+b)>*c)"),
    ] {
        assert_eq!(expression(text), tree, "{text}");
    }
}

#[test]
fn numbers_and_units() {
    for (text, tree) in [
        ("20 ms", "20ms^1"),
        ("20ms", "20ms^1"),
        ("2 ms^2", "(2ms^1^2)"),
        ("2 ms^-1", "(2ms^1^(-1))"),
        ("2 ms^2.5", "(2ms^1^2.5)"),
        ("1 / 20 ms", "(1/20ms^1)"),
        ("-70 mV", "(-70mV^1)"),
        ("3 µs + 3 μs", "(3μs^1+3μs^1)"),
        ("1e-5s", "1e-5s^1"),
        ("1_000", "1_000"),
        ("2 * s", "(2*s)"),
        ("gamma + gamma(1, 2)", "(gamma+gamma(1,2))"),
        ("pre.spike * std::x", "(pre.spike*std.x)"),
        ("dw / dt", "(dw/dt)"),
    ] {
        assert_eq!(expression(text), tree, "{text}");
    }
}

#[test]
fn equations_lose_their_letter() {
    let tree = clean("rule r { dx / dt = -x; dθ/dt = 1; du[k]/dt = 2; ddx/dt = 3; }");
    let [Item::Rule(rule)] = tree.items.as_slice() else { panic!("{tree:?}") };
    let RuleBody::Items(items) = &rule.body else { panic!("{rule:?}") };
    let names: Vec<_> = items
        .iter()
        .map(|item| match item {
            RuleItem::Equation(equation) => (equation.variable.text.as_str(), equation.index.is_some()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [("x", false), ("θ", false), ("u", true), ("dx", false)]);
}

#[test]
fn documentation_in_both_forms() {
    let lines = clean("/// a\n///  b\nrule r { }");
    let attribute = clean("#[doc = \" a\\n  b\"]\nrule r { }");
    let raw = clean("#[doc = r#\" a\"#]\n#[doc=r\"  b\"]\nrule r { }");
    for tree in [&lines, &attribute, &raw] {
        let [Item::Rule(rule)] = tree.items.as_slice() else { panic!("{tree:?}") };
        let docs: Vec<_> = rule.docs.iter().map(|doc| doc.text.as_str()).collect();
        assert_eq!(docs, ["a", " b"]);
    }
}

#[test]
fn comments_are_kept_in_order() {
    let tree = clean("// one\nrule r { /* two /* nested */ */ }\n//// three\n");
    let texts: Vec<_> = tree.comments.iter().map(|comment| comment.text.as_str()).collect();
    assert_eq!(texts, ["// one", "/* two /* nested */ */", "//// three"]);
}

#[test]
fn spans_cover_what_was_written() {
    let text = "const k = (a + b) * f(x) ;";
    let tree = clean(text);
    let [Item::Const(constant)] = tree.items.as_slice() else { panic!("{tree:?}") };
    let value = constant.value.as_ref().expect("a value");
    let slice = |span: crate::source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(slice(value.span), "(a + b) * f(x)");
    assert_eq!(slice(constant.span), text);
    let ExprKind::Binary(BinaryOperator::Multiply, place, left, _) = &value.kind else { panic!("{value:?}") };
    assert_eq!((slice(*place), slice(left.span)), ("*", "(a + b)"));
}

#[test]
fn one_text_shows_all_its_mistakes() {
    let text = "\
rule a {
    param x = ;
    param y = 1
    state z;
    update {
        z = = 2;
        z += 1;
        let q = 5 foo;
        if z ** 2 > 1 { z = 0; } else { z = 1; }
        z -= 1;
    }
    dz/dt = -z;
}
ruel b { }
rule c { }
";
    assert_eq!(codes(text), ["E0111", "E0110", "E0111", "E0112", "E0115", "E0118"]);
    let (tree, _) = parse(text);
    assert_eq!(tree.items.len(), 2);
    let Item::Rule(rule) = &tree.items[0] else { panic!("{tree:?}") };
    let RuleBody::Items(items) = &rule.body else { panic!("{rule:?}") };
    assert_eq!(items.len(), 4, "{items:?}");
    let RuleItem::Handler(handler) = &items[2] else { panic!("{items:?}") };
    assert_eq!(handler.body.statements.len(), 2);
}

fn cases(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/in").join(folder);
    let mut cases: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rule"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn good_texts_parse() {
    let cases = cases("ok");
    assert!(cases.len() >= 4);
    for (name, text) in cases {
        println!("{name}");
        clean(&text);
    }
}

#[test]
fn each_case_shows_its_code() {
    let mut seen = std::collections::BTreeSet::new();
    let mut wrong = String::new();
    for (name, text) in cases("err").into_iter().filter(|(name, _)| name.starts_with("E01")) {
        let mut sources = Sources::new();
        let file = sources.add(format!("{name}.rule"), text);
        let (_, list) = super::parse(&sources, file);
        let first = list.iter().next().map_or("none", |problem| problem.code.id());
        if first != &name[..5] || list.len() != 1 {
            wrong += &format!("{name}: {}", render::render_all(&sources, &list, false));
        }
        seen.insert(name[..5].to_owned());
    }
    assert!(wrong.is_empty(), "{wrong}");
    // These need texts that are too large for a case file, or a fault of the grammar.
    let without = [code::SOURCE_TOO_LARGE, code::TOO_MANY_MISTAKES, code::TOO_COMPLEX];
    for known in code::all().filter(|known| known.id().starts_with("E01") && !without.contains(known)) {
        assert!(seen.contains(known.id()), "no case for {known}");
    }
}

#[test]
fn every_code_is_explained() {
    for known in code::all().filter(|known| known.id().starts_with("E01")) {
        let text = known.0.explanation;
        assert!(text.len() > 100 && text.contains("```rule"), "{known}");
    }
}

#[test]
fn a_text_of_more_than_a_mebibyte_is_refused() {
    assert_eq!(codes(&" ".repeat((1 << 20) + 1)), ["E0101"]);
    assert!(codes(&" ".repeat(1 << 20)).is_empty());
}

#[test]
fn not_all_of_very_many_mistakes_are_shown() {
    let list = codes(&"@ 1 ".repeat(10_000));
    assert_eq!(list.len(), 101);
    assert!(list.contains(&"E0123"));
}

/// Runs in a thread with a stack of 2 MiB and bounds the time.
fn survives(name: &str, text: String) {
    let begin = Instant::now();
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let (tree, list) = parse(&text);
        if list.is_empty() {
            assert!(!crate::fmt::format(&text, &tree).is_empty());
        }
        let copy = tree.clone();
        assert!(copy == tree);
        list.len()
    });
    thread.expect("a thread").join().expect("no panic");
    assert!(begin.elapsed() < Duration::from_secs(60), "{name} took {:?}", begin.elapsed());
}

#[test]
fn hostile_texts_do_no_harm() {
    let deep = |open: &str, middle: &str, close: &str, n: usize| open.repeat(n) + middle + &close.repeat(n);
    let stmt = |text: &str| format!("rule r {{ update {{ {text} }} }}");
    let texts = [
        ("open", "(".repeat(50_000)),
        ("calls", format!("const k = {};", "a(".repeat(50_000))),
        ("calls in bounds", format!("const k = {};", deep("a(", "1", ")", 63))),
        ("calls, broken", format!("const k = {};", deep("a(", "1 2", ")", 63))),
        ("groups, broken", format!("const k = {};", deep("(", "", ")", 63))),
        ("indices, broken", format!("const k = {};", deep("a[", "1 +", "]", 63))),
        ("post by", format!("const k = {};", deep("u[post by ", "1", "]", 63))),
        ("post by called", format!("const k = {};", deep("u[post by ", "1", "](2)", 63))),
        ("if if", stmt(&"if a {".repeat(30_000))),
        ("ifs in bounds", stmt(&deep("if a {", "x = 1;", "}", 60))),
        ("ifs, broken", stmt(&deep("if a {", "x = = 1;", "}", 60))),
        ("ifs, broken behind", stmt(&deep("if a {", "x = 1;", "} = ", 60))),
        ("if values", stmt(&format!("x = {};", deep("if a {", "1", "} else { 2 }", 60)))),
        ("if values, broken", stmt(&format!("x = {};", deep("if a {", "1", "}", 60)))),
        ("if conditions", stmt(&format!("x = {};", deep("if ", "1", " { 2 } else { 3 }", 3000)))),
        ("match values", stmt(&format!("x = {};", deep("match a { b => ", "1", "}", 60)))),
        ("matches, broken", stmt(&deep("match a { b => {", "1", "} }", 30))),
        ("for", stmt(&deep("for k in 0 .. 1 {", "1", "}", 60))),
        ("for at rule level", format!("rule r {{ {} }}", deep("for k in 0 .. 1 {", "1", "}", 60))),
        ("sum", format!("const k = {}a;", "a+".repeat(50_000))),
        ("powers", format!("const k = {}a;", "a^".repeat(50_000))),
        ("prefixes", format!("const k = {}a;", "-".repeat(80_000))),
        ("prefixes and spaces", format!("const k = {}a;", "- ".repeat(80_000))),
        ("comment", "/*".repeat(50_000)),
        ("comments", deep("/*", "", "*/", 64) + "rule r { }"),
        ("string", "\"".repeat(100_001)),
        ("nul", "\0".repeat(50_000)),
        ("nul and chunks", "\0 ; ".repeat(50_000)),
        ("nul and words", "\0 a ".repeat(50_000)),
        ("semicolons", ";".repeat(50_000)),
        ("words", "a ".repeat(80_000)),
        ("long word", "a".repeat(1 << 20)),
        ("doc", "///\n".repeat(50_000)),
        ("doc within", format!("rule r {{ {} }}", "update { ///\n }\n".repeat(20_000))),
        ("modifiers", format!("rule r {{ {} }}", "state ".repeat(50_000))),
        ("paths", format!("const k = {}a;", "a.".repeat(80_000))),
        ("parts", format!("rule r = {}a;", "a + ".repeat(50_000))),
        ("hashes", "#[".repeat(30) + &"]".repeat(30)),
        ("many rules", "rule r { state x; dx/dt = -x; on pre { x += 1; } }\n".repeat(5_000)),
        ("else if", stmt(&format!("if a {{ }} {}", "else if a { } ".repeat(50_000)))),
        ("odd letters", "½ªµº\u{200d}\u{feff}é😀".repeat(1000)),
    ];
    for (name, text) in texts {
        survives(name, text);
    }
}

/// Without a bracket between them.
#[test]
fn conditions_in_conditions_are_counted() {
    let chain =
        |n: usize, inner: &str| format!("{}{inner}{}", "if ".repeat(n), " { 2 } else { 3 }".repeat(n));
    let value = |text: String| format!("rule r {{ plastic w; update {{ dw += {text}; }} }}");
    clean(&value(chain(61, "w")));
    assert_eq!(codes(&value(chain(3000, "w"))), ["E0107"]);
    // What stands in a condition and has ended is no depth, what goes on behind it is.
    for whole in
        ["if a { 1 } else { 2 }", "if a { 1 } else if b { 1 } else { 2 }", "match a { b => 1, c => { 2 } }"]
    {
        let text = format!("{}w{}", format!("if {whole} + ").repeat(1000), " { 2 } else { 3 }".repeat(1000));
        assert_eq!(codes(&value(text)), ["E0107"], "{whole}");
        let text = format!("({whole}) + ").repeat(200);
        assert!(!codes(&value(format!("{text}w"))).contains(&"E0107"), "{whole}");
    }
    assert!(!codes(&format!("rule r {{ update {{ {} }} }}", "if a; ".repeat(100))).contains(&"E0107"));
}

#[test]
fn every_prefix_and_every_deletion_is_survived() {
    let (_, text) = cases("ok").into_iter().find(|(name, _)| name == "every_production").expect("the case");
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for (index, &at) in places.iter().enumerate().step_by(7) {
        parse(&text[..at]);
        let next = places.get(index + 1).copied().unwrap_or(text.len());
        parse(&format!("{}{}", &text[..at], &text[next..]));
    }
}

/// The blocks of rule text in an explanation.
fn examples(text: &str) -> Vec<&str> {
    text.split("```rule\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn explanations_show_what_they_explain() {
    let abstract_ones = [
        code::SOURCE_TOO_LARGE,
        code::CHAIN_TOO_LONG,
        code::EXPRESSION_TOO_DEEP,
        code::TOO_MANY_MISTAKES,
        code::TOO_COMPLEX,
    ];
    for known in code::all().filter(|known| known.id().starts_with("E01") && !abstract_ones.contains(known)) {
        let examples = examples(known.0.explanation);
        let wrong = examples.first().expect("an example");
        assert!(codes(wrong).contains(&known.id()), "{known}: {:?}", codes(wrong));
        for right in &examples[1..] {
            clean(right);
        }
    }
}

#[test]
fn random_tokens_are_survived() {
    let tokens: Vec<&str> = "rule r { } { } ( ) [ ] ; ; ; = = += / dt dx x y u . :: , .. => -> + - * ^ ! < == && \
        param state plastic pre post synapse per global batched in option const extern on create call every steps \
        after update modulate apply constrain for if else match let fn use as by solver batch 1 0.5 20 ms 2e3 s \
        \"a\" /// # doc // /* */ τ ² @ sum min pre.spike"
        .split_whitespace()
        .collect();
    let mut seed = 1u64;
    for round in 0..1500 {
        let mut text = String::from(if round % 2 == 0 { "rule r { update { " } else { "rule r { " });
        for _ in 0..round % 60 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let token = tokens[(seed >> 33) as usize % tokens.len()];
            text += token;
            text.push(if token.starts_with("//") { '\n' } else { ' ' });
        }
        // Close what is open, so that most texts reach the grammar.
        let mut open = Vec::new();
        let mut balanced = String::new();
        for letter in text.chars() {
            match letter {
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' if open.last() != Some(&letter) => continue,
                ')' | ']' | '}' => drop(open.pop()),
                _ => {}
            }
            balanced.push(letter);
        }
        balanced.extend(open.iter().rev());
        let mut sources = Sources::new();
        let file = sources.add("test.rule", balanced.as_str());
        let (tree, list) = super::parse(&sources, file);
        assert!(!render::render_all(&sources, &list, true).is_empty() || list.is_empty());
        assert!(!list.has_errors() || crate::fmt::format(&balanced, &tree) == balanced);
    }
}
