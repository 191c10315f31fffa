//! Writing rules: the builder that `check`, `compose`, passes and tests share.
//!
//! It computes types and shapes, gives equal expressions one handle, and leaves all checking of what an author may
//! write to `check` and all checking of the IR to `valid`. Conversions are written by the caller, except in the
//! methods that say so.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::*;

/// Builds one [`Rule`].
#[derive(Debug, Default)]
pub struct RuleBuilder {
    /// What has been built; statements and declarations are written to it directly.
    pub rule: Rule,
    known: HashMap<u64, Vec<ExprId>>,
    wide: Vec<bool>,
}

impl RuleBuilder {
    /// An empty rule.
    pub fn new(name: impl Into<String>) -> Self {
        Self { rule: Rule { name: name.into(), ..Rule::default() }, ..Self::default() }
    }

    /// Goes on from a rule that exists: its expressions are known.
    pub fn extend(rule: Rule) -> Self {
        let mut builder = Self::default();
        for (id, expr) in rule.exprs.iter() {
            builder.known.entry(hash(expr)).or_default().push(id);
            let wide = builder.is_wide_kind(&rule, expr);
            builder.wide.push(wide);
        }
        builder.rule = rule;
        builder
    }

    /// The finished rule.
    pub fn finish(self) -> Rule {
        self.rule
    }

    /// The type of an expression.
    pub fn ty(&self, id: ExprId) -> Type {
        self.rule.exprs[id].ty
    }

    /// The shape of an expression.
    pub fn shape(&self, id: ExprId) -> Shape {
        self.rule.exprs[id].shape
    }

    /// What an expression computes.
    pub fn kind(&self, id: ExprId) -> &ExprKind {
        &self.rule.exprs[id].kind
    }

    /// Whether an expression, a condition included, is made only of literals, constants, `dt` and global parameters.
    pub fn is_wide(&self, id: ExprId) -> bool {
        self.wide[id.index()]
    }

    /// Adds an expression with a type and a shape that the caller has computed, or finds the equal one.
    pub fn push(&mut self, kind: ExprKind, ty: Type, shape: Shape, span: Span) -> ExprId {
        let expr = Expr { kind, ty, shape };
        let hash = hash(&expr);
        if let Some(&id) =
            self.known.get(&hash).into_iter().flatten().find(|&&id| same(&self.rule.exprs[id], &expr))
        {
            return id;
        }
        let wide = self.is_wide_kind(&self.rule, &expr);
        let id = self.rule.exprs.push(expr);
        self.rule.expr_spans.push(span);
        self.wide.push(wide);
        self.known.entry(hash).or_default().push(id);
        id
    }

    fn is_wide_kind(&self, rule: &Rule, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Boolean(_) => expr.shape == Shape::of(Domain::Global),
            ExprKind::Integer(_) => false,
            ExprKind::Load { variable, .. } => rule.variables[*variable].ty == Type::Wide,
            ExprKind::Local(_) | ExprKind::Draw { .. } | ExprKind::Reduce { .. } => false,
            ExprKind::Scan { .. } | ExprKind::Past { .. } | ExprKind::Widen(_) => false,
            ExprKind::Builtin(builtin) => *builtin == Builtin::Dt,
            ExprKind::Unary(_, a) => self.is_wide(*a),
            ExprKind::Convert(a) => matches!(expr.ty, Type::Wide | Type::Bool) && self.is_wide(*a),
            ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) | ExprKind::Gate(a, b) => {
                matches!(expr.ty, Type::Wide | Type::Bool) && self.is_wide(*a) && self.is_wide(*b)
            }
            ExprKind::Select(c, a, b) => {
                matches!(expr.ty, Type::Wide | Type::Bool)
                    && self.is_wide(*c)
                    && self.is_wide(*a)
                    && self.is_wide(*b)
            }
            ExprKind::Exponential { entries, .. } => entries.iter().all(|&id| self.is_wide(id)),
            ExprKind::Math(_, operands) => {
                expr.ty == Type::Wide && operands.iter().all(|&id| self.is_wide(id))
            }
        }
    }

    /// A literal.
    pub fn number(&mut self, value: f64, span: Span) -> ExprId {
        self.push(ExprKind::Number(value), Type::Wide, Shape::of(Domain::Global), span)
    }

    /// A literal among integers.
    pub fn integer(&mut self, value: i64, span: Span) -> ExprId {
        self.push(ExprKind::Integer(value), Type::Int, Shape::of(Domain::Global), span)
    }

    /// The condition that holds everywhere in a shape: a body to count, or a gate that narrows what it guards.
    pub fn everywhere(&mut self, shape: Shape, span: Span) -> ExprId {
        self.push(ExprKind::Boolean(true), Type::Bool, shape, span)
    }

    /// The present value of a variable.
    pub fn load(&mut self, variable: VarId, element: u32, span: Span) -> ExprId {
        let Variable { ty, shape, .. } = self.rule.variables[variable];
        self.push(ExprKind::Load { variable, element }, ty, shape, span)
    }

    /// The value of a `let`.
    pub fn local(&mut self, local: LocalId, span: Span) -> ExprId {
        let Local { ty, shape, .. } = self.rule.locals[local];
        self.push(ExprKind::Local(local), ty, shape, span)
    }

    /// Declares a `let`.
    pub fn declare(&mut self, name: impl Into<String>, value: ExprId) -> LocalId {
        let (ty, shape) = (self.ty(value), self.shape(value));
        self.rule.locals.push(Local { name: name.into(), ty, shape })
    }

    /// A value that the step provides.
    pub fn builtin(&mut self, builtin: Builtin, span: Span) -> ExprId {
        let (ty, domain) = match builtin {
            Builtin::Dt => (Type::Wide, Domain::Global),
            Builtin::T => (Type::Real, Domain::Global),
            Builtin::Step => (Type::Int, Domain::Global),
            Builtin::PreSpike => (Type::Bool, Domain::Pre),
            Builtin::PostSpike => (Type::Bool, Domain::Post),
            Builtin::PreIndex => (Type::Int, Domain::Pre),
            Builtin::PostIndex => (Type::Int, Domain::Post),
            Builtin::PreCount | Builtin::PostCount | Builtin::BatchCount | Builtin::PairCount => {
                (Type::Int, Domain::Global)
            }
        };
        let shape = Shape { batched: ty == Type::Bool, ..Shape::of(domain) };
        self.push(ExprKind::Builtin(builtin), ty, shape, span)
    }

    /// An operation on one value, of the operand's type.
    pub fn unary(&mut self, op: UnaryOp, a: ExprId, span: Span) -> ExprId {
        self.push(ExprKind::Unary(op, a), self.ty(a), self.shape(a), span)
    }

    /// An operation on two values of one type.
    pub fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId, span: Span) -> ExprId {
        let shape = self.shape(a).join(self.shape(b));
        self.push(ExprKind::Binary(op, a, b), self.ty(a), shape, span)
    }

    /// A comparison of two values of one type.
    pub fn compare(&mut self, comparison: Comparison, a: ExprId, b: ExprId, span: Span) -> ExprId {
        let shape = self.shape(a).join(self.shape(b));
        self.push(ExprKind::Compare(comparison, a, b), Type::Bool, shape, span)
    }

    /// A choice between two values of one type.
    pub fn select(&mut self, condition: ExprId, a: ExprId, b: ExprId, span: Span) -> ExprId {
        let shape = self.shape(condition).join(self.shape(a)).join(self.shape(b));
        self.push(ExprKind::Select(condition, a, b), self.ty(a), shape, span)
    }

    /// The value where the condition holds, else 0.
    pub fn gate(&mut self, condition: ExprId, value: ExprId, span: Span) -> ExprId {
        let shape = self.shape(condition).join(self.shape(value));
        self.push(ExprKind::Gate(condition, value), self.ty(value), shape, span)
    }

    /// One of our own functions, of the operands' type.
    pub fn math(&mut self, function: MathFn, operands: Vec<ExprId>, span: Span) -> ExprId {
        let ty = operands.first().map_or(Type::Wide, |&id| self.ty(id));
        let join = |shape: Shape, &id: &ExprId| shape.join(self.shape(id));
        let shape = operands.iter().fold(Shape::of(Domain::Global), join);
        self.push(ExprKind::Math(function, operands), ty, shape, span)
    }

    /// A conversion; none where the type is already right.
    pub fn convert(&mut self, id: ExprId, ty: Type, span: Span) -> ExprId {
        if self.ty(id) == ty {
            return id;
        }
        self.push(ExprKind::Convert(id), ty, self.shape(id), span)
    }

    /// A random number of a new site, `Bool` for a Bernoulli draw.
    pub fn draw(&mut self, site: Site, parameters: Vec<ExprId>) -> ExprId {
        let ty = if site.distribution == Distribution::Bernoulli { Type::Bool } else { Type::Real };
        let join = |shape: Shape, &id: &ExprId| shape.join(self.shape(id));
        let shape = parameters.iter().fold(site.shape, join);
        let span = site.span;
        let site = self.rule.sites.push(site);
        self.push(ExprKind::Draw { site, parameters }, ty, shape, span)
    }

    /// A reduction; its shape is [`reduced`] of the body's.
    ///
    /// # Panics
    /// If nothing of the body lies along the axis: `check` reports it before.
    pub fn reduce(&mut self, op: ReduceOp, over: Over, body: ExprId, span: Span) -> ExprId {
        let Some(shape) = reduced(self.shape(body), over) else {
            crate::ice!("a reduction over {over:?} of a value in {:?}", self.shape(body));
        };
        let ty = if op == ReduceOp::Count { Type::Int } else { self.ty(body) };
        self.push(ExprKind::Reduce { op, over, body }, ty, shape, span)
    }

    /// A running sum.
    pub fn scan(&mut self, over: Domain, body: ExprId, span: Span) -> ExprId {
        self.push(ExprKind::Scan { over, body }, self.ty(body), self.shape(body), span)
    }

    /// A value some steps ago.
    pub fn past(&mut self, body: ExprId, delay: ExprId, longest: ExprId, span: Span) -> ExprId {
        let shape = self.shape(body).join(self.shape(delay));
        self.push(ExprKind::Past { body, delay, longest, initial: body }, self.ty(body), shape, span)
    }
}

/// The shape of a reduction, by the table of the language; `None` where it says error.
///
/// A synapse value that reads no neuron has one result for each channel, which outside convolutions is each neuron.
pub fn reduced(body: Shape, over: Over) -> Option<Shape> {
    use Domain::*;
    let domain = match (over, body.domain) {
        (Over::Pre, Synapse) => {
            if body.pair {
                Post
            } else {
                PostChannel
            }
        }
        (Over::Post, Synapse) => {
            if body.pair {
                Pre
            } else {
                PreChannel
            }
        }
        (Over::Pre, Pre | PreChannel) | (Over::Post, Post | PostChannel) => Global,
        (Over::PreChannel, PreChannel) | (Over::PostChannel, PostChannel) => Global,
        (Over::Position, Pre) => PreChannel,
        (Over::Position, Post) => PostChannel,
        (Over::Batch, _) => return body.batched.then_some(Shape { batched: false, ..body }),
        (Over::PostBlocks(_), Post | PostChannel) => return Some(Shape { domain: Post, ..body }),
        (Over::Pairs, _)
        | (Over::Pre, Global | PostChannel | Post)
        | (Over::Post, Global | PreChannel | Pre)
        | (Over::PreChannel, Global | PostChannel | Pre | Post | Synapse)
        | (Over::PostChannel, Global | PreChannel | Pre | Post | Synapse)
        | (Over::Position, Global | PreChannel | PostChannel | Synapse)
        | (Over::PostBlocks(_), Global | PreChannel | Pre | Synapse) => return None,
    };
    Some(Shape { domain, batched: body.batched, pair: false })
}

/// Equal in every bit: `-0` is not `0`, and a NaN equals itself.
fn same(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (ExprKind::Number(x), ExprKind::Number(y)) => {
            x.to_bits() == y.to_bits() && a.ty == b.ty && a.shape == b.shape
        }
        _ => a == b,
    }
}

fn hash(expr: &Expr) -> u64 {
    let mut state = DefaultHasher::new();
    (std::mem::discriminant(&expr.kind), expr.ty, expr.shape).hash(&mut state);
    match &expr.kind {
        ExprKind::Number(value) => value.to_bits().hash(&mut state),
        ExprKind::Integer(value) => value.hash(&mut state),
        ExprKind::Boolean(value) => value.hash(&mut state),
        ExprKind::Load { variable, element } => (variable, element).hash(&mut state),
        ExprKind::Local(local) => local.hash(&mut state),
        ExprKind::Builtin(builtin) => builtin.hash(&mut state),
        ExprKind::Unary(op, a) => (op, a).hash(&mut state),
        ExprKind::Binary(op, a, b) => (op, a, b).hash(&mut state),
        ExprKind::Compare(comparison, a, b) => (comparison, a, b).hash(&mut state),
        ExprKind::Select(c, a, b) => (c, a, b).hash(&mut state),
        ExprKind::Gate(c, a) => (c, a).hash(&mut state),
        ExprKind::Math(function, operands) => (function, operands).hash(&mut state),
        ExprKind::Exponential { entries, place } => (entries, place).hash(&mut state),
        ExprKind::Convert(a) | ExprKind::Widen(a) => a.hash(&mut state),
        ExprKind::Draw { site, parameters } => (site, parameters).hash(&mut state),
        ExprKind::Reduce { op, over, body } => (op, over, body).hash(&mut state),
        ExprKind::Scan { over, body } => (over, body).hash(&mut state),
        ExprKind::Past { body, delay, longest, initial } => (body, delay, longest, initial).hash(&mut state),
    }
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_expressions_share_a_handle_and_zeros_do_not() {
        let mut builder = RuleBuilder::new("r");
        let span = Span::default();
        let one = builder.number(1.0, span);
        assert_eq!(builder.number(1.0, span), one);
        assert_ne!(builder.number(0.0, span), builder.number(-0.0, span));
        let dt = builder.builtin(Builtin::Dt, span);
        let sum = builder.binary(BinaryOp::Add, one, dt, span);
        assert_eq!(builder.binary(BinaryOp::Add, one, dt, span), sum);
        assert!(builder.is_wide(sum) && builder.ty(sum) == Type::Wide);
        let real = builder.convert(sum, Type::Real, span);
        assert!(!builder.is_wide(real));
        let again = RuleBuilder::extend(builder.finish());
        assert!(again.is_wide(sum) && !again.is_wide(real));
    }

    #[test]
    fn reductions_follow_the_table() {
        let of = Shape::of;
        assert_eq!(reduced(of(Domain::Synapse), Over::Pre), Some(of(Domain::PostChannel)));
        let pair = Shape { pair: true, ..of(Domain::Synapse) };
        assert_eq!(reduced(pair, Over::Pre), Some(of(Domain::Post)));
        assert_eq!(reduced(of(Domain::Post), Over::Pre), None);
        assert_eq!(reduced(of(Domain::Post), Over::Position), Some(of(Domain::PostChannel)));
        assert_eq!(reduced(of(Domain::Post), Over::Batch), None);
    }
}
