//! A machine's sections on a GPU: what is decided on the host, and what is then enqueued.
//!
//! Which alternatives are taken depends on counts that the host knows. They are noted in the order in which a section
//! comes upon them; the same notes give the same launches, so that these can be captured once.

use aplysia_compiler::plan::program::{Condition, Count};

use super::driver::Stream;
use super::group::OnGpu;
use crate::device::executor::{Act, Bound, Due, Machine, holds};
use crate::device::launch::Moment;
use crate::error::Result;

/// When an event pass is the faster one on a GPU: its rows and columns together cost less than this share of a full
/// pass, where a synapse of a column costs as much as so many of a row. Measured on an H200 with dense matrices of 1 GB
/// in f32. Below so many synapses all passes take as long as their launches, and a step that is always the same is one
/// graph.
const EVENT_SHARE: f64 = 0.9;
const COLUMN_COST: f64 = 14.0;
const WORTH_CHOOSING: u64 = 1 << 20;

/// Whether an alternative is taken: as on the processor, with the costs of a GPU. Any choice gives the same bits.
fn is_taken(condition: Condition, moment: &Moment<'_>, dirty: bool) -> bool {
    let synapses = moment.counts.get(Count::Pre).saturating_mul(moment.counts.get(Count::Post));
    match condition {
        // Where events are asked for, their share has no bound.
        Condition::FewEvents { share, .. } if share.is_finite() => {
            let own = Condition::FewEvents { share: EVENT_SHARE, column_cost: COLUMN_COST };
            synapses >= WORTH_CHOOSING && holds(own, moment, dirty)
        }
        Condition::FewEvents { .. } | Condition::Always => holds(condition, moment, dirty),
    }
}

/// Notes the alternative of every choice that is reached, and fills in the scalars of the launches.
fn decide(acts: &mut [Act], moment: &Moment<'_>, dirty: bool, image: &mut [u64], notes: &mut Vec<u8>) {
    for act in acts {
        match act {
            Act::Launch(Bound::Cuda(launch)) => launch.fill(moment, image),
            Act::Launch(Bound::Host(_)) => aplysia_compiler::ice!("a launch of the host's on a GPU"),
            Act::Clear(_) => {}
            Act::Choose(choices) => {
                let found = choices.iter().position(|choice| is_taken(choice.condition, moment, dirty));
                notes.push(found.map_or(u8::MAX, |found| found as u8));
                if let Some(choice) = found.map(|found| &mut choices[found]) {
                    choice.taken += 1;
                    decide(&mut choice.acts, moment, dirty, image, notes);
                }
            }
        }
    }
}

/// Enqueues what the notes say.
fn enqueue(acts: &[Act], notes: &mut std::slice::Iter<'_, u8>, gpu: &OnGpu, stream: &Stream) -> Result<()> {
    for act in acts {
        match act {
            Act::Launch(Bound::Cuda(launch)) => launch.enqueue(stream)?,
            Act::Launch(Bound::Host(_)) => aplysia_compiler::ice!("a launch of the host's on a GPU"),
            Act::Clear(storage) => gpu.clear(*storage, stream)?,
            Act::Choose(choices) => {
                let found = notes.next().and_then(|&found| choices.get(usize::from(found)));
                if let Some(choice) = found {
                    enqueue(&choice.acts, notes, gpu, stream)?;
                }
            }
        }
    }
    Ok(())
}

impl Machine {
    /// Carries out a section by itself.
    pub(in crate::device) fn perform_on_gpu(&mut self, acts: &mut [Act], run: u64) -> Result<()> {
        let mut gpu = self.gpu.take();
        let outcome = gpu.as_mut().map_or(Ok(()), |gpu| {
            gpu.stream.context.bind()?;
            gpu.send(&self.memory)?;
            let mut notes = Vec::new();
            decide(acts, &self.moment(run), self.dirty, &mut gpu.image, &mut notes);
            gpu.send_slots()?;
            enqueue(acts, &mut notes.iter(), gpu, &gpu.stream)?;
            gpu.ran();
            Ok(())
        });
        self.gpu = gpu;
        outcome
    }

    /// Decides about a whole step, and leaves the message for it. The notes say what has to be enqueued.
    pub(super) fn prepare_step(&mut self, notes: &mut Vec<u8>) {
        let Some(mut gpu) = self.gpu.take() else { return };
        self.step += 1;
        let mut advance = std::mem::take(&mut self.advance);
        decide(&mut advance, &self.moment(0), self.dirty, &mut gpu.image, notes);
        self.advance = advance;
        let mut constrained = true;
        if let Some((due, mut acts)) = self.commit.take() {
            constrained = matches!(due, Due::Every(period) if self.step.is_multiple_of(period));
            notes.push(u8::from(constrained));
            if constrained {
                decide(&mut acts, &self.moment(0), self.dirty, &mut gpu.image, notes);
            }
            self.commit = Some((due, acts));
        }
        for schedule in 0..self.schedules.len() {
            let due = self.step.is_multiple_of(self.schedules[schedule].0);
            notes.push(u8::from(due));
            if due {
                let mut acts = std::mem::take(&mut self.schedules[schedule].1);
                decide(&mut acts, &self.moment(0), self.dirty, &mut gpu.image, notes);
                self.schedules[schedule].1 = acts;
            }
        }
        if constrained {
            self.dirty = false;
        }
        self.gpu = Some(gpu);
    }

    /// Enqueues the step that the notes are about.
    pub(super) fn enqueue_step(&self, notes: &[u8], stream: &Stream) -> Result<()> {
        let Some(gpu) = &self.gpu else { return Ok(()) };
        let mut notes = notes.iter();
        enqueue(&self.advance, &mut notes, gpu, stream)?;
        if let Some((_, acts)) = &self.commit
            && notes.next() == Some(&1)
        {
            enqueue(acts, &mut notes, gpu, stream)?;
        }
        for (_, acts) in &self.schedules {
            if notes.next() == Some(&1) {
                enqueue(acts, &mut notes, gpu, stream)?;
            }
        }
        Ok(())
    }
}
