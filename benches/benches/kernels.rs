//! A step of one kind of kernel each, on one thread: 512 × 512 synapses, which fit into a processor's own cache.
//!
//! `cargo bench -p aplysia-bench --bench kernels -- --quick`

use std::time::Duration;

use aplysia::{Device, Engine, Events, Group, Plan, Rule};
use criterion::{Criterion, Throughput};

const SIDE: usize = 512;

/// A name, a rule, its plan, and one in how many neurons of each side spikes.
const CASES: [(&str, &str, Plan, usize); 13] = [
    ("full pass", include_str!("../rules/w1.rule"), Plan::FullPass, 100),
    ("event rows and columns, 1 %", include_str!("../rules/w1.rule"), Plan::Events, 100),
    ("event rows and columns, 5 %", include_str!("../rules/w1.rule"), Plan::Events, 20),
    ("nothing spikes", include_str!("../rules/w1.rule"), Plan::Events, usize::MAX),
    ("transmission", "rule c { plastic w = 0.5; post output o; on pre { o += w; } }", Plan::Auto, 20),
    (
        "sum over pre",
        "rule c { plastic w = 0.5; post state s; update { s = sum[pre](w); } }",
        Plan::Auto,
        100,
    ),
    (
        "sum over post",
        "rule c { plastic w = 0.5; pre state s; update { s = sum[post](w); } }",
        Plan::Auto,
        100,
    ),
    (
        "sum of all",
        "rule c { plastic w = 0.5; global state s; update { s = sum[synapse](w); } }",
        Plan::Auto,
        100,
    ),
    ("uniform", "rule c { plastic w; update { let u = uniform[synapse](0, 1); dw += u; } }", Plan::Auto, 100),
    ("normal", "rule c { plastic w; update { let z = normal[synapse](0, 1); dw += z; } }", Plan::Auto, 100),
    ("exp", "rule c { plastic w = 0.5; apply { w = exp(-w); } }", Plan::Auto, 100),
    ("tanh", "rule c { plastic w = 0.5; apply { w = tanh(w) + 0.5; } }", Plan::Auto, 100),
    ("divide and root", "rule c { plastic w = 0.5; apply { w = 1 / (sqrt(w) + 1); } }", Plan::Auto, 100),
];

fn main() -> aplysia::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("kernels");
    group.throughput(Throughput::Elements((SIDE * SIDE) as u64));
    group.measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(200)).sample_size(20);
    for (name, text, plan, every) in CASES {
        let rule = Rule::from_source(name, text)?;
        let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
        let id = engine.register(Group::dense(SIDE, SIDE).rule(&rule).plan(plan).seed(1))?;
        let spikes: Vec<u32> = (1..SIDE as u32).step_by(every).filter(|_| every < usize::MAX).collect();
        engine.step(&[])?;
        let mut outcome = Ok(());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let taken = engine.step(&[(id, Events::new().pre(&spikes).post(&spikes))]);
                if taken.is_err() {
                    outcome = taken;
                }
            });
        });
        outcome?;
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
