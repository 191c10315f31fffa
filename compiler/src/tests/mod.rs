//! What rule texts do, from the text to the values: the machines against each other, to the bit, and against numbers
//! worked out by hand.

mod closed;
mod delays;
mod machines;
mod plans;
mod stories;
pub(crate) mod topologies;

#[cfg(feature = "cranelift")]
pub(crate) use stories::stories;

use crate::diag::Diagnostics;
use crate::interp::rule::{Refusal, RuleMachine, Topology};

/// Whether `w` is read in vain.
fn codes(diagnostics: &Diagnostics) -> Vec<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.id()).filter(|code| *code == "W0105").collect()
}

#[test]
fn weights_may_be_read_for_something_else_than_learning() {
    for (text, expected) in [
        ("rule r { plastic w; post state z; update { z = sum[pre](w) + z; } }", &["W0105"][..]),
        ("rule r { plastic w; extern synapse eta; on call c { if w > 1 { eta *= 0.5; } } }", &[]),
        ("rule r { plastic w; extern synapse eta; update { eta += w; } }", &[]),
        ("rule r { plastic w; synapse state s; on call c { s = s + w; } }", &[]),
        ("rule r { plastic w; synapse state s; every 3 steps { s = s + w; } }", &[]),
        ("rule r { plastic w; extern synapse eta; update { if eta > w { } } }", &["W0105"]),
    ] {
        let other =
            "rule other { plastic w; synapse state eta = 1; modulate { dw *= eta; } on pre { dw += 1; } }";
        let text = format!("{text}\n{other}\nrule both = r + other;");
        let (_, warnings) = machines::elaborate(&text).expect("a rule without mistakes");
        assert_eq!(codes(&warnings), expected, "{text}");
    }
}

#[test]
fn states_per_element_of_a_plastic_variable_are_shared_like_it() {
    let text = "rule r { plastic w; plastic post b; per b state m; on pre { dw += 1; } on post { db += 1; }
        apply { m += db; b += m; w += dw; } }";
    let rule = machines::rule(text);
    machines::agree(&rule, 3, 4);
}

#[test]
fn blocks_have_to_divide_the_neurons() {
    let rule = machines::rule("rule r { plastic w; post state y; update { y = sum[post by 3](y + 1); } }");
    let machine = |post| RuleMachine::<f32>::new(&rule, Topology::Dense { pre: 1, post }, 1, 1.0, 0);
    assert!(machine(6).is_ok());
    assert!(matches!(machine(7), Err(Refusal::Blocks { size: 3, post: 7 })));
}
