//! Expressions of a flow: an arena in which equal expressions are one.

use std::collections::HashMap;

use crate::arena::Arena;
use crate::ir::{Expr, ExprId, ExprKind, Shape, Type};
use crate::source::Span;

/// Expressions with operands first, each with a place in the text.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    exprs: Arena<Expr>,
    spans: Vec<Span>,
    known: HashMap<Key, ExprId>,
}

/// What makes two expressions equal. Numbers compare by their bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    words: Vec<u64>,
    ty: Type,
    shape: Shape,
}

impl Graph {
    /// No expressions.
    pub fn new() -> Self {
        Self::default()
    }

    /// All expressions.
    pub fn exprs(&self) -> &Arena<Expr> {
        &self.exprs
    }

    /// One expression.
    pub fn get(&self, id: ExprId) -> &Expr {
        &self.exprs[id]
    }

    /// Where it was first written.
    pub fn span(&self, id: ExprId) -> Span {
        self.spans[id.index()]
    }

    /// Adds an expression, or finds the equal one.
    pub fn add(&mut self, expr: Expr, span: Span) -> ExprId {
        let key = Key { words: words(&expr.kind), ty: expr.ty, shape: expr.shape };
        // Hashed once.
        *self.known.entry(key).or_insert_with(|| {
            self.spans.push(span);
            self.exprs.push(expr)
        })
    }

    /// A real number; rounded once when the kernel is made.
    pub fn real(&mut self, value: f64, span: Span) -> ExprId {
        let shape = Shape::of(crate::ir::Domain::Global);
        let wide = self.add(Expr { kind: ExprKind::Number(value), ty: Type::Wide, shape }, span);
        self.add(Expr { kind: ExprKind::Convert(wide), ty: Type::Real, shape }, span)
    }

    /// Where the condition holds, `then`, else `otherwise`; of the shape that holds all three.
    pub fn select(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId, span: Span) -> ExprId {
        if then == otherwise {
            return then;
        }
        let shape =
            self.exprs[condition].shape.join(self.exprs[then].shape).join(self.exprs[otherwise].shape);
        let ty = self.exprs[then].ty;
        self.add(Expr { kind: ExprKind::Select(condition, then, otherwise), ty, shape }, span)
    }
}

/// An expression's kind as numbers: a tag, then its fields.
fn words(kind: &ExprKind) -> Vec<u64> {
    let mut words = vec![tag(kind)];
    match kind {
        ExprKind::Number(value) => words.push(value.to_bits()),
        ExprKind::Integer(value) => words.push(*value as u64),
        ExprKind::Boolean(value) => words.push(u64::from(*value)),
        ExprKind::Load { variable, element } => words.extend([variable.index() as u64, u64::from(*element)]),
        ExprKind::Local(local) => words.push(local.index() as u64),
        ExprKind::Builtin(builtin) => words.push(*builtin as u64),
        ExprKind::Unary(op, _) => words.push(*op as u64),
        ExprKind::Binary(op, ..) => words.push(*op as u64),
        ExprKind::Compare(op, ..) => words.push(*op as u64),
        ExprKind::Math(function, _) => words.push(*function as u64),
        ExprKind::Exponential { place, .. } => words.push(u64::from(*place)),
        ExprKind::Draw { site, .. } => words.push(site.index() as u64),
        ExprKind::Reduce { op, over, .. } => words.extend([*op as u64, over_word(*over)]),
        ExprKind::Scan { over, .. } => words.push(*over as u64),
        ExprKind::Select(..)
        | ExprKind::Gate(..)
        | ExprKind::Convert(_)
        | ExprKind::Widen(_)
        | ExprKind::Past { .. } => {}
    }
    words.extend(kind.operands().into_iter().map(|operand| operand.index() as u64));
    words
}

fn tag(kind: &ExprKind) -> u64 {
    match kind {
        ExprKind::Number(_) => 0,
        ExprKind::Integer(_) => 1,
        ExprKind::Boolean(_) => 2,
        ExprKind::Load { .. } => 3,
        ExprKind::Local(_) => 4,
        ExprKind::Builtin(_) => 5,
        ExprKind::Unary(..) => 6,
        ExprKind::Binary(..) => 7,
        ExprKind::Compare(..) => 8,
        ExprKind::Select(..) => 9,
        ExprKind::Gate(..) => 10,
        ExprKind::Math(..) => 11,
        ExprKind::Convert(_) => 12,
        ExprKind::Draw { .. } => 13,
        ExprKind::Reduce { .. } => 14,
        ExprKind::Scan { .. } => 15,
        ExprKind::Past { .. } => 16,
        ExprKind::Widen(_) => 17,
        ExprKind::Exponential { .. } => 18,
    }
}

fn over_word(over: crate::ir::Over) -> u64 {
    use crate::ir::Over;
    match over {
        Over::Pre => 0,
        Over::Post => 1,
        Over::PreChannel => 2,
        Over::PostChannel => 3,
        Over::Position => 4,
        Over::Batch => 5,
        Over::Pairs => 7,
        Over::PostBlocks(size) => 6 + (u64::from(size) << 8),
    }
}
