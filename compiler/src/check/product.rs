//! Products, in which a factor `pre.spike` or `post.spike` is a gate.
//!
//! The spikes are taken out of the whole chain, brackets included; what is left keeps its brackets, so that nothing
//! is reassociated.

use super::context::{Checker, Value};
use super::unit::Dimension;
use crate::ast::{BinaryOperator, Expr, ExprKind as Ast};
use crate::ir::{BinaryOp, Builtin, ExprId, ExprKind};
use crate::source::Span;

/// A product without its gates.
struct Product {
    gates: Vec<ExprId>,
    rest: Option<Value>,
}

impl Checker<'_> {
    /// A product and the gates in it.
    pub fn multiply(&mut self, expr: &Expr) -> Option<Value> {
        let product = self.factors(expr)?;
        Some(self.gated(product, expr.span))
    }

    /// A value times a product, for `x *= e`.
    pub fn multiply_by(&mut self, value: Value, factor: &Expr, span: Span) -> Option<Value> {
        let Product { gates, rest } = self.factors(factor)?;
        let rest = match rest {
            Some(rest) => self.times(value, rest, span),
            None => value,
        };
        Some(self.gated(Product { gates, rest: Some(rest) }, span))
    }

    fn factors(&mut self, expr: &Expr) -> Option<Product> {
        match &expr.kind {
            Ast::Group(inner) => self.factors(inner),
            Ast::Binary(BinaryOperator::Multiply, _, a, b) => {
                // A long chain leans to the left: its depth counts like that of any other expression.
                if self.depth >= super::context::DEPTH_LIMIT {
                    self.expr(expr)?;
                    return None;
                }
                self.depth += 1;
                let (left, right) = (self.factors(a), self.factors(b));
                self.depth -= 1;
                let (mut left, right) = (left?, right?);
                left.gates.extend(right.gates);
                let rest = match (left.rest, right.rest) {
                    (Some(x), Some(y)) => Some(self.times(x, y, expr.span)),
                    (rest, None) | (None, rest) => rest,
                };
                Some(Product { gates: left.gates, rest })
            }
            _ => {
                let value = self.expr(expr)?;
                let spike = self.is_spike(value.id);
                let (gates, rest) = if spike { (vec![value.id], None) } else { (Vec::new(), Some(value)) };
                Some(Product { gates, rest })
            }
        }
    }

    /// Whether an expression is exactly a spike, now or in the past.
    fn is_spike(&self, id: ExprId) -> bool {
        match *self.builder.kind(id) {
            ExprKind::Builtin(Builtin::PreSpike | Builtin::PostSpike) => true,
            ExprKind::Past { body, .. } => self.is_spike(body),
            _ => false,
        }
    }

    fn times(&mut self, x: Value, y: Value, span: Span) -> Value {
        let dimension = self.product(x.dimension, y.dimension, false, span);
        let (p, q) = self.unify(x, y, span);
        Value { id: self.builder.binary(BinaryOp::Multiply, p, q, span), dimension, whole: false }
    }

    fn gated(&mut self, product: Product, span: Span) -> Value {
        let Product { mut gates, rest } = product;
        let Some(mut rest) = rest
            .or_else(|| gates.pop().map(|id| Value { id, dimension: Some(Dimension::NONE), whole: false }))
        else {
            crate::ice!("a product without factors");
        };
        if gates.is_empty() {
            rest.id = self.number(rest.id, span);
            return rest;
        }
        let number = self.number(rest.id, span);
        let mut id = if self.ty(number) == crate::ir::Type::Int { number } else { self.real(number, span) };
        for gate in gates.into_iter().rev() {
            id = self.builder.gate(gate, id, span);
        }
        Value { id, whole: false, ..rest }
    }
}
