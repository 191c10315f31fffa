//! Modules whose groups leave rows behind: long runs in which the host seldom looks, writes, calls and changes parameters.
//!
//! Replayed rows are held against the rule interpreter, rows in closed form against the engine with the same plan, both to the bit.

use std::path::PathBuf;

use aplysia::Plan;
use aplysia_compiler::back::rust::module::{Settings, Source, module_with};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::math::Real;
use aplysia_compiler::plan::{self, PlanChoice};
use aplysia_compiler::topology::{Kind, Topology};
use libtest_mimic::{Failed, Trial};

use super::build::{Once, once};
use super::forms::{DENSE, Form};
use super::modules::{bytes, given_by_modules, output, program_of, stepper, word};
use crate::differential::device;
use crate::machine::engine::Running;
use crate::machine::oracle::Oracle;
use crate::machine::planned::options;
use crate::machine::script::{Act, Numbers, Script, long_script};
use crate::machine::{Case, Machine, Trace, compare, snapshot};
use crate::matrix::sparse;
use crate::{closed, lazy};

/// A module, and what it is held against.
struct Module {
    /// What its trial is called.
    title: String,
    /// The name of the module.
    name: String,
    case: Case,
    plan: Plan,
    kind: Kind,
    precision: Precision,
    /// Whether the host's writes do not bring rows up to date, which has to be found.
    broken: bool,
}

/// The trials.
pub fn trials() -> Vec<Trial> {
    let without = !super::build::has_compiler();
    let all = modules().into_iter().enumerate();
    let trials = all.map(|(number, module)| {
        let title = format!("native::lagging::{}", module.title);
        Trial::test(title, move || check(number)).with_ignored_flag(without)
    });
    trials.collect()
}

/// Every rule whose rows are left behind, on dense groups in one precision and on sparse ones in the other.
fn modules() -> Vec<Module> {
    let shipped = |name: &'static str| (name, aplysia_rules::find(name).unwrap_or_default());
    let replayed = lazy::LEFT_BEHIND.map(shipped).into_iter().chain(lazy::TEXTS);
    // The propagator of eight coupled equations takes interpreters long.
    let closed = closed::RULES.into_iter().filter(|name| *name != "benna_fusi").map(shipped);
    let all = replayed.map(|of| (Plan::Replay, of)).chain(closed.map(|of| (Plan::ClosedForm, of)));
    let mut modules = Vec::new();
    for (number, (plan, (name, text))) in all.enumerate() {
        let word = if plan == Plan::Replay { "replay" } else { "closed_form" };
        let [first, second] = match number % 2 {
            0 => [Precision::F32, Precision::F64],
            _ => [Precision::F64, Precision::F32],
        };
        for (kind, precision) in [(Kind::Dense, first), (Kind::Sparse, second)] {
            modules.push(Module {
                title: format!("{word}::{name}::{}", kind.word()),
                name: format!("{word}_{number}_{}", kind.word()),
                case: Case::must(name, text),
                plan,
                kind,
                precision,
                broken: false,
            });
        }
    }
    modules.push(Module {
        title: "a_write_to_rows_that_are_behind_is_found".to_owned(),
        name: "broken".to_owned(),
        case: Case::must("stdp", shipped("stdp").1),
        plan: Plan::Replay,
        kind: Kind::Dense,
        precision: Precision::F32,
        broken: true,
    });
    modules
}

struct Built {
    modules: Vec<Module>,
    program: PathBuf,
}

fn built() -> Result<&'static Built, Failed> {
    static BUILT: Once<Built> = Once::new();
    once(&BUILT, build)
}

fn build() -> Result<Built, Failed> {
    let (modules, mut text, mut functions) = (modules(), String::new(), Vec::new());
    for module in &modules {
        let mut rule = module.case.rule.clone();
        rule.name.clone_from(&module.name);
        let plan = if module.plan == Plan::Replay { PlanChoice::Replay } else { PlanChoice::ClosedForm };
        let settings = Settings { topologies: vec![module.kind], plan, ..Settings::default() };
        let source = Source { rule: &rule, text: "", native: "aplysia_native" };
        let mut of =
            module_with(&source, &settings).map_err(|_| format!("`{}` has no module", module.title))?;
        if !of.contains("native::Lagging") {
            return Err(format!("`{}` leaves nothing behind", module.title).into());
        }
        if module.broken {
            of = of.replace("self.catch_up();", "");
        }
        text.push_str(&of);
        let form = Form { kind: module.kind, ..DENSE };
        text.push_str(&stepper(&rule, form, word(module.precision)));
        functions.push(format!("{}_{}", module.name, word(module.precision)));
    }
    Ok(Built { program: program_of("lagging", &text, &functions)?, modules })
}

fn check(number: usize) -> Result<(), Failed> {
    let built = built()?;
    let module = &built.modules[number];
    let dense = |pre, post| Topology::Dense { pre, post };
    let mut groups = match module.kind {
        Kind::Sparse => vec![(1, sparse(14, 9, 2)), (4, sparse(50, 12, 3))],
        _ => vec![(1, dense(9, 14)), (4, dense(70, 3))],
    };
    // Few of the writes concern rows that have missed something.
    groups.extend((5..if module.broken { 25 } else { 5 }).map(|seed| (2 * seed + 1, dense(30, 30))));
    let mut wrong = false;
    for (seed, topology) in groups {
        let mut script = long_script(&module.case.rule, &topology, module.precision, 700, seed);
        given_by_modules(&module.case.rule, &mut script);
        let patience = if seed % 2 == 1 { 20 } else { 200 };
        let mut numbers = Numbers::new(seed ^ 0x100c);
        let events = script.acts.iter().filter(|act| matches!(act, Act::Step { .. } | Act::Call(_))).count();
        let mut looks: Vec<bool> = (0..events).map(|_| numbers.below(patience) == 0).collect();
        looks.iter_mut().rev().take(1).for_each(|last| *last = true);
        let expected = match module.plan {
            Plan::Replay => match module.precision {
                Precision::F32 => replayed::<f32>(&module.case, &script, &looks)?,
                Precision::F64 => replayed::<f64>(&module.case, &script, &looks)?,
            },
            _ => in_closed_form(&module.case, &mut script, &looks)?,
        };
        let mut look = looks.iter().copied();
        let script_bytes = bytes(&module.case.rule, &script, || look.next().unwrap_or_default());
        let function = format!("{}_{}", module.name, word(module.precision));
        let found = output(&built.program, &function, &module.case.rule, &script_bytes)?;
        match compare(&module.case.rule, &expected, &found) {
            Err(_) if module.broken => wrong = true,
            outcome => outcome.map_err(|what| format!("seed {seed}: {what}"))?,
        }
    }
    if module.broken && !wrong { Err("it passed".into()) } else { Ok(()) }
}

/// What the rule interpreter has at each look.
fn replayed<R: Real>(case: &Case, script: &Script, looks: &[bool]) -> Result<Trace, String> {
    let mut oracle = Oracle::<R>::new(&case.rule, script).map_err(|refusal| refusal.to_string())?;
    seen(case, &mut oracle, script, looks)
}

/// What the engine shows at each look, with the plan in closed form.
fn in_closed_form(case: &Case, script: &mut Script, looks: &[bool]) -> Result<Trace, String> {
    let program = plan::compile(&case.rule, &options(script, PlanChoice::ClosedForm));
    let program = program.map_err(|_| "there is no closed form")?;
    let lazy = program.lazy.as_ref().ok_or("nothing is left behind")?;
    closed::kept_signs(script, &lazy.never_negative);
    let engine = Running::new(case, script, Plan::ClosedForm, device(1));
    seen(case, &mut engine.map_err(|error| error.to_string())?, script, looks)
}

fn seen(case: &Case, machine: &mut dyn Machine, script: &Script, looks: &[bool]) -> Result<Trace, String> {
    let mut looks = looks.iter();
    let mut trace = Trace::new();
    for act in &script.acts {
        machine.act(act)?;
        if matches!(act, Act::Step { .. } | Act::Call(_)) && looks.next() == Some(&true) {
            trace.push(snapshot(&case.rule, machine)?);
        }
    }
    Ok(trace)
}
