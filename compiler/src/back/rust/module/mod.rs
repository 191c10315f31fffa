//! A whole rule as a Rust module: its parameters, its groups, its kernels.
//!
//! In: a finished rule and the text that declares it. Out: the text of `mod NAME { … }`, in which `native` stands for the
//! crate of that name. The module holds `Params` (a field for each parameter, in its declared unit), `Options`, `Group`
//! with a method for each variable and call, and `ITEM`, the rule as text for engines. Sections of the program become
//! straight-line code: nothing is looked up, and a step allocates nothing.
//!
//! Names are those of the rule; where two parts share one, the part stands in front (`stdp_x`).

mod access;
mod bodies;
mod group;
mod launches;
mod outline;
mod params;
mod prologue;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::Diagnostics;
use crate::ir::{Rule, VarId, VarKind, When};
use crate::kernel::Precision;
use crate::plan::program::{Program, Role, StorageId};
use crate::plan::{self, Options};
use crate::valid::kernel::validate;

use super::names::identifier;
pub use outline::outline;
use text::Text;

/// What a module is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The finished rule.
    pub rule: &'a Rule,
    /// The text that declares it.
    pub text: &'a str,
    /// The path of `aplysia-native` where the module stands.
    pub native: &'a str,
}

/// The module of a rule.
///
/// # Errors
/// Where the rule has no program on a dense group.
pub fn module(source: &Source<'_>) -> Result<String, Diagnostics> {
    let planned = |precision| {
        let options = Options { precision, ..Options::default() };
        plan::compile(source.rule, &options).map(|program| (precision, program))
    };
    let programs = vec![planned(Precision::F32)?, planned(Precision::F64)?];
    Ok(Module::new(source.rule, programs).write(source))
}

/// A module that is being written.
struct Module<'a> {
    rule: &'a Rule,
    /// In f32 and f64; the arrays of both are the same but for their type.
    programs: Vec<(Precision, Program)>,
    /// What the variables are called.
    names: BTreeMap<VarId, String>,
    /// What the arrays are called.
    fields: Vec<String>,
    out: Text,
}

impl<'a> Module<'a> {
    fn new(rule: &'a Rule, programs: Vec<(Precision, Program)>) -> Self {
        let names = variable_names(rule);
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut fields = Vec::new();
        if let Some((_, program)) = programs.first() {
            for (_, storage) in program.storages.iter() {
                let name = match storage.role {
                    Role::Variable(variable) => names[&variable].clone(),
                    _ => identifier(storage.name.trim_start_matches('%')),
                };
                fields.push(fresh(name, &mut taken));
            }
        }
        Self { rule, programs, names, fields, out: Text::default() }
    }

    /// The program that stands for all where precision does not matter.
    fn program(&self) -> &Program {
        match self.programs.first() {
            Some((_, program)) => program,
            None => crate::ice!("a module without a program"),
        }
    }

    fn field(&self, storage: StorageId) -> &str {
        &self.fields[storage.index()]
    }

    fn write(mut self, source: &Source<'_>) -> String {
        if self.rule.docs.is_empty() {
            self.out.line(format!("/// The rule `{}`.", self.rule.name));
        }
        for line in &self.rule.docs {
            self.out.line(format!("/// {line}"));
        }
        allow(&mut self.out);
        self.out.open(format!("pub mod {}", identifier(&self.rule.name)));
        self.out.line(format!("use {} as native;", source.native));
        self.out.line("pub use native::Options;");
        self.params();
        self.group();
        self.accessors();
        for number in 0..self.programs.len() {
            self.bodies(number);
        }
        self.item(source);
        self.out.close();
        self.out.finish()
    }

    /// The rule as text.
    fn item(&mut self, source: &Source<'_>) {
        let (precision, program) = &self.programs[0];
        debug_assert_eq!(*precision, Precision::F32);
        let kernels: Vec<crate::back::cuda::CudaKernel> = program
            .kernels
            .iter()
            .map(|(_, kernel)| match validate(kernel).map(|info| crate::back::cuda::kernel(kernel, &info)) {
                Ok(Ok(kernel)) => kernel,
                Ok(Err(error)) => crate::ice!("{error}"),
                Err(errors) => crate::ice!("kernel `{}` is not valid: {}", kernel.name, errors.join("; ")),
            })
            .collect();
        let cuda = crate::back::cuda::module(&kernels);
        let ir = crate::ir::print::print(self.rule);
        self.out.line("/// The rule as text: `Rule::from_item(&ITEM)` gives an engine the same rule.");
        self.out.open("pub const ITEM: native::Item = native::Item");
        self.out.line(format!("name: {:?},", self.rule.name));
        self.out.line(format!("source: {:?},", source.text));
        self.out.line(format!("ir: {ir:?},"));
        self.out.line(format!("cuda: {cuda:?},"));
        self.out.close_with("};");
    }

    /// The calls of the rule, in the order of their first mention.
    fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> = Vec::new();
        let commit = match &self.rule.apply_when {
            When::Call(name) => Some(name.clone()),
            When::EveryStep | When::Every(_) => None,
        };
        for name in commit.into_iter().chain(self.rule.calls.iter().map(|call| call.name.clone())) {
            if !calls.contains(&name) {
                calls.push(name);
            }
        }
        calls
    }

    /// The inputs, and whether the host must give them.
    fn inputs(&self) -> Vec<(VarId, bool)> {
        let inputs = self.rule.variables.iter().filter_map(|(id, variable)| match variable.kind {
            VarKind::Input { required } => Some((id, required)),
            VarKind::Param
            | VarKind::State
            | VarKind::Plastic { .. }
            | VarKind::Proposal { .. }
            | VarKind::Output
            | VarKind::Extern => None,
        });
        inputs.collect()
    }
}

/// What the module's lines may do that people's lines should not.
fn allow(out: &mut Text) {
    out.line("#[allow(unused, non_snake_case, non_camel_case_types, uncommon_codepoints)]");
    out.line("#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]");
}

/// The names of variables, short where one part alone has them.
fn variable_names(rule: &Rule) -> BTreeMap<VarId, String> {
    let short = |id: VarId| identifier(&rule.variables[id].name);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for id in rule.variables.handles() {
        *counts.entry(short(id)).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    // Methods and fields of the module's own.
    taken
        .extend(["params", "new", "step", "dense", "dense_f64", "Self", "self", "native"].map(str::to_owned));
    let name = |id: VarId| match counts[&short(id)] {
        1 => short(id),
        _ => identifier(&rule.variables[id].address()),
    };
    rule.variables.handles().map(|id| (id, fresh(name(id), &mut taken))).collect()
}

/// A name that is not taken, and can stand where a name of Rust stands.
fn fresh(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut found = name.clone();
    let mut number = 1;
    while !taken.insert(found.clone()) {
        number += 1;
        found = format!("{name}_{number}");
    }
    found
}
