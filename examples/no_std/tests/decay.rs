//! The decay is that of the equation.

#[test]
fn weights_fade() {
    // In the first step w is 0 and decays by nothing; then by (1 - exp(-1 / 50)) of itself in each.
    let weights = aplysia_example_no_std::faded(0.5, 10);
    let expected = 0.5 * (-10.0f64 / 50.0).exp();
    assert_eq!(weights.len(), 6);
    assert!(weights.iter().all(|&w| (f64::from(w) - expected).abs() < 1e-6), "{weights:?}, not {expected}");
}
