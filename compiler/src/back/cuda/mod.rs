//! CUDA C from a validated, expanded kernel: text, and nothing is linked or opened.
//!
//! In goes a [`Kernel`] whose functions and random bits have been expanded, with its [`KernelInfo`]; out comes a
//! [`CudaKernel`], whose text, behind [`PRELUDE`], a CUDA compiler takes. With `--fmad=false`, and neither fast math nor
//! flushed subnormals, it computes the bits that the interpreter computes (any NaN equals any NaN): reductions follow
//! the orders of the IR, and no float is added atomically. The same kernel gives the same text.
//!
//! # Calling convention
//! `kernel(buffers …, const u64 *scalars)`: a pointer for each buffer in its order, aligned to 16 bytes; one 8-byte slot
//! for each scalar in its order, the value in the low bytes, and behind these the number of blocks. The pointers of
//! buffers that are written are different from all others. Thread blocks have [`CudaKernel::threads`] threads, or any
//! other multiple of 32; the grid has any size: [`CudaKernel::grid`] says which is worth it.
//!
//! # Threads
//! See [`Mapping`]. Synapses of a row that lie side by side are loaded and stored four at a time where the row's length
//! allows it, what belongs to a column is loaded once for all rows of a block, sums down a column stay in registers,
//! and the loads of several rows are on their way together.

mod columns;
mod index;
mod lanes;
mod mapping;
mod names;
mod op;
mod reduce;
mod sites;
mod write;

use crate::kernel::Kernel;
use crate::valid::kernel::KernelInfo;

pub use mapping::Mapping;

/// What stands before the kernels of a text.
pub const PRELUDE: &str = include_str!("prelude.cuh");

/// Threads of a thread block.
const THREADS: u32 = 256;

/// Elements that a thread should have, where there are more than the device can hold threads.
const ELEMENTS_PER_THREAD: u64 = 128;

/// A kernel as CUDA C.
#[derive(Clone, Debug, PartialEq)]
pub struct CudaKernel {
    /// The name of the function.
    pub symbol: String,
    /// The text, without the prelude.
    pub text: String,
    /// Threads of a thread block.
    pub threads: u32,
    /// How the work is laid over threads.
    pub mapping: Mapping,
    /// The most items that a block holds.
    pub per_block: u32,
    /// How many neighbours a thread takes at a time, where the length of a row allows it.
    pub run: u32,
    /// Whether threads wait for each other: a barrier, or a value handed over in a warp.
    pub waits: bool,
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// The kernel still holds an operation that `expand` replaces.
    #[error("kernel `{0}` is not expanded")]
    NotExpanded(String),
}

/// Writes a kernel; `info` is what its validation found.
///
/// # Errors
/// If the kernel is not expanded.
pub fn kernel(kernel: &Kernel, info: &KernelInfo) -> Result<CudaKernel, CudaError> {
    if !info.expanded || info.fills || info.fetches {
        return Err(CudaError::NotExpanded(kernel.name.clone()));
    }
    Ok(write::kernel(kernel, info))
}

/// A whole text: the prelude and kernels.
pub fn module<'a>(kernels: impl IntoIterator<Item = &'a CudaKernel>) -> String {
    let mut text = PRELUDE.to_owned();
    for kernel in kernels {
        text.push('\n');
        text.push_str(&kernel.text);
    }
    text
}

impl CudaKernel {
    /// How many thread blocks are worth launching for so many blocks whose largest buffer has so many elements, on a
    /// device that holds so many threads at once. Any other number gives the same bits.
    pub fn grid(&self, blocks: u64, elements: u64, resident: u64) -> u32 {
        let threads = u64::from(self.threads);
        let per_block = u64::from(self.per_block.max(1));
        let grid = match self.mapping {
            Mapping::ThreadBlock => blocks,
            Mapping::WarpPerRow(_) => {
                blocks.saturating_mul(per_block.min(32)).saturating_mul(32).div_ceil(threads)
            }
            Mapping::Free { .. } => {
                let most = elements.div_ceil(u64::from(self.run)).max(1);
                let wanted = most.min(resident).max(elements / ELEMENTS_PER_THREAD);
                wanted.div_ceil(threads)
            }
        };
        u32::try_from(grid.clamp(1, 1 << 20)).unwrap_or(1)
    }
}
