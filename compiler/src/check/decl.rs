//! Declarations: first all names, so that the order matters only where the language says so, then their values.

use super::context::{
    Checker, DECLARATION_LIMIT, DrawAt, LENGTH_LIMIT, OptionChoice, Stage, Symbol, Value, plain_domain,
};
use super::unit::{self, Dimension, Unit, UnitError};
use super::value_of_constant;
use crate::ast::{
    self, Declaration, Domain as AstDomain, Expr, ExprKind as Ast, Kind, ModifierKind, Range, RuleItem,
};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{DeclaredUnit, Domain, ExprId, Shape, Type, VarId, VarKind, Variable};
use crate::source::Span;

/// The words in front of a name.
struct Header<'a> {
    kind: Kind,
    domain: Option<&'a AstDomain>,
    batched: Option<bool>,
}

impl<'a> Checker<'a> {
    /// Declares all names of a rule, then works out constants, parameters, and all other initial values.
    pub fn declarations(&mut self, items: &'a [RuleItem]) {
        let mut declared = Vec::new();
        for item in items {
            match item {
                RuleItem::Declaration(declaration) if declared.len() < DECLARATION_LIMIT => {
                    let variable = self.declare(declaration, items);
                    declared.push((declaration, variable));
                }
                RuleItem::Declaration(declaration) => {
                    let message = format!("a rule can have {DECLARATION_LIMIT} declarations");
                    self.error(code::DECLARATION_LIMIT, declaration.span, message);
                    return;
                }
                RuleItem::Fn(function) => self.declare_function(function),
                _ => {}
            }
        }
        for &(declaration, variable) in &declared {
            match variable {
                Some(variable) if self.builder.rule.variables[variable].kind == VarKind::Param => {
                    self.parameter(declaration, variable);
                }
                None => self.check_constant(declaration),
                Some(_) => {}
            }
        }
        for &(declaration, variable) in &declared {
            if let Some(variable) =
                variable.filter(|&id| self.builder.rule.variables[id].kind != VarKind::Param)
            {
                self.initial(declaration, variable);
            }
        }
    }

    fn check_constant(&mut self, declaration: &'a Declaration) {
        if let Some(name) = declaration.name.single()
            && let Some(Symbol::Constant(known)) = self.symbols.get(&name.text)
            && std::ptr::eq(*known, declaration)
        {
            self.constant_values(super::context::Home::Rule, &name.text, declaration, declaration.span);
        }
    }

    fn declare_function(&mut self, function: &'a ast::Function) {
        let name = &function.name;
        super::names::check_declarable(name, true, self.diagnostics);
        for (number, parameter) in function.parameters.iter().enumerate() {
            super::names::check_declarable(parameter, false, self.diagnostics);
            if let Some(first) =
                function.parameters[..number].iter().find(|first| first.text == parameter.text)
            {
                self.twice(&parameter.text, parameter.span, first.span);
            }
        }
        match self.functions.get(&name.text) {
            Some(first) => {
                let first = first.name.span;
                self.twice(&name.text, name.span, first);
            }
            None => {
                self.functions.insert(name.text.clone(), function);
            }
        }
    }

    fn twice(&mut self, name: &str, span: Span, first: Span) {
        let diagnostic = Diagnostic::new(code::DUPLICATE_NAME, span, format!("`{name}` is declared twice"))
            .label("declared again")
            .also(first, "first declared here");
        self.report(diagnostic);
    }

    /// Gives a name its meaning. The variable, if it is one; its values come later.
    fn declare(&mut self, declaration: &'a Declaration, items: &'a [RuleItem]) -> Option<VarId> {
        let header = self.header(declaration)?;
        let Some(name) = declaration.name.single() else {
            let message =
                format!("`{}` is an address, and a declared name has no dots", declaration.name.dotted());
            self.error(code::BAD_DECLARATION, declaration.name.span, message);
            return None;
        };
        if !super::names::check_declarable(name, false, self.diagnostics) {
            return None;
        }
        if let Some(symbol) = self.symbols.get(&name.text) {
            let variable = match symbol {
                Symbol::Variable(variable) => Some(&self.builder.rule.variables[*variable]),
                _ => None,
            };
            if let Some(VarKind::Proposal { of }) = variable.map(|variable| variable.kind) {
                self.proposal_name(&name.text, name.span, of);
            } else {
                let first = items.iter().find_map(|item| match item {
                    RuleItem::Declaration(first) if first.name.dotted() == name.text => Some(first.name.span),
                    _ => None,
                });
                self.twice(&name.text, name.span, first.unwrap_or(name.span));
            }
            return None;
        }
        self.check_parts(declaration, header.kind);
        match header.kind {
            Kind::Const => {
                self.symbols.insert(name.text.clone(), Symbol::Constant(declaration));
                None
            }
            Kind::Option => {
                let symbol =
                    self.option_choice(declaration, &name.text).map_or(Symbol::Poison, Symbol::Option);
                self.symbols.insert(name.text.clone(), symbol);
                None
            }
            Kind::Param | Kind::State | Kind::Plastic | Kind::Input | Kind::Output | Kind::Extern => {
                let variable = self.new_variable(declaration, &header, name, items);
                let symbol = variable.map_or(Symbol::Poison, Symbol::Variable);
                self.symbols.insert(name.text.clone(), symbol);
                variable
            }
        }
    }

    fn proposal_name(&mut self, name: &str, span: Span, of: VarId) {
        let plastic = &self.builder.rule.variables[of];
        let (w, at) = (plastic.name.clone(), plastic.span);
        let message = format!("`{name}` is the proposed change of the plastic variable `{w}`");
        let diagnostic = Diagnostic::new(code::PROPOSAL_NAME, span, message)
            .also(at, format!("`{w}` is declared here"))
            .help("choose another name");
        self.report(diagnostic);
    }

    fn header(&mut self, declaration: &'a Declaration) -> Option<Header<'a>> {
        let (mut kind, mut domain, mut batched) = (None, None, None);
        for modifier in &declaration.modifiers {
            let again = match &modifier.kind {
                ModifierKind::Kind(word) => kind.replace(*word).is_some(),
                ModifierKind::Domain(word) => domain.replace(word).is_some(),
                ModifierKind::Batched => batched.replace(true).is_some(),
                ModifierKind::Shared => batched.replace(false).is_some(),
            };
            if again {
                let text = self.text(modifier.span);
                let message = format!("{text} stands beside another word of its sort");
                let help = "a declaration has one kind, at most one domain, and at most one of `batched` and `shared`";
                self.report(Diagnostic::new(code::BAD_DECLARATION, modifier.span, message).help(help));
                return None;
            }
        }
        let Some(kind) = kind else {
            let message = "this declaration does not say what it declares";
            let help = "write `param`, `const`, `option`, `state`, `plastic`, `input`, `output` or `extern`";
            self.report(Diagnostic::new(code::BAD_DECLARATION, declaration.span, message).help(help));
            return None;
        };
        let placed = domain.is_some() || batched.is_some();
        let message = match kind {
            Kind::Const | Kind::Option if placed => "a constant and an option have no domain",
            Kind::Param | Kind::Plastic if batched == Some(true) => {
                "parameters and plastic variables are always shared by the batch"
            }
            _ => return Some(Header { kind, domain, batched }),
        };
        self.error(code::BAD_DECLARATION, declaration.span, message);
        None
    }

    /// Which parts a kind of declaration may have.
    fn check_parts(&mut self, declaration: &Declaration, kind: Kind) {
        let span = declaration.span;
        let message = match (kind, &declaration.range, &declaration.value) {
            (Kind::Option, None | Some(Range::Between(..)), _) => "an option lists its values: `in {a, b}`",
            (Kind::Option, Some(Range::Names(..)), _) => {
                if declaration.length.is_none() && declaration.unit.is_none() {
                    return;
                }
                "an option has no unit and is no array"
            }
            (_, Some(Range::Names(..)), _) => "only an option lists names behind `in`",
            (Kind::Const | Kind::Input | Kind::Output | Kind::Extern, Some(_), _) => {
                "only parameters, states and plastic variables have a range"
            }
            (Kind::Output | Kind::Extern, _, Some(_)) => {
                "outputs start at 0, and externs are set where they are declared"
            }
            _ => return,
        };
        self.error(code::BAD_DECLARATION, span, message);
    }

    fn option_choice(&mut self, declaration: &Declaration, name: &str) -> Option<OptionChoice> {
        let Some(Range::Names(names, _)) = &declaration.range else { return None };
        let values: Vec<String> = names.iter().map(|name| name.text.clone()).collect();
        for (number, value) in names.iter().enumerate() {
            if let Some(first) = names[..number].iter().find(|first| first.text == value.text) {
                self.twice(&value.text, value.span, first.span);
            }
        }
        let written = match &declaration.value {
            Some(Expr { kind: Ast::Path(path), span }) => Some((path.dotted(), *span)),
            Some(value) => Some((String::new(), value.span)),
            None => None,
        };
        let Some((chosen, span)) = self.settings.options.get(name).cloned().or(written) else {
            let message = format!("the option `{name}` has no default, and nothing chooses a value");
            let help = format!("write `= {}`", values.first().map_or("…", String::as_str));
            self.report(Diagnostic::new(code::UNKNOWN_OPTION_VALUE, declaration.span, message).help(help));
            return None;
        };
        if values.contains(&chosen) {
            return Some(OptionChoice { values, chosen });
        }
        let text = self.text(span);
        let help = did_you_mean(&chosen, values.iter().map(String::as_str));
        let list = format!("its values are {}", values.join(", "));
        let message = format!("{text} is no value of the option `{name}`");
        self.report(Diagnostic::new(code::UNKNOWN_OPTION_VALUE, span, message).maybe_help(help).help(list));
        None
    }

    fn new_variable(
        &mut self,
        declaration: &'a Declaration,
        header: &Header<'a>,
        name: &ast::Name,
        items: &'a [RuleItem],
    ) -> Option<VarId> {
        let kind = match header.kind {
            Kind::Param => VarKind::Param,
            Kind::State => VarKind::State,
            Kind::Input => VarKind::Input { required: declaration.value.is_none() },
            Kind::Output => VarKind::Output,
            Kind::Extern => VarKind::Extern,
            // The proposal is not known yet; it follows below.
            Kind::Plastic => VarKind::State,
            Kind::Const | Kind::Option => crate::ice!("constants and options are no variables"),
        };
        let domain = self.domain(header, &name.text, items)?;
        let neuron = matches!(domain, Domain::Pre | Domain::Post);
        let never = matches!(header.kind, Kind::Param | Kind::Plastic);
        let batched = !never && header.batched.unwrap_or(neuron);
        let integer = is_int(declaration);
        if integer && !matches!(header.kind, Kind::State | Kind::Extern) {
            self.error(code::BAD_DECLARATION, declaration.span, "only a state can be `int`");
        }
        let length = match &declaration.length {
            Some(length) => Some(self.length(length)?),
            None => None,
        };
        let ty = match header.kind {
            Kind::Param if domain == Domain::Global => Type::Wide,
            _ if integer => Type::Int,
            _ => Type::Real,
        };
        let shared = matches!(header.kind, Kind::Plastic | Kind::Input | Kind::Output);
        let renamed = self.settings.renames.get(&name.text).filter(|_| shared);
        let variable = Variable {
            part: if shared { String::new() } else { self.settings.part.clone() },
            name: renamed.map_or_else(|| name.text.clone(), |(name, _)| name.clone()),
            docs: declaration.docs.iter().map(|doc| doc.text.clone()).collect(),
            kind,
            shape: Shape { batched, ..Shape::of(domain) },
            ty,
            length,
            unit: DeclaredUnit::default(),
            range: None,
            init: Vec::new(),
            span: name.span,
        };
        let id = self.add(variable);
        if header.kind == Kind::Plastic {
            self.add_proposal(id, &name.text, name.span);
        }
        Some(id)
    }

    fn add(&mut self, variable: Variable) -> VarId {
        self.dimensions.push(Some(Dimension::NONE));
        self.builder.rule.variables.push(variable)
    }

    fn add_proposal(&mut self, of: VarId, written: &str, span: Span) {
        let plastic = self.builder.rule.variables[of].clone();
        let own = format!("d{written}");
        let proposal = self.add(Variable {
            name: format!("d{}", plastic.name),
            docs: Vec::new(),
            kind: VarKind::Proposal { of },
            ..plastic
        });
        self.builder.rule.variables[of].kind = VarKind::Plastic { proposal };
        if let Some(earlier) = self.symbols.get(&own) {
            let at = match earlier {
                Symbol::Variable(variable) => self.builder.rule.variables[*variable].span,
                Symbol::Constant(declaration) => declaration.span,
                Symbol::Option(_) | Symbol::Poison => span,
            };
            self.proposal_name(&own, at, of);
        }
        self.symbols.insert(own, Symbol::Variable(proposal));
    }

    fn domain(&mut self, header: &Header<'a>, name: &str, items: &'a [RuleItem]) -> Option<Domain> {
        let default = if header.kind == Kind::Plastic { Domain::Synapse } else { Domain::Global };
        let Some(domain) = header.domain else {
            let follows = matches!(header.kind, Kind::Plastic | Kind::Input | Kind::Output);
            return Some(self.settings.domains.get(name).copied().filter(|_| follows).unwrap_or(default));
        };
        let AstDomain::Per(plastic) = domain else { return plain_domain(domain) };
        let declared = items.iter().find_map(|item| match item {
            RuleItem::Declaration(other)
                if other.name.dotted() == plastic.text
                    && other.modifiers.iter().any(|word| word.kind == ModifierKind::Kind(Kind::Plastic)) =>
            {
                Some(other)
            }
            _ => None,
        });
        let Some(declared) = declared else {
            let message = format!("`per {0}` needs a plastic variable `{0}`", plastic.text);
            self.error(code::UNKNOWN_NAME, plastic.span, message);
            return None;
        };
        let stated = declared.modifiers.iter().find_map(|word| match &word.kind {
            ModifierKind::Domain(domain) => plain_domain(domain),
            _ => None,
        });
        Some(stated.or(self.settings.domains.get(&plastic.text).copied()).unwrap_or(Domain::Synapse))
    }

    /// The length of an array.
    pub fn length(&mut self, length: &Expr) -> Option<u32> {
        let number = self.constant_number(length, "the length of an array")?;
        if !(1.0..=LENGTH_LIMIT).contains(&number) {
            let message = format!("an array has 1 to {LENGTH_LIMIT} elements, not {number}");
            self.error(code::ARRAY_LENGTH, length.span, message);
            return None;
        }
        Some(number as u32)
    }

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
                        let Some(value) = self.at(stage, draw_at, |c| c.expr(element)) else {
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
            && !(low <= high)
        {
            let message = format!("the range of {name} is empty: {low} is above {high}");
            self.error(code::EMPTY_RANGE, declaration.span, message);
            return None;
        }
        Some(ends)
    }

    fn parameter(&mut self, declaration: &Declaration, variable: VarId) {
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

    fn initial(&mut self, declaration: &Declaration, variable: VarId) {
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

fn is_int(declaration: &Declaration) -> bool {
    let unit = declaration.unit.as_ref();
    unit.is_some_and(
        |unit| matches!(unit.terms.as_slice(), [term] if term.name.text == "int" && term.exponent == 1),
    )
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
