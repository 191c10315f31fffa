//! The rate of the excitatory neurons, second by second, while their inhibition learns: `cargo run --release --example brunel`.

fn main() {
    for (second, rate) in aplysia_example_inline::brunel::rates(20).into_iter().enumerate() {
        println!("{:>3} s {rate:>6.1} Hz {}", second + 1, "█".repeat(rate as usize));
    }
}
