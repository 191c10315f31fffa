//! The rule by hand, on all back ends, and its kernels as they are now.

use aplysia::Rule;
use aplysia::testing::{Differential, assert_kernel_snapshot, assert_rule_valid, run_differential};
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

#[test]
fn the_kernels_are_those_that_were_reviewed() -> aplysia::Result<()> {
    assert_kernel_snapshot!("stdp", Rule::from_item(&stdp::ITEM)?, Kernels, Rust);
    Ok(())
}

#[test]
fn all_back_ends_agree() -> aplysia::Result<()> {
    let rule = Rule::from_item(&stdp::ITEM)?;
    assert_rule_valid!(rule);
    assert!(run_differential(&rule, Differential::default())? > 100_000);
    Ok(())
}
