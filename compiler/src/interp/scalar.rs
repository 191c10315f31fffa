//! One value of the rule IR and what the operations do to it.
//!
//! In: values of the types that `valid::rule` has verified; any other is a fault of our own. Out: the value, rounded as
//! `ir` says. Reductions, draws and loads are not done here.

use crate::ice;
use crate::ir::{BinaryOp, Comparison, MathFn, Type, UnaryOp};
use crate::math::{self, Real};

/// A value of one of the four types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<R> {
    /// In f64.
    Wide(f64),
    /// In the group's precision.
    Real(R),
    /// A whole number.
    Int(i64),
    /// A condition.
    Bool(bool),
}

impl<R: Real> Scalar<R> {
    /// +0 of a type.
    pub fn zero(ty: Type) -> Self {
        match ty {
            Type::Wide => Scalar::Wide(0.0),
            Type::Real => Scalar::Real(R::from_f64(0.0)),
            Type::Int => Scalar::Int(0),
            Type::Bool => Scalar::Bool(false),
        }
    }

    /// A host's number, as a type; whole numbers are rounded half to even.
    pub fn from_host(value: f64, ty: Type) -> Self {
        match ty {
            Type::Wide => Scalar::Wide(value),
            Type::Real => Scalar::Real(R::from_f64(value)),
            Type::Int => Scalar::Int(value.round_ties_even() as i64),
            Type::Bool => Scalar::Bool(value != 0.0),
        }
    }

    /// As the host sees it.
    pub fn to_host(self) -> f64 {
        match self {
            Scalar::Wide(value) => value,
            Scalar::Real(value) => value.to_f64(),
            Scalar::Int(value) => value as f64,
            Scalar::Bool(value) => f64::from(u8::from(value)),
        }
    }

    /// Its type.
    pub fn ty(self) -> Type {
        match self {
            Scalar::Wide(_) => Type::Wide,
            Scalar::Real(_) => Type::Real,
            Scalar::Int(_) => Type::Int,
            Scalar::Bool(_) => Type::Bool,
        }
    }

    /// A condition's value.
    pub fn holds(self) -> bool {
        match self {
            Scalar::Bool(value) => value,
            Scalar::Wide(_) | Scalar::Real(_) | Scalar::Int(_) => ice!("{self:?} is not a condition"),
        }
    }

    /// A `Real`'s value.
    pub fn real(self) -> R {
        match self {
            Scalar::Real(value) => value,
            Scalar::Wide(_) | Scalar::Int(_) | Scalar::Bool(_) => ice!("{self:?} is not real"),
        }
    }

    /// To another type, as [`crate::ir::ExprKind::Convert`] says.
    pub fn convert(self, ty: Type) -> Self {
        match (self, ty) {
            (value, ty) if value.ty() == ty => value,
            (Scalar::Wide(value), Type::Real) => Scalar::Real(R::from_f64(value)),
            (Scalar::Int(value), Type::Real) => Scalar::Real(R::from_i64(value)),
            (Scalar::Int(value), Type::Wide) => Scalar::Wide(value as f64),
            (Scalar::Bool(value), ty) => Self::from_host(f64::from(u8::from(value)), ty),
            // A NaN is not 0.
            (Scalar::Wide(value), Type::Bool) => Scalar::Bool(value != 0.0),
            (Scalar::Real(value), Type::Bool) => Scalar::Bool(value != R::from_f64(0.0)),
            (Scalar::Int(value), Type::Bool) => Scalar::Bool(value != 0),
            (value, ty) => ice!("{value:?} has no conversion to {ty:?}"),
        }
    }

    /// An operation on one value.
    pub fn unary(self, op: UnaryOp) -> Self {
        match self {
            Scalar::Wide(value) => Scalar::Wide(unary_real(op, value)),
            Scalar::Real(value) => Scalar::Real(unary_real(op, value)),
            Scalar::Int(value) => Scalar::Int(match op {
                UnaryOp::Negate => value.wrapping_neg(),
                UnaryOp::Abs => value.wrapping_abs(),
                UnaryOp::Not | UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Round => {
                    ice!("{op:?} of a whole number")
                }
            }),
            Scalar::Bool(value) => match op {
                UnaryOp::Not => Scalar::Bool(!value),
                UnaryOp::Negate | UnaryOp::Abs | UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Round => {
                    ice!("{op:?} of a condition")
                }
            },
        }
    }

    /// An operation on two values of one type.
    pub fn binary(self, op: BinaryOp, other: Self) -> Self {
        match (self, other) {
            (Scalar::Wide(a), Scalar::Wide(b)) => Scalar::Wide(binary_real(op, a, b)),
            (Scalar::Real(a), Scalar::Real(b)) => Scalar::Real(binary_real(op, a, b)),
            (Scalar::Int(a), Scalar::Int(b)) => Scalar::Int(match op {
                BinaryOp::Add => a.wrapping_add(b),
                BinaryOp::Subtract => a.wrapping_sub(b),
                BinaryOp::Multiply => a.wrapping_mul(b),
                BinaryOp::Min => a.min(b),
                BinaryOp::Max => a.max(b),
                BinaryOp::Divide | BinaryOp::Remainder | BinaryOp::And | BinaryOp::Or => {
                    ice!("{op:?} of whole numbers")
                }
            }),
            (Scalar::Bool(a), Scalar::Bool(b)) => Scalar::Bool(match op {
                BinaryOp::And => a && b,
                BinaryOp::Or => a || b,
                BinaryOp::Add
                | BinaryOp::Subtract
                | BinaryOp::Multiply
                | BinaryOp::Divide
                | BinaryOp::Remainder
                | BinaryOp::Min
                | BinaryOp::Max => ice!("{op:?} of conditions"),
            }),
            (a, b) => ice!("{op:?} of {a:?} and {b:?}"),
        }
    }

    /// A comparison of two values of one type.
    pub fn compare(self, comparison: Comparison, other: Self) -> bool {
        match (self, other) {
            (Scalar::Wide(a), Scalar::Wide(b)) => compare(comparison, &a, &b),
            (Scalar::Real(a), Scalar::Real(b)) => compare(comparison, &a, &b),
            (Scalar::Int(a), Scalar::Int(b)) => compare(comparison, &a, &b),
            (a, b) => ice!("{comparison:?} of {a:?} and {b:?}"),
        }
    }

    /// One of our own functions of values that are all `Wide` or all `Real`.
    pub fn math(function: MathFn, arguments: &[Self]) -> Self {
        if let Some(Scalar::Wide(_)) = arguments.first() {
            let wide = arguments.iter().map(|value| match value {
                Scalar::Wide(value) => *value,
                Scalar::Real(_) | Scalar::Int(_) | Scalar::Bool(_) => ice!("{function:?} of mixed types"),
            });
            return Scalar::Wide(math::evaluate(function, &wide.collect::<Vec<f64>>()));
        }
        let real = arguments.iter().map(|value| value.real());
        Scalar::Real(math::evaluate(function, &real.collect::<Vec<R>>()))
    }
}

fn unary_real<R: Real>(op: UnaryOp, value: R) -> R {
    match op {
        UnaryOp::Negate => value.neg(),
        UnaryOp::Abs => value.abs(),
        UnaryOp::Sqrt => value.sqrt(),
        UnaryOp::Floor => value.floor(),
        UnaryOp::Round => value.nearest(),
        UnaryOp::Not => ice!("negation of a number"),
    }
}

fn binary_real<R: Real>(op: BinaryOp, a: R, b: R) -> R {
    match op {
        BinaryOp::Add => a.add(b),
        BinaryOp::Subtract => a.sub(b),
        BinaryOp::Multiply => a.mul(b),
        BinaryOp::Divide => a.div(b),
        BinaryOp::Remainder => a.rem(b),
        BinaryOp::Min => {
            if b < a {
                b
            } else {
                a
            }
        }
        BinaryOp::Max => {
            if b > a {
                b
            } else {
                a
            }
        }
        BinaryOp::And | BinaryOp::Or => ice!("{op:?} of numbers"),
    }
}

fn compare<T: PartialOrd>(comparison: Comparison, a: &T, b: &T) -> bool {
    match comparison {
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimum_and_maximum_keep_a_nan_on_the_left_only() {
        let nan = Scalar::Real(f32::NAN);
        let one = Scalar::Real(1.0_f32);
        assert!(nan.binary(BinaryOp::Min, one).real().is_nan());
        assert!(nan.binary(BinaryOp::Max, one).real().is_nan());
        assert_eq!(one.binary(BinaryOp::Min, nan), one);
        let zeros = Scalar::Real(0.0_f32).binary(BinaryOp::Min, Scalar::Real(-0.0));
        assert!(zeros.real().is_sign_positive(), "neither is smaller, so the left one stays");
    }

    #[test]
    fn whole_numbers_wrap_and_a_nan_is_not_zero() {
        let most = Scalar::<f32>::Int(i64::MAX);
        assert_eq!(most.binary(BinaryOp::Add, Scalar::Int(1)), Scalar::Int(i64::MIN));
        assert_eq!(Scalar::<f32>::Wide(f64::NAN).convert(Type::Bool), Scalar::Bool(true));
        assert_eq!(Scalar::<f32>::Int((1 << 24) + 1).convert(Type::Real), Scalar::Real(16_777_216.0));
        assert_eq!(Scalar::<f32>::Wide(0.1).convert(Type::Real), Scalar::Real(0.1));
    }
}
