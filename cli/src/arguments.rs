//! The command line, as clap reads it. Its documentation comments are what `--help` and the man pages say.

use std::path::PathBuf;

use aplysia_compiler::plan::Topology as Kind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench::arguments::BenchArguments;
use crate::quantity;
use crate::run::arguments::{PlanChoice, RunArguments};

const EXAMPLES: &str = "\
Examples:
  aplysia list                                   what rules are shipped
  aplysia run std::stdp                          run one of them on Poisson spike trains
  aplysia window std::stdp                       its STDP window, as a picture
  aplysia list stdp > my.rule                    a copy to edit
  aplysia check my.rule                          everything that is wrong with it
  aplysia check --explain E0203                  what an error means
  aplysia run my.rule --set a_plus=0.02 --input case.npz --output out.npz

Wherever a FILE is asked for, `std::NAME` is a shipped rule and `-` is standard input.
Exit codes: 0 all is well, 1 a rule or its data have errors, 2 the command line is wrong or a file is.";

/// A compiler for synaptic plasticity rules.
///
/// A rule is a text with the equations of a plasticity rule. Aplysia checks it (names, domains, units), composes it with
/// others, and compiles it to one fused kernel for a group of synapses.
#[derive(Debug, Parser)]
#[command(name = "aplysia", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say everything that is wrong with rule files.
    Check(CheckArguments),
    /// Bring rule files into the one canonical layout.
    Fmt(FmtArguments),
    /// Show what the compiler makes of a rule, stage by stage.
    Emit(EmitArguments),
    /// Tell how a rule will be carried out, and why so.
    Explain(ExplainArguments),
    /// List the shipped rules, or print one.
    List(ListArguments),
    /// Show on what rules can be run here, and what is missing for the rest.
    Devices(DevicesArguments),
    /// Run a rule on a group of synapses.
    #[command(after_help = crate::run::arguments::EXAMPLES)]
    Run(Box<RunArguments>),
    /// Measure how fast a rule's steps are, plan by plan.
    #[command(after_help = crate::bench::arguments::EXAMPLES)]
    Bench(Box<BenchArguments>),
    /// Show the STDP window of a rule: the change that a pair of spikes makes, by their distance in time.
    Window(WindowArguments),
    /// Print a completion script for a shell.
    ///
    /// For bash, say: aplysia completions bash > ~/.local/share/bash-completion/completions/aplysia
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page, to be read with `man -l -`.
    Man {
        /// Of which command; of the program where nothing is said.
        command: Option<String>,
    },
}

/// How the devices are shown.
#[derive(Args, Debug)]
pub struct DevicesArguments {
    /// How they are said.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Which rule.
#[derive(Args, Debug)]
pub struct RuleArguments {
    /// A rule file, `std::NAME` for a shipped rule, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The rule of the file; the last one where nothing is said.
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// Choose the value of an option of the rule: `--option bound=soft`.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub options: Vec<(String, String)>,
    /// The folder that imported files must lie in; the file's own where nothing is said.
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
}

/// See [`Command::Check`].
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Rule files; `std::NAME` for a shipped rule, `-` for standard input.
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    pub files: Vec<String>,
    /// Check one rule of each file only, as it would be run: nothing may stay open.
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// How to say it; `json` goes to standard output.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Explain an error or warning by its code, with examples.
    #[arg(long, value_name = "CODE", conflicts_with = "files")]
    pub explain: Option<String>,
    /// The length of a step that time constants are held against.
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = crate::quantity::time)]
    pub dt: f64,
    /// Say, too, what stands in the way on this topology.
    #[arg(long, value_name = "KIND")]
    pub topology: Option<Topology>,
    /// Say, too, what stands in the way of so many patterns at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// Let warnings count as errors.
    #[arg(long)]
    pub deny_warnings: bool,
    /// The folder that imported files must lie in; each file's own where nothing is said.
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
}

/// See [`Command::Fmt`].
#[derive(Args, Debug)]
pub struct FmtArguments {
    /// Rule files, changed in place; `-` reads standard input and writes standard output.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Change nothing; print which files would change, and exit with 1 if there are any.
    #[arg(long)]
    pub check: bool,
}

/// See [`Command::Emit`].
#[derive(Args, Debug)]
pub struct EmitArguments {
    /// Which rule.
    #[command(flatten)]
    pub rule: RuleArguments,
    /// What to show.
    #[arg(long, value_name = "TARGET")]
    pub target: Target,
    /// The topology that it is compiled for.
    #[arg(long, value_name = "KIND", default_value = "dense")]
    pub topology: Topology,
    /// How many patterns are presented at once: kernels for one differ from those for more.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Which synapses a step looks at; all but `closed-form` give the same bits.
    #[arg(long, value_name = "PLAN", default_value = "auto")]
    pub plan: PlanChoice,
    /// The precision of real numbers.
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub precision: Precision,
    /// One kernel only (for `kernel`, `clif` and `asm`).
    #[arg(long, value_name = "NAME")]
    pub kernel: Option<String>,
    /// The instruction set that `clif` and `asm` are for.
    #[arg(long, value_name = "SET", default_value = "host")]
    pub isa: IsaChoice,
}

/// See [`Command::Explain`].
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// Which rule.
    #[command(flatten)]
    pub rule: RuleArguments,
    /// The topology that it is planned for.
    #[arg(long, value_name = "KIND", default_value = "dense")]
    pub topology: Topology,
    /// How many patterns are presented at once: plans for one differ from those for more.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Which synapses a step looks at; all but `closed-form` give the same bits.
    #[arg(long, value_name = "PLAN", default_value = "auto")]
    pub plan: PlanChoice,
    /// The precision of real numbers.
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub precision: Precision,
    /// How to say it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// See [`Command::List`].
#[derive(Args, Debug)]
pub struct ListArguments {
    /// Print the text of this rule.
    pub name: Option<String>,
    /// How to say it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// See [`Command::Window`].
#[derive(Args, Debug)]
pub struct WindowArguments {
    /// Which rule.
    #[command(flatten)]
    pub rule: RuleArguments,
    /// The plastic variable; the first one where nothing is said.
    #[arg(long, value_name = "NAME")]
    pub variable: Option<String>,
    /// The largest distance between the two spikes.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = quantity::time)]
    pub range: f64,
    /// The distance between two points of the curve; the step or a hundredth of the range where nothing is said.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    pub spacing: Option<f64>,
    /// The length of a step.
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = quantity::time)]
    pub dt: f64,
    /// A parameter, a held input or an initial value: `--set a_plus=0.02 --set tau_plus=10ms`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub settings: Vec<(String, String)>,
    /// Where the variable starts; the middle of its range where that is finite, else its own initial value.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub initial: Option<String>,
    /// The precision of real numbers.
    #[arg(long, value_name = "TYPE", default_value = "f64")]
    pub precision: Precision,
    /// The seed of random numbers.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    /// Write the curve to this file, as .csv or .npz.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to say it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Text or JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What `emit` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// The syntax tree.
    Ast,
    /// The checked and composed rule.
    Ir,
    /// The dataflow of each occasion, simplified.
    Flow,
    /// The kernels.
    Kernel,
    /// What Cranelift is given.
    Clif,
    /// Machine instructions.
    Asm,
    /// CUDA C.
    Cuda,
    /// What NVRTC makes of the CUDA C.
    Ptx,
    /// Rust: the functions that `plasticity!` is made of.
    Rust,
}

/// Who is connected to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// Every presynaptic neuron to every postsynaptic neuron.
    Dense,
    /// Neuron i to neuron i.
    OneToOne,
    /// The listed synapses, row by row.
    Csr,
    /// A convolution: one kernel for each output channel, shared by all positions.
    Conv2d,
    /// A convolution without sharing: a kernel for each output neuron.
    Local2d,
}

impl Topology {
    /// The compiler's word.
    pub fn kind(self) -> Kind {
        match self {
            Topology::Dense => Kind::Dense,
            Topology::OneToOne => Kind::OneToOne,
            Topology::Csr => Kind::Sparse,
            Topology::Conv2d => Kind::Conv2d,
            Topology::Local2d => Kind::Local2d,
        }
    }
}

/// The precision of real numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IsaChoice {
    /// All that this machine has.
    Host,
    /// What every machine of its architecture has.
    Baseline,
    /// x86-64-v3: with AVX2, and loops in vectors of 256 bits.
    #[value(name = "x86-64-v3")]
    Version3,
}

/// `NAME=VALUE`.
///
/// # Errors
/// In words.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{text}` is not of the form NAME=VALUE")),
    }
}

/// One or two sizes: `3` or `3,5`, down and right.
///
/// # Errors
/// In words.
pub fn sides(text: &str) -> Result<[usize; 2], String> {
    match sizes(text)?[..] {
        [both] => Ok([both, both]),
        [down, right] => Ok([down, right]),
        _ => Err(format!("`{text}` is not one number, or two: `3` or `3,5`")),
    }
}

/// Three sizes: `2,28,28`, channels, height and width.
///
/// # Errors
/// In words.
pub fn image(text: &str) -> Result<[usize; 3], String> {
    match sizes(text)?[..] {
        [channels, height, width] => Ok([channels, height, width]),
        _ => Err(format!("`{text}` is not three numbers: channels, height and width, as in `2,28,28`")),
    }
}

fn sizes(text: &str) -> Result<Vec<usize>, String> {
    let one = |part: &str| {
        let size = part.trim().parse().ok().filter(|&size: &usize| i32::try_from(size).is_ok());
        size.ok_or_else(|| format!("`{}` is not a whole number from 0 to 2^31 - 1", part.trim()))
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_of_images() {
        assert_eq!((sides("3"), sides("3, 5")), (Ok([3, 3]), Ok([3, 5])));
        assert_eq!(image("2,28,27"), Ok([2, 28, 27]));
        for text in ["", "3,", "1,2,3", "-1", "4294967296", "3x3"] {
            assert!(sides(text).is_err(), "{text}");
        }
        assert!(image("2,3").is_err());
    }

    #[test]
    fn pairs() {
        assert_eq!(pair("a = b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err() && pair("=b").is_err() && pair("a=").is_err());
    }
}
