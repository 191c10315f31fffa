//! The arrays of a group: allocated, zeroed, the index tables filled.

use aplysia_compiler::plan::program::{Program, Role};
use aplysia_compiler::topology::{Tables, Topology};

use super::launch::Sizes;
use super::memory::Memory;
use crate::error::{Error, Result};

/// The arrays of a program, those of index tables filled.
pub(super) fn allocate(program: &Program, topology: &Topology, sizes: &Sizes<'_>) -> Result<Vec<Memory>> {
    let mut memory = Vec::with_capacity(program.storages.len());
    let tables = Tables::new(topology);
    for (number, (_, storage)) in program.storages.iter().enumerate() {
        let mut lengths = storage.shape.iter().map(|&size| sizes.get(size));
        let elements = lengths.try_fold(1u64, u64::checked_mul);
        let elements = elements.and_then(|elements| usize::try_from(elements).ok());
        let error = || Error::NoMemory { name: storage.name.clone(), bytes: usize::MAX };
        let mut array = Memory::zeroed(storage.ty, elements.ok_or_else(error)?, number, &storage.name)?;
        if let Role::Index(table) = storage.role {
            fill(&mut array, &tables.get(table));
        }
        memory.push(array);
    }
    Ok(memory)
}

/// Puts the numbers of an index table in place; the array may be longer.
fn fill(array: &mut Memory, numbers: &[i64]) {
    if let Some(slots) = array.slice_mut::<i64>() {
        slots.iter_mut().zip(numbers).for_each(|(slot, &number)| *slot = number);
    } else if let Some(slots) = array.slice_mut::<i32>() {
        // Neurons and channels are counted in 31 bits.
        slots.iter_mut().zip(numbers).for_each(|(slot, &number)| *slot = number as i32);
    }
}
