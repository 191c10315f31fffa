//! Two runs of a plan: each step started from the package's values, and one run from the beginning to the end.

use super::data::largest;
use super::drive::Driver;
use super::plan::{Plan, Tracked};

/// A step may differ by this share of an array's largest magnitude.
const STEP: f64 = 2e-6;
/// A whole run may differ by this share.
pub const RUN: f64 = 1e-5;

/// Carries out a plan twice, and says everything that differs.
pub fn check(plan: &Plan) -> Result<(), String> {
    assert!(!plan.tracked.is_empty() || !plan.created.is_empty(), "a plan has to compare something");
    for of in &plan.tracked {
        assert_eq!(of.rows.len(), plan.acts.len() + 1, "rows of {}", of.variable);
    }
    let mut found = Vec::new();
    for restarted in [true, false] {
        let mut driver = Driver::new(plan)?;
        for (variable, values) in &plan.created {
            let after = driver.read(variable)?;
            found.extend(differs(variable, &after, values, values, 0.0));
        }
        run(plan, &mut driver, restarted, &mut found)?;
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

fn run(plan: &Plan, driver: &mut Driver<'_>, restarted: bool, found: &mut Vec<String>) -> Result<(), String> {
    for step in plan.steps() {
        // At the very beginning too: creation has constrained what the package has not.
        for of in plan.tracked.iter().filter(|of| of.restarted && (restarted || step == 0)) {
            // What is not a number cannot be written; the step before has left it.
            if !of.rows[step].iter().any(|value| value.is_nan()) {
                driver.write(&of.variable, &of.rows[step])?;
            }
        }
        for act in &plan.acts[step] {
            driver.act(act).map_err(|error| format!("step {step}: {error}"))?;
        }
        for of in &plan.tracked {
            let expected = &of.rows[step + 1];
            if expected.is_empty() {
                continue;
            }
            let all: Vec<f64> = of.rows.iter().flatten().copied().collect();
            let share = match (of.exact, restarted) {
                (true, true) => 0.0,
                (false, true) => STEP,
                (_, false) => RUN,
            };
            let values = driver.read(&of.variable)?;
            let name = place(of, step, restarted);
            found.extend(differs(&name, &values, expected, &all, share));
        }
        if found.len() > 8 {
            break;
        }
    }
    Ok(())
}

fn place(of: &Tracked, step: usize, restarted: bool) -> String {
    let run = if restarted { "" } else { " of the whole run" };
    format!("{} after step {step}{run}", of.variable)
}

/// The largest difference, where it is more than the share of the largest magnitude of `all`.
pub fn differs(name: &str, found: &[f64], expected: &[f64], all: &[f64], share: f64) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{name}: {} values instead of {}", found.len(), expected.len()));
    }
    let limit = share * largest(all.iter().copied());
    let mut worst: Option<(f64, usize)> = None;
    for (index, (value, wanted)) in found.iter().zip(expected).enumerate() {
        // 0 and -0 are one number, and so are all NaNs.
        let same = value == wanted || value.is_nan() && wanted.is_nan();
        // A number in the place of a NaN, or the other way round, is as far as can be.
        let difference = (value - wanted).abs();
        let difference = if difference.is_nan() { f64::INFINITY } else { difference };
        if !same && difference > limit && worst.is_none_or(|(largest, _)| difference > largest) {
            worst = Some((difference, index));
        }
    }
    let (difference, index) = worst?;
    let units = difference / (largest(all.iter().copied()).max(f64::MIN_POSITIVE) * 2f64.powi(-23));
    Some(format!(
        "{name}[{index}] is {:e}, not {:e}: {units:.2} units of 2^-23 of the largest, {:.2} allowed",
        found[index],
        expected[index],
        limit / (largest(all.iter().copied()).max(f64::MIN_POSITIVE) * 2f64.powi(-23)),
    ))
}
