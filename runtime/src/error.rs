//! What can go wrong, as one type. Every error has a code that `aplysia check --explain` knows, says where it is, and
//! names a way out where there is one.

use std::path::PathBuf;

use aplysia_compiler::diag::{Code, code};

use crate::events::Side;

/// The result of everything that can go wrong.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The rule's text has errors.
    #[error("{}", .rendered.trim_end())]
    Rule {
        /// The code of the first error.
        code: Code,
        /// All diagnostics as they are shown to people.
        rendered: String,
    },
    /// A handle of another engine.
    #[error("group {group} does not belong to this engine; use the engine whose `register` returned it")]
    UnknownGroup {
        /// The group's number.
        group: usize,
    },
    /// A name that the group does not have.
    #[error("group {group} (rule `{rule}`) has no {what} `{name}`{help}")]
    UnknownName {
        /// The group's number.
        group: usize,
        /// Its rule.
        rule: String,
        /// State, parameter, input …
        what: &'static str,
        /// The name asked for.
        name: String,
        /// `; did you mean …?`, or nothing.
        help: String,
    },
    /// A short name that several parts have.
    #[error("`{name}` of group {group} could be {}; write the full address", list(.candidates))]
    AmbiguousName {
        /// The group's number.
        group: usize,
        /// The name asked for.
        name: String,
        /// The full addresses.
        candidates: Vec<String>,
    },
    /// A variable of another kind.
    #[error("`{name}` is {found}, not {expected}; {help}")]
    WrongKind {
        /// The variable.
        name: String,
        /// What was needed.
        expected: &'static str,
        /// What it is.
        found: &'static str,
        /// What to use.
        help: &'static str,
    },
    /// An array of the wrong shape.
    #[error("`{name}` has shape {expected:?}, but the array given has shape {found:?}")]
    WrongShape {
        /// The variable.
        name: String,
        /// Its shape.
        expected: Vec<usize>,
        /// What was given.
        found: Vec<usize>,
    },
    /// A NaN.
    #[error("the value given for `{name}` is NaN at flat position {position}")]
    NotANumber {
        /// The variable.
        name: String,
        /// The element, in row-major order.
        position: usize,
    },
    /// A value outside its declared range.
    #[error("`{name}` = {value} at flat position {position} is outside its range {lo} .. {hi}")]
    OutOfRange {
        /// The parameter.
        name: String,
        /// The element.
        position: usize,
        /// The value, in the declared unit.
        value: f64,
        /// The lower end, in the declared unit.
        lo: f64,
        /// The upper end.
        hi: f64,
    },
    /// Parameters that have no default and were not given.
    #[error("rule `{rule}` needs the parameters {}; give them with `.param(name, value)`", list(.names))]
    MissingParameters {
        /// The rule.
        rule: String,
        /// Their addresses.
        names: Vec<String>,
    },
    /// Inputs that have no default and were not given.
    #[error("group {group} needs the inputs {}; give them with `set_input` before the step", list(.names))]
    MissingInputs {
        /// The group's number.
        group: usize,
        /// Their names.
        names: Vec<String>,
    },
    /// An event of a neuron that does not exist.
    #[error("{side} event {index} at position {position} is out of range: there are {count} {side} neurons")]
    EventIndex {
        /// Which side.
        side: Side,
        /// Where in the list.
        position: usize,
        /// The index given.
        index: u64,
        /// How many neurons there are.
        count: usize,
    },
    /// Events that are not strictly ascending.
    #[error("{side} event {index} at position {position} {}; event lists are ascending without repetition",
        if .index == .previous { "is there twice" } else { "comes after a greater one" })]
    EventOrder {
        /// Which side.
        side: Side,
        /// Where in the list.
        position: usize,
        /// The index (or step) given.
        index: u64,
        /// The one before it.
        previous: u64,
    },
    /// An event after the end of the run.
    #[error(
        "{side} event at position {position} is in step {step}, but the run has {steps} steps, counted from 0"
    )]
    EventStep {
        /// Which side.
        side: Side,
        /// Where in the list.
        position: usize,
        /// The step given.
        step: u64,
        /// How many steps the run has.
        steps: u64,
    },
    /// Something of the language that is not carried out here yet.
    #[error("{what} is not supported on {on}")]
    NotSupported {
        /// What.
        what: String,
        /// On which device or topology.
        on: String,
    },
    /// Values of the wrong type.
    #[error("`{name}` holds {holds} values, which cannot be taken as {asked}")]
    WrongType {
        /// The variable.
        name: String,
        /// f32, f64, whole numbers …
        holds: &'static str,
        /// The type asked for or given.
        asked: &'static str,
    },
    /// A call made more than 256 times in a step.
    #[error("`{name}` has been called 256 times since the last step; step the engine in between")]
    CalledTooOften {
        /// The call.
        name: String,
    },
    /// A group named twice in a step or run.
    #[error("group {group} is named twice in one step; merge its events into one entry")]
    GroupTwice {
        /// The group's number.
        group: usize,
    },
    /// Too large.
    #[error("`{name}` needs {bytes} bytes, which cannot be allocated")]
    NoMemory {
        /// The array.
        name: String,
        /// Its size; saturated.
        bytes: usize,
    },
    /// A period that is NaN.
    #[error("the period of schedule {schedule} of rule `{rule}` is not a number with these parameters")]
    BadPeriod {
        /// The rule.
        rule: String,
        /// Which schedule, from 0.
        schedule: usize,
    },
    /// A group without a rule.
    #[error("the group has no rule; add `.rule(&rule)`")]
    MissingRule,
    /// A step of no length.
    #[error("dt is {dt} ms; it must be positive and finite")]
    BadStepLength {
        /// In ms.
        dt: f64,
    },
    /// A device that cannot be used.
    #[error("the device cannot be used: {reason}")]
    BadDevice {
        /// Why.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A stream that is not a checkpoint.
    #[error("this is not a checkpoint: it does not begin with the checkpoint mark")]
    NotACheckpoint,
    /// A checkpoint of another layout.
    #[error("the checkpoint has layout {found}, this version reads layout {expected}")]
    CheckpointVersion {
        /// Of the file.
        found: u32,
        /// Of this program.
        expected: u32,
    },
    /// A truncated or changed checkpoint.
    #[error("the checkpoint is damaged: {reason}")]
    CheckpointDamaged {
        /// What does not fit.
        reason: &'static str,
    },
    /// A checkpoint of other groups.
    #[error("the checkpoint does not fit this engine: {reason}")]
    CheckpointMismatch {
        /// What differs.
        reason: String,
    },
    /// No such shipped rule.
    #[error("there is no shipped rule `{name}`{help}")]
    UnknownShippedRule {
        /// The name asked for.
        name: String,
        /// `; did you mean …?`, or nothing.
        help: String,
    },
    /// A recording that does not exist.
    #[error("there is no such recording: {reason}")]
    Recording {
        /// Why.
        reason: String,
    },
}

impl Error {
    /// The same where a group's array has no room, with the group's number.
    pub(crate) fn of_group(self, group: usize) -> Self {
        match self {
            Error::NoMemory { name, bytes } => {
                Error::NoMemory { name: format!("{name} of group {group}"), bytes }
            }
            other => other,
        }
    }

    /// The code, for `aplysia check --explain`.
    pub fn code(&self) -> Code {
        match self {
            Error::Rule { code, .. } => *code,
            Error::UnknownGroup { .. } => code::UNKNOWN_GROUP,
            Error::UnknownName { .. } => code::UNKNOWN_IN_GROUP,
            Error::AmbiguousName { .. } => code::AMBIGUOUS_IN_GROUP,
            Error::WrongKind { .. } => code::WRONG_KIND_HERE,
            Error::WrongShape { .. } => code::WRONG_SHAPE,
            Error::NotANumber { .. } => code::NOT_A_NUMBER,
            Error::OutOfRange { .. } => code::OUT_OF_RANGE,
            Error::MissingParameters { .. } => code::MISSING_PARAMETER,
            Error::MissingInputs { .. } => code::MISSING_INPUT,
            Error::EventIndex { .. } => code::EVENT_INDEX,
            Error::EventOrder { .. } => code::EVENT_ORDER,
            Error::EventStep { .. } => code::EVENT_STEP,
            Error::NotSupported { .. } => code::NOT_SUPPORTED_HERE,
            Error::WrongType { .. } => code::WRONG_TYPE,
            Error::CalledTooOften { .. } => code::CALLED_TOO_OFTEN,
            Error::GroupTwice { .. } => code::GROUP_TWICE,
            Error::NoMemory { .. } => code::NO_MEMORY,
            Error::BadPeriod { .. } => code::BAD_PERIOD,
            Error::MissingRule => code::MISSING_RULE,
            Error::BadStepLength { .. } => code::BAD_STEP_LENGTH,
            Error::BadDevice { .. } => code::BAD_DEVICE,
            Error::File { .. } => code::FILE_ERROR,
            Error::NotACheckpoint => code::NOT_A_CHECKPOINT,
            Error::CheckpointVersion { .. } => code::CHECKPOINT_VERSION,
            Error::CheckpointDamaged { .. } => code::CHECKPOINT_DAMAGED,
            Error::CheckpointMismatch { .. } => code::CHECKPOINT_MISMATCH,
            Error::UnknownShippedRule { .. } => code::UNKNOWN_SHIPPED_RULE,
            Error::Recording { .. } => code::RECORDING,
        }
    }
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
