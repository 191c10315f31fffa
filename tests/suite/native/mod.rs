//! Rust: the text of kernels, compiled by rustc, against the kernel interpreter.

mod build;
mod forms;
mod lagging;
mod modules;
mod repeat;

use aplysia_compiler::back::rust::{self, RustKernel};
use aplysia_compiler::kernel::{Kernel, Precision};
use aplysia_compiler::topology::Kind;
use aplysia_compiler::valid::kernel::validate;
use libtest_mimic::{Failed, Trial};

use crate::cuda::shim::launches;
use crate::cuda::topologies;
use repeat::Work;

/// Rules whose dense kernels are compiled every time: traces, sums along rows and down columns, draws, optimisers. The
/// others are compiled on demand.
const DENSE: [&str; 6] = ["adam", "bcm", "cortex", "crystallize", "rejuvenate", "stdp"];

/// Rules whose kernels are compiled on every topology every time.
const EVERYWHERE: [&str; 3] = ["normalise", "rate_homeostasis", "stdp"];

/// The trials.
pub fn trials() -> Vec<Trial> {
    let without = !build::has_compiler();
    let mut trials = Vec::new();
    for precision in [Precision::F32, Precision::F64] {
        for (title, asked) in [("dense", true), ("dense_others", false)] {
            let title = format!("native::{title}::{precision:?}").to_lowercase();
            let folder = title.replace("::", "_");
            let wanted = move |name: &str| DENSE.contains(&name) == asked;
            let trial = Trial::test(title, move || dense(&folder, precision, wanted));
            trials.push(trial.with_ignored_flag(without || !asked));
        }
        for (title, asked) in [("topologies", true), ("topologies_others", false)] {
            let title = format!("native::{title}::{precision:?}").to_lowercase();
            let folder = title.replace("::", "_");
            let wanted = move |name: &str| EVERYWHERE.contains(&name) == asked;
            let trial = Trial::test(title, move || everywhere(&folder, precision, wanted));
            trials.push(trial.with_ignored_flag(without || !asked || precision == Precision::F64));
        }
    }
    let trial = Trial::test("native::a_wrong_text_is_found", wrong_text);
    trials.push(trial.with_ignored_flag(without));
    // Beside other packages its modules would have the standard library, which may hide that they need it.
    let alone = || build::alone("aplysia-example-no-std");
    trials.push(Trial::test("native::without_the_standard_library", alone).with_ignored_flag(without));
    trials.extend(modules::trials());
    trials.extend(lagging::trials());
    trials
}

/// The text of a kernel.
pub fn emit(kernel: &Kernel) -> Result<RustKernel, String> {
    let info = validate(kernel).map_err(|errors| errors.join("\n"))?;
    rust::kernel(kernel, &info).map_err(|error| error.to_string())
}

fn dense(folder: &str, precision: Precision, wanted: impl Fn(&str) -> bool) -> Result<(), Failed> {
    let mut work = Work::default();
    for (name, text) in crate::cuda::cases().iter().filter(|(name, _)| wanted(name)) {
        launches(name, text, precision, &mut |kernel, launched| work.add(kernel, launched))?;
    }
    work.check(folder)
}

fn everywhere(folder: &str, precision: Precision, wanted: impl Fn(&str) -> bool) -> Result<(), Failed> {
    let mut work = Work::default();
    for (_, text) in topologies::RULES.into_iter().filter(|(name, _)| wanted(name)) {
        let case = topologies::case(text)?;
        for kind in Kind::ALL {
            for batch in topologies::BATCHES {
                for program in topologies::programs(&case, kind, batch, precision) {
                    let mut add = |kernel: &Kernel, launched| work.add(kernel, launched);
                    topologies::run(&case, &program, &topologies::topology(kind)?, batch, &mut add)?;
                }
            }
        }
    }
    work.check(folder)
}

/// A sum that has become a difference does not pass.
fn wrong_text() -> Result<(), Failed> {
    let text = aplysia_rules::find("stdp").ok_or("no such rule")?;
    let mut work = Work::default();
    launches("stdp", text, Precision::F32, &mut |kernel, launched| work.add(kernel, launched))?;
    work.replace("= w + ", "= w - ");
    match work.check("native_wrong_text") {
        Err(failed) if failed.message().is_some_and(|message| message.contains("step_synapses")) => Ok(()),
        Err(failed) => Err(failed),
        Ok(()) => Err("it passed".into()),
    }
}
