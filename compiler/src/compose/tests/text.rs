//! Composing rules that are written as text.

use crate::compose::find;
use crate::diag::{Diagnostics, render};
use crate::ir::{AssignOp, Domain, ExprKind, Rule, Statement, VarKind};
use crate::library::{Library, NoImports, Settings};

const STDP: &str = "
    rule stdp {
        param a_plus = 0.01; param a_minus = 0.012; param tau_plus = 20 ms; param tau_minus = 20 ms;
        option bound in {none, hard} = none;
        plastic w in 0 .. 1;
        pre state x; dx/dt = -x / tau_plus;
        post state y; dy/dt = -y / tau_minus;
        on pre { x += 1; dw -= a_minus * y; }
        on post { y += 1; dw += match bound { none => a_plus * x, hard => 7 * x }; }
    }
    rule istdp {
        param lr = 0.1; param tau = 20 ms;
        option sign in {plus, minus} = plus;
        plastic w;
        pre state x; dx/dt = -x / tau;
        on pre { x += 1; }
        on post { dw += match sign { plus => lr * x, minus => -lr * x }; }
    }
    rule decay { param rate = 0.1; plastic w; update { dw -= rate * w; } }
    rule fuzzy { param nu = 1; plastic w; synapse state eta = nu; modulate { dw *= eta; } }
    rule damp { plastic w; extern synapse eta; on call damp { eta *= 0.5; } }
";

fn library(compositions: &str) -> Library {
    let (library, found) = Library::load("r.rule", &format!("{STDP}{compositions}"), &NoImports);
    assert!(found.is_empty(), "{}", render::render_all(library.sources(), &found, false));
    library
}

fn with(compositions: &str, options: &[(&str, &str)]) -> Result<Rule, Diagnostics> {
    let options = options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    library(compositions).elaborate(None, &Settings { options }).map(|elaborated| elaborated.rule)
}

fn rule(compositions: &str) -> Rule {
    let library = library(compositions);
    match library.elaborate(None, &Settings::default()) {
        Ok(elaborated) => elaborated.rule,
        Err(found) => panic!("{}", render::render_all(library.sources(), &found, false)),
    }
}

fn codes(result: Result<Rule, Diagnostics>) -> Vec<&'static str> {
    match result {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(|diagnostic| diagnostic.code.id()).collect(),
    }
}

fn addresses(rule: &Rule) -> Vec<String> {
    rule.variables.iter().map(|(_, variable)| variable.address()).collect()
}

fn default(rule: &Rule, address: &str) -> f64 {
    let id = find(rule, address).unwrap_or_else(|error| panic!("{error}"));
    match rule.variables[id].init.as_slice() {
        [value] => match rule.exprs[*value].kind {
            ExprKind::Number(value) => value,
            ref other => panic!("{address} starts as {other:?}"),
        },
        other => panic!("{address} has {} initial values", other.len()),
    }
}

/// Without what the text's places and names bring in: those of nested compositions differ.
fn meaning(mut rule: Rule) -> Rule {
    rule.name.clear();
    rule
}

#[test]
fn nesting_does_not_matter() {
    let flat = rule("rule r = stdp + istdp + decay;");
    let left = rule("rule first = stdp + istdp; rule r = first + decay;");
    let right = rule("rule last = istdp + decay; rule r = stdp + last;");
    assert_eq!(meaning(flat.clone()), meaning(left));
    assert_eq!(meaning(flat), meaning(right));
}

#[test]
fn arguments_set_defaults() {
    let composed = rule("const half = 0.5; rule r = stdp(a_plus = half / 10, tau_plus = 5 ms) + decay;");
    assert_eq!(default(&composed, "stdp.a_plus"), 0.05);
    assert_eq!(default(&composed, "tau_plus"), 5.0);
    assert_eq!(default(&composed, "stdp.tau_minus"), 20.0);
    let nested =
        rule("rule both = stdp(a_plus = 0.5) + decay; rule r = both(stdp.a_plus = 0.25, rate = 0.75);");
    assert_eq!(default(&nested, "stdp.a_plus"), 0.25);
    assert_eq!(default(&nested, "decay.rate"), 0.75);
    let constant = rule("rule r = { const k = 3; } decay(rate = k);");
    assert_eq!(default(&constant, "rate"), 3.0);
}

#[test]
fn aliases_prefix_addresses() {
    let composed = rule("rule both = stdp + decay as slow; rule r = both as k + decay;");
    let found = addresses(&composed);
    for address in ["k.stdp.a_plus", "k.slow.rate", "decay.rate", "k.stdp.x"] {
        assert!(found.contains(&address.to_owned()), "{address} is not in {found:?}");
    }
    assert!(find(&composed, "slow.rate").is_ok());
}

#[test]
fn the_declarations_of_a_nested_composition_keep_their_name() {
    let text = "rule c = { param rate = 0.5; } decay(rate = rate); rule d = c + fuzzy; rule r = d(c.rate = 0.25) as k;";
    let composed = rule(text);
    assert_eq!(default(&composed, "k.c.rate"), 0.25);
    assert_eq!(find(&composed, "k.decay.rate"), find(&composed, "k.c.rate"));
}

#[test]
fn options_are_chosen_by_arguments_and_by_the_host() {
    let holds_seven = |rule: &Rule| rule.exprs.iter().any(|(_, expr)| expr.kind == ExprKind::Number(7.0));
    assert!(!holds_seven(&rule("rule r = stdp + decay;")));
    assert!(holds_seven(&rule("rule r = stdp(bound = hard) + decay;")));
    for option in ["bound", "stdp.bound"] {
        let chosen = with("rule r = stdp + decay;", &[(option, "hard")]);
        assert!(chosen.is_ok_and(|rule| holds_seven(&rule)));
    }
    assert_eq!(codes(with("rule r = stdp;", &[("bund", "hard")])), ["E0511"]);
    assert_eq!(codes(with("rule r = stdp;", &[("bound", "soft")])), ["E0515"]);
    let twice = "rule r = stdp + stdp as other;";
    assert_eq!(codes(with(twice, &[("bound", "hard")])), ["E0512"]);
}

#[test]
fn renames_follow_through_compositions() {
    let composed = rule("rule both = stdp + decay; rule r = both(w = b) + decay as other;");
    let plastics =
        composed.variables.iter().filter(|(_, variable)| matches!(variable.kind, VarKind::Plastic { .. }));
    let names: Vec<&str> = plastics.map(|(_, variable)| variable.name.as_str()).collect();
    assert_eq!(names, ["b", "w"]);
    assert!(find(&composed, "db").is_ok() && find(&composed, "dw").is_ok());
}

#[test]
fn an_undeclared_domain_follows_the_part_that_states_one() {
    let text = "rule bias { post plastic b; update { db += 1; } } rule r = decay(w = b) + bias;";
    let composed = rule(text);
    let b = find(&composed, "b").expect("the bias");
    assert_eq!(composed.variables[b].shape.domain, Domain::Post);
    let db = find(&composed, "db").expect("its proposal");
    assert_eq!(composed.variables[db].shape.domain, Domain::Post);
}

#[test]
fn a_parameter_of_the_composition_is_shared() {
    let composed = rule("rule c = { param tau = 10 ms; } stdp(tau_plus = tau) + istdp(tau = tau);");
    assert_eq!(default(&composed, "c.tau"), 10.0);
    assert_eq!(find(&composed, "stdp.tau_plus"), find(&composed, "c.tau"));
    assert_eq!(find(&composed, "istdp.x"), find(&composed, "stdp.x"), "equal traces are one");
    assert!(!addresses(&composed).contains(&"istdp.x".to_owned()));

    let nested = "rule c = { param tau = 10 ms; } stdp(tau_plus = tau) + istdp(tau = tau);";
    let outer = rule(&format!("{nested} rule r = {{ param slow = 99 ms; }} c(tau = slow) as k;"));
    assert_eq!(default(&outer, "r.slow"), 99.0);
    for address in ["k.tau", "k.stdp.tau_plus", "k.istdp.tau"] {
        assert_eq!(find(&outer, address), find(&outer, "r.slow"), "{address}");
    }
}

#[test]
fn a_parameter_that_only_parts_use_is_no_cause_for_a_warning() {
    let unused = |text: &str| {
        let (_, warnings) = library(text).open(None, &Settings::default()).expect("a rule without errors");
        let about = |message: &str| message == "the parameter `tau` is never used";
        warnings.iter().filter(|warning| about(&warning.message)).count()
    };
    assert_eq!(unused("rule c = { param tau = 10 ms; } stdp(tau_plus = tau);"), 0);
    assert_eq!(unused("rule c = { param tau = 10 ms; } stdp;"), 1);
}

#[test]
fn a_bound_that_is_computed_clips_an_integer() {
    let counted =
        rule("rule n { plastic w; state n: int in 0 .. 2 * 5; update { n += 1; dw += n; } } rule r = n;");
    let [Statement::Assign { value, .. }] = counted.constrain.as_slice() else { panic!("no clip") };
    let ExprKind::Binary(_, _, high) = counted.exprs[*value].kind else { panic!("no min") };
    assert_eq!(counted.exprs[high].kind, ExprKind::Integer(10));
}

#[test]
fn private_parameters_keep_two_traces() {
    let composed = rule("rule r = stdp + istdp;");
    assert_ne!(find(&composed, "istdp.x"), find(&composed, "stdp.x"));
}

#[test]
fn an_extern_finds_its_state_or_is_pointed_at_it() {
    let composed = rule("rule r = fuzzy + damp;");
    assert_eq!(find(&composed, "damp.eta"), find(&composed, "fuzzy.eta"));
    let pointed = rule("rule r = fuzzy as a + fuzzy as b + damp(eta = b.eta);");
    assert_eq!(find(&pointed, "damp.eta"), find(&pointed, "b.eta"));
    let inside = rule("rule pair = fuzzy + damp(eta = fuzzy.eta); rule r = pair as k + pair as m;");
    assert_eq!(find(&inside, "k.damp.eta"), find(&inside, "k.fuzzy.eta"));
    assert_eq!(find(&inside, "m.damp.eta"), find(&inside, "m.fuzzy.eta"));
    assert_ne!(find(&inside, "k.damp.eta"), find(&inside, "m.damp.eta"));
}

#[test]
fn a_finished_rule_applies_and_clips() {
    let composed = rule("rule r = stdp + decay;");
    let w = find(&composed, "w").expect("the weight");
    let [Statement::Let { .. }, Statement::If { then, .. }] = composed.apply.as_slice() else {
        panic!("{:?}", composed.apply);
    };
    assert!(matches!(then[0], Statement::Assign { variable, op: AssignOp::Add, .. } if variable == w));
    assert!(
        matches!(composed.constrain.as_slice(), [Statement::Assign { variable, op: AssignOp::Set, .. }] if *variable == w)
    );
}

#[test]
fn composed_documentation_is_the_compositions_own() {
    let composed = rule("/// Both at once.\nrule r = stdp + decay;");
    assert_eq!(composed.docs, ["Both at once."]);
    assert_eq!(composed.name, "r");
}

#[test]
fn inputs_are_pointed_at_states() {
    let parts = "
        rule given { plastic w; pre input trace; on post { dw += trace; } }
        rule also { plastic w; pre input trace; on pre { dw -= trace; } }";
    let pointed = rule(&format!("{parts} rule c = stdp + given(trace = stdp.x) + also;"));
    let inputs = |rule: &Rule| {
        let inputs = rule.variables.iter().filter(|(_, of)| matches!(of.kind, VarKind::Input { .. }));
        inputs.map(|(_, of)| of.address()).collect::<Vec<_>>()
    };
    // Only the part that has been pointed reads the state; the other's input is still the host's.
    assert_eq!(inputs(&pointed), ["trace"]);
    let both = rule(&format!("{parts} rule p = given + also; rule c = stdp + p(trace = stdp.x);"));
    assert!(inputs(&both).is_empty());
    assert_eq!(find(&both, "given.trace"), find(&both, "stdp.x"));
    assert_eq!(find(&both, "also.trace"), find(&both, "stdp.x"));
    // A state that only another part reads is no finding.
    let written = "rule trace { pre state x; on pre { x = 1; } } rule c = trace + given(trace = trace.x);";
    let read = library(&format!("{parts} {written}")).elaborate(None, &Settings::default()).unwrap();
    assert!(read.warnings.is_empty());
    // A name without a dot renames, and what is no input cannot be pointed.
    assert_eq!(inputs(&rule(&format!("{parts} rule c = given(trace = other);"))), ["other"]);
    assert_eq!(codes(with(&format!("{parts} rule c = stdp + given(w = stdp.x);"), &[])), ["E0514"]);
    assert_eq!(codes(with(&format!("{parts} rule c = stdp + given(trace = stdp.z);"), &[])), ["E0522"]);
    assert_eq!(codes(with(&format!("{parts} rule c = stdp + given(trace = stdp.y);"), &[])), ["E0524"]);
}

#[test]
fn constants_are_set_by_arguments() {
    let blocks = "
        const outside = 3;
        rule blocks { const n = 2; const tau = 10 ms; post output z; post input y;
            update { z = sum[post by n](y) * (tau / dt); } }";
    let sizes = |rule: &Rule| {
        let reductions = rule.exprs.iter().filter_map(|(_, expr)| match expr.kind {
            ExprKind::Reduce { over: crate::ir::Over::PostBlocks(size), .. } => Some(size),
            _ => None,
        });
        reductions.collect::<Vec<_>>()
    };
    assert_eq!(sizes(&rule(&format!("{blocks} rule c = blocks;"))), [2]);
    assert_eq!(sizes(&rule(&format!("{blocks} rule c = blocks(n = 4);"))), [4]);
    assert_eq!(sizes(&rule(&format!("{blocks} rule c = blocks(n = outside + 1);"))), [4]);
    assert_eq!(sizes(&rule(&format!("{blocks} rule p = blocks + decay; rule c = p(blocks.n = 5);"))), [5]);
    assert_eq!(codes(with(&format!("{blocks} rule c = blocks(n = 2.5);"), &[])), ["E0601"]);
    assert_eq!(codes(with(&format!("{blocks} rule c = blocks(tau = 2);"), &[])), ["E0401"]);
    assert!(codes(with(&format!("{blocks} rule c = blocks(tau = 2 ms);"), &[])).is_empty());
}

#[test]
fn a_draw_of_an_initial_value_has_the_name_of_its_state() {
    let drawn = rule(
        "rule drawn {
            plastic w = uniform(0, 1);
            synapse state eta = 1 + normal(0, 1) * exponential(1);
            update { dw += eta; }
        }
        rule c = drawn as d;",
    );
    let addresses: Vec<Option<&str>> = drawn.sites.iter().map(|(_, site)| site.address.as_deref()).collect();
    assert_eq!(addresses, [Some("d.w"), Some("d.eta"), None]);
}
