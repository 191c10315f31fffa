//! Functions: the built-in ones, and those of the author, which are inlined.

use super::context::{Binding, Checker, Environment, Home, OptionChoice, Symbol, Value};
use super::scope::FileItem;
use super::unit::{Dimension, Ratio};
use crate::ast::{self, Expr, ExprKind as Ast, Name, Over};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{BinaryOp, Comparison, MathFn, Type, UnaryOp};
use crate::source::Span;

impl<'a> Checker<'a> {
    /// A call.
    pub fn call(
        &mut self,
        name: &Name,
        over: Option<&Over>,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Value> {
        if let Some(over) = over {
            return self.call_over(name, over, arguments, span);
        }
        match self.user_function(&name.text) {
            Some((home, function)) => return self.inline(home, &function, arguments, span),
            None if super::draw::distribution(&name.text).is_some() => {
                return self.draw(name, None, arguments, span);
            }
            None => {}
        }
        match (name.text.as_str(), arguments.len()) {
            ("past", 2) => self.past(&arguments[0], &arguments[1], span),
            ("sum" | "mean" | "count" | "std" | "cumsum", _) => {
                let message = format!("`{}` needs to know over what it reduces", name.text);
                let help = format!("write `{}[pre](…)`, `[post]`, `[synapse]` or `[batch]`", name.text);
                self.report(Diagnostic::new(code::REDUCTION, name.span, message).help(help));
                None
            }
            ("min" | "max", 1) => {
                let message = format!("`{}` of one value needs to know over what it reduces", name.text);
                let help = format!("write `{}[pre](…)`, or give two values", name.text);
                self.report(Diagnostic::new(code::REDUCTION, name.span, message).help(help));
                None
            }
            _ => self.builtin_function(name, arguments, span),
        }
    }

    fn call_over(&mut self, name: &Name, over: &Over, arguments: &[Expr], span: Span) -> Option<Value> {
        if super::draw::distribution(&name.text).is_some() {
            return self.draw(name, Some(over), arguments, span);
        }
        if !matches!(name.text.as_str(), "sum" | "mean" | "min" | "max" | "count" | "std" | "cumsum") {
            let message =
                format!("`{}` neither reduces nor draws, so it takes nothing in square brackets", name.text);
            let reducers = ["sum", "mean", "min", "max", "count", "std", "cumsum"];
            let help = did_you_mean(&name.text, reducers);
            self.report(Diagnostic::new(code::REDUCTION, over.span, message).maybe_help(help));
            return None;
        }
        let [body] = arguments else {
            return self.wrong_count(name, 1, arguments.len(), span);
        };
        self.reduction(name, over, body, span)
    }

    pub fn wrong_count(&mut self, name: &Name, wanted: usize, found: usize, span: Span) -> Option<Value> {
        let plural = if wanted == 1 { "" } else { "s" };
        let message = format!("`{}` takes {wanted} argument{plural}, not {found}", name.text);
        self.error(code::ARGUMENT_COUNT, span, message);
        None
    }

    fn user_function(&self, name: &str) -> Option<(Home, ast::Function)> {
        if self.environment.home == Home::Rule
            && let Some(function) = self.functions.get(name)
        {
            return Some((Home::Rule, (*function).clone()));
        }
        let file = match self.environment.home {
            Home::Rule => 0,
            Home::File(file) => file,
        };
        match self.scope.find(file, name, true) {
            Some((item, FileItem::Function(function))) => {
                Some((Home::File(self.scope.file_of(item)), (**function).clone()))
            }
            _ => None,
        }
    }

    /// A function's value in place of its call. The arguments are evaluated first, with the names of the caller.
    fn inline(
        &mut self,
        home: Home,
        function: &ast::Function,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Value> {
        let name = &function.name;
        if arguments.len() != function.parameters.len() {
            return self.wrong_count(name, function.parameters.len(), arguments.len(), span);
        }
        let key = (home, name.text.clone());
        if self.calls.contains(&key) {
            let message = format!("the function `{}` calls itself", name.text);
            let diagnostic = Diagnostic::new(code::RECURSION, span, message)
                .also(name.span, "declared here")
                .help("functions are inlined, so they cannot recurse");
            self.report(diagnostic);
            return None;
        }
        if self.broken.contains(&key) {
            return None;
        }
        let mut sound = true;
        let mut names = Vec::new();
        for (parameter, argument) in function.parameters.iter().zip(arguments) {
            let binding = match self.option_argument(argument) {
                Some(choice) => Binding::Option(choice),
                None => self.expr(argument).map_or(Binding::Poison, Binding::Value),
            };
            sound &= !matches!(binding, Binding::Poison);
            names.push((parameter.text.clone(), binding, parameter.span));
        }
        let inside = Environment { home, function: Some(name.text.clone()), blocks: vec![names] };
        let before = std::mem::replace(&mut self.environment, inside);
        self.calls.push(key.clone());
        let result = self.expr(&function.body);
        self.calls.pop();
        self.environment = before;
        // Functions that call each other twice would otherwise look at one mistake 2^n times.
        if result.is_none() && sound {
            self.broken.insert(key);
        }
        result
    }

    /// The option that an argument names.
    fn option_argument(&self, argument: &Expr) -> Option<OptionChoice> {
        let Ast::Path(path) = &argument.kind else { return None };
        let name = &path.single()?.text;
        match self.environment.find(name) {
            Some((_, Binding::Option(choice), _)) => Some(choice.clone()),
            Some(_) => None,
            None if self.environment.function.is_some() => None,
            None => match self.symbols.get(name) {
                Some(Symbol::Option(choice)) => Some(choice.clone()),
                _ => None,
            },
        }
    }

    fn builtin_function(&mut self, name: &Name, arguments: &[Expr], span: Span) -> Option<Value> {
        let wanted = match name.text.as_str() {
            "exp" | "ln" | "log2" | "log1p" | "expm1" | "sqrt" | "abs" | "sign" | "floor" | "round"
            | "sin" | "cos" | "tanh" | "sigmoid" | "heaviside" => 1,
            "min" | "max" | "pow" | "past" => 2,
            "clamp" => 3,
            _ => {
                let functions = self.functions.keys().map(String::as_str);
                let file = match self.environment.home {
                    Home::Rule => 0,
                    Home::File(file) => file,
                };
                let known =
                    super::names::FUNCTIONS.into_iter().chain(functions).chain(self.scope.names(file, true));
                let help = did_you_mean(&name.text, known);
                let message = format!("there is no function `{}`", name.text);
                self.report(Diagnostic::new(code::UNKNOWN_FUNCTION, name.span, message).maybe_help(help));
                return None;
            }
        };
        // All arguments are looked at, so that all their mistakes are reported.
        let values: Vec<Option<Value>> = arguments.iter().map(|argument| self.expr(argument)).collect();
        if arguments.len() != wanted {
            return self.wrong_count(name, wanted, arguments.len(), span);
        }
        let values: Option<Vec<Value>> = values.into_iter().collect();
        let values = values?;
        let places: Vec<(Value, Span)> =
            values.iter().copied().zip(arguments.iter().map(|a| a.span)).collect();
        match name.text.as_str() {
            "min" => Some(self.extremum(BinaryOp::Min, places[0], places[1], span)),
            "max" => Some(self.extremum(BinaryOp::Max, places[0], places[1], span)),
            "clamp" => {
                let low = self.extremum(BinaryOp::Max, places[0], places[1], span);
                Some(self.extremum(BinaryOp::Min, (low, arguments[0].span), places[2], span))
            }
            "pow" => self.general_power(places[0], places[1], span),
            text => Some(self.one_argument(text, places[0], span)),
        }
    }

    fn extremum(&mut self, op: BinaryOp, a: (Value, Span), b: (Value, Span), span: Span) -> Value {
        let dimension = self.agree(a, b, span);
        let (p, q) = self.unify(a.0, b.0, span);
        Value { id: self.builder.binary(op, p, q, span), dimension, whole: false }
    }

    /// `pow(x, y)`: of plain numbers, always by the function.
    fn general_power(&mut self, x: (Value, Span), y: (Value, Span), span: Span) -> Option<Value> {
        self.expect_plain(x.0, x.1, "`pow`");
        self.expect_plain(y.0, y.1, "`pow`");
        let (p, q) = self.unify_floats(x.0.id, y.0.id, span);
        let id = self.builder.math(MathFn::Pow, vec![p, q], span);
        Some(Value { id, dimension: Some(Dimension::NONE), whole: false })
    }

    fn one_argument(&mut self, name: &str, (value, at): (Value, Span), span: Span) -> Value {
        let plain = |id| Value { id, dimension: Some(Dimension::NONE), whole: false };
        let kept = |id| Value { id, dimension: value.dimension, whole: false };
        let function = match name {
            "exp" => MathFn::Exp,
            "ln" => MathFn::Ln,
            "log2" => MathFn::Log2,
            "log1p" => MathFn::Log1p,
            "expm1" => MathFn::Expm1,
            "sin" => MathFn::Sin,
            "cos" => MathFn::Cos,
            "tanh" => MathFn::Tanh,
            "sigmoid" => MathFn::Sigmoid,
            "abs" => {
                let id = self.number(value.id, span);
                return kept(self.builder.unary(UnaryOp::Abs, id, span));
            }
            "sqrt" => {
                let id = self.float(value.id, span);
                let half = Ratio::new(1, 2);
                let dimension = value.dimension.and_then(|dimension| dimension.power(half?));
                let id = self.builder.unary(UnaryOp::Sqrt, id, span);
                return Value { id, dimension, whole: false };
            }
            "floor" | "round" => {
                self.expect_plain(value, at, &format!("`{name}`"));
                let id = self.number(value.id, span);
                if self.ty(id) == Type::Int {
                    return plain(id);
                }
                let op = if name == "floor" { UnaryOp::Floor } else { UnaryOp::Round };
                return plain(self.builder.unary(op, id, span));
            }
            "heaviside" => {
                let condition = self.against_zero(value, Comparison::Greater, span);
                return plain(self.number(condition, span));
            }
            "sign" => return plain(self.sign(value, span)),
            _ => crate::ice!("the function `{name}` is known and has no meaning"),
        };
        self.expect_plain(value, at, &format!("`{name}`"));
        let id = self.float(value.id, span);
        plain(self.builder.math(function, vec![id], span))
    }

    fn against_zero(&mut self, value: Value, comparison: Comparison, span: Span) -> crate::ir::ExprId {
        let zero = Value { id: self.builder.number(0.0, span), dimension: None, whole: true };
        let (p, q) = self.unify(value, zero, span);
        self.builder.compare(comparison, p, q, span)
    }

    /// 1 above 0, -1 below, and 0 at 0 and for a NaN.
    fn sign(&mut self, value: Value, span: Span) -> crate::ir::ExprId {
        let (above, below) = (
            self.against_zero(value, Comparison::Greater, span),
            self.against_zero(value, Comparison::Less, span),
        );
        let mut numbers = [1.0, -1.0, 0.0].map(|number| self.builder.number(number, span));
        if !self.builder.is_wide(above) {
            numbers = numbers.map(|id| self.real(id, span));
        }
        let [one, minus, zero] = numbers;
        let negative = self.builder.select(below, minus, zero, span);
        self.builder.select(above, one, negative, span)
    }
}
