//! The steps of an engine's groups on a GPU.
//!
//! What the steps bring (scalars that change, spikes) is written into messages, which are sent together, once for many
//! steps where the host knows them in advance. A step is then a graph: the message is put in place, the groups' launches
//! follow, each group's in its order and the groups side by side, and the spikes are taken away. Steps in which the same
//! alternatives are taken are the same graph, which is captured when they come for the second time: to capture a step
//! costs more than to enqueue it. Nothing here waits for the GPU,
//! unless the host is several messages ahead.

use std::collections::HashMap;
use std::sync::Arc;

use super::cache;
use super::driver::{Bytes, Event, Function, Graph, Pinned, Stream};
use super::group::OnGpu;
use crate::error::{Error, Result};
use crate::state::GroupState;

const TEXT: &str = include_str!("deliver.cu");
const THREADS: u32 = 256;
/// Streams on which groups run side by side.
const SIDE_BY_SIDE: usize = 32;
/// Messages that are being sent at the same time.
const STAGES: usize = 3;
/// Bytes of an inbox at the beginning, the most that steps are gathered for, and the most steps.
const FIRST_INBOX: usize = 1 << 20;
const GATHERED: usize = 16 << 20;
const MOST_STEPS: usize = 1024;
/// Graphs that are kept, and how many steps are known that had none.
const MOST_GRAPHS: usize = 64;
const MOST_SEEN: usize = 1024;

/// What a record does; see `deliver.cu`.
#[derive(Clone, Copy)]
enum What {
    Words = 0,
    Numbers = 1,
    Set = 2,
    Clear = 3,
}

/// Steps an engine's groups.
pub(crate) struct Conductor {
    stream: Arc<Stream>,
    sides: Vec<Stream>,
    orders: Vec<Event>,
    deliver: Function,
    collect: Function,
    turn: Function,
    inbox: Bytes,
    stages: Vec<(Pinned, Event)>,
    stage: usize,
    /// By the notes of a step; none where it has come once.
    graphs: HashMap<Vec<Vec<u8>>, Option<Graph>>,
    /// Messages that have not been sent, and the notes of their steps.
    words: Vec<u64>,
    steps: Vec<Step>,
    /// How many steps are gathered before they are sent: twice as many each time, so that the GPU begins at once.
    gathered: usize,
}

/// A step that has been decided about.
struct Step {
    /// Of each group.
    notes: Vec<Vec<u8>>,
    /// How many records are for its beginning and for its end.
    records: [u32; 2],
}

impl Conductor {
    pub(crate) fn new(stream: &Arc<Stream>) -> Result<Self> {
        let context = &stream.context;
        context.bind()?;
        let module = cache::module(context, TEXT)?;
        let sides = (0..SIDE_BY_SIDE).map(|_| Stream::new(context));
        Ok(Self {
            sides: sides.collect::<Result<_>>()?,
            orders: (0..=SIDE_BY_SIDE).map(|_| Event::new(false)).collect::<Result<_>>()?,
            deliver: module.function("deliver")?,
            collect: module.function("collect")?,
            turn: module.function("turn")?,
            inbox: Bytes::zeroed(stream, FIRST_INBOX, "the inbox")?,
            stages: Vec::new(),
            stage: 0,
            graphs: HashMap::new(),
            words: vec![1],
            steps: Vec::new(),
            gathered: 1,
            stream: Arc::clone(stream),
        })
    }

    /// Decides about the next step of all groups, with the spikes that have been put in place.
    pub(crate) fn prepare(&mut self, groups: &mut [GroupState]) {
        let message = self.words.len();
        self.words.extend([0, 0]);
        let (mut begin, mut end) = (Vec::new(), Vec::new());
        let mut notes = Vec::with_capacity(groups.len());
        // The records' places are known when all have been counted.
        let mut payload: Vec<u64> = Vec::new();
        for group in groups {
            group.begin_step();
            let mut own = Vec::new();
            group.machine.prepare_step(&mut own);
            notes.push(own);
            let machine = &mut group.machine;
            let Some(gpu) = &machine.gpu else { continue };
            begin.push((What::Words, gpu.slots.pointer, payload.len(), gpu.image.len()));
            payload.extend(&gpu.image);
            for at in 0..2 {
                let active = &machine.active[at];
                let (first, count) = (payload.len(), active.len());
                payload.extend(
                    active
                        .chunks(2)
                        .map(|two| u64::from(two[0]) | two.get(1).map_or(0, |&high| u64::from(high) << 32)),
                );
                if let Some(list) = machine.lists[at] {
                    begin.push((What::Numbers, gpu.arrays[list].pointer, first, count));
                }
                if let Some(map) = machine.maps[at] {
                    begin.push((What::Set, gpu.arrays[map].pointer, first, count));
                    end.push((What::Clear, gpu.arrays[map].pointer, first, count));
                }
            }
            machine.active.iter_mut().for_each(Vec::clear);
        }
        let records = [begin.len() as u32, end.len() as u32];
        let head = 2 + 4 * (begin.len() + end.len());
        for (what, target, first, count) in begin.into_iter().chain(end) {
            self.words.extend([what as u64, target, (head + first) as u64, count as u64]);
        }
        self.words.extend(payload);
        self.words[message] = self.words.len() as u64;
        self.words[message + 1] = records[0].into();
        self.steps.push(Step { notes, records });
    }

    /// Sends and launches what has been prepared, unless more is to come first.
    pub(crate) fn go_on(&mut self, groups: &mut [GroupState], more: bool) -> Result<()> {
        let full = self.steps.len() >= self.gathered || self.words.len() * 8 >= GATHERED;
        if more && !full {
            return Ok(());
        }
        self.gathered = if more { (2 * self.gathered).min(MOST_STEPS) } else { 1 };
        self.flush(groups)
    }

    fn flush(&mut self, groups: &mut [GroupState]) -> Result<()> {
        let (words, steps) = (std::mem::replace(&mut self.words, vec![1]), std::mem::take(&mut self.steps));
        if steps.is_empty() || groups.is_empty() {
            return Ok(());
        }
        self.stream.context.bind()?;
        for group in groups.iter_mut() {
            if let Some(gpu) = &mut group.machine.gpu {
                gpu.send(&group.machine.memory)?;
            }
        }
        self.send(&words)?;
        for step in &steps {
            self.launch(step, groups)?;
        }
        for group in groups {
            if let Some(gpu) = &mut group.machine.gpu {
                gpu.ran();
            }
        }
        Ok(())
    }

    /// Launches a step, as a graph where it has come before.
    fn launch(&mut self, step: &Step, groups: &[GroupState]) -> Result<()> {
        match self.graphs.get(&step.notes) {
            Some(Some(graph)) => return graph.launch(&self.stream).map_err(|error| about(groups, error)),
            Some(None) => {
                let graph = Graph::capture(&self.stream, || self.enqueue(step, groups))?;
                graph.launch(&self.stream).map_err(|error| about(groups, error))?;
                if self.graphs.values().flatten().count() >= MOST_GRAPHS {
                    self.graphs.clear();
                }
                self.graphs.insert(step.notes.clone(), Some(graph));
            }
            None => {
                self.enqueue(step, groups)?;
                if self.graphs.len() >= MOST_SEEN {
                    self.graphs.retain(|_, graph| graph.is_some());
                }
                self.graphs.insert(step.notes.clone(), None);
            }
        }
        Ok(())
    }

    /// Sends messages through pinned memory.
    fn send(&mut self, words: &[u64]) -> Result<()> {
        let bytes = words.len() * 8;
        if self.inbox.length() < bytes || self.stages.is_empty() {
            let length = bytes.next_power_of_two().max(FIRST_INBOX);
            // Graphs know the inbox by its place, and the old one may still be read.
            self.graphs.clear();
            self.stream.wait()?;
            self.inbox = Bytes::zeroed(&self.stream, length, "the inbox")?;
            self.stages.clear();
            for _ in 0..STAGES {
                self.stages.push((Pinned::new(&self.stream.context, length)?, Event::new(false)?));
            }
        }
        self.stage = (self.stage + 1) % STAGES;
        let (pinned, sent) = &mut self.stages[self.stage];
        sent.wait()?;
        for (slot, word) in pinned.bytes_mut().chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        self.inbox.upload_pinned(pinned, bytes)?;
        sent.record(&self.stream)
    }

    /// Enqueues a whole step.
    fn enqueue(&self, step: &Step, groups: &[GroupState]) -> Result<()> {
        let own = |function: &Function, grid: u32, threads: u32| {
            let outcome = function.launch(&self.stream, grid, threads, &[self.inbox.pointer]);
            outcome
                .map_err(|error| Error::BadDevice { reason: format!("spikes cannot be delivered: {error}") })
        };
        let [begin, end] = step.records;
        if begin > 0 {
            own(&self.deliver, begin, THREADS)?;
        }
        match groups {
            [group] => {
                let outcome = group.machine.enqueue_step(&step.notes[0], &self.stream);
                outcome.map_err(|error| about(groups, error))?;
            }
            _ => {
                let sides = &self.sides[..self.sides.len().min(groups.len())];
                for (side, order) in sides.iter().zip(&self.orders) {
                    side.after(&self.stream, order)?;
                }
                for (number, (group, notes)) in groups.iter().zip(&step.notes).enumerate() {
                    let outcome = group.machine.enqueue_step(notes, &sides[number % sides.len()]);
                    outcome.map_err(|error| about(&groups[number..=number], error))?;
                }
                for (side, order) in sides.iter().zip(&self.orders) {
                    self.stream.after(side, order)?;
                }
            }
        }
        if end > 0 {
            own(&self.collect, end, THREADS)?;
        }
        own(&self.turn, 1, 1)
    }

    /// Waits until everything is done.
    pub(crate) fn wait(&self) -> Result<()> {
        self.stream.wait()
    }
}

/// Says which groups a launch was for, and how large they are.
fn about(groups: &[GroupState], error: Error) -> Error {
    let bytes: usize = groups.iter().filter_map(|group| group.machine.gpu.as_ref()).map(OnGpu::bytes).sum();
    let whose = match groups {
        [group] => format!("group {}", group.id.index),
        _ => format!("{} groups", groups.len()),
    };
    Error::BadDevice { reason: format!("a step of {whose}, with {bytes} bytes on the GPU, failed: {error}") }
}
