//! The digits network through the macro: it learns, and takes the same way as in an engine, to the bit.

#[path = "../../../runtime/examples/digits/engine.rs"]
mod engine;

use std::path::Path;

use aplysia_example_inline::digits::{Inline, experiment};
use engine::Compiled;
use experiment::data::Digits;
use experiment::{Outcome, Settings, run};

#[test]
fn the_network_learns_as_it_does_in_an_engine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/examples");
    let mut digits = Digits::read(&folder.join("data/digits.bin")).expect("the digits");
    digits.images.truncate(600);
    digits.labels.truncate(600);
    let settings = Settings { neurons: 50, epochs: 1, seed: 1 };
    let synapses = Inline::new(settings.neurons, settings.seed).expect("synapses");
    let inline: Outcome = run(synapses, &digits, settings, |_, _| {}).expect("an outcome");
    let (trained, untrained) = (inline.trained, inline.untrained);
    assert!(trained.profiles > 0.8, "{} by profiles", trained.profiles);
    assert!(trained.profiles > untrained.profiles + 0.1, "{} untrained", untrained.profiles);

    let synapses = Compiled::new(&folder.join("rules"), settings.neurons, settings.seed).expect("synapses");
    let compiled = run(synapses, &digits, settings, |_, _| {}).expect("an outcome");
    let figures = |of: &Outcome| [of.trained, of.untrained].map(|found| [found.labels, found.profiles]);
    assert_eq!(figures(&inline), figures(&compiled));
    let bits = |of: &Outcome| -> Vec<u32> { of.weights.iter().map(|weight| weight.to_bits()).collect() };
    assert_eq!(bits(&inline), bits(&compiled));
}
