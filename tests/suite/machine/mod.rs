//! The ways of running a rule behind one trait: the rule interpreter, programs on the kernel interpreter, and the
//! runtime's engine.
//!
//! In: a rule and a script (`script`). Out: the bits of every variable after every act. All values are in base units.

pub mod engine;
pub mod oracle;
pub mod planned;
pub mod script;

use aplysia_compiler::compose;
use aplysia_compiler::diag::render::render_all;
use aplysia_compiler::ir::{Rule, VarId, VarKind, When};
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader, Settings};

use script::{Act, Script};

/// Gives the shipped rules, and no files.
pub struct Shipped;

impl Loader for Shipped {
    fn load(&self, _importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let Import::Shipped(name) = target else { return Err(LoadError::NotFound) };
        let text = aplysia_rules::find(name).ok_or(LoadError::NotFound)?;
        Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() })
    }

    fn shipped(&self) -> Vec<String> {
        aplysia_rules::all().map(|(name, _)| name.to_owned()).collect()
    }
}

/// A rule as the machines need it.
pub struct Case {
    /// Before finishing, which the engine does itself.
    pub open: Rule,
    /// Finished.
    pub rule: Rule,
}

impl Case {
    /// A rule of a text, the last where none is named, or what is wrong with it, as it is shown to people.
    pub fn new(name: &str, text: &str, rule: Option<&str>, options: &[(&str, &str)]) -> Result<Self, String> {
        let (library, found) = Library::load(name, text, &Shipped);
        let shown = |found| render_all(library.sources(), &found, false);
        if found.has_errors() {
            return Err(shown(found));
        }
        let pairs = options.iter().map(|(option, value)| ((*option).to_owned(), (*value).to_owned()));
        let settings = Settings { options: pairs.collect() };
        let (mut open, _) = library.open(rule, &settings).map_err(shown)?;
        // The engine's numbers are in declared units, and a unit's scale rounds: here they are in base units.
        for (_, variable) in open.variables.iter_mut() {
            variable.unit.scale = 1.0;
        }
        let finished = compose::finish(open.clone()).map_err(shown)?;
        Ok(Self { open, rule: finished })
    }

    /// A rule that must be in order.
    pub fn must(name: &str, text: &str) -> Self {
        Self::new(name, text, None, &[]).unwrap_or_else(|shown| panic!("{shown}"))
    }
}

/// One way of running a rule.
pub trait Machine {
    /// Carries out one act.
    fn act(&mut self, act: &Act) -> Result<(), String>;
    /// The values of a variable; `None` where this machine keeps none.
    fn read(&mut self, variable: VarId) -> Result<Option<Vec<f64>>, String>;
}

/// The bits of every variable, where kept, after every step and call.
pub type Trace = Vec<Vec<Option<Vec<u64>>>>;

/// Runs a script.
pub fn trace(rule: &Rule, machine: &mut dyn Machine, script: &Script) -> Result<Trace, String> {
    let mut trace = Vec::new();
    for (number, act) in script.acts.iter().enumerate() {
        machine.act(act).map_err(|error| format!("act {number}: {error}"))?;
        if matches!(act, Act::Step { .. } | Act::Call(_)) {
            trace.push(snapshot(rule, machine)?);
        }
    }
    Ok(trace)
}

/// The bits of every variable, where kept.
pub fn snapshot(rule: &Rule, machine: &mut dyn Machine) -> Result<Vec<Option<Vec<u64>>>, String> {
    rule.variables
        .iter()
        .map(|(id, variable)| match variable.kind {
            // It ends with the step, and so nobody keeps it.
            VarKind::Proposal { .. } if rule.apply_when == When::EveryStep => Ok(None),
            _ => Ok(machine.read(id)?.map(|values| values.into_iter().map(bits).collect())),
        })
        .collect()
}

/// Any NaN equals any NaN; -0 differs from +0.
pub fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// The first difference between two traces. What only one of them keeps is not compared.
pub fn compare(rule: &Rule, expected: &Trace, found: &Trace) -> Result<(), String> {
    if expected.len() != found.len() {
        return Err(format!("{} snapshots instead of {}", found.len(), expected.len()));
    }
    for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
        for (id, variable) in rule.variables.iter() {
            let (Some(expected), Some(found)) = (&expected[id.index()], &found[id.index()]) else { continue };
            let name = variable.address();
            if expected.len() != found.len() {
                return Err(format!("`{name}` has {} values instead of {}", found.len(), expected.len()));
            }
            if let Some(place) = (0..found.len()).find(|&place| expected[place] != found[place]) {
                let [wanted, got] = [expected[place], found[place]].map(f64::from_bits);
                return Err(format!(
                    "`{name}`[{place}] is {got:?} instead of {wanted:?} in snapshot {number}"
                ));
            }
        }
    }
    Ok(())
}
