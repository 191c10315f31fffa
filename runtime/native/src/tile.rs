//! Tiles of a product over the batch, as wide as the processor's vectors.
//!
//! Each element has one accumulator, the terms ascending, one fused operation a term, in blocks of 256 that are combined
//! pairwise: the vector width, and how many rows are kept in registers, change no bit. The left factors are copied to where
//! they lie side by side; the right ones are read where they are, so consecutive terms should not lie a power of two apart.

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
/// Rows whose factors are kept side by side.
const ROWS: usize = 32;
/// Vectors of a panel.
const ACROSS: usize = 2;
/// Rows of a panel of a sum of several blocks.
const DEEP: usize = 4;

/// What begins on a cache line, so that no vector lies in two.
#[repr(align(64))]
struct Aligned<T>(T);

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
                    // Eight rows of two vectors, their factors and one more fit into 32 registers, four rows into 16.
                    if S::REGISTER_COUNT >= 32 {
                        with_rows::<S, $ty, 8, { ROWS / 8 }>(simd, self.0);
                    } else {
                        with_rows::<S, $ty, 4, { ROWS / 4 }>(simd, self.0);
                    }
                }
            }
        )*
    };
}
made! { f32 f64 }

#[inline(always)]
fn with_rows<S: Copy, T: Lanes<S>, const R: usize, const GROUPS: usize>(simd: S, tile: Tile<'_, T>) {
    // What is copied first has to be cleared first: no more than is needed.
    match tile.depth {
        0..=4 => shallow::<S, T, R, GROUPS, 4>(simd, tile),
        5..=32 => shallow::<S, T, R, GROUPS, 32>(simd, tile),
        33..=BLOCK => shallow::<S, T, R, GROUPS, BLOCK>(simd, tile),
        _ => deep(simd, tile),
    }
}

/// A sum of one block, of at most `K` terms.
#[inline(always)]
fn shallow<S: Copy, T: Lanes<S>, const R: usize, const GROUPS: usize, const K: usize>(
    simd: S,
    tile: Tile<'_, T>,
) {
    let Tile { left, right, into, strides, origin, size, depth, stride, start } = tile;
    let zero = T::splat(simd, T::ZERO);
    let Aligned(lefts) = &mut Aligned([[[T::ZERO; R]; K]; GROUPS]);
    let Aligned(rights) = &mut Aligned([[zero; ACROSS]; K]);
    let width = T::LANES * ACROSS;
    for first_row in (0..size[0]).step_by(ROWS) {
        let rows = (size[0] - first_row).min(ROWS);
        for k in 0..depth.min(K) {
            let from = &left[k * strides[0] + origin[0] + first_row..][..rows];
            for (group, from) in lefts.iter_mut().zip(from.chunks(R)) {
                for (row, &value) in group[k].iter_mut().zip(from) {
                    *row = value;
                }
            }
        }
        for first_column in (0..size[1]).step_by(width) {
            let columns = (size[1] - first_column).min(width);
            let from = right.get(origin[1] + first_column..).unwrap_or_default();
            let in_place = columns == width && strides[1] >= width;
            if !in_place {
                for (k, vectors) in rights.iter_mut().enumerate().take(depth) {
                    let (low, high) = from[k * strides[1]..][..columns].split_at(columns.min(T::LANES));
                    *vectors = [T::load(simd, low), T::load(simd, high)];
                }
            }
            for (group, lefts) in lefts.iter().enumerate().take(rows.div_ceil(R)) {
                let at = |r: usize| start + (first_row + group * R + r) * stride + first_column;
                if in_place && group * R + R <= rows {
                    let rights = from.chunks(strides[1]).map(|from| {
                        let (low, high) = from[..width].split_at(T::LANES);
                        [T::load(simd, low), T::load(simd, high)]
                    });
                    let sums = panel::<S, T, R>(simd, lefts.iter().zip(rights).take(depth));
                    for (r, sums) in sums.iter().enumerate() {
                        let (low, high) = into[at(r)..][..width].split_at_mut(T::LANES);
                        T::store(simd, low, sums[0]);
                        T::store(simd, high, sums[1]);
                    }
                    continue;
                }
                let sums = if in_place {
                    let rights = from.chunks(strides[1]).map(|from| {
                        let (low, high) = from[..width].split_at(T::LANES);
                        [T::load(simd, low), T::load(simd, high)]
                    });
                    panel::<S, T, R>(simd, lefts.iter().zip(rights).take(depth))
                } else {
                    panel::<S, T, R>(simd, lefts.iter().zip(rights.iter().copied()).take(depth))
                };
                for (r, sums) in sums.iter().enumerate().take(rows - group * R) {
                    let row = &mut into[at(r)..][..columns];
                    let (low, high) = row.split_at_mut(columns.min(T::LANES));
                    T::store(simd, low, sums[0]);
                    T::store(simd, high, sums[1]);
                }
            }
        }
    }
}

/// `R` rows of two vectors, each with an accumulator.
#[inline(always)]
fn panel<'a, S: Copy, T: Lanes<S> + 'a, const R: usize>(
    simd: S,
    terms: impl Iterator<Item = (&'a [T; R], [T::Vector; ACROSS])>,
) -> [[T::Vector; ACROSS]; R] {
    let mut sums = [[T::splat(simd, T::ZERO); ACROSS]; R];
    for (left, right) in terms {
        for (sums, &left) in sums.iter_mut().zip(left) {
            let left = T::splat(simd, left);
            for (sum, &right) in sums.iter_mut().zip(&right) {
                *sum = T::fused(simd, left, right, *sum);
            }
        }
    }
    sums
}

/// A sum of several blocks.
#[inline(always)]
fn deep<S: Copy, T: Lanes<S>>(simd: S, tile: Tile<'_, T>) {
    let Tile { left, right, into, strides, origin, size, depth, stride, start } = tile;
    let zero = [T::splat(simd, T::ZERO); DEEP];
    let combine = |a: [T::Vector; DEEP], b: [T::Vector; DEEP]| {
        let mut sums = a;
        for (sum, &b) in sums.iter_mut().zip(&b) {
            *sum = T::sum(simd, *sum, b);
        }
        sums
    };
    for first_column in (0..size[1]).step_by(T::LANES) {
        let columns = (size[1] - first_column).min(T::LANES);
        for first_row in (0..size[0]).step_by(DEEP) {
            let rows = (size[0] - first_row).min(DEEP);
            let mut pairs = Pairs::new();
            for from in (0..depth).step_by(BLOCK) {
                let mut sums = zero;
                for k in from..depth.min(from + BLOCK) {
                    let lefts = &left[k * strides[0] + origin[0] + first_row..][..rows];
                    let rights = &right[k * strides[1] + origin[1] + first_column..][..columns];
                    let rights = T::load(simd, rights);
                    for (sum, &left) in sums.iter_mut().zip(lefts) {
                        *sum = T::fused(simd, T::splat(simd, left), rights, *sum);
                    }
                }
                pairs.push(sums, combine);
            }
            let sums = pairs.finish(zero, combine);
            for (r, &sum) in sums.iter().enumerate().take(rows) {
                T::store(simd, &mut into[start + (first_row + r) * stride + first_column..][..columns], sum);
            }
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
                let sizes = [(1, 1), (3, 5), (8, 32), (9, 33), (32, 70), (37, 16), (70, 41)];
                for depth in [0, 1, 3, 4, 5, 32, 33, 255, 256, 257, 700, 1281] {
                    for (rows, columns) in sizes {
                        let (wide, long) = (rows + 5, columns + 7);
                        let narrow =
                            |values: Vec<f64>| values.iter().map(|&x| x as $ty).collect::<Vec<$ty>>();
                        let left = narrow(numbers(depth * wide, 1));
                        let right = narrow(numbers(depth * long, 2));
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
    same_bits!(tiles_of_f32_have_the_bits_of_the_plain_loop, f32);
    same_bits!(tiles_of_f64_have_the_bits_of_the_plain_loop, f64);
}
