//! Every shipped rule on every machine, compared to the bit.
//!
//! For each rule and precision, over several sizes: the rule interpreter, the planned program on the kernel interpreter
//! with each choice of plan, and the engine with 1, 2 and 7 threads. Each case also demands that every statement ran,
//! that each plan that is offered was taken, and that the weights changed.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aplysia::{Device, Plan};
use aplysia_compiler::ir::{Equation, ExprKind, Over, Rule, Statement, VarId, VarKind, Variable};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::math::Real;
use aplysia_compiler::plan::{self, PlanChoice};
use libtest_mimic::{Failed, Trial};

use crate::machine::engine::Running;
use crate::machine::oracle::Oracle;
use crate::machine::planned::{Planned, offered, options};
use crate::machine::script::{Script, script};
use crate::machine::{Case, Trace, compare, trace};

/// One synapse, no neurons on a side, no multiple of a vector's width, several blocks of a sum, many lanes.
const SIZES: [(usize, usize); 7] = [(1, 1), (0, 3), (3, 0), (5, 7), (33, 70), (300, 9), (2, 600)];

/// The trials of all shipped rules.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, text) in aplysia_rules::all() {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("differential::{name}::{precision:?}").to_lowercase();
            trials.push(Trial::test(title, move || shipped(name, text, precision)));
        }
        trials.push(Trial::test(format!("differential::{name}::threads"), move || threads(name, text)));
    }
    for (number, text) in COMPOSITIONS.iter().enumerate() {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("differential::composition_{number}::{precision:?}").to_lowercase();
            trials.push(Trial::test(title, move || shipped("composition", text, precision)));
        }
    }
    trials
}

/// Compositions that no file ships, among them those that externs need.
const COMPOSITIONS: &[&str] = &[
    "use std::stdp; use std::fuzzy_lr; use std::crystallize; rule c = stdp + fuzzy_lr + crystallize;",
    "use std::stdp; use std::normalise; use std::rejuvenate; rule c = stdp + normalise + rejuvenate;",
    "use std::hebbian; use std::adam; rule c = hebbian + adam + adam(w = b) as adam_b;",
    "use std::stdp_triplet; use std::rate_homeostasis; \
     rule c = { param tau = 15 ms; } stdp_triplet(tau_plus = tau) + rate_homeostasis(tau_rate = tau);",
    "use std::stdp_triplet; use std::rate_homeostasis; use std::volume_lr; use std::dale; use std::mask; \
     rule c = stdp_triplet + rate_homeostasis + volume_lr + dale + mask;",
    "use std::conex_stdp; use std::reward_gate; use std::sgd; use std::prior; \
     rule c = conex_stdp + prior + reward_gate + sgd;",
    "use std::conex_spike_rstdp; use std::normalise; use std::clip; \
     rule c = conex_spike_rstdp(positive_bound = soft, negative_bound = hard, order = bound_first) + normalise + clip;",
    "use std::stdp; use std::fuzzy_lr; use std::l1_rates; use std::l1_signs; use std::sign_constraint; \
     rule c = stdp + fuzzy_lr(distribution = weight_adaptive) + sign_constraint + l1_rates + l1_signs;",
    "use std::stdp; use std::layer; use std::fuzzy_lr; \
     rule c = stdp + layer + fuzzy_lr(distribution = activity, dynamic = yes, response = layer.y);",
    "use std::hebbian; use std::prior; use std::nag; use std::mask; \
     rule c = hebbian(weights = nonnegative) + prior(kind = elastic_net) + nag + nag(w = b) as nag_b + mask;",
    "use std::istdp; use std::linear_homeostasis; use std::dale_rows; rule wait { apply every 3 steps; } \
     rule c = istdp + linear_homeostasis(upper = scaled_power, lower = sharp, reduction = sum) + wait + dale_rows;",
    "use std::layer; use std::weight_splitting; use std::stdp; \
     rule c = stdp + layer + weight_splitting(y = layer.y, contacts = 3, activation = tanh);",
];

/// Every shipped rule and every composition, by a name each.
pub fn texts() -> Vec<(String, String)> {
    let shipped = aplysia_rules::all().map(|(name, text)| (name.to_owned(), text.to_owned()));
    let composed = COMPOSITIONS.iter().enumerate();
    shipped
        .chain(composed.map(|(number, text)| (format!("composition_{number}"), (*text).to_owned())))
        .collect()
}

/// A device with so many threads, made once.
pub fn device(threads: usize) -> &'static Device {
    static DEVICES: [OnceLock<Device>; 8] = [const { OnceLock::new() }; 8];
    DEVICES[threads].get_or_init(|| Device::cpu_with_threads(threads).expect("threads can be started"))
}

/// What has been seen of one rule over several scripts.
#[derive(Default)]
pub struct Seen {
    all: BTreeSet<aplysia_compiler::interp::rule::Assignment>,
    ran: BTreeSet<aplysia_compiler::interp::rule::Assignment>,
    offered: BTreeSet<String>,
    taken: BTreeSet<String>,
    changed: bool,
}

/// Runs a script on the rule interpreter, in the script's precision.
pub fn expected(case: &Case, script: &Script, seen: &mut Seen) -> Result<Trace, String> {
    fn run<R: Real>(case: &Case, script: &Script, seen: &mut Seen) -> Result<Trace, String> {
        let refused = |refusal| format!("the rule interpreter refuses: {refusal}");
        let mut oracle = Oracle::<R>::new(&case.rule, script).map_err(refused)?;
        let found = trace(&case.rule, &mut oracle, script)?;
        seen.all.extend(oracle.assignments());
        seen.ran.extend(oracle.ran().iter().copied());
        Ok(found)
    }
    let found = match script.precision {
        Precision::F32 => run::<f32>(case, script, seen)?,
        Precision::F64 => run::<f64>(case, script, seen)?,
    };
    seen.changed |= plastics_change(&case.rule, &found);
    Ok(found)
}

fn plastics_change(rule: &Rule, trace: &Trace) -> bool {
    let plastics = rule.variables.iter().filter(|(_, of)| matches!(of.kind, VarKind::Plastic { .. }));
    let mut changes =
        plastics.map(|(id, _)| trace.windows(2).any(|pair| pair[0][id.index()] != pair[1][id.index()]));
    changes.any(|changes| changes)
}

/// Compares the kernel interpreter, with each choice of plan and several ranges of blocks, with a trace.
pub fn check_programs(case: &Case, script: &Script, expected: &Trace, seen: &mut Seen) -> Result<(), String> {
    let choices = [
        (PlanChoice::FullPass, u64::MAX),
        (PlanChoice::Events, 1),
        (PlanChoice::Auto, 2),
        (PlanChoice::Replay, 3),
    ];
    for (choice, blocks) in choices {
        let program = plan::compile(&case.rule, &options(script, choice))
            .map_err(|found| format!("{choice:?}: {}", messages(&found)))?;
        let mut machine = Planned::new(&case.rule, &program, script, blocks);
        let found =
            trace(&case.rule, &mut machine, script).map_err(|error| format!("{choice:?}: {error}"))?;
        compare(&case.rule, expected, &found).map_err(|error| {
            format!("program, {choice:?}, {blocks} blocks at once, size {:?}: {error}", script.size)
        })?;
        seen.offered.extend(offered(&program));
        seen.taken.extend(machine.taken().keys().cloned());
    }
    Ok(())
}

fn messages(found: &aplysia_compiler::diag::Diagnostics) -> String {
    found.iter().map(|one| format!("{} {}; ", one.code, one.message)).collect()
}

/// Compares machine code with a trace.
pub fn check_engine(
    case: &Case,
    script: &Script,
    expected: &Trace,
    plan: Plan,
    threads: usize,
) -> Result<(), String> {
    let context =
        |error: String| format!("engine, {plan:?}, {threads} threads, size {:?}: {error}", script.size);
    let mut machine =
        Running::new(case, script, plan, device(threads)).map_err(|error| context(error.to_string()))?;
    let found = trace(&case.rule, &mut machine, script).map_err(context)?;
    compare(&case.rule, expected, &found).map_err(context)
}

/// What each case must have shown.
pub fn check_seen(case: &Case, seen: &Seen) -> Result<(), String> {
    let learns = |variable: VarId| match case.rule.variables[variable].kind {
        VarKind::Plastic { proposal } => seen.all.iter().any(|(_, written, ..)| *written == proposal),
        _ => true,
    };
    let idle: Vec<String> = seen
        .all
        .difference(&seen.ran)
        // What nobody proposes to change is applied and never changes.
        .filter(|(_, id, ..)| learns(*id))
        .map(|(span, id, ..)| {
            format!("`{}` at {}..{}", case.rule.variables[*id].address(), span.start, span.end)
        })
        .collect();
    if !idle.is_empty() {
        return Err(format!("assignments that never wrote anything: {}", idle.join(", ")));
    }
    let missed: Vec<&String> = seen.offered.difference(&seen.taken).collect();
    if !missed.is_empty() {
        return Err(format!("plans that were never taken: {missed:?}"));
    }
    let is_plastic = |of: &Variable| matches!(of.kind, VarKind::Plastic { .. });
    let changes = case.rule.variables.iter().any(|(id, of)| is_plastic(of) && learns(id));
    let written =
        !case.rule.update.is_empty() || !case.rule.calls.is_empty() || !case.rule.equations.is_empty();
    if changes && written && !seen.changed {
        return Err("no plastic variable changed".to_owned());
    }
    Ok(())
}

/// A text whose last rule may lack parts that only a composition gives, or `None` where it does.
fn case(name: &str, text: &str) -> Result<Option<Case>, Failed> {
    match Case::new(name, text, None, &[]) {
        Ok(case) => Ok(Some(case)),
        // A rule that reads a state of another one runs in the compositions above.
        Err(shown) if shown.contains("extern") => Ok(None),
        Err(shown) => Err(shown.into()),
    }
}

/// The size with so many postsynaptic neurons more that blocks of them divide their number.
pub fn divided(rule: &Rule, (pre, post): (usize, usize)) -> (usize, usize) {
    let blocks = rule.exprs.iter().filter_map(|(_, expr)| match expr.kind {
        ExprKind::Reduce { over: Over::PostBlocks(size), .. } => Some(size as usize),
        _ => None,
    });
    (pre, post.next_multiple_of(blocks.product()))
}

/// The same; a rule that only reworks what others propose gets something to work on.
pub fn working(name: &str, text: &str) -> Result<Option<Case>, Failed> {
    Ok(case(name, text)?.map(|case| match proposes(&case.rule) {
        true => case,
        false => Case::must(name, &format!("use std::stdp; use std::{name}; rule checked = stdp + {name};")),
    }))
}

fn shipped(name: &str, text: &str, precision: Precision) -> Result<(), Failed> {
    let Some(case) = working(name, text)? else { return Ok(()) };
    let mut seen = Seen::default();
    for (number, size) in SIZES.into_iter().enumerate() {
        let size = divided(&case.rule, size);
        let steps = if size.0 * size.1 > 500 { 8 } else { 16 };
        let script = script(&case.rule, size, precision, steps, number as u64 + 1);
        let expected = expected(&case, &script, &mut seen)?;
        check_programs(&case, &script, &expected, &mut seen)?;
        let turns = [(Plan::Auto, 1), (Plan::FullPass, 2), (Plan::Events, 7), (Plan::Replay, 2)];
        for (plan, threads) in turns {
            check_engine(&case, &script, &expected, plan, threads)?;
        }
    }
    Ok(check_seen(&case, &seen)?)
}

/// Whether a rule proposes a change of a plastic variable by itself.
pub fn proposes(rule: &Rule) -> bool {
    fn writes(rule: &Rule, block: &[Statement]) -> bool {
        block.iter().any(|statement| match statement {
            Statement::Let { .. } => false,
            Statement::Assign { variable, .. } => {
                matches!(rule.variables[*variable].kind, VarKind::Proposal { .. })
            }
            Statement::If { then, otherwise, .. } => writes(rule, then) || writes(rule, otherwise),
        })
    }
    let plastic = |equation: &Equation| {
        matches!(rule.variables[equation.variable].kind, VarKind::Plastic { .. } | VarKind::Proposal { .. })
    };
    writes(rule, &rule.update) || rule.equations.iter().any(plastic)
}

/// Enough work that threads share it: 1, 2 and 7 of them give the same bits.
fn threads(name: &str, text: &str) -> Result<(), Failed> {
    let Some(case) = case(name, text)? else { return Ok(()) };
    let script = script(&case.rule, divided(&case.rule, (700, 301)), Precision::F32, 6, 5);
    let mut one = Running::new(&case, &script, Plan::Auto, device(1)).map_err(|error| error.to_string())?;
    let expected = trace(&case.rule, &mut one, &script)?;
    check_engine(&case, &script, &expected, Plan::Auto, 2)?;
    check_engine(&case, &script, &expected, Plan::Events, 7)?;
    check_engine(&case, &script, &expected, Plan::Replay, 7)?;
    Ok(check_engine(&case, &script, &expected, Plan::FullPass, 7)?)
}
