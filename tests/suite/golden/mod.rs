//! Trajectories of published packages, reproduced by the shipped rules; `tests/golden/README.md` says how they were made.
//!
//! A case becomes one or several plans: a composition of shipped rules, a group, what the host does in each step and
//! what is to come out. Each step is started from the package's values and compared with the next; then the whole
//! trajectory is run. Nothing here knows a case by its name: sizes, parameters and options come from the manifest.

mod bio;
mod check;
mod command;
mod conex;
pub mod data;
mod drive;
mod fuzzy;
mod inferno;
mod ngclearn;
mod plan;
mod splitting;
mod statistics;

use data::Case;
use libtest_mimic::{Failed, Trial};
use plan::Plan;

/// One trial for each case, and one for those that the published code cannot run.
pub fn trials() -> Vec<Trial> {
    let (crashes, cases): (Vec<Case>, Vec<Case>) =
        data::cases().into_iter().partition(|case| case.crash().is_some());
    let mut trials: Vec<Trial> = cases.into_iter().map(trial).collect();
    trials.extend(samples().into_iter().map(|case| {
        let name = format!("golden::command_line::{}", case.id());
        Trial::test(name, move || commanded(&case))
    }));
    trials.push(Trial::test("golden::crashes", move || crashed(&crashes)));
    trials
}

/// The names of all cases.
pub fn names() -> Vec<String> {
    data::cases().iter().map(|case| case.id().to_owned()).collect()
}

fn trial(case: Case) -> Trial {
    let name = format!("golden::{}", case.id());
    Trial::test(name, move || {
        if case.rule() == "statistics" {
            return statistics::check(&case).map_err(Failed::from);
        }
        let mut found = Vec::new();
        for plan in plans(&case) {
            if let Err(error) = check::check(&plan) {
                found.push(format!("{}: {error}\n{}", plan.name, plan.rule));
            }
        }
        if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
    })
}

fn plans(case: &Case) -> Vec<Plan> {
    let plans = match case.system() {
        "conex" => conex::plans(case),
        "bio004" | "bio005" => bio::plans(case),
        "inferno" => inferno::plans(case),
        "ngclearn" => ngclearn::plans(case),
        system => panic!("{}: there is no system `{system}` here", case.id()),
    };
    assert!(!plans.is_empty(), "{} is not run", case.id());
    plans
}

/// Of each class or function the first case of each kind of group, by the words of its variant but for those of bounds and
/// priors.
fn samples() -> Vec<Case> {
    let mut seen = std::collections::BTreeSet::new();
    let runs = |case: &Case| case.crash().is_none() && case.rule() != "statistics";
    let kind = |case: &Case| {
        let connection = case.name("connection").unwrap_or_default().to_owned();
        let optimizer = case.name("optim_type").unwrap_or_default().to_owned();
        let distribution = case.name("fuzzy_lr_distribution").unwrap_or_default().to_owned();
        let spatial = case.variant().contains("conv");
        let batched = case.maybe("batch").is_some_and(|batch| batch > 1.0);
        let delayed = !case.list("src_delay").is_empty();
        (
            case.system().to_owned(),
            case.rule().to_owned(),
            connection + &optimizer + &distribution,
            (spatial, batched, delayed),
        )
    };
    data::cases().into_iter().filter(|case| runs(case) && seen.insert(kind(case))).collect()
}

fn commanded(case: &Case) -> Result<(), Failed> {
    let mut found = Vec::new();
    for plan in plans(case) {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        if let Some(Err(error)) = command::check(&plan, folder.path()) {
            found.push(format!("{}: {error}\n{}", plan.name, plan.rule));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}

/// What the published code cannot run, and why; `tests/golden/README.md` says what the shipped rules do instead.
const CRASHES: [(&str, &str); 4] = [
    // Postsynaptic spikes are read from the presynaptic ones.
    ("Local2dSTDP", "shape '"),
    ("Local2dRSTDP", "shape '"),
    // Traces of two time constants are refused.
    ("SimpleiSTDP", "for Symmetric iSTDP, pre and post trace decay should be equal"),
    // The exponent is a keyword, and passed by position.
    ("fullbound", "positional arguments"),
];

fn crashed(cases: &[Case]) -> Result<(), Failed> {
    for case in cases {
        let crash = case.crash().unwrap_or_default();
        let known = CRASHES.iter().any(|(rule, message)| case.rule() == *rule && crash.contains(message));
        if !known {
            return Err(format!("{}: not known why the published code stops: {crash}", case.id()).into());
        }
    }
    Ok(())
}
