//! Random draws: what may be drawn where, and of what shape.

use super::context::{Checker, DrawAt, Stage, Value, plain_domain};
use super::unit::{Dimension, Ratio};
use crate::ast::{Expr, Name, Over, OverKind};
use crate::diag::{Diagnostic, code};
use crate::ir::{Distribution, Shape, Site};
use crate::source::Span;

/// The distribution of a name, and how many parameters it has.
pub(super) fn distribution(name: &str) -> Option<(Distribution, usize)> {
    Some(match name {
        "uniform" => (Distribution::Uniform, 2),
        "normal" => (Distribution::Normal, 2),
        "lognormal" => (Distribution::LogNormal, 2),
        "bernoulli" => (Distribution::Bernoulli, 1),
        "exponential" => (Distribution::Exponential, 1),
        "gamma" => (Distribution::Gamma, 2),
        "beta" => (Distribution::Beta, 2),
        _ => return None,
    })
}

impl Checker<'_> {
    /// `normal(0, 1)` or `normal[post](0, 1)`.
    pub fn draw(
        &mut self,
        name: &Name,
        over: Option<&Over>,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Value> {
        let (distribution, wanted) = distribution(&name.text)?;
        let address = self.draw_name.take();
        let shape = self.draw_shape(name, over, span);
        let values: Vec<Option<Value>> = arguments.iter().map(|argument| self.expr(argument)).collect();
        if arguments.len() != wanted {
            return self.wrong_count(name, wanted, arguments.len(), span);
        }
        let values: Option<Vec<Value>> = values.into_iter().collect();
        let (values, shape) = (values?, shape?);
        let dimension = self.draw_dimension(distribution, &values, arguments, name, span);
        let mut parameters = Vec::new();
        for (value, argument) in values.iter().zip(arguments) {
            let id = self.float(value.id, argument.span);
            let id = self.real(id, argument.span);
            let found = self.builder.shape(id);
            if !found.domain.broadcasts_to(shape.domain) {
                let (found, wanted) = (found.domain.word(), shape.domain.word());
                let text = self.text(argument.span);
                let message = format!("a draw for each {wanted} cannot use {text}, a {found} value");
                let help = format!("reduce it, or name the domain of the draw: `{}[…](…)`", name.text);
                self.report(Diagnostic::new(code::DRAW_PARAMETER, argument.span, message).help(help));
                return None;
            }
            if found.batched && !shape.batched {
                let text = self.text(argument.span);
                let message = format!("{text} has a value for each batch element, and the draw has not");
                let help = "reduce it with `mean[batch](…)`, or declare the target `batched`";
                self.report(Diagnostic::new(code::DRAW_PARAMETER, argument.span, message).help(help));
                return None;
            }
            parameters.push(id);
        }
        let id = self.builder.draw(Site { distribution, shape, address, span }, parameters);
        Some(Value { id, dimension, whole: false })
    }

    fn draw_shape(&mut self, name: &Name, over: Option<&Over>, span: Span) -> Option<Shape> {
        let at = match self.draw_at {
            DrawAt::Nowhere => {
                let (place, help) = match self.stage {
                    Stage::Equation => (
                        "an equation cannot draw",
                        "noise is a statement: `update { x += sigma * sqrt(dt) * normal(0, 1); }`",
                    ),
                    Stage::Constrain => ("`constrain` cannot draw", "draw in `modulate` or `apply`"),
                    _ => ("nothing can be drawn here", "draw in a statement and keep the value in a state"),
                };
                let code = if self.stage == Stage::Equation { code::EQUATION_DRAW } else { code::STAGE_DRAW };
                self.report(Diagnostic::new(code, span, place).help(help));
                return None;
            }
            at @ (DrawAt::Named(_) | DrawAt::Target(_)) => at,
        };
        let batched = match at {
            DrawAt::Target(shape) => shape.batched,
            DrawAt::Named(batched) => batched,
            DrawAt::Nowhere => false,
        };
        match (over.map(|over| &over.kind), at) {
            (Some(OverKind::Domain(domain)), _) if let Some(domain) = plain_domain(domain) => {
                Some(Shape { batched, ..Shape::of(domain) })
            }
            (Some(_), _) => {
                let message =
                    "a draw can be for each global, pre, post, pre_channel, post_channel or synapse element";
                self.error(code::DRAW_DOMAIN, over.map_or(span, |over| over.span), message);
                None
            }
            (None, DrawAt::Target(shape)) => Some(Shape { pair: false, ..shape }),
            (None, DrawAt::Named(_) | DrawAt::Nowhere) => {
                let message = "this draw has to say for each element of what domain it is drawn";
                let help = format!("write `{}[synapse](…)`, `[pre]`, `[post]` or `[global]`", name.text);
                self.report(Diagnostic::new(code::DRAW_DOMAIN, span, message).help(help));
                None
            }
        }
    }

    fn draw_dimension(
        &mut self,
        distribution: Distribution,
        values: &[Value],
        arguments: &[Expr],
        name: &Name,
        span: Span,
    ) -> Option<Dimension> {
        let what = format!("`{}`", name.text);
        match distribution {
            Distribution::Uniform | Distribution::Normal => {
                self.agree((values[0], arguments[0].span), (values[1], arguments[1].span), span)
            }
            Distribution::Exponential => inverse(values[0]),
            Distribution::Gamma => {
                self.expect_plain(values[0], arguments[0].span, &what);
                inverse(values[1])
            }
            Distribution::LogNormal | Distribution::Bernoulli | Distribution::Beta => {
                for (value, argument) in values.iter().zip(arguments) {
                    self.expect_plain(*value, argument.span, &what);
                }
                Some(Dimension::NONE)
            }
        }
    }
}

fn inverse(rate: Value) -> Option<Dimension> {
    rate.dimension.and_then(|dimension| dimension.power(Ratio::whole(-1)))
}
