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
const REWARD: &str =
    "rule reward { param tau = 20 ms; plastic w; synapse state c; global input dopamine = 0.02;
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
            let mut z =
                step.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ neuron.wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ salt;
            z = (z ^ (z >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z >> 33).is_multiple_of(every * (1 + 7 * (neuron % 3)))
        })
        .collect()
}

/// The largest difference between the rule and its closed form after each of some steps, in units of the largest value that
/// the variable has, or of 1.
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
                let size = a.iter().fold(1f64, |size, value| size.max(value.abs()));
                largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs() / size).fold(largest, f64::max);
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

/// A rule with a trace of either side, a plastic `w` as declared, and some more text.
fn with(plastic: &str, text: &str) -> String {
    format!(
        "rule r {{ param a = 0.01; {plastic} pre state x; post state y; dx/dt = -x / 20 ms; dy/dt = -y / 20 ms;
            on pre {{ x += 1; dw -= a * y; }} on post {{ y += 1; }} {text} }}"
    )
}

#[test]
fn what_stands_in_the_way_is_named() {
    let free = "plastic w;";
    let bounded = "plastic w in 0 .. 1;";
    let cases: Vec<(String, &str, &str)> = vec![
        (
            with(free, "on post { dw += a * (1 - w) * x; }"),
            "a * (1 - w) * x",
            "a factor that depends on `r.x`",
        ),
        (with(free, "on post { dw += pow(w, 0.5); }"), "pow(w, 0.5)", "not linear"),
        (with(free, "update { dw -= a * w * w; }"), "a * w * w", "a product of `w` with itself"),
        (with(free, "on post { dw += a * x * normal(0, 1); }"), "normal(0, 1)", "a draw"),
        (
            with(free, "synapse state eta = 1; on post { dw += eta * x; }"),
            "eta",
            "`r.eta`, a factor that differs from synapse to synapse",
        ),
        (
            with(free, "post state s; update { s = sum[pre](w); } on post { dw += a * x; }"),
            "sum[pre](w)",
            "reads weights in every step",
        ),
        (
            with(free, "post state s; update { s = sum[pre](pre.spike * w); } on post { dw += a * x * s; }"),
            "sum[pre](pre.spike * w)",
            "before the step ends",
        ),
        (
            with(free, "pre state u = 1; du/dt = (1 - u) / 5 ms; on post { dw += a * u; }"),
            "du/dt = (1 - u) / 5 ms;",
            "`r.u` of a silent neuron is not only multiplied by a factor",
        ),
        (
            with(free, "pre state u; update { u = sqrt(u); } on post { dw += a * u; }"),
            "sqrt(u)",
            "this is not linear",
        ),
        (
            with(free, "pre state u; global input g = 1; update { u *= g; } on post { dw += a * u; }"),
            "u *= g;",
            "`r.u` of a silent neuron decays by a factor that not only parameters decide",
        ),
        (with(free, "pre input v; on post { dw += a * v; }"), "v", "the host may give anew"),
        (with(free, "pre param v = 1; on post { dw += a * v; }"), "v", "no decaying state"),
        (
            with(free, "post state r; update { dw -= a * r * w; }"),
            "a * r * w",
            "differs between postsynaptic",
        ),
        (with(free, "on post { if w > 0.5 { dw += a; } }"), "w > 0.5", "a condition that differs"),
        (with(free, "synapse state n: int; on post { n += 1; }"), "n += 1;", "no real number"),
        (
            with(free, "synapse state s; update { s = min(s + 0.1, 0.5); }"),
            "s = min(s + 0.1, 0.5);",
            "clipped to bounds that constrain does not end with",
        ),
        (
            with(bounded, "global input g = 1; on post { dw += g * x; }"),
            "dw += g * x;",
            "not proved to be of one sign",
        ),
        (
            with(bounded, "on post { dw += a * x; dw -= 0.001; }"),
            "dw -= 0.001;",
            "not proved to be of one sign",
        ),
        (with(bounded, "update { dw -= a * w; }"), "a * w", "`w` has bounds, and is not only added to"),
        (
            with(bounded, "synapse state s; on post { dw += a * x; } update { s += w; }"),
            "w",
            "does not stand alone",
        ),
        (with(free, ""), "w", "no synapse changes while its presynaptic neuron is silent"),
        (
            with(free, "on post { dw += a * past(x, 2 ms); }"),
            "past(x, 2 ms)",
            "the past of the presynaptic neuron",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, place, reason) in &cases {
        let (found, at) = refused(text);
        let message = found.iter().map(|one| one.message.clone()).collect::<String>();
        if at != *place || !message.contains(reason) {
            wrong.push(format!("{place} is {at}: {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn groups_without_rows_or_with_a_batch_are_refused() {
    let rule = rule(&PAIRS.replace("rule pairs {", "rule pairs { batch sum;"));
    for options in [
        options(Kind::OneToOne, Precision::F32),
        options(Kind::Conv2d, Precision::F32),
        Options { batched: true, ..options(Kind::Dense, Precision::F32) },
    ] {
        let found = compile(&rule, &options).expect_err("no closed form");
        assert!(found.iter().all(|one| one.code.id() == "E0902"), "{found:#?}");
    }
}

#[test]
fn other_shapes_have_closed_forms() {
    let free = "plastic w = uniform(0, 1);";
    let bounded = "plastic w in 0 .. 1 = uniform(0, 1);";
    let cases = [
        // A decay of the weight by itself, and one to a value of the postsynaptic neuron.
        with(free, "dw/dt = -w / 500 ms; on post { dw += a * x; }"),
        with(free, "update { dw += a * (y - w); }"),
        // Depression that saturates; the sign of a parameter is open, but one.
        with(bounded, "on post { dw -= a * x; }"),
        // Triplets: a sum of terms that are not negative.
        with(
            "param b in 0 .. inf = 0.02; param c in 0 .. inf = 0.01; plastic w in 0 .. 1 = uniform(0, 1);",
            "pre state z; dz/dt = -z / 70 ms; on pre { z += 1; } on post { dw += c * x * z; dw += x * (b + c * y); }",
        ),
        // Two traces, and one that is a product of both.
        with(
            free,
            "pre state z; dz/dt = -z / 70 ms; on pre { z += 1; } on post { dw += a * x - a * z + a * x * z; }",
        ),
        // A trace that is gone within a step, and one that stays.
        with(free, "pre state z; update { z *= 0; } on pre { z += 1; } on post { dw += a * x + a * z; }"),
        with(free, "pre state z; on pre { z += 1; } on post { dw += 0.001 * z; }"),
        with(free, "pre state z; update { z *= -0.9; } on pre { z += 1; } on post { dw += a * z; }"),
        // Elements of an array, of which each passes on what it has.
        with(
            free,
            "synapse state u[2]; on post { u[0] += a * x; }
                update { u[1] += 0.1 * u[0]; u[0] -= 0.1 * u[0]; dw += 0.01 * u[1]; }",
        ),
        // Transmission reads the weight in rows of spiking neurons.
        with(bounded, "post output current; on pre { current += w; } on post { dw += a * x; }"),
        // Occasions that change traces and weights.
        with(
            bounded,
            "on post { dw += a * x; } every 70 steps { x *= 0.5; w *= 0.9; } on create { w = 0.5 * w; x = 2; }",
        ),
        // The time and the number of the step.
        with(free, "on post { dw += a * x * (1 + t / 1 s); }"),
    ];
    let sparse = super::topologies::group(Kind::Sparse, 0);
    for text in cases {
        let rule = rule(&text);
        for topology in [&Topology::Dense { pre: 6, post: 8 }, &sparse] {
            let found = differences::<f64>(&rule, topology, Precision::F64, &[1, 2, 50, 600, 1200]);
            assert!(found.iter().all(|difference| *difference < 1e-11), "{text}: {found:?}");
        }
    }
}

#[test]
fn a_thousand_seconds_bring_no_drift() {
    for text in [PAIRS, REWARD] {
        let rule = rule(text);
        let topology = Topology::Dense { pre: 3, post: 4 };
        let at = [1_000, 10_000, 50_000, 100_000];
        let double = differences::<f64>(&rule, &topology, Precision::F64, &at);
        assert!(double.iter().all(|difference| *difference < 1e-12), "{text}: {double:?}");
        let single = differences::<f32>(&rule, &topology, Precision::F32, &at);
        assert!(single.iter().all(|difference| *difference < 5e-6), "{text}: {single:?}");
    }
}

#[test]
fn the_proof_is_explained() {
    let notes = |text: &str| -> Vec<String> {
        let program = planned(&rule(text), &Topology::Dense { pre: 1, post: 1 }, Precision::F32);
        let notes = program.notes.iter().filter(|note| note.topic == "closed form");
        notes.map(|note| note.text.clone()).collect()
    };
    let trace = |name: &str| {
        format!("{name}.x of a silent neuron decays by exp((negate(dt) / {name}.tau)) in a step")
    };
    let end = "rows are left behind until their neuron spikes, at most 512 steps; equal to the full pass up to rounding";
    assert_eq!(
        notes(PAIRS),
        [
            "without a presynaptic spike w becomes w + pairs.x · (if post.spike { (pairs.a_plus * exp((negate(dt) / \
                pairs.tau))) } else { 0.0 }), clipped once for all steps: what is added has one sign"
                .to_owned(),
            trace("pairs"),
            end.to_owned(),
        ]
    );
    let reward = notes(REWARD);
    assert_eq!(reward[2..], [trace("reward"), end.to_owned()]);
    assert!(reward[0].starts_with("without a presynaptic spike w becomes w + "), "{}", reward[0]);
    assert!(reward[0].contains("· reward.c + reward.x · ((if post.spike {"), "{}", reward[0]);
    assert!(reward[1].starts_with("without a presynaptic spike reward.c becomes "), "{}", reward[1]);
}
