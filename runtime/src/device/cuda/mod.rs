//! NVIDIA GPUs.

pub mod nvrtc;
