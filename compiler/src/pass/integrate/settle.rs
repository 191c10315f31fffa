//! Which equations of a rule that names a solver need it.
//!
//! In: a checked rule, all of whose equations ask for the solver that it names. Out: the same rule, in which those with an
//! exact step ask for that. With `rk4`, what an equation without an exact step reads is advanced with it, so that its
//! stages see the course of what they read. What is not done: the steps.

use std::collections::BTreeMap;

use super::exact::{self, Form, LARGEST};
use super::linear::Unknown;
use super::writer::Writer;
use crate::ir::build::RuleBuilder;
use crate::ir::*;

/// Gives each equation that has an exact step [`Solver::Exact`].
pub fn settle(rule: &mut Rule) {
    let Some(first) = rule.equations.iter().find(|equation| equation.solver != Solver::Exact) else { return };
    let mut writer = Writer { span: first.span, builder: RuleBuilder::extend(rule.clone()) };
    let unknowns: Vec<Unknown> = rule.equations.iter().map(unknown).collect();
    let mut forms = Vec::new();
    for equation in &rule.equations {
        writer.span = equation.span;
        forms.push(exact::form(&mut writer, equation, &unknowns).ok());
    }
    let mut settling = Settling::new(rule, &forms);
    for at in 0..forms.len() {
        if forms[at].is_none() || settling.exact[at] && !settling.solvable(&writer, &forms, at) {
            settling.refuse(at);
        }
    }
    let exact = settling.exact;
    for (equation, exact) in rule.equations.iter_mut().zip(exact) {
        if exact {
            equation.solver = Solver::Exact;
        }
    }
}

fn unknown(equation: &Equation) -> Unknown {
    (equation.variable, equation.element)
}

struct Settling<'a> {
    rule: &'a Rule,
    /// The equations of each unknown.
    of: BTreeMap<Unknown, Vec<usize>>,
    /// The equations that are linear and read an unknown of another equation.
    readers: BTreeMap<Unknown, Vec<usize>>,
    /// Whether an equation has an exact step, as far as is known.
    exact: Vec<bool>,
}

impl<'a> Settling<'a> {
    fn new(rule: &'a Rule, forms: &[Option<Form>]) -> Self {
        let (mut of, mut readers) = (BTreeMap::new(), BTreeMap::new());
        for (at, (equation, form)) in rule.equations.iter().zip(forms).enumerate() {
            of.entry(unknown(equation)).or_insert_with(Vec::new).push(at);
            for read in form.iter().flat_map(|form| form.linear.coefficients.keys()) {
                if *read != unknown(equation) {
                    readers.entry(*read).or_insert_with(Vec::new).push(at);
                }
            }
        }
        Self { rule, of, readers, exact: vec![true; forms.len()] }
    }

    /// An equation has no exact step, and so neither have those that need the course of its variable.
    fn refuse(&mut self, at: usize) {
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            if !std::mem::take(&mut self.exact[at]) {
                continue;
            }
            let equation = &self.rule.equations[at];
            open.extend(self.readers.get(&unknown(equation)).into_iter().flatten());
            if equation.solver != Solver::Rk4 {
                continue;
            }
            for id in operands::reachable(&self.rule.exprs, [equation.value]) {
                if let ExprKind::Load { variable, element } = self.rule.exprs[id].kind {
                    let read = self.of.get(&(variable, element)).into_iter().flatten();
                    open.extend(read.filter(|&&read| self.rule.equations[read].solver == Solver::Rk4));
                }
            }
        }
    }

    /// Whether an equation, alone or with all that it depends on, has an exact step.
    fn solvable(&self, writer: &Writer, forms: &[Option<Form>], at: usize) -> bool {
        let own = unknown(&self.rule.equations[at]);
        let mut system = vec![at];
        let mut next = 0;
        while let Some(&member) = system.get(next) {
            let read = forms[member].iter().flat_map(|form| form.linear.coefficients.keys());
            for other in read.filter(|read| **read != own).flat_map(|read| self.of.get(read)).flatten() {
                if !system.contains(other) {
                    system.push(*other);
                }
            }
            if system.len() > LARGEST {
                return false;
            }
            next += 1;
        }
        let members: Vec<&Form> = system.iter().filter_map(|&member| forms[member].as_ref()).collect();
        let all: Vec<usize> = (0..members.len()).collect();
        members.len() == system.len() && (all.len() == 1 || exact::refuse(writer, &members, 0, &all).is_ok())
    }
}
