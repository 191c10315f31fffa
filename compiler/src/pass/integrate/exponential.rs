//! The exponential of a small matrix, less the identity, written out as `Wide` expressions.
//!
//! In: a square matrix of `Wide` expressions, `None` being a structural 0. Out: `e^M - 1`, with the same convention.
//!
//! Scaling and squaring: the matrix is divided by 2^20, its exponential less the identity is a Taylor polynomial of
//! degree 6, and `E ← 2 E + E E` undoes the scaling. Keeping `E` and not `1 + E` is what makes 20 squarings harmless:
//! the rounding error stays relative to `E`. The number of steps is fixed, because parameters change after the rule is
//! compiled; with it rates up to about 10^5 per step are exact to rounding.

use super::writer::Writer;
use crate::ir::ExprId;

const SQUARINGS: i32 = 20;
const DEGREE: u32 = 6;

/// Rows of a square matrix.
pub(super) type Matrix = Vec<Vec<Option<ExprId>>>;

/// `e^M - 1`
pub(super) fn exponential_less_one(writer: &mut Writer, matrix: &Matrix) -> Matrix {
    let scale = writer.number(f64::from(-SQUARINGS).exp2());
    let scaled = map(matrix, |entry| writer.multiply(entry, scale));
    // M (1 + M/2 (1 + M/3 (… (1 + M/6)))), as E = M/k (1 + E) from the inside out.
    let mut power: Option<Matrix> = None;
    for k in (1..=DEGREE).rev() {
        let divisor = writer.number(f64::from(k));
        let step = map(&scaled, |entry| writer.divide(entry, divisor));
        power = Some(match power {
            None => step,
            Some(inner) => {
                let product = multiply(writer, &step, &inner);
                add(writer, &step, &product)
            }
        });
    }
    let mut result = power.unwrap_or_default();
    for _ in 0..SQUARINGS {
        let square = multiply(writer, &result, &result);
        let double = add(writer, &result, &result);
        result = add(writer, &double, &square);
    }
    result
}

fn map(matrix: &Matrix, mut change: impl FnMut(ExprId) -> ExprId) -> Matrix {
    matrix.iter().map(|row| row.iter().map(|entry| entry.map(&mut change)).collect()).collect()
}

fn plus(writer: &mut Writer, a: Option<ExprId>, b: Option<ExprId>) -> Option<ExprId> {
    match (a, b) {
        (Some(a), Some(b)) => Some(writer.add(a, b)),
        (a, b) => a.or(b),
    }
}

fn add(writer: &mut Writer, a: &Matrix, b: &Matrix) -> Matrix {
    let rows = a.iter().zip(b);
    rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| plus(writer, *a, *b)).collect()).collect()
}

fn multiply(writer: &mut Writer, a: &Matrix, b: &Matrix) -> Matrix {
    let size = a.len();
    let mut entry = |row: usize, column: usize| {
        let mut total = None;
        for (inner, left) in a[row].iter().enumerate() {
            if let (Some(left), Some(right)) = (*left, b[inner][column]) {
                let product = writer.multiply(left, right);
                total = plus(writer, total, Some(product));
            }
        }
        total
    };
    (0..size).map(|row| (0..size).map(|column| entry(row, column)).collect()).collect()
}
