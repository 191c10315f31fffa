//! Expressions: which values travel, and what they become.
//!
//! In: an expression, and which sides are late for the statement that reads it. Out: the expression with the past of
//! what is late. No walk recurses, however deep an expression is.

use super::{AXONAL, DENDRITIC, Delay};
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::build::RuleBuilder;
use crate::ir::*;
use crate::source::Span;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// The sides whose values reach a statement late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Late {
    pre: bool,
    post: bool,
}

/// The presynaptic side alone, and the postsynaptic side alone.
pub(super) const SIDES: [Late; 2] = [Late { pre: true, post: false }, Late { pre: false, post: true }];

impl Late {
    /// The side of a domain; none where it has no side.
    fn of(domain: Domain) -> Late {
        let pre = matches!(domain, Domain::Pre | Domain::PreChannel);
        let post = matches!(domain, Domain::Post | Domain::PostChannel);
        Late { pre, post }
    }

    fn any(self) -> bool {
        self.pre || self.post
    }

    fn and(self, other: Late) -> Late {
        Late { pre: self.pre && other.pre, post: self.post && other.post }
    }

    fn without(self, other: Late) -> Late {
        Late { pre: self.pre && !other.pre, post: self.post && !other.post }
    }

    /// Of one side: the kind of delay.
    pub(super) fn word(self) -> &'static str {
        if self.pre { "axonal" } else { "dendritic" }
    }

    /// The same with an article.
    fn one(self) -> &'static str {
        if self.pre { "an axonal" } else { "a dendritic" }
    }

    /// Of one side: the address of its delay.
    pub(super) fn address(self) -> &'static str {
        if self.pre { AXONAL } else { DENDRITIC }
    }

    /// Of one side: the domain of its neurons.
    pub(super) fn neurons(self) -> Domain {
        if self.pre { Domain::Pre } else { Domain::Post }
    }

    /// What the name of a `let` gets behind it.
    fn suffix(self) -> &'static str {
        match (self.pre, self.post) {
            (true, true) => "delayed",
            (true, false) => "axonal",
            (false, _) => "dendritic",
        }
    }
}

/// The delay of one side, ready to be used.
#[derive(Clone, Copy)]
struct Line {
    /// Of a neuron or a synapse, in ms.
    delay: ExprId,
    /// Of a channel: the longest of its neurons, which outside convolutions is its neuron's.
    of_channel: ExprId,
    longest: ExprId,
}

/// An expression and how it is read.
type Reading = (ExprId, Late);

/// Writes the rule with delays.
pub(super) struct Rewriter {
    pub(super) builder: RuleBuilder,
    /// The delays of the two sides.
    lines: [Option<Line>; 2],
    /// The value of each `let`.
    values: HashMap<LocalId, ExprId>,
    /// By the expression's index: whether only the host changes it.
    steady: Vec<bool>,
    /// How each `let` is read, besides as it stands.
    wanted: HashMap<LocalId, BTreeSet<Late>>,
    /// The `let`s that have been written for that.
    versions: HashMap<(LocalId, Late), LocalId>,
    done: HashMap<Reading, ExprId>,
    diagnostics: Diagnostics,
}

impl Rewriter {
    /// For a rule without equations; the delays are declared.
    pub(super) fn new(rule: &Rule, delays: [Option<Delay>; 2]) -> Self {
        let mut values = HashMap::new();
        for block in rule.blocks() {
            collect(block, &mut values);
        }
        let mut rewriter = Self {
            steady: steady(rule, &values),
            builder: RuleBuilder::extend(rule.clone()),
            lines: [None, None],
            values,
            wanted: HashMap::new(),
            versions: HashMap::new(),
            done: HashMap::new(),
            diagnostics: Diagnostics::new(),
        };
        rewriter.lines = [0, 1].map(|at| delays[at].map(|delay| rewriter.declare(SIDES[at], delay)));
        rewriter
    }

    /// The rule with its new expressions; its blocks are the caller's to put in place.
    pub(super) fn finish(self) -> Result<Rule, Diagnostics> {
        if self.diagnostics.has_errors() { Err(self.diagnostics) } else { Ok(self.builder.finish()) }
    }

    /// Declares the parameter of a delay, 0 where the host gives none.
    fn declare(&mut self, side: Late, delay: Delay) -> Line {
        let span = Span::default();
        let (zero, longest) = (self.builder.number(0.0, span), self.builder.number(delay.longest_ms, span));
        let whose = side.neurons().word();
        let (part, name) = side.address().split_once('.').unwrap_or_default();
        let variable = self.builder.rule.variables.push(Variable {
            part: part.to_owned(),
            name: name.to_owned(),
            docs: vec![format!("How late {whose}synaptic spikes and values reach the synapse.")],
            kind: VarKind::Param,
            shape: Shape::of(delay.domain),
            ty: if delay.domain == Domain::Global { Type::Wide } else { Type::Real },
            length: None,
            unit: DeclaredUnit { text: "ms".to_owned(), scale: 1.0, dimension: "time".to_owned() },
            range: Some((zero, longest)),
            init: vec![zero],
            span,
        });
        let own = self.builder.load(variable, 0, span);
        let of_channel = match delay.domain == side.neurons() {
            true => self.builder.reduce(ReduceOp::Max, Over::Position, own, span),
            false => own,
        };
        Line { delay: own, of_channel, longest }
    }

    /// The sides that are late for a statement that writes a value of `target`.
    pub(super) fn late(&self, target: Domain) -> Late {
        let given = Late { pre: self.lines[0].is_some(), post: self.lines[1].is_some() };
        given.without(Late::of(target))
    }

    /// Notes how `let`s are read, given how the expressions that use them are.
    pub(super) fn want_values(&mut self, roots: Vec<Reading>) {
        let through = |reading: Reading| {
            let mut parts = self.parts(reading);
            if let Some(local) = self.own_version(reading) {
                parts.extend(self.values.get(&local).map(|&value| (value, reading.1)));
            }
            parts
        };
        let found: Vec<(LocalId, Late)> = in_order(roots, through)
            .into_iter()
            .filter_map(|reading| Some((self.own_version(reading)?, reading.1)))
            .collect();
        for (local, late) in found {
            self.wanted.entry(local).or_default().insert(late);
        }
    }

    /// The ways in which a `let` is read besides as it stands.
    pub(super) fn ways(&self, local: LocalId) -> Vec<Late> {
        self.wanted.get(&local).into_iter().flatten().copied().collect()
    }

    /// Says which `let` holds a value as it is read, and declares one where it is not the `let` itself.
    pub(super) fn version(&mut self, local: LocalId, late: Late, value: ExprId) -> Option<LocalId> {
        if self.values.get(&local) == Some(&value) {
            self.versions.insert((local, late), local);
            return None;
        }
        let version = self.declare_local(local, late, value);
        self.versions.insert((local, late), version);
        Some(version)
    }

    /// A `let` that is named after another.
    pub(super) fn declare_local(&mut self, like: LocalId, late: Late, value: ExprId) -> LocalId {
        let name = format!("{}.{}", self.builder.rule.locals[like].name, late.suffix());
        self.builder.declare(name, value)
    }

    /// The side of a value that is late as a whole.
    fn travels(&self, (id, late): Reading) -> Option<Late> {
        let own = late.and(Late::of(self.builder.shape(id).domain));
        own.any().then_some(own)
    }

    fn is_steady(&self, id: ExprId) -> bool {
        self.steady.get(id.index()).copied().unwrap_or(false)
    }

    /// The `let` that a reading needs a version of.
    fn own_version(&self, reading: Reading) -> Option<LocalId> {
        match self.builder.kind(reading.0) {
            ExprKind::Local(local) if reading.1.any() && self.travels(reading).is_none() => Some(*local),
            _ => None,
        }
    }

    /// What has to be read before this can be.
    fn parts(&self, reading: Reading) -> Vec<Reading> {
        let (id, late) = reading;
        if !late.any() || self.is_steady(id) {
            return Vec::new();
        }
        if let Some(side) = self.travels(reading) {
            return vec![(id, late.without(side))];
        }
        if let Some((_, body)) = self.over_synapses(id) {
            return vec![(body, late)];
        }
        self.builder.kind(id).operands().into_iter().map(|operand| (operand, late)).collect()
    }

    /// The rows of a reduction over all synapses, and what it reduces. It is one reduction: no row is a neuron's value.
    fn over_synapses(&self, id: ExprId) -> Option<(ExprId, ExprId)> {
        let ExprKind::Reduce { over: Over::Pre | Over::PreChannel, body: rows, .. } = *self.builder.kind(id)
        else {
            return None;
        };
        let ExprKind::Reduce { over: Over::Post, body, .. } = *self.builder.kind(rows) else { return None };
        (self.builder.shape(body).domain == Domain::Synapse).then_some((rows, body))
    }

    /// The expression as a statement reads it for which `late` sides are late.
    pub(super) fn read(&mut self, root: ExprId, late: Late) -> ExprId {
        let parts = |reading| if self.done.contains_key(&reading) { Vec::new() } else { self.parts(reading) };
        for reading in in_order(vec![(root, late)], parts) {
            if !self.done.contains_key(&reading) {
                let new = self.rewrite(reading);
                self.done.insert(reading, new);
            }
        }
        self.done[&(root, late)]
    }

    fn rewrite(&mut self, reading: Reading) -> ExprId {
        let (id, late) = reading;
        if !late.any() || self.is_steady(id) {
            return id;
        }
        let span = self.builder.rule.expr_spans[id.index()];
        if let Some(side) = self.travels(reading) {
            let value = self.done[&(id, late.without(side))];
            return self.past(value, side, span);
        }
        if let Some(local) = self.own_version(reading) {
            let Some(version) = self.versions.get(&(local, late)) else {
                crate::ice!("`{}` is read before its `let`", self.builder.rule.locals[local].name)
            };
            return self.builder.local(*version, span);
        }
        if let Some((rows, body)) = self.over_synapses(id) {
            let rows = self.replace(rows, self.done[&(body, late)], span);
            return self.replace(id, rows, span);
        }
        let Expr { kind, ty, shape } = self.builder.rule.exprs[id].clone();
        let mut changed = false;
        let new = kind.map_operands(|operand| {
            let new = self.done[&(operand, late)];
            changed |= new != operand;
            new
        });
        if !changed || !self.fits(&kind, &new, shape, span) {
            return id;
        }
        self.builder.push(new, ty, shape, span)
    }

    /// An expression of one operand with another of the same shape.
    fn replace(&mut self, id: ExprId, operand: ExprId, span: Span) -> ExprId {
        let Expr { kind, ty, shape } = self.builder.rule.exprs[id].clone();
        self.builder.push(kind.map_operands(|_| operand), ty, shape, span)
    }

    fn past(&mut self, value: ExprId, side: Late, span: Span) -> ExprId {
        let line = if side.pre { self.lines[0] } else { self.lines[1] };
        let Some(line) = line else { crate::ice!("a side is late that has no delay") };
        let channel = matches!(self.builder.shape(value).domain, Domain::PreChannel | Domain::PostChannel);
        let delay = if channel { line.of_channel } else { line.delay };
        self.builder.past(value, delay, line.longest, span)
    }

    /// Whether operands that now have a value for each synapse still stand where there is one.
    fn fits(&mut self, old: &ExprKind, new: &ExprKind, shape: Shape, span: Span) -> bool {
        let domain = |id: &ExprId| self.builder.shape(*id).domain;
        let mut moved = old.operands().into_iter().zip(new.operands());
        let Some((from, _)) = moved.find(|(from, to)| domain(from) != domain(to)) else { return true };
        let side = Late::of(domain(&from));
        let (one, neurons) = (side.one(), side.neurons().word());
        let message = match new {
            ExprKind::Past { body, .. } if domain(body) == Domain::Synapse => {
                format!(
                    "a `past` that has a delay for each synapse cannot have {one} delay for each synapse, too"
                )
            }
            _ if shape.domain != Domain::Synapse => format!(
                "{neurons}synaptic neurons are reduced here, not synapses, and the group has {one} delay for each \
                 synapse"
            ),
            _ => return true,
        };
        self.diagnostics.push(
            Diagnostic::new(code::DELAY_WITHOUT_SYNAPSE, span, message).help(format!(
                "give the group {one} delay for each {neurons}synaptic neuron, or a single one"
            )),
        );
        false
    }
}

/// The depth of the recursion is that of the blocks in the text, which the parser limits.
fn collect(block: &[Statement], values: &mut HashMap<LocalId, ExprId>) {
    for statement in block {
        match statement {
            Statement::Let { local, value, .. } => {
                values.insert(*local, *value);
            }
            Statement::Assign { .. } => {}
            Statement::If { then, otherwise, .. } => {
                collect(then, values);
                collect(otherwise, values);
            }
        }
    }
}

/// Which expressions are made of parameters, indices, counts and numbers alone.
fn steady(rule: &Rule, values: &HashMap<LocalId, ExprId>) -> Vec<bool> {
    let parts = |id: ExprId| match &rule.exprs[id].kind {
        ExprKind::Local(local) => values.get(local).copied().into_iter().collect(),
        kind => kind.operands(),
    };
    let mut steady = vec![false; rule.exprs.len()];
    for id in in_order(rule.exprs.handles().collect(), parts) {
        steady[id.index()] = match &rule.exprs[id].kind {
            ExprKind::Load { variable, .. } => rule.variables[*variable].kind == VarKind::Param,
            ExprKind::Builtin(builtin) => match builtin {
                Builtin::Dt
                | Builtin::PreIndex
                | Builtin::PostIndex
                | Builtin::PreCount
                | Builtin::PostCount
                | Builtin::BatchCount
                | Builtin::PairCount => true,
                Builtin::T | Builtin::Step | Builtin::PreSpike | Builtin::PostSpike => false,
            },
            ExprKind::Draw { .. } => false,
            ExprKind::Local(local) => values.get(local).is_some_and(|value| steady[value.index()]),
            ExprKind::Number(_)
            | ExprKind::Integer(_)
            | ExprKind::Boolean(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Gate(..)
            | ExprKind::Math(..)
            | ExprKind::Exponential { .. }
            | ExprKind::Convert(_)
            | ExprKind::Widen(_)
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Past { .. } => parts(id).iter().all(|part| steady[part.index()]),
        };
    }
    steady
}

/// What `roots` need, each once, parts first.
fn in_order<N: Copy + Eq + Hash>(roots: Vec<N>, parts: impl Fn(N) -> Vec<N>) -> Vec<N> {
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    let mut open: Vec<(N, bool)> = roots.into_iter().rev().map(|root| (root, false)).collect();
    while let Some((node, ready)) = open.pop() {
        if ready {
            order.push(node);
        } else if seen.insert(node) {
            open.push((node, true));
            open.extend(parts(node).into_iter().map(|part| (part, false)));
        }
    }
    order
}
