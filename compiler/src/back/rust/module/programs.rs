//! Which programs a module has on a topology, and what they leave behind.

use std::collections::BTreeSet;

use super::Settings;
use super::plans::Planned;
use crate::diag::Diagnostics;
use crate::kernel::{Access, Precision};
use crate::plan::program::{Action, Program, StorageId};
use crate::plan::{self, Options, PlanChoice};
use crate::topology::Kind;

/// The programs of all variants on a topology in a precision, then those for groups that are large, where they differ.
pub(super) fn programs(
    (kind, batched, precision): (Kind, bool, Precision),
    variants: &[Planned],
    settings: &Settings,
) -> Result<Vec<(Options, usize, Program)>, Diagnostics> {
    let has_rows = matches!(kind, Kind::Dense | Kind::Sparse);
    let choice = match settings.plan {
        // Modules with a batch look at every synapse: what spikes in it is not listed.
        _ if batched => PlanChoice::FullPass,
        PlanChoice::Replay | PlanChoice::ClosedForm if !has_rows => PlanChoice::Auto,
        choice => choice,
    };
    let mut found = Vec::new();
    for large in [false, true] {
        if large && !(has_rows && choice == PlanChoice::Auto) {
            continue;
        }
        for (variant, rule) in variants.iter().enumerate() {
            let options = Options {
                precision,
                topology: kind,
                batched,
                tiles: batched,
                strips: true,
                given_values: rule.zero.clone(),
                given_draws: rule.draws.clone(),
                choice,
                large,
            };
            // Rows are left behind only where spikes alone change synapses.
            if large && !found.iter().any(|(_, of, program)| *of == variant && has_events(program)) {
                continue;
            }
            let program = plan::compile(&rule.rule, &options)?;
            if !large || program.lazy.is_some() {
                found.push((options, variant, program));
            }
        }
    }
    Ok(found)
}

/// Whether a step, or what it learns, has a choice.
fn has_events(program: &Program) -> bool {
    let sections = [Some(&program.step), program.commit.as_ref().map(|commit| &commit.section)];
    let mut actions = sections.into_iter().flatten().flat_map(|section| &section.actions);
    actions.any(|action| matches!(action, Action::Choose(_)))
}

/// The arrays that bringing rows up to date, or showing them, writes.
pub(super) fn lagging(program: &Program) -> BTreeSet<StorageId> {
    let Some(lazy) = &program.lazy else { return BTreeSet::new() };
    let mut found: BTreeSet<StorageId> = lazy.lagging.iter().copied().collect();
    let view = lazy.view.iter().map(|view| &view.section);
    for action in view.chain([&lazy.flush]).flat_map(|section| &section.actions) {
        let Action::Launch(launch) = action else { crate::ice!("rows are brought up to date by launches") };
        let kernel = &program.kernels[launch.kernel];
        let written = kernel.buffers.iter().zip(&launch.buffers);
        let written = written.filter(|((_, buffer), _)| buffer.access != Access::Read);
        found.extend(written.map(|(_, storage)| *storage));
    }
    found
}
