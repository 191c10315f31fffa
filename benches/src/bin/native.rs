//! Runs a workload as code that `plasticity!` has made, and prints a line of JSON for each plan that differs: `native WORKLOAD [--threads 1]
//! [--seconds S] [--steps N] [--rounds N]`.

use std::process::ExitCode;

use aplysia_bench::native::{Native, Plan};
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
    let mut none = true;
    for plan in Plan::ALL {
        let Some(mut subject) = Native::new(&workload, &data, plan)? else { continue };
        none = false;
        let found = measure(&mut subject, &workload, &settings)?;
        println!("{}", found.json(&workload, &data, plan.system(), 1, 0.0, "compiled by rustc"));
    }
    if none {
        return Err(format!("`plasticity!` has no groups like those of {}", workload.name));
    }
    Ok(())
}
