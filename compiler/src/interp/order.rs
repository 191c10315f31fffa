//! The one order in which reductions combine, over logical indices.
//!
//! In: terms with their logical index, ascending; terms that are left out (gated off, no synapse) do not appear. Out:
//! the one result that every back end must give. What a term is and how it is added is the caller's: a sum of products
//! adds with one fma, a minimum compares. Nothing here knows of rules or kernels.

/// The indices of one serial block.
pub const BLOCK: usize = 256;
/// The lanes of the contiguous axis.
pub const LANES: usize = 32;

/// Neighbours are combined, level by level; an odd one at the end of a level goes up as it is.
pub fn pairwise<A: Copy>(mut values: Vec<A>, start: A, combine: impl Fn(A, A) -> A) -> A {
    while values.len() > 1 {
        values = values
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => combine(*left, *right),
                _ => pair[0],
            })
            .collect();
    }
    values.first().copied().unwrap_or(start)
}

/// Serial, ascending, in blocks of 256 indices of `0 .. extent`, each from `start`; the block results pairwise. A
/// block without terms takes part with `start`.
///
/// # Panics
/// If an index is not below `extent`.
pub fn serial256<A: Copy, T>(
    extent: usize,
    terms: impl IntoIterator<Item = (usize, T)>,
    start: A,
    add: impl Fn(A, T) -> A,
    combine: impl Fn(A, A) -> A,
) -> A {
    let mut blocks = vec![start; extent.div_ceil(BLOCK)];
    for (index, term) in terms {
        let block = &mut blocks[index / BLOCK];
        *block = add(*block, term);
    }
    pairwise(blocks, start, combine)
}

/// 32 lanes, the lane being the index mod 32, each serial, ascending, from `start`; then lane k with lane k + 16, and
/// so on with 8, 4, 2 and 1.
pub fn lanes32<A: Copy, T>(
    terms: impl IntoIterator<Item = (usize, T)>,
    start: A,
    add: impl Fn(A, T) -> A,
    combine: impl Fn(A, A) -> A,
) -> A {
    let mut lanes = [start; LANES];
    for (index, term) in terms {
        let lane = &mut lanes[index % LANES];
        *lane = add(*lane, term);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = combine(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Combines texts, so that the order shows.
    fn shape(values: usize) -> String {
        let values: Vec<&'static str> = (0..values).map(|index| &"abcdefgh"[index..=index]).collect();
        pairwise(values, "-", |left, right| Box::leak(format!("({left}{right})").into_boxed_str())).to_owned()
    }

    #[test]
    fn pairs_are_neighbours_and_the_odd_one_goes_up() {
        assert_eq!(shape(0), "-");
        assert_eq!(shape(1), "a");
        assert_eq!(shape(3), "((ab)c)");
        assert_eq!(shape(5), "(((ab)(cd))e)");
        assert_eq!(shape(6), "(((ab)(cd))(ef))");
    }

    #[test]
    fn serial_blocks_start_anew_at_256() {
        // 2^24 swallows ones in f32, so the result shows which terms shared a block with it.
        let large = 16_777_216.0_f32;
        let term = |index: usize| if index == 0 { large } else { 1.0 };
        let sum = |extent: usize| {
            let terms = (0..extent).map(|index| (index, term(index)));
            serial256(extent, terms, 0.0, |sum, term| sum + term, |left, right| left + right)
        };
        assert_eq!(sum(256), large);
        assert_eq!(sum(258), large + 2.0);
        assert_eq!(sum(512), large + 256.0);
        // Three blocks: the third is added last, alone.
        assert_eq!(sum(513), large + 256.0, "2^24 + 256 + 1 rounds back");
        assert_eq!(serial256(0, [], 0.0, |sum, term: f32| sum + term, |left, right| left + right), 0.0);
    }

    #[test]
    fn blocks_follow_the_logical_index_not_the_count() {
        let large = 16_777_216.0_f32;
        let terms = [(0, large), (300, 1.0_f32), (301, 1.0)];
        assert_eq!(
            serial256(512, terms, 0.0, |sum, term| sum + term, |left, right| left + right),
            large + 2.0
        );
    }

    #[test]
    fn lanes_halve_from_sixteen() {
        let large = 16_777_216.0_f32;
        let sum = |terms: &[(usize, f32)]| {
            lanes32(terms.iter().copied(), 0.0, |sum, term| sum + term, |left, right| left + right)
        };
        // Index 32 shares the lane of index 0: the one is lost. Index 1 and 17 meet before they meet lane 0.
        assert_eq!(sum(&[(0, large), (32, 1.0)]), large);
        assert_eq!(sum(&[(0, large), (1, 1.0), (17, 1.0)]), large + 2.0);
        // Lanes 16 and 8 meet lane 0 one after the other: both are lost.
        assert_eq!(sum(&[(0, large), (8, 1.0), (16, 1.0)]), large);
        // Lane 24 joins lane 8 first.
        assert_eq!(sum(&[(0, large), (8, 1.0), (24, 1.0)]), large + 2.0);
        assert_eq!(sum(&[]), 0.0);
    }
}
