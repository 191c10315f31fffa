//! `aplysia run`: a rule on a group of synapses, with spikes and inputs from a file or drawn, to a file and a summary.

pub mod arguments;
pub mod execute;
mod input;
mod output;
mod plot;
mod schedule;
mod spikes;
mod summary;

pub use output::Output;
pub use summary::number;

use std::collections::BTreeMap;

use aplysia::{Engine, GroupId, Side};
use aplysia_compiler::check::step_warnings;
use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Rule, VarId, VarKind};
use aplysia_compiler::plan::Options;

use crate::arguments::{Format, Precision};
use crate::emit;
use crate::given::{self, Settings, Wanted, short_name};
use crate::npz;
use crate::poisson::Poisson;
use crate::report::{self, Failure, Outcome};
use crate::text;
use arguments::RunArguments;
use execute::Execution;
use input::{Input, Sizes};
use output::Kind;
use schedule::Schedule;
use spikes::Spikes;
use summary::{Statistics, Summary, Weights};

/// Neurons of a side and steps, where nothing says how many.
const DEFAULT_COUNT: usize = 1000;
/// Of Poisson trains, in Hz.
const DEFAULT_RATE: f64 = 10.0;

/// Runs a rule.
///
/// # Errors
/// Where the rule has errors, or what it is given does not fit.
pub fn run(arguments: &RunArguments) -> Outcome {
    let topology = emit::topology(arguments.topology)?;
    let opened = text::open(&arguments.rule)?;
    let rule = &opened.rule;
    // The runtime plans for itself; planned here, what is wrong is shown with its place.
    let options = Options { topology, precision: emit::precision(arguments.precision), ..Options::default() };
    emit::program(&opened, &options)?;
    report::diagnostics(opened.library.sources(), &step_warnings(rule, arguments.dt));
    let settings = given::settings(rule, &arguments.settings)?;
    let record: Vec<VarId> = arguments
        .record
        .iter()
        .map(|name| given::variable(rule, name.trim(), Wanted::Recorded))
        .collect::<Outcome<_>>()?;
    let mut input = load(rule, arguments)?;
    let (shape, steps) = measure(&input, arguments)?;
    settled(rule, &settings, &input)?;
    spikes(&mut input, arguments, shape)?;
    let neurons = shape.0 as u64 + shape.1 as u64;
    let schedule = Schedule::new(rule, &arguments.calls, arguments.checkpoint_every, steps, neurons)?;
    let output = arguments.output.as_deref().map(Output::create).transpose()?;

    let mut execution = Execution::start(&opened.open, rule, arguments, shape, &settings, &input)?;
    let first = execution.engine.steps(execution.group)?;
    if first > steps {
        let text = format!("the checkpoint is at step {first}, after the end of the run, step {steps}");
        return Err(Failure::data(code::CHECKPOINT_MISMATCH, text).help("give more steps with `--steps`"));
    }
    execution.record(rule, &record, arguments.record_every, steps)?;
    let before = statistics(&mut execution.engine, execution.group, rule, arguments.precision)?;
    execution.advance(&schedule, steps, arguments.checkpoint.as_deref())?;

    let after = statistics(&mut execution.engine, execution.group, rule, arguments.precision)?;
    let weights = before.into_iter().zip(after).map(|((id, before), (_, after))| Weights {
        name: short_name(rule, id),
        unit: rule.variables[id].unit.text.clone(),
        before,
        after,
    });
    let files = [&arguments.output, &arguments.checkpoint, &arguments.plot].into_iter().flatten();
    let summary = Summary {
        rule: format!("{} ({})", rule.name, arguments.rule.file),
        pre: shape.0,
        post: shape.1,
        precision: if arguments.precision == Precision::F32 { "f32" } else { "f64" },
        dt: arguments.dt,
        device: execution.engine.device().to_string(),
        first,
        steps,
        spikes: execution.spikes,
        source: source(&input, arguments),
        seconds: execution.time.as_secs_f64(),
        plans: execution.engine.plans(execution.group)?,
        weights: weights.collect(),
        files: files.map(|path| path.display().to_string()).collect(),
    };
    if let Some(output) = output {
        let recorded = execution.recording.map(|recording| (recording, record.as_slice()));
        output.finish(&mut execution.engine, execution.group, rule, arguments.precision, recorded)?;
    }
    if let Some(path) = &arguments.plot {
        plot::write(path, &summary.weights)?;
    }
    match arguments.format {
        Format::Text => report::print(&summary.text()),
        Format::Json => report::print_json(&summary.json()),
    }
}

/// The arrays of the input file, if there is one.
fn load(rule: &Rule, arguments: &RunArguments) -> Outcome<Input> {
    let mut sizes = Sizes::default();
    if let Some(count) = arguments.pre {
        sizes.pre(count as usize, "`--pre`")?;
    }
    if let Some(count) = arguments.post {
        sizes.post(count as usize, "`--post`")?;
    }
    let arrays = arguments.input.as_deref().map_or(Ok(BTreeMap::new()), npz::read)?;
    input::sort(rule, arrays, sizes)
}

/// The size of the group and the number of steps.
fn measure(input: &Input, arguments: &RunArguments) -> Outcome<((usize, usize), u64)> {
    let count = |known: &Option<(usize, String)>, side: &str| match known {
        Some((count, _)) => Ok(*count),
        None if arguments.input.is_none() => Ok(DEFAULT_COUNT),
        None => {
            let text = format!("the input does not show how many {side}synaptic neurons there are");
            let help = format!("give `{side}.spike` as an array [steps, neurons], or say `--{side} N`");
            Err(Failure::data(code::WRONG_SHAPE, text).help(help))
        }
    };
    let shape = (count(&input.sizes.pre, "pre")?, count(&input.sizes.post, "post")?);
    let listed = input.pre.least_steps().max(input.post.least_steps()).map(|steps| steps as u64);
    let known = input.sizes.steps.as_ref().map(|(steps, from)| (*steps as u64, from));
    let steps = match (arguments.steps, known) {
        (Some(steps), Some((most, from))) if steps > most => {
            let text = format!("`--steps {steps}` is more than the {most} steps of {from}");
            return Err(Failure::data(code::WRONG_SHAPE, text));
        }
        (Some(steps), _) => steps,
        (None, Some((most, from))) => match listed {
            Some(listed) if listed > most => {
                let text =
                    format!("a spike is in step {}, counted from 0, but {from} has {most} steps", listed - 1);
                return Err(Failure::data(code::EVENT_STEP, text));
            }
            _ => most,
        },
        (None, None) => listed.unwrap_or(DEFAULT_COUNT as u64),
    };
    Ok((shape, steps))
}

/// Refuses what is given twice, or not at all.
fn settled(rule: &Rule, settings: &Settings, input: &Input) -> Outcome {
    let of = |list: &[(VarId, crate::npy::Array)]| -> Vec<VarId> { list.iter().map(|(id, _)| *id).collect() };
    let mut params: Vec<VarId> = settings.params.iter().map(|(id, _)| *id).collect();
    params.extend(of(&input.params));
    let mut inputs: Vec<VarId> = settings.inputs.iter().map(|(id, _)| *id).collect();
    inputs.extend(of(&input.held).into_iter().chain(of(&input.series)));
    let mut inits: Vec<VarId> = settings.inits.iter().map(|(id, _)| *id).collect();
    inits.extend(of(&input.inits));
    for list in [&params, &inputs, &inits] {
        if let Some((at, id)) = list.iter().enumerate().find(|(at, id)| list[..*at].contains(id)) {
            let name = short_name(rule, *id);
            let twice = if at > 0 { "twice; use either `--set` or `--input`" } else { "twice" };
            return Err(Failure::usage(format!("`{name}` is given {twice}")));
        }
    }
    given::require(rule, &params, &inputs)
}

/// Checks the spikes of the input, and draws those of a side that has none.
fn spikes(input: &mut Input, arguments: &RunArguments, shape: (usize, usize)) -> Outcome {
    let rate = match (arguments.rate, &arguments.input) {
        (Some(rate), _) => Some(rate),
        (None, None) => Some(DEFAULT_RATE),
        (None, Some(_)) => None,
    };
    for (side, count) in [(Side::Pre, shape.0), (Side::Post, shape.1)] {
        let spikes = if side == Side::Pre { &mut input.pre } else { &mut input.post };
        spikes.check(side, count)?;
        if let (Spikes::None, Some(rate)) = (&*spikes, rate) {
            let probability = rate * arguments.dt / 1000.0;
            if probability > 1.0 {
                let text = format!("{rate} Hz is more than one spike in a step of {} ms", arguments.dt);
                return Err(Failure::usage(text).help("lower `--rate` or `--dt`"));
            }
            *spikes = Spikes::Drawn(Poisson::new(arguments.seed, side, count, probability));
        }
    }
    Ok(())
}

fn source(input: &Input, arguments: &RunArguments) -> String {
    let one = |spikes: &Spikes| match spikes {
        Spikes::None => "none".to_owned(),
        Spikes::Dense(_) | Spikes::Listed { .. } => "from the input".to_owned(),
        Spikes::Drawn(_) => format!("Poisson, {} Hz", arguments.rate.unwrap_or(DEFAULT_RATE)),
    };
    let (pre, post) = (one(&input.pre), one(&input.post));
    if pre == post { pre } else { format!("pre {pre}, post {post}") }
}

/// Of every plastic variable.
fn statistics(
    engine: &mut Engine,
    group: GroupId,
    rule: &Rule,
    precision: Precision,
) -> Outcome<Vec<(VarId, Option<Statistics>)>> {
    let plastic =
        rule.variables.iter().filter(|(_, variable)| matches!(variable.kind, VarKind::Plastic { .. }));
    let mut list = Vec::new();
    for (id, variable) in plastic {
        let address = variable.address();
        let found = match Kind::of(rule, id, precision) {
            Kind::F32 => {
                Statistics::of(engine.read::<f32>(group, &address)?.iter().map(|&value| value.into()))
            }
            Kind::F64 | Kind::I64 => Statistics::of(engine.read::<f64>(group, &address)?.iter().copied()),
        };
        list.push((id, found));
    }
    Ok(list)
}
