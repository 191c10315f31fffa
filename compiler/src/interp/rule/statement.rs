//! Statements and stages.
//!
//! In: the machine and a block. Out: its effect on the variables. A statement computes the values of all its elements
//! before it writes any; conditions have been bound by a `let` before their block.

use super::evaluate::Values;
use super::topology::At;
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
    fn holds(&self, machine: &RuleMachine<R>, at: At, batch: usize, element: usize) -> bool {
        let own = machine.read_at(self.values, self.shape, at, batch, element).holds() != self.inverted;
        own && self.outer.is_none_or(|outer| outer.holds(machine, at, batch, element))
    }

    fn batched(&self) -> bool {
        self.shape.batched || self.outer.is_some_and(Mask::batched)
    }

    fn pair(&self) -> bool {
        self.shape.differs_by_pair() || self.outer.is_some_and(Mask::pair)
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
        let at = self.space.at(to);
        let size = self.space.size(at);
        let batches = if to.batched { self.batch } else { 1 };
        let places = (0..batches).flat_map(|batch| (0..size).map(move |element| (batch, element)));
        places.map(|(batch, element)| self.read_at(values, from, at, batch, element)).collect()
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
        let own = self.rule.exprs[value].shape;
        let batched = (own.batched || mask.is_some_and(Mask::batched)) && !target.batched && self.batch > 1;
        let pair = own.differs_by_pair() || mask.is_some_and(Mask::pair);
        let pairs = pair && target.domain == Domain::Synapse && self.space.shares();
        if batched || pairs {
            return self.increment_over((variable, place, op, value), batched, pairs, mask, occasion);
        }
        let values = self.evaluate(value, occasion);
        let values = self.widen(&values, self.rule.exprs[value].shape, target);
        let at = self.space.at(target);
        let size = self.space.size(at);
        let length = self.rule.variables[variable].elements() as usize;
        let mut written_any = false;
        for (index, value) in values.into_iter().enumerate() {
            let (batch, element) = (index / size, index % size);
            if mask.is_none_or(|mask| mask.holds(self, at, batch, element)) {
                let slot = &mut self.variables[variable.index()][index * length + place as usize];
                *slot = written(*slot, op, value);
                written_any = true;
            }
        }
        written_any
    }

    /// An increment that is combined over the pairs of a shared synapse, the batch, or both. The target's old value takes
    /// part once.
    fn increment_over(
        &mut self,
        (variable, place, op, value): (VarId, u32, AssignOp, ExprId),
        batched: bool,
        pairs: bool,
        mask: Option<&Mask<'_, R>>,
        occasion: Occasion,
    ) -> bool {
        let shape = self.rule.variables[variable].shape;
        let target = self.space.at(shape);
        let allowed = |at: At, batch: usize, element: usize| {
            mask.is_none_or(|mask| mask.holds(self, at, batch, element))
        };
        let inner = if pairs { At::Pair } else { target };
        let size = self.space.size(inner);
        let places = || (0..self.batch).flat_map(|batch| (0..size).map(move |element| (batch, element)));
        let written_any = places().any(|(batch, element)| allowed(inner, batch, element));
        let sums = self.over_more(value, (target, shape.batched), batched, pairs, occasion, &allowed);
        let length = self.rule.variables[variable].elements() as usize;
        for (element, sum) in sums.into_iter().enumerate() {
            let sum = match self.rule.batch {
                Some(BatchReduction::Mean) if batched => mean(sum, self.batch),
                Some(BatchReduction::Mean | BatchReduction::Sum) | None => sum,
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
