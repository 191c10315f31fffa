//! Virtual rows in a few lines of ordinary code, against the recurrence itself: the mathematics of the module's
//! documentation without any compiler around it.

use super::LONGEST_BLOCK;

/// Two states, of which the second reads the first: c' = a c + x b, w' = w + m c'.
#[derive(Clone, Copy)]
struct Step {
    matrix: [[f64; 2]; 2],
    input: [f64; 2],
}

/// A number in [0, 1) that depends on two counters.
fn noise(a: u64, b: u64) -> f64 {
    let mut z = a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 30)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z = (z ^ (z >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (z >> 40) as f64 / (1u64 << 24) as f64
}

/// What happens in a step: a gain that differs from step to step, and now and then a postsynaptic spike.
fn step(t: u64) -> Step {
    let gain = noise(t, 1) - 0.3;
    let input = if noise(t, 2) < 0.1 { 0.01 * (1.0 + noise(t, 3)) } else { 0.0 };
    Step { matrix: [[0.995, 0.0], [gain * 0.995, 1.0]], input: [input, gain * input] }
}

fn apply(matrix: &[[f64; 2]; 2], v: [f64; 2]) -> [f64; 2] {
    [0, 1].map(|row| matrix[row][0] * v[0] + matrix[row][1] * v[1])
}

/// The length of a block for a decay.
fn block(decay: f64) -> u64 {
    let steps = (100f64.ln() / decay.abs().ln().abs()).floor();
    steps.min(f64::from(LONGEST_BLOCK)).max(1.0) as u64
}

/// The largest error of a row that is touched now and then, over so many steps, in units of its largest value. What is kept
/// is rounded by `round`.
fn error(decay: f64, steps: u64, round: fn(f64) -> f64) -> f64 {
    let length = block(decay);
    let (mut factors, mut rows) = (vec![0.0; steps as usize + 1], vec![[0.0; 2]; steps as usize + 1]);
    let (mut exact, mut fast) = ([0.0, 0.5], [0.0, 0.5]);
    let (mut trace, mut kept, mut mark) = (0.0, 0.0, 0u64);
    let (mut largest, mut size) = (0f64, 0f64);
    for t in 1..=steps {
        let now = step(t);
        let starts = t.is_multiple_of(length) || t == 1;
        let before = t as usize - 1;
        factors[t as usize] = if starts { 1.0 } else { factors[before] * decay };
        let old = if starts { [0.0; 2] } else { rows[before] };
        let moved = apply(&now.matrix, old);
        rows[t as usize] = [0, 1].map(|state| round(moved[state] + factors[t as usize] * now.input[state]));
        // The row itself: the trace that stands at the start of the step.
        let moved = apply(&now.matrix, exact);
        exact = [0, 1].map(|state| moved[state] + trace * now.input[state]);
        trace *= decay;
        if noise(t, 4) < 0.02 || t == steps {
            let mut first = mark + 1;
            while first <= t {
                let start = ((first / length) * length).max(1);
                let end = ((first / length) * length + length - 1).min(t);
                let mut phi = [[1.0, 0.0], [0.0, 1.0]];
                for s in first..=end {
                    let columns =
                        [0, 1].map(|column| apply(&step(s).matrix, [phi[0][column], phi[1][column]]));
                    phi = [[columns[0][0], columns[1][0]], [columns[0][1], columns[1][1]]];
                }
                let scale = kept / factors[first as usize];
                let base = if start == first { [0.0; 2] } else { rows[first as usize - 1] };
                let (state, base) = (apply(&phi, fast), apply(&phi, base));
                fast = [0, 1].map(|k| round(state[k] + scale * (rows[end as usize][k] - base[k])));
                kept = scale * factors[end as usize] * decay;
                first = end + 1;
            }
            largest = (0..2).map(|k| (exact[k] - fast[k]).abs()).fold(largest, f64::max);
            size = (0..2).map(|k| exact[k].abs()).fold(size, f64::max);
            (trace, mark) = (trace + 1.0, t);
            kept = trace;
        }
    }
    largest / size
}

#[test]
fn virtual_rows_are_the_recurrence() {
    for decay in [0.95, 0.99, 0.999, 1.0, 0.5, 0.1, 0.005, 0.0, -0.7, 1.02] {
        let found = error(decay, if decay > 1.0 { 300 } else { 20_000 }, |value| value);
        assert!(found < 1e-13, "{decay}: {found:e}");
    }
}

#[test]
fn rounding_what_is_kept_is_no_more_than_rounding_the_weight() {
    // Some 400 times rounded to f32: 400 · 6e-8 if all errors had one sign.
    for decay in [0.95, 0.99, 0.5, 0.005] {
        let found = error(decay, 20_000, |value| f64::from(value as f32));
        assert!(found < 2e-5, "{decay}: {found:e}");
    }
}
