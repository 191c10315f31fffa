//! The exponential of matrices against closed forms.

use crate::math::matrix::exponential_less_one;

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 4e-15 * expected.abs(), "{found:e} is not {expected:e}");
}

#[test]
fn closed_forms() {
    // Decoupled rates, from slow to fast.
    let rates = [-1e-12, -1e-3, -2.0, -50.0, 0.0, 3.0];
    let mut diagonal = vec![0.0; 36];
    rates.iter().enumerate().for_each(|(k, rate)| diagonal[7 * k] = *rate);
    let found = exponential_less_one(&diagonal);
    for (k, rate) in rates.iter().enumerate() {
        close(found[7 * k], rate.exp_m1());
        assert!(found.iter().enumerate().all(|(place, &entry)| place % 7 == 0 || entry == 0.0));
    }
    // A chain of two equal rates, and one that is fed at a constant rate.
    close(exponential_less_one(&[-0.3, 2.0, 0.0, -0.3])[1], 2.0 * (-0.3_f64).exp());
    close(exponential_less_one(&[0.0, 0.25, 0.0, 0.0])[1], 0.25);
    // A rotation.
    let turned = exponential_less_one(&[0.0, -1.0, 1.0, 0.0]);
    close(turned[2], 1.0_f64.sin());
    close(turned[0], 1.0_f64.cos() - 1.0);
}
