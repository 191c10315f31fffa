//! Units, ranges, defaults and initial values of declarations.

use super::context::{Checker, DrawAt, Stage, Value};
use super::decl::is_int;
use super::unit::{self, Dimension, Unit, UnitError};
use super::value_of_constant;
use crate::ast::{self, Declaration, Expr, ExprKind as Ast, Range};
use crate::diag::code;
use crate::ir::{DeclaredUnit, ExprId, VarId, VarKind};
use crate::source::Span;

impl Checker<'_> {
    /// The annotation of a declaration.
    pub fn declared_unit(&mut self, declaration: &Declaration) -> Option<Unit> {
        let annotation = declaration.unit.as_ref()?;
        if is_int(declaration) {
            return Some(Unit::NONE);
        }
        match unit::annotated(annotation) {
            Ok(unit) => Some(unit),
            Err(UnitError::Unknown(name)) => {
                self.unknown_unit(name);
                None
            }
            Err(UnitError::TooLarge) => {
                self.error(
                    code::DIMENSION_TOO_LARGE,
                    annotation.span,
                    "the exponents of this unit are too large",
                );
                None
            }
        }
    }

    /// Keeps the unit of a declaration and of its proposal.
    fn set_unit(
        &mut self,
        declaration: &Declaration,
        variable: VarId,
        annotated: Option<Unit>,
        dimension: Dimension,
    ) {
        let literal = declaration.value.as_ref().and_then(literal_unit);
        let (text, unit) = match (annotated, literal) {
            (Some(unit), _) => {
                let span = declaration.unit.as_ref().map_or(declaration.span, |unit| unit.span);
                (self.sources.slice(span).trim().to_owned(), unit)
            }
            (None, Some((text, unit))) => (text, unit),
            (None, None) => (String::new(), Unit::NONE),
        };
        let words = if dimension == Dimension::NONE { String::new() } else { dimension.to_string() };
        let unit = DeclaredUnit { text, scale: unit.scale(), dimension: words };
        self.dimensions[variable.index()] = Some(dimension);
        if let VarKind::Plastic { proposal } = self.builder.rule.variables[variable].kind {
            self.dimensions[proposal.index()] = Some(dimension);
            self.builder.rule.variables[proposal].unit = unit.clone();
        }
        self.builder.rule.variables[variable].unit = unit;
    }

    /// The expressions behind `=` with the dimension that they and the annotation agree on.
    fn values(
        &mut self,
        declaration: &Declaration,
        variable: VarId,
        stage: Stage,
        draw_at: DrawAt,
    ) -> Vec<(Value, Span)> {
        let errors = self.diagnostics.len();
        let annotated = self.declared_unit(declaration);
        let unsound = self.diagnostics.len() > errors;
        let (name, length) = {
            let variable = &self.builder.rule.variables[variable];
            (variable.name.clone(), variable.length)
        };
        let mut values: Vec<(Value, Span)> = Vec::new();
        let mut dimension = annotated.map(|unit| unit.dimension);
        let mut failed = unsound;
        if let Some(value) = &declaration.value {
            match self.elements(value, length, &name) {
                Some(elements) => {
                    for element in elements {
                        if matches!(stage, Stage::Initial(_)) && length.is_none() {
                            // The first draw of the expression takes the name.
                            self.draw_name =
                                Some(format!("{}.{}", self.settings.part, declaration.name.dotted()));
                        }
                        let value = self.at(stage, draw_at, |c| c.expr(element));
                        self.draw_name = None;
                        let Some(value) = value else {
                            failed = true;
                            continue;
                        };
                        self.expect_dimension(value, element.span, dimension, &format!("`{name}`"));
                        dimension = dimension.or(value.dimension);
                        values.push((value, element.span));
                    }
                }
                None => failed = true,
            }
        }
        self.set_unit(declaration, variable, annotated, dimension.unwrap_or(Dimension::NONE));
        if failed && annotated.is_none() {
            // What it would have been is not known: one mistake is one error.
            self.dimensions[variable.index()] = None;
            if let VarKind::Plastic { proposal } = self.builder.rule.variables[variable].kind {
                self.dimensions[proposal.index()] = None;
            }
        }
        values
    }

    fn range(
        &mut self,
        declaration: &Declaration,
        variable: VarId,
        stage: Stage,
    ) -> Option<(ExprId, ExprId)> {
        let Some(Range::Between(low, high)) = &declaration.range else { return None };
        let name = format!("`{}`", self.builder.rule.variables[variable].name);
        let dimension = self.dimensions[variable.index()];
        let mut end = |expr: &Expr| {
            let value = self.at(stage, DrawAt::Nowhere, |c| c.expr(expr))?;
            self.expect_dimension(value, expr.span, dimension, &name);
            Some(self.number(value.id, expr.span))
        };
        let (low, high) = (end(low), end(high));
        let ends = (low?, high?);
        let value = |id| super::fold::evaluate(&self.builder.rule, id);
        if let (Some(low), Some(high)) = (value(ends.0), value(ends.1))
            && (low > high || low.is_nan() || high.is_nan())
        {
            let message = format!("the range of {name} is empty: {low} is above {high}");
            self.error(code::EMPTY_RANGE, declaration.span, message);
            return None;
        }
        Some(ends)
    }

    /// The default and the range of a parameter.
    pub fn parameter(&mut self, declaration: &Declaration, variable: VarId) {
        let values = self.values(declaration, variable, Stage::Constant("a default"), DrawAt::Nowhere);
        let mut init: Vec<(ExprId, Span)> =
            values.into_iter().map(|(value, span)| (self.number(value.id, span), span)).collect();
        let name = declaration.name.dotted();
        if let Some((constant, span)) = self.settings.defaults.get(&name).copied() {
            let value = value_of_constant(&mut self.builder, constant, span);
            self.expect_dimension(value, span, self.dimensions[variable.index()], &format!("`{name}`"));
            init = vec![(value.id, span)];
        }
        let range = self.range(declaration, variable, Stage::Constant("the range of a parameter"));
        if let Some((low, high)) = range {
            let value = |id| super::fold::evaluate(&self.builder.rule, id);
            let ends = value(low).zip(value(high));
            let outside = init.iter().find_map(|&(id, span)| {
                let (number, (low, high)) = (value(id)?, ends?);
                (number < low || number > high).then_some((number, span, low, high))
            });
            if let Some((number, span, low, high)) = outside {
                let message =
                    format!("the default of `{name}`, {number}, lies outside its range {low} .. {high}");
                self.error(code::EMPTY_RANGE, span, message);
            }
        }
        let parameter = &mut self.builder.rule.variables[variable];
        parameter.init = init.into_iter().map(|(id, _)| id).collect();
        parameter.range = range;
    }

    /// The initial value and the range of everything else.
    pub fn initial(&mut self, declaration: &Declaration, variable: VarId) {
        let kind = self.builder.rule.variables[variable].kind;
        let (stage, draw_at) = match kind {
            VarKind::State | VarKind::Plastic { .. } => {
                let shape = self.builder.rule.variables[variable].shape;
                (Stage::Initial(variable.index()), DrawAt::Target(shape))
            }
            _ => (Stage::Constant("the default of an input"), DrawAt::Nowhere),
        };
        let values = self.values(declaration, variable, stage, draw_at);
        let mut init = Vec::new();
        for (value, span) in values {
            let Some(id) = self.stored(variable, value, span) else { continue };
            let target = super::access::Target { variable, increment: false };
            let shape = self.builder.shape(id);
            if self.at(stage, DrawAt::Nowhere, |c| c.check_shapes(target, shape, span)) {
                init.push(id);
            }
        }
        if kind == VarKind::State && declaration.value.is_none() {
            let span = declaration.span;
            let zero = Value { id: self.builder.number(0.0, span), dimension: None, whole: true };
            init.extend(self.stored(variable, zero, span));
        }
        let stage = match kind {
            VarKind::Plastic { .. } => Stage::Global("the range of a plastic variable"),
            _ => Stage::Constant("the range of a state"),
        };
        let range = self.range(declaration, variable, stage);
        let declared = &mut self.builder.rule.variables[variable];
        declared.init = init;
        declared.range = range;
    }
}

/// The unit of an initial value that is a literal, perhaps with a sign.
fn literal_unit(value: &Expr) -> Option<(String, Unit)> {
    match &value.kind {
        Ast::Number(number) => {
            let (name, exponent) = number.unit.as_ref()?;
            let unit = Unit::named(&name.text)?.power(*exponent)?;
            let text = if *exponent == 1 { name.text.clone() } else { format!("{}^{exponent}", name.text) };
            Some((text, unit))
        }
        Ast::Unary(ast::UnaryOperator::Negate, inner) | Ast::Group(inner) => literal_unit(inner),
        Ast::Array(elements) => elements.first().and_then(literal_unit),
        _ => None,
    }
}
