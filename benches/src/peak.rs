//! What the processor allows: fused multiply-adds a second, on one thread.

use std::hint::black_box;
use std::time::Instant;

/// Chains that do not wait for each other, each a vector of the widest kind.
const CHAINS: usize = 12;
const STEPS: usize = 100_000;
/// The fastest time counts.
const PASSES: usize = 8;

/// Answers how many operations it made.
struct Chains;

impl pulp::WithSimd for Chains {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) -> usize {
        let (factor, term) = (simd.splat_f32s(black_box(0.999_9)), simd.splat_f32s(black_box(1e-4)));
        let mut chains = [simd.splat_f32s(black_box(1.0)); CHAINS];
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = simd.mul_add_f32s(*chain, factor, term);
            }
        }
        let total = chains.into_iter().reduce(|a, b| simd.add_f32s(a, b));
        black_box(total.map(|total| simd.reduce_sum_f32s(total)));
        2 * CHAINS * STEPS * (size_of::<S::f32s>() / size_of::<f32>())
    }
}

/// Operations a second in f32, a fused multiply-add counted as two, in the widest vectors of this processor.
pub fn operations() -> f64 {
    let pass = || {
        let begin = Instant::now();
        let operations = pulp::Arch::new().dispatch(Chains);
        operations as f64 / begin.elapsed().as_secs_f64()
    };
    (0..PASSES).map(|_| pass()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    /// A processor does between ten million and ten million million operations a second.
    #[test]
    fn it_is_some_rate() {
        let found = super::operations();
        assert!(found > 1e7 && found < 1e13, "{found}");
    }
}
