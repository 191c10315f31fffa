//! What the lazy plans have in common: one kernel over rows in three modes, and which rows it has to bring up to date.

use super::emit::Emitter;
use super::layout::Place;
use super::program::{Launch, ScalarSource, StorageId};
use super::rows::Rows;
use crate::kernel::{Access, Binary, Compare, Side, Type, ValueId};

/// Rows that lag behind at the same time reach the end of what is kept in so many steps one after another.
const SPREAD: i64 = 32;

/// What the one kernel over rows does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Rows of spiking neurons are brought up to the step before, and then this step is done with them; rows that lag far
    /// behind are brought up to this step.
    Step = 0,
    /// All rows are brought up to this step, which has been done with those of spiking neurons. Spikes are not looked at.
    Flush = 1,
    /// All rows are brought up to the step before, since a pass over all of them comes next. Spikes are not looked at.
    BeforeFull = 2,
}

/// The launch in a mode, which is its only constant.
pub(super) fn in_mode(launch: &Launch, mode: Mode) -> Launch {
    let mut launch = launch.clone();
    for source in &mut launch.scalars {
        if let ScalarSource::Constant(value) = source {
            *value = mode as u64;
        }
    }
    launch
}

/// What a launch knows of its mode.
pub(super) struct Moded {
    pub(super) step: ValueId,
    /// Whether spikes are looked at.
    pub(super) heeds: ValueId,
    /// Whether a pass over all rows comes next.
    pub(super) before: ValueId,
}

/// Asks for the mode.
pub(super) fn moded(emitter: &mut Emitter<'_, '_, '_>) -> Moded {
    let step = emitter.scalar_value(ScalarSource::Step, Type::I64);
    let mode = emitter.scalar_value(ScalarSource::Constant(Mode::Step as u64), Type::I64);
    let is = |emitter: &mut Emitter<'_, '_, '_>, wanted: Mode| {
        let wanted = emitter.builder.int(wanted as i64);
        emitter.builder.compare(Compare::Equal, mode, wanted)
    };
    let (heeds, before) = (is(emitter, Mode::Step), is(emitter, Mode::BeforeFull));
    Moded { step, heeds, before }
}

/// What is known of a row.
pub(super) struct Lag {
    /// The step that it has been brought up to.
    pub(super) mark: ValueId,
    /// Whether its neuron spikes, and that is looked at.
    pub(super) spike: ValueId,
    /// Whether it has to be brought up to date.
    pub(super) due: ValueId,
}

/// Asks for a row's mark and spike: it is due where it lags behind and its neuron spikes, or where its age has reached
/// `limit`, some steps earlier in some rows than in others.
pub(super) fn lag(
    emitter: &mut Emitter<'_, '_, '_>,
    (marks, access): (StorageId, Access),
    (rows, row): (&Rows, ValueId),
    (step, heeds, limit): (ValueId, ValueId, ValueId),
) -> Lag {
    let marks = emitter.buffer(marks, access);
    let mark = emitter.builder.load(marks, row);
    emitter.builder.name(mark, "mark");
    let spikes = emitter.work.planner.storages.spikes(Side::Pre);
    let spike = emitter.load(spikes, Place::neuron(Side::Pre), 0, 1);
    let builder = &mut emitter.builder;
    let spike = builder.binary(Binary::And, spike, heeds);
    let age = builder.sub(step, mark);
    let behind = builder.compare(Compare::GreaterEqual, age, rows.one);
    let mask = builder.int(SPREAD - 1);
    let spread = builder.binary(Binary::And, row, mask);
    let spread_age = builder.add(age, spread);
    let late = builder.compare(Compare::GreaterEqual, spread_age, limit);
    let due = builder.binary(Binary::Or, spike, late);
    let due = builder.binary(Binary::And, behind, due);
    Lag { mark, spike, due }
}
