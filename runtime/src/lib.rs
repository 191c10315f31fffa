//! Run synaptic plasticity rules as fused kernels.
//!
//! A [`Rule`] is a text, checked and composed by `aplysia-compiler`. An [`Engine`] holds [`Group`]s of synapses that
//! follow rules, on a [`Device`], and steps them: spikes and inputs go in, weights, states and outputs come out. Every
//! run is a pure function of rule, parameters, inputs and seed, to the bit, whatever the device, the plan and the
//! number of threads.
//!
//! ```
//! use aplysia::prelude::*;
//!
//! let rule = Rule::from_source(
//!     "hebb",
//!     "rule hebb {
//!         param rate = 0.1;
//!         plastic w in 0 .. 1 = 0.5;
//!         on pre { if post.spike { dw += rate; } else { dw -= rate; } }
//!     }",
//! )?;
//! let mut engine = Engine::new(Device::interpreter())?;
//! let group = engine.register(Group::dense(4, 2).rule(&rule).dt(ms(1.0)).param("rate", 0.25).seed(7))?;
//! engine.step(&[(group, Events::new().pre(&[3]).post(&[0]))])?;
//! let w = engine.read::<f32>(group, "w")?;
//! assert_eq!((w[[3, 0]], w[[3, 1]], w[[0, 0]]), (0.75, 0.25, 0.5));
//! # Ok::<(), Error>(())
//! ```
//!
//! The host's bare numbers, in and out, are in the declared unit of their variable (`5` for `param target = 5 Hz;` is
//! 5 Hz). Arrays have the axes of their domain, the elements of an array last; where a group's batch is larger than 1, it
//! is the first axis of what differs from pattern to pattern (spikes, inputs, states and outputs of neurons, unless
//! declared `shared`):
//!
//! | group | synapses | neurons | channels |
//! | --- | --- | --- | --- |
//! | dense | `[pre, post]` | `[pre]`, `[post]` | as neurons |
//! | one-to-one | `[n]` | `[n]` | as neurons |
//! | sparse | `[nnz]`, row by row | `[pre]`, `[post]` | as neurons |
//! | conv2d | `[out, in / groups, kh, kw]` | `[in, h, w]`, `[out, oh, ow]` | `[in]`, `[out]` |
//! | local2d | `[out, oh · ow, in / groups · kh · kw]` | `[in, h, w]`, `[out, oh, ow]` | `[in]`, `[out]` |
//!
//! A value of the group has no axis. `step` and `run` allocate nothing of their own; where a step is large
//! enough to be shared among threads, rayon's queue allocates a block for every 63 hand-overs.
//!
//! Not done here: other topologies than dense, batches and delays; they are ordinary errors so far.

#[cfg(feature = "testing")]
pub mod testing;
pub mod units;

#[cfg(test)]
mod allocation;
mod cache;
mod checkpoint;
mod connect;
mod delay;
mod device;
mod dispatch;
mod engine;
mod error;
mod events;
mod group;
mod handle;
mod keeps;
mod names;
mod prologue;
mod recorder;
mod register;
mod rule;
#[cfg(test)]
mod sample;
mod shape;
mod state;
#[cfg(test)]
mod tests;
mod train;
mod values;

pub use aplysia_compiler as compiler;
pub use aplysia_compiler::topology::{Convolution, Sparse, Topology};
#[cfg(feature = "macros")]
pub use aplysia_native as native;

/// NVIDIA GPUs: what is there, and the compiler of their code, which needs no GPU.
#[cfg(feature = "cuda")]
pub mod cuda {
    pub use crate::device::cuda::driver::{Gpu, gpus};
    pub use crate::device::cuda::measure;
    pub use crate::device::cuda::nvrtc::{Architecture, Binary, binary, missing, ptx, version};
}

/// Rules inside Rust: a module for each, compiled by rustc.
///
/// The content is that of a rule file, or `file = "my.rule"`, a file beside Cargo.toml or below. The module of a rule has
/// its `Params` (a field for each parameter, in its declared unit; `Default` where all have a default, `new` where not),
/// its `Group` with a method for each variable and call, and `ITEM`, the rule as text.
///
/// ```
/// aplysia::plasticity! {
///     rule hebb {
///         param rate = 0.1;
///         plastic w in 0 .. 1 = 0.5;
///         on pre { if post.spike { dw += rate; } else { dw -= rate; } }
///     }
/// }
///
/// let mut group = hebb::Group::dense(4, 2, hebb::Params { rate: 0.25 });
/// group.step(&[3], &[0]);
/// assert_eq!(group.w()[6..], [0.75, 0.25]);
/// ```
///
/// Nothing is compiled at run time, a step allocates nothing, and the bits are those of every other device. What is wrong
/// with a rule is an error at its own tokens.
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! plasticity {
    ($($tokens:tt)*) => {
        $crate::native::plasticity_at! { ($crate::native) $($tokens)* }
    };
}

pub use connect::{Conv2d, Pair, Random};
pub use delay::Delay;
pub use device::Device;
pub use engine::Engine;
pub use error::{Error, Result};
pub use events::{Events, Side};
pub use group::{Group, Plan, Precision};
pub use handle::{DrawId, GroupId, InputId, Named, ParamId, StateId};
pub use recorder::{Recorder, RecordingId};
pub use rule::Rule;
pub use train::{Inputs, Series, Train};
pub use values::{Number, Values};

/// What most programs need.
pub mod prelude {
    pub use crate::units::{hz, ms, s, us};
    pub use crate::{
        Conv2d, Delay, Device, Engine, Error, Events, Group, Inputs, Plan, Precision, Random, Recorder,
        Result, Rule, Train,
    };
}
