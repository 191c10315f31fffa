//! Large arrays on the system's large pages.

use memmap2::{Advice, MmapMut};

/// Bytes of a large page.
const PAGE: usize = 2 << 20;

/// Bytes that begin at a large page, but for what they are set off by.
pub(crate) struct Pages {
    map: MmapMut,
    first: usize,
    length: usize,
}

impl Pages {
    /// So many zeros; none where they do not fill a large page, or the system has no memory for them.
    pub(crate) fn zeros(length: usize, set_off: usize) -> Option<Self> {
        if length < PAGE {
            return None;
        }
        let map = MmapMut::map_anon(length.checked_add(PAGE + set_off)?).ok()?;
        let first = map.as_ptr().align_offset(PAGE).checked_add(set_off)?;
        map.get(first..)?.get(..length)?;
        // Where the system has no large pages, small ones do.
        let _ = map.advise(Advice::HugePage);
        Some(Self { map, first, length })
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map[self.first..][..self.length]
    }

    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map[self.first..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_arrays_begin_at_a_page_and_what_they_are_set_off_by() {
        assert!(Pages::zeros(PAGE - 1, 0).is_none());
        assert!(Pages::zeros(usize::MAX - 5, 0).is_none());
        for set_off in [0, 320] {
            let mut pages = Pages::zeros(PAGE + 7, set_off).expect("memory");
            assert_eq!(pages.bytes().as_ptr().addr() % PAGE, set_off);
            assert!(pages.bytes().iter().all(|&byte| byte == 0));
            assert_eq!(pages.bytes_mut().len(), PAGE + 7);
        }
    }
}
