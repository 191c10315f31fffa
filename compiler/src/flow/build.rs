//! From statements to a flow: the statements of a rule are carried out on symbols.

use std::collections::{BTreeMap, HashMap};

use super::{Flow, Graph, Write, term};
use crate::ir::*;
use crate::kernel::Precision;
use crate::source::Span;
use crate::topology::Kind;

/// What a flow depends on besides the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The precision that constants are folded in.
    pub precision: Precision,
    /// The kind of topology: it decides what an increment by values of pairs, or of the padding, takes in.
    pub kind: Kind,
    /// Whether there may be more than one element of the batch.
    pub batched: bool,
}

/// Carries out statements on symbols.
pub struct FlowBuilder<'a> {
    rule: &'a Rule,
    graph: Graph,
    /// The values of places that are not what they were before.
    values: BTreeMap<(VarId, u32), (ExprId, Span)>,
    locals: HashMap<LocalId, ExprId>,
    /// The `let`s as they are at creation, where `past` reads them.
    initial_locals: HashMap<LocalId, ExprId>,
    /// Whether the rule looks back at all.
    looks_back: bool,
    /// The conditions around the present statement, with their shapes in the rule, and whether each holds.
    conditions: Vec<(ExprId, Shape, bool, Span)>,
    trace: Vec<Write>,
    setting: Setting,
}

impl<'a> FlowBuilder<'a> {
    /// Nothing has been carried out.
    pub fn new(rule: &'a Rule, setting: Setting) -> Self {
        Self {
            rule,
            graph: Graph::new(),
            values: BTreeMap::new(),
            locals: HashMap::new(),
            initial_locals: HashMap::new(),
            looks_back: rule.exprs.iter().any(|(_, expr)| matches!(expr.kind, ExprKind::Past { .. })),
            conditions: Vec::new(),
            trace: Vec::new(),
            setting,
        }
    }

    /// Gives every element of a variable the value +0.
    pub fn clear(&mut self, variable: VarId) {
        let declaration = &self.rule.variables[variable];
        let span = declaration.span;
        let zero = match declaration.ty {
            Type::Int => self.graph.add(
                Expr { kind: ExprKind::Integer(0), ty: Type::Int, shape: Shape::of(Domain::Global) },
                span,
            ),
            Type::Wide | Type::Real | Type::Bool => self.graph.real(0.0, span),
        };
        for element in 0..declaration.elements() {
            self.values.insert((variable, element), (zero, span));
        }
    }

    /// Gives a place the value of an expression.
    pub fn set(&mut self, variable: VarId, element: u32, value: ExprId, span: Span) {
        let from = self.rule.exprs[value].shape;
        let value = self.translate(value);
        let declared = &self.rule.variables[variable];
        let (ty, domain) = (declared.ty, declared.shape.domain);
        let value = self.rounded(value, ty, span);
        let value = self.widened(value, from, domain);
        self.values.insert((variable, element), (value, span));
        self.trace.push(Write { variable, element, value, span });
    }

    /// The default of a parameter is `Wide`; one that is kept for each neuron is rounded when it is put there.
    fn rounded(&mut self, value: ExprId, ty: Type, span: Span) -> ExprId {
        let expr = self.graph.get(value);
        if expr.ty == ty || expr.ty != Type::Wide {
            return value;
        }
        let shape = expr.shape;
        self.graph.add(Expr { kind: ExprKind::Convert(value), ty, shape }, span)
    }

    /// Carries out a block. Conditions nest only as deep as the parser's limit allows, so recursion is safe.
    pub fn run(&mut self, block: &[Statement]) {
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    if self.looks_back {
                        let initial = self.at_creation(*value);
                        self.initial_locals.insert(*local, initial);
                    }
                    let value = self.translate(*value);
                    self.locals.insert(*local, value);
                }
                Statement::Assign { variable, element, op, value, span } => {
                    self.assign(*variable, *element, *op, *value, *span);
                }
                Statement::If { condition, then, otherwise, span } => {
                    let shape = self.rule.exprs[*condition].shape;
                    let condition = self.translate(*condition);
                    self.conditions.push((condition, shape, true, *span));
                    self.run(then);
                    self.conditions.pop();
                    if !otherwise.is_empty() {
                        self.conditions.push((condition, shape, false, *span));
                        self.run(otherwise);
                        self.conditions.pop();
                    }
                }
            }
        }
    }

    /// The flow of all that has been carried out.
    pub fn finish(self) -> Flow {
        let mut writes = Vec::new();
        for ((variable, element), (value, span)) in self.values {
            let unchanged = ExprKind::Load { variable, element };
            if self.graph.get(value).kind != unchanged {
                writes.push(Write { variable, element, value, span });
            }
        }
        Flow { graph: self.graph, writes, trace: self.trace, precision: self.setting.precision }
    }

    fn assign(&mut self, variable: VarId, element: u32, op: AssignOp, value: ExprId, span: Span) {
        let target = self.rule.variables[variable].shape;
        let translated = self.translate(value);
        let condition = self.condition(target.domain);
        let before = self.current(variable, element, span);
        let (value, condition) = match self.combined(target, value, translated, condition, span) {
            Some(sum) => (sum, None),
            None => {
                let from = self.rule.exprs[value].shape;
                (self.widened(translated, from, target.domain), condition)
            }
        };
        let after = match op {
            AssignOp::Set => value,
            AssignOp::Add | AssignOp::Subtract => {
                let op = if op == AssignOp::Add { BinaryOp::Add } else { BinaryOp::Subtract };
                let shape = self.graph.get(before).shape.join(self.graph.get(value).shape);
                let ty = self.graph.get(before).ty;
                self.graph.add(Expr { kind: ExprKind::Binary(op, before, value), ty, shape }, span)
            }
        };
        let after = match condition {
            Some(condition) => self.graph.select(condition, after, before, span),
            None => after,
        };
        self.values.insert((variable, element), (after, span));
        self.trace.push(Write { variable, element, value: after, span });
    }

    /// The conditions around a statement with a target in `domain`, all of them.
    fn condition(&mut self, domain: Domain) -> Option<ExprId> {
        let mut all = None;
        for (condition, shape, holds, span) in self.conditions.clone() {
            let condition = self.widened(condition, shape, domain);
            let condition = if holds { condition } else { self.not(condition, span) };
            all = Some(self.both(all, condition, span));
        }
        all
    }

    /// What a target takes from an increment that has more values than the target: one for each pair of a shared synapse,
    /// or one for each element of the batch. The conditions decide about each of them. `None` where it has not.
    fn combined(
        &mut self,
        target: Shape,
        written: ExprId,
        value: ExprId,
        condition: Option<ExprId>,
        span: Span,
    ) -> Option<ExprId> {
        // The shapes of the rule decide, not what a value has turned out to be here.
        let conditions = self.conditions.iter().map(|(_, shape, ..)| *shape);
        let shapes: Vec<Shape> = conditions.chain([self.rule.exprs[written].shape]).collect();
        let pairs = self.setting.kind.shares_weights()
            && target.domain == Domain::Synapse
            && shapes.iter().any(|shape| shape.differs_by_pair());
        let varies = self.setting.batched && shapes.iter().any(|shape| shape.batched);
        let batched = varies && !target.batched;
        let ty = self.graph.get(value).ty;
        if !pairs && !batched {
            return None;
        }
        let (_, term) = term::gates(&self.rule.exprs, written);
        let is_product = term::product(&self.rule.exprs, term).is_some();
        let body = if is_product { value } else { term::rounded(&mut self.graph, value, span) };
        let body = self.widened_term(body, written, target.domain);
        let gates: Vec<ExprId> = condition.into_iter().collect();
        let mut sum = term::gated(&mut self.graph, &gates, body, span);
        if pairs {
            let shape = Shape { domain: Domain::Synapse, batched: varies, pair: false };
            let kind = ExprKind::Reduce { op: ReduceOp::Sum, over: Over::Pairs, body: sum };
            sum = self.graph.add(Expr { kind, ty, shape }, span);
        }
        if batched {
            let shape = Shape { domain: target.domain, batched: false, pair: false };
            let kind = ExprKind::Reduce { op: ReduceOp::Sum, over: Over::Batch, body: sum };
            sum = self.graph.add(Expr { kind, ty, shape }, span);
            if self.rule.batch == Some(BatchReduction::Mean) {
                sum = self.divided_by_batch(sum, span);
            }
        }
        Some(sum)
    }

    /// The term of a sum as it is read in `domain`: what is a product stays one, of factors that are read there.
    fn widened_term(&mut self, value: ExprId, written: ExprId, domain: Domain) -> ExprId {
        let Expr { ty, .. } = *self.graph.get(value);
        let span = self.graph.span(value);
        match (self.graph.get(value).kind.clone(), &self.rule.exprs[written].kind) {
            (ExprKind::Gate(c, a), &ExprKind::Gate(old_c, old_a)) => {
                let c = self.widened(c, self.rule.exprs[old_c].shape, domain);
                let a = self.widened_term(a, old_a, domain);
                let shape = self.graph.get(c).shape.join(self.graph.get(a).shape);
                self.graph.add(Expr { kind: ExprKind::Gate(c, a), ty, shape }, span)
            }
            (
                ExprKind::Binary(BinaryOp::Multiply, a, b),
                &ExprKind::Binary(BinaryOp::Multiply, old_a, old_b),
            ) if ty == Type::Real => {
                let b = self.widened(b, self.rule.exprs[old_b].shape, domain);
                let a = self.widened(a, self.rule.exprs[old_a].shape, domain);
                let shape = self.graph.get(a).shape.join(self.graph.get(b).shape);
                self.graph.add(Expr { kind: ExprKind::Binary(BinaryOp::Multiply, a, b), ty, shape }, span)
            }
            _ => self.widened(value, self.rule.exprs[written].shape, domain),
        }
    }

    fn divided_by_batch(&mut self, sum: ExprId, span: Span) -> ExprId {
        let global = Shape::of(Domain::Global);
        let count = ExprKind::Builtin(Builtin::BatchCount);
        let count = self.graph.add(Expr { kind: count, ty: Type::Int, shape: global }, span);
        let count =
            self.graph.add(Expr { kind: ExprKind::Convert(count), ty: Type::Real, shape: global }, span);
        let Expr { ty, shape, .. } = *self.graph.get(sum);
        self.graph.add(Expr { kind: ExprKind::Binary(BinaryOp::Divide, sum, count), ty, shape }, span)
    }

    /// A value as it is read in `domain`: on a spatial group a presynaptic neuron's is 0 where a synapse lies in the padding.
    /// `from` is its shape in the rule.
    fn widened(&mut self, value: ExprId, from: Shape, domain: Domain) -> ExprId {
        if !self.setting.kind.is_spatial() || domain != Domain::Synapse || from.domain != Domain::Pre {
            return value;
        }
        let Expr { ty, shape, .. } = *self.graph.get(value);
        let shape = Shape { domain: Domain::Synapse, pair: self.setting.kind.shares_weights(), ..shape };
        let span = self.graph.span(value);
        self.graph.add(Expr { kind: ExprKind::Widen(value), ty, shape }, span)
    }

    fn both(&mut self, outer: Option<ExprId>, inner: ExprId, span: Span) -> ExprId {
        let Some(outer) = outer else { return inner };
        let shape = self.graph.get(outer).shape.join(self.graph.get(inner).shape);
        let kind = ExprKind::Binary(BinaryOp::And, outer, inner);
        self.graph.add(Expr { kind, ty: Type::Bool, shape }, span)
    }

    fn not(&mut self, condition: ExprId, span: Span) -> ExprId {
        let shape = self.graph.get(condition).shape;
        self.graph.add(Expr { kind: ExprKind::Unary(UnaryOp::Not, condition), ty: Type::Bool, shape }, span)
    }

    fn current(&mut self, variable: VarId, element: u32, span: Span) -> ExprId {
        if let Some(&(value, _)) = self.values.get(&(variable, element)) {
            return value;
        }
        let declaration = &self.rule.variables[variable];
        let kind = ExprKind::Load { variable, element };
        self.graph.add(Expr { kind, ty: declaration.ty, shape: declaration.shape }, span)
    }

    /// An expression of the rule, with loads and lets replaced by what they are here.
    fn translate(&mut self, root: ExprId) -> ExprId {
        self.rewrite(root, false)
    }

    /// An expression of the rule as it is at creation: of the variables as they are, without spikes.
    fn at_creation(&mut self, root: ExprId) -> ExprId {
        self.rewrite(root, true)
    }

    fn rewrite(&mut self, root: ExprId, creation: bool) -> ExprId {
        let mut done: HashMap<ExprId, ExprId> = HashMap::new();
        for id in reachable_from(self.rule, root) {
            let expr = &self.rule.exprs[id];
            let (ty, shape) = (expr.ty, expr.shape);
            let span = self.rule.expr_spans[id.index()];
            let locals = if creation { &self.initial_locals } else { &self.locals };
            let new = match &expr.kind {
                ExprKind::Load { .. } if creation => self.graph.add(expr.clone(), span),
                ExprKind::Load { variable, element } => self.current(*variable, *element, span),
                ExprKind::Builtin(Builtin::PreSpike | Builtin::PostSpike) if creation => {
                    self.graph.add(Expr { kind: ExprKind::Boolean(false), ty, shape }, span)
                }
                ExprKind::Local(local) => match locals.get(local) {
                    Some(&value) => value,
                    None => crate::ice!("a let is read before it is evaluated"),
                },
                ExprKind::Past { body, .. } if creation => done[body],
                ExprKind::Past { body, delay, longest, .. } => {
                    let initial = self.at_creation(*body);
                    let (body, delay, longest) = (done[body], done[delay], done[longest]);
                    self.graph
                        .add(Expr { kind: ExprKind::Past { body, delay, longest, initial }, ty, shape }, span)
                }
                kind => {
                    let reduces = matches!(kind, ExprKind::Reduce { .. } | ExprKind::Scan { .. });
                    let mut new = kind.map_operands(|operand| {
                        let from = self.rule.exprs[operand].shape;
                        if reduces {
                            done[&operand]
                        } else {
                            self.widened(done[&operand], from, shape.domain)
                        }
                    });
                    self.keep_terms(&expr.kind, &mut new, span);
                    self.graph.add(Expr { kind: new, ty, shape }, span)
                }
            };
            done.insert(id, new);
        }
        done[&root]
    }

    /// What a sum takes in as a value in the rule stays one, though a `let` may have turned out to be a product.
    fn keep_terms(&mut self, written: &ExprKind, kind: &mut ExprKind, span: Span) {
        let (ExprKind::Reduce { op: ReduceOp::Sum, body: old, .. } | ExprKind::Scan { body: old, .. }) =
            written
        else {
            return;
        };
        if let ExprKind::Reduce { body, .. } | ExprKind::Scan { body, .. } = kind {
            let (_, old) = term::gates(&self.rule.exprs, *old);
            if term::product(&self.rule.exprs, old).is_none() {
                *body = term::rounded(&mut self.graph, *body, span);
            }
        }
    }
}

/// Like `operands::reachable` for one root, without touching the whole arena.
fn reachable_from(rule: &Rule, root: ExprId) -> Vec<ExprId> {
    let mut seen = std::collections::BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(rule.exprs[id].kind.operands());
        }
    }
    seen.into_iter().collect()
}
