//! The words of operations, types and shapes.

use super::Level;
use crate::ir::*;

/// `synapse`, `pre batched`, `synapse pair`
pub(super) fn shape(shape: Shape) -> String {
    let mut text = shape.domain.word().to_owned();
    if shape.batched {
        text.push_str(" batched");
    }
    if shape.pair {
        text.push_str(" pair");
    }
    text
}

/// The shortest text that is read as the same f64; always with a point or an exponent.
pub(super) fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    format!("{value:?}")
}

pub(super) fn word(ty: Type) -> &'static str {
    match ty {
        Type::Wide => "wide",
        Type::Real => "real",
        Type::Int => "int",
        Type::Bool => "bool",
    }
}

pub(super) fn unary(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Negate => "-",
        UnaryOp::Not => "!",
        UnaryOp::Abs => "abs",
        UnaryOp::Sqrt => "sqrt",
        UnaryOp::Floor => "floor",
        UnaryOp::Round => "round",
    }
}

/// The sign and level of an operator, or the name of a function.
pub(super) fn binary(op: BinaryOp) -> (&'static str, Option<Level>) {
    match op {
        BinaryOp::Add => ("+", Some(4)),
        BinaryOp::Subtract => ("-", Some(4)),
        BinaryOp::Multiply => ("*", Some(5)),
        BinaryOp::Divide => ("/", Some(5)),
        BinaryOp::Remainder => ("%", Some(5)),
        BinaryOp::Min => ("min", None),
        BinaryOp::Max => ("max", None),
        BinaryOp::And => ("&&", Some(2)),
        BinaryOp::Or => ("||", Some(1)),
    }
}

pub(super) fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}

pub(super) fn math_word(function: MathFn) -> &'static str {
    match function {
        MathFn::Exp => "exp",
        MathFn::Ln => "ln",
        MathFn::Log2 => "log2",
        MathFn::Log1p => "log1p",
        MathFn::Expm1 => "expm1",
        MathFn::Sin => "sin",
        MathFn::Cos => "cos",
        MathFn::Tanh => "tanh",
        MathFn::Sigmoid => "sigmoid",
        MathFn::Pow => "pow",
    }
}

pub(super) fn reduce_word(op: ReduceOp) -> &'static str {
    match op {
        ReduceOp::Sum => "sum",
        ReduceOp::Min => "min",
        ReduceOp::Max => "max",
        ReduceOp::Count => "count",
    }
}

pub(super) fn over_word(over: Over) -> String {
    match over {
        Over::Pre => "pre".to_owned(),
        Over::Post => "post".to_owned(),
        Over::PreChannel => "pre_channel".to_owned(),
        Over::PostChannel => "post_channel".to_owned(),
        Over::Position => "position".to_owned(),
        Over::Batch => "batch".to_owned(),
        Over::Pairs => "pairs".to_owned(),
        Over::PostBlocks(size) => format!("post by {size}"),
    }
}

pub(super) fn distribution(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::Uniform => "uniform",
        Distribution::Normal => "normal",
        Distribution::LogNormal => "lognormal",
        Distribution::Bernoulli => "bernoulli",
        Distribution::Exponential => "exponential",
        Distribution::Gamma => "gamma",
        Distribution::Beta => "beta",
    }
}

pub(super) fn builtin_word(builtin: Builtin) -> &'static str {
    match builtin {
        Builtin::Dt => "dt",
        Builtin::T => "t",
        Builtin::Step => "step",
        Builtin::PreSpike => "pre.spike",
        Builtin::PostSpike => "post.spike",
        Builtin::PreIndex => "pre.index",
        Builtin::PostIndex => "post.index",
        Builtin::PreCount => "pre.count",
        Builtin::PostCount => "post.count",
        Builtin::BatchCount => "batch.count",
        Builtin::PairCount => "pair.count",
    }
}
