//! The rule by hand, on all back ends, and its kernels as they are now.

use aplysia::Rule;
use aplysia::testing::{
    Differential, assert_kernel_snapshot, assert_module_agrees, assert_rule_valid, run_differential,
};
use aplysia_example_inline::distal::distal_reward;
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
fn the_modules_do_what_the_rules_say() {
    assert!(assert_module_agrees!(stdp) > 40_000);
    assert!(assert_module_agrees!(distal_reward, dopamine = set_dopamine[0]) > 80_000);
}

#[test]
#[should_panic(expected = "by the module")]
fn a_module_that_does_something_else_is_found() {
    /// The groups of one rule under the text of another.
    mod changed {
        pub use super::stdp::{Group, Options};
        aplysia::plasticity! {
            rule stdp {
                plastic w in 0 .. 1 = 0.5;
                pre state x;
                post state y;
                dx/dt = -x / 20 ms;
                dy/dt = -y / 20 ms;
                on pre { x += 1; dw -= 0.013 * y; }
                on post { y += 1; dw += 0.01 * x; }
            }
        }
        pub use stdp::ITEM;
    }
    assert_module_agrees!(changed);
}

#[test]
fn all_back_ends_agree() -> aplysia::Result<()> {
    let rule = Rule::from_item(&stdp::ITEM)?;
    assert_rule_valid!(rule);
    assert!(run_differential(&rule, Differential::default())? > 100_000);
    Ok(())
}
