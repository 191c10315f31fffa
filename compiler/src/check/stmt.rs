//! Statements: what a block does, unrolled, with every condition a local of its own.
//!
//! Statements are gathered in a flat list, each with the conditions around it, and put into blocks at the end. So an
//! increment of an output that has become a sum over the synapses can stand outside the conditions that have moved
//! into the sum.

use super::access::is_position;
use super::context::{Binding, Checker, Condition, DrawAt, Emitted, STATEMENT_LIMIT, Stage, Symbol, Value};
use super::unit::Dimension;
use crate::ast::{self, AssignOperator, Block, Expr, ExprKind as Ast, For, Name, Path, StatementKind};
use crate::diag::{Diagnostic, code};
use crate::ir::{self, AssignOp, ExprId, Shape, Statement, Type, VarId, VarKind};
use crate::source::Span;

impl Checker<'_> {
    /// A handler's body, behind a condition where it has one.
    pub fn handler(&mut self, stage: Stage, spike: Option<(ExprId, Span)>, body: &Block) -> ir::Block {
        self.at(stage, DrawAt::Nowhere, |c| {
            if let Some((spike, span)) = spike {
                c.open_condition(spike, span);
            }
            c.block(body);
            c.conditions.clear();
            let emitted = std::mem::take(&mut c.emitted);
            nest(&emitted, 0)
        })
    }

    fn block(&mut self, block: &Block) {
        self.environment.blocks.push(Vec::new());
        for statement in &block.statements {
            if self.exhausted {
                break;
            }
            self.statement(statement);
        }
        self.environment.blocks.pop();
    }

    /// Adds a statement under the conditions that are open.
    fn emit(&mut self, path: Vec<Condition>, statement: Statement, span: Span) {
        self.turn(span);
        self.emitted.push(Emitted { path, statement });
    }

    /// Counts a statement, or a turn of a loop, against the limit.
    pub fn turn(&mut self, span: Span) {
        self.turns += 1;
        if self.turns > STATEMENT_LIMIT && !self.exhausted {
            self.exhausted = true;
            let message =
                format!("the rule has more than {STATEMENT_LIMIT} statements once loops are unrolled");
            self.error(code::STATEMENT_LIMIT, span, message);
        }
    }

    fn statement(&mut self, statement: &ast::Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Let { name, value } => self.let_statement(name, value, span),
            StatementKind::Assign { target, index, operator, value } => {
                self.assign(target, index.as_ref(), *operator, value, span);
            }
            StatementKind::If { condition, then, otherwise } => {
                self.if_statement(condition, then, otherwise.as_ref());
            }
            StatementKind::Match { option, arms } => {
                let names: Vec<&Name> = arms.iter().map(|(name, _)| name).collect();
                if let Some(chosen) = self.choose(option, &names, span) {
                    self.block(&arms[chosen].1);
                }
            }
            StatementKind::For(repeated) => {
                let Some(range) = self.loop_range(repeated) else { return };
                for index in range {
                    if self.exhausted {
                        return;
                    }
                    self.turn(span);
                    self.bind_index(&repeated.variable, index);
                    for statement in &repeated.body {
                        self.statement(statement);
                    }
                    self.environment.blocks.pop();
                }
            }
        }
    }

    /// The turns of a loop.
    pub fn loop_range<T>(&mut self, repeated: &For<T>) -> Option<std::ops::Range<i64>> {
        let free = self.check_local_name(&repeated.variable);
        let start = self.constant_number(&repeated.start, "the start of a loop");
        let end = self.constant_number(&repeated.end, "the end of a loop");
        let (start, end) = (start?, end?);
        if end - start > STATEMENT_LIMIT as f64 || start.abs().max(end.abs()) > 1e9 {
            let message = format!("this loop turns {} times; the limit is {STATEMENT_LIMIT}", end - start);
            self.error(code::STATEMENT_LIMIT, repeated.span, message);
            return None;
        }
        free.then_some(start as i64..end as i64)
    }

    /// Opens the block of one turn.
    pub fn bind_index(&mut self, variable: &Name, index: i64) {
        let id = self.builder.number(index as f64, variable.span);
        let value = Value { id, dimension: Some(Dimension::NONE), whole: true };
        self.environment.blocks.push(vec![(variable.text.clone(), Binding::Value(value), variable.span)]);
    }

    /// Whether a name may be given to a local; reports where not.
    fn check_local_name(&mut self, name: &Name) -> bool {
        if !super::names::check_declarable(name, false, self.diagnostics) {
            return false;
        }
        let earlier = match self.environment.find(&name.text) {
            Some((_, _, span)) => Some(Some(*span)),
            None => self.symbols.get(&name.text).map(|symbol| match symbol {
                Symbol::Variable(variable) => Some(self.builder.rule.variables[*variable].span),
                Symbol::Constant(declaration) => Some(declaration.span),
                Symbol::Option(_) | Symbol::Poison => None,
            }),
        };
        if let Some(earlier) = earlier {
            let message = format!("`{}` is declared already, and a local name cannot shadow it", name.text);
            let mut diagnostic =
                Diagnostic::new(code::SHADOWED, name.span, message).help("choose another name");
            if let Some(span) = earlier {
                diagnostic = diagnostic.also(span, "declared here");
            }
            self.report(diagnostic);
            return false;
        }
        true
    }

    fn let_statement(&mut self, name: &Name, value: &Expr, span: Span) {
        let free = self.check_local_name(name);
        let at = self.draw_place(DrawAt::Named(false));
        if let Ast::Call { function, over: Some(_), .. } = &value.kind
            && super::draw::distribution(&function.text).is_some()
        {
            self.draw_name = Some(format!("{}.{}", self.settings.part, name.text));
        }
        let stage = self.stage;
        let result = self.at(stage, at, |c| c.expr(value));
        self.draw_name = None;
        let binding = match result {
            // Known when a parameter changes: it is its own name.
            Some(value) if self.builder.is_wide(value.id) => Binding::Value(value),
            Some(value) => {
                let local = self.builder.declare(&name.text, value.id);
                let conditions = self.conditions.clone();
                self.emit(conditions, Statement::Let { local, value: value.id, span }, span);
                let id = self.builder.local(local, name.span);
                Binding::Value(Value { id, whole: false, ..value })
            }
            None => Binding::Poison,
        };
        if free && let Some(block) = self.environment.blocks.last_mut() {
            block.push((name.text.clone(), binding, name.span));
        }
    }

    /// Draws are possible at all at this stage.
    fn draw_place(&self, at: DrawAt) -> DrawAt {
        match self.stage {
            Stage::Update | Stage::Modulate | Stage::Apply | Stage::Create | Stage::Call | Stage::Every => at,
            Stage::Constant(_)
            | Stage::Global(_)
            | Stage::Initial(_)
            | Stage::Equation
            | Stage::Constrain => DrawAt::Nowhere,
        }
    }

    fn open_condition(&mut self, id: ExprId, span: Span) {
        let id = self.condition(id, span);
        let name = format!("%{}", self.builder.rule.locals.len());
        let local = self.builder.declare(name, id);
        let around = self.conditions.clone();
        self.emit(around, Statement::Let { local, value: id, span }, span);
        let shape = self.builder.shape(id);
        let local = self.builder.local(local, span);
        self.condition_count += 1;
        self.conditions.push(Condition { number: self.condition_count, holds: true, local, shape, span });
    }

    fn if_statement(&mut self, condition: &Expr, then: &Block, otherwise: Option<&Block>) {
        let mut shapes = Vec::new();
        self.governed(then, &mut shapes);
        if let Some(block) = otherwise {
            self.governed(block, &mut shapes);
        }
        let at = match shapes.as_slice() {
            [shape] => DrawAt::Target(*shape),
            several => DrawAt::Named(!several.is_empty() && several.iter().all(|shape| shape.batched)),
        };
        let at = self.draw_place(at);
        let stage = self.stage;
        let value = self.at(stage, at, |c| c.expr(condition));
        // Without a condition the blocks are still looked at for their own mistakes.
        let Some(value) = value else {
            self.block(then);
            if let Some(block) = otherwise {
                self.block(block);
            }
            return;
        };
        self.open_condition(value.id, condition.span);
        self.block(then);
        if let Some(last) = self.conditions.last_mut() {
            last.holds = false;
        }
        if let Some(block) = otherwise {
            self.block(block);
        }
        self.conditions.pop();
    }

    /// The shapes of the targets in a block, each once.
    fn governed(&self, block: &Block, shapes: &mut Vec<Shape>) {
        let mut work: Vec<&ast::Statement> = block.statements.iter().collect();
        while let Some(statement) = work.pop() {
            match &statement.kind {
                StatementKind::Assign { target, .. } => {
                    if let Some(Symbol::Variable(variable)) =
                        target.single().and_then(|name| self.symbols.get(&name.text))
                    {
                        let shape = self.builder.rule.variables[*variable].shape;
                        if !shapes.contains(&shape) {
                            shapes.push(shape);
                        }
                    }
                }
                StatementKind::If { then, otherwise, .. } => {
                    work.extend(
                        then.statements.iter().chain(otherwise.iter().flat_map(|block| &block.statements)),
                    );
                }
                StatementKind::Match { arms, .. } => {
                    work.extend(arms.iter().flat_map(|(_, block)| &block.statements));
                }
                StatementKind::For(repeated) => work.extend(&repeated.body),
                StatementKind::Let { .. } => {}
            }
        }
    }

    fn assign(
        &mut self,
        path: &Path,
        index: Option<&Expr>,
        operator: AssignOperator,
        value: &Expr,
        span: Span,
    ) {
        let index = match index {
            Some(index) => self.index(index).map(Some),
            None => Some(None),
        };
        let target = self.target(path).and_then(|variable| {
            let element = self.element(variable, &path.dotted(), index?, path.span)?;
            self.may_write(variable, operator, path.span).then_some((variable, element))
        });
        let at = match &target {
            Some((variable, _)) => DrawAt::Target(self.builder.rule.variables[*variable].shape),
            // The target's mistake is reported; its draws are not.
            None => DrawAt::Target(Shape::of(ir::Domain::Synapse)),
        };
        let at = self.draw_place(at);
        let stage = self.stage;
        let result = self.at(stage, at, |c| match target {
            Some((variable, element)) => c.assigned(variable, element, operator, value, span),
            None => c.expr(value).map(|value| (AssignOp::Set, value)),
        });
        if let (Some((variable, element)), Some((op, value_))) = (target, result) {
            self.write(Write { variable, element, op, value: value_, place: value.span, span });
        }
    }

    /// The value of an assignment, `*=` and `/=` written out.
    fn assigned(
        &mut self,
        variable: VarId,
        element: u32,
        operator: AssignOperator,
        value: &Expr,
        span: Span,
    ) -> Option<(AssignOp, Value)> {
        let dimension = self.dimensions[variable.index()];
        let name = self.builder.rule.variables[variable].name.clone();
        let own =
            |c: &mut Self| Value { id: c.builder.load(variable, element, span), dimension, whole: false };
        Some(match operator {
            AssignOperator::Set | AssignOperator::Add | AssignOperator::Subtract => {
                let result = self.expr(value)?;
                self.expect_dimension(result, value.span, dimension, &format!("`{name}`"));
                let op = match operator {
                    AssignOperator::Add => AssignOp::Add,
                    AssignOperator::Subtract => AssignOp::Subtract,
                    _ => AssignOp::Set,
                };
                (op, result)
            }
            AssignOperator::Multiply => {
                let old = own(self);
                let result = self.multiply_by(old, value, span)?;
                self.expect_scale(result, dimension, value.span);
                (AssignOp::Set, result)
            }
            AssignOperator::Divide => {
                let old = own(self);
                let divisor = self.expr(value)?;
                self.expect_plain(divisor, value.span, "`/=`");
                (AssignOp::Set, self.divide(old, divisor, span))
            }
        })
    }

    /// `x *= e` keeps the dimension of `x`.
    fn expect_scale(&mut self, result: Value, own: Option<Dimension>, span: Span) {
        if let (Some(result), Some(own)) = (result.dimension, own)
            && result != own
        {
            let factor = result.divide(own).unwrap_or(result);
            let text = self.text(span);
            let message = format!("`*=` needs a dimensionless value, {text} {}", factor.says());
            self.error(code::NOT_DIMENSIONLESS, span, message);
        }
    }

    /// Converts the value, checks where it lives and adds the statement.
    fn write(&mut self, write: Write) {
        let Write { variable, element, op, value, place, span } = write;
        let Some(id) = self.stored(variable, value, place) else { return };
        let shape = self.builder.shape(id);
        if op != AssignOp::Set {
            let ir::Variable { kind, shape: own, .. } = self.builder.rule.variables[variable];
            if kind == VarKind::Output || (self.stage == Stage::Update && self.sums_positions(own, shape)) {
                return self.transmit(write, id);
            }
        }
        let target = super::access::Target { variable, increment: op != AssignOp::Set };
        if self.check_shapes(target, shape, place) {
            let conditions = self.conditions.clone();
            self.emit(conditions, Statement::Assign { variable, element, op, value: id, span }, span);
        }
    }

    /// The value in the type of its target.
    pub fn stored(&mut self, variable: VarId, value: Value, span: Span) -> Option<ExprId> {
        let ir::Variable { ty, name, .. } = &self.builder.rule.variables[variable];
        if *ty != Type::Int {
            let id = self.number(value.id, span);
            return Some(self.real(id, span));
        }
        let name = name.clone();
        if let Some(number) = self.whole(value) {
            return Some(self.builder.integer(number, span));
        }
        match self.ty(value.id) {
            Type::Int => Some(value.id),
            Type::Bool => Some(self.builder.convert(value.id, Type::Int, span)),
            Type::Wide | Type::Real => {
                let text = self.text(span);
                let message = format!("`{name}` counts in whole numbers, and {text} is a real number");
                let help = "use whole literals, counts, conditions and other `int` states, or drop `: int`";
                self.report(Diagnostic::new(code::INTEGER_STATE, span, message).help(help));
                None
            }
        }
    }

    /// Whether an increment of a channel, with its conditions, is one of the channel's neurons.
    fn sums_positions(&self, own: Shape, value: Shape) -> bool {
        let conditions = self.conditions.iter().map(|condition| condition.shape);
        let narrow = |shape: &Shape| !shape.domain.broadcasts_to(own.domain);
        let mut narrow = conditions.chain([value]).filter(narrow).peekable();
        narrow.peek().is_some() && narrow.all(|shape| is_position(own.domain, shape.domain))
    }

    /// An increment of an output, or of a channel by its neurons: a narrower one is summed over the synapses or the
    /// positions.
    fn transmit(&mut self, write: Write, id: ExprId) {
        let Write { variable, element, op, place, span, .. } = write;
        let target = self.builder.rule.variables[variable].shape;
        let narrow = |shape: Shape| !shape.domain.broadcasts_to(target.domain);
        let cut = self.conditions.iter().position(|condition| narrow(condition.shape));
        let cut = cut.unwrap_or(self.conditions.len());
        let gates = self.conditions.split_off(cut);
        let mut body = id;
        for gate in gates.iter().rev() {
            let condition = if gate.holds {
                gate.local
            } else {
                self.builder.unary(ir::UnaryOp::Not, gate.local, gate.span)
            };
            body = self.builder.gate(condition, body, span);
        }
        let value =
            if narrow(self.builder.shape(body)) { self.summed(body, target.domain, span) } else { body };
        let shape = self.builder.shape(value);
        if self.check_shapes(super::access::Target { variable, increment: true }, shape, place) {
            let path = self.conditions.clone();
            // What the gates and the value use has to be known outside the conditions.
            for emitted in &mut self.emitted {
                let inside = emitted.path.len() > cut
                    && path
                        .iter()
                        .zip(&emitted.path)
                        .all(|(a, b)| a.number == b.number && a.holds == b.holds)
                    && gates.first().is_some_and(|gate| emitted.path[cut].number == gate.number);
                if inside && matches!(emitted.statement, Statement::Let { .. }) {
                    emitted.path.truncate(cut);
                }
            }
            self.emit(path, Statement::Assign { variable, element, op, value, span }, span);
        }
        self.conditions.extend(gates);
    }
}

/// A checked assignment.
#[derive(Clone, Copy)]
struct Write {
    variable: VarId,
    element: u32,
    op: AssignOp,
    value: Value,
    place: Span,
    span: Span,
}

/// Puts statements that share a condition, and stand together, into one block.
fn nest(emitted: &[Emitted], depth: usize) -> ir::Block {
    let mut block = Vec::new();
    let mut rest = emitted;
    while let Some(first) = rest.first() {
        let Some(condition) = first.path.get(depth) else {
            block.push(first.statement.clone());
            rest = &rest[1..];
            continue;
        };
        let same = |emitted: &&Emitted| emitted.path.get(depth).is_some_and(|c| c.number == condition.number);
        let length = rest.iter().take_while(same).count();
        let (inside, after) = rest.split_at(length);
        let branch = |holds: bool| -> Vec<Emitted> {
            inside.iter().filter(|emitted| emitted.path[depth].holds == holds).cloned().collect()
        };
        block.push(Statement::If {
            condition: condition.local,
            then: nest(&branch(true), depth + 1),
            otherwise: nest(&branch(false), depth + 1),
            span: condition.span,
        });
        rest = after;
    }
    block
}
