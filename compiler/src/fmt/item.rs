//! Files, rules, declarations and heads.

use super::expression::{broken, domain_text, flat, indented, path_text, width};
use super::layout::Printer;
use crate::ast::{
    Argument, Declaration, Doc, Equation, File, Function, Handler, Head, Item, Kind, ModifierKind, Name,
    Part, Range, Rule, RuleBody, RuleItem, UnitExpr, UseTarget, When,
};
use crate::source::Span;

impl Printer<'_> {
    /// All items.
    pub(super) fn file(&mut self, file: &File) {
        for item in &file.items {
            match item {
                Item::Use(import) => {
                    let target = match &import.target {
                        UseTarget::Path(path) => {
                            path.segments.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("::")
                        }
                        UseTarget::File(name) => self.slice(name.span),
                    };
                    self.simple(&[], import.span, &format!("use {target};"));
                }
                Item::Fn(function) => self.function(function),
                Item::Const(declaration) => self.declaration(declaration),
                Item::Rule(rule) => self.rule(rule),
            }
        }
    }

    fn slice(&self, span: Span) -> String {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("").to_owned()
    }

    /// The comments before a thing, and its documentation.
    fn lead(&mut self, docs: &[Doc], span: Span) {
        for doc in docs {
            self.before(doc.span.start);
            let line = format!("/// {}", doc.text);
            self.lines(line.trim_end());
            self.wrote(doc.span.end);
        }
        self.before(span.start);
    }

    /// A thing of one line, or of several joined by line breaks; as written if comments are within.
    fn simple(&mut self, docs: &[Doc], span: Span, text: &str) {
        self.lead(docs, span);
        if self.has_comment(span.start, span.end) {
            self.verbatim("", span, "");
        } else {
            self.lines(text);
            self.wrote(span.end);
        }
    }

    fn function(&mut self, function: &Function) {
        let head = format!("fn {}({}) = ", function.name.text, names(&function.parameters));
        let text = broken(&head, &function.body, ";", self.room());
        self.simple(&function.docs, function.span, &text);
    }

    fn rule(&mut self, rule: &Rule) {
        match &rule.body {
            RuleBody::Items(items) => {
                self.lead(&rule.docs, rule.span);
                let head = format!("rule {} {{", rule.name.text);
                if items.is_empty() && !self.has_comment(rule.span.start, rule.span.end) {
                    self.lines(&format!("{head} }}"));
                } else {
                    self.lines(&head);
                    self.opened(rule.name.span.end + 2);
                    self.items(items, rule.span.end);
                    self.lines("}");
                }
                self.wrote(rule.span.end);
            }
            RuleBody::Composition { declarations, parts } => self.composition(rule, declarations, parts),
        }
    }

    fn items(&mut self, items: &[RuleItem], end: u32) {
        self.deeper();
        for item in items {
            self.item(item);
        }
        self.closing(end);
    }

    fn item(&mut self, item: &RuleItem) {
        match item {
            RuleItem::Declaration(declaration) => self.declaration(declaration),
            RuleItem::Fn(function) => self.function(function),
            RuleItem::Equation(equation) => self.equation(equation),
            RuleItem::Solver(name, span) => self.simple(&[], *span, &format!("solver {};", name.text)),
            RuleItem::Batch(name, span) => self.simple(&[], *span, &format!("batch {};", name.text)),
            RuleItem::Apply(when, span) => self.simple(&[], *span, &format!("apply {};", when_text(when))),
            RuleItem::For(repeat) => {
                self.before(repeat.span.start);
                self.for_head(repeat);
                self.items(&repeat.body, repeat.span.end);
                self.lines("}");
                self.wrote(repeat.span.end);
            }
            RuleItem::Handler(handler) => self.handler(handler),
        }
    }

    fn handler(&mut self, handler: &Handler) {
        self.lead(&handler.docs, handler.span);
        self.block(&head_text(&handler.head), &handler.body, handler.span.start, "");
    }

    fn equation(&mut self, equation: &Equation) {
        let index = equation.index.as_ref().map_or(String::new(), |index| format!("[{}]", flat(index)));
        let head = format!("d{}{index}/dt = ", equation.variable.text);
        let text = broken(&head, &equation.value, ";", self.room());
        self.simple(&equation.docs, equation.span, &text);
    }

    fn declaration(&mut self, declaration: &Declaration) {
        let mut head = String::new();
        for modifier in &declaration.modifiers {
            head += &modifier_text(&modifier.kind);
            head.push(' ');
        }
        head += &path_text(&declaration.name);
        if let Some(length) = &declaration.length {
            head += &format!("[{}]", flat(length));
        }
        if let Some(unit) = &declaration.unit {
            head += &format!(": {}", unit_text(unit));
        }
        match &declaration.range {
            None => {}
            Some(Range::Between(low, high)) => head += &format!(" in {} .. {}", flat(low), flat(high)),
            Some(Range::Names(values, _)) => head += &format!(" in {{{}}}", names(values)),
        }
        let text = match &declaration.value {
            Some(value) => broken(&format!("{head} = "), value, ";", self.room()),
            None => head + ";",
        };
        self.simple(&declaration.docs, declaration.span, &text);
    }

    /// `rule r = a + b;`, one part a line where one line is too narrow or comments stand between.
    fn composition(&mut self, rule: &Rule, declarations: &[Declaration], parts: &[Part]) {
        let head = format!("rule {} =", rule.name.text);
        self.lead(&rule.docs, rule.span);
        let documented = declarations.iter().any(|declaration| !declaration.docs.is_empty());
        let comments = self.has_comment(rule.span.start, rule.span.end);
        let texts: Vec<String> = parts.iter().map(part_text).collect();
        if declarations.is_empty() {
            let line = format!("{head} {};", texts.join(" + "));
            if !comments && width(&line) <= self.room() {
                self.lines(&line);
                self.wrote(rule.span.end);
                return;
            }
            self.lines(&head);
            self.opened(rule.name.span.end + 2);
        } else {
            let all: Vec<String> = declarations.iter().map(one_line).collect();
            let line = format!("{head} {{ {} }} {};", all.join(" "), texts.join(" + "));
            if !comments && !documented && declarations.len() <= 2 && width(&line) <= self.room() {
                self.lines(&line);
                self.wrote(rule.span.end);
                return;
            }
            self.lines(&format!("{head} {{"));
            self.opened(rule.name.span.end);
            self.deeper();
            for declaration in declarations {
                self.declaration(declaration);
            }
            self.closing(parts.first().map_or(rule.span.end, |part| part.span.start));
            self.lines("}");
        }
        self.parts(parts, rule.span.end);
    }

    fn parts(&mut self, parts: &[Part], end: u32) {
        self.deeper();
        for (index, part) in parts.iter().enumerate() {
            let sign = if index == 0 { "" } else { "+ " };
            let last = index + 1 == parts.len();
            let suffix = if last { ";" } else { "" };
            self.before(part.span.start);
            if self.has_comment(part.span.start, part.span.end) {
                self.verbatim(sign, part.span, suffix);
            } else {
                let text = broken_part(sign, part, suffix, self.room());
                self.lines(&text);
            }
            self.wrote(if last { end } else { part.span.end });
        }
        self.shallower();
    }
}

/// A part on as many lines as it needs, its arguments one a line.
fn broken_part(sign: &str, part: &Part, suffix: &str, room: usize) -> String {
    let line = format!("{sign}{}{suffix}", part_text(part));
    if width(&line) <= room || part.arguments.is_empty() {
        return line;
    }
    let mut text = format!("{sign}{}(\n", path_text(&part.rule));
    for (index, argument) in part.arguments.iter().enumerate() {
        let comma = if index + 1 == part.arguments.len() { "" } else { "," };
        let head = format!("{} = ", path_text(&argument.name));
        text += &indented(&broken(&head, &argument.value, comma, room.saturating_sub(4)));
        text.push('\n');
    }
    text + ")" + &alias_text(part) + suffix
}

fn part_text(part: &Part) -> String {
    let arguments: Vec<String> = part.arguments.iter().map(argument_text).collect();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    format!("{}{arguments}{}", path_text(&part.rule), alias_text(part))
}

fn alias_text(part: &Part) -> String {
    part.alias.as_ref().map_or(String::new(), |alias| format!(" as {}", alias.text))
}

fn argument_text(argument: &Argument) -> String {
    format!("{} = {}", path_text(&argument.name), flat(&argument.value))
}

fn one_line(declaration: &Declaration) -> String {
    let mut printer = Printer::new("", &[]);
    let plain = Declaration { docs: Vec::new(), ..declaration.clone() };
    printer.declaration(&plain);
    printer.finish().trim().to_owned()
}

fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ")
}

fn modifier_text(modifier: &ModifierKind) -> String {
    match modifier {
        ModifierKind::Batched => "batched".into(),
        ModifierKind::Shared => "shared".into(),
        ModifierKind::Domain(domain) => domain_text(domain),
        ModifierKind::Kind(kind) => match kind {
            Kind::Param => "param",
            Kind::Const => "const",
            Kind::Option => "option",
            Kind::State => "state",
            Kind::Plastic => "plastic",
            Kind::Input => "input",
            Kind::Output => "output",
            Kind::Extern => "extern",
        }
        .into(),
    }
}

fn unit_text(unit: &UnitExpr) -> String {
    let mut text = String::new();
    for (index, term) in unit.terms.iter().enumerate() {
        if index > 0 {
            text.push(if term.divide { '/' } else { '*' });
        }
        text += &term.name.text;
        if term.exponent != 1 {
            text += &format!("^{}", term.exponent);
        }
    }
    text
}

fn when_text(when: &When) -> String {
    match when {
        When::Call(name) => format!("on call {}", name.text),
        When::Every { period, steps } => {
            format!("every {}{}", flat(period), if *steps { " steps" } else { "" })
        }
    }
}

fn head_text(head: &Head) -> String {
    let after = |delay: &Option<crate::ast::Expr>| {
        delay.as_ref().map_or(String::new(), |delay| format!(" after {}", flat(delay)))
    };
    match head {
        Head::OnPre(delay) => format!("on pre{}", after(delay)),
        Head::OnPost(delay) => format!("on post{}", after(delay)),
        Head::OnCreate => "on create".into(),
        Head::When(when) => when_text(when),
        Head::Update => "update".into(),
        Head::Modulate => "modulate".into(),
        Head::Apply => "apply".into(),
        Head::Constrain => "constrain".into(),
    }
}
