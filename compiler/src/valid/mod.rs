//! Verifies an IR and yields the facts that later stages demand.

pub mod kernel;
pub mod rule;
