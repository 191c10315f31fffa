//! Many small groups in one engine: what a step costs beside its arithmetic.
//!
//! `cargo run --release --example small_groups [-- RULE]` takes steps of one group of 32 × 32 and of 1,000 of them, without
//! spikes and with 1 % of the neurons spiking, on one thread and on two, and prints the median and the least of many
//! repetitions, in nanoseconds a group.

use std::time::Instant;

use aplysia::{Device, Engine, Events, Group, GroupId, Rule};

const SIZE: u32 = 32;
const REPETITIONS: usize = 31;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "stdp".to_owned());
    let rule = Rule::shipped(&name)?;
    println!("| groups | threads | spikes | ns a group | least |\n| --- | --- | --- | --- | --- |");
    for groups in [1, 10, 100, 1000] {
        for threads in [1, 2] {
            let mut engine = Engine::new(Device::cpu_with_threads(threads)?)?;
            let start = Instant::now();
            let register = |_| engine.register(Group::dense(SIZE as usize, SIZE as usize).rule(&rule));
            let ids: Vec<GroupId> = (0..groups).map(register).collect::<Result<_, _>>()?;
            let registered = start.elapsed();
            for share in [0, 100] {
                let mut times = measure(&mut engine, &ids, share)?;
                times.sort_by(f64::total_cmp);
                let (median, least) = (times[times.len() / 2], times[0]);
                let spikes = if share == 0 { "none" } else { "1 %" };
                println!("| {groups} | {threads} | {spikes} | {median:.0} | {least:.0} |");
            }
            if groups == 1000 && threads == 1 {
                println!("(registered in {:.1} ms)", registered.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(())
}

/// Nanoseconds a group and step, of each repetition. One neuron in `share` spikes in a step; none where it is 0.
fn measure(engine: &mut Engine, ids: &[GroupId], share: u32) -> Outcome<Vec<f64>> {
    let steps = (100_000 / ids.len()).max(20);
    let mut times = Vec::new();
    for _ in 0..=REPETITIONS {
        let mut random = 1u32;
        let lists: Vec<Vec<[Vec<u32>; 2]>> = (0..steps.min(200))
            .map(|_| ids.iter().map(|_| [spikes(&mut random, share), spikes(&mut random, share)]).collect())
            .collect();
        let events: Vec<Vec<(GroupId, Events<'_>)>> = lists
            .iter()
            .map(|step| {
                let named =
                    ids.iter().zip(step).filter(|(_, [pre, post])| !pre.is_empty() || !post.is_empty());
                named.map(|(id, [pre, post])| (*id, Events::new().pre(pre).post(post))).collect()
            })
            .collect();
        let start = Instant::now();
        for step in 0..steps {
            engine.step(&events[step % events.len()])?;
        }
        times.push(start.elapsed().as_nanos() as f64 / (steps * ids.len()) as f64);
    }
    // The first repetition creates the groups.
    times.remove(0);
    Ok(times)
}

fn spikes(random: &mut u32, share: u32) -> Vec<u32> {
    let mut spikes = Vec::new();
    for neuron in 0..SIZE {
        *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if share > 0 && (*random >> 8).is_multiple_of(share) {
            spikes.push(neuron);
        }
    }
    spikes
}
