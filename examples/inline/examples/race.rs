//! How long a step takes: the same rules compiled by rustc and, when the program runs, by Cranelift. One thread each.
//!
//! `cargo run --release -p aplysia-example-inline --example race`, with names of rules behind `--` for some of them. Cranelift
//! is timed twice: with the better of the two plans that a module has, and with the plan that the engine chooses.

use std::time::Instant;

use aplysia::native::{Dense, Item};
use aplysia::prelude::*;

aplysia::plasticity! { use std::stdp; rule pairs = stdp; }
aplysia::plasticity! { use std::stdp_triplet; rule triplets = stdp_triplet; }
aplysia::plasticity! { use std::stdp_soft; rule soft = stdp_soft; }
aplysia::plasticity! { use std::stdp; use std::normalise; rule normalised = stdp + normalise; }
aplysia::plasticity! { use std::rstdp; rule rewarded = rstdp; }
aplysia::plasticity! {
    use std::stdp; use std::rate_homeostasis; use std::fuzzy_lr; use std::dale;
    rule cortex = stdp + rate_homeostasis + fuzzy_lr + dale;
}
aplysia::plasticity! {
    topologies = [dense], batch = true;
    use std::hebbian; use std::adam;
    rule patterns = hebbian + adam;
}
aplysia::plasticity! {
    topologies = [dense];
    /// A draw, an exponential and a mean of all weights for each synapse in every step.
    rule noisy {
        param rate = 0.1;
        synapse input gradient;
        plastic w = 0.5;
        synapse state f = 1;
        update { dw -= gradient; }
        modulate {
            let z = normal[synapse](0, 1);
            let l = 0.1 * exp(-2 * (abs(w) / (abs(w) + 1)));
            dw *= abs(l + 0.2 * l * z) * f;
        }
        apply {
            if abs(dw) > mean[synapse](abs(w)) { f *= 0.6; }
            w += rate * dw;
        }
    }
}
aplysia::plasticity! {
    topologies = [dense];
    /// Pairs, homeostatic scaling, decay, fixed signs and bounds in one pass.
    rule stack {
        param target = 0.01;
        shared pre input sign;
        plastic w in -1 .. 1 = 0.5;
        pre state x;
        post state y;
        post state r;
        dx/dt = -x / 20 ms;
        dy/dt = -y / 20 ms;
        on pre { x += 1; }
        on post { y += 1; dw += 0.01 * x; }
        on pre { dw -= 0.012 * y; }
        update { r += (post.spike - r) * 0.001; }
        apply { w = (w + dw) * (1 + 0.01 * (target - mean[batch](r))) - 0.0001 * w; }
        constrain { w = max(w * sign, 0) * sign; }
    }
}

/// Neurons of each side.
const SIDE: usize = 1000;
/// What a dense group has of them.
const SYNAPSES: usize = SIDE * SIDE;
/// Activities of 32 patterns.
const ACTIVITIES: usize = 32 * SIDE;
/// Steps of one measurement, of which the fastest counts.
const STEPS: usize = 20;
/// Measurements.
const TURNS: usize = 9;

/// Every so-many-th neuron spikes; none does where that is 0.
fn spikes(step: usize, every: usize) -> Vec<u32> {
    let all = (0..SIDE as u32).filter(|k| every > 0 && (*k as usize + step).is_multiple_of(every));
    all.collect()
}

/// Numbers for an input. A sign is 1 or -1: with fractions weights would shrink to numbers that processors are slow with.
fn numbers(input: &str, count: usize) -> Vec<f32> {
    let numbers = (0..count).map(|k| ((k * 7919) % 1000) as f32 / 1000.0 - 0.3);
    if input == "sign" { numbers.map(f32::signum).collect() } else { numbers.collect() }
}

/// The shortest of several times for a step, in microseconds.
fn fastest(mut steps: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..TURNS {
        let start = Instant::now();
        steps();
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / STEPS as f64);
    }
    best
}

/// What is raced.
struct Case<'a> {
    item: &'a Item,
    batch: usize,
    /// The inputs, by name, which are held.
    given: &'a [(&'static str, Vec<f32>)],
    every: usize,
}

fn compiled(case: &Case<'_>, plan: Plan) -> Result<f64> {
    let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
    let rule = Rule::from_item(case.item)?;
    let group = Group::dense(SIDE, SIDE).batch(case.batch).rule(&rule).plan(plan).seed(7);
    let group = engine.register(group)?;
    for (name, values) in case.given {
        engine.set_input(group, *name, values)?;
    }
    let trains: Vec<Vec<u32>> = (0..STEPS).map(|step| spikes(step, case.every)).collect();
    let mut error = None;
    let time = fastest(|| {
        for train in &trains {
            let events = Events::new();
            let events = if case.every > 0 { events.pre(train).post(train) } else { events };
            error = engine.step(&[(group, events)]).err().or(error.take());
        }
    });
    error.map_or(Ok(time), Err)
}

fn show(name: &str, share: &str, case: &Case<'_>, own: f64) -> Result<()> {
    // A module takes rows and columns, where a rule has such a plan, or all synapses, whichever is cheaper in a step.
    let full = compiled(case, Plan::FullPass)?;
    let same = compiled(case, Plan::Events).map_or(full, |events| events.min(full));
    let chosen = compiled(case, Plan::Auto)?;
    println!(
        "| {name} | {share} | {own:.1} | {same:.1} | {chosen:.1} | {:.2} | {:.2} |",
        own / same,
        own / chosen
    );
    Ok(())
}

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "{SIDE} × {SIDE} neurons, f32, microseconds a step, the fastest of {TURNS} times {STEPS} steps\n"
    );
    println!("| rule | spikes | rustc | Cranelift, same plans | Cranelift, its own plan | ratio | ratio |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    macro_rules! race {
        ($module:ident, batch [$($batch:literal)?], inputs [$($input:ident $set:ident $count:tt),*], spikes [$($every:literal $share:literal),*]) => {
            if wanted.is_empty() || wanted.iter().any(|name| name == stringify!($module)) {
                let given = [$((stringify!($input), numbers(stringify!($input), $count))),*];
                for (every, share) in [$(($every, $share)),*] {
                    let topology = Dense { pre: SIDE, post: SIDE };
                    let builder = $module::Builder::new(topology, Default::default());
                    let builder = builder.options($module::Options { seed: 7, ..Default::default() });
                    let mut group = race!(@batch builder [$($batch)?]).build().expect("a group");
                    $(group.$set(race!(@one $count, numbers(stringify!($input), $count)));)*
                    let trains: Vec<Vec<u32>> = (0..STEPS).map(|step| spikes(step, every)).collect();
                    let own = fastest(|| trains.iter().for_each(|train| group.step(train, train)));
                    let batch = [$($batch,)? 1][0];
                    let case = Case { item: &$module::ITEM, batch, given: &given, every };
                    show(stringify!($module), share, &case, own)?;
                }
            }
        };
        (@batch $builder:ident []) => { $builder };
        (@batch $builder:ident [$batch:literal]) => { $builder.batch($batch) };
        (@one 1, $values:expr) => { $values[0] };
        (@one $count:tt, $values:expr) => { &$values };
    }
    race!(pairs, batch [], inputs [], spikes [100 "1 %", 3 "33 %"]);
    race!(triplets, batch [], inputs [], spikes [100 "1 %", 3 "33 %"]);
    race!(soft, batch [], inputs [], spikes [100 "1 %", 3 "33 %"]);
    race!(normalised, batch [], inputs [], spikes [100 "1 %", 3 "33 %"]);
    race!(rewarded, batch [], inputs [reward set_reward 1], spikes [100 "1 %", 3 "33 %"]);
    race!(cortex, batch [], inputs [], spikes [100 "1 %", 3 "33 %"]);
    race!(patterns, batch [32], inputs [z_pre set_z_pre ACTIVITIES, z_post set_z_post ACTIVITIES], spikes [0 "none"]);
    race!(noisy, batch [], inputs [gradient set_gradient SYNAPSES], spikes [0 "none"]);
    race!(stack, batch [], inputs [sign set_sign SIDE], spikes [100 "1 %", 3 "33 %"]);
    Ok(())
}
