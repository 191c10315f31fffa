//! What expressions were some steps ago.
//!
//! In: at each `past` of the text, in each step, the value of its body. Out: the value of a given number of steps ago, or
//! the one at creation, without spikes, where there were not so many steps. Equal expressions at two places of the text
//! have a history each: a statement between them may have changed what they read. This needs blocks that run in every
//! step; others are refused.

use super::evaluate::Values;
use super::{BETWEEN, Occasion, Refusal, RuleMachine};
use crate::interp::scalar::Scalar;
use crate::ir::*;
use crate::math::Real;
use std::collections::VecDeque;

/// The values that one place has seen.
#[derive(Clone, Debug)]
pub(super) struct History<R> {
    creation: Values<R>,
    /// This step's first.
    recent: VecDeque<Values<R>>,
}

impl<R: Real> RuleMachine<R> {
    /// Fills the histories with the values at creation, by a walk over the blocks of a step that writes nothing.
    pub(super) fn remember_creation(&mut self, rule: &Rule) {
        if !has_past(rule, rule.exprs.handles()) {
            return;
        }
        self.place = 0;
        for block in [&rule.update, &rule.modulate, &rule.apply, &rule.constrain] {
            self.walk(block);
        }
    }

    fn walk(&mut self, block: &[Statement]) {
        for statement in block {
            self.place += 1;
            match statement {
                Statement::Let { local, value, .. } => self.bind(*local, *value, BETWEEN),
                Statement::Assign { value, .. } => {
                    self.evaluate(*value, BETWEEN);
                }
                Statement::If { then, otherwise, .. } => {
                    self.walk(then);
                    self.walk(otherwise);
                }
            }
        }
    }

    /// `let local = value;`
    pub(super) fn bind(&mut self, local: LocalId, value: ExprId, occasion: Occasion) {
        let values = self.evaluate(value, occasion);
        let shape = self.rule.exprs[value].shape;
        self.locals[local.index()] = Some(self.widen(&values, shape, self.rule.locals[local].shape));
    }

    /// The values of the `past` `id` in this step. `delay` gives its delay in ms at an element, `longest` is the upper
    /// end.
    pub(super) fn past(
        &self,
        id: ExprId,
        body: (&[Scalar<R>], Shape),
        delay: &dyn Fn(usize, usize) -> Scalar<R>,
        longest: f64,
    ) -> Values<R> {
        let shape = self.rule.exprs[id].shape;
        let mut histories = self.histories.borrow_mut();
        let history = histories
            .entry((self.place, id))
            .or_insert_with(|| History { creation: body.0.to_vec(), recent: VecDeque::new() });
        if self.created {
            history.recent.push_front(body.0.to_vec());
            history.recent.truncate(self.steps_of(Scalar::Wide(longest)).saturating_add(1));
        }
        let place = self.space.at(shape);
        let size = self.space.size(place);
        let at = |index: usize| {
            let (batch, element) = (index / size, index % size);
            let ago = self.steps_of(delay(batch, element)).min(self.steps_of(Scalar::Wide(longest)));
            let values = history.recent.get(ago).unwrap_or(&history.creation);
            self.read_at(values, body.1, place, batch, element)
        };
        (0..self.count(shape)).map(at).collect()
    }

    /// round(d / dt), at least 0, in the precision of the delay.
    fn steps_of(&self, delay: Scalar<R>) -> usize {
        let steps = match delay {
            Scalar::Real(delay) => delay.div(R::from_f64(self.dt)).nearest().to_f64(),
            Scalar::Wide(_) | Scalar::Int(_) | Scalar::Bool(_) => {
                (delay.to_host() / self.dt).round_ties_even()
            }
        };
        // The conversion saturates, and a NaN is 0.
        steps as usize
    }
}

/// Refuses `past` where a block does not run in every step.
pub(super) fn supported(rule: &Rule) -> Result<(), Refusal> {
    let mut blocks: Vec<&Block> = vec![&rule.create];
    blocks.extend(rule.calls.iter().map(|call| &call.body));
    blocks.extend(rule.schedules.iter().map(|schedule| &schedule.body));
    if rule.apply_when != When::EveryStep {
        blocks.extend([&rule.modulate, &rule.apply, &rule.constrain]);
    }
    let mut values =
        rule.variables.iter().flat_map(|(_, variable)| variable.init.clone()).collect::<Vec<_>>();
    blocks.into_iter().for_each(|block| values_of(block, &mut values));
    if has_past(rule, operands::reachable(&rule.exprs, values)) {
        return Err(Refusal::Unsupported("`past` in a block that does not run in every step"));
    }
    // Constrain also runs after calls, schedules and creation, where a place has no step of its own.
    let mut values = Vec::new();
    values_of(&rule.constrain, &mut values);
    if has_past(rule, operands::reachable(&rule.exprs, values)) {
        return Err(Refusal::Unsupported("`past` in constrain"));
    }
    Ok(())
}

fn values_of(block: &Block, values: &mut Vec<ExprId>) {
    for statement in block {
        match statement {
            Statement::Let { value, .. } | Statement::Assign { value, .. } => values.push(*value),
            Statement::If { then, otherwise, .. } => {
                values_of(then, values);
                values_of(otherwise, values);
            }
        }
    }
}

fn has_past(rule: &Rule, ids: impl IntoIterator<Item = ExprId>) -> bool {
    ids.into_iter().any(|id| matches!(rule.exprs[id].kind, ExprKind::Past { .. }))
}
