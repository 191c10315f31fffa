//! The CUDA text itself, executed on the CPU by `tests/cuda/shim.hpp`, against the kernel interpreter.
//!
//! Every launch of a scripted run is noted, with its memory before and after; the generated kernels do it again from
//! the same memory, in grids of several sizes and in both orders of threads, and must leave the same bits.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use aplysia_compiler::back::cuda::{self, CudaKernel};
use aplysia_compiler::interp::kernel::Cells;
use aplysia_compiler::interp::program::Launched;
use aplysia_compiler::kernel::{Kernel, Precision, Type};
use aplysia_compiler::plan::{self, PlanChoice};
use libtest_mimic::{Failed, Trial};

use super::{cases, emit};
use crate::machine::planned::{Planned, options};
use crate::machine::script::script;
use crate::machine::{Case, trace};

/// No multiple of a run of neighbours, several runs, several blocks of a sum, many strips, nothing at all.
const SIZES: [(usize, usize); 6] = [(5, 7), (33, 72), (300, 8), (3, 1030), (0, 3), (520, 5)];

/// Rules whose f64 kernels are run every time, too; those of the others are run on demand.
const IN_BOTH_PRECISIONS: [&str; 4] = ["bcm", "cortex", "rejuvenate", "stdp"];

/// Thread blocks and threads, by turns.
const GRIDS: [(u64, u64); 4] = [(1, 32), (2, 64), (5, 96), (1, 256)];

/// A trial for each shipped rule and precision.
pub fn trials() -> Vec<Trial> {
    let without = compiler().is_none();
    let mut trials = Vec::new();
    for (name, text) in cases() {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("cuda::shim::{name}::{precision:?}").to_lowercase();
            let on_demand = precision == Precision::F64 && !IN_BOTH_PRECISIONS.contains(&name);
            let text = text.clone();
            let trial = Trial::test(title, move || shipped(name, &text, precision));
            trials.push(trial.with_ignored_flag(without || on_demand));
        }
    }
    let trial = Trial::test("cuda::shim::a_wrong_text_is_found", wrong_text);
    trials.push(trial.with_ignored_flag(without));
    trials.extend(super::topologies::trials(without));
    trials
}

/// The system's C++ compiler, if it has one.
pub fn compiler() -> Option<&'static str> {
    let works =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
    ["c++", "g++", "clang++"].into_iter().find(works)
}

/// A launch to be done again.
pub struct Repeat {
    /// The kernel, by its place in the list.
    pub kernel: usize,
    /// What was done.
    pub launched: Launched,
}

/// Kernels, each once, and launches of them.
#[derive(Default)]
pub struct Work {
    known: HashMap<String, usize>,
    kernels: Vec<(Kernel, CudaKernel)>,
    launches: Vec<Repeat>,
}

impl Work {
    /// Adds a launch.
    pub fn add(&mut self, kernel: &Kernel, launched: Launched) -> Result<(), String> {
        let key = format!("{kernel:?}");
        let place = match self.known.get(&key) {
            Some(place) => *place,
            None => {
                let mut own = kernel.clone();
                own.name = format!("k{}_{}", self.kernels.len(), kernel.name);
                self.kernels.push((kernel.clone(), emit(&own)?));
                self.known.insert(key, self.kernels.len() - 1);
                self.kernels.len() - 1
            }
        };
        self.launches.push(Repeat { kernel: place, launched });
        Ok(())
    }

    /// Does all launches again and compares.
    pub fn check(&self) -> Result<(), Failed> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("shim.hpp"), include_str!("../../cuda/shim.hpp"))?;
        std::fs::write(folder.path().join("kernels.cpp"), self.source())?;
        let program = folder.path().join("kernels");
        let compiler = compiler().ok_or("there is no C++ compiler")?;
        let built = Command::new(compiler)
            .args(["-std=c++20", "-O1", "-ffp-contract=off", "-w", "-o"])
            .arg(&program)
            .arg(folder.path().join("kernels.cpp"))
            .output()?;
        if !built.status.success() {
            return Err(format!("{}\n{}", String::from_utf8_lossy(&built.stderr), self.source()).into());
        }
        let (input, output) = (folder.path().join("input"), folder.path().join("output"));
        std::fs::write(&input, self.input())?;
        let ran = Command::new(&program).arg(&input).arg(&output).output()?;
        if !ran.status.success() {
            return Err(format!("{}: {}", ran.status, String::from_utf8_lossy(&ran.stderr)).into());
        }
        self.compare(&output)
    }

    /// The shim, the kernels, and a table of calls.
    fn source(&self) -> String {
        let mut text = String::from("#include \"shim.hpp\"\n");
        text.push_str(&cuda::module(self.kernels.iter().map(|(_, text)| text)));
        let mut table = String::from("\nconst shim::Entry entries[] = {\n");
        for (kernel, cuda) in &self.kernels {
            let arguments = kernel.buffers.iter().map(|(id, buffer)| {
                let word = match buffer.ty {
                    Type::F32 => "float",
                    Type::F64 => "double",
                    Type::I32 => "u32",
                    Type::I64 => "u64",
                    Type::Bool => "u8",
                };
                format!("({word} *)p[{}], ", id.index())
            });
            let arguments: String = arguments.collect();
            // Writing to a string does not fail.
            let _ = writeln!(
                table,
                "    {{[](void **p, const unsigned long long *s) {{ {}({arguments}s); }}, {}}},",
                cuda.symbol, cuda.waits
            );
        }
        text.push_str(&table);
        text.push_str("};\n");
        text
    }

    fn input(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let put = |number: u64, bytes: &mut Vec<u8>| bytes.extend(number.to_le_bytes());
        put(self.launches.len() as u64, &mut bytes);
        for (number, repeat) in self.launches.iter().enumerate() {
            let (blocks, threads) = GRIDS[number % GRIDS.len()];
            let launched = &repeat.launched;
            for number in [repeat.kernel as u64, blocks, threads, (number / 4 % 2) as u64] {
                put(number, &mut bytes);
            }
            put(launched.before.len() as u64, &mut bytes);
            for array in &launched.before {
                put((array.length() * array.ty().size()) as u64, &mut bytes);
                (0..array.length()).for_each(|at| {
                    let bits = array.load(at).unwrap_or(0);
                    bytes.extend(&bits.to_le_bytes()[..array.ty().size()]);
                });
            }
            put(launched.scalars.len() as u64 + 1, &mut bytes);
            launched.scalars.iter().chain([&launched.blocks]).for_each(|&scalar| put(scalar, &mut bytes));
        }
        bytes
    }

    fn compare(&self, output: &Path) -> Result<(), Failed> {
        let bytes = std::fs::read(output)?;
        let mut rest = bytes.as_slice();
        for (number, repeat) in self.launches.iter().enumerate() {
            let kernel = &self.kernels[repeat.kernel].0;
            for ((_, buffer), expected) in kernel.buffers.iter().zip(&repeat.launched.after) {
                let size = buffer.ty.size();
                for at in 0..expected.length() {
                    let (cell, more) = rest.split_at_checked(size).ok_or("the output is too short")?;
                    rest = more;
                    let mut bits = [0; 8];
                    bits[..size].copy_from_slice(cell);
                    let (found, expected) = (u64::from_le_bytes(bits), expected.load(at).unwrap_or(0));
                    if !same(buffer.ty, found, expected) {
                        let grid = GRIDS[number % GRIDS.len()];
                        return Err(format!(
                            "launch {number} of `{}` as {grid:?}: `{}`[{at}] is {found:#x}, not {expected:#x}\n{}",
                            kernel.name, buffer.name, self.kernels[repeat.kernel].1.text
                        )
                        .into());
                    }
                }
            }
        }
        if rest.is_empty() { Ok(()) } else { Err("the output is too long".into()) }
    }
}

/// Any NaN equals any NaN; -0 differs from +0.
pub fn same(ty: Type, a: u64, b: u64) -> bool {
    let nan = |bits: u64| match ty {
        Type::F32 => f32::from_bits(bits as u32).is_nan(),
        Type::F64 => f64::from_bits(bits).is_nan(),
        Type::I32 | Type::I64 | Type::Bool => false,
    };
    a == b || nan(a) && nan(b)
}

/// A sum that has become a difference does not pass.
fn wrong_text() -> Result<(), Failed> {
    let text = aplysia_rules::find("stdp").ok_or("no such rule")?;
    let mut work = Work::default();
    launches("stdp", text, Precision::F32, &mut |kernel, launched| work.add(kernel, launched))?;
    for (_, cuda) in &mut work.kernels {
        cuda.text = cuda.text.replace("= w + ", "= w - ");
    }
    match work.check() {
        Err(failed) if failed.message().is_some_and(|message| message.contains("step_synapses")) => Ok(()),
        Err(failed) => Err(failed),
        Ok(()) => Err("it passed".into()),
    }
}

fn shipped(name: &str, text: &str, precision: Precision) -> Result<(), Failed> {
    let mut work = Work::default();
    launches(name, text, precision, &mut |kernel, launched| work.add(kernel, launched))?;
    work.check()
}

/// Everything that scripted runs of a rule launch.
pub fn launches(
    name: &str,
    text: &str,
    precision: Precision,
    add: &mut dyn FnMut(&Kernel, Launched) -> Result<(), String>,
) -> Result<(), Failed> {
    let case = Case::new(name, text, None, &[])?;
    for (number, size) in SIZES.into_iter().enumerate() {
        let steps = if size.0 * size.1 > 2000 { 5 } else { 9 };
        let script = script(&case.rule, size, precision, steps, number as u64 + 1);
        for choice in [PlanChoice::FullPass, PlanChoice::Events] {
            let program =
                plan::compile(&case.rule, &options(&script, choice)).map_err(|_| "it cannot be planned")?;
            let mut machine = Planned::new(&case.rule, &program, &script, u64::MAX);
            let witness = machine.witness();
            trace(&case.rule, &mut machine, &script)?;
            for launched in witness.take() {
                add(&program.kernels[launched.kernel], launched)?;
            }
        }
    }
    Ok(())
}
