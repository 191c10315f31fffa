//! Blocks and statements.

use super::expression::{assign_text, broken, flat, path_text, width};
use super::layout::Printer;
use crate::ast::{Block, Expr, For, Name, Statement, StatementKind};

impl Printer<'_> {
    /// `head { … }` on one line if that fits and the block holds at most two simple statements and no comment,
    /// else on several. `start` is where the head begins.
    pub(super) fn block(&mut self, head: &str, block: &Block, start: u32, tail: &str) {
        if let Some(line) = self.short_block(block) {
            let line = format!("{head} {line}{tail}");
            if !head.contains('\n') && width(&line) <= self.room() && !self.has_comment(start, block.span.end)
            {
                self.lines(&line);
                self.wrote(block.span.end);
                return;
            }
        }
        self.open_block(head, block, block.span.end);
        self.lines(&format!("}}{tail}"));
        self.wrote(block.span.end);
    }

    /// The head and the statements, without the closing brace.
    /// What stands before `end` belongs into the block.
    fn open_block(&mut self, head: &str, block: &Block, end: u32) {
        self.lines(&format!("{head} {{"));
        self.opened(block.span.start + 1);
        self.body(&block.statements, end);
    }

    /// Statements, and the comments behind them up to the closing brace.
    fn body(&mut self, statements: &[Statement], end: u32) {
        self.deeper();
        for statement in statements {
            self.before(statement.span.start);
            self.statement(statement);
        }
        self.closing(end);
    }

    /// The comments before a closing brace.
    pub(super) fn closing(&mut self, end: u32) {
        if self.has_comment_left(end.saturating_sub(1)) {
            self.before_brace(end - 1);
        }
        self.shallower();
    }

    fn short_block(&self, block: &Block) -> Option<String> {
        if block.statements.is_empty() {
            return Some("{ }".into());
        }
        if block.statements.len() > 2 {
            return None;
        }
        let lines: Option<Vec<String>> = block.statements.iter().map(simple).collect();
        Some(format!("{{ {} }}", lines?.join(" ")))
    }

    fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Let { value, .. } | StatementKind::Assign { value, .. } => {
                if self.has_comment(span.start, span.end) {
                    self.verbatim("", span, "");
                    return;
                }
                let text = broken(&left_side(&statement.kind), value, ";", self.room());
                self.lines(&text);
                self.wrote(span.end);
            }
            StatementKind::If { condition, then, otherwise } => {
                self.branches(span.start, condition, then, otherwise.as_ref());
            }
            StatementKind::Match { option, arms } => self.match_statement(span, option, arms),
            StatementKind::For(repeat) => {
                self.for_head(repeat);
                self.body(&repeat.body, span.end);
                self.lines("}");
                self.wrote(span.end);
            }
        }
    }

    /// `for k in a .. b {`
    pub(super) fn for_head<T>(&mut self, repeat: &For<T>) {
        let head =
            format!("for {} in {} .. {} {{", repeat.variable.text, flat(&repeat.start), flat(&repeat.end));
        self.lines(&head);
        self.opened(repeat.end.span.end);
    }

    fn branches(&mut self, start: u32, condition: &Expr, then: &Block, otherwise: Option<&Block>) {
        let head = broken("if ", condition, "", self.room().saturating_sub(2));
        let Some(last) = otherwise else {
            self.block(&head, then, start, "");
            return;
        };
        if let (Some(one), Some(two)) = (self.short_block(then), self.short_block(last))
            && then.statements.len() < 2
            && last.statements.len() < 2
        {
            let line = format!("{head} {one} else {two}");
            if !line.contains('\n') && width(&line) <= self.room() && !self.has_comment(start, last.span.end)
            {
                self.lines(&line);
                self.wrote(last.span.end);
                return;
            }
        }
        let mut head = head;
        let mut block = then;
        let mut rest = otherwise;
        loop {
            // A comment between `}` and `else` goes to the end of the block before.
            let end = rest.map_or(block.span.end, |next| next.span.start + 1);
            self.open_block(&head, block, end);
            self.wrote(block.span.end);
            let Some(next) = rest else { break };
            if let Some((condition, then, otherwise)) = self.else_if(next) {
                head = broken("} else if ", condition, "", self.room().saturating_sub(2));
                (block, rest) = (then, otherwise);
            } else {
                head = "} else".into();
                (block, rest) = (next, None);
            }
        }
        self.lines("}");
        self.wrote(block.span.end);
    }

    /// The `if` that an `else` block consists of.
    fn else_if<'b>(&self, block: &'b Block) -> Option<(&'b Expr, &'b Block, Option<&'b Block>)> {
        let [Statement { kind: StatementKind::If { condition, then, otherwise }, span }] =
            block.statements.as_slice()
        else {
            return None;
        };
        let plain =
            !self.has_comment(block.span.start, span.start) && !self.has_comment(span.end, block.span.end);
        plain.then_some((condition, then, otherwise.as_ref()))
    }

    fn match_statement(&mut self, span: crate::source::Span, option: &Name, arms: &[(Name, Block)]) {
        self.lines(&format!("match {} {{", option.text));
        self.opened(option.span.end);
        self.deeper();
        for (name, block) in arms {
            self.before(name.span.start);
            self.block(&format!("{} =>", name.text), block, name.span.start, "");
        }
        self.closing(span.end);
        self.lines("}");
        self.wrote(span.end);
    }
}

/// What stands before a statement's value.
fn left_side(kind: &StatementKind) -> String {
    match kind {
        StatementKind::Let { name, .. } => format!("let {} = ", name.text),
        StatementKind::Assign { target, index, operator, .. } => {
            let index = index.as_ref().map_or(String::new(), |index| format!("[{}]", flat(index)));
            format!("{}{index} {} ", path_text(target), assign_text(*operator))
        }
        StatementKind::If { .. } | StatementKind::Match { .. } | StatementKind::For(_) => String::new(),
    }
}

/// A statement without blocks, on one line.
fn simple(statement: &Statement) -> Option<String> {
    match &statement.kind {
        StatementKind::Let { value, .. } | StatementKind::Assign { value, .. } => {
            Some(format!("{}{};", left_side(&statement.kind), flat(value)))
        }
        StatementKind::If { .. } | StatementKind::Match { .. } | StatementKind::For(_) => None,
    }
}
