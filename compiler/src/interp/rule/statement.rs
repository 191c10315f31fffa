//! Statements and stages.
//!
//! In: the machine and a block. Out: its effect on the variables. A statement computes the values of all its elements
//! before it writes any; conditions have been bound by a `let` before their block.

use super::evaluate::Values;
use super::{Occasion, RuleMachine};
use crate::interp::scalar::Scalar;
use crate::ir::*;
use crate::math::Real;

/// Where the conditions around a statement hold.
struct Mask<'m, R> {
    outer: Option<&'m Mask<'m, R>>,
    values: &'m [Scalar<R>],
    shape: Shape,
    /// Whether this is the `else`.
    inverted: bool,
}

impl<R: Real> Mask<'_, R> {
    fn holds(&self, machine: &RuleMachine<R>, at: Domain, batch: usize, element: usize) -> bool {
        let own = machine.read_at(self.values, self.shape, at, batch, element).holds() != self.inverted;
        own && self.outer.is_none_or(|outer| outer.holds(machine, at, batch, element))
    }

    fn batched(&self) -> bool {
        self.shape.batched || self.outer.is_some_and(Mask::batched)
    }
}

impl<R: Real> RuleMachine<R> {
    pub(super) fn run_block(&mut self, block: &[Statement], occasion: Occasion) {
        self.run_masked(block, None, occasion);
    }

    /// The depth of the recursion is that of the blocks in the text, which the parser limits.
    fn run_masked(&mut self, block: &[Statement], mask: Option<&Mask<'_, R>>, occasion: Occasion) {
        for statement in block {
            self.place += 1;
            match statement {
                Statement::Let { local, value, .. } => {
                    self.bind(*local, *value, occasion);
                }
                Statement::Assign { variable, element, op, value, span } => {
                    if self.assign(*variable, *element, *op, *value, mask, occasion) {
                        self.ran.insert((*span, *variable, *element, *op as u8));
                    }
                }
                Statement::If { condition, then, otherwise, .. } => {
                    let values = self.evaluate(*condition, occasion);
                    let shape = self.rule.exprs[*condition].shape;
                    let inside = Mask { outer: mask, values: &values, shape, inverted: false };
                    self.run_masked(then, Some(&inside), occasion);
                    let outside = Mask { inverted: true, ..inside };
                    self.run_masked(otherwise, Some(&outside), occasion);
                }
            }
        }
    }

    /// The values of a shape in a narrower one.
    pub(super) fn widen(&self, values: &[Scalar<R>], from: Shape, to: Shape) -> Values<R> {
        let size = self.space.size(to.domain);
        let batches = if to.batched { self.batch } else { 1 };
        let places = (0..batches).flat_map(|batch| (0..size).map(move |element| (batch, element)));
        places.map(|(batch, element)| self.read_at(values, from, to.domain, batch, element)).collect()
    }

    /// Whether anything was written.
    fn assign(
        &mut self,
        variable: VarId,
        place: u32,
        op: AssignOp,
        value: ExprId,
        mask: Option<&Mask<'_, R>>,
        occasion: Occasion,
    ) -> bool {
        let target = self.rule.variables[variable].shape;
        let batched = self.rule.exprs[value].shape.batched || mask.is_some_and(Mask::batched);
        if batched && !target.batched && self.batch > 1 {
            return self.increment_over_batch(variable, place, op, value, mask, occasion);
        }
        let values = self.evaluate(value, occasion);
        let values = self.widen(&values, self.rule.exprs[value].shape, target);
        let size = self.space.size(target.domain);
        let length = self.rule.variables[variable].elements() as usize;
        let mut written_any = false;
        for (index, value) in values.into_iter().enumerate() {
            let (batch, element) = (index / size, index % size);
            if mask.is_none_or(|mask| mask.holds(self, target.domain, batch, element)) {
                let slot = &mut self.variables[variable.index()][index * length + place as usize];
                *slot = written(*slot, op, value);
                written_any = true;
            }
        }
        written_any
    }

    /// An increment that is combined over the batch. The target's old value takes part once.
    fn increment_over_batch(
        &mut self,
        variable: VarId,
        place: u32,
        op: AssignOp,
        value: ExprId,
        mask: Option<&Mask<'_, R>>,
        occasion: Occasion,
    ) -> bool {
        let domain = self.rule.variables[variable].shape.domain;
        let allowed = |batch, element| mask.is_none_or(|mask| mask.holds(self, domain, batch, element));
        let size = self.space.size(domain);
        let places = || (0..self.batch).flat_map(|batch| (0..size).map(move |element| (batch, element)));
        let written_any = places().any(|(batch, element)| allowed(batch, element));
        let sums = self.over_batch(value, domain, occasion, &allowed);
        let length = self.rule.variables[variable].elements() as usize;
        for (element, sum) in sums.into_iter().enumerate() {
            let sum = match self.rule.batch {
                Some(BatchReduction::Mean) => mean(sum, self.batch),
                Some(BatchReduction::Sum) | None => sum,
            };
            let slot = &mut self.variables[variable.index()][element * length + place as usize];
            *slot = written(*slot, op, sum);
        }
        written_any
    }
}

/// The mean of a whole number is rounded to the nearest, halves to even.
fn mean<R: Real>(sum: Scalar<R>, batch: usize) -> Scalar<R> {
    match sum {
        Scalar::Real(sum) => Scalar::Real(sum.div(R::from_i64(batch as i64))),
        Scalar::Wide(_) | Scalar::Int(_) | Scalar::Bool(_) => {
            Scalar::from_host(sum.to_host() / batch as f64, sum.ty())
        }
    }
}

fn written<R: Real>(old: Scalar<R>, op: AssignOp, value: Scalar<R>) -> Scalar<R> {
    match op {
        AssignOp::Set => value,
        AssignOp::Add => old.binary(BinaryOp::Add, value),
        AssignOp::Subtract => old.binary(BinaryOp::Subtract, value),
    }
}
