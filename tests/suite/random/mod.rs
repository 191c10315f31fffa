//! Generated rules: one for every domain and stage with every operation there is (`table`), and random ones
//! (`statement`), on all machines.
//!
//! The texts are not all in order: each statement is checked by itself, and what the checker refuses is left out. For
//! the table the language says which those are, and `coverage` demands that all the others are there. How many random
//! rules there are is `APLYSIA_RANDOM_RULES`; their numbers go on from `APLYSIA_RANDOM_SEED`.

mod base;
mod coverage;
mod statement;
mod table;

use aplysia::Plan;
use aplysia_compiler::ir::Domain;
use aplysia_compiler::kernel::Precision;
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, check_engine, check_programs, expected};
use crate::machine::Case;
use crate::machine::script::{Numbers, script};
use base::{DOMAINS, Parts, STAGES, Stage};

/// Even numbers of postsynaptic neurons, since blocks of two are summed.
const SIZES: [(usize, usize); 5] = [(1, 2), (3, 0), (5, 8), (259, 2), (2, 70)];

/// The trials.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (domain, _) in DOMAINS {
        for stage in STAGES {
            let title = format!("random::{}::{stage:?}", domain.word()).to_lowercase();
            trials.push(Trial::test(title, move || covered(domain, stage)));
        }
    }
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let first = number("APLYSIA_RANDOM_SEED", 0);
    for seed in first..first + number("APLYSIA_RANDOM_RULES", 200) {
        trials.push(Trial::test(format!("random::rule_{seed}"), move || random(seed)));
    }
    trials
}

/// Texts of some random rules, for other tests.
pub fn texts(count: u64) -> Vec<String> {
    (0..count).map(|seed| parts_of(seed).text()).collect()
}

fn check(text: &str, seed: u64, sizes: &[(usize, usize)]) -> Result<(), String> {
    let case = Case::new("generated", text, None, &[])?;
    let explain = |error: String| format!("{error}\nin seed {seed}:\n{text}");
    for (number, &size) in sizes.iter().enumerate() {
        let precision =
            if (seed + number as u64).is_multiple_of(2) { Precision::F32 } else { Precision::F64 };
        let steps = if size.0 * size.1 > 100 { 6 } else { 8 };
        let script = script(&case.rule, size, precision, steps, seed * 7 + number as u64);
        let mut seen = Seen::default();
        let trace = expected(&case, &script, &mut seen).map_err(explain)?;
        check_programs(&case, &script, &trace, &mut seen).map_err(explain)?;
        let plan = [Plan::Auto, Plan::FullPass, Plan::Events, Plan::Replay][(seed % 4) as usize];
        check_engine(&case, &script, &trace, plan, 1).map_err(explain)?;
    }
    Ok(())
}

/// Every operation that the stage allows in the domain is there, and all machines agree about them.
fn covered(domain: Domain, stage: Stage) -> Result<(), Failed> {
    let mut all = Parts::default();
    let mut missing = Vec::new();
    for (number, entry) in table::entries(domain).iter().enumerate() {
        let parts = table::parts(entry, domain, stage, number);
        let found = Case::new("entry", &parts.text(), None, &[]);
        match (found, table::excluded(entry, stage)) {
            (Err(_), true) => {}
            (Ok(_), true) => missing.push(format!("`{}` is accepted, though excluded", entry.expression)),
            (Err(shown), false) => {
                let first = shown.lines().next().unwrap_or_default();
                missing.push(format!("`{}` is refused: {first}", entry.expression));
            }
            (Ok(case), false) => {
                let cells = coverage::cells(&case.rule);
                if !cells.contains(&(entry.word.clone(), domain, stage)) {
                    let words: Vec<_> = cells
                        .iter()
                        .filter(|(word, ..)| *word == entry.word)
                        .map(|cell| (cell.1, cell.2))
                        .collect();
                    missing.push(format!("{} is not in `{}`: {words:?}", entry.word, entry.expression));
                }
                all.extend(&parts);
            }
        }
    }
    if !missing.is_empty() {
        return Err(missing.join("\n").into());
    }
    Ok(check(&all.text(), 2 + stage as u64, &SIZES)?)
}

/// A random rule: statements that the checker accepts, in every stage.
fn parts_of(seed: u64) -> Parts {
    let mut numbers = Numbers::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(1));
    let mut parts = Parts::default();
    for (variable, letter) in [("x", "x"), ("y", "y"), ("z", "z"), ("g", "g")] {
        let mut with = parts.clone();
        with.items += &match numbers.below(4) {
            0 => format!("da{variable}/dt = -a{variable} / 20 ms;\n"),
            1 => format!(
                "da{variable}/dt = tanh({}) / 9 ms;\n",
                statement::expression(&mut numbers, letter, 2)
            ),
            2 => format!("dw{variable}/dt = -w{variable} / 50 ms;\n"),
            _ => continue,
        };
        if Case::new("generated", &with.text(), None, &[]).is_ok() {
            parts = with;
        }
    }
    let stages = [
        Stage::Create,
        Stage::Update,
        Stage::Update,
        Stage::Update,
        Stage::Update,
        Stage::Modulate,
        Stage::Constrain,
        Stage::Call,
        Stage::Schedule,
    ];
    for stage in stages {
        // Most random statements break a rule of some stage; the first that does not is taken.
        for _ in 0..12 {
            let statement = statement::statement(&mut numbers, stage);
            let alone = Parts { items: String::new(), statements: vec![(stage, statement.clone())] };
            if Case::new("generated", &alone.text(), None, &[]).is_ok() {
                parts.statements.push((stage, statement));
                break;
            }
        }
    }
    parts
}

fn random(seed: u64) -> Result<(), Failed> {
    let parts = parts_of(seed);
    if parts.statements.len() < 5 {
        return Err(format!("only {} statements in seed {seed}", parts.statements.len()).into());
    }
    Ok(check(&parts.text(), seed, &[(5, 8), (34, 20)])?)
}
