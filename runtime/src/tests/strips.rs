//! What compiled kernels leave to precompiled code: strips of draws and functions, tiles of products over the batch.

use super::devices;
use crate::{Device, Engine, Events, Group, Precision, Rule};

/// Runs a rule on every device; all weights have the same bits.
fn same_everywhere(text: &str, group: impl Fn(&Rule) -> Group, inputs: &[(&str, usize)]) {
    let rule = Rule::from_source("strips.rule", text).unwrap();
    for precision in [Precision::F32, Precision::F64] {
        let run = |device: Device| -> Vec<u64> {
            let mut engine = Engine::new(device).unwrap();
            let id = engine.register(group(&rule).precision(precision).seed(11)).unwrap();
            for &(name, length) in inputs {
                let values: Vec<f64> = (0..length).map(|k| (k * 37 % 101) as f64 * 0.019 - 0.93).collect();
                engine.set_input(id, name, values.as_slice()).unwrap();
            }
            for step in 0..3 {
                let spikes = [step];
                let events = match inputs {
                    [] => Events::new().pre(&spikes).post(&spikes),
                    _ => Events::new(),
                };
                engine.step(&[(id, events)]).unwrap();
            }
            match precision {
                Precision::F32 => {
                    engine.read::<f32>(id, "w").unwrap().iter().map(|w| u64::from(w.to_bits())).collect()
                }
                Precision::F64 => engine.read::<f64>(id, "w").unwrap().iter().map(|w| w.to_bits()).collect(),
            }
        };
        let mut all = devices().into_iter().map(run);
        let expected = all.next().unwrap();
        for found in all {
            assert!(found == expected, "{precision:?}: other bits");
        }
    }
}

/// Every distribution that strips are filled with, draws that lead to each other, every function; more columns than a
/// strip has, and a number that fills no vector.
const DRAWS: &str = "rule draws {
    plastic w = uniform(-1, 1);
    synapse state f = lognormal(0, 0.3);
    update {
        let z = normal[synapse](0, f);
        let noise = exp(-abs(z)) + sigmoid(w) + tanh(w * z);
        let rate = exponential[synapse](1 + exp(w));
        if bernoulli[synapse](0.4) { dw += 0.01 * noise * rate; } else { dw -= 0.01 * ln(1 + f * f); }
        f += 0.001 * (sin(w) + cos(z) + log1p(f * f) + expm1(0.1 * w) + log2(2 + z * z));
    }
    on pre { dw += 0.1 * normal[synapse](0, 1); }
}";

#[test]
fn strips_of_draws_and_functions_have_the_bits_of_the_kernels_own() {
    for (pre, post) in [(5, 300), (33, 7), (3, 256), (300, 65)] {
        same_everywhere(DRAWS, |rule| Group::dense(pre, post).rule(rule), &[]);
    }
}

/// Sums of rows and of columns beside draws, decided for a whole row.
#[test]
fn strips_stand_beside_sums() {
    let text = "rule sums {
        plastic w = normal(0, 0.5);
        post state r;
        pre state q;
        update {
            r += sum[pre](w);
            q += sum[post](exp(w));
            dw += 0.01 * normal[synapse](0, 1) * exp(-w * w) - 0.001 * mean[synapse](abs(w));
        }
    }";
    for (pre, post) in [(9, 270), (280, 30)] {
        same_everywhere(text, |rule| Group::dense(pre, post).rule(rule), &[]);
    }
}

/// One product and two of the same factor, with a draw on the tile.
#[test]
fn tiles_of_a_batch_have_the_bits_of_the_interpreter() {
    let text = "rule tiles {
        batch sum;
        plastic w in -1 .. 1 = uniform(-0.5, 0.5);
        pre input u;
        post input v;
        post input y;
        update {
            let h = sum[batch](u * v);
            let g = sum[batch](u * y);
            dw += 0.01 * h * (1 - abs(w)) - 0.002 * g * exp(-w * w) + 0.01 * normal[synapse](0, 1);
        }
    }";
    // Panels of the interpreter and of this processor differ; the last two are deep, one of several blocks of rows and columns.
    for (pre, post, batch) in [(37, 300, 3), (70, 31, 40), (8, 20, 270), (265, 290, 64)] {
        let inputs = [("u", pre * batch), ("v", post * batch), ("y", post * batch)];
        same_everywhere(text, |rule| Group::dense(pre, post).rule(rule).batch(batch), &inputs);
    }
}
