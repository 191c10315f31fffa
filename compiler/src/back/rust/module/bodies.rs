//! What a group does on one topology in one precision: its arrays and its sections.

use std::ops::Range;

use super::Module;
use super::launches::length;
use super::params::number;
use super::plans::Plan;
use super::steps::zero;
use crate::plan::program::{Action, Condition, Role, Section};

/// A function of the loops of a program.
pub(super) struct Function {
    /// Its name, parameters and result.
    pub head: String,
    /// A call of it with parameters of the same names.
    pub call: String,
}

impl Module<'_> {
    /// The loops of all programs: what the types of topologies say of them, and where they stand.
    pub(super) fn bodies(&mut self) {
        let of = |plan: &Plan| (plan.kind, plan.batched, plan.precision);
        let lengths: Vec<usize> =
            self.plans.plans.chunk_by(|one, two| of(one) == of(two)).map(<[Plan]>::len).collect();
        let mut first = 0;
        for length in lengths {
            let of_type = first..first + length;
            first += length;
            self.paths(of_type.clone());
            of_type.for_each(|plan| self.body(plan));
        }
    }

    /// From a type to its sections, in the variant that the group has chosen and for its size.
    fn paths(&mut self, of_type: Range<usize>) {
        let of = &self.plans.plans[of_type.start];
        let (real, topology) = (of.real(), of.topology());
        let mut modules: [Vec<(usize, String)>; 2] = Default::default();
        for plan in &self.plans.plans[of_type] {
            modules[usize::from(plan.large)].push((plan.variant, plan.module()));
        }
        let [any, large] = modules;
        // A variant without loops for large groups has those of all.
        let large: Vec<(usize, String)> = match large.as_slice() {
            [] => Vec::new(),
            some => any
                .iter()
                .map(|one| some.iter().find(|other| other.0 == one.0).unwrap_or(one).clone())
                .collect(),
        };
        self.out.open(format!("impl Loops<{real}> for {topology}"));
        for Function { head, call } in self.functions(real, "") {
            self.out.line("#[inline]");
            self.out.open(head);
            if large.is_empty() {
                self.variant(&any, &call);
            } else {
                self.out.open("if run.large");
                self.variant(&large, &call);
                self.out.close_and_open("} else {");
                self.variant(&any, &call);
                self.out.close();
            }
            self.out.close();
        }
        self.out.close();
    }

    /// A call of the variant that the group has chosen.
    fn variant(&mut self, modules: &[(usize, String)], call: &str) {
        match modules {
            [(_, one)] => self.out.line(format!("{one}::{call}")),
            several => {
                self.out.open("match run.variant");
                for (variant, module) in several.iter().skip(1) {
                    self.out.line(format!("{variant} => {module}::{call},"));
                }
                self.out.line(format!("_ => {}::{call},", several[0].1));
                self.out.close();
            }
        }
    }

    /// The functions of the loops of each program, as `Loops` has them: what makes the arrays, then the sections.
    pub(super) fn functions(&self, real: &str, path: &str) -> Vec<Function> {
        let results = self.plans.prologue.len();
        let run = format!("run: &native::Run<{results}>");
        let (all, rows, given) = match self.plans.lazy {
            true => (
                format!("({path}Arrays<{real}>, {path}Rows<{real}>)"),
                format!(", rows: &mut {path}Rows<{real}>"),
                "arrays, rows",
            ),
            false => (format!("{path}Arrays<{real}>"), String::new(), "arrays"),
        };
        let mut functions = vec![Function {
            head: format!("fn arrays({run}, tables: &native::Tables<'_>) -> Result<{all}, native::Error>"),
            call: "arrays(run, tables)".to_owned(),
        }];
        for name in self.sections() {
            let head = format!("fn {name}(arrays: &mut {path}Arrays<{real}>{rows}, {run}, again: u64)");
            functions.push(Function { head, call: format!("{name}({given}, run, again)") });
        }
        for name in ["catch_up", "show"].into_iter().filter(|_| self.plans.lazy) {
            let head = format!("fn {name}(arrays: &{path}Arrays<{real}>{rows}, {run}, again: u64)");
            functions.push(Function { head, call: format!("{name}({given}, run, again)") });
        }
        functions
    }

    /// The arrays, sections and kernels of a program.
    fn body(&mut self, plan: usize) {
        let of = &self.plans.plans[plan];
        let (real, module) = (of.real(), of.module());
        let program = of.program.clone();
        let nothing = Section::default();
        let mut sections = vec![&program.create, &program.step];
        sections.extend(program.commit.as_ref().map(|commit| &commit.section));
        sections.extend(program.schedules.iter().map(|(_, section)| section));
        sections.extend(program.calls.iter().map(|(_, section)| section));
        if self.plans.lazy {
            let lazy = program.lazy.as_ref();
            let flush = lazy.map_or(&nothing, |lazy| &lazy.flush);
            let view = lazy.and_then(|lazy| lazy.view.as_ref());
            sections.extend([flush, view.map_or(flush, |view| &view.section)]);
        }
        self.out.open(format!("mod {module}"));
        self.out.line("use super::native::{self, Real as _};");
        let mut functions = self.functions(real, "super::").into_iter();
        if let Some(arrays) = functions.next() {
            self.out.line("#[inline]");
            self.out.open(format!("pub {}", arrays.head));
            self.arrays(plan);
            self.out.close();
        }
        for (function, section) in functions.zip(sections) {
            self.out.line("#[inline]");
            self.out.open(format!("pub {}", function.head));
            self.actions(plan, &section.actions);
            self.out.close();
        }
        self.kernels(plan);
        self.out.close();
    }

    /// The arrays of a program, of zeros, and the tables of its topology.
    fn arrays(&mut self, plan: usize) {
        if !self.plans.lazy {
            self.out.open("Ok(super::Arrays");
            self.zeros(plan, false);
            return self.out.close_with("})");
        }
        self.out.open("let arrays = super::Arrays");
        self.zeros(plan, false);
        self.out.close_with("};");
        self.out.open("let rows = super::Rows");
        self.zeros(plan, true);
        self.out.close_with("};");
        self.out.line("Ok((arrays, rows))");
    }

    /// The arrays of a program that lag behind, or the others.
    fn zeros(&mut self, plan: usize, lag: bool) {
        self.out.line("precision: core::marker::PhantomData,");
        for (number, field) in self.plans.fields.iter().enumerate().filter(|(_, field)| field.lags == lag) {
            let name = &field.name;
            let of = &self.plans.plans[plan];
            let value = match self.plans.storage(plan, number).map(|id| &of.program.storages[id]) {
                None => "native::Memory::new()".to_owned(),
                Some(storage) => {
                    let lengths: Vec<String> = storage.shape.iter().map(|&size| length(of, size)).collect();
                    let lengths = lengths.join(", ");
                    match storage.role {
                        Role::Index(table) => {
                            format!(
                                "native::table({number}, tables, native::Table::{table:?}, &[{lengths}])?"
                            )
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
                        | Role::Marks => format!("native::zeros({number}, &[{lengths}])?"),
                    }
                }
            };
            self.out.line(format!("{name}: {value},"));
        }
    }

    fn actions(&mut self, plan: usize, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Launch(launch) => self.launch(plan, launch),
                Action::Clear(storage) => {
                    let ty = self.plans.plans[plan].program.storages[*storage].ty;
                    let place = self.plans.place(plan, *storage);
                    self.out.line(format!("{place}.fill({});", zero(ty)));
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
