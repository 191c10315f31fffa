//! `aplysia run`: a rule on a group of synapses, with spikes and inputs from a file or drawn, to a file and a summary.

pub mod arguments;
pub mod axes;
pub mod connect;
pub mod execute;
mod input;
mod output;
mod plot;
mod schedule;
mod spatial;
mod spikes;
mod summary;

pub use output::Output;
pub use summary::number;

use std::collections::BTreeMap;

use aplysia::{Engine, GroupId, Side, Topology};
use aplysia_compiler::check::step_warnings;
use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Rule, VarId, VarKind};
use aplysia_compiler::plan;

use crate::arguments::{Format, Precision};
use crate::emit;
use crate::given::{self, Settings, Wanted, short_name};
use crate::npz;
use crate::poisson::Poisson;
use crate::report::{self, Failure, Outcome};
use crate::text;
use arguments::RunArguments;
use axes::{Axis, Sizes};
use connect::Connections;
use execute::Execution;
use input::Input;
use output::Kind;
use schedule::Schedule;
use spikes::Spikes;
use summary::{Statistics, Summary, Weights};

/// Steps, where nothing says how many.
const DEFAULT_STEPS: u64 = 1000;
/// Of Poisson trains, in Hz.
pub const DEFAULT_RATE: f64 = 10.0;

/// Runs a rule.
///
/// # Errors
/// Where the rule has errors, or what it is given does not fit.
pub fn run(arguments: &RunArguments) -> Outcome {
    let opened = text::open(&arguments.rule)?;
    let rule = &opened.rule;
    report::diagnostics(opened.library.sources(), &step_warnings(rule, arguments.dt));
    let settings = given::settings(rule, &arguments.settings)?;
    let record: Vec<VarId> = arguments
        .record
        .iter()
        .map(|name| given::variable(rule, name.trim(), Wanted::Recorded))
        .collect::<Outcome<_>>()?;
    let mut input = load(rule, arguments)?;
    let connections = Connections::new(&input, arguments)?;
    // The runtime plans for itself; planned here, what is wrong is shown with its place.
    emit::program(
        &opened,
        &emit::options(arguments.topology, connections.batch as u32, arguments.precision),
    )?;
    input.settle(&connections)?;
    let steps = measure(&input, arguments)?;
    settled(rule, &connections, &settings, &input)?;
    spikes(&mut input, arguments, &connections)?;
    let neurons = (connections.count(Side::Pre) as u64).saturating_add(connections.count(Side::Post) as u64);
    let neurons = neurons.saturating_mul(connections.batch as u64);
    let schedule = Schedule::new(rule, &arguments.calls, arguments.checkpoint_every, steps, neurons)?;
    let output = arguments.output.as_deref().map(Output::create).transpose()?;

    let mut execution = Execution::start(&opened.open, rule, arguments, &connections, &settings, &input)?;
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
        group: connections.words(),
        topology: connections.topology.kind().word(),
        pre: connections.count(Side::Pre),
        post: connections.count(Side::Post),
        synapses: connections.topology.synapses().unwrap_or(0),
        batch: connections.batch,
        pairs: connections.pairs(),
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
    if let Some(mut output) = output {
        if let (true, Topology::Sparse(sparse)) = (connections.drawn, &connections.topology) {
            output.connections(sparse)?;
        }
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
///
/// # Errors
/// Where the file cannot be read or an array does not fit.
pub fn load(rule: &Rule, arguments: &RunArguments) -> Outcome<Input> {
    let mut sizes = Sizes::default();
    let kind = arguments.topology.kind();
    let counts = [
        (Axis::Pre, arguments.pre, "`--pre`"),
        (Axis::Post, arguments.post, "`--post`"),
        (Axis::Batch, arguments.batch, "`--batch`"),
        (Axis::OutChannels, arguments.out_channels, "`--out-channels`"),
    ];
    for (axis, count, from) in counts {
        count.map_or(Ok(()), |count| sizes.learn(axis, count as usize, from))?;
    }
    let image = [Axis::InChannels, Axis::InHeight, Axis::InWidth];
    for (axis, count) in image.into_iter().zip(arguments.in_shape.into_iter().flatten()) {
        sizes.learn(axis, count, "`--in-shape`")?;
    }
    for (axis, count) in
        [Axis::KernelHeight, Axis::KernelWidth].into_iter().zip(arguments.kernel.into_iter().flatten())
    {
        sizes.learn(axis, count, "`--kernel`")?;
    }
    unused(arguments, kind)?;
    let arrays = arguments.input.as_deref().map_or(Ok(BTreeMap::new()), npz::read)?;
    input::sort(rule, kind, arrays, sizes)
}

/// Refuses what other topologies are described by.
fn unused(arguments: &RunArguments, kind: plan::Topology) -> Outcome {
    let spatial = [
        ("--in-shape", arguments.in_shape.is_some()),
        ("--out-channels", arguments.out_channels.is_some()),
        ("--kernel", arguments.kernel.is_some()),
        ("--stride", arguments.stride.is_some()),
        ("--padding", arguments.padding.is_some()),
        ("--dilation", arguments.dilation.is_some()),
        ("--groups", arguments.groups.is_some()),
    ];
    let given = spatial.into_iter().find(|(_, given)| *given && !kind.is_spatial());
    let name = match given {
        Some((name, _)) => Some((name, "conv2d` or `--topology local2d")),
        None if arguments.probability.is_some() && kind != plan::Topology::Sparse => {
            Some(("--probability", "csr"))
        }
        None => None,
    };
    let Some((name, goes_with)) = name else { return Ok(()) };
    let text = format!("`{name}` says nothing of a {} group", kind.word());
    Err(Failure::usage(text).help(format!("it goes with `--topology {goes_with}`")))
}

/// The number of steps.
fn measure(input: &Input, arguments: &RunArguments) -> Outcome<u64> {
    let listed = input.pre.least_steps().max(input.post.least_steps()).map(|steps| steps as u64);
    let known = input.sizes.found(Axis::Steps).map(|(steps, from)| (steps as u64, from));
    match (arguments.steps, known) {
        (Some(steps), Some((most, from))) if steps > most => {
            let text = format!("`--steps {steps}` is more than the {most} steps of {from}");
            Err(Failure::data(code::WRONG_SHAPE, text))
        }
        (Some(steps), _) => Ok(steps),
        (None, Some((most, from))) => match listed {
            Some(listed) if listed > most => {
                let text =
                    format!("a spike is in step {}, counted from 0, but {from} has {most} steps", listed - 1);
                Err(Failure::data(code::EVENT_STEP, text))
            }
            _ => Ok(most),
        },
        (None, None) => Ok(listed.unwrap_or(DEFAULT_STEPS)),
    }
}

/// Refuses what is given twice, or not at all.
///
/// # Errors
/// With the names.
pub fn settled(rule: &Rule, connections: &Connections, settings: &Settings, input: &Input) -> Outcome {
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
    given::require(rule, connections.topology.kind(), connections.batch, &params, &inputs)
}

/// Draws the spikes of a side that has none.
fn spikes(input: &mut Input, arguments: &RunArguments, connections: &Connections) -> Outcome {
    let rate = match (arguments.rate, &arguments.input) {
        (Some(rate), _) => Some(rate),
        (None, None) => Some(DEFAULT_RATE),
        (None, Some(_)) => None,
    };
    for side in [Side::Pre, Side::Post] {
        let (count, batch) = (connections.count(side), connections.batch);
        let spikes = if side == Side::Pre { &mut input.pre } else { &mut input.post };
        if let (Spikes::None, Some(rate)) = (&*spikes, rate) {
            let probability = rate * arguments.dt / 1000.0;
            if probability > 1.0 {
                let text = format!("{rate} Hz is more than one spike in a step of {} ms", arguments.dt);
                return Err(Failure::usage(text).help("lower `--rate` or `--dt`"));
            }
            let trains = Poisson::new(arguments.seed, side, count.saturating_mul(batch), probability);
            *spikes = Spikes::Drawn { trains, count, batch };
        }
    }
    Ok(())
}

fn source(input: &Input, arguments: &RunArguments) -> String {
    let one = |spikes: &Spikes| match spikes {
        Spikes::None => "none".to_owned(),
        Spikes::Dense(_) | Spikes::Listed { .. } => "from the input".to_owned(),
        Spikes::Drawn { .. } => format!("Poisson, {} Hz", arguments.rate.unwrap_or(DEFAULT_RATE)),
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
