//! Loops over elements that lie side by side: their slices are cut in front of the loop.
//!
//! An access at `something + index`, where something is known in front of the loop, becomes element `at` of a slice. A
//! slice is cut only where every iteration touches it: one that is touched under a condition may not be there. A buffer
//! that the loop writes is cut only if all accesses to it in the loop are to the one slice.

use super::write::Writer;
use crate::back::decisive::decisive;
use crate::kernel::*;

/// A place of a loop's body that loads or stores.
#[derive(Clone, Copy)]
pub(super) struct Access {
    pub buffer: BufferId,
    /// A tile product and a strip have none.
    pub index: Option<ValueId>,
    pub stores: bool,
    /// Every iteration does it.
    pub always: bool,
}

/// A loop whose slices are to be cut.
pub(super) struct Range<'a> {
    /// The loop's index.
    pub index: ValueId,
    /// The first index.
    pub start: &'a str,
    /// How many iterations there are, `usize`.
    pub count: &'a str,
    /// The number of the iteration, `usize`.
    pub at: &'a str,
}

impl Writer<'_> {
    /// Independent iterations. A condition that is the same in all of them is decided in front.
    pub fn lanes(&mut self, each: &Loop) {
        self.hoist(&each.body);
        let (start, end) = self.bounds(each);
        let count = self.fresh(&format!("{}_count", self.names.value(each.index)), "usize");
        self.define(&count, format!("native::count({start}, {end})"));
        let Some(condition) = self.decisive(&each.body) else {
            self.pass(each, &start, &count);
            return;
        };
        let outside = self.defined.clone();
        for (holds, head) in
            [(true, format!("if {} {{", self.value(condition))), (false, "} else {".to_owned())]
        {
            self.line(head);
            self.assumed.push((condition, holds));
            self.inside(|w| w.pass(each, &start, &count));
            self.assumed.pop();
            self.defined.clone_from(&outside);
        }
        self.line("}");
    }

    /// The condition that a loop is written twice for, since LLVM seldom makes two loops by itself: one that changes from row to
    /// row, or one of the whole launch. The latter decides little where it is whether initial values are given, say.
    fn decisive(&self, body: &[Stmt]) -> Option<ValueId> {
        let op = |value: ValueId| &self.kernel.values[value].op;
        let of_row = decisive(self.kernel, body, |selection, condition| {
            !matches!(op(condition), Op::Scalar(_) | Op::Constant(_))
                && self.defined.contains(&condition)
                && !self.defined.contains(&selection)
        });
        let of_launch = || decisive(self.kernel, body, |_, condition| matches!(op(condition), Op::Scalar(_)));
        let of_launch = || of_launch().filter(|&(_, selections)| selections > 1);
        of_row.or_else(of_launch).map(|(condition, _)| condition)
    }

    /// All iterations: those of a full pass in parts, so that what is far away can be asked for in time.
    fn pass(&mut self, each: &Loop, start: &str, count: &str) {
        let index = self.names.value(each.index).to_owned();
        let far = self.far(&each.body);
        let Some(&(first, _)) = far.first() else {
            self.iterations(each, start, count, None);
            return;
        };
        let (part, array) = (self.fresh("part", "native::Part"), self.names.buffer(first).to_owned());
        self.braces(format!("for {part} in native::parts({count}, {array})"), "}", |w| {
            let first = w.fresh(&format!("{index}_first"), "i64");
            w.define(&first, sum(start, &format!("{part}.first")));
            for &(buffer, place) in &far {
                if let Some(base) = w.base(place, each.index, &first) {
                    let array = w.names.buffer(buffer).to_owned();
                    w.line(format!("{part}.fetch_ahead({array}, {base});"));
                }
            }
            w.iterations(each, &first, &format!("{part}.count"), Some(&part));
        });
    }

    /// So many iterations from the first on, those of a part where one is named.
    fn iterations(&mut self, each: &Loop, start: &str, count: &str, part: Option<&str>) {
        let index = self.names.value(each.index).to_owned();
        let at = self.fresh("at", "usize");
        let range = Range { index: each.index, start, count, at: &at };
        let cut = self.cut_slices(&each.body, &range);
        if cut.is_empty() {
            self.defined.insert(each.index);
            let over = format!("for {index} in {start}..{}", sum(start, &format!("{count} as i64")));
            self.braces(over, "}", |w| w.block(&each.body));
            return;
        }
        let apart = self.gathers(&each.body) || (part.is_some() && each.body.iter().all(is_plain));
        let number = if apart { self.names.fresh("number") } else { count.to_owned() };
        let before = self.lines.len();
        self.braces(format!("for {at} in 0..{number}"), "}", |w| {
            w.define(&index, sum(start, &format!("{at} as i64")));
            w.defined.insert(each.index);
            w.block(&each.body);
        });
        if apart {
            self.set_apart(before, &index, &number, (count, part));
        }
        self.forget(&cut);
    }

    /// The arrays of synapses that a full pass reads, and where.
    fn far(&self, body: &[Stmt]) -> Vec<(BufferId, ValueId)> {
        let mut far: Vec<(BufferId, ValueId)> = Vec::new();
        if self.kernel.space.kind != SpaceKind::Rows(RowSet::All) {
            return far;
        }
        for stmt in body {
            let Stmt::Let(value) = stmt else { continue };
            let Op::Load(buffer, index) = self.kernel.values[*value].op else { continue };
            let array = &self.kernel.buffers[buffer];
            let is_far = array.kind == BufferKind::Synapse && array.ty != Type::Bool;
            if is_far && far.iter().all(|(known, _)| *known != buffer) {
                far.push((buffer, index));
            }
        }
        far
    }

    /// Writes what a body computes from values in front of the loop, as far as it is whole numbers: places of rows.
    fn hoist(&mut self, body: &[Stmt]) {
        for stmt in body {
            let Stmt::Let(value) = stmt else { continue };
            let Op::Binary(_, a, b) = self.kernel.values[*value].op else { continue };
            if self.ty(*value) == Type::I64 && self.is_known(a) && self.is_known(b) {
                self.evaluate(*value);
            }
        }
    }

    pub fn is_known(&self, value: ValueId) -> bool {
        matches!(self.kernel.values[value].op, Op::Constant(_) | Op::Scalar(_))
            || self.defined.contains(&value)
    }

    /// Cuts the slices of a loop in front of it; what was cut is to be forgotten after it.
    pub fn cut_slices(&mut self, body: &[Stmt], range: &Range<'_>) -> Vec<(BufferId, ValueId)> {
        let mut accesses = Vec::new();
        collect(self.kernel, body, true, &mut accesses);
        let mut cut = Vec::new();
        for buffer in self.kernel.buffers.handles() {
            let own: Vec<Access> =
                accesses.iter().filter(|access| access.buffer == buffer).copied().collect();
            let based: Vec<(Access, Option<String>)> = own
                .iter()
                .map(|access| {
                    (*access, access.index.and_then(|index| self.base(index, range.index, range.start)))
                })
                .collect();
            let stores = own.iter().any(|access| access.stores);
            let mut bases: Vec<&String> = based.iter().filter_map(|(_, base)| base.as_ref()).collect();
            bases.sort();
            bases.dedup();
            if stores && (bases.len() != 1 || based.iter().any(|(_, base)| base.is_none())) {
                continue;
            }
            for base in bases.into_iter().cloned().collect::<Vec<_>>() {
                let here = || based.iter().filter(|(_, other)| other.as_ref() == Some(&base));
                if !here().any(|(access, _)| access.always) {
                    continue;
                }
                let array = self.names.buffer(buffer).to_owned();
                let (word, borrow) = if stores { ("row_mut", "&mut ") } else { ("row", "&") };
                let ty = self.kernel.buffers[buffer].ty;
                let row = format!("native::{word}({array}, {base}, {})", range.count);
                // Of bytes LLVM makes a mask with one comparison, of `bool`s with two shifts.
                let (element, row, test) = match (ty, stores) {
                    (Type::Bool, false) => ("u8", format!("native::bytes({row})"), " != 0"),
                    _ => (super::op::type_word(ty), row, ""),
                };
                let ty = format!("{borrow}[{element}]");
                let slice = self.fresh(&format!("{}_row", array.trim_end_matches("_array")), &ty);
                self.define(&slice, row);
                for index in here().filter_map(|(access, _)| access.index) {
                    self.cut.insert((buffer, index), format!("{slice}[{}]{test}", range.at));
                    cut.push((buffer, index));
                }
            }
        }
        cut
    }

    /// After a loop, its slices are no more.
    pub fn forget(&mut self, cut: &[(BufferId, ValueId)]) {
        for key in cut {
            self.cut.remove(key);
        }
    }

    /// The value of an index in the first iteration, where that of the loop is `start`, if it grows by one in each.
    fn base(&self, value: ValueId, index: ValueId, start: &str) -> Option<String> {
        if value == index {
            return Some(start.to_owned());
        }
        let Op::Binary(binary, a, b) = self.kernel.values[value].op else { return None };
        let combine: fn(&str, &str) -> String = if binary == Binary::Add {
            sum
        } else if binary == Binary::Subtract {
            difference
        } else {
            return None;
        };
        let swaps = binary == Binary::Add && !self.is_known(b);
        let (grows, stays) = if swaps { (b, a) } else { (a, b) };
        if !self.is_known(stays) || self.is_known(grows) {
            return None;
        }
        Some(combine(&self.base(grows, index, start)?, &self.value(stays)))
    }
}

/// Whether a statement has none within.
pub(super) fn is_plain(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Let(_) | Stmt::Store { .. })
}

/// The text of a difference of whole numbers.
fn difference(a: &str, b: &str) -> String {
    match (a, b) {
        (a, b) if a == b => "0i64".to_owned(),
        (a, "0i64") => a.to_owned(),
        (a, b) => format!("{a}.wrapping_sub({b})"),
    }
}

/// The text of a sum of whole numbers.
pub(super) fn sum(a: &str, b: &str) -> String {
    match (a, b) {
        ("0i64", other) | (other, "0i64") => other.to_owned(),
        (a, b) => format!("{a}.wrapping_add({b})"),
    }
}

/// An access to a buffer as a whole.
fn whole(buffer: BufferId, stores: bool) -> Access {
    Access { buffer, index: None, stores, always: false }
}

/// All accesses of a body; `always` if every iteration comes by.
pub(super) fn collect(kernel: &Kernel, body: &[Stmt], always: bool, found: &mut Vec<Access>) {
    for stmt in body {
        match stmt {
            Stmt::Let(value) => {
                if let Op::Load(buffer, index) = kernel.values[*value].op {
                    found.push(Access { buffer, index: Some(index), stores: false, always });
                }
            }
            Stmt::Store { buffer, index, gate, .. } => {
                let always = always && gate.is_none();
                found.push(Access { buffer: *buffer, index: Some(*index), stores: true, always });
            }
            Stmt::If { then, otherwise, .. } => {
                collect(kernel, then, false, found);
                collect(kernel, otherwise, false, found);
            }
            Stmt::For(each) => collect(kernel, &each.body, false, found),
            Stmt::Reduce(reduce) => collect(kernel, &reduce.body, false, found),
            Stmt::Fill(fill) => found.push(whole(fill.into, true)),
            Stmt::Fetch(fetch) => found.push(whole(fetch.buffer, false)),
            Stmt::Tile(tile) => {
                found.extend([whole(tile.left, false), whole(tile.right, false), whole(tile.into, true)]);
            }
        }
    }
}
