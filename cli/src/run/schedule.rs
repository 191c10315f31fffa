//! When a run pauses: for calls, for checkpoints, and now and then to show how far it is.

use aplysia_compiler::diag::code;
use aplysia_compiler::ir::Rule;

use crate::given::quoted;
use crate::report::{Failure, Outcome};

/// So many steps at most are taken at once.
const LONGEST: u64 = 1024;
/// So many neurons times steps at most; what is drawn for them must be held.
const LARGEST: u64 = 1 << 22;

/// When a run pauses, and for what.
#[derive(Debug)]
pub struct Schedule {
    /// Step and call, in order.
    calls: Vec<(u64, String)>,
    checkpoint_every: Option<u64>,
    longest: u64,
    steps: u64,
}

impl Schedule {
    /// The schedule of a run of `steps` steps with so many neurons.
    ///
    /// # Errors
    /// Where a call is not of the form NAME@STEPS, unknown to the rule, or after the end.
    pub fn new(
        rule: &Rule,
        calls: &[String],
        checkpoint_every: Option<u64>,
        steps: u64,
        neurons: u64,
    ) -> Outcome<Self> {
        let mut all = Vec::new();
        for text in calls {
            let (name, list) = parse(text)?;
            if !rule.calls.iter().any(|call| call.name == name) {
                return Err(unknown(rule, name));
            }
            if let Some(late) = list.iter().find(|&&step| step > steps) {
                let text = format!("`--call {text}`: step {late} is after the end of the run, step {steps}");
                return Err(Failure::usage(text));
            }
            all.extend(list.into_iter().map(|step| (step, name.to_owned())));
        }
        // Of several calls after one step the order on the command line counts.
        all.sort_by_key(|(step, _)| *step);
        let longest = (LARGEST / neurons.max(1)).clamp(1, LONGEST);
        Ok(Self { calls: all, checkpoint_every, longest, steps })
    }

    /// The next step after `at` at which the run pauses.
    pub fn next(&self, at: u64) -> u64 {
        let call = self.calls.iter().map(|(step, _)| *step).find(|&step| step > at);
        let checkpoint = self.checkpoint_every.and_then(|every| (at / every + 1).checked_mul(every));
        let pauses = [call, checkpoint, at.checked_add(self.longest), Some(self.steps)];
        pauses.into_iter().flatten().min().unwrap_or(self.steps)
    }

    /// What is called after step `at`.
    pub fn calls(&self, at: u64) -> impl Iterator<Item = &str> {
        self.calls.iter().filter(move |(step, _)| *step == at).map(|(_, name)| name.as_str())
    }

    /// Whether the state is saved after step `at`.
    pub fn is_saved(&self, at: u64) -> bool {
        self.checkpoint_every.is_some_and(|every| at.is_multiple_of(every))
    }
}

fn parse(text: &str) -> Outcome<(&str, Vec<u64>)> {
    let wrong = || Failure::usage(format!("`--call {text}` is not of the form NAME@STEP,STEP…"));
    let (name, list) = text.split_once('@').ok_or_else(wrong)?;
    let list = list.split(',').map(|step| step.trim().parse().map_err(|_| wrong()));
    Ok((name.trim(), list.collect::<Outcome<_>>()?))
}

fn unknown(rule: &Rule, name: &str) -> Failure {
    let known: Vec<String> = rule.calls.iter().map(|call| call.name.clone()).collect();
    let text = format!("rule `{}` has no `on call {name}`", rule.name);
    let failure = Failure::data(code::UNKNOWN_IN_GROUP, text).nearest(name, known.iter().map(String::as_str));
    if known.is_empty() { failure } else { failure.help(format!("it has {}", quoted(&known))) }
}

#[cfg(test)]
mod tests {
    use aplysia_compiler::ir::{Call, Rule};

    use super::*;

    fn rule() -> Rule {
        let call = |name: &str| Call { name: name.to_owned(), body: Vec::new(), span: Default::default() };
        Rule { calls: vec![call("reset"), call("shake")], ..Rule::default() }
    }

    #[test]
    fn pauses_come_in_order() {
        let calls = ["shake@30,10".to_owned(), "reset@10, 0".to_owned()];
        let schedule = Schedule::new(&rule(), &calls, Some(25), 60, 10).unwrap();
        let mut pauses = vec![0];
        while pauses[pauses.len() - 1] < 60 {
            pauses.push(schedule.next(pauses[pauses.len() - 1]));
        }
        assert_eq!(pauses, [0, 10, 25, 30, 50, 60]);
        assert_eq!(schedule.calls(10).collect::<Vec<_>>(), ["shake", "reset"]);
        assert_eq!(schedule.calls(0).collect::<Vec<_>>(), ["reset"]);
        assert!(schedule.is_saved(25) && !schedule.is_saved(30));
    }

    #[test]
    fn pieces_are_bounded() {
        let schedule = Schedule::new(&rule(), &[], None, 1 << 40, 1 << 22).unwrap();
        assert_eq!(schedule.next(5), 6);
        let schedule = Schedule::new(&rule(), &[], Some(u64::MAX), u64::MAX, 0).unwrap();
        assert_eq!(schedule.next(u64::MAX - 1), u64::MAX);
    }

    #[test]
    fn wrong_calls_are_refused() {
        for wrong in ["reset", "reset@", "reset@x", "reset@-1", "reset@61", "resett@1"] {
            assert!(Schedule::new(&rule(), &[wrong.to_owned()], None, 60, 1).is_err(), "{wrong}");
        }
    }
}
