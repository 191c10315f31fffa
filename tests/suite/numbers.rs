//! Known answers: the numbers that every run depends on, frozen. A change here changes what published runs give.

use aplysia_compiler::ir::Distribution;
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::math::{Stream, draw, random_word};
use aplysia_compiler::topology::Topology;
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, check_engine, check_programs, expected};
use crate::machine::Case;
use crate::machine::script::{Act, Script};
use crate::snapshot;

/// The trials.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("numbers::random_words", random_words),
        Trial::test("numbers::draws", draws),
        Trial::test("numbers::order_of_sums", order_of_sums),
        Trial::test("numbers::gates", gates),
        Trial::test("numbers::minimum_and_maximum", minimum_and_maximum),
        Trial::test("numbers::folding", folding),
    ]
}

fn places() -> [Stream; 5] {
    let first = Stream { seed: 0, step: 0, site: 0, run: 0, row: 0, column: 0 };
    [
        Stream { ..first },
        Stream { step: 1, ..first },
        Stream { seed: 0x1234_5678_9abc_def0, step: 7, site: 3, run: 2, row: 11, column: 5 },
        Stream { seed: 42, site: 1, column: 6, ..first },
        Stream { seed: 42, step: 1000, row: 299, column: 599, ..first },
    ]
}

/// The first four words of counter and key 0 are the generator's published test vector.
fn random_words() -> Result<(), Failed> {
    let vector = [0x6627_e8d5u32, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8];
    for (column, wanted) in (0..).zip(vector) {
        let stream = Stream { seed: 0, step: 0, site: 0, run: 0, row: 0, column };
        let found = random_word(&stream, 0);
        if found != wanted {
            return Err(format!("word {column} is {found:#x}, not {wanted:#x}").into());
        }
    }
    let mut text = String::new();
    for stream in places() {
        let words = [0, 1, 2].map(|attempt| format!("{:08x}", random_word(&stream, attempt)));
        text += &format!("{stream:?}: {}\n", words.join(" "));
    }
    snapshot::check("numbers", "random_words", &text);
    Ok(())
}

fn draws() -> Result<(), Failed> {
    let distributions: [(Distribution, &[f64]); 7] = [
        (Distribution::Uniform, &[-1.0, 2.0]),
        (Distribution::Normal, &[0.5, 2.0]),
        (Distribution::LogNormal, &[0.0, 0.5]),
        (Distribution::Bernoulli, &[0.3]),
        (Distribution::Exponential, &[2.0]),
        (Distribution::Gamma, &[0.6, 1.5]),
        (Distribution::Beta, &[0.5, 2.0]),
    ];
    let mut text = String::new();
    for (distribution, parameters) in distributions {
        let single: Vec<f32> = parameters.iter().map(|&parameter| parameter as f32).collect();
        for stream in places() {
            let (narrow, wide) =
                (draw(distribution, &single, &stream), draw(distribution, parameters, &stream));
            text += &format!("{distribution:?} {:08x} {:016x}\n", narrow.to_bits(), wide.to_bits());
        }
    }
    snapshot::check("numbers", "draws", &text);
    Ok(())
}

/// Runs one step of a rule with a given variable on all machines, and gives the bits of its state `r`, as f64.
fn one_step(text: &str, size: (usize, usize), values: &[(&str, Vec<f64>)]) -> Result<Vec<f64>, String> {
    let case = Case::must("numbers", text);
    let find = |name: &str| {
        let found = case.rule.variables.iter().find(|(_, of)| of.name == name);
        found.map(|(id, _)| id).ok_or_else(|| format!("no `{name}`"))
    };
    let mut acts = Vec::new();
    for (name, values) in values {
        acts.push(Act::Input(find(name)?, values.clone()));
    }
    acts.push(Act::Step { pre: vec![false; size.0], post: vec![true; size.1] });
    let script = Script {
        size,
        topology: Topology::Dense { pre: size.0, post: size.1 },
        batch: 1,
        precision: Precision::F32,
        dt: 1.0,
        seed: 1,
        parameters: Vec::new(),
        initial: Vec::new(),
        draws: Vec::new(),
        acts,
    };
    let mut seen = Seen::default();
    let trace = expected(&case, &script, &mut seen)?;
    check_programs(&case, &script, &trace, &mut seen)?;
    check_engine(&case, &script, &trace, aplysia::Plan::Auto, 1)?;
    let result = trace.last().and_then(|last| last[find("r").ok()?.index()].clone());
    Ok(result.unwrap_or_default().into_iter().map(f64::from_bits).collect())
}

fn equal(what: &str, found: &[f64], wanted: &[f64]) -> Result<(), Failed> {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    if bits(found) == bits(wanted) {
        Ok(())
    } else {
        Err(format!("{what}: {found:?}, not {wanted:?}").into())
    }
}

/// In f32, 2^24 swallows a one that is added to it alone, but not two that have met before.
fn order_of_sums() -> Result<(), Failed> {
    let large = 16_777_216.0;
    let ones = |count: usize, places: &[usize]| {
        let mut values = vec![0.0; count];
        values[0] = large;
        for &place in places {
            values[place] = 1.0;
        }
        values
    };
    let pre = "rule a { pre input x; global state r; update { r = sum[pre](sum[batch](x)); } }";
    for (places, wanted) in [(&[1, 2, 255][..], large), (&[256, 257], large + 2.0), (&[255, 256], large)] {
        let found = one_step(pre, (600, 1), &[("x", ones(600, places))])?;
        equal("a sum over pre", &found, &[wanted])?;
    }
    let post = "rule a { post input y; global state r; update { r = sum[post](sum[batch](y)); } }";
    for (places, wanted) in
        [(&[32, 64][..], large), (&[1, 17], large + 2.0), (&[8, 16], large), (&[8, 24], large + 2.0)]
    {
        let found = one_step(post, (1, 600), &[("y", ones(600, places))])?;
        equal("a sum over post", &found, &[wanted])?;
    }
    Ok(())
}

/// What a gate leaves out is not looked at, and not added.
fn gates() -> Result<(), Failed> {
    let text = "rule a { post input y; shared post state r; \
                update { r = sum[batch](pre.count * 0 + post.spike * y); } }";
    equal(
        "an open gate",
        &one_step(text, (1, 2), &[("y", vec![f64::INFINITY, 2.0])])?,
        &[f64::INFINITY, 2.0],
    )?;
    let text = "rule a { pre input x; shared pre state r; update { r = sum[batch](pre.spike * x); } }";
    equal("a closed gate", &one_step(text, (2, 1), &[("x", vec![f64::INFINITY, -2.0])])?, &[0.0, 0.0])
}

fn minimum_and_maximum() -> Result<(), Failed> {
    let operands = [(f64::NAN, 1.0), (1.0, f64::NAN), (0.0, -0.0), (-0.0, 0.0), (2.0, 1.0)];
    let (x, y) = (operands.map(|pair| pair.0).to_vec(), operands.map(|pair| pair.1).to_vec());
    for (name, wanted) in [("min", [f64::NAN, 1.0, 0.0, -0.0, 1.0]), ("max", [f64::NAN, 1.0, 0.0, -0.0, 2.0])]
    {
        let text = format!(
            "rule a {{ shared pre input x; shared pre input y; shared pre state r; update {{ r = {name}(x, y); }} }}"
        );
        let found = one_step(&text, (5, 1), &[("x", x.clone()), ("y", y.clone())])?;
        equal(name, &found, &wanted)?;
    }
    Ok(())
}

/// `1 - beta2` is computed in f64 and rounded once: 0.001 to the nearest f32, not 1 - 0.999 in f32.
fn folding() -> Result<(), Failed> {
    let text =
        "rule a { param beta2 = 0.999; global input one; global state r; update { r = (1 - beta2) * one; } }";
    let found = one_step(text, (1, 1), &[("one", vec![1.0])])?;
    equal("1 - beta2", &found, &[f64::from((1.0f64 - 0.999) as f32)])
}
