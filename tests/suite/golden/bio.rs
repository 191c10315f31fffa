//! bio_transformations 0.0.4 and 0.0.5: rejuvenation, crystallization, volume-dependent and fuzzy learning rates, signs,
//! l1 and weight splitting, with the draws of the package in the place of ours.
//!
//! Its weights are `[out, in]`, so `[post, pre]`, in linear layers, and `[out, in, kh, kw]` in convolutions. Where the
//! inputs of a convolution play no part, it has one position.

use aplysia_compiler::topology::Topology;

use super::data::{Array, Arrays, Case};
use super::fuzzy;
use super::plan::{self, Act, Plan};

/// The gradient of the loss, as the host gives it: what optimizers that ascend are to be proposed is its negative.
pub const DESCENT: &str = "rule descent { plastic w; synapse input grad = 0; update { dw -= grad; } }\n";

/// All ways of running a case.
pub fn plans(case: &Case) -> Vec<Plan> {
    let arrays = case.arrays();
    match case.rule() {
        "rejuvenate_weights" => vec![rejuvenation(case, &arrays)],
        "crystallize" => vec![crystallization(case, &arrays)],
        "volume_dependent_lr" => vec![volume(case, &arrays)],
        "dale" => dale(case, &arrays),
        "weight_splitting" => super::splitting::plans(case, &arrays),
        "fuzzy_learning_rates" => fuzzy::plans(case, &arrays),
        rule => panic!("bio_transformations has no rule `{rule}` here"),
    }
}

/// A layer: its topology, and how its arrays are written in the library's order.
pub struct Layer {
    /// `[out, in]` or `[out, in, kh, kw]`.
    shape: Vec<usize>,
}

impl Layer {
    /// The layer of such weights.
    pub fn new(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec() }
    }

    /// With as many positions as fit the input, where its height and width are known.
    pub fn topology(&self, input: Option<[usize; 2]>) -> Topology {
        match self.shape[..] {
            [post, pre] => Topology::Dense { pre, post },
            [channels, inputs, rows, columns] => {
                let [height, width] = input.unwrap_or([rows, columns]);
                let input = [inputs, height, width];
                Topology::Conv2d(plan::convolution(input, channels, [rows, columns], 1, 0))
            }
            _ => panic!("a layer with the shape {:?}", self.shape),
        }
    }

    /// Synaptic values in the library's order.
    pub fn synapses(&self, values: &[f64]) -> Vec<f64> {
        if self.shape.len() == 2 { plan::transposed(values, self.shape[0]) } else { values.to_vec() }
    }

    /// The same, for each row.
    pub fn rows(&self, array: &Array) -> Vec<Vec<f64>> {
        array.rows().iter().map(|row| self.synapses(row)).collect()
    }
}

/// The weights of one release are replaced as the article says, those of the other by a log-normal distribution. Weights
/// that are not numbers cannot be written by the host, but an input can hold them.
fn rejuvenation(case: &Case, arrays: &Arrays) -> Plan {
    let weights = arrays.get("weights");
    let layer = Layer::new(&weights.shape[1..]);
    let later = case.system() != "bio004";
    let rule = if later { "rejuvenate_lognormal" } else { "rejuvenate" };
    let text = format!(
        "use std::{rule};\nrule load {{ plastic w; synapse input stored = 0; on call load {{ w = stored; }} }}\n\
         rule case = {rule} + load;\n"
    );
    let mut plan = Plan::new(text, layer.topology(None));
    plan.params_of(case, &[("rejuvenation_parameter_dre", "dre")]);
    let draws: &[(&str, &str)] =
        if later { &[("chosen", "bernoulli"), ("z", "z")] } else { &[("z", "z"), ("u", "uniform")] };
    let draw = |(ours, theirs): &(&str, &str), step| {
        (format!("{rule}.{ours}"), layer.synapses(&arrays.get(theirs).row(step)))
    };
    plan.draws = draws.iter().map(|names| draw(names, 0)).collect();
    let missing = weights.values.iter().any(|weight| weight.is_nan());
    let rows = layer.rows(weights);
    if missing {
        plan.watch("w", rows[1..].to_vec(), case.is_exact("weights"));
    } else {
        plan.follow("w", rows.clone(), case.is_exact("weights"));
    }
    for (step, row) in rows.iter().enumerate().take(case.steps()) {
        let mut acts = Vec::new();
        if missing {
            acts.extend([Act::Input("stored".to_owned(), row.clone()), Act::Call("load")]);
        }
        acts.extend(
            draws.iter().map(|names| draw(names, step)).map(|(name, values)| Act::Draw(name, values)),
        );
        acts.push(Act::Call("rejuvenate"));
        plan.acts.push(acts);
    }
    plan
}

/// crystallize, then fuzzy_learning_rates, then a step of gradient descent.
fn crystallization(case: &Case, arrays: &Arrays) -> Plan {
    let weights = arrays.get("weights");
    let layer = Layer::new(&weights.shape[1..]);
    let text = format!(
        "use std::crystallize;\nuse std::fuzzy_lr;\nuse std::sgd;\n{DESCENT}{}rule case = descent + fuzzy_lr + seen \
         + crystallize + sgd;\n",
        plan::SEEN
    );
    let mut plan = Plan::new(text, layer.topology(None));
    plan.params_of(case, &[("crystal_thresh", "threshold"), ("dampening_factor", "dampening")]);
    plan.params_of(case, &[("fuzzy_learning_rate_factor_nu", "nu"), ("lr", "sgd.eta")]);
    fuzzy::limits(&mut plan, case);
    // The first rates are drawn from recorded numbers; later ones are those of the package.
    plan.draws.push(("fuzzy_lr.eta".to_owned(), layer.synapses(&arrays.get("init_uniform").values)));
    let rates = layer.rows(arrays.get("fuzzy"));
    plan.created.push(("fuzzy_lr.eta".to_owned(), rates[0].clone()));
    plan.follow("fuzzy_lr.eta", rates, case.is_exact("fuzzy"));
    plan.initial.clear();
    plan.follow("w", layer.rows(weights), case.is_exact("weights"));
    let descended = |row: Vec<f64>| row.into_iter().map(|gradient| -gradient).collect();
    let proposed = layer.rows(arrays.get("grad_out")).into_iter().map(descended).collect();
    plan.watch("seen.proposed", proposed, case.is_exact("grad_out"));
    for step in 0..case.steps() {
        let gradient = Act::Input("grad".to_owned(), layer.synapses(&arrays.get("grad_in").row(step)));
        plan.acts.push(vec![gradient, Act::Call("crystallize"), plan.silent()]);
    }
    plan
}

/// volume_dependent_lr, then w -= grad.
fn volume(case: &Case, arrays: &Arrays) -> Plan {
    let weights = arrays.get("weights");
    let layer = Layer::new(&weights.shape[1..]);
    let text =
        format!("use std::volume_lr;\n{DESCENT}{}rule case = descent + volume_lr + seen;\n", plan::SEEN);
    let mut plan = Plan::new(text, layer.topology(None));
    plan.params_of(case, &[("base_lr", "base_lr"), ("stability_factor", "stability")]);
    plan.params_of(case, &[("lr_variability", "variability")]);
    let draw = |step| ("volume_lr.z".to_owned(), layer.synapses(&arrays.get("z").row(step)));
    plan.draws.push(draw(0));
    plan.follow("w", layer.rows(weights), false);
    // The package's exponential is another one, so the last bit may differ.
    let descended = |row: Vec<f64>| row.into_iter().map(|gradient| -gradient).collect();
    let proposed = layer.rows(arrays.get("grad_out")).into_iter().map(descended).collect();
    plan.watch("seen.proposed", proposed, false);
    for step in 0..case.steps() {
        let gradient = Act::Input("grad".to_owned(), layer.synapses(&arrays.get("grad_in").row(step)));
        let (name, values) = draw(step);
        plan.acts.push(vec![gradient, Act::Draw(name, values), plan.silent()]);
    }
    plan
}

/// Signs at creation, then enforce_dales_principle after every change, and l1_reg of rates and signs. A linear layer has
/// one sign for each output, a convolution one for each pair of channels, which the host spreads over the kernel.
fn dale(case: &Case, arrays: &Arrays) -> Vec<Plan> {
    let weights = arrays.get("weights");
    let shape = &weights.shape[1..];
    let layer = Layer::new(shape);
    let synapses: usize = shape.iter().product();
    let sign = &arrays.get("sign").values;
    let sharing = synapses / sign.len();
    let spread: Vec<f64> = (0..synapses).map(|at| sign[at / sharing]).collect();
    let mut rules = vec!["sign_constraint"];
    if shape.len() == 2 {
        rules.push("dale_rows");
    }
    let mut plans = Vec::new();
    for rule in rules {
        let signs = rule == "sign_constraint";
        let text = format!(
            "use std::{rule};\nuse std::fuzzy_lr;\nuse std::l1_rates;\nuse std::l1_signs;\n\
             rule shift {{ plastic w; synapse input delta; on call shift {{ w += delta; }} }}\n\
             rule case = shift + {rule}{};\n",
            if signs { " + fuzzy_lr(distribution = baseline) + l1_rates + l1_signs" } else { "" }
        );
        let mut plan = Plan::new(text, layer.topology(None));
        plan.name = if signs { "signs" } else { "rows" };
        let rows = layer.rows(weights);
        plan.created.push(("w".to_owned(), rows[0].clone()));
        plan.follow("w", rows, case.is_exact("weights"));
        plan.initial = vec![("w".to_owned(), layer.synapses(&arrays.get("weights_before").values))];
        if signs {
            plan.param("sharing", sharing as f64);
            plan.initial.push(("polarity".to_owned(), layer.synapses(&spread)));
            plan.initial.push(("fuzzy_lr.eta".to_owned(), layer.synapses(&arrays.get("fuzzy").values)));
            plan.watch("l1", arrays.get("l1").rows(), false);
        } else {
            plan.draws.push(("dale_rows.polarity".to_owned(), arrays.get("randint").values.clone()));
            plan.created.push(("polarity".to_owned(), sign.clone()));
        }
        for step in 0..case.steps() {
            let delta = Act::Input("delta".to_owned(), layer.synapses(&arrays.get("delta").row(step)));
            plan.acts.push(vec![delta, Act::Call("shift"), plan.silent()]);
        }
        plans.push(plan);
    }
    plans
}
