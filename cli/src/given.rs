//! What a rule is given by name: parameters, held inputs and initial values from `--set`, and what it still needs.

use aplysia::Values;
use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Domain, Rule, VarId, VarKind, Variable};
use aplysia_compiler::plan::Topology as Kind;
use ndarray::Array1;

use crate::quantity;
use crate::report::{Failure, Outcome};
use crate::run::axes::{self, Layout};

/// What kind of variable a name is to be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Parameters.
    Param,
    /// Inputs.
    Input,
    /// States and plastic variables.
    State,
    /// Plastic variables.
    Plastic,
    /// What `--set` sets: parameters, inputs, states and plastic variables.
    Settable,
    /// What can be recorded: states, plastic variables, inputs and outputs.
    Recorded,
}

impl Wanted {
    fn takes(self, kind: VarKind) -> bool {
        match kind {
            VarKind::Param => matches!(self, Wanted::Param | Wanted::Settable),
            VarKind::Input { .. } => matches!(self, Wanted::Input | Wanted::Settable | Wanted::Recorded),
            VarKind::State => matches!(self, Wanted::State | Wanted::Settable | Wanted::Recorded),
            VarKind::Plastic { .. } => !matches!(self, Wanted::Param | Wanted::Input),
            VarKind::Output => self == Wanted::Recorded,
            VarKind::Proposal { .. } | VarKind::Extern => false,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Wanted::Param => "parameter",
            Wanted::Input => "input",
            Wanted::State => "state",
            Wanted::Plastic => "plastic variable",
            Wanted::Settable => "parameter, input or state",
            Wanted::Recorded => "state, input or output",
        }
    }
}

/// The variable that a name stands for: a full address (`stdp.x`), or a short name that only one variable has.
///
/// # Errors
/// Where there is none or more than one.
pub fn variable(rule: &Rule, name: &str, wanted: Wanted) -> Outcome<VarId> {
    let fitting = || rule.variables.iter().filter(|(_, variable)| wanted.takes(variable.kind));
    let alias = rule.aliases.iter().find(|(alias, _)| alias == name).map(|(_, id)| *id);
    let exact = fitting().find(|(id, variable)| Some(*id) == alias || variable.address() == name);
    if let Some((id, _)) = exact {
        return Ok(id);
    }
    let short: Vec<(VarId, &Variable)> = fitting().filter(|(_, variable)| variable.name == name).collect();
    match short[..] {
        [(id, _)] => Ok(id),
        [] => {
            let text = format!("rule `{}` has no {} `{name}`", rule.name, wanted.words());
            let names: Vec<String> = fitting().map(|(id, _)| short_name(rule, id)).collect();
            let failure =
                Failure::data(code::UNKNOWN_IN_GROUP, text).nearest(name, names.iter().map(String::as_str));
            Err(if names.is_empty() { failure } else { failure.help(format!("it has {}", quoted(&names))) })
        }
        _ => {
            let all: Vec<String> = short.iter().map(|(_, variable)| variable.address()).collect();
            let text = format!("`{name}` could be {}", quoted(&all));
            Err(Failure::data(code::AMBIGUOUS_IN_GROUP, text).help("write the full address"))
        }
    }
}

/// What a variable is called in files and reports: its name where no other variable has it, else its address.
pub fn short_name(rule: &Rule, id: VarId) -> String {
    let variable = &rule.variables[id];
    let same = rule.variables.iter().filter(|(_, other)| other.name == variable.name).count();
    if same == 1 { variable.name.clone() } else { variable.address() }
}

/// What `--set` gives.
#[derive(Debug, Default)]
pub struct Settings {
    /// Parameters.
    pub params: Vec<(VarId, Values)>,
    /// Initial values.
    pub inits: Vec<(VarId, Values)>,
    /// Inputs, one number for all elements or the elements of an array.
    pub inputs: Vec<(VarId, Vec<f64>)>,
}

/// Resolves what `--set` gives.
///
/// # Errors
/// Where a name is unknown or a value does not fit its unit.
pub fn settings(rule: &Rule, pairs: &[(String, String)]) -> Outcome<Settings> {
    let mut settings = Settings::default();
    let mut seen = Vec::new();
    for (name, text) in pairs {
        let id = variable(rule, name, Wanted::Settable)?;
        if seen.contains(&id) {
            return Err(Failure::usage(format!("`--set` gives `{name}` twice")));
        }
        seen.push(id);
        let declared = &rule.variables[id];
        let list = quantity::list(text, &declared.unit)
            .map_err(|reason| Failure::usage(format!("`--set {name}={text}`: {reason}")))?;
        if list.iter().any(|value| value.is_nan()) {
            return Err(Failure::data(code::NOT_A_NUMBER, format!("`--set {name}={text}` gives a NaN")));
        }
        if list.len() > 1 && declared.elements() as usize != list.len() {
            let text = format!(
                "`--set {name}` gives {} numbers, but `{name}` has {}",
                list.len(),
                declared.elements()
            );
            return Err(Failure::data(code::WRONG_SHAPE, text));
        }
        if list.len() > 1 && declared.shape.domain != Domain::Global {
            let text = format!("`{name}` has a list for each {}", declared.shape.domain.word());
            return Err(Failure::data(code::WRONG_SHAPE, text).help("give it as an array with `--input`"));
        }
        let values = || match list[..] {
            [value] => Values::Number(value),
            _ => Array1::from(list.clone()).into(),
        };
        match declared.kind {
            VarKind::Param => settings.params.push((id, values())),
            VarKind::Input { .. } => settings.inputs.push((id, list)),
            _ => settings.inits.push((id, values())),
        }
    }
    Ok(settings)
}

/// Refuses a run in which parameters or inputs without a default have not been given.
///
/// # Errors
/// With the names, and how to give them.
pub fn require(rule: &Rule, kind: Kind, batch: usize, params: &[VarId], inputs: &[VarId]) -> Outcome {
    let missing = |wanted: fn(&Variable) -> bool, given: &[VarId]| -> Vec<VarId> {
        let missing = rule.variables.iter().filter(|(id, variable)| wanted(variable) && !given.contains(id));
        missing.map(|(id, _)| id).collect()
    };
    let names = |ids: &[VarId]| -> Vec<String> { ids.iter().map(|&id| short_name(rule, id)).collect() };
    let needed = missing(|variable| variable.kind == VarKind::Param && variable.init.is_empty(), params);
    if let Some(first) = names(&needed).first() {
        let text = format!("rule `{}` needs the parameter{}", rule.name, listed(&names(&needed)));
        let failure = Failure::data(code::MISSING_PARAMETER, text);
        let help =
            format!("give each a number, `--set {first}=VALUE`, or an array `param.{first}` with `--input`");
        return Err(failure.help(help));
    }
    let needed = missing(|variable| variable.kind == VarKind::Input { required: true }, inputs);
    if let Some(first) = names(&needed).first() {
        let text = format!("rule `{}` needs the input{}", rule.name, listed(&names(&needed)));
        let variable = &rule.variables[needed[0]];
        let layouts = axes::layouts(kind, variable.shape, variable.length, true, Some(batch));
        let shape = layouts.first().map(Layout::words).unwrap_or_default();
        let help = format!(
            "hold it at a number, `--set {first}=VALUE`, or put an array `{first}` of shape {shape} into the .npz file of `--input`"
        );
        return Err(Failure::data(code::MISSING_INPUT, text).help(help));
    }
    Ok(())
}

fn listed(names: &[String]) -> String {
    format!("{} {}", if names.len() == 1 { "" } else { "s" }, quoted(names))
}

/// Names with quotes and commas.
pub fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<String>>().join(", ")
}
