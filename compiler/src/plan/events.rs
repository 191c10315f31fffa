//! The event plan of a step: only the rows and columns of spiking neurons, where that is proved equal to a full pass.

use super::PlanChoice;
use super::batch::Touched;
use super::layout::Range;
use super::section::Work;
use super::stage::Key;
use crate::arena::HandleMap;
use crate::flow::build::FlowBuilder;
use crate::flow::{Flow, Graph, Write};
use crate::ir::{Expr, ExprId, ExprKind, ReduceOp};
use crate::pass::fold::{Known, known};
use crate::pass::sparsity::{Assumption, Clip, assume, clips};
use crate::topology::Kind;

/// What a pass does in the rows of spiking presynaptic neurons, and at the spiking columns of the other rows.
pub(super) struct Sparse {
    pub(super) row: Variant,
    pub(super) column: Variant,
    /// The places that the pass writes, each with the clips that constrain ends with.
    last_clips: Vec<(Write, Vec<Clip>)>,
    /// In a batch: the rows and columns of neurons that spike in some element.
    pub(super) touched: Option<Touched>,
}

/// What is done with one synapse.
#[derive(Clone, Debug, Default)]
pub(super) struct Variant {
    pub(super) writes: Vec<Write>,
    /// Reductions, by the expression of the full pass, with the conditions and the term under the assumption.
    pub(super) sums: Vec<ExprId>,
}

impl Sparse {
    /// Whether a write leaves its place as it was.
    pub(super) fn is_still(&self, graph: &Graph, write: &Write) -> bool {
        still(&self.last_clips, graph, write)
    }

    /// All expressions that the variants start from.
    pub(super) fn roots(&self) -> Vec<ExprId> {
        let variants = [&self.row, &self.column];
        variants.into_iter().flat_map(|variant| variant.writes.iter().map(|write| write.value)).collect()
    }
}

/// The event plan of a step, where it is proved equal to the full pass. Otherwise a note says what stood in the way.
pub(super) fn sparse_variants(work: &mut Work<'_, '_>, trace: &Flow) -> Option<Sparse> {
    let is_step = work.name == "step";
    if !is_step || matches!(work.planner.options.choice, PlanChoice::FullPass | PlanChoice::ClosedForm) {
        return None;
    }
    let without = match work.layout.kind {
        Kind::OneToOne => return None,
        Kind::Dense | Kind::Sparse if !work.layout.batched => None,
        Kind::Dense | Kind::Sparse if work.planner.options.tiles => None,
        Kind::Dense | Kind::Sparse => Some(
            "lists of what spikes in a batch, where its elements spike at different times, are made one by one",
        ),
        Kind::Conv2d | Kind::Local2d => Some("spatial groups look at every synapse in every step"),
    };
    if let Some(reason) = without {
        work.planner.note("plan", format!("full pass: {reason}"), None);
        return None;
    }
    let key = Key::synapses(0);
    let writes = work.roots.get(&key).map(|roots| roots.writes.clone()).unwrap_or_default();
    if writes.is_empty() {
        return None;
    }
    if work.synapse_passes().into_iter().any(|pass| pass != key.pass) {
        work.planner.note(
            "plan",
            "full pass: a reduction over synapses is needed before the step ends",
            None,
        );
        return None;
    }
    let silent = assumed(work, &writes, Assumption::SILENT);
    let constrain = constrain(work);
    let last_clips: Vec<(Write, Vec<Clip>)> = {
        let graph = &mut work.flow.graph;
        writes.iter().map(|write| (*write, clips_of(&constrain, write, graph))).collect()
    };
    work.stages.update(&work.flow.graph);
    let still = |work: &Work<'_, '_>, write: &Write| still(&last_clips, &work.flow.graph, write);
    if let Some(write) = silent.iter().find(|write| !still(work, write)) {
        let address = work.planner.rule.variables[write.variable].address();
        let span = culprit(work, trace, &constrain, write);
        work.planner.note("plan", format!("full pass: `{address}` may change without a spike"), Some(span));
        return None;
    }
    let sums = all_sums(work);
    for &sum in &sums {
        if !gated_by_spikes(work, sum) {
            let span = work.flow.graph.span(sum);
            let text = "full pass: a sum over synapses counts synapses without a spike";
            work.planner.note("plan", text, Some(span));
            return None;
        }
    }
    // A row or column of a batch is one that spikes in some element, so nothing is known of any one.
    let (row, column) = match work.layout.batched {
        false => (Assumption::ROW, Assumption::COLUMN),
        true => (Assumption::default(), Assumption { pre: Some(false), post: None }),
    };
    let row = assumed(work, &writes, row);
    let column = assumed(work, &writes, column);
    let row_writes = row.into_iter().filter(|write| !still(work, write)).collect();
    let column_writes: Vec<Write> = column.into_iter().filter(|write| !still(work, write)).collect();
    let (more, touched) = match work.layout.batched {
        false => ("", None),
        true => (" in any element of the batch", Some(Touched::new(work))),
    };
    let text = format!(
        "event rows and columns where few neurons spike: without a spike of its neurons{more} no synapse changes"
    );
    work.planner.note("plan", text, None);
    Some(Sparse {
        row: Variant { writes: row_writes, sums },
        column: Variant { writes: column_writes, sums: Vec::new() },
        last_clips,
        touched,
    })
}

/// Whether a write leaves its place as it was. Clips are no change where constrain ends with those very clips: every occasion
/// on which the place changes ends with constrain, and clipping twice is clipping once, for every bit pattern and any bounds.
fn still(last_clips: &[(Write, Vec<Clip>)], graph: &Graph, write: &Write) -> bool {
    let last = last_clips.iter().find(|(place, _)| same_place(place, write));
    clips(graph, write).is_some_and(|found| found.is_empty() || last.is_some_and(|(_, last)| found == *last))
}

fn same_place(a: &Write, b: &Write) -> bool {
    (a.variable, a.element) == (b.variable, b.element)
}

/// What constrain does, taken by itself.
pub(super) fn constrain(work: &Work<'_, '_>) -> Flow {
    let mut builder = FlowBuilder::new(work.planner.rule, work.planner.setting());
    builder.run(&work.planner.rule.constrain);
    crate::pass::run_pipeline(&super::counts::known_counts(&builder.finish(), work.layout))
}

/// The clips that are all that constrain does with a place, as expressions of `graph`; none where it does more.
pub(super) fn clips_of(constrain: &Flow, place: &Write, graph: &mut Graph) -> Vec<Clip> {
    let write = constrain.writes.iter().find(|write| same_place(write, place));
    let found = write.and_then(|write| clips(&constrain.graph, write)).unwrap_or_default();
    found.into_iter().map(|(op, bound)| (op, copy(&constrain.graph, bound, graph))).collect()
}

fn copy(from: &Graph, root: ExprId, to: &mut Graph) -> ExprId {
    let mut map = HandleMap::<Expr, ExprId>::default();
    for id in crate::ir::operands::reachable(from.exprs(), [root]) {
        let expr = from.get(id);
        let kind = expr.kind.map_operands(|operand| map[&operand]);
        map.insert(id, to.add(Expr { kind, ty: expr.ty, shape: expr.shape }, from.span(id)));
    }
    map[&root]
}

pub(super) fn assumed(work: &mut Work<'_, '_>, writes: &[Write], assumption: Assumption) -> Vec<Write> {
    let roots: Vec<ExprId> = writes.iter().map(|write| write.value).collect();
    let precision = work.flow.precision;
    let values = assume(&mut work.flow.graph, &roots, assumption, precision);
    work.stages.update(&work.flow.graph);
    writes.iter().zip(values).map(|(write, value)| Write { value, ..*write }).collect()
}

/// Reductions over synapses that the step needs.
pub(super) fn all_sums(work: &Work<'_, '_>) -> Vec<ExprId> {
    let is_sum = |&id: &ExprId| matches!(work.range(id), Some(Range::Columns | Range::Rows));
    work.needed().into_iter().filter(is_sum).collect()
}

/// Whether a sum counts only synapses of spiking presynaptic neurons. Sums over rows would have to keep the order of
/// their lanes, and sums over columns are left by rows, so only those gated by the row are taken.
pub(super) fn gated_by_spikes(work: &mut Work<'_, '_>, sum: ExprId) -> bool {
    let ExprKind::Reduce { op: ReduceOp::Sum, .. } = work.flow.graph.get(sum).kind else {
        return false;
    };
    if work.range(sum) != Some(Range::Columns) {
        return false;
    }
    let gates = work.pieces(sum).gates;
    let precision = work.flow.precision;
    let assumption = Assumption { pre: Some(false), post: None };
    let decided = assume(&mut work.flow.graph, &gates, assumption, precision);
    work.stages.update(&work.flow.graph);
    decided.into_iter().any(|gate| known(&work.flow.graph, gate, precision) == Some(Known::Bool(false)))
}

/// The first statement after which a place is not what it was, although no neuron spikes.
fn culprit(work: &Work<'_, '_>, trace: &Flow, constrain: &Flow, write: &Write) -> crate::source::Span {
    let mut graph = trace.graph.clone();
    let last_clips = clips_of(constrain, write, &mut graph);
    let rule = work.planner.rule;
    let proposal = match rule.variables[write.variable].kind {
        crate::ir::VarKind::Plastic { proposal } => Some(proposal),
        _ => None,
    };
    for step in &trace.trace {
        let concerns = same_place(step, write) || Some(step.variable) == proposal;
        if !concerns {
            continue;
        }
        let value = assume(&mut graph, &[step.value], Assumption::SILENT, trace.precision)[0];
        let is_zero = known(&graph, value, trace.precision) == Some(Known::Real(0.0));
        let silent = if Some(step.variable) == proposal {
            is_zero
        } else {
            clips(&graph, &Write { value, ..*step }).is_some_and(|found| last_clips.starts_with(&found))
        };
        if !silent {
            return step.span;
        }
    }
    write.span
}
