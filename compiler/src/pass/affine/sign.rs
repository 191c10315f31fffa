//! Signs: what is known of the sign of a value in all steps.
//!
//! A saturating variable may be clipped once for many steps only where all of its changes have one sign. Which one need
//! not be known: a parameter whose sign is open is a factor of the sign, and two terms with the same factors agree.

use std::collections::{BTreeSet, HashMap};

use super::form::Spot;
use crate::flow::{Flow, Graph};
use crate::ir::{
    BinaryOp, Builtin, Distribution, Domain, ExprId, ExprKind, MathFn, ReduceOp, Rule, Type, UnaryOp, VarId,
    VarKind, operands,
};

/// A sign: plus or minus, times the signs of values that stay as they are between two spikes of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sign {
    negative: bool,
    fixed: BTreeSet<Factor>,
}

/// A value whose sign is not known, but stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Factor {
    /// Of parameters.
    Parameters(ExprId),
    /// Of the presynaptic neuron.
    Pre(Spot),
}

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is 0.
    Zero,
    /// It is 0 or has this sign.
    One(Sign),
    /// Nothing.
    Open,
}

impl Known {
    /// 0 or more.
    pub(super) const fn positive() -> Self {
        Known::One(Sign { negative: false, fixed: BTreeSet::new() })
    }

    /// Whether it is never negative.
    pub(super) fn is_positive(&self) -> bool {
        match self {
            Known::Zero => true,
            Known::One(sign) => *sign == Sign::default(),
            Known::Open => false,
        }
    }

    fn flipped(self) -> Self {
        match self {
            Known::One(sign) => Known::One(Sign { negative: !sign.negative, ..sign }),
            other => other,
        }
    }

    /// The sign of a sum, or of one of two.
    pub(super) fn either(self, other: Known) -> Self {
        match (self, other) {
            (Known::Zero, known) | (known, Known::Zero) => known,
            (Known::One(a), Known::One(b)) if a == b => Known::One(a),
            _ => Known::Open,
        }
    }

    /// The sign of a product.
    pub(super) fn times(self, other: Known) -> Self {
        match (self, other) {
            (Known::Zero, _) | (_, Known::Zero) => Known::Zero,
            (Known::One(a), Known::One(b)) => Known::One(Sign {
                negative: a.negative != b.negative,
                fixed: a.fixed.symmetric_difference(&b.fixed).copied().collect(),
            }),
            _ => Known::Open,
        }
    }

    /// The sign that a presynaptic value has in a row, whatever it is.
    pub(super) fn of_row(spot: Spot) -> Self {
        Known::One(Sign { negative: false, fixed: BTreeSet::from([Factor::Pre(spot)]) })
    }
}

/// Finds signs of expressions.
pub(super) struct Signs<'a> {
    pub(super) rule: &'a Rule,
    /// States that are never negative.
    pub(super) positive: &'a BTreeSet<VarId>,
}

impl Signs<'_> {
    /// The sign of an expression.
    pub(super) fn of(&self, graph: &Graph, root: ExprId) -> Known {
        let mut known: HashMap<ExprId, Known> = HashMap::new();
        for id in operands::reachable(graph.exprs(), [root]) {
            let sign = self.one(graph, id, &known);
            known.insert(id, sign);
        }
        known[&root].clone()
    }

    fn one(&self, graph: &Graph, id: ExprId, known: &HashMap<ExprId, Known>) -> Known {
        let sign = |operand: &ExprId| known[operand].clone();
        let positive = Known::positive();
        let expr = graph.get(id);
        let found = match &expr.kind {
            ExprKind::Number(value) => of_number(*value),
            ExprKind::Integer(value) => of_number(*value as f64),
            ExprKind::Boolean(value) => {
                if *value {
                    positive
                } else {
                    Known::Zero
                }
            }
            ExprKind::Load { variable, .. } => self.variable(*variable),
            ExprKind::Builtin(builtin) => match builtin {
                Builtin::Dt
                | Builtin::T
                | Builtin::Step
                | Builtin::PreSpike
                | Builtin::PostSpike
                | Builtin::PreIndex
                | Builtin::PostIndex
                | Builtin::PreCount
                | Builtin::PostCount
                | Builtin::BatchCount
                | Builtin::PairCount => positive,
            },
            ExprKind::Unary(op, a) => match op {
                UnaryOp::Negate => sign(a).flipped(),
                UnaryOp::Not | UnaryOp::Abs | UnaryOp::Sqrt => positive,
                UnaryOp::Floor if !sign(a).is_positive() => Known::Open,
                UnaryOp::Floor | UnaryOp::Round => sign(a),
            },
            ExprKind::Binary(op, a, b) => match op {
                BinaryOp::Add => sign(a).either(sign(b)),
                BinaryOp::Subtract => sign(a).either(sign(b).flipped()),
                BinaryOp::Multiply => sign(a).times(sign(b)),
                BinaryOp::Divide => match sign(b) {
                    // 0 / 0 has no sign, and x / 0 that of the zero.
                    Known::Zero => Known::Open,
                    divisor => sign(a).times(divisor),
                },
                BinaryOp::Remainder => sign(a),
                BinaryOp::Max if sign(a).is_positive() || sign(b).is_positive() => positive,
                BinaryOp::Min | BinaryOp::Max => sign(a).either(sign(b)),
                BinaryOp::And | BinaryOp::Or => positive,
            },
            ExprKind::Compare(..) => positive,
            ExprKind::Select(_, a, b) => sign(a).either(sign(b)),
            ExprKind::Gate(_, a) | ExprKind::Convert(a) | ExprKind::Widen(a) => sign(a),
            ExprKind::Math(function, operands) => match function {
                MathFn::Exp | MathFn::Sigmoid => positive,
                MathFn::Tanh | MathFn::Expm1 | MathFn::Log1p => sign(&operands[0]),
                MathFn::Pow if sign(&operands[0]).is_positive() => positive,
                MathFn::Pow | MathFn::Ln | MathFn::Log2 | MathFn::Sin | MathFn::Cos => Known::Open,
            },
            ExprKind::Draw { site, .. } => match self.rule.sites[*site].distribution {
                Distribution::Bernoulli
                | Distribution::LogNormal
                | Distribution::Exponential
                | Distribution::Gamma
                | Distribution::Beta => positive,
                Distribution::Uniform | Distribution::Normal => Known::Open,
            },
            ExprKind::Reduce { op, body, .. } => match op {
                ReduceOp::Sum => sign(body),
                ReduceOp::Count => positive,
                ReduceOp::Min | ReduceOp::Max => Known::Open,
            },
            ExprKind::Scan { body, .. } => sign(body),
            ExprKind::Past { body, initial, .. } => sign(body).either(sign(initial)),
            ExprKind::Exponential { .. } | ExprKind::Local(_) => Known::Open,
        };
        // What only parameters decide keeps its sign, even where that is not known.
        match found {
            Known::Open if expr.ty == Type::Wide => {
                Known::One(Sign { negative: false, fixed: BTreeSet::from([Factor::Parameters(id)]) })
            }
            found => found,
        }
    }

    fn variable(&self, id: VarId) -> Known {
        let variable = &self.rule.variables[id];
        match variable.kind {
            VarKind::Param => match variable.range {
                Some((low, _)) if self.number(low).is_some_and(|low| low >= 0.0) => Known::positive(),
                Some((_, high)) if self.number(high).is_some_and(|high| high <= 0.0) => {
                    Known::positive().flipped()
                }
                _ => Known::Open,
            },
            _ if self.positive.contains(&id) => Known::positive(),
            VarKind::State
            | VarKind::Plastic { .. }
            | VarKind::Proposal { .. }
            | VarKind::Input { .. }
            | VarKind::Output
            | VarKind::Extern => Known::Open,
        }
    }

    /// A bound of a declared range that is a literal.
    fn number(&self, id: ExprId) -> Option<f64> {
        match self.rule.exprs[id].kind {
            ExprKind::Number(value) => Some(value),
            _ => None,
        }
    }
}

fn of_number(value: f64) -> Known {
    if value == 0.0 {
        Known::Zero
    } else if value > 0.0 {
        Known::positive()
    } else if value < 0.0 {
        Known::positive().flipped()
    } else {
        Known::Open
    }
}

/// The states of neurons and of the group that are never negative, whatever the spikes and inputs: those that every
/// occasion gives such a value where all of them have one. `occasions` are the flows of creation, steps, schedules and
/// calls.
pub fn never_negative(rule: &Rule, occasions: &[Flow]) -> BTreeSet<VarId> {
    let is_candidate = |variable: &crate::ir::Variable| {
        variable.kind == VarKind::State && variable.shape.domain != Domain::Synapse
    };
    let mut positive: BTreeSet<VarId> =
        rule.variables.iter().filter(|(_, variable)| is_candidate(variable)).map(|(id, _)| id).collect();
    loop {
        let signs = Signs { rule, positive: &positive };
        let fails = |id: &VarId| {
            let writes = occasions.iter().flat_map(|flow| flow.writes.iter().map(move |write| (flow, write)));
            let mut writes = writes.filter(|(_, write)| write.variable == *id);
            writes.any(|(flow, write)| !signs.of(&flow.graph, write.value).is_positive())
        };
        let failing: Vec<VarId> = positive.iter().copied().filter(fails).collect();
        if failing.is_empty() {
            return positive;
        }
        for id in failing {
            positive.remove(&id);
        }
    }
}
