//! Many rules, one rule.
//!
//! Goes in: a rule's place in a [`Library`], or open rules that the host has. Comes out: one open rule with the stages
//! of all parts merged in the order written ([`merge`]), and from it a finished one ([`finish`]): externs found, equal
//! states kept once, the default apply and the clips to the declared ranges written out.
//!
//! Compositions of compositions are flattened before anything is lowered, and merging appends; that makes composing
//! associative. Not done here: what a single rule means (`check`), and anything that makes a rule faster (`pass`).

mod address;
mod append;
mod argument;
mod creation;
mod elaborate;
mod equal;
mod expand;
mod finish;
mod link;
mod merge;
mod part;
mod shared;
mod signature;
#[cfg(test)]
mod tests;

pub use address::{LookupError, find};
pub use append::shift_files;
pub use finish::finish;
pub use merge::{compose, merge};

pub(crate) use elaborate::{elaborate, options};

#[cfg(doc)]
use crate::library::Library;
