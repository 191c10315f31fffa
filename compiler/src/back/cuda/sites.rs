//! Where a kernel touches what it writes, and which loops threads can share.

use std::collections::HashSet;

use super::index::{Digits, Facts, Key, Unique};
use crate::kernel::*;

/// An access to a buffer that the kernel writes.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub buffer: BufferId,
    /// A tile product has none.
    pub index: Option<ValueId>,
    pub is_store: bool,
    /// The loops and branches around it, outermost first.
    pub path: Vec<Step>,
}

/// A place on the way to an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A loop or reduction, by its index.
    Loop(ValueId),
    /// A side of a branch, by the branch's condition and place.
    Arm(usize, bool),
}

/// All accesses inside the loop over blocks.
pub(super) fn accesses(facts: &Facts<'_>, body: &[Stmt]) -> Vec<Access> {
    let mut walk = Walk { facts, path: Vec::new(), branches: 0, found: Vec::new() };
    walk.block(body);
    walk.found
}

struct Walk<'a> {
    facts: &'a Facts<'a>,
    path: Vec<Step>,
    branches: usize,
    found: Vec<Access>,
}

impl Walk<'_> {
    fn add(&mut self, buffer: BufferId, index: Option<ValueId>, is_store: bool) {
        if self.facts.info.is_written(buffer) {
            self.found.push(Access { buffer, index, is_store, path: self.path.clone() });
        }
    }

    fn inside(&mut self, step: Step, block: &[Stmt]) {
        self.path.push(step);
        self.block(block);
        self.path.pop();
    }

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            match stmt {
                Stmt::Let(value) => {
                    if let Op::Load(buffer, index) = self.facts.op(*value) {
                        self.add(*buffer, Some(*index), false);
                    }
                }
                Stmt::Store { buffer, index, .. } => self.add(*buffer, Some(*index), true),
                Stmt::If { then, otherwise, .. } => {
                    let branch = self.branches;
                    self.branches += 1;
                    self.inside(Step::Arm(branch, true), then);
                    self.inside(Step::Arm(branch, false), otherwise);
                }
                Stmt::For(each) => self.inside(Step::Loop(each.index), &each.body),
                Stmt::Reduce(reduce) => self.inside(Step::Loop(reduce.index), &reduce.body),
                Stmt::Fill(_) | Stmt::Fetch(_) => crate::ice!("fills and fetches are expanded"),
                Stmt::Tile(tile) => {
                    self.add(tile.left, None, false);
                    self.add(tile.right, None, false);
                    self.add(tile.into, None, true);
                }
            }
        }
    }
}

impl Access {
    /// Whether the access is inside a loop.
    pub(super) fn is_in(&self, index: ValueId) -> bool {
        self.path.contains(&Step::Loop(index))
    }

    /// The outermost of some loops that the access is inside of.
    pub(super) fn outermost(&self, loops: &HashSet<ValueId>) -> Option<ValueId> {
        self.path.iter().find_map(|step| match step {
            Step::Loop(index) if loops.contains(index) => Some(*index),
            Step::Loop(_) | Step::Arm(..) => None,
        })
    }

    /// The loops around both accesses.
    pub(super) fn common_loops(&self, other: &Self) -> impl Iterator<Item = ValueId> {
        let common = self.path.iter().zip(&other.path).take_while(|(a, b)| a == b);
        common.filter_map(|(step, _)| match step {
            Step::Loop(index) => Some(*index),
            Step::Arm(..) => None,
        })
    }

    /// Whether no iteration of the loops around both carries out both.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        let differ = self.path.iter().zip(&other.path).find(|(a, b)| a != b);
        matches!(differ, Some((Step::Arm(a, _), Step::Arm(b, _))) if a == b)
    }
}

/// Whether different iterations of a loop touch different elements of everything that is written in it.
pub(super) fn is_independent(facts: &Facts<'_>, all: &[Access], index: ValueId) -> bool {
    let written: HashSet<BufferId> = all
        .iter()
        .filter(|access| access.is_in(index) && access.is_store)
        .map(|access| access.buffer)
        .collect();
    written.iter().all(|&buffer| {
        let inside: Vec<&Access> =
            all.iter().filter(|access| access.buffer == buffer && access.is_in(index)).collect();
        share_digit(facts, &inside, |_, digit| facts.unique(digit, index))
    })
}

/// Whether all accesses have the same radices and, in one place, digits that `unique` finds to be the same.
pub(super) fn share_digit(
    facts: &Facts<'_>,
    accesses: &[&Access],
    unique: impl Fn(&Access, ValueId) -> Option<Unique>,
) -> bool {
    let digits: Option<Vec<Digits>> =
        accesses.iter().map(|access| access.index.map(|index| facts.digits(index))).collect();
    let Some(digits) = digits else { return false };
    let Some(first) = digits.first() else { return true };
    if digits.iter().any(|other| other.radices != first.radices) {
        return false;
    }
    (0..first.digits.len()).any(|place| {
        let found: Option<Vec<Unique>> = accesses
            .iter()
            .zip(&digits)
            .map(|(access, digits)| unique(access, digits.digits[place]))
            .collect();
        found.is_some_and(|found| found.windows(2).all(|pair| pair[0] == pair[1]))
    })
}

/// The range of a loop, by what its bounds are.
pub(super) fn range_of(facts: &Facts<'_>, index: ValueId) -> Option<(Key, Key)> {
    let each = facts.loop_of(index)?;
    Some((facts.key(each.start?), facts.key(each.end?)))
}
