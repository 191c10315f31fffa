//! What a name in an expression means, and whether it may be read there.

use super::context::{Binding, Checker, Environment, Home, Stage, Symbol, Value};
use super::scope::FileItem;
use super::unit::{Dimension, Unit};
use super::{Constant, value_of_constant};
use crate::ast::{self, ExprKind as Ast, Path};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{Builtin, Domain, VarId, VarKind};
use crate::source::Span;

impl<'a> Checker<'a> {
    /// A name, perhaps with an index.
    pub fn path(&mut self, path: &Path, index: Option<(f64, Span)>, span: Span) -> Option<Value> {
        if let Some(value) = self.builtin(path, span) {
            if let Some((_, at)) = index {
                self.error(code::ARRAY_INDEX, at, format!("`{}` is no array", path.dotted()));
                return None;
            }
            return value;
        }
        let Some(name) = path.single() else {
            return self.unknown(&path.dotted(), path.span);
        };
        if let Some((_, binding, _)) = self.environment.find(&name.text) {
            return match binding.clone() {
                Binding::Value(_) if index.is_some() => {
                    self.error(code::ARRAY_INDEX, span, format!("`{}` is no array", name.text));
                    None
                }
                Binding::Value(value) => Some(value),
                Binding::Option(_) => self.no_value(&name.text, span),
                Binding::Poison => None,
            };
        }
        if self.environment.home == Home::Rule {
            match self.symbols.get(&name.text).cloned() {
                Some(Symbol::Variable(variable)) => return self.variable(variable, name, index, span),
                Some(Symbol::Constant(declaration)) => {
                    return self.constant_value(Home::Rule, &name.text, declaration, index, span);
                }
                Some(Symbol::Option(_)) => return self.no_value(&name.text, span),
                Some(Symbol::Poison) => return None,
                None => {}
            }
        }
        let file = match self.environment.home {
            Home::Rule => 0,
            Home::File(file) => file,
        };
        if let Some((item, FileItem::Constant(declaration))) = self.scope.find(file, &name.text, false) {
            let (declaration, home) = (declaration.clone(), Home::File(self.scope.file_of(item)));
            return self.constant_value(home, &name.text, &declaration, index, span);
        }
        self.unknown(&name.text, span)
    }

    fn no_value(&mut self, name: &str, span: Span) -> Option<Value> {
        let message = format!("`{name}` is an option, not a value");
        self.report(
            Diagnostic::new(code::NOT_A_VALUE, span, message).help(format!("use `match {name} {{ … }}`")),
        );
        None
    }

    fn unknown(&mut self, name: &str, span: Span) -> Option<Value> {
        let locals = self.environment.blocks.iter().flatten().map(|(name, ..)| name.as_str());
        let file = match self.environment.home {
            Home::Rule => 0,
            Home::File(file) => file,
        };
        let symbols = self.symbols.keys().map(String::as_str);
        let builtins = ["dt", "step", "pi", "inf", "pre.spike", "post.spike", "pre.index", "post.index"];
        let builtins = builtins.into_iter().chain(["pre.count", "post.count", "batch.count", "pair.count"]);
        let known = locals.chain(symbols).chain(self.scope.names(file, false)).chain(builtins);
        let help = did_you_mean(name, known);
        self.report(
            Diagnostic::new(code::UNKNOWN_NAME, span, format!("there is no `{name}` here")).maybe_help(help),
        );
        None
    }

    /// A built-in value: `None` where the name is none, `Some(None)` where it may not be used.
    fn builtin(&mut self, path: &Path, span: Span) -> Option<Option<Value>> {
        let plain = Some(Dimension::NONE);
        let time = Some(Dimension::TIME);
        let name = path.dotted();
        let (builtin, dimension) = match name.as_str() {
            "pi" => {
                let id = self.builder.number(std::f64::consts::PI, span);
                return Some(Some(Value { id, dimension: plain, whole: false }));
            }
            "inf" => {
                let id = self.builder.number(f64::INFINITY, span);
                return Some(Some(Value { id, dimension: None, whole: false }));
            }
            "dt" => (Builtin::Dt, time),
            "t" => (Builtin::T, time),
            "step" => (Builtin::Step, plain),
            "pre.spike" => (Builtin::PreSpike, plain),
            "post.spike" => (Builtin::PostSpike, plain),
            "pre.index" => (Builtin::PreIndex, plain),
            "post.index" => (Builtin::PostIndex, plain),
            "pre.count" => (Builtin::PreCount, plain),
            "post.count" => (Builtin::PostCount, plain),
            "batch.count" => (Builtin::BatchCount, plain),
            "pair.count" => (Builtin::PairCount, plain),
            _ => return None,
        };
        let spike = matches!(builtin, Builtin::PreSpike | Builtin::PostSpike);
        if spike && !self.may_spike(span) {
            return Some(None);
        }
        let fixed = matches!(self.stage, Stage::Constant(_))
            || (matches!(self.stage, Stage::Global(_)) && builtin != Builtin::Dt);
        if fixed {
            let message = format!("{} must be constant, and `{name}` is not", self.stage.words());
            self.error(code::NOT_CONSTANT, span, message);
            return Some(None);
        }
        let id = self.builder.builtin(builtin, span);
        Some(Some(Value { id, dimension, whole: false }))
    }

    fn may_spike(&mut self, span: Span) -> bool {
        let (message, help) = match self.stage {
            Stage::Equation | Stage::Update | Stage::Constant(_) | Stage::Global(_) => return true,
            Stage::Modulate | Stage::Apply if self.reductions > 0 => return true,
            Stage::Modulate | Stage::Apply => (
                format!("{} may use a spike only inside a reduction", self.stage.words()),
                "keep what the spike means in a state that `update` writes, or write `sum[batch](…)` around it",
            ),
            Stage::Initial(_) | Stage::Constrain | Stage::Create | Stage::Call | Stage::Every => (
                format!("there are no spikes in {}", self.stage.words()),
                "keep what the spike means in a state that `on pre` or `on post` writes",
            ),
        };
        self.report(Diagnostic::new(code::STAGE_SPIKE, span, message).help(help));
        false
    }

    fn variable(
        &mut self,
        variable: VarId,
        name: &ast::Name,
        index: Option<(f64, Span)>,
        span: Span,
    ) -> Option<Value> {
        if let Some(function) = &self.environment.function {
            let message =
                format!("the function `{function}` reads `{}`, which is not one of its arguments", name.text);
            let help = format!("make `{}` an argument of `{function}`", name.text);
            self.report(Diagnostic::new(code::FUNCTION_READS, span, message).help(help));
            return None;
        }
        let element = self.element(variable, &name.text, index, span)?;
        if !self.may_read(variable, &name.text, span) {
            return None;
        }
        let id = self.builder.load(variable, element, span);
        Some(Value { id, dimension: self.dimensions[variable.index()], whole: false })
    }

    /// The element that an index names, which an array needs and nothing else has.
    pub fn element(
        &mut self,
        variable: VarId,
        name: &str,
        index: Option<(f64, Span)>,
        span: Span,
    ) -> Option<u32> {
        let length = self.builder.rule.variables[variable].length.map(|length| length as usize);
        self.place(name, length, index, span).map(|place| place as u32)
    }

    fn place(
        &mut self,
        name: &str,
        length: Option<usize>,
        index: Option<(f64, Span)>,
        span: Span,
    ) -> Option<usize> {
        match (length, index) {
            (None, None) => Some(0),
            (Some(length), Some((number, at))) => {
                if number < 0.0 || number >= length as f64 {
                    let message =
                        format!("`{name}` has {length} elements, 0 to {}, not {number}", length - 1);
                    self.error(code::ARRAY_INDEX, at, message);
                    return None;
                }
                Some(number as usize)
            }
            (None, Some((_, at))) => {
                self.error(code::ARRAY_INDEX, at, format!("`{name}` is no array"));
                None
            }
            (Some(_), None) => {
                let message = format!("`{name}` is an array and needs an index");
                self.report(
                    Diagnostic::new(code::ARRAY_INDEX, span, message).help(format!("write `{name}[0]`")),
                );
                None
            }
        }
    }

    fn may_read(&mut self, variable: VarId, name: &str, span: Span) -> bool {
        let declared = &self.builder.rule.variables[variable];
        let (kind, domain, before) = (declared.kind, declared.shape.domain, declared.span);
        let what = kind_words(kind);
        match (self.stage, kind) {
            (Stage::Constant(place), _) => {
                let message = format!("{place} must be constant, and `{name}` is {what}");
                let help = format!("declare `const {name} = …;`");
                let mut diagnostic =
                    Diagnostic::new(code::NOT_CONSTANT, span, message).also(before, "declared here");
                if kind == VarKind::Param {
                    diagnostic = diagnostic.help(help);
                }
                self.report(diagnostic);
                false
            }
            (Stage::Global(_), VarKind::Param) if domain == Domain::Global => true,
            (Stage::Global(place), _) => {
                let message =
                    format!("{place} may read constants and global parameters, and `{name}` is {what}");
                let message = if kind == VarKind::Param {
                    format!("{message} of each {}", domain.word())
                } else {
                    message
                };
                self.report(Diagnostic::new(code::NOT_CONSTANT, span, message).also(before, "declared here"));
                false
            }
            (_, VarKind::Param) => true,
            (Stage::Initial(own), VarKind::State | VarKind::Plastic { .. }) if variable.index() < own => true,
            (Stage::Initial(_), VarKind::State | VarKind::Plastic { .. }) => {
                let message =
                    format!("an initial value may read only what is declared before it, not `{name}`");
                self.report(
                    Diagnostic::new(code::INITIAL_READS, span, message).also(before, "declared here"),
                );
                false
            }
            (Stage::Initial(_), _) => {
                let message = format!("an initial value may not read `{name}`, {what}");
                self.report(
                    Diagnostic::new(code::INITIAL_READS, span, message).also(before, "declared here"),
                );
                false
            }
            (Stage::Modulate | Stage::Apply, VarKind::Proposal { .. }) => true,
            (Stage::Update, VarKind::Output) => true,
            (stage, VarKind::Proposal { .. } | VarKind::Output) => {
                let message = format!("`{name}`, {what}, cannot be read in {}", stage.words());
                let help = match kind {
                    VarKind::Output => "outputs live in `on pre`, `on post` and `update` only",
                    _ => "`modulate` and `apply` read the proposal, the sum of all rules' changes",
                };
                self.report(Diagnostic::new(code::STAGE_READ, span, message).help(help));
                false
            }
            (_, VarKind::State | VarKind::Plastic { .. } | VarKind::Input { .. } | VarKind::Extern) => true,
        }
    }

    /// The value of a constant, checked where it is declared and kept.
    fn constant_value(
        &mut self,
        home: Home,
        name: &str,
        declaration: &ast::Declaration,
        index: Option<(f64, Span)>,
        span: Span,
    ) -> Option<Value> {
        let values = self.constant_values(home, name, declaration, span)?;
        let length = declaration.length.is_some().then_some(values.len());
        let place = self.place(name, length, index, span)?;
        values.get(place).copied()
    }

    /// All elements of a constant.
    pub fn constant_values(
        &mut self,
        home: Home,
        name: &str,
        declaration: &ast::Declaration,
        span: Span,
    ) -> Option<Vec<Value>> {
        let key = (home, name.to_owned());
        match self.constants.get(&key) {
            Some(Some(values)) => return values.clone(),
            Some(None) => {
                let message = format!("the constant `{name}` depends on itself");
                self.report(
                    Diagnostic::new(code::RECURSION, span, message).also(declaration.span, "declared here"),
                );
                return None;
            }
            None => {}
        }
        self.constants.insert(key.clone(), None);
        let before = std::mem::replace(&mut self.environment, Environment::new(home));
        let stage = Stage::Constant("a constant");
        let values =
            self.at(stage, super::context::DrawAt::Nowhere, |c| c.constant_elements(name, declaration));
        self.environment = before;
        self.constants.insert(key, Some(values.clone()));
        values
    }

    fn constant_elements(&mut self, name: &str, declaration: &ast::Declaration) -> Option<Vec<Value>> {
        let unit = self.declared_unit(declaration);
        let length = match &declaration.length {
            Some(length) => Some(self.length(length)?),
            None => None,
        };
        let own = self.environment.home == Home::Rule;
        if let Some((constant, span)) = self.settings.defaults.get(name).copied().filter(|_| own) {
            return self.given_constant(name, declaration, unit, constant, span).map(|value| vec![value]);
        }
        let Some(value) = &declaration.value else {
            let message = format!("the constant `{name}` has no value");
            self.report(
                Diagnostic::new(code::BAD_DECLARATION, declaration.span, message).help("write `= …`"),
            );
            return None;
        };
        let mut values = Vec::new();
        for element in self.elements(value, length, name)? {
            let mut value = self.expr(element)?;
            if let Some(unit) = unit {
                self.expect_dimension(value, element.span, Some(unit.dimension), &format!("`{name}`"));
                value.dimension = Some(unit.dimension);
            }
            values.push(value);
        }
        if let (Some(length), [one]) = (length, values.as_slice()) {
            return Some(vec![*one; length as usize]);
        }
        Some(values)
    }

    /// The value that a composition gives a constant, which has the dimension of the one that it replaces.
    fn given_constant(
        &mut self,
        name: &str,
        declaration: &ast::Declaration,
        unit: Option<Unit>,
        constant: Constant,
        span: Span,
    ) -> Option<Value> {
        let dimension = match (unit, &declaration.value) {
            (Some(unit), _) => Some(unit.dimension),
            (None, Some(value)) => self.expr(value)?.dimension,
            (None, None) => constant.dimension,
        };
        let whole = constant.value.fract() == 0.0;
        let value = Value { whole, ..value_of_constant(&mut self.builder, constant, span) };
        self.expect_dimension(value, span, dimension, &format!("`{name}`"));
        Some(Value { dimension: dimension.or(value.dimension), ..value })
    }

    /// The expressions behind `=`: one for each element of an array, or one for all.
    pub fn elements<'e>(
        &mut self,
        value: &'e ast::Expr,
        length: Option<u32>,
        name: &str,
    ) -> Option<Vec<&'e ast::Expr>> {
        match (&value.kind, length) {
            (Ast::Array(list), Some(length)) if list.len() == length as usize => Some(list.iter().collect()),
            (Ast::Array(list), Some(length)) => {
                let message = format!("`{name}` has {length} elements, and {} are given", list.len());
                self.error(code::ARRAY_LENGTH, value.span, message);
                None
            }
            (Ast::Array(_), None) => {
                let message = format!("`{name}` is no array");
                let help = format!("write `{name}[…] = …`");
                self.report(Diagnostic::new(code::ARRAY_LENGTH, value.span, message).help(help));
                None
            }
            _ => Some(vec![value]),
        }
    }
}

/// What a kind of variable is called.
pub(super) fn kind_words(kind: VarKind) -> &'static str {
    match kind {
        VarKind::Param => "a parameter",
        VarKind::State => "a state",
        VarKind::Plastic { .. } => "a plastic variable",
        VarKind::Proposal { .. } => "a proposal",
        VarKind::Input { .. } => "an input",
        VarKind::Output => "an output",
        VarKind::Extern => "an extern state",
    }
}
