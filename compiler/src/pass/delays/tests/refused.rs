//! Delays that a group or a rule cannot have.

use super::*;

fn codes(text: &str, axonal: Option<Delay>, dendritic: Option<Delay>) -> Vec<(&'static str, String)> {
    let found = with_delays(&rule(text), &Delays { axonal, dendritic }).err().unwrap_or_default();
    found.iter().map(|found| (found.code.id(), found.message.clone())).collect()
}

fn late(domain: Domain, longest_ms: f64) -> Option<Delay> {
    Some(Delay { domain, longest_ms })
}

#[test]
fn the_longest_delay_is_a_time() {
    for longest in [-1.0, f64::NAN, f64::INFINITY] {
        let found = codes(PAIR, late(Domain::Global, longest), None);
        assert_eq!(found, [("E0841", format!("the longest axonal delay is {longest} ms"))]);
    }
    assert!(codes(PAIR, late(Domain::Global, 0.0), None).is_empty());
}

#[test]
fn a_delay_is_of_the_group_of_its_side_or_of_synapses() {
    let found = codes(PAIR, late(Domain::Post, 1.0), late(Domain::PostChannel, 1.0));
    let message = |kind: &str, domain: &str| {
        ("E0841", format!("the group's {kind} delay has one value for each element of {domain}"))
    };
    assert_eq!(found, [message("axonal", "post"), message("dendritic", "post_channel")]);
}

#[test]
fn the_delay_s_name_is_free() {
    let text = "rule delay { param axonal = 1; plastic w; on pre { dw += axonal; } }";
    let found = codes(text, late(Domain::Global, 1.0), None);
    assert_eq!(
        found,
        [("E0842", "`delay.axonal` is declared by the rule, and is the group's axonal delay".to_owned())]
    );
    assert!(codes(text, None, late(Domain::Global, 1.0)).is_empty());
}

#[test]
fn a_delay_for_each_synapse_needs_synapses() {
    let reduced = |kind: &str, side: &str| {
        let text = format!(
            "{side}synaptic neurons are reduced here, not synapses, and the group has {kind} delay for each synapse"
        );
        vec![("E0843", text)]
    };
    let count = "rule r { plastic w; global state n: int; update { n += count[pre](pre.spike); } }";
    let mean = "rule r { plastic w; post state y; on post { y += 1; } update { dw += mean[post](y); } }";
    let synapses = late(Domain::Synapse, 5.0);
    assert_eq!(codes(count, synapses, None), reduced("an axonal", "pre"));
    assert_eq!(codes(mean, None, synapses), reduced("a dendritic", "post"));
    assert!(codes(count, None, synapses).is_empty() && codes(mean, synapses, None).is_empty());
    assert!(codes(count, late(Domain::Pre, 5.0), None).is_empty());

    let own = "rule r {
        plastic w; synapse param lag in 0 ms .. 5 ms = 1 ms;
        update { dw += past(pre.spike, lag); }
    }";
    let twice =
        "a `past` that has a delay for each synapse cannot have an axonal delay for each synapse, too";
    assert_eq!(codes(own, synapses, None), [("E0843", twice.to_owned())]);
    assert!(codes(own, late(Domain::Pre, 5.0), synapses).is_empty());
}

#[test]
fn equations_without_an_exact_step_are_reported_as_without_delays() {
    let text = "rule r { plastic w; post state y; dy/dt = y^2 / 10 ms; }";
    let found = codes(text, late(Domain::Global, 1.0), None);
    assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["E0750"]);
}
