//! From statements to a flow: the statements of a rule are carried out on symbols.

use std::collections::{BTreeMap, HashMap};

use super::{Flow, Graph, Write, term};
use crate::ir::*;
use crate::kernel::Precision;
use crate::source::Span;

/// Carries out statements on symbols.
pub struct FlowBuilder<'a> {
    rule: &'a Rule,
    graph: Graph,
    /// The values of places that are not what they were before.
    values: BTreeMap<(VarId, u32), (ExprId, Span)>,
    locals: HashMap<LocalId, ExprId>,
    trace: Vec<Write>,
    precision: Precision,
}

impl<'a> FlowBuilder<'a> {
    /// Nothing has been carried out.
    pub fn new(rule: &'a Rule, precision: Precision) -> Self {
        Self {
            rule,
            graph: Graph::new(),
            values: BTreeMap::new(),
            locals: HashMap::new(),
            trace: Vec::new(),
            precision,
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
        let value = self.translate(value);
        let value = self.rounded(value, self.rule.variables[variable].ty, span);
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

    /// Carries out a block.
    pub fn run(&mut self, block: &[Statement]) {
        self.run_under(block, None);
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
        Flow { graph: self.graph, writes, trace: self.trace, precision: self.precision }
    }

    /// Conditions nest only as deep as the parser's limit allows, so recursion is safe.
    fn run_under(&mut self, block: &[Statement], condition: Option<ExprId>) {
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    let value = self.translate(*value);
                    self.locals.insert(*local, value);
                }
                Statement::Assign { variable, element, op, value, span } => {
                    self.assign(*variable, *element, *op, *value, *span, condition);
                }
                Statement::If { condition: inner, then, otherwise, span } => {
                    let inner = self.translate(*inner);
                    let then_condition = self.both(condition, inner, *span);
                    self.run_under(then, Some(then_condition));
                    if !otherwise.is_empty() {
                        let negated = self.not(inner, *span);
                        let otherwise_condition = self.both(condition, negated, *span);
                        self.run_under(otherwise, Some(otherwise_condition));
                    }
                }
            }
        }
    }

    fn assign(
        &mut self,
        variable: VarId,
        element: u32,
        op: AssignOp,
        value: ExprId,
        span: Span,
        condition: Option<ExprId>,
    ) {
        let value = self.translate(value);
        let before = self.current(variable, element, span);
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
        let mut done: HashMap<ExprId, ExprId> = HashMap::new();
        for id in reachable_from(self.rule, root) {
            let expr = &self.rule.exprs[id];
            let span = self.rule.expr_spans[id.index()];
            let new = match &expr.kind {
                ExprKind::Load { variable, element } => self.current(*variable, *element, span),
                ExprKind::Local(local) => match self.locals.get(local) {
                    Some(&value) => value,
                    None => crate::ice!("a let is read before it is evaluated"),
                },
                kind => {
                    let mut kind = visit::with_operands(kind, |operand| done[&operand]);
                    self.keep_terms(&expr.kind, &mut kind, span);
                    self.graph.add(Expr { kind, ty: expr.ty, shape: expr.shape }, span)
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

/// Like `visit::reachable` for one root, without touching the whole arena.
fn reachable_from(rule: &Rule, root: ExprId) -> Vec<ExprId> {
    let mut seen = std::collections::BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(visit::operands(&rule.exprs[id].kind));
        }
    }
    seen.into_iter().collect()
}
