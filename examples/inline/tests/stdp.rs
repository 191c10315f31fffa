//! The weights of a coincidence, worked out by hand.

use aplysia_example_inline::stdp;

#[test]
fn a_coincidence_strengthens() {
    let mut group = stdp::Group::dense(3, 2, stdp::Params { a_plus: 0.02, ..Default::default() });
    group.step(&[0], &[1]);
    // x is 1 when the postsynaptic spike reads it; y was 0 when the presynaptic one did.
    assert_eq!(group.w()[1], 0.5 + 0.02);
    assert_eq!(group.w()[0], 0.5);
    assert_eq!(group.x(), [1.0, 0.0, 0.0]);
}
