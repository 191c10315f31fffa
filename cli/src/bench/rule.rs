//! Any rule: a group of it under each plan, on the same Poisson trains.

use std::time::{Duration, Instant};

use aplysia::{Engine, Error, Events, GroupId, Side};
use aplysia_bench::stream::bandwidth;
use aplysia_bench::workload::FORMS;
use aplysia_bench::{Subject, time};
use aplysia_compiler::back::cranelift::{self, Isa, JitError, JitOptions};
use aplysia_compiler::plan::program::Program;
use aplysia_compiler::plan::{self, Options};
use aplysia_compiler::topology::Counts;

use super::arguments::BenchArguments;
use super::table::{Line, Table};
use super::traffic::{self, Moved};
use super::{is_optional, plans, settings};
use crate::arguments::{Format, Precision};
use crate::emit;
use crate::given;
use crate::poisson::Poisson;
use crate::report::{self, Failure, Outcome};
use crate::run::arguments::{PlanChoice, RunArguments};
use crate::run::connect::Connections;
use crate::run::execute::Execution;
use crate::run::{self, DEFAULT_RATE};
use crate::text;

/// Steps of a train, which is repeated.
const TRAIN: u64 = 1000;
/// About the most spikes that a train has.
const MOST_SPIKES: f64 = 4e6;

/// Measures each plan that was asked for; where none was, each that carries out something else.
///
/// # Errors
/// Where the rule has errors, what it is given does not fit, or a plan that was asked for is refused.
pub fn run(arguments: &BenchArguments) -> Outcome {
    let base = arguments.run(PlanChoice::Auto);
    let opened = text::open(&base.rule).map_err(|failure| {
        let looks = arguments.what.starts_with('W') && arguments.what.contains('-');
        if looks { failure.help(format!("workloads are called like {FORMS}")) } else { failure }
    })?;
    let given = given::settings(&opened.rule, &base.settings)?;
    let mut input = run::load(&opened.rule, &base)?;
    let connections = Connections::new(&input, &base)?;
    input.settle(&connections)?;
    run::settled(&opened.rule, &connections, &given, &input)?;
    let trains =
        [Trains::new(&base, &connections, Side::Pre)?, Trains::new(&base, &connections, Side::Post)?];
    let counts = Counts::new(&connections.topology, connections.batch)
        .ok_or_else(|| Failure::from(Error::NoMemory { name: "the group".to_owned(), bytes: usize::MAX }))?;

    let mut seen: Vec<Program> = Vec::new();
    let mut table = Table::new(&opened, &base, &connections, &trains);
    for &choice in plans(arguments) {
        let own = arguments.run(choice);
        let options = options(&own, &connections);
        let begin = Instant::now();
        let program = match plan::compile(&opened.rule, &options) {
            Err(_) if is_optional(choice, arguments) => continue,
            planned => planned.map_err(|found| report::refused(opened.library.sources(), &found))?,
        };
        let compiled = code(&program, begin.elapsed())?;
        let mut execution = Execution::start(&opened.open, &opened.rule, &own, &connections, &given, &input)?;
        let program = Program { notes: Vec::new(), ..execution.engine.program(execution.group)?.clone() };
        if arguments.plans.is_empty() && seen.contains(&program) {
            continue;
        }
        let mut subject = Spiking { engine: &mut execution.engine, group: execution.group, trains: &trains };
        subject.steps(0, 1)?;
        let timing = time(&mut subject, 1, &settings(arguments))?;
        let moved = Moved {
            program: &program,
            taken: execution.engine.plans(execution.group)?,
            counts: &counts,
            shares: [trains[0].share(), trains[1].share()],
            spikes: [trains[0].mean(), trains[1].mean()],
        };
        let bytes = traffic::bytes(&moved);
        table.lines.push(Line { plan: choice, timing, bytes, taken: moved.taken.clone(), compiled });
        seen.push(program);
    }
    let arrays = seen.first().map_or(0, |program| traffic::arrays(program, &counts));
    table.threads = match arguments.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads.into(),
    };
    table.stream = bandwidth(table.threads, arrays);
    match base.format {
        Format::Text => report::print(&table.text()),
        Format::Json => report::print_json(&table.json()),
    }
}

/// How long a program takes to be made.
#[derive(Clone, Copy, Debug)]
pub struct Compiled {
    /// Kernels.
    pub kernels: usize,
    /// From the composed rule to kernels.
    pub planned: Duration,
    /// From kernels to machine code.
    pub coded: Duration,
}

/// What a plan depends on besides the rule.
fn options(arguments: &RunArguments, connections: &Connections) -> Options {
    let options = emit::options(arguments.topology, connections.batch as u32, arguments.precision);
    Options { choice: arguments.plan.choice(), ..options }
}

/// Makes machine code of a program, to see how long it takes.
fn code(program: &Program, planned: Duration) -> Outcome<Compiled> {
    let fault = |error: JitError| Failure::usage(error.to_string());
    let isa = Isa::host().map_err(fault)?;
    let begin = Instant::now();
    for (_, kernel) in program.kernels.iter() {
        cranelift::compile(kernel, &emit::valid_info(kernel), &isa, &JitOptions::default()).map_err(fault)?;
    }
    Ok(Compiled { kernels: program.kernels.len(), planned, coded: begin.elapsed() })
}

/// The spikes of a side, drawn beforehand and repeated.
pub struct Trains {
    starts: Vec<usize>,
    /// Neurons, where there is no batch.
    neurons: Vec<u32>,
    /// Elements of the batch and neurons, where there is one.
    pairs: Vec<(u32, u32)>,
    places: usize,
}

impl Trains {
    fn new(arguments: &RunArguments, connections: &Connections, side: Side) -> Outcome<Self> {
        let (count, batch) = (connections.count(side), connections.batch);
        let places = count.saturating_mul(batch);
        let probability = arguments.rate.unwrap_or(DEFAULT_RATE) * arguments.dt / 1000.0;
        if probability > 1.0 {
            let text = format!("the rate is more than one spike in a step of {} ms", arguments.dt);
            return Err(Failure::usage(text).help("lower `--rate` or `--dt`"));
        }
        let poisson = Poisson::new(arguments.seed, side, places, probability);
        let steps = ((MOST_SPIKES / (places as f64 * probability).max(1.0)) as u64).clamp(1, TRAIN);
        let mut trains = Self { starts: vec![0], neurons: Vec::new(), pairs: Vec::new(), places };
        let mut spikes = Vec::new();
        for step in 0..steps {
            spikes.clear();
            poisson.step(step, &mut spikes);
            if batch > 1 {
                trains.pairs.extend(spikes.iter().map(|place| (place / count as u32, place % count as u32)));
            } else {
                trains.neurons.extend(&spikes);
            }
            trains.starts.push(trains.neurons.len().max(trains.pairs.len()));
        }
        Ok(trains)
    }

    /// Spikes of a step, in the mean, of the whole batch.
    pub fn mean(&self) -> f64 {
        (self.neurons.len() + self.pairs.len()) as f64 / (self.starts.len() - 1) as f64
    }

    /// The share of the neurons that spike in a step.
    pub fn share(&self) -> f64 {
        self.mean() / self.places.max(1) as f64
    }

    fn of(&self, step: u64) -> std::ops::Range<usize> {
        let row = (step % (self.starts.len() - 1) as u64) as usize;
        self.starts[row]..self.starts[row + 1]
    }
}

/// A group that is given its trains.
struct Spiking<'a> {
    engine: &'a mut Engine,
    group: GroupId,
    trains: &'a [Trains; 2],
}

impl Subject for Spiking<'_> {
    type Error = Error;

    fn steps(&mut self, from: u64, count: u64) -> Result<(), Error> {
        let [pre, post] = self.trains;
        for step in from..from + count {
            let mut events = Events::new();
            events = if pre.pairs.is_empty() {
                events.pre(&pre.neurons[pre.of(step)])
            } else {
                events.pre_batched(&pre.pairs[pre.of(step)])
            };
            events = if post.pairs.is_empty() {
                events.post(&post.neurons[post.of(step)])
            } else {
                events.post_batched(&post.pairs[post.of(step)])
            };
            self.engine.step(&[(self.group, events)])?;
        }
        self.engine.wait()
    }
}

/// f32 or f64.
pub fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    }
}
