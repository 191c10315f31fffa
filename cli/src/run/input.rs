//! The arrays of an input file, sorted by what they are for, and the sizes that they show.

use std::collections::BTreeMap;

use aplysia::Side;
use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Domain, Rule, Shape, SiteId, VarId, VarKind};
use aplysia_compiler::plan::Topology as Kind;

use super::axes::{self, Axis, Layout, Sizes};
use super::connect::Connections;
use super::spikes::{self, Spikes};
use crate::given::{self, Wanted, quoted, short_name};
use crate::npy::Array;
use crate::report::{Failure, Outcome};

/// All arrays, with their variables.
#[derive(Debug, Default)]
pub struct Input {
    /// Sizes that the arrays and the command line agree on.
    pub sizes: Sizes,
    /// Presynaptic spikes.
    pub pre: Spikes,
    /// Postsynaptic spikes.
    pub post: Spikes,
    /// `csr.indptr` and `csr.indices`.
    pub csr: Option<(Vec<u64>, Vec<u64>)>,
    /// The axonal and the dendritic delay, in ms, and whether there is one for each synapse.
    pub delays: [Option<(Array, bool)>; 2],
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
    items: Vec<Item>,
}

/// An array that is not yet in its place.
#[derive(Debug)]
struct Item {
    name: String,
    purpose: Purpose,
    shape: Shape,
    length: Option<u32>,
    array: Array,
    /// Whether the first axis is steps.
    steps: bool,
    /// Whether a delay is one for each synapse.
    synaptic: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Param(VarId),
    Init(VarId),
    Input(VarId),
    Draw(SiteId),
    Delay(Side),
}

/// Sorts the arrays of a file for a kind of topology. `sizes` are those of the command line.
///
/// # Errors
/// Where a name is unknown, or an array does not fit its variable or the others.
pub fn sort(rule: &Rule, kind: Kind, mut arrays: BTreeMap<String, Array>, sizes: Sizes) -> Outcome<Input> {
    let mut input = Input { sizes, ..Input::default() };
    input.csr = csr(kind, &mut arrays, &mut input.sizes)?;
    for side in [Side::Pre, Side::Post] {
        let spikes = Spikes::take(&mut arrays, side)?;
        if let Some(shape) = spikes.shape() {
            let domain = if side == Side::Pre { Domain::Pre } else { Domain::Post };
            let neurons = Shape { batched: true, ..Shape::of(domain) };
            let mut layouts = axes::layouts(kind, neurons, None, true, input.sizes.get(Axis::Batch));
            layouts.retain(|layout| layout.steps);
            arrange(&format!("{side}.spike"), shape, &layouts, &mut input.sizes, false)?;
        }
        if side == Side::Pre { input.pre = spikes } else { input.post = spikes }
    }
    for (name, array) in arrays {
        if let Some(position) = array.nan() {
            let text = format!("`{name}` is NaN at {:?}", place(array.shape(), position));
            return Err(Failure::data(code::NOT_A_NUMBER, text));
        }
        let (purpose, shape, length) = purpose(rule, &name)?;
        input.items.push(Item { name, purpose, shape, length, array, steps: false, synaptic: false });
    }
    // What can be read in one way only teaches how to read the others.
    let Input { items, sizes, .. } = &mut input;
    let mut open: Vec<&mut Item> = items.iter_mut().collect();
    for sure in [true, false] {
        let mut rest = Vec::new();
        for item in open {
            if !item.read(kind, sizes, sure)? {
                rest.push(item);
            }
        }
        open = rest;
    }
    Ok(input)
}

impl Item {
    /// Reads the axes, and tells whether they could be; with `sure` only where there is no choice.
    fn read(&mut self, kind: Kind, sizes: &mut Sizes, sure: bool) -> Outcome<bool> {
        // A single number fits everywhere.
        if self.array.shape().is_empty() {
            return Ok(true);
        }
        let batch = sizes.get(Axis::Batch);
        let series = matches!(self.purpose, Purpose::Input(_) | Purpose::Draw(_));
        let mut layouts = axes::layouts(kind, self.shape, self.length, series, batch);
        if let Purpose::Delay(_) = self.purpose {
            layouts.insert(0, Layout { axes: Vec::new(), steps: false });
            layouts.extend(axes::layouts(kind, Shape::of(Domain::Synapse), None, false, batch));
        }
        let found = arrange(&self.name, self.array.shape(), &layouts, sizes, sure)?;
        let Some(layout) = found else { return Ok(false) };
        self.steps = layout.steps;
        // Where neurons and synapses are the same, a delay is read as one for each neuron.
        let synapses = axes::layouts(kind, Shape::of(Domain::Synapse), None, false, batch);
        let delay = matches!(self.purpose, Purpose::Delay(_));
        self.synaptic = delay && kind != Kind::OneToOne && synapses.contains(&layout);
        Ok(true)
    }
}

/// Learns from the axes of an array. Nothing is found where `sure` is asked for and there is a choice.
fn arrange(
    name: &str,
    shape: &[usize],
    layouts: &[Layout],
    sizes: &mut Sizes,
    sure: bool,
) -> Outcome<Option<Layout>> {
    if !layouts.iter().any(|layout| layout.axes.len() == shape.len()) {
        let text = format!("`{name}` has shape {shape:?}, but {} is needed", axes::words(layouts));
        return Err(Failure::data(code::WRONG_SHAPE, text));
    }
    let Some(layout) = axes::choose(layouts, shape, sizes, sure) else { return Ok(None) };
    let from = format!("`{name}`");
    layout.axes.iter().zip(shape).try_for_each(|(&axis, &count)| sizes.learn(axis, count, &from))?;
    Ok(Some(layout.clone()))
}

impl Input {
    /// Brings every array into the shape that the engine takes, now that the group is known.
    ///
    /// # Errors
    /// Where a list of spikes or an array does not fit it.
    pub fn settle(&mut self, connections: &Connections) -> Outcome {
        for side in [Side::Pre, Side::Post] {
            let spikes = if side == Side::Pre { &mut self.pre } else { &mut self.post };
            spikes.settle(side, connections)?;
        }
        for mut item in std::mem::take(&mut self.items) {
            if !item.array.shape().is_empty() {
                let shape = if item.synaptic { Shape::of(Domain::Synapse) } else { item.shape };
                let expected = connections.shape(shape, item.length);
                let leading = if item.steps { item.array.shape().first().copied() } else { None };
                let expected: Vec<usize> = leading.into_iter().chain(expected).collect();
                item.array = reshaped(&item.name, item.array, &expected)?;
            }
            let Item { purpose, array, steps, synaptic, .. } = item;
            match (purpose, steps) {
                (Purpose::Param(id), _) => self.params.push((id, array)),
                (Purpose::Init(id), _) => self.inits.push((id, array)),
                (Purpose::Input(id), true) => self.series.push((id, array)),
                (Purpose::Input(id), false) => self.held.push((id, array)),
                (Purpose::Draw(id), true) => self.draws.push((id, array)),
                (Purpose::Draw(id), false) => self.held_draws.push((id, array)),
                (Purpose::Delay(side), _) => self.delays[side as usize] = Some((array, synaptic)),
            }
        }
        Ok(())
    }
}

fn reshaped(name: &str, array: Array, expected: &[usize]) -> Outcome<Array> {
    let found = array.shape().to_vec();
    array.reshaped(expected).ok_or_else(|| {
        let text = format!("`{name}` has shape {found:?}, but {expected:?} is needed");
        Failure::data(code::WRONG_SHAPE, text)
    })
}

/// The lists of a sparse group.
fn csr(
    kind: Kind,
    arrays: &mut BTreeMap<String, Array>,
    sizes: &mut Sizes,
) -> Outcome<Option<(Vec<u64>, Vec<u64>)>> {
    if kind != Kind::Sparse {
        if let Some(name) = ["csr.indptr", "csr.indices"].into_iter().find(|name| arrays.contains_key(*name))
        {
            let text = format!("the input holds `{name}`, but the topology is {}", kind.word());
            return Err(Failure::data(code::UNKNOWN_IN_GROUP, text).help("say `--topology csr`"));
        }
        return Ok(None);
    }
    match (arrays.remove("csr.indptr"), arrays.remove("csr.indices")) {
        (None, None) => Ok(None),
        (Some(indptr), Some(indices)) => {
            let indptr = spikes::whole("csr.indptr", indptr)?;
            let indices = spikes::whole("csr.indices", indices)?;
            if indptr.is_empty() {
                let text = "`csr.indptr` is empty; it has one entry for each presynaptic neuron and one more";
                return Err(Failure::data(code::BAD_SYNAPSES, text));
            }
            sizes.learn(Axis::Pre, indptr.len() - 1, "`csr.indptr`")?;
            sizes.learn(Axis::Synapses, indices.len(), "`csr.indices`")?;
            Ok(Some((indptr, indices)))
        }
        (Some(_), None) => Err(spikes::lonely("csr.indptr", "csr.indices")),
        (None, Some(_)) => Err(spikes::lonely("csr.indices", "csr.indptr")),
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

/// What an array is for, the shape of its variable, and the length of its array.
fn purpose(rule: &Rule, name: &str) -> Outcome<(Purpose, Shape, Option<u32>)> {
    let of = |id: VarId| (rule.variables[id].shape, rule.variables[id].length);
    let (purpose, (shape, length)) = if let Some(plain) = name.strip_prefix("param.") {
        let id = given::variable(rule, plain, Wanted::Param)?;
        (Purpose::Param(id), of(id))
    } else if let Some(plain) = name.strip_prefix("init.") {
        let id = given::variable(rule, plain, Wanted::State)?;
        (Purpose::Init(id), of(id))
    } else if let Some(plain) = name.strip_prefix("draw.") {
        let id = draw(rule, plain)?;
        (Purpose::Draw(id), (rule.sites[id].shape, None))
    } else if name == "delay.axonal" {
        (Purpose::Delay(Side::Pre), (Shape::of(Domain::Pre), None))
    } else if name == "delay.dendritic" {
        (Purpose::Delay(Side::Post), (Shape::of(Domain::Post), None))
    } else if let Some(id) = input_variable(rule, name)? {
        (Purpose::Input(id), of(id))
    } else {
        return Err(unknown(rule, name));
    };
    Ok((purpose, shape, length))
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
    let mut known: Vec<String> = Vec::new();
    for side in ["pre", "post"] {
        let lists = ["", ".step", ".batch", ".index"].map(|list| format!("{side}.spike{list}"));
        known.extend(lists);
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
    known.extend(["csr.indptr", "csr.indices", "delay.axonal", "delay.dendritic"].map(str::to_owned));
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
}
