//! Expressions: on one line where they fit, else broken at their loosest operators or between arguments.

use crate::ast::{AssignOperator, Domain, Expr, ExprKind, Number, Over, OverKind, UnaryOperator};

/// An expression on one line.
pub(super) fn flat(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Number(number) => self::number(number),
        ExprKind::Path(path) => path_text(path),
        ExprKind::Index(path, index) => format!("{}[{}]", path_text(path), flat(index)),
        ExprKind::Call { function, over, arguments } => {
            format!("{}{}({})", function.text, over_text(over.as_ref()), list(arguments))
        }
        ExprKind::Array(values) => format!("[{}]", list(values)),
        ExprKind::Group(inner) => format!("({})", flat(inner)),
        ExprKind::Unary(UnaryOperator::Negate, inner) => format!("-{}", flat(inner)),
        ExprKind::Unary(UnaryOperator::Not, inner) => format!("!{}", flat(inner)),
        ExprKind::Binary(operator, _, left, right) => {
            let space = if operator.level() == 7 { "" } else { " " };
            format!("{}{space}{}{space}{}", flat(left), operator.symbol(), flat(right))
        }
        ExprKind::If(condition, then, otherwise) => {
            let rest = match &otherwise.kind {
                ExprKind::If(..) => flat(otherwise),
                _ => format!("{{ {} }}", flat(otherwise)),
            };
            format!("if {} {{ {} }} else {rest}", flat(condition), flat(then))
        }
        ExprKind::Match(option, arms) => {
            let arms: Vec<_> =
                arms.iter().map(|(name, value)| format!("{} => {}", name.text, flat(value))).collect();
            format!("match {} {{ {} }}", option.text, arms.join(", "))
        }
        ExprKind::Error => String::new(),
    }
}

/// A path as written, with `::` where the first separator of `std` paths is one.
pub(super) fn path_text(path: &crate::ast::Path) -> String {
    let separator = if path.segments.first().is_some_and(|first| first.text == "std") { "::" } else { "." };
    path.segments.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(separator)
}

fn number(number: &Number) -> String {
    match &number.unit {
        None => number.text.clone(),
        Some((unit, 1)) => format!("{} {}", number.text, unit.text),
        Some((unit, power)) => format!("{} {}^{power}", number.text, unit.text),
    }
}

fn over_text(over: Option<&Over>) -> String {
    match over.map(|over| &over.kind) {
        None => String::new(),
        Some(OverKind::Domain(domain)) => format!("[{}]", domain_text(domain)),
        Some(OverKind::Batch) => "[batch]".into(),
        Some(OverKind::Position) => "[position]".into(),
        Some(OverKind::PostBy(count)) => format!("[post by {}]", flat(count)),
    }
}

/// A domain as written.
pub(super) fn domain_text(domain: &Domain) -> String {
    match domain {
        Domain::Global => "global".into(),
        Domain::Pre => "pre".into(),
        Domain::Post => "post".into(),
        Domain::PreChannel => "pre_channel".into(),
        Domain::PostChannel => "post_channel".into(),
        Domain::Synapse => "synapse".into(),
        Domain::Per(name) => format!("per {}", name.text),
    }
}

/// An operator of assignment.
pub(super) fn assign_text(operator: AssignOperator) -> &'static str {
    match operator {
        AssignOperator::Set => "=",
        AssignOperator::Add => "+=",
        AssignOperator::Subtract => "-=",
        AssignOperator::Multiply => "*=",
        AssignOperator::Divide => "/=",
    }
}

pub(super) fn list(values: &[Expr]) -> String {
    values.iter().map(flat).collect::<Vec<_>>().join(", ")
}

/// The columns of a text.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// An expression between a prefix and a suffix, on as many lines as it needs. The lines are relative to the
/// indent of the first.
pub(super) fn broken(prefix: &str, expr: &Expr, suffix: &str, room: usize) -> String {
    let line = flat(expr);
    if width(prefix) + width(&line) + width(suffix) <= room || room < 24 {
        return format!("{prefix}{line}{suffix}");
    }
    let inner = room.saturating_sub(4);
    match &expr.kind {
        ExprKind::Binary(operator, _, _, _) if operator.level() < 7 => {
            let level = operator.level();
            let mut terms = Vec::new();
            chain(expr, level, &mut terms);
            let mut lines: Vec<String> = Vec::new();
            for (index, (sign, term)) in terms.iter().enumerate() {
                let end = if index + 1 == terms.len() { suffix } else { "" };
                match sign {
                    None => lines.push(broken(prefix, term, end, room)),
                    Some(sign) => lines.push(indented(&broken(&format!("{sign} "), term, end, inner))),
                }
            }
            lines.join("\n")
        }
        ExprKind::Binary(operator, _, left, right) => {
            broken(prefix, left, &format!("{}{}{suffix}", operator.symbol(), flat(right)), room)
        }
        ExprKind::Group(content) => wrapped(&format!("{prefix}("), &[content], &format!("){suffix}"), inner),
        ExprKind::Call { function, over, arguments } if !arguments.is_empty() => {
            let head = format!("{prefix}{}{}(", function.text, over_text(over.as_ref()));
            wrapped(&head, &arguments.iter().collect::<Vec<_>>(), &format!("){suffix}"), inner)
        }
        ExprKind::Array(values) => {
            wrapped(&format!("{prefix}["), &values.iter().collect::<Vec<_>>(), &format!("]{suffix}"), inner)
        }
        ExprKind::If(condition, then, otherwise) => {
            let head = broken(&format!("{prefix}if "), condition, " {", room);
            let then = indented(&broken("", then, "", inner));
            let rest = match &otherwise.kind {
                ExprKind::If(..) => broken("} else ", otherwise, suffix, room),
                _ => format!("}} else {{\n{}\n}}{suffix}", indented(&broken("", otherwise, "", inner))),
            };
            format!("{head}\n{then}\n{rest}")
        }
        ExprKind::Match(option, arms) => {
            let mut text = format!("{prefix}match {} {{\n", option.text);
            for (name, value) in arms {
                text += &indented(&broken(&format!("{} => ", name.text), value, ",", inner));
                text.push('\n');
            }
            text + "}" + suffix
        }
        ExprKind::Unary(operator, content) => {
            let sign = if *operator == UnaryOperator::Negate { "-" } else { "!" };
            broken(&format!("{prefix}{sign}"), content, suffix, room)
        }
        _ => format!("{prefix}{line}{suffix}"),
    }
}

/// Bracketed values, one a line; the last of several has no comma behind it.
fn wrapped(open: &str, values: &[&Expr], close: &str, inner: usize) -> String {
    let mut text = format!("{open}\n");
    for (index, value) in values.iter().enumerate() {
        let comma = if index + 1 == values.len() { "" } else { "," };
        text += &indented(&broken("", value, comma, inner));
        text.push('\n');
    }
    text + close
}

/// The terms of a left-grouped chain of one level, each with the operator before it.
fn chain<'a>(expr: &'a Expr, level: u8, terms: &mut Vec<(Option<&'static str>, &'a Expr)>) {
    match &expr.kind {
        ExprKind::Binary(operator, _, left, right) if operator.level() == level => {
            chain(left, level, terms);
            terms.push((Some(operator.symbol()), right));
        }
        _ => terms.push((None, expr)),
    }
}

/// Every line four spaces deeper.
pub(super) fn indented(text: &str) -> String {
    text.split('\n').map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
