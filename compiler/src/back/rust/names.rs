//! What values, buffers and scalars are called in the Rust text.

pub(super) use crate::back::names::Names;
use crate::kernel::Kernel;

/// Words that mean something in Rust or in the text around.
const RESERVED: [&str; 5] = [
    "abstract as async await become box break const continue crate do dyn else enum extern false",
    "final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self",
    "Self static struct super trait true try type typeof union unsafe unsized use virtual where",
    "while yield bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize core",
    "alloc std native blocks main",
];

/// The names of a kernel.
pub(super) fn names(kernel: &Kernel) -> Names {
    Names::new(kernel, &RESERVED, identifier)
}

/// A Rust identifier that looks like `name`; Greek letters stay.
pub(super) fn identifier(name: &str) -> String {
    let name = name.strip_prefix('%').map_or_else(|| name.to_owned(), |number| format!("v{number}"));
    let letter = |c: char| c.is_ascii_alphanumeric() || ('α'..='ω').contains(&c) || ('Α'..='Ω').contains(&c);
    let mut text: String = name.chars().map(|c| if letter(c) { c } else { '_' }).collect();
    if !text.starts_with(|first: char| letter(first) && !first.is_ascii_digit()) {
        text.insert(0, 'x');
    }
    text
}
