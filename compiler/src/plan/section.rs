//! From the flow of an occasion to launches: which launch computes what, and what one leaves for another.
//!
//! Values of neurons that synapses need are computed once for each neuron and left in scratch, which hoists them out
//! of the synapse loop. Values of synapses are never left: a later pass computes them again from the variables, and
//! a variable is written in the last pass that needs its old value. So a pass reads and writes each synaptic array at
//! most once, and there is one pass more only for a reduction that another depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{Layout, Place, Range, Where};
use super::past::{self, Ring};
use super::program::{Action, Count, Section, Size, StorageId};
use super::stage::{Key, Stages, needed_operands};
use super::storage::machine_type;
use super::{Planner, closed, counts, events, lazy, neuron, synapses};
use crate::flow::{Flow, Write};
use crate::ir::{Domain, ExprId, ExprKind, ReduceOp, Type, VarId};

/// Plans one occasion.
pub(super) fn plan(planner: &mut Planner<'_>, name: &str, flow: Flow) -> Section {
    let flow = counts::known_counts(&flow, planner.layout());
    let trace = crate::pass::fold::fold(&flow);
    let flow = crate::pass::run_pipeline(&flow);
    let mut work = Work::new(planner, name, flow);
    work.rings = past::rings(&mut work);
    let section = work.section(&trace);
    let (rings, flow) = (std::mem::take(&mut work.rings), work.flow.clone());
    planner.look_back(flow, rings);
    section
}

/// Plans what fills the rings of a flow with the values from before the first step.
pub(super) fn plan_initial(planner: &mut Planner<'_>, flow: Flow, rings: Vec<Ring>) -> Section {
    let mut work = Work::new(planner, "remember", Flow { writes: Vec::new(), trace: Vec::new(), ..flow });
    work.rings = rings.into_iter().map(Ring::initially).collect();
    let trace = work.flow.clone();
    work.section(&trace)
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
    /// Rings that it writes, by their place in `Work::rings`.
    pub(super) rings: Vec<usize>,
    /// Values that it keeps for rows that lag behind, by their place in `Lazy::histories`.
    pub(super) histories: Vec<usize>,
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
    /// What is kept of the past.
    pub(super) rings: Vec<Ring>,
    /// What is needed to leave rows behind, where that is done.
    pub(super) lazy: Option<lazy::Lazy>,
    /// The closed form of what rows miss, where that is taken.
    pub(super) closed: Option<closed::Closed>,
    pub(super) layout: Layout,
}

impl<'p, 'a> Work<'p, 'a> {
    fn new(planner: &'p mut Planner<'a>, name: &str, flow: Flow) -> Self {
        let layout = planner.layout();
        planner.next_graph();
        let mut stages = Stages::new(layout);
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
            rings: Vec::new(),
            lazy: None,
            closed: None,
            layout,
        }
    }

    /// Writes the launches.
    fn section(&mut self, trace: &Flow) -> Section {
        self.place_stores();
        let sparse = events::sparse_variants(self, trace);
        self.lazy = sparse.as_ref().and_then(|sparse| lazy::prove(self, sparse));
        lazy::place_histories(self);
        self.closed = closed::prove(self);
        self.collect(sparse.as_ref());
        let mut actions = Vec::new();
        let keys: Vec<Key> = self.roots.keys().copied().collect();
        for key in keys {
            if key.place.is_synapse() {
                synapses::launch(self, key, sparse.as_ref(), &mut actions);
            } else {
                actions.push(Action::Launch(neuron::launch(self, key)));
            }
        }
        Section { actions }
    }

    /// The place of a variable.
    pub(super) fn variable_place(&self, variable: VarId) -> Place {
        self.layout.place(self.planner.rule.variables[variable].shape)
    }

    /// The place of a value.
    pub(super) fn place(&self, id: ExprId) -> Place {
        self.layout.place(self.flow.graph.get(id).shape)
    }

    /// What a reduction ranges over, if the value is one.
    pub(super) fn range(&self, id: ExprId) -> Option<Range> {
        match self.flow.graph.get(id).kind {
            ExprKind::Reduce { over, .. } => Some(self.layout.range(&self.flow.graph, id, over)),
            _ => None,
        }
    }

    /// The values that the occasion must compute.
    pub(super) fn values(&self) -> Vec<ExprId> {
        let writes = self.flow.writes.iter().map(|write| write.value);
        writes.chain(self.rings.iter().map(|ring| ring.value)).collect()
    }

    /// All that the values are made of, operands first.
    pub(super) fn needed(&self) -> BTreeSet<ExprId> {
        let mut seen = BTreeSet::new();
        let mut open = self.values();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(needed_operands(&self.flow.graph.get(id).kind));
            }
        }
        seen
    }

    /// The launch in which a value is stored at `place`.
    pub(super) fn store_key(&self, value: ExprId, place: Place) -> Key {
        let home = self.home(value);
        self.stages.key(value, place).max(Key::at(home.pass, home.round, place))
    }

    /// Decides which launch writes each place.
    fn place_stores(&mut self) {
        for write in &self.flow.writes {
            let key = self.store_key(write.value, self.variable_place(write.variable));
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
                        && self.variable_place(variable).is_synapse()
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
        for (number, ring) in self.rings.iter().enumerate() {
            let key = self.store_key(ring.value, ring.place);
            self.roots.entry(key).or_default().rings.push(number);
        }
    }

    /// The numbers of the passes over the synapses, those that only compute sums included.
    pub(super) fn synapse_passes(&self) -> BTreeSet<u32> {
        let stores = self.stores.values().filter(|key| key.place.is_synapse()).map(|key| key.pass);
        let sums = self.synapse_sums().into_iter().map(|(_, pass)| pass);
        stores.chain(sums).collect()
    }

    /// Reductions over synapses that some write needs, with the pass that computes their terms.
    fn synapse_sums(&self) -> Vec<(ExprId, u32)> {
        let is_sum = |&id: &ExprId| matches!(self.range(id), Some(Range::Columns | Range::Rows));
        self.needed().into_iter().filter(is_sum).map(|id| (id, self.home(id).pass - 1)).collect()
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
            if seen.insert(id) && self.place(id).is_synapse() {
                open.extend(needed_operands(&self.flow.graph.get(id).kind));
            }
        }
        seen
    }

    /// The launch that computes a value for its own elements. What needs a serial loop over neurons is computed by a
    /// launch of one element.
    pub(super) fn home(&self, id: ExprId) -> Key {
        let key = self.stages.home(&self.flow.graph, id);
        let global = Place { at: Where::Global, ..key.place };
        if self.needs_loop(id) { Key { place: global, ..key } } else { key }
    }

    /// Whether a value is an array that one serial loop makes.
    pub(super) fn needs_loop(&self, id: ExprId) -> bool {
        let scans = matches!(self.flow.graph.get(id).kind, ExprKind::Scan { .. });
        scans || matches!(self.range(id), Some(Range::Blocks(_)))
    }

    /// Finds what every launch needs, from the last to the first, since a launch only leaves things for later ones.
    fn collect(&mut self, sparse: Option<&events::Sparse>) {
        let mut done = BTreeSet::new();
        while let Some(key) = self.roots.keys().rev().find(|key| !done.contains(*key)).copied() {
            done.insert(key);
            let mut roots = self.launch_roots(key);
            if key.place.is_synapse()
                && let Some(sparse) = sparse
            {
                roots.extend(sparse.roots());
            }
            if key.place.is_synapse()
                && let Some(closed) = &self.closed
            {
                roots.extend(closed.roots());
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
        let rings = roots.rings.iter().map(|&ring| self.rings[ring].value);
        writes.chain(leaves).chain(sums).chain(rings).chain(self.kept_values(roots)).collect()
    }

    /// The values that a launch keeps for rows that lag behind.
    pub(super) fn kept_values(&self, roots: &Roots) -> Vec<ExprId> {
        let Some(lazy) = &self.lazy else { return Vec::new() };
        roots.histories.iter().map(|&history| lazy.histories[history].value).collect()
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
            ExprKind::Reduce { op, .. } => match self.range(id) {
                Some(Range::Columns | Range::Rows) => {
                    self.leave_partials(id, op);
                    Vec::new()
                }
                Some(Range::Single) => self.pieces(id).values().collect(),
                Some(_) if self.is_inline_loop(id) => self.inner_operands(id, key),
                Some(_) | None => self.loop_operands(id, key),
            },
            ExprKind::Scan { .. } => self.loop_operands(id, key),
            // The parameters of a draw that the host has made do not matter.
            ExprKind::Draw { site, .. } if self.planner.options.given_draws.contains(&site) => Vec::new(),
            kind => needed_operands(&kind),
        }
    }

    /// Whether a reduction is a loop whose terms are computed in it, synapse by synapse or pair by pair.
    pub(super) fn is_inline_loop(&self, id: ExprId) -> bool {
        match self.range(id) {
            Some(Range::Outputs | Range::Inputs | Range::Pairs) => true,
            Some(Range::Batch) => self.place(self.body(id)).is_synapse(),
            _ => false,
        }
    }

    /// The values of an inline loop's terms that are the same in all of its iterations. The others are computed in it;
    /// what they take from earlier launches is noted.
    fn inner_operands(&mut self, id: ExprId, key: Key) -> Vec<ExprId> {
        let pieces: Vec<ExprId> = self.pieces(id).values().collect();
        let inner = self.closure(key, &pieces);
        inner.into_iter().filter(|&inner| !self.varies(inner, id)).collect()
    }

    /// Whether a value may differ between the iterations of the inline loop `reduction`.
    pub(super) fn varies(&self, id: ExprId, reduction: ExprId) -> bool {
        let shape = self.flow.graph.get(id).shape;
        let place = self.place(id);
        let neuron = matches!(shape.domain, Domain::Pre | Domain::Post);
        match self.range(reduction) {
            Some(Range::Batch) => place.batched,
            Some(Range::Pairs) => shape.pair || neuron,
            Some(Range::Outputs) => {
                let of_channel = self.place(reduction).at == Where::PostChannel;
                matches!(place.at, Where::Synapse | Where::Pre | Where::PreChannel)
                    || (of_channel && place.at == Where::Post)
            }
            Some(Range::Inputs) => {
                let of_channel = self.place(reduction).at == Where::PreChannel;
                matches!(place.at, Where::Synapse | Where::Post | Where::PostChannel)
                    || (of_channel && place.at == Where::Pre)
            }
            _ => true,
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
            ExprKind::Builtin(_) | ExprKind::Past { .. } => Access::Inline,
            ExprKind::Draw { site, .. } if self.planner.options.given_draws.contains(&site) => Access::Inline,
            _ => {
                let home = self.home(id);
                // Values of synapses are computed again wherever they are needed.
                if home.place.is_synapse() || (home == key && !self.needs_loop(id)) {
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
        let (place, ty) = (self.place(id), expr.ty);
        if !matches!(expr.kind, ExprKind::Load { .. }) {
            let stored = self.flow.writes.iter().find(|write| {
                let variable = &self.planner.rule.variables[write.variable];
                write.value == id
                    && self.stores[&(write.variable, write.element)] < key
                    && self.layout.place(variable.shape) == place
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
        let storage = self.planner.storages.scratch(machine, self.layout.axes(place));
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
        let place = self.place(id);
        let mut shape = self.layout.axes(place);
        if place.at == Where::Post {
            shape.insert(shape.len() - 1, Size::Count(Count::PreBlocks));
        }
        let storage = self.planner.storages.scratch(machine, shape);
        self.partials.insert(id, storage);
    }
}
