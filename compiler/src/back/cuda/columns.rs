//! Columns outside, rows inside: what belongs to a column is loaded once, sums down a column stay in registers, and
//! the loads of several rows are on their way together.

use std::collections::{BTreeMap, BTreeSet};

use super::lanes::Run;
use super::mapping::Mapping;
use super::op;
use super::sites::accesses;
use super::write::Writer;
use crate::kernel::*;

/// Registers that may wait for loads.
const WAITING: u32 = 16;
/// Bodies with more statements are not written for several rows at once.
const SHORT_BODY: usize = 60;
/// The most rows whose loads are on their way together.
const MOST_ROWS: u32 = 4;

impl Writer<'_> {
    /// The body of a block for the columns of this thread.
    pub fn columns_first(&mut self, body: &[Stmt], end: ValueId) {
        let (step, end) = (if self.runs { "rank * V" } else { "rank" }, self.value(end));
        self.line(format!("const u64 column = {step};"));
        self.line(format!("if (!before(column, {end})) continue;"));
        for stmt in body {
            match stmt {
                Stmt::For(each) if self.runs && Some(each.index) == self.plan.rows => self.rows_inside(each),
                other => self.stmt(other),
            }
        }
    }

    fn rows_inside(&mut self, rows: &Loop) {
        let mut loops = Vec::new();
        self.spread_loops(&rows.body, &mut loops);
        self.hold_columns(&loops);
        let sums = self.hold_sums(rows, &loops);
        let ahead = self.loads_ahead(rows);
        if ahead.is_empty() {
            self.stmt(&Stmt::For(rows.clone()));
        } else {
            self.several_rows(rows, &ahead);
        }
        for (run, array) in sums {
            self.line(format!("store_run({}, {array});", self.run_place(run)));
            self.kept.remove(&run.buffer);
        }
    }

    /// Loads once what a row-wide array has for the columns.
    fn hold_columns(&mut self, loops: &[&Loop]) {
        let mut arrays: BTreeMap<BufferId, String> = BTreeMap::new();
        for each in loops {
            let mut loads = Vec::new();
            self.loads(&each.body, &mut loads);
            let Some(end) = each.end else { continue };
            for (value, buffer, index) in loads {
                let shape = &self.facts.kernel.buffers[buffer].shape;
                let row_wide = match (self.facts.op(end), shape.as_slice()) {
                    (Op::Scalar(end), [Extent::Scalar(length)]) => end == length,
                    (Op::Constant(Constant::I64(end)), [Extent::Constant(length)]) => *end as u64 == *length,
                    _ => false,
                };
                if index != each.index || !row_wide || self.facts.info.is_written(buffer) {
                    continue;
                }
                let array = match arrays.get(&buffer) {
                    Some(array) => array.clone(),
                    None => {
                        let run = Run { value, buffer, base: None };
                        let array = self.names.fresh(&format!("{}_here", self.buffer_word(buffer)));
                        self.load_array(run, &array);
                        arrays.insert(buffer, array.clone());
                        array
                    }
                };
                self.held.insert(value, format!("{array}[v]"));
            }
        }
    }

    fn buffer_word(&self, buffer: BufferId) -> String {
        self.names.buffer(buffer).trim_end_matches("_array").to_owned()
    }

    fn load_array(&mut self, run: Run, array: &str) {
        let word = op::cell_word(self.facts.kernel.buffers[run.buffer].ty);
        self.line(format!("{word} {array}[V];"));
        self.line(format!("load_run({array}, {});", self.run_place(run)));
    }

    fn loads(&self, block: &[Stmt], found: &mut Vec<(ValueId, BufferId, ValueId)>) {
        for stmt in block {
            match stmt {
                Stmt::Let(value) => {
                    if let Op::Load(buffer, index) = self.facts.op(*value) {
                        found.push((*value, *buffer, *index));
                    }
                }
                Stmt::If { then, otherwise, .. } => {
                    self.loads(then, found);
                    self.loads(otherwise, found);
                }
                // What an inner loop loads may not be reached.
                Stmt::Store { .. }
                | Stmt::For(_)
                | Stmt::Reduce(_)
                | Stmt::Tile(_)
                | Stmt::Fill(_)
                | Stmt::Fetch(_) => {}
            }
        }
    }

    /// Keeps in registers what the rows add up in a column: a buffer that is touched, in the loop over rows, only at
    /// the columns of one row of its own.
    fn hold_sums(&mut self, rows: &Loop, loops: &[&Loop]) -> Vec<(Run, String)> {
        let all = accesses(self.facts, &rows.body);
        let buffers: BTreeSet<BufferId> =
            all.iter().filter(|access| access.is_store).map(|access| access.buffer).collect();
        let mut held = Vec::new();
        for buffer in buffers {
            let mut base: Option<Option<ValueId>> = None;
            let same = all.iter().filter(|access| access.buffer == buffer).all(|access| {
                let found = access.index.and_then(|index| {
                    loops
                        .iter()
                        .find_map(|each| access.is_in(each.index).then(|| self.run_base(each, index))?)
                });
                match (found, base) {
                    (Some(found), Some(base)) => found == base,
                    (Some(found), None) => {
                        base = Some(found);
                        true
                    }
                    (None, _) => false,
                }
            });
            let Some(base) = base.filter(|_| same) else { continue };
            // A base that the rows change is another row of the buffer each time.
            if base.is_some_and(|base| self.defines(&rows.body, base)) {
                continue;
            }
            let mut loads = Vec::new();
            for each in loops {
                self.loads(&each.body, &mut loads);
            }
            let Some(value) = loads.iter().find(|load| load.1 == buffer).map(|load| load.0) else { continue };
            let run = Run { value, buffer, base };
            let array = self.names.fresh(&format!("{}_sum", self.buffer_word(buffer)));
            self.load_array(run, &array);
            self.kept.insert(buffer, format!("{array}[v]"));
            for (value, ..) in loads.into_iter().filter(|load| load.1 == buffer) {
                self.held.insert(value, format!("{array}[v]"));
            }
            held.push((run, array));
        }
        held
    }

    fn defines(&self, block: &[Stmt], wanted: ValueId) -> bool {
        block.iter().any(|stmt| match stmt {
            Stmt::Let(value) => *value == wanted,
            Stmt::If { then, otherwise, .. } => self.defines(then, wanted) || self.defines(otherwise, wanted),
            Stmt::For(each) => self.defines(&each.body, wanted),
            Stmt::Store { .. } | Stmt::Reduce(_) | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => false,
        })
    }

    /// The loads that can be started for several rows before the first is done: where a row is some values and one
    /// loop, and no row reads what another writes.
    fn loads_ahead(&self, rows: &Loop) -> Vec<Run> {
        let Some((Stmt::For(each), before)) = rows.body.split_last() else { return Vec::new() };
        if !before.iter().all(|stmt| matches!(stmt, Stmt::Let(_))) {
            return Vec::new();
        }
        let apart = matches!(self.plan.mapping, Mapping::Free { rows: Some(_), .. });
        let runs = self.runs_of(each).loads.into_iter().filter(|run| {
            let stays = apart || !self.facts.info.is_written(run.buffer);
            let by_row = run.base.is_some_and(|base| self.is_product(rows, base));
            stays && by_row && !self.held.contains_key(&run.value)
        });
        runs.collect()
    }

    /// Whether a value is the row's index times something that is known before the loop.
    fn is_product(&self, rows: &Loop, base: ValueId) -> bool {
        let Op::Binary(Binary::Multiply, a, b) = self.facts.op(base) else { return false };
        let other = if *a == rows.index { *b } else { *a };
        (*a == rows.index || *b == rows.index) && !self.defines(&rows.body, other)
    }

    fn several_rows(&mut self, rows: &Loop, ahead: &[Run]) {
        let bytes: u32 = ahead
            .iter()
            .map(|run| self.facts.kernel.buffers[run.buffer].ty.size() as u32 * self.chunk.run)
            .sum();
        let at_once = (WAITING / bytes.div_ceil(4).max(1)).clamp(1, MOST_ROWS);
        let at_once = if self.chunk.longest > SHORT_BODY { 1 } else { at_once };
        let index = self.names.value(rows.index).to_owned();
        let first = self.names.fresh(&format!("{index}_first"));
        let (start, end) = self.bounds(rows);
        let slots = match self.plan.mapping {
            Mapping::Free { rows: Some(_), .. } => Some("share.slots"),
            Mapping::Free { rows: None, .. } | Mapping::WarpPerRow(_) | Mapping::ThreadBlock => None,
        };
        let (begin, step) = match slots {
            Some(slots) => (format!("{start} + slot"), format!("{at_once} * {slots}")),
            None => (start, at_once.to_string()),
        };
        let place = slots.map_or("r".to_owned(), |slots| format!("r * {slots}"));
        let mut arrays = Vec::new();
        self.braces(format!("for (u64 {first} = {begin}; before({first}, {end}); {first} += {step})"), |w| {
            for run in ahead {
                let array = w.names.fresh(&format!("{}_rows", w.names.value(run.value)));
                let word = op::cell_word(w.facts.kernel.buffers[run.buffer].ty);
                w.line(format!("{word} {array}[{at_once}][V];"));
                arrays.push(array);
            }
            let each_row = |w: &mut Self, inside: &mut dyn FnMut(&mut Self)| {
                w.line("#pragma unroll");
                w.braces(format!("for (int r = 0; r < {at_once}; ++r)"), |w| {
                    w.line(format!("const u64 {index} = {first} + {place};"));
                    w.braces(format!("if (before({index}, {end}))"), |w| inside(w));
                });
            };
            each_row(w, &mut |w| {
                let bases: BTreeSet<ValueId> = ahead.iter().filter_map(|run| run.base).collect();
                bases.into_iter().for_each(|base| w.define(base));
                for (run, array) in ahead.iter().zip(&arrays) {
                    w.line(format!("load_run({array}[r], {});", w.run_place(*run)));
                }
            });
            for (run, array) in ahead.iter().zip(&arrays) {
                w.held.insert(run.value, format!("{array}[r][v]"));
            }
            each_row(w, &mut |w| w.block(&rows.body));
        });
    }
}
