//! Loops of one iteration after another in which each does the same: over the events of a list, say. Four iterations are written
//! as one, since LLVM unrolls no loop that a check of an index may leave.

use super::rows::{Access, Range, collect, is_plain, sum};
use super::write::Writer;
use crate::kernel::*;

/// A body of more statements is written once: what is between two iterations is little of it.
const STATEMENTS: usize = 20;

/// What is left of an array from a known place on, in which a loop goes to places of its own.
struct Rest {
    /// Of the access.
    index: ValueId,
    /// What is known in front of the loop.
    from: ValueId,
    /// What each iteration adds.
    place: String,
}

impl Writer<'_> {
    /// Writes such a loop, if some of what it reads lies side by side; whether it has.
    pub fn straight(&mut self, each: &Loop) -> bool {
        let (Some(start), Some(end), None) = (each.start, each.end, each.exit) else { return false };
        let constant = |bound: ValueId| matches!(self.kernel.values[bound].op, Op::Constant(_));
        let is_short = constant(start) && constant(end);
        if is_short || !each.body.iter().all(is_plain) {
            return false;
        }
        let (index, start) = (self.names.value(each.index).to_owned(), self.value(start));
        let (count, at) = (self.fresh(&format!("{index}_count"), "usize"), self.fresh("at", "usize"));
        let (_, end) = self.bounds(each);
        self.define(&count, format!("native::count({start}, {end})"));
        let range = Range { index: each.index, start: &start, count: &count, at: &at };
        let mut cut = self.cut_slices(&each.body, &range);
        if cut.is_empty() {
            return false;
        }
        cut.extend(self.cut_rests(&each.body));
        let mut first = "0".to_owned();
        if each.body.len() <= STATEMENTS && each.carried.is_empty() {
            first = format!("{count} / 4 * 4");
            let lane = self.fresh("lane", "usize");
            let outside = (self.defined.clone(), self.cut.clone());
            self.braces(format!("for {at} in (0..{first}).step_by(4)"), "}", |w| {
                w.cut_fours(&at, &lane);
                w.braces(format!("for {lane} in 0..4"), "}", |w| {
                    w.define(&index, sum(&start, &format!("({at} + {lane}) as i64")));
                    w.iteration(each);
                });
            });
            (self.defined, self.cut) = outside;
        }
        self.braces(format!("for {at} in {first}..{count}"), "}", |w| {
            w.define(&index, sum(&start, &format!("{at} as i64")));
            w.iteration(each);
        });
        self.forget(&cut);
        true
    }

    /// Cuts arrays in front of a loop that adds to a known place one of its own: of `w[row + j]`, what is left of `w` from the
    /// row on.
    pub fn cut_rests(&mut self, body: &[Stmt]) -> Vec<(BufferId, ValueId)> {
        let mut accesses = Vec::new();
        collect(self.kernel, body, true, &mut accesses);
        let mut cut = Vec::new();
        for buffer in self.kernel.buffers.handles() {
            let own: Vec<&Access> = accesses.iter().filter(|access| access.buffer == buffer).collect();
            // An element that is stored under a condition may not be there; what is read at its place in any case is.
            let is_there = |access: &&Access| {
                access.always || own.iter().any(|other| other.always && other.index == access.index)
            };
            if !own.iter().all(is_there) {
                continue;
            }
            let rests: Option<Vec<Rest>> = own.iter().map(|access| self.rest(access)).collect();
            let Some(rests) = rests else { continue };
            let Some(from) = rests.first().map(|rest| rest.from) else { continue };
            if rests.iter().any(|rest| rest.from != from) {
                continue;
            }
            let stores = own.iter().any(|access| access.stores);
            let (end, borrow) = if stores { ("_mut", "&mut ") } else { ("", "&") };
            let element = super::op::type_word(self.kernel.buffers[buffer].ty);
            let array = self.names.buffer(buffer).to_owned();
            let stem = array.trim_end_matches("_array").to_owned();
            let (slice, cut_off) = if let Some(length) = self.line_length(buffer, from) {
                let slice = self.fresh(&format!("{stem}_line"), &format!("{borrow}[{element}; {length}]"));
                (slice, format!("native::line{end}::<{element}, {length}>"))
            } else {
                let slice = self.fresh(&format!("{stem}_rest"), &format!("{borrow}[{element}]"));
                (slice, format!("native::rest{end}"))
            };
            self.define(&slice, format!("{cut_off}({array}, {})", self.value(from)));
            for Rest { index, place, .. } in rests {
                self.cut.insert((buffer, index), format!("{slice}[{place} as usize]"));
                cut.push((buffer, index));
            }
        }
        cut
    }

    /// How long the innermost axis of an array is, where that is a constant and a place begins one of its lines: rustc then
    /// knows which indices are inside.
    fn line_length(&self, buffer: BufferId, from: ValueId) -> Option<u64> {
        let &Extent::Constant(length) = self.kernel.buffers[buffer].shape.last()? else { return None };
        let Op::Binary(Binary::Multiply, a, b) = self.kernel.values[from].op else { return None };
        let is_length = |value: ValueId| {
            let op = &self.kernel.values[value].op;
            matches!(op, Op::Constant(constant) if *constant == Constant::I64(length as i64))
        };
        (is_length(a) || is_length(b)).then_some(length)
    }

    /// Where an access goes, if its slice has not been cut yet.
    fn rest(&self, access: &Access) -> Option<Rest> {
        let index = access.index?;
        let is_new = !self.cut.contains_key(&(access.buffer, index)) && !self.named.contains(&access.buffer);
        let (from, place) = self.split(index).filter(|_| is_new)?;
        Some(Rest { index, from, place })
    }

    /// An index as a place that is known in front of the loop, and what is added to it inside.
    fn split(&self, index: ValueId) -> Option<(ValueId, String)> {
        let Op::Binary(Binary::Add, a, b) = self.kernel.values[index].op else { return None };
        let (known, other) = match (self.is_known(a), self.is_known(b)) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return None,
        };
        if !matches!(self.kernel.values[known].op, Op::Constant(_)) {
            return Some((known, self.value(other)));
        }
        let (from, place) = self.split(other)?;
        Some((from, sum(&place, &self.value(known))))
    }

    /// Takes four elements from the slices that lie side by side, so that their number is known.
    fn cut_fours(&mut self, at: &str, lane: &str) {
        let end = format!("[{at}]");
        let mut cells: Vec<_> = self.cut.clone().into_iter().collect();
        cells.sort();
        let mut fours: Vec<(String, String)> = Vec::new();
        for (key, cell) in cells {
            let Some((slice, tail)) = cell.split_once(&end) else { continue };
            let known = fours.iter().find(|(known, _)| known == slice).map(|(_, four)| four.clone());
            let four = known.unwrap_or_else(|| {
                let ty = self.types.get(slice).cloned().unwrap_or_default();
                let word = if ty.starts_with("&mut") { "four_mut" } else { "four" };
                let four = self.fresh(&format!("{}_four", slice.trim_end_matches("_row")), &ty);
                self.define(&four, format!("native::{word}({slice}, {at})"));
                fours.push((slice.to_owned(), four.clone()));
                four
            });
            self.cut.insert(key, format!("{four}[{lane}]{tail}"));
        }
    }
}
