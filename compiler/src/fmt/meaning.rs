//! Whether two trees say the same: places, comments and brackets aside.

use crate::ast::{
    Argument, Block, Declaration, Doc, Domain, Equation, Expr, ExprKind, File, For, Function, Handler, Head,
    Item, ModifierKind, Name, Over, OverKind, Part, Path, Range, Rule, RuleBody, RuleItem, Statement,
    StatementKind, UnitExpr, UseTarget, When,
};

/// Whether two files mean the same: equal but for spans, comments and redundant brackets.
pub fn same_meaning(left: &File, right: &File) -> bool {
    all(&left.items, &right.items, |left, right| match (left, right) {
        (Item::Use(left), Item::Use(right)) => match (&left.target, &right.target) {
            (UseTarget::Path(left), UseTarget::Path(right)) => path(left, right),
            (UseTarget::File(left), UseTarget::File(right)) => name(left, right),
            _ => false,
        },
        (Item::Fn(left), Item::Fn(right)) => function(left, right),
        (Item::Const(left), Item::Const(right)) => declaration(left, right),
        (Item::Rule(left), Item::Rule(right)) => rule(left, right),
        _ => false,
    })
}

fn all<T>(left: &[T], right: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
}

fn both<T>(left: Option<&T>, right: Option<&T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(left, right),
        (None, None) => true,
        _ => false,
    }
}

fn name(left: &Name, right: &Name) -> bool {
    left.text == right.text
}

fn path(left: &Path, right: &Path) -> bool {
    all(&left.segments, &right.segments, name)
}

fn docs(left: &[Doc], right: &[Doc]) -> bool {
    all(left, right, |left, right| left.text == right.text)
}

fn function(left: &Function, right: &Function) -> bool {
    docs(&left.docs, &right.docs)
        && name(&left.name, &right.name)
        && all(&left.parameters, &right.parameters, name)
        && expr(&left.body, &right.body)
}

fn rule(left: &Rule, right: &Rule) -> bool {
    docs(&left.docs, &right.docs)
        && name(&left.name, &right.name)
        && match (&left.body, &right.body) {
            (RuleBody::Items(left), RuleBody::Items(right)) => all(left, right, item),
            (
                RuleBody::Composition { declarations: left, parts: left_parts },
                RuleBody::Composition { declarations: right, parts: right_parts },
            ) => all(left, right, declaration) && all(left_parts, right_parts, part),
            _ => false,
        }
}

fn part(left: &Part, right: &Part) -> bool {
    let argument =
        |left: &Argument, right: &Argument| path(&left.name, &right.name) && expr(&left.value, &right.value);
    path(&left.rule, &right.rule)
        && all(&left.arguments, &right.arguments, argument)
        && both(left.alias.as_ref(), right.alias.as_ref(), name)
}

fn item(left: &RuleItem, right: &RuleItem) -> bool {
    match (left, right) {
        (RuleItem::Declaration(left), RuleItem::Declaration(right)) => declaration(left, right),
        (RuleItem::Fn(left), RuleItem::Fn(right)) => function(left, right),
        (RuleItem::Equation(left), RuleItem::Equation(right)) => equation(left, right),
        (RuleItem::Solver(left, _), RuleItem::Solver(right, _)) => name(left, right),
        (RuleItem::Batch(left, _), RuleItem::Batch(right, _)) => name(left, right),
        (RuleItem::Apply(left, _), RuleItem::Apply(right, _)) => when(left, right),
        (RuleItem::For(left), RuleItem::For(right)) => repeat(left, right, item),
        (RuleItem::Handler(left), RuleItem::Handler(right)) => handler(left, right),
        _ => false,
    }
}

fn equation(left: &Equation, right: &Equation) -> bool {
    docs(&left.docs, &right.docs)
        && name(&left.variable, &right.variable)
        && both(left.index.as_ref(), right.index.as_ref(), expr)
        && expr(&left.value, &right.value)
}

fn handler(left: &Handler, right: &Handler) -> bool {
    let head = match (&left.head, &right.head) {
        (Head::OnPre(left), Head::OnPre(right)) | (Head::OnPost(left), Head::OnPost(right)) => {
            both(left.as_ref(), right.as_ref(), expr)
        }
        (Head::When(left), Head::When(right)) => when(left, right),
        (Head::OnCreate, Head::OnCreate)
        | (Head::Update, Head::Update)
        | (Head::Modulate, Head::Modulate)
        | (Head::Apply, Head::Apply)
        | (Head::Constrain, Head::Constrain) => true,
        _ => false,
    };
    head && docs(&left.docs, &right.docs) && block(&left.body, &right.body)
}

fn when(left: &When, right: &When) -> bool {
    match (left, right) {
        (When::Call(left), When::Call(right)) => name(left, right),
        (When::Every { period: left, steps }, When::Every { period: right, steps: other }) => {
            steps == other && expr(left, right)
        }
        _ => false,
    }
}

fn repeat<T>(left: &For<T>, right: &For<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    name(&left.variable, &right.variable)
        && expr(&left.start, &right.start)
        && expr(&left.end, &right.end)
        && all(&left.body, &right.body, same)
}

fn domain(left: &Domain, right: &Domain) -> bool {
    match (left, right) {
        (Domain::Per(left), Domain::Per(right)) => name(left, right),
        _ => left == right,
    }
}

fn declaration(left: &Declaration, right: &Declaration) -> bool {
    let modifiers = all(&left.modifiers, &right.modifiers, |left, right| match (&left.kind, &right.kind) {
        (ModifierKind::Domain(left), ModifierKind::Domain(right)) => domain(left, right),
        (left, right) => left == right,
    });
    let range = both(left.range.as_ref(), right.range.as_ref(), |left, right| match (left, right) {
        (Range::Between(low, high), Range::Between(other_low, other_high)) => {
            expr(low, other_low) && expr(high, other_high)
        }
        (Range::Names(left, _), Range::Names(right, _)) => all(left, right, name),
        _ => false,
    });
    modifiers
        && range
        && docs(&left.docs, &right.docs)
        && path(&left.name, &right.name)
        && both(left.length.as_ref(), right.length.as_ref(), expr)
        && both(left.unit.as_ref(), right.unit.as_ref(), unit)
        && both(left.value.as_ref(), right.value.as_ref(), expr)
}

fn unit(left: &UnitExpr, right: &UnitExpr) -> bool {
    all(&left.terms, &right.terms, |left, right| {
        name(&left.name, &right.name) && left.exponent == right.exponent && left.divide == right.divide
    })
}

fn block(left: &Block, right: &Block) -> bool {
    all(&left.statements, &right.statements, statement)
}

fn statement(left: &Statement, right: &Statement) -> bool {
    use StatementKind::{Assign, For, If, Let, Match};
    match (&left.kind, &right.kind) {
        (Let { name: left, value }, Let { name: right, value: other }) => {
            name(left, right) && expr(value, other)
        }
        (
            Assign { target, index, operator, value },
            Assign { target: other_target, index: other_index, operator: other_operator, value: other_value },
        ) => {
            path(target, other_target)
                && both(index.as_ref(), other_index.as_ref(), expr)
                && operator == other_operator
                && expr(value, other_value)
        }
        (
            If { condition, then, otherwise },
            If { condition: other_condition, then: other_then, otherwise: other_otherwise },
        ) => {
            expr(condition, other_condition)
                && block(then, other_then)
                && both(otherwise.as_ref(), other_otherwise.as_ref(), block)
        }
        (Match { option, arms }, Match { option: other_option, arms: other_arms }) => {
            name(option, other_option)
                && all(arms, other_arms, |left, right| name(&left.0, &right.0) && block(&left.1, &right.1))
        }
        (For(left), For(right)) => repeat(left, right, statement),
        _ => false,
    }
}

fn expr(left: &Expr, right: &Expr) -> bool {
    use ExprKind::{Array, Binary, Call, Error, Group, If, Index, Match, Number, Path, Unary};
    match (&left.kind, &right.kind) {
        (Group(left), _) => expr(left, right),
        (_, Group(right)) => expr(left, right),
        (Number(left), Number(right)) => {
            left.text == right.text
                && both(left.unit.as_ref(), right.unit.as_ref(), |left, right| {
                    name(&left.0, &right.0) && left.1 == right.1
                })
        }
        (Path(left), Path(right)) => path(left, right),
        (Index(left, index), Index(right, other)) => path(left, right) && expr(index, other),
        (
            Call { function, over, arguments },
            Call { function: other_function, over: other_over, arguments: other_arguments },
        ) => {
            name(function, other_function)
                && both(over.as_ref(), other_over.as_ref(), same_over)
                && all(arguments, other_arguments, expr)
        }
        (Array(left), Array(right)) => all(left, right, expr),
        (Unary(operator, left), Unary(other, right)) => operator == other && expr(left, right),
        (Binary(operator, _, a, b), Binary(other, _, c, d)) => operator == other && expr(a, c) && expr(b, d),
        (If(a, b, c), If(d, e, f)) => expr(a, d) && expr(b, e) && expr(c, f),
        (Match(option, arms), Match(other, other_arms)) => {
            name(option, other)
                && all(arms, other_arms, |left, right| name(&left.0, &right.0) && expr(&left.1, &right.1))
        }
        (Error, Error) => true,
        _ => false,
    }
}

fn same_over(left: &Over, right: &Over) -> bool {
    match (&left.kind, &right.kind) {
        (OverKind::Domain(left), OverKind::Domain(right)) => domain(left, right),
        (OverKind::PostBy(left), OverKind::PostBy(right)) => expr(left, right),
        (OverKind::Batch, OverKind::Batch) | (OverKind::Position, OverKind::Position) => true,
        _ => false,
    }
}
