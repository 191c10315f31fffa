use super::*;
use crate::interp::program::ProgramMachine;
use crate::interp::rule::{RuleMachine, Topology as Machine};
use crate::ir::{Rule, sample};
use crate::math::Real;

/// Both machines, step by step, on spikes of a fixed pattern with quiet steps between.
fn agree<R: Real>(rule: &Rule, options: &Options, pre: usize, post: usize) -> Vec<String> {
    let program = compile(rule, options).expect("the rule can be planned");
    let mut slow = RuleMachine::<R>::new(rule, Machine::Dense { pre, post }, 1, 1.0, 7).expect("a machine");
    let mut fast = ProgramMachine::new(rule, &program, pre, post, 1.0, 7);
    fast.set_blocks_at_once(1);
    for step in 0..12usize {
        let spikes = |count: usize, salt: usize| -> Vec<bool> {
            (0..count).map(|k| step % 4 != 3 && (k * 7 + step * 5 + salt).is_multiple_of(6 + salt)).collect()
        };
        let (pre_spikes, post_spikes) = (spikes(pre, 0), spikes(post, 1));
        slow.step(&pre_spikes, &post_spikes).expect("a step");
        fast.step(&pre_spikes, &post_spikes).expect("a step");
        for (id, variable) in rule.variables.iter() {
            let (a, b) = (slow.read(id).expect("a value"), fast.read(id).expect("a value"));
            if b.is_empty() || matches!(variable.kind, ir::VarKind::Proposal { .. }) {
                continue;
            }
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&a), bits(&b), "`{}` after step {}", variable.address(), step + 1);
        }
    }
    fast.taken().keys().cloned().collect()
}

#[test]
fn the_sample_is_planned_to_the_bit() {
    let (rule, ..) = sample::stdp();
    for (pre, post) in [(0, 3), (3, 0), (1, 1), (5, 7), (300, 9), (33, 70)] {
        let full = Options { choice: PlanChoice::FullPass, ..Options::default() };
        agree::<f32>(&rule, &full, pre, post);
        agree::<f64>(&rule, &Options { precision: Precision::F64, ..full }, pre, post);
        agree::<f32>(&rule, &Options { choice: PlanChoice::Events, ..Options::default() }, pre, post);
    }
    let taken = agree::<f32>(&rule, &Options { choice: PlanChoice::Events, ..Options::default() }, 5, 7);
    assert_eq!(taken, ["event rows and columns", "full pass"]);
    let taken = agree::<f32>(&rule, &Options { choice: PlanChoice::Replay, ..Options::default() }, 5, 7);
    assert_eq!(taken, ["full pass", "row-lazy, replayed"]);
}

#[test]
fn spiking_columns_compute_what_spiking_rows_do_not_need() {
    let text = "rule r { param a = 0.01; plastic w; pre state x = 1; post state y = 2;
        on pre { dw -= a * y; } on post { dw -= a; dw += a * x; } }";
    let (library, _) = crate::library::Library::load("r.rule", text, &crate::library::NoImports);
    let elaborated = library.elaborate(None, &crate::library::Settings::default()).expect("a rule");
    let lazy = Options { choice: PlanChoice::Replay, ..Options::default() };
    assert_eq!(agree::<f32>(&elaborated.rule, &lazy, 5, 7), ["full pass", "row-lazy, replayed"]);
    let events = Options { choice: PlanChoice::Events, ..Options::default() };
    assert_eq!(agree::<f32>(&elaborated.rule, &events, 5, 7), ["event rows and columns", "full pass"]);
}

/// The finished rule of a text.
fn rule(text: &str) -> Rule {
    let (library, _) = crate::library::Library::load("r.rule", text, &crate::library::NoImports);
    library.elaborate(None, &crate::library::Settings::default()).expect("a rule").rule
}

/// What a plan says of a topic, with the statement that it names.
fn said(text: &str, options: &Options, topic: &str) -> Option<(String, Option<String>)> {
    let program = compile(&rule(text), options).expect("a plan");
    let note = program.notes.iter().find(|note| note.topic == topic)?;
    let statement = note.span.map(|span| text[span.start as usize..span.end as usize].to_owned());
    Some((note.text.clone(), statement))
}

#[test]
fn formulas_for_all_synapses_are_found_to_touch_rows_and_columns_only() {
    let traces =
        "param a_plus = 0.01; param a_minus = 0.012; plastic w in 0 .. 1 = 0.5; pre state x; post state y;
        dx/dt = -x / 20 ms; dy/dt = -y / 20 ms;";
    for update in [
        "x += pre.spike; y += post.spike; dw += x * post.spike * a_plus; dw -= a_minus * (pre.spike * y);",
        "x += pre.spike; y += post.spike; dw += x * post.spike * a_plus - a_minus * pre.spike * y;",
        "x += pre.spike; y += post.spike; dw += post.spike * (a_plus * x) * (1 - w) - w * a_minus * y * pre.spike;",
        "if pre.spike { x += 1; dw -= a_minus * y; } if post.spike { y += 1; dw += a_plus * x; }",
    ] {
        let text = format!("rule r {{ {traces} update {{ {update} }} }}");
        for topology in [Topology::Dense, Topology::Sparse] {
            let options = Options { topology, choice: PlanChoice::Replay, ..Options::default() };
            let program = compile(&rule(&text), &options).expect("a plan");
            assert!(program.lazy.is_some(), "{update} on {topology:?}: {:?}", program.notes);
            let events = Options { choice: PlanChoice::Events, ..options };
            let (plan, _) = said(&text, &events, "plan").expect("a note");
            assert!(plan.starts_with("event rows and columns"), "{update} on {topology:?}: {plan}");
        }
        let lazy = Options { choice: PlanChoice::Replay, ..Options::default() };
        assert_eq!(agree::<f32>(&rule(&text), &lazy, 5, 7), ["full pass", "row-lazy, replayed"]);
    }
}

#[test]
fn rows_are_left_behind_or_the_reason_is_said() {
    let lazy = Options { choice: PlanChoice::Replay, ..Options::default() };
    let rows = |text: &str| said(text, &lazy, "rows").expect("a note");
    let kept = "rule r { plastic w; pre state x; on pre { x += 1; } on post { dw += x; } }";
    assert_eq!(rows(kept).1, None);
    assert!(
        rows(kept).0.ends_with("the spikes and 1 value of the last 256 steps are kept"),
        "{:?}",
        rows(kept)
    );
    let still = "rule r { plastic w; post state y; on pre { dw -= y; } on post { y += 1; } }";
    assert_eq!(rows(still).0, "in every step: a postsynaptic spike alone changes nothing");
    let past = "rule r { plastic w; synapse param lag: ms in 0 ms .. 5 ms = 2 ms; pre state x;
        on pre { x += 1; dw -= 1; } on post { dw += past(x, lag); } }";
    let (text, statement) = rows(past);
    assert_eq!(text, "in every step: a synapse looks back by its own delay");
    assert_eq!(statement.as_deref(), Some("past(x, lag)"));
    // Small groups are not worth it, and their kernels are those of everybody else.
    let auto = |large| compile(&rule(kept), &Options { large, ..Options::default() }).expect("a plan");
    assert!(auto(false).lazy.is_none() && auto(true).lazy.is_some());
    let text = kept.replace("plastic w;", "batch sum; plastic w;");
    let batched = Options { batched: true, ..lazy };
    assert!(compile(&rule(&text), &batched).expect("a plan").lazy.is_none());
}
