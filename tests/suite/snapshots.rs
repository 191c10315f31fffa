//! Every shipped rule at every stage of the compiler: rule IR, flow, kernels, explanation, the module that `plasticity!` makes
//! of it, and, for some, the texts that Cranelift, CUDA compilers and rustc get.

use aplysia_compiler::back::cranelift::{Isa, JitOptions, clif, loops};
use aplysia_compiler::back::rust::module::{Settings, Source, module_with};
use aplysia_compiler::flow;
use aplysia_compiler::flow::build::{FlowBuilder, Setting};
use aplysia_compiler::ir::{self, Rule, VarKind, When};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::pass::{integrate::integrate, run_pipeline};
use aplysia_compiler::plan::program::Action;
use aplysia_compiler::plan::{self, Options, PlanChoice};
use aplysia_compiler::topology::Kind;
use aplysia_compiler::valid::kernel::validate;
use libtest_mimic::{Failed, Trial};

use crate::machine::Case;
use crate::snapshot;

/// The rules whose machine-independent code is kept.
const WITH_CODE: [&str; 8] =
    ["adam", "bcm", "cortex", "dale", "rate_homeostasis", "stdp", "stdp_soft", "stdp_triplet"];

/// A trial for each rule and stage.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (folder, name) in names() {
        trials.push(Trial::test(format!("snapshots::{folder}::{name}"), move || check(folder, name)));
    }
    trials
}

/// The folder and name of each snapshot.
pub fn names() -> Vec<(&'static str, &'static str)> {
    let mut names = Vec::new();
    for (name, text) in aplysia_rules::all() {
        // A rule that waits for another's state is seen in compositions only.
        if text.contains("\n    extern ") {
            continue;
        }
        names.extend(["ir", "flow", "kernel", "explain", "module"].map(|folder| (folder, name)));
        if WITH_CODE.contains(&name) {
            names.extend([("clif", name), ("loops", name), ("cuda", name), ("rust", name)]);
        }
    }
    names
}

fn check(folder: &str, name: &str) -> Result<(), Failed> {
    let text = aplysia_rules::find(name).ok_or("no such rule")?;
    let case = Case::new(name, text, Some(name), &[])?;
    let options = Options { choice: PlanChoice::FullPass, ..Options::default() };
    let program = |options: &Options| plan::compile(&case.rule, options).map_err(|_| "it cannot be planned");
    let text = match folder {
        "ir" => ir::print::print(&case.rule),
        "flow" => step(&case.rule)?,
        "kernel" => plan::print::kernels(&program(&Options::default())?),
        "explain" => plan::print::explain(&program(&Options::default())?),
        "module" => module(&case.rule)?,
        "cuda" => {
            let kernels = program(&Options::default())?.kernels;
            let texts: Result<Vec<String>, String> =
                kernels.iter().map(|(_, kernel)| crate::cuda::emit(kernel).map(|cuda| cuda.text)).collect();
            texts?.join("\n")
        }
        "rust" => {
            let kernels = program(&Options::default())?.kernels;
            let texts: Result<Vec<String>, String> =
                kernels.iter().map(|(_, kernel)| crate::native::emit(kernel).map(|rust| rust.text)).collect();
            texts?.join("\n")
        }
        _ => {
            let program = program(&options)?;
            let Some(Action::Launch(last)) = program.step.actions.last() else {
                return Err("the step does not end with a launch".into());
            };
            let kernel = &program.kernels[last.kernel];
            let info = validate(kernel).map_err(|errors| errors.join("\n"))?;
            // Neither depends on this machine's instructions.
            let text = if folder == "loops" {
                Isa::version_3().and_then(|isa| loops(kernel, &info, &isa, &JitOptions::default()))
            } else {
                Isa::baseline().and_then(|isa| clif(kernel, &info, &isa, &JitOptions::default()))
            };
            text.map_err(|error| error.to_string())?
        }
    };
    snapshot::check(folder, name, &text);
    Ok(())
}

/// The module as `plasticity!` expands it for dense groups, without what it has twice: its loops in f64, which are those in
/// f32, and the texts of other stages that it carries along.
fn module(rule: &Rule) -> Result<String, Failed> {
    let settings = Settings { topologies: vec![Kind::Dense], ..Settings::default() };
    let source = Source { rule, text: "", native: "aplysia::native" };
    let text = module_with(&source, &settings).map_err(|_| "it has no module")?;
    let (f64, item) = ("    impl Loops<f64> for native::Dense {", "    /// The rule as text");
    let (Some(from), Some(to)) = (text.find(f64), text.find(item)) else {
        return Err("the module has other parts than it had".into());
    };
    let rest = text[to..].lines().map(|line| match line.trim_start().split_once(": \"") {
        Some((field @ ("ir" | "cuda"), _)) => format!("        {field}: \"…\",\n"),
        Some(_) | None => format!("{line}\n"),
    });
    Ok(format!("{}    // …\n{}", &text[..from], rest.collect::<String>()))
}

/// The simplified flow of a step that applies.
fn step(rule: &Rule) -> Result<String, Failed> {
    let rule = integrate(rule).map_err(|_| "its equations have no step")?;
    let setting = Setting { precision: Precision::F32, kind: Kind::Dense, batched: false };
    let mut builder = FlowBuilder::new(&rule, setting);
    for (id, variable) in rule.variables.iter() {
        let proposal = matches!(variable.kind, VarKind::Proposal { .. });
        if variable.kind == VarKind::Output || proposal && rule.apply_when == When::EveryStep {
            builder.clear(id);
        }
    }
    for block in [&rule.update, &rule.modulate, &rule.apply, &rule.constrain] {
        builder.run(block);
    }
    Ok(flow::print::print(&run_pipeline(&builder.finish()), &rule))
}
