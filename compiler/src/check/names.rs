//! Which names may be declared, and what a built-in name means.

use crate::ast::Name;
use crate::diag::{Diagnostic, Diagnostics, code};

/// The words of the grammar and the keywords of Rust.
const RESERVED: [&str; 77] = [
    "abstract",
    "after",
    "apply",
    "as",
    "async",
    "await",
    "batch",
    "batched",
    "become",
    "box",
    "break",
    "by",
    "call",
    "const",
    "constrain",
    "continue",
    "crate",
    "create",
    "do",
    "dyn",
    "else",
    "enum",
    "every",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "global",
    "if",
    "impl",
    "in",
    "input",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "modulate",
    "move",
    "mut",
    "on",
    "option",
    "output",
    "override",
    "param",
    "per",
    "plastic",
    "position",
    "post",
    "post_channel",
    "pre",
    "pre_channel",
    "priv",
    "pub",
    "ref",
    "return",
    "rule",
    "self",
    "shared",
    "solver",
    "state",
    "static",
    "steps",
    "struct",
    "super",
    "synapse",
    "trait",
    "true",
    "try",
    "type",
    "unsafe",
    "update",
    "use",
    "virtual",
    "while",
];

/// More keywords of Rust, and the values that are always there.
const BUILTIN: [&str; 5] = ["dt", "t", "step", "pi", "inf"];

/// The functions that are always there.
pub(super) const FUNCTIONS: [&str; 35] = [
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
    "min",
    "max",
    "exp",
];

/// Reports a name that cannot be declared.
pub(super) fn check_declarable(name: &Name, function: bool, diagnostics: &mut Diagnostics) {
    let text = name.text.as_str();
    let reserved =
        RESERVED.contains(&text) || matches!(text, "typeof" | "unsized" | "where" | "yield" | "Self");
    let what = if reserved {
        "a word of the language"
    } else if BUILTIN.contains(&text) {
        "a built-in value"
    } else if function && FUNCTIONS.contains(&text) {
        "a built-in function"
    } else {
        return;
    };
    diagnostics.push(
        Diagnostic::new(code::RESERVED_NAME, name.span, format!("`{text}` is {what} and cannot be declared"))
            .help("choose another name"),
    );
}
