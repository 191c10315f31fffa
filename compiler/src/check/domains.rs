//! States of synapses that would do with a smaller domain.
//!
//! A state whose initial value and writes are the same for all synapses, or for all synapses of a neuron, takes four bytes for each
//! synapse and holds few different numbers. Where it lives is the author's word, since the host may write each of its
//! values; so this is a warning, and nothing is moved.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::{
    Block, Builtin, Domain, ExprId, ExprKind, LocalId, Rule, Shape, Statement, VarId, VarKind, Variable,
};

/// Warns of such states, where the rule itself writes them.
pub(super) fn warnings(rule: &Rule, diagnostics: &mut Diagnostics) {
    for (variable, domain) in smallest(rule) {
        let declared = &rule.variables[variable];
        let (whose, word) = match domain {
            Domain::Global => ("all synapses", String::new()),
            Domain::Pre | Domain::PreChannel => {
                ("all synapses of a presynaptic neuron", format!("{} ", domain.word()))
            }
            Domain::Post | Domain::PostChannel => {
                ("all synapses of a postsynaptic neuron", format!("{} ", domain.word()))
            }
            Domain::Synapse => continue,
        };
        let name = &declared.name;
        let message = format!("the state `{name}` is the same for {whose}");
        let help =
            format!("declare it `{word}state {name}`, unless the host gives each synapse a value of its own");
        diagnostics.push(Diagnostic::new(code::DOMAIN_TOO_LARGE, declared.span, message).help(help));
    }
}

/// The smallest domain of each state of synapses that a rule writes: the least one that holds its initial value and all that
/// is written to it, found by starting from one value for the group.
fn smallest(rule: &Rule) -> BTreeMap<VarId, Domain> {
    let mut writes = Writes::default();
    rule.blocks().for_each(|block| writes.block(block, &[]));
    for equation in &rule.equations {
        writes.values.entry(equation.variable).or_default().push(equation.value);
    }
    let of_synapses =
        |declared: &Variable| declared.kind == VarKind::State && declared.shape == Shape::of(Domain::Synapse);
    let mut domains: BTreeMap<VarId, Domain> = (writes.values.keys().copied())
        .filter(|&variable| of_synapses(&rule.variables[variable]))
        .map(|variable| (variable, Domain::Global))
        .collect();
    // Most rules have none.
    if domains.is_empty() {
        return domains;
    }
    // A domain only grows, and there are few.
    loop {
        let of_exprs = of_exprs(rule, &domains, &writes.locals);
        let mut grown = domains.clone();
        for (variable, domain) in &mut grown {
            let written = &writes.values[variable];
            let values = rule.variables[*variable].init.iter().chain(written);
            *domain = values.fold(*domain, |domain, value| domain.join(of_exprs[value.index()]));
        }
        if grown == domains {
            return domains;
        }
        domains = grown;
    }
}

/// What is written where.
#[derive(Default)]
struct Writes {
    /// All that decides what a variable becomes: values, and the conditions that they are under.
    values: BTreeMap<VarId, Vec<ExprId>>,
    locals: BTreeMap<LocalId, ExprId>,
}

impl Writes {
    fn block(&mut self, block: &Block, conditions: &[ExprId]) {
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    self.locals.insert(*local, *value);
                }
                Statement::Assign { variable, value, .. } => {
                    let values = self.values.entry(*variable).or_default();
                    values.push(*value);
                    values.extend(conditions);
                }
                Statement::If { condition, then, otherwise, .. } => {
                    let inside = [conditions, &[*condition]].concat();
                    self.block(then, &inside);
                    self.block(otherwise, &inside);
                }
            }
        }
    }
}

/// The domain of each expression, by its index, if these states live where the map says.
fn of_exprs(
    rule: &Rule,
    states: &BTreeMap<VarId, Domain>,
    locals: &BTreeMap<LocalId, ExprId>,
) -> Vec<Domain> {
    let mut domains: Vec<Domain> = Vec::with_capacity(rule.exprs.len());
    for (_, expr) in rule.exprs.iter() {
        let domain = match &expr.kind {
            ExprKind::Load { variable, .. } => {
                states.get(variable).copied().unwrap_or(rule.variables[*variable].shape.domain)
            }
            // What it was evaluated from may stand behind it; then it is as large as it was declared.
            ExprKind::Local(local) => locals
                .get(local)
                .and_then(|value| domains.get(value.index()).copied())
                .unwrap_or(expr.shape.domain),
            ExprKind::Builtin(Builtin::PreSpike | Builtin::PreIndex) => Domain::Pre,
            ExprKind::Builtin(Builtin::PostSpike | Builtin::PostIndex) => Domain::Post,
            // These say themselves where their value lives.
            ExprKind::Draw { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Widen(_)
            | ExprKind::Past { .. } => expr.shape.domain,
            kind => (kind.operands().into_iter())
                .fold(Domain::Global, |domain, operand| domain.join(domains[operand.index()])),
        };
        domains.push(domain);
    }
    domains
}
