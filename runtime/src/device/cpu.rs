//! Blocks on threads, and the calls into compiled kernels.
//!
//! The blocks of a launch are independent, and the range is always halved at the same places, so the number of threads
//! changes no bit. Below a threshold of work a launch stays on the caller's thread.

use std::sync::Arc;

#[cfg(feature = "jit")]
use aplysia_compiler::back::cranelift::JitKernel;
use aplysia_compiler::kernel::Kernel;

use super::Threads;
use super::interpreter;
use super::launch::View;

/// Below so many synapses a task is not worth handing over.
const TASK: u64 = 16 * 1024;

/// A kernel in a form that can be run.
#[derive(Clone)]
pub(crate) enum Code {
    /// By the kernel interpreter.
    Interpreted(Arc<Kernel>),
    /// As machine code.
    #[cfg(feature = "jit")]
    Compiled(Arc<JitKernel>),
}

/// What a launch hands to its kernel.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    #[cfg_attr(
        not(feature = "jit"),
        expect(dead_code, reason = "only machine code takes a table of pointers")
    )]
    pub(crate) pointers: &'a [*mut u8],
    pub(crate) views: &'a [View],
    pub(crate) slots: &'a [u64],
}

// SAFETY: see `BoundLaunch`: the pointers are those of the group's own memory, borrowed exclusively for the launch, and
// blocks write where no other block reads or writes (the kernel IR's rule for its outermost loop, which `valid` checks).
unsafe impl Send for Frame<'_> {}
// SAFETY: as above.
unsafe impl Sync for Frame<'_> {}

/// Runs the blocks `0 .. blocks`.
pub(crate) fn run(code: &Code, frame: Frame<'_>, blocks: u64, work_per_block: u64, threads: &Threads) {
    let grain = TASK.div_ceil(work_per_block.max(1)).max(1);
    if blocks / 2 < grain || !threads.many() {
        call(code, frame, 0, blocks);
    } else {
        threads.enter(|| split(code, frame, 0, blocks, grain));
    }
}

/// Halves the range until a half is a task.
fn split(code: &Code, frame: Frame<'_>, first: u64, end: u64, grain: u64) {
    let half = (end - first) / 2;
    if half < grain {
        return call(code, frame, first, end);
    }
    let middle = first + half;
    rayon::join(|| split(code, frame, first, middle, grain), || split(code, frame, middle, end, grain));
}

fn call(code: &Code, frame: Frame<'_>, first: u64, end: u64) {
    match code {
        Code::Interpreted(kernel) => interpreter::run(kernel, frame, first..end),
        #[cfg(feature = "jit")]
        Code::Compiled(kernel) => {
            // SAFETY: `BoundLaunch::new` checked that there is a pointer for each buffer, of its type and at least its
            // declared length, and a slot for each scalar; `valid` checked the kernel; the range is within
            // `0 .. blocks`, and no other call has a block of it.
            unsafe { kernel.call(frame.pointers.as_ptr(), frame.slots.as_ptr(), first, end) }
        }
    }
}
