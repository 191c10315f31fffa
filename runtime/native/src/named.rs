//! Elements at places that another array names: the columns of sparse rows.
//!
//! A check that may fail in every iteration keeps rustc from making vectors of a loop. The places of a group's topology have
//! been checked when it was made, so one beyond the end is not looked for but taken for the last, and an array that may be
//! named has a last.

/// What is read at such places.
pub trait Element: Copy + 'static {
    /// An array with one.
    #[doc(hidden)]
    const ONE: &'static [Self];
}

macro_rules! element {
    ($($ty:ident)*) => {
        $(
            impl Element for $ty {
                const ONE: &'static [Self] = &[0 as $ty];
            }
        )*
    };
}
element! { f32 f64 i32 i64 }
impl Element for bool {
    const ONE: &'static [Self] = &[false];
}

/// The first so many elements, or one where there are none, which is of no neuron.
///
/// # Panics
/// If the array is shorter.
#[inline(always)]
pub fn named<T: Element>(array: &[T], length: i64) -> &[T] {
    // Both are as long as rustc knows: at least 1, and all arrays of one length alike.
    let length = super::count(0, length).max(1);
    match array.get(..length) {
        Some(array) => array,
        None => &T::ONE[..length],
    }
}

/// An element of such an array, the last for places beyond it.
#[inline(always)]
pub fn at<T: Element>(array: &[T], place: i64) -> T {
    array[(place as usize).min(array.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_that_are_named_have_an_element() {
        assert_eq!(named(&[1.0f32, 2.0, 3.0], 2), [1.0, 2.0]);
        assert_eq!(named::<bool>(&[], 0), [false]);
        assert_eq!(at(named(&[4i32, 5], 2), 1), 5);
        assert_eq!(at(named(&[4i64, 5], 2), 7), 5);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_short_array_is_refused() {
        named(&[1.0f64], 2);
    }
}
