//! The digits network with its synapses compiled by rustc: `cargo run --release --example digits`. How it works, and what
//! it reaches, is in `docs/digits.md`.

use std::error::Error;
use std::path::Path;

use aplysia_example_inline::digits::Inline;
use aplysia_example_inline::digits::experiment::data::Digits;
use aplysia_example_inline::digits::experiment::{Settings, run};

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/examples/data/digits.bin");
    let digits = Digits::read(&path)?;
    let settings = Settings { neurons: 100, epochs: 6, seed: 1 };
    let synapses = Inline::new(settings.neurons, settings.seed)?;
    let outcome = run(synapses, &digits, settings, |epoch, spikes| {
        println!("epoch {epoch}: {spikes:.1} spikes an image");
    })?;
    println!("by profiles {:.3} (untrained {:.3})", outcome.trained.profiles, outcome.untrained.profiles);
    println!("by labels {:.3} (untrained {:.3})", outcome.trained.labels, outcome.untrained.labels);
    Ok(())
}
