//! Plans in closed form: every shipped rule that has one, on dense and sparse groups, in both precisions, against the rule
//! interpreter, with host writes, calls and changing parameters in between; and the engine against the program interpreter, to
//! the bit. Looking, recording and going on from a checkpoint change nothing.

use std::fmt::Write as _;

use aplysia::units::ms;
use aplysia::{Device, Engine, Events, Group, GroupId, Plan, Recorder};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::plan::{self, Options, PlanChoice};
use aplysia_compiler::topology::{Kind, Topology};
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, check_engine, device, expected};
use crate::machine::engine::Running;
use crate::machine::planned::{Planned, options};
use crate::machine::script::{Act, Numbers, Script, script_on};
use crate::machine::{Case, Trace, trace};
use crate::{matrix, snapshot};

/// The shipped rules that have a closed form; `which` holds this list against all of them.
pub const RULES: [&str; 16] = [
    "benna_fusi",
    "clopath",
    "conex_spike_istdp",
    "conex_spike_rstdp",
    "conex_spike_stdp",
    "istdp",
    "linear_homeostasis",
    "nag",
    "prior",
    "reward_gate",
    "stdp",
    "stdp_nearest_symmetric",
    "stdp_triplet",
    "stdp_triplet_nearest",
    "updater",
    "weight_decay",
];

/// The trials.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for name in RULES {
        let text = aplysia_rules::find(name).unwrap_or_default();
        for kind in [Kind::Dense, Kind::Sparse] {
            for precision in [Precision::F32, Precision::F64] {
                let title = format!("closed::{name}::{}::{precision:?}", kind.word()).to_lowercase();
                trials.push(Trial::test(title, move || shipped(name, text, kind, precision)));
            }
        }
    }
    trials.push(Trial::test("closed::which_rules", which));
    trials.push(Trial::test("closed::looking_changes_nothing", looking));
    trials.push(Trial::test("closed::a_checkpoint_goes_on_to_the_bit", checkpoint));
    trials.push(Trial::test("closed::signs_that_a_proof_needs_are_kept", signs));
    trials
}

fn closed(kind: Kind) -> Options {
    Options { topology: kind, choice: PlanChoice::ClosedForm, ..Options::default() }
}

/// Every shipped rule: that it has a closed form, or why not.
fn which() -> Result<(), Failed> {
    let (mut list, mut with) = (String::new(), Vec::new());
    for (name, text) in aplysia_rules::all() {
        // A rule that waits for another's state is no rule by itself.
        let Ok(case) = Case::new(name, text, None, &[]) else { continue };
        let line = match plan::compile(&case.rule, &closed(Kind::Dense)) {
            Ok(_) => {
                with.push(name);
                "closed form".to_owned()
            }
            Err(found) => {
                let first = found.iter().next().ok_or("an error without a diagnostic")?;
                let reason = first.message.trim_start_matches("the step has no closed form: ");
                let span = first.primary.span;
                let place = text.get(span.start as usize..span.end as usize);
                let here = place.filter(|place| !place.contains('\n') && text.contains(*place));
                format!("{reason} [{}]", here.unwrap_or("in a part"))
            }
        };
        let _ = writeln!(list, "{name}: {line}");
    }
    snapshot::check("closed", "which", &list);
    with.sort_unstable();
    if with == RULES { Ok(()) } else { Err(format!("the rules with a closed form are {with:?}").into()) }
}

/// Only what is not negative, for states of which a proof needs that.
pub fn kept_signs(script: &mut Script, never_negative: &[aplysia_compiler::ir::VarId]) {
    for act in &mut script.acts {
        if let Act::Write(id, values) = act
            && never_negative.contains(id)
        {
            values.iter_mut().for_each(|value| *value = value.abs());
        }
    }
}

/// More steps behind a script, with pauses that are longer than what is kept.
fn lengthened(script: &mut Script) {
    let mut numbers = Numbers::new(script.seed ^ 77);
    let (pre, post) = script.size;
    for _ in 0..640 {
        let mut side = |count: usize, share: f64| (0..count).map(|_| numbers.unit() < share).collect();
        script.acts.push(Act::Step { pre: side(pre, 0.004), post: side(post, 0.03) });
    }
}

fn shipped(name: &str, text: &str, kind: Kind, precision: Precision) -> Result<(), Failed> {
    let case = Case::must(name, text);
    for (number, topology) in matrix::groups(kind).into_iter().enumerate() {
        let mut script = script_on(&case.rule, &topology, 1, precision, 16, number as u64 + 1);
        let program = plan::compile(&case.rule, &options(&script, PlanChoice::ClosedForm));
        let program = program.map_err(|found| format!("{found:?}"))?;
        let lazy = program.lazy.as_ref().ok_or("nothing is left behind")?;
        kept_signs(&mut script, &lazy.never_negative);
        // Interpreters take long for the propagator of eight coupled equations.
        if number == 0 && name != "benna_fusi" {
            lengthened(&mut script);
        }
        let mut seen = Seen::default();
        let exact = expected(&case, &script, &mut seen)?;
        let mut machine = Planned::new(&case.rule, &program, &script, 1);
        let found = trace(&case.rule, &mut machine, &script)?;
        // Momentum makes ten of every rounding, in the rule as well.
        let momentum = if name == "nag" { 10.0 } else { 1.0 };
        let bound = momentum * if precision == Precision::F32 { 2e-5 } else { 1e-11 };
        near(&case, &exact, &found, bound)?;
        // The engine takes fewer full passes, and so rounds elsewhere: it is held against itself on the kernel interpreter.
        let mut interpreted = Running::new(&case, &script, Plan::ClosedForm, &Device::interpreter())
            .map_err(|error| error.to_string())?;
        let found = trace(&case.rule, &mut interpreted, &script)?;
        near(&case, &exact, &found, bound)?;
        if machine.taken().get("row-lazy, closed form").is_none_or(|times| *times == 0) {
            return Err("the plan was never taken".into());
        }
        for threads in [1, 7] {
            check_engine(&case, &script, &found, Plan::ClosedForm, threads)?;
        }
    }
    Ok(())
}

/// Compares two traces, in units of the largest value of a variable at that time, or of 1.
fn near(case: &Case, exact: &Trace, found: &Trace, bound: f64) -> Result<(), String> {
    for (number, (exact, found)) in exact.iter().zip(found).enumerate() {
        for (id, variable) in case.rule.variables.iter() {
            let (Some(exact), Some(found)) = (&exact[id.index()], &found[id.index()]) else { continue };
            let size = exact.iter().map(|bits| f64::from_bits(*bits).abs());
            let size = size.filter(|value| value.is_finite()).fold(1.0, f64::max);
            for (wanted, got) in exact.iter().zip(found) {
                let [wanted, got] = [*wanted, *got].map(f64::from_bits);
                if wanted != got && (wanted - got).abs() / size >= bound {
                    let name = variable.address();
                    return Err(format!("`{name}` is {got:?} instead of {wanted:?} in snapshot {number}"));
                }
            }
        }
    }
    Ok(())
}

/// An engine with one group of a rule in closed form.
fn engine(name: &str) -> Result<(Engine, GroupId), Failed> {
    let mut engine = Engine::new(device(1).clone())?;
    let rule = aplysia::Rule::shipped(name)?;
    let group = Group::on(Topology::Dense { pre: 40, post: 33 }).rule(&rule).dt(ms(1.0)).seed(5);
    let group = engine.register(group.plan(Plan::ClosedForm))?;
    Ok((engine, group))
}

fn step(engine: &mut Engine, group: GroupId, numbers: &mut Numbers) -> Result<(), Failed> {
    let mut side =
        |count: u32, share: f64| -> Vec<u32> { (0..count).filter(|_| numbers.unit() < share).collect() };
    let (pre, post) = (side(40, 0.004), side(33, 0.03));
    Ok(engine.step(&[(group, Events::new().pre(&pre).post(&post))])?)
}

fn bits(engine: &mut Engine, group: GroupId) -> Result<Vec<u32>, Failed> {
    Ok(engine.read::<f32>(group, "w")?.iter().map(|value| value.to_bits()).collect())
}

fn looking() -> Result<(), Failed> {
    let (mut alone, group) = engine("stdp")?;
    let (mut seen, watched) = engine("stdp")?;
    seen.record(watched, &Recorder::new(["w"]).every(7))?;
    let numbers = [Numbers::new(3), Numbers::new(3)];
    let [mut first, mut second] = numbers;
    for number in 0..1500 {
        step(&mut alone, group, &mut first)?;
        step(&mut seen, watched, &mut second)?;
        if number % 5 == 0 {
            bits(&mut seen, watched)?;
        }
        if number % 200 == 0 {
            seen.save_to(std::io::sink())?;
        }
    }
    if bits(&mut alone, group)? == bits(&mut seen, watched)? {
        Ok(())
    } else {
        Err("looking changed a bit".into())
    }
}

fn checkpoint() -> Result<(), Failed> {
    for name in ["stdp", "stdp_triplet", "conex_spike_istdp"] {
        let (mut whole, group) = engine(name)?;
        let mut numbers = Numbers::new(3);
        for _ in 0..300 {
            step(&mut whole, group, &mut numbers)?;
        }
        let mut saved = Vec::new();
        whole.save_to(&mut saved)?;
        let mut later = numbers.clone();
        for _ in 0..700 {
            step(&mut whole, group, &mut numbers)?;
        }
        let (mut resumed, again) = engine(name)?;
        resumed.restore_from(saved.as_slice())?;
        for _ in 0..700 {
            step(&mut resumed, again, &mut later)?;
        }
        if bits(&mut whole, group)? != bits(&mut resumed, again)? {
            return Err(format!("`{name}` goes on otherwise").into());
        }
        // A plan that is equal to the bit cannot go on from it.
        let mut other = Engine::new(device(1).clone())?;
        let rule = aplysia::Rule::shipped(name)?;
        other.register(Group::on(Topology::Dense { pre: 40, post: 33 }).rule(&rule).dt(ms(1.0)).seed(5))?;
        match other.restore_from(saved.as_slice()) {
            Err(error) if error.to_string().contains("closed form") => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}

fn signs() -> Result<(), Failed> {
    let (mut engine, group) = engine("stdp_triplet")?;
    let bad = vec![-0.5f32; 33];
    match engine.write(group, "o2", ndarray::Array1::from_vec(bad)) {
        Err(_) => {}
        Ok(()) => return Err("a negative trace was written".into()),
    }
    engine.write(group, "o2", ndarray::Array1::from_vec(vec![0.5f32; 33]))?;
    let rule = aplysia::Rule::shipped("stdp_soft")?;
    let soft = Group::on(Topology::Dense { pre: 2, post: 2 }).rule(&rule).dt(ms(1.0)).plan(Plan::ClosedForm);
    match engine.register(soft) {
        Err(error) if error.to_string().contains("no closed form") => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}
