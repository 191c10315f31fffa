//! Reading expressions as linear forms.

use std::collections::HashMap;

use super::Stop;
use super::form::{Algebra, Form, Monomial, Spot};
use crate::ir::{
    BinaryOp, Builtin, Comparison, Domain, ExprId, ExprKind, Over, Rule, Type, UnaryOp, VarId, VarKind,
    operands,
};

/// What an expression turns out to be.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// It reads neither the synapse nor its presynaptic neuron.
    Plain,
    /// A linear form.
    Linear(Form),
    /// Neither, and why.
    Other(Stop),
}

/// Reads expressions of a graph in which no presynaptic neuron spikes.
pub(super) struct Reader<'g, 'r> {
    pub(super) algebra: Algebra<'g>,
    pub(super) rule: &'r Rule,
    /// The places of the synapse that change by themselves.
    pub(super) states: Vec<Spot>,
    values: HashMap<ExprId, Value>,
    /// Whether a value of the presynaptic neuron is taken as it is, and what else is.
    whole: Option<Vec<ExprId>>,
    /// What has been taken as it is. In a form it has the number of a variable behind all of the rule's.
    leaves: Vec<ExprId>,
}

impl<'g, 'r> Reader<'g, 'r> {
    pub(super) fn new(algebra: Algebra<'g>, rule: &'r Rule, states: Vec<Spot>) -> Self {
        Self { algebra, rule, states, values: HashMap::new(), whole: None, leaves: Vec::new() }
    }

    /// Takes every value of the presynaptic neuron as it is, whatever it is made of, and so some other values.
    pub(super) fn take_rows_as_they_are(&mut self, others: impl Iterator<Item = ExprId>) {
        self.whole = Some(others.collect());
    }

    /// What has been taken as it is.
    pub(super) fn leaves(&self) -> &[ExprId] {
        &self.leaves
    }

    /// The value as it is, where it is to be taken so.
    fn leaf(&mut self, id: ExprId) -> Option<Value> {
        let expr = self.algebra.graph.get(id);
        let of_row = matches!(expr.shape.domain, Domain::Pre | Domain::PreChannel);
        let taken = self.whole.as_ref()?.contains(&id) || (of_row && expr.ty == Type::Real);
        if !taken {
            return None;
        }
        let spot = (VarId::from_index(self.rule.variables.len() + self.leaves.len()), 0);
        self.leaves.push(id);
        let span = self.algebra.graph.span(id);
        let one = self.algebra.graph.real(1.0, span);
        Some(Value::Linear(Form::of(Monomial { states: Vec::new(), pre: vec![spot] }, one, span)))
    }

    /// What an expression is.
    pub(super) fn read(&mut self, root: ExprId) -> Value {
        // Coefficients are added to the graph on the way; they stand behind what is read here.
        for id in operands::reachable(self.algebra.graph.exprs(), [root]) {
            if !self.values.contains_key(&id) {
                let value = self.one(id);
                self.values.insert(id, value);
            }
        }
        self.values[&root].clone()
    }

    /// The linear form of an expression.
    pub(super) fn form(&mut self, root: ExprId) -> Result<Form, Stop> {
        let span = self.algebra.graph.span(root);
        match self.read(root) {
            Value::Plain => Ok(self.algebra.constant(root, span)),
            Value::Linear(form) => Ok(form),
            Value::Other(stop) => Err(stop),
        }
    }

    fn known(&self, id: ExprId) -> Result<Form, Stop> {
        match &self.values[&id] {
            Value::Plain => Ok(self.algebra.constant(id, self.algebra.graph.span(id))),
            Value::Linear(form) => Ok(form.clone()),
            Value::Other(stop) => Err(stop.clone()),
        }
    }

    fn is_plain(&self, id: ExprId) -> bool {
        matches!(self.values[&id], Value::Plain)
    }

    fn one(&mut self, id: ExprId) -> Value {
        if let Some(leaf) = self.leaf(id) {
            return leaf;
        }
        let expr = self.algebra.graph.get(id).clone();
        match &expr.kind {
            ExprKind::Load { variable, element } => self.load(id, (*variable, *element)),
            ExprKind::Builtin(builtin) => match builtin {
                Builtin::PreSpike => self.other(id, "the presynaptic spikes of another step"),
                Builtin::PreIndex => self.other(id, "a value that differs between presynaptic neurons"),
                Builtin::Dt
                | Builtin::T
                | Builtin::Step
                | Builtin::PostSpike
                | Builtin::PostIndex
                | Builtin::PreCount
                | Builtin::PostCount
                | Builtin::BatchCount
                | Builtin::PairCount => Value::Plain,
            },
            ExprKind::Draw { .. } if !of_post(expr.shape.domain) => {
                self.other(id, "a draw, which is new in every step")
            }
            ExprKind::Reduce { over, .. } => match over {
                Over::Pre | Over::PreChannel if of_post(expr.shape.domain) => {
                    self.other(id, "a sum over synapses, which reads weights in every step")
                }
                Over::Batch | Over::Position | Over::Pairs => self.inherited(id),
                _ if of_post(expr.shape.domain) => self.inherited(id),
                _ => self.other(id, "a sum over synapses, which reads weights in every step"),
            },
            ExprKind::Past { body, .. } if !of_post(self.algebra.graph.get(*body).shape.domain) => {
                self.other(id, "the past of the presynaptic neuron, which does not decay")
            }
            _ if expr.kind.operands().iter().all(|&operand| self.is_plain(operand)) => Value::Plain,
            _ if expr.ty != Type::Real => {
                let stop = self.first_stop(&expr.kind);
                let what = "a condition that differs from synapse to synapse or between presynaptic neurons";
                stop.map_or_else(|| self.other(id, what), Value::Other)
            }
            _ => match self.combined(id, &expr.kind) {
                Ok(form) if form.is_large() => self.other(id, "more terms than are worth keeping apart"),
                Ok(form) => Value::Linear(form),
                Err(stop) => Value::Other(stop),
            },
        }
    }

    /// A value that is plain where its operands are.
    fn inherited(&self, id: ExprId) -> Value {
        let kind = &self.algebra.graph.get(id).kind;
        if kind.operands().iter().all(|&operand| self.is_plain(operand)) {
            return Value::Plain;
        }
        match self.first_stop(kind) {
            Some(stop) => Value::Other(stop),
            None => self.other(id, "a reduction that reads presynaptic neurons"),
        }
    }

    fn other(&self, id: ExprId, reason: &str) -> Value {
        Value::Other(Stop { reason: reason.to_string(), span: self.algebra.graph.span(id) })
    }

    fn first_stop(&self, kind: &ExprKind) -> Option<Stop> {
        kind.operands().into_iter().find_map(|operand| match &self.values[&operand] {
            Value::Other(stop) => Some(stop.clone()),
            Value::Plain | Value::Linear(_) => None,
        })
    }

    fn load(&mut self, id: ExprId, spot: Spot) -> Value {
        let variable = &self.rule.variables[spot.0];
        let name = variable.address();
        let span = self.algebra.graph.span(id);
        let one = self.algebra.graph.real(1.0, span);
        let real = variable.ty == Type::Real;
        match (variable.shape.domain, variable.kind) {
            (Domain::Global | Domain::Post | Domain::PostChannel, _) => Value::Plain,
            (Domain::Synapse, _) if real && self.states.contains(&spot) => {
                let monomial = Monomial { states: vec![spot], pre: Vec::new() };
                Value::Linear(Form::of(monomial, one, span))
            }
            (Domain::Synapse, _) => {
                self.other(id, &format!("`{name}`, a factor that differs from synapse to synapse"))
            }
            (Domain::Pre | Domain::PreChannel, VarKind::State | VarKind::Plastic { .. }) if real => {
                let monomial = Monomial { states: Vec::new(), pre: vec![spot] };
                Value::Linear(Form::of(monomial, one, span))
            }
            (Domain::Pre | Domain::PreChannel, VarKind::Input { .. }) => {
                self.other(id, &format!("`{name}`, which the host may give anew in every step"))
            }
            (Domain::Pre | Domain::PreChannel, _) => self
                .other(id, &format!("`{name}`, a value of the presynaptic neuron that is no decaying state")),
        }
    }

    fn combined(&mut self, id: ExprId, kind: &ExprKind) -> Result<Form, Stop> {
        let span = self.algebra.graph.span(id);
        let stop = |reason: &str| Err(Stop { reason: reason.to_string(), span });
        match kind {
            ExprKind::Convert(a) if self.algebra.graph.get(*a).ty == Type::Real => self.known(*a),
            ExprKind::Unary(UnaryOp::Negate, a) => {
                let form = self.known(*a)?;
                Ok(self.algebra.negative(&form, span))
            }
            ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Subtract), a, b) => {
                let (a, b) = (self.known(*a)?, self.known(*b)?);
                Ok(self.algebra.sum(&a, &b, *op == BinaryOp::Subtract))
            }
            ExprKind::Binary(BinaryOp::Multiply, a, b) => {
                let (a, b) = (self.known(*a)?, self.known(*b)?);
                Ok(self.algebra.product(&a, &b, span))
            }
            ExprKind::Binary(BinaryOp::Divide, a, b) if self.is_plain(*b) => {
                let form = self.known(*a)?;
                Ok(self.algebra.quotient(&form, *b, span))
            }
            ExprKind::Select(condition, a, b) if self.is_plain(*condition) => {
                let (a, b) = (self.known(*a)?, self.known(*b)?);
                Ok(self.algebra.either(*condition, &a, &b, span))
            }
            ExprKind::Gate(condition, a) if self.is_plain(*condition) => {
                let form = self.known(*a)?;
                Ok(self.algebra.either(*condition, &form, &Form::default(), span))
            }
            ExprKind::Select(condition, a, b) if self.adds_what_is_not_zero(*condition, *a, *b) => {
                self.known(*a)
            }
            ExprKind::Select(condition, ..) | ExprKind::Gate(condition, _) => {
                if let Value::Other(stop) = &self.values[condition] {
                    return Err(stop.clone());
                }
                stop("a condition that differs from synapse to synapse or between presynaptic neurons")
            }
            _ => match self.first_stop(kind) {
                Some(stop) => Err(stop),
                None => stop("this is not linear in the synapse's states and the presynaptic traces"),
            },
        }
    }

    /// `if e != 0 { b + k · e } else { b }`, which is b + k · e.
    fn adds_what_is_not_zero(&self, condition: ExprId, a: ExprId, b: ExprId) -> bool {
        let graph = &self.algebra.graph;
        let ExprKind::Compare(Comparison::NotEqual, changed, zero) = graph.get(condition).kind else {
            return false;
        };
        let ExprKind::Binary(BinaryOp::Add, base, added) = graph.get(a).kind else { return false };
        if !self.algebra.is_zero(zero) || base != b {
            return false;
        }
        let mut factor = added;
        loop {
            match graph.get(factor).kind {
                _ if factor == changed => return true,
                ExprKind::Binary(BinaryOp::Multiply, x, y) if self.is_plain(x) => factor = y,
                ExprKind::Binary(BinaryOp::Multiply, x, y) if self.is_plain(y) => factor = x,
                ExprKind::Binary(BinaryOp::Divide, x, y) if self.is_plain(y) => factor = x,
                _ => return false,
            }
        }
    }
}

/// Whether a value lives with the postsynaptic neurons or is the group's.
fn of_post(domain: Domain) -> bool {
    matches!(domain, Domain::Global | Domain::Post | Domain::PostChannel)
}
