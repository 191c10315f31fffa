//! bio_transformations: distributions over 200,000 weights, with our own draws.
//!
//! Both samples are random, so a number may differ by five standard errors of a difference of two. Quantiles are
//! compared as shares: how much of our sample lies below the package's quantile, which needs no density.

use aplysia::prelude::*;
use ndarray::Array2;

use super::data::Case;

/// Standard errors that a difference may have.
const ERRORS: f64 = 5.0;

/// The probabilities of the recorded quantiles.
const QUANTILES: [f64; 9] = [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

/// The axes of the layer.
const SHAPE: (usize, usize) = (400, 500);

/// The recorded moments, quantiles and shares of a case, and ours.
pub fn check(case: &Case) -> Result<(), String> {
    let arrays = case.arrays();
    let mut found = Vec::new();
    let mut compare = |name: &str, sample: &[f64]| {
        if let Some(recorded) = arrays.find(name) {
            sampled(name, sample, &recorded.values, &mut found);
        }
    };
    let weights = weights(case);
    let distribution = case.name("fuzzy_lr_distribution").unwrap_or("uniform");
    let (first, later) = rates(case, distribution, &weights);
    compare("fuzzy_stats", &first);
    compare("init_stats", &first);
    compare("after_stats", &later);
    let mut replaced = Vec::new();
    if arrays.find("rejuv_fraction").is_some() {
        let after = rejuvenated(case, &weights);
        replaced = after.iter().zip(&weights).map(|(new, old)| f64::from(u8::from(new != old))).collect();
        share("rejuv_fraction", &replaced, arrays.get("rejuv_fraction").values[0], &mut found);
        let new: Vec<f64> = pick(&after, |at| replaced[at] == 1.0);
        if centred(case) {
            // The distribution hangs on the mean of weights around 0, so on the last bits of a sum: what is certain is
            // that these weights vanish.
            let largest = new.iter().copied().fold(0.0, f64::max);
            if !(0.0..1e-9).contains(&largest) {
                found.push(format!("a weight is replaced by {largest}"));
            }
        } else {
            sampled("rejuv_new_stats", &new, &arrays.get("rejuv_new_stats").values, &mut found);
            sampled("rejuv_all_stats", &after, &arrays.get("rejuv_all_stats").values, &mut found);
        }
    }
    let factors = arrays.find("volume_stats").map(|recorded| {
        let factors = volume(case, &weights);
        sampled("volume_stats", &factors, &recorded.values, &mut found);
        factors
    });
    if let Some(edges) = arrays.find("bin_edges") {
        for bin in 0..10 {
            let (from, to) = (edges.values[bin], edges.values[bin + 1]);
            let inside = |at: usize| {
                let size = weights[at].abs();
                from <= size && (size < to || bin == 9 && size <= to)
            };
            let name = |what: &str| format!("{what} of bin {bin}");
            if let Some(recorded) = arrays.find("rejuv_bin_fraction") {
                let own = pick(&replaced, inside);
                share(&name("rejuv_bin_fraction"), &own, recorded.values[bin], &mut found);
            }
            if let Some(factors) = &factors {
                let own = pick(factors, inside);
                mean(&name("volume_bin_mean"), &own, arrays.get("volume_bin_mean").values[bin], &mut found);
                spread(&name("volume_bin_std"), &own, arrays.get("volume_bin_std").values[bin], &mut found);
            }
            if let Some(recorded) = arrays.find("after_bin_std") {
                spread(&name("after_bin_std"), &pick(&later, inside), recorded.values[bin], &mut found);
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// An even grid around the shift, rounded to f32.
fn weights(case: &Case) -> Vec<f64> {
    let count = case.count("n");
    assert_eq!(count, SHAPE.0 * SHAPE.1, "{}", case.id());
    let shift = case.maybe("shift").unwrap_or(0.0);
    let one = |at: usize| f64::from((-0.5 + (at as f64 + 0.5) / count as f64 + shift) as f32);
    (0..count).map(one).collect()
}

fn centred(case: &Case) -> bool {
    case.system() != "bio004" && case.maybe("shift").is_none()
}

fn pick(values: &[f64], inside: impl Fn(usize) -> bool) -> Vec<f64> {
    (0..values.len()).filter(|&at| inside(at)).map(|at| values[at]).collect()
}

/// A layer in the engine, with its weights.
fn group(text: &str, weights: &[f64], params: &[(&str, Option<f64>)]) -> (Engine, aplysia::GroupId) {
    let rule = Rule::from_source("case.rule", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let weights = Array2::from_shape_vec(SHAPE, weights.to_vec()).expect("the layer's shape");
    let mut group = Group::dense(SHAPE.0, SHAPE.1).rule(&rule).seed(11).init("w", weights);
    for (name, value) in params {
        if let Some(value) = value {
            group = group.param(*name, *value);
        }
    }
    let mut engine = Engine::new(Device::cpu()).expect("an engine");
    let id = engine.register(group).unwrap_or_else(|error| panic!("{error}"));
    (engine, id)
}

fn values(engine: &mut Engine, group: aplysia::GroupId, name: &str) -> Vec<f64> {
    engine.read::<f32>(group, name).expect("a variable").iter().map(|&value| value.into()).collect()
}

/// The first rates, and those after the updates: one, or as many as a temporal trajectory has steps.
fn rates(case: &Case, distribution: &str, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let dynamic = if case.flag("fuzzy_lr_dynamic") == Some(true) { "yes" } else { "no" };
    let text = format!(
        "use std::fuzzy_lr;\nrule case = fuzzy_lr(distribution = {distribution}, dynamic = {dynamic});\n"
    );
    let params = [
        ("nu", case.maybe("fuzzy_learning_rate_factor_nu")),
        ("lowest", Some(case.maybe("fuzzy_lr_min").unwrap_or(f64::NEG_INFINITY))),
        ("highest", Some(case.maybe("fuzzy_lr_max").unwrap_or(f64::INFINITY))),
        ("decay", case.maybe("fuzzy_lr_decay")),
        ("period", case.maybe("fuzzy_lr_update_freq")),
        ("layer", case.maybe("fuzzy_lr_layer_index")),
        ("layers", case.maybe("fuzzy_lr_total_layers")),
    ];
    let (mut engine, group) = group(&text, weights, &params);
    let first = values(&mut engine, group, "eta");
    // As many calls as the trajectories of this distribution have.
    let calls = if distribution == "temporal" { 45 } else { 1 };
    for _ in 0..calls {
        engine.call(group, "update_rates").expect("the rule's call");
        engine.step(&[]).expect("a step");
    }
    let later = values(&mut engine, group, "eta");
    (first, later)
}

fn rejuvenated(case: &Case, weights: &[f64]) -> Vec<f64> {
    let rule = if case.system() == "bio004" { "rejuvenate" } else { "rejuvenate_lognormal" };
    let text = format!("use std::{rule};\nrule case = {rule};\n");
    let (mut engine, group) = group(&text, weights, &[("dre", case.maybe("rejuvenation_parameter_dre"))]);
    engine.call(group, "rejuvenate").expect("the rule's call");
    values(&mut engine, group, "w")
}

/// The factors on proposals of 1.
fn volume(case: &Case, weights: &[f64]) -> Vec<f64> {
    let text = format!(
        "use std::volume_lr;\nrule one {{ plastic w; update {{ dw += 1; }} }}\n{}rule case = one + volume_lr + seen;\n",
        super::plan::SEEN
    );
    let params = [
        ("base_lr", case.maybe("base_lr")),
        ("stability", case.maybe("stability_factor")),
        ("variability", case.maybe("lr_variability")),
    ];
    let (mut engine, group) = group(&text, weights, &params);
    engine.step(&[]).expect("a step");
    values(&mut engine, group, "seen.proposed")
}

/// Mean, standard deviation (of n), smallest, largest and quantiles.
fn sampled(name: &str, sample: &[f64], recorded: &[f64], found: &mut Vec<String>) {
    mean(name, sample, recorded[0], found);
    let (least, most) = (recorded[2], recorded[3]);
    spread(name, sample, recorded[1], found);
    for (&probability, &quantile) in QUANTILES.iter().zip(&recorded[4..]) {
        let part = |holds: &dyn Fn(f64) -> bool| {
            sample.iter().filter(|&&value| holds(value)).count() as f64 / sample.len() as f64
        };
        let (below, up_to) = (part(&|value| value < quantile), part(&|value| value <= quantile));
        let limit = ERRORS * (2.0 * probability * (1.0 - probability) / sample.len() as f64).sqrt();
        if below > probability + limit || up_to < probability - limit {
            found.push(format!(
                "{name}: {below} .. {up_to} of the sample lie below {quantile}, not {probability} ± {limit}"
            ));
        }
    }
    // The ends: within the outermost quantiles, and not further out than these are far from the recorded ends.
    let (first, last) = (recorded[4], recorded[12]);
    let own = |better: fn(f64, f64) -> f64| sample.iter().copied().reduce(better).unwrap_or(f64::NAN);
    let ends = [(own(f64::min), 2.0 * least - first, first), (own(f64::max), last, 2.0 * most - last)];
    for (end, from, to) in ends {
        if !(from..=to).contains(&end) {
            found.push(format!("{name}: an end at {end}, not in {from} .. {to}"));
        }
    }
}

fn moments(sample: &[f64]) -> (f64, f64) {
    let count = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / count;
    let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn mean(name: &str, sample: &[f64], recorded: f64, found: &mut Vec<String>) {
    let (own, deviation) = moments(sample);
    let limit = ERRORS * (2.0 / sample.len() as f64).sqrt() * deviation;
    if is_beyond(own - recorded, limit) {
        found.push(format!("{name}: a mean of {own}, not {recorded} ± {limit}"));
    }
}

/// Whether a difference is larger than the limit, or no number.
fn is_beyond(difference: f64, limit: f64) -> bool {
    difference.is_nan() || difference.abs() > limit
}

/// The variance of a sample's variance is made of its fourth moment.
fn spread(name: &str, sample: &[f64], recorded: f64, found: &mut Vec<String>) {
    let (own_mean, own) = moments(sample);
    let count = sample.len() as f64;
    let fourth = sample.iter().map(|value| (value - own_mean).powi(4)).sum::<f64>() / count;
    let error = if own == 0.0 { 0.0 } else { ((fourth - own.powi(4)) / count).sqrt() / (2.0 * own) };
    let limit = ERRORS * 2f64.sqrt() * error + 1.0 / count * own;
    if is_beyond(own - recorded, limit) {
        found.push(format!("{name}: a standard deviation of {own}, not {recorded} ± {limit}"));
    }
}

fn share(name: &str, sample: &[f64], recorded: f64, found: &mut Vec<String>) {
    let (own, _) = moments(sample);
    let count = sample.len() as f64;
    // Where hardly any or nearly all are, the error is that of a count of a few.
    let variance = (recorded * (1.0 - recorded)).max(1.0 / count);
    let limit = ERRORS * (2.0 * variance / count).sqrt();
    if is_beyond(own - recorded, limit) {
        found.push(format!("{name}: a share of {own}, not {recorded} ± {limit}"));
    }
}
