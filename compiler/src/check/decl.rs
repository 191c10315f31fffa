//! Declarations: first all names, so that the order matters only where the language says so, then their values.

use super::context::{Checker, DECLARATION_LIMIT, LENGTH_LIMIT, OptionChoice, Symbol, plain_domain};
use super::unit::Dimension;
use crate::ast::{
    self, Declaration, Domain as AstDomain, Expr, ExprKind as Ast, Kind, ModifierKind, Range, RuleItem,
};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{DeclaredUnit, Domain, Shape, Type, VarId, VarKind, Variable};
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
        let Some(header) = self.header(declaration) else {
            // Uses of the name are not mistakes of their own.
            if let Some(name) = declaration.name.single() {
                self.symbols.entry(name.text.clone()).or_insert(Symbol::Poison);
                if declaration.modifiers.iter().any(|word| word.kind == ModifierKind::Kind(Kind::Plastic)) {
                    self.symbols.entry(format!("d{}", name.text)).or_insert(Symbol::Poison);
                }
            }
            return None;
        };
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
                if variable.is_none() && header.kind == Kind::Plastic {
                    self.symbols.entry(format!("d{}", name.text)).or_insert(Symbol::Poison);
                }
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
        // A plastic variable is shared, and so is what there is one of for each of its elements.
        let per = matches!(header.domain, Some(AstDomain::Per(_)));
        let batched = !never && header.batched.unwrap_or(neuron && !per);
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
}

/// `: int`
pub(super) fn is_int(declaration: &Declaration) -> bool {
    let unit = declaration.unit.as_ref();
    unit.is_some_and(
        |unit| matches!(unit.terms.as_slice(), [term] if term.name.text == "int" && term.exponent == 1),
    )
}
