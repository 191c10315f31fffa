//! From a rule and a topology to a [`program::Program`].

pub mod program;
