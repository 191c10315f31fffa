//! Rows that lag behind: a row of synapses is brought up to date only when its neuron spikes, or when somebody looks.
//!
//! What a postsynaptic spike does in the row of a silent neuron is a function of the synapse and of values of that step.
//! Where these values are kept for some steps (`history`), together with the lists of the neurons that spiked, it can be
//! done later and all at once, in the same order and so with the same bits (`replay`), while the row is in the cache.
//! A matrix that does not fit the cache is then passed through memory at the rate of presynaptic spikes alone.

mod bits;
mod gate;
mod history;
mod replay;

use std::collections::BTreeSet;

use super::PlanChoice;
use super::events::{Sparse, Variant};
use super::lag::{Mode, in_mode};
use super::program::{self, Action, Section, StorageId};
use super::section::Work;
use super::stage::{Key, needed_operands};
use crate::ir::{Builtin, ExprId, ExprKind, Type, VarKind};
use crate::source::Span;
use crate::topology::Kind;

pub(super) use history::History;

/// How many steps are kept; a power of two. A row lags behind no further.
pub(super) const STEPS: u32 = 256;

/// What a step needs in order to leave rows behind.
#[derive(Clone, Debug)]
pub(super) struct Lazy {
    /// The values that are kept of each step.
    pub(super) histories: Vec<History>,
    /// All that differs from step to step, or between synapses.
    varying: BTreeSet<ExprId>,
    /// Synaptic arrays that lag behind.
    lagging: Vec<StorageId>,
    /// Arrays that are read as they are when a row is brought up to date.
    reads: Vec<StorageId>,
    marks: StorageId,
    spikes: Spikes,
    /// What a spiking column does in the row of a silent neuron.
    column: Variant,
    /// Where this does not hold for a row in a step, its columns do nothing.
    gate: Option<ExprId>,
}

/// How spikes are kept.
#[derive(Clone, Copy, Debug)]
enum Spikes {
    /// Of each step, who spiked: a dense row has all of them.
    Lists(history::Events),
    /// Of each neuron, in which steps it spiked: a sparse row has few of the neurons.
    Bits(bits::Bits),
}

/// The values that one step must keep for what spiking columns need, or the statement that stands in the way.
struct Needs {
    values: BTreeSet<ExprId>,
    varying: BTreeSet<ExprId>,
    lagging: BTreeSet<StorageId>,
    reads: BTreeSet<StorageId>,
}

/// Leaves rows behind, where that is asked for and proved to be equal.
pub(super) fn prove(work: &mut Work<'_, '_>, sparse: &Sparse) -> Option<Lazy> {
    let options = work.planner.options;
    let asked = match options.choice {
        PlanChoice::Replay => true,
        PlanChoice::Auto => options.large,
        PlanChoice::FullPass | PlanChoice::Events | PlanChoice::ClosedForm => false,
    };
    if !asked {
        return None;
    }
    let (gate, column) = gate::of_column(work, sparse);
    let needs = match work.layout.kind {
        _ if work.layout.batched => Err(("no history of a batch's spikes is kept", None)),
        Kind::Dense | Kind::Sparse => needs(work, sparse, &column, gate),
        Kind::OneToOne | Kind::Conv2d | Kind::Local2d => Err(("the group has no rows", None)),
    };
    let needs = match needs {
        Ok(needs) => needs,
        Err((reason, span)) => {
            work.planner.note("rows", format!("in every step: {reason}"), span);
            return None;
        }
    };
    let histories: Vec<History> = needs.values.iter().map(|&value| history::of(work, value)).collect();
    let spikes = match work.layout.kind {
        Kind::Sparse => Spikes::Bits(bits::Bits::new(work)),
        _ => Spikes::Lists(history::Events::new(work)),
    };
    let marks = work.planner.storages.marks();
    say(work, &histories);
    Some(Lazy {
        histories,
        varying: needs.varying,
        lagging: needs.lagging.into_iter().collect(),
        reads: needs.reads.into_iter().collect(),
        marks,
        spikes,
        column,
        gate,
    })
}

/// Says what is kept.
fn say(work: &mut Work<'_, '_>, histories: &[History]) {
    let values = match histories.len() {
        0 => String::new(),
        1 => " and 1 value".to_owned(),
        more => format!(" and {more} values"),
    };
    let text = format!(
        "left behind until their neuron spikes or somebody looks, then replayed spike by spike; the spikes{values} of the \
         last {STEPS} steps are kept"
    );
    work.planner.note("rows", text, None);
}

/// What the spiking columns of silent rows are made of.
fn needs(
    work: &mut Work<'_, '_>,
    sparse: &Sparse,
    column: &Variant,
    gate: Option<ExprId>,
) -> Result<Needs, (&'static str, Option<Span>)> {
    if column.writes.is_empty() {
        return Err(("a postsynaptic spike alone changes nothing", None));
    }
    if work.rings.iter().any(|ring| ring.place.is_synapse()) {
        return Err(("the past of a synaptic value is kept", None));
    }
    let mut needs = Needs {
        values: BTreeSet::new(),
        varying: BTreeSet::new(),
        lagging: BTreeSet::new(),
        reads: BTreeSet::new(),
    };
    let rule = work.planner.rule;
    for write in sparse.row.writes.iter().chain(&column.writes) {
        needs.lagging.insert(work.planner.storages.variable(write.variable));
    }
    let mut seen = BTreeSet::new();
    let mut open: Vec<ExprId> = column.writes.iter().map(|write| write.value).chain(gate).collect();
    while let Some(id) = open.pop() {
        let expr = work.flow.graph.get(id).clone();
        if expr.ty == Type::Wide || !seen.insert(id) {
            continue;
        }
        if work.stages.is_invariant(id) {
            if depends_on_time(work, id) {
                needs.varying.insert(id);
                open.extend(expr.kind.operands());
            }
            continue;
        }
        needs.varying.insert(id);
        let span = Some(work.flow.graph.span(id));
        if let ExprKind::Load { variable, .. } = expr.kind
            && rule.variables[variable].kind == VarKind::Param
        {
            needs.reads.insert(work.planner.storages.variable(variable));
            continue;
        }
        if !work.place(id).is_synapse() {
            let fixed = matches!(expr.kind, ExprKind::Builtin(Builtin::PreIndex | Builtin::PostIndex));
            if !fixed {
                needs.values.insert(id);
            }
            continue;
        }
        match expr.kind {
            ExprKind::Load { variable, .. } => {
                let storage = work.planner.storages.variable(variable);
                if !needs.lagging.contains(&storage) {
                    needs.reads.insert(storage);
                }
            }
            ExprKind::Draw { site, .. } if work.planner.options.given_draws.contains(&site) => {
                let shape = rule.sites[site].shape;
                let ty = super::storage::machine_type(expr.ty, work.planner.options.precision);
                needs.reads.insert(work.planner.storages.draws(site, shape, ty));
            }
            ExprKind::Past { .. } => return Err(("a synapse looks back by its own delay", span)),
            ExprKind::Reduce { .. } | ExprKind::Scan { .. } => {
                return Err(("a synapse needs a sum of its own", span));
            }
            kind => open.extend(needed_operands(&kind)),
        }
    }
    Ok(needs)
}

/// Whether a value that every launch can compute by itself differs from step to step.
fn depends_on_time(work: &Work<'_, '_>, id: ExprId) -> bool {
    let reached = crate::ir::operands::reachable(work.flow.graph.exprs(), [id]);
    reached.into_iter().any(|id| {
        let kind = &work.flow.graph.get(id).kind;
        matches!(kind, ExprKind::Builtin(Builtin::T | Builtin::Step))
    })
}

/// Has the launches that have the values put them away.
pub(super) fn place_histories(work: &mut Work<'_, '_>) {
    let Some(lazy) = &work.lazy else { return };
    let places: Vec<_> = lazy.histories.iter().map(|history| (history.value, history.place)).collect();
    for (number, (value, place)) in places.into_iter().enumerate() {
        let key = work.store_key(value, place);
        work.roots.entry(key).or_default().histories.push(number);
    }
}

/// What a step does where it leaves rows behind, and what comes before a pass over all synapses.
pub(super) struct Acts {
    pub(super) step: Vec<Action>,
    pub(super) before_full: Vec<Action>,
}

/// Writes the kernels. `Program::lazy` has then what brings all rows up to date.
pub(super) fn acts(work: &mut Work<'_, '_>, key: Key, sparse: &Sparse) -> Option<Acts> {
    let lazy = work.lazy.clone()?;
    let remember = match lazy.spikes {
        Spikes::Lists(lists) => lists.append(work, key),
        Spikes::Bits(bits) => bits.append(work, key),
    };
    let step = replay::pass(work, key, sparse, &lazy);
    let as_mode = |mode| Action::Launch(in_mode(&step, mode));
    let acts = Acts {
        step: vec![Action::Launch(remember), as_mode(Mode::Step)],
        before_full: vec![as_mode(Mode::BeforeFull)],
    };
    work.planner.lazy = Some(program::Lazy {
        lagging: lazy.lagging,
        reads: lazy.reads,
        marks: lazy.marks,
        flush: Section { actions: vec![as_mode(Mode::Flush)] },
        view: None,
        never_negative: Vec::new(),
    });
    Some(acts)
}
