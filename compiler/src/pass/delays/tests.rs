//! Delayed rules on the rule interpreter.

use super::*;
use crate::compose::find;
use crate::interp::rule::{RuleMachine, Topology};
use crate::library::{Library, NoImports, Settings};
use crate::math::Real;

mod reading;
mod refused;

const PRE: usize = 2;
const POST: usize = 3;
const STEPS: usize = 60;

fn rule(text: &str) -> Rule {
    let (library, found) = Library::load("test.rule", text, &NoImports);
    assert!(!found.has_errors(), "{text}\n{found:#?}");
    library.elaborate(None, &Settings::default()).unwrap_or_else(|found| panic!("{text}\n{found:#?}")).rule
}

/// A delay of a domain with its values in steps, or none.
type Given = Option<(Domain, Vec<usize>)>;

fn delays(axonal: &Given, dendritic: &Given) -> Delays {
    let delay = |given: &Given| given.as_ref().map(|(domain, _)| Delay { domain: *domain, longest_ms: 9.0 });
    Delays { axonal: delay(axonal), dendritic: delay(dendritic) }
}

/// A machine of steps of 1 ms whose delays are set.
fn machine<R: Real>(text: &str, size: (usize, usize), axonal: &Given, dendritic: &Given) -> RuleMachine<R> {
    let delayed =
        with_delays(&rule(text), &delays(axonal, dendritic)).unwrap_or_else(|found| panic!("{found:#?}"));
    let (pre, post) = size;
    let machine = RuleMachine::new(&delayed, Topology::Dense { pre, post }, 1, 1.0, 7);
    let mut machine = machine.unwrap_or_else(|refusal| panic!("{refusal}"));
    for (address, given) in [(AXONAL, axonal), (DENDRITIC, dendritic)] {
        if let Some((_, steps)) = given {
            let values: Vec<f64> = steps.iter().map(|&steps| steps as f64).collect();
            machine.set_parameter(find(&delayed, address).unwrap(), &values).unwrap();
        }
    }
    machine
}

fn read<R: Real>(machine: &mut RuleMachine<R>, name: &str) -> Vec<f64> {
    let variable = find(machine.rule(), name).unwrap();
    machine.read(variable).unwrap()
}

/// Nothing, one delay, one for each neuron of a side, and one for each synapse.
fn kinds(side: Domain) -> Vec<Given> {
    let neurons = if side == Domain::Pre { vec![2, 5] } else { vec![3, 0, 4] };
    let synapses = if side == Domain::Pre { vec![0, 1, 4, 7, 2, 3] } else { vec![2, 6, 0, 1, 5, 8] };
    vec![
        None,
        Some((Domain::Global, vec![if side == Domain::Pre { 4 } else { 3 }])),
        Some((side, neurons)),
        Some((Domain::Synapse, synapses)),
    ]
}

/// The delay of a synapse in steps.
fn at(given: &Given, pre: usize, post: usize) -> usize {
    given.as_ref().map_or(0, |(domain, steps)| match domain {
        Domain::Pre | Domain::PreChannel => steps[pre],
        Domain::Post | Domain::PostChannel => steps[post],
        Domain::Synapse => steps[pre * POST + post],
        Domain::Global => steps[0],
    })
}

/// All combinations of delays of the two sides.
fn combinations() -> Vec<(Given, Given)> {
    let post = kinds(Domain::Post);
    kinds(Domain::Pre)
        .into_iter()
        .flat_map(|axonal| post.iter().map(move |dendritic| (axonal.clone(), dendritic.clone())))
        .collect()
}

/// The steps at which the neurons spike, from 1.
const PRE_TRAINS: [&[usize]; PRE] = [&[3, 4, 11, 30, 41], &[1, 8, 22, 23, 40]];
const POST_TRAINS: [&[usize]; POST] = [&[5, 12, 13, 33], &[2, 9, 21, 44], &[4, 26, 27, 28, 45]];

fn spikes(trains: &[&[usize]], step: usize) -> Vec<bool> {
    trains.iter().map(|train| train.contains(&step)).collect()
}

/// A train that is so many steps late.
fn shifted(train: &[usize], by: usize, step: usize) -> bool {
    step > by && train.contains(&(step - by))
}

const PAIR: &str = "rule pair {
    plastic w;
    pre state x;
    post state y;
    dx/dt = -x / 20 ms;
    dy/dt = -y / 10 ms;
    on pre { x += 1; dw -= 0.012 * y; }
    on post { y += 1; dw += 0.01 * x; }
}";

/// What all pairs of spikes that have arrived by a step have changed; a presynaptic spike that arrives in the step of a
/// postsynaptic one is before it.
fn pairs(pre: &[usize], post: &[usize], (axonal, dendritic): (usize, usize), until: usize) -> f64 {
    let mut change = 0.0;
    for from in pre.iter().map(|step| step + axonal).filter(|&step| step <= until) {
        for to in post.iter().map(|step| step + dendritic).filter(|&step| step <= until) {
            change += match from <= to {
                true => 0.01 * (-((to - from) as f64) / 20.0).exp(),
                false => -0.012 * (-((from - to) as f64) / 10.0).exp(),
            };
        }
    }
    change
}

#[test]
fn pairs_count_by_when_their_spikes_arrive() {
    for (axonal, dendritic) in combinations() {
        let mut machine = machine::<f64>(PAIR, (PRE, POST), &axonal, &dendritic);
        for step in 1..=STEPS {
            machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
            let weights = read(&mut machine, "w");
            for (i, pre) in PRE_TRAINS.iter().enumerate() {
                for (j, post) in POST_TRAINS.iter().enumerate() {
                    let late = (at(&axonal, i, j), at(&dendritic, i, j));
                    let (found, expected) = (weights[i * POST + j], pairs(pre, post, late, step));
                    let close = (found - expected).abs() < 1e-14;
                    assert!(
                        close,
                        "{axonal:?} {dendritic:?} ({i}, {j}) step {step}: {found}, not {expected}"
                    );
                }
            }
        }
    }
}

/// Rules in which no synapse acts on a neuron, so that a delay is the same as late spikes. `w` and `e` are of synapses.
const FORWARD: [&str; 7] = [
    PAIR,
    "rule triplet {
        plastic w in 0 .. 1 = 0.5;
        pre state x; pre state x2; post state y; post state y2;
        dx/dt = -x / 20 ms; dx2/dt = -x2 / 50 ms; dy/dt = -y / 10 ms; dy2/dt = -y2 / 60 ms;
        on pre { dw -= y * (0.01 + 0.02 * x2); x += 1; x2 += 1; }
        on post { dw += x * (0.02 + 0.01 * y2); y += 1; y2 += 1; }
    }",
    "rule nearest {
        plastic w in 0 .. 1 = 0.5;
        pre state x; post state y;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms;
        on pre { x = 1; if y > 0.3 { dw -= 0.1 * y; } else { dw += 0.01; } }
        on post { let s = x * x; y = 1; let r = s * w; dw += 0.05 * (s - r); }
    }",
    // A synapse filters the trace, exactly.
    "rule filtered {
        plastic w = 0.5;
        pre state x; post state y; batched synapse state e;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms; de/dt = (x - e) / 5 ms;
        on pre { x += 1; dw -= 0.1 * y; }
        on post { y += 1; dw += 0.1 * e; }
    }",
    "rule numeric {
        plastic w = 0.5;
        pre state x; post state y; batched synapse state e;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms; de/dt = (x * y - e^2) / 5 ms;
        solver rk4;
        on pre { x += 1; }
        on post { y += 1; dw += 0.1 * e; }
    }",
    // Conditions that their own block changes, branches within branches, and lets of both sides.
    "rule branches {
        plastic w = 0.5;
        pre state x; post state y;
        update {
            x += pre.spike;
            if pre.spike && x > 1.5 {
                let u = 2 * x;
                x *= 0.25;
                if post.spike { dw += u; } else if y > 0.2 { dw -= y * x; } else { dw += 0.01 * u; }
                dw += x;
                x *= 0.5;
            } else {
                dw -= 0.001 * x;
                x *= 0.9;
                if y > x { }
            }
            let v = if post.spike { 1 } else { 0.5 * y };
            y = v;
            dw += 0.01 * v * x;
        }
        modulate { if mean[batch](x) > 0.5 { dw *= 1 + mean[batch](y); } }
    }",
    // Delays of the rule's own, before those of the group.
    "rule late {
        plastic w = 0.5;
        post param lag in 0 ms .. 5 ms = 2 ms;
        pre state x; post state y;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms;
        on pre after 3 ms { dw -= 0.1 * y; }
        on pre { x += 1; }
        on post { y += 1; dw += 0.1 * past(x, 1 ms) + 0.01 * past(y, lag) * x; }
    }",
];

#[test]
fn a_delay_is_a_late_spike_where_no_synapse_acts_on_a_neuron() {
    for text in FORWARD {
        let states: Vec<&str> =
            ["w", "e"].into_iter().filter(|name| find(&rule(text), name).is_ok()).collect();
        for (axonal, dendritic) in combinations() {
            let mut group = machine::<f32>(text, (PRE, POST), &axonal, &dendritic);
            let mut alone: Vec<RuleMachine<f32>> =
                (0..PRE * POST).map(|_| machine(text, (1, 1), &None, &None)).collect();
            for step in 1..=STEPS {
                group.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
                for (at_synapse, single) in alone.iter_mut().enumerate() {
                    let (i, j) = (at_synapse / POST, at_synapse % POST);
                    let pre = shifted(PRE_TRAINS[i], at(&axonal, i, j), step);
                    let post = shifted(POST_TRAINS[j], at(&dendritic, i, j), step);
                    single.step(&[pre], &[post]).unwrap();
                    for name in &states {
                        let (found, expected) = (read(&mut group, name)[at_synapse], read(single, name)[0]);
                        assert_eq!(
                            found.to_bits(),
                            expected.to_bits(),
                            "{text}\n{axonal:?} {dendritic:?}, {name} of ({i}, {j}) in step {step}: {found}, not {expected}"
                        );
                    }
                }
            }
            assert_ne!(read(&mut group, "w"), [0.5; PRE * POST], "{text}");
        }
    }
}

/// Rules whose neurons hear from synapses, draw, and are added up.
const ENTANGLED: [&str; 2] = [
    "rule recurrent {
        plastic w in 0 .. 1 = 0.5;
        pre state x; post state y; post state v; pre state back; post output current; synapse state used;
        dx/dt = -x / 20 ms; dy/dt = -y / 10 ms; dv/dt = (y - v) / 5 ms;
        on pre { let before = y; x += 1; current += w; used += 0.1; dw -= 0.1 * before * v; }
        on post { y += 1; dw += 0.1 * x; }
        update {
            let drive = sum[pre](w * x);
            v += 0.01 * drive;
            back = sum[post](w * y);
            dw += 0.001 * drive * back;
            let z = normal[pre](0, 1);
            x += 0.01 * z;
            dw += 0.01 * z * y;
        }
    }",
    "rule counted {
        plastic w in 0 .. 1 = 0.5;
        pre state x; post state y; global state n: int;
        dx/dt = -x / 20 ms;
        on pre { x += 1; }
        on post { y += 1; dw += 0.01 * x - 0.001 * mean[post](y); }
        update {
            n += count[pre](pre.spike);
            let most = max[pre](x);
            if most > 1 { dw -= 0.01 * x; x *= 0.9; n += 1; }
        }
    }",
];

#[test]
fn delays_of_0_change_no_bit() {
    for (number, text) in FORWARD[..5].iter().chain(&ENTANGLED).enumerate() {
        let plain = rule(text);
        for (axonal, dendritic) in combinations() {
            let narrow = |given: &Given| matches!(given, Some((Domain::Synapse, _)));
            if number == 6 && (narrow(&axonal) || narrow(&dendritic)) {
                continue;
            }
            let zero = |given: Given| given.map(|(domain, steps)| (domain, vec![0; steps.len()]));
            let mut delayed = machine::<f32>(text, (PRE, POST), &zero(axonal), &zero(dendritic));
            let mut undelayed = machine::<f32>(text, (PRE, POST), &None, &None);
            for step in 1..=STEPS {
                for machine in [&mut delayed, &mut undelayed] {
                    machine.step(&spikes(&PRE_TRAINS, step), &spikes(&POST_TRAINS, step)).unwrap();
                }
                for (id, variable) in plain.variables.iter() {
                    let bits = |machine: &mut RuleMachine<f32>| -> Vec<u64> {
                        machine.read(id).unwrap().into_iter().map(f64::to_bits).collect()
                    };
                    let (found, expected) = (bits(&mut delayed), bits(&mut undelayed));
                    assert_eq!(found, expected, "{text}\n{} in step {step}", variable.address());
                }
            }
        }
    }
}

#[test]
fn without_delays_the_rule_is_the_same() {
    for text in FORWARD[..5].iter().chain(&ENTANGLED) {
        let rule = rule(text);
        assert_eq!(with_delays(&rule, &Delays::default()).unwrap(), rule);
    }
}
