//! What stays when creation is carried out again: what the host has given, and the topology's tables.

use aplysia_compiler::ir::{Rule, VarKind};
use aplysia_compiler::plan::program::Role;

/// What stays when creation is carried out again.
pub(crate) trait Keeps {
    /// Whether the array of a role is one of them.
    fn keeps(&self, role: Role) -> bool;
}

impl Keeps for Rule {
    fn keeps(&self, role: Role) -> bool {
        match role {
            Role::Variable(variable) => {
                matches!(self.variables[variable].kind, VarKind::Param | VarKind::Input { .. })
            }
            Role::Draws(_) | Role::Index(_) => true,
            // A fresh machine has its own past, and nothing that lags behind.
            Role::Events(_) | Role::Spikes(_) | Role::Scratch | Role::Ring(_) => false,
            Role::EventHistory(_) | Role::EventCounts(_) | Role::History(_) | Role::Marks => false,
            Role::Carried(_) | Role::View(_) => false,
        }
    }
}
