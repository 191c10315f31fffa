//! What a step moves: the elements of synaptic arrays and of the topology's tables that its kernels read and write.

use aplysia_compiler::kernel::{Access, Buffer, BufferKind, Extent, RowSet, SpaceKind};
use aplysia_compiler::plan::program::{Action, Launch, Program, Role, ScalarSource, Size};
use aplysia_compiler::topology::Counts;

/// What was carried out.
pub struct Moved<'a> {
    /// The program.
    pub program: &'a Program,
    /// Alternatives of its step, and how often each was taken.
    pub taken: Vec<(String, u64)>,
    /// The group's numbers.
    pub counts: &'a Counts,
    /// The shares of the neurons of each side that spike in a step.
    pub shares: [f64; 2],
    /// How many neurons of each side spike in a step.
    pub spikes: [f64; 2],
}

/// Bytes of a step, in the mean over the alternatives that were taken.
pub fn bytes(moved: &Moved<'_>) -> f64 {
    let sections = [Some(&moved.program.step), moved.program.commit.as_ref().map(|commit| &commit.section)];
    sections.into_iter().flatten().map(|section| actions(moved, &section.actions)).sum()
}

/// Bytes of all synaptic arrays.
pub fn arrays(program: &Program, counts: &Counts) -> usize {
    let synaptic = program.storages.iter().filter(|(_, storage)| {
        let variable = matches!(storage.role, Role::Variable(_));
        variable
            && elements(&storage.shape, counts)
                >= counts.get(aplysia_compiler::topology::Count::Synapses) as f64
    });
    synaptic.map(|(_, storage)| elements(&storage.shape, counts) * storage.ty.size() as f64).sum::<f64>()
        as usize
}

fn elements(shape: &[Size], counts: &Counts) -> f64 {
    let lengths = shape.iter().map(|size| match *size {
        Size::Constant(length) => length as f64,
        Size::Count(count) => counts.get(count) as f64,
        // Rings of the past belong to neurons.
        Size::Prologue(_) => 0.0,
    });
    lengths.product()
}

fn actions(moved: &Moved<'_>, list: &[Action]) -> f64 {
    let one = |action: &Action| match action {
        Action::Launch(launch) => self::launch(moved, launch),
        Action::Clear(storage) => {
            let storage = &moved.program.storages[*storage];
            elements(&storage.shape, moved.counts) * storage.ty.size() as f64
        }
        Action::Choose(alternatives) => {
            let steps = |name: &str| -> u64 {
                moved.taken.iter().filter(|(taken, _)| taken == name).map(|(_, steps)| *steps).sum()
            };
            let all: u64 = alternatives.iter().map(|alternative| steps(&alternative.name)).sum();
            let each = alternatives.iter().map(|alternative| {
                let part = steps(&alternative.name) as f64 / all.max(1) as f64;
                part * actions(moved, &alternative.actions)
            });
            each.sum()
        }
    };
    list.iter().map(one).sum()
}

/// Bytes of a launch.
fn launch(moved: &Moved<'_>, launch: &Launch) -> f64 {
    let kernel = &moved.program.kernels[launch.kernel];
    let [pre, post] = moved.shares;
    // The share of a synaptic array that the launch visits.
    let lags = kernel.buffers.iter().any(|(_, buffer)| buffer.kind == BufferKind::Marks);
    let visited = match kernel.space.kind {
        // Rows that are brought up to date are those of presynaptic neurons that spike.
        SpaceKind::Rows(_) if lags => pre,
        SpaceKind::Rows(RowSet::Active) => pre,
        SpaceKind::Rows(RowSet::Touched) => pre + (1.0 - pre) * post,
        SpaceKind::Columns => post,
        SpaceKind::Rows(RowSet::All)
        | SpaceKind::Synapses
        | SpaceKind::Pairs
        | SpaceKind::Tiles
        | SpaceKind::Single
        | SpaceKind::Neurons(_)
        | SpaceKind::Channels(_) => 1.0,
    };
    let one = |buffer: &Buffer| {
        let share = match buffer.kind {
            BufferKind::Synapse | BufferKind::Index => visited,
            BufferKind::Global
            | BufferKind::Neuron(_)
            | BufferKind::Channel(_)
            | BufferKind::Batch
            | BufferKind::EventList(_)
            | BufferKind::EventBitmap(_)
            | BufferKind::SpikeRing(_)
            | BufferKind::EventHistory(_)
            | BufferKind::Marks
            | BufferKind::DelayRing
            | BufferKind::Partials => 0.0,
            // What one launch leaves of every synapse for another is moved as the arrays are.
            BufferKind::Scratch if buffer.shape.len() > 1 => visited,
            BufferKind::Scratch => 0.0,
        };
        let times = match buffer.access {
            Access::Read | Access::Write => 1.0,
            Access::ReadWrite => 2.0,
        };
        let length = |extent: &Extent| match *extent {
            Extent::Constant(length) => length as f64,
            Extent::Scalar(scalar) => match launch.scalars[scalar.index()] {
                ScalarSource::Count(count) => moved.counts.get(count) as f64,
                ScalarSource::EventCount(side) => moved.spikes[side as usize],
                ScalarSource::Constant(number) => number as f64,
                ScalarSource::Prologue(_)
                | ScalarSource::Step
                | ScalarSource::Time
                | ScalarSource::Seed
                | ScalarSource::Run
                | ScalarSource::Head(_) => 0.0,
            },
        };
        share * times * buffer.shape.iter().map(length).product::<f64>() * buffer.ty.size() as f64
    };
    kernel.buffers.iter().map(|(_, buffer)| one(buffer)).sum()
}
