//! Closed forms of rows that are left behind: against the rule interpreter, within bounds, and what stands in their way.

use super::machines::rule;
use crate::compose::find;
use crate::diag::Diagnostics;
use crate::interp::program::ProgramMachine;
use crate::interp::rule::RuleMachine;
use crate::ir::{Rule, VarKind};
use crate::kernel::Precision;
use crate::math::Real;
use crate::plan::program::Program;
use crate::plan::{Options, PlanChoice, compile};
use crate::topology::{Kind, Topology};

/// Pair-based plasticity with bounds, all changes of a silent row of one sign.
const PAIRS: &str = "rule pairs { param a_plus = 0.01; param a_minus = 0.012; param tau = 20 ms;
    plastic w in 0 .. 1 = uniform(0, 1); pre state x; post state y; dx/dt = -x / tau; dy/dt = -y / tau;
    on pre { x += 1; dw -= a_minus * y; } on post { y += 1; dw += a_plus * x; } }";

/// Reward-modulated plasticity: an eligibility trace and a weight, coupled.
const REWARD: &str = "rule reward { param tau = 20 ms; plastic w; synapse state c; global input dopamine = 0.02;
    pre state x; post state y; dx/dt = -x / tau; dy/dt = -y / tau;
    on pre { x += 1; dw -= 0.012 * y; } on post { y += 1; dw += 0.01 * x; }
    modulate { c += -c / 200 + dw; dw = c * dopamine; } }";

fn options(topology: Kind, precision: Precision) -> Options {
    Options { topology, precision, choice: PlanChoice::ClosedForm, ..Options::default() }
}

fn planned(rule: &Rule, topology: &Topology, precision: Precision) -> Program {
    compile(rule, &options(topology.kind(), precision)).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn refused(text: &str) -> (Diagnostics, String) {
    let Err(found) = compile(&rule(text), &options(Kind::Dense, Precision::F32)) else {
        panic!("there is a closed form of {text}")
    };
    let spans: Vec<_> = found.iter().map(|diagnostic| diagnostic.primary.span).collect();
    let [span] = spans[..] else { panic!("{found:#?}") };
    (found, text[span.start as usize..span.end as usize].to_string())
}

/// Whether a neuron spikes in a step: now and then, with long pauses in some rows.
fn spikes(count: usize, step: u64, every: u64, salt: u64) -> Vec<bool> {
    (0..count as u64)
        .map(|neuron| {
            let mut z = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ neuron.wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ salt;
            z = (z ^ (z >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z >> 33).is_multiple_of(every * (1 + 7 * (neuron % 3)))
        })
        .collect()
}

/// The largest difference between the rule and its closed form after each of some steps.
fn differences<R: Real>(rule: &Rule, topology: &Topology, precision: Precision, at: &[u64]) -> Vec<f64> {
    let program = planned(rule, topology, precision);
    let mut exact = RuleMachine::<R>::new(rule, topology.clone(), 1, 1.0, 7).expect("a machine");
    let mut fast = ProgramMachine::on(rule, &program, topology, 1, 1.0, 7);
    fast.set_blocks_at_once(1);
    let mut found = Vec::new();
    for step in 1..=*at.last().expect("a step") {
        let (pre, post) = (spikes(topology.pre(), step, 20, 1), spikes(topology.post(), step, 15, 2));
        exact.step(&pre, &post).expect("a step");
        fast.step(&pre, &post).expect("a step");
        if at.contains(&step) {
            let mut largest = 0f64;
            for (id, variable) in rule.variables.iter() {
                if !matches!(variable.kind, VarKind::Plastic { .. } | VarKind::State) {
                    continue;
                }
                let (a, b) = (exact.read(id).expect("values"), fast.read(id).expect("values"));
                largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(largest, f64::max);
            }
            found.push(largest);
        }
    }
    assert!(fast.taken()["row-lazy, closed form"] > 0);
    found
}

#[test]
fn pairs_and_reward_have_closed_forms() {
    for text in [PAIRS, REWARD] {
        let rule = rule(text);
        let dense = Topology::Dense { pre: 7, post: 9 };
        let found = differences::<f64>(&rule, &dense, Precision::F64, &[1, 2, 50, 700, 3000]);
        assert!(found.iter().all(|difference| *difference < 1e-12), "{found:?}");
        let found = differences::<f32>(&rule, &dense, Precision::F32, &[1, 2, 50, 700, 3000]);
        assert!(found.iter().all(|difference| *difference < 1e-5), "{found:?}");
    }
}

#[test]
fn looking_changes_nothing() {
    for text in [PAIRS, REWARD] {
        let rule = rule(text);
        let program = planned(&rule, &Topology::Dense { pre: 7, post: 9 }, Precision::F32);
        let mut looked_at = ProgramMachine::new(&rule, &program, 7, 9, 1.0, 7);
        let mut alone = ProgramMachine::new(&rule, &program, 7, 9, 1.0, 7);
        let w = find(&rule, "w").expect("a variable");
        for step in 1..=1500 {
            let (pre, post) = (spikes(7, step, 20, 1), spikes(9, step, 15, 2));
            looked_at.step(&pre, &post).expect("a step");
            alone.step(&pre, &post).expect("a step");
            looked_at.read(w).expect("values");
        }
        let bits = |machine: &mut ProgramMachine<'_>| -> Vec<u64> {
            machine.read(w).expect("values").into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(&mut looked_at), bits(&mut alone));
    }
}

#[test]
fn what_stands_in_the_way_is_named() {
    let cases: &[(&str, &str)] = &[
        // A factor of the weight that depends on the trace.
        (
            "rule r { plastic w; pre state x; dx/dt = -x / 20 ms; on pre { x += 1; } on post { dw += (1 - w) * x; } }",
            "(1 - w) * x",
        ),
        // A power of the weight.
        (
            "rule r { plastic w; pre state x; dx/dt = -x / 20 ms; on pre { x += 1; } on post { dw += pow(w, 0.5); } }",
            "pow(w, 0.5)",
        ),
    ];
    for (text, place) in cases {
        let (found, at) = refused(text);
        assert_eq!(at, *place, "{found:#?}");
    }
}
