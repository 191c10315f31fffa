//! Composing, first on rules built by hand (`built`), then from text (`text`).

mod built;
mod text;
