//! The exponential of a small matrix, less the identity.
//!
//! Scaling and squaring: the matrix is divided by 2^20, its exponential less the identity is a Taylor polynomial of
//! degree 6, and `E ← 2 E + E E` undoes the scaling. Keeping `E` and not `1 + E` is what makes 20 squarings harmless:
//! the rounding error stays relative to `E`. The number of steps is fixed; with it rates up to about 10^5 per step are
//! exact to rounding.
//!
//! Computed here in f64; `back::rust::module` writes the same operations, in the same order, as the loops of a kernel.

pub(crate) const SQUARINGS: u32 = 20;
pub(crate) const DEGREE: u32 = 6;

/// `e^M - 1` of a matrix in rows.
///
/// # Panics
/// If the matrix is not square.
pub fn exponential_less_one(matrix: &[f64]) -> Vec<f64> {
    let size = size(matrix.len());
    let scale = f64::from(-(SQUARINGS as i32)).exp2();
    let scaled: Vec<f64> = matrix.iter().map(|entry| entry * scale).collect();
    // M (1 + M/2 (1 + M/3 (… (1 + M/6)))), as E = M/k (1 + E) from the inside out.
    let mut result = vec![0.0; matrix.len()];
    let mut next = result.clone();
    for round in 0..DEGREE {
        let divisor = f64::from(DEGREE - round);
        for (place, entry) in next.iter_mut().enumerate() {
            let (row, column) = (place / size, place % size);
            let product =
                product(size, |inner| (scaled[row * size + inner] / divisor, result[inner * size + column]));
            *entry = scaled[place] / divisor + product;
        }
        std::mem::swap(&mut result, &mut next);
    }
    for _ in 0..SQUARINGS {
        for (place, entry) in next.iter_mut().enumerate() {
            let (row, column) = (place / size, place % size);
            let square = product(size, |inner| (result[row * size + inner], result[inner * size + column]));
            *entry = (result[place] + result[place]) + square;
        }
        std::mem::swap(&mut result, &mut next);
    }
    result
}

fn product(size: usize, factors: impl Fn(usize) -> (f64, f64)) -> f64 {
    (0..size).map(factors).fold(0.0, |total, (a, b)| total + a * b)
}

/// How many rows a square matrix of so many entries has.
pub(crate) fn size(entries: usize) -> usize {
    let size = entries.isqrt();
    assert_eq!(size * size, entries, "the matrix is square");
    size
}
