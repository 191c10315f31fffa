//! The exponential of a small matrix, less the identity, as `Wide` expressions.
//!
//! In: a square matrix of `Wide` expressions, `None` being a structural 0. Out: `e^M - 1`, with the same convention: the
//! entries of one [`ExprKind::Exponential`]. What it computes is in `math::matrix`, so that neither the text of a rule's
//! step nor the time to compile it grows with the operations that it takes.

use super::writer::Writer;
use crate::ir::{Domain, ExprId, ExprKind, Shape, Type};

/// Rows of a square matrix.
pub(super) type Matrix = Vec<Vec<Option<ExprId>>>;

/// `e^M - 1`
pub(super) fn exponential_less_one(writer: &mut Writer, matrix: &Matrix) -> Matrix {
    let size = matrix.len();
    let zero = writer.number(0.0);
    let entries: Vec<ExprId> = matrix.iter().flatten().map(|entry| entry.unwrap_or(zero)).collect();
    let reached = closure(matrix);
    let mut entry = |place: usize| {
        let kind = ExprKind::Exponential { entries: entries.clone(), place: place as u32 };
        reached[place].then(|| writer.push(kind, Type::Wide, Shape::of(Domain::Global)))
    };
    (0..size).map(|row| (0..size).map(|column| entry(row * size + column)).collect()).collect()
}

/// Which entries some power of the matrix has; all others stay 0.
fn closure(matrix: &Matrix) -> Vec<bool> {
    let size = matrix.len();
    let mut reached: Vec<bool> = matrix.iter().flatten().map(Option::is_some).collect();
    for through in 0..size {
        for row in 0..size {
            for column in 0..size {
                reached[row * size + column] |=
                    reached[row * size + through] && reached[through * size + column];
            }
        }
    }
    reached
}
