//! The passes over synapses: which kernels there are, and when each runs.

use super::PlanChoice;
use super::events::Sparse;
use super::program::{Action, Alternative, Condition};
use super::section::Work;
use super::stage::Key;
use super::{batch, closed, columns, lazy, rows, spatial};
use crate::topology::Kind;

/// The event plan is taken below this share of a full pass, and a synapse of a column costs so many synapses of a
/// row: a strided access costs a cache line, which has 16 of them in f32. Where 5 % of the neurons spike, it takes 0.57 of the
/// full pass on a matrix of 4 MB, and 0.92 on one of 64 MB.
const EVENT_SHARE: f64 = 0.9;
const COLUMN_COST: f64 = 16.0;
/// Rows left behind are taken below this share, and what a postsynaptic spike does in a row costs so many synapses: an access
/// to the cache. On a sparse group every synapse of a row is asked for its neuron's spikes, which costs more than the
/// synapse itself. Measured on matrices of 64 MB and 40 MB in f32.
const REPLAY_SHARE: f64 = 0.9;
const REPLAY_COST: f64 = 3.0;
const SPARSE_REPLAY_SHARE: f64 = 0.2;
const SPARSE_REPLAY_COST: f64 = 0.6;
/// In a batch every synapse is a loop over its elements, wherever it lies.
const BATCHED_COLUMN_COST: f64 = 4.0;

/// Writes the kernels of a synapse pass.
pub(super) fn launch(work: &mut Work<'_, '_>, key: Key, sparse: Option<&Sparse>, actions: &mut Vec<Action>) {
    if work.layout.kind.is_spatial() {
        actions.push(Action::Launch(spatial::launch(work, key)));
        return;
    }
    let full: Vec<Action> = rows::full_pass(work, key).into_iter().map(Action::Launch).collect();
    if let Some(closed) = closed::acts(work, key) {
        let mut all = vec![closed.before_full];
        all.extend(full);
        actions.extend(closed.histories);
        actions.push(Action::Choose(vec![
            Alternative {
                name: "row-lazy, closed form".to_string(),
                condition: Condition::FewEvents { share: f64::INFINITY, column_cost: 0.0 },
                actions: vec![closed.rows],
            },
            Alternative { name: "full pass".to_string(), condition: Condition::Always, actions: all },
        ]));
        return;
    }
    let Some(sparse) = sparse else {
        actions.extend(full);
        return;
    };
    let share = match work.planner.options.choice {
        PlanChoice::Events | PlanChoice::Replay => f64::INFINITY,
        PlanChoice::Auto | PlanChoice::FullPass | PlanChoice::ClosedForm => EVENT_SHARE,
    };
    if let Some(lazy) = lazy::acts(work, key, sparse) {
        let mut all = lazy.before_full;
        all.extend(full);
        let (own_share, column_cost) = match work.layout.kind {
            Kind::Sparse => (SPARSE_REPLAY_SHARE, SPARSE_REPLAY_COST),
            _ => (REPLAY_SHARE, REPLAY_COST),
        };
        let share = if share.is_finite() { own_share } else { share };
        let few = Condition::FewEvents { share, column_cost };
        actions.push(Action::Choose(vec![
            Alternative { name: "row-lazy, replayed".to_string(), condition: few, actions: lazy.step },
            Alternative { name: "full pass".to_string(), condition: Condition::Always, actions: all },
        ]));
        return;
    }
    let mut events = match &sparse.touched {
        Some(touched) => touched.launches(work, key),
        None => Vec::new(),
    };
    events.push(Action::Launch(rows::event_pass(work, key, sparse)));
    // The rows of a sparse group do not say which of their synapses belong to a column; its columns do.
    if work.layout.kind == Kind::Sparse && !sparse.column.writes.is_empty() {
        let launch = match &sparse.touched {
            Some(touched) => batch::columns(work, key, &sparse.column, touched),
            None => columns::launch(work, key, &sparse.column),
        };
        events.push(Action::Launch(launch));
    }
    let column_cost = if sparse.touched.is_some() { BATCHED_COLUMN_COST } else { COLUMN_COST };
    actions.push(Action::Choose(vec![
        Alternative {
            name: "event rows and columns".to_string(),
            condition: Condition::FewEvents { share, column_cost },
            actions: events,
        },
        Alternative { name: "full pass".to_string(), condition: Condition::Always, actions: full },
    ]));
}
