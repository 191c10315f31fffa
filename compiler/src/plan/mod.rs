//! From a rule and a topology to a [`program::Program`].
//!
//! Goes in: a finished rule, the kind of topology, the precision. Comes out: every kernel of every occasion, what the
//! device must hold, and the reasons. Not done here: machine code (`back`), and anything that depends on sizes.
//!
//! Each occasion (creation, step, commit, schedule, call) is carried out on symbols (`flow`), simplified (`pass`), and
//! cut into launches: `layout` says where values live on a topology, `stage` finds how many reductions stand before
//! each value, `section` assigns values to launches and decides what one launch leaves for another, `neuron` and `synapses`
//! write the kernels (`rows` and `columns` of dense and sparse groups, `spatial` ones), `emit` writes expressions. `events` and
//! `lazy` prove that a step may leave synapses alone, or for later.

pub mod print;
pub mod program;

mod batch;
mod closed;
mod columns;
mod counts;
mod element;
mod emit;
mod events;
mod lag;
mod lanes;
mod layout;
mod lazy;
mod neuron;
mod occasion;
mod past;
mod pieces;
mod rows;
mod section;
mod spatial;
mod stage;
mod storage;
mod strips;
mod sum;
mod support;
mod synapses;
#[cfg(test)]
mod tests;
mod tiles;
pub(crate) mod words;

use crate::diag::Diagnostics;
use crate::ir::{self, SiteId, VarId};
use crate::kernel::Precision;
use program::{Note, Program};

/// What kind of topology a program is for.
pub use crate::topology::Kind as Topology;

/// Which plans may be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PlanChoice {
    /// The one that costs least, step by step.
    #[default]
    Auto,
    /// Always all synapses.
    FullPass,
    /// The rows and columns of events wherever that is proved to be equal.
    Events,
    /// Rows left behind until their neuron spikes, wherever that is proved to be equal; otherwise as `Auto`.
    Replay,
    /// Rows left behind until their neuron spikes, which then take what they have missed in closed form: equal up to rounding.
    /// An error where that is not proved.
    ClosedForm,
}

/// What a program depends on besides the rule. Sizes and values of parameters are not among it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// The kind of topology.
    pub topology: Topology,
    /// f32 or f64.
    pub precision: Precision,
    /// Whether there may be more than one element of the batch. Without it, batched values are plain ones.
    pub batched: bool,
    /// Variables whose initial values the host has put in place: creation leaves them.
    pub given_values: Vec<VarId>,
    /// Draws whose values the host puts in place.
    pub given_draws: Vec<SiteId>,
    /// Which plans may be taken.
    pub choice: PlanChoice,
    /// Where a block's threads are one, and share a cache: sums of products over the batch are made in tiles, and what
    /// spikes in some element of a batch is listed for the event plan.
    pub tiles: bool,
    /// Whether draws and functions are filled in strips, for which a device must have code of its own.
    pub strips: bool,
    /// Whether the synapses are so many that `Auto` leaves rows behind where it can. Who knows the sizes says so.
    pub large: bool,
}

/// Plans a finished rule.
///
/// # Errors
/// Diagnostics where an equation has no exact step, or where the rule needs something that the topology or this
/// version does not support.
pub fn compile(rule: &ir::Rule, options: &Options) -> Result<Program, Diagnostics> {
    let rule = prepared(rule, options)?;
    let mut planner = Planner::new(&rule, options);
    if options.choice == PlanChoice::ClosedForm {
        let flows: Vec<crate::flow::Flow> =
            occasion::flows(&planner).iter().map(|(_, flow)| crate::pass::run_pipeline(flow)).collect();
        planner.never_negative = crate::pass::affine::never_negative(&rule, &flows);
    }
    let occasions = occasion::plan(&mut planner);
    if planner.refusals.has_errors() {
        return Err(planner.refusals);
    }
    Ok(planner.finish(occasions))
}

/// The dataflow of each occasion after the passes, as text, by the occasion's name.
///
/// # Errors
/// As [`compile`].
pub fn flows(rule: &ir::Rule, options: &Options) -> Result<Vec<(String, String)>, Diagnostics> {
    let rule = prepared(rule, options)?;
    let planner = Planner::new(&rule, options);
    let text = |flow| crate::flow::print::print(&crate::pass::run_pipeline(&flow), &rule);
    Ok(occasion::flows(&planner).into_iter().map(|(name, flow)| (name, text(flow))).collect())
}

/// The rule with its equations written out, and the shapes of the topology.
fn prepared(rule: &ir::Rule, options: &Options) -> Result<ir::Rule, Diagnostics> {
    support::check(rule, options)?;
    let rule = crate::pass::integrate::integrate(rule)?;
    crate::pass::specialise::specialise(rule, options.topology)
}

/// What is shared by all occasions of one program.
struct Planner<'a> {
    rule: &'a ir::Rule,
    options: &'a Options,
    storages: storage::Storages,
    kernels: crate::arena::Arena<crate::kernel::Kernel>,
    prologue: crate::flow::Graph,
    prologue_results: Vec<ir::ExprId>,
    /// What of the present graph is in the prologue.
    prologue_known: std::collections::HashMap<ir::ExprId, ir::ExprId>,
    notes: Vec<Note>,
    /// What the step looks back at.
    looks_back: Option<(crate::flow::Flow, Vec<past::Ring>)>,
    /// What the step leaves behind.
    lazy: Option<program::Lazy>,
    /// Says that all rows are up to date, where some may not be.
    anchor: Option<program::Launch>,
    /// States of neurons that are never negative, where a proof needs them.
    never_negative: std::collections::BTreeSet<VarId>,
    /// Why the plan that was asked for cannot be made.
    refusals: Diagnostics,
}

impl<'a> Planner<'a> {
    fn new(rule: &'a ir::Rule, options: &'a Options) -> Self {
        Self {
            rule,
            options,
            storages: storage::Storages::new(rule, options),
            kernels: crate::arena::Arena::new(),
            prologue: crate::flow::Graph::new(),
            prologue_results: Vec::new(),
            prologue_known: std::collections::HashMap::new(),
            notes: Vec::new(),
            looks_back: None,
            lazy: None,
            anchor: None,
            never_negative: std::collections::BTreeSet::new(),
            refusals: Diagnostics::new(),
        }
    }

    fn layout(&self) -> layout::Layout {
        layout::Layout::new(self.options)
    }

    fn setting(&self) -> crate::flow::build::Setting {
        crate::flow::build::Setting {
            precision: self.options.precision,
            kind: self.options.topology,
            batched: self.options.batched,
        }
    }

    /// Remembers the rings of an occasion; only the step has any.
    fn look_back(&mut self, flow: crate::flow::Flow, rings: Vec<past::Ring>) {
        if !rings.is_empty() {
            self.looks_back = Some((flow, rings));
        }
    }

    fn note(&mut self, topic: &str, text: impl Into<String>, span: Option<crate::source::Span>) {
        let note = Note { topic: topic.to_string(), text: text.into(), span };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The place, in the prologue, of a `Wide` or `Bool` expression that only parameters decide.
    fn prologue_result(&mut self, graph: &crate::flow::Graph, root: ir::ExprId) -> usize {
        let copied = self.prologue_copy(graph, root);
        if let Some(place) = self.prologue_results.iter().position(|&id| id == copied) {
            return place;
        }
        self.prologue_results.push(copied);
        self.prologue_results.len() - 1
    }

    /// Copies what is not there yet. A graph only grows while it is planned, so what has been copied stays right.
    fn prologue_copy(&mut self, graph: &crate::flow::Graph, root: ir::ExprId) -> ir::ExprId {
        let mut missing = std::collections::BTreeSet::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if !self.prologue_known.contains_key(&id) && missing.insert(id) {
                open.extend(graph.get(id).kind.operands());
            }
        }
        for id in missing {
            let expr = graph.get(id);
            let kind = expr.kind.map_operands(|operand| self.prologue_known[&operand]);
            let expr = ir::Expr { kind, ty: expr.ty, shape: expr.shape };
            let copied = self.prologue.add(expr, graph.span(id));
            self.prologue_known.insert(id, copied);
        }
        self.prologue_known[&root]
    }

    /// Another graph is planned from here on.
    fn next_graph(&mut self) {
        self.prologue_known.clear();
    }

    fn finish(self, occasions: occasion::Occasions) -> Program {
        Program {
            name: self.rule.name.clone(),
            precision: self.options.precision,
            storages: self.storages.into_arena(),
            prologue: program::Prologue {
                exprs: self.prologue.exprs().clone(),
                results: self.prologue_results,
            },
            kernels: self.kernels,
            create: occasions.create,
            step: occasions.step,
            commit: occasions.commit,
            schedules: occasions.schedules,
            calls: occasions.calls,
            lazy: self.lazy,
            notes: self.notes,
        }
    }
}
