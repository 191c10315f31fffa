//! An allocator with a limit, so that a text that takes all memory is a finding instead of the machine's end.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much may be allocated at once.
const LIMIT: usize = 1 << 30;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The most bytes that were held at once so far.
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}

/// The system's allocator, which refuses what goes over the limit; the standard library then aborts.
pub struct Limited;

// SAFETY: everything is handed to the system's allocator unchanged; null means that there is no memory.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        if held > LIMIT {
            HELD.fetch_sub(layout.size(), Ordering::Relaxed);
            return std::ptr::null_mut();
        }
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `place` comes from `alloc` above, which got it from the system's allocator.
        unsafe { System.dealloc(place, layout) }
    }
}
