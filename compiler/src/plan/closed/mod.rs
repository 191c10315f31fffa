//! The closed form of a step: rows are left alone until their neuron spikes, and then take all that they have missed in one
//! pass for each block of steps. Equal to the full pass up to rounding, so a group has to ask for it.
//!
//! In: the step's work. Out: the launches of a step, and what brings all rows up to date. `pass::affine` has the proof and
//! the mathematics; its words are used here. What every step leaves for the rows is kept in rings of [`STEPS`] slots, and step
//! s in slot s mod [`STEPS`]:
//!
//! * `factors`: f_r, one number for each r, and `matrix`: the entries of A that are not fixed numbers 0 or 1, in f64;
//! * `virtual rows`: V_r for each postsynaptic neuron and state.
//!
//! Each row has a mark, the step up to which it is up to date, and `kept`, the values of x_r after that step.
//!
//! `history` writes what every step leaves, `span` the numbers of one row and block, `rows` the pass over the rows, and
//! `view` the copy that whoever looks at a weight is shown. Looking never moves a mark; a write of the host, a changed
//! parameter, a call and a schedule first bring all rows up to date.

mod explain;
mod history;
mod rows;
mod span;
mod view;

use std::collections::BTreeSet;

use super::PlanChoice;
use super::events;
use super::layout::Place;
use super::program::{self, Action, Count, Section, Size, StorageId};
use super::section::Work;
use super::stage::Key;
use crate::diag::{Diagnostic, code};
use crate::flow::Write;
use crate::ir::{
    BinaryOp, Builtin, Domain, Expr, ExprId, ExprKind, MathFn, Shape, Type as RuleType, UnaryOp, operands,
};
use crate::kernel::Type;
use crate::pass::affine::{self, Affine, LONGEST_BLOCK, Question, Stop};
use crate::pass::fold::{Known, known};
use crate::pass::sparsity::{Assumption, clips};
use crate::plan::lag::{Mode, in_mode};
use crate::topology::Kind;

/// How many steps are kept; a power of two. A row lags behind by fewer.
pub(super) const STEPS: u32 = 512;

/// What a step needs in order to leave rows behind.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    affine: Affine,
    /// What the rows of spiking neurons do, states that lag behind included.
    row: events::Variant,
    /// The length of a block, by its place in the prologue.
    block: usize,
    marks: StorageId,
    /// x_r at the mark, `[pre]` each; none where it is always 1.
    kept: Vec<Option<StorageId>>,
    /// f_r, `[STEPS]` each; none where it is always 1.
    factors: Vec<Option<StorageId>>,
    /// The entries of A, `[STEPS]` each; none where they are 0 or 1.
    matrix: Vec<Vec<Entry>>,
    /// V_r, by r and state, `[STEPS + 1, post]` each; the last slot is always 0. None where V is 0.
    rings: Vec<Vec<Option<StorageId>>>,
    /// The states' own arrays.
    arrays: Vec<StorageId>,
    /// What all of it starts from.
    roots: Vec<ExprId>,
}

/// An entry of A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Zero,
    One,
    /// It is kept here.
    Kept(StorageId, ExprId),
}

/// The closed form of the step, where it is asked for. Where there is none, a diagnostic says so.
pub(super) fn prove(work: &mut Work<'_, '_>) -> Option<Closed> {
    if work.name != "step" || work.planner.options.choice != PlanChoice::ClosedForm {
        return None;
    }
    match closed(work) {
        Ok(closed) => {
            explain::say(work, &closed);
            Some(closed)
        }
        Err(Stop { reason, span }) => {
            let message = format!("the step has no closed form: {reason}");
            let help = "leave the plan to the compiler, which has others that are equal to the bit";
            let diagnostic = Diagnostic::new(code::NO_CLOSED_FORM, span, message).help(help);
            work.planner.refusals.push(diagnostic);
            None
        }
    }
}

fn closed(work: &mut Work<'_, '_>) -> Result<Closed, Stop> {
    let rule = work.planner.rule;
    let whole = rule.variables.iter().next().map(|(_, variable)| variable.span).unwrap_or_default();
    let stop = |span, reason: &str| Err(Stop { reason: reason.to_string(), span });
    if !matches!(work.layout.kind, Kind::Dense | Kind::Sparse) {
        return stop(whole, "the group is neither dense nor sparse");
    }
    if work.layout.batched {
        return stop(whole, "the elements of a batch spike at different times");
    }
    if rule.apply_when != crate::ir::When::EveryStep {
        return stop(whole, "changes are not applied in every step");
    }
    let key = Key::synapses(0);
    let writes = work.roots.get(&key).map(|roots| roots.writes.clone()).unwrap_or_default();
    if let Some(ring) = work.rings.iter().find(|ring| ring.place.is_synapse()) {
        return stop(work.flow.graph.span(ring.value), "the past of a synapse is kept");
    }
    let sums = events::all_sums(work);
    for &sum in &sums {
        if !events::gated_by_spikes(work, sum) {
            return stop(work.flow.graph.span(sum), "a sum over synapses reads weights in every step");
        }
    }
    if work.synapse_passes().into_iter().any(|pass| pass != key.pass) {
        let span = sums.first().map_or(whole, |&sum| work.flow.graph.span(sum));
        return stop(span, "a sum over synapses is needed before the step ends");
    }
    let constrain = events::constrain(work);
    let synapses: Vec<_> = writes
        .iter()
        .map(|write| (*write, events::clips_of(&constrain, write, &mut work.flow.graph)))
        .collect();
    let positive = work.planner.never_negative.clone();
    let all = work.flow.writes.clone();
    let precision = work.flow.precision;
    let question = Question { rule, writes: &all, synapses: &synapses, positive: &positive, precision };
    let affine = affine::closed_form(&mut work.flow.graph, &question)?;
    work.stages.update(&work.flow.graph);
    if affine.states.is_empty() {
        let span = writes.first().map_or(whole, |write| write.span);
        return stop(span, "no synapse changes while its presynaptic neuron is silent");
    }
    for &spot in affine.drives.iter().flat_map(|drive| &drive.factors) {
        if work.stores.get(&spot).is_some_and(|store| *store >= key) {
            return stop(rule.variables[spot.0].span, "a presynaptic trace waits for a sum over synapses");
        }
    }
    let row = spiking_rows(work, &writes, &synapses, &affine, sums);
    let block = block_length(work, &affine)?;
    Ok(storages(work, affine, row, block))
}

/// What the rows of spiking neurons do.
fn spiking_rows(
    work: &mut Work<'_, '_>,
    writes: &[Write],
    synapses: &[(Write, Vec<crate::pass::sparsity::Clip>)],
    affine: &Affine,
    sums: Vec<ExprId>,
) -> events::Variant {
    let row = events::assumed(work, writes, Assumption::ROW);
    let lags = |write: &Write| {
        affine.states.iter().any(|state| (state.variable, state.element) == (write.variable, write.element))
    };
    let still = |write: &Write| {
        let last = synapses
            .iter()
            .find(|(other, _)| (other.variable, other.element) == (write.variable, write.element))
            .map(|(_, clips)| clips);
        clips(&work.flow.graph, write).is_some_and(|found| found.is_empty() || Some(&found) == last)
    };
    let writes: Vec<Write> = row.into_iter().filter(|write| lags(write) || !still(write)).collect();
    let states: Vec<_> = affine.states.iter().map(|state| (state.variable, state.element)).collect();
    let (rule, precision) = (work.planner.rule, work.flow.precision);
    let writes = affine::spread(&mut work.flow.graph, rule, &writes, &states, precision);
    work.stages.update(&work.flow.graph);
    events::Variant { writes, sums }
}

/// The arrays that it needs, and all that the launches start from.
fn storages(work: &mut Work<'_, '_>, affine: Affine, row: events::Variant, block: usize) -> Closed {
    let count = affine.states.len();
    let precision = work.flow.precision;
    let mut roots: Vec<ExprId> = row.writes.iter().map(|write| write.value).collect();
    let steps = Size::Constant(u64::from(STEPS));
    let mut matrix = vec![vec![Entry::Zero; count]; count];
    for (entries, kept) in affine.matrix.iter().zip(&mut matrix) {
        for (entry, kept) in entries.iter().zip(kept) {
            *kept = match entry {
                None => Entry::Zero,
                Some(id) if known(&work.flow.graph, *id, precision) == Some(Known::Real(1.0)) => Entry::One,
                Some(id) => {
                    roots.extend(history::leaves(work, *id));
                    Entry::Kept(work.planner.storages.history(Type::F64, vec![steps]), *id)
                }
            };
        }
    }
    let reached = reached(&matrix);
    let (mut kept, mut factors, mut rings) = (Vec::new(), Vec::new(), Vec::new());
    for drive in &affine.drives {
        roots.extend(drive.inputs.iter().flatten().copied());
        roots.extend(drive.decays.iter().flat_map(|&decay| history::leaves(work, decay)));
        let storages = &mut work.planner.storages;
        let varies = !drive.factors.is_empty();
        kept.push(varies.then(|| storages.carried(Type::F64, vec![Size::Count(Count::Pre)])));
        factors.push(varies.then(|| storages.history(Type::F64, vec![steps])));
        let ring = |state: usize, storages: &mut super::storage::Storages| {
            let moves = (0..count).any(|from| drive.inputs[from].is_some() && reached[state][from]);
            let shape = vec![Size::Constant(u64::from(STEPS) + 1), Size::Count(Count::Post)];
            moves.then(|| storages.history(Type::real(precision), shape))
        };
        rings.push((0..count).map(|state| ring(state, storages)).collect());
    }
    let bounds = affine.states.iter().flat_map(|state| state.clips.iter().map(|(_, bound)| *bound));
    roots.extend(bounds);
    let marks = work.planner.storages.marks();
    let arrays = affine.states.iter().map(|state| work.planner.storages.variable(state.variable)).collect();
    Closed { affine, row, block, marks, kept, factors, matrix, rings, arrays, roots }
}

/// Which states, after some steps, have something of which.
fn reached(matrix: &[Vec<Entry>]) -> Vec<Vec<bool>> {
    let count = matrix.len();
    let mut reached: Vec<Vec<bool>> = (0..count)
        .map(|row| (0..count).map(|column| row == column || matrix[row][column] != Entry::Zero).collect())
        .collect();
    for middle in 0..count {
        for row in 0..count {
            for column in 0..count {
                reached[row][column] |= reached[row][middle] && reached[middle][column];
            }
        }
    }
    reached
}

impl Closed {
    /// All expressions that the launches start from.
    pub(super) fn roots(&self) -> &[ExprId] {
        &self.roots
    }
}

/// The number of steps in a block: as many as no decay takes beyond a factor of 100, at most [`LONGEST_BLOCK`].
fn block_length(work: &mut Work<'_, '_>, affine: &Affine) -> Result<usize, Stop> {
    let span = affine.states.first().map_or_else(Default::default, |state| work.flow.graph.span(state.load));
    let graph = &mut work.flow.graph;
    let shape = Shape::of(Domain::Global);
    let mut add = |kind| graph.add(Expr { kind, ty: RuleType::Wide, shape }, span);
    let mut length = add(ExprKind::Number(f64::from(LONGEST_BLOCK)));
    let (one, digits) = (add(ExprKind::Number(1.0)), add(ExprKind::Number(100f64.ln())));
    for drive in &affine.drives {
        let mut product = one;
        for &decay in &drive.decays {
            let decay = wide(graph, decay)?;
            let kind = ExprKind::Binary(BinaryOp::Multiply, product, decay);
            product = graph.add(Expr { kind, ty: RuleType::Wide, shape }, span);
        }
        let mut add = |kind| graph.add(Expr { kind, ty: RuleType::Wide, shape }, span);
        let size = add(ExprKind::Unary(UnaryOp::Abs, product));
        let rate = add(ExprKind::Math(MathFn::Ln, vec![size]));
        let rate = add(ExprKind::Unary(UnaryOp::Abs, rate));
        let steps = add(ExprKind::Binary(BinaryOp::Divide, digits, rate));
        let steps = add(ExprKind::Unary(UnaryOp::Floor, steps));
        // In this order a NaN, of parameters that have no meaning, leaves the length as it is.
        length = add(ExprKind::Binary(BinaryOp::Min, length, steps));
    }
    let length = graph
        .add(Expr { kind: ExprKind::Binary(BinaryOp::Max, length, one), ty: RuleType::Wide, shape }, span);
    work.stages.update(&work.flow.graph);
    Ok(work.planner.prologue_result(&work.flow.graph, length))
}

/// An expression of parameters and `dt` without its roundings.
fn wide(graph: &mut crate::flow::Graph, root: ExprId) -> Result<ExprId, Stop> {
    let mut map = std::collections::HashMap::new();
    for id in operands::reachable(graph.exprs(), [root]) {
        let expr = graph.get(id).clone();
        let span = graph.span(id);
        let number = matches!(expr.kind, ExprKind::Integer(_) | ExprKind::Boolean(_));
        let new = match &expr.kind {
            ExprKind::Builtin(builtin) if *builtin != Builtin::Dt => {
                let reason = "a trace decays by a factor that depends on the size of the group".to_string();
                return Err(Stop { reason, span });
            }
            ExprKind::Convert(a) if expr.ty == RuleType::Real && graph.get(*a).ty == RuleType::Wide => map[a],
            _ if expr.ty == RuleType::Wide || number => id,
            kind => {
                let kind = kind.map_operands(|operand| map[&operand]);
                let ty = if expr.ty == RuleType::Real { RuleType::Wide } else { expr.ty };
                graph.add(Expr { kind, ty, shape: expr.shape }, span)
            }
        };
        map.insert(id, new);
    }
    Ok(map[&root])
}

/// What a step does.
pub(super) struct Acts {
    /// In every step, before the rows: what the step leaves for later.
    pub(super) histories: Vec<Action>,
    /// Rows of spiking neurons, and those that have been left behind for long.
    pub(super) rows: Action,
    /// Brings all rows up to the step before.
    pub(super) before_full: Action,
}

/// Writes the kernels. `Program::lazy` has then what brings all rows up to date, and what shows them.
pub(super) fn acts(work: &mut Work<'_, '_>, key: Key) -> Option<Acts> {
    let closed = work.closed.clone()?;
    let mut histories = Vec::new();
    if let Some(launch) = history::of_group(work, key, &closed) {
        histories.push(Action::Launch(launch));
    }
    if let Some(launch) = history::of_neurons(work, key, &closed) {
        histories.push(Action::Launch(launch));
    }
    let pass = rows::pass(work, key, &closed);
    let as_mode = |mode| Action::Launch(in_mode(&pass, mode));
    let acts = Acts { histories, rows: as_mode(Mode::Step), before_full: as_mode(Mode::BeforeFull) };
    let (show, copies) = view::pass(work, key, &closed);
    let mut reads: BTreeSet<StorageId> = BTreeSet::new();
    for &(variable, _) in closed.affine.drives.iter().flat_map(|drive| &drive.factors) {
        reads.insert(work.planner.storages.variable(variable));
    }
    let mut lagging: Vec<StorageId> = closed.arrays.clone();
    lagging.sort_unstable();
    lagging.dedup();
    work.planner.lazy = Some(program::Lazy {
        lagging,
        reads: reads.into_iter().collect(),
        marks: closed.marks,
        flush: Section { actions: vec![as_mode(Mode::Flush)] },
        view: Some(program::View { section: Section { actions: vec![Action::Launch(show)] }, copies }),
        never_negative: closed.affine.positive.iter().copied().collect(),
    });
    work.planner.anchor = Some(history::anchor(work, key, &closed));
    Some(acts)
}

/// A presynaptic neuron's place.
const PRE: Place = Place { at: super::layout::Where::Pre, batched: false };
