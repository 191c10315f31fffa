//! The arrays of a program.

use std::collections::HashMap;

use super::Options;
use super::layout::{Layout, Place};
use super::program::{Count, Role, Size, Storage, StorageId, Table};
use super::words::table_name;
use crate::arena::Arena;
use crate::ir::{self, Shape, SiteId, VarId, VarKind};
use crate::kernel::{Precision, Side, Type};

/// The arrays of a program as they are needed.
pub(super) struct Storages {
    arena: Arena<Storage>,
    variables: HashMap<VarId, StorageId>,
    roles: HashMap<Role, StorageId>,
    scratch: u32,
    rings: u32,
    histories: u32,
    carried: u32,
    layout: Layout,
}

impl Storages {
    /// The arrays of the rule's variables, in their order.
    pub(super) fn new(rule: &ir::Rule, options: &Options) -> Self {
        let layout = Layout::new(options);
        let mut storages = Self {
            arena: Arena::new(),
            variables: HashMap::new(),
            roles: HashMap::new(),
            scratch: 0,
            rings: 0,
            histories: 0,
            carried: 0,
            layout,
        };
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
            let mut shape = layout.axes(layout.place(variable.shape));
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
                | ir::Distribution::Beta => Type::real(options.precision),
            };
            storages.draws(site, rule.sites[site].shape, ty);
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
    pub(super) fn draws(&mut self, site: SiteId, shape: Shape, ty: Type) -> StorageId {
        let role = Role::Draws(site);
        let name = format!("%draw_{}", site.index());
        let storage = Storage { name, role, ty, shape: self.layout.axes(self.layout.place(shape)) };
        *self.roles.entry(role).or_insert_with(|| self.arena.push(storage))
    }

    /// An array that one launch leaves for another.
    pub(super) fn scratch(&mut self, ty: Type, shape: Vec<Size>) -> StorageId {
        let name = format!("%scratch_{}", self.scratch);
        self.scratch += 1;
        self.arena.push(Storage { name, role: Role::Scratch, ty, shape })
    }

    /// A table of the topology.
    pub(super) fn table(&mut self, table: Table) -> StorageId {
        let role = Role::Index(table);
        let shape = vec![Size::Count(table.length())];
        let ty = if table.is_wide() { Type::I64 } else { Type::I32 };
        let storage = Storage { name: table_name(table).to_string(), role, ty, shape };
        *self.roles.entry(role).or_insert_with(|| self.arena.push(storage))
    }

    /// The values of the last steps at a place; `length` is a result of the prologue.
    pub(super) fn ring(&mut self, ty: Type, place: Place, length: usize) -> StorageId {
        let mut shape = vec![Size::Prologue(length)];
        shape.extend(self.layout.axes(place));
        let (name, role) = (format!("%past_{}", self.rings), Role::Ring(self.rings));
        self.rings += 1;
        self.arena.push(Storage { name, role, ty, shape })
    }

    /// A value of the last steps, for rows that lag behind.
    pub(super) fn history(&mut self, ty: Type, shape: Vec<Size>) -> StorageId {
        let (name, role) = (format!("%history_{}", self.histories), Role::History(self.histories));
        self.histories += 1;
        self.arena.push(Storage { name, role, ty, shape })
    }

    /// What each row needs of the step that its mark says.
    pub(super) fn carried(&mut self, ty: Type, shape: Vec<Size>) -> StorageId {
        let (name, role) = (format!("%carried_{}", self.carried), Role::Carried(self.carried));
        self.carried += 1;
        self.arena.push(Storage { name, role, ty, shape })
    }

    /// A copy of an array, for whoever looks at it.
    pub(super) fn view(&mut self, of: StorageId) -> StorageId {
        let Storage { name, ty, shape, .. } = self.arena[of].clone();
        self.once(Role::View(of), &format!("%view_{name}"), ty, shape)
    }

    /// Up to which step each row is up to date.
    pub(super) fn marks(&mut self) -> StorageId {
        self.once(Role::Marks, "%marks", Type::I64, vec![Size::Count(Count::Pre)])
    }

    /// The one array of a role.
    pub(super) fn once(&mut self, role: Role, name: &str, ty: Type, shape: Vec<Size>) -> StorageId {
        let storage = Storage { name: name.to_string(), role, ty, shape };
        *self.roles.entry(role).or_insert_with(|| self.arena.push(storage))
    }

    fn shared(&mut self, role: Role, name: &str, ty: Type, side: Side) -> StorageId {
        let count = match side {
            Side::Pre => Count::Pre,
            Side::Post => Count::Post,
        };
        let mut shape = vec![Size::Count(count)];
        if self.layout.batched && matches!(role, Role::Spikes(_)) {
            shape.insert(0, Size::Count(Count::Batch));
        }
        self.once(role, name, ty, shape)
    }
}

/// `pre` or `post`.
pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Pre => "pre",
        Side::Post => "post",
    }
}

/// The machine type of a value that is kept.
pub(super) fn machine_type(ty: ir::Type, precision: Precision) -> Type {
    match ty {
        ir::Type::Wide => Type::F64,
        ir::Type::Real => Type::real(precision),
        ir::Type::Int => Type::I64,
        ir::Type::Bool => Type::Bool,
    }
}
