//! The command line of aplysia: check, format, compile, explain and run plasticity rules.
//!
//! Results go to standard output, everything that is wrong to standard error. The exit code is 0 where all is well, 1
//! where a rule or its data have errors, and 2 where the command line is wrong or a file cannot be read or written.

mod arguments;
mod bench;
mod check;
mod devices;
mod emit;
mod explain;
mod format;
mod given;
mod list;
mod manual;
mod npy;
mod npz;
mod poisson;
mod quantity;
mod report;
mod run;
mod text;
mod window;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Fmt(arguments) => format::run(arguments),
        Command::Emit(arguments) => emit::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Devices(arguments) => devices::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Window(arguments) => window::run(arguments),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { command } => manual::page(command.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(report::conclude(&failure)),
    }
}
