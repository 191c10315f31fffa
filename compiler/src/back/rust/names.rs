//! What values, buffers and scalars are called in the Rust text.

use std::collections::HashSet;

use crate::kernel::print::value_names;
use crate::kernel::*;

/// Words that mean something in Rust or in the text around.
const RESERVED: [&str; 5] = [
    "abstract as async await become box break const continue crate do dyn else enum extern false",
    "final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self",
    "Self static struct super trait true try type typeof union unsafe unsized use virtual where",
    "while yield bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize core",
    "alloc std native blocks main",
];

/// The names of one kernel.
pub(super) struct Names {
    values: Vec<String>,
    buffers: Vec<String>,
    scalars: Vec<String>,
    taken: HashSet<String>,
}

impl Names {
    pub(super) fn new(kernel: &Kernel) -> Self {
        let taken = RESERVED.iter().flat_map(|words| words.split(' ')).map(str::to_owned).collect();
        let mut names = Self { values: Vec::new(), buffers: Vec::new(), scalars: Vec::new(), taken };
        for (_, scalar) in kernel.scalars.iter() {
            let name = names.fresh(&identifier(&scalar.name));
            names.scalars.push(name);
        }
        for (_, buffer) in kernel.buffers.iter() {
            let name = names.fresh(&format!("{}_array", identifier(&buffer.name)));
            names.buffers.push(name);
        }
        for (id, text) in kernel.values.handles().zip(value_names(kernel)) {
            let written_in_place = matches!(kernel.values[id].op, Op::Constant(_) | Op::Scalar(_));
            let name = if written_in_place { String::new() } else { names.fresh(&identifier(&text)) };
            names.values.push(name);
        }
        names
    }

    pub(super) fn value(&self, value: ValueId) -> &str {
        &self.values[value.index()]
    }

    pub(super) fn buffer(&self, buffer: BufferId) -> &str {
        &self.buffers[buffer.index()]
    }

    pub(super) fn scalar(&self, scalar: ScalarId) -> &str {
        &self.scalars[scalar.index()]
    }

    /// A name that nothing else has.
    pub(super) fn fresh(&mut self, base: &str) -> String {
        let mut name = base.to_owned();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        name
    }
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
