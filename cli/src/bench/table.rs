//! What measuring a rule has come to, for people and for programs.

use std::fmt::Write as _;

use aplysia::Side;
use aplysia_bench::Timing;
use serde_json::{Value, json};

use super::rule::{Compiled, Trains, precision};
use super::word;
use crate::run::arguments::{PlanChoice, RunArguments};
use crate::run::connect::Connections;
use crate::run::number;
use crate::text::Opened;

/// A plan.
pub struct Line {
    /// As it was asked for.
    pub plan: PlanChoice,
    /// Its steps.
    pub timing: Timing,
    /// What a step moves.
    pub bytes: f64,
    /// Its alternatives, and how often each was taken.
    pub taken: Vec<(String, u64)>,
    /// How long it took to make.
    pub compiled: Compiled,
}

/// All plans of a rule on a group.
pub struct Table {
    rule: String,
    group: String,
    topology: &'static str,
    sides: [usize; 2],
    /// (pre, post) pairs of a full pass.
    visits: f64,
    /// Synaptic events of a step: spikes that arrive at a synapse.
    events: f64,
    precision: &'static str,
    batch: usize,
    rate: f64,
    /// How many take part.
    pub threads: usize,
    /// Bytes a second that are read and written in place.
    pub stream: f64,
    /// The plans.
    pub lines: Vec<Line>,
}

impl Table {
    /// Without lines yet.
    pub fn new(
        opened: &Opened,
        arguments: &RunArguments,
        connections: &Connections,
        trains: &[Trains; 2],
    ) -> Self {
        let visits = connections.pairs();
        Self {
            rule: format!("{} ({})", opened.rule.name, arguments.rule.file),
            group: connections.words(),
            topology: connections.topology.kind().word(),
            sides: [connections.count(Side::Pre), connections.count(Side::Post)],
            visits,
            events: visits * (trains[0].share() + trains[1].share()),
            precision: precision(arguments.precision),
            batch: connections.batch,
            rate: arguments.rate.unwrap_or(crate::run::DEFAULT_RATE),
            threads: 1,
            stream: 0.0,
            lines: Vec::new(),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("rule     {}\n", self.rule);
        let plural = if self.threads == 1 { "" } else { "s" };
        let _ = writeln!(out, "group    {}, {}, {} thread{plural}", self.group, self.precision, self.threads);
        let _ = writeln!(
            out,
            "spikes   Poisson, {} Hz; {} synaptic events a step",
            self.rate,
            number(self.events)
        );
        let _ = writeln!(out, "memory   {} GB/s read and written in place\n", number(self.stream * 1e-9));
        let head = ["µs/step", "spread", "ns/synapse", "ns/event", "MB/step", "of memory", "compiled"];
        let _ = write!(out, "{:<8}", "plan");
        head.iter().for_each(|word| {
            let _ = write!(out, "{word:>11}");
        });
        out.push('\n');
        for line in &self.lines {
            let step = line.timing.step();
            let cells = [
                number(step * 1e6),
                format!("{:.0} %", 100.0 * line.timing.spread()),
                per(step * 1e9, self.visits),
                per(step * 1e9, self.events),
                number(line.bytes * 1e-6),
                format!("{:.0} %", 100.0 * line.bytes / step / self.stream),
                format!("{:.1} ms", line.compiled.milliseconds()),
            ];
            let _ = write!(out, "{:<8}", word(line.plan));
            cells.iter().for_each(|cell| {
                let _ = write!(out, "{cell:>11}");
            });
            out.push('\n');
        }
        for line in &self.lines {
            let taken = line.taken.iter().filter(|(_, steps)| *steps > 0);
            let words: Vec<String> = taken.map(|(name, steps)| format!("{name} in {steps} steps")).collect();
            let words = if words.is_empty() { "one way only".to_owned() } else { words.join(", ") };
            let _ = write!(out, "\n{}: {} kernels; {words}", word(line.plan), line.compiled.kernels);
        }
        out.push('\n');
        out
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let step = line.timing.step();
            let taken: serde_json::Map<String, Value> =
                line.taken.iter().map(|(name, steps)| (name.clone(), json!(steps))).collect();
            json!({
                "plan": word(line.plan),
                "us_per_step": step * 1e6,
                "spread": line.timing.spread(),
                "steps": line.timing.steps,
                "ns_per_synapse_step": (self.visits > 0.0).then_some(step * 1e9 / self.visits),
                "ns_per_synaptic_event": (self.events > 0.0).then_some(step * 1e9 / self.events),
                "bytes_per_step": line.bytes,
                "share_of_stream": line.bytes / step / self.stream,
                "taken": taken,
                "kernels": line.compiled.kernels,
                "plan_ms": line.compiled.planned.as_secs_f64() * 1e3,
                "code_ms": line.compiled.coded.as_secs_f64() * 1e3,
            })
        });
        json!({
            "rule": self.rule,
            "topology": self.topology,
            "pre": self.sides[0],
            "post": self.sides[1],
            "synapse_visits": self.visits,
            "events_per_step": self.events,
            "batch": self.batch,
            "precision": self.precision,
            "rate_hz": self.rate,
            "threads": self.threads,
            "stream_gb_per_s": self.stream * 1e-9,
            "plans": lines.collect::<Vec<Value>>(),
        })
    }
}

impl Compiled {
    fn milliseconds(&self) -> f64 {
        (self.planned + self.coded).as_secs_f64() * 1e3
    }
}

fn per(nanos: f64, of: f64) -> String {
    if of > 0.0 { number(nanos / of) } else { "-".to_owned() }
}
