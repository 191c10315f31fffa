//! A spiking network learns handwritten digits without labels. See `docs/digits.md` for its equations and figures.
//!
//! `cargo run --release -p aplysia --example digits -- --neurons 100 --seeds 5 --epochs 6 --output fields.png`

mod engine;
mod experiment;
mod fields;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::ArrayView2;

use engine::Compiled;
use experiment::data::{Digits, PIXELS};
use experiment::{Outcome, Settings, k_means, run};

/// What the command line says.
struct Flags {
    neurons: usize,
    seeds: u64,
    first: u64,
    epochs: usize,
    output: PathBuf,
}

impl Flags {
    /// Reads `--name value` pairs.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut flags =
            Self { neurons: 100, seeds: 5, first: 1, epochs: 6, output: PathBuf::from("fields.png") };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--neurons" => flags.neurons = value.parse()?,
                "--seeds" => flags.seeds = value.parse()?,
                "--first" => flags.first = value.parse()?,
                "--epochs" => flags.epochs = value.parse()?,
                "--output" => flags.output = PathBuf::from(value),
                _ => {
                    return Err(format!(
                        "{name} is not one of --neurons, --seeds, --first, --epochs, --output"
                    )
                    .into());
                }
            }
        }
        if flags.neurons == 0 || flags.seeds == 0 {
            return Err("at least one neuron and one seed are needed".into());
        }
        Ok(flags)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Flags { neurons, seeds, first, epochs, output } = Flags::parse(std::env::args().skip(1))?;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let digits = Digits::read(&examples.join("data/digits.bin"))?;
    println!("{} images, {neurons} neurons, {epochs} epochs", digits.images.len());
    let mut figures = [const { Vec::new() }; 5];
    for seed in first..first.saturating_add(seeds) {
        let begin = Instant::now();
        let settings = Settings { neurons, epochs, seed };
        let synapses = Compiled::new(&examples.join("rules"), neurons, seed)?;
        let Outcome { untrained, trained, weights } = run(synapses, &digits, settings, |epoch, spikes| {
            let seconds = begin.elapsed().as_secs();
            println!("seed {seed}: epoch {epoch} of {epochs}, {spikes:.1} spikes an image, {seconds} s");
        })?;
        let centres = k_means(&digits, neurons, seed);
        println!(
            "seed {seed}: by profiles {:.3} (untrained {:.3}), by labels {:.3} (untrained {:.3}), k-means++ {centres:.3}",
            trained.profiles, untrained.profiles, trained.labels, untrained.labels
        );
        let row = [trained.profiles, trained.labels, untrained.profiles, untrained.labels, centres];
        figures.iter_mut().zip(row).for_each(|(list, figure)| list.push(figure));
        if seed == first {
            fields::write(&output, ArrayView2::from_shape((PIXELS, neurons), &weights)?)?;
            println!("the receptive fields are in {}", output.display());
        }
    }
    let names =
        ["trained, by profiles", "trained, by labels", "untrained, by profiles", "untrained, by labels"];
    println!("held-out accuracy, mean and standard deviation over {seeds} seeds:");
    for (name, list) in names.into_iter().chain(["k-means++"]).zip(&figures) {
        let (mean, deviation) = spread(list);
        println!("  {name:24} {mean:.4} ± {deviation:.4}");
    }
    Ok(())
}

/// Mean and standard deviation (n - 1; 0 for one value).
fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}
