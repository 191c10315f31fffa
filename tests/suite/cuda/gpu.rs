//! Every rule on a GPU, compared to the bit; ignored where there is none.
//!
//! The rule interpreter says what must come out; besides, engines of many groups are stepped with whole trains on the
//! GPU and on the processor, saved on one and restored on the other, and given more than there is room for.

use std::sync::OnceLock;

use aplysia::units::ms;
use aplysia::{Device, Engine, Error, Group, GroupId, Inputs, Plan, Recorder, Rule, Train};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::topology::Kind;
use libtest_mimic::{Failed, Trial};
use ndarray::Array2;

use super::{cases, topologies};
use crate::differential::{Seen, divided, expected};
use crate::machine::engine::Running;
use crate::machine::script::{Numbers, script, script_on};
use crate::machine::{Case, compare, trace};

/// No multiple of a run of neighbours, several runs, several blocks of a sum, many strips, nothing at all.
const SIZES: [(usize, usize); 7] = [(1, 1), (0, 3), (5, 7), (33, 72), (300, 8), (3, 1030), (64, 256)];

/// The GPU, opened once.
fn device() -> Result<&'static Device, Failed> {
    static DEVICE: OnceLock<Result<Device, Error>> = OnceLock::new();
    DEVICE.get_or_init(|| Device::cuda(0)).as_ref().map_err(|error| error.to_string().into())
}

/// The trials.
pub fn trials() -> Vec<Trial> {
    let without = device().is_err();
    let mut trials = Vec::new();
    for (name, text) in cases() {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("gpu::{name}::{precision:?}").to_lowercase();
            let text = text.clone();
            trials.push(Trial::test(title, move || shipped(name, &text, precision)));
        }
    }
    for (name, text) in topologies::RULES {
        for precision in [Precision::F32, Precision::F64] {
            let title = format!("gpu::topologies::{name}::{precision:?}").to_lowercase();
            trials.push(Trial::test(title, move || on_topologies(text, precision)));
        }
    }
    trials.push(Trial::test("gpu::trains_of_many_groups", many_groups));
    trials.push(Trial::test("gpu::saved_here_and_restored_there", checkpoints));
    trials.push(Trial::test("gpu::without_room_the_engine_stays_usable", no_room));
    trials.push(Trial::test("gpu::recordings_and_host_writes", host));
    trials.into_iter().map(|trial| trial.with_ignored_flag(without)).collect()
}

fn shipped(name: &str, text: &str, precision: Precision) -> Result<(), Failed> {
    let case = Case::new(name, text, None, &[])?;
    let device = device()?;
    // What is compiled stays loaded as long as somebody uses it.
    let mut kept = Vec::new();
    for (number, size) in SIZES.into_iter().enumerate() {
        let size = divided(&case.rule, size);
        let steps = if size.0 * size.1 > 500 { 8 } else { 16 };
        let script = script(&case.rule, size, precision, steps, number as u64 + 1);
        let expected = expected(&case, &script, &mut Seen::default())?;
        for plan in [Plan::Auto, Plan::FullPass, Plan::Events] {
            let context = |error: String| format!("{plan:?}, size {size:?}: {error}");
            let mut machine =
                Running::new(&case, &script, plan, device).map_err(|error| context(error.to_string()))?;
            let found = trace(&case.rule, &mut machine, &script).map_err(context)?;
            compare(&case.rule, &expected, &found).map_err(context)?;
            if number == 0 {
                kept.push(machine);
            }
        }
    }
    drop(kept);
    Ok(())
}

/// Every topology, with and without a batch, with inputs, calls and writes of the host: the GPU against the processor.
fn on_topologies(text: &str, precision: Precision) -> Result<(), Failed> {
    let case = topologies::case(text)?;
    let devices = [Device::cpu(), device()?.clone()];
    let mut compared = 0;
    for kind in Kind::ALL {
        let topology = topologies::topology(kind)?;
        for batch in topologies::BATCHES {
            let script = script_on(&case.rule, &topology, batch, precision, 8, 3);
            for plan in [Plan::FullPass, Plan::Events] {
                let mut found = Vec::new();
                for device in &devices {
                    // What the topology does not carry out is refused on both.
                    let Ok(mut machine) = Running::new(&case, &script, plan, device) else { continue };
                    found.push(trace(&case.rule, &mut machine, &script)?);
                }
                let context = |error: String| format!("{kind:?}, batch {batch}, {plan:?}: {error}");
                match found.as_slice() {
                    [] => {}
                    [here, there] => {
                        compare(&case.rule, here, there).map_err(context)?;
                        compared += 1;
                    }
                    _ => return Err(context("one device refuses it".to_owned()).into()),
                }
            }
        }
    }
    if compared == 0 { Err("no group could be made".into()) } else { Ok(()) }
}

/// Groups of rules that need nothing but spikes.
const RULES: [&str; 4] = ["stdp", "stdp_triplet", "stdp_soft", "istdp"];
const STEPS: usize = 40;

fn groups(device: &Device, count: usize) -> Result<(Engine, Vec<GroupId>), Failed> {
    let mut engine = Engine::new(device.clone())?;
    engine.set_seed(5);
    let mut ids = Vec::new();
    for number in 0..count {
        let rule = Rule::shipped(RULES[number % RULES.len()])?;
        let (pre, post) = size(number);
        let plan = if number % 3 == 0 { Plan::Events } else { Plan::Auto };
        ids.push(engine.register(Group::dense(pre, post).rule(&rule).dt(ms(1.0)).plan(plan))?);
    }
    Ok((engine, ids))
}

fn size(number: usize) -> (usize, usize) {
    (20 + 7 * (number % 5), 32 + 4 * (number % 9))
}

fn spikes(seed: u64, neurons: usize) -> Array2<bool> {
    let mut numbers = Numbers::new(seed);
    Array2::from_shape_fn((STEPS, neurons), |(step, _)| step % 5 != 4 && numbers.unit() < 0.08)
}

fn run(engine: &mut Engine, ids: &[GroupId]) -> Result<(), Failed> {
    let trains: Vec<[Array2<bool>; 2]> = (0..ids.len())
        .map(|number| {
            let (pre, post) = size(number);
            [spikes(2 * number as u64, pre), spikes(2 * number as u64 + 1, post)]
        })
        .collect();
    let mut inputs = Inputs::new();
    for (&id, [pre, post]) in ids.iter().zip(&trains) {
        inputs = inputs.group(id, Train::new().pre(pre.view()).post(post.view()));
    }
    engine.run(STEPS as u64, &inputs)?;
    Ok(())
}

fn weights(engine: &mut Engine, ids: &[GroupId]) -> Result<Vec<Vec<u32>>, Failed> {
    let mut all = Vec::new();
    for &id in ids {
        all.push(engine.read::<f32>(id, "w")?.iter().map(|weight| weight.to_bits()).collect());
    }
    Ok(all)
}

fn same(expected: &[Vec<u32>], found: &[Vec<u32>]) -> Result<(), Failed> {
    match expected.iter().zip(found).position(|(expected, found)| expected != found) {
        Some(group) => Err(format!("the weights of group {group} differ").into()),
        None if expected.len() == found.len() => Ok(()),
        None => Err("there are more groups on one side".into()),
    }
}

fn many_groups() -> Result<(), Failed> {
    let (mut here, ids) = groups(&Device::cpu(), 37)?;
    let (mut there, other) = groups(device()?, 37)?;
    for _ in 0..2 {
        run(&mut here, &ids)?;
        run(&mut there, &other)?;
        let expected = weights(&mut here, &ids)?;
        if expected.iter().flatten().all(|&bits| bits == 0.5f32.to_bits()) {
            return Err("no weight changed".into());
        }
        same(&expected, &weights(&mut there, &other)?)?;
    }
    Ok(())
}

fn checkpoints() -> Result<(), Failed> {
    let (mut here, ids) = groups(&Device::cpu(), 5)?;
    let (mut there, other) = groups(device()?, 5)?;
    run(&mut there, &other)?;
    let mut saved = Vec::new();
    there.save_to(&mut saved)?;
    here.restore_from(saved.as_slice())?;
    run(&mut here, &ids)?;
    run(&mut there, &other)?;
    same(&weights(&mut here, &ids)?, &weights(&mut there, &other)?)?;
    let mut saved = Vec::new();
    here.save_to(&mut saved)?;
    run(&mut there, &other)?;
    there.restore_from(saved.as_slice())?;
    same(&weights(&mut here, &ids)?, &weights(&mut there, &other)?)
}

fn no_room() -> Result<(), Failed> {
    let (mut engine, ids) = groups(device()?, 2)?;
    let large = Group::dense(1 << 20, 1 << 19).rule(&Rule::shipped("stdp")?);
    match engine.register(large) {
        Err(Error::NoMemory { name, bytes }) if name.contains("group 2") && bytes > 1 << 40 => {}
        Err(error) => return Err(format!("another error: {error}").into()),
        Ok(_) => return Err("two tebibytes were found".into()),
    }
    run(&mut engine, &ids)?;
    weights(&mut engine, &ids).map(|_| ())
}

fn host() -> Result<(), Failed> {
    let mut outcomes = Vec::new();
    for device in [Device::cpu(), device()?.clone()] {
        let (mut engine, ids) = groups(&device, 3)?;
        let recording = engine.record(ids[0], &Recorder::new(["w", "x"]).every(7))?;
        run(&mut engine, &ids)?;
        engine.write(ids[1], "w", 0.25)?;
        engine.reset(ids[2], "w")?;
        run(&mut engine, &ids)?;
        let rows: Vec<u32> =
            engine.trace::<f32>(recording, "w")?.iter().map(|weight| weight.to_bits()).collect();
        let mut all = weights(&mut engine, &ids)?;
        all.push(rows);
        outcomes.push(all);
    }
    same(&outcomes[0], &outcomes[1])
}
