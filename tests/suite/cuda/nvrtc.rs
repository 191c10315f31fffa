//! NVRTC takes the CUDA text of every rule; ten of them become machine code for two generations of GPUs, and what the
//! assembler says of registers, spills and stack is printed.

use aplysia::cuda::{Architecture, Binary, binary, missing, ptx};
use aplysia_compiler::back::cuda;
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::plan::{self, Options};
use aplysia_compiler::topology::Kind;
use libtest_mimic::{Failed, Trial};

use super::topologies::{BATCHES, RULES, case, programs};
use super::{cases, emit};
use crate::machine::Case;

/// Rules that become machine code.
const TO_THE_END: [&str; 10] = [
    "adam",
    "bcm",
    "conex_rstdp",
    "cortex",
    "normalise",
    "oja",
    "rejuvenate",
    "stdp",
    "stdp_soft",
    "stdp_triplet",
];

/// A trial for each rule and precision.
pub fn trials() -> Vec<Trial> {
    let without = missing().is_some();
    let mut trials = Vec::new();
    for (name, text) in cases() {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("cuda::nvrtc::{name}::{precision:?}").to_lowercase();
            let text = text.clone();
            let trial = Trial::test(title, move || compiles(name, &text, precision));
            trials.push(trial.with_ignored_flag(without));
        }
    }
    for (name, text) in RULES {
        for kind in Kind::ALL {
            let title = format!("cuda::nvrtc::topologies::{name}::{}", kind.word());
            let trial = Trial::test(title, move || on_topology(text, kind));
            trials.push(trial.with_ignored_flag(without));
        }
    }
    let trial = Trial::test("cuda::nvrtc::machine_code", machine_code);
    trials.push(trial.with_ignored_flag(without));
    trials
}

fn module(name: &str, text: &str, precision: Precision) -> Result<String, Failed> {
    let case = Case::new(name, text, None, &[])?;
    let options = Options { precision, ..Options::default() };
    let program = plan::compile(&case.rule, &options).map_err(|_| "it cannot be planned")?;
    let kernels = program.kernels.iter().map(|(_, kernel)| emit(kernel));
    let kernels = kernels.collect::<Result<Vec<_>, String>>()?;
    Ok(cuda::module(&kernels))
}

fn compiles(name: &str, text: &str, precision: Precision) -> Result<(), Failed> {
    clean(&ptx(&module(name, text, precision)?, Architecture::default())?)
}

fn clean(ptx: &str) -> Result<(), Failed> {
    // Whatever may not be rounded together, flushed or approximated.
    let wrong = ["fma.rn.ftz", ".ftz", ".approx", "atom.", "red."];
    match wrong.iter().find(|word| ptx.contains(**word)) {
        Some(word) => Err(format!("the PTX has `{word}`").into()),
        None if ptx.contains(".entry") => Ok(()),
        None => Err("the PTX has no kernel".into()),
    }
}

/// With and without a batch, in both precisions; a kind with which a rule does not go has nothing to compile.
fn on_topology(text: &str, kind: Kind) -> Result<(), Failed> {
    let case = case(text)?;
    for batch in BATCHES {
        for precision in [Precision::F32, Precision::F64] {
            for program in programs(&case, kind, batch, precision) {
                let kernels = program.kernels.iter().map(|(_, kernel)| emit(kernel));
                let kernels = kernels.collect::<Result<Vec<_>, String>>()?;
                clean(&ptx(&cuda::module(&kernels), Architecture::default())?)?;
            }
        }
    }
    Ok(())
}

fn machine_code() -> Result<(), Failed> {
    println!("{:<20} {:<32} {:>5} {:>9} {:>6} {:>6}", "rule", "kernel", "sm", "registers", "spills", "stack");
    for (name, text) in cases().into_iter().filter(|(name, _)| TO_THE_END.contains(name)) {
        let text = module(name, &text, Precision::F32)?;
        for architecture in [Architecture(80), Architecture(90)] {
            let Binary { code, log } = binary(&text, architecture)?;
            if code.is_empty() {
                return Err(format!("{name} has no machine code").into());
            }
            table(name, architecture, &log)?;
        }
    }
    Ok(())
}

/// One line for each kernel of an assembler's log.
fn table(name: &str, architecture: Architecture, log: &str) -> Result<(), Failed> {
    let (mut kernel, mut stack, mut spills, mut lines) = ("", 0, 0, 0);
    let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            kernel = rest.split('\'').next().unwrap_or_default();
        }
        for part in line.split(',') {
            let part = part.trim();
            if part.ends_with("bytes stack frame") {
                stack = number(part).unwrap_or(0);
            } else if part.ends_with("bytes spill stores") {
                spills = number(part).unwrap_or(0);
            }
        }
        if let Some((_, rest)) = line.split_once("Used ") {
            let registers = number(rest).ok_or("the log names no registers")?;
            println!("{name:<20} {kernel:<32} {:>5} {registers:>9} {spills:>6} {stack:>6}", architecture.0);
            lines += 1;
        }
    }
    if lines == 0 { Err(format!("the assembler says nothing of {name}:\n{log}").into()) } else { Ok(()) }
}
