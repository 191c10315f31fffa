//! Blocks: locals, targets and the stage table.

use super::{Stage, Validator};
use crate::ir::*;
use std::collections::BTreeSet;

/// The conditions around a statement, joined.
#[derive(Clone, Copy)]
struct Around {
    stage: Stage,
    shape: Shape,
}

/// How a stage may use a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writes {
    Never,
    Increments,
    Any,
}

impl Validator<'_> {
    pub(super) fn blocks(&mut self) {
        let rule = self.rule;
        let mut blocks = vec![
            (Stage::Create, &rule.create),
            (Stage::Update, &rule.update),
            (Stage::Modulate, &rule.modulate),
            (Stage::Apply, &rule.apply),
            (Stage::Constrain, &rule.constrain),
        ];
        blocks.extend(rule.calls.iter().enumerate().map(|(at, call)| (Stage::Call(at), &call.body)));
        blocks
            .extend(rule.schedules.iter().enumerate().map(|(at, every)| (Stage::Schedule(at), &every.body)));
        let mut bound = BTreeSet::new();
        for (stage, block) in blocks {
            let around = Around { stage, shape: Shape::of(Domain::Global) };
            self.block(block, around, &mut BTreeSet::new(), &mut bound);
            self.stage_uses(stage);
        }
    }

    /// `scope` holds the locals that may be read, `bound` all that any block has bound. The depth of the recursion is
    /// that of the blocks in the text, which the parser limits.
    fn block(
        &mut self,
        block: &Block,
        around: Around,
        scope: &mut BTreeSet<LocalId>,
        bound: &mut BTreeSet<LocalId>,
    ) {
        let outside = scope.clone();
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    if self.value(*value, around.stage, scope) {
                        self.bind(*local, *value, bound);
                        scope.insert(*local);
                    }
                }
                Statement::Assign { variable, element, op, value, .. } => {
                    if self.value(*value, around.stage, scope) {
                        self.assign(*variable, *element, *op, *value, around);
                    }
                }
                Statement::If { condition, then, otherwise, .. } => {
                    if !self.value(*condition, around.stage, scope) {
                        continue;
                    }
                    let expr = &self.rule.exprs[*condition];
                    let local = matches!(expr.kind, ExprKind::Local(_)) && expr.ty == Type::Bool;
                    self.check(local, || format!("a condition is {:?}", expr.kind));
                    let inside = Around { shape: around.shape.join(expr.shape), ..around };
                    self.block(then, inside, scope, bound);
                    self.block(otherwise, inside, scope, bound);
                }
            }
        }
        *scope = outside;
    }

    /// Whether a value exists and reads only locals in scope; records what it reads.
    fn value(&mut self, id: ExprId, stage: Stage, scope: &BTreeSet<LocalId>) -> bool {
        if !self.in_range(id) {
            self.error(format!("{id:?} is out of range"));
            return false;
        }
        for node in operands::reachable(&self.rule.exprs, [id]) {
            if let ExprKind::Local(local) = self.rule.exprs[node].kind {
                let name = &self.rule.locals[local].name;
                self.check(scope.contains(&local), || format!("`{name}` is read outside its block"));
            }
        }
        self.access(stage, id);
        true
    }

    fn bind(&mut self, local: LocalId, value: ExprId, bound: &mut BTreeSet<LocalId>) {
        let rule = self.rule;
        let Some(Local { name, ty, shape }) = rule.locals.get(local) else {
            return self.error(format!("{local:?} is out of range"));
        };
        let expr = &rule.exprs[value];
        self.check(bound.insert(local), || format!("`{name}` is bound twice"));
        self.check(expr.ty == *ty, || format!("`{name}` is {ty:?}, its value is {:?}", expr.ty));
        let fits = broadcasts(expr.shape, *shape);
        self.check(fits, || format!("`{name}` lives in {shape:?}, its value in {:?}", expr.shape));
    }

    fn assign(&mut self, variable: VarId, element: u32, op: AssignOp, value: ExprId, around: Around) {
        let rule = self.rule;
        let Some(target) = rule.variables.get(variable) else {
            return self.error(format!("{variable:?} is out of range"));
        };
        let (name, stage) = (target.address(), around.stage);
        let expr = &rule.exprs[value];
        self.check(element < target.elements(), || format!("`{name}[{element}]` is out of range"));
        self.check(expr.ty == target.ty, || {
            format!("`{name}` is {:?}, its value is {:?}", target.ty, expr.ty)
        });
        let increment = op != AssignOp::Set;
        let allowed = match writes(stage, target.kind) {
            // The clip to the declared range, which `compose::finish` writes out.
            Writes::Never => {
                stage == Stage::Constrain && target.kind == VarKind::State && target.range.is_some()
            }
            Writes::Increments => increment,
            Writes::Any => true,
        };
        self.check(allowed, || format!("`{name}` is written ({op:?}) in {stage:?}"));
        let from = around.shape.join(expr.shape);
        let wider = from.domain.broadcasts_to(target.shape.domain);
        self.check(wider, || format!("`{name}` is written with a value of {}", from.domain.word()));
        if from.batched && !target.shape.batched {
            let combines = increment && matches!(target.kind, VarKind::Proposal { .. } | VarKind::State);
            self.check(combines, || format!("`{name}` is shared and written with a batched value"));
            self.info.combines_batch = true;
        }
        let sharing =
            matches!(target.shape.domain, Domain::Synapse | Domain::PreChannel | Domain::PostChannel);
        if from.pair && sharing && !target.shape.pair {
            self.info.combines_pairs |= increment;
            self.info.sets_pairs |= !increment;
        }
        self.info.stages.entry(stage).or_default().writes.insert(variable);
    }

    /// The rows of the stage table that are about draws, spikes and proposals.
    fn stage_uses(&mut self, stage: Stage) {
        let access = self.info.stage(stage);
        let between = matches!(stage, Stage::Create | Stage::Call(_) | Stage::Schedule(_) | Stage::Initial);
        let constrain = stage == Stage::Constrain;
        self.check(!constrain || access.draws.is_empty(), || "constrain draws".to_owned());
        let spikes = access.pre_spike || access.post_spike;
        self.check(!spikes || !(constrain || between), || format!("{stage:?} reads spikes"));
        let rule = self.rule;
        for variable in access.reads {
            let of = &rule.variables[variable];
            let hidden = match of.kind {
                VarKind::Proposal { .. } => constrain || between,
                VarKind::Param
                | VarKind::State
                | VarKind::Plastic { .. }
                | VarKind::Input { .. }
                | VarKind::Output
                | VarKind::Extern => false,
            };
            self.check(!hidden, || format!("{stage:?} reads `{}`", of.address()));
        }
    }
}

/// The stage table of the language. Modulate writes states, too, and so do apply and the blocks between steps. The rule
/// after `pass::integrate` writes states at the head of `update`.
fn writes(stage: Stage, kind: VarKind) -> Writes {
    let between = matches!(stage, Stage::Create | Stage::Call(_) | Stage::Schedule(_));
    let allowed = match kind {
        VarKind::Param | VarKind::Input { .. } => false,
        VarKind::State | VarKind::Extern => stage != Stage::Constrain,
        VarKind::Plastic { .. } => between || matches!(stage, Stage::Apply | Stage::Constrain),
        VarKind::Proposal { .. } => match stage {
            Stage::Update => return Writes::Increments,
            Stage::Initial
            | Stage::Equations
            | Stage::Create
            | Stage::Apply
            | Stage::Constrain
            | Stage::Call(_)
            | Stage::Schedule(_) => false,
            Stage::Modulate => true,
        },
        VarKind::Output => stage == Stage::Update,
    };
    if allowed { Writes::Any } else { Writes::Never }
}

fn broadcasts(from: Shape, to: Shape) -> bool {
    from.domain.broadcasts_to(to.domain) && (to.batched || !from.batched)
}
