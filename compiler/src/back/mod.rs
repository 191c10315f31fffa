//! Back ends: each reads a validated kernel and nothing else.

#[cfg(feature = "cranelift")]
pub mod cranelift;
#[cfg(feature = "cuda")]
pub mod cuda;
#[cfg(any(feature = "cranelift", feature = "rust"))]
mod decisive;
#[cfg(any(feature = "cuda", feature = "rust"))]
mod names;
#[cfg(feature = "rust")]
pub mod rust;
