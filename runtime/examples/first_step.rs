//! From the text of a rule to the first step's end, through an engine, in fresh processes: a dense group of 32 × 32 in f32
//! on one thread.
//!
//! `cargo run --release --example first_step` measures every shipped rule; a number says how many processes each (7).

use std::process::Command;
use std::time::Instant;

use aplysia::{Device, Engine, Error, Group, Rule};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What a rule cannot do without, found out beforehand.
#[derive(Default)]
struct Needs {
    params: Vec<String>,
    inputs: Vec<String>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, name, params, inputs] = &arguments[..]
        && mode == "--once"
    {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let start = Instant::now();
        first_step(name, &Needs { params: list(params), inputs: list(inputs) })?;
        println!("{}", start.elapsed().as_nanos());
        return Ok(());
    }
    let runs: usize = arguments.first().map_or(Ok(7), |count| count.parse())?;
    let mut medians = Vec::new();
    println!("| rule | median ms | least | most |\n| --- | --- | --- | --- |");
    for (name, _) in aplysia_rules::all() {
        let Some(needs) = needs(name)? else { continue };
        let mut times = Vec::new();
        for _ in 0..runs.max(1) {
            let (params, inputs) = (needs.params.join(" "), needs.inputs.join(" "));
            let output =
                Command::new(std::env::current_exe()?).args(["--once", name, &params, &inputs]).output()?;
            let nanos: f64 = String::from_utf8_lossy(&output.stdout)
                .trim()
                .parse()
                .map_err(|_| format!("`{name}`: {}", String::from_utf8_lossy(&output.stderr)))?;
            times.push(nanos * 1e-6);
        }
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        println!("| {name} | {median:.2} | {:.2} | {:.2} |", times[0], times[times.len() - 1]);
        medians.push((median, name));
    }
    medians.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((most, name)) = medians.last() {
        let median = medians[medians.len() / 2].0;
        println!("\n{} rules: median {median:.2} ms, most {most:.2} ms ({name})", medians.len());
    }
    Ok(())
}

/// Reads the rule, registers a group and takes a step.
fn first_step(name: &str, needs: &Needs) -> Result<(), Error> {
    let rule = Rule::shipped(name)?;
    let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
    let group = Group::dense(32, 32).rule(&rule);
    let group = needs.params.iter().fold(group, |group, name| group.param(name, 1.0));
    let id = engine.register(group)?;
    for input in &needs.inputs {
        engine.set_input(id, input.as_str(), &[0.5f32])?;
    }
    engine.step(&[])
}

/// What the rule needs; nothing where it cannot stand alone.
fn needs(name: &str) -> Outcome<Option<Needs>> {
    let mut needs = Needs::default();
    loop {
        match first_step(name, &needs) {
            Ok(()) => return Ok(Some(needs)),
            Err(Error::MissingParameters { names, .. }) if needs.params.is_empty() => needs.params = names,
            Err(Error::MissingInputs { names, .. }) if needs.inputs.is_empty() => needs.inputs = names,
            Err(Error::Rule { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
