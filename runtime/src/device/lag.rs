//! Rows of synapses that steps leave behind: they are brought up to date before anybody depends on them.
//!
//! Bringing a row up to date gives the bits that it would have had all along, so it does not matter when that is done. Here is
//! who depends on them: whoever reads or writes an array of theirs, or changes what they are brought up to date with.
//!
//! Where bringing a row up to date rounds otherwise than the steps would have, whoever looks is shown a copy, and the rows stay
//! behind: looking changes nothing. A checkpoint then holds the arrays as they are, and all that the rows need.

use aplysia_compiler::plan::program::{Program, Role, Section};

use super::executor::{Act, Machine};
use super::memory::Memory;
use crate::error::Result;

/// What brings rows up to date.
pub(super) struct Lag {
    acts: Vec<Act>,
    /// By storage: whether it may lag behind.
    lagging: Box<[bool]>,
    /// By storage: whether rows are brought up to date with it.
    reads: Box<[bool]>,
    /// The storage that says up to which step each row is up to date.
    marks: usize,
    /// The storages that say what has been kept of spikes.
    counts: Vec<usize>,
    /// Whether a step has been taken since all rows were up to date.
    behind: bool,
    view: Option<View>,
}

/// What whoever looks is shown.
struct View {
    acts: Vec<Act>,
    /// Each storage that may lag behind, with its copy.
    copies: Vec<(usize, usize)>,
}

impl Lag {
    /// Of a program; nothing where steps leave nothing behind.
    pub(super) fn new(
        program: &Program,
        bind: impl Fn(&Section) -> Result<Vec<Act>>,
    ) -> Result<Option<Self>> {
        let Some(lazy) = &program.lazy else { return Ok(None) };
        let among = |list: &[_]| program.storages.handles().map(|id| list.contains(&id)).collect();
        Ok(Some(Self {
            acts: bind(&lazy.flush)?,
            lagging: among(&lazy.lagging),
            reads: among(&lazy.reads),
            marks: lazy.marks.index(),
            counts: program
                .storages
                .iter()
                .filter(|(_, storage)| matches!(storage.role, Role::EventCounts(_)))
                .map(|(id, _)| id.index())
                .collect(),
            behind: false,
            view: match &lazy.view {
                Some(view) => Some(View {
                    acts: bind(&view.section)?,
                    copies: view.copies.iter().map(|(of, copy)| (of.index(), copy.index())).collect(),
                }),
                None => None,
            },
        }))
    }
}

impl Machine {
    /// Brings all rows up to date with the last step.
    pub(super) fn catch_up(&mut self) {
        let Some(mut lag) = self.lag.take() else { return };
        if std::mem::take(&mut lag.behind) {
            self.perform_on_host(&mut lag.acts, 0);
        }
        self.lag = Some(lag);
    }

    /// A step has been taken.
    pub(super) fn leave_behind(&mut self) {
        if let Some(lag) = &mut self.lag {
            lag.behind = true;
        }
    }

    /// Somebody looks at an array: which one has it up to date.
    pub(super) fn before_read(&mut self, storage: usize) -> usize {
        if !self.lag.as_ref().is_some_and(|lag| lag.behind && lag.lagging[storage]) {
            return storage;
        }
        let Some(mut view) = self.lag.as_mut().and_then(|lag| lag.view.take()) else {
            self.catch_up();
            return storage;
        };
        self.perform_on_host(&mut view.acts, 0);
        let copy = view.copies.iter().find(|(of, _)| *of == storage).map_or(storage, |(_, copy)| *copy);
        if let Some(lag) = &mut self.lag {
            lag.view = Some(view);
        }
        copy
    }

    /// Whether rows stay behind where somebody looks, so that a checkpoint holds what they need.
    pub(crate) fn stays_behind(&self) -> bool {
        self.lag.as_ref().is_some_and(|lag| lag.view.is_some())
    }

    /// An array as a checkpoint holds it.
    pub(crate) fn saved(&mut self, storage: usize) -> Result<&Memory> {
        if self.stays_behind() { Ok(&self.memory[storage]) } else { self.read(storage) }
    }

    /// Whether a checkpoint holds an array.
    pub(crate) fn keeps(&self, role: Role) -> bool {
        match role {
            Role::Variable(_) | Role::Draws(_) | Role::Ring(_) => true,
            Role::Events(_) | Role::Spikes(_) | Role::Scratch | Role::Index(_) | Role::View(_) => false,
            // Else the arrays are read up to date, so nothing lags behind where they are put back.
            Role::EventHistory(_)
            | Role::EventCounts(_)
            | Role::History(_)
            | Role::Carried(_)
            | Role::Marks => self.stays_behind(),
        }
    }

    /// The arrays of a checkpoint are in place.
    pub(crate) fn resumed(&mut self) {
        if let Some(lag) = &mut self.lag {
            lag.behind = lag.view.is_some();
        }
    }

    /// Somebody changes an array.
    pub(super) fn before_write(&mut self, storage: usize) {
        let concerned = |lag: &Lag| lag.behind && (lag.lagging[storage] || lag.reads[storage]);
        if self.lag.as_ref().is_some_and(concerned) {
            self.catch_up();
        }
    }

    /// Goes to the end of a step that is not this one's next, whose arrays will be put in place: nothing lags behind.
    pub(crate) fn go_to(&mut self, step: u64) {
        self.step = step;
        let Some(lag) = &mut self.lag else { return };
        lag.behind = false;
        // The spikes that have been kept belong to another past: no list has this length, no word this number.
        for &counts in &lag.counts {
            self.memory[counts].bytes_mut().fill(0xff);
        }
        if let Some(marks) = self.memory[lag.marks].slice_mut::<i64>() {
            marks.fill(step as i64);
        }
    }
}
