//! Rows that lag behind: nobody must be able to tell.
//!
//! Long runs in which some neurons never spike and the host seldom looks: reads, writes, parameters, calls, recordings and
//! checkpoints at random moments, on the kernel interpreter and as machine code. Every look sees what the rule interpreter
//! has, to the bit, and where the rows are left behind is said for every shipped rule.

use aplysia::Plan;
use aplysia_compiler::ir::{VarId, VarKind};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::math::Real;
use aplysia_compiler::plan::{self, PlanChoice};
use aplysia_compiler::topology::Topology;
use libtest_mimic::{Failed, Trial};

use crate::differential::device;
use crate::machine::engine::Running;
use crate::machine::oracle::Oracle;
use crate::machine::planned::{Planned, options};
use crate::machine::script::{Act, Numbers, Script, long_script};
use crate::machine::{Case, Machine};
use crate::matrix::sparse;

/// The shipped rules whose rows are left behind.
pub const LEFT_BEHIND: [&str; 10] = [
    "istdp",
    "mstdp",
    "stdp",
    "stdp_nearest_reduced",
    "stdp_nearest_symmetric",
    "stdp_power_law",
    "stdp_soft",
    "stdp_triplet",
    "stdp_triplet_nearest",
    "stdp_weight_dependent",
];

/// Rules that need each kind of value again later: of the group, of neurons, of synapses, times and random numbers.
pub const TEXTS: [(&str, &str); 6] = [
    (
        "transmission",
        "rule r { plastic w in 0 .. 1 = 0.5; post output current; pre state x; post state y;
         dx/dt = -x / 20 ms; dy/dt = -y / 20 ms; update { current += w * pre.spike; }
         on pre { x += 1; dw -= 0.012 * y; } on post { y += 1; dw += 0.01 * x; } }",
    ),
    (
        "time",
        "rule r { plastic w = 0.5; pre state last: ms = -1 ms; global state level = 1;
         update { level = 1 + sin(t / 30 ms); }
         on post { dw += 0.01 * level * exp(-(t - last) / 20 ms) + 0.00001 * (t / 1 ms); }
         on pre { last = t; } }",
    ),
    (
        "noise",
        "rule r { plastic w in 0 .. 1 = 0.5; synapse state n: int;
         on post { let z = normal[synapse](0, 1); dw += 0.02 * z; n += 1; }
         on pre { let u = uniform[synapse](0, 1); if u < 0.5 { dw -= 0.01; } } }",
    ),
    (
        "inputs",
        "rule r { plastic w in -1 .. 1 = 0.1; global input dopamine = 0.5; pre input drive = 0.2;
         post input error = 0.1; synapse input gain = 1; synapse param rate = 0.1; post param share = 0.5;
         on post { dw += rate * dopamine * drive * error * share * gain; } on pre { dw -= 0.01 * w; } }",
    ),
    (
        "schedules",
        "rule r { plastic w in 0 .. 1 = 0.5; pre state x; dx/dt = -x / 10 ms;
         on pre { x += 1; dw -= 0.01; } on post { dw += 0.02 * x; }
         every 50 steps { w *= 0.9; } on call halve { w *= 0.5; } }",
    ),
    (
        "commits",
        "rule r { plastic w in 0 .. 1 = 0.5; pre state x; dx/dt = -x / 10 ms; apply every 40 steps;
         on pre { x += 1; dw -= 0.01; } on post { dw += 0.02 * x; } modulate { dw *= 1.5; } }",
    ),
];

/// The trials.
pub fn trials() -> Vec<Trial> {
    let shipped = LEFT_BEHIND.map(|name| (name, aplysia_rules::find(name).expect("a shipped rule")));
    let mut trials = vec![
        Trial::test("lazy::who_is_left_behind", who),
        Trial::test("lazy::an_engine_goes_back_to_what_it_has_saved", goes_back),
    ];
    for (name, text) in shipped.into_iter().chain(TEXTS) {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("lazy::{name}::{precision:?}").to_lowercase();
            trials.push(Trial::test(title, move || seldom_looked_at(name, text, precision)));
        }
        trials.push(Trial::test(format!("lazy::{name}::recorded"), move || recorded(name, text)));
    }
    trials
}

/// The list above is complete.
fn who() -> Result<(), Failed> {
    let mut found = Vec::new();
    for (name, text) in aplysia_rules::all() {
        let Ok(case) = Case::new(name, text, None, &[]) else { continue };
        let options = plan::Options { choice: PlanChoice::Replay, ..plan::Options::default() };
        if plan::compile(&case.rule, &options).is_ok_and(|program| program.lazy.is_some()) {
            found.push(name);
        }
    }
    found.sort_unstable();
    if found == LEFT_BEHIND { Ok(()) } else { Err(format!("left behind: {found:?}").into()) }
}

fn seldom_looked_at(name: &str, text: &str, precision: Precision) -> Result<(), Failed> {
    let case = Case::must(name, text);
    let dense = |pre, post| Topology::Dense { pre, post };
    let groups = [
        (1, dense(9, 14)),
        (2, dense(40, 5)),
        (4, dense(70, 3)),
        (1, sparse(14, 9, 2)),
        (4, sparse(50, 12, 3)),
    ];
    for (seed, topology) in groups {
        let script = long_script(&case.rule, &topology, precision, 800, seed);
        match precision {
            Precision::F32 => all_see_the_same::<f32>(&case, &script)?,
            Precision::F64 => all_see_the_same::<f64>(&case, &script)?,
        }
    }
    Ok(())
}

/// Every machine against the rule interpreter, at random moments and in the end.
fn all_see_the_same<R: Real>(case: &Case, script: &Script) -> Result<(), String> {
    let program = plan::compile(&case.rule, &options(script, PlanChoice::Replay));
    let program = program.map_err(|_| "the rule is not planned")?;
    if program.lazy.is_none() {
        return Err("nothing is left behind".to_owned());
    }
    let start = |threads| Running::new(case, script, Plan::Replay, device(threads));
    let mut oracle = Oracle::<R>::new(&case.rule, script).map_err(|refusal| refusal.to_string())?;
    let mut planned = Planned::new(&case.rule, &program, script, 1);
    let mut engines: Vec<Running<'_>> = Vec::new();
    for threads in [1, 2] {
        engines.push(start(threads).map_err(|error| error.to_string())?);
    }
    let kept: Vec<VarId> =
        case.rule.variables.iter().filter(|(_, of)| read(of.kind)).map(|(id, _)| id).collect();
    let patience = if script.seed % 2 == 1 { 60 } else { 500 };
    let mut numbers = Numbers::new(script.seed ^ 0x100c);
    for (number, act) in script.acts.iter().enumerate() {
        oracle.act(act)?;
        planned.act(act)?;
        for engine in &mut engines {
            engine.act(act)?;
        }
        // One of them is saved, and a new one goes on.
        if numbers.below(patience) == 0 {
            let at = numbers.below(engines.len());
            let saved = engines[at].save();
            let mut next = start(at + 1).map_err(|error| error.to_string())?;
            next.restore(&saved).map_err(|error| error.to_string())?;
            engines[at] = next;
        }
        let last = number + 1 == script.acts.len();
        for &id in &kept {
            if !last && numbers.below(patience * kept.len()) != 0 {
                continue;
            }
            let expected = oracle.read(id)?;
            let context = |who: &str| {
                let name = case.rule.variables[id].address();
                format!("`{name}` after act {number} of seed {}, {who}", script.seed)
            };
            same(&expected, &planned.read(id)?, &context("program"))?;
            for (at, engine) in engines.iter_mut().enumerate() {
                same(&expected, &engine.read(id)?, &context(&format!("engine with {} threads", at + 1)))?;
            }
        }
    }
    for engine in &engines {
        if engine.program().lazy.is_none() {
            return Err("the engine leaves nothing behind".to_owned());
        }
    }
    Ok(())
}

fn read(kind: VarKind) -> bool {
    !matches!(kind, VarKind::Proposal { .. } | VarKind::Param)
}

fn same(expected: &Option<Vec<f64>>, found: &Option<Vec<f64>>, context: &str) -> Result<(), String> {
    let (Some(expected), Some(found)) = (expected, found) else { return Ok(()) };
    let equal = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    match (0..expected.len().max(found.len())).find(|&place| {
        let pair = expected.get(place).zip(found.get(place));
        pair.is_none_or(|(&a, &b)| !equal(a, b))
    }) {
        None => Ok(()),
        Some(place) => {
            Err(format!("{context}: number {place} is {:?}, not {:?}", found.get(place), expected.get(place)))
        }
    }
}

/// The spikes that an engine has kept are forgotten when it goes back to an earlier step.
fn goes_back() -> Result<(), Failed> {
    let case = Case::must("stdp", aplysia_rules::find("stdp").expect("a shipped rule"));
    for topology in [Topology::Dense { pre: 30, post: 11 }, sparse(30, 11, 2)] {
        let script = long_script(&case.rule, &topology, Precision::F32, 330, 4);
        let (before, after) = script.acts.split_at(script.acts.len() / 4);
        let mut engine = Running::new(&case, &script, Plan::Replay, device(1))?;
        before.iter().try_for_each(|act| engine.act(act))?;
        let saved = engine.save();
        let mut ends = Vec::new();
        for round in 0..2 {
            if round > 0 {
                engine.restore(&saved)?;
            }
            after.iter().try_for_each(|act| engine.act(act))?;
            let ids = case.rule.variables.handles().filter(|&id| read(case.rule.variables[id].kind));
            ends.push(ids.map(|id| engine.read(id)).collect::<Result<Vec<_>, _>>()?);
        }
        for (first, second) in ends[0].iter().zip(&ends[1]) {
            same(first, second, "the second time")?;
        }
    }
    Ok(())
}

/// A recording is a look, and a reset is a change: an engine that has both ends as one that sees every synapse in every step.
fn recorded(name: &str, text: &str) -> Result<(), Failed> {
    let case = Case::must(name, text);
    for topology in [Topology::Dense { pre: 21, post: 8 }, sparse(21, 8, 2)] {
        recorded_on(&case, &topology)?;
    }
    Ok(())
}

fn recorded_on(case: &Case, topology: &Topology) -> Result<(), Failed> {
    let script = long_script(&case.rule, topology, Precision::F32, 400, 5);
    let plastic = case.rule.variables.iter().find(|(_, of)| matches!(of.kind, VarKind::Plastic { .. }));
    let (plastic, _) = plastic.expect("a plastic variable");
    let mut rows = Vec::new();
    for (plan, every) in [(Plan::FullPass, 7), (Plan::Replay, 7), (Plan::Replay, 91)] {
        let mut engine = Running::new(case, &script, plan, device(2))?;
        let recording = engine.record(plastic, every)?;
        let mut steps = 0;
        for act in &script.acts {
            engine.act(act)?;
            steps += u32::from(matches!(act, Act::Step { .. }));
            if matches!(act, Act::Step { .. }) && steps == 150 {
                engine.reset(plastic)?;
            }
        }
        let last = engine.read(plastic)?;
        let recorded = engine.recorded(recording, plastic)?;
        rows.push((Some(recorded.into_iter().map(f64::from).collect()), last));
    }
    same(&rows[0].0, &rows[1].0, "recorded every 7 steps")?;
    same(&rows[0].1, &rows[1].1, "in the end")?;
    same(&rows[0].1, &rows[2].1, "in the end, recorded every 91 steps")?;
    if rows[0].0.iter().flatten().zip(rows[0].0.iter().flatten().skip(1)).all(|(one, next)| one == next) {
        return Err("nothing has been recorded".into());
    }
    Ok(())
}
