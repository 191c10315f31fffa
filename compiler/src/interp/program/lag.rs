//! Rows that lag behind, brought up to date before somebody depends on them.

use super::super::kernel::Fault;
use super::ProgramMachine;
use crate::plan::program::{Lazy, StorageId};

impl ProgramMachine<'_> {
    /// Brings all rows up to date with the last step.
    pub(super) fn catch_up(&mut self) -> Result<(), Fault> {
        let program = self.program;
        if std::mem::take(&mut self.behind)
            && let Some(lazy) = &program.lazy
        {
            self.run_section(&lazy.flush, 0)?;
        }
        Ok(())
    }

    /// The array where whoever looks at an array finds it up to date.
    pub(super) fn up_to_date(&mut self, storage: StorageId) -> Result<StorageId, Fault> {
        let program = self.program;
        let Some(lazy) = program.lazy.as_ref().filter(|lazy| lazy.lagging.contains(&storage)) else {
            return Ok(storage);
        };
        let Some(view) = lazy.view.as_ref().filter(|_| self.behind) else {
            self.catch_up()?;
            return Ok(storage);
        };
        self.run_section(&view.section, 0)?;
        let copy = view.copies.iter().find(|(of, _)| *of == storage);
        Ok(copy.map_or(storage, |(_, copy)| *copy))
    }

    /// Brings all rows up to date where these are or need what is about to be written.
    pub(super) fn before_write(&mut self, storage: StorageId) {
        let concerned = |lazy: &Lazy| lazy.lagging.contains(&storage) || lazy.reads.contains(&storage);
        if self.program.lazy.as_ref().is_some_and(concerned) {
            self.catch_up().expect("a kernel that ran before");
        }
    }
}
