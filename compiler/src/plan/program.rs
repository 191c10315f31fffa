//! The program of a rule on a topology: everything that a device carries out, as plain data.
//!
//! A device decides nothing. It allocates the [`Storage`]s, evaluates the [`Prologue`] when a parameter changes, and
//! carries out the [`Section`]s: creation once, the step in every step, commits, schedules and calls when they are
//! due. Every [`Launch`] names the storage behind each buffer of its kernel and the source of each scalar.

use crate::arena::{Arena, Handle};
use crate::ir;
use crate::kernel::{Kernel, Precision, Side, Type};

pub use crate::topology::{Count, Table};

/// An array of a program.
pub type StorageId = Handle<Storage>;
/// A kernel of a program.
pub type KernelId = Handle<Kernel>;

/// Everything that a device carries out for one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The rule's name.
    pub name: String,
    /// f32 or f64.
    pub precision: Precision,
    /// All arrays. Those of variables come first, in the order of the rule's variables.
    pub storages: Arena<Storage>,
    /// What is computed when a parameter changes.
    pub prologue: Prologue,
    /// All kernels, expanded and validated.
    pub kernels: Arena<Kernel>,
    /// Initial values, `on create`, constrain. It runs at the first step or read, with step 0.
    pub create: Section,
    /// In every step: integrate and the proposals, and, where changes are applied in every step, all the rest.
    pub step: Section,
    /// Modulate, apply, constrain and the clearing of `dw`, where changes are not applied in every step.
    pub commit: Option<Commit>,
    /// After the step, in the order written, where due.
    pub schedules: Vec<(ir::Period, Section)>,
    /// By name.
    pub calls: Vec<(String, Section)>,
    /// What the step leaves behind, and what brings it up to date.
    pub lazy: Option<Lazy>,
    /// Why the program is as it is, for `explain`: a line each.
    pub notes: Vec<Note>,
}

/// Rows of synapses that steps leave behind. Bringing a row up to date gives the bits that it would have had all along, so
/// that it may be done at any time; before somebody depends on it, it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Lazy {
    /// Arrays of synapses that may lag behind. Before anything but the step looks at one or changes it, `flush` runs: the
    /// host, a commit, a schedule, a call.
    pub lagging: Vec<StorageId>,
    /// Arrays that rows are brought up to date with, as these are then. Before the host changes one, `flush` runs, and so it
    /// does before a global parameter changes.
    pub reads: Vec<StorageId>,
    /// Up to which step each row is up to date.
    pub marks: StorageId,
    /// Brings all rows up to date with the last step. It does not look at spikes, and does nothing with rows that are.
    pub flush: Section,
    /// Where catching up rounds: whoever looks is shown copies, and the rows stay behind, so that looking changes nothing. A
    /// checkpoint then holds the arrays as they are, with the marks and all that is kept for the rows.
    pub view: Option<View>,
    /// States that the proof takes for never negative, which the rule's text makes sure of. The host may write no such number.
    pub never_negative: Vec<ir::VarId>,
}

/// What whoever looks at an array that lags behind is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Makes the copies, up to date with the last step.
    pub section: Section,
    /// Each array that may lag behind, with its copy.
    pub copies: Vec<(StorageId, StorageId)>,
}

/// When `commit` runs, and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// In which steps; never `When::EveryStep`. The period's expression belongs to the prologue's arena.
    pub when: ir::When,
    /// What is done.
    pub section: Section,
}

/// An array that a device holds for the group.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// A variable's address (`w`, `stdp.x`), or a name of the plan's own that begins with `%`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The element type.
    pub ty: Type,
    /// The lengths of its axes, outermost first.
    pub shape: Vec<Size>,
}

/// What a storage is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A variable of the rule: state, plastic, input, output, or a parameter that is not global. A proposal has a
    /// storage only where it outlives a step. A plain global state, input or output has one element.
    Variable(ir::VarId),
    /// The list of the neurons of a side that spike in this step, `I32`, ascending; its length is
    /// `ScalarSource::EventCount`. The device fills it before the step.
    Events(Side),
    /// One byte a neuron: 1 where it spikes in this step. The device fills it before the step and clears it after.
    Spikes(Side),
    /// Values that one launch leaves for another of the same section; contents do not matter in between.
    Scratch,
    /// Values that the host puts in place of a draw; the launches that read it are those of programs compiled with
    /// that site given.
    Draws(ir::SiteId),
    /// A table of the topology. The device fills it once, with `topology::Tables`.
    Index(Table),
    /// What `past` reads: the values of the last steps, outermost the slots. The values of step s lie in slot s mod
    /// length; creation fills all slots. It is part of the group's state, as variables are.
    Ring(u32),
    /// Who of a side spiked in the last steps. On a dense group lists of neurons, `I32`, `[steps, neurons]`, that of step s in
    /// slot s mod steps; on a sparse one bits of steps, `I64`, `[words, neurons]`, those of the steps 64 n to 64 n + 63 in
    /// word n mod words.
    EventHistory(Side),
    /// How long the list of each step is, `I64`, `[steps]`; on a sparse group the n of each word, `[words]`. Where nothing lags
    /// behind, -1 will do.
    EventCounts(Side),
    /// A value of the last steps, outermost the slots, for rows that lag behind. It matters only where one does.
    History(u32),
    /// What each row needs of the step that its mark says, `F64`, `[pre]`. Part of the group's state where rows stay behind.
    Carried(u32),
    /// A copy of an array that lags behind, for whoever looks at it. Contents do not matter in between.
    View(StorageId),
    /// Up to which step each row is up to date, `I64`, `[pre]`. Where nothing lags behind, all hold the number of the last step.
    Marks,
}

/// A length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// Known.
    Constant(u64),
    /// Given by the group.
    Count(Count),
    /// A whole number that the prologue computes from constants and `dt` only, by its place among the results.
    Prologue(usize),
}

/// Computed when a parameter changes, and before the first step: straight-line f64, by `interp::wide`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prologue {
    /// `Wide` and `Bool` expressions of numbers, global parameters (`Load`) and `dt`; operands first.
    pub exprs: Arena<ir::Expr>,
    /// What the launches use, by `ScalarSource::Prologue`.
    pub results: Vec<ir::ExprId>,
}

/// What one occasion does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// One after another; each sees all of the one before.
    pub actions: Vec<Action>,
}

/// One act of a device.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Run a kernel.
    Launch(Launch),
    /// Set every element of a storage to +0.
    Clear(StorageId),
    /// The first alternative whose condition holds; the last has `Condition::Always`. All give the same bits.
    Choose(Vec<Alternative>),
}

/// One way to do the same thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The plan's name: `full pass`, `event rows and columns`.
    pub name: String,
    /// When it is taken.
    pub condition: Condition,
    /// What is done.
    pub actions: Vec<Action>,
}

/// When an alternative is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// Whenever it is reached.
    Always,
    /// Where nothing was written by the host and no parameter that constrain reads changed since the last step, and
    /// the work of the events is below `share` of a full pass: pre events · post + `column_cost` · post events · pre
    /// ≤ share · pre · post.
    FewEvents {
        /// The share of the full pass.
        share: f64,
        /// What one synapse of a column costs, in synapses of a row.
        column_cost: f64,
    },
}

/// A launch: which kernel, on what.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The kernel.
    pub kernel: KernelId,
    /// The storage behind each buffer.
    pub buffers: Vec<StorageId>,
    /// The source of each scalar.
    pub scalars: Vec<ScalarSource>,
}

/// Where a scalar of a launch comes from. The device converts it, once, to the scalar's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarSource {
    /// A result of the prologue, by its place.
    Prologue(usize),
    /// A number of the topology.
    Count(Count),
    /// The number of the step.
    Step,
    /// The end of the step in ms: step · dt in f64.
    Time,
    /// The group's seed.
    Seed,
    /// How often this section has run in this step, from 0.
    Run,
    /// How many neurons of a side spike in this step.
    EventCount(Side),
    /// A number that the launch states.
    Constant(u64),
    /// The slot of this step in a ring whose length is a result of the prologue: step mod length.
    Head(usize),
}

/// A line of `explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What the line is about: `synapse pass`, `rows and columns`, `memory`.
    pub topic: String,
    /// What was decided and why, or which statement stood in the way.
    pub text: String,
    /// The statement.
    pub span: Option<crate::source::Span>,
}
