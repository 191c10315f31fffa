//! Rewrites of the rule IR that keep its meaning.

pub mod integrate;
