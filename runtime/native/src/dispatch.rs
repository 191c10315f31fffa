//! How a kernel finds the widest vectors of the processor.

/// A launch of a kernel, whose code is to be there for every width of vectors.
pub trait Launch {
    /// Runs it.
    fn run(self);
}

/// Runs a kernel with the widest vectors that the processor has. Widths never change a bit.
#[inline]
pub fn dispatch(launch: impl Launch) {
    struct Any<L>(L);
    impl<L: Launch> pulp::WithSimd for Any<L> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) {
            self.0.run();
        }
    }
    pulp::Arch::new().dispatch(Any(launch));
}
