//! Expressions: from the grammar's flat lists to trees, by the table of levels.
//!
//! Lists are folded with two stacks, so a long chain costs no recursion. Brackets recurse; the scan has bounded
//! them. The depth of every tree is known while it grows, and a tree that would become too deep to be walked by
//! recursion is replaced by [`ExprKind::Error`].

use super::super::grammar::{Node, Rule};
use super::super::scan::MAX_NESTING;
use super::{Context, only};
use crate::ast::{BinaryOperator, Expr, ExprKind, Number, Over, OverKind, UnaryOperator};
use crate::diag::{Diagnostic, code};
use crate::source::Span;

/// Operators in one chain.
pub(in crate::parse) const MAX_CHAIN: usize = 256;
/// Depth of one expression's tree.
pub(in crate::parse) const MAX_DEPTH: usize = 384;

/// An expression and the depth of its tree.
struct Deep {
    expr: Expr,
    depth: usize,
}

/// What waits for its right side.
enum Waiting {
    Prefix(UnaryOperator, Span),
    Binary(BinaryOperator, Span),
}

impl Waiting {
    fn level(&self) -> u8 {
        match self {
            Waiting::Prefix(..) => 6,
            Waiting::Binary(operator, _) => operator.level(),
        }
    }
}

impl Context<'_> {
    /// The tree of one expression.
    pub(super) fn expression(&mut self, pair: Node<'_>) -> Expr {
        self.deep(pair).expr
    }

    fn deep(&mut self, pair: Node<'_>) -> Deep {
        let span = self.span(&pair);
        if pair.as_rule() != Rule::expr {
            crate::ice!("{:?} is no expression", pair.as_rule());
        }
        let children = self.children(pair);
        if self.chain_too_long(children.as_slice(), span) {
            return Deep { expr: Expr { kind: ExprKind::Error, span }, depth: 1 };
        }
        let mut values: Vec<Deep> = Vec::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        for child in children {
            let here = self.span(&child);
            if child.as_rule() == Rule::binary {
                let operator = binary_operator(child.as_str());
                self.settle(operator, here, &mut values, &mut waiting);
                waiting.push(Waiting::Binary(operator, here));
                continue;
            }
            for part in self.children(child) {
                if part.as_rule() == Rule::prefix {
                    let operator =
                        if part.as_str() == "-" { UnaryOperator::Negate } else { UnaryOperator::Not };
                    waiting.push(Waiting::Prefix(operator, self.span(&part)));
                } else {
                    let value = self.primary(part);
                    values.push(value);
                }
            }
        }
        while let Some(last) = waiting.pop() {
            self.fold(last, &mut values);
        }
        match values.pop() {
            Some(value) => value,
            None => crate::ice!("an expression without operands"),
        }
    }

    fn chain_too_long(&mut self, children: &[Node<'_>], span: Span) -> bool {
        let prefixes: usize = children
            .iter()
            .filter(|child| child.as_rule() == Rule::operand)
            .map(|child| child.clone().into_inner().len() - 1)
            .sum();
        let operators = prefixes + children.len() / 2;
        if operators <= MAX_CHAIN {
            return false;
        }
        let problem = Diagnostic::new(
            code::CHAIN_TOO_LONG,
            span,
            format!("{operators} operators follow each other, and {MAX_CHAIN} are the most"),
        );
        self.report(problem.help("give parts of the expression names with `let`"));
        true
    }

    /// Folds what binds tighter than the operator that comes next.
    fn settle(
        &mut self,
        next: BinaryOperator,
        here: Span,
        values: &mut Vec<Deep>,
        waiting: &mut Vec<Waiting>,
    ) {
        loop {
            let Some(last) = waiting.last() else { return };
            let tighter = last.level() > next.level();
            let same = last.level() == next.level() && next != BinaryOperator::Power;
            if !(tighter || same) {
                return;
            }
            if let Waiting::Binary(_, first) = last
                && same
                && next.level() == 3
            {
                let problem = Diagnostic::new(code::COMPARISON_CHAIN, here, "comparisons cannot be chained")
                    .label("second comparison")
                    .also(*first, "first comparison");
                self.report(problem.help("write `a < b && b < c`"));
            }
            if let Some(last) = waiting.pop() {
                self.fold(last, values);
            }
        }
    }

    fn fold(&mut self, last: Waiting, values: &mut Vec<Deep>) {
        let Some(right) = values.pop() else { crate::ice!("an operator without an operand") };
        let folded = match last {
            Waiting::Prefix(operator, span) => {
                let whole = span.to(right.expr.span);
                let depth = right.depth + 1;
                Deep {
                    expr: Expr { kind: ExprKind::Unary(operator, Box::new(right.expr)), span: whole },
                    depth,
                }
            }
            Waiting::Binary(operator, span) => {
                let Some(left) = values.pop() else { crate::ice!("an operator without a left operand") };
                let whole = left.expr.span.to(right.expr.span);
                let depth = left.depth.max(right.depth) + 1;
                let kind = ExprKind::Binary(operator, span, Box::new(left.expr), Box::new(right.expr));
                Deep { expr: Expr { kind, span: whole }, depth }
            }
        };
        let bounded = self.bounded(folded);
        values.push(bounded);
    }

    fn bounded(&mut self, deep: Deep) -> Deep {
        if deep.depth <= MAX_DEPTH {
            return deep;
        }
        let span = deep.expr.span;
        let problem = Diagnostic::new(
            code::EXPRESSION_TOO_DEEP,
            span,
            format!("this expression is more than {MAX_DEPTH} operations deep"),
        );
        self.report(problem.help("give inner parts names with `let`"));
        Deep { expr: Expr { kind: ExprKind::Error, span }, depth: 1 }
    }

    fn primary(&mut self, pair: Node<'_>) -> Deep {
        let span = self.span(&pair);
        let inner = only(&mut self.children(pair), "value");
        let mut depth = 0;
        let kind = match inner.as_rule() {
            Rule::quantity => self.quantity(inner),
            Rule::if_expr => return self.if_expression(inner, span),
            Rule::match_expr => {
                let mut children = self.children(inner);
                let option = self.name(&only(&mut children, "option"));
                let mut arms = Vec::new();
                for arm in children {
                    let mut arm = self.children(arm);
                    let name = self.name(&only(&mut arm, "value"));
                    arms.push((name, self.inner(only(&mut arm, "expression"), &mut depth)));
                }
                ExprKind::Match(option, arms)
            }
            Rule::call => {
                let mut children = self.children(inner).peekable();
                let function = self.name(&only(&mut children, "function"));
                let over = children.next_if(|child| child.as_rule() == Rule::over);
                let over = over.map(|over| self.over(over, &mut depth));
                let arguments = children.map(|argument| self.inner(argument, &mut depth)).collect();
                ExprKind::Call { function, over, arguments }
            }
            Rule::indexed => {
                let mut children = self.children(inner);
                let path = self.path(only(&mut children, "path"));
                match children.next() {
                    Some(index) => {
                        let index = only(&mut self.children(index), "index");
                        ExprKind::Index(path, Box::new(self.inner(index, &mut depth)))
                    }
                    None => ExprKind::Path(path),
                }
            }
            Rule::group => {
                let content = only(&mut self.children(inner), "content");
                ExprKind::Group(Box::new(self.inner(content, &mut depth)))
            }
            Rule::array => {
                let children = self.children(inner);
                ExprKind::Array(children.map(|value| self.inner(value, &mut depth)).collect())
            }
            other => crate::ice!("{other:?} is no value"),
        };
        self.bounded(Deep { expr: Expr { kind, span }, depth: depth + 1 })
    }

    /// An expression within another; `depth` becomes at least its depth.
    fn inner(&mut self, pair: Node<'_>, depth: &mut usize) -> Expr {
        let deep = self.deep(pair);
        *depth = deep.depth.max(*depth);
        deep.expr
    }

    fn over(&mut self, pair: Node<'_>, depth: &mut usize) -> Over {
        let outer = self.span(&pair);
        let inner = only(&mut self.children(pair), "domain");
        let mut span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::over_batch => OverKind::Batch,
            Rule::over_position => OverKind::Position,
            Rule::post_by => {
                let count = only(&mut self.children(inner), "count");
                OverKind::PostBy(Box::new(self.inner(count, depth)))
            }
            _ => OverKind::Domain(self.domain(inner)),
        };
        span.end = span.end.min(outer.end);
        Over { kind, span }
    }

    fn if_expression(&mut self, pair: Node<'_>, span: Span) -> Deep {
        let mut parts: Vec<Deep> = Vec::new();
        for child in self.children(pair) {
            let part = self.deep(child);
            parts.push(part);
        }
        if parts.len() > 2 * MAX_NESTING + 1 {
            self.chain_of_branches(span);
            return Deep { expr: Expr { kind: ExprKind::Error, span }, depth: 1 };
        }
        let Some(mut otherwise) = parts.pop() else { crate::ice!("an `if` without branches") };
        while let (Some(then), Some(condition)) = (parts.pop(), parts.pop()) {
            let depth = condition.depth.max(then.depth).max(otherwise.depth) + 1;
            let whole = if parts.is_empty() {
                span
            } else {
                self.with_keyword(condition.expr.span).to(otherwise.expr.span)
            };
            let kind = ExprKind::If(Box::new(condition.expr), Box::new(then.expr), Box::new(otherwise.expr));
            otherwise = self.bounded(Deep { expr: Expr { kind, span: whole }, depth });
        }
        otherwise
    }

    fn quantity(&mut self, pair: Node<'_>) -> ExprKind {
        let span = self.span(&pair);
        let mut children = self.children(pair);
        let text = only(&mut children, "number").as_str().to_owned();
        let unit = children.next().map(|unit| self.name(&unit));
        let whole = !text.contains(['.', 'e', 'E']);
        let value = match text.replace('_', "").parse::<f64>() {
            Ok(value) if value.is_finite() => value,
            _ => {
                let problem = Diagnostic::new(code::NUMBER_TOO_LARGE, span, "this number is too large");
                self.report(problem.help("the largest is about 1.8e308; infinity is `inf`"));
                return ExprKind::Error;
            }
        };
        ExprKind::Number(Number { text, value, whole, unit: unit.map(|unit| (unit, 1)) })
    }
}

fn binary_operator(symbol: &str) -> BinaryOperator {
    match symbol {
        "^" => BinaryOperator::Power,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Remainder,
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterEqual,
        "&&" => BinaryOperator::And,
        "||" => BinaryOperator::Or,
        other => crate::ice!("`{other}` is no operator"),
    }
}
