//! Which states of synapses have more values than they need.

use super::check;

/// What is said of a rule with these states and this text.
fn said(text: &str) -> Vec<String> {
    let text =
        format!("rule r {{ param tau = 20 ms; plastic w; shared pre state x; shared post state y; {text} }}");
    let (_, diagnostics, _) = check(&text);
    assert!(!diagnostics.has_errors(), "{}", super::messages(&diagnostics));
    let of_domains = diagnostics.iter().filter(|found| found.code.id() == "W0106");
    of_domains.map(|found| found.message.clone()).collect()
}

#[test]
fn a_state_that_is_the_same_for_many_synapses_is_pointed_out() {
    for (text, whose) in [
        ("synapse state n; update { n += 1; dw += n; }", "all synapses"),
        ("synapse state n; dn/dt = -n / tau; update { n += 1; dw += n; }", "all synapses"),
        ("synapse state n = 3; on call c { n = 2 * n; } update { dw += n; }", "all synapses"),
        ("synapse state n; update { n = mean[synapse](w); dw += n; }", "all synapses"),
        ("synapse state n; on pre { n += 1; } on post { dw += n; }", "all synapses of a presynaptic neuron"),
        ("synapse state n; update { if x > 1 { n = 1; } dw += n; }", "all synapses of a presynaptic neuron"),
        (
            "synapse state n = 1; update { let a = y + 1; n = a; dw += n; }",
            "all synapses of a postsynaptic neuron",
        ),
        (
            "synapse state n = uniform[post](0, 1); every 5 steps { n *= 2; } update { dw += n; }",
            "all synapses of a postsynaptic neuron",
        ),
    ] {
        assert_eq!(said(text), [format!("the state `n` is the same for {whose}")], "{text}");
    }
    let two = "synapse state m; synapse state n; update { m = n + y; n = m; dw += n; }";
    assert_eq!(said(two).len(), 2, "of two that follow each other");
}

#[test]
fn a_state_whose_values_differ_is_left_alone() {
    for text in [
        "synapse state n; update { n = x * y; dw += n; }",
        "synapse state n; on pre { n += y; dw += n; }",
        "synapse state n; on pre { n += 1; } on post { n -= 1; dw += n; }",
        "synapse state n; update { if w > 1 { n += 1; } dw += n; }",
        "synapse state n; dn/dt = (w - n) / tau; update { dw += n; }",
        "synapse state n = uniform[synapse](0, 1); update { n *= 0.5; dw += n; }",
        "synapse state n; update { n = normal[synapse](0, 1); dw += n; }",
        "synapse state m; synapse state n; update { m = n; n = m + w; dw += n; }",
        // Nobody but the host, or another rule, writes these.
        "synapse state n = 1; update { dw += n; }",
        "pre state n; on pre { n += 1; } update { dw += n; }",
    ] {
        assert_eq!(said(text), Vec::<String>::new(), "{text}");
    }
}
