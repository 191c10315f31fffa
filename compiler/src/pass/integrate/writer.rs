//! Appends expressions to a rule.
//!
//! In: operands of any of the types `Wide` and `Real`. Out: the expression, `Wide` where all operands are, else with
//! the `Wide` ones rounded once. Folds only what is exact: nothing, or a factor or divisor that is the literal 1.

use crate::ice;
use crate::ir::build::RuleBuilder;
use crate::ir::*;
use crate::source::Span;

pub(super) struct Writer {
    pub(super) builder: RuleBuilder,
    /// The equation that is being written out.
    pub(super) span: Span,
}

impl Writer {
    pub(super) fn expr(&self, id: ExprId) -> &Expr {
        &self.builder.rule.exprs[id]
    }

    pub(super) fn push(&mut self, kind: ExprKind, ty: Type, shape: Shape) -> ExprId {
        self.builder.push(kind, ty, shape, self.span)
    }

    pub(super) fn number(&mut self, value: f64) -> ExprId {
        self.push(ExprKind::Number(value), Type::Wide, Shape::of(Domain::Global))
    }

    pub(super) fn dt(&mut self) -> ExprId {
        self.push(ExprKind::Builtin(Builtin::Dt), Type::Wide, Shape::of(Domain::Global))
    }

    pub(super) fn load(&mut self, variable: VarId, element: u32) -> ExprId {
        let (ty, shape) =
            (self.builder.rule.variables[variable].ty, self.builder.rule.variables[variable].shape);
        self.push(ExprKind::Load { variable, element }, ty, shape)
    }

    /// As a `Real`.
    pub(super) fn real(&mut self, id: ExprId) -> ExprId {
        let Expr { ty, shape, .. } = *self.expr(id);
        match ty {
            Type::Real => id,
            Type::Wide | Type::Int | Type::Bool => self.push(ExprKind::Convert(id), Type::Real, shape),
        }
    }

    /// Both in one type: `Wide` if both are.
    fn align(&mut self, a: ExprId, b: ExprId) -> (ExprId, ExprId, Type) {
        if self.expr(a).ty == Type::Wide && self.expr(b).ty == Type::Wide {
            return (a, b, Type::Wide);
        }
        (self.real(a), self.real(b), Type::Real)
    }

    pub(super) fn is_number(&self, id: ExprId, value: f64) -> bool {
        matches!(self.expr(id).kind, ExprKind::Number(number) if number.to_bits() == value.to_bits())
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId) -> ExprId {
        if matches!(op, BinaryOp::Multiply | BinaryOp::Divide) && self.is_number(b, 1.0) {
            return a;
        }
        if op == BinaryOp::Multiply && self.is_number(a, 1.0) {
            return b;
        }
        let (a, b, ty) = self.align(a, b);
        let shape = self.expr(a).shape.join(self.expr(b).shape);
        self.push(ExprKind::Binary(op, a, b), ty, shape)
    }

    pub(super) fn add(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.binary(BinaryOp::Add, a, b)
    }

    pub(super) fn multiply(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.binary(BinaryOp::Multiply, a, b)
    }

    pub(super) fn divide(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.binary(BinaryOp::Divide, a, b)
    }

    pub(super) fn negate(&mut self, a: ExprId) -> ExprId {
        let Expr { ty, shape, .. } = *self.expr(a);
        self.push(ExprKind::Unary(UnaryOp::Negate, a), ty, shape)
    }

    pub(super) fn math(&mut self, function: MathFn, a: ExprId) -> ExprId {
        let Expr { ty, shape, .. } = *self.expr(a);
        if !matches!(ty, Type::Wide | Type::Real) {
            ice!("{function:?} of {ty:?}");
        }
        self.push(ExprKind::Math(function, vec![a]), ty, shape)
    }

    /// One of two; `Wide` only where the condition, too, is made of parameters only.
    pub(super) fn select(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId) -> ExprId {
        let (mut then, mut otherwise, mut ty) = self.align(then, otherwise);
        if ty == Type::Wide && !self.builder.is_wide(condition) {
            (then, otherwise, ty) = (self.real(then), self.real(otherwise), Type::Real);
        }
        let shape = self.expr(condition).shape.join(self.expr(then).shape).join(self.expr(otherwise).shape);
        self.push(ExprKind::Select(condition, then, otherwise), ty, shape)
    }

    /// `id == 0`
    pub(super) fn is_zero(&mut self, id: ExprId) -> ExprId {
        let zero = self.number(0.0);
        let (a, b, _) = self.align(id, zero);
        let shape = self.expr(a).shape;
        self.push(ExprKind::Compare(Comparison::Equal, a, b), Type::Bool, shape)
    }

    /// `expm1(z) / z`, 1 where z is 0.
    pub(super) fn phi(&mut self, z: ExprId) -> ExprId {
        let one = self.number(1.0);
        let growth = self.math(MathFn::Expm1, z);
        let ratio = self.divide(growth, z);
        let flat = self.is_zero(z);
        self.select(flat, one, ratio)
    }
}
