//! The command line of `aplysia bench`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{Format, Precision, RuleArguments, Topology, image, pair, sides};
use crate::quantity;
use crate::run::arguments::{Backend, PlanChoice, RunArguments};

/// Shown below `aplysia bench --help`.
pub const EXAMPLES: &str = "\
Any rule, on Poisson trains; a plan that a rule does not allow is left out:
  aplysia bench std::stdp --pre 4000 --post 4000 --rate 10Hz
  aplysia bench my.rule --topology csr --probability 0.05 --precision f64 --threads 2
What a plan moves is what its kernels read and write of the synapses' arrays and tables; the table holds it against the
rate at which arrays of the same size are read and written in place, by as many threads, in the same run.

A workload prints one line of JSON for each plan; docs/performance.md defines them:
  aplysia bench W1-4000-p01 --threads 1 --seconds 1.5
  aplysia bench W4-4096-b32 --plan full --rounds 5

What the machine itself allows, in the same form:
  aplysia bench machine --threads 2";

/// See [`crate::arguments::Command::Bench`].
#[derive(Args, Debug)]
pub struct BenchArguments {
    /// A rule file, `std::NAME` for a shipped rule, `-` for standard input, or the name of a workload.
    #[arg(value_name = "FILE|WORKLOAD")]
    pub what: String,
    /// How many threads take part, 0 for as many as the processor has.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub threads: u16,
    /// How long a round is, about, in seconds.
    #[arg(long, value_name = "S", default_value_t = 1.5, value_parser = seconds)]
    pub seconds: f64,
    /// How many steps a round has, in place of a length.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// How many rounds there are; the median counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: u16,
    /// Only these plans; all that differ where nothing is said.
    #[arg(long = "plan", value_name = "PLAN", value_delimiter = ',')]
    pub plans: Vec<PlanChoice>,
    /// What a rule is run on, which a workload states itself.
    #[command(flatten)]
    pub group: GroupArguments,
}

/// The group of a rule.
#[derive(Args, Debug)]
#[command(next_help_heading = "Of a rule")]
pub struct GroupArguments {
    /// The rule of the file; the last one where nothing is said.
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// Choose the value of an option of the rule: `--option bound=soft`.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub options: Vec<(String, String)>,
    /// The folder that imported files must lie in; the file's own where nothing is said.
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// Who is connected to whom; dense where nothing is said.
    #[arg(long, value_name = "KIND")]
    pub topology: Option<Topology>,
    /// Of csr groups: draw the synapses, each pair with this probability; 0.1 where nothing is said.
    #[arg(long, value_name = "P")]
    pub probability: Option<f64>,
    /// Of conv2d and local2d: channels, height and width of the input; 2,28,28 where nothing is said.
    #[arg(long, value_name = "C,H,W", value_parser = image)]
    pub in_shape: Option<[usize; 3]>,
    /// Of conv2d and local2d: the number of output channels; 8 where nothing is said.
    #[arg(long, value_name = "N")]
    pub out_channels: Option<u32>,
    /// Of conv2d and local2d: height and width of a kernel; 5 where nothing is said.
    #[arg(long, value_name = "H,W", value_parser = sides)]
    pub kernel: Option<[usize; 2]>,
    /// The number of presynaptic neurons; 1000 where nothing is said.
    #[arg(long, value_name = "N")]
    pub pre: Option<u32>,
    /// The number of postsynaptic neurons; 1000 where nothing is said.
    #[arg(long, value_name = "N")]
    pub post: Option<u32>,
    /// How many patterns are presented at once; 1 where nothing is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// The rate of the Poisson trains of both sides; 10Hz where nothing is said.
    #[arg(long, value_name = "RATE", value_parser = quantity::rate)]
    pub rate: Option<f64>,
    /// The length of a step; 1ms where nothing is said.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    pub dt: Option<f64>,
    /// A parameter, a held input or an initial value: `--set a_plus=0.02 --set w=0.5`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub settings: Vec<(String, String)>,
    /// The precision of real numbers; f32 where nothing is said.
    #[arg(long, value_name = "TYPE")]
    pub precision: Option<Precision>,
    /// The seed of the rule's random numbers and of the Poisson trains; 0 where nothing is said.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// How the table is said; text where nothing is said.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
}

impl GroupArguments {
    /// The first that was given.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--rule", self.rule.is_some()),
            ("--option", !self.options.is_empty()),
            ("--root", self.root.is_some()),
            ("--topology", self.topology.is_some()),
            ("--probability", self.probability.is_some()),
            ("--in-shape", self.in_shape.is_some()),
            ("--out-channels", self.out_channels.is_some()),
            ("--kernel", self.kernel.is_some()),
            ("--pre", self.pre.is_some()),
            ("--post", self.post.is_some()),
            ("--batch", self.batch.is_some()),
            ("--rate", self.rate.is_some()),
            ("--dt", self.dt.is_some()),
            ("--set", !self.settings.is_empty()),
            ("--precision", self.precision.is_some()),
            ("--seed", self.seed.is_some()),
            ("--format", self.format.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

impl BenchArguments {
    /// A run of the same group, under a plan.
    pub fn run(&self, plan: PlanChoice) -> RunArguments {
        let group = &self.group;
        RunArguments {
            rule: RuleArguments {
                file: self.what.clone(),
                rule: group.rule.clone(),
                options: group.options.clone(),
                root: group.root.clone(),
            },
            input: None,
            output: None,
            plot: None,
            topology: group.topology.unwrap_or(Topology::Dense),
            batch: group.batch,
            probability: group.probability,
            in_shape: group.in_shape,
            out_channels: group.out_channels,
            kernel: group.kernel,
            stride: None,
            padding: None,
            dilation: None,
            groups: None,
            axonal_delay: None,
            dendritic_delay: None,
            pre: group.pre,
            post: group.post,
            rate: group.rate,
            steps: None,
            dt: group.dt.unwrap_or(1.0),
            settings: group.settings.clone(),
            calls: Vec::new(),
            record: Vec::new(),
            record_every: 1,
            backend: Backend::Cpu,
            plan,
            precision: group.precision.unwrap_or(Precision::F32),
            threads: self.threads,
            seed: group.seed.unwrap_or(0),
            checkpoint: None,
            checkpoint_every: None,
            resume: None,
            format: group.format.unwrap_or(Format::Text),
        }
    }
}

/// More than nothing, up to an hour.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0);
    seconds.ok_or_else(|| format!("`{text}` is not a number of seconds above 0, and at most 3600"))
}
