//! Trajectories that published packages have made; `tests/golden/README.md` says how.

use std::fs::File;
use std::path::Path;

use aplysia::prelude::*;
use ndarray::{ArrayD, Axis};
use ndarray_npy::{NpzReader, ReadableElement};

use super::{Bench, near, which};

/// An array of a file.
pub fn array<T: ReadableElement>(file: &str, name: &str) -> ArrayD<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{file}.npz"));
    let mut reader = NpzReader::new(File::open(&path).unwrap()).unwrap();
    reader
        .by_name(name)
        .or_else(|_| reader.by_name(&format!("{name}.npy")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Row `step` of an array, in row-major order.
pub fn row(array: &ArrayD<f32>, step: usize) -> Vec<f64> {
    array.index_axis(Axis(0), step).iter().map(|&value| f64::from(value)).collect()
}

/// The same, as an array of the shape of one row.
fn start(array: &ArrayD<f32>) -> ArrayD<f32> {
    array.index_axis(Axis(0), 0).to_owned()
}

fn spikes(array: &ArrayD<u8>, step: usize) -> Vec<u32> {
    let row = array.index_axis(Axis(0), step);
    which(row.len(), |neuron| row[neuron] != 0)
}

/// All values within so many units of 2^-24 (half a unit in the last place of 1).
#[track_caller]
fn same(found: &[f64], expected: &[f64], units: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        near(*found, *expected, units * largest * 2f64.powi(-24), what);
    }
}

/// bio_transformations 0.0.4, volume_dependent_lr, with its normal draws in the place of ours. Their exponential is not
/// ours, so the last bit may differ.
pub fn volume_lr_given_draws() {
    let file = "bio004_volume_dependent_lr_linear";
    let (weights, gradients, draws) =
        (array::<f32>(file, "weights"), array(file, "grad_in"), array::<f32>(file, "z"));
    let text = "use std::volume_lr; rule descend { plastic w; synapse input grad; update { dw -= grad; } }
                rule both = descend + volume_lr;";
    let rule = Rule::from_source("both", text).unwrap();
    let group = Group::dense(5, 7).rule(&rule).init("w", start(&weights)).draw("volume_lr.z", start(&draws));
    let mut bench = Bench::new(group);
    for step in 0..gradients.len_of(Axis(0)) {
        let draw = bench.engine.draw(bench.group, "volume_lr.z").unwrap();
        bench.engine.set_draw(draw, draws.index_axis(Axis(0), step)).unwrap();
        bench.input("grad", &row(&gradients, step));
        bench.step(&[], &[]);
        same(&bench.values("w"), &row(&weights, step + 1), 4.0, &format!("w after step {step}"));
    }
}

/// bio_transformations 0.0.4: crystallize, then fuzzy_learning_rates, then a step of gradient descent.
pub fn crystallize_published() {
    let file = "bio004_crystallize_linear";
    let (weights, rates, gradients) =
        (array::<f32>(file, "weights"), array::<f32>(file, "fuzzy"), array(file, "grad_in"));
    let text = "use std::crystallize; use std::fuzzy_lr; use std::sgd;
                rule descend { plastic w; synapse input grad; update { dw -= grad; } }
                rule all = descend + fuzzy_lr + crystallize + sgd;";
    let rule = Rule::from_source("all", text).unwrap();
    let group = Group::dense(5, 7).rule(&rule).init("w", start(&weights)).init("fuzzy_lr.eta", start(&rates));
    let mut bench = Bench::new(group.param("threshold", 0.005).param("dampening", 0.6).param("sgd.eta", 0.1));
    for step in 0..gradients.len_of(Axis(0)) {
        bench.input("grad", &row(&gradients, step));
        bench.engine.call(bench.group, "crystallize").unwrap();
        bench.step(&[], &[]);
        same(&bench.values("fuzzy_lr.eta"), &row(&rates, step + 1), 0.0, &format!("rates after step {step}"));
        same(&bench.values("w"), &row(&weights, step + 1), 2.0, &format!("w after step {step}"));
    }
    assert_ne!(row(&rates, 0), row(&rates, 6), "no synapse has been crystallized");
}

/// bio_transformations 0.0.4, rejuvenate_weights, with its draws in the place of ours.
pub fn rejuvenate_published() {
    let file = "bio004_rejuvenate_weights_linear";
    let (weights, normal, uniform) =
        (array::<f32>(file, "weights"), array::<f32>(file, "z"), array::<f32>(file, "uniform"));
    let group = Group::dense(5, 7).rule(&Rule::shipped("rejuvenate").unwrap()).param("dre", 4.0);
    let group = group.draw("z", start(&normal)).draw("u", start(&uniform)).init("w", start(&weights));
    let mut bench = Bench::new(group);
    for call in 0..normal.len_of(Axis(0)) {
        let [z, u] = ["z", "u"].map(|name| bench.engine.draw(bench.group, name).unwrap());
        bench.engine.set_draw(z, normal.index_axis(Axis(0), call)).unwrap();
        bench.engine.set_draw(u, uniform.index_axis(Axis(0), call)).unwrap();
        bench.engine.call(bench.group, "rejuvenate").unwrap();
        same(&bench.values("w"), &row(&weights, call + 1), 0.0, &format!("w after call {call}"));
    }
}

/// bio_transformations 0.0.4: signs at creation, then enforce_dales_principle after every change. Its signs belong to
/// output rows, which stand as presynaptic neurons here.
pub fn dale_published() {
    let file = "bio004_dale_linear";
    let (weights, deltas) = (array::<f32>(file, "weights"), array::<f32>(file, "delta"));
    let (before, sign) = (array::<f32>(file, "weights_before"), array::<f32>(file, "sign"));
    let text = "use std::dale; rule shift { plastic w; synapse input delta; update { dw += delta; } }
                rule both = shift + dale;";
    let rule = Rule::from_source("both", text).unwrap();
    let polarity: Vec<f32> = sign.iter().copied().collect();
    let mut bench = Bench::new(Group::dense(5, 7).rule(&rule).init("w", &before).init("polarity", polarity));
    same(&bench.values("w"), &row(&weights, 0), 0.0, "w after creation");
    for step in 0..deltas.len_of(Axis(0)) {
        bench.input("delta", &row(&deltas, step));
        bench.step(&[], &[]);
        same(&bench.values("w"), &row(&weights, step + 1), 0.0, &format!("w after step {step}"));
    }
}

/// CoNeX, SimpleRSTDP without bounds: weights and eligibility traces, to the bit.
pub fn conex_rstdp_trajectory() {
    let file = "conex_SimpleRSTDP_nobound";
    let (weights, trace) = (array::<f32>(file, "weights"), array::<f32>(file, "c"));
    let (pre_trace, post_trace) = (array::<f32>(file, "pre_trace"), array::<f32>(file, "post_trace"));
    let (pre, post) = (array::<u8>(file, "pre_raster"), array::<u8>(file, "post_raster"));
    let dopamine = array::<f32>(file, "dopamine");
    let group = Group::dense(7, 5).rule(&Rule::shipped("conex_rstdp").unwrap()).init("w", start(&weights));
    let mut bench = Bench::new(group.param("a_plus", 0.01).param("a_minus", 0.012).param("tau_c", 20.0));
    for step in 0..pre.len_of(Axis(0)) {
        bench.input("pre_trace", &row(&pre_trace, step));
        bench.input("post_trace", &row(&post_trace, step));
        bench.input("dopamine", &row(&dopamine, step));
        bench.step(&spikes(&pre, step), &spikes(&post, step));
        same(&bench.values("c"), &row(&trace, step + 1), 0.0, &format!("c after step {step}"));
        same(&bench.values("w"), &row(&weights, step + 1), 0.0, &format!("w after step {step}"));
    }
}

/// CoNeX, SimpleiSTDP with alpha given.
pub fn conex_istdp_trajectory() {
    let file = "conex_SimpleiSTDP_alpha";
    let weights = array::<f32>(file, "weights");
    let (pre_trace, post_trace) = (array::<f32>(file, "pre_trace"), array::<f32>(file, "post_trace"));
    let (pre, post) = (array::<u8>(file, "pre_raster"), array::<u8>(file, "post_raster"));
    let group = Group::dense(7, 5).rule(&Rule::shipped("conex_istdp").unwrap()).init("w", start(&weights));
    let mut bench = Bench::new(group.param("lr", 0.02).param("alpha", 0.3));
    for step in 0..pre.len_of(Axis(0)) {
        bench.input("pre_trace", &row(&pre_trace, step));
        bench.input("post_trace", &row(&post_trace, step));
        bench.step(&spikes(&pre, step), &spikes(&post, step));
        same(&bench.values("w"), &row(&weights, step + 1), 0.0, &format!("w after step {step}"));
    }
}
