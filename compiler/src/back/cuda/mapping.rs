//! How the work of a kernel is laid over threads.
//!
//! In: the facts of a kernel. Out: a [`Mapping`]. What it may rely on is proved here, from the indices alone.
//!
//! A loop whose iterations are independent is *spread*: its iterations go to threads. That are all `Lanes` loops, and
//! `Serial` loops whose iterations touch different elements of everything that they write (`w[row + event_list[e]]`:
//! a list of events has no repetition). Everything around the spread loops is computed by every thread for itself, so
//! that no value has to be handed over.
//!
//! Where no thread ever reads or overwrites what another has written, threads need not wait for each other
//! ([`Mapping::Free`]): the warps of the whole grid share the blocks, the rows of a block where rows are independent,
//! and the strips of 32 threads' columns. A partial sum that a block's rows add up in a column stays free, since a
//! column always belongs to the same thread.
//!
//! Where a reduction, or an element that several threads touch, makes threads depend on each other, a warp takes a row
//! (if rows are independent) or a thread block takes a block ([`Mapping::Team`]); barriers stand after everything that
//! touches such elements.

use std::collections::HashSet;

use super::index::{Facts, Key, Unique};
use super::sites::{Access, accesses, is_independent, range_of, share_digit};
use crate::kernel::*;

/// How the work of a kernel is laid over threads.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapping {
    /// Threads never wait for each other.
    Free {
        /// The loop over a block's rows, where its iterations go to different warps.
        rows: Option<ValueId>,
        /// The end of the columns' range, where the loop over columns goes outside of the loop over rows.
        columns: Option<ValueId>,
    },
    /// A warp for each iteration of a loop over a block's rows.
    WarpPerRow(ValueId),
    /// A thread block for each block.
    ThreadBlock,
}

/// A mapping with what the writer needs to know of it.
pub(super) struct Plan {
    pub mapping: Mapping,
    /// The loops whose iterations go to threads, by their indices.
    pub spread: HashSet<ValueId>,
    /// The loop over a block's rows, independent or not.
    pub rows: Option<ValueId>,
    /// Buffers after whose use threads wait for each other.
    pub shared: HashSet<BufferId>,
}

/// Decides about a kernel; `body` is what is inside its loop over blocks.
pub(super) fn plan(facts: &Facts<'_>, body: &[Stmt]) -> Plan {
    let all = accesses(facts, body);
    let mut spread = HashSet::new();
    let cooperates = find_spread(facts, &all, body, &mut spread);
    let rows = rows_loop(body, &spread);
    let mut shared = HashSet::new();
    let written: HashSet<BufferId> = all.iter().map(|access| access.buffer).collect();
    for &buffer in &written {
        if !stays_with_threads(facts, &all, buffer, &spread, rows) {
            shared.insert(buffer);
        }
    }
    let independent = rows.filter(|&rows| {
        let all_inside = all.iter().all(|access| access.is_in(rows));
        all_inside && is_independent(facts, &all, rows)
    });
    let mapping = if cooperates || !shared.is_empty() {
        match independent {
            Some(rows) if !has_tile(body) => Mapping::WarpPerRow(rows),
            Some(_) | None => Mapping::ThreadBlock,
        }
    } else {
        Mapping::Free { rows: independent, columns: columns(facts, body, &spread, rows) }
    };
    Plan { mapping, spread, rows, shared }
}

/// Finds the outermost loops that can be spread; whether a reduction or a tile stands outside of them.
fn find_spread(facts: &Facts<'_>, all: &[Access], block: &[Stmt], spread: &mut HashSet<ValueId>) -> bool {
    let mut cooperates = false;
    for stmt in block {
        match stmt {
            Stmt::For(each) => {
                let plain = each.carried.is_empty() && each.exit.is_none();
                let stores = all.iter().any(|access| access.is_store && access.is_in(each.index));
                let alone = plain && stores && !holds_shared_work(&each.body);
                if each.kind == LoopKind::Lanes || alone && is_independent(facts, all, each.index) {
                    spread.insert(each.index);
                } else {
                    cooperates |= find_spread(facts, all, &each.body, spread);
                }
            }
            Stmt::If { then, otherwise, .. } => {
                cooperates |= find_spread(facts, all, then, spread);
                cooperates |= find_spread(facts, all, otherwise, spread);
            }
            Stmt::Reduce(_) | Stmt::Tile(_) | Stmt::Fill(_) => cooperates = true,
            Stmt::Let(_) | Stmt::Store { .. } | Stmt::Fetch(_) => {}
        }
    }
    cooperates
}

/// Whether a body has loops or reductions that threads can share.
fn holds_shared_work(block: &[Stmt]) -> bool {
    block.iter().any(|stmt| match stmt {
        Stmt::For(each) => each.kind == LoopKind::Lanes || holds_shared_work(&each.body),
        Stmt::If { then, otherwise, .. } => holds_shared_work(then) || holds_shared_work(otherwise),
        Stmt::Reduce(_) | Stmt::Tile(_) | Stmt::Fill(_) => true,
        Stmt::Let(_) | Stmt::Store { .. } | Stmt::Fetch(_) => false,
    })
}

fn has_tile(block: &[Stmt]) -> bool {
    block.iter().any(|stmt| match stmt {
        Stmt::Tile(_) | Stmt::Fill(_) => true,
        Stmt::For(each) => has_tile(&each.body),
        Stmt::If { then, otherwise, .. } => has_tile(then) || has_tile(otherwise),
        Stmt::Let(_) | Stmt::Store { .. } | Stmt::Reduce(_) | Stmt::Fetch(_) => false,
    })
}

/// The one serial loop of a block that has shared work inside.
fn rows_loop(body: &[Stmt], spread: &HashSet<ValueId>) -> Option<ValueId> {
    let mut found = body.iter().filter_map(|stmt| match stmt {
        Stmt::For(each) if each.kind == LoopKind::Serial && !spread.contains(&each.index) => Some(each),
        _ => None,
    });
    let rows = found.next()?;
    let simple = rows.carried.is_empty() && rows.exit.is_none();
    (simple && found.next().is_none()).then_some(rows.index)
}

/// Whether no element of a buffer is touched by two threads, one of them writing, if no thread waits.
fn stays_with_threads(
    facts: &Facts<'_>,
    all: &[Access],
    buffer: BufferId,
    spread: &HashSet<ValueId>,
    rows: Option<ValueId>,
) -> bool {
    let own: Vec<&Access> = all.iter().filter(|access| access.buffer == buffer).collect();
    let outside: Vec<&&Access> = own.iter().filter(|access| access.outermost(spread).is_none()).collect();
    if !outside.is_empty() {
        // The first thread alone stores what is outside of the spread loops.
        return outside.len() == own.len()
            && own.iter().all(|access| access.is_store && access.index.is_some());
    }
    let apart = rows.is_some_and(|rows| {
        own.iter().all(|access| access.is_in(rows))
            && share_digit(facts, &own, |_, digit| facts.unique(digit, rows))
    });
    own.iter().enumerate().all(|(number, a)| {
        own[number..].iter().all(|b| {
            let (Some(loop_a), Some(loop_b)) = (a.outermost(spread), b.outermost(spread)) else {
                return false;
            };
            // Loops around both that are not spread bring the accesses together again, in other iterations, unless
            // these touch other elements.
            let again = a.common_loops(b).take_while(|index| !spread.contains(index));
            let again = again.filter(|&index| !(apart && Some(index) == rows)).count() > 0;
            !again && (loop_a == loop_b || a.excludes(b)) || is_aligned(facts, a, loop_a, b, loop_b)
        })
    })
}

/// Whether two accesses in spread loops of the same range meet only in the same iteration, and so in the same thread.
fn is_aligned(facts: &Facts<'_>, a: &Access, loop_a: ValueId, b: &Access, loop_b: ValueId) -> bool {
    let same_range = range_of(facts, loop_a).is_some() && range_of(facts, loop_a) == range_of(facts, loop_b);
    same_range
        && share_digit(facts, &[a, b], |access, digit| {
            let own = if std::ptr::eq(access, a) { loop_a } else { loop_b };
            // Both loops share the range, so that the iteration stands for the thread.
            (digit == own).then_some(Unique::Index(loop_a))
        })
}

/// The common end of all spread loops, where the loop over columns can go outside: all begin at 0, and stand in the
/// block or in its loop over rows with nothing but branches around them.
fn columns(
    facts: &Facts<'_>,
    body: &[Stmt],
    spread: &HashSet<ValueId>,
    rows: Option<ValueId>,
) -> Option<ValueId> {
    fn is_flat(block: &[Stmt], spread: &HashSet<ValueId>) -> bool {
        block.iter().all(|stmt| match stmt {
            Stmt::Let(_) => true,
            Stmt::For(each) => spread.contains(&each.index),
            Stmt::If { then, otherwise, .. } => is_flat(then, spread) && is_flat(otherwise, spread),
            Stmt::Store { .. } | Stmt::Reduce(_) | Stmt::Tile(_) | Stmt::Fill(_) | Stmt::Fetch(_) => false,
        })
    }
    let mut end = None;
    for &index in spread {
        let each = facts.loop_of(index)?;
        let from_zero = each.start.is_some_and(|start| facts.key(start) == Key::Number(0));
        let own = each.end?;
        if !from_zero || each.kind != LoopKind::Lanes || matches!(facts.key(own), Key::Value(_)) {
            return None;
        }
        if end.is_some_and(|end| facts.key(end) != facts.key(own)) {
            return None;
        }
        end = end.max(Some(own));
    }
    let straight = body.iter().all(|stmt| match stmt {
        Stmt::Let(_) => true,
        Stmt::For(each) if Some(each.index) == rows => is_flat(&each.body, spread),
        Stmt::For(each) => spread.contains(&each.index),
        Stmt::Store { .. }
        | Stmt::If { .. }
        | Stmt::Reduce(_)
        | Stmt::Tile(_)
        | Stmt::Fill(_)
        | Stmt::Fetch(_) => false,
    });
    if straight { end } else { None }
}
