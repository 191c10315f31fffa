//! Asking for what is far away in memory: rows of large arrays, part by part.
//!
//! Synapses of a large group come from far away in memory, and the processor's own prefetchers do not look far enough ahead. In
//! front of each part of a row, what will be needed a few parts later is asked for.

/// Iterations of a part.
pub const PART: usize = 64;
/// From how many bytes on an array is far away: more than the caches that are near.
const FAR: usize = 3 << 20;
/// How many bytes ahead something is asked for.
pub const AHEAD: usize = 4096;

/// Some iterations of a loop over a row.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// How many come before it.
    pub first: i64,
    /// How many it has.
    pub count: usize,
    far: bool,
}

/// The parts of a row of so many synapses of `array`: one, where the array is near.
#[inline(always)]
pub fn parts<T>(count: usize, array: &[T]) -> impl Iterator<Item = Part> + use<T> {
    let far = size_of_val(array) >= FAR;
    let most = if far { PART } else { count };
    let mut first = 0;
    core::iter::from_fn(move || {
        let left = count - first;
        (left > 0).then(|| {
            let part = Part { first: first as i64, count: left.min(most), far };
            first += part.count;
            part
        })
    })
}

impl Part {
    /// Whether it has [`PART`] iterations.
    #[inline(always)]
    pub fn is_whole(self) -> bool {
        self.count == PART
    }

    /// Asks for what comes a few parts after this one, which begins at `start` of the array.
    #[inline(always)]
    pub fn fetch_ahead<T>(self, array: &[T], start: i64) {
        if !self.far {
            return;
        }
        let start = start as usize + AHEAD / size_of::<T>().max(1);
        // Of a length that rustc knows, so that nothing is counted between the lines.
        if let Some(part) = array.get(start..).and_then(|rest| rest.first_chunk::<PART>()) {
            for at in 0..PART / line::<T>() {
                touch(&part[at * line::<T>()]);
            }
        }
    }
}

/// Asks for so many elements from `start` on, which are read soon. What lies outside the array is left alone.
#[inline(always)]
pub fn fetch<T>(array: &[T], start: i64, count: i64) {
    let rest = array.get(start as usize..).unwrap_or(&[]);
    for element in rest.iter().take(crate::kernel::count(0, count)).step_by(line::<T>()) {
        touch(element);
    }
}

/// How many elements lie between those that are asked for: as many as a cache line has.
const fn line<T>() -> usize {
    match size_of::<T>() {
        size @ 1..=64 => 64 / size,
        _ => 1,
    }
}

/// Asks for the cache line of an element.
#[inline(always)]
fn touch<T>(element: &T) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t0(element);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = element;
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn split(count: usize, array: &[f32]) -> Vec<(i64, usize)> {
        parts(count, array)
            .map(|part| {
                part.fetch_ahead(array, part.first);
                (part.first, part.count)
            })
            .collect()
    }

    #[test]
    fn parts_are_whole_rows_of_small_arrays_and_pieces_of_large_ones() {
        assert_eq!(split(600, &[0.0; 1000]), [(0, 600)]);
        assert_eq!(split(0, &[0.0; 1000]), []);
        let large = vec![0.0; FAR / 4];
        assert_eq!(split(150, &large), [(0, 64), (64, 64), (128, 22)]);
        assert_eq!(split(0, &large), []);
        assert_eq!(split(large.len(), &large).len(), large.len() / PART);
    }

    #[test]
    fn what_is_not_there_may_be_asked_for() {
        for (start, count) in [(0, 5), (3, 100), (9, 1), (-1, 4), (0, -1), (i64::MAX, i64::MAX)] {
            fetch(&[0.0f32; 5], start, count);
        }
    }
}
