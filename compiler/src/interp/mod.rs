//! Interpreters: slow, safe, and the oracles of everything else.

pub mod kernel;
pub mod order;
pub mod program;
pub mod rule;
pub mod scalar;
pub mod wide;
