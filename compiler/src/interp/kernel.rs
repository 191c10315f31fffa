//! Runs kernels, slowly and with every access checked: the oracle of back ends.
//!
//! In goes a valid kernel, its memory, its scalars and a range of blocks, as the calling convention has them; the
//! memory is changed in place, and [`Counters`] say what was done. An access out of range, a kernel that is not
//! expanded and a launch that takes too many steps are [`Fault`]s; the memory is then as the fault left it.
//!
//! Every operation and every order of reduction is written out here once more, independent of the back ends and of
//! `expand`. `Lanes` run in ascending order. A kernel that `valid::kernel` rejects gives any result or a fault.

use std::ops::Range;

use crate::kernel::*;

mod memory;
mod operation;
mod reduce;
mod statement;

#[cfg(test)]
mod tests;

pub use memory::{Array, Cells, View};

/// How many steps [`run`] allows: hours of work, and a bound all the same.
pub const MAX_STEPS: u64 = 1 << 40;

/// What a launch has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Loads from each buffer, in the kernel's order. A tile product loads each element of its factors once.
    pub loads: Vec<u64>,
    /// Stores to each buffer; one whose gate does not hold is none.
    pub stores: Vec<u64>,
    /// Statements, iterations and terms.
    pub steps: u64,
}

/// Why a launch stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An index is not in its buffer.
    #[error("kernel `{kernel}`: index {index} is outside buffer `{buffer}`, which has {length} elements")]
    OutOfBounds {
        /// The kernel.
        kernel: String,
        /// The buffer.
        buffer: String,
        /// The index.
        index: i64,
        /// How many elements the buffer has.
        length: usize,
    },
    /// The terms of a reduction are not in their row, ascending.
    #[error(
        "kernel `{kernel}`: a term of a reduction is at {slot}, after one at {last} (-1: none), in a row of {extent}"
    )]
    Slot {
        /// The kernel.
        kernel: String,
        /// The place of the term.
        slot: i64,
        /// The place of the term before it, -1 where there is none.
        last: i64,
        /// How long the row is.
        extent: i64,
    },
    /// More steps than allowed.
    #[error("kernel `{kernel}` takes more than {limit} steps")]
    StepLimit {
        /// The kernel.
        kernel: String,
        /// How many were allowed.
        limit: u64,
    },
    /// An operation that `expand` replaces.
    #[error("kernel `{kernel}` still has the operation {operation}: `expand` must replace it first")]
    NotExpanded {
        /// The kernel.
        kernel: String,
        /// The operation.
        operation: String,
    },
    /// The memory or the scalars are not what the kernel declares.
    #[error("kernel `{kernel}`: {message}")]
    Launch {
        /// The kernel.
        kernel: String,
        /// What is wrong.
        message: String,
    },
}

/// Runs a range of blocks. `memory` has an array for each buffer of the kernel, in its order; `scalars` has a slot
/// for each scalar, the value in the low bytes.
///
/// # Errors
/// The first fault.
pub fn run<C: Cells + ?Sized>(
    kernel: &Kernel,
    memory: &mut [&mut C],
    scalars: &[u64],
    blocks: Range<u64>,
) -> Result<Counters, Fault> {
    run_limited(kernel, memory, scalars, blocks, MAX_STEPS)
}

/// As [`run`], with a limit on the steps.
///
/// # Errors
/// The first fault.
pub fn run_limited<C: Cells + ?Sized>(
    kernel: &Kernel,
    memory: &mut [&mut C],
    scalars: &[u64],
    blocks: Range<u64>,
    limit: u64,
) -> Result<Counters, Fault> {
    let launch = |message: String| Fault::Launch { kernel: kernel.name.clone(), message };
    if memory.len() != kernel.buffers.len() {
        return Err(launch(format!("{} arrays for {} buffers", memory.len(), kernel.buffers.len())));
    }
    if scalars.len() != kernel.scalars.len() {
        return Err(launch(format!("{} slots for {} scalars", scalars.len(), kernel.scalars.len())));
    }
    for ((_, buffer), cells) in kernel.buffers.iter().zip(memory.iter()) {
        if cells.ty() != buffer.ty {
            return Err(launch(format!(
                "the array for `{}` holds {:?}, not {:?}",
                buffer.name,
                cells.ty(),
                buffer.ty
            )));
        }
    }
    let (Ok(first), Ok(end)) = (i64::try_from(blocks.start), i64::try_from(blocks.end)) else {
        return Err(launch(format!("the block range {blocks:?} is too large")));
    };
    let count = kernel.buffers.len();
    let mut machine = Machine {
        kernel,
        memory,
        scalars,
        blocks: (first, end),
        values: vec![0; kernel.values.len()],
        counters: Counters { loads: vec![0; count], stores: vec![0; count], steps: 0 },
        limit,
    };
    machine.block(&kernel.body)?;
    Ok(machine.counters)
}

/// A launch that is running.
struct Machine<'a, 'm, C: Cells + ?Sized> {
    kernel: &'a Kernel,
    memory: &'a mut [&'m mut C],
    scalars: &'a [u64],
    blocks: (i64, i64),
    /// The bits of each value, zeros above its width.
    values: Vec<u64>,
    counters: Counters,
    limit: u64,
}

impl<C: Cells + ?Sized> Machine<'_, '_, C> {
    fn step(&mut self) -> Result<(), Fault> {
        self.counters.steps += 1;
        if self.counters.steps > self.limit {
            return Err(Fault::StepLimit { kernel: self.kernel.name.clone(), limit: self.limit });
        }
        Ok(())
    }

    fn bits(&self, value: ValueId) -> u64 {
        self.values[value.index()]
    }

    fn long(&self, value: ValueId) -> i64 {
        self.bits(value) as i64
    }

    fn holds(&self, value: ValueId) -> bool {
        self.bits(value) != 0
    }

    fn set(&mut self, value: ValueId, bits: u64) {
        self.values[value.index()] = bits;
    }

    fn ty(&self, value: ValueId) -> Type {
        self.kernel.values[value].ty
    }

    /// The bits of an element, if it is there; not counted.
    fn peek(&self, buffer: BufferId, index: i64) -> Result<u64, Fault> {
        let cells = &self.memory[buffer.index()];
        let found = usize::try_from(index).ok().and_then(|index| cells.load(index));
        found.ok_or_else(|| self.out_of_bounds(buffer, index))
    }

    fn load(&mut self, buffer: BufferId, index: i64) -> Result<u64, Fault> {
        let bits = self.peek(buffer, index)?;
        self.counters.loads[buffer.index()] += 1;
        Ok(bits)
    }

    fn store(&mut self, buffer: BufferId, index: i64, bits: u64) -> Result<(), Fault> {
        let cells = &mut self.memory[buffer.index()];
        let stored = usize::try_from(index).ok().and_then(|index| cells.store(index, bits));
        stored.ok_or_else(|| self.out_of_bounds(buffer, index))?;
        self.counters.stores[buffer.index()] += 1;
        Ok(())
    }

    fn out_of_bounds(&self, buffer: BufferId, index: i64) -> Fault {
        Fault::OutOfBounds {
            kernel: self.kernel.name.clone(),
            buffer: self.kernel.buffers[buffer].name.clone(),
            index,
            length: self.memory[buffer.index()].length(),
        }
    }
}
