//! Statements: which sides are late for each, and how blocks with several ways of reading are taken apart.
//!
//! In: blocks. Out: blocks with the same statements in the same order, each under the conditions as it reads them. The
//! depth of the recursion is that of the blocks in the text, which the parser limits.

use super::expression::{Late, Rewriter};
use crate::ir::*;
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// A statement, and which sides are late for it; a `let` is nobody's, and runs whatever the conditions around it.
struct Part {
    late: Option<Late>,
    statement: Statement,
}

impl Rewriter {
    /// Notes how the `let`s of these blocks are read.
    pub(super) fn want(&mut self, blocks: &[&Block]) {
        let mut roots = Vec::new();
        for block in blocks {
            self.roots(block, &mut roots);
        }
        self.want_values(roots);
    }

    fn roots(&self, block: &[Statement], roots: &mut Vec<(ExprId, Late)>) {
        for statement in block {
            match statement {
                Statement::Let { .. } => {}
                Statement::Assign { variable, value, .. } => roots.push((*value, self.late_for(*variable))),
                Statement::If { condition, then, otherwise, .. } => {
                    let mut ways = BTreeSet::new();
                    self.ways_of(then, &mut ways);
                    self.ways_of(otherwise, &mut ways);
                    roots.extend(ways.into_iter().map(|late| (*condition, late)));
                    self.roots(then, roots);
                    self.roots(otherwise, roots);
                }
            }
        }
    }

    fn ways_of(&self, block: &[Statement], ways: &mut BTreeSet<Late>) {
        for statement in block {
            match statement {
                Statement::Let { .. } => {}
                Statement::Assign { variable, .. } => {
                    ways.insert(self.late_for(*variable));
                }
                Statement::If { then, otherwise, .. } => {
                    self.ways_of(then, ways);
                    self.ways_of(otherwise, ways);
                }
            }
        }
    }

    fn late_for(&self, target: VarId) -> Late {
        self.late(self.builder.rule.variables[target].shape.domain)
    }

    /// A block as its statements read it.
    pub(super) fn statements(&mut self, block: &[Statement]) -> Block {
        self.block(block).into_iter().map(|part| part.statement).collect()
    }

    fn block(&mut self, block: &[Statement]) -> Vec<Part> {
        let mut parts = Vec::new();
        for statement in block {
            match statement {
                Statement::Let { local, value, span } => self.bind(*local, *value, *span, &mut parts),
                Statement::Assign { variable, element, op, value, span } => {
                    let late = self.late_for(*variable);
                    let value = self.read(*value, late);
                    let (variable, element, op, span) = (*variable, *element, *op, *span);
                    let statement = Statement::Assign { variable, element, op, value, span };
                    parts.push(Part { late: Some(late), statement });
                }
                Statement::If { condition, then, otherwise, span } => {
                    self.branch(*condition, [then, otherwise], *span, &mut parts);
                }
            }
        }
        parts
    }

    /// A `let`, and beside it a version for each other way in which it is read.
    fn bind(&mut self, local: LocalId, value: ExprId, span: Span, parts: &mut Vec<Part>) {
        parts.push(Part { late: None, statement: Statement::Let { local, value, span } });
        for late in self.ways(local) {
            let value = self.read(value, late);
            if let Some(local) = self.version(local, late, value) {
                parts.push(Part { late: None, statement: Statement::Let { local, value, span } });
            }
        }
    }

    /// A branch: one where all its statements read alike, else one for each run of statements that do, with the `let`s
    /// between them.
    fn branch(&mut self, condition: ExprId, sides: [&Block; 2], span: Span, parts: &mut Vec<Part>) {
        let mut ways = BTreeSet::new();
        sides.iter().for_each(|side| self.ways_of(side, &mut ways));
        // The conditions are bound before the block, which may write what they read.
        let conditions: BTreeMap<Late, ExprId> =
            ways.iter().map(|&late| (late, self.condition(condition, late, span, parts))).collect();
        let [then, otherwise] = sides.map(|side| self.block(side));
        let only = ways.first().copied().filter(|_| ways.len() == 1);
        if let Some(late) = only {
            let [then, otherwise] =
                [then, otherwise].map(|side| side.into_iter().map(|part| part.statement).collect());
            let statement = Statement::If { condition: conditions[&late], then, otherwise, span };
            return parts.push(Part { late: Some(late), statement });
        }
        for (holds, side) in [(true, then), (false, otherwise)] {
            let mut run: Option<(Late, Block)> = None;
            for Part { late, statement } in side {
                if run.as_ref().map(|(late, _)| *late) != late {
                    parts.extend(run.take().map(|run| guarded(run, holds, &conditions, span)));
                }
                match late {
                    Some(late) => run.get_or_insert_with(|| (late, Block::new())).1.push(statement),
                    None => parts.push(Part { late: None, statement }),
                }
            }
            parts.extend(run.map(|run| guarded(run, holds, &conditions, span)));
        }
    }

    /// The condition as statements read it for which `late` sides are late.
    fn condition(&mut self, condition: ExprId, late: Late, span: Span, parts: &mut Vec<Part>) -> ExprId {
        let value = self.read(condition, late);
        match (self.builder.kind(value), self.builder.kind(condition)) {
            (ExprKind::Local(_), _) => value,
            (_, &ExprKind::Local(of)) => {
                let local = self.declare_local(of, late, value);
                parts.push(Part { late: None, statement: Statement::Let { local, value, span } });
                self.builder.local(local, span)
            }
            _ => crate::ice!("a condition is a `let`"),
        }
    }
}

/// Statements under their condition, or under that it does not hold.
fn guarded((late, run): (Late, Block), holds: bool, conditions: &BTreeMap<Late, ExprId>, span: Span) -> Part {
    let condition = conditions[&late];
    let (then, otherwise) = if holds { (run, Block::new()) } else { (Block::new(), run) };
    Part { late: Some(late), statement: Statement::If { condition, then, otherwise, span } }
}
