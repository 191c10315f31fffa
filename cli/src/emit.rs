//! `aplysia emit`: what the compiler makes of a rule, stage by stage.

use aplysia_compiler::back::cranelift::{self, Isa, JitError, JitOptions};
use aplysia_compiler::back::{cuda, rust};
use aplysia_compiler::diag::code;
use aplysia_compiler::ir;
use aplysia_compiler::kernel::{self, Kernel};
use aplysia_compiler::plan::{self, Options, program::Program};
use aplysia_compiler::valid;

use crate::arguments::{EmitArguments, IsaChoice, Precision, Target, Topology};
use crate::report::{self, Failure, Outcome};
use crate::run::arguments::PlanChoice;
use crate::text::{self, Opened, Text};

/// Prints a stage.
///
/// # Errors
/// Where the rule has errors, or the stage is not in this version.
pub fn run(arguments: &EmitArguments) -> Outcome {
    let of_kernels = !matches!(arguments.target, Target::Ast | Target::Ir | Target::Flow);
    if arguments.kernel.is_some() && !of_kernels {
        return Err(Failure::usage("`--kernel` goes with the targets kernel, clif, asm, cuda, ptx and rust"));
    }
    let elsewhere = matches!(arguments.target, Target::Cuda | Target::Ptx | Target::Rust);
    if arguments.plan == PlanChoice::ClosedForm && elsewhere {
        return Err(Failure::usage(
            "the plan `closed-form` is for processors: take the targets kernel, clif or asm",
        ));
    }
    let options = options(arguments.topology, arguments.batch, arguments.precision);
    // Threads of a GPU share no cache that tiles would fit into.
    let tiles = !matches!(arguments.target, Target::Cuda | Target::Ptx);
    let options = Options { tiles, choice: arguments.plan.choice(), ..options };
    let out = match arguments.target {
        Target::Ast => tree(arguments)?,
        Target::Ir => ir::print::print(&text::open(&arguments.rule)?.rule),
        Target::Flow => {
            let Opened { library, rule, .. } = text::open(&arguments.rule)?;
            let flows = plan::flows(&rule, &options);
            let flows = flows.map_err(|found| report::refused(library.sources(), &found))?;
            let texts: Vec<String> = flows.iter().map(|(name, text)| format!("{name}\n{text}")).collect();
            texts.join("\n")
        }
        Target::Kernel => kernels(arguments, &options, |kernel| Ok(kernel::print::print(kernel)))?,
        Target::Clif => machine(arguments, &options, cranelift::clif)?,
        Target::Asm => machine(arguments, &options, cranelift::assembly)?,
        Target::Cuda => cuda_text(arguments, &options)?,
        Target::Ptx => ptx(arguments, &options)?,
        Target::Rust => {
            kernels(arguments, &options, |kernel| match rust::kernel(kernel, &valid_info(kernel)) {
                Ok(kernel) => Ok(kernel.text),
                Err(error) => aplysia_compiler::ice!("{error}"),
            })?
        }
    };
    let end = if out.ends_with('\n') || out.is_empty() { "" } else { "\n" };
    report::print(&format!("{out}{end}"))
}

/// For what a rule is planned.
pub fn options(topology: Topology, batch: u32, precision: Precision) -> Options {
    Options {
        topology: topology.kind(),
        batched: batch > 1,
        // As the CPU has them.
        tiles: true,
        strips: false,
        precision: self::precision(precision),
        ..Options::default()
    }
}

/// The compiler's word for a precision.
pub fn precision(precision: Precision) -> kernel::Precision {
    match precision {
        Precision::F32 => kernel::Precision::F32,
        Precision::F64 => kernel::Precision::F64,
    }
}

/// Plans a rule.
///
/// # Errors
/// Where the plan refuses it; that has been shown.
pub fn program(opened: &Opened, options: &Options) -> Outcome<Program> {
    plan::compile(&opened.rule, options).map_err(|found| report::refused(opened.library.sources(), &found))
}

fn tree(arguments: &EmitArguments) -> Outcome<String> {
    let library = Text::read(&arguments.rule.file)?.library(arguments.rule.root.as_deref())?;
    let found = library.check();
    if found.has_errors() {
        return Err(report::refused(library.sources(), &found));
    }
    Ok(format!("{:#?}\n", library.root()))
}

fn kernels(
    arguments: &EmitArguments,
    options: &Options,
    text: impl Fn(&Kernel) -> Outcome<String>,
) -> Outcome<String> {
    let program = program(&text::open(&arguments.rule)?, options)?;
    let all = || program.kernels.iter().map(|(_, kernel)| kernel);
    let wanted = |kernel: &&Kernel| arguments.kernel.as_ref().is_none_or(|name| kernel.name == *name);
    let texts: Vec<String> = all().filter(wanted).map(text).collect::<Outcome<_>>()?;
    if let (true, Some(name)) = (texts.is_empty(), &arguments.kernel) {
        let names: Vec<&str> = all().map(|kernel| kernel.name.as_str()).collect();
        let failure = Failure::usage(format!("the rule has no kernel `{name}`"));
        let known = format!("it has {}", names.join(", "));
        return Err(failure.nearest(name, names).help(known));
    }
    Ok(texts.join("\n"))
}

/// CUDA C: the prelude and the kernels.
fn cuda_text(arguments: &EmitArguments, options: &Options) -> Outcome<String> {
    let kernels = kernels(arguments, options, |kernel| match cuda::kernel(kernel, &valid_info(kernel)) {
        Ok(kernel) => Ok(kernel.text),
        Err(error) => aplysia_compiler::ice!("{error}"),
    })?;
    Ok(format!("{}\n{kernels}", cuda::PRELUDE))
}

/// What NVRTC makes of the CUDA C.
#[cfg(feature = "cuda")]
fn ptx(arguments: &EmitArguments, options: &Options) -> Outcome<String> {
    let text = cuda_text(arguments, options)?;
    Ok(aplysia::cuda::ptx(&text, aplysia::cuda::Architecture::default())?)
}

#[cfg(not(feature = "cuda"))]
fn ptx(_: &EmitArguments, _: &Options) -> Outcome<String> {
    Err(Failure::usage("this program was built without CUDA").help("build it with `--features cuda`"))
}

pub fn valid_info(kernel: &Kernel) -> valid::kernel::KernelInfo {
    match valid::kernel::validate(kernel) {
        Ok(info) => info,
        Err(errors) => aplysia_compiler::ice!("kernel `{}` is not valid: {}", kernel.name, errors.join("; ")),
    }
}

type Listing = fn(&Kernel, &valid::kernel::KernelInfo, &Isa, &JitOptions) -> Result<String, JitError>;

fn machine(arguments: &EmitArguments, options: &Options, listing: Listing) -> Outcome<String> {
    let fault = |error: JitError| Failure::data(code::BAD_DEVICE, error.to_string());
    let isa = match arguments.isa {
        IsaChoice::Host => Isa::host(),
        IsaChoice::Baseline => Isa::baseline(),
        IsaChoice::Version3 => Isa::version_3(),
    };
    let isa = isa.map_err(fault)?;
    kernels(arguments, options, |kernel| {
        let text = listing(kernel, &valid_info(kernel), &isa, &JitOptions::default()).map_err(fault)?;
        Ok(format!("; kernel {}\n{text}", kernel.name))
    })
}
