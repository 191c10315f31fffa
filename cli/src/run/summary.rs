//! What a run has come to: numbers, a histogram in text, and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How many classes a histogram has.
const CLASSES: usize = 16;
/// How wide its longest bar is.
const BAR: usize = 40;

/// Mean, spread, range and histogram of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// How many values are finite.
    pub finite: usize,
    /// How many are not.
    pub other: usize,
    /// Of the finite values.
    pub mean: f64,
    /// Of the finite values, over n - 1; 0 of a single one.
    pub std: f64,
    /// The least finite value.
    pub min: f64,
    /// The greatest finite value.
    pub max: f64,
    /// How many values lie in each class of equal width from `min` to `max`.
    pub classes: Vec<u64>,
}

impl Statistics {
    /// Of all values; `None` where none is finite.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let finite = || values.clone().filter(|value| value.is_finite());
        let (mut count, mut mean, mut min, mut max) = (0usize, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for value in finite() {
            count += 1;
            // The running mean cannot overflow.
            mean += (value - mean) / count as f64;
            min = value.min(min);
            max = value.max(max);
        }
        if count == 0 {
            return None;
        }
        let mut squares = 0.0;
        let mut classes = vec![0; CLASSES];
        for value in finite() {
            squares += (value - mean) * (value - mean);
            classes[class(value, min, max)] += 1;
        }
        let std = if count > 1 { (squares / (count - 1) as f64).sqrt() } else { 0.0 };
        let other = values.clone().count() - count;
        Some(Self { finite: count, other, mean, std, min, max, classes })
    }

    /// A line for each class, with its lower end, a bar and how many there are.
    pub fn histogram(&self) -> String {
        if self.min == self.max {
            return format!("  all {} are {}\n", grouped(self.finite as u64), number(self.min));
        }
        let most = self.classes.iter().copied().max().unwrap_or(1).max(1);
        let width = (self.max - self.min) / CLASSES as f64;
        let labels: Vec<String> = (0..CLASSES).map(|at| number(self.min + width * at as f64)).collect();
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (label, &count) in labels.iter().zip(&self.classes) {
            let eighths = (count as f64 / most as f64 * (BAR * 8) as f64).round() as usize;
            // Something is seen of every class that is not empty.
            let eighths = if count > 0 { eighths.max(1) } else { 0 };
            let _ = writeln!(out, "  {label:>longest$} {} {}", bar(eighths), grouped(count));
        }
        out
    }

    fn json(&self) -> Value {
        json!({
            "mean": self.mean, "std": self.std, "min": self.min, "max": self.max,
            "values": self.finite, "not_finite": self.other, "histogram": self.classes,
        })
    }
}

fn class(value: f64, min: f64, max: f64) -> usize {
    // Halved, so that the width of the widest range is still finite.
    let share = (value / 2.0 - min / 2.0) / (max / 2.0 - min / 2.0);
    // The conversion makes 0 of a NaN, which a range of no width gives.
    ((share * CLASSES as f64) as usize).min(CLASSES - 1)
}

fn bar(eighths: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// A number with four significant digits.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&size) {
        let digits = (3 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.3e}")
    }
}

/// A whole number with commas.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What is said of a plastic variable.
#[derive(Debug)]
pub struct Weights {
    /// Its name.
    pub name: String,
    /// Its declared unit; may be empty.
    pub unit: String,
    /// Before the run.
    pub before: Option<Statistics>,
    /// After it.
    pub after: Option<Statistics>,
}

/// What is said of a run.
#[derive(Debug)]
pub struct Summary {
    /// The rule.
    pub rule: String,
    /// The group, in words.
    pub group: String,
    /// Who is connected to whom.
    pub topology: &'static str,
    /// Presynaptic neurons.
    pub pre: usize,
    /// Postsynaptic neurons.
    pub post: usize,
    /// Synapses.
    pub synapses: usize,
    /// Patterns presented at once.
    pub batch: usize,
    /// The (pre, post) pairs of a full pass, those of all patterns.
    pub pairs: f64,
    /// f32 or f64.
    pub precision: &'static str,
    /// In ms.
    pub dt: f64,
    /// The device.
    pub device: String,
    /// The steps that had been taken before.
    pub first: u64,
    /// The steps that have been taken in all.
    pub steps: u64,
    /// Presynaptic and postsynaptic.
    pub spikes: [u64; 2],
    /// Where the spikes came from.
    pub source: String,
    /// Spent in steps.
    pub seconds: f64,
    /// Plans, and how many steps followed each.
    pub plans: Vec<(String, u64)>,
    /// Plastic variables.
    pub weights: Vec<Weights>,
    /// Files that were written.
    pub files: Vec<String>,
}

impl Summary {
    fn updates(&self) -> f64 {
        self.pairs * (self.steps - self.first) as f64
    }

    fn speed(&self) -> Option<f64> {
        let speed = self.updates() / self.seconds;
        (speed.is_finite() && speed > 0.0).then_some(speed)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            let _ = writeln!(out, "{name:<10}{text}");
        };
        line("rule", self.rule.clone());
        line("group", format!("{}, {}, dt {} ms, {}", self.group, self.precision, self.dt, self.device));
        let after = if self.first > 0 { format!(", after {}", grouped(self.first)) } else { String::new() };
        line("steps", format!("{}{after}", grouped(self.steps - self.first)));
        let [pre, post] = self.spikes.map(grouped);
        line("spikes", format!("{pre} pre, {post} post ({})", self.source));
        for (name, steps) in self.plans.iter().filter(|(_, steps)| *steps > 0) {
            line("plan", format!("{name}, {} steps", grouped(*steps)));
        }
        let speed = self.speed().map(|speed| format!(", {speed:.2e} synapse updates per second"));
        line("time", format!("{:.3} s{}", self.seconds, speed.unwrap_or_default()));
        for file in &self.files {
            line("written", file.clone());
        }
        for weights in &self.weights {
            out.push_str(&weights.text());
        }
        out
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let plans = self.plans.iter().map(|(name, steps)| json!({"name": name, "steps": steps}));
        let weights = self.weights.iter().map(|weights| {
            let value = json!({
                "unit": weights.unit,
                "before": weights.before.as_ref().map(Statistics::json),
                "after": weights.after.as_ref().map(Statistics::json),
            });
            (weights.name.clone(), value)
        });
        json!({
            "rule": self.rule, "pre": self.pre, "post": self.post, "topology": self.topology,
            "synapses": self.synapses, "batch": self.batch,
            "precision": self.precision, "dt_ms": self.dt, "device": self.device,
            "first_step": self.first, "last_step": self.steps,
            "pre_spikes": self.spikes[0], "post_spikes": self.spikes[1],
            "seconds": self.seconds, "synapse_updates_per_second": self.speed(),
            "plans": plans.collect::<Vec<Value>>(),
            "plastic": weights.collect::<serde_json::Map<String, Value>>(),
            "written": self.files,
        })
    }
}

impl Weights {
    fn text(&self) -> String {
        let Some(after) = &self.after else {
            return format!("\n{}\n  no finite values\n", self.name);
        };
        let unit = if self.unit.is_empty() { String::new() } else { format!(" [{}]", self.unit) };
        let [mean, std, min, max] = [after.mean, after.std, after.min, after.max].map(number);
        let mut out = format!("\n{}{unit}: mean {mean}, std {std}, min {min}, max {max}", self.name);
        if let Some(before) = &self.before {
            let _ = write!(out, "; the mean was {}", number(before.mean));
        }
        if after.other > 0 {
            let _ = write!(out, "; {} values are not finite", grouped(after.other as u64));
        }
        out + "\n" + &after.histogram()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_known_values() {
        let values = [1.0, 2.0, 3.0, 4.0, f64::NAN, f64::INFINITY];
        let found = Statistics::of(values.iter().copied()).unwrap();
        assert_eq!((found.finite, found.other, found.mean, found.min, found.max), (4, 2, 2.5, 1.0, 4.0));
        assert!((found.std - (5.0f64 / 3.0).sqrt()).abs() < 1e-15);
        let mut expected = vec![0; CLASSES];
        for at in [0, 5, 10, 15] {
            expected[at] = 1;
        }
        assert_eq!(found.classes, expected);
        assert_eq!(Statistics::of([f64::NAN].into_iter()), None);
    }

    #[test]
    fn histograms_count_everything_once() {
        let values: Vec<f64> = (0..1000).map(|at| f64::from(at * at % 997)).collect();
        let found = Statistics::of(values.iter().copied()).unwrap();
        assert_eq!(found.classes.iter().sum::<u64>(), 1000);
        let text = found.histogram();
        assert_eq!(text.lines().count(), CLASSES);
        let bars: Vec<usize> = text.lines().map(|line| line.matches('█').count()).collect();
        assert_eq!(bars.iter().max(), Some(&BAR));
        let huge = Statistics::of([-f64::MAX, f64::MAX].into_iter()).unwrap();
        assert_eq!((huge.classes[0], huge.classes[CLASSES - 1]), (1, 1));
        let same = Statistics::of([0.5, 0.5].into_iter()).unwrap();
        assert_eq!(same.histogram(), "  all 2 are 0.5000\n");
    }

    #[test]
    fn numbers_are_short() {
        let expected = ["0", "0.5000", "-12.50", "12345", "1.000e-4", "-2.000e9"];
        let values = [0.0, 0.5, -12.5, 12345.0, 1e-4, -2e9];
        assert_eq!(values.map(number), expected);
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
