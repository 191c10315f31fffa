//! Keeping equal states once.
//!
//! Two rules that share a time constant often keep the same trace. Where two states have equal signatures
//! (`signature`), and every read of the second happens after as many writes of it as the first has had there, no read
//! can tell them apart: the first takes the place of both.

use super::append::rebuild;
use super::signature::{Signature, Signatures};
use crate::ir::{Block, ExprKind, Rule, Statement, VarId, VarKind};

/// How many rounds may follow each other: a state that reads another one can be equal only once those are one.
const MOST_ROUNDS: usize = 16;
/// How many states of one signature are tried as the one that remains.
const MOST_TRIES: usize = 4;

/// Merges states until none are equal.
pub(super) fn merge_equal_states(mut rule: Rule) -> Rule {
    for _ in 0..MOST_ROUNDS {
        let pairs = equal_states(&rule);
        if pairs.is_empty() {
            break;
        }
        rule = keep_once(rule, &pairs);
    }
    rule
}

/// Pairs of a state that remains and a later one that goes.
fn equal_states(rule: &Rule) -> Vec<(VarId, VarId)> {
    let states = rule.variables.iter().filter(|(_, variable)| variable.kind == VarKind::State);
    let states: Vec<VarId> = states.map(|(id, _)| id).collect();
    if states.len() < 2 {
        return Vec::new();
    }
    let mut signatures = Signatures::new(rule);
    let mut groups: Vec<(Signature, Vec<VarId>)> = Vec::new();
    let mut pairs = Vec::new();
    for state in states {
        let Some(signature) = signatures.of(state) else { continue };
        let Some((_, group)) = groups.iter_mut().find(|(known, _)| *known == signature) else {
            groups.push((signature, vec![state]));
            continue;
        };
        match group.iter().find(|&&kept| read_alike(rule, kept, state)) {
            Some(&kept) => pairs.push((kept, state)),
            None if group.len() < MOST_TRIES => group.push(state),
            None => {}
        }
    }
    pairs
}

/// Whether every read of `gone` sees what `kept` is at that place of the text.
fn read_alike(rule: &Rule, kept: VarId, gone: VarId) -> bool {
    // Whether an expression reads `gone`, by its index; operands come first. A local was read where it was bound.
    let mut reads = vec![false; rule.exprs.len()];
    for (id, expr) in rule.exprs.iter() {
        reads[id.index()] = match &expr.kind {
            ExprKind::Load { variable, .. } => *variable == gone,
            kind => kind.operands().iter().any(|operand| reads[operand.index()]),
        };
    }
    rule.blocks().all(|block| Reading { kept, gone, reads: &reads, writes: (0, 0) }.block(block))
}

/// A walk through one block that counts how often each state has been written.
struct Reading<'a> {
    kept: VarId,
    gone: VarId,
    reads: &'a [bool],
    writes: (u32, u32),
}

impl Reading<'_> {
    fn block(&mut self, block: &Block) -> bool {
        block.iter().all(|statement| match statement {
            Statement::Let { value, .. } => self.reads_alike(*value),
            Statement::Assign { variable, value, .. } => {
                // The statements that write `gone` disappear, and what they read with them.
                let alike = *variable == self.gone || self.reads_alike(*value);
                self.writes.0 += u32::from(*variable == self.kept);
                self.writes.1 += u32::from(*variable == self.gone);
                alike
            }
            Statement::If { then, otherwise, .. } => self.block(then) && self.block(otherwise),
        })
    }

    fn reads_alike(&self, value: crate::ir::ExprId) -> bool {
        !self.reads[value.index()] || self.writes.0 == self.writes.1
    }
}

/// Drops the second state of every pair, with its equations and the statements that write it.
fn keep_once(mut rule: Rule, pairs: &[(VarId, VarId)]) -> Rule {
    let mut stands_for: Vec<VarId> = rule.variables.handles().collect();
    for &(kept, gone) in pairs {
        stands_for[gone.index()] = kept;
        rule.aliases.push((rule.variables[gone].address(), kept));
    }
    let remains = |id: VarId| stands_for[id.index()] == id;
    rule.equations.retain(|equation| remains(equation.variable));
    let stages =
        [&mut rule.create, &mut rule.update, &mut rule.modulate, &mut rule.apply, &mut rule.constrain];
    let calls = rule.calls.iter_mut().map(|call| &mut call.body);
    let schedules = rule.schedules.iter_mut().map(|schedule| &mut schedule.body);
    for block in stages.into_iter().chain(calls).chain(schedules) {
        drop_writes(block, &remains);
    }
    let order: Vec<VarId> = rule.variables.handles().filter(|&id| remains(id)).collect();
    rebuild(&rule, &order, &stands_for)
}

/// Removes the writes of what does not remain, and every `if` that governed nothing else. A condition that is left
/// without an `if` is dead and harmless.
fn drop_writes(block: &mut Block, remains: &dyn Fn(VarId) -> bool) {
    block.retain_mut(|statement| match statement {
        Statement::Let { .. } => true,
        Statement::Assign { variable, .. } => remains(*variable),
        Statement::If { then, otherwise, .. } => {
            let before = then.len() + otherwise.len();
            drop_writes(then, remains);
            drop_writes(otherwise, remains);
            before == 0 || !(then.is_empty() && otherwise.is_empty())
        }
    });
}
