//! The arrays of an input file, sorted by what they are for, and the sizes that they show.

use std::collections::BTreeMap;

use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Domain, Rule, Shape, SiteId, VarId, VarKind};

use super::spikes::Spikes;
use crate::given::{self, Wanted, quoted, short_name};
use crate::npy::Array;
use crate::report::{Failure, Outcome};

/// An axis of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Steps,
    Pre,
    Post,
    Length(usize),
}

/// How many there are, and where that was found.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// Presynaptic neurons.
    pub pre: Option<(usize, String)>,
    /// Postsynaptic neurons.
    pub post: Option<(usize, String)>,
    /// Steps.
    pub steps: Option<(usize, String)>,
}

/// All arrays, with their variables.
#[derive(Debug, Default)]
pub struct Input {
    /// Sizes that the arrays and the command line agree on.
    pub sizes: Sizes,
    /// Presynaptic spikes.
    pub pre: Spikes,
    /// Postsynaptic spikes.
    pub post: Spikes,
    /// Parameters.
    pub params: Vec<(VarId, Array)>,
    /// Initial values.
    pub inits: Vec<(VarId, Array)>,
    /// Inputs that are held.
    pub held: Vec<(VarId, Array)>,
    /// Inputs with a leading axis of steps.
    pub series: Vec<(VarId, Array)>,
    /// Draws that are held.
    pub held_draws: Vec<(SiteId, Array)>,
    /// Draws with a leading axis of steps.
    pub draws: Vec<(SiteId, Array)>,
}

impl Sizes {
    /// Takes note of the number of presynaptic neurons.
    ///
    /// # Errors
    /// Where it contradicts what is known.
    pub fn pre(&mut self, count: usize, from: &str) -> Outcome {
        learn(&mut self.pre, "presynaptic neurons", count, from)
    }

    /// Takes note of the number of postsynaptic neurons.
    ///
    /// # Errors
    /// Where it contradicts what is known.
    pub fn post(&mut self, count: usize, from: &str) -> Outcome {
        learn(&mut self.post, "postsynaptic neurons", count, from)
    }

    fn axis(&mut self, axis: Axis, count: usize, from: &str) -> Outcome {
        match axis {
            Axis::Steps => learn(&mut self.steps, "steps", count, from),
            Axis::Pre => self.pre(count, from),
            Axis::Post => self.post(count, from),
            Axis::Length(length) if length == count => Ok(()),
            Axis::Length(length) => {
                let text =
                    format!("the last axis of {from} has {count} elements, but its variable has {length}");
                Err(Failure::data(code::WRONG_SHAPE, text))
            }
        }
    }
}

fn learn(known: &mut Option<(usize, String)>, what: &str, count: usize, from: &str) -> Outcome {
    match known {
        Some((other, source)) if *other != count => {
            let text = format!("{from} has {count} {what}, but {source} has {other}");
            Err(Failure::data(code::WRONG_SHAPE, text))
        }
        Some(_) => Ok(()),
        None => {
            *known = Some((count, from.to_owned()));
            Ok(())
        }
    }
}

/// Sorts the arrays of a file. `sizes` are those of the command line.
///
/// # Errors
/// Where a name is unknown, or an array does not fit its variable or the others.
pub fn sort(rule: &Rule, mut arrays: BTreeMap<String, Array>, sizes: Sizes) -> Outcome<Input> {
    let mut input = Input { sizes, ..Input::default() };
    for side in ["pre", "post"] {
        let spikes = Spikes::take(&mut arrays, side)?;
        if let Some((steps, count)) = spikes.shape() {
            let from = format!("`{side}.spike`");
            input.sizes.axis(Axis::Steps, steps, &from)?;
            input.sizes.axis(if side == "pre" { Axis::Pre } else { Axis::Post }, count, &from)?;
        }
        if side == "pre" { input.pre = spikes } else { input.post = spikes }
    }
    for (name, array) in arrays {
        if let Some(position) = array.nan() {
            let text = format!("`{name}` is NaN at {:?}", place(array.shape(), position));
            return Err(Failure::data(code::NOT_A_NUMBER, text));
        }
        input.one(rule, &name, array)?;
    }
    Ok(input)
}

impl Input {
    fn one(&mut self, rule: &Rule, name: &str, array: Array) -> Outcome {
        if let Some(plain) = name.strip_prefix("param.") {
            let id = given::variable(rule, plain, Wanted::Param)?;
            self.fixed(rule, name, id, &array)?;
            self.params.push((id, array));
        } else if let Some(plain) = name.strip_prefix("init.") {
            let id = given::variable(rule, plain, Wanted::State)?;
            self.fixed(rule, name, id, &array)?;
            self.inits.push((id, array));
        } else if let Some(plain) = name.strip_prefix("draw.") {
            let id = draw(rule, plain)?;
            let axes = axes(rule.sites[id].shape, None);
            if self.arrange(name, &array, &axes, true)? {
                self.draws.push((id, array));
            } else {
                self.held_draws.push((id, array));
            }
        } else if let Some(id) = input_variable(rule, name)? {
            let variable = &rule.variables[id];
            let axes = axes(variable.shape, variable.length);
            if self.arrange(name, &array, &axes, true)? {
                self.series.push((id, array));
            } else {
                self.held.push((id, array));
            }
        } else {
            return Err(unknown(rule, name));
        }
        Ok(())
    }

    fn fixed(&mut self, rule: &Rule, name: &str, id: VarId, array: &Array) -> Outcome {
        let variable = &rule.variables[id];
        self.arrange(name, array, &axes(variable.shape, variable.length), false).map(|_| ())
    }

    /// Learns from the axes of an array, and tells whether it has a leading axis of steps. A single number fits
    /// everywhere.
    fn arrange(&mut self, name: &str, array: &Array, axes: &[Axis], steps: bool) -> Outcome<bool> {
        let shape = array.shape();
        let with_steps: Vec<Axis> = [Axis::Steps].into_iter().chain(axes.iter().copied()).collect();
        let (found, leading) = match shape.len() {
            0 => return Ok(false),
            count if count == axes.len() => (axes, false),
            count if steps && count == with_steps.len() => (with_steps.as_slice(), true),
            _ => {
                let text = format!("`{name}` has shape {shape:?}, but {} is needed", words(axes, steps));
                return Err(Failure::data(code::WRONG_SHAPE, text));
            }
        };
        let from = format!("`{name}`");
        found.iter().zip(shape).try_for_each(|(&axis, &count)| self.sizes.axis(axis, count, &from))?;
        Ok(leading)
    }
}

/// Where in an array a flat position is.
pub fn place(shape: &[usize], position: usize) -> Vec<usize> {
    let mut rest = position;
    let mut place: Vec<usize> = Vec::new();
    for &length in shape.iter().rev() {
        place.push(rest % length.max(1));
        rest /= length.max(1);
    }
    place.reverse();
    place
}

fn axes(shape: Shape, length: Option<u32>) -> Vec<Axis> {
    let mut axes = match shape.domain {
        Domain::Global => vec![],
        Domain::Pre | Domain::PreChannel => vec![Axis::Pre],
        Domain::Post | Domain::PostChannel => vec![Axis::Post],
        Domain::Synapse => vec![Axis::Pre, Axis::Post],
    };
    axes.extend(length.map(|length| Axis::Length(length as usize)));
    axes
}

fn words(axes: &[Axis], steps: bool) -> String {
    let word = |axis: &Axis| match axis {
        Axis::Steps => "steps".to_owned(),
        Axis::Pre => "pre".to_owned(),
        Axis::Post => "post".to_owned(),
        Axis::Length(length) => length.to_string(),
    };
    let plain: Vec<String> = axes.iter().map(word).collect();
    let held =
        if plain.is_empty() { "a single number".to_owned() } else { format!("[{}]", plain.join(", ")) };
    if !steps {
        return held;
    }
    format!("[{}] or {held}", ["steps".to_owned()].into_iter().chain(plain).collect::<Vec<_>>().join(", "))
}

fn input_variable(rule: &Rule, name: &str) -> Outcome<Option<VarId>> {
    let known = rule.variables.iter().any(|(_, variable)| {
        matches!(variable.kind, VarKind::Input { .. })
            && (variable.name == name || variable.address() == name)
    });
    if known { given::variable(rule, name, Wanted::Input).map(Some) } else { Ok(None) }
}

fn draw(rule: &Rule, name: &str) -> Outcome<SiteId> {
    let addressed = || rule.sites.iter().filter_map(|(id, site)| Some((id, site.address.as_deref()?)));
    if let Some((id, _)) = addressed().find(|(_, address)| *address == name) {
        return Ok(id);
    }
    let known: Vec<String> = addressed().map(|(_, address)| address.to_owned()).collect();
    let text = format!("rule `{}` has no draw `{name}` that can be given", rule.name);
    let failure = Failure::data(code::UNKNOWN_IN_GROUP, text).nearest(name, known.iter().map(String::as_str));
    Err(if known.is_empty() {
        failure.help("a draw can be given where `let z = normal[synapse](0, 1);` binds it")
    } else {
        failure.help(format!("it has {}", quoted(&known)))
    })
}

fn unknown(rule: &Rule, name: &str) -> Failure {
    for (prefix, what) in [("csr.", "sparse groups"), ("delay.", "delays"), ("pre.spike.batch", "batches")] {
        if name.starts_with(prefix) || name == prefix.replace("pre", "post") {
            return Failure::data(
                code::NOT_SUPPORTED_HERE,
                format!("`{name}`: {what} are not in this version"),
            );
        }
    }
    let mut known: Vec<String> = Vec::new();
    for side in ["pre", "post"] {
        known.extend([format!("{side}.spike"), format!("{side}.spike.step"), format!("{side}.spike.index")]);
    }
    for (id, variable) in rule.variables.iter() {
        let short = short_name(rule, id);
        match variable.kind {
            VarKind::Param => known.push(format!("param.{short}")),
            VarKind::State | VarKind::Plastic { .. } => known.push(format!("init.{short}")),
            VarKind::Input { .. } => known.push(short),
            VarKind::Proposal { .. } | VarKind::Output | VarKind::Extern => {}
        }
    }
    known
        .extend(rule.sites.iter().filter_map(|(_, site)| Some(format!("draw.{}", site.address.as_deref()?))));
    let text =
        format!("the input holds `{}`, which rule `{}` has no use for", name.escape_debug(), rule.name);
    let failure = Failure::data(code::UNKNOWN_IN_GROUP, text).nearest(name, known.iter().map(String::as_str));
    failure.help(format!("it can take {}", quoted(&known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again() {
        assert_eq!(place(&[2, 3], 5), [1, 2]);
        assert_eq!(place(&[4], 2), [2]);
        assert!(place(&[], 0).is_empty());
    }

    #[test]
    fn sizes_must_agree() {
        let mut sizes = Sizes::default();
        sizes.pre(3, "`--pre`").unwrap();
        sizes.axis(Axis::Pre, 3, "`init.w`").unwrap();
        let text = format!("{:?}", sizes.axis(Axis::Pre, 4, "`pre.spike`").unwrap_err());
        assert!(text.contains("`pre.spike` has 4 presynaptic neurons, but `--pre` has 3"), "{text}");
        assert!(sizes.axis(Axis::Length(2), 3, "`g`").is_err());
    }
}
