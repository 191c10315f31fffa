//! A step of all groups of an engine on the processor.
//!
//! In: groups with their spikes in place. Small groups are tasks as a whole, many of them together; large ones are shared
//! among threads launch by launch. A step enters the threads once, whatever the groups and launches; which thread carries
//! out what changes no bit.

use aplysia_compiler::ir::{VarId, VarKind};
use aplysia_compiler::plan::program::Count;

use crate::device::Threads;
use crate::error::{Error, Result};
use crate::events::{Events, Side};
use crate::state::GroupState;

/// Below so much work in all groups together a step stays on the caller's thread.
const WORTH_SHARING: u64 = 64 * 1024;
/// Below so much work a task is not worth handing over.
const TASK: u64 = 16 * 1024;

/// How much work each group has in a step, summed up from the first; kept from step to step.
#[derive(Default)]
pub(crate) struct Work(Vec<u64>);

/// Carries out a step of all groups.
pub(crate) fn advance(groups: &mut [GroupState], work: &mut Work, threads: &Threads) {
    if !threads.many() {
        return groups.iter_mut().for_each(GroupState::advance);
    }
    let sums = &mut work.0;
    sums.clear();
    sums.push(0);
    let mut total = 0u64;
    for group in groups.iter() {
        total = total.saturating_add(group.work());
        sums.push(total);
    }
    if total < WORTH_SHARING {
        return groups.iter_mut().for_each(GroupState::advance);
    }
    threads.enter(|| share(groups, sums));
}

/// Halves the work, not the number of groups. `sums` has an entry more than there are groups.
fn share(groups: &mut [GroupState], sums: &[u64]) {
    let (first, last) = (sums[0], sums[groups.len()]);
    if groups.len() < 2 || last - first < 2 * TASK {
        return groups.iter_mut().for_each(GroupState::advance);
    }
    let middle = first + (last - first) / 2;
    let at = sums.partition_point(|&sum| sum <= middle).saturating_sub(1).clamp(1, groups.len() - 1);
    let (left, right) = groups.split_at_mut(at);
    rayon::join(|| share(left, &sums[..=at]), || share(right, &sums[at..]));
}

impl GroupState {
    /// Refuses a step that cannot be carried out.
    pub(crate) fn check_step(&self, events: &Events<'_>) -> Result<()> {
        events.check(Side::BOTH.map(|side| self.machine.room(side)))
    }

    /// Refuses a step without its inputs; those of `series` will be given.
    pub(crate) fn check_inputs(&self, series: &[VarId]) -> Result<()> {
        let missing = |id: &&VarId| !self.given[id.index()] && !series.contains(id);
        if !self.required.iter().any(|id| missing(&id)) {
            return Ok(());
        }
        let names = self.required.iter().filter(missing).map(|id| self.addresses[id.index()].clone());
        Err(Error::MissingInputs { group: self.id.index, names: names.collect() })
    }

    /// The inputs that the host must give before a step.
    pub(crate) fn required_inputs(rule: &aplysia_compiler::ir::Rule) -> Vec<VarId> {
        let required = |id: &VarId| rule.variables[*id].kind == (VarKind::Input { required: true });
        rule.variables.handles().filter(required).collect()
    }

    /// Carries out a step, on the processor, with the spikes that have been put in place; the group has been created.
    pub(crate) fn advance(&mut self) {
        self.begin_step();
        self.machine.advance();
    }

    /// Calls are counted anew from step to step.
    pub(crate) fn begin_step(&mut self) {
        for (_, runs) in &mut self.runs {
            *runs = 0;
        }
    }

    /// Roughly how much work the step is, with the spikes that have been put in place.
    fn work(&self) -> u64 {
        let count = |count| self.machine.counts.get(count);
        let neurons = count(Count::Pre).saturating_add(count(Count::Post));
        let synapses = match self.machine.touched() {
            Some(synapses) => synapses,
            None => count(Count::Synapses).saturating_mul(count(Count::Pairs)),
        };
        synapses.saturating_add(neurons).saturating_mul(count(Count::Batch))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Device, Engine, Events, Group, Rule};

    /// Groups of all sizes, on as many threads as there are: as each of them alone on one.
    #[cfg(feature = "jit")]
    #[test]
    fn groups_together_are_groups_alone() {
        let rule = Rule::shipped("stdp").unwrap();
        let sizes: Vec<(usize, usize)> =
            (0..60).map(|k| if k % 20 == 7 { (300, 310) } else { (8 + k % 5, 32) }).collect();
        let group = |k: usize| Group::dense(sizes[k].0, sizes[k].1).rule(&rule).init("w", 0.5);
        let spikes = |k: usize, step: u32| [(k as u32 + step) % 8, 8 + step % 2];
        let mut together = Engine::new(Device::cpu_with_threads(3).unwrap()).unwrap();
        let ids: Vec<_> = (0..sizes.len()).map(|k| together.register(group(k)).unwrap()).collect();
        for step in 0..20 {
            let lists: Vec<[u32; 2]> = (0..sizes.len()).map(|k| spikes(k, step)).collect();
            let events: Vec<_> = ids
                .iter()
                .zip(&lists)
                .map(|(id, list)| (*id, Events::new().pre(&list[..1]).post(&list[1..])))
                .collect();
            together.step(&events).unwrap();
        }
        for (k, &in_crowd) in ids.iter().enumerate() {
            let mut alone = Engine::new(Device::cpu_with_threads(1).unwrap()).unwrap();
            let id = alone.register(group(k)).unwrap();
            for step in 0..20 {
                let list = spikes(k, step);
                alone.step(&[(id, Events::new().pre(&list[..1]).post(&list[1..]))]).unwrap();
            }
            let expected = alone.read::<f32>(id, "w").unwrap().to_owned();
            assert!(expected.iter().any(|&w| w != 0.5));
            assert_eq!(together.read::<f32>(in_crowd, "w").unwrap(), expected, "group {k}");
        }
    }
}
