//! NVIDIA GPUs: a group's arrays, launches and steps there. The driver and NVRTC are looked for when a device is asked
//! for; that they are missing is an ordinary error.

mod cache;
pub(crate) mod conductor;
pub(crate) mod driver;
pub(crate) mod group;
pub mod measure;
pub mod nvrtc;
mod step;
