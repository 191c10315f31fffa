//! How long a rule takes from its text to kernels that can be called, stage by stage.
//!
//! `cargo bench -p aplysia-compiler --features cranelift --bench compile -- --quick` measures a warm process with
//! criterion. With `--cold` in the place of `--quick` every shipped rule is compiled in fresh processes, once each, and the
//! median and the range of each stage are printed: the compiler's own code and data are not in any cache then. Below the
//! table stand the median and the worst of all rules; with `--json` that is all that is printed, as one line.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aplysia_compiler::back::cranelift::{self, Isa, JitKernel, JitOptions};
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader, Settings};
use aplysia_compiler::plan::program::Program;
use aplysia_compiler::plan::{self, Options};
use aplysia_compiler::source::Sources;
use aplysia_compiler::valid::kernel::{KernelInfo, validate};
use aplysia_compiler::{ir, parse};
use criterion::{BatchSize, Criterion};

/// What a warm process compiles: from one small rule to a composition of four.
const RULES: &[&str] = &["dale", "stdp", "stdp_triplet", "conex_rstdp", "adam", "hebbian", "cortex"];
/// Processes for each rule.
const RUNS: usize = 21;
const STAGES: [&str; 5] = ["parse", "check and compose", "integrate and plan", "validate", "Cranelift"];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--once") {
        let name = arguments.get(place + 1).ok_or("`--once` needs the name of a rule")?;
        let times = once(name)?.map(|time| time.as_nanos().to_string());
        println!("{}", times.join(" "));
        return Ok(());
    }
    if arguments.iter().any(|argument| argument == "--cold") {
        return cold(arguments.iter().any(|argument| argument == "--json"));
    }
    let mut criterion = Criterion::default().configure_from_args();
    for name in RULES {
        warm(&mut criterion, name)?;
    }
    criterion.final_summary();
    Ok(())
}

/// The shipped rules.
struct Shipped;

impl Loader for Shipped {
    fn load(&self, _importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let Import::Shipped(name) = target else { return Err(LoadError::NotFound) };
        let text = text(name).map_err(|error| LoadError::Other(error.to_string()))?;
        Ok(Loaded { name: format!("std::{name}"), text })
    }
}

fn text(name: &str) -> std::io::Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    std::fs::read_to_string(folder.join(format!("{name}.rule")))
}

/// The file and all it imports.
fn parsed(name: &str, text: &str) -> Library {
    Library::load(&format!("{name}.rule"), text, &Shipped).0
}

fn elaborated(library: &Library, name: &str) -> Outcome<ir::Rule> {
    let settings = Settings::default();
    let elaborated =
        library.elaborate(Some(name), &settings).map_err(|_| format!("`{name}` has mistakes"))?;
    Ok(elaborated.rule)
}

fn planned(rule: &ir::Rule) -> Outcome<Program> {
    let program = plan::compile(rule, &Options::default());
    program.map_err(|_| format!("`{}` cannot be planned", rule.name).into())
}

fn validated(program: &Program) -> Outcome<Vec<KernelInfo>> {
    let infos =
        program.kernels.iter().map(|(_, kernel)| validate(kernel).map_err(|errors| errors.join("\n").into()));
    infos.collect()
}

fn compiled(program: &Program, infos: &[KernelInfo], isa: &Isa) -> Outcome<Vec<JitKernel>> {
    let options = JitOptions { verify: false, ..JitOptions::default() };
    let kernels = program.kernels.iter().zip(infos);
    kernels.map(|((_, kernel), info)| Ok(cranelift::compile(kernel, info, isa, &options)?)).collect()
}

/// Each stage once, and how long it took. Reading the files is not counted.
fn once(name: &str) -> Outcome<[Duration; 5]> {
    let text = text(name)?;
    let mut times = [Duration::ZERO; 5];
    let start = Instant::now();
    let library = parsed(name, &text);
    times[0] = start.elapsed();
    let start = Instant::now();
    let rule = elaborated(&library, name)?;
    times[1] = start.elapsed();
    let start = Instant::now();
    let program = planned(&rule)?;
    times[2] = start.elapsed();
    let start = Instant::now();
    let infos = validated(&program)?;
    times[3] = start.elapsed();
    let start = Instant::now();
    let kernels = compiled(&program, &infos, &Isa::host()?)?;
    times[4] = start.elapsed();
    black_box(kernels);
    Ok(times)
}

/// One rule in a warm process.
fn warm(criterion: &mut Criterion, name: &str) -> Outcome<()> {
    let text = text(name)?;
    let library = parsed(name, &text);
    let rule = elaborated(&library, name)?;
    let program = planned(&rule)?;
    let infos = validated(&program)?;
    let isa = Isa::host()?;
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let mut sources = Sources::new();
            let file = sources.add(name, black_box(text.as_str()));
            parse::parse(&sources, file)
        });
    });
    group.bench_function("check and compose", |bencher| {
        bencher.iter(|| elaborated(black_box(&library), name))
    });
    group.bench_function("integrate and plan", |bencher| bencher.iter(|| planned(black_box(&rule))));
    group.bench_function("validate", |bencher| bencher.iter(|| validated(black_box(&program))));
    group.bench_function("Cranelift", |bencher| {
        bencher.iter_batched(
            || (),
            |()| compiled(black_box(&program), &infos, &isa),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("all", |bencher| {
        bencher.iter(|| {
            let library = parsed(name, black_box(&text));
            let program = planned(&elaborated(&library, name)?)?;
            let infos = validated(&program)?;
            compiled(&program, &infos, &isa)
        });
    });
    group.finish();
    let (kernels, bytes) = (program.kernels.len(), size(&compiled(&program, &infos, &isa)?));
    println!("{name}: {} lines, {kernels} kernels, {bytes} bytes of machine code\n", text.lines().count());
    Ok(())
}

fn size(kernels: &[JitKernel]) -> usize {
    kernels.iter().map(JitKernel::code_size).sum()
}

/// Every shipped rule in fresh processes, in milliseconds: the median, and the least and the most.
fn cold(json: bool) -> Outcome<()> {
    if !json {
        println!("| rule | {} | all | process |", STAGES.join(" | "));
        println!("|{}", " --- |".repeat(STAGES.len() + 3));
    }
    // Of each rule, the median of all stages together.
    let mut rules: Vec<(f64, &str)> = Vec::new();
    // Some rules only live beside others.
    for (name, _) in aplysia_rules::all().filter(|(name, _)| once(name).is_ok()) {
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); STAGES.len() + 2];
        for _ in 0..RUNS {
            for (column, time) in columns.iter_mut().zip(process(name)?) {
                column.push(time);
            }
        }
        let cells: Vec<String> = columns.iter_mut().map(|column| spread(column)).collect();
        if !json {
            println!("| {name} | {} |", cells.join(" | "));
        }
        rules.push((columns[STAGES.len()][RUNS / 2], name));
    }
    rules.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (Some(worst), middle) = (rules.last(), rules[rules.len() / 2].0) else { return Ok(()) };
    if json {
        let names = (rules.len(), worst.1);
        println!(
            "{{\"workload\": \"cold\", \"rules\": {}, \"median_ms\": {middle:.3}, \"worst_ms\": {:.3}, \"worst\": \"{}\"}}",
            names.0, worst.0, names.1
        );
    } else {
        println!("\n{} rules: median {middle:.2} ms, worst {:.2} ms ({})", rules.len(), worst.0, worst.1);
    }
    Ok(())
}

/// The stages of a rule in a fresh process, all of them together, and the whole process, in milliseconds.
fn process(name: &str) -> Outcome<Vec<f64>> {
    let start = Instant::now();
    let output = Command::new(std::env::current_exe()?).args(["--once", name]).output()?;
    let process = start.elapsed().as_secs_f64() * 1e3;
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let times = line.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
    let mut times: Vec<f64> = times.map(|nanos| nanos * 1e-6).collect();
    if times.len() != STAGES.len() {
        return Err(format!("`{name}`: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    times.extend([times.iter().sum(), process]);
    Ok(times)
}

fn spread(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2}–{:.2})", times[times.len() / 2], times[0], times[times.len() - 1])
}
