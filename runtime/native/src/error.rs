//! Why a group does not take what the host gives.

use core::fmt;

/// Why a group does not take what the host gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// There are more neurons or synapses than memory can hold.
    TooLarge,
    /// A batch of nothing.
    NoBatch,
    /// Blocks of postsynaptic neurons, or of output channels, that the rule adds up are not whole.
    UnevenBlocks {
        /// Neurons or channels of a block.
        size: u32,
        /// How many there are.
        channels: usize,
    },
    /// The length of a step is not a positive number.
    BadStep(f64),
    /// A parameter is outside its declared range, or not a number.
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// What was given, in its declared unit.
        value: f64,
        /// The least it may be.
        lo: f64,
        /// The most it may be.
        hi: f64,
    },
    /// A number is not one.
    NotANumber {
        /// Of what.
        name: &'static str,
        /// Which, from 0.
        position: usize,
    },
    /// There are more or fewer numbers or spikes than places.
    WrongLength {
        /// Of what.
        name: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A spike of a neuron that the group does not have.
    NoSuchNeuron {
        /// `pre` or `post`.
        side: &'static str,
        /// Its number.
        index: i64,
        /// How many neurons the side has.
        count: usize,
    },
    /// Spikes are not in ascending order, or one is given twice.
    Unsorted {
        /// `pre` or `post`.
        side: &'static str,
        /// Which spike of the list, from 0.
        position: usize,
    },
    /// An input that has no default has not been given.
    MissingInput(&'static str),
    /// A period depends on a parameter that makes it no number.
    BadPeriod,
    /// A call has been made more often in one step than there are random numbers for.
    CalledTooOften(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TooLarge => f.write_str("the group is larger than memory"),
            Error::NoBatch => f.write_str("a batch has at least one element"),
            Error::UnevenBlocks { size, channels } => write!(
                f,
                "`sum[post by {size}]`: blocks of {size} do not divide {channels} postsynaptic neurons or channels"
            ),
            Error::BadStep(dt) => {
                write!(f, "the length of a step is {dt} ms; it has to be a positive number")
            }
            Error::OutOfRange { name, value, lo, hi } => {
                write!(f, "`{name}` is {value}, not in {lo} .. {hi}")
            }
            Error::NotANumber { name, position } => {
                write!(f, "number {position} of `{name}` is not a number")
            }
            Error::WrongLength { name, expected, found } => {
                write!(f, "`{name}` has {expected} values, and {found} were given")
            }
            Error::NoSuchNeuron { side, index, count } => {
                write!(f, "a {side} spike of neuron {index}, and there are {count}")
            }
            Error::Unsorted { side, position } => {
                write!(f, "{side} spike number {position} is not above the one before")
            }
            Error::MissingInput(name) => write!(f, "the input `{name}` has no default and was never set"),
            Error::BadPeriod => f.write_str("a period of the rule is not a number"),
            Error::CalledTooOften(name) => write!(f, "`{name}` was called more than 256 times in one step"),
        }
    }
}

impl core::error::Error for Error {}

/// What a method without `try` does with an error of the host's.
///
/// # Panics
/// On every error, with its text.
#[track_caller]
pub fn expect<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
