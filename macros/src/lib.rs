//! `plasticity!`: rules inside Rust. Use it through `aplysia::plasticity!`, or `aplysia_native::plasticity!` where there is
//! no standard library; both call the macro of this crate with the place of `aplysia-native` in front.

mod expand;
mod files;
mod report;
mod settings;
mod tokens;

use proc_macro::TokenStream;

/// Rules as modules; the first token tree is the path of `aplysia-native`, in brackets.
#[proc_macro]
pub fn plasticity_at(input: TokenStream) -> TokenStream {
    expand::expand(input)
}
