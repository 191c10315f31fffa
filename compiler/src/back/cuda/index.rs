//! What can be proved about indices: which accesses of a buffer can meet, and which cannot.
//!
//! An index is taken apart into digits: `x · n + y` with `0 ≤ y < n` gives the digits of `x`, then `y`. Two such
//! indices with the same radices are equal only if all their digits are, so a digit that is unique to an iteration
//! shows that the iterations touch different elements.

use std::collections::HashMap;

use crate::kernel::*;
use crate::valid::kernel::KernelInfo;

/// A value by what it is, so that equal constants and scalars are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Number(i64),
    Scalar(ScalarId),
    Value(ValueId),
}

/// A digit that has another value in each iteration of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unique {
    /// The loop's index itself.
    Index(ValueId),
    /// The element of a list without repetition that the loop's index names.
    Listed(BufferId, ValueId),
    /// An index between two neighbours of an ascending list: the first is at a place that is unique to the loop's index.
    Segment(BufferId, ValueId),
}

/// Digits, the most significant first, and the radices of all but the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    pub digits: Vec<ValueId>,
    pub radices: Vec<Key>,
}

/// What is known of a kernel's loops.
pub(super) struct Facts<'a> {
    pub kernel: &'a Kernel,
    pub info: &'a KernelInfo,
    loops: HashMap<ValueId, &'a Loop>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(kernel: &'a Kernel, info: &'a KernelInfo) -> Self {
        let mut facts = Self { kernel, info, loops: HashMap::new() };
        facts.collect(&kernel.body);
        facts
    }

    fn collect(&mut self, block: &'a [Stmt]) {
        for stmt in block {
            match stmt {
                Stmt::For(each) => {
                    self.loops.insert(each.index, each);
                    self.collect(&each.body);
                }
                Stmt::If { then, otherwise, .. } => {
                    self.collect(then);
                    self.collect(otherwise);
                }
                Stmt::Reduce(reduce) => self.collect(&reduce.body),
                Stmt::Let(_) | Stmt::Store { .. } | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => {}
            }
        }
    }

    pub(super) fn op(&self, value: ValueId) -> &'a Op {
        &self.kernel.values[value].op
    }

    pub(super) fn key(&self, value: ValueId) -> Key {
        match self.op(value) {
            Op::Constant(Constant::I64(number)) => Key::Number(*number),
            Op::Scalar(scalar) => Key::Scalar(*scalar),
            _ => Key::Value(value),
        }
    }

    fn extent(extent: Extent) -> Key {
        match extent {
            Extent::Constant(length) => Key::Number(length as i64),
            Extent::Scalar(scalar) => Key::Scalar(scalar),
        }
    }

    /// The digits of an index.
    pub(super) fn digits(&self, index: ValueId) -> Digits {
        if let Op::Binary(Binary::Add, a, b) = self.op(index) {
            for (high, low) in [(*a, *b), (*b, *a)] {
                let Op::Binary(Binary::Multiply, x, y) = self.op(high) else { continue };
                for (digit, radix) in [(*x, *y), (*y, *x)] {
                    let radix = self.key(radix);
                    if !matches!(radix, Key::Value(_)) && self.is_below(low, radix) {
                        let mut digits = self.digits(digit);
                        digits.digits.push(low);
                        digits.radices.push(radix);
                        return digits;
                    }
                }
            }
        }
        Digits { digits: vec![index], radices: Vec::new() }
    }

    /// Whether a value is known to be in `0 .. limit`.
    fn is_below(&self, value: ValueId, limit: Key) -> bool {
        match self.op(value) {
            Op::Constant(Constant::I64(number)) => match limit {
                Key::Number(limit) => (0..limit).contains(number),
                // A loop that reads or writes an element of an axis has found the axis not empty.
                Key::Scalar(_) => *number == 0,
                Key::Value(_) => false,
            },
            Op::Defined => self.loops.get(&value).is_some_and(|each| {
                let (Some(start), Some(end)) = (each.start, each.end) else { return false };
                self.is_natural(start) && self.is_at_most(end, limit)
            }),
            Op::Convert(Conversion::Value | Conversion::Unsigned, short) => match self.op(*short) {
                Op::Load(list, _) => self.is_event_list(*list, limit),
                _ => false,
            },
            _ => false,
        }
    }

    /// An event list holds neurons of its side: its length is the number of these.
    fn is_event_list(&self, list: BufferId, neurons: Key) -> bool {
        let buffer = &self.kernel.buffers[list];
        matches!(buffer.kind, BufferKind::EventList(_))
            && !self.info.is_written(list)
            && buffer.shape.iter().map(|&extent| Self::extent(extent)).eq([neurons])
    }

    fn is_at_most(&self, value: ValueId, limit: Key) -> bool {
        if self.key(value) == limit {
            return true;
        }
        match (self.op(value), limit) {
            (Op::Constant(Constant::I64(number)), Key::Number(limit)) => *number <= limit,
            (Op::Binary(Binary::Min, a, b), _) => self.is_at_most(*a, limit) || self.is_at_most(*b, limit),
            _ => false,
        }
    }

    /// Whether a value is known not to be negative.
    fn is_natural(&self, value: ValueId) -> bool {
        match self.op(value) {
            Op::Constant(Constant::I64(number)) => *number >= 0,
            Op::Binary(Binary::Add | Binary::Multiply, a, b) => self.is_natural(*a) && self.is_natural(*b),
            Op::Defined => self.loops.get(&value).is_some_and(|each| {
                each.kind == LoopKind::Blocks || each.start.is_some_and(|start| self.is_natural(start))
            }),
            _ => false,
        }
    }

    /// How a value shows the iteration of the loop over `index`.
    pub(super) fn unique(&self, value: ValueId, index: ValueId) -> Option<Unique> {
        if value == index {
            return Some(Unique::Index(index));
        }
        match self.op(value) {
            Op::Convert(Conversion::Value | Conversion::Unsigned, short) => match self.op(*short) {
                Op::Load(list, at) if *at == index && self.has_no_repetition(*list) => {
                    Some(Unique::Listed(*list, index))
                }
                _ => None,
            },
            // The index itself runs from one start to the next …
            Op::Defined => {
                let each = self.loops.get(&value)?;
                self.segment(each.start?, each.end?, index)
            }
            // … or it is a start, and how far behind it.
            Op::Binary(Binary::Add, a, b) => [(*a, *b), (*b, *a)].into_iter().find_map(|(start, entry)| {
                let each = self.loops.get(&entry)?;
                let Op::Binary(Binary::Subtract, end, from) = self.op(each.end?) else { return None };
                let whole = *from == start && each.start.is_some_and(|zero| self.key(zero) == Key::Number(0));
                if whole { self.segment(start, *end, index) } else { None }
            }),
            _ => None,
        }
    }

    /// Whether two values are neighbours in a list of starts, at a place that is unique to the loop's index and behind it.
    fn segment(&self, start: ValueId, end: ValueId, index: ValueId) -> Option<Unique> {
        let (list, from) = self.row_start(start)?;
        let (same, to) = self.row_start(end)?;
        let Op::Binary(Binary::Add, a, b) = self.op(to) else { return None };
        let one = Key::Number(1);
        let next = *a == from && self.key(*b) == one || *b == from && self.key(*a) == one;
        (list == same && next && self.unique(from, index).is_some()).then_some(Unique::Segment(list, from))
    }

    /// An element of a topology's ascending list of starts: the list and the index.
    fn row_start(&self, value: ValueId) -> Option<(BufferId, ValueId)> {
        let load = match self.op(value) {
            Op::Convert(Conversion::Value | Conversion::Unsigned, short) => self.op(*short),
            op => op,
        };
        match load {
            Op::Load(list, at) => {
                let is_index = self.kernel.buffers[*list].kind == BufferKind::Index;
                (is_index && !self.info.is_written(*list)).then_some((*list, *at))
            }
            _ => None,
        }
    }

    /// Events are ascending; so is the list of the rows that a launch over such rows is about.
    fn has_no_repetition(&self, list: BufferId) -> bool {
        let buffer = &self.kernel.buffers[list];
        let of_the_launch = matches!(
            self.kernel.space.kind,
            SpaceKind::Rows(RowSet::Active | RowSet::Touched) | SpaceKind::Columns
        ) && buffer.kind == BufferKind::Index
            && buffer.shape == self.kernel.space.items;
        !self.info.is_written(list) && (matches!(buffer.kind, BufferKind::EventList(_)) || of_the_launch)
    }

    /// The loop that an index belongs to.
    pub(super) fn loop_of(&self, index: ValueId) -> Option<&'a Loop> {
        self.loops.get(&index).copied()
    }
}
