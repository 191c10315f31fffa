//! The arrays of a program.

use std::collections::HashMap;

use super::Options;
use super::program::{Count, Role, Size, Storage, StorageId};
use crate::arena::Arena;
use crate::ir::{self, Domain, SiteId, VarId, VarKind};
use crate::kernel::{Precision, Side, Type};

/// The arrays of a program as they are needed.
pub(super) struct Storages {
    arena: Arena<Storage>,
    variables: HashMap<VarId, StorageId>,
    roles: HashMap<Role, StorageId>,
    scratch: u32,
}

impl Storages {
    /// The arrays of the rule's variables, in their order.
    pub(super) fn new(rule: &ir::Rule, options: &Options) -> Self {
        let mut storages =
            Self { arena: Arena::new(), variables: HashMap::new(), roles: HashMap::new(), scratch: 0 };
        for (id, variable) in rule.variables.iter() {
            let kept = match variable.kind {
                // A global parameter is a number of the prologue.
                VarKind::Param => variable.ty != ir::Type::Wide,
                VarKind::Proposal { .. } => rule.apply_when != ir::When::EveryStep,
                VarKind::State | VarKind::Plastic { .. } | VarKind::Input { .. } | VarKind::Output => true,
                VarKind::Extern => crate::ice!("`{}` has not been resolved", variable.address()),
            };
            if !kept {
                continue;
            }
            let mut shape = domain_shape(variable.shape.domain);
            if let Some(length) = variable.length {
                shape.push(Size::Constant(u64::from(length)));
            }
            let storage = Storage {
                name: variable.address(),
                role: Role::Variable(id),
                ty: machine_type(variable.ty, options.precision),
                shape,
            };
            let storage = storages.arena.push(storage);
            storages.variables.insert(id, storage);
        }
        // The host's values have a place even where no kernel reads them in the end.
        for &site in &options.given_draws {
            let ty = match rule.sites[site].distribution {
                ir::Distribution::Bernoulli => Type::Bool,
                ir::Distribution::Uniform
                | ir::Distribution::Normal
                | ir::Distribution::LogNormal
                | ir::Distribution::Exponential
                | ir::Distribution::Gamma
                | ir::Distribution::Beta => options.precision.ty(),
            };
            storages.draws(site, rule.sites[site].shape.domain, ty);
        }
        storages
    }

    pub(super) fn into_arena(self) -> Arena<Storage> {
        self.arena
    }

    pub(super) fn get(&self, id: StorageId) -> &Storage {
        &self.arena[id]
    }

    /// The array of a variable.
    pub(super) fn variable(&self, variable: VarId) -> StorageId {
        match self.variables.get(&variable) {
            Some(&storage) => storage,
            None => crate::ice!("variable {variable:?} has no storage"),
        }
    }

    /// Which neurons of a side spike, one byte each.
    pub(super) fn spikes(&mut self, side: Side) -> StorageId {
        self.shared(Role::Spikes(side), &format!("%{}_spikes", side_word(side)), Type::Bool, side)
    }

    /// The list of the neurons of a side that spike.
    pub(super) fn events(&mut self, side: Side) -> StorageId {
        self.shared(Role::Events(side), &format!("%{}_events", side_word(side)), Type::I32, side)
    }

    /// The values that the host gives for a draw.
    pub(super) fn draws(&mut self, site: SiteId, domain: Domain, ty: Type) -> StorageId {
        let role = Role::Draws(site);
        let name = format!("%draw_{}", site.index());
        let storage = Storage { name, role, ty, shape: domain_shape(domain) };
        *self.roles.entry(role).or_insert_with(|| self.arena.push(storage))
    }

    /// An array that one launch leaves for another.
    pub(super) fn scratch(&mut self, ty: Type, shape: Vec<Size>) -> StorageId {
        let name = format!("%scratch_{}", self.scratch);
        self.scratch += 1;
        self.arena.push(Storage { name, role: Role::Scratch, ty, shape })
    }

    fn shared(&mut self, role: Role, name: &str, ty: Type, side: Side) -> StorageId {
        let count = match side {
            Side::Pre => Count::Pre,
            Side::Post => Count::Post,
        };
        let storage = Storage { name: name.to_string(), role, ty, shape: vec![Size::Count(count)] };
        *self.roles.entry(role).or_insert_with(|| self.arena.push(storage))
    }
}

/// `pre` or `post`.
pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Pre => "pre",
        Side::Post => "post",
    }
}

/// The axes of one value per element of a domain, on a dense group.
pub(super) fn domain_shape(domain: Domain) -> Vec<Size> {
    match domain {
        Domain::Global => vec![],
        Domain::Pre | Domain::PreChannel => vec![Size::Count(Count::Pre)],
        Domain::Post | Domain::PostChannel => vec![Size::Count(Count::Post)],
        Domain::Synapse => vec![Size::Count(Count::Pre), Size::Count(Count::Post)],
    }
}

/// The machine type of a value that is kept.
pub(super) fn machine_type(ty: ir::Type, precision: Precision) -> Type {
    match ty {
        ir::Type::Wide => Type::F64,
        ir::Type::Real => precision.ty(),
        ir::Type::Int => Type::I64,
        ir::Type::Bool => Type::Bool,
    }
}
