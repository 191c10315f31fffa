//! `plasticity!`: rules inside Rust. Use it through `aplysia::plasticity!`, or `aplysia_native::plasticity!` where there is
//! no standard library; both call the macro of this crate with the place of `aplysia-native` in front.
//!
//! All but this file is written on `proc_macro2`, so that the tests expand without rustc.

mod expand;
mod files;
mod modules;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod tokens;

use std::path::PathBuf;

use proc_macro::TokenStream;

/// Rules as modules; the first token tree is the path of `aplysia-native`, in brackets.
#[proc_macro]
pub fn plasticity_at(input: TokenStream) -> TokenStream {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    expand::expand(input.into(), root).into()
}
