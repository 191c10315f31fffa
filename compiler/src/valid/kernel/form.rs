//! How values change over the iterations of lanes loops.
//!
//! A value is invariant if all that it is made of is; the index of a lanes loop is contiguous, and so is it plus or
//! minus something invariant. A load is invariant if its index is and the kernel does not write the buffer. What a
//! loop inside carries is not followed.

use std::collections::HashMap;

use super::{IndexForm, KernelInfo};
use crate::kernel::*;

/// Fills in the forms of all lanes loops.
pub(super) fn classify(kernel: &Kernel, info: &mut KernelInfo) {
    let mut found = Vec::new();
    find(kernel, info, &kernel.body, &mut found);
    info.forms = found.into_iter().collect();
}

fn find(
    kernel: &Kernel,
    info: &KernelInfo,
    block: &[Stmt],
    found: &mut Vec<(ValueId, HashMap<ValueId, IndexForm>)>,
) {
    for stmt in block {
        match stmt {
            Stmt::For(each) => {
                if each.kind == LoopKind::Lanes {
                    let mut forms = Forms { kernel, info, changing: HashMap::new() };
                    forms.set(each.index, IndexForm::Contiguous);
                    forms.block(&each.body);
                    found.push((each.index, forms.changing));
                }
                find(kernel, info, &each.body, found);
            }
            Stmt::If { then, otherwise, .. } => {
                find(kernel, info, then, found);
                find(kernel, info, otherwise, found);
            }
            Stmt::Reduce(reduce) => find(kernel, info, &reduce.body, found),
            Stmt::Let(_) | Stmt::Store { .. } | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => {}
        }
    }
}

/// The forms for one lanes loop.
struct Forms<'a> {
    kernel: &'a Kernel,
    info: &'a KernelInfo,
    changing: HashMap<ValueId, IndexForm>,
}

impl Forms<'_> {
    fn set(&mut self, value: ValueId, form: IndexForm) {
        if form != IndexForm::Invariant {
            self.changing.insert(value, form);
        }
    }

    fn of(&self, value: ValueId) -> IndexForm {
        self.changing.get(&value).copied().unwrap_or(IndexForm::Invariant)
    }

    /// `Invariant` if all values are, else `Other`.
    fn all(&self, values: &[ValueId]) -> IndexForm {
        let invariant = values.iter().all(|&value| self.of(value) == IndexForm::Invariant);
        if invariant { IndexForm::Invariant } else { IndexForm::Other }
    }

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            match stmt {
                Stmt::Let(value) => {
                    let form = self.op(&self.kernel.values[*value].op);
                    self.set(*value, form);
                }
                Stmt::Store { .. } | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => {}
                Stmt::If { condition, then, otherwise, results } => {
                    self.block(then);
                    self.block(otherwise);
                    for result in results {
                        let form = self.all(&[*condition, result.then, result.otherwise]);
                        self.set(result.value, form);
                    }
                }
                Stmt::For(each) => self.each(each),
                Stmt::Reduce(reduce) => self.reduce(reduce),
            }
        }
    }

    /// The iterations of a loop inside run side by side: its index changes only if its start does.
    fn each(&mut self, each: &Loop) {
        let start = each.start.map_or(IndexForm::Other, |start| self.all(&[start]));
        self.set(each.index, start);
        for carried in &each.carried {
            self.set(carried.value, IndexForm::Other);
            self.set(carried.result, IndexForm::Other);
        }
        self.block(&each.body);
    }

    fn reduce(&mut self, reduce: &Reduce) {
        self.block(&reduce.body);
        let mut parts = match reduce.term {
            Term::Value(value) => vec![reduce.count, value],
            Term::Product(a, b) => vec![reduce.count, a, b],
        };
        parts.extend(reduce.gate);
        parts.extend(reduce.slot.into_iter().flat_map(|slot| [slot.index, slot.extent]));
        let form = self.all(&parts);
        self.set(reduce.result, form);
    }

    fn op(&self, op: &Op) -> IndexForm {
        use IndexForm::{Contiguous, Invariant};
        match op {
            Op::Constant(_) | Op::Scalar(_) => Invariant,
            Op::Defined => IndexForm::Other,
            Op::Binary(Binary::Add, a, b) => match (self.of(*a), self.of(*b)) {
                (Invariant, other) | (other, Invariant) => other,
                (Contiguous | IndexForm::Other, _) => IndexForm::Other,
            },
            Op::Binary(Binary::Subtract, a, b) if self.of(*b) == Invariant => self.of(*a),
            Op::Unary(_, a) | Op::Convert(_, a) => self.all(&[*a]),
            Op::Binary(_, a, b) | Op::Compare(_, a, b) => self.all(&[*a, *b]),
            Op::Fma(a, b, c) | Op::Select(a, b, c) => self.all(&[*a, *b, *c]),
            Op::Load(buffer, _) if self.info.is_written(*buffer) => IndexForm::Other,
            Op::Load(_, index) => self.all(&[*index]),
            Op::Math(_, arguments) => self.all(arguments),
            Op::Random(random) => {
                let Random { site: _, attempt, run, step, seed, row, column } = random;
                self.all(&[*attempt, *run, *step, *seed, *row, *column])
            }
        }
    }
}
