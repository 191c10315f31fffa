//! A flow as text, for people and snapshots.

use std::fmt::Write as _;

use super::Flow;
use crate::ir::{self, ExprId, ExprKind, Rule};

/// The text of a flow: every expression that is used more than once gets a line, as does every matrix, then every write.
pub fn print(flow: &Flow, rule: &Rule) -> String {
    let exprs = flow.graph.exprs();
    let roots: Vec<ExprId> = flow.writes.iter().map(|write| write.value).collect();
    let needed = ir::operands::reachable(exprs, roots.iter().copied());
    let mut uses = vec![0usize; exprs.len()];
    for &id in &needed {
        for operand in exprs[id].kind.operands() {
            uses[operand.index()] += 1;
        }
    }
    for root in roots {
        uses[root.index()] += 1;
    }
    let mut printer = Printer {
        flow,
        rule,
        names: vec![None; exprs.len()],
        text: vec![String::new(); exprs.len()],
        matrices: Vec::new(),
    };
    let mut out = String::new();
    let mut number = 0;
    for &id in &needed {
        if let ExprKind::Exponential { entries, .. } = &exprs[id].kind
            && !printer.matrices.contains(entries)
        {
            let rows: Vec<String> =
                entries.chunks(entries.len().isqrt().max(1)).map(|row| printer.list(row)).collect();
            let _ = writeln!(out, "m{} = [{}]", printer.matrices.len(), rows.join("; "));
            printer.matrices.push(entries.clone());
        }
        let text = printer.expression(id);
        let leaf = exprs[id].kind.operands().is_empty()
            || matches!(exprs[id].kind, ExprKind::Convert(a) if matches!(exprs[a].kind, ExprKind::Number(_)));
        if uses[id.index()] > 1 && !leaf {
            let name = format!("v{number}");
            number += 1;
            let _ = writeln!(out, "{name}: {} = {text}", exprs[id].shape.domain.word());
            printer.names[id.index()] = Some(name);
        }
        printer.text[id.index()] = text;
    }
    for write in &flow.writes {
        let variable = &rule.variables[write.variable];
        let index = if variable.length.is_some() { format!("[{}]", write.element) } else { String::new() };
        let _ = writeln!(out, "{}{index} = {}", variable.address(), printer.operand(write.value));
    }
    out
}

/// The longest text of an expression that people are shown; what is longer becomes `…`.
const SHOWN: usize = 300;

/// The text of one expression, where it is not long.
pub fn value(flow: &Flow, rule: &Rule, root: ExprId) -> String {
    let exprs = flow.graph.exprs();
    let mut printer = Printer {
        flow,
        rule,
        names: vec![None; exprs.len()],
        text: vec![String::new(); exprs.len()],
        matrices: Vec::new(),
    };
    for id in ir::operands::reachable(exprs, [root]) {
        // Rounding is no news to a reader.
        let text = match exprs[id].kind {
            ExprKind::Convert(a) => printer.operand(a).to_string(),
            _ => printer.expression(id),
        };
        printer.text[id.index()] = if text.len() > SHOWN { "…".to_owned() } else { text };
    }
    printer.text[root.index()].clone()
}

struct Printer<'a> {
    flow: &'a Flow,
    rule: &'a Rule,
    names: Vec<Option<String>>,
    text: Vec<String>,
    /// The entries of those that have a line.
    matrices: Vec<Vec<ExprId>>,
}

impl Printer<'_> {
    fn operand(&self, id: ExprId) -> &str {
        self.names[id.index()].as_deref().unwrap_or(&self.text[id.index()])
    }

    fn list(&self, ids: &[ExprId]) -> String {
        ids.iter().map(|&id| self.operand(id)).collect::<Vec<_>>().join(", ")
    }

    fn expression(&self, id: ExprId) -> String {
        let expr = self.flow.graph.get(id);
        match &expr.kind {
            ExprKind::Number(value) => format!("{value:?}"),
            ExprKind::Integer(value) => format!("{value}"),
            ExprKind::Boolean(value) => format!("{value}"),
            ExprKind::Load { variable, element } => {
                let variable = &self.rule.variables[*variable];
                let index = if variable.length.is_some() { format!("[{element}]") } else { String::new() };
                format!("{}{index}", variable.address())
            }
            ExprKind::Local(local) => self.rule.locals[*local].name.clone(),
            ExprKind::Builtin(builtin) => builtin_word(*builtin).to_string(),
            ExprKind::Unary(op, a) => format!("{}({})", format!("{op:?}").to_lowercase(), self.operand(*a)),
            ExprKind::Binary(op, a, b) => match symbol(*op) {
                Some(symbol) => format!("({} {symbol} {})", self.operand(*a), self.operand(*b)),
                None => format!("{}({})", format!("{op:?}").to_lowercase(), self.list(&[*a, *b])),
            },
            ExprKind::Compare(op, a, b) => {
                format!("({} {} {})", self.operand(*a), comparison(*op), self.operand(*b))
            }
            ExprKind::Select(c, a, b) => {
                format!("if {} {{ {} }} else {{ {} }}", self.operand(*c), self.operand(*a), self.operand(*b))
            }
            ExprKind::Gate(c, a) => format!("gate({})", self.list(&[*c, *a])),
            ExprKind::Math(function, operands) => {
                format!("{}({})", format!("{function:?}").to_lowercase(), self.list(operands))
            }
            ExprKind::Exponential { entries, place } => {
                let number = self.matrices.iter().position(|known| known == entries);
                let matrix = number.map_or("…".to_owned(), |number| format!("m{number}"));
                let (place, size) = (*place as usize, entries.len().isqrt().max(1));
                format!("expm1({matrix})[{}, {}]", place / size, place % size)
            }
            ExprKind::Convert(a) => match (expr.ty, &self.flow.graph.get(*a).kind) {
                (ir::Type::Real, ExprKind::Number(_)) => self.operand(*a).to_string(),
                (ty, _) => format!("{}({})", format!("{ty:?}").to_lowercase(), self.operand(*a)),
            },
            ExprKind::Draw { site, parameters } => {
                let distribution = self.rule.sites[*site].distribution;
                let name = format!("{distribution:?}").to_lowercase();
                format!("{name}#{}({})", site.index(), self.list(parameters))
            }
            ExprKind::Reduce { op, over, body } => {
                let (op, over) = (format!("{op:?}").to_lowercase(), format!("{over:?}").to_lowercase());
                format!("{op}[{over}]({})", self.operand(*body))
            }
            ExprKind::Scan { over, body } => format!("cumsum[{}]({})", over.word(), self.operand(*body)),
            ExprKind::Widen(a) => format!("widen({})", self.operand(*a)),
            ExprKind::Past { body, delay, .. } => format!("past({})", self.list(&[*body, *delay])),
        }
    }
}

fn symbol(op: ir::BinaryOp) -> Option<&'static str> {
    match op {
        ir::BinaryOp::Add => Some("+"),
        ir::BinaryOp::Subtract => Some("-"),
        ir::BinaryOp::Multiply => Some("*"),
        ir::BinaryOp::Divide => Some("/"),
        ir::BinaryOp::Remainder => Some("%"),
        ir::BinaryOp::And => Some("&&"),
        ir::BinaryOp::Or => Some("||"),
        ir::BinaryOp::Min | ir::BinaryOp::Max => None,
    }
}

fn comparison(op: ir::Comparison) -> &'static str {
    match op {
        ir::Comparison::Equal => "==",
        ir::Comparison::NotEqual => "!=",
        ir::Comparison::Less => "<",
        ir::Comparison::LessEqual => "<=",
        ir::Comparison::Greater => ">",
        ir::Comparison::GreaterEqual => ">=",
    }
}

fn builtin_word(builtin: ir::Builtin) -> &'static str {
    match builtin {
        ir::Builtin::Dt => "dt",
        ir::Builtin::T => "t",
        ir::Builtin::Step => "step",
        ir::Builtin::PreSpike => "pre.spike",
        ir::Builtin::PostSpike => "post.spike",
        ir::Builtin::PreIndex => "pre.index",
        ir::Builtin::PostIndex => "post.index",
        ir::Builtin::PreCount => "pre.count",
        ir::Builtin::PostCount => "post.count",
        ir::Builtin::BatchCount => "batch.count",
        ir::Builtin::PairCount => "pair.count",
    }
}
