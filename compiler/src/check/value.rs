//! From one type to another: what meets what, and what it becomes.

use super::context::{Checker, Value};
use crate::ir::{ExprId, ExprKind, Type};
use crate::source::Span;

impl Checker<'_> {
    pub fn ty(&self, id: ExprId) -> Type {
        self.builder.ty(id)
    }

    /// A condition: whether the value is not 0.
    pub fn condition(&mut self, id: ExprId, span: Span) -> ExprId {
        self.builder.convert(id, Type::Bool, span)
    }

    /// A condition becomes 0 or 1; a number stays.
    pub fn number(&mut self, id: ExprId, span: Span) -> ExprId {
        match self.ty(id) {
            Type::Bool if self.builder.is_wide(id) => self.builder.convert(id, Type::Wide, span),
            Type::Bool => self.builder.convert(id, Type::Real, span),
            Type::Wide | Type::Real | Type::Int => id,
        }
    }

    /// A number in the group's precision.
    pub fn real(&mut self, id: ExprId, span: Span) -> ExprId {
        self.builder.convert(id, Type::Real, span)
    }

    /// A number that is not an integer.
    pub fn float(&mut self, id: ExprId, span: Span) -> ExprId {
        let id = self.number(id, span);
        if self.ty(id) == Type::Int { self.real(id, span) } else { id }
    }

    /// The integer that a whole literal is.
    pub fn whole(&self, value: Value) -> Option<i64> {
        match *self.builder.kind(value.id) {
            ExprKind::Number(number) if value.whole && number.abs() <= 9e15 => Some(number as i64),
            _ => None,
        }
    }

    /// Two numbers of one type. A whole literal among integers is an integer.
    pub fn unify(&mut self, a: Value, b: Value, span: Span) -> (ExprId, ExprId) {
        let (x, y) = (a.id, b.id);
        match (self.ty(x), self.ty(y)) {
            (Type::Int, Type::Int) => (x, y),
            (Type::Int, Type::Bool) => (x, self.builder.convert(y, Type::Int, span)),
            (Type::Bool, Type::Int) => (self.builder.convert(x, Type::Int, span), y),
            (Type::Int, Type::Wide) if let Some(number) = self.whole(b) => {
                (x, self.builder.integer(number, span))
            }
            (Type::Wide, Type::Int) if let Some(number) = self.whole(a) => {
                (self.builder.integer(number, span), y)
            }
            (
                Type::Wide | Type::Real | Type::Int | Type::Bool,
                Type::Wide | Type::Real | Type::Int | Type::Bool,
            ) => self.unify_floats(x, y, span),
        }
    }

    /// Two numbers of one type that is not `Int`.
    pub fn unify_floats(&mut self, x: ExprId, y: ExprId, span: Span) -> (ExprId, ExprId) {
        let (x, y) = (self.float(x, span), self.float(y, span));
        if self.ty(x) == self.ty(y) { (x, y) } else { (self.real(x, span), self.real(y, span)) }
    }
}
