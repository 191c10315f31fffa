//! Delays of a group on every kind of topology, alone and in batches: the rule interpreter against the programs, to the
//! bit.

use super::machines::*;
use super::topologies::group;
use crate::ir::{BatchReduction, Domain, Expr, ExprKind, Rule};
use crate::kernel::Precision;
use crate::pass::delays::{Delay, Delays, with_delays};
use crate::topology::Kind;

/// Both sides' spikes and traces, a branch with targets of both kinds, transmission, an equation of a synapse, a sum of the
/// other side, and `past` in the text.
const TEXTS: [&str; 3] = [
    "rule pairs {
        plastic w in 0 .. 1 = 0.5;
        pre state x; post state y; post output current;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms;
        on pre { x += 1; if x > 1.5 { dw -= 0.1 * y; x *= 0.9; } else { x *= 0.8; dw += 0.01; } current += w; }
        on post { y += 1; dw += 0.1 * x; }
    }",
    "rule filtered {
        plastic w = 0.5;
        pre state x; post state y; post state drive; synapse state e;
        dx/dt = -x / 20 ms; de/dt = -e / 5 ms;
        on pre { x += 1; e += 0.1 * y; }
        on post { y += 1; dw += 0.1 * e; }
        update { drive = sum[pre](w * x); y = 0.9 * y; dw += 0.001 * drive * x; }
    }",
    "rule late {
        plastic w = 0.5;
        pre state x; post state y;
        on pre after 2 ms { dw -= 0.1 * y; }
        on pre { x = 0.5 * x + 1; }
        on post { y += 1; let s = x * 2; dw += 0.1 * past(x, 1 ms) + s * 0.01; }
    }",
];

/// The rule with delays that are not 0 where the host gives none, and how increments combine.
fn delayed(text: &str, axonal: Option<Domain>, dendritic: Option<Domain>, batch: usize) -> Rule {
    let delay = |domain: Option<Domain>| domain.map(|domain| Delay { domain, longest_ms: 6.0 });
    let delays = Delays { axonal: delay(axonal), dendritic: delay(dendritic) };
    let mut rule = with_delays(&rule(text), &delays).unwrap_or_else(|found| panic!("{found:#?}"));
    // A literal 0 stands in many places of a rule: this is another one.
    let zero =
        rule.variables.iter().find(|(_, variable)| variable.part == "delay").map(|(_, delay)| delay.init[0]);
    let zero = zero.expect("a delay");
    let three = rule.exprs.push(Expr { kind: ExprKind::Number(3.0), ..rule.exprs[zero].clone() });
    rule.expr_spans.push(rule.expr_spans[zero.index()]);
    for (_, variable) in rule.variables.iter_mut().filter(|(_, variable)| variable.part == "delay") {
        variable.init = vec![three];
    }
    if batch > 1 {
        rule.batch = Some(BatchReduction::Mean);
    }
    rule
}

/// All kinds of delay on a kind of topology; how many cases the topology carried out.
fn all(kind: Kind, batch: usize) -> usize {
    let kinds =
        [(Domain::Global, Domain::Global), (Domain::Pre, Domain::Post), (Domain::Synapse, Domain::Synapse)];
    let mut ran = 0;
    for (number, text) in TEXTS.into_iter().enumerate() {
        for (axonal, dendritic) in kinds {
            for (axonal, dendritic) in
                [(Some(axonal), None), (None, Some(dendritic)), (Some(axonal), Some(dendritic))]
            {
                let rule = delayed(text, axonal, dendritic, batch);
                let setup = Setup::on(group(kind, number % 2), batch);
                if programs(&rule, &setup, Precision::F32).is_err() {
                    continue;
                }
                eprintln!("text {number}, {axonal:?} {dendritic:?} on {} x {batch}", kind.word());
                agree_in::<f32>(&rule, Precision::F32, &setup);
                if number == 0 {
                    agree_in::<f64>(&rule, Precision::F64, &setup);
                }
                ran += 1;
            }
        }
    }
    ran
}

#[test]
fn delays_on_dense_groups() {
    assert_eq!(all(Kind::Dense, 1), 27);
}

#[test]
fn delays_on_one_to_one_groups() {
    assert_eq!(all(Kind::OneToOne, 1), 27);
}

#[test]
fn delays_on_sparse_groups() {
    assert_eq!(all(Kind::Sparse, 1), 27);
}

#[test]
fn delays_on_local_groups() {
    assert_eq!(all(Kind::Local2d, 1), 27);
}

#[test]
fn delays_on_convolutions() {
    assert!(all(Kind::Conv2d, 1) > 8);
}

#[test]
fn delays_in_batches() {
    for kind in [Kind::Dense, Kind::Sparse, Kind::Conv2d] {
        assert!(all(kind, 3) > 8, "{}", kind.word());
    }
}
