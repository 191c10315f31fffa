//! How fast a GPU moves memory, and how long work on it takes: what figures are held against.

use std::sync::Arc;

use super::driver::{Bytes, Event, Stream};
use crate::device::Device;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Milliseconds between two points of the work of a device.
pub struct Stopwatch {
    stream: Arc<Stream>,
    start: Event,
    end: Event,
}

impl Stopwatch {
    /// A stopwatch for the work that is enqueued on this device itself; an engine has a stream of its own.
    ///
    /// # Errors
    /// If the device is no GPU.
    pub fn new(device: &Device) -> Result<Self> {
        let stream = stream(device)?;
        stream.context.bind()?;
        Ok(Self { stream, start: Event::new(true)?, end: Event::new(true)? })
    }

    /// A stopwatch for the work of an engine.
    ///
    /// # Errors
    /// If its device is no GPU.
    pub fn new_for(engine: &Engine) -> Result<Self> {
        Self::new(engine.device())
    }

    /// The time from here …
    ///
    /// # Errors
    /// If the device has failed.
    pub fn start(&self) -> Result<()> {
        self.stream.context.bind()?;
        self.start.record(&self.stream)
    }

    /// … to here, in ms, when everything in between is done.
    ///
    /// # Errors
    /// If the device has failed.
    pub fn stop(&self) -> Result<f64> {
        self.stream.context.bind()?;
        self.end.record(&self.stream)?;
        self.end.wait()?;
        Ok(self.start.until(&self.end)?.into())
    }
}

fn stream(device: &Device) -> Result<Arc<Stream>> {
    device.gpu.clone().ok_or_else(|| Error::BadDevice { reason: format!("{device} is no GPU") })
}

/// Bytes per second, read and written, of a copy of so many bytes inside the device's memory; the best of `repeats`.
///
/// # Errors
/// If there is no room, or the device has failed.
pub fn copy_bandwidth(device: &Device, bytes: usize, repeats: u32) -> Result<f64> {
    let stream = stream(device)?;
    let watch = Stopwatch::new(device)?;
    let from = Bytes::zeroed(&stream, bytes, "a copy")?;
    let to = Bytes::zeroed(&stream, bytes, "a copy")?;
    to.copy_from(&from)?;
    let mut best = f64::INFINITY;
    for _ in 0..repeats.max(1) {
        watch.start()?;
        to.copy_from(&from)?;
        best = best.min(watch.stop()?);
    }
    Ok(2.0 * bytes as f64 / (best / 1000.0))
}
