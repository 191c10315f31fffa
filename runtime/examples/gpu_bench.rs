//! How fast steps are on a GPU, against a copy inside its memory that is measured in the same run.
//!
//! `gpu_bench [full] [events] [groups]`; all of them where none is named. A full pass reads and writes the
//! synaptic arrays once: its bytes, over the time of a step on the GPU, are held against the bytes of a copy over its
//! time. The time of a step contains everything: spikes put in place, neurons, synapses.

use std::error::Error;
use std::time::Instant;

use aplysia::cuda::measure::{Stopwatch, copy_bandwidth};
use aplysia::units::ms;
use aplysia::{Device, Engine, Group, GroupId, Inputs, Plan, Rule, Train};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Rounds of which the best is taken.
const ROUNDS: usize = 5;

/// A line of the table.
struct Line {
    what: String,
    micros: f64,
    bytes: f64,
}

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| {
        let named = |known: &str| arguments.iter().any(|argument| argument == known);
        named(name) || !["full", "events", "groups"].iter().any(|known| named(known))
    };
    let device = Device::cuda(0)?;
    let copy = copy_bandwidth(&device, 2 << 30, 10)?;
    println!("{device}");
    println!("copy inside the memory: {:.0} GB/s read and written\n", copy / 1e9);
    let mut lines = Vec::new();
    if wanted("full") {
        full(&device, &mut lines)?;
    }
    if wanted("events") {
        events(&device, &mut lines)?;
    }
    println!("{:<52} {:>12} {:>10} {:>8}", "step", "µs", "GB/s", "of copy");
    for line in &lines {
        let rate = line.bytes / line.micros / 1e3;
        if line.bytes > 0.0 {
            let share = 100.0 * rate * 1e9 / copy;
            println!("{:<52} {:>12.1} {rate:>10.0} {share:>6.0} %", line.what, line.micros);
        } else {
            println!("{:<52} {:>12.1}", line.what, line.micros);
        }
    }
    if wanted("groups") {
        groups(&device)?;
    }
    Ok(())
}

/// Milliseconds of a step: trains of `steps` steps, the best of some rounds.
fn step_time(
    engine: &mut Engine,
    ids: &[GroupId],
    sizes: &[(usize, usize)],
    share: f64,
    steps: u64,
) -> Outcome<f64> {
    let trains: Vec<[Spikes; 2]> = (0u64..)
        .zip(sizes)
        .map(|(number, &(pre, post))| {
            [Spikes::new(2 * number + 1, steps, pre, share), Spikes::new(2 * number + 2, steps, post, share)]
        })
        .collect();
    let watch = Stopwatch::new_for(engine)?;
    let mut best = f64::INFINITY;
    for _ in 0..=ROUNDS {
        let mut inputs = Inputs::new();
        for (&id, [pre, post]) in ids.iter().zip(&trains) {
            let train = Train::new().pre_events(&pre.step, &pre.index).post_events(&post.step, &post.index);
            inputs = inputs.group(id, train);
        }
        engine.wait()?;
        watch.start()?;
        engine.run(steps, &inputs)?;
        best = best.min(watch.stop()? / steps as f64);
    }
    Ok(best)
}

/// Spikes in a list.
struct Spikes {
    step: Vec<u64>,
    index: Vec<u32>,
}

impl Spikes {
    /// With a given share of neurons in each step, by a linear congruential generator.
    fn new(seed: u64, steps: u64, neurons: usize, share: f64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let below = (share * f64::from(u32::MAX)) as u64;
        let mut spikes = Self { step: Vec::new(), index: Vec::new() };
        for step in 0..steps {
            for index in 0..neurons as u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if state >> 32 < below {
                    spikes.step.push(step);
                    spikes.index.push(index);
                }
            }
        }
        spikes
    }
}

fn engine(device: &Device, name: &str, size: usize, plan: Plan) -> Outcome<(Engine, GroupId)> {
    let mut engine = Engine::new(device.clone())?;
    let rule = Rule::shipped(name)?;
    let mut group = Group::dense(size, size).rule(&rule).dt(ms(1.0)).plan(plan);
    for parameter in required(&rule)? {
        group = group.param(parameter, 0.01);
    }
    let id = engine.register(group)?;
    for input in inputs(&rule)? {
        engine.set_input(id, input.as_str(), &[0.5f32])?;
    }
    Ok((engine, id))
}

/// Parameters without a default.
fn required(rule: &Rule) -> Outcome<Vec<String>> {
    use aplysia::compiler::ir::VarKind;
    let rule = rule.ir()?;
    let open = rule.variables.iter().filter(|(_, of)| of.kind == VarKind::Param && of.init.is_empty());
    Ok(open.map(|(_, of)| of.address()).collect())
}

/// Inputs that a step demands.
fn inputs(rule: &Rule) -> Outcome<Vec<String>> {
    use aplysia::compiler::ir::VarKind;
    let rule = rule.ir()?;
    let open = rule.variables.iter().filter(|(_, of)| of.kind == VarKind::Input { required: true });
    Ok(open.map(|(_, of)| of.address()).collect())
}

fn full(device: &Device, lines: &mut Vec<Line>) -> Outcome {
    for name in ["stdp", "conex_stdp", "cortex"] {
        for size in [4096, 16384, 32768] {
            let (mut engine, id) = engine(device, name, size, Plan::FullPass)?;
            let steps = if size > 20000 { 100 } else { 400 };
            let time = step_time(&mut engine, &[id], &[(size, size)], 0.02, steps)?;
            let bytes = passes(&engine, id)? * (size * size * 4) as f64;
            lines.push(Line {
                what: format!("{name}, {size} x {size}, full pass"),
                micros: 1000.0 * time,
                bytes,
            });
        }
    }
    Ok(())
}

/// How often a step reads or writes an array of all synapses.
fn passes(engine: &Engine, id: GroupId) -> Outcome<f64> {
    use aplysia::compiler::kernel::{Access, BufferKind};
    use aplysia::compiler::plan::program::Action;
    let program = engine.program(id)?;
    let mut passes = 0;
    for action in &program.step.actions {
        let launch = match action {
            Action::Launch(launch) => Some(launch),
            Action::Choose(alternatives) => alternatives.last().and_then(|last| match last.actions.first() {
                Some(Action::Launch(launch)) => Some(launch),
                _ => None,
            }),
            Action::Clear(_) => None,
        };
        let Some(launch) = launch else { continue };
        for (_, buffer) in program.kernels[launch.kernel].buffers.iter() {
            if buffer.kind == BufferKind::Synapse {
                passes += if buffer.access == Access::ReadWrite { 2 } else { 1 };
            }
        }
    }
    Ok(f64::from(passes))
}

fn events(device: &Device, lines: &mut Vec<Line>) -> Outcome {
    for share in [0.001, 0.01, 0.05] {
        for (plan, word) in [(Plan::Events, "events"), (Plan::FullPass, "full pass"), (Plan::Auto, "auto")] {
            let size = 16384;
            let (mut engine, id) = engine(device, "stdp", size, plan)?;
            let time = step_time(&mut engine, &[id], &[(size, size)], share, 200)?;
            let what = format!("stdp, {size} x {size}, {:.1} % spike, {word}", 100.0 * share);
            lines.push(Line { what, micros: 1000.0 * time, bytes: 0.0 });
        }
    }
    Ok(())
}

/// A step of a hundred small groups: on the GPU, and what the host does for it.
fn groups(device: &Device) -> Outcome {
    let rules = [Rule::shipped("stdp")?, Rule::shipped("stdp_triplet")?];
    let mut engine = Engine::new(device.clone())?;
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    for number in 0..100 {
        let side = 32 * (1 + number % 4);
        ids.push(engine.register(Group::dense(side, side).rule(&rules[number % 2]).dt(ms(1.0)))?);
        sizes.push((side, side));
    }
    let gathered = step_time(&mut engine, &ids, &sizes, 0.05, 200)?;
    let begin = Instant::now();
    for _ in 0..200 {
        engine.step(&[])?;
    }
    engine.wait()?;
    let single = begin.elapsed().as_secs_f64() / 200.0;
    println!("\na step of 100 groups of 32 x 32 to 128 x 128");
    println!("  with whole trains, one graph a step: {:>8.1} µs", 1000.0 * gathered);
    println!("  step by step, sending each:          {:>8.1} µs", 1e6 * single);
    Ok(())
}
