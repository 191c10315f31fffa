//! Arrays that steps leave behind, and that are up to date for whoever looks.
//!
//! Looking takes `&self`, though it may bring arrays up to date: they lie in one of two places, and the first look after a step
//! moves them from where the step has left them to where they can be seen.

use alloc::boxed::Box;
use core::fmt;

use super::memory::{Cell, Memory};

#[cfg(not(feature = "std"))]
type Once<A> = core::cell::OnceCell<A>;
#[cfg(feature = "std")]
type Once<A> = std::sync::OnceLock<A>;

/// Arrays that steps may leave behind.
pub struct Lagging<A> {
    /// As somebody sees them.
    shown: Once<Box<A>>,
    /// As a step has left them.
    left: Left<A>,
    /// Whether a step has been taken since the arrays themselves were up to date.
    behind: bool,
}

impl<A> Lagging<A> {
    /// Arrays that are up to date.
    pub fn new(arrays: A) -> Self {
        Self { shown: Once::from(Box::new(arrays)), left: Left::default(), behind: false }
    }

    /// The arrays for somebody who looks; `show` brings them up to date, once after a step.
    pub fn get(&self, show: impl FnOnce(&mut A)) -> &A {
        self.shown.get_or_init(|| {
            let mut arrays = there(self.left.take());
            show(&mut arrays);
            arrays
        })
    }

    /// The arrays as they are.
    pub fn get_mut(&mut self) -> &mut A {
        there(self.shown.get_mut().or(self.left.get_mut().as_mut()).map(Box::as_mut))
    }

    /// A step has been taken.
    pub fn leave_behind(&mut self) {
        self.behind = true;
        if let Some(arrays) = self.shown.take() {
            *self.left.get_mut() = Some(arrays);
        }
    }

    /// Brings the arrays up to date with the last step, for somebody who depends on it.
    pub fn catch_up(&mut self, bring: impl FnOnce(&mut A)) {
        if core::mem::take(&mut self.behind) {
            bring(self.get_mut());
        }
        if let Some(arrays) = self.left.get_mut().take() {
            self.shown = Once::from(arrays);
        }
    }

    /// Which of two arrays is up to date after `get`: one that lags behind, or its copy where there is one.
    pub fn either<'a, T: Cell>(&self, own: &'a Memory<T>, copy: &'a Memory<T>) -> &'a Memory<T> {
        if self.behind && !copy.is_empty() { copy } else { own }
    }
}

/// They are in one place or in the other.
fn there<A>(arrays: Option<A>) -> A {
    match arrays {
        Some(arrays) => arrays,
        None => unreachable!("arrays are lost only where bringing them up to date has panicked"),
    }
}

impl<A: Clone> Clone for Lagging<A> {
    fn clone(&self) -> Self {
        let left = self.left.copy();
        let shown = match &left {
            Some(_) => Once::new(),
            // Where another thread brings them up to date, this waits for it.
            None => Once::from(self.shown.get_or_init(|| there(self.left.take())).clone()),
        };
        Self { shown, left: Left(left.into()), behind: self.behind }
    }
}

impl<A: fmt::Debug> fmt::Debug for Lagging<A> {
    /// The arrays as they can be seen, if somebody has looked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lagging").field("shown", &self.shown.get()).field("behind", &self.behind).finish()
    }
}

/// A place that can be emptied through `&self`.
#[cfg(feature = "std")]
struct Left<A>(std::sync::Mutex<Option<Box<A>>>);

/// A place that can be emptied through `&self`.
#[cfg(not(feature = "std"))]
struct Left<A>(core::cell::Cell<Option<Box<A>>>);

impl<A> Default for Left<A> {
    fn default() -> Self {
        Self(None.into())
    }
}

#[cfg(feature = "std")]
impl<A> Left<A> {
    fn take(&self) -> Option<Box<A>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    fn copy(&self) -> Option<Box<A>>
    where
        A: Clone,
    {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn get_mut(&mut self) -> &mut Option<Box<A>> {
        self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(not(feature = "std"))]
impl<A> Left<A> {
    fn take(&self) -> Option<Box<A>> {
        self.0.take()
    }

    fn copy(&self) -> Option<Box<A>>
    where
        A: Clone,
    {
        let arrays = self.0.take();
        let copy = arrays.clone();
        self.0.set(arrays);
        copy
    }

    fn get_mut(&mut self) -> &mut Option<Box<A>> {
        self.0.get_mut()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "std")]
    use alloc::vec::Vec;

    use super::*;

    /// Steps count in the first array; bringing it up to date copies it to the second.
    fn looked_at(lagging: &Lagging<[u32; 2]>) -> u32 {
        lagging.get(|arrays| arrays[1] = arrays[0])[1]
    }

    #[test]
    fn who_looks_sees_arrays_up_to_date() {
        let mut lagging = Lagging::new([0, 0]);
        for step in 1..4 {
            lagging.get_mut()[0] = step;
            lagging.leave_behind();
            assert_eq!(looked_at(&lagging), step);
            assert_eq!(looked_at(&lagging.clone()), step);
        }
        for step in 4..9 {
            lagging.get_mut()[0] = step;
            lagging.leave_behind();
        }
        assert_eq!(looked_at(&lagging.clone()), 8);
        assert_eq!(lagging.get_mut()[1], 3, "nobody has looked at the arrays themselves");
        assert_eq!(looked_at(&lagging), 8);
    }

    #[cfg(feature = "std")]
    #[test]
    fn threads_may_look_together() {
        fn shared<T: Send + Sync>(_: &T) {}
        let mut lagging = Lagging::new([7, 0]);
        shared(&Lagging::new(Memory::<f32>::new()));
        lagging.leave_behind();
        let lagging = &lagging;
        std::thread::scope(|scope| {
            let looks: Vec<_> = (0..4).map(|_| scope.spawn(|| looked_at(lagging))).collect();
            for look in looks {
                assert_eq!(look.join().expect("a look"), 7);
            }
        });
    }

    #[test]
    fn arrays_are_brought_up_to_date_once() {
        let mut lagging = Lagging::new(0);
        lagging.catch_up(|times| *times += 1);
        assert_eq!(*lagging.get_mut(), 0, "no step has been taken");
        lagging.leave_behind();
        lagging.catch_up(|times| *times += 1);
        lagging.catch_up(|times| *times += 1);
        assert_eq!(*lagging.get(|times| *times += 10), 1);
        lagging.leave_behind();
        assert_eq!(*lagging.get(|times| *times += 10), 11);
        lagging.catch_up(|times| *times += 1);
        assert_eq!(*lagging.get_mut(), 12);
    }

    #[test]
    fn a_copy_is_shown_only_while_the_array_is_behind() {
        let (own, copy) = (Memory::<f32>::zeros(0, 3).expect("memory"), Memory::zeros(1, 3).expect("memory"));
        let mut lagging = Lagging::new(());
        assert!(core::ptr::eq(lagging.either(&own, &copy), &own));
        lagging.leave_behind();
        assert!(core::ptr::eq(lagging.either(&own, &copy), &copy));
        assert!(core::ptr::eq(lagging.either(&own, &Memory::new()), &own));
        lagging.catch_up(|()| ());
        assert!(core::ptr::eq(lagging.either(&own, &copy), &own));
    }
}
