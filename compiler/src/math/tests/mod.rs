//! Accuracy, special values, known answers and equality of evaluation and emission.
mod accuracy;
