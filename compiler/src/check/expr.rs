//! Expressions: names, literals, operators and choices.

use super::context::{Binding, Checker, DEPTH_LIMIT, EXPRESSION_LIMIT, OptionChoice, Value};
use super::unit::{self, Dimension, Ratio, Unit};
use crate::ast::{BinaryOperator, Expr, ExprKind as Ast, Name, Number, UnaryOperator};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{BinaryOp, Comparison, ExprKind, MathFn, Type, UnaryOp};
use crate::source::Span;

impl<'a> Checker<'a> {
    /// Checks an expression; `None` where a mistake in it has been reported.
    pub fn expr(&mut self, expr: &Expr) -> Option<Value> {
        if self.exhausted {
            return None;
        }
        self.visited += 1;
        if self.visited > EXPRESSION_LIMIT || self.depth >= DEPTH_LIMIT {
            self.exhausted = true;
            let what =
                if self.depth >= DEPTH_LIMIT { "nests too deeply" } else { "has too many expressions" };
            let message = format!("the rule {what} once functions are inlined and loops unrolled");
            self.error(code::EXPRESSION_LIMIT, expr.span, message);
            return None;
        }
        self.depth += 1;
        let result = self.expr_kind(expr);
        self.depth -= 1;
        result
    }

    fn expr_kind(&mut self, expr: &Expr) -> Option<Value> {
        let span = expr.span;
        match &expr.kind {
            Ast::Number(number) => self.literal(number, span),
            Ast::Path(path) => self.path(path, None, span),
            Ast::Index(path, index) => {
                let index = self.index(index)?;
                self.path(path, Some(index), span)
            }
            Ast::Call { function, over, arguments } => self.call(function, over.as_ref(), arguments, span),
            Ast::Array(_) => {
                self.error(
                    code::NOT_A_VALUE,
                    span,
                    "an array stands only behind the `=` of an array's declaration",
                );
                None
            }
            Ast::Group(inner) => self.expr(inner),
            Ast::Unary(operator, operand) => self.unary(*operator, operand, span),
            Ast::Binary(BinaryOperator::Multiply, ..) => self.multiply(expr),
            Ast::Binary(operator, _, a, b) => self.binary(*operator, a, b, span),
            Ast::If(condition, a, b) => {
                let (condition, x, y) = (self.expr(condition), self.expr(a), self.expr(b));
                let (condition, x, y) = (condition?, x?, y?);
                let dimension = self.agree((x, a.span), (y, b.span), span);
                let (mut left, mut right) = self.unify(x, y, span);
                let condition = self.condition(condition.id, span);
                if self.ty(left) == Type::Wide && !self.builder.is_wide(condition) {
                    (left, right) = (self.real(left, span), self.real(right, span));
                }
                let id = self.builder.select(condition, left, right, span);
                Some(Value { id, dimension, whole: false })
            }
            Ast::Match(option, arms) => {
                let names: Vec<&Name> = arms.iter().map(|(name, _)| name).collect();
                let chosen = self.choose(option, &names, span)?;
                self.expr(&arms[chosen].1)
            }
            Ast::Error => None,
        }
    }

    fn literal(&mut self, number: &Number, span: Span) -> Option<Value> {
        let unit = match &number.unit {
            None => Unit::NONE,
            Some((name, _)) => {
                let Some(unit) = Unit::named(&name.text) else {
                    self.unknown_unit(name);
                    return None;
                };
                unit
            }
        };
        let id = self.builder.number(unit.to_base(number.value), span);
        let any = number.unit.is_none() && number.value == 0.0;
        let dimension = if any { None } else { Some(unit.dimension) };
        Some(Value { id, dimension, whole: number.whole && number.unit.is_none() })
    }

    pub fn unknown_unit(&mut self, name: &Name) {
        let help = did_you_mean(&name.text, unit::names());
        let diagnostic =
            Diagnostic::new(code::UNKNOWN_UNIT, name.span, format!("there is no unit `{}`", name.text))
                .maybe_help(help)
                .help(format!("units: {}", unit::names().collect::<Vec<_>>().join(" ")));
        self.report(diagnostic);
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expr, span: Span) -> Option<Value> {
        let value = self.expr(operand)?;
        Some(match operator {
            UnaryOperator::Negate => {
                // A literal with its sign is one number; `-0` keeps its sign either way.
                if let ExprKind::Number(number) = *self.builder.kind(value.id) {
                    return Some(Value { id: self.builder.number(-number, span), ..value });
                }
                let id = self.number(value.id, span);
                Value { id: self.builder.unary(UnaryOp::Negate, id, span), whole: false, ..value }
            }
            UnaryOperator::Not => {
                let id = self.condition(value.id, span);
                let id = self.builder.unary(UnaryOp::Not, id, span);
                Value { id, dimension: Some(Dimension::NONE), whole: false }
            }
        })
    }

    fn binary(&mut self, operator: BinaryOperator, a: &Expr, b: &Expr, span: Span) -> Option<Value> {
        let (x, y) = (self.expr(a), self.expr(b));
        let (x, y) = (x?, y?);
        let (left, right) = ((x, a.span), (y, b.span));
        use BinaryOperator::*;
        let arithmetic = |checker: &mut Self, op| {
            let dimension = checker.agree(left, right, span);
            let (p, q) = checker.unify(x, y, span);
            Some(Value { id: checker.builder.binary(op, p, q, span), dimension, whole: false })
        };
        let compared = |checker: &mut Self, comparison| {
            checker.agree(left, right, span);
            let (p, q) = checker.unify(x, y, span);
            let id = checker.builder.compare(comparison, p, q, span);
            Some(Value { id, dimension: Some(Dimension::NONE), whole: false })
        };
        let logic = |checker: &mut Self, op| {
            let (p, q) = (checker.condition(x.id, span), checker.condition(y.id, span));
            let id = checker.builder.binary(op, p, q, span);
            Some(Value { id, dimension: Some(Dimension::NONE), whole: false })
        };
        match operator {
            Add => arithmetic(self, BinaryOp::Add),
            Subtract => arithmetic(self, BinaryOp::Subtract),
            Remainder => {
                let dimension = self.agree(left, right, span);
                let (p, q) = self.unify_floats(x.id, y.id, span);
                Some(Value {
                    id: self.builder.binary(BinaryOp::Remainder, p, q, span),
                    dimension,
                    whole: false,
                })
            }
            Divide => Some(self.divide(x, y, span)),
            Multiply => crate::ice!("products are taken apart before"),
            Power => self.power((x, a), (y, b), span),
            Equal => compared(self, Comparison::Equal),
            NotEqual => compared(self, Comparison::NotEqual),
            Less => compared(self, Comparison::Less),
            LessEqual => compared(self, Comparison::LessEqual),
            Greater => compared(self, Comparison::Greater),
            GreaterEqual => compared(self, Comparison::GreaterEqual),
            And => logic(self, BinaryOp::And),
            Or => logic(self, BinaryOp::Or),
        }
    }

    pub fn divide(&mut self, x: Value, y: Value, span: Span) -> Value {
        let dimension = self.product(x.dimension, y.dimension, true, span);
        let (p, q) = self.unify_floats(x.id, y.id, span);
        Value { id: self.builder.binary(BinaryOp::Divide, p, q, span), dimension, whole: false }
    }

    /// `x^k`: a whole literal from -4 to 4 multiplies.
    pub fn power(&mut self, x: (Value, &Expr), k: (Value, &Expr), span: Span) -> Option<Value> {
        self.expect_plain(k.0, k.1.span, "an exponent");
        let exponent = match *self.builder.kind(k.0.id) {
            ExprKind::Number(number) => Some(number),
            _ => None,
        };
        let dimension = match (x.0.dimension, exponent) {
            (None, _) => None,
            (Some(Dimension::NONE), _) => Some(Dimension::NONE),
            (Some(base), Some(number)) => {
                let result = Ratio::from_f64(number).and_then(|ratio| base.power(ratio));
                if result.is_none() {
                    self.error(
                        code::DIMENSION_TOO_LARGE,
                        span,
                        "the exponents of this dimension are too large",
                    );
                }
                result
            }
            (Some(base), None) => {
                let text = self.text(x.1.span);
                let message = format!("{text} {}, so its exponent must be a number", base.says());
                let diagnostic = Diagnostic::new(code::DIMENSION_POWER, k.1.span, message)
                    .help("divide the base by a quantity of the same dimension");
                self.report(diagnostic);
                None
            }
        };
        let id = match self.whole(k.0) {
            Some(whole @ -4..=4) => self.multiplied(x.0, whole, span),
            _ => {
                let (p, q) = self.unify_floats(x.0.id, k.0.id, span);
                self.builder.math(MathFn::Pow, vec![p, q], span)
            }
        };
        Some(Value { id, dimension, whole: false })
    }

    fn multiplied(&mut self, x: Value, exponent: i64, span: Span) -> crate::ir::ExprId {
        let x = self.number(x.id, span);
        let x = if exponent < 0 { self.float(x, span) } else { x };
        let one = |checker: &mut Self| {
            let one = checker.builder.number(1.0, span);
            let value = |id| Value { id, dimension: None, whole: true };
            checker.unify(value(one), Value { whole: false, ..value(x) }, span).0
        };
        let square = |checker: &mut Self| checker.builder.binary(BinaryOp::Multiply, x, x, span);
        let result = match exponent.unsigned_abs() {
            0 => return one(self),
            1 => x,
            2 => square(self),
            3 => {
                let square = square(self);
                self.builder.binary(BinaryOp::Multiply, square, x, span)
            }
            _ => {
                let square = square(self);
                self.builder.binary(BinaryOp::Multiply, square, square, span)
            }
        };
        if exponent < 0 {
            let one = one(self);
            self.builder.binary(BinaryOp::Divide, one, result, span)
        } else {
            result
        }
    }

    /// A constant whole number: an index, a length, the end of a loop.
    pub fn constant_number(&mut self, expr: &Expr, what: &'static str) -> Option<f64> {
        let value = self
            .at(super::context::Stage::Constant(what), super::context::DrawAt::Nowhere, |c| c.expr(expr))?;
        self.expect_plain(value, expr.span, what);
        let Some(number) = super::fold::evaluate(&self.builder.rule, value.id) else {
            self.error(code::NOT_CONSTANT, expr.span, format!("{what} must be a constant"));
            return None;
        };
        if number.fract() != 0.0 || !number.is_finite() {
            let message = format!("{what} must be a whole number, not {number}");
            self.error(code::NOT_CONSTANT, expr.span, message);
            return None;
        }
        Some(number)
    }

    /// A constant index.
    pub fn index(&mut self, expr: &Expr) -> Option<(f64, Span)> {
        Some((self.constant_number(expr, "an index")?, expr.span))
    }

    /// Which arm of a `match` holds.
    pub fn choose(&mut self, option: &Name, arms: &[&Name], span: Span) -> Option<usize> {
        let OptionChoice { values, chosen } = self.option(option)?;
        let mut seen: Vec<&str> = Vec::new();
        let mut sound = true;
        for arm in arms {
            if !values.contains(&arm.text) {
                let help = did_you_mean(&arm.text, values.iter().map(String::as_str));
                let message = format!("`{}` is no value of the option `{}`", arm.text, option.text);
                let values = format!("its values are {}", values.join(", "));
                self.report(
                    Diagnostic::new(code::UNKNOWN_OPTION_VALUE, arm.span, message)
                        .maybe_help(help)
                        .help(values),
                );
                sound = false;
            } else if seen.contains(&arm.text.as_str()) {
                let message = format!("the case `{}` occurs twice", arm.text);
                self.error(code::MATCH_CASES, arm.span, message);
                sound = false;
            }
            seen.push(&arm.text);
        }
        let missing: Vec<String> = values
            .iter()
            .filter(|value| !seen.contains(&value.as_str()))
            .map(|value| format!("`{value}`"))
            .collect();
        if !missing.is_empty() && sound {
            let message = format!("`match {}` lacks a case for {}", option.text, missing.join(", "));
            self.report(Diagnostic::new(code::MATCH_CASES, span, message).help("every value needs a case"));
            sound = false;
        }
        if sound { arms.iter().position(|arm| arm.text == chosen) } else { None }
    }

    fn option(&mut self, name: &Name) -> Option<OptionChoice> {
        let found = match self.environment.find(&name.text) {
            Some((_, Binding::Option(choice), _)) => return Some(choice.clone()),
            Some((_, Binding::Poison, _)) => return None,
            Some((_, Binding::Value(_), _)) => true,
            None => false,
        };
        if !found && self.environment.function.is_none() {
            match self.symbols.get(&name.text) {
                Some(super::context::Symbol::Option(choice)) => return Some(choice.clone()),
                Some(super::context::Symbol::Poison) => return None,
                _ => {}
            }
        }
        let options = self.symbols.iter().filter_map(|(name, symbol)| match symbol {
            super::context::Symbol::Option(_) => Some(name.as_str()),
            _ => None,
        });
        let help = did_you_mean(&name.text, options);
        let message = format!("`match` needs an option, and `{}` is none", name.text);
        let message = if self.environment.function.is_some() {
            format!("{message}: pass an option as the argument")
        } else {
            message
        };
        self.report(Diagnostic::new(code::MATCH_NOT_OPTION, name.span, message).maybe_help(help));
        None
    }
}
