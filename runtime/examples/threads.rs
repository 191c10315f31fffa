//! What a second thread brings, beside what it brings to the machine's own bandwidth.
//!
//! `cargo run --release --example threads [-- NEURONS]` measures, on one thread and on two and in turns, a copy of arrays
//! that no cache holds, and steps of dense groups of so many neurons on each side (4000): full passes, a full pass with a
//! sum over each column, and steps of events. It prints the least times and their ratios.

use std::time::Instant;

use aplysia::{Device, Engine, Events, Group, GroupId, Plan, Rule};

const ROUNDS: usize = 7;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A rule that reads and writes each weight once, and one that also sums over columns.
const RULES: [(&str, &str, Plan, u32); 4] = [
    ("full pass", STDP, Plan::FullPass, 100),
    ("full pass and sums", SUMS, Plan::FullPass, 100),
    ("events 1 %", STDP, Plan::Events, 100),
    ("events 5 %", STDP, Plan::Events, 20),
];
const STDP: &str = "rule stdp { plastic w in 0 .. 1 = 0.5; pre state x; post state y;
    dx/dt = -x / 20 ms; dy/dt = -y / 20 ms;
    on pre { x += 1; dw -= 0.0012 * y; } on post { y += 1; dw += 0.001 * x; } }";
const SUMS: &str = "rule sums { plastic w in 0 .. 1 = 0.5; pre state x; post state y; post output i;
    dx/dt = -x / 20 ms; dy/dt = -y / 20 ms;
    on pre { x += 1; dw -= 0.0012 * y; } on post { y += 1; dw += 0.001 * x; }
    update { i = sum[pre](w * x); } }";

fn main() -> Outcome<()> {
    let neurons: usize = std::env::args().nth(1).map_or(Ok(4000), |count| count.parse())?;
    println!("| what | 1 thread, ms | 2 threads, ms | ratio |\n| --- | --- | --- | --- |");
    let length = (neurons * neurons / 2).max(1 << 16);
    let (mut from, mut to) = (vec![1.0f32; length], vec![0.0f32; length]);
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (threads, least) in [1, 2].into_iter().zip(&mut least) {
            *least = least.min(copy(threads, &mut from, &mut to));
        }
    }
    row("copy of two arrays", least);
    for (name, text, plan, share) in RULES {
        let rule = Rule::from_source(name, text)?;
        let mut engines = Vec::new();
        for threads in [1, 2] {
            let mut engine = Engine::new(Device::cpu_with_threads(threads)?)?;
            let id = engine.register(Group::dense(neurons, neurons).rule(&rule).plan(plan))?;
            engine.step(&[])?;
            engines.push((engine, id));
        }
        let mut least = [f64::INFINITY; 2];
        for _ in 0..ROUNDS {
            for ((engine, id), least) in engines.iter_mut().zip(&mut least) {
                *least = least.min(steps(engine, *id, neurons as u32, share)?);
            }
        }
        row(name, least);
    }
    Ok(())
}

fn row(name: &str, [one, two]: [f64; 2]) {
    println!("| {name} | {one:.3} | {two:.3} | {:.2} |", one / two);
}

/// Milliseconds of a copy, the array shared among threads.
fn copy(threads: usize, from: &mut [f32], to: &mut [f32]) -> f64 {
    let share = from.len().div_ceil(threads);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (from, to) in from.chunks(share).zip(to.chunks_mut(share)) {
            scope.spawn(move || {
                for (to, from) in to.iter_mut().zip(from) {
                    *to += from * 0.5;
                }
            });
        }
    });
    start.elapsed().as_secs_f64() * 1e3
}

/// Milliseconds of a step, of one neuron in `share` spiking on each side.
fn steps(engine: &mut Engine, id: GroupId, neurons: u32, share: u32) -> Outcome<f64> {
    let steps = 5;
    let mut total = 0.0;
    for step in 0..steps {
        let spikes: Vec<u32> = (0..neurons).filter(|k| (k * 7 + step) % share == 0).collect();
        let start = Instant::now();
        engine.step(&[(id, Events::new().pre(&spikes).post(&spikes))])?;
        total += start.elapsed().as_secs_f64() * 1e3;
    }
    Ok(total / f64::from(steps))
}
