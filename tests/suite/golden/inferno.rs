//! inferno: LinearHomeostasis of weights, biases and delays, and the Updater's bounds.
//!
//! Its weights are `[out, in]`, so `[post, pre]`, in dense connections. Cases called `published` have the sign of the
//! negative part as the package has it; the package's own spikes are given.

use aplysia_compiler::topology::Topology;

use super::data::{Array, Arrays, Case};
use super::plan::{self, Act, Plan, spikes, transposed};

/// Shows the two parts before they are applied and begin anew.
const PARTS: &str = "rule parts { extern post_channel increase; extern post_channel decrease; \
    post_channel state gain; post_channel state loss; modulate { gain = increase; loss = decrease; } }\n";

const DECLARED: &str = "rule declared { post_channel plastic bias; plastic delay; }\n";

/// All ways of running a case.
pub fn plans(case: &Case) -> Vec<Plan> {
    match case.rule() {
        "fullbound" => vec![bound(case)],
        "homeostasis" if case.variant() == "published_two_cells" => vec![cell(case, 0), cell(case, 1)],
        "homeostasis" => vec![homeostasis(case)],
        rule => panic!("inferno has no rule `{rule}` here"),
    }
}

/// A bound alone: twelve synapses onto twelve neurons, each with parts of its own.
fn bound(case: &Case) -> Plan {
    let arrays = case.arrays();
    let kind = case.variant().trim_start_matches("bound_");
    let neurons = arrays.get("param").values.len();
    let text = format!("use std::updater;\nrule case = updater(upper = {kind}, lower = {kind});\n");
    let mut plan = Plan::new(text, Topology::Dense { pre: 1, post: neurons });
    plan.params_of(case, &[("min", "w_min"), ("max", "w_max")]);
    plan.params_of(case, &[("upper_power", "upper_power"), ("lower_power", "lower_power")]);
    // The update itself is recorded: the weight afterwards is made of it by the one addition that follows.
    let before = arrays.get("param").values.clone();
    let update = &arrays.get("update").values;
    let after = before.iter().zip(update).map(|(w, update)| f64::from(*w as f32 + *update as f32));
    plan.follow("w", vec![before.clone(), after.collect()], case.is_exact("update"));
    let give = |input: &str, array: &str| Act::Input(input.to_owned(), arrays.get(array).values.clone());
    plan.acts.push(vec![give("increase", "pos"), give("decrease", "neg"), plan.silent()]);
    plan
}

/// The composition: what is regulated, how it is bounded, how often it is updated.
fn text(case: &Case, published: bool) -> String {
    let mut arguments = vec![format!("sign = {}", if published { "published" } else { "intended" })];
    if let Some(bound) = case.name("bound") {
        arguments.push(format!("upper = {bound}"));
        arguments.push(format!("lower = {bound}"));
    }
    match case.name("param") {
        Some("weight") | None => {}
        Some(other) => arguments.push(format!("w = {other}")),
    }
    if case.name("batch_reduction") == Some("sum") {
        arguments.push("reduction = sum".to_owned());
    }
    if case.name("target_kind") == Some("call_tensor") {
        arguments.push("targets = given".to_owned());
    }
    let regulated = case.name("param").filter(|&param| param != "weight").map(|_| " + declared");
    let every = case.maybe("update_every").unwrap_or(1.0) as u64;
    let waits = format!("rule waits {{ apply every {every} steps; }}\n");
    format!(
        "use std::linear_homeostasis;\nuse std::mask;\n{DECLARED}{PARTS}{waits}rule case = parts + linear_homeostasis({}){}{}{};\n",
        arguments.join(", "),
        regulated.unwrap_or_default(),
        if every > 1 { " + waits" } else { "" },
        if case.name("connection") == Some("lateral") { " + mask" } else { "" },
    )
}

fn homeostasis(case: &Case) -> Plan {
    let arrays = case.arrays();
    let connection = case.name("connection").expect("a case names its connection");
    let regulated = case.name("param").expect("a case names what it regulates");
    let topology = topology(connection, regulated, &arrays);
    let published = case.variant().starts_with("published");
    let mut plan = Plan::new(text(case, published), topology);
    plan.batch = case.count("batch");
    plan.dt = case.number("dt");
    let lambda = case.number("plasticity");
    plan.param("lambda", if regulated == "delay" { -lambda } else { lambda });
    plan.params_of(case, &[("bound_min", "w_min"), ("bound_max", "w_max")]);
    plan.params_of(case, &[("power_up", "upper_power"), ("power_down", "lower_power")]);
    let target = arrays.get("target");
    let given = case.name("target_kind") == Some("call_tensor");
    if !given {
        // One for all neurons, or one for each.
        plan.params.push(("target".to_owned(), target.values.clone()));
    }
    let dense = matches!(connection, "dense" | "lateral") && regulated != "bias";
    let own = |array: &Array| -> Vec<Vec<f64>> {
        let rows = array.rows().into_iter();
        rows.map(|row| if dense { transposed(&row, array.shape[1]) } else { row }).collect()
    };
    let variable = if regulated == "weight" { "w" } else { regulated };
    plan.follow(variable, own(arrays.get("param")), case.is_exact("param"));
    plan.initial
        .extend(arrays.find("mask").map(|mask| ("mask".to_owned(), transposed(&mask.values, mask.shape[0]))));
    rates(&mut plan, arrays.get("rate"), case.is_exact("rate"));
    if case.count("update_every") == 1 {
        plan.watch("parts.gain", arrays.get("pos").rows(), case.is_exact("pos"));
        // As documented, the decrease is positive.
        let signed =
            |row: Vec<f64>| row.into_iter().map(|part| if published { part } else { -part }).collect();
        let losses = arrays.get("neg").rows().into_iter().map(signed).collect();
        plan.watch("parts.loss", losses, case.is_exact("neg"));
    }
    steps(&mut plan, arrays.get("spikes"), given.then_some(target));
    plan
}

/// The mean rates, which begin at 0.
fn rates(plan: &mut Plan, rates: &Array, exact: bool) {
    let before = vec![0.0; rates.row(0).len()];
    plan.follow("rate_error.r", std::iter::once(before).chain(rates.rows()).collect(), exact);
}

fn steps(plan: &mut Plan, emitted: &Array, target: Option<&Array>) {
    let quiet = vec![false; plan.batch * plan.topology.pre()];
    for row in emitted.rows() {
        let given = target.map(|target| Act::Input("given_target".to_owned(), target.values.clone()));
        let step = Act::Step { pre: quiet.clone(), post: spikes(&row) };
        plan.acts.push(given.into_iter().chain([step]).collect());
    }
}

/// Inputs do nothing to a homeostasis: where the arrays do not say how many there are, there is one.
fn topology(connection: &str, regulated: &str, arrays: &Arrays) -> Topology {
    let spikes = &arrays.get("spikes").shape;
    let param = &arrays.get("param").shape;
    match connection {
        "dense" | "lateral" => {
            Topology::Dense { pre: if regulated == "bias" { 1 } else { param[2] }, post: spikes[2] }
        }
        "direct" => Topology::OneToOne { count: spikes[2] },
        "conv" => {
            let [channels, height, width] = [spikes[2], spikes[3], spikes[4]];
            let [inputs, rows, columns] =
                if regulated == "bias" { [1, 1, 1] } else { [param[2], param[3], param[4]] };
            let input = [inputs, height + rows - 1, width + columns - 1];
            Topology::Conv2d(plan::convolution(input, channels, [rows, columns], 1, 0))
        }
        other => panic!("inferno has no connection `{other}` here"),
    }
}

/// One of two cells of a trainer. As published, both follow the target of the first.
fn cell(case: &Case, number: usize) -> Plan {
    let arrays = case.arrays();
    let (param, rate) = (arrays.get(&format!("param_{number}")), arrays.get(&format!("rate_{number}")));
    let topology = Topology::Dense { pre: param.shape[2], post: param.shape[1] };
    let mut plan = Plan::new(text(case, true), topology);
    plan.name = if number == 0 { "first" } else { "second" };
    plan.batch = case.count("batch");
    plan.param("lambda", case.number("plasticity"));
    plan.param("target", case.list("targets")[0]);
    let rows = param.rows().iter().map(|row| transposed(row, param.shape[1])).collect();
    plan.follow("w", rows, case.is_exact(&format!("param_{number}")));
    rates(&mut plan, rate, true);
    // The mean of n steps, times n, is the number of spikes so far.
    let counts = |step: usize| -> Vec<f64> {
        let count = |rate: &f64| (rate * (step + 1) as f64).round();
        rate.row(step).iter().map(count).collect()
    };
    let emitted: Vec<f64> = (0..case.steps())
        .flat_map(|step| {
            let before = if step == 0 { vec![0.0; counts(0).len()] } else { counts(step - 1) };
            counts(step).into_iter().zip(before).map(|(now, before)| now - before).collect::<Vec<_>>()
        })
        .collect();
    steps(&mut plan, &Array { shape: rate.shape.clone(), values: emitted }, None);
    plan
}
