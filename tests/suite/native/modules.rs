//! Whole modules of `plasticity!`, compiled by rustc, against the rule interpreter: every shipped rule and the compositions of
//! the differential suite.
//!
//! All modules are one program, which cargo builds once; where no text has changed, it is there already. A script goes in as
//! bytes, and the bits of every variable after every step and call come out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use aplysia_compiler::back::rust::module::{Settings, Source, module_with, variable_names};
use aplysia_compiler::ir::{Domain, Rule, Type, VarId, VarKind, Variable, When};
use aplysia_compiler::kernel::Precision;
use aplysia_compiler::topology::Kind;
use libtest_mimic::{Failed, Trial};

use crate::differential::{self, Seen, divided, expected};
use crate::machine::script::{Act, Script, script};
use crate::machine::{Case, Trace, compare};

/// Runs modules.
const DRIVER: &str = include_str!("modules_driver.rs.txt");

/// One synapse, no neurons on a side, no multiple of a vector's width, several blocks of a sum, many lanes.
const SIZES: [(usize, usize); 5] = [(1, 1), (0, 3), (5, 7), (300, 9), (2, 600)];

/// A trial for each case.
pub fn trials() -> Vec<Trial> {
    let without = !super::build::has_compiler();
    let trial = |(number, (name, _)): (usize, (String, String))| {
        let trial = Trial::test(format!("native::module::{name}"), move || check(number));
        trial.with_ignored_flag(without)
    };
    let mut trials: Vec<Trial> = differential::texts().into_iter().enumerate().map(trial).collect();
    let trial = Trial::test("native::module_of_another_parameter_is_found", another_parameter);
    trials.push(trial.with_ignored_flag(without));
    trials
}

/// What is compiled.
struct Built {
    /// The cases in their order; none where a rule only waits for a part.
    cases: Vec<Option<Case>>,
    program: PathBuf,
}

fn built() -> Result<&'static Built, Failed> {
    static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| build().map_err(|failed| failed.message().unwrap_or_default().to_owned()))
        .as_ref()
        .map_err(|message| message.into())
}

fn build() -> Result<Built, Failed> {
    let mut text = String::from(DRIVER);
    let mut arms = String::new();
    let mut cases = Vec::new();
    for (number, (name, source)) in differential::texts().into_iter().enumerate() {
        let case = differential::working(&name, &source)?;
        if let Some(case) = &case {
            // Rules of compositions share their name.
            let mut rule = case.rule.clone();
            rule.name = format!("m{number}");
            let settings = Settings { topologies: vec![Kind::Dense], ..Settings::default() };
            let source = Source { rule: &rule, text: &source, native: "aplysia_native" };
            let module = module_with(&source, &settings);
            text.push_str(&module.map_err(|_| format!("`{name}` has no module"))?);
            for real in ["f32", "f64"] {
                text.push_str(&stepper(&rule, real));
                // Writing to a string does not fail.
                let _ = writeln!(arms, "        \"{0}_{real}\" => {0}_{real}(input, output),", rule.name);
            }
        }
        cases.push(case);
    }
    let _ = write!(
        text,
        "\nfn run(which: &str, input: &mut Input, output: &mut Vec<u8>) {{\n    match which {{\n{arms}        _ => panic!(\"no such module\"),\n    }}\n}}\n"
    );
    Ok(Built { cases, program: super::build::program("modules", &text)? })
}

/// How an act is written.
mod code {
    pub const END: u64 = 0;
    pub const STEP: u64 = 1;
    pub const PARAMETER: u64 = 2;
    pub const SET: u64 = 3;
    pub const CALL: u64 = 4;
}

/// Whether `Params` holds all there is of a parameter.
fn of_params(variable: &Variable) -> bool {
    variable.kind == VarKind::Param && variable.shape.domain == Domain::Global
}

/// The calls of a rule.
fn calls(rule: &Rule) -> Vec<String> {
    let learns = match &rule.apply_when {
        When::Call(name) => Some(name.clone()),
        When::EveryStep | When::Every(_) => None,
    };
    let mut names: Vec<String> = rule.calls.iter().map(|call| call.name.clone()).chain(learns).collect();
    names.sort();
    names.dedup();
    names
}

/// A function that carries out a script on a rule's module.
fn stepper(rule: &Rule, real: &str) -> String {
    let names = variable_names(rule);
    let module = &rule.name;
    let given = |variable: &Variable| match variable.length {
        Some(_) => "input.numbers()".to_owned(),
        None => "input.numbers::<1>()[0]".to_owned(),
    };
    let (mut fields, mut changes, mut initial, mut sets, mut called) =
        (String::new(), String::new(), String::new(), String::new(), String::new());
    // Writing to a string does not fail.
    for (id, variable) in rule.variables.iter() {
        let (name, number) = (&names[&id], id.index());
        match variable.kind {
            VarKind::Param => {
                let _ = write!(fields, "{name}: {}, ", given(variable));
            }
            VarKind::Plastic { .. } => {
                let _ = writeln!(
                    initial,
                    "    if input.word() != 0 {{ builder = builder.init_{name}(input.reals::<{real}>()); }}"
                );
            }
            VarKind::State
            | VarKind::Input { .. }
            | VarKind::Proposal { .. }
            | VarKind::Output
            | VarKind::Extern => {}
        }
        if of_params(variable) {
            let _ = writeln!(changes, "                    {number} => params.{name} = {},", given(variable));
        }
        let settable = match variable.kind {
            VarKind::Param => !of_params(variable),
            VarKind::State | VarKind::Plastic { .. } | VarKind::Input { .. } => true,
            VarKind::Proposal { .. } | VarKind::Output | VarKind::Extern => false,
        };
        if settable {
            let single = variable.shape.domain == Domain::Global && variable.length.is_none();
            let one = if single { "[0]" } else { "" };
            let values = match variable.ty {
                Type::Int => format!("input.wholes(){one}"),
                Type::Real | Type::Wide | Type::Bool => format!("input.reals::<{real}>(){one}"),
            };
            let _ = writeln!(
                sets,
                "                {number} => group.try_set_{name}({values}).expect(\"numbers\"),"
            );
        }
    }
    for (number, name) in calls(rule).iter().enumerate() {
        let _ = writeln!(called, "                    {number} => group.call_{name}().expect(\"a call\"),");
    }
    let precision = if real == "f64" { ".f64()" } else { "" };
    format!(
        r#"
fn {module}_{real}(input: &mut Input, output: &mut Vec<u8>) {{
    let (pre, post) = (input.size(), input.size());
    let options = native::Options {{ dt: input.number(), seed: input.word() }};
    let mut params = {module}::Params {{ {fields}}};
    let mut builder = {module}::Builder::new(native::Dense {{ pre, post }}, params.clone()){precision}.options(options);
{initial}    let mut group = builder.build().expect("a group");
    loop {{
        match input.word() {{
            0 => break,
            1 => {{
                let (pre, post) = (input.flags(), input.flags());
                group.try_step(&pre, &post).expect("a step");
                group.for_each_variable(&mut |name, values| put(output, name, values));
            }}
            2 => {{
                match input.word() {{
{changes}                    _ => unreachable!("a parameter"),
                }}
                group.set_params(params.clone()).expect("parameters");
            }}
            3 => match input.word() {{
{sets}                _ => unreachable!("a variable"),
            }},
            4 => {{
                match input.word() {{
{called}                    _ => unreachable!("a call"),
                }}
                group.for_each_variable(&mut |name, values| put(output, name, values));
            }}
            _ => unreachable!("an act"),
        }}
    }}
}}
"#
    )
}

/// A script as bytes.
fn bytes(rule: &Rule, script: &Script) -> Vec<u8> {
    let mut words: Vec<u64> =
        vec![script.size.0 as u64, script.size.1 as u64, script.dt.to_bits(), script.seed];
    let list = |values: &[f64], words: &mut Vec<u64>| {
        words.push(values.len() as u64);
        words.extend(values.iter().map(|value| value.to_bits()));
    };
    for (id, values) in &script.parameters {
        let elements = rule.variables[*id].elements() as usize;
        // Where there is no neuron, the rule's own value does as well as any other.
        let values = if values.is_empty() { vec![1.0; elements] } else { values[..elements].to_vec() };
        list(&values, &mut words);
    }
    for (id, variable) in rule.variables.iter() {
        if matches!(variable.kind, VarKind::Plastic { .. }) {
            let given = script.initial.iter().find(|(given, _)| *given == id);
            words.push(u64::from(given.is_some()));
            given.into_iter().for_each(|(_, values)| list(values, &mut words));
        }
    }
    let calls = calls(rule);
    for act in &script.acts {
        match act {
            Act::Parameter(id, values) | Act::Input(id, values) | Act::Write(id, values) => {
                let code = if of_params(&rule.variables[*id]) { code::PARAMETER } else { code::SET };
                words.extend([code, id.index() as u64]);
                list(values, &mut words);
            }
            Act::Draw(..) => {}
            Act::Call(name) => {
                let place = calls.iter().position(|known| known == name);
                words.extend([code::CALL, place.unwrap_or(usize::MAX) as u64]);
            }
            Act::Step { pre, post } => {
                words.push(code::STEP);
                for side in [pre, post] {
                    words.push(side.len() as u64);
                    words.extend(side.iter().map(|&spikes| u64::from(spikes)));
                }
            }
        }
    }
    words.push(code::END);
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// What is left of the output.
struct Output<'a>(&'a [u8]);

impl<'a> Output<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], String> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the output ends in a variable")?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u64, String> {
        let bytes = self.take(8)?.try_into().map_err(|_| "no word")?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// What a module has written, as a trace.
fn found(rule: &Rule, bytes: &[u8]) -> Result<Trace, String> {
    let by_name: BTreeMap<String, VarId> =
        rule.variables.iter().map(|(id, variable)| (variable.address(), id)).collect();
    let mut rest = Output(bytes);
    let mut trace = Trace::new();
    let mut first = None;
    while !rest.0.is_empty() {
        let length = rest.word()?;
        let name = String::from_utf8_lossy(rest.take(length)?).into_owned();
        let count = rest.word()?;
        let values: Result<Vec<u64>, String> =
            (0..count).map(|_| rest.word().map(|bits| crate::machine::bits(f64::from_bits(bits)))).collect();
        let id = by_name.get(&name).ok_or_else(|| format!("there is no `{name}`"))?;
        // A snapshot begins with the variable that the first one began with.
        if first.get_or_insert_with(|| name.clone()) == &name {
            trace.push(vec![None; rule.variables.len()]);
        }
        let Some(last) = trace.last_mut() else { return Err("no snapshot".to_owned()) };
        let values = values?;
        let forgotten = matches!(rule.variables[*id].kind, VarKind::Proposal { .. })
            && rule.apply_when == When::EveryStep;
        last[id.index()] = if forgotten { None } else { Some(values) };
    }
    Ok(trace)
}

fn check(number: usize) -> Result<(), Failed> {
    run(number, &|_| {})
}

/// A module whose parameter is not that of the rule does not pass.
fn another_parameter() -> Result<(), Failed> {
    let number = differential::texts().iter().position(|(name, _)| name == "stdp").ok_or("no such rule")?;
    let other = |script: &mut Script| {
        let first = script.parameters.first_mut().and_then(|(_, values)| values.first_mut());
        first.into_iter().for_each(|value| *value = value.next_up());
    };
    match run(number, &other) {
        Err(failed) if failed.message().is_some_and(|message| message.contains("instead of")) => Ok(()),
        Err(failed) => Err(failed),
        Ok(()) => Err("it passed".into()),
    }
}

/// Compares a module with the rule interpreter, where the module is given a script that `change` has changed.
fn run(number: usize, change: &dyn Fn(&mut Script)) -> Result<(), Failed> {
    let built = built()?;
    let Some(case) = &built.cases[number] else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("input"), folder.path().join("output"));
    for (precision, real) in [(Precision::F32, "f32"), (Precision::F64, "f64")] {
        let mut compared = 0;
        for (turn, size) in SIZES.into_iter().enumerate() {
            let size = divided(&case.rule, size);
            let steps = if size.0 * size.1 > 500 { 8 } else { 16 };
            let mut script = script(&case.rule, size, precision, steps, turn as u64 + 1);
            // The host of a module gives no draws here, and one value of a parameter for all neurons.
            script.draws.clear();
            script.acts.retain(|act| !matches!(act, Act::Draw(..)));
            for (id, values) in &mut script.parameters {
                let elements = case.rule.variables[*id].elements() as usize;
                let first = values.get(..elements).map(<[f64]>::to_vec).unwrap_or_default();
                values.chunks_mut(elements).for_each(|place| place.copy_from_slice(&first));
            }
            let expected = expected(case, &script, &mut Seen::default())?;
            change(&mut script);
            std::fs::write(&input, bytes(&case.rule, &script))?;
            let ran = Command::new(&built.program)
                .arg(format!("m{number}_{real}"))
                .args([&input, &output])
                .output()?;
            let context = |what: String| format!("{real}, size {size:?}: {what}");
            if !ran.status.success() {
                return Err(
                    context(format!("{}: {}", ran.status, String::from_utf8_lossy(&ran.stderr))).into()
                );
            }
            let found = found(&case.rule, &std::fs::read(&output)?).map_err(context)?;
            compare(&case.rule, &expected, &found).map_err(context)?;
            compared += found.iter().flatten().flatten().map(Vec::len).sum::<usize>();
        }
        if compared == 0 {
            return Err(format!("{real}: nothing was compared").into());
        }
    }
    Ok(())
}
