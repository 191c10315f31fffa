//! Equations, handlers and the settings of a rule.

use std::collections::BTreeMap;

use super::context::{Checker, DrawAt, Stage, Symbol};
use super::unit::Dimension;
use crate::ast::{self, Expr, Handler, Head, Name, RuleItem};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{self, BatchReduction, Builtin, Call, Period, Schedule, Solver, Type, VarId, VarKind};
use crate::source::Span;

impl<'a> Checker<'a> {
    /// Everything of a rule that is no declaration.
    pub fn items(&mut self, items: &'a [RuleItem]) {
        self.rule_settings(items);
        let mut known = BTreeMap::new();
        for item in items {
            self.equations(item, &mut known);
        }
        for item in items {
            if let RuleItem::Handler(handler) = item {
                self.handle(handler);
            }
        }
    }

    fn rule_settings(&mut self, items: &[RuleItem]) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for item in items {
            let (word, span) = match item {
                RuleItem::Solver(_, span) => ("solver", *span),
                RuleItem::Batch(_, span) => ("batch", *span),
                RuleItem::Apply(_, span) => ("apply", *span),
                RuleItem::Declaration(_)
                | RuleItem::Fn(_)
                | RuleItem::Equation(_)
                | RuleItem::For(_)
                | RuleItem::Handler(_) => continue,
            };
            if let Some(&first) = seen.get(word) {
                let message = format!("a rule says `{word}` once");
                self.report(Diagnostic::new(code::SETTING, span, message).also(first, "it is said here"));
                continue;
            }
            seen.insert(word, span);
            match item {
                RuleItem::Solver(name, _) => self.set_solver(name),
                RuleItem::Batch(name, _) => self.set_batch(name),
                RuleItem::Apply(when, _) => {
                    let when = match when {
                        ast::When::Call(name) => Some(ir::When::Call(name.text.clone())),
                        ast::When::Every { period, steps } => {
                            self.period(period, *steps).map(ir::When::Every)
                        }
                    };
                    self.builder.rule.apply_when = when.unwrap_or_default();
                }
                _ => {}
            }
        }
    }

    fn set_solver(&mut self, name: &Name) {
        self.solver = match name.text.as_str() {
            "euler" => Solver::Euler,
            "rk4" => Solver::Rk4,
            "exponential_euler" => Solver::ExponentialEuler,
            other => {
                let known = ["euler", "rk4", "exponential_euler"];
                let help = did_you_mean(other, known);
                let message = format!("there is no solver `{other}`");
                let diagnostic =
                    Diagnostic::new(code::UNKNOWN_SOLVER, name.span, message).maybe_help(help).help(format!(
                        "solvers: {}; without one, linear equations are solved exactly",
                        known.join(", ")
                    ));
                return self.report(diagnostic);
            }
        };
    }

    fn set_batch(&mut self, name: &Name) {
        self.builder.rule.batch = match name.text.as_str() {
            "sum" => Some(BatchReduction::Sum),
            "mean" => Some(BatchReduction::Mean),
            other => {
                let message = format!("`batch {other}` is neither `batch sum` nor `batch mean`");
                return self.error(code::SETTING, name.span, message);
            }
        };
    }

    fn period(&mut self, period: &Expr, steps: bool) -> Option<Period> {
        let value = self.at(Stage::Global("a period"), DrawAt::Nowhere, |c| c.expr(period))?;
        let id = self.number(value.id, period.span);
        if self.ty(id) != Type::Wide {
            self.error(
                code::NOT_CONSTANT,
                period.span,
                "a period is a global expression of constants and parameters",
            );
            return None;
        }
        if steps {
            self.expect_plain(value, period.span, "a number of steps");
            return Some(Period::Steps(id));
        }
        if value.dimension == Some(Dimension::NONE) {
            let message = "a period needs a unit of time, or the word `steps`";
            let help = "write `every 100 steps` or `every 10 s`";
            self.report(Diagnostic::new(code::DIMENSION_MISMATCH, period.span, message).help(help));
            return None;
        }
        self.expect_dimension(value, period.span, Some(Dimension::TIME), "a period");
        Some(Period::Time(id))
    }

    fn equations(&mut self, item: &RuleItem, known: &mut BTreeMap<(VarId, u32), Span>) {
        match item {
            RuleItem::Equation(equation) => self.equation(equation, known),
            RuleItem::For(repeated) => {
                let Some(range) = self.loop_range(repeated) else { return };
                for index in range {
                    if self.exhausted {
                        return;
                    }
                    self.turn(repeated.span);
                    self.bind_index(&repeated.variable, index);
                    for item in &repeated.body {
                        self.equations(item, known);
                    }
                    self.environment.blocks.pop();
                }
            }
            RuleItem::Declaration(_)
            | RuleItem::Fn(_)
            | RuleItem::Solver(..)
            | RuleItem::Batch(..)
            | RuleItem::Apply(..)
            | RuleItem::Handler(_) => {}
        }
    }

    fn equation(&mut self, equation: &ast::Equation, known: &mut BTreeMap<(VarId, u32), Span>) {
        self.turn(equation.span);
        let variable = self.equation_variable(equation);
        let index = match &equation.index {
            Some(index) => self.index(index).map(Some),
            None => Some(None),
        };
        let value = self.at(Stage::Equation, DrawAt::Nowhere, |c| c.expr(&equation.value));
        let (Some(variable), Some(index), Some(value)) = (variable, index, value) else { return };
        let name = &equation.variable;
        let Some(element) = self.element(variable, &name.text, index, name.span) else { return };
        if let Some(&first) = known.get(&(variable, element)) {
            let message = format!("`{}` has two equations", name.text);
            let diagnostic = Diagnostic::new(code::EQUATION_TWICE, equation.span, message)
                .also(first, "the first equation")
                .help("add the right-hand sides");
            return self.report(diagnostic);
        }
        known.insert((variable, element), equation.span);
        let wanted = self.dimensions[variable.index()].and_then(|own| own.divide(Dimension::TIME));
        let span = equation.value.span;
        self.expect_dimension(value, span, wanted, &format!("`d{}/dt`", name.text));
        let number = self.number(value.id, span);
        let mut id = self.real(number, span);
        let ir::Variable { kind, shape: own, .. } = self.builder.rule.variables[variable];
        let plastic = matches!(kind, VarKind::Plastic { .. });
        if plastic && super::access::is_position(own.domain, self.builder.shape(id).domain) {
            id = self.summed(id, own.domain, span);
        }
        let target = super::access::Target { variable, increment: plastic };
        let shape = self.builder.shape(id);
        if self.at(Stage::Equation, DrawAt::Nowhere, |c| c.check_shapes(target, shape, span)) {
            let solver = self.solver;
            let equation = ir::Equation { variable, element, value: id, solver, span: equation.span };
            self.builder.rule.equations.push(equation);
        }
    }

    fn equation_variable(&mut self, equation: &ast::Equation) -> Option<VarId> {
        let name = &equation.variable;
        let what = match self.symbols.get(&name.text) {
            Some(&Symbol::Variable(variable)) => {
                let declared = &self.builder.rule.variables[variable];
                match declared.kind {
                    VarKind::State if declared.ty == Type::Int => "an `int` state".to_owned(),
                    VarKind::State | VarKind::Plastic { .. } => return Some(variable),
                    kind => super::path::kind_words(kind).to_owned(),
                }
            }
            Some(Symbol::Constant(_)) => "a constant".to_owned(),
            Some(Symbol::Option(_)) => "an option".to_owned(),
            Some(Symbol::Poison) => return None,
            None => {
                let known = self.symbols.keys().map(String::as_str);
                let help = did_you_mean(&name.text, known);
                let message = format!("there is no `{}` for an equation", name.text);
                let diagnostic = Diagnostic::new(code::UNKNOWN_NAME, name.span, message)
                    .maybe_help(help)
                    .help(format!("declare `state {} = 0;`", name.text));
                self.report(diagnostic);
                return None;
            }
        };
        let message =
            format!("`{}` is {what}, and only states and plastic variables have equations", name.text);
        self.error(code::EQUATION_TARGET, name.span, message);
        None
    }

    fn handle(&mut self, handler: &Handler) {
        let body = &handler.body;
        match &handler.head {
            Head::OnPre(after) => self.on_spike(Builtin::PreSpike, after.as_ref(), handler),
            Head::OnPost(after) => self.on_spike(Builtin::PostSpike, after.as_ref(), handler),
            Head::Update => {
                let block = self.handler(Stage::Update, None, body);
                self.builder.rule.update.extend(block);
            }
            Head::Modulate => {
                let block = self.handler(Stage::Modulate, None, body);
                self.builder.rule.modulate.extend(block);
            }
            Head::Apply => {
                let block = self.handler(Stage::Apply, None, body);
                self.builder.rule.apply.extend(block);
            }
            Head::Constrain => {
                let block = self.handler(Stage::Constrain, None, body);
                self.builder.rule.constrain.extend(block);
            }
            Head::OnCreate => {
                let block = self.handler(Stage::Create, None, body);
                self.builder.rule.create.extend(block);
            }
            Head::When(ast::When::Call(name)) => {
                let body = self.handler(Stage::Call, None, body);
                let calls = &mut self.builder.rule.calls;
                match calls.iter_mut().find(|call| call.name == name.text) {
                    Some(call) => call.body.extend(body),
                    None => calls.push(Call { name: name.text.clone(), body, span: handler.span }),
                }
            }
            Head::When(ast::When::Every { period, steps }) => {
                let period = self.period(period, *steps);
                let body = self.handler(Stage::Every, None, body);
                if let Some(period) = period {
                    self.builder.rule.schedules.push(Schedule { period, body, span: handler.span });
                }
            }
        }
    }

    /// `on pre { S }` is `update { if pre.spike { S } }`.
    fn on_spike(&mut self, spike: Builtin, after: Option<&Expr>, handler: &Handler) {
        let span = handler.head_span;
        let mut id = self.builder.builtin(spike, span);
        if let Some(delay) = after {
            let time = self.at(Stage::Update, DrawAt::Nowhere, |c| c.expr(delay));
            if let Some(time) = time {
                self.expect_dimension(time, delay.span, Some(Dimension::TIME), "a delay");
                if let Some(longest) = self.longest(time.id, delay.span) {
                    let wide = self.ty(time.id) == Type::Wide;
                    let time = if wide { time.id } else { self.real(time.id, delay.span) };
                    id = self.builder.past(id, time, longest, span);
                }
            }
        }
        let block = self.handler(Stage::Update, Some((id, span)), &handler.body);
        self.builder.rule.update.extend(block);
    }
}
