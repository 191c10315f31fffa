//! Which statement reads what, and when.

use super::*;
use crate::ir::print::print;

fn given(domain: Domain, steps: &[usize]) -> Given {
    Some((domain, steps.to_vec()))
}

/// The weights of a text after each step.
fn weights(text: &str, axonal: &Given, dendritic: &Given) -> Vec<Vec<f64>> {
    let mut machine = machine::<f32>(text, (PRE, POST), axonal, dendritic);
    let step = |step| {
        machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
        read(&mut machine, "w")
    };
    (1..=STEPS).map(step).collect()
}

#[test]
fn a_block_with_targets_of_both_kinds_is_split_and_keeps_its_order() {
    let both = Delays {
        axonal: Some(Delay { domain: Domain::Synapse, longest_ms: 20.0 }),
        dendritic: Some(Delay { domain: Domain::Post, longest_ms: 10.0 }),
    };
    let text = print(&with_delays(&rule(PAIR), &both).unwrap());
    let update = "        let %0: bool pre batched = pre.spike;
        let %0.delayed: bool synapse batched pair = past(%0, delay.axonal up to 20.0);
        if %0 {
            pair.x += real(1.0);
        }
        if %0.delayed {
            $0 = real(0.012) * pair.y;
            dw -= past($0, delay.dendritic up to 10.0);
        }
        let %1: bool post batched = post.spike;
        let %1.delayed: bool post batched = past(%1, delay.dendritic up to 10.0);
        if %1 {
            pair.y += real(1.0);
        }
        if %1.delayed {
            $0 = real(0.01) * pair.x;
            dw += past($0, delay.axonal up to 20.0);
        }
";
    assert!(text.contains(update), "{text}");
    let parameters = "    param delay.axonal: real synapse in units of ms in 0.0 .. 20.0 = 0.0;
    param delay.dendritic: real post in units of ms in 0.0 .. 10.0 = 0.0;
";
    assert!(text.contains(parameters), "{text}");
}

#[test]
fn a_let_stands_for_its_value() {
    let texts = [
        "plastic w; pre state x; post state y; param a = 0.5;
         update { x = 0.9 * x + pre.spike; y = 0.8 * y + post.spike;
                  dw += (a * x) * y - sum[pre](w * x) * 0.01 + max[post](0.1 * y) * w; }",
        "plastic w; pre state x; post state y; param a = 0.5;
         update { x = 0.9 * x + pre.spike; y = 0.8 * y + post.spike;
                  let u = a * x; let drive = sum[pre](w * x); let h = 0.1 * y; let top = max[post](h); let d = drive;
                  dw += u * y - d * 0.01 + top * w; }",
    ];
    let [inline, bound] = texts.map(|body| format!("rule r {{ {body} }}"));
    for (axonal, dendritic) in combinations() {
        if matches!(dendritic, Some((Domain::Synapse, _))) {
            continue;
        }
        let found = weights(&bound, &axonal, &dendritic);
        assert_eq!(found, weights(&inline, &axonal, &dendritic), "{axonal:?} {dendritic:?}");
        assert!(found[STEPS - 1].iter().all(|&w| w != 0.0));
    }
}

/// A postsynaptic neuron hears a weighted spike after the axonal delay, and what it computes by itself is not late.
#[test]
fn transmission_takes_the_axonal_delay_alone() {
    let text = "rule r {
        plastic w = 0.5;
        post output current; post state heard; post state fired;
        on pre { current += w; }
        on post { fired += 1; }
        update { heard += sum[pre](w * pre.spike); }
    }";
    let dendritic = given(Domain::Global, &[3]);
    for axonal in kinds(Domain::Pre) {
        let mut machine = machine::<f64>(text, (PRE, POST), &axonal, &dendritic);
        let mut heard = [0.0; POST];
        for step in 1..=STEPS {
            machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
            let current: Vec<f64> = (0..POST)
                .map(|j| {
                    let arrives = |i: &usize| shifted(PRE_TRAINS[*i], at(&axonal, *i, j), step);
                    0.5 * (0..PRE).filter(arrives).count() as f64
                })
                .collect();
            heard.iter_mut().zip(&current).for_each(|(heard, current)| *heard += current);
            let fired: Vec<f64> = POST_TRAINS
                .iter()
                .map(|train| train.iter().filter(|&&at| at <= step).count() as f64)
                .collect();
            assert_eq!(read(&mut machine, "current"), current, "{axonal:?}, step {step}");
            assert_eq!(read(&mut machine, "heard"), heard, "{axonal:?}, step {step}");
            assert_eq!(read(&mut machine, "fired"), fired, "step {step}");
        }
    }
}

/// A number of the group is not a neuron of either side: what it adds up is late. What a neuron adds up of its own side
/// is not.
#[test]
fn the_group_hears_late_and_a_neuron_hears_its_own_side_at_once() {
    let text = "rule r {
        plastic w; global state n: int; pre state own; post state other;
        update {
            n += count[pre](pre.spike);
            own = sum[pre](pre.spike);
            other = sum[pre](pre.spike);
        }
    }";
    for axonal in kinds(Domain::Pre).into_iter().take(3) {
        let mut machine = machine::<f64>(text, (PRE, POST), &axonal, &given(Domain::Post, &[1, 2, 3]));
        let mut total = 0;
        for step in 1..=STEPS {
            machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
            let now = spikes(&PRE_TRAINS, step).iter().filter(|&&spike| spike).count() as f64;
            let late = (0..PRE).filter(|&i| shifted(PRE_TRAINS[i], at(&axonal, i, 0), step)).count();
            total += late;
            assert_eq!(read(&mut machine, "n"), [total as f64], "{axonal:?}, step {step}");
            assert_eq!(read(&mut machine, "own"), [now; PRE], "{axonal:?}, step {step}");
            assert_eq!(read(&mut machine, "other"), [late as f64; POST], "{axonal:?}, step {step}");
        }
    }
}

/// `sum[pre](w * x)` is a value of the postsynaptic side: its terms come along axons, it itself along the dendrite.
#[test]
fn a_sum_over_synapses_is_late_inside_and_outside() {
    let text = "rule r {
        plastic w = 0.25; pre state x; batched synapse state seen; post state kept;
        update { x = pre.index + 1 + 10 * pre.spike; kept = sum[pre](w * x); seen = sum[pre](w * x); }
    }";
    let (axonal, dendritic) =
        (given(Domain::Synapse, &[0, 1, 4, 7, 2, 3]), given(Domain::Synapse, &[2, 6, 0, 1, 5, 8]));
    let mut machine = machine::<f64>(text, (PRE, POST), &axonal, &dendritic);
    let value =
        |i: usize, step: usize| (i + 1) as f64 + if PRE_TRAINS[i].contains(&step) { 10.0 } else { 0.0 };
    for step in 1..=STEPS {
        machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
        // Before the first step all is as at creation, where `x` is as written by no step.
        let sum =
            |j: usize, step: usize| -> f64 {
                (0..PRE)
                    .map(|i| {
                        if step > at(&axonal, i, j) { 0.25 * value(i, step - at(&axonal, i, j)) } else { 0.0 }
                    })
                    .sum()
            };
        let (seen, kept) = (read(&mut machine, "seen"), read(&mut machine, "kept"));
        for j in 0..POST {
            assert_eq!(kept[j], sum(j, step), "step {step}, neuron {j}");
            for i in 0..PRE {
                let late = at(&dendritic, i, j);
                let expected = if step > late { sum(j, step - late) } else { 0.0 };
                assert_eq!(seen[i * POST + j], expected, "step {step}, synapse ({i}, {j})");
            }
        }
    }
}

/// Parameters and indices are the same at all times, and constrain is about the present.
#[test]
fn what_only_the_host_changes_and_constrain_are_not_late() {
    let text = "rule r {
        plastic w in 0 .. 9 = 1;
        pre param gain = 1;
        post_channel state cap = 9;
        update { let strong = gain > 1.5; if strong { dw += gain * (1 + post.index); } }
        constrain { w = min(w, cap); }
    }";
    let late = |domain| Some(Delay { domain, longest_ms: 9.0 });
    let both = Delays { axonal: late(Domain::Pre), dendritic: late(Domain::Post) };
    let delayed = print(&with_delays(&rule(text), &both).unwrap());
    assert_eq!(delayed.matches("past(").count(), 0, "{delayed}");
}

/// A channel's value is as late as the latest of its neurons, so that it stays one for the channel.
#[test]
fn a_channel_is_as_late_as_its_latest_neuron() {
    let text = "rule r { plastic w; post state y; on post { y += 1; } update { dw += mean[position](y); } }";
    let late = |domain| Delays { axonal: None, dendritic: Some(Delay { domain, longest_ms: 9.0 }) };
    let found = print(&with_delays(&rule(text), &late(Domain::Post)).unwrap());
    assert!(found.contains("max[position](delay.dendritic) up to 9.0"), "{found}");
    let dendritic = given(Domain::Post, &[3, 0, 4]);
    let plain = text.replace("mean[position](y)", "y");
    assert_eq!(weights(text, &None, &dendritic), weights(&plain, &None, &dendritic));
}

/// A reduction over all synapses has no neuron's value in between, though it goes by rows.
#[test]
fn the_rows_of_a_reduction_over_synapses_are_no_values_of_neurons() {
    let text = "rule r {
        plastic w = 1; global state n: int; global state most;
        update { n += count[synapse](pre.spike && w > 0); most = max[synapse](w); dw += mean[synapse](w); }
    }";
    let late = Some(Delay { domain: Domain::Synapse, longest_ms: 9.0 });
    let delayed = print(&with_delays(&rule(text), &Delays { axonal: late, dendritic: late }).unwrap());
    assert_eq!(delayed.matches("past(").count(), 1, "{delayed}");
    let axonal = given(Domain::Synapse, &[0, 1, 4, 7, 2, 3]);
    let mut machine = machine::<f32>(text, (PRE, POST), &axonal, &None);
    let mut total = 0;
    for step in 1..=STEPS {
        machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
        let arrives = |synapse: &usize| {
            let (i, j) = (synapse / POST, synapse % POST);
            shifted(PRE_TRAINS[i], at(&axonal, i, j), step)
        };
        total += (0..PRE * POST).filter(arrives).count();
        assert_eq!(read(&mut machine, "n"), [total as f64], "step {step}");
    }
}
