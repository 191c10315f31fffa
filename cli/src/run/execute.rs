//! The run itself: a group is registered, and stepped from pause to pause.

use std::path::Path;
use std::time::{Duration, Instant};

use aplysia::units::ms;
use aplysia::{
    Delay, Device, DrawId, Engine, Group, GroupId, InputId, Inputs, Plan, Precision as GroupPrecision,
    Recorder, RecordingId, Rule, Series, Side, Train, Values,
};
use aplysia_compiler::ir::{self, VarId};
use aplysia_compiler::pass::delays::{AXONAL, DENDRITIC};
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::{ArrayD, Axis, Slice};

use super::arguments::{Backend, PlanChoice, RunArguments};
use super::connect::Connections;
use super::input::Input;
use super::schedule::Schedule;
use super::spikes::Piece;
use crate::arguments::Precision;
use crate::given::Settings;
use crate::npy::Array;
use crate::report::{Failure, Outcome};

/// A group that is being run.
pub struct Execution<'a> {
    /// The engine.
    pub engine: Engine,
    /// Its only group.
    pub group: GroupId,
    /// Where there is one.
    pub recording: Option<RecordingId>,
    /// Presynaptic and postsynaptic spikes so far.
    pub spikes: [u64; 2],
    /// Spent in steps.
    pub time: Duration,
    input: &'a Input,
    series: Vec<(InputId, Course)>,
    draws: Vec<(DrawId, Course)>,
}

/// Values with a leading axis of steps, in a type that the engine takes.
enum Course {
    F32(ArrayD<f32>),
    F64(ArrayD<f64>),
}

impl Course {
    fn new(name: &str, array: &Array) -> Outcome<Self> {
        match array {
            Array::F32(array) => Ok(Course::F32(array.clone())),
            Array::Bool(_) | Array::I64(_) | Array::F64(_) => Ok(Course::F64(reals(name, array)?)),
        }
    }

    fn piece(&self, from: u64, to: u64) -> Series<'_> {
        let slice = Slice::from(from as usize..to as usize);
        match self {
            Course::F32(array) => array.slice_axis(Axis(0), slice).into(),
            Course::F64(array) => array.slice_axis(Axis(0), slice).into(),
        }
    }

    fn first(&self) -> Values {
        match self {
            Course::F32(array) if !array.is_empty() => array.index_axis(Axis(0), 0).into(),
            Course::F64(array) if !array.is_empty() => array.index_axis(Axis(0), 0).into(),
            Course::F32(_) | Course::F64(_) => Values::Number(0.0),
        }
    }
}

/// The device that the command line asks for.
///
/// # Errors
/// Where its threads cannot be started.
pub fn device(backend: Backend, threads: u16) -> Outcome<Device> {
    match backend {
        Backend::Cpu => Ok(Device::cpu_with_threads(threads.into())?),
        Backend::Interpreter => Ok(Device::interpreter()),
        Backend::Cuda => cuda(),
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Outcome<Device> {
    Ok(Device::cuda(0)?)
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Outcome<Device> {
    Err(Failure::usage("this program was built without CUDA").help("build it with `--features cuda`"))
}

/// The runtime's word for a plan.
pub fn plan(choice: PlanChoice) -> Plan {
    match choice {
        PlanChoice::Auto => Plan::Auto,
        PlanChoice::Full => Plan::FullPass,
        PlanChoice::Events => Plan::Events,
        PlanChoice::Replay => Plan::Replay,
        PlanChoice::ClosedForm => Plan::ClosedForm,
    }
}

/// The runtime's word for a precision.
pub fn precision(precision: Precision) -> GroupPrecision {
    match precision {
        Precision::F32 => GroupPrecision::F32,
        Precision::F64 => GroupPrecision::F64,
    }
}

impl<'a> Execution<'a> {
    /// Registers the group, and goes on from a checkpoint where there is one.
    ///
    /// # Errors
    /// Where the group, an array or the checkpoint does not fit.
    pub fn start(
        open: &ir::Rule,
        rule: &ir::Rule,
        arguments: &RunArguments,
        connections: &Connections,
        settings: &Settings,
        input: &'a Input,
    ) -> Outcome<Self> {
        let address = |id: VarId| rule.variables[id].address();
        let mut group = Group::on(connections.topology.clone())
            .batch(connections.batch)
            .rule(&Rule::from_ir(open.clone()))
            .dt(ms(arguments.dt))
            .precision(precision(arguments.precision))
            .plan(plan(arguments.plan))
            .seed(arguments.seed);
        let mut delay_values = Vec::new();
        let delays = [arguments.axonal_delay, arguments.dendritic_delay];
        for ((side, said), array) in [Side::Pre, Side::Post].into_iter().zip(delays).zip(&input.delays) {
            let Some((delay, values)) = delay(side, said, array.as_ref())? else { continue };
            let name = if side == Side::Pre { AXONAL } else { DENDRITIC };
            delay_values.push((name, values));
            group = if side == Side::Pre { group.axonal_delay(delay) } else { group.dendritic_delay(delay) };
        }
        let mut params = settings.params.clone();
        params.extend(input.params.iter().map(|(id, array)| (*id, values(array))));
        for (id, values) in &params {
            group = group.param(address(*id), values.clone());
        }
        for (id, values) in &settings.inits {
            group = group.init(address(*id), values.clone());
        }
        for (id, array) in &input.inits {
            group = group.init(address(*id), values(array));
        }
        let mut draw_courses = Vec::new();
        for (site, array) in &input.draws {
            let name = draw_address(rule, *site);
            let course = Course::new(&name, array)?;
            group = group.draw(name.as_str(), course.first());
            draw_courses.push((name, course));
        }
        for (site, array) in &input.held_draws {
            group = group.draw(draw_address(rule, *site), values(array));
        }
        let mut engine = Engine::new(device(arguments.backend, arguments.threads)?)?;
        let group = engine.register(group)?;
        let mut series = Vec::new();
        for (id, array) in &input.series {
            let name = address(*id);
            series.push((engine.input(group, &name)?, Course::new(&name, array)?));
        }
        let mut draws = Vec::new();
        for (name, course) in draw_courses {
            draws.push((engine.draw(group, &name)?, course));
        }
        if let Some(path) = &arguments.resume {
            engine.restore(path)?;
            // What the command line says of parameters holds from here on.
            for (name, values) in delay_values {
                engine.set_param(group, name, values)?;
            }
            for (id, values) in params {
                engine.set_param(group, &address(id), values)?;
            }
        }
        for (id, list) in &settings.inputs {
            engine.set_input(group, &address(*id), list)?;
        }
        for (id, array) in &input.held {
            hold(&mut engine, group, &address(*id), array)?;
        }
        let (recording, spikes, time) = (None, [0; 2], Duration::ZERO);
        Ok(Self { engine, group, recording, spikes, time, input, series, draws })
    }

    /// Records variables from here on.
    ///
    /// # Errors
    /// Where there is no room for the rows.
    pub fn record(&mut self, rule: &ir::Rule, ids: &[VarId], every: u64, steps: u64) -> Outcome {
        if ids.is_empty() {
            return Ok(());
        }
        let first = self.engine.steps(self.group)?;
        let rows = usize::try_from(steps / every - first / every).unwrap_or(usize::MAX);
        let names = ids.iter().map(|&id| rule.variables[id].address());
        let recorder = Recorder::new(names).every(every).rows(rows);
        self.recording = Some(self.engine.record(self.group, &recorder)?);
        Ok(())
    }

    /// Takes the steps up to `steps`, with calls and checkpoints where they are due.
    ///
    /// # Errors
    /// Where a call or an input does not fit, or a checkpoint cannot be written.
    pub fn advance(&mut self, schedule: &Schedule, steps: u64, checkpoint: Option<&Path>) -> Outcome {
        let mut at = self.engine.steps(self.group)?;
        let bar = progress(at, steps);
        if at == 0 {
            self.call(schedule, 0)?;
        }
        while at < steps {
            let next = schedule.next(at);
            self.piece(at, next)?;
            at = next;
            bar.set_position(at);
            self.call(schedule, at)?;
            if let (true, Some(path)) = (schedule.is_saved(at) || at == steps, checkpoint) {
                self.engine.save(path)?;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn call(&mut self, schedule: &Schedule, at: u64) -> Outcome {
        let begin = Instant::now();
        let outcome = schedule.calls(at).try_for_each(|name| self.engine.call(self.group, name));
        self.time += begin.elapsed();
        Ok(outcome?)
    }

    /// Takes the steps `from .. to`.
    fn piece(&mut self, from: u64, to: u64) -> Outcome {
        let pieces = [self.input.pre.piece(from, to), self.input.post.piece(from, to)];
        let mut train = Train::new();
        for (side, piece) in [Side::Pre, Side::Post].into_iter().zip(&pieces) {
            self.spikes[side as usize] += piece.count();
            train = match (side, piece) {
                (_, Piece::None) => train,
                (Side::Pre, Piece::Dense(array)) => train.pre(array.view()),
                (Side::Post, Piece::Dense(array)) => train.post(array.view()),
                (Side::Pre, Piece::Listed(step, None, index)) => train.pre_events(step, index),
                (Side::Post, Piece::Listed(step, None, index)) => train.post_events(step, index),
                (Side::Pre, Piece::Listed(step, Some(element), index)) => {
                    train.pre_events_batched(step, element, index)
                }
                (Side::Post, Piece::Listed(step, Some(element), index)) => {
                    train.post_events_batched(step, element, index)
                }
            };
        }
        for (id, course) in &self.series {
            train = train.input(*id, course.piece(from, to));
        }
        for (id, course) in &self.draws {
            train = train.draw(*id, course.piece(from, to));
        }
        let begin = Instant::now();
        let outcome = self.engine.run(to - from, &Inputs::new().group(self.group, train));
        let outcome = outcome.and_then(|()| self.engine.wait());
        self.time += begin.elapsed();
        Ok(outcome?)
    }
}

/// The delay of a side, from the command line or from the input, and its values.
fn delay(side: Side, said: Option<f64>, array: Option<&(Array, bool)>) -> Outcome<Option<(Delay, Values)>> {
    let name = if side == Side::Pre { "axonal" } else { "dendritic" };
    Ok(match (said, array) {
        (Some(_), Some(_)) => {
            let text = format!("the {name} delay is given twice, by `--{name}-delay` and by `delay.{name}`");
            return Err(Failure::usage(text).help("leave one of them out"));
        }
        (Some(time), None) => Some((Delay::uniform(ms(time)), Values::Number(time))),
        (None, Some((array, synaptic))) => {
            let values = values(array);
            let delay = match (&values, synaptic) {
                (Values::Number(time), _) => Delay::uniform(ms(*time)),
                (_, true) => Delay::per_synapse(values.clone()),
                (_, false) => Delay::per_neuron(values.clone()),
            };
            Some((delay, values))
        }
        (None, None) => None,
    })
}

fn draw_address(rule: &ir::Rule, site: ir::SiteId) -> String {
    rule.sites[site].address.clone().unwrap_or_default()
}

/// An array as the engine takes it; a single number stands for all elements.
fn values(array: &Array) -> Values {
    if array.shape().is_empty()
        && let Ok(number) = array.reals()
        && let Some(&number) = number.first()
    {
        return Values::Number(number);
    }
    match array {
        Array::Bool(array) => array.mapv(|value| f64::from(u8::from(value))).into(),
        Array::I64(array) => array.into(),
        Array::F32(array) => array.into(),
        Array::F64(array) => array.into(),
    }
}

fn hold(engine: &mut Engine, group: GroupId, address: &str, array: &Array) -> Outcome {
    match array {
        Array::F32(array) => engine.set_input(group, address, &flat(array))?,
        Array::I64(array) => engine.set_input(group, address, &flat(array))?,
        Array::Bool(_) | Array::F64(_) => engine.set_input(group, address, &flat(&reals(address, array)?))?,
    }
    Ok(())
}

fn flat<T: Copy>(array: &ArrayD<T>) -> Vec<T> {
    array.iter().copied().collect()
}

fn reals(name: &str, array: &Array) -> Outcome<ArrayD<f64>> {
    array.reals().map_err(|large| {
        let text = format!("`{name}` holds {large}, which no floating-point number is exactly");
        Failure::data(aplysia_compiler::diag::code::WRONG_TYPE, text)
    })
}

/// A bar on a terminal; elsewhere nothing is shown.
fn progress(first: u64, steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} steps, {eta} left") {
        bar.set_style(style);
    }
    bar.set_position(first);
    bar.reset_eta();
    bar
}
