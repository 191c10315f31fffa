//! The command line of `aplysia bench`.

use clap::Args;

use crate::run::arguments::PlanChoice;

/// Shown below `aplysia bench --help`.
pub const EXAMPLES: &str = "\
A workload prints one line of JSON for each plan; `docs/performance.md` defines them:
  aplysia bench W1-4000-p01 --threads 1 --seconds 1.5
  aplysia bench W4-4096-b32 --plan full --rounds 5";

/// See [`crate::arguments::Command::Bench`].
#[derive(Args, Debug)]
pub struct BenchArguments {
    /// The name of a workload.
    #[arg(value_name = "WORKLOAD")]
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
}

/// More than nothing, up to an hour.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0);
    seconds.ok_or_else(|| format!("`{text}` is not a number of seconds above 0, and at most 3600"))
}
