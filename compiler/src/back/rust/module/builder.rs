//! `Builder`: what is said about a group before it is made, and how it is made.

use super::Module;
use super::params::number;
use super::plans::Field;
use super::steps::carry_out;
use crate::ir::{Type as RuleType, VarId};
use crate::plan::program::Role;

/// What the host may write where a plan relies on it.
pub(super) const NEVER_NEGATIVE: &str = "Some((0.0, f64::INFINITY))";

/// What the host may put in place before a group is created.
struct Initial {
    /// The method.
    name: String,
    /// The array.
    place: String,
    /// As Rust.
    range: &'static str,
    address: String,
    /// Of an element, where `R` is the group's precision.
    ty: &'static str,
    scale: f64,
    /// In the place of a draw, without which there is no group.
    draw: bool,
}

impl Module<'_> {
    /// What is said about a group before it is made.
    pub(super) fn builder(&mut self) {
        let initial = self.initial();
        self.out
            .line("/// A group that is being made: its topology, then whatever else is to be said about it.");
        self.out.line("#[derive(Clone, Debug)]");
        self.out.open("pub struct Builder<R, T>");
        self.out.line("topology: T,");
        self.out.line("params: Params,");
        self.out.line("options: Options,");
        for Initial { name, ty, .. } in &initial {
            self.out.line(format!("{name}: Option<native::Given<{ty}>>,"));
        }
        self.out.close();
        self.out.open("impl<T: native::Connected> Builder<f32, T>");
        self.out.line("/// A group on a topology, in f32 where nothing else is said.");
        self.out.open("pub fn new(topology: T, params: Params) -> Self");
        let none: String = initial.iter().map(|one| format!(", {}: None", one.name)).collect();
        self.out.line(format!("Self {{ topology, params, options: Options::default(){none} }}"));
        self.out.close();
        self.out.close();
        self.out.open("impl<R: native::Value, T: native::Connected> Builder<R, T>");
        self.out
            .line("/// The length of a step and the seed; steps of 1 ms and seed 0 where nothing is said.");
        self.out.line("#[must_use]");
        self.out.open("pub fn options(self, options: Options) -> Self");
        self.out.line("Self { options, ..self }");
        self.out.close();
        self.out.line("/// In f64.");
        self.out.open("pub fn f64(self) -> Builder<f64, T>");
        self.rebuild("topology: self.topology", |name, ty| match ty {
            "R" => format!("self.{name}.map(native::Given::in_f64)"),
            _ => format!("self.{name}"),
        });
        self.out.close();
        if self.plans.plans.iter().any(|plan| plan.batched) {
            self.out.line("/// So many patterns are presented at once; neurons have a value for each of them, the batch outermost.");
            self.out.open("pub fn batch(self, batch: usize) -> Builder<R, native::Batched<T>>");
            self.rebuild("topology: native::Batched::new(self.topology, batch)", |name, _| {
                format!("self.{name}")
            });
            self.out.close();
        }
        for Initial { name, address, ty, draw, .. } in initial {
            self.out.line(match draw {
                true => format!(
                    "/// Values in the place of the draw `{address}`, which a group needs: one for all, or one for each."
                ),
                false => format!(
                    "/// The initial values of `{address}` in the place of what the rule says: one for all, or one for each."
                ),
            });
            self.out.line("#[must_use]");
            self.out.open(format!("pub fn {name}(self, values: impl native::Values<{ty}>) -> Self"));
            self.out.line(format!("Self {{ {name}: Some(native::Given::new(&values)), ..self }}"));
            self.out.close();
        }
        self.out.close();
    }

    /// The fields of another builder.
    fn rebuild(&mut self, topology: &str, field: impl Fn(&str, &str) -> String) {
        self.out.open("Builder");
        self.out.line(format!("{topology},"));
        self.out.line("params: self.params,");
        self.out.line("options: self.options,");
        for Initial { name, ty, .. } in self.initial() {
            self.out.line(format!("{name}: {},", field(&name, ty)));
        }
        self.out.close();
    }

    /// What the host may put in place before a group is created.
    fn initial(&self) -> Vec<Initial> {
        let mut all = [self.planned.given.as_slice(), self.planned.zero.as_slice()].concat();
        all.sort();
        let variable = |id: VarId| {
            let variable = &self.rule.variables[id];
            Initial {
                name: format!("init_{}", self.names[&id]),
                place: match self.plans.with_role(Role::Variable(id)) {
                    Some(field) => field.place(),
                    None => crate::ice!("a state without an array"),
                },
                range: if self.plans.never_negative.contains(&id) { NEVER_NEGATIVE } else { "None" },
                address: variable.address(),
                ty: if variable.ty == RuleType::Int { "i64" } else { "R" },
                scale: variable.unit.scale,
                draw: false,
            }
        };
        let draw = |field: &Field| match field.role {
            Role::Draws(site) => Some(Initial {
                name: super::draw_name(self.rule, site),
                place: field.place(),
                range: "None",
                address: super::draw_address(self.rule, site),
                ty: field.ty,
                scale: 1.0,
                draw: true,
            }),
            _ => None,
        };
        let draws = self.plans.fields.iter().filter_map(draw);
        all.into_iter().map(variable).chain(draws).collect()
    }

    pub(super) fn build(&mut self) {
        let (inputs, calls) = (self.inputs().len(), self.calls().len());
        self.out.open("impl<R: native::Value, T: Loops<R>> Builder<R, T>");
        self.out.line("/// The group with its initial values.");
        self.out.line("///");
        self.out.line("/// # Errors");
        self.out
            .line("/// If a parameter or an initial value is out of range, or there is no memory for so many synapses.");
        self.out.open("pub fn build(self) -> Result<Group<R, T>, native::Error>");
        self.out.line("let batch = self.topology.batch();");
        self.out.line("let topology = self.topology.into_topology();");
        if self.options.is_empty() {
            self.out.line("let mut run = native::Run::new(&topology, batch, &self.options)?;");
        } else {
            self.out.line("let mut run = native::Run::new(&topology, batch, &self.options.general())?;");
            self.out.line("run.variant = self.options.variant();");
        }
        for size in self.block_sizes() {
            self.out.line(format!("run.divides({size})?;"));
        }
        let flags: Vec<String> =
            self.planned.given.iter().map(|id| format!("self.init_{}.is_some()", self.names[id])).collect();
        self.out.line(format!("let given = [{}];", flags.join(", ")));
        self.out.line("prologue(&self.params, &given, run.dt, &mut run.prologue)?;");
        let arrays = if self.plans.lazy { "(mut arrays, mut rows)" } else { "mut arrays" };
        self.out.line(format!("let {arrays} = T::arrays(&run, &native::Tables::new(&topology))?;"));
        self.parameter_arrays();
        for Initial { name, place, range, address, ty, scale, draw } in self.initial() {
            let put = match ty {
                "R" => {
                    format!("native::store({address:?}, &mut {place}, values, {}, {range})?;", number(scale))
                }
                _ => format!("native::store_exact({address:?}, &mut {place}, values)?;"),
            };
            self.out.open(format!("if let Some(values) = &self.{name}"));
            self.out.line(put);
            if draw {
                self.out.close_with("} else {");
                self.out.line(format!("    return Err(native::Error::MissingInput({address:?}));"));
                self.out.line("}");
            } else {
                self.out.close();
            }
        }
        let rows = if self.plans.lazy { "rows: native::Lagging::new(rows), " } else { "" };
        self.out.line(format!(
            "let mut group = Group {{ arrays, {rows}run, params: self.params, given: [false; {inputs}], calls: [0; {calls}], topology: core::marker::PhantomData }};"
        ));
        self.out.line("group.defaults();");
        self.out.line(carry_out("group", "create", "0", self.plans.lazy));
        self.out.line("Ok(group)");
        self.out.close();
        self.out.close();
    }

    /// Parameters that neurons or synapses have, each with the value of all.
    fn parameter_arrays(&mut self) {
        for id in self.parameters() {
            let variable = &self.rule.variables[id];
            if variable.ty == RuleType::Wide {
                continue;
            }
            let Some(field) = self.plans.with_role(Role::Variable(id)) else { continue };
            // Arrays lie side by side at each place.
            let (field, name) = (field.name.clone(), self.names[&id].clone());
            let at = if variable.length.is_some() {
                format!("[place % {}]", variable.elements())
            } else {
                String::new()
            };
            let scale = number(variable.unit.scale);
            self.out.open(format!("for (place, cell) in arrays.{field}.iter_mut().enumerate()"));
            self.out.line(format!("*cell = R::narrow(self.params.{name}{at} * {scale});"));
            self.out.close();
        }
    }
}
