//! Rules inside Rust: `plasticity!` makes a module of each, compiled by rustc with the rest of the program.

#![forbid(unsafe_code)]

pub mod brunel;
pub mod digits;
pub mod distal;
pub mod random;

use aplysia::plasticity;

plasticity! {
    /// Pair-based spike-timing-dependent plasticity (Song, Miller & Abbott 2000).
    rule stdp {
        /// How much a postsynaptic spike strengthens.
        param a_plus = 0.01;
        /// How much a presynaptic spike weakens.
        param a_minus = 0.012;
        param tau_plus = 20 ms;
        param tau_minus = 20 ms;

        plastic w in 0 .. 1 = 0.5;

        pre state x;
        post state y;
        dx/dt = -x / tau_plus;
        dy/dt = -y / tau_minus;

        on pre { x += 1; dw -= a_minus * y; }
        on post { y += 1; dw += a_plus * x; }
    }
}
