//! Runs a workload as code that `plasticity!` has made, and prints a line of JSON: `native WORKLOAD [--threads 1]
//! [--seconds S] [--steps N] [--rounds N]`.

use std::process::ExitCode;

use aplysia_bench::native::Native;
use aplysia_bench::workload::FORMS;
use aplysia_bench::{Data, Settings, Workload, measure};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let mut settings = Settings { seconds: 1.5, steps: None, rounds: 3 };
    let mut name = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if !argument.starts_with('-') {
            name = Some(argument);
            continue;
        }
        let value = arguments.next().unwrap_or_default();
        let wrong = || format!("`{argument} {value}` is not understood");
        match argument.as_str() {
            "--threads" if value == "1" => {}
            "--threads" => return Err("the code of `plasticity!` runs on one thread".to_owned()),
            "--seconds" => {
                let seconds = value.parse().ok().filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0);
                settings.seconds = seconds.ok_or_else(wrong)?;
            }
            "--steps" => settings.steps = Some(value.parse().map_err(|_| wrong())?),
            "--rounds" => settings.rounds = value.parse::<u16>().map_err(|_| wrong())?.into(),
            _ => return Err(wrong()),
        }
    }
    let workload = name.as_deref().and_then(Workload::find);
    let workload = workload.ok_or_else(|| format!("name a workload: {FORMS}"))?;
    let data = Data::new(&workload);
    let mut subject = Native::new(&workload, &data)?
        .ok_or_else(|| format!("`plasticity!` has no groups like those of {}", workload.name))?;
    let found = measure(&mut subject, &workload, &settings)?;
    let compiled = "compiled by rustc";
    println!("{}", found.json(&workload, &data, "aplysia-native", 1, 0.0, compiled));
    Ok(())
}
