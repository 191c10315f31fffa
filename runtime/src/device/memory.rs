//! Arrays of a program in memory: typed views of what `aplysia-native` allocates, on cache lines and large pages.

use std::ptr::NonNull;

use aplysia_compiler::kernel::Type;

use crate::error::{Error, Result};

/// A machine type that an array can hold.
///
/// # Safety
/// `TYPES` lists only machine types of the same size and alignment, of which every bit pattern is a value.
pub(crate) unsafe trait Element: Copy + Send + Sync + 'static {
    /// The types whose arrays can be seen as `[Self]`.
    const TYPES: &'static [Type];
}

// SAFETY: the same machine type.
unsafe impl Element for f32 {
    const TYPES: &'static [Type] = &[Type::F32];
}
// SAFETY: the same machine type.
unsafe impl Element for f64 {
    const TYPES: &'static [Type] = &[Type::F64];
}
// SAFETY: the same machine type.
unsafe impl Element for i32 {
    const TYPES: &'static [Type] = &[Type::I32];
}
// SAFETY: the same machine type.
unsafe impl Element for i64 {
    const TYPES: &'static [Type] = &[Type::I64];
}
// SAFETY: a stored condition is one byte; it is seen as a number here, never as a `bool`.
unsafe impl Element for u8 {
    const TYPES: &'static [Type] = &[Type::Bool];
}

/// One array.
pub(crate) struct Memory {
    /// Where the cells lie; everything goes through the pointer.
    _cells: aplysia_native::Memory<u8>,
    base: NonNull<u8>,
    elements: usize,
    ty: Type,
}

// SAFETY: `Memory` owns its cells, as a `Vec<u8>` does; shared references only read.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// An array of zeros. `number` is the array's number in its group; `name` is for the error.
    pub(crate) fn zeroed(ty: Type, elements: usize, number: usize, name: &str) -> Result<Self> {
        let bytes = elements.saturating_mul(ty.size());
        let cells = aplysia_native::Memory::zeros(number, bytes);
        let mut cells = cells.map_err(|_| Error::NoMemory { name: name.to_owned(), bytes })?;
        let base = NonNull::from(&mut cells[..]).cast();
        Ok(Self { _cells: cells, base, elements, ty })
    }

    /// The element type.
    pub(crate) fn ty(&self) -> Type {
        self.ty
    }

    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.elements
    }

    /// How many bytes the elements take.
    #[cfg(feature = "cuda")]
    pub(crate) fn bytes_len(&self) -> usize {
        self.elements * self.ty.size()
    }

    /// Where the array begins, for kernels.
    pub(crate) fn pointer(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes lie behind the pointer, initialised at allocation; `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.pointer(), self.elements * self.ty.size()) }
    }

    /// All bytes.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.pointer(), self.elements * self.ty.size()) }
    }

    /// The elements, where they are of that type.
    pub(crate) fn slice<T: Element>(&self) -> Option<&[T]> {
        // SAFETY: the type is checked to be one of `T`'s, so size, alignment (a line) and validity agree.
        T::TYPES
            .contains(&self.ty)
            .then(|| unsafe { std::slice::from_raw_parts(self.pointer().cast(), self.elements) })
    }

    /// The elements, where they are of that type.
    pub(crate) fn slice_mut<T: Element>(&mut self) -> Option<&mut [T]> {
        // SAFETY: as in `slice`, and `self` is borrowed exclusively.
        T::TYPES
            .contains(&self.ty)
            .then(|| unsafe { std::slice::from_raw_parts_mut(self.pointer().cast(), self.elements) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_aligned_and_zeroed() {
        let arrays: Vec<Memory> =
            (0..40).map(|number| Memory::zeroed(Type::F32, 1 << 14, number, "w").unwrap()).collect();
        for array in &arrays {
            assert_eq!(array.pointer() as usize % 64, 0);
            assert!(array.slice::<f32>().unwrap().iter().all(|&x| x == 0.0));
            assert!(array.slice::<f64>().is_none());
        }
        assert!(Memory::zeroed(Type::F64, 0, 0, "none").unwrap().slice::<f64>().unwrap().is_empty());
    }

    #[test]
    fn too_large_is_an_error() {
        assert!(matches!(Memory::zeroed(Type::F64, usize::MAX / 4, 0, "w"), Err(Error::NoMemory { .. })));
        assert!(matches!(Memory::zeroed(Type::F64, usize::MAX / 16, 0, "w"), Err(Error::NoMemory { .. })));
    }
}
