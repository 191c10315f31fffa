//! Selections by what is the same in all iterations of a loop.

use crate::kernel::{Kernel, Op, Stmt, ValueId};

/// The condition that decides most selections of a loop's body, of those that `decides` allows for a selection: a loop for each of
/// its two values does not compute what is thrown away. With it, how many it decides.
pub(super) fn decisive(
    kernel: &Kernel,
    body: &[Stmt],
    decides: impl Fn(ValueId, ValueId) -> bool,
) -> Option<(ValueId, usize)> {
    let mut counts: Vec<(ValueId, usize)> = Vec::new();
    for stmt in body {
        let Stmt::Let(value) = stmt else { continue };
        let Op::Select(condition, ..) = kernel.values[*value].op else { continue };
        if !decides(*value, condition) {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == condition) {
            Some((_, count)) => *count += 1,
            None => counts.push((condition, 1)),
        }
    }
    // The first of those that decide as much: nothing depends on an order of hashes.
    counts.into_iter().rev().max_by_key(|&(_, count)| count)
}
