//! Rules for tests, written in a few words.

use super::build::RuleBuilder;
use super::*;

/// A rule in the making.
pub(crate) struct Sample {
    pub(crate) builder: RuleBuilder,
}

/// The place of everything in a sample.
pub(crate) const NOWHERE: Span = Span { file: crate::source::FileId(0), start: 0, end: 0 };

impl Sample {
    pub(crate) fn new(name: &str) -> Self {
        Self { builder: RuleBuilder::new(name) }
    }

    fn variable(&mut self, name: &str, kind: VarKind, domain: Domain, ty: Type, init: Vec<ExprId>) -> VarId {
        let batched = matches!(domain, Domain::Pre | Domain::Post)
            && !matches!(kind, VarKind::Param | VarKind::Plastic { .. } | VarKind::Proposal { .. });
        self.builder.rule.variables.push(Variable {
            part: String::new(),
            name: name.to_owned(),
            docs: Vec::new(),
            kind,
            shape: Shape { batched, ..Shape::of(domain) },
            ty,
            length: None,
            unit: DeclaredUnit::default(),
            range: None,
            init,
            span: NOWHERE,
        })
    }

    pub(crate) fn param(&mut self, name: &str, value: f64) -> VarId {
        let value = self.number(value);
        self.variable(name, VarKind::Param, Domain::Global, Type::Wide, vec![value])
    }

    pub(crate) fn neuron_param(&mut self, name: &str, domain: Domain) -> VarId {
        self.variable(name, VarKind::Param, domain, Type::Real, Vec::new())
    }

    pub(crate) fn state(&mut self, name: &str, domain: Domain) -> VarId {
        self.variable(name, VarKind::State, domain, Type::Real, Vec::new())
    }

    pub(crate) fn output(&mut self, name: &str, domain: Domain) -> VarId {
        self.variable(name, VarKind::Output, domain, Type::Real, Vec::new())
    }

    pub(crate) fn counter(&mut self, name: &str) -> VarId {
        self.variable(name, VarKind::State, Domain::Global, Type::Int, Vec::new())
    }

    /// `w` and `dw`, with the default apply.
    pub(crate) fn plastic(&mut self, name: &str, domain: Domain) -> (VarId, VarId) {
        let weight = VarId::from_index(self.builder.rule.variables.len());
        let proposal = VarId::from_index(weight.index() + 1);
        self.variable(name, VarKind::Plastic { proposal }, domain, Type::Real, Vec::new());
        let kind = VarKind::Proposal { of: weight };
        self.variable(&format!("d{name}"), kind, domain, Type::Real, Vec::new());
        let (change, zero) = (self.load(proposal), self.real(0.0));
        let changed = self.builder.compare(Comparison::NotEqual, change, zero, NOWHERE);
        let write = set(weight, AssignOp::Add, change);
        let apply = self.when(changed, vec![write]);
        self.builder.rule.apply.extend(apply);
        (weight, proposal)
    }

    pub(crate) fn number(&mut self, value: f64) -> ExprId {
        self.builder.number(value, NOWHERE)
    }

    pub(crate) fn real(&mut self, value: f64) -> ExprId {
        let value = self.number(value);
        self.rounded(value)
    }

    pub(crate) fn rounded(&mut self, id: ExprId) -> ExprId {
        self.builder.convert(id, Type::Real, NOWHERE)
    }

    pub(crate) fn load(&mut self, variable: VarId) -> ExprId {
        self.builder.load(variable, 0, NOWHERE)
    }

    pub(crate) fn built_in(&mut self, builtin: Builtin) -> ExprId {
        self.builder.builtin(builtin, NOWHERE)
    }

    /// Rounds a `Wide` side where the other is not.
    pub(crate) fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId) -> ExprId {
        let (mut a, mut b) = (a, b);
        if self.builder.ty(a) != self.builder.ty(b) {
            (a, b) = (self.rounded(a), self.rounded(b));
        }
        self.builder.binary(op, a, b, NOWHERE)
    }

    pub(crate) fn multiply(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.binary(BinaryOp::Multiply, a, b)
    }

    pub(crate) fn add(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.binary(BinaryOp::Add, a, b)
    }

    /// `-x / tau`
    pub(crate) fn decay(&mut self, x: ExprId, tau: VarId) -> ExprId {
        let tau = self.load(tau);
        let negated = self.builder.unary(UnaryOp::Negate, x, NOWHERE);
        self.binary(BinaryOp::Divide, negated, tau)
    }

    pub(crate) fn equation(&mut self, variable: VarId, value: ExprId, solver: Solver) {
        let value = self.rounded(value);
        self.builder.rule.equations.push(Equation { variable, element: 0, value, solver, span: NOWHERE });
    }

    /// `let name = value;` and its value.
    pub(crate) fn bind(&mut self, name: &str, value: ExprId) -> (Statement, ExprId) {
        let local = self.builder.declare(name, value);
        (Statement::Let { local, value, span: NOWHERE }, self.builder.local(local, NOWHERE))
    }

    /// `if condition { then }`
    pub(crate) fn when(&mut self, condition: ExprId, then: Block) -> Block {
        let name = format!("%{}", self.builder.rule.locals.len());
        let (bound, condition) = self.bind(&name, condition);
        vec![bound, Statement::If { condition, then, otherwise: Vec::new(), span: NOWHERE }]
    }

    pub(crate) fn draw(&mut self, distribution: Distribution, domain: Domain, parameters: &[f64]) -> ExprId {
        let parameters = parameters.iter().map(|value| self.real(*value)).collect();
        let site = Site { distribution, shape: Shape::of(domain), address: None, span: NOWHERE };
        self.builder.draw(site, parameters)
    }

    pub(crate) fn finish(self) -> Rule {
        self.builder.finish()
    }
}

/// A write of a plain variable.
pub(crate) fn set(variable: VarId, op: AssignOp, value: ExprId) -> Statement {
    Statement::Assign { variable, element: 0, op, value, span: NOWHERE }
}

/// `stdp` of the language reference: the rule and `x`, `y`, `w`.
pub(crate) fn stdp() -> (Rule, VarId, VarId, (VarId, VarId)) {
    let mut sample = Sample::new("stdp");
    let [a_plus, a_minus] =
        [("a_plus", 0.01), ("a_minus", 0.012)].map(|(name, value)| sample.param(name, value));
    let [tau_plus, tau_minus] = ["tau_plus", "tau_minus"].map(|name| sample.param(name, 20.0));
    let (weight, proposal) = sample.plastic("w", Domain::Synapse);
    let (x, y) = (sample.state("x", Domain::Pre), sample.state("y", Domain::Post));
    for (trace, tau) in [(x, tau_plus), (y, tau_minus)] {
        let value = sample.load(trace);
        let decay = sample.decay(value, tau);
        sample.equation(trace, decay, Solver::Exact);
    }
    let sides = [
        (Builtin::PreSpike, x, a_minus, y, AssignOp::Subtract),
        (Builtin::PostSpike, y, a_plus, x, AssignOp::Add),
    ];
    for (spike, own, amount, other, op) in sides {
        let (one, amount, other) = (sample.real(1.0), sample.load(amount), sample.load(other));
        let product = sample.multiply(amount, other);
        let spike = sample.built_in(spike);
        let body = vec![set(own, AssignOp::Add, one), set(proposal, op, product)];
        let block = sample.when(spike, body);
        sample.builder.rule.update.extend(block);
    }
    let (value, low, high) = (sample.load(weight), sample.real(0.0), sample.real(1.0));
    let above = sample.binary(BinaryOp::Max, value, low);
    let clipped = sample.binary(BinaryOp::Min, above, high);
    sample.builder.rule.constrain.push(set(weight, AssignOp::Set, clipped));
    (sample.finish(), x, y, (weight, proposal))
}
