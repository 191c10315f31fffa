//! The numbers of one row and one block: Φ, g_r and where the virtual rows are found.

use super::{Closed, Entry, STEPS};
use crate::kernel::{self, Binary, Carried, Compare, LoopKind, Type, ValueId};
use crate::plan::emit::Emitter;
use crate::plan::rows::index;

/// Where a row stands on its way: the first step that it has missed, and x_r before that step.
#[derive(Clone, Debug)]
pub(super) struct Stand {
    pub(super) first: ValueId,
    /// In f64; none where x_r is always 1.
    pub(super) traces: Vec<Option<ValueId>>,
}

/// What takes a row from where it stands to the end of the block, or to the last step that is wanted.
pub(super) struct Span {
    /// Φ, by row and column, in the group's precision.
    phi: Vec<Vec<Phi>>,
    /// g_r in the group's precision.
    scale: Vec<Option<ValueId>>,
    /// Where V_r before the first step, and after the last, begins.
    pub(super) slots: [ValueId; 2],
    /// Where the row stands then.
    pub(super) next: Stand,
}

/// What is known of a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// It begins with its block, or is empty: V before it is 0.
    pub(super) begins: bool,
    /// It is the last of those that are taken together, after which bounds are heeded.
    pub(super) ends: bool,
}

/// An entry of Φ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phi {
    Zero,
    One,
    Value(ValueId),
}

/// Which entries of Φ are no fixed numbers: A has them, or leads to them.
fn pattern(closed: &Closed) -> Vec<Vec<Option<bool>>> {
    let reached = super::reached(&closed.matrix);
    let alone = |row: usize| {
        let entries = &closed.matrix[row];
        (0..entries.len())
            .all(|column| entries[column] == if row == column { Entry::One } else { Entry::Zero })
    };
    let entry = |row: usize, column: usize| match (reached[row][column], alone(row)) {
        (false, _) => None,
        (true, true) if row == column => Some(false),
        (true, _) => Some(true),
    };
    let count = closed.matrix.len();
    (0..count).map(|row| (0..count).map(|column| entry(row, column)).collect()).collect()
}

impl Emitter<'_, '_, '_> {
    /// The last step of the block in which a step lies.
    fn block_end(&mut self, closed: &Closed, step: ValueId) -> ValueId {
        let length = self.scalar_value(crate::plan::program::ScalarSource::Prologue(closed.block), Type::F64);
        let step = self.builder.convert(kernel::Conversion::Value, Type::F64, step);
        let quotient = self.builder.div(step, length);
        let quotient = self.builder.unary(kernel::Unary::Floor, quotient);
        let one = self.builder.real(Type::F64, 1.0);
        let next = self.builder.add(quotient, one);
        let start = self.builder.mul(next, length);
        let start = self.builder.convert(kernel::Conversion::Value, Type::I64, start);
        let one = self.builder.int(1);
        self.builder.sub(start, one)
    }

    /// How many blocks the steps `first ..= last` lie in.
    pub(super) fn blocks_between(&mut self, closed: &Closed, first: ValueId, last: ValueId) -> ValueId {
        let length = self.scalar_value(crate::plan::program::ScalarSource::Prologue(closed.block), Type::F64);
        let ends = [first, last].map(|step| {
            let step = self.builder.convert(kernel::Conversion::Value, Type::F64, step);
            let quotient = self.builder.div(step, length);
            self.builder.unary(kernel::Unary::Floor, quotient)
        });
        let between = self.builder.sub(ends[1], ends[0]);
        let one = self.builder.real(Type::F64, 1.0);
        let count = self.builder.add(between, one);
        let count = self.builder.convert(kernel::Conversion::Value, Type::I64, count);
        let missed = self.builder.compare(Compare::LessEqual, first, last);
        let zero = self.builder.int(0);
        self.builder.select(missed, count, zero)
    }

    /// The numbers of the row's next block. Where no step is missing they change nothing.
    pub(super) fn span(&mut self, closed: &Closed, stand: &Stand, last: ValueId, columns: ValueId) -> Span {
        let real = Type::real(self.work.planner.options.precision);
        let one = self.builder.int(1);
        let first = stand.first;
        let start = self.block_start(closed, first);
        let end = self.block_end(closed, first);
        let end = self.builder.binary(Binary::Min, end, last);
        let missed = self.builder.compare(Compare::LessEqual, first, last);
        let starts = self.builder.compare(Compare::Equal, start, first);
        // Before a block, and where nothing is missing, V is 0: the last slot.
        let zero = self.builder.int(i64::from(STEPS));
        let before = self.builder.sub(first, one);
        let before = self.slot_of(before);
        let before = self.builder.select(starts, zero, before);
        let before = self.builder.select(missed, before, zero);
        let after = self.slot_of(end);
        let after_slot = self.builder.select(missed, after, zero);
        let slots = [before, after_slot].map(|slot| self.builder.mul(slot, columns));
        let phi = self.phi(closed, first, end);
        let first_slot = self.slot_of(first);
        let nothing = self.builder.real(Type::F64, 0.0);
        let (mut scale, mut traces) = (Vec::new(), Vec::new());
        for (number, trace) in stand.traces.iter().enumerate() {
            let (Some(trace), Some(ring)) = (*trace, closed.factors[number]) else {
                scale.push(None);
                traces.push(None);
                continue;
            };
            let at_first = self.recall(ring, first_slot);
            let quotient = self.builder.div(trace, at_first);
            let quotient = self.builder.select(missed, quotient, nothing);
            scale.push(Some(self.in_type(quotient, real)));
            let at_end = self.recall(ring, after);
            let decay = self.decay(&closed.affine.drives[number]);
            let next = self.builder.mul(quotient, at_end);
            traces.push(Some(self.builder.mul(next, decay)));
        }
        let next = Stand { first: self.builder.add(end, one), traces };
        Span { phi, scale, slots, next }
    }

    /// A(end) … A(first), in f64 until the end.
    fn phi(&mut self, closed: &Closed, first: ValueId, end: ValueId) -> Vec<Vec<Phi>> {
        let pattern = pattern(closed);
        let count = pattern.len();
        let spots: Vec<(usize, usize)> = (0..count)
            .flat_map(|row| (0..count).map(move |column| (row, column)))
            .filter(|&(row, column)| pattern[row][column] == Some(true))
            .collect();
        let fixed = |row: usize, column: usize| match pattern[row][column] {
            None => Phi::Zero,
            Some(_) => Phi::One,
        };
        let mut phi: Vec<Vec<Phi>> =
            (0..count).map(|row| (0..count).map(|column| fixed(row, column)).collect()).collect();
        if spots.is_empty() {
            return phi;
        }
        let one = self.builder.int(1);
        let past = self.builder.add(end, one);
        let step = index(self, "s");
        let mut carried = Vec::new();
        for &(row, column) in &spots {
            let initial = self.builder.real(Type::F64, if row == column { 1.0 } else { 0.0 });
            let [value, result] = [(); 2].map(|()| self.builder.defined(Type::F64));
            phi[row][column] = Phi::Value(value);
            carried.push((value, initial, result));
        }
        self.enter();
        let slot = self.slot_of(step);
        let matrix: Vec<Vec<Option<ValueId>>> = closed
            .matrix
            .iter()
            .map(|entries| entries.iter().map(|entry| self.entry(*entry, slot)).collect())
            .collect();
        let mut next = Vec::new();
        for &(row, column) in &spots {
            let mut sum = None;
            for middle in 0..count {
                let term = match (closed.matrix[row][middle], matrix[row][middle], phi[middle][column]) {
                    (Entry::Zero, ..) | (_, _, Phi::Zero) => continue,
                    (_, None, Phi::One) => self.builder.real(Type::F64, 1.0),
                    (_, None, Phi::Value(value)) => value,
                    (_, Some(entry), Phi::One) => entry,
                    (_, Some(entry), Phi::Value(value)) => self.builder.mul(entry, value),
                };
                sum = Some(self.plus(sum, term));
            }
            next.push(sum.unwrap_or_else(|| self.builder.real(Type::F64, 0.0)));
        }
        let body = self.leave();
        let list: Vec<Carried> = carried
            .iter()
            .zip(next)
            .map(|(&(value, initial, result), next)| Carried { value, initial, next, result })
            .collect();
        let statement = kernel::Loop {
            kind: LoopKind::Serial,
            index: step,
            start: Some(first),
            end: Some(past),
            carried: list,
            exit: None,
            body,
        };
        self.builder.push(kernel::Stmt::For(statement));
        let real = Type::real(self.work.planner.options.precision);
        for (&(row, column), &(.., result)) in spots.iter().zip(&carried) {
            phi[row][column] = Phi::Value(self.in_type(result, real));
        }
        phi
    }

    /// The states of the present synapse after the block, of those before it. `column` is the postsynaptic neuron.
    pub(super) fn caught_up(
        &mut self,
        closed: &Closed,
        (span, reach): (&Span, Reach),
        states: &[ValueId],
        column: ValueId,
    ) -> Vec<ValueId> {
        let real = Type::real(self.work.planner.options.precision);
        let at = span.slots.map(|slot| self.builder.add(slot, column));
        let mut virtual_rows = Vec::new();
        for rings in &closed.rings {
            let mut values = Vec::new();
            for ring in rings {
                let buffer = ring.map(|ring| self.buffer(ring, kernel::Access::Read));
                let [before, after] = at;
                let before = buffer.filter(|_| !reach.begins).map(|buffer| self.builder.load(buffer, before));
                values.push((before, buffer.map(|buffer| self.builder.load(buffer, after))));
            }
            virtual_rows.push(values);
        }
        let times = |emitter: &mut Self, phi: Phi, value: ValueId| match phi {
            Phi::Zero => None,
            Phi::One => Some(value),
            Phi::Value(phi) => Some(emitter.builder.mul(phi, value)),
        };
        let mut after = Vec::new();
        for (row, state) in closed.affine.states.iter().enumerate() {
            let mut sum = None;
            for (column, &value) in states.iter().enumerate() {
                if let Some(term) = times(self, span.phi[row][column], value) {
                    sum = Some(self.plus(sum, term));
                }
            }
            for (rows, scale) in virtual_rows.iter().zip(&span.scale) {
                let mut given = rows[row].1;
                for (column, values) in rows.iter().enumerate() {
                    let Some(before) = values.0 else { continue };
                    let Some(term) = times(self, span.phi[row][column], before) else { continue };
                    given = Some(match given {
                        Some(given) => self.builder.sub(given, term),
                        None => self.builder.unary(kernel::Unary::Negate, term),
                    });
                }
                let Some(given) = given else { continue };
                let given = scale.map_or(given, |scale| self.builder.mul(scale, given));
                sum = Some(self.plus(sum, given));
            }
            let mut value = sum.unwrap_or_else(|| self.builder.real(real, 0.0));
            for &(op, bound) in state.clips.iter().filter(|_| reach.ends) {
                let bound = self.value(bound);
                value = self.builder.binary(crate::plan::words::binary(op), value, bound);
            }
            after.push(value);
        }
        after
    }
}
