//! Methods that read and write the variables of a group.

use super::Module;
use super::builder::NEVER_NEGATIVE;
use super::params::number;
use crate::ir::{Domain, VarId, VarKind};
use crate::plan::program::Role;

/// What the methods of a variable need.
struct Access {
    name: String,
    /// The number of its field.
    field: usize,
    address: String,
    docs: Vec<String>,
    /// One number for the group.
    single: bool,
    /// Of an element, where `R` is the group's precision.
    ty: &'static str,
    scale: f64,
    /// As Rust.
    range: String,
    /// The place of an input among the inputs.
    input: Option<usize>,
    sets: bool,
    /// In the place of a draw.
    draw: bool,
    /// Whether a change concerns no constraint.
    harmless: bool,
}

impl Module<'_> {
    pub(super) fn accessors(&mut self) {
        let (inputs, concern_constrain) = (self.inputs(), self.concern_constrain());
        let mut all = Vec::new();
        let batched = self.plans.plans.iter().any(|plan| plan.batched);
        for (place, field) in self.plans.fields.iter().enumerate() {
            if let Role::Draws(site) = field.role {
                let address = super::draw_address(self.rule, site);
                all.push(Access {
                    name: super::draw_name(self.rule, site),
                    field: place,
                    docs: vec![format!("What stands in the place of the draw `{address}`.")],
                    address,
                    single: false,
                    ty: field.ty,
                    scale: 1.0,
                    range: "None".to_owned(),
                    input: None,
                    sets: true,
                    draw: true,
                    harmless: true,
                });
            }
            let Role::Variable(variable) = field.role else { continue };
            let of = &self.rule.variables[variable];
            let sets = match of.kind {
                VarKind::Param | VarKind::State | VarKind::Plastic { .. } | VarKind::Input { .. } => true,
                VarKind::Proposal { .. } | VarKind::Output => false,
                VarKind::Extern => continue,
            };
            let single = of.shape.domain == Domain::Global && of.length.is_none();
            all.push(Access {
                name: self.names[&variable].clone(),
                field: place,
                address: of.address(),
                docs: self.lines(variable),
                single: single && !(batched && of.shape.batched),
                ty: field.ty,
                scale: of.unit.scale,
                range: match self.range(variable) {
                    _ if self.plans.never_negative.contains(&variable) => NEVER_NEGATIVE.to_owned(),
                    Some((lo, hi)) => format!("Some(({}, {}))", number(lo), number(hi)),
                    None => "None".to_owned(),
                },
                input: inputs.iter().position(|(input, _)| *input == variable),
                sets,
                draw: false,
                harmless: of.kind == VarKind::Param && !concern_constrain.contains(&variable),
            });
        }
        let bound = if self.plans.lazy { ": Loops<R>" } else { "" };
        self.out.open(format!("impl<R: native::Value, T{bound}> Group<R, T>"));
        self.out.line("/// The present parameters.");
        self.out.open("pub fn params(&self) -> &Params");
        self.out.line("&self.params");
        self.out.close();
        self.out.line("/// How many steps have been made.");
        self.out.open("pub fn steps(&self) -> u64");
        self.out.line("self.run.step");
        self.out.close();
        self.out.line("/// How its neurons are connected.");
        self.out.open("pub fn topology(&self) -> &native::Topology");
        self.out.line("&self.run.topology");
        self.out.close();
        self.visitor(&all);
        for access in &all {
            self.getter(access);
            if access.sets {
                self.setter(access);
            }
        }
        self.out.close();
    }

    /// A method that shows all variables.
    fn visitor(&mut self, all: &[Access]) {
        self.out
            .line("/// All variables by their addresses in the rule, in base units (ms, mV, pA, nS, pF).");
        self.out.open(
            "pub fn for_each_variable(&self, visit: &mut dyn FnMut(&'static str, native::Array<'_, R>))",
        );
        if all.iter().any(|access| !access.draw && self.plans.fields[access.field].lags) {
            self.out.line("let rows = self.shown();");
        }
        for access in all.iter().filter(|access| !access.draw) {
            let variant = match access.ty {
                "R" => "Real",
                "i64" => "Whole",
                "bool" => "Condition",
                _ => continue,
            };
            let (address, array) = (&access.address, self.seen(access.field));
            self.out.line(format!("visit({address:?}, native::Array::{variant}(&{array}));"));
        }
        self.out.close();
    }

    /// The documentation of a variable, with its unit and shape.
    fn lines(&self, id: VarId) -> Vec<String> {
        let variable = &self.rule.variables[id];
        let mut docs = variable.docs.clone();
        if docs.is_empty() {
            docs.push(format!("`{}`.", variable.address()));
        }
        let mut facts = Vec::new();
        if !variable.unit.text.is_empty() {
            facts.push(format!("In {}.", variable.unit.text));
        }
        let shape = match variable.shape.domain {
            Domain::Global => None,
            Domain::Pre | Domain::PreChannel => Some("One for each presynaptic neuron."),
            Domain::Post | Domain::PostChannel => Some("One for each postsynaptic neuron."),
            Domain::Synapse => Some("One for each synapse, row by row."),
        };
        facts.extend(shape.map(str::to_owned));
        if let Some(length) = variable.length {
            facts.push(format!("{length} numbers at each place, side by side."));
        }
        if !facts.is_empty() {
            docs.extend([String::new(), facts.join(" ")]);
        }
        docs
    }

    fn document(&mut self, docs: &[String]) {
        docs.iter().for_each(|line| self.out.line(format!("/// {line}")));
    }

    fn getter(&mut self, access: &Access) {
        let Access { name, single, ty, scale, .. } = access;
        let array = self.seen(access.field);
        self.document(&access.docs);
        let element = *ty;
        let scaled = element == "R" && *scale != 1.0;
        let (result, value) = match (single, scaled) {
            (true, true) => ("R".to_owned(), format!("R::narrow({array}[0].wide() / {})", number(*scale))),
            (true, false) => (element.to_owned(), format!("{array}[0]")),
            (false, true) => (
                "native::Scaled<'_, R>".to_owned(),
                format!("native::Scaled::new(&{array}, {})", number(*scale)),
            ),
            (false, false) => (format!("&[{element}]"), format!("&{array}")),
        };
        self.out.open(format!("pub fn {name}(&self) -> {result}"));
        if self.plans.fields[access.field].lags {
            self.out.line("let rows = self.shown();");
        }
        self.out.line(value);
        self.out.close();
    }

    /// An array as it is to be seen, where `rows` are shown.
    fn seen(&self, field: usize) -> String {
        let (of, copy) = (&self.plans.fields[field], self.plans.copy(field));
        match copy {
            Some(copy) => format!("self.rows.either(&{}, &{})", of.place(), copy.place()),
            None if of.lags => of.place(),
            None => format!("self.{}", of.place()),
        }
    }

    fn setter(&mut self, access: &Access) {
        let field = &self.plans.fields[access.field];
        let array = if field.lags {
            format!("self.rows.get_mut().{}", field.name)
        } else {
            format!("self.{}", field.place())
        };
        let concerned = field.lags || field.reads;
        let Access { name, address, single, ty, scale, range, input, .. } = access;
        let (parameter, values) = match (single, *ty) {
            (true, "i64") => ("value: i64".to_owned(), "&[value]"),
            (true, _) => ("value: R".to_owned(), "&[value]"),
            (false, ty @ ("i64" | "bool")) => (format!("values: impl native::Values<{ty}>"), "&values"),
            (false, _) => ("values: impl native::Values<R>".to_owned(), "&values"),
        };
        let store = match *ty {
            "R" => format!("native::store({address:?}, &mut {array}, {values}, {}, {range})", number(*scale)),
            "i64" | "bool" => format!("native::store_exact({address:?}, &mut {array}, {values})"),
            _ => return,
        };
        let argument = if *single { "value" } else { "values" };
        self.document(&access.docs);
        self.document(&[
            String::new(),
            "# Panics".to_owned(),
            format!("Where `try_set_{name}` gives an error."),
        ]);
        self.out.line("#[track_caller]");
        self.out.open(format!("pub fn set_{name}(&mut self, {parameter})"));
        self.out.line(format!("native::expect(self.try_set_{name}({argument}));"));
        self.out.close();
        self.document(&[
            format!("What `set_{name}` does."),
            String::new(),
            "# Errors".to_owned(),
            "If there are more or fewer numbers than places, or one is not a number or out of range; then nothing has changed."
                .to_owned(),
        ]);
        self.out.open(format!("pub fn try_set_{name}(&mut self, {parameter}) -> Result<(), native::Error>"));
        if concerned {
            self.catch_up();
        }
        self.out.line(format!("{store}?;"));
        match input {
            Some(place) => self.out.line(format!("self.given[{place}] = true;")),
            None if access.harmless => {}
            None => self.out.line("self.run.dirty = true;"),
        }
        self.out.line("Ok(())");
        self.out.close();
    }
}
