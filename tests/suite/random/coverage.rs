//! Which operations a checked rule holds, in which domain and stage.

use std::collections::BTreeSet;

use aplysia_compiler::ir::{Block, Domain, ExprId, ExprKind, Rule, Statement, VarKind, operands};

use super::base::Stage;

/// An operation's word, the domain of its value, and where it stands.
pub type Cell = (String, Domain, Stage);

/// All cells of a rule before its equations are integrated.
pub fn cells(rule: &Rule) -> BTreeSet<Cell> {
    let mut cells = BTreeSet::new();
    let mut add = |roots: Vec<ExprId>, stage: Stage| {
        for id in operands::reachable(&rule.exprs, roots) {
            let expr = &rule.exprs[id];
            cells.insert((word(rule, id), expr.shape.domain, stage));
        }
    };
    add(rule.equations.iter().map(|equation| equation.value).collect(), Stage::Equation);
    add(rule.variables.iter().flat_map(|(_, of)| of.init.clone()).collect(), Stage::Initial);
    add(roots(&rule.create), Stage::Create);
    add(roots(&rule.update), Stage::Update);
    add(roots(&rule.modulate), Stage::Modulate);
    add(roots(&rule.apply), Stage::Apply);
    add(roots(&rule.constrain), Stage::Constrain);
    add(rule.calls.iter().flat_map(|call| roots(&call.body)).collect(), Stage::Call);
    add(rule.schedules.iter().flat_map(|schedule| roots(&schedule.body)).collect(), Stage::Schedule);
    cells
}

fn roots(block: &Block) -> Vec<ExprId> {
    block
        .iter()
        .flat_map(|statement| match statement {
            Statement::Let { value, .. } | Statement::Assign { value, .. } => vec![*value],
            Statement::If { then, otherwise, .. } => [roots(then), roots(otherwise)].concat(),
        })
        .collect()
}

fn word(rule: &Rule, id: ExprId) -> String {
    let expr = &rule.exprs[id];
    let ty = expr.ty;
    match &expr.kind {
        ExprKind::Number(_) => "Number".to_owned(),
        ExprKind::Integer(_) => "Integer".to_owned(),
        ExprKind::Boolean(_) => "Boolean".to_owned(),
        ExprKind::Load { variable, .. } => {
            let of = &rule.variables[*variable];
            if of.length.is_some() {
                return "Load:Element".to_owned();
            }
            let kind = match of.kind {
                VarKind::Param => "Param",
                VarKind::State => "State",
                VarKind::Plastic { .. } => "Plastic",
                VarKind::Proposal { .. } => "Proposal",
                VarKind::Input { .. } => "Input",
                VarKind::Output => "Output",
                VarKind::Extern => "Extern",
            };
            format!("Load:{kind}")
        }
        ExprKind::Local(_) => "Local".to_owned(),
        ExprKind::Builtin(builtin) => format!("{builtin:?}"),
        ExprKind::Unary(op, _) => format!("{op:?}:{ty:?}"),
        ExprKind::Binary(op, ..) => format!("{op:?}:{ty:?}"),
        ExprKind::Compare(comparison, ..) => format!("{comparison:?}"),
        ExprKind::Select(..) => format!("Select:{ty:?}"),
        ExprKind::Gate(..) => format!("Gate:{ty:?}"),
        ExprKind::Math(function, _) => format!("{function:?}"),
        ExprKind::Exponential { .. } => "Exponential".to_owned(),
        ExprKind::Convert(operand) => format!("Convert:{:?}:{ty:?}", rule.exprs[*operand].ty),
        ExprKind::Draw { site, .. } => format!("{:?}", rule.sites[*site].distribution),
        ExprKind::Reduce { op, over, .. } => {
            let over = format!("{over:?}");
            format!("{op:?}{}", over.split('(').next().unwrap_or_default())
        }
        ExprKind::Scan { over, .. } => format!("Scan{over:?}"),
        ExprKind::Past { .. } => "Past".to_owned(),
        ExprKind::Widen(_) => "Widen".to_owned(),
    }
}
