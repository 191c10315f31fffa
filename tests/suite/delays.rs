//! Delays of groups: what the reference says of them, and what published packages do.

use aplysia::Plan;
use aplysia_compiler::compose::find;
use aplysia_compiler::interp::rule::{Refusal, RuleMachine, Topology};
use aplysia_compiler::ir::{Domain, Rule, VarId};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::math::Real;
use aplysia_compiler::pass::delays::{AXONAL, DENDRITIC, Delay, Delays, with_delays};
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, check_engine, check_programs, expected};
use crate::golden::data;
use crate::machine::oracle::Oracle;
use crate::machine::script::{Act, Script, script};
use crate::machine::{Case, compare, trace};
use crate::{read, root};

/// Rules that are run with delays on every machine: spikes of both sides, several traces, transmission, inputs of neurons and
/// what rewards them, a synapse with an equation, and several rules together.
const DELAYED: [(&str, &str); 6] = [
    ("stdp", "use std::stdp; rule delayed = stdp;"),
    ("triplet", "use std::stdp_triplet; rule delayed = stdp_triplet;"),
    (
        "short_term",
        "use std::tsodyks_markram; use std::stdp_soft; rule delayed = tsodyks_markram + stdp_soft;",
    ),
    ("conex", "use std::conex_rstdp; rule delayed = conex_rstdp;"),
    ("urbanczik_senn", "use std::urbanczik_senn; rule delayed = urbanczik_senn;"),
    (
        "together",
        "use std::stdp; use std::rate_homeostasis; use std::volume_lr; use std::dale; use std::mask;
         rule delayed = stdp + rate_homeostasis + volume_lr + dale + mask;",
    ),
];

/// The trials of delays.
pub fn trials() -> Vec<Trial> {
    let mut trials = vec![Trial::test("delays::table", table), Trial::test("delays::conex", conex)];
    for (name, text) in DELAYED {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("delays::machines::{name}::{precision:?}").to_lowercase();
            trials.push(Trial::test(title, move || machines(text, precision)));
        }
    }
    for (name, text) in aplysia_rules::all() {
        trials.push(Trial::test(format!("delays::none::{name}"), move || no_delay(name, text)));
    }
    trials
}

/// The delays of a group in ms, of their domains.
fn given(axonal: Option<Domain>, dendritic: Option<Domain>, longest_ms: f64) -> Delays {
    let delay = |domain: Option<Domain>| domain.map(|domain| Delay { domain, longest_ms });
    Delays { axonal: delay(axonal), dendritic: delay(dendritic) }
}

fn machine<R: Real>(rule: &Rule, size: (usize, usize)) -> Result<RuleMachine<R>, String> {
    let (pre, post) = size;
    RuleMachine::new(rule, Topology::Dense { pre, post }, 1, 1.0, 7).map_err(|refusal| refusal.to_string())
}

/// The numbers of a line of a table.
fn numbers(line: &str) -> Option<Vec<f64>> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    cells.split('|').map(|cell| cell.trim().parse().ok()).collect()
}

/// Every line of the table of docs/delays.md.
fn table() -> Result<(), Failed> {
    let text = read(&root().join("docs/delays.md"));
    let case = Case::must("table", "use std::stdp; rule table = stdp();");
    let rule = with_delays(&case.rule, &given(Some(Domain::Global), Some(Domain::Global), 20.0))
        .map_err(|found| format!("{found:#?}"))?;
    let id = |name: &str| find(&rule, name).map_err(|error| error.to_string());
    let (w, axonal_delay, dendritic_delay) = (id("w")?, id(AXONAL)?, id(DENDRITIC)?);
    let mut signs = [0; 2];
    for line in text.lines().filter_map(numbers) {
        let [between, axonal, dendritic, at_synapse, change] = line[..] else {
            return Err(format!("a line of {} numbers", line.len()).into());
        };
        let wrong = |what: String| format!("{between}, {axonal}, {dendritic}: {what}");
        if between + dendritic - axonal != at_synapse {
            return Err(wrong(format!("{at_synapse} at the synapse")).into());
        }
        let mut machine = machine::<f64>(&rule, (1, 1))?;
        let set = [(axonal_delay, axonal), (dendritic_delay, dendritic)];
        for (id, delay) in set {
            machine.set_parameter(id, &[delay]).map_err(|refusal| refusal.to_string())?;
        }
        let before = machine.read(w).map_err(|refusal| refusal.to_string())?[0];
        let (pre, post) = (15, 15 + between as i64);
        let arrival = (pre + axonal as i64).max(post + dendritic as i64);
        for step in 1..=60 {
            machine.step(&[step == pre], &[step == post]).map_err(|refusal| refusal.to_string())?;
            let found = machine.read(w).map_err(|refusal| refusal.to_string())?[0] - before;
            let expected = if step < arrival { 0.0 } else { change };
            if (found - expected).abs() > 5.1e-8 {
                return Err(wrong(format!("{found} instead of {expected} in step {step}")).into());
            }
        }
        signs[usize::from(change > 0.0)] += 1;
    }
    if signs.iter().any(|&lines| lines < 5) {
        return Err(format!("the table has {signs:?} lines of depression and potentiation").into());
    }
    Ok(())
}

/// CoNeX at revision 823cfeb, SimpleSTDP with delays for each neuron of both sides. Its traces are of the late spikes; here
/// each neuron has the trace of its own spikes, and the synapse sees it late: the same numbers.
fn conex() -> Result<(), Failed> {
    let Some(golden) = data::cases().into_iter().find(|case| case.id() == "conex_SimpleSTDP_delay") else {
        return Ok(());
    };
    let arrays = golden.arrays();
    let [weights, pre, post] = ["weights", "pre_raster", "post_raster"].map(|name| arrays.get(name).rows());
    let spikes = [pre, post];
    let golden_traces = ["pre_trace", "post_trace"].map(|name| arrays.get(name).rows());
    let late = ["src_delay", "dst_delay"].map(|name| golden.list(name));
    let case =
        Case::must("conex", "use std::conex_stdp; rule conex = conex_stdp(a_plus = 0.01, a_minus = 0.012);");
    let rule = with_delays(&case.rule, &given(Some(Domain::Pre), Some(Domain::Post), 3.0))
        .map_err(|found| format!("{found:#?}"))?;
    let id = |name: &str| find(&rule, name).map_err(|error| error.to_string());
    let refused = |refusal: Refusal| refusal.to_string();
    let mut machine = machine::<f32>(&rule, (7, 5))?;
    for (name, steps) in [AXONAL, DENDRITIC].into_iter().zip(&late) {
        machine.set_parameter(id(name)?, steps).map_err(refused)?;
    }
    machine.write(id("w")?, &weights[0]).map_err(refused)?;
    // By side, step and neuron.
    let mut traces = [vec![vec![0f32; 7]], vec![vec![0f32; 5]]];
    for step in 0..golden.steps() {
        for (side, (name, tau)) in [("pre_trace", 10f32), ("post_trace", 14f32)].into_iter().enumerate() {
            let raised = traces[side][step].iter().zip(&spikes[side][step]);
            let now: Vec<f32> = raised
                .map(|(trace, &spike)| {
                    let raised = trace + spike as f32;
                    raised - raised / tau
                })
                .collect();
            let own: Vec<f64> = now.iter().map(|&trace| f64::from(trace)).collect();
            machine.set_input(id(name)?, &own).map_err(refused)?;
            traces[side].push(now);
            let at = |by: f64| (step + 1).saturating_sub(by as usize);
            let seen = late[side].iter().enumerate().map(|(neuron, &by)| traces[side][at(by)][neuron]);
            let seen: Vec<f64> = seen.map(f64::from).collect();
            if seen != golden_traces[side][step] {
                return Err(format!("{name} in step {step}: {seen:?}").into());
            }
        }
        let now =
            [0, 1].map(|side| spikes[side][step].iter().map(|&spike| spike != 0.0).collect::<Vec<bool>>());
        machine.step(&now[0], &now[1]).map_err(refused)?;
        let found = machine.read(id("w")?).map_err(refused)?;
        if found != weights[step + 1] {
            return Err(format!("w after step {step}: {found:?}").into());
        }
    }
    let changed = weights.first() != weights.last();
    if changed { Ok(()) } else { Err("the weights of the file do not change".into()) }
}

/// The rule interpreter, programs of each plan on the kernel interpreter and machine code, with each kind of delay on
/// each side and both.
fn machines(text: &str, precision: Precision) -> Result<(), Failed> {
    let plain = Case::must("delayed", text);
    let kinds =
        [(Domain::Global, Domain::Global), (Domain::Pre, Domain::Post), (Domain::Synapse, Domain::Synapse)];
    let mut number = 0;
    for (axonal, dendritic) in kinds {
        for (axonal, dendritic) in
            [(Some(axonal), None), (None, Some(dendritic)), (Some(axonal), Some(dendritic))]
        {
            let rule = with_delays(&plain.rule, &given(axonal, dendritic, 12.0))
                .map_err(|found| format!("{found:#?}"))?;
            let case = Case { open: rule.clone(), rule };
            let mut seen = Seen::default();
            let mut late = false;
            for size in [(1, 1), (5, 7), (33, 70)] {
                number += 1;
                let what = |error: String| format!("{axonal:?} {dendritic:?} {size:?}: {error}");
                let script = script(&case.rule, size, precision, 16, number);
                let found = expected(&case, &script, &mut seen).map_err(what)?;
                check_programs(&case, &script, &found, &mut seen).map_err(what)?;
                for (plan, threads) in
                    [(Plan::Auto, 1), (Plan::FullPass, 2), (Plan::Events, 7), (Plan::Replay, 2)]
                {
                    check_engine(&case, &script, &found, plan, threads).map_err(what)?;
                }
                let undelayed = undelayed(&case.rule, script);
                late |= compare(&plain.rule, &found, &expected(&case, &undelayed, &mut seen).map_err(what)?)
                    .is_err();
            }
            if !late {
                return Err(format!("{axonal:?} {dendritic:?}: the delays change nothing").into());
            }
        }
    }
    Ok(())
}

/// The script with delays of 0.
fn undelayed(rule: &Rule, mut script: Script) -> Script {
    let is_delay = |id: VarId| [AXONAL, DENDRITIC].contains(&rule.variables[id].address().as_str());
    script.parameters.iter_mut().filter(|(id, _)| is_delay(*id)).for_each(|(_, values)| values.fill(0.0));
    for act in &mut script.acts {
        if let Act::Parameter(id, values) = act
            && is_delay(*id)
        {
            values.fill(0.0);
        }
    }
    script
}

/// Delays of 0 change no bit of any shipped rule. Rules that read neurons in a block that does not run in every step are
/// refused by the interpreter, with any delay.
fn no_delay(name: &str, text: &str) -> Result<(), Failed> {
    let Ok(case) = Case::new(name, text, None, &[]) else { return Ok(()) };
    // A number of postsynaptic neurons that blocks of several sizes divide.
    let script = script(&case.rule, (5, 12), Precision::F32, 16, 3);
    let run = |rule: &Rule| -> Result<_, String> {
        let mut oracle = Oracle::<f32>::new(rule, &script).map_err(|refusal| refusal.to_string())?;
        trace(rule, &mut oracle, &script)
    };
    let expected = run(&case.rule)?;
    let domains = [
        (Some(Domain::Global), None),
        (None, Some(Domain::Global)),
        (Some(Domain::Pre), Some(Domain::Post)),
        (Some(Domain::Synapse), Some(Domain::Synapse)),
    ];
    for (axonal, dendritic) in domains {
        let delayed = match with_delays(&case.rule, &given(axonal, dendritic, 5.0)) {
            Ok(delayed) => delayed,
            Err(found)
                if axonal == Some(Domain::Synapse) && found.iter().all(|one| one.code.id() == "E0843") =>
            {
                continue;
            }
            Err(found) => return Err(format!("{found:#?}").into()),
        };
        match run(&delayed) {
            Ok(found) => compare(&case.rule, &expected, &found)?,
            Err(refusal) if refusal.contains("does not run in every step") => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(())
}
