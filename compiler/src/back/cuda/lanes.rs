//! Spread loops: their iterations go to threads, one at a time or in runs of V neighbours.

use std::collections::{BTreeMap, HashMap};

use super::index::Key;
use super::mapping::Mapping;
use super::op;
use super::write::Writer;
use crate::kernel::*;
use crate::valid::kernel::IndexForm;

/// The bytes of one access of a thread.
const ACCESS: u32 = 16;

/// What the loops that are taken in runs have in common.
#[derive(Default)]
pub(super) struct Chunk {
    /// Where they end.
    pub ends: Vec<ValueId>,
    /// How many statements the longest body has.
    pub longest: usize,
    /// How many neighbours a thread takes at once.
    pub run: u32,
}

/// How many statements a body has, those inside included.
fn length(block: &[Stmt]) -> usize {
    block
        .iter()
        .map(|stmt| match stmt {
            Stmt::Let(_) | Stmt::Store { .. } | Stmt::Fetch(_) => 1,
            Stmt::If { then, otherwise, .. } => 1 + length(then) + length(otherwise),
            Stmt::For(each) => 1 + length(&each.body),
            Stmt::Reduce(reduce) => 8 + length(&reduce.body),
            Stmt::Tile(_) | Stmt::Fill(_) => 16,
        })
        .sum()
}

/// Bodies with more statements are not written for several neighbours at once.
const LONG_BODY: usize = 150;

/// The accesses of a loop that take V neighbours at once.
#[derive(Default)]
pub(super) struct Runs {
    pub loads: Vec<Run>,
    pub stores: Vec<Run>,
}

/// V neighbours: those of the columns, from `base` on.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// The value that is loaded or stored.
    pub value: ValueId,
    pub buffer: BufferId,
    pub base: Option<ValueId>,
}

impl Writer<'_> {
    /// How many neighbours a thread takes at once; 1 where no loop has accesses that allow more. Notes where the loops
    /// end that are taken so.
    pub fn run_length(&mut self, body: &[Stmt]) -> u32 {
        let mut loops = Vec::new();
        self.spread_loops(body, &mut loops);
        let (mut largest, mut ends) = (0, Vec::new());
        for each in loops.iter().filter(|each| self.goes_in_runs(each)) {
            let runs = self.runs_of(each);
            let sizes = runs.loads.iter().chain(&runs.stores).map(|run| self.size(run.buffer));
            largest = largest.max(sizes.max().unwrap_or(0));
            ends.extend(each.end);
        }
        // Long bodies are bound by their operations, and copies of them by the compiler's patience.
        let longest = loops.iter().map(|each| length(&each.body)).max().unwrap_or(0);
        self.chunk.ends = ends;
        self.chunk.longest = longest;
        self.chunk.run = if largest < 4 || longest > LONG_BODY { 1 } else { ACCESS / largest };
        self.chunk.run
    }

    fn size(&self, buffer: BufferId) -> u32 {
        self.facts.kernel.buffers[buffer].ty.size() as u32
    }

    /// All spread loops of a block.
    pub fn spread_loops<'b>(&self, block: &'b [Stmt], found: &mut Vec<&'b Loop>) {
        for stmt in block {
            match stmt {
                Stmt::For(each) if self.plan.spread.contains(&each.index) => found.push(each),
                Stmt::For(each) => self.spread_loops(&each.body, found),
                Stmt::If { then, otherwise, .. } => {
                    self.spread_loops(then, found);
                    self.spread_loops(otherwise, found);
                }
                Stmt::Let(_)
                | Stmt::Store { .. }
                | Stmt::Reduce(_)
                | Stmt::Tile(_)
                | Stmt::Fill(_)
                | Stmt::Fetch(_) => {}
            }
        }
    }

    /// Whether a loop begins at 0 and ends where the launch says: then it is taken in runs, if any is, so that the
    /// same iteration of two such loops belongs to the same thread.
    fn goes_in_runs(&self, each: &Loop) -> bool {
        let from_zero = each.start.is_some_and(|start| self.facts.key(start) == Key::Number(0));
        let known_end = each.end.is_some_and(|end| !matches!(self.facts.key(end), Key::Value(_)));
        each.kind == LoopKind::Lanes && from_zero && known_end
    }

    /// The accesses of a loop that take neighbours at once. An element that is loaded after a store to its buffer, or
    /// stored twice or under a gate, is taken by itself.
    pub fn runs_of(&self, each: &Loop) -> Runs {
        let mut runs = Runs::default();
        if !each.body.iter().all(|stmt| matches!(stmt, Stmt::Let(_) | Stmt::Store { .. })) {
            return runs;
        }
        let mut stored: BTreeMap<BufferId, (u32, bool)> = BTreeMap::new();
        for stmt in &each.body {
            match stmt {
                Stmt::Store { buffer, gate, .. } => {
                    let (stores, late) = stored.entry(*buffer).or_default();
                    *stores += 1;
                    *late |= gate.is_some();
                }
                Stmt::Let(value) => {
                    if let Op::Load(buffer, _) = self.facts.op(*value)
                        && let Some((_, late)) = stored.get_mut(buffer)
                    {
                        *late = true;
                    }
                }
                Stmt::If { .. }
                | Stmt::For(_)
                | Stmt::Reduce(_)
                | Stmt::Tile(_)
                | Stmt::Fill(_)
                | Stmt::Fetch(_) => {}
            }
        }
        let fits = |buffer: &BufferId| matches!(stored.get(buffer), None | Some((1, false)));
        for stmt in &each.body {
            let (value, buffer, index, list) = match stmt {
                Stmt::Store { buffer, index, value, .. } => (*value, *buffer, *index, &mut runs.stores),
                Stmt::Let(value) => match self.facts.op(*value) {
                    Op::Load(buffer, index) => (*value, *buffer, *index, &mut runs.loads),
                    _ => continue,
                },
                Stmt::If { .. }
                | Stmt::For(_)
                | Stmt::Reduce(_)
                | Stmt::Tile(_)
                | Stmt::Fill(_)
                | Stmt::Fetch(_) => continue,
            };
            if fits(&buffer)
                && let Some(base) = self.run_base(each, index)
            {
                list.push(Run { value, buffer, base });
            }
        }
        runs
    }

    /// What an index adds to the column, if it is whole runs; nothing where it is the column itself.
    pub fn run_base(&self, each: &Loop, index: ValueId) -> Option<Option<ValueId>> {
        if index == each.index {
            return Some(None);
        }
        let Op::Binary(Binary::Add, a, b) = self.facts.op(index) else { return None };
        let end = self.facts.key(each.end?);
        [(*a, *b), (*b, *a)].into_iter().find_map(|(base, lane)| {
            let outside = !each.body.iter().any(|stmt| matches!(stmt, Stmt::Let(value) if *value == base));
            let invariant = self.facts.info.index_form(base, each.index) == IndexForm::Invariant;
            let Op::Binary(Binary::Multiply, x, y) = self.facts.op(base) else { return None };
            let whole = [x, y].iter().any(|&&factor| self.facts.key(factor) == end);
            (lane == each.index && outside && invariant && whole).then_some(Some(base))
        })
    }

    /// A spread loop.
    pub fn spread(&mut self, each: &Loop) {
        let (start, end) = self.bounds(each);
        if matches!(self.plan.mapping, Mapping::Free { columns: Some(_), .. }) {
            return self.in_thread(|w| w.chunk(each));
        }
        if self.runs && self.goes_in_runs(each) {
            let head = format!("for (u64 column = rank * V; before(column, {end}); column += width * V)");
            return self.in_thread(|w| w.braces(head, |w| w.chunk(each)));
        }
        let index = self.names.value(each.index).to_owned();
        let head = format!("for (u64 {index} = {start} + rank; before({index}, {end}); {index} += width)");
        self.in_thread(|w| w.braces(head, |w| w.block(&each.body)));
    }

    /// Writes what each thread does by itself.
    pub fn in_thread(&mut self, inside: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.alone, true);
        inside(self);
        self.alone = before;
    }

    /// Where V neighbours of a buffer begin.
    pub fn run_place(&self, run: Run) -> String {
        let buffer = self.names.buffer(run.buffer);
        match run.base {
            Some(base) => format!("{buffer} + ({} + column)", self.value(base)),
            None => format!("{buffer} + column"),
        }
    }

    /// The iterations of a loop for the columns of this thread.
    pub fn chunk(&mut self, each: &Loop) {
        let index = self.names.value(each.index).to_owned();
        if !self.runs {
            return self.braces("", |w| {
                w.line(format!("const u64 {index} = column;"));
                w.block(&each.body);
            });
        }
        let runs = self.runs_of(each);
        let mut arrays: HashMap<BufferId, String> = HashMap::new();
        let loads = runs.loads.iter().filter(|run| !self.held.contains_key(&run.value));
        for run in loads.copied().collect::<Vec<_>>() {
            let array = self.names.fresh(&format!("{}_run", self.names.value(run.value)));
            let word = op::cell_word(self.facts.kernel.buffers[run.buffer].ty);
            self.line(format!("{word} {array}[V];"));
            self.line(format!("load_run({array}, {});", self.run_place(run)));
            self.held.insert(run.value, format!("{array}[v]"));
        }
        for run in &runs.stores {
            if self.kept.contains_key(&run.buffer) {
                continue;
            }
            let array = self.names.fresh(&format!("{}_new", self.names.buffer(run.buffer)));
            let word = op::cell_word(self.facts.kernel.buffers[run.buffer].ty);
            self.line(format!("{word} {array}[V];"));
            self.kept.insert(run.buffer, format!("{array}[v]"));
            arrays.insert(run.buffer, array);
        }
        self.line("#pragma unroll");
        self.braces("for (int v = 0; v < V; ++v)", |w| {
            w.line(format!("const u64 {index} = column + v;"));
            w.block(&each.body);
        });
        for run in &runs.stores {
            if let Some(array) = arrays.get(&run.buffer) {
                self.line(format!("store_run({}, {array});", self.run_place(*run)));
                self.kept.remove(&run.buffer);
            }
        }
    }
}
