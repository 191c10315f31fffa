//! How long a step takes: the same rules compiled by rustc and, when the program runs, by Cranelift. One thread each.

use std::time::Instant;

use aplysia::native::Item;
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

/// Neurons of each side.
const SIDE: usize = 1000;
/// Steps of one measurement, of which the fastest counts.
const STEPS: usize = 20;

/// Every so-many-th neuron spikes.
fn spikes(step: usize, every: usize) -> Vec<usize> {
    (0..SIDE).filter(|k| (k + step).is_multiple_of(every)).collect()
}

/// The shortest of several times for a step, in microseconds.
fn fastest(mut steps: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        steps();
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / STEPS as f64);
    }
    best
}

fn compiled(item: &Item, every: usize) -> Result<f64> {
    let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
    let rule = Rule::from_item(item)?;
    let group = engine.register(Group::dense(SIDE, SIDE).rule(&rule).seed(7))?;
    let trains: Vec<Vec<u32>> =
        (0..STEPS).map(|step| spikes(step, every).iter().map(|&k| k as u32).collect()).collect();
    Ok(fastest(|| {
        for train in &trains {
            let events = Events::new().pre(train).post(train);
            if engine.step(&[(group, events)]).is_err() {
                panic!("a step");
            }
        }
    }))
}

fn inline(mut step: impl FnMut(&[usize]), every: usize) -> f64 {
    let trains: Vec<Vec<usize>> = (0..STEPS).map(|step| spikes(step, every)).collect();
    fastest(|| trains.iter().for_each(|train| step(train)))
}

fn main() -> Result<()> {
    println!("{:<12} {:>8} {:>12} {:>12} {:>7}", "rule", "spikes", "rustc µs", "cranelift µs", "ratio");
    macro_rules! race {
        ($($module:ident)*) => {
            $(
                for (every, share) in [(100, "1 %"), (3, "33 %")] {
                    let mut group = $module::Group::dense(SIDE, SIDE, Default::default());
                    let own = inline(|train| group.step(train, train), every);
                    let jit = compiled(&$module::ITEM, every)?;
                    println!(
                        "{:<12} {share:>8} {own:>12.1} {jit:>12.1} {:>7.2}",
                        stringify!($module),
                        own / jit
                    );
                }
            )*
        };
    }
    race!(pairs triplets soft normalised rewarded cortex);
    Ok(())
}
