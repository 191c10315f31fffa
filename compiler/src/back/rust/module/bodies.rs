//! What a group does in one precision: its kernels, its sections, its moments.

use std::fmt::Write as _;

use super::Module;
use super::launches::length;
use super::params::number;
use super::prologue::Prologue;
use crate::back::rust::names::identifier;
use crate::ir::{Period, Type as RuleType, VarId, When};
use crate::kernel::{Precision, Side, Type};
use crate::plan::program::{Action, Condition, Program, Role, Section};

/// What the prologue of a program computes besides what launches use.
struct Places {
    /// The periods of schedules.
    schedules: Vec<usize>,
    /// The period of the commit.
    commit: Option<usize>,
    /// The defaults of inputs: the variable and a place for each element.
    inputs: Vec<(VarId, Vec<usize>)>,
}

impl Module<'_> {
    /// How many numbers the prologue of each program has.
    pub(super) fn prologues(&self) -> Vec<usize> {
        self.programs.iter().map(|(_, program)| self.prologue(program).0.len()).collect()
    }

    fn prologue(&self, program: &Program) -> (Prologue, Places) {
        let mut prologue = Prologue::new();
        for result in &program.prologue.results {
            prologue.add(&program.prologue.exprs, *result);
        }
        let mut period = |period: &Period| match period {
            Period::Steps(id) => prologue.add(&program.prologue.exprs, *id),
            Period::Time(id) => prologue.add_in_steps(&program.prologue.exprs, *id),
        };
        let schedules = program.schedules.iter().map(|(each, _)| period(each)).collect();
        let commit = match program.commit.as_ref().map(|commit| &commit.when) {
            Some(When::Every(each)) => Some(period(each)),
            Some(When::EveryStep | When::Call(_)) | None => None,
        };
        let mut inputs = Vec::new();
        for (id, _) in self.inputs() {
            let variable = &self.rule.variables[id];
            if !variable.init.is_empty() {
                let init = |element: usize| variable.init[element.min(variable.init.len() - 1)];
                let places = (0..variable.elements() as usize)
                    .map(|element| prologue.add(&self.rule.exprs, init(element)))
                    .collect();
                inputs.push((id, places));
            }
        }
        (prologue, Places { schedules, commit, inputs })
    }

    /// Everything of one precision.
    pub(super) fn bodies(&mut self, number: usize) {
        let (precision, program) = (self.programs[number].0, self.programs[number].1.clone());
        let (real, module, constructor) = match precision {
            Precision::F32 => ("f32", "dense_f32", "dense"),
            Precision::F64 => ("f64", "dense_f64", "dense_f64"),
        };
        let (prologue, places) = self.prologue(&program);
        self.out.open(format!("impl Group<{real}, native::Dense>"));
        self.constructors(constructor, module, &program, real);
        self.defaults(&places);
        self.set_params(module, &places, &program);
        self.section("create", &program.create, &program, module);
        self.step(&program, &places, module);
        self.call_methods(&program, module);
        self.out.close();
        self.kernels(module, &program, prologue);
    }

    fn constructors(&mut self, name: &str, module: &str, program: &Program, real: &str) {
        let docs = [
            format!(
                "Synapses from each of `pre` to each of `post` neurons, in {real}, with their initial values."
            ),
            String::new(),
        ];
        docs.iter().for_each(|line| self.out.line(format!("/// {line}")));
        self.out.line("/// # Panics");
        self.out.line(format!("/// Where `try_{name}` gives an error."));
        self.out.line("#[track_caller]");
        self.out.open(format!("pub fn {name}(pre: usize, post: usize, params: Params) -> Self"));
        self.out.line(format!("native::expect(Self::try_{name}(pre, post, params, Options::default()))"));
        self.out.close();
        docs.iter().for_each(|line| self.out.line(format!("/// {line}")));
        self.out.line("/// # Errors");
        self.out.line("/// If a parameter is out of range, or there is no memory for so many synapses.");
        self.out.open(format!(
            "pub fn try_{name}(pre: usize, post: usize, params: Params, options: Options) -> Result<Self, native::Error>"
        ));
        self.out.line("let mut run = native::Run::new(pre, post, &options)?;");
        self.out.line(format!("{module}::prologue(&params, run.dt, &mut run.prologue)?;"));
        self.out.open("let arrays = Arrays");
        self.out.line("precision: core::marker::PhantomData,");
        let storages: Vec<String> = program
            .storages
            .iter()
            .map(|(id, storage)| {
                let lengths: Vec<String> = storage.shape.iter().map(|&size| length(size)).collect();
                format!("{}: native::zeros(&[{}])?,", self.field(id), lengths.join(", "))
            })
            .collect();
        storages.iter().for_each(|line| self.out.line(line));
        self.out.close_with("};");
        let (inputs, calls) = (self.inputs().len(), self.calls().len());
        self.out.line(format!(
            "let mut group = Self {{ arrays, run, params, given: [false; {inputs}], calls: [0; {calls}], topology: core::marker::PhantomData }};"
        ));
        for id in self.parameters() {
            let storage = program.storages.iter().find(|(_, storage)| storage.role == Role::Variable(id));
            let Some((storage, _)) = storage else { continue };
            let variable = &self.rule.variables[id];
            if variable.ty == RuleType::Wide {
                continue;
            }
            // Arrays lie side by side at each place.
            let (field, name) = (self.field(storage).to_owned(), self.names[&id].clone());
            let at = if variable.length.is_some() {
                format!("[place % {}]", variable.elements())
            } else {
                String::new()
            };
            let scale = number(variable.unit.scale);
            self.out.open(format!("for (place, cell) in group.arrays.{field}.iter_mut().enumerate()"));
            self.out.line(format!(
                "*cell = <{real} as native::Value>::narrow(group.params.{name}{at} * {scale});"
            ));
            self.out.close();
        }
        self.out.line("group.defaults();");
        self.out.line("group.create(0);");
        self.out.line("group.run.dirty = false;");
        self.out.line("Ok(group)");
        self.out.close();
    }

    /// The defaults of inputs that the host has not given.
    fn defaults(&mut self, places: &Places) {
        let inputs = self.inputs();
        self.out.open("fn defaults(&mut self)");
        for (id, list) in &places.inputs {
            let Some(input) = inputs.iter().position(|(known, _)| known == id) else { continue };
            let storage =
                self.program().storages.iter().find(|(_, storage)| storage.role == Role::Variable(*id));
            let Some((storage, of)) = storage else { continue };
            let (field, whole) = (self.field(storage).to_owned(), of.ty == Type::I64);
            let list: Vec<String> = list.iter().map(usize::to_string).collect();
            self.out.open(format!("if !self.given[{input}]"));
            self.out.line(format!("let places = [{}];", list.join(", ")));
            self.out.open(format!("for (place, cell) in self.arrays.{field}.iter_mut().enumerate()"));
            let value = "self.run.prologue[places[place % places.len()]]";
            self.out.line(match whole {
                true => format!("*cell = {value} as i64;"),
                false => format!("*cell = native::Value::narrow({value});"),
            });
            self.out.close();
            self.out.close();
        }
        self.out.close();
    }

    fn set_params(&mut self, module: &str, places: &Places, program: &Program) {
        self.out.line("/// Other parameters from here on. What is one for each neuron or synapse has a method of its own.");
        self.out.line("///");
        self.out.line("/// # Errors");
        self.out.line("/// If one is out of range; then nothing has changed.");
        self.out.open("pub fn set_params(&mut self, params: Params) -> Result<(), native::Error>");
        self.out.line("let mut results = self.run.prologue;");
        self.out.line(format!("{module}::prologue(&params, self.run.dt, &mut results)?;"));
        let periods = program.schedules.iter().map(|(period, _)| period).zip(&places.schedules);
        for (_, place) in periods.collect::<Vec<_>>() {
            self.out.open(format!("if results[{place}].is_nan()"));
            self.out.line("return Err(native::Error::BadPeriod);");
            self.out.close();
        }
        self.out.line("self.run.prologue = results;");
        self.out.line("self.params = params;");
        self.out.line("self.run.dirty = true;");
        self.out.line("self.defaults();");
        self.out.line("Ok(())");
        self.out.close();
    }

    fn step(&mut self, program: &Program, places: &Places, module: &str) {
        let spikes = "<A: native::Spikes + ?Sized, B: native::Spikes + ?Sized>(&mut self, pre: &A, post: &B)";
        self.out.line("/// One step with these spikes: a `bool` for each neuron, or the numbers of those that spike, ascending.");
        self.out.line("///");
        self.out.line("/// # Panics");
        self.out.line("/// Where `try_step` gives an error.");
        self.out.line("#[track_caller]");
        self.out.line("#[inline]");
        self.out.open(format!("pub fn step{spikes}"));
        self.out.line("native::expect(self.try_step(pre, post));");
        self.out.close();
        self.out.line("/// One step with these spikes: a `bool` for each neuron, or the numbers of those that spike, ascending.");
        self.out.line("///");
        self.out.line("/// # Errors");
        self.out.line(
            "/// If the spikes do not fit the group, or an input is missing; then nothing has changed.",
        );
        self.out.open(format!("pub fn try_step{spikes} -> Result<(), native::Error>"));
        for (place, (id, required)) in self.inputs().into_iter().enumerate() {
            if required {
                let address = self.rule.variables[id].address();
                self.out.open(format!("if !self.given[{place}]"));
                self.out.line(format!("return Err(native::Error::MissingInput({address:?}));"));
                self.out.close();
            }
        }
        self.out.open("if let Err(error) = self.place_spikes(pre, post)");
        self.out.line("self.clear_spikes();");
        self.out.line("return Err(error);");
        self.out.close();
        self.out.line("self.run.step += 1;");
        self.out.line(format!("self.calls = [0; {}];", self.calls().len()));
        self.out.line("self.advance(0);");
        let mut settled = "true".to_owned();
        if let Some(place) = places.commit {
            settled = format!("self.run.is_due({place})");
            self.out.open(format!("if {settled}"));
            self.out.line("self.commit(0);");
            self.out.close();
        } else if program.commit.is_some() {
            settled = "false".to_owned();
        }
        for (schedule, place) in places.schedules.iter().enumerate() {
            self.out.open(format!("if self.run.is_due({place})"));
            self.out.line(format!("self.schedule_{schedule}(0);"));
            self.out.close();
        }
        self.out.line("self.clear_spikes();");
        self.out.open(format!("if {settled}"));
        self.out.line("self.run.dirty = false;");
        self.out.close();
        self.out.line("Ok(())");
        self.out.close();
        self.spikes(program);
        self.section("advance", &program.step, program, module);
        if let Some(commit) = &program.commit {
            self.section("commit", &commit.section, program, module);
        }
        for (schedule, (_, section)) in program.schedules.iter().enumerate() {
            self.section(&format!("schedule_{schedule}"), section, program, module);
        }
    }

    /// Puts spikes in place and takes them away.
    fn spikes(&mut self, program: &Program) {
        let find = |role| program.storages.iter().find(|(_, storage)| storage.role == role).map(|(id, _)| id);
        let sides = [(Side::Pre, "pre"), (Side::Post, "post")];
        self.out.open(
            "fn place_spikes<A: native::Spikes + ?Sized, B: native::Spikes + ?Sized>(&mut self, pre: &A, post: &B) -> Result<(), native::Error>",
        );
        self.out.line("let Self { arrays, run, .. } = self;");
        for (side, word) in sides {
            self.out.line("let mut count = 0;");
            let mut acts = String::new();
            // Writing to a string does not fail.
            if let Some(list) = find(Role::Events(side)) {
                let _ = write!(acts, "arrays.{}[count] = neuron as i32; ", self.field(list));
            }
            if let Some(map) = find(Role::Spikes(side)) {
                let _ = write!(acts, "arrays.{}[neuron] = true; ", self.field(map));
            }
            self.out
                .line(format!("{word}.each({word:?}, run.{word}, &mut |neuron| {{ {acts}count += 1; }})?;"));
            self.out.line(format!("run.events[{}] = count;", side as usize));
        }
        self.out.line("Ok(())");
        self.out.close();
        self.out.open("fn clear_spikes(&mut self)");
        for (side, _) in sides {
            if let Some(map) = find(Role::Spikes(side)) {
                let field = self.field(map).to_owned();
                self.out.line(format!("self.arrays.{field}.fill(false);"));
            }
        }
        self.out.line("self.run.events = [0; 2];");
        self.out.close();
    }

    fn call_methods(&mut self, program: &Program, module: &str) {
        for (place, name) in self.calls().into_iter().enumerate() {
            let method = identifier(&name);
            let commits = matches!(&program.commit, Some(commit) if commit.when == When::Call(name.clone()));
            let section =
                program.calls.iter().find(|(call, _)| *call == name).map(|(_, section)| section.clone());
            self.out.line(format!("/// Carries out what the rule says for the call `{name}`."));
            self.out.line("///");
            self.out.line("/// # Errors");
            self.out.line("/// If it has been called 256 times since the last step.");
            self.out.open(format!("pub fn call_{method}(&mut self) -> Result<(), native::Error>"));
            self.out.line(format!("let again = self.calls[{place}];"));
            self.out.open("if again >= 256");
            self.out.line(format!("return Err(native::Error::CalledTooOften({name:?}));"));
            self.out.close();
            self.out.line(format!("self.calls[{place}] += 1;"));
            if commits {
                self.out.line("self.commit(again);");
                self.out.line("self.run.dirty = false;");
            }
            if section.is_some() {
                self.out.line(format!("self.on_call_{method}(again);"));
            }
            self.out.line("Ok(())");
            self.out.close();
            if let Some(section) = section {
                self.section(&format!("on_call_{method}"), &section, program, module);
            }
        }
    }

    /// A method that carries out a section.
    fn section(&mut self, name: &str, section: &Section, program: &Program, module: &str) {
        self.out.open(format!("fn {name}(&mut self, again: u64)"));
        self.out.line("let Self { arrays, run, .. } = self;");
        self.actions(&section.actions, program, module);
        self.out.close();
    }

    fn actions(&mut self, actions: &[Action], program: &Program, module: &str) {
        for action in actions {
            match action {
                Action::Launch(launch) => self.launch(launch, program, module),
                Action::Clear(storage) => {
                    let zero = match program.storages[*storage].ty {
                        Type::F32 | Type::F64 => "0.0",
                        Type::I32 | Type::I64 => "0",
                        Type::Bool => "false",
                    };
                    let field = self.field(*storage).to_owned();
                    self.out.line(format!("arrays.{field}.fill({zero});"));
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
                        self.actions(&alternative.actions, program, module);
                        self.out.close();
                    }
                }
            }
        }
    }
}
