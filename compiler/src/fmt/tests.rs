//! That formatting keeps what a text means and all its comments, and that doing it twice changes nothing.

use std::path::Path;

use super::{format, same_meaning};
use crate::ast::File;
use crate::source::Sources;

fn tree(text: &str) -> File {
    let mut sources = Sources::new();
    let file = sources.add("test.rule", text);
    let (tree, list) = crate::parse::parse(&sources, file);
    assert!(list.is_empty(), "{}\n{text}", crate::diag::render::render_all(&sources, &list, false));
    tree
}

fn checked(text: &str) -> String {
    let before = tree(text);
    // One round by itself has to be right: the fence in `format` is not to be needed.
    let mut printer = super::layout::Printer::new(text, &before.comments);
    printer.file(&before);
    let round = printer.finish();
    assert!(same_meaning(&before, &tree(&round)), "the meaning changed:\n{text}\n----\n{round}");
    let once = format(text, &before);
    let after = tree(&once);
    assert!(same_meaning(&before, &after), "the meaning changed:\n{text}\n----\n{once}");
    let comments = |file: &File| file.comments.iter().map(|comment| comment.text.clone()).collect::<Vec<_>>();
    assert_eq!(comments(&before), comments(&after), "{once}");
    let twice = format(&once, &after);
    assert_eq!(once, twice, "not idempotent");
    once
}

fn good() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/in/ok");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("one").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

#[test]
fn good_texts_keep_their_meaning() {
    for text in good() {
        let once = checked(&text);
        for line in once.lines() {
            // Words of people are not wrapped.
            assert!(line.chars().count() <= 110 || line.contains("//"), "{line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn comments_may_stand_anywhere() {
    for text in good() {
        let mut sources = Sources::new();
        let file = sources.add("test.rule", text.as_str());
        assert!(crate::parse::parse(&sources, file).1.is_empty());
        let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
        for at in spaces.into_iter().step_by(41) {
            for comment in [" /* here */ ", " // here\n", " /* over\n  two */ "] {
                let line = text[..at].rfind('\n').map_or(0, |start| start + 1);
                let within = &text[line..at];
                // Not within another comment, documentation or string.
                if within.contains("//") || within.contains("/*") || within.contains('"') {
                    continue;
                }
                let mixed = format!("{}{comment}{}", &text[..at], &text[at + 1..]);
                checked(&mixed);
            }
        }
    }
}

#[test]
fn one_layout() {
    let text = "\
// About the file.


/// A rule.
rule  r{
  param a=20ms; // trailing
  param b  : 1/ms in 0 ..1=5Hz;

  on pre{x+=1;dw-=a*y;}
  on post {
    // why
    y += 1;
  }
  update { if x>0{x=0;}else{x=1;} if y > 0 { y = 0; z = 1; w = 2; } else if y < 0 { y = -x^2; y = 2; } else { } }
}
rule s=r(a=1)+r as q;
";
    let expected = "\
// About the file.

/// A rule.
rule r {
    param a = 20 ms; // trailing
    param b: 1/ms in 0 .. 1 = 5 Hz;

    on pre { x += 1; dw -= a * y; }
    on post {
        // why
        y += 1;
    }
    update {
        if x > 0 { x = 0; } else { x = 1; }
        if y > 0 {
            y = 0;
            z = 1;
            w = 2;
        } else if y < 0 {
            y = -x^2;
            y = 2;
        } else {
        }
    }
}
rule s = r(a = 1) + r as q;
";
    assert_eq!(checked(text), expected);
}

#[test]
fn long_lines_are_broken() {
    let term = "alpha_of_the_first_kind * beta_of_the_second_kind";
    let sum = [term; 5].join(" + ");
    let text = format!(
        "rule r {{ update {{ x = {sum}; y = max({sum}, clamp({sum}, 0, 1)); z = if {sum} < 1 {{ {sum} }} else {{ ({sum}) }}; \
         q = match kind {{ none => {sum}, hard => 2 }}; v = -({sum})^2; }} }}\n\
         rule c = {} + last(value = {sum});",
        [term.split(' ').next().expect("a word"); 6].join(" + ")
    );
    let once = checked(&text);
    for line in once.lines() {
        assert!(line.chars().count() <= 110, "{line}");
    }
    assert!(
        once.contains("\n        x = alpha_of_the_first_kind * beta_of_the_second_kind\n            + alpha"),
        "{once}"
    );
}

#[test]
fn different_meanings_differ() {
    let same = |left: &str, right: &str| same_meaning(&tree(left), &tree(right));
    assert!(same("const k = (1 + 2) + 3;", "const k = 1 + /* x */ 2 + 3;"));
    for (left, right) in [
        ("const k = 1 + (2 + 3);", "const k = 1 + 2 + 3;"),
        ("const k = 1;", "const k = 1 ms;"),
        ("const k = 1 ms;", "const k = 1 ms^2;"),
        ("rule r { on pre { } }", "rule r { on post { } }"),
        ("rule r { pre state x; }", "rule r { post state x; }"),
        ("rule r = a + b;", "rule r = b + a;"),
        ("/// a\nrule r { }", "/// b\nrule r { }"),
    ] {
        assert!(!same(left, right), "{left}");
    }
}

/// A small generator of numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .pick(&["x", "pre.spike", "0.5", "20 ms", "2 mV^-1", "u[k]", "inf", "a_rather_long_name"])
                .to_owned();
        }
        let mut next = || self.expression(depth - 1);
        let (a, b, c) = (next(), next(), next());
        match self.roll(12) {
            0 => format!("({a})"),
            1 => format!("-{a}"),
            2 => format!("!{a}"),
            3 => format!("f({a}, {b})"),
            4 => format!("sum[post by {a}]({b})"),
            5 => format!("if {a} {{ {b} }} else {{ {c} }}"),
            6 => format!("match o {{ a => {a}, b => {b} }}"),
            7 => format!("({a}) < ({b})"),
            _ => {
                let operator = self.pick(&["+", "-", "*", "/", "%", "^", "&&", "||"]);
                format!("{a}{operator}{b}")
            }
        }
    }

    fn statement(&mut self, depth: usize) -> String {
        let size = self.roll(4);
        let value = self.expression(size);
        if depth == 0 {
            return format!("{} {value};", self.pick(&["let q =", "x =", "u[k] +=", "dw -=", "a.b *="]));
        }
        let (a, b) = (self.statement(depth - 1), self.statement(depth - 1));
        match self.roll(6) {
            0 => format!("if {value} {{ {a} }} else {{ {b} }}"),
            1 => format!("if {value} {{ {a} {b} }} else if {value} {{ {b} }}"),
            2 => format!("match o {{ a => {{ {a} }} b => {{ {b} }}, }}"),
            3 => format!("for k in 0 .. 3 {{ {a} }}"),
            _ => format!("{a} {b}"),
        }
    }
}

#[test]
fn random_texts_keep_their_meaning() {
    let mut dice = Dice(7);
    let mut parsed = 0;
    for round in 0..300 {
        let (statement, value) = (dice.statement(round % 4), dice.expression(round % 5));
        let text =
            format!("rule r {{ dx/dt = {value}; on pre {{ {statement} }} }}\nrule s = r(a = {value}) + r;");
        let mut sources = Sources::new();
        let file = sources.add("test.rule", text.as_str());
        // Some happen to chain comparisons.
        if crate::parse::parse(&sources, file).1.is_empty() {
            checked(&text);
            parsed += 1;
        }
    }
    assert!(parsed > 150, "{parsed}");
}
