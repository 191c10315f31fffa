//! What can go wrong, as one type. Every error has a code that `aplysia check --explain` knows, says where it is, and
//! names a way out where there is one.

use std::path::PathBuf;

use aplysia_compiler::diag::{Code, code};
use aplysia_compiler::topology::{ConvolutionError, SparseError};

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
    /// An event of a batch element that does not exist.
    #[error(
        "{side} event at position {position} is of batch element {element}: there are {batch}, counted from 0"
    )]
    EventElement {
        /// Which side.
        side: Side,
        /// Where in the list.
        position: usize,
        /// The element given.
        element: u32,
        /// How many there are.
        batch: usize,
    },
    /// Events whose batch elements are not ascending.
    #[error(
        "{side} event at position {position} is of batch element {element}, but comes after one of element \
         {previous}; lists are sorted by step, batch element and neuron"
    )]
    EventElementOrder {
        /// Which side.
        side: Side,
        /// Where in the list.
        position: usize,
        /// The element given.
        element: u32,
        /// The one before it.
        previous: u32,
    },
    /// Plain neurons for a group with a batch.
    #[error(
        "the group presents {batch} patterns at once, and the {side} events do not say of which they are; give pairs of \
         a batch element and a neuron"
    )]
    NoBatchElements {
        /// Which side.
        side: Side,
        /// How many patterns there are.
        batch: usize,
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
    /// Lists that are no synapses.
    #[error("{source}{}", way_out(.source))]
    BadSynapses {
        /// The first entry that is wrong.
        #[from]
        source: SparseError,
    },
    /// A neuron of a list of synapses that does not exist.
    #[error(
        "the synapse at position {position} has {side} neuron {index}: there are {count}, counted from 0"
    )]
    SynapseIndex {
        /// Which side.
        side: Side,
        /// Where in the list.
        position: usize,
        /// The index given.
        index: u32,
        /// How many neurons there are.
        count: usize,
    },
    /// A synapse that a list names twice.
    #[error(
        "the synapse from {row} to {column} is at positions {first} and {second}; leave one of them out, or give \
         their sum once"
    )]
    DuplicateSynapse {
        /// The presynaptic neuron.
        row: u32,
        /// The postsynaptic neuron.
        column: u32,
        /// Where it stands first.
        first: usize,
        /// Where it stands again.
        second: usize,
    },
    /// A convolution that cannot be.
    #[error(transparent)]
    BadConvolution(#[from] ConvolutionError),
    /// A probability that is none.
    #[error("neurons are connected with probability {probability}; it must be a number from 0 to 1")]
    BadProbability {
        /// What was given.
        probability: f64,
    },
    /// More partners than there are.
    #[error(
        "{side} neuron {neuron} is to have {partners} partners, but there are {candidates} to choose from"
    )]
    BadDegree {
        /// Of which side the neurons have so many partners.
        side: Side,
        /// The first that cannot have them.
        neuron: usize,
        /// How many it is to have.
        partners: usize,
        /// How many there are.
        candidates: usize,
    },
    /// A delay that is no time.
    #[error("the {} delay is {value} ms at flat position {position}; it must be a number of ms that is 0 or more",
        match .side { Side::Pre => "axonal", Side::Post => "dendritic" })]
    BadDelay {
        /// Pre: axonal. Post: dendritic.
        side: Side,
        /// The element.
        position: usize,
        /// What was given.
        value: f64,
    },
    /// A batch without elements.
    #[error(
        "a batch of 0 presents nothing; leave `.batch` out, or say how many patterns are presented at once"
    )]
    BadBatch,
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
            Error::EventOrder { .. } | Error::EventElementOrder { .. } => code::EVENT_ORDER,
            Error::EventElement { .. } | Error::NoBatchElements { .. } => code::EVENT_ELEMENT,
            Error::EventStep { .. } => code::EVENT_STEP,
            Error::NotSupported { .. } => code::NOT_SUPPORTED_HERE,
            Error::WrongType { .. } => code::WRONG_TYPE,
            Error::CalledTooOften { .. } => code::CALLED_TOO_OFTEN,
            Error::GroupTwice { .. } => code::GROUP_TWICE,
            Error::NoMemory { .. } => code::NO_MEMORY,
            Error::BadPeriod { .. } => code::BAD_PERIOD,
            Error::MissingRule => code::MISSING_RULE,
            Error::BadStepLength { .. } => code::BAD_STEP_LENGTH,
            Error::BadSynapses { .. } | Error::SynapseIndex { .. } | Error::DuplicateSynapse { .. } => {
                code::BAD_SYNAPSES
            }
            Error::BadConvolution(_) => code::BAD_CONVOLUTION,
            Error::BadProbability { .. } | Error::BadDegree { .. } => code::BAD_CONNECTIVITY,
            Error::BadDelay { .. } => code::BAD_DELAY,
            Error::BadBatch => code::BAD_BATCH,
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

/// What mends a list of synapses.
fn way_out(error: &SparseError) -> &'static str {
    match error {
        SparseError::Unsorted { .. } => {
            "; sort the columns of each row, or give the synapses with `from_coo`"
        }
        SparseError::Duplicate { .. } => "; leave one of them out, or give their sum once",
        SparseError::RowOrder { .. } | SparseError::RowStarts { .. } | SparseError::End { .. } => {
            "; it holds where each row begins and, last, how many synapses there are"
        }
        SparseError::TooManyNeurons { .. } | SparseError::TooManySynapses { .. } => "; use several groups",
        SparseError::Column { .. } => "",
    }
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
