//! How long each stage of the compiler takes, in a warm process, on the step of a composition of four rules.
//!
//! `cargo bench -p aplysia-bench --bench passes -- --quick`

use std::hint::black_box;
use std::time::Duration;

use aplysia::Rule;
use aplysia_compiler::back::cranelift::{self, Isa, JitOptions};
use aplysia_compiler::flow::Flow;
use aplysia_compiler::flow::build::{FlowBuilder, Setting};
use aplysia_compiler::ir;
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::pass::integrate::integrate;
use aplysia_compiler::pass::specialise::specialise;
use aplysia_compiler::pass::{PIPELINE, run_pipeline};
use aplysia_compiler::plan::{self, Options, Topology};
use aplysia_compiler::source::Sources;
use aplysia_compiler::valid::kernel::validate;
use aplysia_compiler::{fmt, parse};
use criterion::Criterion;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const RULE: &str = "cortex";

fn main() -> Outcome<()> {
    let refused = |_| format!("`{RULE}` is refused");
    let rule = Rule::shipped(RULE)?.ir()?;
    let integrated = integrate(&rule).map_err(refused)?;
    let specialised = specialise(integrated.clone(), Topology::Dense).map_err(refused)?;
    let flow = step(&specialised);
    let program = plan::compile(&rule, &Options::default()).map_err(refused)?;
    let isa = Isa::host()?;
    let text = aplysia_rules::find("stdp").ok_or("`stdp` is not shipped")?;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("passes");
    group.measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(200)).sample_size(20);
    group.bench_function("parse stdp", |bencher| {
        bencher.iter(|| {
            let mut sources = Sources::new();
            let file = sources.add("stdp", black_box(text));
            parse::parse(&sources, file)
        });
    });
    let mut sources = Sources::new();
    let file = sources.add("stdp", text);
    let (tree, _) = parse::parse(&sources, file);
    group.bench_function("format stdp", |bencher| bencher.iter(|| fmt::format(black_box(text), &tree)));
    group.bench_function("compose", |bencher| bencher.iter(|| Rule::shipped(RULE).map(|rule| rule.ir())));
    group.bench_function("integrate", |bencher| bencher.iter(|| integrate(black_box(&rule))));
    group.bench_function("specialise", |bencher| {
        bencher.iter(|| specialise(black_box(&integrated).clone(), Topology::Dense))
    });
    group.bench_function("flow", |bencher| bencher.iter(|| step(black_box(&specialised))));
    for pass in PIPELINE {
        group.bench_function(pass.name, |bencher| bencher.iter(|| (pass.run)(black_box(&flow))));
    }
    group.bench_function("all passes", |bencher| bencher.iter(|| run_pipeline(black_box(&flow))));
    group.bench_function("plan, with all before it", |bencher| {
        bencher.iter(|| plan::compile(black_box(&rule), &Options::default()))
    });
    group.bench_function("validate", |bencher| {
        bencher.iter(|| program.kernels.iter().all(|(_, kernel)| validate(black_box(kernel)).is_ok()))
    });
    for (_, kernel) in program.kernels.iter() {
        let info = validate(kernel).map_err(|faults| faults.join("; "))?;
        group.bench_function(format!("Cranelift, {}", kernel.name), |bencher| {
            bencher.iter(|| cranelift::compile(kernel, &info, &isa, &JitOptions::default()))
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// What a step does, as a flow.
fn step(rule: &ir::Rule) -> Flow {
    let setting = Setting { precision: Precision::F32, kind: Topology::Dense, batched: false };
    let mut builder = FlowBuilder::new(rule, setting);
    for (id, variable) in rule.variables.iter() {
        if matches!(variable.kind, ir::VarKind::Proposal { .. } | ir::VarKind::Output) {
            builder.clear(id);
        }
    }
    [&rule.update, &rule.modulate, &rule.apply, &rule.constrain]
        .into_iter()
        .for_each(|block| builder.run(block));
    builder.finish()
}
