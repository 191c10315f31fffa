//! The values of an expression, for all elements at once.
//!
//! In: the machine's variables and locals. Out: one value for each element of the expression's shape, the batch
//! outermost. Operands stand before their users in the arena, so this needs no recursion, and an expression that is used
//! often is computed once.

use super::topology::{At, Members};
use super::{Occasion, RuleMachine};
use crate::ice;
use crate::interp::order::{lanes32, serial256};
use crate::interp::scalar::Scalar;
use crate::ir::*;
use crate::math::matrix::exponential_less_one;
use crate::math::{self, Real, Stream};

/// One value for each element of a shape.
pub(super) type Values<R> = Vec<Scalar<R>>;

/// The values of a statement's expressions, by index.
struct Scope<'m, R: Real> {
    machine: &'m RuleMachine<R>,
    occasion: Occasion,
    values: Vec<Option<Values<R>>>,
}

/// What a reduction takes in.
#[derive(Clone, Copy)]
enum Term<R> {
    Value(Scalar<R>),
    Product(R, R),
}

impl<R: Real> RuleMachine<R> {
    /// The values of `root`, in its own shape.
    pub(super) fn evaluate(&self, root: ExprId, occasion: Occasion) -> Values<R> {
        self.scope(root, occasion).values[root.index()].take().unwrap_or_default()
    }

    /// The values of `root` and of all that it is made of.
    fn scope(&self, root: ExprId, occasion: Occasion) -> Scope<'_, R> {
        let mut scope = Scope { machine: self, occasion, values: vec![None; self.rule.exprs.len()] };
        for id in operands::reachable(&self.rule.exprs, [root]) {
            let values = match self.constants[id.index()] {
                Some(value) => vec![value; self.count(self.rule.exprs[id].shape)],
                None => scope.node(id),
            };
            scope.values[id.index()] = Some(values);
        }
        scope
    }

    /// The value of shape `from` that is read at an element of a narrower place; 0 in the padding.
    pub(super) fn read_at(
        &self,
        values: &[Scalar<R>],
        of: Shape,
        at: At,
        batch: usize,
        element: usize,
    ) -> Scalar<R> {
        let from = self.space.at(of);
        match self.space.project(at, element, from) {
            Some(index) => values[if of.batched { batch * self.space.size(from) + index } else { index }],
            // No presynaptic value is of another type than what it is read as.
            None => values.first().map_or(Scalar::zero(Type::Real), |value| Scalar::zero(value.ty())),
        }
    }
}

impl<R: Real> Scope<'_, R> {
    fn expr(&self, id: ExprId) -> &Expr {
        &self.machine.rule.exprs[id]
    }

    /// The value of an operand at an element of its user.
    fn operand(&self, id: ExprId, at: At, batch: usize, element: usize) -> Scalar<R> {
        let Some(values) = &self.values[id.index()] else { ice!("{id:?} is used before it is computed") };
        self.machine.read_at(values, self.expr(id).shape, at, batch, element)
    }

    fn node(&self, id: ExprId) -> Values<R> {
        let expr = self.expr(id);
        let (at, batched) = (self.machine.space.at(expr.shape), expr.shape.batched);
        if let ExprKind::Reduce { op, over, body } = expr.kind {
            return match over {
                Over::Batch => self.reduce_batch(op, body, expr.shape),
                Over::Pre
                | Over::Post
                | Over::PreChannel
                | Over::PostChannel
                | Over::Position
                | Over::Pairs
                | Over::PostBlocks(_) => self.reduce(op, over, body, expr.shape),
            };
        }
        if let ExprKind::Scan { body, .. } = expr.kind {
            return self.scan(body, expr.shape);
        }
        if let ExprKind::Past { body, delay, longest, .. } = expr.kind {
            let Some(values) = &self.values[body.index()] else {
                ice!("{body:?} is used before it is computed")
            };
            let delay = |batch, element| self.operand(delay, at, batch, element);
            let longest = self.operand(longest, At::Global, 0, 0).to_host();
            return self.machine.past(id, (values, self.expr(body).shape), &delay, longest);
        }
        let size = self.machine.space.size(at);
        let batches = if batched { self.machine.batch } else { 1 };
        let places = (0..batches).flat_map(|batch| (0..size).map(move |element| (batch, element)));
        places.map(|(batch, element)| self.element(expr, batch, element)).collect()
    }

    /// One value of an expression that is not a reduction.
    fn element(&self, expr: &Expr, batch: usize, element: usize) -> Scalar<R> {
        let machine = self.machine;
        let place = machine.space.at(expr.shape);
        let at = |id: &ExprId| self.operand(*id, place, batch, element);
        match &expr.kind {
            ExprKind::Number(value) => Scalar::Wide(*value),
            ExprKind::Integer(value) => Scalar::Int(*value),
            ExprKind::Boolean(value) => Scalar::Bool(*value),
            ExprKind::Load { variable, element: of_array } => {
                machine.load(*variable, *of_array, place, batch, element)
            }
            ExprKind::Local(local) => {
                let Some(values) = &machine.locals[local.index()] else {
                    ice!("{local:?} is read before its `let`")
                };
                machine.read_at(values, machine.rule.locals[*local].shape, place, batch, element)
            }
            ExprKind::Builtin(builtin) => self.builtin(*builtin, batch, element),
            ExprKind::Unary(op, a) => at(a).unary(*op),
            ExprKind::Binary(op, a, b) => at(a).binary(*op, at(b)),
            ExprKind::Compare(comparison, a, b) => Scalar::Bool(at(a).compare(*comparison, at(b))),
            ExprKind::Select(condition, a, b) => {
                if at(condition).holds() {
                    at(a)
                } else {
                    at(b)
                }
            }
            ExprKind::Gate(condition, a) => {
                if at(condition).holds() {
                    at(a)
                } else {
                    Scalar::zero(expr.ty)
                }
            }
            ExprKind::Math(function, arguments) => {
                Scalar::math(*function, &arguments.iter().map(at).collect::<Vec<_>>())
            }
            ExprKind::Exponential { entries, place } => {
                let entries: Vec<f64> = entries.iter().map(|id| at(id).to_host()).collect();
                Scalar::Wide(exponential_less_one(&entries)[*place as usize])
            }
            ExprKind::Convert(a) => at(a).convert(expr.ty),
            ExprKind::Draw { site, parameters } => {
                let parameters: Vec<R> =
                    parameters.iter().map(|id| at(id).convert(Type::Real).real()).collect();
                self.draw(*site, &parameters, place, batch, element).convert(expr.ty)
            }
            ExprKind::Reduce { .. } | ExprKind::Scan { .. } | ExprKind::Past { .. } | ExprKind::Widen(_) => {
                ice!("{:?} has no value of its own at an element", expr.kind)
            }
        }
    }

    fn builtin(&self, builtin: Builtin, batch: usize, element: usize) -> Scalar<R> {
        let machine = self.machine;
        let space = &machine.space;
        match builtin {
            Builtin::Dt => Scalar::Wide(machine.dt),
            Builtin::T => Scalar::Real(R::from_f64(machine.step as f64 * machine.dt)),
            Builtin::Step => Scalar::Int(machine.step as i64),
            Builtin::PreSpike => {
                Scalar::Bool(self.occasion.spikes && machine.pre_spikes[batch * space.pre + element])
            }
            Builtin::PostSpike => {
                Scalar::Bool(self.occasion.spikes && machine.post_spikes[batch * space.post + element])
            }
            Builtin::PreIndex | Builtin::PostIndex => Scalar::Int(element as i64),
            Builtin::PreCount => Scalar::Int(space.pre as i64),
            Builtin::PostCount => Scalar::Int(space.post as i64),
            Builtin::BatchCount => Scalar::Int(machine.batch as i64),
            Builtin::PairCount => Scalar::Int(space.pairs() as i64),
        }
    }

    /// A draw has one value for each element of its site's shape, which its use may narrow.
    fn draw(&self, site: SiteId, parameters: &[R], at: At, batch: usize, element: usize) -> Scalar<R> {
        let machine = self.machine;
        let space = &machine.space;
        let Site { distribution, shape, .. } = machine.rule.sites[site];
        let own = space.at(shape);
        let Some(element) = space.project(at, element, own) else { return Scalar::zero(Type::Real) };
        let batch = if shape.batched { batch } else { 0 };
        let value = match &machine.draws[site.index()] {
            Some(given) => given[batch * space.size(own) + element],
            None => {
                let (row, column) = space.address(own, element);
                let stream = Stream {
                    seed: machine.seed,
                    step: machine.step,
                    site: site.index() as u32,
                    run: self.occasion.run,
                    row: (batch * space.draw_rows(own) + row) as u64,
                    column: column as u64,
                };
                math::draw(distribution, parameters, &stream)
            }
        };
        match distribution {
            Distribution::Bernoulli => Scalar::Real(value).convert(Type::Bool),
            Distribution::Uniform
            | Distribution::Normal
            | Distribution::LogNormal
            | Distribution::Exponential
            | Distribution::Gamma
            | Distribution::Beta => Scalar::Real(value),
        }
    }

    /// The term of a reduction's body at an element of the body's domain; `None` where it is gated off. Gates are
    /// looked through; a product below them is not rounded by itself.
    fn term(&self, op: ReduceOp, body: ExprId, at: At, batch: usize, element: usize) -> Option<Term<R>> {
        let mut id = body;
        if op == ReduceOp::Sum {
            while let ExprKind::Gate(condition, value) = self.expr(id).kind {
                if !self.operand(condition, at, batch, element).holds() {
                    return None;
                }
                id = value;
            }
            if let (ExprKind::Binary(BinaryOp::Multiply, a, b), Type::Real) =
                (&self.expr(id).kind, self.expr(id).ty)
            {
                let (a, b) = (self.operand(*a, at, batch, element), self.operand(*b, at, batch, element));
                return Some(Term::Product(a.real(), b.real()));
            }
        }
        Some(Term::Value(self.operand(id, at, batch, element)))
    }

    fn reduce(&self, op: ReduceOp, over: Over, body: ExprId, shape: Shape) -> Values<R> {
        let space = &self.machine.space;
        let inner = space.at(self.expr(body).shape);
        let batches = if shape.batched { self.machine.batch } else { 1 };
        let mut values = Vec::new();
        for batch in 0..batches {
            for element in 0..space.size(space.at(shape)) {
                let term = |at| self.term(op, body, inner, batch, at);
                values.push(combined(op, self.expr(body).ty, space.members(over, inner, element), &term));
            }
        }
        values
    }

    fn reduce_batch(&self, op: ReduceOp, body: ExprId, shape: Shape) -> Values<R> {
        let count = self.machine.batch;
        let (start, add, combine) = accumulate(op, self.expr(body).ty);
        let at = self.machine.space.at(shape);
        let one = |element| {
            let terms =
                (0..count).filter_map(|batch| Some((batch, self.term(op, body, at, batch, element)?)));
            serial256(count, terms, start, add, combine)
        };
        (0..self.machine.space.size(at)).map(one).collect()
    }

    fn scan(&self, body: ExprId, shape: Shape) -> Values<R> {
        let (start, add, _) = accumulate(ReduceOp::Sum, self.expr(body).ty);
        let batches = if shape.batched { self.machine.batch } else { 1 };
        let mut values = Vec::new();
        for batch in 0..batches {
            let mut sum = start;
            let at = self.machine.space.at(shape);
            for element in 0..self.machine.space.size(at) {
                if let Some(term) = self.term(ReduceOp::Sum, body, at, batch, element) {
                    sum = add(sum, term);
                }
                values.push(sum);
            }
        }
        values
    }
}

/// What the terms of a reduction come to; a term that is `None` is left out.
fn combined<R: Real>(
    op: ReduceOp,
    ty: Type,
    members: Members,
    term: &dyn Fn(usize) -> Option<Term<R>>,
) -> Scalar<R> {
    let (start, add, combine) = accumulate(op, ty);
    let lanes = |members: Vec<(usize, usize)>| {
        let terms = members.into_iter().filter_map(|(index, at)| Some((index, term(at)?)));
        lanes32(terms, start, add, combine)
    };
    match members {
        Members::Serial(extent, members) => {
            let terms = members.into_iter().filter_map(|(index, at)| Some((index, term(at)?)));
            serial256(extent, terms, start, add, combine)
        }
        Members::Lanes(members) => lanes(members),
        Members::Nested(outer) => lanes32(
            outer.into_iter().map(|(index, members)| (index, lanes(members))),
            start,
            combine,
            combine,
        ),
    }
}

type Add<R> = fn(Scalar<R>, Term<R>) -> Scalar<R>;
type Combine<R> = fn(Scalar<R>, Scalar<R>) -> Scalar<R>;

/// Where a reduction starts, how a term is added, and how partial results combine.
fn accumulate<R: Real>(op: ReduceOp, ty: Type) -> (Scalar<R>, Add<R>, Combine<R>) {
    fn plain<R: Real>(term: Term<R>) -> Scalar<R> {
        match term {
            Term::Value(value) => value,
            Term::Product(a, b) => Scalar::Real(a.mul(b)),
        }
    }
    let limit = |value: f64| match ty {
        Type::Int => Scalar::Int(if value > 0.0 { i64::MAX } else { i64::MIN }),
        Type::Wide | Type::Real | Type::Bool => Scalar::Real(R::from_f64(value)),
    };
    match op {
        ReduceOp::Sum => (
            Scalar::zero(ty),
            |sum, term| match term {
                Term::Value(value) => sum.binary(BinaryOp::Add, value),
                Term::Product(a, b) => Scalar::Real(a.fma(b, sum.real())),
            },
            |left, right| left.binary(BinaryOp::Add, right),
        ),
        ReduceOp::Min => (
            limit(f64::INFINITY),
            |least, term| least.binary(BinaryOp::Min, plain(term)),
            |left, right| left.binary(BinaryOp::Min, right),
        ),
        ReduceOp::Max => (
            limit(f64::NEG_INFINITY),
            |most, term| most.binary(BinaryOp::Max, plain(term)),
            |left, right| left.binary(BinaryOp::Max, right),
        ),
        ReduceOp::Count => (
            Scalar::Int(0),
            |count, term| count.binary(BinaryOp::Add, Scalar::Int(i64::from(plain(term).holds()))),
            |left, right| left.binary(BinaryOp::Add, right),
        ),
    }
}

impl<R: Real> RuleMachine<R> {
    /// What a target takes from an increment that has more values than the target: `Σ_batch Σ_pairs gate(mask, value)`, as
    /// reductions over the pairs and then over the batch would.
    pub(super) fn over_more(
        &self,
        value: ExprId,
        (target, target_batched): (At, bool),
        batched: bool,
        pairs: bool,
        occasion: Occasion,
        allowed: &dyn Fn(At, usize, usize) -> bool,
    ) -> Values<R> {
        let scope = self.scope(value, occasion);
        let ty = self.rule.exprs[value].ty;
        let (start, add, combine) = accumulate(ReduceOp::Sum, ty);
        let term = |at: At, batch: usize, element: usize| {
            if allowed(at, batch, element) {
                scope.term(ReduceOp::Sum, value, at, batch, element)
            } else {
                None
            }
        };
        let of_pairs = |batch: usize, element: usize| {
            let term = |pair| term(At::Pair, batch, pair);
            combined(ReduceOp::Sum, ty, self.space.pairs_of(element), &term)
        };
        let one = |own: usize, element| match (batched, pairs) {
            (true, true) => {
                let sums = (0..self.batch).map(|batch| (batch, Term::Value(of_pairs(batch, element))));
                serial256(self.batch, sums, start, add, combine)
            }
            (true, false) => {
                let terms = (0..self.batch).filter_map(|batch| Some((batch, term(target, batch, element)?)));
                serial256(self.batch, terms, start, add, combine)
            }
            (false, _) => of_pairs(own, element),
        };
        let batches = if target_batched { self.batch } else { 1 };
        let size = self.space.size(target);
        (0..batches)
            .flat_map(|own| (0..size).map(move |element| (own, element)))
            .map(|(own, element)| one(own, element))
            .collect()
    }
}
