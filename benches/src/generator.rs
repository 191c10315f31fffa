//! Numbers that every program that takes part makes for itself, to the bit.
//!
//! Number k of a stream is splitmix64 (Steele et al. 2014, doi:10.1145/2714064.2660195) of a counter; its highest 24 bits
//! are a number in 0 .. 1, exactly an f32.

/// What numbers are for: each purpose has a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Presynaptic spikes.
    Pre = 1,
    /// Postsynaptic spikes.
    Post = 2,
    /// Initial weights.
    Weight = 3,
    /// Dopamine.
    Dopamine = 4,
    /// Which synapses exist.
    Connection = 5,
    /// Gradients.
    Gradient = 6,
    /// Signs of presynaptic neurons.
    Sign = 7,
    /// Fuzzy learning rates.
    Fuzzy = 8,
    /// Presynaptic activities.
    PreActivity = 9,
    /// Postsynaptic activities.
    PostActivity = 10,
}

/// Of all streams.
const SEED: u64 = 42;

/// Number `k` of a stream, in 0 .. 1, 1 excluded.
pub fn uniform(stream: Stream, k: u64) -> f32 {
    let counter = k.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut z = counter.wrapping_add(SEED + ((stream as u64) << 32));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    // 24 bits are an f32 without rounding.
    (z >> 40) as f32 / 16_777_216.0
}

/// The first `count` numbers of a stream.
pub fn uniforms(stream: Stream, count: usize) -> impl Iterator<Item = f32> {
    (0..count as u64).map(move |k| uniform(stream, k))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out apart, in integers of arbitrary length.
    #[test]
    fn known_answers() {
        let first: Vec<u32> = uniforms(Stream::Weight, 3).map(|u| (u * 16_777_216.0) as u32).collect();
        assert_eq!(first, KNOWN);
    }

    const KNOWN: [u32; 3] = [11_540_737, 11_110_978, 7_171_862];
}
