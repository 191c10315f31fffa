//! Verifies a rule and yields the facts that later stages demand.
//!
//! In: a checked rule, composed or not. Out: [`RuleInfo`], or what is wrong, a sentence each; since `check` has reported
//! all that an author can do wrong, each of them is a fault of our own. It verifies that
//!
//! * there is a span for each expression, every handle is in range, and operands stand before their users;
//! * every expression has the type and the shape that `ir` gives its kind, from those of its operands;
//! * a parameter of the group is `Wide` and no other variable is; ranges are `Wide`; an initial value fits its variable;
//!   array elements are in range; a plastic variable and its proposal name each other;
//! * a `let` stands before its uses, in a block that encloses them, and is bound once; a condition is a `Bool` local;
//! * a value, and every condition around it, broadcasts to the target's domain and has its type; a batched value meets a
//!   shared target only as an increment of a proposal or state;
//! * blocks keep to the stage table: proposals are only incremented in `update` and written in `modulate`, plastic
//!   variables are written in `apply`, `constrain` and between steps only, states everywhere but in `constrain` (where
//!   only those with a range are, by their clip), outputs in `update` only; no parameter or input is written; there are
//!   no draws in equations and in `constrain`, and no spikes in `constrain` and between steps;
//! * an equation is of a state or plastic variable that is `Real`, one each for a state;
//! * periods are `Wide` and what applies on a call or period is well formed.
//!
//! What is not verified: units, which are gone, and whether an equation has an exact step, which `pass::integrate` says.

mod expression;
mod statement;
#[cfg(test)]
mod tests;

use crate::ir::*;
use std::collections::{BTreeMap, BTreeSet};

/// A place in the order of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The initial values.
    Initial,
    /// The equations.
    Equations,
    /// `on create`.
    Create,
    /// The proposals.
    Update,
    /// The rewriting of the proposals.
    Modulate,
    /// From `dw` to `w`.
    Apply,
    /// The constraints.
    Constrain,
    /// A call, by its place in [`Rule::calls`].
    Call(usize),
    /// A schedule, by its place in [`Rule::schedules`].
    Schedule(usize),
}

/// What a stage does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The variables whose present value is read by an expression; an increment's own target is not among them.
    pub reads: BTreeSet<VarId>,
    /// The variables that are assigned.
    pub writes: BTreeSet<VarId>,
    /// The draws.
    pub draws: BTreeSet<SiteId>,
    /// Whether `pre.spike` is read.
    pub pre_spike: bool,
    /// Whether `post.spike` is read.
    pub post_spike: bool,
}

/// Facts about a valid rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleInfo {
    /// What each stage that has something to do does.
    pub stages: BTreeMap<Stage, Access>,
    /// Whether an expression of the rule reads the past.
    pub uses_past: bool,
    /// Whether increments of a shared variable by a batched value exist, so that a batch needs `batch sum;` or `mean`.
    pub combines_batch: bool,
    /// Whether increments of a synapse or channel variable by a value of pairs exist.
    pub combines_pairs: bool,
    /// Whether a synapse or channel variable is written with a value of pairs other than by an increment, which a
    /// topology that shares weights refuses.
    pub sets_pairs: bool,
}

impl RuleInfo {
    /// What a stage does.
    pub fn stage(&self, stage: Stage) -> Access {
        self.stages.get(&stage).cloned().unwrap_or_default()
    }

    /// Whether any stage reads a variable.
    pub fn is_read(&self, variable: VarId) -> bool {
        self.stages.values().any(|access| access.reads.contains(&variable))
    }

    /// Whether any stage writes a variable.
    pub fn is_written(&self, variable: VarId) -> bool {
        self.stages.values().any(|access| access.writes.contains(&variable))
    }
}

/// Verifies a rule.
pub fn validate(rule: &Rule) -> Result<RuleInfo, Vec<String>> {
    let mut validator = Validator { rule, errors: Vec::new(), info: RuleInfo::default() };
    // What follows indexes by the handles that this verifies.
    validator.expressions();
    if validator.errors.is_empty() {
        validator.variables();
        validator.blocks();
        validator.equations();
        validator.periods();
    }
    if validator.errors.is_empty() { Ok(validator.info) } else { Err(validator.errors) }
}

struct Validator<'r> {
    rule: &'r Rule,
    errors: Vec<String>,
    info: RuleInfo,
}

impl Validator<'_> {
    fn error(&mut self, message: String) {
        self.errors.push(message);
    }

    fn check(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.errors.push(message());
        }
    }

    fn in_range(&self, id: ExprId) -> bool {
        id.index() < self.rule.exprs.len()
    }

    fn variables(&mut self) {
        let rule = self.rule;
        for (id, variable) in rule.variables.iter() {
            let name = variable.address();
            let wide = variable.kind == VarKind::Param && variable.shape.domain == Domain::Global;
            self.check((variable.ty == Type::Wide) == wide, || format!("`{name}` is {:?}", variable.ty));
            self.check(variable.ty != Type::Bool, || format!("`{name}` is a condition"));
            self.check(variable.length != Some(0), || format!("`{name}` is an array of nothing"));
            match variable.kind {
                VarKind::Plastic { proposal } => self.partner(id, proposal, VarKind::Proposal { of: id }),
                VarKind::Proposal { of } => self.partner(id, of, VarKind::Plastic { proposal: id }),
                VarKind::Param
                | VarKind::State
                | VarKind::Input { .. }
                | VarKind::Output
                | VarKind::Extern => {}
            }
            let shared =
                matches!(variable.kind, VarKind::Param | VarKind::Plastic { .. } | VarKind::Proposal { .. });
            self.check(!shared || !variable.shape.batched, || format!("`{name}` is batched"));
            for bound in variable.range.into_iter().flat_map(|(low, high)| [low, high]) {
                let wide = self.in_range(bound) && rule.exprs[bound].ty == Type::Wide;
                self.check(wide, || format!("a bound of `{name}` is not wide"));
            }
            self.initial(variable);
        }
    }

    fn partner(&mut self, id: VarId, other: VarId, kind: VarKind) {
        let rule = self.rule;
        let linked = rule.variables.get(other).is_some_and(|of| {
            let own = &rule.variables[id];
            of.kind == kind && of.shape == own.shape && of.ty == own.ty && of.length == own.length
        });
        self.check(linked, || {
            format!("`{}` and its partner do not name each other", rule.variables[id].address())
        });
    }

    fn initial(&mut self, variable: &Variable) {
        let rule = self.rule;
        let name = variable.address();
        let count = variable.init.len();
        let fits = count <= 1 || count == variable.elements() as usize;
        self.check(fits, || format!("`{name}` has {count} initial values"));
        for id in &variable.init {
            let Some(expr) = rule.exprs.get(*id) else {
                self.error(format!("an initial value of `{name}` is out of range"));
                continue;
            };
            // A number is rounded once when it is stored.
            let typed = expr.ty == variable.ty || expr.ty == Type::Wide;
            self.check(typed, || format!("an initial value of `{name}` is {:?}", expr.ty));
            let wider = expr.shape.domain.broadcasts_to(variable.shape.domain)
                && (variable.shape.batched || !expr.shape.batched);
            self.check(wider, || format!("an initial value of `{name}` lives in {:?}", expr.shape));
            self.access(Stage::Initial, *id);
        }
    }

    fn equations(&mut self) {
        let rule = self.rule;
        let mut states = BTreeSet::new();
        for equation in &rule.equations {
            let Some(variable) = rule.variables.get(equation.variable) else {
                self.error("an equation of a variable out of range".to_owned());
                continue;
            };
            let name = variable.address();
            let Some(expr) = rule.exprs.get(equation.value) else {
                self.error(format!("the equation of `{name}` is out of range"));
                continue;
            };
            let plastic = matches!(variable.kind, VarKind::Plastic { .. });
            self.check(plastic || variable.kind == VarKind::State, || format!("`{name}` has an equation"));
            self.check(variable.ty == Type::Real && expr.ty == Type::Real, || {
                format!("the equation of `{name}` is not real")
            });
            self.check(equation.element < variable.elements(), || format!("`{name}[{}]`", equation.element));
            let new = states.insert((equation.variable, equation.element));
            self.check(plastic || new, || format!("`{name}` has two equations"));
            let wider = expr.shape.domain.broadcasts_to(variable.shape.domain)
                && (plastic || variable.shape.batched || !expr.shape.batched);
            self.check(wider, || format!("the equation of `{name}` lives in {:?}", expr.shape));
            let batched = expr.shape.batched && !variable.shape.batched;
            self.info.combines_batch |= batched;
            self.info.combines_pairs |= plastic && expr.shape.pair;
            self.access(Stage::Equations, equation.value);
            let target = match variable.kind {
                VarKind::Plastic { proposal } => proposal,
                VarKind::Param
                | VarKind::State
                | VarKind::Proposal { .. }
                | VarKind::Input { .. }
                | VarKind::Output
                | VarKind::Extern => equation.variable,
            };
            self.info.stages.entry(Stage::Equations).or_default().writes.insert(target);
        }
        let draws = self.info.stage(Stage::Equations).draws;
        self.check(draws.is_empty(), || "an equation draws".to_owned());
    }

    fn periods(&mut self) {
        let rule = self.rule;
        let applying = match &rule.apply_when {
            When::Every(period) => Some(*period),
            When::EveryStep | When::Call(_) => None,
        };
        for period in rule.schedules.iter().map(|schedule| schedule.period).chain(applying) {
            let (Period::Steps(id) | Period::Time(id)) = period;
            let wide = rule.exprs.get(id).is_some_and(|expr| expr.ty == Type::Wide);
            self.check(wide, || "a period is not wide".to_owned());
        }
    }

    /// Records what an expression of a stage reads. Locals are recorded where they are bound.
    fn access(&mut self, stage: Stage, root: ExprId) {
        let access = self.info.stages.entry(stage).or_default();
        for id in operands::reachable(&self.rule.exprs, [root]) {
            match &self.rule.exprs[id].kind {
                ExprKind::Load { variable, .. } => {
                    access.reads.insert(*variable);
                }
                ExprKind::Draw { site, .. } => {
                    access.draws.insert(*site);
                }
                ExprKind::Builtin(Builtin::PreSpike) => access.pre_spike = true,
                ExprKind::Builtin(Builtin::PostSpike) => access.post_spike = true,
                ExprKind::Past { .. } => self.info.uses_past = true,
                ExprKind::Number(_)
                | ExprKind::Integer(_)
                | ExprKind::Boolean(_)
                | ExprKind::Local(_)
                | ExprKind::Builtin(_)
                | ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Compare(..)
                | ExprKind::Select(..)
                | ExprKind::Gate(..)
                | ExprKind::Math(..)
                | ExprKind::Exponential { .. }
                | ExprKind::Convert(_)
                | ExprKind::Widen(_)
                | ExprKind::Reduce { .. }
                | ExprKind::Scan { .. } => {}
            }
        }
    }
}
