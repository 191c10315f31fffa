//! Constant folding, and identities that hold for every bit pattern.
//!
//! Constants are folded in the precision in which they would be computed, and a fold that gives a NaN is left alone.
//! `x - 0`, `x + -0`, `x * 1` and `x / 1` are `x`; `x + 0` is not (it turns -0 into 0), nor is `x * 0` 0.

use crate::arena::HandleMap;
use crate::flow::{Flow, Graph, Write, term};
use crate::ir::*;
use crate::kernel::Precision;
use crate::source::Span;

/// The flow with constants folded, in a graph of its own.
pub fn fold(flow: &Flow) -> Flow {
    let mut graph = Graph::new();
    let roots = flow.writes.iter().chain(&flow.trace).map(|write| write.value);
    let mut map: HandleMap<Expr, ExprId> = HandleMap::default();
    for id in operands::reachable(flow.graph.exprs(), roots) {
        let expr = flow.graph.get(id);
        let mut kind = expr.kind.map_operands(|operand| map[&operand]);
        if let ExprKind::Reduce { op: ReduceOp::Sum, body, .. } | ExprKind::Scan { body, .. } = &mut kind
            && let [old] = expr.kind.operands()[..]
        {
            *body = summand(flow, old, *body, &map, &mut graph);
        }
        let expr = Expr { kind, ty: expr.ty, shape: expr.shape };
        map.insert(id, add(&mut graph, expr, flow.graph.span(id), flow.precision));
    }
    let rename = |write: &Write| Write { value: map[&write.value], ..*write };
    let trace = flow.trace.iter().map(rename).collect();
    let writes = flow
        .writes
        .iter()
        .map(rename)
        .filter(|write| {
            graph.get(write.value).kind != ExprKind::Load { variable: write.variable, element: write.element }
        })
        .collect();
    Flow { graph, writes, trace, precision: flow.precision }
}

/// The body of a sum, folded, and still a product exactly where it was one: a product is added with one rounding.
fn summand(
    flow: &Flow,
    old: ExprId,
    folded: ExprId,
    map: &HandleMap<Expr, ExprId>,
    graph: &mut Graph,
) -> ExprId {
    let span = flow.graph.span(old);
    let (conditions, value) = term::gates(flow.graph.exprs(), old);
    let Some((a, b)) = term::product(flow.graph.exprs(), value) else {
        return term::rounded(graph, folded, span);
    };
    let conditions: Vec<ExprId> = conditions.iter().map(|condition| map[condition]).collect();
    let never = |&id: &ExprId| known(graph, id, flow.precision) == Some(Known::Bool(false));
    let (_, new) = term::gates(graph.exprs(), folded);
    if conditions.iter().any(never) || term::product(graph.exprs(), new) == Some((map[&a], map[&b])) {
        return folded;
    }
    let expr = flow.graph.get(value);
    let kind = ExprKind::Binary(BinaryOp::Multiply, map[&a], map[&b]);
    let product = graph.add(Expr { kind, ty: expr.ty, shape: expr.shape }, span);
    term::gated(graph, &conditions, product, span)
}

/// A constant that an expression is known to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// A `Wide` number.
    Wide(f64),
    /// A `Real`, exact in the precision.
    Real(f64),
    /// An `Int`.
    Int(i64),
    /// A `Bool`.
    Bool(bool),
}

/// The constant that an expression is.
pub fn known(graph: &Graph, id: ExprId, precision: Precision) -> Option<Known> {
    let expr = graph.get(id);
    match &expr.kind {
        ExprKind::Number(value) => Some(Known::Wide(*value)),
        ExprKind::Integer(value) => Some(Known::Int(*value)),
        ExprKind::Boolean(value) => Some(Known::Bool(*value)),
        ExprKind::Convert(inner) if expr.ty == Type::Real => match graph.get(*inner).kind {
            ExprKind::Number(value) => Some(Known::Real(rounded(value, precision))),
            _ => None,
        },
        _ => None,
    }
}

/// Adds an expression, or the simpler one that it equals.
pub fn add(graph: &mut Graph, expr: Expr, span: Span, precision: Precision) -> ExprId {
    if let Some(id) = simpler(graph, &expr, span, precision) {
        return id;
    }
    graph.add(expr, span)
}

fn rounded(value: f64, precision: Precision) -> f64 {
    match precision {
        Precision::F32 => f64::from(value as f32),
        Precision::F64 => value,
    }
}

fn simpler(graph: &mut Graph, expr: &Expr, span: Span, precision: Precision) -> Option<ExprId> {
    let constant = |graph: &Graph, id| known(graph, id, precision);
    let value = match &expr.kind {
        ExprKind::Unary(op, a) => unary(*op, constant(graph, *a)?, precision)?,
        ExprKind::Binary(op, a, b) => {
            let (known_a, known_b) = (constant(graph, *a), constant(graph, *b));
            if let Some(id) = identity(*op, *a, *b, known_a, known_b) {
                return Some(id);
            }
            binary(*op, known_a?, known_b?, precision)?
        }
        ExprKind::Compare(op, a, b) => Known::Bool(compare(*op, constant(graph, *a)?, constant(graph, *b)?)?),
        ExprKind::Select(condition, a, b) => {
            if a == b {
                return Some(*a);
            }
            return select(graph, expr, *condition, *a, *b, span, precision);
        }
        ExprKind::Gate(condition, a) => match constant(graph, *condition)? {
            Known::Bool(true) => return Some(*a),
            Known::Bool(false) => zero(expr.ty),
            Known::Wide(_) | Known::Real(_) | Known::Int(_) => return None,
        },
        ExprKind::Convert(a) => convert(expr.ty, constant(graph, *a)?)?,
        ExprKind::Number(_)
        | ExprKind::Integer(_)
        | ExprKind::Boolean(_)
        | ExprKind::Load { .. }
        | ExprKind::Local(_)
        | ExprKind::Builtin(_)
        | ExprKind::Math(..)
        | ExprKind::Exponential { .. }
        | ExprKind::Draw { .. }
        | ExprKind::Reduce { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Widen(_)
        | ExprKind::Past { .. } => return None,
    };
    write_constant(graph, value, span)
}

fn select(
    graph: &mut Graph,
    expr: &Expr,
    condition: ExprId,
    a: ExprId,
    b: ExprId,
    span: Span,
    precision: Precision,
) -> Option<ExprId> {
    if let Some(Known::Bool(holds)) = known(graph, condition, precision) {
        return Some(if holds { a } else { b });
    }
    // Under its own condition an inner select or gate is decided.
    if let ExprKind::Select(inner, first, _) = graph.get(a).kind
        && inner == condition
    {
        let kind = ExprKind::Select(condition, first, b);
        return Some(add(graph, Expr { kind, ty: expr.ty, shape: expr.shape }, span, precision));
    }
    if let ExprKind::Select(inner, _, second) = graph.get(b).kind
        && inner == condition
    {
        let kind = ExprKind::Select(condition, a, second);
        return Some(add(graph, Expr { kind, ty: expr.ty, shape: expr.shape }, span, precision));
    }
    None
}

fn zero(ty: Type) -> Known {
    match ty {
        Type::Wide => Known::Wide(0.0),
        Type::Real => Known::Real(0.0),
        Type::Int => Known::Int(0),
        Type::Bool => Known::Bool(false),
    }
}

fn identity(
    op: BinaryOp,
    a: ExprId,
    b: ExprId,
    known_a: Option<Known>,
    known_b: Option<Known>,
) -> Option<ExprId> {
    let is = |known: Option<Known>, number: f64| match known {
        Some(Known::Real(value) | Known::Wide(value)) => value.to_bits() == number.to_bits(),
        Some(Known::Int(value)) => value == number as i64,
        Some(Known::Bool(_)) | None => false,
    };
    let truth = |known: Option<Known>| match known {
        Some(Known::Bool(value)) => Some(value),
        _ => None,
    };
    match op {
        BinaryOp::Add if is(known_b, -0.0) => Some(a),
        BinaryOp::Add if is(known_a, -0.0) => Some(b),
        BinaryOp::Subtract if is(known_b, 0.0) => Some(a),
        BinaryOp::Multiply if is(known_b, 1.0) => Some(a),
        BinaryOp::Multiply if is(known_a, 1.0) => Some(b),
        BinaryOp::Divide if is(known_b, 1.0) => Some(a),
        BinaryOp::Min | BinaryOp::Max | BinaryOp::And | BinaryOp::Or if a == b => Some(a),
        BinaryOp::And => match (truth(known_a), truth(known_b)) {
            (Some(true), _) => Some(b),
            (_, Some(true)) => Some(a),
            (Some(false), _) => Some(a),
            (_, Some(false)) => Some(b),
            (None, None) => None,
        },
        BinaryOp::Or => match (truth(known_a), truth(known_b)) {
            (Some(false), _) => Some(b),
            (_, Some(false)) => Some(a),
            (Some(true), _) => Some(a),
            (_, Some(true)) => Some(b),
            (None, None) => None,
        },
        BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Remainder
        | BinaryOp::Min
        | BinaryOp::Max => None,
    }
}

fn unary(op: UnaryOp, a: Known, precision: Precision) -> Option<Known> {
    let float = |value: f64| match op {
        UnaryOp::Negate => Some(-value),
        UnaryOp::Abs => Some(value.abs()),
        // The root of an f32, computed in f64 and rounded, is the correctly rounded one.
        UnaryOp::Sqrt => Some(rounded(value.sqrt(), precision)),
        UnaryOp::Floor => Some(value.floor()),
        UnaryOp::Round => Some(value.round_ties_even()),
        UnaryOp::Not => None,
    };
    match a {
        Known::Wide(value) => match op {
            UnaryOp::Sqrt => Some(Known::Wide(value.sqrt())),
            _ => float(value).map(Known::Wide),
        },
        Known::Real(value) => float(value).map(Known::Real),
        Known::Int(value) => match op {
            UnaryOp::Negate => Some(Known::Int(value.wrapping_neg())),
            UnaryOp::Abs => Some(Known::Int(value.wrapping_abs())),
            UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Round | UnaryOp::Not => None,
        },
        Known::Bool(value) => (op == UnaryOp::Not).then_some(Known::Bool(!value)),
    }
}

fn binary(op: BinaryOp, a: Known, b: Known, precision: Precision) -> Option<Known> {
    match (a, b) {
        (Known::Wide(a), Known::Wide(b)) => float_binary(op, a, b).map(Known::Wide),
        (Known::Real(a), Known::Real(b)) => match precision {
            // One f32 operation on f32 operands.
            Precision::F32 => {
                float_binary_f32(op, a as f32, b as f32).map(|value| Known::Real(f64::from(value)))
            }
            Precision::F64 => float_binary(op, a, b).map(Known::Real),
        },
        (Known::Int(a), Known::Int(b)) => match op {
            BinaryOp::Add => Some(Known::Int(a.wrapping_add(b))),
            BinaryOp::Subtract => Some(Known::Int(a.wrapping_sub(b))),
            BinaryOp::Multiply => Some(Known::Int(a.wrapping_mul(b))),
            BinaryOp::Min => Some(Known::Int(a.min(b))),
            BinaryOp::Max => Some(Known::Int(a.max(b))),
            BinaryOp::Divide | BinaryOp::Remainder | BinaryOp::And | BinaryOp::Or => None,
        },
        // The logic of constants is an identity.
        _ => None,
    }
}

macro_rules! float_binary {
    ($name:ident, $ty:ty) => {
        fn $name(op: BinaryOp, a: $ty, b: $ty) -> Option<$ty> {
            match op {
                BinaryOp::Add => Some(a + b),
                BinaryOp::Subtract => Some(a - b),
                BinaryOp::Multiply => Some(a * b),
                BinaryOp::Divide => Some(a / b),
                BinaryOp::Remainder => Some(a % b),
                BinaryOp::Min => Some(if b < a { b } else { a }),
                BinaryOp::Max => Some(if b > a { b } else { a }),
                BinaryOp::And | BinaryOp::Or => None,
            }
        }
    };
}
float_binary!(float_binary, f64);
float_binary!(float_binary_f32, f32);

fn compare(op: Comparison, a: Known, b: Known) -> Option<bool> {
    let (less, equal, greater) = match (a, b) {
        (Known::Wide(a), Known::Wide(b)) | (Known::Real(a), Known::Real(b)) => (a < b, a == b, a > b),
        (Known::Int(a), Known::Int(b)) => (a < b, a == b, a > b),
        _ => return None,
    };
    Some(match op {
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::Less => less,
        Comparison::LessEqual => less || equal,
        Comparison::Greater => greater,
        Comparison::GreaterEqual => greater || equal,
    })
}

fn convert(to: Type, a: Known) -> Option<Known> {
    let number = match a {
        // A rounded `Wide` literal is how a real constant is written; it stays.
        Known::Wide(_) if to == Type::Real => return None,
        Known::Wide(value) | Known::Real(value) => value,
        // Beyond 2^24 the rounding of an integer depends on the precision; leave it to the kernel.
        Known::Int(value) if value.unsigned_abs() <= 1 << 24 => value as f64,
        Known::Int(_) => return None,
        Known::Bool(value) => f64::from(u8::from(value)),
    };
    match to {
        Type::Wide => Some(Known::Wide(number)),
        Type::Real => Some(Known::Real(number)),
        Type::Bool => Some(Known::Bool(number != 0.0)),
        Type::Int => match a {
            Known::Bool(value) => Some(Known::Int(i64::from(value))),
            Known::Int(_) | Known::Wide(_) | Known::Real(_) => None,
        },
    }
}

fn write_constant(graph: &mut Graph, value: Known, span: Span) -> Option<ExprId> {
    let shape = Shape::of(Domain::Global);
    match value {
        Known::Wide(number) | Known::Real(number) if number.is_nan() => None,
        Known::Wide(number) => {
            Some(graph.add(Expr { kind: ExprKind::Number(number), ty: Type::Wide, shape }, span))
        }
        Known::Real(number) => Some(graph.real(number, span)),
        Known::Int(number) => {
            Some(graph.add(Expr { kind: ExprKind::Integer(number), ty: Type::Int, shape }, span))
        }
        Known::Bool(holds) => {
            Some(graph.add(Expr { kind: ExprKind::Boolean(holds), ty: Type::Bool, shape }, span))
        }
    }
}
