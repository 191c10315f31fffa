//! What a group does at its moments, whatever its topology and precision: which section runs when.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Module;
use crate::back::rust::names::identifier;
use crate::ir::{Domain, VarId, VarKind, When};
use crate::kernel::{Side, Type};
use crate::plan::program::Role;

impl Module<'_> {
    /// The names of the sections of each program.
    pub(super) fn sections(&self) -> Vec<String> {
        let program = self.program();
        let mut names = vec!["create".to_owned(), "advance".to_owned()];
        names.extend(program.commit.is_some().then(|| "commit".to_owned()));
        names.extend((0..program.schedules.len()).map(|schedule| format!("schedule_{schedule}")));
        names.extend(program.calls.iter().map(|(name, _)| format!("on_call_{}", identifier(name))));
        names
    }

    pub(super) fn steps(&mut self) {
        self.out.open("impl<R: native::Value, T: Loops<R>> Group<R, T>");
        self.set_params();
        self.step();
        self.calls_of_host();
        self.up_to_date();
        self.out.close();
        self.out.open("impl<R: native::Value, T> Group<R, T>");
        self.defaults();
        self.spikes();
        self.out.close();
    }

    /// The parameters whose change concerns every synapse.
    pub(super) fn concern_constrain(&self) -> BTreeSet<VarId> {
        self.variants.iter().flat_map(|variant| variant.rule.parameters_of_constrain()).collect()
    }

    /// The defaults of inputs that the host has not given.
    fn defaults(&mut self) {
        let inputs = self.inputs();
        self.out.open("fn defaults(&mut self)");
        for (id, list) in &self.plans.places.inputs {
            let Some(input) = inputs.iter().position(|(known, _)| known == id) else { continue };
            let Some(field) = self.plans.with_role(Role::Variable(*id)) else { continue };
            let list: Vec<String> = list.iter().map(usize::to_string).collect();
            self.out.open(format!("if !self.given[{input}]"));
            self.out.line(format!("let places = [{}];", list.join(", ")));
            self.out.open(format!("for (place, cell) in self.arrays.{}.iter_mut().enumerate()", field.name));
            let value = "self.run.prologue[places[place % places.len()]]";
            self.out.line(match field.ty {
                "i64" => format!("*cell = {value} as i64;"),
                _ => format!("*cell = native::Value::narrow({value});"),
            });
            self.out.close();
            self.out.close();
        }
        self.out.close();
    }

    fn set_params(&mut self) {
        let flags = self.planned.flags.len();
        self.out.line("/// Other parameters from here on. What is one for each neuron or synapse has a method of its own.");
        self.out.line("///");
        self.out.line("/// # Errors");
        self.out.line("/// If one is out of range; then nothing has changed.");
        self.out.open("pub fn set_params(&mut self, params: Params) -> Result<(), native::Error>");
        self.out.line("let mut results = self.run.prologue;");
        self.out.line(format!("prologue(&params, &[false; {flags}], self.run.dt, &mut results)?;"));
        self.catch_up();
        self.out.line("self.run.prologue = results;");
        for id in self.concern_constrain() {
            let variable = &self.rule.variables[id];
            if variable.kind == VarKind::Param && variable.shape.domain == Domain::Global {
                let name = &self.names[&id];
                self.out.line(format!("self.run.dirty |= params.{name} != self.params.{name};"));
            }
        }
        self.out.line("self.params = params;");
        self.out.line("self.defaults();");
        self.out.line("Ok(())");
        self.out.close();
    }

    fn step(&mut self) {
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
        self.carry_out("advance", "0");
        if self.plans.lazy {
            self.out.line("self.rows.leave_behind();");
        }
        let mut settled = "true".to_owned();
        if let Some(place) = self.plans.places.commit {
            settled = format!("self.run.is_due({place})");
            self.out.open(format!("if {settled}"));
            self.catch_up();
            self.carry_out("commit", "0");
            self.out.close();
        } else if self.program().commit.is_some() {
            settled = "false".to_owned();
        }
        for (schedule, place) in self.plans.places.schedules.clone().into_iter().enumerate() {
            self.out.open(format!("if self.run.is_due({place})"));
            self.catch_up();
            self.carry_out(&format!("schedule_{schedule}"), "0");
            self.out.close();
        }
        self.out.line("self.clear_spikes();");
        self.out.open(format!("if {settled}"));
        self.out.line("self.run.dirty = false;");
        self.out.close();
        self.out.line("Ok(())");
        self.out.close();
    }

    /// Puts spikes in place and takes them away.
    fn spikes(&mut self) {
        let find = |role| self.plans.with_role(role).map(|field| field.name.clone());
        let sides = [(Side::Pre, "pre"), (Side::Post, "post")];
        self.out.open(
            "fn place_spikes<A: native::Spikes + ?Sized, B: native::Spikes + ?Sized>(&mut self, pre: &A, post: &B) -> Result<(), native::Error>",
        );
        self.out.line("let Self { arrays, run, .. } = self;");
        for (side, word) in sides {
            self.out.line("let mut count = 0;");
            let mut acts = String::new();
            // Writing to a string does not fail. A topology that needs no list or no map has an empty one.
            for (role, value) in [(Role::Events(side), "neuron as i32"), (Role::Spikes(side), "true")] {
                let place = if value == "true" { "neuron" } else { "count" };
                if let Some(field) = find(role) {
                    let _ = write!(
                        acts,
                        "if let Some(slot) = arrays.{field}.get_mut({place}) {{ *slot = {value}; }} "
                    );
                }
            }
            self.out.line(format!(
                "{word}.each({word:?}, run.room({}), &mut |neuron| {{ {acts}count += 1; }})?;",
                side_text(side)
            ));
            self.out.line(format!("run.events[{}] = count;", side as usize));
        }
        self.out.line("Ok(())");
        self.out.close();
        self.out.open("fn clear_spikes(&mut self)");
        for (side, _) in sides {
            if let Some(field) = find(Role::Spikes(side)) {
                self.out.line(format!("self.arrays.{field}.fill(false);"));
            }
        }
        self.out.line("self.run.events = [0; 2];");
        self.out.close();
    }

    /// The line that carries out a section.
    fn carry_out(&mut self, section: &str, again: &str) {
        let line = carry_out("self", section, again, self.plans.lazy);
        self.out.line(line);
    }

    /// The line that brings rows up to date for what comes next.
    pub(super) fn catch_up(&mut self) {
        if self.plans.lazy {
            self.out.line("self.catch_up();");
        }
    }

    /// How rows are brought up to date, and how they are seen.
    fn up_to_date(&mut self) {
        if !self.plans.lazy {
            return;
        }
        self.out.open("fn catch_up(&mut self)");
        self.out.line("let Self { arrays, rows, run, .. } = self;");
        self.out.line("rows.catch_up(|rows| T::catch_up(arrays, rows, run, 0));");
        self.out.close();
        self.out.open("fn shown(&self) -> &Rows<R>");
        self.out.line("self.rows.get(|rows| T::show(&self.arrays, rows, &self.run, 0))");
        self.out.close();
    }

    fn calls_of_host(&mut self) {
        for (place, name) in self.calls().into_iter().enumerate() {
            let method = identifier(&name);
            let program = self.program();
            let commits = matches!(&program.commit, Some(commit) if commit.when == When::Call(name.clone()));
            let acts = program.calls.iter().any(|(call, _)| *call == name);
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
            self.catch_up();
            if commits {
                self.carry_out("commit", "again");
                self.out.line("self.run.dirty = false;");
            }
            if acts {
                self.carry_out(&format!("on_call_{method}"), "again");
            }
            self.out.line("Ok(())");
            self.out.close();
        }
    }
}

/// The line that carries out a section of a group.
pub(super) fn carry_out(group: &str, section: &str, again: &str, lazy: bool) -> String {
    let rows = if lazy { format!(", {group}.rows.get_mut()") } else { String::new() };
    format!("T::{section}(&mut {group}.arrays{rows}, &{group}.run, {again});")
}

/// A side as the module writes it.
pub(super) fn side_text(side: Side) -> &'static str {
    match side {
        Side::Pre => "native::Side::Pre",
        Side::Post => "native::Side::Post",
    }
}

/// What an array holds before anything is written.
pub(super) fn zero(ty: Type) -> &'static str {
    match ty {
        Type::F32 | Type::F64 => "0.0",
        Type::I32 | Type::I64 => "0",
        Type::Bool => "false",
    }
}
