//! Arrays of a program in memory: aligned, zeroed, typed.
//!
//! Each array begins on a cache line. Large allocations come from the system at the same place of a page, so arrays of
//! a power of two would lie end to end in the same cache sets; each array is therefore set off by its number of lines.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use aplysia_compiler::kernel::Type;

use crate::error::{Error, Result};

const LINE: usize = 64;
/// What every allocation is aligned to.
const ALLOCATED: usize = 16;
/// Five lines further for each array; after 32 arrays it begins again.
const STAGGER: usize = 5 * LINE;
/// The pages that advice is given for, and what takes enough of them: two large pages of the usual 2 MiB.
#[cfg(target_os = "linux")]
const PAGE: usize = 1 << 12;
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

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
    base: NonNull<u8>,
    layout: Layout,
    offset: usize,
    elements: usize,
    ty: Type,
}

// SAFETY: `Memory` owns its allocation, as a `Vec<u8>` does; shared references only read.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// An array of zeros. `number` is the array's number in its group; `name` is for the error.
    pub(crate) fn zeroed(ty: Type, elements: usize, number: usize, name: &str) -> Result<Self> {
        let set_off = number % 32 * STAGGER;
        let error = || Error::NoMemory { name: name.to_owned(), bytes: elements.saturating_mul(ty.size()) };
        let bytes = elements
            .checked_mul(ty.size())
            .and_then(|bytes| bytes.checked_add(set_off + 2 * LINE))
            .ok_or_else(error)?;
        // Zeros of the allocator's own alignment come from the system untouched; for a line's it would write them.
        let layout = Layout::from_size_align(bytes, ALLOCATED).map_err(|_| error())?;
        // SAFETY: the layout is not empty: it has at least a line.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(error)?;
        ask_for_large_pages(base, bytes);
        let offset = base.as_ptr().addr().wrapping_neg() % LINE + set_off;
        Ok(Self { base, layout, offset, elements, ty })
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
        // SAFETY: the allocation has at least `offset + elements · size` bytes: the offset is less than a line beyond what
        // the array is set off by.
        unsafe { self.base.as_ptr().add(self.offset) }
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

/// Columns of a matrix, and synapses of a list, lie on a page each: on pages of the usual size every access asks for a
/// translation too. Where the system has no large pages, it stays as it is.
#[cfg(target_os = "linux")]
fn ask_for_large_pages(base: NonNull<u8>, bytes: usize) {
    if bytes < LARGE {
        return;
    }
    let first = base.as_ptr().addr().next_multiple_of(PAGE) - base.as_ptr().addr();
    let length = (bytes - first) / PAGE * PAGE;
    // SAFETY: whole pages inside the allocation; the advice changes nothing of what they hold. Whether it is taken does not
    // matter.
    unsafe { libc::madvise(base.as_ptr().add(first).cast(), length, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages(_: NonNull<u8>, _: usize) {}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with this layout, and freed only here.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_aligned_zeroed_and_set_off() {
        let arrays: Vec<Memory> =
            (0..40).map(|number| Memory::zeroed(Type::F32, 1 << 14, number, "w").unwrap()).collect();
        for array in &arrays {
            assert_eq!(array.pointer() as usize % LINE, 0);
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
