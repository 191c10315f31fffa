//! Programs of six rules on every topology, with and without a batch: their CUDA text is executed on the CPU and compared
//! with the kernel interpreter, launch by launch, and compiled by NVRTC.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use aplysia_compiler::interp::program::{Launched, ProgramMachine};
use aplysia_compiler::ir::{BatchReduction, VarKind};
use aplysia_compiler::kernel::{Kernel, Precision};
use aplysia_compiler::plan::program::{Program, Role};
use aplysia_compiler::plan::{self, Options, PlanChoice};
use aplysia_compiler::topology::{Convolution, Kind, Sparse, Topology};
use libtest_mimic::{Failed, Trial};

use super::shim::Work;
use crate::machine::Case;
use crate::machine::script::Numbers;

/// Rules that need nothing but spikes: traces, triplets, rates, sums along rows and down columns, draws.
pub const RULES: [(&str, &str); 6] = [
    ("stdp", "use std::stdp; rule c = stdp;"),
    ("stdp_triplet", "use std::stdp_triplet; rule c = stdp_triplet;"),
    ("bcm", "use std::bcm; rule c = bcm;"),
    ("normalise", "use std::stdp; use std::normalise; rule c = stdp + normalise;"),
    ("rate_homeostasis", "use std::stdp; use std::rate_homeostasis; rule c = stdp + rate_homeostasis;"),
    ("rejuvenate", "use std::stdp; use std::rejuvenate; rule c = stdp + rejuvenate;"),
];

/// The sizes of a batch.
pub const BATCHES: [usize; 2] = [1, 3];

const STEPS: usize = 5;

/// The trials on the CPU.
pub fn trials(without: bool) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, text) in RULES {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("cuda::shim::topologies::{name}::{precision:?}").to_lowercase();
            let trial = Trial::test(title, move || check(text, precision));
            trials.push(trial.with_ignored_flag(without || precision == Precision::F64));
        }
    }
    trials
}

/// A small group of each kind, none of whose lengths is round.
pub fn topology(kind: Kind) -> Result<Topology, Failed> {
    let convolution = || Convolution::new(2, [5, 6], 3, [3, 2])?.with([1, 2], [1, 0], [1, 1], 1);
    Ok(match kind {
        Kind::Dense => Topology::Dense { pre: 37, post: 44 },
        Kind::OneToOne => Topology::OneToOne { count: 41 },
        Kind::Sparse => {
            let (mut starts, mut columns) = (vec![0], Vec::new());
            let mut numbers = Numbers::new(3);
            for row in 0..23 {
                let share = if row % 5 == 4 { 0.0 } else { 0.3 };
                columns.extend((0..300u32).filter(|_| numbers.unit() < share));
                starts.push(columns.len() as u64);
            }
            Topology::Sparse(Arc::new(Sparse::new(23, 300, starts, columns)?))
        }
        Kind::Conv2d => Topology::Conv2d(convolution()?),
        Kind::Local2d => Topology::Local2d(convolution()?),
    })
}

/// The programs of a rule on a kind of topology; none where the rule does not go with it.
pub fn programs(case: &Case, kind: Kind, batch: usize, precision: Precision) -> Vec<Program> {
    let compile = |choice| {
        let options = Options { topology: kind, batched: batch > 1, precision, choice, ..Options::default() };
        plan::compile(&case.rule, &options).ok()
    };
    [PlanChoice::FullPass, PlanChoice::Events].into_iter().filter_map(compile).collect()
}

/// A rule whose increments are averaged over a batch.
pub fn case(text: &str) -> Result<Case, Failed> {
    let mut case = Case::new("topologies", text, None, &[])?;
    case.open.batch = Some(BatchReduction::Mean);
    case.rule.batch = Some(BatchReduction::Mean);
    Ok(case)
}

fn check(text: &str, precision: Precision) -> Result<(), Failed> {
    let case = case(text)?;
    let mut work = Work::default();
    let mut ran = 0;
    for kind in Kind::ALL {
        for batch in BATCHES {
            for program in programs(&case, kind, batch, precision) {
                let mut add = |kernel: &Kernel, launched| work.add(kernel, launched);
                run(&case, &program, &topology(kind)?, batch, &mut add)?;
                ran += 1;
            }
        }
    }
    if ran < 12 {
        return Err(format!("only {ran} programs could be planned").into());
    }
    work.check()
}

/// Some steps with random weights and spikes, launch by launch.
pub fn run(
    case: &Case,
    program: &Program,
    topology: &Topology,
    batch: usize,
    add: &mut dyn FnMut(&Kernel, Launched) -> Result<(), String>,
) -> Result<(), Failed> {
    let mut machine = ProgramMachine::on(&case.rule, program, topology, batch, 1.0, 7);
    let witness = Rc::new(RefCell::new(Vec::new()));
    machine.set_witness(Rc::clone(&witness));
    let mut numbers = Numbers::new(11);
    machine.create().map_err(|fault| fault.to_string())?;
    for (id, variable) in case.rule.variables.iter() {
        let kept = program.storages.iter().any(|(_, storage)| storage.role == Role::Variable(id));
        if kept && matches!(variable.kind, VarKind::Plastic { .. }) {
            let count = machine.read(id).map_err(|fault| fault.to_string())?.len();
            let values: Vec<f64> = (0..count).map(|_| f64::from(numbers.unit() as f32)).collect();
            machine.write(id, &values);
        }
    }
    for step in 0..STEPS {
        let mut side = |count: usize| -> Vec<bool> {
            let share = if step == 3 { 0.0 } else { 0.15 };
            (0..count * batch).map(|_| numbers.unit() < share).collect()
        };
        let (pre, post) = (side(topology.pre()), side(topology.post()));
        machine.step(&pre, &post).map_err(|fault| fault.to_string())?;
    }
    for launched in witness.take() {
        add(&program.kernels[launched.kernel], launched)?;
    }
    Ok(())
}
