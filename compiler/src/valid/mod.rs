//! Verifies an IR and yields the facts that later stages demand.

pub mod flow;
pub mod kernel;
pub mod rule;
