//! The `plasticity!` macro.
