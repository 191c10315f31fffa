//! What the shapes of a rule mean on a kind of topology.
//!
//! In: a finished, integrated rule, whose shapes `check` has worked out for a convolution with shared weights, the case that
//! tells most places apart. Out: the same rule with the shapes of the topology. Where nothing is shared a synapse belongs to
//! one postsynaptic neuron, so a sum over its synapses is one per neuron, not one per channel. On a convolution, refuses
//! what would need a value for each use of a synapse.

use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::build::reduced;
use crate::ir::*;
use crate::topology::Kind;

/// The rule for a kind of topology.
///
/// # Errors
/// The statements that the topology cannot carry out.
pub fn specialise(rule: Rule, kind: Kind) -> Result<Rule, Diagnostics> {
    let rule = if kind == Kind::Local2d { unshared(rule) } else { rule };
    let mut check = Check { rule: &rule, diagnostics: Diagnostics::new() };
    match kind {
        Kind::Dense | Kind::OneToOne | Kind::Sparse => {}
        Kind::Conv2d => {
            check.initial();
            check.all(|check, block, update| check.pairs(block, update, false));
        }
        Kind::Local2d => check.all(|check, block, _| check.channels(block, Shape::of(Domain::Global))),
    }
    let Check { diagnostics, .. } = check;
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(rule) }
}

/// Shapes without shared weights: no pairs, and sums over synapses belong to neurons.
fn unshared(mut rule: Rule) -> Rule {
    loop {
        let mut changed = false;
        let ids: Vec<ExprId> = rule.exprs.handles().collect();
        for id in ids {
            let (kind, shape) = respecified(&rule, id);
            let expr = &mut rule.exprs[id];
            if expr.shape != shape || expr.kind != kind {
                (expr.kind, expr.shape) = (kind, shape);
                changed = true;
            }
        }
        changed |= locals(&mut rule);
        if !changed {
            return rule;
        }
    }
}

/// An expression's kind and shape, from its operands'.
fn respecified(rule: &Rule, id: ExprId) -> (ExprKind, Shape) {
    let Expr { kind, shape, .. } = &rule.exprs[id];
    let shape = Shape { pair: false, ..*shape };
    let of = |id: &ExprId| Shape { pair: false, ..rule.exprs[*id].shape };
    match kind {
        ExprKind::Reduce { op, over, body } => {
            let body_shape = of(body);
            let over = match (over, body_shape.domain) {
                (Over::PreChannel, Domain::Pre) => Over::Pre,
                (Over::PostChannel, Domain::Post) => Over::Post,
                (over, _) => *over,
            };
            let domain = match (over, body_shape.domain) {
                (Over::Pre, Domain::Synapse) => Domain::Post,
                (Over::Post, Domain::Synapse) => Domain::Pre,
                (over, _) => reduced(body_shape, over).map_or(shape.domain, |reduced| reduced.domain),
            };
            (ExprKind::Reduce { op: *op, over, body: *body }, Shape { domain, ..shape })
        }
        ExprKind::Local(local) => (kind.clone(), Shape { pair: false, ..rule.locals[*local].shape }),
        ExprKind::Load { variable, .. } => (kind.clone(), rule.variables[*variable].shape),
        ExprKind::Number(_) | ExprKind::Integer(_) | ExprKind::Boolean(_) | ExprKind::Builtin(_) => {
            (kind.clone(), shape)
        }
        ExprKind::Draw { .. }
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Select(..)
        | ExprKind::Gate(..)
        | ExprKind::Math(..)
        | ExprKind::Exponential { .. }
        | ExprKind::Convert(_)
        | ExprKind::Scan { .. }
        | ExprKind::Widen(_)
        | ExprKind::Past { .. } => {
            let joined = kind.operands().iter().fold(shape, |shape, id| shape.join(of(id)));
            (kind.clone(), Shape { pair: false, ..joined })
        }
    }
}

/// Gives every `let` the shape of its value, where that has become narrower.
fn locals(rule: &mut Rule) -> bool {
    fn walk(rule: &mut Rule, block: &[Statement]) -> bool {
        let mut changed = false;
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    let value = rule.exprs[*value].shape;
                    let own = &mut rule.locals[*local].shape;
                    let wanted = Shape { pair: false, ..own.join(value) };
                    changed |= *own != wanted;
                    *own = wanted;
                }
                Statement::Assign { .. } => {}
                Statement::If { then, otherwise, .. } => {
                    changed |= walk(rule, then);
                    changed |= walk(rule, otherwise);
                }
            }
        }
        changed
    }
    let blocks: Vec<Block> = blocks(rule).into_iter().map(|(block, _)| block.clone()).collect();
    blocks.iter().fold(false, |changed, block| walk(rule, block) | changed)
}

/// All blocks, and whether each is `update`.
fn blocks(rule: &Rule) -> Vec<(&Block, bool)> {
    let fixed = [&rule.create, &rule.modulate, &rule.apply, &rule.constrain];
    let named = rule.calls.iter().map(|call| &call.body);
    let timed = rule.schedules.iter().map(|schedule| &schedule.body);
    let others = fixed.into_iter().chain(named).chain(timed).map(|block| (block, false));
    std::iter::once((&rule.update, true)).chain(others).collect()
}

struct Check<'a> {
    rule: &'a Rule,
    diagnostics: Diagnostics,
}

impl Check<'_> {
    fn all(&mut self, look: impl Fn(&mut Self, &[Statement], bool)) {
        for (block, update) in blocks(self.rule) {
            look(self, block, update);
        }
    }

    fn initial(&mut self) {
        for (_, variable) in self.rule.variables.iter() {
            for init in &variable.init {
                let shape = self.rule.exprs[*init].shape;
                if variable.shape.domain == Domain::Synapse && shape.differs_by_pair() {
                    self.refuse_pair(&variable.address(), self.rule.expr_spans[init.index()]);
                }
            }
        }
    }

    /// Refuses values of pairs where a synapse has one value, but for increments in `update`.
    fn pairs(&mut self, block: &[Statement], update: bool, around: bool) {
        for statement in block {
            match statement {
                Statement::Let { .. } => {}
                Statement::Assign { variable, op, value, span, .. } => {
                    let target = &self.rule.variables[*variable];
                    let value = self.rule.exprs[*value].shape;
                    let pair = around || value.differs_by_pair();
                    let increment = *op != AssignOp::Set && update;
                    if target.shape.domain == Domain::Synapse && pair && !increment {
                        self.refuse_pair(&target.address(), *span);
                    }
                }
                Statement::If { condition, then, otherwise, .. } => {
                    let around = around || self.rule.exprs[*condition].shape.differs_by_pair();
                    self.pairs(then, update, around);
                    self.pairs(otherwise, update, around);
                }
            }
        }
    }

    fn refuse_pair(&mut self, name: &str, span: crate::source::Span) {
        let message = format!(
            "on a convolution `{name}` is shared by all positions, and this value differs from position to position"
        );
        let help = format!("reduce it, as in `sum[position](…)`, or add it up in `update`: `{name} += …`");
        self.diagnostics.push(Diagnostic::new(code::NOT_ON_TOPOLOGY, span, message).help(help));
    }

    /// Refuses values of neurons where a channel has one value.
    fn channels(&mut self, block: &[Statement], around: Shape) {
        for statement in block {
            match statement {
                Statement::Let { .. } => {}
                Statement::Assign { variable, value, span, .. } => {
                    let target = &self.rule.variables[*variable];
                    let from = self.rule.exprs[*value].shape.join(around).domain;
                    if !from.broadcasts_to(target.shape.domain) {
                        let (name, word) = (target.address(), target.shape.domain.word());
                        let message = format!(
                            "`{name}` is one per {word}, and without shared weights this value is one per {}",
                            from.word()
                        );
                        let help = "declare it in `pre` or `post`, or average over `[position]`";
                        let diagnostic = Diagnostic::new(code::NOT_ON_TOPOLOGY, *span, message);
                        self.diagnostics.push(diagnostic.help(help));
                    }
                }
                Statement::If { condition, then, otherwise, .. } => {
                    let shape = self.rule.exprs[*condition].shape.join(around);
                    self.channels(then, shape);
                    self.channels(otherwise, shape);
                }
            }
        }
    }
}
