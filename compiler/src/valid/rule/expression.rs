//! Types and shapes of expressions.

use super::Validator;
use crate::ir::build::reduced;
use crate::ir::*;

const NUMBERS: &[Type] = &[Type::Real, Type::Wide, Type::Int];
const FRACTIONS: &[Type] = &[Type::Real, Type::Wide];
const CONDITIONS: &[Type] = &[Type::Bool];

impl Validator<'_> {
    pub(super) fn expressions(&mut self) {
        let rule = self.rule;
        let (spans, count) = (rule.expr_spans.len(), rule.exprs.len());
        self.check(spans == count, || format!("{count} expressions have {spans} spans"));
        for (id, expr) in rule.exprs.iter() {
            if expr.kind.operands().iter().any(|operand| operand.index() >= id.index()) {
                self.error(format!("{id:?} stands before an operand"));
                continue;
            }
            if let Err(fault) = self.expression(expr) {
                self.error(format!("{id:?} ({:?}): {fault}", expr.kind));
            }
        }
    }

    fn expression(&self, expr: &Expr) -> Result<(), String> {
        let ty = self.ty(expr)?;
        if expr.ty != ty {
            return Err(format!("is {:?}, should be {ty:?}", expr.ty));
        }
        match self.shape(expr)? {
            Some(shape) if shape != expr.shape => {
                Err(format!("lives in {:?}, should in {shape:?}", expr.shape))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn type_of(&self, id: ExprId) -> Type {
        self.rule.exprs[id].ty
    }

    /// The one type of some operands, among those allowed.
    fn common(&self, operands: &[ExprId], allowed: &[Type]) -> Result<Type, String> {
        let Some(first) = operands.first() else { return Err("has no operands".to_owned()) };
        let ty = self.type_of(*first);
        let same = operands.iter().all(|id| self.type_of(*id) == ty);
        if same && allowed.contains(&ty) { Ok(ty) } else { Err("has operands of wrong types".to_owned()) }
    }

    /// The type that an expression must have.
    fn ty(&self, expr: &Expr) -> Result<Type, String> {
        let rule = self.rule;
        match &expr.kind {
            ExprKind::Number(_) => Ok(Type::Wide),
            ExprKind::Integer(_) => Ok(Type::Int),
            ExprKind::Boolean(_) => Ok(Type::Bool),
            ExprKind::Load { variable, element } => match rule.variables.get(*variable) {
                Some(of) if *element < of.elements() => Ok(of.ty),
                Some(_) | None => Err("is out of range".to_owned()),
            },
            ExprKind::Local(local) => match rule.locals.get(*local) {
                Some(local) => Ok(local.ty),
                None => Err("is out of range".to_owned()),
            },
            ExprKind::Builtin(builtin) => Ok(match builtin {
                Builtin::Dt => Type::Wide,
                Builtin::T => Type::Real,
                Builtin::PreSpike | Builtin::PostSpike => Type::Bool,
                Builtin::Step
                | Builtin::PreIndex
                | Builtin::PostIndex
                | Builtin::PreCount
                | Builtin::PostCount
                | Builtin::BatchCount
                | Builtin::PairCount => Type::Int,
            }),
            ExprKind::Unary(op, a) => match op {
                UnaryOp::Negate | UnaryOp::Abs => self.common(&[*a], NUMBERS),
                UnaryOp::Not => self.common(&[*a], CONDITIONS),
                UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Round => self.common(&[*a], FRACTIONS),
            },
            ExprKind::Binary(op, a, b) => match op {
                BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Min | BinaryOp::Max => {
                    self.common(&[*a, *b], NUMBERS)
                }
                BinaryOp::Divide | BinaryOp::Remainder => self.common(&[*a, *b], FRACTIONS),
                BinaryOp::And | BinaryOp::Or => self.common(&[*a, *b], CONDITIONS),
            },
            ExprKind::Compare(_, a, b) => self.common(&[*a, *b], NUMBERS).map(|_| Type::Bool),
            ExprKind::Select(condition, a, b) => {
                self.common(&[*condition], CONDITIONS)?;
                self.common(&[*a, *b], &[Type::Real, Type::Wide, Type::Int, Type::Bool])
            }
            ExprKind::Gate(condition, a) => {
                self.common(&[*condition], CONDITIONS)?;
                self.common(&[*a], NUMBERS)
            }
            ExprKind::Math(function, operands) => {
                let takes = if *function == MathFn::Pow { 2 } else { 1 };
                if operands.len() != takes {
                    return Err(format!("has {} operands", operands.len()));
                }
                self.common(operands, FRACTIONS)
            }
            ExprKind::Exponential { entries, place } => {
                let size = entries.len().isqrt();
                if size * size != entries.len() || *place as usize >= entries.len() {
                    return Err(format!("is no entry of a matrix of {} entries", entries.len()));
                }
                self.common(entries, &[Type::Wide])
            }
            ExprKind::Convert(a) => conversion(self.type_of(*a), expr.ty),
            ExprKind::Draw { site, parameters } => self.draw_type(*site, parameters),
            ExprKind::Reduce { op: ReduceOp::Count, body, .. } => {
                self.common(&[*body], CONDITIONS).map(|_| Type::Int)
            }
            ExprKind::Reduce { op: ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max, body, .. }
            | ExprKind::Scan { body, .. } => self.common(&[*body], &[Type::Real, Type::Int]),
            ExprKind::Widen(_) => Err("belongs in a flow".to_owned()),
            ExprKind::Past { body, delay, longest, .. } => {
                self.common(&[*delay], FRACTIONS)?;
                self.common(&[*longest], &[Type::Wide])?;
                self.common(&[*body], &[Type::Real, Type::Int, Type::Bool])
            }
        }
    }

    fn draw_type(&self, site: SiteId, parameters: &[ExprId]) -> Result<Type, String> {
        let Some(site) = self.rule.sites.get(site) else { return Err("is out of range".to_owned()) };
        let takes = match site.distribution {
            Distribution::Bernoulli | Distribution::Exponential => 1,
            Distribution::Uniform
            | Distribution::Normal
            | Distribution::LogNormal
            | Distribution::Gamma
            | Distribution::Beta => 2,
        };
        if parameters.len() != takes {
            return Err(format!("has {} parameters", parameters.len()));
        }
        self.common(parameters, &[Type::Real])?;
        Ok(if site.distribution == Distribution::Bernoulli { Type::Bool } else { Type::Real })
    }

    /// The shape that an expression must have; `None` for a literal, which may stand for a value of any shape.
    fn shape(&self, expr: &Expr) -> Result<Option<Shape>, String> {
        let rule = self.rule;
        let of = |id: &ExprId| rule.exprs[*id].shape;
        let shape = match &expr.kind {
            ExprKind::Number(_) | ExprKind::Integer(_) | ExprKind::Boolean(_) => return Ok(None),
            ExprKind::Load { variable, .. } => rule.variables[*variable].shape,
            ExprKind::Local(local) => rule.locals[*local].shape,
            ExprKind::Builtin(builtin) => match builtin {
                Builtin::PreSpike => Shape { batched: true, ..Shape::of(Domain::Pre) },
                Builtin::PostSpike => Shape { batched: true, ..Shape::of(Domain::Post) },
                Builtin::PreIndex => Shape::of(Domain::Pre),
                Builtin::PostIndex => Shape::of(Domain::Post),
                Builtin::Dt
                | Builtin::T
                | Builtin::Step
                | Builtin::PreCount
                | Builtin::PostCount
                | Builtin::BatchCount
                | Builtin::PairCount => Shape::of(Domain::Global),
            },
            ExprKind::Reduce { over, body, .. } => match reduced(of(body), *over) {
                Some(shape) => shape,
                None => return Err("nothing of the body lies along the axis".to_owned()),
            },
            ExprKind::Scan { over, body } => {
                if of(body).domain != *over || !matches!(over, Domain::Pre | Domain::Post) {
                    return Err("the body does not live in the axis".to_owned());
                }
                of(body)
            }
            ExprKind::Past { body, delay, .. } => of(body).join(of(delay)),
            ExprKind::Draw { site, parameters } => {
                parameters.iter().map(of).fold(rule.sites[*site].shape, Shape::join)
            }
            ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Gate(..)
            | ExprKind::Math(..)
            | ExprKind::Exponential { .. }
            | ExprKind::Widen(_)
            | ExprKind::Convert(_) => {
                expr.kind.operands().iter().map(of).fold(Shape::of(Domain::Global), Shape::join)
            }
        };
        Ok(Some(shape))
    }
}

/// A conversion's type, where there is such a conversion.
fn conversion(from: Type, to: Type) -> Result<Type, String> {
    let known = match (from, to) {
        (Type::Wide | Type::Int, Type::Real) | (Type::Int, Type::Wide) => true,
        (Type::Bool, to) => to != Type::Bool,
        (from, Type::Bool) => from != Type::Bool,
        (Type::Wide | Type::Real | Type::Int, Type::Wide | Type::Real | Type::Int) => false,
    };
    if known { Ok(to) } else { Err(format!("there is no conversion from {from:?}")) }
}
