//! Rust from a validated, expanded kernel: text that people can read, without unsafe code.
//!
//! In goes a [`Kernel`] whose functions and random bits have been expanded, but for strips, with its [`KernelInfo`]; out comes a function
//! over slices, which computes the bits that the interpreter computes (any NaN equals any NaN). The same kernel gives
//! the same text. Where the synapses of a loop lie side by side, its slices are cut once in front of it, so that rustc
//! knows the bounds and puts several iterations into one vector. What the text calls beyond Rust itself (`native::row`,
//! `native::pairwise`, `native::tile`, `native::normals`, and `mul_add` and `sqrt` without the standard library) is in `aplysia-native`.
//!
//! # Calling convention
//! `fn kernel(blocks: Range<i64>, scalars …, buffers …)`: the half-open block range; a value for each scalar in its
//! order; a slice for each buffer in its order, `&mut` where it is written. A condition is stored as `bool`. An index
//! out of range, which a valid launch does not have, is a panic.

mod apart;
mod change;
mod fill;
pub mod module;
mod names;
mod op;
mod reduce;
mod rows;
mod straight;
mod write;

use crate::kernel::Kernel;
use crate::valid::kernel::KernelInfo;

/// A kernel as Rust.
#[derive(Clone, Debug, PartialEq)]
pub struct RustKernel {
    /// The name of the function.
    pub symbol: String,
    /// Its parameters behind the range of blocks, with their types: scalars, then buffers.
    pub parameters: Vec<(String, String)>,
    /// The function.
    pub text: String,
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RustError {
    /// The kernel still holds an operation that `expand` replaces.
    #[error("kernel `{0}` is not expanded")]
    NotExpanded(String),
}

/// Writes a kernel; `info` is what its validation found.
///
/// # Errors
/// If the kernel is not expanded.
pub fn kernel(kernel: &Kernel, info: &KernelInfo) -> Result<RustKernel, RustError> {
    if !info.expanded {
        return Err(RustError::NotExpanded(kernel.name.clone()));
    }
    Ok(write::kernel(kernel, info))
}
