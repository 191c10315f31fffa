//! What code that `aplysia::plasticity!` makes needs at run time: arrays and sizes of groups, the order of sums, the
//! choice of a vector width. It goes without the standard library; without it square roots, rounding and fused
//! operations are computed, to the same bits, by `libm`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod group;
mod kernel;
mod tile;

pub use alloc::vec::Vec;

pub use error::{Error, expect};
pub use group::{
    Array, Dense, Item, Launch, Options, Run, Scaled, Spikes, Value, Values, blocks, dispatch, parameter,
    store, store_whole, zeros,
};
pub use kernel::{Pairs, Real, StoredBlocks, count, halve, row, row_mut, tile};
pub use tile::Tile;

#[cfg(feature = "macros")]
#[doc(hidden)]
pub use aplysia_macros::plasticity_at;

/// Rules inside Rust, as modules; see `aplysia::plasticity!`.
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! plasticity {
    ($($tokens:tt)*) => {
        $crate::plasticity_at! { ($crate) $($tokens)* }
    };
}
