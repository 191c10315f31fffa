//! Copying a rule into another one, with all its handles.

use crate::ir::build::RuleBuilder;
use crate::ir::{
    Block, Equation, ExprId, ExprKind, LocalId, Period, Rule, SiteId, Statement, VarId, VarKind, When,
};
use crate::source::{FileId, Span};

/// Where the handles of one rule have gone in another.
pub(super) struct Handles {
    variables: Vec<VarId>,
    exprs: Vec<ExprId>,
    locals: Vec<LocalId>,
    sites: Vec<SiteId>,
}

/// Copies expressions, locals and draws of a rule behind those of the builder. `variables` says, by index, what each
/// variable of the rule is there. Equal expressions of several rules become one.
pub(super) fn append(builder: &mut RuleBuilder, rule: &Rule, variables: Vec<VarId>) -> Handles {
    let locals = rule.locals.iter().map(|(_, local)| builder.rule.locals.push(local.clone())).collect();
    let sites = rule.sites.iter().map(|(_, site)| builder.rule.sites.push(site.clone())).collect();
    let mut handles = Handles { variables, exprs: Vec::with_capacity(rule.exprs.len()), locals, sites };
    for (id, expr) in rule.exprs.iter() {
        let span = rule.expr_spans.get(id.index()).copied().unwrap_or_default();
        // An operand stands before the expression that uses it, so its copy is known.
        let kind = handles.kind(&expr.kind);
        let copy = builder.push(kind, expr.ty, expr.shape, span);
        handles.exprs.push(copy);
    }
    handles
}

impl Handles {
    pub(super) fn variable(&self, id: VarId) -> VarId {
        self.variables[id.index()]
    }

    pub(super) fn expr(&self, id: ExprId) -> ExprId {
        self.exprs[id.index()]
    }

    pub(super) fn exprs(&self, ids: &[ExprId]) -> Vec<ExprId> {
        ids.iter().map(|&id| self.expr(id)).collect()
    }

    pub(super) fn range(&self, range: Option<(ExprId, ExprId)>) -> Option<(ExprId, ExprId)> {
        range.map(|(low, high)| (self.expr(low), self.expr(high)))
    }

    pub(super) fn variable_kind(&self, kind: VarKind) -> VarKind {
        match kind {
            VarKind::Plastic { proposal } => VarKind::Plastic { proposal: self.variable(proposal) },
            VarKind::Proposal { of } => VarKind::Proposal { of: self.variable(of) },
            VarKind::Param | VarKind::State | VarKind::Input { .. } | VarKind::Output | VarKind::Extern => {
                kind
            }
        }
    }

    pub(super) fn equation(&self, equation: &Equation) -> Equation {
        let (variable, value) = (self.variable(equation.variable), self.expr(equation.value));
        Equation { variable, value, ..equation.clone() }
    }

    pub(super) fn period(&self, period: Period) -> Period {
        match period {
            Period::Steps(id) => Period::Steps(self.expr(id)),
            Period::Time(id) => Period::Time(self.expr(id)),
        }
    }

    pub(super) fn when(&self, when: &When) -> When {
        match when {
            When::EveryStep => When::EveryStep,
            When::Every(period) => When::Every(self.period(*period)),
            When::Call(name) => When::Call(name.clone()),
        }
    }

    pub(super) fn block(&self, block: &Block) -> Block {
        block.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&self, statement: &Statement) -> Statement {
        match statement {
            Statement::Let { local, value, span } => {
                Statement::Let { local: self.locals[local.index()], value: self.expr(*value), span: *span }
            }
            Statement::Assign { variable, element, op, value, span } => Statement::Assign {
                variable: self.variable(*variable),
                element: *element,
                op: *op,
                value: self.expr(*value),
                span: *span,
            },
            Statement::If { condition, then, otherwise, span } => Statement::If {
                condition: self.expr(*condition),
                then: self.block(then),
                otherwise: self.block(otherwise),
                span: *span,
            },
        }
    }

    fn kind(&self, kind: &ExprKind) -> ExprKind {
        match kind {
            ExprKind::Load { variable, element } => {
                ExprKind::Load { variable: self.variable(*variable), element: *element }
            }
            ExprKind::Local(local) => ExprKind::Local(self.locals[local.index()]),
            ExprKind::Draw { site, parameters } => {
                ExprKind::Draw { site: self.sites[site.index()], parameters: self.exprs(parameters) }
            }
            ExprKind::Number(_)
            | ExprKind::Integer(_)
            | ExprKind::Boolean(_)
            | ExprKind::Builtin(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Gate(..)
            | ExprKind::Math(..)
            | ExprKind::Exponential { .. }
            | ExprKind::Convert(_)
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Widen(_)
            | ExprKind::Past { .. } => kind.map_operands(|id| self.expr(id)),
        }
    }
}

/// A copy of a rule with other variables: `order` lists the ones that remain, and `stands_for` says by index which of
/// them each variable has become.
pub(super) fn rebuild(rule: &Rule, order: &[VarId], stands_for: &[VarId]) -> Rule {
    let mut builder = RuleBuilder::new(rule.name.clone());
    let mut places = vec![None; rule.variables.len()];
    for &id in order {
        places[id.index()] = Some(builder.rule.variables.push(rule.variables[id].clone()));
    }
    let place = |id: VarId| {
        places[id.index()].unwrap_or_else(|| crate::ice!("{} has been dropped", rule.variables[id].address()))
    };
    let variables = rule.variables.handles().map(|id| place(stands_for[id.index()])).collect();
    let handles = append(&mut builder, rule, variables);
    let mut copy = builder.finish();
    for (_, variable) in copy.variables.iter_mut() {
        variable.kind = handles.variable_kind(variable.kind);
        variable.range = handles.range(variable.range);
        variable.init = handles.exprs(&variable.init);
    }
    copy.docs = rule.docs.clone();
    copy.batch = rule.batch;
    copy.aliases = rule.aliases.iter().map(|(name, id)| (name.clone(), handles.variable(*id))).collect();
    add_stages(&mut copy, rule, &handles);
    copy.apply_when = handles.when(&rule.apply_when);
    copy
}

/// Adds the stages of a copied rule behind those of `rule`; calls of one name become one.
pub(super) fn add_stages(rule: &mut Rule, part: &Rule, handles: &Handles) {
    rule.equations.extend(part.equations.iter().map(|equation| handles.equation(equation)));
    rule.create.extend(handles.block(&part.create));
    rule.update.extend(handles.block(&part.update));
    rule.modulate.extend(handles.block(&part.modulate));
    rule.apply.extend(handles.block(&part.apply));
    rule.constrain.extend(handles.block(&part.constrain));
    for call in &part.calls {
        let body = handles.block(&call.body);
        match rule.calls.iter_mut().find(|known| known.name == call.name) {
            Some(known) => known.body.extend(body),
            None => rule.calls.push(crate::ir::Call { body, ..call.clone() }),
        }
    }
    for schedule in &part.schedules {
        let (period, body) = (handles.period(schedule.period), handles.block(&schedule.body));
        rule.schedules.push(crate::ir::Schedule { period, body, span: schedule.span });
    }
}

/// Adds `by` to the file of every span: for a host that composes rules of several libraries and puts their texts,
/// one library after the other, into one `Sources`.
pub fn shift_files(rule: &mut Rule, by: u32) {
    let shift = |span: &mut Span| span.file = FileId(span.file.0.saturating_add(by));
    rule.expr_spans.iter_mut().for_each(shift);
    rule.variables.iter_mut().for_each(|(_, variable)| shift(&mut variable.span));
    rule.sites.iter_mut().for_each(|(_, site)| shift(&mut site.span));
    rule.equations.iter_mut().for_each(|equation| shift(&mut equation.span));
    let blocks =
        [&mut rule.create, &mut rule.update, &mut rule.modulate, &mut rule.apply, &mut rule.constrain];
    blocks.into_iter().for_each(|block| shift_block(block, &shift));
    for call in &mut rule.calls {
        shift(&mut call.span);
        shift_block(&mut call.body, &shift);
    }
    for schedule in &mut rule.schedules {
        shift(&mut schedule.span);
        shift_block(&mut schedule.body, &shift);
    }
}

fn shift_block(block: &mut Block, shift: &dyn Fn(&mut Span)) {
    for statement in block {
        match statement {
            Statement::Let { span, .. } | Statement::Assign { span, .. } => shift(span),
            Statement::If { then, otherwise, span, .. } => {
                shift(span);
                shift_block(then, shift);
                shift_block(otherwise, shift);
            }
        }
    }
}
