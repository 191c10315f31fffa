//! The rewarded synapse beside all others, minute by minute: `cargo run --release --example distal`.

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for (minute, moment) in
        aplysia_example_inline::distal::learn(1800, (1.0, 3.0), seed).into_iter().enumerate()
    {
        println!(
            "{:>3} min: rewarded {:.2} mV, others {:.2} mV, {:>4} rewards, {:.1} Hz",
            minute + 1,
            moment.rewarded,
            moment.others,
            moment.rewards,
            moment.rate
        );
    }
}
