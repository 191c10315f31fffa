//! Whole engines: what the host sees.

mod delays;
mod strips;
mod topologies;

use ndarray::{Array1, Array2, array};

use crate::sample::stdp;
use crate::{Device, Engine, Error, Events, Group, GroupId, Inputs, Plan, Precision, Recorder, Train};

const PRE: usize = 7;
const POST: usize = 5;

fn devices() -> Vec<Device> {
    let interpreter = Device::interpreter();
    #[cfg(feature = "jit")]
    return vec![interpreter, Device::cpu_with_threads(1).unwrap(), Device::cpu_with_threads(2).unwrap()];
    #[cfg(not(feature = "jit"))]
    vec![interpreter]
}

fn group() -> Group {
    Group::dense(PRE, POST).rule(&stdp()).seed(7)
}

fn engine(device: Device, group: Group) -> (Engine, GroupId) {
    let mut engine = Engine::new(device).unwrap();
    let id = engine.register(group).unwrap();
    engine.set_input(id, "drive", &[0.25f32]).unwrap();
    (engine, id)
}

/// Spikes that depend on the step only; the list is ascending.
fn spikes(step: u64, count: usize, salt: u64) -> Vec<u32> {
    (0..count as u64).filter(|n| (step * 7 + n * 5 + salt).is_multiple_of(4)).map(|n| n as u32).collect()
}

fn advance(engine: &mut Engine, id: GroupId, steps: std::ops::Range<u64>) {
    for step in steps {
        let (pre, post) = (spikes(step, PRE, 0), spikes(step, POST, 3));
        engine.step(&[(id, Events::new().pre(&pre).post(&post))]).unwrap();
    }
}

fn weights(engine: &mut Engine, id: GroupId) -> Vec<u32> {
    engine.read::<f32>(id, "w").unwrap().iter().map(|w| w.to_bits()).collect()
}

#[test]
fn blocks_divide_the_postsynaptic_neurons() {
    let rule = crate::Rule::from_source(
        "r.rule",
        "rule r { plastic w; on pre { dw += sum[post by 3](post.index); } }",
    )
    .unwrap();
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    engine.register(Group::dense(2, 6).rule(&rule)).unwrap();
    let refused = engine.register(Group::dense(2, 4).rule(&rule)).unwrap_err();
    assert!(matches!(&refused, Error::NotSupported { what, .. } if what.contains("post by 3")), "{refused}");
}

/// The table of the language reference: a coincidence of a pre and a post spike.
#[test]
fn a_coincidence_gives_the_numbers_of_the_reference() {
    for device in devices() {
        let group = Group::dense(1, 1).rule(&stdp()).precision(Precision::F64);
        let group = group.init("w", array![[0.5]]).init("x", array![0.6]).init("y", array![0.4]);
        let (mut engine, id) = engine(device, group);
        engine.step(&[(id, Events::new().pre(&[0]).post(&[0]))]).unwrap();
        let close = |engine: &mut Engine, name: &str, expected: f64| {
            let value = *engine.read::<f64>(id, name).unwrap().first().unwrap();
            assert!((value - expected).abs() < 6e-6, "{name} is {value}, not {expected}");
        };
        close(&mut engine, "x", 1.57074);
        close(&mut engine, "y", 1.38049);
        close(&mut engine, "w", 0.5111415);
        close(&mut engine, "total", 0.25);
    }
}

#[test]
fn all_devices_plans_and_threads_give_the_same_bits() {
    let mut results = Vec::new();
    for device in devices() {
        for plan in [Plan::Auto, Plan::FullPass, Plan::Events, Plan::Replay] {
            let (mut engine, id) = engine(device.clone(), group().plan(plan));
            let first = weights(&mut engine, id);
            advance(&mut engine, id, 0..40);
            let last = weights(&mut engine, id);
            assert_ne!(first, last);
            assert_eq!(engine.read::<i64>(id, "n").unwrap().sum(), 40);
            results.push(last);
        }
    }
    assert!(results.iter().all(|bits| *bits == results[0]));
}

#[test]
fn the_plan_follows_the_spikes_and_the_host_s_writes() {
    let (mut engine, id) = engine(Device::interpreter(), group());
    let taken =
        |engine: &Engine| engine.plans(id).unwrap().iter().map(|(_, taken)| *taken).collect::<Vec<_>>();
    engine.step(&[]).unwrap();
    assert_eq!(taken(&engine), [1, 0]);
    engine.write(id, "w", 0.5).unwrap();
    engine.step(&[]).unwrap();
    assert_eq!(taken(&engine), [1, 1]);
    let all: Vec<u32> = (0..PRE as u32).collect();
    engine.step(&[(id, Events::new().pre(&all))]).unwrap();
    assert_eq!(taken(&engine), [1, 2]);
    engine.set_param(id, "a_plus", 0.5).unwrap();
    engine.step(&[]).unwrap();
    assert_eq!(taken(&engine), [2, 2]);
}

#[test]
fn a_run_is_its_steps() {
    let steps = 30u64;
    let mut pre = Array2::from_elem((steps as usize, PRE), false);
    let (mut at, mut who) = (Vec::new(), Vec::new());
    for step in 0..steps {
        for neuron in spikes(step, PRE, 0) {
            pre[[step as usize, neuron as usize]] = true;
        }
        for neuron in spikes(step, POST, 3) {
            at.push(step);
            who.push(neuron);
        }
    }
    let (mut stepped, id) = engine(Device::interpreter(), group());
    advance(&mut stepped, id, 0..steps);
    let (mut ran, group) = engine(Device::interpreter(), group());
    let recording = ran.record(group, &Recorder::new(["w", "x"]).every(10)).unwrap();
    let drive = ran.input(group, "drive").unwrap();
    let series = Array2::<f32>::from_shape_fn((steps as usize, POST), |(step, _)| step as f32);
    let train = Train::new().pre(pre.view()).post_events(&at, &who).input(drive, series.view());
    ran.run(steps, &Inputs::new().group(group, train)).unwrap();
    assert_eq!(weights(&mut stepped, id), weights(&mut ran, group));
    assert_eq!(ran.read::<f32>(group, "total").unwrap().to_owned().into_raw_vec_and_offset().0, [29.0; POST]);
    let trace = ran.trace::<f32>(recording, "w").unwrap().to_owned();
    assert_eq!(trace.shape(), [3, PRE, POST]);
    assert_eq!(trace.index_axis(ndarray::Axis(0), 2), ran.read::<f32>(group, "w").unwrap());
}

#[test]
fn wrong_trains_take_no_step() {
    let (mut engine, id) = engine(Device::interpreter(), group());
    let short = Array2::from_elem((3, PRE), false);
    let error = engine.run(4, &Inputs::new().group(id, Train::new().pre(short.view()))).unwrap_err();
    assert!(matches!(error, Error::WrongShape { .. }), "{error}");
    let late = Train::new().post_events(&[0, 4], &[0, 0]);
    let error = engine.run(4, &Inputs::new().group(id, late)).unwrap_err();
    assert!(matches!(error, Error::EventStep { position: 1, step: 4, .. }), "{error}");
    let error = engine.step(&[(id, Events::new().pre(&[2, 1]))]).unwrap_err();
    assert!(matches!(error, Error::EventOrder { position: 1, .. }), "{error}");
    assert_eq!(engine.steps(id).unwrap(), 0);
}

#[test]
fn a_resumed_run_is_the_uninterrupted_one() {
    for device in devices() {
        let (mut whole, id) = engine(device.clone(), group());
        advance(&mut whole, id, 0..20);
        whole.call(id, "halve").unwrap();
        let mut file = Vec::new();
        whole.save_to(&mut file).unwrap();
        advance(&mut whole, id, 20..40);
        let mut resumed = Engine::new(device).unwrap();
        let other = resumed.register(group().seed(99)).unwrap();
        resumed.restore_from(file.as_slice()).unwrap();
        assert_eq!(resumed.steps(other).unwrap(), 20);
        advance(&mut resumed, other, 20..40);
        assert_eq!(weights(&mut whole, id), weights(&mut resumed, other));
    }
}

#[test]
fn checkpoints_of_other_groups_are_refused() {
    let (mut saved, _) = engine(Device::interpreter(), group());
    let path = std::env::temp_dir().join(format!("aplysia-checkpoint-{}.bin", std::process::id()));
    saved.save(&path).unwrap();
    let refused = [
        Group::dense(PRE, POST + 1).rule(&stdp()),
        group().precision(Precision::F64),
        group().dt(crate::units::ms(0.5)),
    ];
    for group in refused {
        let (mut other, _) = engine(Device::interpreter(), group);
        let error = other.restore(&path).unwrap_err();
        assert!(matches!(error, Error::CheckpointMismatch { .. }), "{error}");
    }
    let mut bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    let error = saved.restore_from(bytes.as_slice()).unwrap_err();
    assert!(matches!(error, Error::CheckpointDamaged { .. }), "{error}");
}

#[test]
fn states_are_written_and_reset() {
    let (mut engine, id) = engine(Device::interpreter(), group());
    let first = weights(&mut engine, id);
    advance(&mut engine, id, 0..10);
    let w = engine.state(id, "w").unwrap();
    engine.write(id, w, Array2::from_elem((PRE, POST), 2.0f32)).unwrap();
    assert_eq!(engine.read::<f32>(id, w).unwrap()[[0, 0]], 2.0);
    // Constrain looks at every synapse in the next step, spikes or not.
    engine.step(&[]).unwrap();
    assert!(engine.read::<f32>(id, w).unwrap().iter().all(|&w| w == 1.0));
    engine.reset(id, w).unwrap();
    assert_eq!(weights(&mut engine, id), first);
    assert_eq!(engine.steps(id).unwrap(), 11);
    let error = engine.write(id, "x", array![0.0f32, f32::NAN]).unwrap_err();
    assert!(matches!(error, Error::WrongShape { .. }), "{error}");
    let mut values = Array1::<f32>::zeros(PRE);
    values[3] = f32::NAN;
    let error = engine.write(id, "x", values).unwrap_err();
    assert!(matches!(error, Error::NotANumber { position: 3, .. }), "{error}");
}

#[test]
fn names_are_checked_and_suggested() {
    let (mut engine, id) = engine(Device::interpreter(), group());
    let error = engine.set_param(id, "a_pluss", 0.02).unwrap_err();
    assert!(error.to_string().contains("did you mean `a_plus`?"), "{error}");
    assert!(matches!(engine.set_param(id, "w", 0.02), Err(Error::WrongKind { .. })));
    assert!(matches!(engine.write(id, "drive", 0.02), Err(Error::WrongKind { .. })));
    assert!(matches!(engine.call(id, "half"), Err(Error::UnknownName { .. })));
    let w = engine.state(id, "w").unwrap();
    assert!(matches!(engine.set_input(id, &w, &[0f32]), Err(Error::WrongKind { .. })));
    engine.set_param(id, "stdp.a_plus", 0.02).unwrap();
    assert_eq!(engine.read::<f64>(id, "a_plus").unwrap().sum(), 0.02);
    let mut other = Engine::new(Device::interpreter()).unwrap();
    assert!(matches!(other.step(&[(id, Events::new())]), Err(Error::UnknownGroup { .. })));
    let twice = other.register(group()).unwrap();
    other.set_input(twice, "drive", &[0f32; POST]).unwrap();
    let error = other.step(&[(twice, Events::new()), (twice, Events::new())]).unwrap_err();
    assert!(matches!(error, Error::GroupTwice { .. }), "{error}");
}

#[test]
fn missing_and_wrong_inputs_are_refused() {
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let id = engine.register(group()).unwrap();
    let error = engine.step(&[]).unwrap_err();
    assert!(matches!(&error, Error::MissingInputs { names, .. } if names == &["drive"]), "{error}");
    assert!(matches!(engine.set_input(id, "drive", &[0f32; 3]), Err(Error::WrongShape { .. })));
    engine.set_input(id, "drive", &[f32::NAN]).unwrap();
    engine.check_inputs(true);
    assert!(matches!(engine.set_input(id, "drive", &[f32::NAN]), Err(Error::NotANumber { .. })));
    engine.set_input(id, "drive", &[1.0f64]).unwrap();
    engine.step(&[]).unwrap();
}

#[test]
fn calls_are_counted_within_a_step() {
    let (mut engine, id) = engine(Device::interpreter(), group());
    let before = engine.read::<f32>(id, "w").unwrap().to_owned();
    engine.call(id, "halve").unwrap();
    let after = engine.read::<f32>(id, "w").unwrap().to_owned();
    assert_eq!(after, before * 0.5);
    for _ in 1..256 {
        engine.call(id, "halve").unwrap();
    }
    assert!(matches!(engine.call(id, "halve"), Err(Error::CalledTooOften { .. })));
    engine.step(&[]).unwrap();
    engine.call(id, "halve").unwrap();
}

#[test]
fn groups_are_independent_and_seeded() {
    for device in devices() {
        let mut engine = Engine::new(device.clone()).unwrap();
        let ids: Vec<GroupId> =
            (0..3).map(|_| engine.register(Group::dense(300, 200).rule(&stdp())).unwrap()).collect();
        for &id in &ids {
            engine.set_input(id, "drive", &[0f32]).unwrap();
        }
        assert_ne!(weights(&mut engine, ids[0]), weights(&mut engine, ids[1]));
        engine.step(&[(ids[1], Events::new().pre(&[1, 2, 299]).post(&[0, 199]))]).unwrap();
        let seed = crate::register::splitmix64(0, 1);
        let mut alone = Engine::new(device).unwrap();
        let id = alone.register(Group::dense(300, 200).rule(&stdp()).seed(seed)).unwrap();
        alone.set_input(id, "drive", &[0f32]).unwrap();
        alone.step(&[(id, Events::new().pre(&[1, 2, 299]).post(&[0, 199]))]).unwrap();
        assert_eq!(weights(&mut alone, id), weights(&mut engine, ids[1]));
    }
}

#[cfg(feature = "jit")]
#[test]
fn parameters_and_sizes_compile_nothing() {
    let (mut engine, id) = engine(Device::cpu(), group());
    advance(&mut engine, id, 0..2);
    // Other tests compile other kernels meanwhile, but none of this rule in this precision that is not there already.
    let cache = crate::cache::KernelCache::default();
    let kernels: Vec<_> =
        engine.program(id).unwrap().kernels.iter().map(|(_, kernel)| kernel.clone()).collect();
    let codes: Vec<_> = kernels.iter().map(|kernel| cache.get(kernel).unwrap()).collect();
    assert_eq!(cache.compilations(), kernels.len() as u64);
    engine.set_param(id, "a_plus", 0.5).unwrap();
    let larger = engine.register(Group::dense(60, 50).rule(&stdp()).param("tau_plus", 5.0)).unwrap();
    for (_, kernel) in engine.program(larger).unwrap().kernels.iter() {
        cache.get(kernel).unwrap();
    }
    assert_eq!(cache.compilations(), kernels.len() as u64);
    drop(codes);
}

/// What the compiler plans for is what the code of modules and routines is made for.
#[cfg(feature = "jit")]
#[test]
fn plans_and_routines_go_by_the_same_numbers() {
    assert_eq!(aplysia_compiler::back::cranelift::AHEAD, aplysia_native::AHEAD as i64);
}
