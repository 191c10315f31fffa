//! Warnings: what compiles, and is probably not what its author wants.
//!
//! Uses are looked for in the text, cases that are not chosen included, so that a choice of options never makes a
//! parameter look unused.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::evaluate;
use crate::ast::{
    self, AssignOperator, Block, Expr, ExprKind as Ast, Head, Kind, ModifierKind, OverKind, Range, RuleItem,
    StatementKind,
};
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::{AssignOp, BinaryOp, ExprId, ExprKind, Rule, Statement, UnaryOp, VarId, VarKind};

/// What a text does with names.
#[derive(Default)]
struct Uses {
    read: BTreeSet<String>,
    written: BTreeSet<String>,
}

/// Adds the warnings for a rule without errors.
pub(super) fn warnings(rule: &ast::Rule, items: &[RuleItem], lowered: &Rule, diagnostics: &mut Diagnostics) {
    let mut uses = Uses::default();
    items.iter().for_each(|item| uses.item(item));
    let learns = plastics(items).any(|name| uses.changes(&name.text));
    for item in items {
        let RuleItem::Declaration(declaration) = item else { continue };
        let Some(name) = declaration.name.single() else { continue };
        let kind = declaration.modifiers.iter().find_map(|word| match word.kind {
            ModifierKind::Kind(kind) => Some(kind),
            _ => None,
        });
        let (read, written) = (uses.read.contains(&name.text), uses.written.contains(&name.text));
        let what = match kind {
            Some(Kind::Param) => "parameter",
            Some(Kind::Option) => "option",
            Some(Kind::State) => "state",
            _ => continue,
        };
        if !read && !written {
            let message = format!("the {what} `{}` is never used", name.text);
            diagnostics.push(Diagnostic::new(code::UNUSED, name.span, message).help("remove it"));
        } else if kind == Some(Kind::State) && !read && (learns || !is_result(declaration, &uses)) {
            let message = format!("the state `{}` is written and never read", name.text);
            let help = "remove it, unless the host is to read it";
            diagnostics.push(Diagnostic::new(code::NEVER_READ, name.span, message).help(help));
        }
    }
    growing(lowered, diagnostics);
    unchanged(rule, items, &uses, diagnostics);
}

/// A documented state that is written and not read by its own rule: what the rule is for, where it does not learn.
/// Another part of a composition reads it, or the host.
fn is_result(declaration: &ast::Declaration, uses: &Uses) -> bool {
    let state = declaration.modifiers.iter().any(|word| word.kind == ModifierKind::Kind(Kind::State));
    let name = declaration.name.dotted();
    state && !declaration.docs.is_empty() && uses.written.contains(&name) && !uses.read.contains(&name)
}

/// The plastic variables that a rule declares.
fn plastics(items: &[RuleItem]) -> impl Iterator<Item = &ast::Name> {
    items.iter().filter_map(|item| match item {
        RuleItem::Declaration(declaration)
            if declaration.modifiers.iter().any(|word| word.kind == ModifierKind::Kind(Kind::Plastic)) =>
        {
            declaration.name.single()
        }
        _ => None,
    })
}

impl Uses {
    /// Whether a plastic variable or its proposal is written.
    fn changes(&self, plastic: &str) -> bool {
        self.written.contains(plastic) || self.written.contains(&format!("d{plastic}"))
    }

    fn item(&mut self, item: &RuleItem) {
        match item {
            RuleItem::Declaration(declaration) => {
                declaration.value.iter().chain(&declaration.length).for_each(|expr| self.expr(expr));
                if let Some(Range::Between(low, high)) = &declaration.range {
                    self.expr(low);
                    self.expr(high);
                }
            }
            RuleItem::Fn(function) => self.expr(&function.body),
            RuleItem::Equation(equation) => {
                self.written.insert(equation.variable.text.clone());
                let mut inside = Uses::default();
                inside.expr(&equation.value);
                // That a variable decays by itself is no use of it.
                inside.read.remove(&equation.variable.text);
                self.read.extend(inside.read);
                equation.index.iter().for_each(|index| self.expr(index));
            }
            RuleItem::Apply(ast::When::Every { period, .. }, _) => self.expr(period),
            RuleItem::Solver(..) | RuleItem::Batch(..) | RuleItem::Apply(ast::When::Call(_), _) => {}
            RuleItem::For(repeated) => repeated.body.iter().for_each(|item| self.item(item)),
            RuleItem::Handler(handler) => {
                match &handler.head {
                    Head::OnPre(Some(after)) | Head::OnPost(Some(after)) => self.expr(after),
                    Head::When(ast::When::Every { period, .. }) => self.expr(period),
                    _ => {}
                }
                self.block(&handler.body);
            }
        }
    }

    fn block(&mut self, block: &Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &ast::Statement) {
        match &statement.kind {
            StatementKind::Let { value, .. } => self.expr(value),
            StatementKind::Assign { target, index, value, operator } => {
                let name = target.dotted();
                let mut inside = Uses::default();
                inside.expr(value);
                if *operator == AssignOperator::Set {
                    inside.read.remove(&name);
                }
                self.read.extend(inside.read);
                index.iter().for_each(|index| self.expr(index));
                self.written.insert(name);
            }
            StatementKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.block(then);
                otherwise.iter().for_each(|block| self.block(block));
            }
            StatementKind::Match { option, arms } => {
                self.read.insert(option.text.clone());
                arms.iter().for_each(|(_, block)| self.block(block));
            }
            StatementKind::For(repeated) => {
                self.expr(&repeated.start);
                self.expr(&repeated.end);
                repeated.body.iter().for_each(|statement| self.statement(statement));
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Ast::Path(path) => {
                self.read.insert(path.dotted());
            }
            Ast::Index(path, index) => {
                self.read.insert(path.dotted());
                self.expr(index);
            }
            Ast::Call { over, arguments, .. } => {
                if let Some(OverKind::PostBy(count)) = over.as_ref().map(|over| &over.kind) {
                    self.expr(count);
                }
                arguments.iter().for_each(|argument| self.expr(argument));
            }
            Ast::Array(elements) => elements.iter().for_each(|element| self.expr(element)),
            Ast::Group(inner) | Ast::Unary(_, inner) => self.expr(inner),
            Ast::Binary(_, _, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Ast::If(condition, a, b) => [condition, a, b].into_iter().for_each(|expr| self.expr(expr)),
            Ast::Match(option, arms) => {
                self.read.insert(option.text.clone());
                arms.iter().for_each(|(_, expr)| self.expr(expr));
            }
            Ast::Number(_) | Ast::Error => {}
        }
    }
}

/// A rule that reads a plastic variable and proposes or writes no change to any.
fn unchanged(rule: &ast::Rule, items: &[RuleItem], uses: &Uses, diagnostics: &mut Diagnostics) {
    if let Some(plastic) =
        plastics(items).find(|name| uses.read.contains(&name.text) && !uses.changes(&name.text))
        && !reads_on_purpose(items, uses, &plastic.text)
    {
        let message = format!("the rule `{}` reads `{}` and never changes it", rule.name.text, plastic.text);
        let help = format!("add to `d{}`, or remove the rule", plastic.text);
        diagnostics.push(Diagnostic::new(code::NEVER_CHANGED, plastic.span, message).help(help));
    }
}

/// Whether weights are read for something else than learning: to transmit, for a state that others read, to change
/// another rule's state, or in what is done on a call or on a schedule.
fn reads_on_purpose(items: &[RuleItem], uses: &Uses, plastic: &str) -> bool {
    let elsewhere = |declaration: &ast::Declaration| {
        is_result(declaration, uses)
            || declaration.modifiers.iter().any(|word| match word.kind {
                ModifierKind::Kind(Kind::Output) => true,
                ModifierKind::Kind(Kind::Extern) => uses.written.contains(&declaration.name.dotted()),
                _ => false,
            })
    };
    items.iter().any(|item| match item {
        RuleItem::Declaration(declaration) => elsewhere(declaration),
        RuleItem::Handler(handler) if matches!(handler.head, Head::When(_)) => {
            let mut inside = Uses::default();
            inside.block(&handler.body);
            inside.read.contains(plastic) && !inside.written.is_empty()
        }
        _ => false,
    })
}

/// A state that only ever grows: every write adds a non-negative constant when a spike comes.
fn growing(rule: &Rule, diagnostics: &mut Diagnostics) {
    let mut growth: BTreeMap<VarId, bool> = BTreeMap::new();
    for block in rule.blocks() {
        writes(rule, block, false, &mut growth);
    }
    for equation in &rule.equations {
        growth.insert(equation.variable, false);
    }
    for (variable, grows) in growth {
        let declared = &rule.variables[variable];
        if grows && declared.kind == VarKind::State && declared.ty == crate::ir::Type::Real {
            let message =
                format!("the trace `{}` can only grow: nothing lets it decay or resets it", declared.name);
            let help =
                format!("give it an equation, `d{0}/dt = -{0} / tau;`, or declare it `: int`", declared.name);
            diagnostics.push(Diagnostic::new(code::TRACE_GROWS, declared.span, message).help(help));
        }
    }
}

fn writes(rule: &Rule, block: &[Statement], conditional: bool, growth: &mut BTreeMap<VarId, bool>) {
    for statement in block {
        match statement {
            Statement::Let { .. } => {}
            Statement::Assign { variable, op, value, .. } => {
                let constant = evaluate(rule, *value).is_some_and(|value| value > 0.0);
                let spikes = gated_constant(rule, *value);
                let grows = *op == AssignOp::Add && ((conditional && constant) || spikes);
                growth.entry(*variable).and_modify(|all| *all &= grows).or_insert(grows);
            }
            Statement::If { then, otherwise, .. } => {
                writes(rule, then, true, growth);
                writes(rule, otherwise, true, growth);
            }
        }
    }
}

/// `pre.spike`, or a positive constant times it.
fn gated_constant(rule: &Rule, id: ExprId) -> bool {
    match &rule.exprs[id].kind {
        ExprKind::Gate(_, value) => evaluate(rule, *value).is_some_and(|value| value > 0.0),
        ExprKind::Convert(inner) => matches!(rule.exprs[*inner].kind, ExprKind::Builtin(_)),
        _ => false,
    }
}

/// Warnings that need the length of the step: an equation `-x / tau` whose `tau`, by default, is shorter than it.
pub fn step_warnings(rule: &Rule, dt_ms: f64) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for equation in &rule.equations {
        let mut work = vec![equation.value];
        let mut seen = BTreeSet::new();
        while let Some(id) = work.pop() {
            if !seen.insert(id) {
                continue;
            }
            if let ExprKind::Binary(BinaryOp::Divide, above, below) = rule.exprs[id].kind
                && let Some(parameter) = time_constant(rule, below)
                && decays(rule, above, equation.variable)
            {
                let declared = &rule.variables[parameter];
                let value = declared.init.first().and_then(|&id| evaluate(rule, id));
                if let Some(tau) = value.filter(|&tau| tau < dt_ms) {
                    let name = &declared.name;
                    let message = format!("`{name}` is {tau} ms, shorter than the step of {dt_ms} ms");
                    let diagnostic = Diagnostic::new(code::STEP_TOO_LONG, equation.span, message)
                        .also(declared.span, format!("`{name}` is declared here"))
                        .help("shorten the step, or lengthen the time constant");
                    diagnostics.push(diagnostic);
                }
            }
            work.extend(rule.exprs[id].kind.operands());
        }
    }
    diagnostics
}

fn time_constant(rule: &Rule, id: ExprId) -> Option<VarId> {
    match rule.exprs[id].kind {
        ExprKind::Convert(inner) => time_constant(rule, inner),
        ExprKind::Load { variable, .. } => {
            let declared = &rule.variables[variable];
            (declared.kind == VarKind::Param && declared.unit.dimension == "time").then_some(variable)
        }
        _ => None,
    }
}

/// Whether a numerator takes the variable away: `-x`, or `a - x`.
fn decays(rule: &Rule, id: ExprId, variable: VarId) -> bool {
    let is = |id: ExprId| matches!(rule.exprs[id].kind, ExprKind::Load { variable: v, .. } if v == variable);
    match rule.exprs[id].kind {
        ExprKind::Unary(UnaryOp::Negate, inner) => is(inner),
        ExprKind::Binary(BinaryOp::Subtract, _, right) => is(right),
        _ => false,
    }
}
