//! Items: imports, functions, rules, declarations, equations, handlers.

use super::super::explain::Place;
use super::super::grammar::{Node, Rule};
use super::{Context, only, string_content};
use crate::ast::{
    Argument, Declaration, Doc, Domain, Equation, Expr, For, Function, Handler, Head, Item, Kind, Modifier,
    ModifierKind, Name, Part, Range, Rule as RuleNode, RuleBody, RuleItem, UnitExpr, UnitTerm, Use,
    UseTarget, When,
};
use crate::diag::{Diagnostic, code, did_you_mean};

use super::super::word;

impl Context<'_> {
    /// The items of a file.
    pub(super) fn top_items(&mut self, file: Node<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        let mut children = self.children(file).peekable();
        while let Some(child) = children.next_if(|child| child.as_rule() == Rule::top) {
            if let Some(item) = self.top(child) {
                items.push(item);
            }
        }
        let docs = self.docs(&mut children);
        self.stray_docs(&docs, "the end of a file");
        items
    }

    fn top(&mut self, pair: Node<'_>) -> Option<Item> {
        let mut children = self.children(pair).peekable();
        let docs = self.docs(&mut children);
        let core = only(&mut children, "item");
        match core.as_rule() {
            Rule::use_item => {
                self.stray_docs(&docs, "an import");
                Some(Item::Use(self.use_item(core)))
            }
            Rule::function => Some(Item::Fn(self.function(core, docs))),
            Rule::rule_definition => Some(Item::Rule(self.rule(core, docs))),
            Rule::declaration => {
                let declaration = self.declaration(core, docs);
                let constant = declaration
                    .modifiers
                    .iter()
                    .any(|modifier| modifier.kind == ModifierKind::Kind(Kind::Const));
                if !constant {
                    let problem = Diagnostic::new(
                        code::MISPLACED_ITEM,
                        declaration.span,
                        "only `use`, `fn`, `const` and `rule` stand outside a rule",
                    );
                    self.report(problem.help("move the declaration into a rule: `rule name { … }`"));
                    return None;
                }
                Some(Item::Const(declaration))
            }
            _ => {
                self.explain(&core, Place::Top);
                None
            }
        }
    }

    fn use_item(&mut self, pair: Node<'_>) -> Use {
        let span = self.span(&pair);
        let target = only(&mut self.children(pair), "import");
        let target = match target.as_rule() {
            Rule::string => {
                let name = Name { text: string_content(&target), span: self.span(&target) };
                UseTarget::File(name)
            }
            _ => UseTarget::Path(self.path(target)),
        };
        Use { target, span }
    }

    fn function(&mut self, pair: Node<'_>, docs: Vec<Doc>) -> Function {
        let span = self.span(&pair);
        let mut children = self.children(pair);
        let name = self.declared_name(&only(&mut children, "name"));
        let parameters = only(&mut children, "parameters");
        let parameters = self.children(parameters).map(|word| self.declared_name(&word)).collect();
        let body = self.expression(only(&mut children, "body"));
        Function { docs, name, parameters, body, span }
    }

    fn rule(&mut self, pair: Node<'_>, docs: Vec<Doc>) -> RuleNode {
        let span = self.span(&pair);
        let mut children = self.children(pair);
        let name = self.declared_name(&only(&mut children, "name"));
        let body = only(&mut children, "body");
        let body = match body.as_rule() {
            Rule::rule_items => RuleBody::Items(self.rule_items(body)),
            _ => self.composition(body),
        };
        RuleNode { docs, name, body, span }
    }

    fn rule_items(&mut self, pair: Node<'_>) -> Vec<RuleItem> {
        let children = self.children(pair);
        self.items(children)
    }

    fn items(&mut self, children: std::vec::IntoIter<Node<'_>>) -> Vec<RuleItem> {
        let mut children = children.peekable();
        let mut items = Vec::new();
        while let Some(child) = children.next_if(|child| child.as_rule() == Rule::item) {
            if let Some(item) = self.item(child) {
                items.push(item);
            }
        }
        let docs = self.docs(&mut children);
        self.stray_docs(&docs, "the end of a block");
        items
    }

    fn item(&mut self, pair: Node<'_>) -> Option<RuleItem> {
        let mut children = self.children(pair).peekable();
        let docs = self.docs(&mut children);
        let core = only(&mut children, "item");
        let span = self.span(&core);
        Some(match core.as_rule() {
            Rule::declaration => RuleItem::Declaration(self.declaration(core, docs)),
            Rule::function => RuleItem::Fn(self.function(core, docs)),
            Rule::equation => RuleItem::Equation(self.equation(core, docs)),
            Rule::handler => RuleItem::Handler(self.handler(core, docs)),
            Rule::solver => {
                self.stray_docs(&docs, "a solver");
                let name = only(&mut self.children(core), "name");
                RuleItem::Solver(self.name(&name), span)
            }
            Rule::batch => {
                self.stray_docs(&docs, "a batch");
                let name = only(&mut self.children(core), "name");
                RuleItem::Batch(self.name(&name), span)
            }
            Rule::apply_item => {
                self.stray_docs(&docs, "a schedule");
                let when = self.children(core).find(|child| child.as_rule() == Rule::when);
                let Some(when) = when else { crate::ice!("`apply` without a schedule") };
                RuleItem::Apply(self.when(when), span)
            }
            Rule::for_item => {
                self.stray_docs(&docs, "a `for`");
                let mut parts = self.children(core);
                let variable = self.declared_name(&only(&mut parts, "index"));
                let start = self.expression(only(&mut parts, "start"));
                let end = self.expression(only(&mut parts, "end"));
                let body = self.items(parts);
                RuleItem::For(For { variable, start, end, body, span })
            }
            _ => {
                self.explain(&core, Place::Rule);
                return None;
            }
        })
    }

    fn equation(&mut self, pair: Node<'_>, docs: Vec<Doc>) -> Equation {
        let span = self.span(&pair);
        let mut children = self.children(pair).peekable();
        let derivative = only(&mut children, "derivative");
        let mut variable = self.name(&derivative);
        variable.text.remove(0);
        let index = self.optional_index(&mut children);
        let value = self.expression(only(&mut children, "value"));
        Equation { docs, variable, index, value, span }
    }

    /// The expression in brackets, if the next child is one.
    pub(super) fn optional_index(
        &mut self,
        children: &mut std::iter::Peekable<std::vec::IntoIter<Node<'_>>>,
    ) -> Option<Expr> {
        let index = children.next_if(|child| child.as_rule() == Rule::index)?;
        let inner = only(&mut self.children(index), "index");
        Some(self.expression(inner))
    }

    fn handler(&mut self, pair: Node<'_>, docs: Vec<Doc>) -> Handler {
        let span = self.span(&pair);
        let mut children = self.children(pair);
        let head = only(&mut children, "head");
        let head_span = self.span(&head);
        let head = self.head(head);
        let body = self.block(only(&mut children, "block"));
        Handler { docs, head, head_span, body, span }
    }

    fn head(&mut self, pair: Node<'_>) -> Head {
        let inner = only(&mut self.children(pair), "head");
        match inner.as_rule() {
            Rule::on_pre => Head::OnPre(self.delay(inner)),
            Rule::on_post => Head::OnPost(self.delay(inner)),
            Rule::on_create => Head::OnCreate,
            Rule::when => Head::When(self.when(inner)),
            Rule::kw_update => Head::Update,
            Rule::kw_modulate => Head::Modulate,
            Rule::kw_apply => Head::Apply,
            Rule::kw_constrain => Head::Constrain,
            other => crate::ice!("{other:?} is no head"),
        }
    }

    fn delay(&mut self, pair: Node<'_>) -> Option<Expr> {
        let delay = self.children(pair).next()?;
        Some(self.expression(delay))
    }

    fn when(&mut self, pair: Node<'_>) -> When {
        let inner = only(&mut self.children(pair), "schedule");
        let rule = inner.as_rule();
        let mut children = self.children(inner);
        let first = only(&mut children, "schedule");
        if rule == Rule::on_call {
            return When::Call(self.declared_name(&first));
        }
        let period = self.expression(first);
        When::Every { period, steps: children.next().is_some() }
    }

    fn composition(&mut self, pair: Node<'_>) -> RuleBody {
        let mut declarations = Vec::new();
        let mut parts = Vec::new();
        for child in self.children(pair) {
            if child.as_rule() == Rule::composition_declarations {
                declarations = self.own_declarations(child);
            } else {
                parts.push(self.part(child));
            }
        }
        RuleBody::Composition { declarations, parts }
    }

    fn own_declarations(&mut self, pair: Node<'_>) -> Vec<Declaration> {
        let mut children = self.children(pair).peekable();
        let mut declarations = Vec::new();
        while let Some(child) = children.next_if(|child| child.as_rule() == Rule::own_declaration) {
            let mut inner = self.children(child).peekable();
            let docs = self.docs(&mut inner);
            let core = only(&mut inner, "declaration");
            match core.as_rule() {
                Rule::declaration => declarations.push(self.declaration(core, docs)),
                _ => self.explain(&core, Place::Composition),
            }
        }
        let docs = self.docs(&mut children);
        self.stray_docs(&docs, "the end of a block");
        declarations
    }

    fn part(&mut self, pair: Node<'_>) -> Part {
        let span = self.span(&pair);
        let mut children = self.children(pair);
        let rule = self.path(only(&mut children, "rule"));
        let (mut arguments, mut alias) = (Vec::new(), None);
        for child in children {
            if child.as_rule() == Rule::part_arguments {
                arguments = self.children(child).map(|argument| self.argument(argument)).collect();
            } else {
                alias = Some(self.declared_name(&child));
            }
        }
        Part { rule, arguments, alias, span }
    }

    fn argument(&mut self, pair: Node<'_>) -> Argument {
        let span = self.span(&pair);
        let mut children = self.children(pair);
        let name = self.path(only(&mut children, "name"));
        let value = self.expression(only(&mut children, "value"));
        Argument { name, value, span }
    }

    fn declaration(&mut self, pair: Node<'_>, docs: Vec<Doc>) -> Declaration {
        let span = self.span(&pair);
        let mut modifiers = Vec::new();
        let (mut name, mut length, mut unit, mut range, mut value) = (None, None, None, None, None);
        for child in self.children(pair) {
            match child.as_rule() {
                Rule::modifier => modifiers.push(self.modifier(child)),
                Rule::declared_path => {
                    let path = self.path(child);
                    if let [first, ..] = path.segments.as_slice() {
                        self.refuse_reserved(&first.clone());
                    }
                    name = Some(path);
                }
                Rule::length => length = self.children(child).next().map(|inner| self.expression(inner)),
                Rule::value => value = self.children(child).next().map(|inner| self.expression(inner)),
                Rule::annotation => unit = Some(self.unit_expression(child)),
                Rule::range => range = Some(self.range(child)),
                other => crate::ice!("{other:?} in a declaration"),
            }
        }
        let Some(name) = name else { crate::ice!("a declaration without a name") };
        Declaration { docs, modifiers, name, length, unit, range, value, span }
    }

    fn modifier(&mut self, pair: Node<'_>) -> Modifier {
        let span = self.span(&pair);
        let inner = only(&mut self.children(pair), "modifier");
        let kind = match inner.as_rule() {
            Rule::batched => ModifierKind::Batched,
            Rule::shared => ModifierKind::Shared,
            Rule::placed => ModifierKind::Domain(self.domain(inner)),
            _ => ModifierKind::Kind(match inner.as_str() {
                "param" => Kind::Param,
                "const" => Kind::Const,
                "option" => Kind::Option,
                "state" => Kind::State,
                "plastic" => Kind::Plastic,
                "input" => Kind::Input,
                "output" => Kind::Output,
                "extern" => Kind::Extern,
                other => crate::ice!("`{other}` is no kind"),
            }),
        };
        Modifier { kind, span }
    }

    /// A domain from `placed`.
    pub(super) fn domain(&mut self, pair: Node<'_>) -> Domain {
        let inner = only(&mut self.children(pair), "domain");
        if inner.as_rule() == Rule::per {
            let name = only(&mut self.children(inner), "name");
            return Domain::Per(self.name(&name));
        }
        match inner.as_str() {
            "global" => Domain::Global,
            "pre" => Domain::Pre,
            "post" => Domain::Post,
            "pre_channel" => Domain::PreChannel,
            "post_channel" => Domain::PostChannel,
            "synapse" => Domain::Synapse,
            other => crate::ice!("`{other}` is no domain"),
        }
    }

    fn range(&mut self, pair: Node<'_>) -> Range {
        let mut children = self.children(pair);
        let first = only(&mut children, "range");
        if first.as_rule() == Rule::range_names {
            let span = self.span(&first);
            return Range::Names(self.children(first).map(|word| self.declared_name(&word)).collect(), span);
        }
        let low = self.expression(first);
        Range::Between(low, self.expression(only(&mut children, "upper bound")))
    }

    fn unit_expression(&mut self, pair: Node<'_>) -> UnitExpr {
        let mut divide = false;
        let mut terms = Vec::new();
        let mut span = None;
        for child in self.children(pair) {
            if child.as_rule() == Rule::unit_operator {
                divide = child.as_str() == "/";
                continue;
            }
            let here = self.span(&child);
            span = Some(span.map_or(here, |whole: crate::source::Span| whole.to(here)));
            let mut inner = self.children(child);
            let name = self.name(&only(&mut inner, "unit"));
            if name.text != "1" && name.text != "int" {
                self.refuse_unknown_unit(&name);
            }
            let exponent = inner.next().map_or(1, |power| self.unit_power(power));
            terms.push(UnitTerm { name, exponent, divide });
        }
        let Some(span) = span else { crate::ice!("an annotation without a unit") };
        UnitExpr { terms, span }
    }

    fn refuse_unknown_unit(&mut self, name: &Name) {
        if !word::UNITS.contains(&name.text.as_str()) {
            let problem =
                Diagnostic::new(code::UNKNOWN_UNIT, name.span, format!("`{}` is not a unit", name.text));
            self.report(unit_help(problem, &name.text));
        }
    }

    /// The exponent of a unit.
    fn unit_power(&mut self, pair: Node<'_>) -> i32 {
        let span = self.span(&pair);
        let mut negative = false;
        let mut digits = "";
        for child in self.children(pair) {
            match child.as_rule() {
                Rule::minus => negative = true,
                _ => digits = child.as_str(),
            }
        }
        match digits.parse::<i32>() {
            Ok(value) if value <= 64 => value * if negative { -1 } else { 1 },
            _ => {
                let problem =
                    Diagnostic::new(code::NUMBER_TOO_LARGE, span, "the exponent of this unit is too large");
                self.report(problem.help("the largest is 64"));
                1
            }
        }
    }
}

/// Adds what units there are.
pub(in crate::parse) fn unit_help(problem: Diagnostic, name: &str) -> Diagnostic {
    // One letter is more likely a value than a slip of the pen.
    let near = did_you_mean(name, word::UNITS.iter().copied()).filter(|_| name.chars().count() > 1);
    problem.maybe_help(near).help(format!("the units are {}", word::UNITS.join(", ")))
}
