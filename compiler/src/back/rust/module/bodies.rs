//! What a group does on one topology in one precision: its arrays and its sections.

use super::Module;
use super::launches::length;
use super::params::number;
use super::plans::Plan;
use super::steps::zero;
use crate::back::rust::names::identifier;
use crate::plan::program::{Action, Condition, Role, Section};

impl Module<'_> {
    /// The loops of all programs: what the types of topologies say of them, and where they stand.
    pub(super) fn bodies(&mut self) {
        let variants = self.plans.plans.iter().map(|plan| plan.variant + 1).max().unwrap_or(1);
        for first in (0..self.plans.plans.len()).step_by(variants) {
            self.paths(first, variants);
            for plan in first..first + variants {
                self.body(plan);
            }
        }
    }

    /// From a type to its sections, in the variant that the group has chosen.
    fn paths(&mut self, first: usize, variants: usize) {
        let results = self.plans.prologue.len();
        let of = &self.plans.plans[first];
        let (real, topology) = (of.real(), of.topology());
        let modules: Vec<String> =
            self.plans.plans[first..first + variants].iter().map(Plan::module).collect();
        self.out.open(format!("impl Loops<{real}> for {topology}"));
        let arrays = format!(
            "fn arrays(run: &native::Run<{results}>, tables: &native::Tables<'_>) -> Result<Arrays<{real}>, native::Error>"
        );
        let mut functions = vec![(arrays, "arrays(run, tables)".to_owned())];
        for name in self.sections() {
            let head =
                format!("fn {name}(arrays: &mut Arrays<{real}>, run: &native::Run<{results}>, again: u64)");
            functions.push((head, format!("{name}(arrays, run, again)")));
        }
        for (head, call) in functions {
            self.out.line("#[inline]");
            self.out.open(head);
            match modules.as_slice() {
                [one] => self.out.line(format!("{one}::{call}")),
                several => {
                    self.out.open("match run.variant");
                    for (variant, module) in several.iter().enumerate().skip(1) {
                        self.out.line(format!("{variant} => {module}::{call},"));
                    }
                    self.out.line(format!("_ => {}::{call},", several[0]));
                    self.out.close();
                }
            }
            self.out.close();
        }
        self.out.close();
    }

    /// The arrays, sections and kernels of a program.
    fn body(&mut self, plan: usize) {
        let results = self.plans.prologue.len();
        let of = &self.plans.plans[plan];
        let (real, module) = (of.real(), of.module());
        self.out.open(format!("mod {module}"));
        self.out.line("use super::native::{self, Real as _};");
        self.out.line("#[inline]");
        self.out.open(format!(
            "pub fn arrays(run: &native::Run<{results}>, tables: &native::Tables<'_>) -> Result<super::Arrays<{real}>, native::Error>"
        ));
        self.arrays(plan);
        self.out.close();
        let program = self.plans.plans[plan].program.clone();
        self.section(plan, "create", &program.create);
        self.section(plan, "advance", &program.step);
        if let Some(commit) = &program.commit {
            self.section(plan, "commit", &commit.section);
        }
        for (schedule, (_, section)) in program.schedules.iter().enumerate() {
            self.section(plan, &format!("schedule_{schedule}"), section);
        }
        for (name, section) in &program.calls {
            self.section(plan, &format!("on_call_{}", identifier(name)), section);
        }
        self.kernels(plan);
        self.out.close();
    }

    /// The arrays of a program, of zeros, and the tables of its topology.
    fn arrays(&mut self, plan: usize) {
        self.out.open("Ok(super::Arrays");
        self.out.line("precision: core::marker::PhantomData,");
        for field in 0..self.plans.fields.len() {
            let name = &self.plans.fields[field].name;
            let of = &self.plans.plans[plan];
            let value = match self.plans.storage(plan, field).map(|id| &of.program.storages[id]) {
                None => "native::Memory::new()".to_owned(),
                Some(storage) => {
                    let lengths: Vec<String> = storage.shape.iter().map(|&size| length(of, size)).collect();
                    let lengths = lengths.join(", ");
                    match storage.role {
                        Role::Index(table) => {
                            format!("native::table({field}, tables, native::Table::{table:?}, &[{lengths}])?")
                        }
                        Role::Variable(_)
                        | Role::Events(_)
                        | Role::Spikes(_)
                        | Role::Scratch
                        | Role::Draws(_)
                        | Role::Ring(_)
                        | Role::EventHistory(_)
                        | Role::EventCounts(_)
                        | Role::History(_)
                        | Role::Carried(_)
                        | Role::View(_)
                        | Role::Marks => format!("native::zeros({field}, &[{lengths}])?"),
                    }
                }
            };
            self.out.line(format!("{name}: {value},"));
        }
        self.out.close_with("})");
    }

    /// A function that carries out a section.
    fn section(&mut self, plan: usize, name: &str, section: &Section) {
        let results = self.plans.prologue.len();
        let real = self.plans.plans[plan].real();
        self.out.line("#[inline]");
        self.out.open(format!(
            "pub fn {name}(arrays: &mut super::Arrays<{real}>, run: &native::Run<{results}>, again: u64)"
        ));
        self.actions(plan, &section.actions);
        self.out.close();
    }

    fn actions(&mut self, plan: usize, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Launch(launch) => self.launch(plan, launch),
                Action::Clear(storage) => {
                    let ty = self.plans.plans[plan].program.storages[*storage].ty;
                    let field = self.plans.field(plan, *storage).to_owned();
                    self.out.line(format!("arrays.{field}.fill({});", zero(ty)));
                }
                Action::Choose(alternatives) => {
                    for (place, alternative) in alternatives.iter().enumerate() {
                        self.out.line(format!("// {}", alternative.name));
                        let otherwise = if place > 0 { "else " } else { "" };
                        let condition = match alternative.condition {
                            Condition::Always if place > 0 => String::new(),
                            Condition::Always => "if true ".to_owned(),
                            Condition::FewEvents { share, column_cost } => {
                                format!("if run.few_events({}, {}) ", number(share), number(column_cost))
                            }
                        };
                        self.out.open(format!("{otherwise}{condition}").trim_end());
                        self.actions(plan, &alternative.actions);
                        self.out.close();
                    }
                }
            }
        }
    }
}

impl Plan {
    /// The place of a result of its prologue among those of the module.
    pub(super) fn place(&self, result: usize) -> usize {
        self.places[result]
    }
}
