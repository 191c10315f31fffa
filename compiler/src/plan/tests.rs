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
