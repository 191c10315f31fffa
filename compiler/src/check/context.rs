//! What is known while one rule is checked, and the small questions that all parts of the check ask.

use std::collections::BTreeMap;

use super::unit::Dimension;
use super::{PartSettings, Scope};
use crate::ast;
use crate::diag::{Code, Diagnostic, Diagnostics, code};
use crate::ir::build::RuleBuilder;
use crate::ir::{Domain, ExprId, Shape, Solver, Statement, VarId};
use crate::source::{Sources, Span};

/// How many expressions may be visited, functions and loops inlined.
pub(super) const EXPRESSION_LIMIT: usize = 200_000;
/// How deep expressions may nest, functions inlined: more than the parser lets a single text be.
pub(super) const DEPTH_LIMIT: usize = 450;
/// How many statements and equations a rule may have, loops unrolled; also how often loops may turn.
pub(super) const STATEMENT_LIMIT: usize = 4096;
/// How many declarations a rule may have.
pub(super) const DECLARATION_LIMIT: usize = 512;
/// How long an array may be.
pub(super) const LENGTH_LIMIT: f64 = 1024.0;

/// A checked expression. `dimension` is `None` where any fits: `0`, `inf`, and after a reported mismatch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub id: ExprId,
    pub dimension: Option<Dimension>,
    /// A whole literal, which among integers is an integer.
    pub whole: bool,
}

/// What a name of the rule stands for.
#[derive(Clone, Debug)]
pub(super) enum Symbol<'a> {
    Variable(VarId),
    Constant(&'a ast::Declaration),
    Option(OptionChoice),
    /// Declared with a mistake that has been reported.
    Poison,
}

/// An option with its choice.
#[derive(Clone, Debug)]
pub(super) struct OptionChoice {
    pub values: Vec<String>,
    pub chosen: String,
}

/// What a name of a block, a loop or a function stands for.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    Value(Value),
    Option(OptionChoice),
    Poison,
}

/// Where the text that is being read comes from: what its names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    Rule,
    File(usize),
}

/// The names of the blocks that are open.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub home: Home,
    /// The function whose body this is.
    pub function: Option<String>,
    pub blocks: Vec<Vec<(String, Binding, Span)>>,
}

impl Environment {
    pub fn new(home: Home) -> Self {
        Self { home, function: None, blocks: vec![Vec::new()] }
    }

    pub fn find(&self, name: &str) -> Option<&(String, Binding, Span)> {
        self.blocks.iter().rev().flatten().find(|(known, ..)| known == name)
    }
}

/// Where an expression or a statement stands, which decides what it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A constant expression, for what.
    Constant(&'static str),
    /// Constants and global parameters, for what.
    Global(&'static str),
    /// The initial value of the variable with this index.
    Initial(usize),
    Equation,
    Update,
    Modulate,
    Apply,
    Constrain,
    Create,
    Call,
    Every,
}

impl Stage {
    /// As a place in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Stage::Constant(what) | Stage::Global(what) => what,
            Stage::Initial(_) => "an initial value",
            Stage::Equation => "an equation",
            Stage::Update => "`on pre`, `on post` and `update`",
            Stage::Modulate => "`modulate`",
            Stage::Apply => "`apply`",
            Stage::Constrain => "`constrain`",
            Stage::Create => "`on create`",
            Stage::Call => "`on call`",
            Stage::Every => "`every`",
        }
    }
}

/// Of what shape a draw is that names no domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DrawAt {
    /// No draws here; why.
    Nowhere,
    /// The draw has to name its domain; whether its values are batched.
    Named(bool),
    /// One per element of the target.
    Target(Shape),
}

/// A condition around the statement that is being checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition {
    /// Its number among all conditions of the block.
    pub number: usize,
    /// Whether this is the branch where it holds.
    pub holds: bool,
    pub local: ExprId,
    pub shape: Shape,
    pub span: Span,
}

/// A lowered statement with the conditions around it.
#[derive(Clone, Debug)]
pub(super) struct Emitted {
    pub path: Vec<Condition>,
    pub statement: Statement,
}

/// The state of the check of one rule.
pub(super) struct Checker<'a> {
    pub sources: &'a Sources,
    pub scope: &'a Scope,
    pub settings: &'a PartSettings,
    pub diagnostics: &'a mut Diagnostics,
    pub builder: RuleBuilder,
    pub symbols: BTreeMap<String, Symbol<'a>>,
    pub functions: BTreeMap<String, &'a ast::Function>,
    /// Constants that have been read: `None` while being read, then their elements or a poison.
    pub constants: BTreeMap<(Home, String), Option<Option<Vec<Value>>>>,
    /// By the index of the variable.
    pub dimensions: Vec<Option<Dimension>>,
    pub environment: Environment,
    pub calls: Vec<(Home, String)>,
    /// Functions whose body is wrong whatever they are given: reported once, they are not expanded again.
    pub broken: std::collections::BTreeSet<(Home, String)>,
    pub stage: Stage,
    pub draw_at: DrawAt,
    /// How many reductions stand around the expression.
    pub reductions: usize,
    /// The address for the next draw, where a `let` binds it alone.
    pub draw_name: Option<String>,
    pub depth: usize,
    pub visited: usize,
    pub turns: usize,
    pub exhausted: bool,
    pub solver: Solver,
    pub conditions: Vec<Condition>,
    pub condition_count: usize,
    pub emitted: Vec<Emitted>,
}

impl<'a> Checker<'a> {
    pub fn new(
        sources: &'a Sources,
        name: &str,
        scope: &'a Scope,
        settings: &'a PartSettings,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        Self {
            sources,
            scope,
            settings,
            diagnostics,
            builder: RuleBuilder::new(name),
            symbols: BTreeMap::new(),
            functions: BTreeMap::new(),
            constants: BTreeMap::new(),
            dimensions: Vec::new(),
            environment: Environment::new(Home::Rule),
            calls: Vec::new(),
            broken: std::collections::BTreeSet::new(),
            stage: Stage::Constant("a constant"),
            draw_at: DrawAt::Nowhere,
            reductions: 0,
            draw_name: None,
            depth: 0,
            visited: 0,
            turns: 0,
            exhausted: false,
            solver: Solver::Exact,
            conditions: Vec::new(),
            condition_count: 0,
            emitted: Vec::new(),
        }
    }

    /// Reports a mistake.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::new(code, span, message));
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// What the author wrote at a place, short enough for a message.
    pub fn text(&self, span: Span) -> String {
        let text = self.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(40) {
            Some((end, _)) => format!("`{}…`", &text[..end]),
            None if text.is_empty() => "this".to_owned(),
            None => format!("`{text}`"),
        }
    }

    /// Runs with another stage and rule for draws.
    pub fn at<T>(&mut self, stage: Stage, draw_at: DrawAt, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.stage, self.draw_at);
        (self.stage, self.draw_at) = (stage, draw_at);
        let result = run(self);
        (self.stage, self.draw_at) = before;
        result
    }

    /// Both dimensions are the same, or any; reports where not and gives the one that both have.
    pub fn agree(&mut self, a: (Value, Span), b: (Value, Span), span: Span) -> Option<Dimension> {
        match (a.0.dimension, b.0.dimension) {
            (Some(x), Some(y)) if x == y => Some(x),
            (Some(x), Some(y)) => {
                let (left, right) = (self.text(a.1), self.text(b.1));
                let message = format!("dimension mismatch: {left} {}, {right} {}", x.says(), y.says());
                let diagnostic = Diagnostic::new(code::DIMENSION_MISMATCH, span, message)
                    .also(a.1, x.says())
                    .also(b.1, y.says());
                self.report(diagnostic);
                None
            }
            (Some(x), None) => Some(x),
            (None, other) => other,
        }
    }

    /// The value has this dimension, or any.
    pub fn expect_dimension(&mut self, value: Value, span: Span, wanted: Option<Dimension>, what: &str) {
        if let (Some(found), Some(wanted)) = (value.dimension, wanted)
            && found != wanted
        {
            let text = self.text(span);
            let message = format!("dimension mismatch: {what} {}, {text} {}", wanted.says(), found.says());
            let plain = found == Dimension::NONE || wanted == Dimension::NONE;
            let help =
                plain.then_some("give the declaration a unit, or divide by a quantity of the same dimension");
            self.report(Diagnostic::new(code::DIMENSION_MISMATCH, span, message).maybe_help(help));
        }
    }

    /// The value is a plain number.
    pub fn expect_plain(&mut self, value: Value, span: Span, what: &str) {
        if let Some(found) = value.dimension.filter(|&found| found != Dimension::NONE) {
            let text = self.text(span);
            let message = format!("{what} needs a dimensionless value, {text} {}", found.says());
            let diagnostic = Diagnostic::new(code::NOT_DIMENSIONLESS, span, message)
                .help("divide by a quantity of the same dimension");
            self.report(diagnostic);
        }
    }

    /// The product or quotient of dimensions; `None` where either is any, or (reported) out of bounds.
    pub fn product(
        &mut self,
        a: Option<Dimension>,
        b: Option<Dimension>,
        divide: bool,
        span: Span,
    ) -> Option<Dimension> {
        let (Some(a), Some(b)) = (a, b) else { return None };
        let result = if divide { a.divide(b) } else { a.multiply(b) };
        if result.is_none() {
            self.error(code::DIMENSION_TOO_LARGE, span, "the exponents of this dimension are too large");
        }
        result
    }
}

/// The domain as the IR has it, unless it is `per w`.
pub(super) fn plain_domain(domain: &ast::Domain) -> Option<Domain> {
    Some(match domain {
        ast::Domain::Global => Domain::Global,
        ast::Domain::Pre => Domain::Pre,
        ast::Domain::Post => Domain::Post,
        ast::Domain::PreChannel => Domain::PreChannel,
        ast::Domain::PostChannel => Domain::PostChannel,
        ast::Domain::Synapse => Domain::Synapse,
        ast::Domain::Per(_) => return None,
    })
}
