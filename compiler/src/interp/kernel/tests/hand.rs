//! The texts of `tests/in/kernel`.

use super::*;

macro_rules! text {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/in/kernel/", $name, ".kernel"))
    };
}

#[test]
fn a_replayed_row_applies_the_events_after_its_mark_and_stops_early() {
    let kernel = kernel(text!("replayed_rows"));
    let (n_pre, n_post, now) = (4usize, 3usize, 20i64);
    let touched = [2i32, 0, 3];
    let marks = [5i64, 0, 9, 20];
    // Neuron 1 has no event; neuron 2 has two that are not before `now`, of which one is looked at.
    let first = [0i32, 3, 3, 7];
    let steps = [4i32, 9, 12, 6, 10, 20, 22];
    let w = uneven(n_pre * n_post, 7);
    let (decay, amount) = (0.9f32, 0.1f32);

    let mut expected = w.clone();
    let mut looked_at = 0;
    for &row in &touched {
        for j in 0..n_post {
            let cell = &mut expected[row as usize * n_post + j];
            for &step in &steps[first[j] as usize..first[j + 1] as usize] {
                looked_at += 1;
                if i64::from(step) >= now {
                    break;
                }
                if i64::from(step) > marks[row as usize] {
                    *cell = cell.mul_add(decay, amount);
                }
            }
        }
    }

    let mut memory = [
        Array::I32(touched.to_vec()),
        Array::I64(marks.to_vec()),
        Array::I32(first.to_vec()),
        Array::I32(steps.to_vec()),
        Array::F32(w),
    ];
    let scalars = [3, 4, 3, 4, 7, now as u64, single(decay), single(amount)];
    let counters = launch(&kernel, &mut memory, &scalars, 2).expect("no fault");
    assert_eq!(singles(&memory[4]), expected);
    assert_eq!(memory[1], Array::I64(vec![20, 0, 20, 20]));
    assert_eq!(looked_at, 18, "three rows, three and three events");
    // One read and one write of each synapse of the touched rows.
    assert_eq!(counters.loads, [3, 3, 18, looked_at, 9]);
    assert_eq!(counters.stores, [0, 3, 0, 0, 9]);
}

#[test]
fn a_convolution_sums_the_pairs_of_each_weight_in_order() {
    let kernel = kernel(text!("conv_pairs"));
    let (n_out, n_in, width, post_length) = (2usize, 3usize, 4usize, 600usize);
    let pre_length = post_length + width - 1;
    let (x, y) = (uneven(n_in * pre_length, 1), uneven(n_out * post_length, 2));
    let w = uneven(n_out * n_in * width, 3);
    let eta = 0.01f32;

    let mut expected = w.clone();
    for out in 0..n_out {
        for channel in 0..n_in {
            for q in 0..width {
                let sum = |positions: Range<usize>| {
                    positions.fold(0.0f32, |sum, p| {
                        x[channel * pre_length + q + p].mul_add(y[out * post_length + p], sum)
                    })
                };
                let pairs = (sum(0..256) + sum(256..512)) + sum(512..600);
                let cell = &mut expected[(out * n_in + channel) * width + q];
                *cell = eta.mul_add(pairs, *cell);
            }
        }
    }

    let mut memory = [Array::F32(x), Array::F32(y), Array::F32(w)];
    let scalars = [2, 3, 4, pre_length as u64, 600, single(eta)];
    let counters = launch(&kernel, &mut memory, &scalars, 2).expect("no fault");
    assert_eq!(singles(&memory[2]), expected);
    assert_eq!(counters.loads, [24 * 600, 24 * 600, 24]);
    assert_eq!(counters.stores, [0, 0, 24]);
}

#[test]
fn a_tile_sums_the_batch_and_its_epilogue_reads_and_writes_each_weight_once() {
    let kernel = kernel(text!("batched_tile"));
    let (n_pre, n_post, n_batch) = (6usize, 5usize, 300usize);
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
    let (x, y) = (wide(uneven(n_batch * n_pre, 4)), wide(uneven(n_batch * n_post, 5)));
    let w = wide(uneven(n_pre * n_post, 6));
    let eta = 0.3f64;

    let mut expected = w.clone();
    for i in 0..n_pre {
        for j in 0..n_post {
            let sum = |batch: Range<usize>| {
                batch.fold(0.0f64, |sum, b| x[b * n_pre + i].mul_add(y[b * n_post + j], sum))
            };
            let cell = &mut expected[i * n_post + j];
            *cell = eta.mul_add(sum(0..256) + sum(256..300), *cell);
        }
    }

    let tile = Array::zeros(Type::F64, n_pre * n_post);
    let mut memory = [Array::F64(x), Array::F64(y), tile, Array::F64(w)];
    let scalars = [6, 5, 300, eta.to_bits()];
    let counters = launch(&kernel, &mut memory, &scalars, 2).expect("no fault");
    assert_eq!(memory[3], Array::F64(expected));
    // The columns are read once for each of the two tiles.
    assert_eq!(counters.loads, [6 * 300, 2 * 5 * 300, 30, 30]);
    assert_eq!(counters.stores, [0, 0, 30, 30]);
}

#[test]
fn a_delayed_spike_arrives_from_behind_the_head_of_the_ring() {
    let kernel = kernel(text!("delayed_arrival"));
    let (n_pre, n_post, slots, head) = (20usize, 3usize, 4usize, 1usize);
    let ring: Vec<u8> = (0..slots * n_pre).map(|k| u8::from(k * k % 7 < 3)).collect();
    let delay: Vec<i32> = (0..n_pre as i32).map(|i| i % 4).collect();
    let w = uneven(n_pre * n_post, 8);

    let mut expected = w.clone();
    let mut arrived = 0;
    for i in 0..n_pre {
        let slot = (head + slots - delay[i] as usize) % slots;
        if ring[slot * n_pre + i] != 0 {
            arrived += 1;
            expected[i * n_post..(i + 1) * n_post].iter_mut().for_each(|cell| *cell += 0.25);
        }
    }
    assert!(arrived > 0 && arrived < n_pre as u64, "some arrive and some do not");

    let mut memory = [Array::Bool(ring), Array::I32(delay), Array::F32(w)];
    let scalars = [20, 3, 4, 1, single(0.25)];
    let counters = launch(&kernel, &mut memory, &scalars, 2).expect("no fault");
    assert_eq!(singles(&memory[2]), expected);
    assert_eq!(counters.loads, [20, 20, 3 * arrived]);
    assert_eq!(counters.stores, [0, 0, 3 * arrived]);
}

#[test]
fn a_rejection_draw_stops_at_the_first_candidate_that_passes() {
    let kernel = kernel(text!("rejection_draw"));
    let (n_post, tries) = (11usize, 5usize);
    let candidates = uneven(n_post * tries, 9);
    let threshold = -3.0f32;
    let (mut drawn, mut attempts) = (Vec::new(), Vec::new());
    for row in candidates.chunks(tries) {
        let count = row.iter().position(|&candidate| candidate < threshold).map_or(tries, |place| place + 1);
        drawn.push(row[count - 1]);
        attempts.push(count as i32);
    }
    assert!(attempts.iter().any(|&count| count < 5) && attempts.contains(&5), "both ends of the loop occur");

    let loaded = attempts.iter().map(|&count| count as u64).sum();
    let mut memory = [Array::F32(candidates), Array::zeros(Type::F32, 11), Array::zeros(Type::I32, 11)];
    let counters = launch(&kernel, &mut memory, &[11, 5, single(threshold)], 2).expect("no fault");
    assert_eq!(memory[1], Array::F32(drawn));
    assert_eq!(memory[2], Array::I32(attempts));
    assert_eq!(counters.loads, [loaded, 0, 0]);

    // Without a single try the carried values are those before the loop.
    let mut memory = [Array::F32(vec![]), Array::zeros(Type::F32, 11), Array::zeros(Type::I32, 11)];
    launch(&kernel, &mut memory, &[11, 0, single(threshold)], 2).expect("no fault");
    assert_eq!(memory[1], Array::F32(vec![f32::INFINITY; 11]));
}

/// Neighbours, level by level, in another way than the interpreter: the left part is the largest power of two.
fn neighbours(terms: &[f32]) -> f32 {
    match terms {
        [] => 0.0,
        [one] => *one,
        _ => {
            let left = terms.len().next_power_of_two() / 2;
            neighbours(&terms[..left]) + neighbours(&terms[left..])
        }
    }
}

#[test]
fn every_reduction_has_its_order() {
    let kernel = kernel(text!("ordered_sums"));
    for n in [0usize, 1, 2, 31, 32, 33, 255, 256, 257, 700, 1500] {
        let (x, y) = (uneven(n, 10), uneven(n, 11));
        let gate: Vec<u8> = (0..n).map(|i| u8::from(i % 3 != 1)).collect();
        let held: Vec<usize> = (0..n).filter(|&i| gate[i] != 0).collect();

        let block = |first: usize| {
            let inside = held.iter().filter(|&&i| i / 256 == first);
            inside.fold(0.0f32, |sum, &i| x[i].mul_add(y[i], sum))
        };
        let products = neighbours(&(0..n.div_ceil(256)).map(block).collect::<Vec<_>>());
        let lane = |l: usize| x.iter().skip(l).step_by(32).fold(0.0f32, |sum, x| sum + x);
        let mut lanes: Vec<f32> = (0..32).map(lane).collect();
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes.iter_mut().zip(upper).for_each(|(low, high)| *low += high);
        }
        let least = held.iter().map(|&i| x[i]).fold(f32::INFINITY, f32::min);
        let most = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let expected = vec![products, lanes[0], neighbours(&x), least, most];

        let (out, active) = (Array::zeros(Type::F32, 5), Array::zeros(Type::I64, 1));
        let mut memory = [Array::F32(x), Array::F32(y), Array::Bool(gate), out, active];
        launch(&kernel, &mut memory, &[n as u64], 1).expect("no fault");
        assert_eq!(memory[3], Array::F32(expected), "{n} terms");
        assert_eq!(memory[4], Array::I64(vec![held.len() as i64]), "{n} terms");
    }
}

#[test]
fn stored_terms_have_the_order_of_their_row() {
    let kernel = kernel(text!("stored_sums"));
    for (n, every) in
        [(0usize, 1usize), (1, 1), (33, 2), (255, 3), (257, 256), (700, 1), (700, 5), (1500, 300), (2100, 7)]
    {
        let (row, y) = (uneven(n, 20), uneven(n, 21));
        let gate: Vec<u8> = (0..n).map(|j| u8::from(j % 4 != 1)).collect();
        // A whole block in the middle has no term.
        let stored: Vec<usize> = (0..n).filter(|j| j % every == every / 2 && j / 256 != 1).collect();
        let held: Vec<usize> = stored.iter().copied().filter(|&j| gate[j] != 0).collect();

        let block = |first: usize| {
            let inside = held.iter().filter(|&&j| j / 256 == first);
            inside.fold(0.0f32, |sum, &j| row[j].mul_add(y[j], sum))
        };
        let products = neighbours(&(0..n.div_ceil(256)).map(block).collect::<Vec<_>>());
        let lane = |l: usize| held.iter().filter(|&&j| j % 32 == l).fold(0.0f32, |sum, &j| sum + row[j]);
        let mut lanes: Vec<f32> = (0..32).map(lane).collect();
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes.iter_mut().zip(upper).for_each(|(low, high)| *low += high);
        }
        let least = stored.iter().map(|&j| row[j]).fold(f32::INFINITY, f32::min);
        let expected = vec![products, lanes[0], least, held.len() as f32];

        let column: Vec<i32> = stored.iter().map(|&j| j as i32).collect();
        let w = stored.iter().map(|&j| row[j]).collect();
        let out = Array::zeros(Type::F32, 4);
        let mut memory = [Array::I32(column), Array::F32(w), Array::F32(y), Array::Bool(gate), out];
        let scalars = [n as u64, stored.len() as u64];
        launch(&kernel, &mut memory, &scalars, 1).expect("no fault");
        assert_eq!(memory[4], Array::F32(expected), "every {every} of {n}");
    }
}

#[test]
fn places_that_do_not_ascend_in_their_row_fault() {
    let kernel = kernel(text!("stored_sums"));
    let fault = |columns: &[i32]| {
        let w = Array::F32(vec![1.0; columns.len()]);
        let (y, gate, out) = (Array::F32(vec![1.0; 9]), Array::Bool(vec![1; 9]), Array::zeros(Type::F32, 4));
        let mut memory = [Array::I32(columns.to_vec()), w, y, gate, out];
        launch(&kernel, &mut memory, &[8, columns.len() as u64], 1).err().map(|fault| fault.to_string())
    };
    assert_eq!(fault(&[0, 3, 7]), None);
    let place = |text: &str| Some(format!("kernel `stored_sums`: a term of a reduction is at {text}"));
    assert_eq!(fault(&[3, 2]), place("2, after one at 3 (-1: none), in a row of 8"));
    assert_eq!(fault(&[3, 3]), place("3, after one at 3 (-1: none), in a row of 8"));
    assert_eq!(fault(&[8]), place("8, after one at -1 (-1: none), in a row of 8"));
}

#[test]
fn active_columns_leave_out_the_active_rows() {
    let kernel = kernel(text!("inactive_rows"));
    let (n_pre, n_post) = (9usize, 6usize);
    let columns = [1i32, 4];
    let active: Vec<u8> = (0..n_pre).map(|i| u8::from(i % 4 == 0)).collect();
    let (x, w) = (uneven(n_pre, 12), uneven(n_pre * n_post, 13));
    let mut expected = w.clone();
    for i in (0..n_pre).filter(|&i| active[i] == 0) {
        for &column in &columns {
            expected[i * n_post + column as usize] += 0.5 * x[i];
        }
    }
    let mut memory = [Array::I32(columns.to_vec()), Array::Bool(active), Array::F32(x), Array::F32(w)];
    let counters = launch(&kernel, &mut memory, &[2, 9, 6, single(0.5)], 2).expect("no fault");
    assert_eq!(singles(&memory[3]), expected);
    assert_eq!(counters.loads, [2, 18, 12, 12]);
    assert_eq!(counters.stores, [0, 0, 0, 12]);
}

#[test]
fn a_kernel_that_is_not_expanded_faults() {
    let kernel = kernel(text!("random_draw"));
    assert!(!validate(&kernel).expect("a valid kernel").expanded);
    let fault = launch(&kernel, &mut [Array::zeros(Type::F32, 2)], &[2, 1, 0], 2).expect_err("a fault");
    assert!(fault.to_string().contains("`expand`"), "{fault}");
}
