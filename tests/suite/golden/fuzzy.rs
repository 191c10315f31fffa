//! bio_transformations: fuzzy learning rates of all distributions, and their updates.

use aplysia_compiler::topology::Topology;

use super::bio::{DESCENT, Layer};
use super::data::{Arrays, Case};
use super::plan::{Act, Plan, SEEN};

/// All ways of running a case.
pub fn plans(case: &Case, arrays: &Arrays) -> Vec<Plan> {
    if arrays.find("fuzzy_0").is_some() {
        return layers(case, arrays);
    }
    let mut plans = Vec::new();
    if arrays.find("fuzzy").is_some() {
        plans.push(gradient(case, arrays));
    }
    if arrays.find("x").is_some() {
        plans.push(activity(case, arrays));
    } else if arrays.find("fuzzy_traj").is_some() {
        plans.push(updates(case, arrays));
    }
    plans
}

/// The limits of the rates. The earlier release has none.
pub fn limits(plan: &mut Plan, case: &Case) {
    plan.param("lowest", case.maybe("fuzzy_lr_min").unwrap_or(f64::NEG_INFINITY));
    plan.param("highest", case.maybe("fuzzy_lr_max").unwrap_or(f64::INFINITY));
}

/// A plan with the rule of the case, its parameters and its recorded first draws.
fn base(case: &Case, arrays: &Arrays, layer: &Layer, topology: Topology, before: &str) -> Plan {
    let distribution = case.name("fuzzy_lr_distribution").unwrap_or("uniform");
    let dynamic = if case.flag("fuzzy_lr_dynamic") == Some(true) { "yes" } else { "no" };
    let response = if before == "layer" { ", response = layer.y" } else { "" };
    let text = format!(
        "use std::fuzzy_lr;\nuse std::layer;\n{DESCENT}{SEEN}rule case = {before} + \
         fuzzy_lr(distribution = {distribution}, dynamic = {dynamic}{response}) + seen;\n"
    );
    let mut plan = Plan::new(text, topology);
    plan.params_of(case, &[("fuzzy_learning_rate_factor_nu", "nu"), ("fuzzy_lr_decay", "decay")]);
    plan.params_of(case, &[("fuzzy_lr_update_freq", "period"), ("fuzzy_lr_layer_index", "layer")]);
    plan.params_of(case, &[("fuzzy_lr_total_layers", "layers")]);
    limits(&mut plan, case);
    for kind in ["init_uniform", "init_normal", "init_gamma", "init_beta"] {
        if let Some(draws) = arrays.find(kind) {
            plan.draws.push(("fuzzy_lr.eta".to_owned(), layer.synapses(&draws.values)));
        }
    }
    plan
}

/// The first rates, and gradients that they have scaled.
fn gradient(case: &Case, arrays: &Arrays) -> Plan {
    let weights = arrays.get("weights");
    let layer = Layer::new(&weights.shape);
    let mut plan = base(case, arrays, &layer, layer.topology(None), "descent");
    plan.name = "first rates";
    plan.initial.push(("w".to_owned(), layer.synapses(&weights.values)));
    let rates = layer.synapses(&arrays.get("fuzzy").values);
    if case.is_exact("fuzzy") {
        plan.created.push(("fuzzy_lr.eta".to_owned(), rates.clone()));
    }
    let (given, scaled) = (arrays.get("grad_in"), arrays.get("grad_out"));
    let single = given.shape.len() == weights.shape.len();
    let steps = if single { 1 } else { given.shape[0] };
    let row = |array: &super::data::Array, step| {
        layer.synapses(&if single { array.values.clone() } else { array.row(step) })
    };
    let descended = |step| row(scaled, step).into_iter().map(|gradient| -gradient).collect();
    plan.watch("seen.proposed", (0..steps).map(descended).collect(), case.is_exact("grad_out"));
    plan.watch("fuzzy_lr.eta", vec![rates; steps], case.is_exact("fuzzy"));
    for step in 0..steps {
        let gradient = Act::Input("grad".to_owned(), row(given, step));
        plan.acts.push(vec![gradient, plan.silent()]);
    }
    plan
}

/// The rates after each call of update_fuzzy_learning_rates.
fn updates(case: &Case, arrays: &Arrays) -> Plan {
    let weights = arrays.get("weights");
    let layer = Layer::new(&weights.shape);
    let mut plan = base(case, arrays, &layer, layer.topology(None), "descent");
    plan.name = "updates";
    plan.initial.push(("w".to_owned(), layer.synapses(&weights.values)));
    let drawn = arrays.find("update_uniform");
    let rows = layer.rows(arrays.get("fuzzy_traj"));
    // A mean of all weights hangs on the order of summation.
    let summed = case.name("fuzzy_lr_distribution") == Some("weight_adaptive") && drawn.is_some();
    plan.watch("fuzzy_lr.eta", rows, case.is_exact("fuzzy_traj") && !summed);
    let draw = |at: usize| {
        let values = drawn.map(|drawn| layer.synapses(&drawn.row(at.min(drawn.shape[0] - 1))));
        values.map(|values| ("fuzzy_lr.u".to_owned(), values))
    };
    plan.draws.extend(draw(0));
    // In the package a draw is made where it is used, here in every call.
    let period = case.count("fuzzy_lr_update_freq");
    let temporal = case.name("fuzzy_lr_distribution") == Some("temporal");
    let mut used = 0;
    for step in 0..case.steps() {
        let draw = draw(used).map(|(name, values)| Act::Draw(name, values));
        plan.acts.push(draw.into_iter().chain([Act::Call("update_rates")]).collect());
        used += usize::from(temporal && (step + 1).is_multiple_of(10 * period));
    }
    plan
}

/// The rates of the activity-dependent distribution, and its counts, from the inputs of the layer.
fn activity(case: &Case, arrays: &Arrays) -> Plan {
    let (weights, inputs) = (arrays.get("weights"), arrays.get("x"));
    let layer = Layer::new(&weights.shape);
    let input = (weights.shape.len() == 4).then(|| [inputs.shape[3], inputs.shape[4]]);
    let mut plan = base(case, arrays, &layer, layer.topology(input), "layer");
    plan.name = "updates";
    plan.batch = inputs.shape[1];
    plan.initial.push(("w".to_owned(), layer.synapses(&weights.values)));
    plan.initial.push(("b".to_owned(), arrays.get("bias").values.clone()));
    plan.watch("fuzzy_lr.eta", layer.rows(arrays.get("fuzzy_traj")), case.is_exact("fuzzy_traj"));
    let counts = arrays.get("activation_count").rows();
    plan.watch("fuzzy_lr.active", counts, case.is_exact("activation_count"));
    let synapses = weights.values.len();
    plan.draws =
        vec![("fuzzy_lr.coin".to_owned(), vec![0.0]), ("fuzzy_lr.u".to_owned(), vec![0.0; synapses])];
    let so_far = |name: &str, step: usize| arrays.get(name).values[step] as usize;
    for step in 0..case.steps() {
        let mut acts = vec![Act::Input("x".to_owned(), inputs.row(step)), plan.silent()];
        let [coins, rows] = ["coin_count", "uniform_count"].map(|name| so_far(name, step));
        if step > 0 && coins > so_far("coin_count", step - 1) {
            acts.push(Act::Draw("fuzzy_lr.coin".to_owned(), vec![arrays.get("coin").values[coins - 1]]));
        }
        let before = if step == 0 { 0 } else { so_far("uniform_count", step - 1) };
        if rows > before {
            // One draw for each output, one after the other.
            let drawn: Vec<f64> =
                (before..rows).flat_map(|row| arrays.get("update_uniform").row(row)).collect();
            acts.push(Act::Draw("fuzzy_lr.u".to_owned(), layer.synapses(&drawn)));
        }
        acts.push(Act::Call("update_rates"));
        plan.acts.push(acts);
    }
    plan
}

/// The first rates of each layer of a converted network, which knows no numbers of layers.
fn layers(case: &Case, arrays: &Arrays) -> Vec<Plan> {
    let numbers = (0..).take_while(|number| arrays.find(&format!("fuzzy_{number}")).is_some());
    let one = |number: usize| {
        let (rates, drawn) =
            (arrays.get(&format!("fuzzy_{number}")), arrays.get(&format!("init_uniform_{number}")));
        let layer = Layer::new(&rates.shape);
        let mut plan = base(case, arrays, &layer, layer.topology(None), "descent");
        plan.name =
            ["first layer", "second layer", "third layer"].get(number).copied().unwrap_or("a later layer");
        plan.draws.push(("fuzzy_lr.eta".to_owned(), layer.synapses(&drawn.values)));
        plan.created.push(("fuzzy_lr.eta".to_owned(), layer.synapses(&rates.values)));
        plan
    };
    numbers.map(one).collect()
}
