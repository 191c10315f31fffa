//! Where values may be written: domains, the batch, and sums over synapses.

use super::context::{Checker, Stage};
use crate::diag::{Diagnostic, code};
use crate::ir::build::reduced;
use crate::ir::{Domain, ExprId, Over, ReduceOp, Shape, VarId, VarKind, Variable};
use crate::source::Span;

/// What is written, and whether by `+=` or `-=`.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub variable: VarId,
    pub increment: bool,
}

impl Checker<'_> {
    /// Neither the value nor a condition lives narrower than the target, and only increments of shared variables
    /// are batched.
    pub fn check_shapes(&mut self, target: Target, value: Shape, span: Span) -> bool {
        let Variable { shape, name, kind, span: declared, .. } =
            &self.builder.rule.variables[target.variable];
        let (own, name, kind, declared) = (*shape, name.clone(), *kind, *declared);
        if !self.lives(target, own, value) {
            let (found, wanted) = (value.domain.word(), own.domain.word());
            let message = format!("`{name}` is one per {wanted}, and {} is a {found} value", self.text(span));
            let message = message.replace("one per global", "global");
            let diagnostic = Diagnostic::new(code::NARROWER_VALUE, span, message)
                .also(declared, format!("`{name}` is declared here"))
                .help(way_out(value, own.domain));
            self.report(diagnostic);
            return false;
        }
        for condition in self.conditions.clone() {
            if !self.lives(target, own, condition.shape) {
                let (found, wanted) = (condition.shape.domain.word(), own.domain.word());
                let text = self.text(condition.span);
                let message =
                    format!("`{name}` is one per {wanted}, and stands under {text}, a {found} condition");
                let message = message.replace("one per global", "global");
                let diagnostic = Diagnostic::new(code::NARROWER_CONDITION, span, message)
                    .also(condition.span, "this condition")
                    .help(way_out(condition.shape, own.domain));
                self.report(diagnostic);
                return false;
            }
        }
        let batched = value.batched || self.conditions.iter().any(|condition| condition.shape.batched);
        let combined = target.increment
            && matches!(self.stage, Stage::Update | Stage::Equation)
            && matches!(
                kind,
                VarKind::Proposal { .. } | VarKind::Plastic { .. } | VarKind::State | VarKind::Extern
            );
        if batched && !own.batched && !combined {
            let message = if matches!(self.stage, Stage::Update | Stage::Equation) {
                format!("`{name}` is shared by the batch, so a batched value can only be added to it")
            } else {
                format!(
                    "`{name}` is shared by the batch; in {} batched values must be reduced",
                    self.stage.words()
                )
            };
            let mut diagnostic = Diagnostic::new(code::BATCHED_VALUE, span, message)
                .also(declared, format!("`{name}` is declared here"))
                .help("reduce by name: `mean[batch](…)` or `sum[batch](…)`");
            if matches!(kind, VarKind::State) {
                diagnostic = diagnostic
                    .help(format!("or declare it batched: `batched {} state {name}`", own.domain.word()));
            }
            self.report(diagnostic);
            return false;
        }
        true
    }

    /// A neuron's value may be added to a channel: it is summed over the positions.
    fn lives(&self, target: Target, own: Shape, found: Shape) -> bool {
        let position = is_position(own.domain, found.domain);
        let summed = target.increment && matches!(self.stage, Stage::Update | Stage::Equation);
        found.domain.broadcasts_to(own.domain) || (position && summed)
    }

    /// The sum over the synapses of each element of `target`.
    pub fn summed(&mut self, body: ExprId, target: Domain, span: Span) -> ExprId {
        let from = self.builder.shape(body).domain;
        let crosses = match target {
            Domain::Post | Domain::PostChannel => matches!(from, Domain::Pre | Domain::PreChannel),
            Domain::Pre | Domain::PreChannel => matches!(from, Domain::Post | Domain::PostChannel),
            Domain::Global | Domain::Synapse => false,
        };
        let mut id = body;
        if crosses {
            let everywhere = self.builder.everywhere(Shape::of(Domain::Synapse), span);
            id = self.builder.gate(everywhere, id, span);
        }
        while let Some(over) = next_axis(self.builder.shape(id), target) {
            id = self.builder.reduce(ReduceOp::Sum, over, id, span);
        }
        id
    }
}

/// Whether `found` is a value of the neurons of the channels that `own` is one of.
pub(super) fn is_position(own: Domain, found: Domain) -> bool {
    matches!((own, found), (Domain::PreChannel, Domain::Pre) | (Domain::PostChannel, Domain::Post))
}

/// The axis to sum next on the way to a domain.
fn next_axis(shape: Shape, target: Domain) -> Option<Over> {
    if shape.domain.broadcasts_to(target) {
        return None;
    }
    let over = match (shape.domain, target) {
        (Domain::Synapse, Domain::Post | Domain::PostChannel) => Over::Pre,
        (Domain::Synapse, _) => Over::Post,
        (Domain::Post, Domain::PostChannel) | (Domain::Pre, Domain::PreChannel) => Over::Position,
        (Domain::Pre, _) => Over::Pre,
        (Domain::Post, _) => Over::Post,
        (Domain::PreChannel, _) => Over::PreChannel,
        (Domain::PostChannel, _) => Over::PostChannel,
        (Domain::Global, _) => return None,
    };
    reduced(shape, over).map(|_| over)
}

/// Which reduction brings a value to a domain.
fn way_out(found: Shape, wanted: Domain) -> String {
    let bracket = match (found.domain, wanted) {
        (Domain::Synapse, Domain::Global) => "synapse",
        (Domain::Synapse, Domain::Post | Domain::PostChannel) => "pre",
        (Domain::Synapse, Domain::Pre | Domain::PreChannel) => "post",
        (Domain::Pre, Domain::PreChannel) | (Domain::Post, Domain::PostChannel) => "position",
        (Domain::Pre, Domain::Global) => "pre",
        (Domain::Post, Domain::Global) => "post",
        (Domain::PreChannel, Domain::Global) => "pre_channel",
        (Domain::PostChannel, Domain::Global) => "post_channel",
        _ => {
            let other = if matches!(wanted, Domain::Post | Domain::PostChannel) { "pre" } else { "post" };
            return format!(
                "a value of the other side reaches it through the synapses: `sum[{other}](w * …)`"
            );
        }
    };
    format!("reduce it: `sum[{bracket}](…)` or `mean[{bracket}](…)`")
}
