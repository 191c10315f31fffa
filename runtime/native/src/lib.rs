//! What code that `aplysia::plasticity!` makes needs at run time, without the standard library where that is asked for.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

mod kernel;

pub use kernel::{Pairs, Real, StoredBlocks, count, halve, row, row_mut, tile};
