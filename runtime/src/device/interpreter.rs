//! Runs a launch by the kernel interpreter.

use std::ops::Range;

use aplysia_compiler::ice;
use aplysia_compiler::interp::kernel::{self, Cells};
use aplysia_compiler::kernel::{Kernel, Type};

use super::cpu::Frame;

/// An array of the group, seen element by element; two buffers of a launch may be one array.
struct Shared {
    pointer: *mut u8,
    elements: usize,
    ty: Type,
}

/// Runs a range of blocks. A fault is ours: the launch was checked when it was bound.
pub(crate) fn run(kernel: &Kernel, frame: Frame<'_>, blocks: Range<u64>) {
    let mut arrays: Vec<Shared> = frame
        .views
        .iter()
        .zip(kernel.buffers.iter())
        .map(|(view, (_, buffer))| Shared { pointer: view.pointer, elements: view.elements, ty: buffer.ty })
        .collect();
    let mut memory: Vec<&mut Shared> = arrays.iter_mut().collect();
    if let Err(fault) = kernel::run(kernel, &mut memory, frame.slots, blocks) {
        ice!("{fault}");
    }
}

impl Shared {
    fn place(&self, index: usize) -> Option<*mut u8> {
        // SAFETY: the index is checked against the number of elements, which `BoundLaunch::new` took from the array.
        (index < self.elements).then(|| unsafe { self.pointer.add(index * self.ty.size()) })
    }
}

impl Cells for Shared {
    fn ty(&self) -> Type {
        self.ty
    }

    fn length(&self) -> usize {
        self.elements
    }

    fn load(&self, index: usize) -> Option<u64> {
        let place = self.place(index)?;
        // SAFETY: `place` checked the index; arrays begin on a line, so every element is aligned; other
        // blocks of the launch, which may run elsewhere, do not write what this one reads.
        Some(unsafe {
            match self.ty {
                Type::F32 | Type::I32 => u64::from(place.cast::<u32>().read()),
                Type::F64 | Type::I64 => place.cast::<u64>().read(),
                Type::Bool => u64::from(place.read() != 0),
            }
        })
    }

    fn store(&mut self, index: usize, bits: u64) -> Option<()> {
        let place = self.place(index)?;
        // SAFETY: as in `load`; other blocks do not touch what this one writes.
        unsafe {
            match self.ty {
                Type::F32 | Type::I32 => place.cast::<u32>().write(bits as u32),
                Type::F64 | Type::I64 => place.cast::<u64>().write(bits),
                Type::Bool => place.write(u8::from(bits != 0)),
            }
        }
        Some(())
    }
}
