//! From the flow of an occasion to launches: which launch computes what, and what one leaves for another.
//!
//! Values of neurons that synapses need are computed once for each neuron and left in scratch, which hoists them out
//! of the synapse loop. Values of synapses are never left: a later pass computes them again from the variables, and
//! a variable is written in the last pass that needs its old value. So a pass reads and writes each synaptic array at
//! most once, and there is one pass more only for a reduction that another depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::program::{Action, Count, Section, Size, StorageId};
use super::stage::{self, Key, Place, Range, Stages};
use super::storage::{domain_shape, machine_type};
use super::{Planner, counts, dense, events, neuron};
use crate::flow::{Flow, Write, term};
use crate::ir::{ExprId, ExprKind, ReduceOp, Type, VarId, visit};

/// Plans one occasion.
pub(super) fn plan(planner: &mut Planner<'_>, name: &str, flow: Flow) -> Section {
    let flow = counts::known_counts(&flow);
    let trace = crate::pass::fold::fold(&flow);
    let flow = crate::pass::run_pipeline(&flow);
    let mut work = Work::new(planner, name, flow);
    work.place_stores();
    let sparse = events::sparse_variants(&mut work, &trace);
    work.collect(sparse.as_ref());
    let mut actions = Vec::new();
    let keys: Vec<Key> = work.roots.keys().copied().collect();
    for key in keys {
        if key.place == Place::Synapse {
            dense::launch(&mut work, key, sparse.as_ref(), &mut actions);
        } else {
            actions.push(Action::Launch(neuron::launch(&mut work, key)));
        }
    }
    Section { actions }
}

/// What a launch has to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Roots {
    /// Places that it writes.
    pub(super) writes: Vec<Write>,
    /// Values that it leaves for later launches.
    pub(super) leaves: BTreeSet<ExprId>,
    /// Reductions over synapses whose terms it computes.
    pub(super) sums: BTreeSet<ExprId>,
}

/// How a launch gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It computes it, or loads it from the variable that the expression names.
    Inline,
    /// An earlier launch has left it in an array of the value's own place; element and length of the array's axis.
    Left(StorageId, u32, u32),
}

/// The planning of one occasion.
pub(super) struct Work<'p, 'a> {
    pub(super) planner: &'p mut Planner<'a>,
    pub(super) name: String,
    pub(super) flow: Flow,
    pub(super) stages: Stages,
    /// Which launch writes a place.
    pub(super) stores: BTreeMap<(VarId, u32), Key>,
    /// What each launch does.
    pub(super) roots: BTreeMap<Key, Roots>,
    /// Where a value is left.
    pub(super) left: BTreeMap<ExprId, StorageId>,
    /// Where the results of a reduction's blocks are left.
    pub(super) partials: BTreeMap<ExprId, StorageId>,
}

impl<'p, 'a> Work<'p, 'a> {
    fn new(planner: &'p mut Planner<'a>, name: &str, flow: Flow) -> Self {
        let mut stages = Stages::default();
        stages.update(&flow.graph);
        Self {
            planner,
            name: name.to_string(),
            flow,
            stages,
            stores: BTreeMap::new(),
            roots: BTreeMap::new(),
            left: BTreeMap::new(),
            partials: BTreeMap::new(),
        }
    }

    /// The place of a variable.
    pub(super) fn variable_place(&self, variable: VarId) -> Place {
        Place::of(self.planner.rule.variables[variable].shape.domain)
    }

    /// Decides which launch writes each place.
    fn place_stores(&mut self) {
        for write in &self.flow.writes {
            let place = self.variable_place(write.variable);
            let home = self.home(write.value);
            let key = self.stages.key(write.value, place).max(Key::at(home.pass, home.round, place));
            self.stores.insert((write.variable, write.element), key);
        }
        // A pass needs old values; the pass that overwrites one must not come earlier. Moving a store makes its
        // pass need more, so this goes on until nothing moves; stores only move to later of finitely many passes.
        loop {
            let mut moved = false;
            for pass in self.synapse_passes() {
                let key = Key::synapses(pass);
                for id in self.synapse_closure(&self.synapse_roots(pass)) {
                    if let ExprKind::Load { variable, element } = self.flow.graph.get(id).kind
                        && self.variable_place(variable) == Place::Synapse
                        && let Some(store) = self.stores.get_mut(&(variable, element))
                        && *store < key
                    {
                        *store = key;
                        moved = true;
                    }
                }
            }
            if !moved {
                break;
            }
        }
        for write in self.flow.writes.clone() {
            let key = self.stores[&(write.variable, write.element)];
            self.roots.entry(key).or_default().writes.push(write);
        }
    }

    /// The numbers of the passes over the synapses, those that only compute sums included.
    pub(super) fn synapse_passes(&self) -> BTreeSet<u32> {
        let stores = self.stores.values().filter(|key| key.place == Place::Synapse).map(|key| key.pass);
        let sums = self.synapse_sums().into_iter().map(|(_, pass)| pass);
        stores.chain(sums).collect()
    }

    /// Reductions over synapses that some write needs, with the pass that computes their terms.
    fn synapse_sums(&self) -> Vec<(ExprId, u32)> {
        let roots = self.flow.writes.iter().map(|write| write.value);
        visit::reachable(self.flow.graph.exprs(), roots)
            .into_iter()
            .filter_map(|id| match self.flow.graph.get(id).kind {
                ExprKind::Reduce { over, .. } => match stage::range(&self.flow.graph, id, over) {
                    Range::Columns | Range::Rows => Some((id, self.home(id).pass - 1)),
                    Range::Pre | Range::Post | Range::Blocks(_) | Range::Single => None,
                },
                _ => None,
            })
            .collect()
    }

    fn synapse_roots(&self, pass: u32) -> Vec<ExprId> {
        let writes = self
            .flow
            .writes
            .iter()
            .filter(|write| self.stores[&(write.variable, write.element)] == Key::synapses(pass))
            .map(|write| write.value);
        let sums = self.synapse_sums().into_iter().filter(|(_, at)| *at == pass).map(|(id, _)| self.body(id));
        writes.chain(sums).collect()
    }

    /// The body of a reduction or a running sum.
    pub(super) fn body(&self, id: ExprId) -> ExprId {
        match self.flow.graph.get(id).kind {
            ExprKind::Reduce { body, .. } | ExprKind::Scan { body, .. } => body,
            _ => crate::ice!("{id:?} has no body"),
        }
    }

    /// The values of synapses that `roots` need in one pass, and the values of neurons that these use directly.
    fn synapse_closure(&self, roots: &[ExprId]) -> BTreeSet<ExprId> {
        let mut seen = BTreeSet::new();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if seen.insert(id) && Place::of(self.flow.graph.get(id).shape.domain) == Place::Synapse {
                open.extend(visit::operands(&self.flow.graph.get(id).kind));
            }
        }
        seen
    }

    /// The launch that computes a value for its own elements. What needs a serial loop over neurons is computed by a
    /// launch of one element.
    pub(super) fn home(&self, id: ExprId) -> Key {
        let key = self.stages.home(&self.flow.graph, id);
        if self.needs_loop(id) { Key { place: Place::Global, ..key } } else { key }
    }

    /// Whether a value is an array that one serial loop makes.
    pub(super) fn needs_loop(&self, id: ExprId) -> bool {
        match self.flow.graph.get(id).kind {
            ExprKind::Scan { .. } => true,
            ExprKind::Reduce { over, .. } => {
                matches!(stage::range(&self.flow.graph, id, over), Range::Blocks(_))
            }
            _ => false,
        }
    }

    /// Finds what every launch needs, from the last to the first, since a launch only leaves things for later ones.
    fn collect(&mut self, sparse: Option<&events::Sparse>) {
        let mut done = BTreeSet::new();
        while let Some(key) = self.roots.keys().rev().find(|key| !done.contains(*key)).copied() {
            done.insert(key);
            let mut roots = self.launch_roots(key);
            if key.place == Place::Synapse
                && let Some(sparse) = sparse
            {
                roots.extend(sparse.roots());
            }
            self.closure(key, &roots);
        }
    }

    /// The expressions that a launch starts from.
    pub(super) fn launch_roots(&self, key: Key) -> Vec<ExprId> {
        let roots = &self.roots[&key];
        let writes = roots.writes.iter().map(|write| write.value);
        let leaves = roots.leaves.iter().copied();
        let sums = roots.sums.iter().flat_map(|&sum| self.pieces(sum).values());
        writes.chain(leaves).chain(sums).collect()
    }

    /// All values that a launch computes or loads for `roots`, operands first. What must be left by earlier launches
    /// is noted.
    pub(super) fn closure(&mut self, key: Key, roots: &[ExprId]) -> Vec<ExprId> {
        let mut seen = BTreeSet::new();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if self.flow.graph.get(id).ty == Type::Wide || !seen.insert(id) {
                continue;
            }
            if self.access(id, key) != Access::Inline {
                continue;
            }
            open.extend(self.inline_operands(id, key));
        }
        seen.into_iter().collect()
    }

    /// The values that a launch must have to compute `id` itself.
    fn inline_operands(&mut self, id: ExprId, key: Key) -> Vec<ExprId> {
        let kind = self.flow.graph.get(id).kind.clone();
        match kind {
            ExprKind::Reduce { over, op, .. } => match stage::range(&self.flow.graph, id, over) {
                Range::Columns | Range::Rows => {
                    self.leave_partials(id, op);
                    Vec::new()
                }
                Range::Pre | Range::Post | Range::Blocks(_) => self.loop_operands(id, key),
                Range::Single => self.pieces(id).values().collect(),
            },
            ExprKind::Scan { .. } => self.loop_operands(id, key),
            // The parameters of a draw that the host has made do not matter.
            ExprKind::Draw { site, .. } if self.planner.options.given_draws.contains(&site) => Vec::new(),
            kind => visit::operands(&kind),
        }
    }

    /// A loop over neurons inside a launch of one element loads its terms: what is not in a variable is left by the
    /// launch of the neurons.
    fn loop_operands(&mut self, id: ExprId, key: Key) -> Vec<ExprId> {
        let pieces = self.pieces(id);
        for piece in pieces.values() {
            self.loop_access(piece, key);
        }
        pieces.values().filter(|&piece| self.stages.is_invariant(piece)).collect()
    }

    /// Like `access`, for a term of a loop over neurons.
    pub(super) fn loop_access(&mut self, id: ExprId, key: Key) -> Access {
        let plain = matches!(self.flow.graph.get(id).kind, ExprKind::Load { .. } | ExprKind::Builtin(_));
        if self.stages.is_invariant(id) || plain {
            return self.access(id, key);
        }
        self.left_access(id, key)
    }

    /// How the launch `key` gets the value `id`.
    pub(super) fn access(&mut self, id: ExprId, key: Key) -> Access {
        if self.stages.is_invariant(id) {
            return Access::Inline;
        }
        match self.flow.graph.get(id).kind {
            ExprKind::Load { variable, element } => match self.stores.get(&(variable, element)) {
                Some(store) if *store < key => self.left_access(id, key),
                Some(_) | None => Access::Inline,
            },
            ExprKind::Builtin(_) => Access::Inline,
            ExprKind::Draw { site, .. } if self.planner.options.given_draws.contains(&site) => Access::Inline,
            _ => {
                let home = self.home(id);
                let both_synapse = home.place == Place::Synapse && key.place == Place::Synapse;
                if both_synapse || (home == key && !self.needs_loop(id)) {
                    Access::Inline
                } else if home == key && self.roots[&key].leaves.contains(&id) {
                    // The loop itself.
                    Access::Inline
                } else {
                    self.left_access(id, key)
                }
            }
        }
    }

    /// The array in which an earlier launch leaves a value: the variable that it becomes, or scratch.
    fn left_access(&mut self, id: ExprId, key: Key) -> Access {
        let expr = self.flow.graph.get(id);
        let (place, ty) = (Place::of(expr.shape.domain), expr.ty);
        if !matches!(expr.kind, ExprKind::Load { .. }) {
            let stored = self.flow.writes.iter().find(|write| {
                let variable = &self.planner.rule.variables[write.variable];
                write.value == id
                    && self.stores[&(write.variable, write.element)] < key
                    && Place::of(variable.shape.domain) == place
                    && variable.ty == ty
            });
            if let Some(write) = stored {
                let length = self.planner.rule.variables[write.variable].elements();
                let storage = self.planner.storages.variable(write.variable);
                return Access::Left(storage, write.element, length);
            }
        }
        if let Some(&storage) = self.left.get(&id) {
            return Access::Left(storage, 0, 1);
        }
        let machine = machine_type(ty, self.planner.options.precision);
        let storage = self.planner.storages.scratch(machine, domain_shape(expr.shape.domain));
        self.left.insert(id, storage);
        let home = self.home(id);
        self.roots.entry(home).or_default().leaves.insert(id);
        Access::Left(storage, 0, 1)
    }

    /// Has a synapse pass compute the terms of a reduction, and makes room for the results of its blocks.
    fn leave_partials(&mut self, id: ExprId, op: ReduceOp) {
        let pass = self.home(id).pass - 1;
        self.roots.entry(Key::synapses(pass)).or_default().sums.insert(id);
        if self.partials.contains_key(&id) {
            return;
        }
        let expr = self.flow.graph.get(id);
        let machine = match op {
            ReduceOp::Count => crate::kernel::Type::I64,
            ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max => {
                machine_type(expr.ty, self.planner.options.precision)
            }
        };
        let shape = match Place::of(expr.shape.domain) {
            Place::Post => vec![Size::Count(Count::PreBlocks), Size::Count(Count::Post)],
            Place::Global | Place::Pre | Place::Synapse => vec![Size::Count(Count::Pre)],
        };
        let storage = self.planner.storages.scratch(machine, shape);
        self.partials.insert(id, storage);
    }

    /// The term of a reduction taken apart: the conditions under which it counts, and its factors.
    pub(super) fn pieces(&self, id: ExprId) -> Pieces {
        let graph = &self.flow.graph;
        let (op, body) = match graph.get(id).kind {
            ExprKind::Reduce { op, body, .. } => (op, body),
            ExprKind::Scan { body, .. } => (ReduceOp::Sum, body),
            _ => crate::ice!("{id:?} is no reduction"),
        };
        if op != ReduceOp::Sum {
            return Pieces { gates: Vec::new(), term: PieceTerm::Value(body) };
        }
        let (gates, value) = term::gates(graph.exprs(), body);
        let term = match term::product(graph.exprs(), value) {
            Some((a, b)) => PieceTerm::Product(a, b),
            None => PieceTerm::Value(value),
        };
        Pieces { gates, term }
    }
}

/// A term of a reduction, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    /// All must hold.
    pub(super) gates: Vec<ExprId>,
    /// What is added.
    pub(super) term: PieceTerm,
}

/// What a reduction adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceTerm {
    /// A value.
    Value(ExprId),
    /// A product, with one fma.
    Product(ExprId, ExprId),
}

impl Pieces {
    /// All expressions.
    pub(super) fn values(&self) -> std::vec::IntoIter<ExprId> {
        let mut values = self.gates.clone();
        match self.term {
            PieceTerm::Value(value) => values.push(value),
            PieceTerm::Product(a, b) => values.extend([a, b]),
        }
        values.into_iter()
    }
}
