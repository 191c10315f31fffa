//! The words that the language keeps for itself, and the units.

/// Words with a meaning in the grammar.
pub(super) const GRAMMAR: &[&str] = &[
    "after",
    "apply",
    "as",
    "batch",
    "batched",
    "by",
    "call",
    "const",
    "constrain",
    "create",
    "dt",
    "else",
    "every",
    "extern",
    "fn",
    "for",
    "global",
    "if",
    "in",
    "input",
    "let",
    "match",
    "modulate",
    "on",
    "option",
    "output",
    "param",
    "per",
    "plastic",
    "position",
    "post",
    "post_channel",
    "pre",
    "pre_channel",
    "rule",
    "shared",
    "solver",
    "state",
    "steps",
    "synapse",
    "update",
    "use",
];

/// Rust's keywords, which `plasticity!` could not take as names.
pub(crate) const RUST: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// The units of a number and of an annotation.
pub(super) const UNITS: &[&str] = &[
    "s", "ms", "us", "μs", "Hz", "kHz", "V", "mV", "uV", "A", "nA", "pA", "S", "nS", "F", "nF", "pF", "Ohm",
    "MOhm",
];

/// Where a domain may be named.
pub(super) const MODIFIERS: &[&str] = &[
    "batched",
    "shared",
    "global",
    "pre",
    "post",
    "pre_channel",
    "post_channel",
    "synapse",
    "per",
    "param",
    "const",
    "option",
    "state",
    "plastic",
    "input",
    "output",
    "extern",
];

/// `µ` (the micro sign) as `μ` (the Greek letter): the two are one letter of the language.
pub(super) fn normal(text: &str) -> String {
    text.replace('\u{b5}', "\u{3bc}")
}
