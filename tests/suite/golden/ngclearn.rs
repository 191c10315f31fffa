//! ngc-learn: HebbianSynapse with priors, bounds, biases, masks, and the optimizers sgd and adam.
//!
//! Its weights are `[in, out]`, as the library's. Its optimizers descend: their eta is the negative of ours. Its
//! sign_value multiplies the prior as well.

use aplysia_compiler::topology::Topology;

use super::data::Case;
use super::plan::{Act, Plan, SEEN};

const SEEN_BIAS: &str =
    "rule seen_bias { post_channel plastic b; post_channel state proposed; modulate { proposed = db; } }\n";

/// The one way of running a case.
pub fn plans(case: &Case) -> Vec<Plan> {
    let arrays = case.arrays();
    let shape = &arrays.get("weights").shape;
    let optimizer = case.name("optim_type").expect("a case names its optimizer");
    let text = text(case, optimizer, arrays.find("mask").is_some());
    let mut plan = Plan::new(text, Topology::Dense { pre: shape[1], post: shape[2] });
    plan.batch = case.count("batch");
    plan.params_of(case, &[("pre_wght", "pre_wght"), ("post_wght", "post_wght"), ("w_bound", "w_bound")]);
    let sign = case.number("sign_value");
    plan.param("sign_value", sign);
    let strength = case.param("prior")[1].clone();
    let lambda = strength.as_f64().or_else(|| strength[0].as_f64()).expect("a prior has a strength");
    plan.param("lambda", sign * lambda);
    plan.params.extend(strength[1].as_f64().map(|ratio| ("ratio".to_owned(), vec![ratio])));
    for address in [optimizer.to_owned(), format!("{optimizer}_b")] {
        plan.param(&format!("{address}.eta"), -case.number("eta"));
    }
    plan.follow("w", arrays.get("weights").rows(), case.is_exact("weights"));
    plan.watch("seen.proposed", arrays.get("dweights").rows(), case.is_exact("dweights"));
    plan.watch("seen_bias.proposed", arrays.get("dbiases").rows(), case.is_exact("dbiases"));
    if let Some(biases) = arrays.find("biases") {
        plan.follow("b", biases.rows(), case.is_exact("biases"));
    }
    for (theirs, ours) in [("adam_g1", "adam.m"), ("adam_g2", "adam.v")] {
        if let Some(moments) = arrays.find(theirs) {
            let before = vec![0.0; shape[1] * shape[2]];
            let rows = std::iter::once(before).chain(moments.rows()).collect();
            plan.follow(ours, rows, case.is_exact(theirs));
        }
    }
    plan.initial.extend(arrays.find("mask").map(|mask| ("mask".to_owned(), mask.values.clone())));
    for step in 0..case.steps() {
        let give = |input: &str, array: &str| Act::Input(input.to_owned(), arrays.get(array).row(step));
        plan.acts.push(vec![give("z_pre", "pre"), give("z_post", "post"), plan.silent()]);
    }
    vec![plan]
}

fn text(case: &Case, optimizer: &str, masked: bool) -> String {
    let kind = case.param("prior")[0].as_str().expect("a prior has a name");
    let weights = if case.flag("is_nonnegative") == Some(true) { "nonnegative" } else { "signed" };
    let correction = if optimizer == "adam" { "correction = rounded" } else { "" };
    let with = |more: &str| {
        let all = [correction, more].into_iter().filter(|argument| !argument.is_empty());
        let all: Vec<&str> = all.collect();
        if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
    };
    let uses: String = ["adam", "hebbian", "mask", "nag", "prior", "sgd"]
        .iter()
        .map(|name| format!("use std::{name};\n"))
        .collect();
    format!(
        "{uses}{SEEN}{SEEN_BIAS}rule case = hebbian(weights = {weights}) + prior(kind = {kind}) + seen + seen_bias \
         + {optimizer}{} + {optimizer}{} as {optimizer}_b{};\n",
        with(""),
        with("w = b"),
        if masked { " + mask" } else { "" },
    )
}
