//! Engines on every topology, alone and in batches, against the rule interpreter.

use aplysia_compiler::interp::rule::RuleMachine;
use aplysia_compiler::ir::{VarId, VarKind};
use ndarray::{Array, Axis, IxDyn};

use super::devices;
use crate::events::Side;
use crate::{
    Conv2d, Device, Engine, Error, Events, Group, GroupId, Inputs, Plan, Recorder, Rule, Topology, Train,
};

/// Pair-based, with soft bounds, by events alone.
const PAIRS: &str = "rule pairs {
    batch sum;
    plastic w in 0 .. 1 = uniform(0.2, 0.8);
    pre state x;
    post state y;
    dx/dt = -x / 10 ms;
    dy/dt = -y / 20 ms;
    on pre { x += 1; dw -= 0.1 * y * w; }
    on post { y += 1; dw += 0.1 * x * (1 - w); }
    on call halve { w *= 0.5; }
}";

/// Inputs, transmission, channels, a mean over the batch, sums over synapses, draws in every step, the past.
const RICH: &str = "rule rich {
    batch mean;
    param rate = 0.05;
    plastic w in -2 .. 2 = normal(0, 0.5);
    plastic post_channel b = 0.1;
    pre_channel state gain = 0.5;
    pre input u;
    post output current;
    post state seen;
    global state total;
    update {
        current += w * u * gain;
        seen = seen * 0.5 + post.spike + past(seen, 2 ms);
        dw += rate * u * seen - 0.01 * w;
        db += 0.1 * (post.spike - b);
        total = sum[synapse](abs(w));
    }
    modulate { let z = normal[synapse](0, 0.01); dw += z; dw /= pair.count; }
    constrain { let s = sum[pre](abs(w)); w /= 1 + s; }
    on call halve { w *= 0.5; }
}";

fn groups() -> Vec<Group> {
    let shape = Conv2d::new([2, 5, 4], 3, (3, 2)).stride((2, 1)).padding((1, 0));
    vec![
        Group::dense(7, 37),
        Group::one_to_one(9),
        Group::random_probability(11, 35, 0.3, 2).unwrap(),
        Group::conv2d(shape).unwrap(),
        Group::local2d(shape).unwrap(),
        Group::conv2d(Conv2d::new([4, 3, 3], 2, 2).dilation(2).padding(1).groups(2)).unwrap(),
        // Nothing, and next to nothing.
        Group::dense(0, 3),
        Group::dense(1, 1),
        Group::csr(3, 2, [0, 0, 1, 1], [1]).unwrap(),
        Group::one_to_one(0),
    ]
}

/// Whether place `at` of a bitmap spikes in a step.
fn spikes(step: u64, at: usize, salt: u64) -> bool {
    (step * 7 + at as u64 * 5 + salt + step * at as u64 % 3).is_multiple_of(4)
}

/// An engine and the interpreter with the same group.
struct Pair {
    engine: Engine,
    id: GroupId,
    oracle: RuleMachine<f32>,
    batch: usize,
    counts: [usize; 2],
}

impl Pair {
    fn new(text: &str, group: Group, batch: usize, device: Device) -> Self {
        let rule = Rule::from_source("case", text).unwrap();
        let topology = group.topology().clone();
        let counts = [topology.pre(), topology.post()];
        let oracle = RuleMachine::new(&rule.finish().unwrap().ir, topology, batch, 1.0, 5).unwrap();
        let mut engine = Engine::new(device).unwrap();
        let id = engine.register(group.rule(&rule).batch(batch).seed(5)).unwrap();
        Self { engine, id, oracle, batch, counts }
    }

    fn step(&mut self, step: u64) {
        let bitmap = |side: usize| -> Vec<bool> {
            (0..self.batch * self.counts[side]).map(|at| spikes(step, at, 3 * side as u64)).collect()
        };
        let maps = [bitmap(0), bitmap(1)];
        if self.oracle.rule().variables.iter().any(|(_, variable)| variable.name == "u") {
            let values: Vec<f32> =
                (0..maps[0].len()).map(|at| (at as f32 - 3.0 + step as f32) / 8.0).collect();
            self.engine.set_input(self.id, "u", &values).unwrap();
            let input = self.variable("u");
            let wide: Vec<f64> = values.iter().map(|&value| value.into()).collect();
            self.oracle.set_input(input, &wide).unwrap();
        }
        let lists = [0, 1].map(|side| list(&maps[side], self.counts[side]));
        if self.batch == 1 {
            let plain =
                [0, 1].map(|side| lists[side].iter().map(|(_, neuron)| *neuron).collect::<Vec<u32>>());
            let events = Events::new().pre(&plain[0]).post(&plain[1]);
            self.engine.step(&[(self.id, events)]).unwrap();
        } else {
            let events = Events::new().pre_batched(&lists[0]).post_batched(&lists[1]);
            self.engine.step(&[(self.id, events)]).unwrap();
        }
        self.oracle.step(&maps[0], &maps[1]).unwrap();
    }

    fn call(&mut self, name: &str) {
        self.engine.call(self.id, name).unwrap();
        self.oracle.call(name).unwrap();
    }

    fn variable(&self, name: &str) -> VarId {
        let named = self.oracle.rule().variables.iter().find(|(_, variable)| variable.name == name);
        named.unwrap_or_else(|| panic!("no `{name}`")).0
    }

    /// Compares everything that the rule keeps.
    fn compare(&mut self, what: &str) {
        let kept = |kind: VarKind| !matches!(kind, VarKind::Proposal { .. } | VarKind::Param);
        let variables = self.oracle.rule().variables.iter();
        let kept: Vec<(VarId, String)> = variables
            .filter(|(_, variable)| kept(variable.kind))
            .map(|(id, variable)| (id, variable.address()))
            .collect();
        for (id, name) in kept {
            let expected = self.oracle.read(id).unwrap();
            let found = self.engine.read::<f64>(self.id, &name).unwrap();
            let found: Vec<f64> = found.iter().copied().collect();
            assert!(same(&expected, &found), "{what}: `{name}` is {found:?} instead of {expected:?}");
        }
    }
}

fn same(a: &[f64], b: &[f64]) -> bool {
    let alike = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(alike)
}

fn list(map: &[bool], count: usize) -> Vec<(u32, u32)> {
    let places = map.iter().enumerate().filter(|(_, spike)| **spike);
    places.map(|(place, _)| ((place / count) as u32, (place % count) as u32)).collect()
}

fn run(text: &str, group: &Group, batch: usize, device: Device, steps: u64) {
    let what = format!("{:?}, batch {batch}, {device}, {:?}", group.topology(), group.plan);
    let mut pair = Pair::new(text, group.clone(), batch, device);
    pair.compare(&format!("{what}, creation"));
    for step in 0..steps {
        pair.step(step);
        if step == 3 {
            pair.call("halve");
        }
        pair.compare(&format!("{what}, step {step}"));
    }
}

#[test]
fn every_topology_and_batch_is_the_interpreter_s() {
    for device in devices() {
        for group in groups() {
            for batch in [1, 3] {
                run(PAIRS, &group, batch, device.clone(), 6);
                run(RICH, &group, batch, device.clone(), 6);
            }
        }
    }
}

#[test]
fn every_plan_is_the_interpreter_s() {
    for plan in [Plan::Auto, Plan::FullPass, Plan::Events, Plan::Replay] {
        for group in groups() {
            run(PAIRS, &group.plan(plan), 1, devices().pop().unwrap(), 5);
        }
    }
}

/// Groups that are large enough to be cut for threads, against one thread.
#[cfg(feature = "jit")]
#[test]
fn threads_change_no_bit() {
    let shape = Conv2d::new([3, 30, 30], 8, 5).padding(2);
    let large = [
        Group::one_to_one(100_000),
        Group::random_probability(600, 700, 0.3, 4).unwrap(),
        Group::conv2d(shape).unwrap(),
        Group::local2d(shape).unwrap(),
    ];
    for group in large {
        for batch in [1, 2] {
            let mut results = Vec::new();
            for threads in [1, 4] {
                let rule = Rule::from_source("case", RICH).unwrap();
                let mut engine = Engine::new(Device::cpu_with_threads(threads).unwrap()).unwrap();
                let id = engine.register(group.clone().rule(&rule).batch(batch).seed(1)).unwrap();
                let topology = engine.topology(id).unwrap().clone();
                let drive: Vec<f32> = (0..batch * topology.pre()).map(|at| (at % 7) as f32 / 8.0).collect();
                engine.set_input(id, "u", &drive).unwrap();
                let map =
                    |count: usize| -> Vec<bool> { (0..batch * count).map(|at| spikes(1, at, 0)).collect() };
                let [pre, post] = [topology.pre(), topology.post()].map(|count| list(&map(count), count));
                for _ in 0..2 {
                    engine.step(&[(id, Events::new().pre_batched(&pre).post_batched(&post))]).unwrap();
                }
                let names = ["w", "b", "current", "total"];
                let read = |name: &str| -> Vec<u32> {
                    engine.read::<f32>(id, name).unwrap().iter().map(|value| value.to_bits()).collect()
                };
                results.push(names.map(read));
            }
            assert!(results[0] == results[1], "{:?}, batch {batch}", group.topology().kind());
        }
    }
}

/// A train `[steps, batch, …]` is its steps; on an image the neurons have one axis or three.
#[test]
fn trains_of_batches_are_their_steps() {
    let shape = Conv2d::new([2, 4, 3], 2, 2);
    let rule = Rule::from_source("case", PAIRS).unwrap();
    for batch in [1, 2] {
        let group = || Group::conv2d(shape).unwrap().rule(&rule).batch(batch).seed(5);
        let mut stepped = Pair::new(PAIRS, group(), batch, Device::interpreter());
        (0..5).for_each(|step| stepped.step(step));
        let [pre, post] = stepped.counts;
        let flat = |count: usize, salt: u64| {
            Array::from_shape_fn(IxDyn(&[5, batch, count]), |at| {
                spikes(at[0] as u64, at[1] * count + at[2], salt)
            })
        };
        let (pre, post) = (flat(pre, 0), flat(post, 3));
        let image = post.to_shape(vec![5, batch, 2, 3, 2]).unwrap();
        let mut engine = Engine::new(Device::interpreter()).unwrap();
        let id = engine.register(group()).unwrap();
        let recording = engine.record(id, &Recorder::new(["x"])).unwrap();
        let train = Train::new().pre(pre.view()).post(image.view());
        engine.run(5, &Inputs::new().group(id, train)).unwrap();
        let w = engine.read::<f32>(id, "w").unwrap().to_owned();
        assert_eq!(w, stepped.engine.read::<f32>(stepped.id, "w").unwrap());
        let x = engine.trace::<f32>(recording, "x").unwrap();
        let leading = if batch == 1 { vec![5] } else { vec![5, batch] };
        assert_eq!(x.shape(), [&leading[..], &[2, 4, 3]].concat());
        // The same as lists.
        let (mut step, mut element, mut index) = (Vec::new(), Vec::new(), Vec::new());
        for (at, _) in post.indexed_iter().filter(|(_, spike)| **spike) {
            step.push(at[0] as u64);
            element.push(at[1] as u32);
            index.push(at[2] as u32);
        }
        let mut listed = Engine::new(Device::interpreter()).unwrap();
        let id = listed.register(group()).unwrap();
        let train = Train::new().pre(pre.view()).post_events_batched(&step, &element, &index);
        listed.run(5, &Inputs::new().group(id, train)).unwrap();
        assert_eq!(w, listed.read::<f32>(id, "w").unwrap());
        // Without the axis of a batch of two, or with neurons that do not exist.
        let short = pre.index_axis(Axis(1), 0);
        let outcome = listed.run(5, &Inputs::new().group(id, Train::new().pre(short)));
        assert_eq!(outcome.is_ok(), batch == 1, "{outcome:?}");
        let wrong = listed.run(5, &Inputs::new().group(id, Train::new().pre(image.view()))).unwrap_err();
        assert!(matches!(wrong, Error::WrongShape { .. }), "{wrong}");
    }
}

#[test]
fn values_have_the_axes_of_their_topology() {
    let rule = Rule::from_source("case", RICH).unwrap();
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let shape = Conv2d::new([2, 5, 4], 3, (3, 2));
    let id = engine.register(Group::local2d(shape).unwrap().rule(&rule).batch(2)).unwrap();
    let shapes: Vec<Vec<usize>> = ["w", "b", "gain", "seen", "total"]
        .iter()
        .map(|name| engine.read::<f32>(id, *name).unwrap().shape().to_vec())
        .collect();
    assert_eq!(shapes, [vec![3, 9, 12], vec![3], vec![2], vec![2, 3, 3, 3], vec![]]);
    let error = engine.write(id, "seen", Array::<f32, _>::zeros((3, 3, 3))).unwrap_err();
    assert!(matches!(&error, Error::WrongShape { expected, .. } if *expected == [2, 3, 3, 3]), "{error}");
    assert!(matches!(engine.topology(id).unwrap(), Topology::Local2d(_)));
}

/// Weights in the order of the lists that a group was made from.
#[test]
fn weights_come_in_the_order_of_the_lists() {
    let rule = Rule::from_source("case", PAIRS).unwrap();
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let group = Group::from_coo(3, 2, &[2, 0, 2], &[1, 1, 0]).unwrap().rule(&rule);
    let id = engine.register(group.clone().init_coo("w", vec![0.3, 0.1, 0.2])).unwrap();
    let w = engine.read::<f32>(id, "w").unwrap();
    assert_eq!(w.as_slice().unwrap(), [0.1, 0.2, 0.3]);
    let error = engine.register(group.init_coo("w", vec![0.3, 0.1])).unwrap_err();
    assert!(matches!(&error, Error::WrongShape { expected, .. } if *expected == [3]), "{error}");
}

#[test]
fn a_resumed_run_is_the_uninterrupted_one_everywhere() {
    for group in groups() {
        for batch in [1, 3] {
            let device = devices().pop().unwrap();
            let mut whole = Pair::new(RICH, group.clone(), batch, device.clone());
            (0..4).for_each(|step| whole.step(step));
            let mut file = Vec::new();
            whole.engine.save_to(&mut file).unwrap();
            let mut resumed = Pair::new(RICH, group.clone(), batch, device);
            resumed.engine.restore_from(file.as_slice()).unwrap();
            resumed.oracle = whole.oracle.clone();
            (4..9).for_each(|step| resumed.step(step));
            resumed.compare("resumed");
        }
    }
}

#[test]
fn checkpoints_of_other_connections_say_what_differs() {
    let rule = Rule::from_source("case", PAIRS).unwrap();
    let engine = |group: Group, batch: usize| {
        let mut engine = Engine::new(Device::interpreter()).unwrap();
        engine.register(group.rule(&rule).batch(batch)).unwrap();
        engine
    };
    let saved = |group: Group, batch: usize| {
        let mut file = Vec::new();
        engine(group, batch).save_to(&mut file).unwrap();
        file
    };
    let sparse = |indices: [u32; 2]| Group::csr(2, 3, [0, 1, 2], indices).unwrap();
    let conv = |stride: usize| {
        Group::conv2d(Conv2d::new([1, 5, 5], 1, 3).stride(stride).padding(stride - 1)).unwrap()
    };
    for (file, group, batch, part) in [
        (saved(Group::dense(3, 3), 1), Group::one_to_one(3), 1, "topology of group 0: dense in the file"),
        (saved(sparse([0, 2]), 1), sparse([1, 2]), 1, "connections of group 0: 2 synapses with checksum"),
        (saved(conv(1), 1), conv(2), 1, "stride 1 × 1"),
        (saved(Group::dense(3, 3), 2), Group::dense(3, 3), 3, "batch of group 0: 2 in the file, 3 here"),
    ] {
        let error = engine(group, batch).restore_from(file.as_slice()).unwrap_err();
        assert!(matches!(error, Error::CheckpointMismatch { .. }), "{error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_batch_is_combined_as_the_rule_says_or_not_at_all() {
    let silent = Rule::from_source("case", "rule silent { plastic w; on pre { dw += 1; } }").unwrap();
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    engine.register(Group::dense(2, 2).rule(&silent)).unwrap();
    let error = engine.register(Group::dense(2, 2).rule(&silent).batch(2)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`batch sum;`") && text.contains("sum[batch]") && text.contains("dw += 1"),
        "{text}"
    );
    let error = engine.register(Group::dense(2, 2).rule(&silent).batch(0)).unwrap_err();
    assert!(matches!(error, Error::BadBatch), "{error}");
    let rule = Rule::from_source("case", PAIRS).unwrap();
    let id = engine.register(Group::dense(2, 2).rule(&rule).batch(2)).unwrap();
    let error = engine.step(&[(id, Events::new().pre(&[0]))]).unwrap_err();
    assert!(matches!(error, Error::NoBatchElements { side: Side::Pre, batch: 2 }), "{error}");
}
