//! The same plans through the command line: `aplysia run RULE --input case.npz --output out.npz …` leaves what the library
//! leaves, to the bit, and so what the package has left.
//!
//! A command line takes whole trains: inputs and draws become arrays with a leading axis of steps, and calls come after
//! steps. So plans are run that give something, then step; and plans that draw and call, with a silent step in between.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use aplysia_compiler::ir::{self, Domain, Shape};
use aplysia_compiler::kernel::Side;
use aplysia_compiler::topology::{Convolution, Topology};
use ndarray::{Array1, ArrayD, IxDyn};
use ndarray_npy::{NpzReader, NpzWriter};

use super::check::differs;
use super::drive::{self, Driver};
use super::plan::{Act, Plan};
use crate::command_line::ask;
use crate::machine;

/// What a command line is given: all steps of a plan, or nothing where it does other things.
struct Course {
    inputs: BTreeMap<String, Vec<Vec<f64>>>,
    draws: BTreeMap<String, Vec<Vec<f64>>>,
    pre: Vec<Vec<bool>>,
    post: Vec<Vec<bool>>,
    /// The block that is called after each step.
    call: Option<&'static str>,
}

/// The acts of a plan as arrays.
fn course(plan: &Plan) -> Option<Course> {
    let mut course = Course {
        inputs: BTreeMap::new(),
        draws: BTreeMap::new(),
        pre: Vec::new(),
        post: Vec::new(),
        call: None,
    };
    for (at, acts) in plan.acts.iter().enumerate() {
        let (last, given) = acts.split_last()?;
        for act in given {
            match act {
                Act::Input(name, values) => {
                    course.inputs.entry(name.clone()).or_default().push(values.clone())
                }
                Act::Draw(name, values) => course.draws.entry(name.clone()).or_default().push(values.clone()),
                Act::Call(_) | Act::Step { .. } => return None,
            }
        }
        match last {
            Act::Step { pre, post } if course.call.is_none() => {
                course.pre.push(pre.clone());
                course.post.push(post.clone());
            }
            Act::Call(name) if at == course.pre.len() && at == 0 || course.call == Some(*name) => {
                course.call = Some(name);
            }
            Act::Call(_) | Act::Step { .. } | Act::Input(..) | Act::Draw(..) => return None,
        }
        // Series are whole.
        let series = course.inputs.values().chain(course.draws.values());
        if series.into_iter().any(|rows| rows.len() != at + 1) {
            return None;
        }
    }
    Some(course)
}

/// Runs a plan both ways. `None` where a command line does not do what it does.
pub fn check(plan: &Plan, folder: &Path) -> Option<Result<(), String>> {
    let course = course(plan)?;
    let begun = plan.tracked.iter().all(|of| !of.restarted || begins(plan, &of.variable, &of.rows[0]));
    let followed = !plan.acts.is_empty() && plan.created.is_empty() && begun;
    followed.then(|| run(plan, &course, folder))
}

/// Whether creation leaves a variable as the package has it.
fn begins(plan: &Plan, variable: &str, row: &[f64]) -> bool {
    let mut driver = Driver::new(plan).expect("the library runs the plan");
    driver.read(variable).is_ok_and(|values| values == row)
}

fn run(plan: &Plan, course: &Course, folder: &Path) -> Result<(), String> {
    let case = machine::Case::new("case.rule", &plan.rule, None, &[])?;
    std::fs::write(folder.join("case.rule"), &plan.rule).map_err(|error| error.to_string())?;
    let mut arguments = arguments(plan, course);
    give(plan, course, &case.rule, &mut arguments, folder);
    let variables: Vec<&str> = plan.tracked.iter().map(|of| of.variable.as_str()).collect();
    let record = variables.join(",");
    arguments.extend(["--record".to_owned(), record]);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = ask(folder, &words);
    if answer.code != 0 {
        return Err(format!("aplysia {}\n{}", words.join(" "), answer.err));
    }
    let path = folder.join("out.npz");
    let file = File::open(&path).map_err(|error| error.to_string())?;
    let mut results = NpzReader::new(file).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    let mut driver = Driver::new(plan)?;
    let mut library: Vec<Vec<Vec<f64>>> = vec![Vec::new(); variables.len()];
    for acts in &plan.acts {
        for act in acts {
            driver.act(act)?;
        }
        for (variable, rows) in variables.iter().zip(&mut library) {
            rows.push(driver.read(variable)?);
        }
    }
    for ((of, variable), rows) in plan.tracked.iter().zip(&variables).zip(&library) {
        let array = trace(&mut results, variable)?;
        let width = array.len() / plan.acts.len().max(1);
        let values: Vec<f64> = array.iter().map(|&value| value.into()).collect();
        // A call comes after the step that has been recorded.
        let shift = usize::from(course.call.is_some());
        for step in shift..plan.acts.len() {
            let printed = &values[step * width..(step + 1) * width];
            let name = format!("{variable} after step {step} of the command line");
            let expected = &rows[step - shift];
            found.extend(differs(&name, printed, expected, expected, 0.0));
            let package = &of.rows[step - shift + 1];
            if !package.is_empty() {
                let all: Vec<f64> = of.rows.iter().flatten().copied().collect();
                found.extend(differs(&name, printed, package, &all, super::check::RUN));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// The recorded rows of a variable, which is called by the shortest name that only it has.
fn trace(results: &mut NpzReader<File>, variable: &str) -> Result<ArrayD<f32>, String> {
    let names = results.names().map_err(|error| error.to_string())?;
    let called = |name: &String| {
        let own = name.trim_end_matches(".npy").strip_suffix(".trace");
        own.is_some_and(|own| own == variable || variable.ends_with(&format!(".{own}")))
    };
    let name =
        names.iter().find(|name| called(name)).ok_or_else(|| format!("{variable} is not in {names:?}"))?;
    results.by_name(name).map_err(|error| error.to_string())
}

fn arguments(plan: &Plan, course: &Course) -> Vec<String> {
    let mut words: Vec<String> =
        ["run", "case.rule", "--input", "case.npz", "--output", "out.npz"].map(str::to_owned).into();
    let mut flag = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    flag("topology", plan.topology.kind().word().to_owned());
    flag("steps", plan.acts.len().to_string());
    flag("dt", format!("{}ms", plan.dt));
    if plan.batch > 1 {
        flag("batch", plan.batch.to_string());
    }
    let mut grid = |shape: &Convolution| {
        let list = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let [height, width] = shape.input_size();
        flag("in-shape", list(&[shape.inputs(), height, width]));
        flag("out-channels", shape.outputs().to_string());
        flag("kernel", list(&shape.kernel_size()));
        flag("stride", list(&shape.stride()));
        flag("padding", list(&shape.padding()));
    };
    match &plan.topology {
        Topology::Dense { pre, post } => {
            flag("pre", pre.to_string());
            flag("post", post.to_string());
        }
        Topology::OneToOne { count } => flag("pre", count.to_string()),
        Topology::Sparse(_) => {}
        Topology::Conv2d(shape) | Topology::Local2d(shape) => grid(shape),
    }
    if let Some(name) = course.call {
        let after: Vec<String> = (1..=plan.acts.len()).map(|step| step.to_string()).collect();
        flag("call", format!("{name}@{}", after.join(",")));
    }
    words
}

/// Writes the arrays; single numbers are set on the command line, in the declared unit.
fn give(plan: &Plan, course: &Course, rule: &ir::Rule, words: &mut Vec<String>, folder: &Path) {
    let declared = machine_units(&plan.rule);
    let unit = |name: &str| declared(name);
    let file = File::create(folder.join("case.npz")).expect("a file");
    let mut arrays = NpzWriter::new(file);
    let variable = |name: &str| &rule.variables[drive::variable(rule, name)];
    for (name, values) in &plan.params {
        let of = variable(name);
        if of.shape.domain == Domain::Global {
            words.extend(["--set".to_owned(), format!("{name}={}", values[0] / unit(name))]);
        } else {
            let array = drive::shaped(plan, rule, name, values);
            arrays.add_array(format!("param.{name}"), &array).expect("an array");
        }
    }
    for (name, values) in &plan.initial {
        let array = drive::shaped(plan, rule, name, values).mapv(|value| value as f32);
        arrays.add_array(format!("init.{name}"), &array).expect("an array");
    }
    for (name, rows) in &course.inputs {
        let array = series(rows, &drive::axes(plan, variable(name).shape, None));
        arrays.add_array(name.as_str(), &array).expect("an array");
    }
    for (name, values) in &plan.draws {
        let (address, shape) = drawn(rule, name);
        let axes = drive::axes(plan, shape, None);
        let array = match course.draws.get(name) {
            Some(rows) => series(rows, &axes),
            None => one(values, &axes),
        };
        arrays.add_array(format!("draw.{address}"), &array).expect("an array");
    }
    for (side, rows) in [(Side::Pre, &course.pre), (Side::Post, &course.post)] {
        if !rows.is_empty() {
            let neurons = Shape { batched: true, ..Shape::of(domain(side)) };
            let rows: Vec<Vec<f64>> = rows
                .iter()
                .map(|row| row.iter().map(|&spike| f64::from(u8::from(spike))).collect())
                .collect();
            let array = series(&rows, &drive::axes(plan, neurons, None));
            let word = if side == Side::Pre { "pre.spike" } else { "post.spike" };
            arrays.add_array(word, &array.mapv(|spike| spike != 0.0)).expect("an array");
        }
    }
    if let Topology::Sparse(sparse) = &plan.topology {
        let whole = |values: Vec<i64>| Array1::from_vec(values);
        let starts = whole(sparse.row_start().iter().map(|&start| start as i64).collect());
        let columns = whole(sparse.columns().iter().map(|&column| i64::from(column)).collect());
        arrays.add_array("csr.indptr", &starts).expect("an array");
        arrays.add_array("csr.indices", &columns).expect("an array");
    }
    if let Some(delays) = &plan.delays {
        for (name, steps) in ["delay.axonal", "delay.dendritic"].iter().zip(delays) {
            let times = Array1::from_iter(steps.iter().map(|&steps| f64::from(steps) * plan.dt));
            arrays.add_array(*name, &times).expect("an array");
        }
    }
    arrays.finish().expect("a file");
}

/// The scale of each variable's declared unit.
fn machine_units(text: &str) -> impl Fn(&str) -> f64 {
    let rule = aplysia::Rule::from_source("case.rule", text).expect("the rule is in order");
    let rule = rule.ir().expect("the rule is complete").clone();
    move |name: &str| rule.variables[drive::variable(&rule, name)].unit.scale
}

fn domain(side: Side) -> Domain {
    match side {
        Side::Pre => Domain::Pre,
        Side::Post => Domain::Post,
    }
}

fn drawn(rule: &ir::Rule, name: &str) -> (String, Shape) {
    let site = &rule.sites[drive::site(rule, name)];
    (site.address.clone().unwrap_or_default(), site.shape)
}

fn one(values: &[f64], axes: &[usize]) -> ArrayD<f32> {
    let places: usize = axes.iter().product();
    let values: Vec<f32> = match values {
        [value] => vec![*value as f32; places],
        _ => values.iter().map(|&value| value as f32).collect(),
    };
    ArrayD::from_shape_vec(IxDyn(axes), values).expect("as many values as places")
}

/// Rows with a leading axis of steps.
fn series(rows: &[Vec<f64>], axes: &[usize]) -> ArrayD<f32> {
    let all: Vec<f32> = rows.iter().flat_map(|row| one(row, axes)).collect();
    let axes: Vec<usize> = std::iter::once(rows.len()).chain(axes.iter().copied()).collect();
    ArrayD::from_shape_vec(IxDyn(&axes), all).expect("as many values as places")
}
