//! Launches, done again by rustc's code from the same memory: they must leave the same bits.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use aplysia_compiler::back::rust::RustKernel;
use aplysia_compiler::interp::kernel::Cells;
use aplysia_compiler::interp::program::Launched;
use aplysia_compiler::kernel::{Kernel, Type};
use libtest_mimic::Failed;

use crate::cuda::shim::same;

/// Reads launches, runs them, writes what they leave.
const DRIVER: &str = include_str!("driver.rs.txt");

/// Kernels, each once, and launches of them.
#[derive(Default)]
pub struct Work {
    known: HashMap<String, usize>,
    kernels: Vec<(Kernel, RustKernel)>,
    launches: Vec<(usize, Launched)>,
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
                self.kernels.push((kernel.clone(), super::emit(&own)?));
                self.known.insert(key, self.kernels.len() - 1);
                self.kernels.len() - 1
            }
        };
        self.launches.push((place, launched));
        Ok(())
    }

    /// Changes the texts.
    pub fn replace(&mut self, from: &str, to: &str) {
        for (_, rust) in &mut self.kernels {
            rust.text = rust.text.replace(from, to);
        }
    }

    /// Does all launches again and compares; the program is built in a folder of that name.
    pub fn check(&self, name: &str) -> Result<(), Failed> {
        let program = super::build::program(name, &self.source())?;
        let folder = tempfile::tempdir()?;
        let (input, output) = (folder.path().join("input"), folder.path().join("output"));
        std::fs::write(&input, self.input())?;
        let ran = Command::new(&program).arg(&input).arg(&output).output()?;
        if !ran.status.success() {
            return Err(format!("{}: {}", ran.status, String::from_utf8_lossy(&ran.stderr)).into());
        }
        self.compare(&output)
    }

    /// The driver, the kernels, and a table of calls.
    fn source(&self) -> String {
        let mut text = String::from(DRIVER);
        text.push_str(
            "\nmod kernels {\n    #[allow(unused_imports)]\n    use aplysia_native::{self as native, Real as _};\n\n",
        );
        for (_, rust) in &self.kernels {
            text.push_str(&rust.text);
            text.push('\n');
        }
        text.push_str("}\n\nfn launch(kernel: u64, ranges: &[core::ops::Range<i64>], input: &mut Input, output: &mut Vec<u8>) {\n");
        text.push_str("    match kernel {\n");
        for (number, (kernel, rust)) in self.kernels.iter().enumerate() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "        {number} => {{");
            let mut arguments = String::new();
            for (id, scalar) in kernel.scalars.iter() {
                let slot = format!("scalars[{}]", id.index());
                let value = match scalar.ty {
                    Type::F32 => format!("f32::from_bits({slot} as u32)"),
                    Type::F64 => format!("f64::from_bits({slot})"),
                    Type::I32 => format!("{slot} as i32"),
                    Type::I64 => format!("{slot} as i64"),
                    Type::Bool => format!("{slot} & 0xff != 0"),
                };
                let _ = write!(arguments, "{value}, ");
            }
            let mut takes = String::new();
            let mut puts = String::new();
            for (id, buffer) in kernel.buffers.iter() {
                let word = match buffer.ty {
                    Type::F32 => "f32",
                    Type::F64 => "f64",
                    Type::I32 => "i32",
                    Type::I64 => "i64",
                    Type::Bool => "bool",
                };
                let at = id.index();
                let _ = writeln!(takes, "            let mut b{at} = input.array::<{word}>();");
                let _ = writeln!(puts, "            put(output, &b{at});");
                let written = writes(kernel, at);
                let _ = write!(arguments, "&{}b{at}, ", if written { "mut " } else { "" });
            }
            text.push_str(&takes);
            text.push_str("            let scalars = input.array::<u64>();\n");
            let _ = writeln!(
                text,
                "            ranges.iter().for_each(|range| kernels::{}(range.clone(), {arguments}));",
                rust.symbol
            );
            text.push_str(&puts);
            text.push_str("        }\n");
        }
        text.push_str("        _ => panic!(\"no such kernel\"),\n    }\n}\n");
        text
    }

    fn input(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let put = |number: u64, bytes: &mut Vec<u8>| bytes.extend(number.to_le_bytes());
        put(self.launches.len() as u64, &mut bytes);
        for (number, (kernel, launched)) in self.launches.iter().enumerate() {
            // Every other launch goes block by block, the last first.
            for number in [*kernel as u64, launched.blocks, number as u64 % 2] {
                put(number, &mut bytes);
            }
            for array in &launched.before {
                put(array.length() as u64, &mut bytes);
                (0..array.length()).for_each(|at| {
                    let bits = array.load(at).unwrap_or(0);
                    bytes.extend(&bits.to_le_bytes()[..array.ty().size()]);
                });
            }
            put(launched.scalars.len() as u64, &mut bytes);
            launched.scalars.iter().for_each(|&scalar| put(scalar, &mut bytes));
        }
        bytes
    }

    fn compare(&self, output: &Path) -> Result<(), Failed> {
        let bytes = std::fs::read(output)?;
        let mut rest = bytes.as_slice();
        for (number, (kernel, launched)) in self.launches.iter().enumerate() {
            let (kernel, rust) = &self.kernels[*kernel];
            for ((_, buffer), expected) in kernel.buffers.iter().zip(&launched.after) {
                let size = buffer.ty.size();
                for at in 0..expected.length() {
                    let (cell, more) = rest.split_at_checked(size).ok_or("the output is too short")?;
                    rest = more;
                    let mut bits = [0; 8];
                    bits[..size].copy_from_slice(cell);
                    let (found, expected) = (u64::from_le_bytes(bits), expected.load(at).unwrap_or(0));
                    if !same(buffer.ty, found, expected) {
                        return Err(format!(
                            "launch {number} of `{}`: `{}`[{at}] is {found:#x}, not {expected:#x}\n{}",
                            kernel.name, buffer.name, rust.text
                        )
                        .into());
                    }
                }
            }
        }
        if rest.is_empty() { Ok(()) } else { Err("the output is too long".into()) }
    }
}

/// Whether a kernel stores to a buffer.
fn writes(kernel: &Kernel, buffer: usize) -> bool {
    use aplysia_compiler::kernel::Access;
    kernel
        .buffers
        .iter()
        .nth(buffer)
        .is_some_and(|(_, buffer)| matches!(buffer.access, Access::Write | Access::ReadWrite))
}
