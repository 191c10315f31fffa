//! Whole modules of `plasticity!`, compiled by rustc, against the rule interpreter: every shipped rule and the compositions of
//! the differential suite, on dense groups in both precisions and on one other form of groups in one of them.
//!
//! All modules are one program, which cargo builds once; where no text has changed, it is there already. A script goes in as
//! bytes, and the bits of every variable after every step and call come out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use aplysia_compiler::back::rust::module::{Settings, Source, module_with, variable_names};
use aplysia_compiler::ir::{Domain, Rule, Type, VarId, VarKind, Variable, When};
use aplysia_compiler::kernel::Precision;
use libtest_mimic::{Failed, Trial};

use super::build::{Once, once};
use super::forms::{DENSE, Form, OTHERS};
use crate::differential::{self, Seen, divided, expected};
use crate::machine::script::{Act, Script, script_on};
use crate::machine::{Case, Trace, compare};

/// Runs modules.
const DRIVER: &str = include_str!("modules_driver.rs.txt");

/// One synapse, no neurons on a side, no multiple of a vector's width, several blocks of a sum, many lanes.
const SIZES: [(usize, usize); 5] = [(1, 1), (0, 3), (5, 7), (300, 9), (2, 600)];

/// The sizes of dense groups of another form.
const SOME_SIZES: [(usize, usize); 3] = [(5, 7), (33, 70), (300, 9)];

/// For each form so many rules have to have a module.
const LEAST: usize = 3;

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
    let trial = Trial::test("native::modules_have_every_form", every_form);
    trials.push(trial.with_ignored_flag(without));
    trials
}

/// A module of the program.
struct Compiled {
    /// Its function, without the precision.
    name: String,
    form: Form,
    case: Case,
    precisions: &'static [Precision],
}

/// What is compiled.
struct Built {
    /// The modules of the cases in their order; none where a rule only waits for a part.
    modules: Vec<Vec<Compiled>>,
    program: PathBuf,
}

fn built() -> Result<&'static Built, Failed> {
    static BUILT: Once<Built> = Once::new();
    once(&BUILT, build)
}

fn build() -> Result<Built, Failed> {
    let (mut text, mut functions) = (String::new(), Vec::new());
    let mut modules = Vec::new();
    for (number, (name, source)) in differential::texts().into_iter().enumerate() {
        let Some(case) = differential::working(&name, &source)? else {
            modules.push(Vec::new());
            continue;
        };
        let another = OTHERS[number % OTHERS.len()];
        let one: &[Precision] =
            if (number / OTHERS.len()).is_multiple_of(2) { &[Precision::F32] } else { &[Precision::F64] };
        let other = another.case(&case.rule).map(|case| (format!("o{number}"), another, case, one));
        let dense = (format!("m{number}"), DENSE, case, [Precision::F32, Precision::F64].as_slice());
        let mut found = Vec::new();
        for (title, form, case, precisions) in [Some(dense), other].into_iter().flatten() {
            // Rules of compositions share their name.
            let mut rule = case.rule.clone();
            rule.name.clone_from(&title);
            let settings =
                Settings { topologies: vec![form.kind], batched: form.batch > 1, ..Settings::default() };
            let module =
                module_with(&Source { rule: &rule, text: &source, native: "aplysia_native" }, &settings);
            match module {
                Ok(module) => text.push_str(&module),
                Err(_) if form == DENSE => return Err(format!("`{name}` has no module").into()),
                Err(_) => continue,
            }
            for &precision in precisions {
                text.push_str(&stepper(&rule, form, word(precision)));
                functions.push(format!("{title}_{}", word(precision)));
            }
            found.push(Compiled { name: title, form, case, precisions });
        }
        modules.push(found);
    }
    Ok(Built { modules, program: program_of("modules", &text, &functions)? })
}

/// A precision as Rust writes it.
pub fn word(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    }
}

/// How an act is written.
mod code {
    pub const END: u64 = 0;
    pub const STEP: u64 = 1;
    pub const PARAMETER: u64 = 2;
    pub const SET: u64 = 3;
    pub const CALL: u64 = 4;
    pub const LOOK: u64 = 5;
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
pub fn stepper(rule: &Rule, form: Form, real: &str) -> String {
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
            let batched = form.batch > 1 && variable.shape.batched;
            let single = variable.shape.domain == Domain::Global && variable.length.is_none() && !batched;
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
    let batch = if form.batch > 1 { format!(".batch({})", form.batch) } else { String::new() };
    let topology = form.text();
    format!(
        r#"
fn {module}_{real}(input: &mut Input, output: &mut Vec<u8>) {{
    let (pre, post) = (input.size(), input.size());
    let topology = {topology};
    let options = native::Options {{ dt: input.number(), seed: input.word() }};
    let mut params = {module}::Params {{ {fields}}};
    let mut builder = {module}::Builder::new(topology, params.clone()){batch}{precision}.options(options);
{initial}    let mut group = builder.build().expect("a group");
    loop {{
        match input.word() {{
            0 => break,
            1 => {{
                let (pre, post) = (input.flags(), input.flags());
                group.try_step(&pre, &post).expect("a step");
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
            }}
            5 => group.for_each_variable(&mut |name, values| put(output, name, values)),
            _ => unreachable!("an act"),
        }}
    }}
}}
"#
    )
}

/// A script as bytes. `looks` says after each step and call whether its variables are to be written.
pub fn bytes(rule: &Rule, script: &Script, mut looks: impl FnMut() -> bool) -> Vec<u8> {
    let mut words: Vec<u64> = vec![script.size.0 as u64, script.size.1 as u64];
    words.extend(Form::words(&script.topology));
    words.extend([script.dt.to_bits(), script.seed]);
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
                words.extend(looks().then_some(code::LOOK));
            }
            Act::Step { pre, post } => {
                words.push(code::STEP);
                for side in [pre, post] {
                    words.push(side.len() as u64);
                    words.extend(side.iter().map(|&spikes| u64::from(spikes)));
                }
                words.extend(looks().then_some(code::LOOK));
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
pub fn found(rule: &Rule, bytes: &[u8]) -> Result<Trace, String> {
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

/// Every form has its rules.
fn every_form() -> Result<(), Failed> {
    let built = built()?;
    for form in OTHERS {
        let count = built.modules.iter().flatten().filter(|one| one.form == form).count();
        if count < LEAST {
            return Err(format!("{form:?}: {count} modules").into());
        }
    }
    Ok(())
}

/// Compares the modules of a case with the rule interpreter, where they are given scripts that `change` has changed.
fn run(number: usize, change: &dyn Fn(&mut Script)) -> Result<(), Failed> {
    let built = built()?;
    for module in &built.modules[number] {
        for &precision in module.precisions {
            let sizes = if module.form == DENSE { SIZES.as_slice() } else { SOME_SIZES.as_slice() };
            let mut compared = 0;
            for (turn, &size) in sizes.iter().enumerate() {
                let topology = module.form.topology(divided(&module.case.rule, size))?;
                let steps = if size.0 * size.1 > 500 { 8 } else { 16 };
                let script = script_on(
                    &module.case.rule,
                    &topology,
                    module.form.batch,
                    precision,
                    steps,
                    turn as u64 + 1,
                );
                compared += turn_of(built, module, script, change)
                    .map_err(|what| format!("{:?}, {precision:?}, {size:?}: {what}", module.form))?;
            }
            if compared == 0 {
                return Err(format!("{precision:?}: nothing was compared").into());
            }
        }
    }
    Ok(())
}

/// Runs a module once; gives how many values were compared.
fn turn_of(
    built: &Built,
    module: &Compiled,
    mut script: Script,
    change: &dyn Fn(&mut Script),
) -> Result<usize, String> {
    let case = &module.case;
    given_by_modules(&case.rule, &mut script);
    let expected = expected(case, &script, &mut Seen::default())?;
    change(&mut script);
    let name = format!("{}_{}", module.name, word(script.precision));
    let found = output(&built.program, &name, &case.rule, &bytes(&case.rule, &script, || true))?;
    compare(&case.rule, &expected, &found)?;
    Ok(found.iter().flatten().flatten().map(Vec::len).sum())
}

/// The host of a module gives no draws here, and one value of a parameter for all neurons.
pub fn given_by_modules(rule: &Rule, script: &mut Script) {
    script.draws.clear();
    script.acts.retain(|act| !matches!(act, Act::Draw(..)));
    for (id, values) in &mut script.parameters {
        let elements = rule.variables[*id].elements() as usize;
        let first = values.get(..elements).map(<[f64]>::to_vec).unwrap_or_default();
        values.chunks_mut(elements).for_each(|place| place.copy_from_slice(&first));
    }
}

/// What a function of a program makes of a script, which it is given as bytes.
pub fn output(program: &Path, function: &str, rule: &Rule, script: &[u8]) -> Result<Trace, String> {
    let text = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(text)?;
    let (input, output) = (folder.path().join("input"), folder.path().join("output"));
    std::fs::write(&input, script).map_err(text)?;
    let ran = Command::new(program).arg(function).args([&input, &output]).output().map_err(text)?;
    if !ran.status.success() {
        return Err(format!("{}: {}", ran.status, String::from_utf8_lossy(&ran.stderr)));
    }
    found(rule, &std::fs::read(&output).map_err(text)?)
}

/// A program of modules and of functions that carry out scripts on them.
pub fn program_of(name: &str, modules: &str, functions: &[String]) -> Result<PathBuf, Failed> {
    let arms: String =
        functions.iter().map(|name| format!("        \"{name}\" => {name}(input, output),\n")).collect();
    let run = format!(
        "\nfn run(which: &str, input: &mut Input, output: &mut Vec<u8>) {{\n    match which {{\n{arms}        _ => panic!(\"no such module\"),\n    }}\n}}\n"
    );
    super::build::program(name, &format!("{DRIVER}{modules}{run}"))
}
