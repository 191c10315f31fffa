//! Numbers with units, for the places of the interface that take a time.

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Time {
    milliseconds: f64,
}

impl Time {
    /// In milliseconds, the base unit.
    pub fn milliseconds(self) -> f64 {
        self.milliseconds
    }
}

/// Milliseconds.
pub fn ms(value: f64) -> Time {
    Time { milliseconds: value }
}

/// Microseconds.
pub fn us(value: f64) -> Time {
    Time { milliseconds: value / 1000.0 }
}

/// Seconds.
pub fn s(value: f64) -> Time {
    Time { milliseconds: value * 1000.0 }
}

/// A rate in hertz as the probability of a spike in a step of length `dt`, for hosts that draw their own spikes.
///
/// ```
/// use aplysia::units::{hz, ms};
/// assert_eq!(hz(10.0).in_step(ms(1.0)), 0.01);
/// ```
pub fn hz(value: f64) -> Rate {
    Rate { hertz: value }
}

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate {
    hertz: f64,
}

impl Rate {
    /// In hertz.
    pub fn hertz(self) -> f64 {
        self.hertz
    }

    /// Expected events in a step.
    pub fn in_step(self, dt: Time) -> f64 {
        self.hertz * dt.milliseconds / 1000.0
    }
}
