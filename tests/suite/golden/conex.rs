//! CoNeX: STDP, iSTDP and RSTDP on every topology, traces, dopamine, normalisation and clip.
//!
//! Its `Simple` weights are `[pre, post]`; `Sparse` ones are listed by post, then by pre, and come back by pre, then by
//! post; `Conv2d` and `Local2d` ones have the library's own axes. Local2d as published reads the presynaptic spikes in
//! the place of the postsynaptic ones: there the group's postsynaptic spikes are those.

use aplysia_compiler::topology::Topology;

use super::data::{Array, Arrays, Case};
use super::plan::{self, Act, Plan, SEEN, spikes};

/// Where a rule takes its traces and its dopamine from.
#[derive(Clone, Copy, PartialEq)]
enum Fed {
    /// Traces are computed from spikes; dopamine is given.
    Spikes,
    /// Both are given.
    Traces,
    /// Both are computed.
    Payoff,
}

/// All ways of running a case.
pub fn plans(case: &Case) -> Vec<Plan> {
    let arrays = case.arrays();
    let published = case.variant().starts_with("published");
    let delayed = !case.list("src_delay").is_empty();
    let mut plans = Vec::new();
    if !published {
        plans.push(plan(case, &arrays, Fed::Spikes));
    }
    // Recorded traces are those of delayed spikes, which a group with delays would delay again.
    if arrays.find("pre_trace").is_some() && !delayed {
        plans.push(plan(case, &arrays, Fed::Traces));
    }
    if arrays.find("payoff").is_some() && !published {
        plans.push(plan(case, &arrays, Fed::Payoff));
    }
    plans
}

fn plan(case: &Case, arrays: &Arrays, fed: Fed) -> Plan {
    let (topology, order) = topology(case, arrays);
    let mut plan = Plan::new(text(case, fed), topology);
    plan.name = match fed {
        Fed::Spikes => "spikes",
        Fed::Traces => "traces",
        Fed::Payoff => "payoff",
    };
    plan.dt = case.number("dt");
    params(&mut plan, case, fed);
    if !case.list("src_delay").is_empty() {
        let steps = |name| case.list(name).into_iter().map(|delay| delay as u32).collect();
        plan.delays = Some([steps("src_delay"), steps("dst_delay")]);
    }
    let synapses = |array: &Array| -> Vec<Vec<f64>> {
        let rows = array.rows().into_iter();
        rows.map(|row| order.iter().map(|&at| row[at]).collect()).collect()
    };
    // Dopamine is computed in f64 there, and in the group's precision here.
    let exact = |name| case.is_exact(name) && fed != Fed::Payoff;
    plan.follow("w", synapses(arrays.get("weights")), exact("weights"));
    plan.watch("seen.proposed", synapses(arrays.get("dw")), case.is_exact("dw"));
    if let Some(eligibility) = arrays.find("c") {
        plan.follow("reward_gate.c", synapses(eligibility), case.is_exact("c"));
    }
    if fed != Fed::Traces && plan.delays.is_none() {
        for (theirs, ours) in [("pre_trace", "conex_traces.x"), ("post_trace", "conex_traces.y")] {
            if let Some(array) = arrays.find(theirs) {
                let before = vec![0.0; array.shape[1]];
                let rows = std::iter::once(before).chain(array.rows()).collect();
                plan.follow(ours, rows, case.is_exact(theirs));
            }
        }
    }
    if fed == Fed::Payoff {
        let before = vec![f64::from(case.number("dopamine0") as f32)];
        let rows = std::iter::once(before).chain(arrays.get("dopamine").rows()).collect();
        plan.follow("dopamine.d", rows, false);
    }
    let published = case.variant().starts_with("published");
    for step in 0..case.steps() {
        let mut acts = Vec::new();
        let mut give = |input: &str, array: &str| {
            if let Some(array) = arrays.find(array) {
                acts.push(Act::Input(input.to_owned(), array.row(step)));
            }
        };
        if fed == Fed::Traces {
            give("pre_trace", "pre_trace");
            give("post_trace", "post_trace");
        }
        match fed {
            Fed::Payoff => give("payoff", "payoff"),
            Fed::Spikes | Fed::Traces => give("dopamine", "dopamine"),
        }
        let pre = spikes(&arrays.get("pre_raster").row(step));
        let post = if published { pre.clone() } else { spikes(&arrays.get("post_raster").row(step)) };
        acts.push(Act::Step { pre, post });
        plan.acts.push(acts);
    }
    plan
}

/// The composition.
fn text(case: &Case, fed: Fed) -> String {
    let inhibitory = case.rule().contains("iSTDP");
    let mut arguments: Vec<String> = Vec::new();
    if inhibitory {
        let target = if case.maybe("alpha").is_some() { "trace" } else { "rate" };
        let sign = if case.flag("is_inhibitory") == Some(false) { "excitatory" } else { "inhibitory" };
        arguments.extend([format!("target = {target}"), format!("sign = {sign}")]);
    } else {
        for bound in ["positive_bound", "negative_bound"] {
            let kind = case.name(bound).unwrap_or("no_bound");
            let kind = if kind == "no_bound" { "none" } else { kind.trim_end_matches("_bound") };
            arguments.push(format!("{bound} = {kind}"));
        }
        let grid = case.rule().starts_with("Conv2d") || case.rule().starts_with("Local2d");
        arguments.push(format!("order = {}", if grid { "bound_first" } else { "amplitude_first" }));
    }
    let mut parts = Vec::new();
    if fed != Fed::Traces {
        parts.push("conex_traces".to_owned());
        arguments.extend(["pre_trace = conex_traces.x".to_owned(), "post_trace = conex_traces.y".to_owned()]);
    }
    let name = if inhibitory { "conex_istdp" } else { "conex_stdp" };
    parts.push(format!("{name}({})", arguments.join(", ")));
    parts.push("seen".to_owned());
    if case.rule().contains("RSTDP") {
        match fed {
            Fed::Payoff => {
                parts.extend(["dopamine", "reward_gate(dopamine = dopamine.d)"].map(str::to_owned))
            }
            Fed::Spikes | Fed::Traces => parts.push("reward_gate".to_owned()),
        }
    }
    parts.extend(case.maybe("weight_norm").map(|_| "normalise".to_owned()));
    parts.extend((!case.list("weight_clip").is_empty()).then(|| "clip".to_owned()));
    let shipped =
        ["clip", "conex_istdp", "conex_stdp", "conex_traces", "dopamine", "normalise", "reward_gate"];
    let uses: String = shipped.iter().map(|name| format!("use std::{name};\n")).collect();
    format!("{uses}{SEEN}rule case = {};\n", parts.join(" + "))
}

fn params(plan: &mut Plan, case: &Case, fed: Fed) {
    if case.rule().contains("iSTDP") {
        plan.params_of(case, &[("lr", "lr"), ("alpha", "alpha"), ("tau_pre", "conex_istdp.tau")]);
        // In 1/ms.
        plan.params.extend(case.maybe("rho").map(|rho| ("rho".to_owned(), vec![rho * 1e-3])));
    } else {
        plan.params_of(case, &[("a_plus", "a_plus"), ("a_minus", "a_minus")]);
        plan.params_of(case, &[("w_min", "conex_stdp.w_min"), ("w_max", "conex_stdp.w_max")]);
    }
    if fed != Fed::Traces {
        plan.params_of(case, &[("tau_pre", "tau_pre"), ("tau_post", "tau_post")]);
        plan.params_of(case, &[("spike_scale_pre", "scale_pre"), ("spike_scale_post", "scale_post")]);
    }
    plan.params_of(case, &[("tau_c", "tau_c"), ("weight_norm", "norm")]);
    if fed == Fed::Payoff {
        plan.params_of(case, &[("tau_dopamine", "dopamine.tau"), ("dopamine0", "initial")]);
    }
    if let [low, high] = case.list("weight_clip")[..] {
        plan.param("clip.w_min", low);
        plan.param("clip.w_max", high);
    }
}

/// The topology, and where each synapse of the library's order stands in the package's.
fn topology(case: &Case, arrays: &Arrays) -> (Topology, Vec<usize>) {
    let (pre, post) = (case.count("n_pre"), case.count("n_post"));
    let mut order: Vec<usize> = (0..arrays.get("weights").row(0).len()).collect();
    if case.rule().starts_with("Simple") {
        return (Topology::Dense { pre, post }, order);
    }
    if case.rule().starts_with("One2One") {
        return (Topology::OneToOne { count: pre }, order);
    }
    if case.rule().starts_with("Sparse") {
        let [from, to] = ["src_idx", "dst_idx"].map(|name| arrays.get(name));
        let place = |at: usize| (from.values[at] as usize, to.values[at] as usize);
        order.sort_by_key(|&at| place(at));
        let synapses: Vec<(usize, usize)> = order.iter().map(|&at| place(at)).collect();
        return (plan::sparse(pre, post, &synapses), order);
    }
    let of = |name: &str| case.param("geometry")[name].as_u64().expect("a geometry has its sizes") as usize;
    let input = ["cin", "h", "w"].map(of);
    let shape = plan::convolution(input, of("cout"), [of("k"); 2], of("stride"), of("pad"));
    assert_eq!(shape.output_size(), ["out_h", "out_w"].map(of), "{}", case.id());
    let local = case.rule().starts_with("Local2d");
    (if local { Topology::Local2d(shape) } else { Topology::Conv2d(shape) }, order)
}
