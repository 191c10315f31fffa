//! The workloads that aplysia is measured with, beside other programs that run the same ones.
//!
//! In: the name of a workload (`W1-4000-p01`). Out: its rule, its inputs to the bit, and what timing a program that carries
//! it out has come to, as one line of JSON. `docs/performance.md` defines the workloads; `aplysia bench` runs them on the
//! engine, and the program `native` of this package as code that `plasticity!` has made.

pub mod clock;
pub mod data;
pub mod engine;
pub mod generator;
#[cfg(feature = "native")]
#[allow(missing_docs, reason = "what `plasticity!` makes of parameters without documentation")]
pub mod native;
pub mod peak;
pub mod stream;
pub mod workload;

pub use clock::{Checked, Measurement, Settings, Subject, Timing, measure, time};
pub use data::Data;
pub use workload::{Kind, Workload};
