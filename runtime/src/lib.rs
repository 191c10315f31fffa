//! Run synaptic plasticity rules as fused kernels.

pub mod units;

mod cache;
mod checkpoint;
mod device;
mod engine;
mod error;
mod events;
mod group;
mod handle;
mod names;
mod prologue;
mod recorder;
mod rule;
#[cfg(test)]
mod sample;
mod state;
#[cfg(test)]
mod tests;
mod train;
mod values;

pub use aplysia_compiler as compiler;

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
        Device, Engine, Error, Events, Group, Inputs, Plan, Precision, Recorder, Result, Rule, Train,
    };
}
