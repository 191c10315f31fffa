//! Which values of a loop differ from lane to lane, and whether the loop can run four lanes at once.

use crate::arena::HandleSet;
use crate::kernel::*;

/// Some values of a kernel.
pub(super) type Values = HandleSet<Value>;
/// Values that differ between the lanes of a loop.
pub(super) type Varying = Values;

/// The varying values of a body whose index varies; nothing where an inner branch, bound or exit varies, or where
/// an inner loop is itself one that could run four lanes at once.
pub(super) fn varying(kernel: &Kernel, index: ValueId, body: &[Stmt]) -> Option<Varying> {
    let mut varying = Varying::from_iter([index]);
    // A carried value may turn out to vary after its loop has been seen: until nothing is added.
    loop {
        let before = varying.len();
        visit(kernel, body, &mut varying)?;
        if varying.len() == before {
            return Some(varying);
        }
    }
}

fn visit(kernel: &Kernel, body: &[Stmt], varying: &mut Varying) -> Option<()> {
    for stmt in body {
        match stmt {
            Stmt::Let(value) => {
                if operands(&kernel.values[*value].op).iter().any(|operand| varying.contains(operand)) {
                    varying.insert(*value);
                }
            }
            Stmt::Store { .. } => {}
            Stmt::If { condition, then, otherwise, results } => {
                uniform(varying, [*condition])?;
                visit(kernel, then, varying)?;
                visit(kernel, otherwise, varying)?;
                for result in results {
                    if varying.contains(&result.then) || varying.contains(&result.otherwise) {
                        varying.insert(result.value);
                    }
                }
            }
            Stmt::For(inner) => {
                if inner.kind != LoopKind::Serial {
                    return None;
                }
                uniform(varying, inner.start.into_iter().chain(inner.end))?;
                for carried in &inner.carried {
                    if varying.contains(&carried.initial) || varying.contains(&carried.next) {
                        varying.extend([carried.value, carried.result]);
                    }
                }
                visit(kernel, &inner.body, varying)?;
                uniform(varying, inner.exit)?;
            }
            Stmt::Reduce(reduce) => {
                uniform(varying, [reduce.count])?;
                visit(kernel, &reduce.body, varying)?;
                uniform(varying, reduce.slot.into_iter().flat_map(|slot| [slot.index, slot.extent]))?;
                let mut parts = term_values(reduce.term);
                parts.extend(reduce.gate);
                if parts.iter().any(|part| varying.contains(part)) {
                    varying.insert(reduce.result);
                }
            }
            Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => return None,
        }
    }
    Some(())
}

/// Whether a loop writes to places that are apart: then lanes have to be taken from one another again.
pub(super) fn scatters(kernel: &Kernel, varying: &Varying, inner: &Loop) -> bool {
    let apart = |index: ValueId| index != inner.index && !is_affine(kernel, varying, inner.index, index);
    inner.body.iter().any(|stmt| matches!(stmt, Stmt::Store { index, .. } if apart(*index)))
}

/// Whether an index grows by a fixed step from lane to lane.
fn is_affine(kernel: &Kernel, varying: &Varying, loop_index: ValueId, value: ValueId) -> bool {
    if value == loop_index || !varying.contains(&value) {
        return true;
    }
    let of = |value: ValueId| is_affine(kernel, varying, loop_index, value);
    let Op::Binary(op, a, b) = kernel.values[value].op else { return false };
    match op {
        Binary::Add | Binary::Subtract => of(a) && of(b),
        Binary::Multiply => of(a) && of(b) && !(varying.contains(&a) && varying.contains(&b)),
        Binary::Divide
        | Binary::Remainder
        | Binary::Min
        | Binary::Max
        | Binary::MultiplyHigh
        | Binary::And
        | Binary::Or
        | Binary::Xor
        | Binary::ShiftLeft
        | Binary::ShiftRight
        | Binary::ShiftRightSigned => false,
    }
}

fn uniform(varying: &Varying, values: impl IntoIterator<Item = ValueId>) -> Option<()> {
    values.into_iter().all(|value| !varying.contains(&value)).then_some(())
}

fn term_values(term: Term) -> Vec<ValueId> {
    match term {
        Term::Value(value) => vec![value],
        Term::Product(a, b) => vec![a, b],
    }
}

/// What an operation uses.
pub(super) fn operands(op: &Op) -> Vec<ValueId> {
    match op {
        Op::Defined | Op::Constant(_) | Op::Scalar(_) => Vec::new(),
        Op::Unary(_, a) | Op::Convert(_, a) | Op::Load(_, a) => vec![*a],
        Op::Binary(_, a, b) | Op::Compare(_, a, b) => vec![*a, *b],
        Op::Fma(a, b, c) | Op::Select(a, b, c) => vec![*a, *b, *c],
        Op::Math(_, values) => values.clone(),
        Op::Random(random) => {
            vec![random.attempt, random.run, random.step, random.seed, random.row, random.column]
        }
    }
}

/// The `Let`s at the top of a body that give the same value in every iteration and may be evaluated before the
/// loop, given that the loop has an iteration: what they use comes from outside, and what they load is not stored.
pub(super) fn hoistable(kernel: &Kernel, index: ValueId, body: &[Stmt]) -> Vec<ValueId> {
    let mut local = Values::from_iter([index]);
    let mut stored = HandleSet::default();
    definitions(body, &mut local, &mut stored);
    let mut hoisted = Vec::new();
    for stmt in body {
        let Stmt::Let(value) = stmt else { continue };
        let op = &kernel.values[*value].op;
        let loads_stored = matches!(op, Op::Load(buffer, _) if stored.contains(buffer));
        if !loads_stored && operands(op).iter().all(|operand| !local.contains(operand)) {
            local.remove(value);
            hoisted.push(*value);
        }
    }
    hoisted
}

fn definitions(body: &[Stmt], values: &mut Values, stored: &mut HandleSet<Buffer>) {
    for stmt in body {
        match stmt {
            Stmt::Let(value) => {
                values.insert(*value);
            }
            Stmt::Store { buffer, .. } => {
                stored.insert(*buffer);
            }
            Stmt::If { then, otherwise, results, .. } => {
                definitions(then, values, stored);
                definitions(otherwise, values, stored);
                values.extend(results.iter().map(|result| result.value));
            }
            Stmt::For(inner) => {
                values.insert(inner.index);
                values.extend(inner.carried.iter().flat_map(|carried| [carried.value, carried.result]));
                definitions(&inner.body, values, stored);
            }
            Stmt::Reduce(reduce) => {
                values.extend([reduce.index, reduce.result]);
                definitions(&reduce.body, values, stored);
            }
            Stmt::Tile(tile) => {
                stored.insert(tile.into);
            }
            Stmt::Fill(fill) => {
                stored.insert(fill.into);
            }
            Stmt::Fetch(_) => {}
        }
    }
}

/// How many statements a body has, with those inside.
pub(super) fn statements(body: &[Stmt]) -> usize {
    body.iter()
        .map(|stmt| match stmt {
            Stmt::Let(_) | Stmt::Store { .. } | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => 1,
            Stmt::If { then, otherwise, .. } => 1 + statements(then) + statements(otherwise),
            Stmt::For(inner) => 1 + statements(&inner.body),
            Stmt::Reduce(reduce) => 1 + statements(&reduce.body),
        })
        .sum()
}

/// Whether a body holds loops, of whatever kind.
pub(super) fn has_loops(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Let(_) | Stmt::Store { .. } => false,
        Stmt::If { then, otherwise, .. } => has_loops(then) || has_loops(otherwise),
        Stmt::For(_) | Stmt::Reduce(_) | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => true,
    })
}

/// The buffers that a body without loops loads from and stores to.
pub(super) fn buffers(body: &[Stmt], kernel: &Kernel) -> Vec<BufferId> {
    let mut used = HandleSet::default();
    touched(body, kernel, &mut used);
    kernel.buffers.handles().filter(|buffer| used.contains(buffer)).collect()
}

fn touched(body: &[Stmt], kernel: &Kernel, used: &mut HandleSet<Buffer>) {
    for stmt in body {
        match stmt {
            Stmt::Let(value) => {
                if let Op::Load(buffer, _) = kernel.values[*value].op {
                    used.insert(buffer);
                }
            }
            Stmt::Store { buffer, .. } => {
                used.insert(*buffer);
            }
            Stmt::If { then, otherwise, .. } => {
                touched(then, kernel, used);
                touched(otherwise, kernel, used);
            }
            Stmt::For(_) | Stmt::Reduce(_) | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => {}
        }
    }
}
