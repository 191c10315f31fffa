//! Blocks and statements.

use super::super::explain::Place;
use super::super::grammar::{Node, Rule};
use super::super::scan::MAX_NESTING;
use super::{Context, only};
use crate::ast::{AssignOperator, Block, Expr, For, Statement, StatementKind};
use crate::diag::{Diagnostic, code};
use crate::source::Span;

impl Context<'_> {
    /// A block with its braces.
    pub(super) fn block(&mut self, pair: Node<'_>) -> Block {
        let span = self.span(&pair);
        let children = self.children(pair);
        Block { statements: self.statements(children), span }
    }

    fn statements(&mut self, children: std::vec::IntoIter<Node<'_>>) -> Vec<Statement> {
        let mut children = children.peekable();
        let mut statements = Vec::new();
        while let Some(child) = children.next_if(|child| child.as_rule() == Rule::statement) {
            if let Some(statement) = self.statement(child) {
                statements.push(statement);
            }
        }
        let docs = self.docs(&mut children);
        self.stray_docs(&docs, "the end of a block");
        statements
    }

    fn statement(&mut self, pair: Node<'_>) -> Option<Statement> {
        let mut children = self.children(pair).peekable();
        let docs = self.docs(&mut children);
        self.stray_docs(&docs, "a statement");
        let core = only(&mut children, "statement");
        let span = self.span(&core);
        let kind = match core.as_rule() {
            Rule::let_statement => {
                let mut parts = self.children(core);
                let name = self.declared_name(&only(&mut parts, "name"));
                StatementKind::Let { name, value: self.expression(only(&mut parts, "value")) }
            }
            Rule::assign => self.assign(core),
            Rule::if_statement => self.if_statement(core, span),
            Rule::match_statement => {
                let mut parts = self.children(core);
                let option = self.name(&only(&mut parts, "option"));
                let mut arms = Vec::new();
                for arm in parts {
                    let mut arm = self.children(arm);
                    let name = self.name(&only(&mut arm, "value"));
                    arms.push((name, self.block(only(&mut arm, "block"))));
                }
                StatementKind::Match { option, arms }
            }
            Rule::for_statement => {
                let mut parts = self.children(core);
                let variable = self.declared_name(&only(&mut parts, "index"));
                let start = self.expression(only(&mut parts, "start"));
                let end = self.expression(only(&mut parts, "end"));
                StatementKind::For(For { variable, start, end, body: self.statements(parts), span })
            }
            _ => {
                self.explain(&core, Place::Block);
                return None;
            }
        };
        Some(Statement { kind, span })
    }

    fn assign(&mut self, pair: Node<'_>) -> StatementKind {
        let mut children = self.children(pair).peekable();
        let target = self.path(only(&mut children, "target"));
        let index = self.optional_index(&mut children);
        let operator = match only(&mut children, "operator").as_str() {
            "=" => AssignOperator::Set,
            "+=" => AssignOperator::Add,
            "-=" => AssignOperator::Subtract,
            "*=" => AssignOperator::Multiply,
            "/=" => AssignOperator::Divide,
            other => crate::ice!("`{other}` assigns nothing"),
        };
        let value = self.expression(only(&mut children, "value"));
        StatementKind::Assign { target, index, operator, value }
    }

    /// `if a { } else if b { } else { }`, from the last branch to the first.
    fn if_statement(&mut self, pair: Node<'_>, span: Span) -> StatementKind {
        let mut branches: Vec<(Expr, Block)> = Vec::new();
        let mut condition = None;
        let mut otherwise = None;
        for child in self.children(pair) {
            if child.as_rule() == Rule::expr {
                condition = Some(self.expression(child));
                continue;
            }
            let block = self.block(child);
            match condition.take() {
                Some(condition) => branches.push((condition, block)),
                None => otherwise = Some(block),
            }
        }
        if branches.len() > MAX_NESTING {
            self.chain_of_branches(span);
            branches.truncate(1);
        }
        let Some((mut condition, mut then)) = branches.pop() else {
            crate::ice!("an `if` without a condition")
        };
        while let Some((outer, block)) = branches.pop() {
            let end = otherwise.as_ref().map_or(then.span, |last: &Block| last.span);
            let inner_span = self.with_keyword(condition.span).to(end);
            let inner =
                Statement { kind: StatementKind::If { condition, then, otherwise }, span: inner_span };
            otherwise = Some(Block { statements: vec![inner], span: inner_span });
            (condition, then) = (outer, block);
        }
        StatementKind::If { condition, then, otherwise }
    }

    /// A condition's span from its `if` on.
    pub(super) fn with_keyword(&self, condition: Span) -> Span {
        let keyword = self.token_before(condition.start as usize);
        keyword.map_or(condition, |token| self.span_of(token.start, condition.end as usize))
    }

    /// Reports a chain of `else if` that is too long.
    pub(super) fn chain_of_branches(&mut self, span: Span) {
        let problem = Diagnostic::new(
            code::CHAIN_TOO_LONG,
            span,
            format!("more than {MAX_NESTING} branches follow each other in this `if`"),
        );
        self.report(problem.help("split it"));
    }
}
