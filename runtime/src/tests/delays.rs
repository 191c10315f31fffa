//! Delays of groups: spikes that come late are spikes that came earlier.

use aplysia_compiler::compose;
use aplysia_compiler::interp::rule::RuleMachine;
use aplysia_compiler::ir::{Domain, VarKind};
use aplysia_compiler::pass::delays;
use ndarray::{Array2, ArrayD, IxDyn};

use super::devices;
use crate::units::ms;
use crate::{
    Conv2d, Delay, Device, Engine, Error, Events, Group, GroupId, Inputs, Precision, Recorder, Rule, Train,
};

const PAIRS: &str = "rule pairs {
    plastic w in 0 .. 1 = 0.5;
    pre state x;
    post state y;
    dx/dt = -x / 10 ms;
    dy/dt = -y / 20 ms;
    on pre { x += 1; dw -= 0.1 * y; }
    on post { y += 1; dw += 0.1 * x; }
}";

const STEPS: usize = 30;

fn train(neurons: usize, salt: usize) -> Array2<bool> {
    Array2::from_shape_fn((STEPS, neurons), |(step, neuron)| {
        (step * 7 + neuron * 5 + salt + step * neuron % 3).is_multiple_of(6)
    })
}

/// The train of each neuron so many steps later.
fn late(train: &Array2<bool>, steps: impl Fn(usize) -> usize) -> Array2<bool> {
    Array2::from_shape_fn(train.dim(), |(step, neuron)| {
        step.checked_sub(steps(neuron)).is_some_and(|earlier| train[[earlier, neuron]])
    })
}

fn run(device: Device, group: Group, pre: &Array2<bool>, post: &Array2<bool>) -> ArrayD<f32> {
    let rule = Rule::from_source("pairs", PAIRS).unwrap();
    let mut engine = Engine::new(device).unwrap();
    let id = engine.register(group.rule(&rule)).unwrap();
    let recording = engine.record(id, &Recorder::new(["w"])).unwrap();
    let train = Train::new().pre(pre.view()).post(post.view());
    engine.run(STEPS as u64, &Inputs::new().group(id, train)).unwrap();
    engine.trace::<f32>(recording, "w").unwrap().to_owned()
}

/// The rule reads nothing of a side but its spikes and a trace of them, so a delay is the same as later spikes.
#[test]
fn late_spikes_are_spikes_that_came_earlier() {
    let shape = Conv2d::new([2, 4, 4], 2, 3);
    let groups = || {
        vec![
            Group::dense(5, 4),
            Group::one_to_one(6),
            Group::random_probability(7, 5, 0.5, 3).unwrap(),
            Group::conv2d(shape).unwrap(),
            Group::local2d(shape).unwrap(),
        ]
    };
    for device in devices() {
        for group in groups() {
            let (pre_count, post_count) = (group.topology().pre(), group.topology().post());
            let (pre, post) = (train(pre_count, 0), train(post_count, 4));
            let base = run(device.clone(), group.clone(), &pre, &post);
            let none = group.clone().axonal_delay(Delay::uniform(ms(0.0)));
            assert_eq!(run(device.clone(), none, &pre, &post), base);
            // Rounded: 2.4 ms are 2 steps.
            let both = group.clone().axonal_delay(Delay::uniform(ms(3.0)));
            let both = both.dendritic_delay(Delay::uniform(ms(2.4)).up_to(ms(9.0)));
            let expected = run(device.clone(), group.clone(), &late(&pre, |_| 3), &late(&post, |_| 2));
            assert_ne!(expected, base);
            assert_eq!(run(device.clone(), both, &pre, &post), expected, "{:?}", group.topology());
            let steps = |neuron: usize| neuron * 3 % 5;
            let axes = group.topology().neuron_shape(aplysia_compiler::kernel::Side::Post);
            let list = (0..post_count).map(|neuron| steps(neuron) as f64).collect();
            let each = ArrayD::from_shape_vec(IxDyn(&axes), list).unwrap();
            let delayed = group.clone().dendritic_delay(Delay::per_neuron(each));
            let expected = run(device.clone(), group.clone(), &pre, &late(&post, steps));
            assert_eq!(run(device.clone(), delayed, &pre, &post), expected, "{:?}", group.topology());
        }
    }
}

/// Each synapse of a dense group as a group of its own.
#[test]
fn every_synapse_has_its_own_delay() {
    let delays = Array2::from_shape_fn((3, 4), |(i, j)| ((i * 5 + j * 2) % 7) as f32);
    let (pre, post) = (train(3, 0), train(4, 4));
    for device in devices() {
        let all = Group::dense(3, 4).axonal_delay(Delay::per_synapse(&delays));
        let all = run(device.clone(), all, &pre, &post);
        for (i, j) in [(0, 0), (1, 3), (2, 1), (2, 3)] {
            let steps = delays[[i, j]] as usize;
            let (one, other) = (pre.column(i).insert_axis(ndarray::Axis(1)), post.column(j));
            let alone = run(
                device.clone(),
                Group::dense(1, 1),
                &late(&one.to_owned(), |_| steps),
                &other.insert_axis(ndarray::Axis(1)).to_owned(),
            );
            for step in 0..STEPS {
                assert_eq!(all[[step, i, j]], alone[[step, 0, 0]], "synapse {i} {j}, step {step}");
            }
        }
    }
}

/// Values that differ from their traces, draws, batches and transmission, against the rewritten rule on the interpreter.
#[test]
fn engines_are_the_interpreter_of_the_delayed_rule() {
    let text = "rule rich {
        batch sum;
        plastic w in 0 .. 2 = uniform(0, 1);
        pre state x;
        post state y;
        post output current;
        on pre { x = x * 0.5 + 1; }
        on post { y += 1 - y * 0.25; dw += 0.1 * x * y; }
        update { current += w * x; dw -= 0.01 * pre.spike * y; }
    }";
    let rule = Rule::from_source("rich", text).unwrap();
    let finished = compose::finish(rule.ir().unwrap().as_ref().clone()).unwrap();
    let shape = Conv2d::new([2, 3, 3], 2, 2);
    let groups = [
        Group::conv2d(shape).unwrap(),
        Group::dense(4, 35),
        Group::random_probability(6, 7, 0.6, 1).unwrap(),
        Group::local2d(shape).unwrap(),
    ];
    for group in groups {
        for batch in [1, 2] {
            let topology = group.topology().clone();
            let synapses = topology.synapse_shape();
            let count = topology.synapses().unwrap();
            let list: Vec<f64> = (0..count).map(|at| (at * 3 % 5) as f64).collect();
            let each = ArrayD::from_shape_vec(IxDyn(&synapses), list.clone()).unwrap();
            let delayed = delays::Delays {
                axonal: Some(delays::Delay { domain: Domain::Synapse, longest_ms: 4.0 }),
                dendritic: Some(delays::Delay { domain: Domain::Global, longest_ms: 2.0 }),
            };
            let rewritten = delays::with_delays(&finished, &delayed).unwrap();
            let mut oracle = RuleMachine::<f64>::new(&rewritten, topology.clone(), batch, 1.0, 9).unwrap();
            let named = |machine: &RuleMachine<f64>, name: &str| {
                let found = machine.rule().variables.iter().find(|(_, variable)| variable.address() == name);
                found.unwrap_or_else(|| panic!("no `{name}`")).0
            };
            let (axonal, dendritic) = (named(&oracle, delays::AXONAL), named(&oracle, delays::DENDRITIC));
            oracle.set_parameter(axonal, &list).unwrap();
            oracle.set_parameter(dendritic, &[1.0]).unwrap();
            for device in devices() {
                let mut oracle = oracle.clone();
                let mut engine = Engine::new(device).unwrap();
                let group = group.clone().rule(&rule).batch(batch).seed(9).precision(Precision::F64);
                let group = group.axonal_delay(Delay::per_synapse(&each));
                let group = group.dendritic_delay(Delay::uniform(ms(1.0)).up_to(ms(2.0)));
                let id = engine.register(group).unwrap();
                for step in 0..12usize {
                    if step == 6 {
                        // The new delay looks into the same past.
                        engine.set_param(id, delays::DENDRITIC, 2.0).unwrap();
                        oracle.set_parameter(dendritic, &[2.0]).unwrap();
                    }
                    let map = |count: usize, salt: usize| -> Vec<bool> {
                        (0..batch * count).map(|at| (step * 5 + at * 3 + salt).is_multiple_of(4)).collect()
                    };
                    let maps = [map(topology.pre(), 0), map(topology.post(), 2)];
                    let lists = [(0, topology.pre()), (1, topology.post())].map(|(side, count)| {
                        let places = (0u32..).zip(&maps[side]).filter(|(_, spike)| **spike);
                        places
                            .map(|(at, _)| (at / count as u32, at % count as u32))
                            .collect::<Vec<(u32, u32)>>()
                    });
                    let events = Events::new().pre_batched(&lists[0]).post_batched(&lists[1]);
                    engine.step(&[(id, events)]).unwrap();
                    oracle.step(&maps[0], &maps[1]).unwrap();
                    for name in ["w", "rich.x", "rich.y", "current"] {
                        let variable = named(&oracle, name);
                        let expected = oracle.read(variable).unwrap();
                        let found = engine.read::<f64>(id, name).unwrap();
                        let found: Vec<f64> = found.iter().copied().collect();
                        assert_eq!(found, expected, "`{name}`, step {step}, {:?}", topology.kind());
                    }
                }
                assert!(matches!(rewritten.variables[axonal].kind, VarKind::Param));
            }
        }
    }
}

/// What is on its way is part of a checkpoint.
#[test]
fn a_resumed_run_knows_what_is_on_its_way() {
    let rule = Rule::from_source("pairs", PAIRS).unwrap();
    let (pre, post) = (train(6, 0), train(5, 4));
    let group = || {
        let delays: Vec<f64> = (0..6).map(|neuron| f64::from(neuron) + 2.0).collect();
        let group = Group::dense(6, 5).rule(&rule).axonal_delay(Delay::per_neuron(delays));
        group.dendritic_delay(Delay::uniform(ms(3.0)))
    };
    let advance = |engine: &mut Engine, id: GroupId, from: usize, to: usize| {
        let rows = ndarray::s![from..to, ..];
        let train = Train::new().pre(pre.slice(rows)).post(post.slice(rows));
        engine.run((to - from) as u64, &Inputs::new().group(id, train)).unwrap();
    };
    for device in devices() {
        let mut whole = Engine::new(device.clone()).unwrap();
        let id = whole.register(group()).unwrap();
        advance(&mut whole, id, 0, 13);
        let mut file = Vec::new();
        whole.save_to(&mut file).unwrap();
        advance(&mut whole, id, 13, STEPS);
        let mut resumed = Engine::new(device).unwrap();
        let other = resumed.register(group()).unwrap();
        resumed.restore_from(file.as_slice()).unwrap();
        advance(&mut resumed, other, 13, STEPS);
        let mut other_delays = Engine::new(Device::interpreter()).unwrap();
        other_delays.register(group().dendritic_delay(Delay::uniform(ms(3.0)).up_to(ms(4.0)))).unwrap();
        let error = other_delays.restore_from(file.as_slice()).unwrap_err();
        assert!(error.to_string().contains("delay.dendritic of global up to 3 ms in the file"), "{error}");
        let w = whole.read::<f32>(id, "w").unwrap().to_owned();
        assert_eq!(w, resumed.read::<f32>(other, "w").unwrap());
    }
}

#[test]
fn impossible_delays_are_refused() {
    let rule = Rule::from_source("pairs", PAIRS).unwrap();
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let group = Group::dense(3, 2).rule(&rule);
    let mut register = |group: Group| engine.register(group).unwrap_err();
    let error = register(group.clone().axonal_delay(Delay::uniform(ms(-1.0))));
    assert!(error.to_string().contains("axonal delay is -1 ms"), "{error}");
    let error = register(group.clone().axonal_delay(Delay::per_neuron(vec![1.0, 2.0])));
    assert!(
        matches!(&error, Error::WrongShape { name, expected, .. } if name == "delay.axonal" && *expected == [3]),
        "{error}"
    );
    let error = register(group.clone().dendritic_delay(Delay::uniform(ms(3.0)).up_to(ms(2.0))));
    assert!(matches!(&error, Error::OutOfRange { name, .. } if name == "delay.dendritic"), "{error}");
    let endless = group.clone().axonal_delay(Delay::uniform(ms(1.0)).up_to(ms(1e300)));
    assert!(matches!(register(endless), Error::NoMemory { .. }));
}
