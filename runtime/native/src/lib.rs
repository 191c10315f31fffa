//! What code that `aplysia::plasticity!` makes needs at run time: arrays and sizes of groups, the order of sums, the
//! choice of a vector width. It goes without the standard library; without it square roots, rounding and fused
//! operations are computed, to the same bits, by `libm`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod group;
mod kernel;

pub use alloc::vec::Vec;

pub use group::{
    Dense, Error, Item, Launch, Options, Run, Scaled, Spikes, Value, Values, blocks, dispatch, expect,
    parameter, store, store_whole, zeros,
};
pub use kernel::{Pairs, Real, StoredBlocks, count, halve, row, row_mut, tile};
