//! A case in the words of this project: a rule, a group, what the host does in each step, and what is to come out.

use std::ops::Range;

use aplysia_compiler::topology::{Convolution, Sparse, Topology};

use super::data::Case;

/// One way of running a case.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What tells it from the others of the case; empty where there is one.
    pub name: &'static str,
    /// A rule file; its last rule is run.
    pub rule: String,
    /// How neurons are connected.
    pub topology: Topology,
    /// How many patterns are presented at once.
    pub batch: usize,
    /// The length of a step in ms.
    pub dt: f64,
    /// Delays in steps, one for each neuron: axonal and dendritic.
    pub delays: Option<[Vec<u32>; 2]>,
    /// Parameters.
    pub params: Vec<(String, Vec<f64>)>,
    /// Initial values.
    pub initial: Vec<(String, Vec<f64>)>,
    /// Values of draws at creation; later ones are given with the acts.
    pub draws: Vec<(String, Vec<f64>)>,
    /// What the host does, by golden step.
    pub acts: Vec<Vec<Act>>,
    /// What is compared after each golden step.
    pub tracked: Vec<Tracked>,
    /// What is compared after creation.
    pub created: Vec<(String, Vec<f64>)>,
}

/// One act of the host; values in base units and in the order of the library's arrays.
#[derive(Clone, Debug)]
pub enum Act {
    /// Gives an input.
    Input(String, Vec<f64>),
    /// Replaces the values of a draw.
    Draw(String, Vec<f64>),
    /// Calls a block.
    Call(&'static str),
    /// Takes a step; spikes of the batch elements, one after the other.
    Step { pre: Vec<bool>, post: Vec<bool> },
}

/// A variable and the values that it had in the package.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// Its address.
    pub variable: String,
    /// The values before the first step, then after each; empty where they are not known.
    pub rows: Vec<Vec<f64>>,
    /// Whether each step begins with the package's values; else with what the step before has left.
    pub restarted: bool,
    /// Whether every bit is to be the same.
    pub exact: bool,
}

impl Plan {
    /// A plan without anything to do.
    pub fn new(rule: impl Into<String>, topology: Topology) -> Self {
        Self {
            name: "",
            rule: rule.into(),
            topology,
            batch: 1,
            dt: 1.0,
            delays: None,
            params: Vec::new(),
            initial: Vec::new(),
            draws: Vec::new(),
            acts: Vec::new(),
            tracked: Vec::new(),
            created: Vec::new(),
        }
    }

    /// The delays in ms: axonal and dendritic.
    pub fn delays(&self) -> Option<[Vec<f64>; 2]> {
        let in_ms = |steps: &Vec<u32>| steps.iter().map(|&steps| f64::from(steps) * self.dt).collect();
        self.delays.as_ref().map(|[axonal, dendritic]| [in_ms(axonal), in_ms(dendritic)])
    }

    /// Sets a parameter that has one value.
    pub fn param(&mut self, name: &str, value: f64) {
        self.params.push((name.to_owned(), vec![value]));
    }

    /// Sets parameters where the case has them.
    pub fn params_of(&mut self, case: &Case, names: &[(&str, &str)]) {
        for (theirs, ours) in names {
            if let Some(value) = case.maybe(theirs) {
                self.param(ours, value);
            }
        }
    }

    /// Follows a variable from its row 0 on, which is its initial value as well.
    pub fn follow(&mut self, variable: &str, rows: Vec<Vec<f64>>, exact: bool) {
        if let Some(first) = rows.first() {
            self.initial.push((variable.to_owned(), first.clone()));
        }
        self.tracked.push(Tracked { variable: variable.to_owned(), rows, restarted: true, exact });
    }

    /// Compares a variable after each step; its value before the first is not known, or not kept.
    pub fn watch(&mut self, variable: &str, rows: Vec<Vec<f64>>, exact: bool) {
        let rows = std::iter::once(Vec::new()).chain(rows).collect();
        self.tracked.push(Tracked { variable: variable.to_owned(), rows, restarted: false, exact });
    }

    /// A step without spikes.
    pub fn silent(&self) -> Act {
        let silent = |neurons: usize| vec![false; self.batch * neurons];
        Act::Step { pre: silent(self.topology.pre()), post: silent(self.topology.post()) }
    }

    /// How many golden steps there are.
    pub fn steps(&self) -> Range<usize> {
        0..self.acts.len()
    }
}

/// A part that shows the proposal of `w` where it stands: after the modulation of the parts before it.
pub const SEEN: &str = "rule seen { plastic w; synapse state proposed; modulate { proposed = dw; } }\n";

/// A convolution with the same stride and padding along both axes.
pub fn convolution(
    input: [usize; 3],
    outputs: usize,
    kernel: [usize; 2],
    stride: usize,
    padding: usize,
) -> Convolution {
    let [inputs, height, width] = input;
    let shape = Convolution::new(inputs, [height, width], outputs, kernel);
    let shape = shape.and_then(|shape| shape.with([stride; 2], [padding; 2], [1, 1], 1));
    shape.unwrap_or_else(|error| panic!("{error}"))
}

/// Synapses from rows to columns; the order in which they are listed is by row, then by column.
pub fn sparse(pre: usize, post: usize, synapses: &[(usize, usize)]) -> Topology {
    let before = |row: usize| synapses.iter().filter(|(from, _)| *from < row).count() as u64;
    let columns = synapses.iter().map(|(_, to)| *to as u32).collect();
    let sparse = Sparse::new(pre, post, (0..=pre).map(before).collect(), columns);
    Topology::Sparse(sparse.unwrap_or_else(|error| panic!("{error}")).into())
}

/// Which neurons spike.
pub fn spikes(row: &[f64]) -> Vec<bool> {
    row.iter().map(|&spike| spike != 0.0).collect()
}

/// Values of a `[rows, columns]` array with its axes exchanged.
pub fn transposed(values: &[f64], rows: usize) -> Vec<f64> {
    let columns = values.len() / rows;
    (0..values.len()).map(|at| values[at % rows * columns + at / rows]).collect()
}
