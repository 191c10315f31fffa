//! The digits example learns: its network, on real images, through the whole stack.

#[path = "../../runtime/examples/digits/engine.rs"]
mod engine;
#[path = "../../runtime/examples/digits/experiment/mod.rs"]
mod experiment;

use aplysia_tests::root;
use libtest_mimic::{Failed, Trial};
use ndarray::ArrayView2;

use engine::Compiled;
use experiment::data::{CLASSES, Digits, PIXELS};
use experiment::{Settings, k_means, run};

/// Neurons of the network, and centres of k-means++.
const NEURONS: usize = 100;
/// The example shows the training part six times; once is enough to tell learning from none.
const EPOCHS: usize = 1;
/// What the trained network must reach. It reaches 0.947 by profiles and 0.939 by labels.
const FLOOR: f64 = 0.9;
/// By how much learning must better the untrained network, which reaches 0.666 and 0.540.
const MARGIN: f64 = 0.2;

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("digits::a_network_learns_them_without_labels", a_network_learns_them_without_labels),
        Trial::test("digits::k_means_clusters_them", k_means_clusters_them),
    ]
}

fn digits() -> Result<Digits, Failed> {
    Ok(Digits::read(&root().join("runtime/examples/data/digits.bin"))?)
}

fn a_network_learns_them_without_labels() -> Result<(), Failed> {
    let settings = Settings { neurons: NEURONS, epochs: EPOCHS, seed: 1 };
    let mut epochs = Vec::new();
    let rules = root().join("runtime/examples/rules");
    let synapses = Compiled::new(&rules, NEURONS, settings.seed)?;
    let outcome = run(synapses, &digits()?, settings, |epoch, spikes| epochs.push((epoch, spikes)))?;
    let (trained, untrained) = (outcome.trained, outcome.untrained);
    assert!(trained.profiles >= FLOOR, "{} by profiles", trained.profiles);
    assert!(trained.labels >= FLOOR, "{} by labels", trained.labels);
    assert!(trained.profiles >= untrained.profiles + MARGIN, "{} untrained", untrained.profiles);
    assert!(trained.labels >= untrained.labels + MARGIN, "{} untrained", untrained.labels);
    assert!(matches!(epochs[..], [(1, spikes)] if spikes >= 1.0), "{epochs:?}");
    // Homeostasis holds, and the bounds do.
    let weights = ArrayView2::from_shape((PIXELS, NEURONS), &outcome.weights)?;
    assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight)));
    for (neuron, weights) in weights.columns().into_iter().enumerate() {
        let length = weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
        // Clipping at 1 after scaling can only shorten.
        assert!((2.0..2.5 + 1e-4).contains(&length), "neuron {neuron} has weights of length {length}");
    }
    Ok(())
}

/// The measure that the network is held against is no straw man: it is near what is known of k-means on this set.
fn k_means_clusters_them() -> Result<(), Failed> {
    let digits = digits()?;
    assert_eq!(digits.images.len(), 1797);
    assert!((0..CLASSES).all(|class| digits.labels.iter().filter(|label| **label == class).count() >= 170));
    let accuracy = k_means(&digits, NEURONS, 1);
    assert!((0.92..0.995).contains(&accuracy), "{accuracy}");
    Ok(())
}
