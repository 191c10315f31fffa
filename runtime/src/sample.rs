//! A rule for tests, built by hand so that they depend on no text: pair-based STDP with random initial weights, a
//! counter, an input that adds to every weight, and a call that halves the weights.

use aplysia_compiler::ir::build::RuleBuilder;
use aplysia_compiler::ir::*;
use aplysia_compiler::source::Span;

use crate::rule::Rule;

const NOWHERE: Span = Span { file: aplysia_compiler::source::FileId(0), start: 0, end: 0 };

struct Sample(RuleBuilder);

impl Sample {
    fn variable(&mut self, name: &str, kind: VarKind, domain: Domain, ty: Type, init: Vec<ExprId>) -> VarId {
        let shared =
            matches!(kind, VarKind::Plastic { .. } | VarKind::Proposal { .. } | VarKind::Input { .. });
        let batched = matches!(domain, Domain::Pre | Domain::Post);
        self.0.rule.variables.push(Variable {
            part: if shared { String::new() } else { "stdp".to_owned() },
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

    fn param(&mut self, name: &str, value: f64) -> VarId {
        let value = self.0.number(value, NOWHERE);
        self.variable(name, VarKind::Param, Domain::Global, Type::Wide, vec![value])
    }

    fn real(&mut self, value: f64) -> ExprId {
        let value = self.0.number(value, NOWHERE);
        self.0.convert(value, Type::Real, NOWHERE)
    }

    fn real_param(&mut self, param: VarId) -> ExprId {
        let value = self.0.load(param, 0, NOWHERE);
        self.0.convert(value, Type::Real, NOWHERE)
    }

    fn load(&mut self, variable: VarId) -> ExprId {
        self.0.load(variable, 0, NOWHERE)
    }

    fn product(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.0.binary(BinaryOp::Multiply, a, b, NOWHERE)
    }

    fn decay(&mut self, variable: VarId, tau: VarId) {
        let (value, tau) = (self.load(variable), self.real_param(tau));
        let negated = self.0.unary(UnaryOp::Negate, value, NOWHERE);
        let value = self.0.binary(BinaryOp::Divide, negated, tau, NOWHERE);
        let solver = Solver::Exact;
        self.0.rule.equations.push(Equation { variable, element: 0, value, solver, span: NOWHERE });
    }

    fn when(&mut self, spike: Builtin, then: Block) {
        let value = self.0.builtin(spike, NOWHERE);
        let name = format!("%{}", self.0.rule.locals.len());
        let local = self.0.declare(name, value);
        let condition = self.0.local(local, NOWHERE);
        self.0.rule.update.push(Statement::Let { local, value, span: NOWHERE });
        let otherwise = Vec::new();
        self.0.rule.update.push(Statement::If { condition, then, otherwise, span: NOWHERE });
    }
}

fn assign(variable: VarId, op: AssignOp, value: ExprId) -> Statement {
    Statement::Assign { variable, element: 0, op, value, span: NOWHERE }
}

/// The open rule.
pub(crate) fn stdp() -> Rule {
    let mut sample = Sample(RuleBuilder::new("stdp"));
    let s = &mut sample;
    let (a_plus, a_minus) = (s.param("a_plus", 0.01), s.param("a_minus", 0.012));
    let (tau_plus, tau_minus) = (s.param("tau_plus", 20.0), s.param("tau_minus", 20.0));
    let (zero, one) = (s.real(0.0), s.real(1.0));
    let site = Site {
        distribution: Distribution::Uniform,
        shape: Shape::of(Domain::Synapse),
        address: None,
        span: NOWHERE,
    };
    let initial = s.0.draw(site, vec![zero, one]);
    let w = VarId::from_index(s.0.rule.variables.len());
    let dw = VarId::from_index(w.index() + 1);
    s.variable("w", VarKind::Plastic { proposal: dw }, Domain::Synapse, Type::Real, vec![initial]);
    s.variable("dw", VarKind::Proposal { of: w }, Domain::Synapse, Type::Real, Vec::new());
    let range = (s.0.number(0.0, NOWHERE), s.0.number(1.0, NOWHERE));
    s.0.rule.variables[w].range = Some(range);
    let x = s.variable("x", VarKind::State, Domain::Pre, Type::Real, Vec::new());
    let y = s.variable("y", VarKind::State, Domain::Post, Type::Real, Vec::new());
    let n = s.variable("n", VarKind::State, Domain::Global, Type::Int, Vec::new());
    let drive = s.variable("drive", VarKind::Input { required: true }, Domain::Post, Type::Real, Vec::new());
    let total = s.variable("total", VarKind::Output, Domain::Post, Type::Real, Vec::new());
    s.decay(x, tau_plus);
    s.decay(y, tau_minus);
    let (load_x, load_y, load_w) = (s.load(x), s.load(y), s.load(w));
    let (up, down) = (s.real_param(a_plus), s.real_param(a_minus));
    let (up, down) = (s.product(up, load_x), s.product(down, load_y));
    s.when(Builtin::PreSpike, vec![assign(x, AssignOp::Add, one), assign(dw, AssignOp::Subtract, down)]);
    s.when(Builtin::PostSpike, vec![assign(y, AssignOp::Add, one), assign(dw, AssignOp::Add, up)]);
    let step = s.0.integer(1, NOWHERE);
    s.0.rule.update.push(assign(n, AssignOp::Add, step));
    let load_drive = s.load(drive);
    s.0.rule.update.push(assign(total, AssignOp::Add, load_drive));
    let half = s.real(0.5);
    let halved = s.product(load_w, half);
    let body = vec![assign(w, AssignOp::Set, halved)];
    s.0.rule.calls.push(Call { name: "halve".to_owned(), body, span: NOWHERE });
    Rule::from_ir(sample.0.finish())
}
