//! Rate-based rules.

use aplysia::prelude::*;

use super::{Bench, Random, near};

/// The weights turn to the first principal component of their inputs, with length 1 (Oja 1982, theorem; the spread around
/// it is of the order of the root of eta).
pub fn oja_principal_component() {
    const N: usize = 8;
    let deviations = [2.0, 1.1, 1.0, 0.8, 0.7, 0.6, 0.5, 0.4];
    // The principal components are the columns of a reflection, I - 2 v v'.
    let mut v: [f64; N] = std::array::from_fn(|k| 1.0 + (k as f64 * 1.7).sin());
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
    let component = |k: usize, i: usize| f64::from(u8::from(i == k)) - 2.0 * v[k] * v[i];
    let mut bench = Bench::new(Bench::shipped("oja", N, 3).param("eta", 3e-4).seed(1));
    let mut random = Random(1);
    for _ in 0..40_000 {
        let strength: [f64; N] = std::array::from_fn(|k| deviations[k] * random.normal());
        let x: [f64; N] = std::array::from_fn(|i| (0..N).map(|k| strength[k] * component(k, i)).sum());
        bench.input("x", &x);
        bench.step(&[], &[]);
    }
    let w = bench.values("w");
    for j in 0..3 {
        let column: Vec<f64> = (0..N).map(|i| w[i * 3 + j]).collect();
        let length = column.iter().map(|x| x * x).sum::<f64>().sqrt();
        let cosine = (0..N).map(|i| column[i] * component(0, i)).sum::<f64>().abs() / length;
        near(length, 1.0, 0.02, "the length of the weights");
        near(cosine, 1.0, 0.002, "the cosine to the first principal component");
    }
}

/// Of two patterns that come equally often, a neuron chooses one: its response tends to 2 there, the inverse of the
/// probability, and to 0 at the other (Intrator & Cooper 1992, section 4).
pub fn bcm_selectivity() {
    let patterns = [[1.0, 0.3], [0.3, 1.0]];
    let post = 6;
    let mut bench = Bench::new(Bench::shipped("bcm", 2, post).param("tau_w", 2.0).seed(2));
    let mut random = Random(2);
    for _ in 0..80_000 {
        bench.input("x", &patterns[usize::from(random.uniform() < 0.5)]);
        bench.step(&[], &[]);
    }
    let w = bench.values("w");
    for j in 0..post {
        let response = |x: [f64; 2]| (x[0] * w[j] + x[1] * w[post + j]).max(0.0);
        let [first, second] = patterns.map(response);
        near(first.max(second), 2.0, 0.1, "the response to the chosen pattern");
        near(first.min(second), 0.0, 0.1, "the response to the other pattern");
    }
}

/// One step is the product of the activities, bounded; the bias follows the postsynaptic activity; weights are clipped
/// (ngc-learn, HebbianSynapse, ascending).
pub fn hebbian_product() {
    let group = Bench::shipped("hebbian", 2, 2).param("pre_wght", 0.5).param("post_wght", 2.0);
    let group = group.init("w", ndarray::arr2(&[[0.2, -0.4], [0.9, 0.0]])).init("b", vec![0.1, 0.2]);
    let mut bench = Bench::new(group);
    let (z_pre, z_post) = ([0.3, 3.0], [0.25, -0.5]);
    bench.input("z_pre", &z_pre);
    bench.input("z_post", &z_post);
    bench.step(&[], &[]);
    let start: [f64; 4] = [0.2, -0.4, 0.9, 0.0];
    for (index, found) in bench.values("w").into_iter().enumerate() {
        let h = 0.5 * z_pre[index / 2] * 2.0 * z_post[index % 2];
        let expected = start[index] + h * (1.0 - start[index].abs());
        near(found, expected.clamp(-1.0, 1.0), 1e-15, "w");
    }
    for (index, found) in bench.values("b").into_iter().enumerate() {
        near(found, [0.1, 0.2][index] + 2.0 * z_post[index], 1e-15, "b");
    }
}

/// On a convolution the product is summed over positions, and there is one bias for each output channel: compared with
/// plain loops, for a batch, with stride and padding.
pub fn hebbian_convolution() {
    const B: usize = 3;
    let [inputs, outputs, kernel, side, out] = [2usize, 3, 3, 5, 3];
    let shape = Conv2d::new([inputs, side, side], outputs, [kernel, kernel]).stride(2).padding(1);
    let group = Group::conv2d(shape).unwrap().batch(B).precision(Precision::F64);
    let mut bench = Bench::new(group.rule(&Rule::shipped("hebbian").unwrap()).param("w_bound", 0.0));
    let mut random = Random(5);
    let x: Vec<f64> = (0..B * inputs * side * side).map(|_| random.normal()).collect();
    let y: Vec<f64> = (0..B * outputs * out * out).map(|_| random.normal()).collect();
    bench.input("z_pre", &x);
    bench.input("z_post", &y);
    bench.step(&[], &[]);
    let post =
        |b: usize, o: usize, row: usize, column: usize| y[((b * outputs + o) * out + row) * out + column];
    let pre = |b: usize, i: usize, row: usize, column: usize| {
        let inside = (1..=side).contains(&row) && (1..=side).contains(&column);
        if inside { x[((b * inputs + i) * side + row - 1) * side + column - 1] } else { 0.0 }
    };
    let places = || (0..B).flat_map(|b| (0..out * out).map(move |at| (b, at / out, at % out)));
    let w = bench.values("w");
    for (index, found) in w.iter().enumerate() {
        let (o, rest) = (index / (inputs * kernel * kernel), index % (inputs * kernel * kernel));
        let (i, down, right) = (rest / (kernel * kernel), rest / kernel % kernel, rest % kernel);
        let product = |(b, row, column): (usize, usize, usize)| {
            pre(b, i, 2 * row + down, 2 * column + right) * post(b, o, row, column)
        };
        near(*found, places().map(product).sum(), 1e-12, "w");
    }
    for (o, found) in bench.values("b").into_iter().enumerate() {
        near(found, places().map(|(b, row, column)| post(b, o, row, column)).sum(), 1e-12, "b");
    }
}
