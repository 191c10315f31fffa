//! Interpreters: slow, safe, and the oracles of everything else.

pub mod kernel;
pub mod rule;
pub mod wide;
