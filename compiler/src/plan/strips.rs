//! Draws and functions of synapses, a strip of a row at a time.
//!
//! A draw depends on its place alone, and a function on its argument: both can be computed before the loop over the synapses
//! that uses them, for a strip of columns that stays in the nearest cache, by code of the host that is made for it. The
//! loop then loads what it would have computed: the same bits.

use std::collections::BTreeSet;

use super::emit::Emitter;
use super::program::{Count, Size, StorageId};
use super::section::Access;
use super::stage::{Key, needed_operands};
use super::storage::machine_type;
use super::tiles::Strip;
use crate::ir::{self, Distribution, Domain, ExprId, ExprKind, MathFn, SiteId};
use crate::kernel::{self, Fill, Filling, LoopKind, Stmt, Type, ValueId};
use crate::topology::Kind;

/// Columns of a strip.
pub(super) const COLUMNS: u64 = 256;
/// Blocks of rows, at most, for each block of a sum.
const BLOCKS: u64 = 8;
/// So many values are filled at most: their strips share the nearest cache with the synapses.
const MOST: usize = 8;

/// A value that is filled in front of the loop that uses it.
#[derive(Clone, Copy)]
pub(super) struct Filled {
    id: ExprId,
    /// A strip for each block of rows.
    strip: StorageId,
    with: With,
}

#[derive(Clone, Copy)]
enum With {
    Words(SiteId),
    Normals(SiteId),
    Function(MathFn, ExprId),
}

/// Where a strip of a row stands.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) columns: Strip,
    /// The first element of the block's strips.
    pub(super) first: ValueId,
}

/// What is filled for a loop over synapses that computes `roots`, operands first.
pub(super) fn filled(emitter: &mut Emitter<'_, '_, '_>, key: Key, roots: &[ExprId]) -> Vec<Filled> {
    if !emitter.work.planner.options.strips || emitter.work.layout.kind != Kind::Dense {
        return Vec::new();
    }
    let mut found = Vec::new();
    for id in emitter.work.closure(key, roots) {
        let place = emitter.place(id);
        let of_lane = place.is_synapse() && !place.batched && emitter.known(id).is_none();
        if found.len() == MOST || !of_lane || emitter.work.access(id, key) != Access::Inline {
            continue;
        }
        let Some(with) = with(emitter, id) else { continue };
        let precision = emitter.work.planner.options.precision;
        let ty = match with {
            With::Words(_) => Type::I32,
            With::Normals(_) => Type::real(precision),
            With::Function(..) => machine_type(emitter.work.flow.graph.get(id).ty, precision),
        };
        if !ty.is_float() && !matches!(with, With::Words(_)) {
            continue;
        }
        found.push(Filled { id, strip: emitter.work.planner.storages.scratch(ty, of_blocks(COLUMNS)), with });
    }
    found
}

fn with(emitter: &Emitter<'_, '_, '_>, id: ExprId) -> Option<With> {
    let planner = &emitter.work.planner;
    match &emitter.work.flow.graph.get(id).kind {
        ExprKind::Draw { site, .. } => {
            let of = &planner.rule.sites[*site];
            let given = planner.options.given_draws.contains(site);
            if given || of.shape.domain != Domain::Synapse || emitter.work.layout.place(of.shape).batched {
                return None;
            }
            match of.distribution {
                Distribution::Normal | Distribution::LogNormal => Some(With::Normals(*site)),
                Distribution::Uniform | Distribution::Bernoulli | Distribution::Exponential => {
                    Some(With::Words(*site))
                }
                Distribution::Gamma | Distribution::Beta => None,
            }
        }
        ExprKind::Math(function, operands) => match operands.as_slice() {
            &[argument] if emitter.work.flow.graph.get(id).ty == ir::Type::Real => {
                Some(With::Function(*function, argument))
            }
            _ => None,
        },
        _ => None,
    }
}

/// So many elements for each block of rows.
pub(super) fn of_blocks(elements: u64) -> Vec<Size> {
    vec![Size::Count(Count::PreBlocks), Size::Constant(BLOCKS), Size::Constant(elements)]
}

/// The first element of a block's strips.
pub(super) fn first(emitter: &mut Emitter<'_, '_, '_>, block: ValueId) -> ValueId {
    let width = emitter.builder.int(COLUMNS as i64);
    emitter.builder.mul(block, width)
}

/// The loop over the strips of a row of so many columns.
pub(super) fn each(
    emitter: &mut Emitter<'_, '_, '_>,
    columns: ValueId,
    body: impl FnOnce(&mut Emitter<'_, '_, '_>, Strip),
) {
    let width = emitter.builder.int(COLUMNS as i64);
    let last = emitter.builder.int(COLUMNS as i64 - 1);
    let shift = emitter.builder.int(i64::from(COLUMNS.ilog2()));
    let zero = emitter.builder.int(0);
    let rounded = emitter.builder.add(columns, last);
    let count = emitter.builder.binary(kernel::Binary::ShiftRight, rounded, shift);
    let strip = super::rows::index(emitter, "strip");
    emitter.enter();
    let start = emitter.builder.mul(strip, width);
    let full = emitter.builder.add(start, width);
    let end = emitter.builder.binary(kernel::Binary::Min, full, columns);
    body(emitter, Strip { start, end });
    let inner = emitter.leave();
    super::neuron::push_loop(emitter, LoopKind::Serial, strip, Some(zero), Some(count), inner);
}

/// Fills the strips; `stand` puts the emitter at a synapse of the row, given its column.
pub(super) fn fill(
    emitter: &mut Emitter<'_, '_, '_>,
    key: Key,
    filled: &[Filled],
    at: At,
    stand: &dyn Fn(&mut Emitter<'_, '_, '_>, ValueId),
) {
    if filled.is_empty() {
        return;
    }
    let count = emitter.builder.sub(at.columns.end, at.columns.start);
    for (place, value) in filled.iter().enumerate() {
        let with = match value.with {
            With::Words(site) | With::Normals(site) => {
                let outer = emitter.at;
                stand(emitter, at.columns.start);
                let random = emitter.random(site);
                emitter.at = outer;
                if matches!(value.with, With::Words(_)) {
                    Filling::Words(random)
                } else {
                    Filling::Normals(random)
                }
            }
            With::Function(function, argument) => {
                let column = super::rows::index(emitter, "j");
                emitter.enter();
                let outer = emitter.at;
                stand(emitter, column);
                recall(emitter, &filled[..place], at, column);
                let closure = needed(emitter, key, &[argument]);
                emitter.emit_all(closure);
                let argument = emitter.value(argument);
                let into = emitter.buffer(value.strip, kernel::Access::ReadWrite);
                let element = element(emitter, at, column);
                emitter.builder.store(into, element, argument, None);
                emitter.at = outer;
                emitter.forget_bases();
                let body = emitter.leave();
                let (start, end) = (Some(at.columns.start), Some(at.columns.end));
                super::neuron::push_loop(emitter, LoopKind::Lanes, column, start, end, body);
                Filling::Function(function)
            }
        };
        let into = emitter.buffer(value.strip, kernel::Access::ReadWrite);
        emitter.builder.push(Stmt::Fill(Fill { into, start: at.first, count, with }));
    }
}

fn element(emitter: &mut Emitter<'_, '_, '_>, at: At, column: ValueId) -> ValueId {
    let offset = emitter.builder.sub(column, at.columns.start);
    emitter.builder.add(at.first, offset)
}

/// Takes what has been filled for the synapse of a column out of its strips.
pub(super) fn recall(emitter: &mut Emitter<'_, '_, '_>, filled: &[Filled], at: At, column: ValueId) {
    if filled.is_empty() {
        return;
    }
    let element = element(emitter, at, column);
    for value in filled {
        let strip = emitter.buffer(value.strip, kernel::Access::ReadWrite);
        let loaded = emitter.builder.load(strip, element);
        match value.with {
            With::Words(_) | With::Normals(_) => emitter.set_base(value.id, loaded),
            With::Function(..) => emitter.remember(value.id, loaded),
        }
    }
}

/// The values that `roots` need, operands first, without what only values that are known already need.
pub(super) fn needed(emitter: &mut Emitter<'_, '_, '_>, key: Key, roots: &[ExprId]) -> Vec<ExprId> {
    let all: BTreeSet<ExprId> = emitter.work.closure(key, roots).into_iter().collect();
    let mut found = BTreeSet::new();
    let mut open = roots.to_vec();
    while let Some(id) = open.pop() {
        if !all.contains(&id) || emitter.known(id).is_some() || !found.insert(id) {
            continue;
        }
        if emitter.work.range(id).is_some() {
            open.extend(emitter.work.closure(key, &[id]));
        }
        open.extend(needed_operands(&emitter.work.flow.graph.get(id).kind));
    }
    found.into_iter().collect()
}
