//! The inhibition of a Brunel network finds the target of its rule.

#[test]
fn inhibition_brings_the_rate_to_its_target() {
    let rates = aplysia_example_inline::brunel::rates(20);
    assert!(rates[0] > 20.0, "without inhibition neurons are fast: {rates:?}");
    let last: f64 = rates[15..].iter().sum::<f64>() / 5.0;
    // The target of the shipped rule is 5 Hz; correlations of pre and post spikes shift the balance a little.
    assert!((last - 5.0).abs() < 1.5, "{last} Hz at the end of {rates:?}");
}
