//! Every story on every kind of topology, alone and in batches: the rule interpreter against the programs, to the bit.

use std::sync::Arc;

use super::machines::*;
use super::stories::stories;
use crate::interp::rule::RuleMachine;
use crate::ir::{BatchReduction, Rule, VarId, VarKind};
use crate::kernel::Precision;
use crate::topology::{Convolution, Kind, Sparse, Topology};

/// A group of a kind, small and uneven: padding, a stride, dilation and groups; rows without synapses.
pub(crate) fn group(kind: Kind, salt: usize) -> Topology {
    match kind {
        Kind::Dense => Topology::Dense { pre: 5, post: 6 },
        Kind::OneToOne => Topology::OneToOne { count: 6 + 6 * salt },
        Kind::Sparse => {
            let (pre, post) = (9, 6 + 42 * salt);
            let mut starts = vec![0];
            let mut columns = Vec::new();
            for row in 0..pre {
                let wanted = |column: &usize| (row * 5 + column * 3 + row * column) % (4 + salt) == 1;
                columns.extend((0..post).filter(wanted).map(|column| column as u32));
                starts.push(columns.len() as u64);
            }
            Topology::Sparse(Arc::new(Sparse::new(pre, post, starts, columns).expect("a sparse group")))
        }
        Kind::Conv2d => Topology::Conv2d(convolution(salt)),
        Kind::Local2d => Topology::Local2d(convolution(salt)),
    }
}

fn convolution(salt: usize) -> Convolution {
    let shape = Convolution::new(2, [4, 5], 6, [2, 3]).expect("a convolution");
    let with = match salt {
        0 => shape.with([1, 2], [1, 1], [1, 1], 2),
        _ => shape.with([2, 1], [0, 2], [2, 1], 1),
    };
    with.expect("a convolution")
}

/// The rule as it runs in a batch: it says how increments combine.
fn in_batch(rule: &Rule, batch: usize, salt: usize) -> Rule {
    let mut rule = rule.clone();
    if batch > 1 && rule.batch.is_none() {
        rule.batch = Some([BatchReduction::Sum, BatchReduction::Mean][salt % 2]);
    }
    rule
}

/// How many stories a kind can carry out.
fn all(kind: Kind, batch: usize) -> usize {
    let mut ran = 0;
    for (number, (title, text)) in stories().into_iter().enumerate() {
        let rule = in_batch(&rule(text), batch, number);
        let setup = |salt| Setup::on(group(kind, salt), batch);
        // Some stories are about what this topology has not, or has otherwise.
        if programs(&rule, &setup(0), Precision::F32).is_err() {
            continue;
        }
        eprintln!("{title} on {} x {batch}", kind.word());
        for salt in [0, 1] {
            agree_in::<f32>(&rule, Precision::F32, &setup(salt));
        }
        if number % 5 == 0 {
            agree_in::<f64>(&rule, Precision::F64, &setup(number % 2));
        }
        ran += 1;
    }
    ran
}

#[test]
fn a_full_list_gives_the_bits_of_a_dense_group() {
    let (pre, post) = (7usize, 70usize);
    let starts = (0..=pre).map(|row| (row * post) as u64).collect();
    let columns = (0..pre).flat_map(|_| 0..post as u32).collect();
    let full = Topology::Sparse(Arc::new(Sparse::new(pre, post, starts, columns).expect("a full list")));
    for (title, text) in stories() {
        let rule = rule(text);
        let run = |topology: &Topology| {
            let mut machine = RuleMachine::<f32>::new(&rule, topology.clone(), 1, 1.0, 7).expect(title);
            for (id, of) in rule.variables.iter() {
                if matches!(of.kind, VarKind::Param | VarKind::Input { .. }) && of.init.is_empty() {
                    let values = rough(id.index() as u64, Setup::on(topology.clone(), 1).length(of));
                    let given = machine.write(id, &values);
                    given.expect("as many values as the variable has");
                }
            }
            for step in 1..6 {
                machine.step(&spikes(step, pre, 0), &spikes(step, post, 1)).expect(title);
            }
            let ids: Vec<VarId> = rule.variables.handles().collect();
            let values = ids.into_iter().map(|id| machine.read(id).expect(title));
            values.map(|list| list.into_iter().map(f64::to_bits).collect()).collect::<Vec<Vec<u64>>>()
        };
        assert!(run(&Topology::Dense { pre, post }) == run(&full), "{title}");
    }
}

#[test]
fn one_to_one_gives_the_bits_of_the_diagonal_of_a_dense_group() {
    let text = "rule r { plastic w in 0 .. 1 = uniform(0, 1); pre state x; post state y; synapse state c;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms; dc/dt = -c / 50 ms; param a in 0 .. inf = 0.1;
        on pre { x += 1; c -= a * y * (1 - w); } on post { y += 1; c += a * x * w; }
        update { dw += 0.1 * c + 0.001 * normal(0, 1); } modulate { dw *= 0.5; } }";
    let rule = rule(text);
    let count = 37;
    let mut diagonal =
        RuleMachine::<f32>::new(&rule, Topology::OneToOne { count }, 1, 1.0, 7).expect("a group");
    let all = Topology::Dense { pre: count, post: count };
    let mut dense = RuleMachine::<f32>::new(&rule, all, 1, 1.0, 7).expect("a group");
    for step in 1..20 {
        let (pre, post) = (spikes(step, count, 0), spikes(step, count, 1));
        diagonal.step(&pre, &post).expect("a step");
        dense.step(&pre, &post).expect("a step");
    }
    for name in ["w", "c"] {
        let id = crate::compose::find(&rule, name).expect("a variable");
        let (few, many) = (diagonal.read(id).expect("values"), dense.read(id).expect("values"));
        let same = (0..count).all(|k| few[k].to_bits() == many[k * count + k].to_bits());
        assert!(same && few.iter().any(|&value| value != few[0]), "{name}: {few:?}");
    }
}

#[test]
fn stories_on_one_to_one_groups() {
    assert!(all(Kind::OneToOne, 1) > 90);
}

#[test]
fn stories_on_sparse_groups() {
    assert!(all(Kind::Sparse, 1) > 90);
}

#[test]
fn stories_on_local_groups() {
    assert!(all(Kind::Local2d, 1) > 80);
}

#[test]
fn stories_on_convolutions() {
    assert!(all(Kind::Conv2d, 1) > 60);
}

#[test]
fn stories_in_batches() {
    assert!(all(Kind::Dense, 3) > 60);
}

#[test]
fn stories_in_batches_on_other_topologies() {
    for kind in [Kind::OneToOne, Kind::Sparse, Kind::Conv2d, Kind::Local2d] {
        assert!(all(kind, 2) > 50, "{}", kind.word());
    }
}

/// A batch looks at the rows and columns of neurons that spike in any of its elements, where that is all that changes.
#[test]
fn batches_look_at_rows_and_columns_of_any_element() {
    let rule_with = |how: &str, state: &str, more: &str| {
        rule(&format!(
            "rule r {{ batch {how}; plastic w in 0 .. 1 = uniform(0, 1); pre state x; post state y; post state heard;
                dx/dt = -x / 20 ms; dy/dt = -y / 10 ms; {state}
                on pre {{ x += 1; dw -= 0.1 * y * w; }} on post {{ y += 1; dw += 0.1 * x; }}
                update {{ heard = sum[pre](pre.spike * w); {more} }} }}"
        ))
    };
    for kind in [Kind::Dense, Kind::Sparse] {
        for how in ["sum", "mean"] {
            for batch in [2, 5] {
                let setup = Setup::on(group(kind, batch), batch);
                let (taken, notes) = agree_in::<f32>(&rule_with(how, "", ""), Precision::F32, &setup);
                assert!(taken > 10, "{taken} on {}: {notes:?}", kind.word());
                agree_in::<f64>(&rule_with(how, "", ""), Precision::F64, &setup);
            }
            let setup = Setup::on(group(kind, 0), 3);
            let (taken, _) = agree_in::<f32>(
                &rule_with(how, "synapse state e; de/dt = -e / 5 ms;", "dw += 0.01 * e;"),
                Precision::F32,
                &setup,
            );
            assert_eq!(taken, 0);
        }
    }
}
