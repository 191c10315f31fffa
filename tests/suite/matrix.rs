//! Rules on every topology, alone and in batches, in both precisions: the rule interpreter, the programs, and machine code
//! on threads, to the bit.
//!
//! The ordinary suite takes six rules that between them have traces, inputs, draws, optimizers, reductions and sums to both
//! sides; `cargo test -p aplysia-tests -- --ignored matrix` takes every shipped rule.

use std::sync::Arc;

use aplysia::Plan;
use aplysia_compiler::ir::BatchReduction;
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::plan::{self, PlanChoice};
use aplysia_compiler::topology::{Convolution, Kind, Sparse, Topology};
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, check_engine, check_programs, divided, expected, proposes};
use crate::machine::Case;
use crate::machine::planned::options;
use crate::machine::script::script_on;

/// What the ordinary suite takes.
const CHOSEN: [&str; 6] = ["stdp", "conex_stdp", "cortex", "hebbian", "volume_lr", "normalise"];

/// The trials.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, text) in aplysia_rules::all() {
        let chosen = CHOSEN.contains(&name);
        for kind in Kind::ALL {
            for batch in [1, 3] {
                for precision in [Precision::F32, Precision::F64] {
                    let title = format!("matrix::{name}::{}::batch_{batch}::{precision:?}", kind.word());
                    let run = move || run(name, text, kind, batch, precision);
                    trials.push(Trial::test(title.to_lowercase(), run).with_ignored_flag(!chosen));
                }
            }
        }
    }
    trials
}

/// Two groups of a kind: odd sizes, padding, strides, dilation, groups of channels, empty rows, several vectors.
pub fn groups(kind: Kind) -> Vec<Topology> {
    let convolution = |input, outputs, kernel, stride, padding, dilation, groups| {
        let shape = Convolution::new(2, input, outputs, kernel).expect("a convolution");
        shape.with(stride, padding, dilation, groups).expect("a convolution")
    };
    let shapes = [
        convolution([5, 7], 4, [3, 2], [1, 2], [1, 0], [1, 2], 1),
        convolution([6, 4], 6, [2, 3], [2, 1], [1, 2], [2, 1], 2),
    ];
    match kind {
        Kind::Dense => vec![Topology::Dense { pre: 5, post: 6 }, Topology::Dense { pre: 33, post: 70 }],
        Kind::OneToOne => vec![Topology::OneToOne { count: 1 }, Topology::OneToOne { count: 70 }],
        Kind::Sparse => vec![sparse(9, 12, 3), sparse(300, 40, 17)],
        Kind::Conv2d => shapes.map(Topology::Conv2d).to_vec(),
        Kind::Local2d => shapes.map(Topology::Local2d).to_vec(),
    }
}

/// A sparse group, of which about one synapse in `every` exists.
pub fn sparse(pre: usize, post: usize, every: usize) -> Topology {
    let (mut starts, mut columns) = (vec![0], Vec::new());
    for row in 0..pre {
        let wanted = |column: &usize| (row * 7 + column * 5 + row * column) % every == 1;
        columns.extend((0..post).filter(wanted).map(|column| column as u32));
        starts.push(columns.len() as u64);
    }
    Topology::Sparse(Arc::new(Sparse::new(pre, post, starts, columns).expect("rows in order")))
}

fn run(name: &str, text: &str, kind: Kind, batch: usize, precision: Precision) -> Result<(), Failed> {
    let Ok(mut case) = Case::new(name, text, None, &[]) else {
        // It reads a state of another rule, which compositions have.
        return Ok(());
    };
    if !proposes(&case.rule) {
        case = Case::must(name, &format!("use std::stdp; use std::{name}; rule checked = stdp + {name};"));
    }
    if batch > 1 {
        for rule in [&mut case.open, &mut case.rule] {
            rule.batch = rule.batch.or(Some(BatchReduction::Sum));
        }
    }
    let mut seen = Seen::default();
    for (number, topology) in groups(kind).into_iter().enumerate() {
        let topology = &match topology {
            // Blocks of neurons divide their number.
            Topology::OneToOne { count } => Topology::OneToOne { count: divided(&case.rule, (0, count)).1 },
            other => other,
        };
        let script = script_on(&case.rule, topology, batch, precision, 8, number as u64 + 1);
        // What the topology cannot carry out is refused by the planner and the rule interpreter alike.
        if let Err(refused) = plan::compile(&case.rule, &options(&script, PlanChoice::Auto)) {
            let refuses = expected(&case, &script, &mut seen).is_err();
            let said = refused.iter().all(|one| one.code.id() == "E0901");
            return if refuses && said { Ok(()) } else { Err("refused on one machine only".into()) };
        }
        let expected = expected(&case, &script, &mut seen)?;
        check_programs(&case, &script, &expected, &mut seen)?;
        for (plan, threads) in [(Plan::Auto, 1), (Plan::Events, 2), (Plan::Replay, 2)] {
            check_engine(&case, &script, &expected, plan, threads)?;
        }
    }
    Ok(())
}
