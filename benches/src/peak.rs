//! What the processor allows: fused multiply-adds a second, on one thread.

use std::time::Instant;

/// Chains that do not wait for each other, each a vector of the widest kind.
const CHAINS: usize = 12;
/// f32 in the widest vector that any processor has.
const LANES: usize = 16;
const STEPS: usize = 100_000;
/// The fastest time counts.
const PASSES: usize = 8;

struct Chains<'a>(&'a mut [[f32; LANES]; CHAINS]);

impl pulp::WithSimd for Chains<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let mut chains = *self.0;
        for _ in 0..STEPS {
            for chain in &mut chains {
                for lane in chain.iter_mut() {
                    *lane = lane.mul_add(0.999_9, 1e-4);
                }
            }
        }
        *self.0 = chains;
    }
}

/// Operations a second in f32, a fused multiply-add counted as two, as rustc compiles them for this processor.
pub fn operations() -> f64 {
    let mut chains = [[1.0; LANES]; CHAINS];
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let begin = Instant::now();
        pulp::Arch::new().dispatch(Chains(std::hint::black_box(&mut chains)));
        best = best.min(begin.elapsed().as_secs_f64());
    }
    std::hint::black_box(&chains);
    (2 * CHAINS * LANES * STEPS) as f64 / best
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
