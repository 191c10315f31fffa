//! Timing: the first step, the steps up to the checksum, then rounds of steps, of which the median counts.

use std::time::Instant;

use serde_json::{Value, json};

use crate::data::Data;
use crate::workload::Workload;

/// Something whose steps can be timed.
pub trait Subject {
    /// Why it cannot.
    type Error;

    /// Takes `count` steps; the first has the number `from`, counted from 0, in the spike trains. When it returns, they are
    /// done.
    ///
    /// # Errors
    /// If a step fails.
    fn steps(&mut self, from: u64, count: u64) -> Result<(), Self::Error>;
}

/// A subject whose result can be held against others'.
pub trait Checked: Subject {
    /// The sum of all weights.
    ///
    /// # Errors
    /// If the weights cannot be read.
    fn checksum(&mut self) -> Result<f64, Self::Error>;
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The length of a round, about.
    pub seconds: f64,
    /// Steps of a round, in place of a length.
    pub steps: Option<u64>,
    /// How many rounds.
    pub rounds: usize,
}

/// What timing has come to.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Steps of a round.
    pub steps: u64,
    /// Seconds of each round.
    pub rounds: Vec<f64>,
}

/// Timing, and what came before it.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The steps from the checksum on.
    pub timing: Timing,
    /// Seconds of the first step.
    pub first: f64,
    /// The sum of all weights after the steps that the workload says.
    pub checksum: f64,
}

/// No round has more steps.
const MOST_STEPS: u64 = 200_000;

/// Takes the first steps of a workload, and the checksum after them, and times those that follow.
///
/// # Errors
/// If a step fails.
pub fn measure<S: Checked>(
    subject: &mut S,
    workload: &Workload,
    settings: &Settings,
) -> Result<Measurement, S::Error> {
    let first = seconds(subject, 0, 1)?;
    let checked = workload.checked();
    subject.steps(1, checked - 1)?;
    let checksum = subject.checksum()?;
    Ok(Measurement { timing: time(subject, checked, settings)?, first, checksum })
}

/// Times rounds of steps, from step `from` on.
///
/// # Errors
/// If a step fails.
pub fn time<S: Subject>(subject: &mut S, from: u64, settings: &Settings) -> Result<Timing, S::Error> {
    let mut at = from;
    let steps = match settings.steps {
        Some(steps) => steps.max(1),
        None => {
            // Longer and longer pieces, until one says how many steps a round has.
            let mut tried = 1;
            loop {
                let seconds = seconds(subject, at, tried)?;
                at += tried;
                if seconds > 0.1 * settings.seconds || tried >= MOST_STEPS {
                    let steps = tried as f64 * settings.seconds / seconds;
                    break (steps as u64).clamp(1, MOST_STEPS);
                }
                tried *= 4;
            }
        }
    };
    let mut rounds = Vec::with_capacity(settings.rounds);
    for _ in 0..settings.rounds.max(1) {
        rounds.push(seconds(subject, at, steps)?);
        at += steps;
    }
    Ok(Timing { steps, rounds })
}

fn seconds<S: Subject>(subject: &mut S, from: u64, count: u64) -> Result<f64, S::Error> {
    let begin = Instant::now();
    subject.steps(from, count)?;
    Ok(begin.elapsed().as_secs_f64())
}

impl Timing {
    /// The median of the rounds, in seconds.
    pub fn wall(&self) -> f64 {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        } else {
            sorted[middle]
        }
    }

    /// (greatest − least) / median of the rounds.
    pub fn spread(&self) -> f64 {
        let least = self.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = self.rounds.iter().copied().fold(0.0, f64::max);
        (greatest - least) / self.wall()
    }

    /// The median of a step, in seconds.
    pub fn step(&self) -> f64 {
        self.wall() / self.steps as f64
    }
}

impl Measurement {
    /// As one line: `system` is who has done it, `prepared` how many seconds it took before the first step, `note` how.
    pub fn json(
        &self,
        workload: &Workload,
        data: &Data,
        system: &str,
        threads: usize,
        prepared: f64,
        note: &str,
    ) -> Value {
        let (timing, synapses) = (&self.timing, data.synapses());
        let step = timing.step();
        let events = 2.0 * f64::from(workload.rate) * synapses as f64;
        json!({
            "workload": workload.name,
            "system": system,
            "n_pre": workload.side,
            "n_post": workload.side,
            "synapses": synapses,
            "steps": timing.steps,
            "rate": decimal(f64::from(workload.rate), 6),
            "threads": threads,
            "ns_per_synapse_step": decimal(step / synapses as f64 * 1e9, 6),
            "ns_per_synaptic_event": (events > 0.0).then(|| decimal(step / events * 1e9, 4)),
            "us_per_step": decimal(step * 1e6, 3),
            "wall_s": decimal(timing.wall(), 4),
            "spread": decimal(timing.spread(), 3),
            "first_s": decimal(prepared + self.first, 4),
            "checksum": self.checksum,
            "note": note,
        })
    }
}

/// Rounded to so many places.
fn decimal(value: f64, places: i32) -> f64 {
    let scale = 10f64.powi(places);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes no time, and counts.
    struct Counter {
        next: u64,
    }

    impl Subject for Counter {
        type Error = String;
        fn steps(&mut self, from: u64, count: u64) -> Result<(), String> {
            if from != self.next {
                return Err(format!("step {from} follows step {}", self.next));
            }
            self.next += count;
            Ok(())
        }
    }

    impl Checked for Counter {
        fn checksum(&mut self) -> Result<f64, String> {
            Ok(self.next as f64)
        }
    }

    #[test]
    fn steps_follow_each_other_and_the_checksum_has_its_place() {
        let workload = Workload::find("W1-1000-p01").unwrap();
        for steps in [Some(7), None] {
            let settings = Settings { seconds: 1e-4, steps, rounds: 4 };
            let found = measure(&mut Counter { next: 0 }, &workload, &settings).unwrap();
            assert_eq!((found.checksum, found.timing.rounds.len()), (100.0, 4));
            assert!(steps.is_none_or(|steps| steps == found.timing.steps));
        }
    }

    #[test]
    fn medians_and_spreads() {
        let timing = Timing { steps: 10, rounds: vec![3.0, 1.0, 2.0] };
        assert_eq!((timing.wall(), timing.spread(), timing.step()), (2.0, 1.0, 0.2));
        let even = Timing { rounds: vec![4.0, 1.0, 2.0, 3.0], ..timing.clone() };
        assert_eq!(even.wall(), 2.5);
        let found = Measurement { timing, first: 0.5, checksum: 1.0 };
        let workload = Workload::find("W1-2-p50").unwrap();
        let line = found.json(&workload, &Data::new(&workload), "s", 1, 0.25, "");
        assert_eq!(line["us_per_step"], 200_000.0);
        assert_eq!(line["ns_per_synapse_step"], 5e7);
        assert_eq!(line["ns_per_synaptic_event"], 5e7);
        assert_eq!((line["first_s"].as_f64(), line["rate"].as_f64()), (Some(0.75), Some(0.5)));
    }
}
