//! Linear forms: a value as a sum of terms, each a coefficient times a state of the synapse or values of its
//! presynaptic neuron.
//!
//! Coefficients are expressions of the flow's graph that read neither. They are put together without folding, so that
//! nothing is rounded before the kernel computes them.

use std::collections::BTreeMap;

use crate::flow::Graph;
use crate::ir::{BinaryOp, Expr, ExprId, ExprKind, Type, UnaryOp, VarId};
use crate::pass::fold::{Known, known};
use crate::source::Span;

/// An element of a variable.
pub(super) type Spot = (VarId, u32);

/// What a coefficient is multiplied with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Monomial {
    /// States of the synapse; more than one is not linear.
    pub(super) states: Vec<Spot>,
    /// Values of the presynaptic neuron, each as often as it is a factor, ordered.
    pub(super) pre: Vec<Spot>,
}

impl Monomial {
    fn times(&self, other: &Monomial) -> Monomial {
        let joined = |a: &[Spot], b: &[Spot]| {
            let mut all = [a, b].concat();
            all.sort_unstable();
            all
        };
        Monomial { states: joined(&self.states, &other.states), pre: joined(&self.pre, &other.pre) }
    }
}

/// A sum of coefficients times monomials, with the place that each term comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Form {
    pub(super) terms: BTreeMap<Monomial, (ExprId, Span)>,
}

/// So many terms a form may have, and so many factors each of them.
const MOST_TERMS: usize = 32;
const MOST_FACTORS: usize = 8;

impl Form {
    /// Whether it has more terms, or more factors in one, than are worth having.
    pub(super) fn is_large(&self) -> bool {
        let many = |term: &Monomial| term.states.len() + term.pre.len() > MOST_FACTORS;
        self.terms.len() > MOST_TERMS || self.terms.keys().any(many)
    }

    /// One monomial with a coefficient.
    pub(super) fn of(monomial: Monomial, coefficient: ExprId, span: Span) -> Self {
        Self { terms: BTreeMap::from([(monomial, (coefficient, span))]) }
    }
}

/// Writes coefficients into a graph.
pub(super) struct Algebra<'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) precision: crate::kernel::Precision,
}

impl Algebra<'_> {
    fn is(&self, id: ExprId, number: f64) -> bool {
        known(self.graph, id, self.precision) == Some(Known::Real(number))
    }

    /// Whether a coefficient is the number 1.
    pub(super) fn is_one(&self, id: ExprId) -> bool {
        self.is(id, 1.0)
    }

    /// Whether a coefficient is the number 0, of either sign.
    pub(super) fn is_zero(&self, id: ExprId) -> bool {
        self.is(id, 0.0) || self.is(id, -0.0)
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId, span: Span) -> ExprId {
        let (one, zero) = (|this: &Self, id| this.is_one(id), |this: &Self, id| this.is_zero(id));
        match op {
            BinaryOp::Multiply if one(self, a) => return b,
            BinaryOp::Multiply | BinaryOp::Divide if one(self, b) => return a,
            BinaryOp::Multiply if zero(self, a) => return a,
            BinaryOp::Multiply if zero(self, b) => return b,
            BinaryOp::Add if zero(self, a) => return b,
            BinaryOp::Add | BinaryOp::Subtract if zero(self, b) => return a,
            _ => {}
        }
        let shape = self.graph.get(a).shape.join(self.graph.get(b).shape);
        self.graph.add(Expr { kind: ExprKind::Binary(op, a, b), ty: Type::Real, shape }, span)
    }

    fn negated(&mut self, a: ExprId, span: Span) -> ExprId {
        if let ExprKind::Unary(UnaryOp::Negate, inner) = self.graph.get(a).kind {
            return inner;
        }
        let shape = self.graph.get(a).shape;
        self.graph.add(Expr { kind: ExprKind::Unary(UnaryOp::Negate, a), ty: Type::Real, shape }, span)
    }

    fn insert(&self, form: &mut Form, monomial: Monomial, coefficient: ExprId, span: Span) {
        if !self.is_zero(coefficient) {
            form.terms.insert(monomial, (coefficient, span));
        }
    }

    /// A value that is a coefficient alone.
    pub(super) fn constant(&self, value: ExprId, span: Span) -> Form {
        let mut form = Form::default();
        self.insert(&mut form, Monomial::default(), value, span);
        form
    }

    pub(super) fn sum(&mut self, a: &Form, b: &Form, subtract: bool) -> Form {
        let mut sum = a.clone();
        for (monomial, &(coefficient, span)) in &b.terms {
            let before = sum.terms.remove(monomial);
            let op = if subtract { BinaryOp::Subtract } else { BinaryOp::Add };
            let (after, span) = match before {
                // What stays as it is is not to blame.
                Some((before, first)) => {
                    let blame = if self.is_one(before) { span } else { first };
                    (self.binary(op, before, coefficient, span), blame)
                }
                None if subtract => (self.negated(coefficient, span), span),
                None => (coefficient, span),
            };
            self.insert(&mut sum, monomial.clone(), after, span);
        }
        sum
    }

    pub(super) fn product(&mut self, a: &Form, b: &Form, span: Span) -> Form {
        let mut product = Form::default();
        for (first, &(x, _)) in &a.terms {
            for (second, &(y, _)) in &b.terms {
                let coefficient = self.binary(BinaryOp::Multiply, x, y, span);
                let both = Form::of(first.times(second), coefficient, span);
                product = self.sum(&product, &both, false);
            }
        }
        product
    }

    pub(super) fn quotient(&mut self, a: &Form, divisor: ExprId, span: Span) -> Form {
        let mut quotient = Form::default();
        for (monomial, &(coefficient, blame)) in &a.terms {
            let coefficient = self.binary(BinaryOp::Divide, coefficient, divisor, span);
            self.insert(&mut quotient, monomial.clone(), coefficient, blame);
        }
        quotient
    }

    pub(super) fn negative(&mut self, a: &Form, span: Span) -> Form {
        let mut negative = Form::default();
        for (monomial, &(coefficient, blame)) in &a.terms {
            let coefficient = self.negated(coefficient, span);
            self.insert(&mut negative, monomial.clone(), coefficient, blame);
        }
        negative
    }

    /// Where a condition that is a coefficient holds, `a`, else `b`.
    pub(super) fn either(&mut self, condition: ExprId, a: &Form, b: &Form, span: Span) -> Form {
        let mut either = Form::default();
        let monomials: std::collections::BTreeSet<&Monomial> = a.terms.keys().chain(b.terms.keys()).collect();
        for monomial in monomials {
            let (first, second) = (a.terms.get(monomial), b.terms.get(monomial));
            let zero = self.graph.real(0.0, span);
            let coefficient =
                |term: Option<&(ExprId, Span)>| term.map_or(zero, |(coefficient, _)| *coefficient);
            let value = self.graph.select(condition, coefficient(first), coefficient(second), span);
            let blame = first.or(second).map_or(span, |(_, blame)| *blame);
            self.insert(&mut either, monomial.clone(), value, blame);
        }
        either
    }
}
