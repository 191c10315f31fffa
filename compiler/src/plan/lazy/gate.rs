//! What is decided once for a row in a step, not for each of its synapses: whether spiking columns do anything in it.
//!
//! `if dw != 0 { w += dw; }`, where `dw` is the trace of the row's neuron, does nothing in the rows whose trace is 0.

use crate::ir::{ExprId, ExprKind};
use crate::pass::sparsity::decide;
use crate::plan::events::{Sparse, Variant};
use crate::plan::layout::Where;
use crate::plan::section::Work;

/// A condition of the row without which no column writes anything, and what the columns do where it holds.
pub(super) fn of_column(work: &mut Work<'_, '_>, sparse: &Sparse) -> (Option<ExprId>, Variant) {
    let column = &sparse.column;
    let roots: Vec<ExprId> = column.writes.iter().map(|write| write.value).collect();
    let mut conditions = Vec::new();
    for id in crate::ir::operands::reachable(work.flow.graph.exprs(), roots.iter().copied()) {
        if let ExprKind::Select(condition, ..) | ExprKind::Gate(condition, _) = work.flow.graph.get(id).kind
            && !conditions.contains(&condition)
            && is_of_row(work, condition)
        {
            conditions.push(condition);
        }
    }
    let precision = work.flow.precision;
    for condition in conditions {
        let mut under = |holds| {
            let values = decide(&mut work.flow.graph, &roots, (condition, holds), precision);
            work.stages.update(&work.flow.graph);
            let writes = column.writes.iter().zip(values);
            writes.map(|(write, value)| crate::flow::Write { value, ..*write }).collect::<Vec<_>>()
        };
        let (without, with) = (under(false), under(true));
        if without.iter().all(|write| sparse.is_still(&work.flow.graph, write)) {
            return (Some(condition), Variant { writes: with, sums: Vec::new() });
        }
    }
    (None, column.clone())
}

/// Whether a value is the same for all synapses of a row.
fn is_of_row(work: &Work<'_, '_>, root: ExprId) -> bool {
    let mut of_row = std::collections::HashMap::new();
    for id in crate::ir::operands::reachable(work.flow.graph.exprs(), [root]) {
        let holds = match work.place(id).at {
            _ if work.stages.is_invariant(id) => true,
            Where::Global | Where::Pre => true,
            Where::Synapse => match &work.flow.graph.get(id).kind {
                ExprKind::Load { .. }
                | ExprKind::Draw { .. }
                | ExprKind::Builtin(_)
                | ExprKind::Past { .. }
                | ExprKind::Reduce { .. }
                | ExprKind::Scan { .. } => false,
                kind => kind.operands().iter().all(|operand| of_row[operand]),
            },
            Where::Post | Where::PreChannel | Where::PostChannel => false,
        };
        of_row.insert(id, holds);
    }
    of_row[&root]
}
