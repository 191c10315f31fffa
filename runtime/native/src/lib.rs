//! What code that `aplysia::plasticity!` makes needs at run time: arrays and sizes of groups, the order of sums, the
//! choice of a vector width. It goes without the standard library; without it square roots, rounding and fused
//! operations are computed, to the same bits, by `libm`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod connect;
mod dispatch;
mod error;
mod group;
mod kernel;
mod lagging;
mod memory;
mod named;
#[cfg(all(feature = "std", target_os = "linux"))]
mod pages;
mod part;
mod run;
mod spikes;
mod strip;
mod tile;

pub use aplysia_math::MathFn;
pub use aplysia_topology::{
    Convolution, ConvolutionError, Count, Side, Sparse, SparseError, Table, Tables, Topology,
};
pub use connect::{Batched, Connected, Conv2d, Dense, Local2d, OneToOne};
pub use dispatch::{Launch, dispatch};
pub use error::{Error, expect};
pub use group::{
    Array, Given, Index, Item, Options, Scaled, Value, Values, blocks, parameter, store, store_exact, table,
    zeros,
};
pub use kernel::{
    Pairs, Real, StoredBlocks, bytes, count, four, four_mut, halve, line, line_mut, pairwise, rest, rest_mut,
    row, row_mut, tile,
};
pub use lagging::Lagging;
pub use memory::{Cell, Memory};
pub use named::{Element, at, named};
pub use part::{AHEAD, PART, Part, fetch, parts};
pub use run::Run;
pub use spikes::{Room, Spikes};
pub use strip::{Draws, function, normals, words};
pub use tile::{Tile, panel_size};

/// The crate that finds the processor's vectors, for loops of one's own: what is handed to it is compiled for each width, and
/// the widest runs.
///
/// ```
/// use aplysia_native::pulp::Arch;
///
/// let mut potentials = [1.0f32; 100];
/// Arch::new().dispatch(|| potentials.iter_mut().for_each(|potential| *potential *= 0.5));
/// assert_eq!(potentials, [0.5; 100]);
/// ```
pub use pulp;

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
