//! The compiler of aplysia: from the text of a plasticity rule to diagnostics or kernels.
//!
//! The folder tree is the pipeline. A text is parsed (`parse`) into a tree (`ast`), resolved and checked (`check`) into
//! a rule IR (`ir`), composed with others (`compose`), turned into the dataflow of a step (`flow`), planned for a
//! topology (`plan`) as a program of kernels (`kernel`), and handed to a back end (`back`).
//!
//! The crate is pure: it opens no file and no device, starts no thread, reads no environment variable and prints
//! nothing. The one exception is the executable memory that a compiled kernel owns.

pub mod arena;
pub mod ast;
pub mod back;
pub mod check;
pub mod compose;
pub mod diag;
pub mod flow;
pub mod fmt;
pub mod interp;
pub mod ir;
pub mod kernel;
pub mod library;
pub mod math;
pub mod parse;
pub mod pass;
pub mod plan;
pub mod source;
#[cfg(test)]
pub(crate) mod tests;
pub mod valid;

pub use aplysia_topology as topology;

pub use aplysia_math::ice;
