//! Tiles of a product over the batch, as wide as the processor's vectors.
//!
//! Each element has one accumulator, the terms ascending, one fused operation a term, in blocks of 256 that are combined
//! pairwise: the vector width, and how many rows are kept in registers, change no bit. Factors are read where they are: a
//! kernel copies them so that those of consecutive terms lie behind each other.

use super::kernel::{Pairs, Real};

/// A tile of `Σ_k left[k, m] · right[k, n]`.
#[derive(Debug)]
pub struct Tile<'a, T> {
    /// `[depth, rows]`
    pub left: &'a [T],
    /// `[depth, columns]`
    pub right: &'a [T],
    /// Where it goes.
    pub into: &'a mut [T],
    /// How far consecutive terms lie apart in `left` and in `right`.
    pub strides: [usize; 2],
    /// The first row and column.
    pub origin: [usize; 2],
    /// How many rows and columns.
    pub size: [usize; 2],
    /// How many terms.
    pub depth: usize,
    /// How far rows lie apart in `into`.
    pub stride: usize,
    /// The first element in `into`.
    pub start: usize,
}

/// Terms of one accumulator.
const BLOCK: usize = 256;
/// Vectors of a panel.
const ACROSS: usize = 2;
/// How far consecutive terms lie apart in the panels of a large batch, of rows and of columns. Other strides are slower.
pub const PANEL: [usize; 2] = [PANEL_ROWS, PANEL_COLUMNS];
const PANEL_ROWS: usize = 16;
const PANEL_COLUMNS: usize = 32;

/// Vectors of real numbers.
pub(crate) trait Lanes<S>: Real + Default {
    /// A vector.
    type Vector: Copy;
    /// How many numbers it has.
    const LANES: usize;
    /// One number in all lanes.
    fn splat(simd: S, value: Self) -> Self::Vector;
    /// `a · b + c`, rounded once.
    fn fused(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`
    fn sum(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// As many numbers as there are, at most a vector; 0 in the other lanes.
    fn load(simd: S, from: &[Self]) -> Self::Vector;
    /// As many numbers as there is room for, at most a vector.
    fn store(simd: S, into: &mut [Self], value: Self::Vector);
}

macro_rules! lanes {
    ($ty:ident, $vector:ident, $lanes:ident, $splat:ident, $fused:ident, $sum:ident, $whole:ident, $whole_mut:ident,
     $load:ident, $store:ident) => {
        impl<S: pulp::Simd> Lanes<S> for $ty {
            type Vector = S::$vector;
            const LANES: usize = S::$lanes;
            #[inline(always)]
            fn splat(simd: S, value: Self) -> Self::Vector {
                simd.$splat(value)
            }
            #[inline(always)]
            fn fused(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                simd.$fused(a, b, c)
            }
            #[inline(always)]
            fn sum(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                simd.$sum(a, b)
            }
            #[inline(always)]
            fn load(simd: S, from: &[Self]) -> Self::Vector {
                match S::$whole(from) {
                    ([whole, ..], _) => *whole,
                    ([], part) => simd.$load(part),
                }
            }
            #[inline(always)]
            fn store(simd: S, into: &mut [Self], value: Self::Vector) {
                match S::$whole_mut(into) {
                    ([whole, ..], _) => *whole = value,
                    ([], part) => simd.$store(part, value),
                }
            }
        }
    };
}
lanes!(
    f32,
    f32s,
    F32_LANES,
    splat_f32s,
    mul_add_f32s,
    add_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s
);
lanes!(
    f64,
    f64s,
    F64_LANES,
    splat_f64s,
    mul_add_f64s,
    add_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s
);

/// Makes the tile with the widest vectors there are.
#[inline]
pub(crate) fn make<T>(tile: Tile<'_, T>)
where
    for<'a> Make<'a, T>: pulp::WithSimd<Output = ()>,
{
    pulp::Arch::new().dispatch(Make(tile));
}

/// What is done once the vector width is known.
pub(crate) struct Make<'a, T>(Tile<'a, T>);

macro_rules! made {
    ($($ty:ident)*) => {
        $(
            impl pulp::WithSimd for Make<'_, $ty> {
                type Output = ();
                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, simd: S) {
                    // Rows of two vectors, their factors and one more: eight rows fit into 32 registers, six into 16.
                    let most = if S::REGISTER_COUNT >= 32 { 8 } else { 6 };
                    panels::<S, $ty>(simd, self.0, most);
                }
            }
        )*
    };
}
made! { f32 f64 }

/// The tile panel by panel: the columns of two vectors, and at most so many rows, no panel much lower than the others.
#[inline(always)]
fn panels<S: Copy, T: Lanes<S>>(simd: S, mut tile: Tile<'_, T>, most: usize) {
    for (side, factors) in [tile.left, tile.right].into_iter().enumerate() {
        let last = tile.depth.saturating_sub(1).saturating_mul(tile.strides[side]);
        let end = last.saturating_add(tile.origin[side]).saturating_add(tile.size[side]);
        assert!(tile.depth == 0 || end <= factors.len(), "a tile of factors that there are not");
    }
    let width = T::LANES * ACROSS;
    for column in (0..tile.size[1]).step_by(width) {
        let columns = (tile.size[1] - column).min(width);
        let mut row = 0;
        while row < tile.size[0] {
            let left = tile.size[0] - row;
            let rows = left.div_ceil(left.div_ceil(most));
            let part = Part { row, column, columns };
            match rows {
                1 => panel::<S, T, 1>(simd, &mut tile, part),
                2 => panel::<S, T, 2>(simd, &mut tile, part),
                3 => panel::<S, T, 3>(simd, &mut tile, part),
                4 => panel::<S, T, 4>(simd, &mut tile, part),
                5 => panel::<S, T, 5>(simd, &mut tile, part),
                6 => panel::<S, T, 6>(simd, &mut tile, part),
                7 => panel::<S, T, 7>(simd, &mut tile, part),
                _ => panel::<S, T, 8>(simd, &mut tile, part),
            }
            row += rows;
        }
    }
}

/// A panel of a tile.
#[derive(Clone, Copy)]
struct Part {
    row: usize,
    column: usize,
    columns: usize,
}

/// The sums of `R` rows of two vectors.
type Sums<T, S, const R: usize> = [[<T as Lanes<S>>::Vector; ACROSS]; R];

/// One panel.
#[inline(always)]
fn panel<S: Copy, T: Lanes<S>, const R: usize>(simd: S, tile: &mut Tile<'_, T>, part: Part) {
    let low = part.columns.min(T::LANES);
    let start = |r: usize| tile.start + (part.row + r) * tile.stride + part.column;
    let sums: Sums<T, S, R> = if part.columns == T::LANES * ACROSS {
        total(simd, tile, part, |from| {
            let (low, high) = from[..T::LANES * ACROSS].split_at(T::LANES);
            [T::load(simd, low), T::load(simd, high)]
        })
    } else {
        total(simd, tile, part, |from| {
            let (low, high) = from[..part.columns].split_at(low);
            [T::load(simd, low), T::load(simd, high)]
        })
    };
    for (r, sums) in sums.iter().enumerate() {
        let (low, high) = tile.into[start(r)..][..part.columns].split_at_mut(low);
        T::store(simd, low, sums[0]);
        T::store(simd, high, sums[1]);
    }
}

/// The sum of all terms.
#[inline(always)]
fn total<S: Copy, T: Lanes<S>, const R: usize>(
    simd: S,
    tile: &Tile<'_, T>,
    Part { row, column, .. }: Part,
    load: impl Fn(&[T]) -> [T::Vector; ACROSS],
) -> Sums<T, S, R> {
    let combine = |a: Sums<T, S, R>, b: Sums<T, S, R>| {
        let mut sums = a;
        for (sums, b) in sums.iter_mut().zip(&b) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = T::sum(simd, *sum, b);
            }
        }
        sums
    };
    let none = [[T::splat(simd, T::ZERO); ACROSS]; R];
    let mut pairs = None;
    let mut from = 0;
    loop {
        let depth = (tile.depth - from).min(BLOCK);
        let [left, right] = [(tile.left, 0), (tile.right, 1)].map(|(factors, side)| {
            factors.get(tile.origin[side] + from * tile.strides[side]..).unwrap_or_default()
        });
        let (lefts, rights) = (left.as_chunks::<PANEL_ROWS>().0, right.as_chunks::<PANEL_COLUMNS>().0);
        let in_panels = tile.strides == PANEL
            && lefts.len().min(rights.len()) >= depth
            && row + R <= PANEL_ROWS
            && column < PANEL_COLUMNS;
        let mut sums = none;
        if in_panels {
            // Strides that the compiler knows leave nothing between the sums.
            for (left, right) in lefts.iter().zip(rights).take(depth) {
                add(simd, &mut sums, &left[row..row + R], load(&right[column..]));
            }
        } else {
            // A stride of 0 has the same factors in every term; no such tile is asked for.
            let [left, right] = [(left, row, tile.strides[0]), (right, column, tile.strides[1])].map(
                |(factors, first, stride)| factors.get(first..).unwrap_or_default().chunks(stride.max(1)),
            );
            for (left, right) in left.zip(right).take(depth) {
                add(simd, &mut sums, &left[..R], load(right));
            }
        }
        if tile.depth <= BLOCK {
            return sums;
        }
        pairs.get_or_insert_with(Pairs::new).push(sums, combine);
        from += BLOCK;
        if from >= tile.depth {
            break;
        }
    }
    pairs.map_or(none, |pairs| pairs.finish(none, combine))
}

/// One term more in each sum.
#[inline(always)]
fn add<S: Copy, T: Lanes<S>, const R: usize>(
    simd: S,
    sums: &mut Sums<T, S, R>,
    left: &[T],
    right: [T::Vector; ACROSS],
) {
    for (sums, &left) in sums.iter_mut().zip(left) {
        let left = T::splat(simd, left);
        for (sum, &right) in sums.iter_mut().zip(&right) {
            *sum = T::fused(simd, left, right, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::tile;

    /// Numbers with many bits, of both signs.
    fn numbers(count: usize, seed: u32) -> Vec<f64> {
        let mut state = seed;
        let number = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(*state >> 8) / f64::from(1 << 23) - 1.0
        };
        (0..count).map(|_| number(&mut state)).collect()
    }

    /// Element by element, as the language says it.
    fn element<T: Real>(terms: impl Iterator<Item = (T, T)>) -> T {
        let mut pairs = Pairs::new();
        let mut block = T::ZERO;
        let mut count = 0;
        for (a, b) in terms {
            block = a.mul_add(b, block);
            count += 1;
            if count == BLOCK {
                pairs.push(block, T::plus);
                (block, count) = (T::ZERO, 0);
            }
        }
        if count > 0 {
            pairs.push(block, T::plus);
        }
        pairs.finish(T::ZERO, T::plus)
    }

    macro_rules! same_bits {
        ($name:ident, $ty:ident) => {
            #[test]
            fn $name() {
                let sizes = [(1, 1), (3, 5), (8, 32), (9, 33), (11, 25), (32, 70), (37, 16), (70, 41)];
                for depth in [0, 1, 3, 4, 5, 32, 33, 255, 256, 257, 700, 1281] {
                    for (rows, columns) in sizes {
                        let (wide, long) = (rows + 5, columns + 7);
                        let narrow =
                            |values: Vec<f64>| values.iter().map(|&x| x as $ty).collect::<Vec<$ty>>();
                        // Something behind the last terms, as in a panel of a kernel.
                        let left = narrow(numbers(depth * wide + PANEL_ROWS, 1));
                        let right = narrow(numbers(depth * long + PANEL_COLUMNS, 2));
                        let mut into: Vec<$ty> = vec![7.0; rows * (columns + 3) + 2];
                        tile(
                            &left,
                            &right,
                            &mut into,
                            [wide as i64, long as i64],
                            [4, 6],
                            [rows as i64, columns as i64],
                            depth as i64,
                            [columns as i64 + 3, 1],
                        );
                        for m in 0..rows {
                            for n in 0..columns {
                                let expected: $ty = element(
                                    (0..depth).map(|k| (left[k * wide + 4 + m], right[k * long + 6 + n])),
                                );
                                let found = into[1 + m * (columns + 3) + n];
                                assert_eq!(
                                    found.to_bits(),
                                    expected.to_bits(),
                                    "element {m}, {n} of {rows} × {columns}, {depth} deep"
                                );
                            }
                            let gap = &into[1 + m * (columns + 3) + columns..][..3];
                            assert!(gap.iter().all(|&x| x == 7.0), "beside row {m}");
                        }
                    }
                }
            }
        };
    }
    #[test]
    #[should_panic(expected = "factors that there are not")]
    fn a_tile_of_factors_that_are_missing_is_refused() {
        let (left, right, mut into) = (vec![1.0f32; 4 * 16], vec![1.0; 4 * 32 - 1], vec![0.0; 16 * 32]);
        tile(&left, &right, &mut into, [16, 32], [0, 0], [16, 32], 4, [32, 0]);
    }

    same_bits!(tiles_of_f32_have_the_bits_of_the_plain_loop, f32);
    same_bits!(tiles_of_f64_have_the_bits_of_the_plain_loop, f64);
}
