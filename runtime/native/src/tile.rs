//! Tiles of a product over the batch, as wide as the processor's vectors.
//!
//! Each element has one accumulator, the terms ascending, one fused operation a term, in blocks of 256 that are combined
//! pairwise: the vector width, and how many rows are kept in registers, change no bit. Factors are read where they are: a
//! kernel copies them so that those of consecutive terms lie behind each other.

use aplysia_topology::Counts;

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
/// How far consecutive terms lie apart in the panels of a large batch, of rows and of columns, which both stay in the nearest
/// cache: for 32 registers, as wide as vectors of 512 bits need it, and for 16. Other strides are slower.
const PANELS: [[usize; 2]; 2] = [Counts::PANEL, [6, 16]];
/// Rows of a panel that are made at once, from so many registers: rows of two vectors, their factors and one more.
const fn most_rows(registers: usize) -> usize {
    if registers >= 32 { 8 } else { 6 }
}

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
    for<'a> OnePanel<'a, T>: pulp::WithSimd<Output = ()>,
{
    if is_one_panel(&tile) {
        pulp::Arch::new().dispatch(OnePanel(tile));
        return;
    }
    pulp::Arch::new().dispatch(Make(tile));
}

/// Whether a tile is a panel of rows and one of columns, both whole, and of one block of terms.
fn is_one_panel<T>(tile: &Tile<'_, T>) -> bool {
    let reaches = |factors: &[T], side: usize| {
        let elements = tile.depth * tile.strides[side];
        tile.origin[side].checked_add(elements).is_some_and(|end| end <= factors.len())
    };
    tile.size == tile.strides
        && PANELS.contains(&tile.size)
        && tile.depth <= BLOCK
        && reaches(tile.left, 0)
        && reaches(tile.right, 1)
}

/// Rows and columns of the panels of factors that suit the processor.
#[must_use]
pub fn panel_size() -> [usize; 2] {
    struct Ask;
    impl pulp::WithSimd for Ask {
        type Output = [usize; 2];
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> [usize; 2] {
            PANELS[usize::from(S::REGISTER_COUNT < 32)]
        }
    }
    pulp::Arch::new().dispatch(Ask)
}

/// What is done once the vector width is known.
pub(crate) struct Make<'a, T>(Tile<'a, T>);

/// What is done with a whole panel. It has code of its own, without a decision and without room for blocks that are to be
/// combined: a panel of six rows takes but 500 ns.
pub(crate) struct OnePanel<'a, T>(Tile<'a, T>);

macro_rules! made {
    ($($ty:ident)*) => {
        $(
            impl pulp::WithSimd for Make<'_, $ty> {
                type Output = ();
                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, simd: S) {
                    panels::<S, $ty>(simd, self.0, most_rows(S::REGISTER_COUNT));
                }
            }

            impl pulp::WithSimd for OnePanel<'_, $ty> {
                type Output = ();
                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, simd: S) {
                    match self.0.size {
                        [6, _] => one_panel::<S, $ty, 6, 16, 6>(simd, self.0),
                        _ => one_panel::<S, $ty, 16, 32, 8>(simd, self.0),
                    }
                }
            }
        )*
    };
}
made! { f32 f64 }

/// A whole panel, `R` rows of two vectors at a time.
#[inline(always)]
fn one_panel<S: Copy, T: Lanes<S>, const ROWS: usize, const COLUMNS: usize, const R: usize>(
    simd: S,
    tile: Tile<'_, T>,
) {
    let terms = |side: usize| tile.origin[side]..tile.origin[side] + tile.depth * tile.strides[side];
    let left = tile.left[terms(0)].as_chunks::<ROWS>().0;
    let right = tile.right[terms(1)].as_chunks::<COLUMNS>().0;
    let width = (T::LANES * ACROSS).min(COLUMNS);
    let low = T::LANES.min(width);
    for column in (0..COLUMNS).step_by(width) {
        for row in (0..ROWS).step_by(R) {
            let mut sums: Sums<T, S, R> = [[T::splat(simd, T::ZERO); ACROSS]; R];
            for (left, right) in left.iter().zip(right) {
                let (first, second) = right[column..column + width].split_at(low);
                let right = [T::load(simd, first), T::load(simd, second)];
                add(simd, &mut sums, &left[row..row + R], right);
            }
            for (r, sums) in sums.iter().enumerate() {
                let start = tile.start + (row + r) * tile.stride + column;
                let (first, second) = tile.into[start..][..width].split_at_mut(low);
                T::store(simd, first, sums[0]);
                T::store(simd, second, sums[1]);
            }
        }
    }
}

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
        let place = (row, column);
        let mut sums = none;
        let whole = match tile.strides {
            [16, 32] => in_panels::<S, T, 16, 32, R>(simd, &mut sums, [left, right], place, depth, &load),
            [6, 16] => in_panels::<S, T, 6, 16, R>(simd, &mut sums, [left, right], place, depth, &load),
            _ => false,
        };
        if !whole {
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

/// All terms of panels whose strides the compiler knows, which leave nothing between the sums; whether there are such panels.
#[inline(always)]
fn in_panels<S: Copy, T: Lanes<S>, const ROWS: usize, const COLUMNS: usize, const R: usize>(
    simd: S,
    sums: &mut Sums<T, S, R>,
    [left, right]: [&[T]; 2],
    (row, column): (usize, usize),
    depth: usize,
    load: &impl Fn(&[T]) -> [T::Vector; ACROSS],
) -> bool {
    let (lefts, rights) = (left.as_chunks::<ROWS>().0, right.as_chunks::<COLUMNS>().0);
    if lefts.len().min(rights.len()) < depth || row + R > ROWS || column >= COLUMNS {
        return false;
    }
    for (left, right) in lefts.iter().zip(rights).take(depth) {
        add(simd, sums, &left[row..row + R], load(&right[column..]));
    }
    true
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
                let sizes = [
                    (1, 1),
                    (3, 5),
                    (8, 32),
                    (9, 33),
                    (11, 25),
                    (32, 70),
                    (37, 16),
                    (70, 41),
                    (1, 9),
                    (4, 16),
                ];
                // Whole panels have code of their own; beside others lie more factors.
                let alone = PANELS.map(|[rows, columns]| (rows, columns, 0));
                let sizes = sizes.map(|(rows, columns)| (rows, columns, 1)).into_iter().chain(alone);
                for depth in [0, 1, 3, 4, 5, 32, 33, 255, 256, 257, 700, 1281] {
                    for (rows, columns, beside) in sizes.clone() {
                        let (wide, long) = (rows + 5 * beside, columns + 7 * beside);
                        let origin = [4 * beside, 6 * beside];
                        let narrow =
                            |values: Vec<f64>| values.iter().map(|&x| x as $ty).collect::<Vec<$ty>>();
                        // Something behind the last terms, as in a panel of a kernel.
                        let left = narrow(numbers(depth * wide + 16, 1));
                        let right = narrow(numbers(depth * long + 32, 2));
                        let mut into: Vec<$ty> = vec![7.0; rows * (columns + 3) + 2];
                        tile(
                            &left,
                            &right,
                            &mut into,
                            [wide as i64, long as i64],
                            origin.map(|first| first as i64),
                            [rows as i64, columns as i64],
                            depth as i64,
                            [columns as i64 + 3, 1],
                        );
                        for m in 0..rows {
                            for n in 0..columns {
                                let expected: $ty = element((0..depth).map(|k| {
                                    (left[k * wide + origin[0] + m], right[k * long + origin[1] + n])
                                }));
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
