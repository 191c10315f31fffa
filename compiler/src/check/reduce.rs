//! Reductions, running sums and the past.

use super::context::{Checker, DrawAt, Value, plain_domain};
use super::unit::Dimension;
use crate::ast::{Expr, Name, Over as AstOver, OverKind};
use crate::diag::{Diagnostic, code};
use crate::ir::build::reduced;
use crate::ir::{BinaryOp, Domain, ExprId, ExprKind, Over, ReduceOp, Shape, Type, UnaryOp};
use crate::source::Span;

impl Checker<'_> {
    /// `sum[pre](e)` and its like.
    pub fn reduction(&mut self, name: &Name, over: &AstOver, body: &Expr, span: Span) -> Option<Value> {
        self.reductions += 1;
        let value = self.expr(body);
        self.reductions -= 1;
        let value = value?;
        let shape = self.builder.shape(value.id);
        let axes = self.axes(name, over, shape)?;
        let (id, dimension) = match name.text.as_str() {
            "cumsum" => (self.running_sum(name, &axes, value, over, span)?, value.dimension),
            "sum" => {
                let id = self.real_number(value.id, span);
                (self.reduce_all(ReduceOp::Sum, &axes, id, span), value.dimension)
            }
            "min" | "max" => {
                let op = if name.text == "min" { ReduceOp::Min } else { ReduceOp::Max };
                let id = self.real_number(value.id, span);
                (self.reduce_all(op, &axes, id, span), value.dimension)
            }
            "count" => {
                let id = self.condition(value.id, span);
                (self.count(&axes, id, span), Some(Dimension::NONE))
            }
            "mean" => (self.mean(&axes, value.id, span), value.dimension),
            _ => (self.deviation(&axes, value.id, span), value.dimension),
        };
        Some(Value { id, dimension, whole: false })
    }

    fn real_number(&mut self, id: ExprId, span: Span) -> ExprId {
        let id = self.float(id, span);
        self.real(id, span)
    }

    /// One reduction after the other; a count counts along the first axis and sums along the others.
    fn reduce_all(&mut self, op: ReduceOp, axes: &[Over], body: ExprId, span: Span) -> ExprId {
        axes.iter().fold(body, |id, &over| self.builder.reduce(op, over, id, span))
    }

    fn count(&mut self, axes: &[Over], condition: ExprId, span: Span) -> ExprId {
        let mut id = condition;
        for (number, &over) in axes.iter().enumerate() {
            let op = if number == 0 { ReduceOp::Count } else { ReduceOp::Sum };
            id = self.builder.reduce(op, over, id, span);
        }
        id
    }

    /// How many elements a reduction ranges over, as a real number.
    fn elements_of(&mut self, axes: &[Over], shape: Shape, span: Span) -> ExprId {
        let batch = axes == [Over::Batch];
        let id = if batch {
            self.builder.builtin(crate::ir::Builtin::BatchCount, span)
        } else {
            let all = self.builder.everywhere(Shape { batched: false, ..shape }, span);
            self.count(axes, all, span)
        };
        self.real(id, span)
    }

    fn mean(&mut self, axes: &[Over], body: ExprId, span: Span) -> ExprId {
        let body = self.real_number(body, span);
        let sum = self.reduce_all(ReduceOp::Sum, axes, body, span);
        let count = self.elements_of(axes, self.builder.shape(body), span);
        self.builder.binary(BinaryOp::Divide, sum, count, span)
    }

    /// The square root of the sum of squared deviations from the mean, divided by n - 1.
    fn deviation(&mut self, axes: &[Over], body: ExprId, span: Span) -> ExprId {
        let body = self.real_number(body, span);
        let mean = self.mean(axes, body, span);
        let difference = self.builder.binary(BinaryOp::Subtract, body, mean, span);
        let square = self.builder.binary(BinaryOp::Multiply, difference, difference, span);
        let sum = self.reduce_all(ReduceOp::Sum, axes, square, span);
        let count = self.elements_of(axes, self.builder.shape(body), span);
        let one = self.builder.number(1.0, span);
        let one = self.real(one, span);
        let freedom = self.builder.binary(BinaryOp::Subtract, count, one, span);
        let variance = self.builder.binary(BinaryOp::Divide, sum, freedom, span);
        self.builder.unary(UnaryOp::Sqrt, variance, span)
    }

    fn running_sum(
        &mut self,
        name: &Name,
        axes: &[Over],
        value: Value,
        over: &AstOver,
        span: Span,
    ) -> Option<ExprId> {
        let domain = self.builder.shape(value.id).domain;
        let wanted = match axes {
            [Over::Pre] => Domain::Pre,
            [Over::Post] => Domain::Post,
            _ => Domain::Global,
        };
        if wanted == Domain::Global || domain != wanted {
            let message =
                format!("`{}` runs over `[pre]` of a pre value or `[post]` of a post value", name.text);
            let message =
                format!("{message}, not over {} of a {} value", self.text(over.span), domain.word());
            self.error(code::REDUCTION, over.span, message);
            return None;
        }
        let id = self.real_number(value.id, span);
        Some(self.builder.scan(wanted, id, span))
    }

    /// The axes that a bracket names, for a value of a shape; an error where the table has none.
    fn axes(&mut self, name: &Name, over: &AstOver, shape: Shape) -> Option<Vec<Over>> {
        let axes = match &over.kind {
            OverKind::Batch => vec![Over::Batch],
            OverKind::Position => vec![Over::Position],
            OverKind::PostBy(count) => vec![Over::PostBlocks(self.block_size(count)?)],
            OverKind::Domain(domain) => match plain_domain(domain) {
                Some(Domain::Pre) => vec![Over::Pre],
                Some(Domain::Post) => vec![Over::Post],
                Some(Domain::PreChannel) => vec![Over::PreChannel],
                Some(Domain::PostChannel) => vec![Over::PostChannel],
                Some(Domain::Synapse) if shape.domain != Domain::Synapse => Vec::new(),
                // The rows first; each synapse once, or each pair of a pair value.
                Some(Domain::Synapse) if shape.pair => vec![Over::Post, Over::Pre],
                Some(Domain::Synapse) => vec![Over::Post, Over::PreChannel],
                Some(Domain::Global) | None => {
                    let message = format!("`{}` cannot reduce over {}", name.text, self.text(over.span));
                    let help = "reduce over pre, post, pre_channel, post_channel, synapse, batch or position";
                    self.report(Diagnostic::new(code::REDUCTION, over.span, message).help(help));
                    return None;
                }
            },
        };
        let sound = axes.first().is_some_and(|&first| reduced(shape, first).is_some());
        if !sound {
            self.no_axis(name, over, shape);
            return None;
        }
        Some(axes)
    }

    fn block_size(&mut self, count: &Expr) -> Option<u32> {
        let number = self.constant_number(count, "the size of a block")?;
        if !(1.0..=1e9).contains(&number) {
            let message = format!("the size of a block must be at least 1, not {number}");
            self.error(code::REDUCTION, count.span, message);
            return None;
        }
        Some(number as u32)
    }

    fn no_axis(&mut self, name: &Name, over: &AstOver, shape: Shape) {
        let (word, at) = (name.text.as_str(), self.text(over.span));
        let (message, help) = match (&over.kind, shape.domain) {
            (OverKind::Batch, _) => {
                (format!("the value that `{word}` reduces over the batch is shared by the batch"), None)
            }
            (_, Domain::Global) => {
                (format!("`{word}` reduces a global value, of which there is only one"), None)
            }
            (_, domain) => {
                let help = match domain {
                    Domain::Pre => {
                        format!("`{word}[pre](…)` makes it global, `{word}[position](…)` one per channel")
                    }
                    Domain::Post => {
                        format!("`{word}[post](…)` makes it global, `{word}[position](…)` one per channel")
                    }
                    Domain::PreChannel => format!("`{word}[pre_channel](…)` makes it global"),
                    Domain::PostChannel => format!("`{word}[post_channel](…)` makes it global"),
                    Domain::Synapse | Domain::Global => {
                        format!("`{word}[pre](…)` makes it one per post, `{word}[post](…)` one per pre")
                    }
                };
                (format!("a {} value cannot be reduced over {at}", domain.word()), Some(help))
            }
        };
        self.report(Diagnostic::new(code::REDUCTION, over.span, message).maybe_help(help));
    }

    /// `past(e, d)`.
    pub fn past(&mut self, body: &Expr, delay: &Expr, span: Span) -> Option<Value> {
        let stage = self.stage;
        let value = self.at(stage, DrawAt::Nowhere, |c| c.expr(body));
        let time = self.at(stage, DrawAt::Nowhere, |c| c.expr(delay));
        let (value, time) = (value?, time?);
        let domain = self.builder.shape(value.id).domain;
        if matches!(domain, Domain::Global | Domain::Synapse) {
            let message = format!("`past` takes a pre or a post value, not a {} one", domain.word());
            let help = "keep the value in a pre or post state, and take the past of that";
            self.report(Diagnostic::new(code::PAST, body.span, message).help(help));
            return None;
        }
        self.expect_dimension(time, delay.span, Some(Dimension::TIME), "a delay");
        let longest = self.longest(time.id, delay.span)?;
        let id = if self.ty(time.id) == Type::Wide { time.id } else { self.real(time.id, delay.span) };
        let body = value.id;
        Some(Value { id: self.builder.past(body, id, longest, span), whole: false, ..value })
    }

    /// The upper end of a delay: a number itself, or the end of the range that a variable is declared in.
    pub fn longest(&mut self, delay: ExprId, span: Span) -> Option<ExprId> {
        if let Some(number) = super::fold::evaluate(&self.builder.rule, delay) {
            if number >= 0.0 && number.is_finite() {
                return Some(delay);
            }
            self.error(code::PAST, span, format!("a delay must be finite and at least 0, not {number} ms"));
            return None;
        }
        if let ExprKind::Load { variable, .. } = *self.builder.kind(delay) {
            let declared = &self.builder.rule.variables[variable];
            let (name, at, range) = (declared.name.clone(), declared.span, declared.range);
            let ends = range.and_then(|(low, high)| {
                let end = |id| super::fold::evaluate(&self.builder.rule, id);
                Some((end(low)?, end(high)?, high))
            });
            match ends {
                Some((low, high, longest)) if low >= 0.0 && high.is_finite() => return Some(longest),
                _ => {
                    let message = format!("`past` needs to know the longest delay that `{name}` can be");
                    let help = format!("declare `{name}` in a constant range: `… {name} in 0 ms .. 20 ms`");
                    self.report(
                        Diagnostic::new(code::PAST, span, message).also(at, "declared here").help(help),
                    );
                    return None;
                }
            }
        }
        let message = "a delay is a number, or a parameter, state or plastic variable with a constant range";
        self.error(code::PAST, span, message);
        None
    }
}
