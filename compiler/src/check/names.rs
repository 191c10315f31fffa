//! Which names may be declared.
//!
//! The words of the grammar and Rust's keywords never get here: the parser refuses them as names.

use crate::ast::Name;
use crate::diag::{Diagnostic, Diagnostics, code};

/// The values that are always there.
const VALUES: [&str; 4] = ["t", "step", "pi", "inf"];

/// The functions that are always there.
pub(super) const FUNCTIONS: [&str; 32] = [
    "exp",
    "ln",
    "log2",
    "log1p",
    "expm1",
    "sqrt",
    "abs",
    "sign",
    "min",
    "max",
    "clamp",
    "floor",
    "round",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "pow",
    "heaviside",
    "past",
    "uniform",
    "normal",
    "lognormal",
    "bernoulli",
    "exponential",
    "gamma",
    "beta",
    "sum",
    "mean",
    "count",
    "std",
    "cumsum",
];

/// Reports a name that cannot be declared; whether it can be.
pub(super) fn check_declarable(name: &Name, function: bool, diagnostics: &mut Diagnostics) -> bool {
    let text = name.text.as_str();
    let what = if VALUES.contains(&text) {
        "value"
    } else if function && FUNCTIONS.contains(&text) {
        "function"
    } else {
        return true;
    };
    diagnostics.push(
        Diagnostic::new(
            code::RESERVED_NAME,
            name.span,
            format!("`{text}` is a built-in {what} and cannot be declared"),
        )
        .help("choose another name"),
    );
    false
}
