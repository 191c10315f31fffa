//! Arguments of tests.

/// Reproducible bits for choosing arguments: a Weyl sequence with a mixer of its own, so that tests of the
/// generator do not rest on the generator.
pub(super) struct Bits(pub(super) u64);

impl Bits {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From `low` to `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.next() >> 11) as f64 * 2f64.powi(-53))
    }

    /// Of either sign, with an exponent (of 2) from `low` to `high`.
    pub(super) fn spread(&mut self, low: i32, high: i32) -> f64 {
        let exponent = low + (self.next() % (high - low + 1) as u64) as i32;
        let size = self.between(1.0, 2.0) * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
        if self.next() & 1 == 0 { size } else { -size }
    }
}
