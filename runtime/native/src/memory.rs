//! Arrays of a group in memory: zeroed, on a cache line, set off from each other, on large pages where they are large.
//!
//! Large allocations come from the system at the same place of a page, so arrays of a power of two would lie end to end in
//! the same cache sets; each array is therefore set off by its number of lines. A matrix is millions of bytes: pages of four
//! thousand would fill the processor's tables of pages, and end its fetching ahead at each of them.

use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};

use super::error::Error;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Five lines further for each array; after 32 arrays it begins again.
const STAGGER: usize = 5;

/// What an array may hold.
pub trait Cell: Copy + Default + 'static {
    /// The same bytes as such cells, where any bytes are.
    #[doc(hidden)]
    fn of_bytes(bytes: &[u8]) -> Option<&[Self]>;
    /// As [`Cell::of_bytes`], to be written.
    #[doc(hidden)]
    fn of_bytes_mut(bytes: &mut [u8]) -> Option<&mut [Self]>;
}

macro_rules! cell {
    ($($ty:ident)*) => {
        $(
            impl Cell for $ty {
                #[inline]
                fn of_bytes(bytes: &[u8]) -> Option<&[Self]> {
                    pulp::bytemuck::try_cast_slice(bytes).ok()
                }
                #[inline]
                fn of_bytes_mut(bytes: &mut [u8]) -> Option<&mut [Self]> {
                    pulp::bytemuck::try_cast_slice_mut(bytes).ok()
                }
            }
        )*
    };
}
cell! { f32 f64 i32 i64 u8 }

impl Cell for bool {
    #[inline]
    fn of_bytes(_: &[u8]) -> Option<&[Self]> {
        None
    }
    #[inline]
    fn of_bytes_mut(_: &mut [u8]) -> Option<&mut [Self]> {
        None
    }
}

/// An array.
pub struct Memory<T> {
    place: Place<T>,
    /// The first cell.
    first: usize,
    length: usize,
    /// By how many lines it is set off.
    set_off: usize,
}

enum Place<T> {
    Heap(Vec<T>),
    #[cfg(all(feature = "std", target_os = "linux"))]
    Pages(super::pages::Pages),
}

impl<T> Memory<T> {
    /// Nothing.
    pub fn new() -> Self {
        Self { place: Place::Heap(Vec::new()), first: 0, length: 0, set_off: 0 }
    }
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Cell> Memory<T> {
    /// So many zeros, as the array of that number in its group.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn zeros(number: usize, length: usize) -> Result<Self, Error> {
        let set_off = number % 32 * STAGGER;
        #[cfg(all(feature = "std", target_os = "linux"))]
        if let Some(pages) = Self::on_pages(length, set_off) {
            return Ok(pages);
        }
        let room = (set_off + 1) * LINE / size_of::<T>();
        let cells = length.checked_add(room).ok_or(Error::TooLarge)?;
        let mut array = Vec::new();
        array.try_reserve_exact(cells).map_err(|_| Error::TooLarge)?;
        array.resize(cells, T::default());
        let first = array.as_ptr().align_offset(LINE);
        // Where nobody knows the address, it begins anywhere.
        let first = if first < LINE { first + set_off * LINE / size_of::<T>() } else { 0 };
        Ok(Self { place: Place::Heap(array), first, length, set_off })
    }

    /// On large pages, where it is so large, and of cells that any bytes are.
    #[cfg(all(feature = "std", target_os = "linux"))]
    fn on_pages(length: usize, set_off: usize) -> Option<Self> {
        let bytes = length.checked_mul(size_of::<T>())?;
        let pages = super::pages::Pages::zeros(bytes, set_off * LINE)?;
        T::of_bytes(pages.bytes())?;
        Some(Self { place: Place::Pages(pages), first: 0, length, set_off })
    }
}

impl<T: Cell> Deref for Memory<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        match &self.place {
            Place::Heap(cells) => &cells[self.first..][..self.length],
            #[cfg(all(feature = "std", target_os = "linux"))]
            Place::Pages(pages) => T::of_bytes(pages.bytes()).unwrap_or_default(),
        }
    }
}

impl<T: Cell> DerefMut for Memory<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.place {
            Place::Heap(cells) => &mut cells[self.first..][..self.length],
            #[cfg(all(feature = "std", target_os = "linux"))]
            Place::Pages(pages) => T::of_bytes_mut(pages.bytes_mut()).unwrap_or_default(),
        }
    }
}

impl<T: Cell> Clone for Memory<T> {
    /// # Panics
    /// If there is no memory.
    fn clone(&self) -> Self {
        let mut copy = super::error::expect(Self::zeros(self.set_off / STAGGER, self.length));
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Cell + fmt::Debug> fmt::Debug for Memory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Cell + PartialEq + fmt::Debug>(length: usize, some: T) {
        for number in [0, 1, 31, 32] {
            let mut array: Memory<T> = Memory::zeros(number, length).expect("memory");
            assert_eq!(array.len(), length);
            assert!(array.iter().all(|cell| *cell == T::default()));
            assert_eq!(array.as_ptr().addr() % LINE, 0, "array {number} of {length}");
            if let Some(last) = array.last_mut() {
                *last = some;
            }
            let copy = array.clone();
            assert_eq!(&copy[..], &array[..]);
            assert_ne!(copy.as_ptr(), array.as_ptr());
        }
    }

    #[test]
    fn arrays_are_zeroed_aligned_and_set_off() {
        for length in [1, 7, 1000, 1 << 20] {
            check(length, 1.5f32);
            check(length, -2.5f64);
            check(length, 3i32);
            check(length, 4i64);
            check(length, true);
        }
        assert!(Memory::<f32>::zeros(5, 0).expect("memory").is_empty());
        assert!(Memory::<f64>::new().is_empty());
    }

    #[test]
    fn too_large_is_an_error() {
        assert!(matches!(Memory::<f64>::zeros(0, usize::MAX / 4), Err(Error::TooLarge)));
        assert!(matches!(Memory::<f64>::zeros(0, usize::MAX / 16), Err(Error::TooLarge)));
        assert!(matches!(Memory::<bool>::zeros(3, usize::MAX - 8), Err(Error::TooLarge)));
    }
}
