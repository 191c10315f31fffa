//! Verifies a kernel and yields the facts that back ends demand.
//!
//! In goes a kernel; out comes its [`KernelInfo`], or everything that is wrong with it. Verified is that
//!
//! * buffers have names that are not empty and differ, so have scalars; lengths and items are `i64` scalars of the
//!   kernel or constants; a block holds at least one item;
//! * every value is defined at most once, by a statement that fits it: a `Let` evaluates an operation, a loop, branch
//!   or reduction defines a `Defined` value; every use is below the definition, in its block or one inside;
//! * the operands of every operation have the types that the operation takes, and its value has the type it gives;
//!   a buffer's index is `i64`, a stored value has the buffer's type, a gate, condition or exit is `bool`;
//! * there is exactly one `Blocks` loop, outermost, without bounds; outside it stand only `Let`s, and these load only
//!   from buffers that the kernel does not write;
//! * every other loop has both bounds, `i64`; only `Serial` loops carry values or have an exit; a carried value has
//!   one type at the start, in the loop and after it;
//! * a branch's result has one type on both sides;
//! * the body of a reduction has no stores and no tiles; `Sum` takes floats and integers, `Min` and `Max` floats,
//!   `Count` a `bool` and gives `i64`; a product is of two floats, under `Sum`; `Pairwise` has values without gates;
//! * a tile product reads two buffers and writes a third, all of one float type;
//! * a buffer is loaded from if and only if its access says so, and stored to likewise;
//! * blocks nest at most [`MAX_DEPTH`] deep.
//!
//! Not verified: that indices are in range and that the iterations of `Lanes` are independent. The kernel's author
//! guarantees both; the interpreter verifies the first.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::rc::Rc;

pub use crate::kernel::parse::MAX_DEPTH;
use crate::kernel::print::value_names;
use crate::kernel::*;

mod form;
mod info;
mod statement;
mod types;

#[cfg(test)]
mod tests;

pub use info::{BufferUse, IndexForm, KernelInfo, Site};

/// Verifies a kernel.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn validate(kernel: &Kernel) -> Result<KernelInfo, Vec<String>> {
    let count = kernel.values.len();
    let mut validator = Validator {
        kernel,
        errors: Vec::new(),
        names: Rc::new(Names { kernel, found: OnceCell::new() }),
        defined: vec![false; count],
        visible: vec![false; count],
        scope: Vec::new(),
        depth: 0,
        loops: 0,
        inside_blocks: false,
        inside_reduce: false,
        blocks_loops: 0,
        lanes: Vec::new(),
        info: KernelInfo::new(kernel),
    };
    validator.declarations();
    validator.block(&kernel.body, |_| {});
    if validator.blocks_loops != 1 {
        validator.errors.push(format!("there are {} loops over blocks, not one", validator.blocks_loops));
    }
    validator.accesses();
    if !validator.errors.is_empty() {
        return Err(validator.errors);
    }
    let mut info = validator.info;
    form::classify(kernel, &mut info);
    Ok(info)
}

/// What is known at a place of the kernel.
struct Validator<'a> {
    kernel: &'a Kernel,
    errors: Vec<String>,
    names: Rc<Names<'a>>,
    /// By value: whether a statement above has defined it.
    defined: Vec<bool>,
    /// By value: whether it may be used here.
    visible: Vec<bool>,
    /// The visible values, inner blocks last.
    scope: Vec<ValueId>,
    /// How many blocks are open.
    depth: usize,
    /// How many loops and reductions are around the place.
    loops: u32,
    inside_blocks: bool,
    inside_reduce: bool,
    blocks_loops: u32,
    /// The indices of the lanes loops around the place.
    lanes: Vec<ValueId>,
    info: KernelInfo,
}

/// What values are called in the text; made when the first error needs it.
struct Names<'a> {
    kernel: &'a Kernel,
    found: OnceCell<Vec<String>>,
}

/// A value that an error may have to name.
struct Definition<'a> {
    names: Rc<Names<'a>>,
    id: ValueId,
}

impl Display for Definition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.found.get_or_init(|| value_names(self.names.kernel));
        match names.get(self.id.index()) {
            Some(name) => write!(f, "`{name}`"),
            None => write!(f, "a value that the kernel lacks"),
        }
    }
}

impl<'a> Validator<'a> {
    fn definition(&self, id: ValueId) -> Definition<'a> {
        Definition { names: Rc::clone(&self.names), id }
    }

    fn error(&mut self, message: impl Into<String>) {
        self.errors.push(message.into());
    }

    /// Reports `message` unless `holds`.
    fn demand(&mut self, holds: bool, message: impl FnOnce(&Self) -> String) {
        if !holds {
            let message = message(self);
            self.errors.push(message);
        }
    }

    fn name(&self, value: ValueId) -> String {
        self.definition(value).to_string()
    }

    fn buffer_name(&self, buffer: BufferId) -> String {
        self.kernel
            .buffers
            .get(buffer)
            .map_or_else(|| "a lacking buffer".to_string(), |b| format!("`{}`", b.name))
    }

    fn declarations(&mut self) {
        let kernel = self.kernel;
        self.names_differ("buffer", kernel.buffers.iter().map(|(_, buffer)| buffer.name.as_str()));
        self.names_differ("scalar", kernel.scalars.iter().map(|(_, scalar)| scalar.name.as_str()));
        self.demand(kernel.space.per_block > 0, |_| "a block holds no item".to_string());
        self.extents("the items", &kernel.space.items);
        for (_, buffer) in kernel.buffers.iter() {
            self.extents(&format!("the shape of `{}`", buffer.name), &buffer.shape);
        }
    }

    fn names_differ<'n>(&mut self, what: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            self.demand(!name.is_empty(), |_| format!("a {what} has no name"));
            self.demand(seen.insert(name), |_| format!("two {what}s are called `{name}`"));
        }
    }

    fn extents(&mut self, what: &str, extents: &[Extent]) {
        for extent in extents {
            if let Extent::Scalar(scalar) = extent {
                let ty = self.kernel.scalars.get(*scalar).map(|scalar| scalar.ty);
                self.demand(ty == Some(Type::I64), |_| {
                    format!("{what} name a scalar that is no i64 of the kernel")
                });
            }
        }
    }

    /// The use of a value here: it is visible and has a type that `fits`.
    fn operand(
        &mut self,
        user: &dyn Display,
        value: ValueId,
        fits: fn(Type) -> bool,
        wanted: &str,
    ) -> Option<Type> {
        let Some(ty) = self.kernel.values.get(value).map(|value| value.ty) else {
            self.error(format!("{user} uses a value that the kernel lacks"));
            return None;
        };
        if !self.visible[value.index()] {
            self.error(format!("{user} uses {} where it is not defined", self.name(value)));
        }
        self.demand(fits(ty), |v| format!("{user} takes {wanted}, and {} is {ty:?}", v.name(value)));
        Some(ty)
    }

    /// The use of a value that must have the type of another.
    fn same(&mut self, user: &dyn Display, value: ValueId, ty: Option<Type>) {
        let found = self.operand(user, value, |_| true, "");
        if let (Some(found), Some(ty)) = (found, ty) {
            self.demand(found == ty, |v| format!("{user} takes {ty:?}, and {} is {found:?}", v.name(value)));
        }
    }

    fn i64(&mut self, user: &dyn Display, value: ValueId) {
        self.operand(user, value, |ty| ty == Type::I64, "i64");
    }

    fn boolean(&mut self, user: &dyn Display, value: ValueId) {
        self.operand(user, value, |ty| ty == Type::Bool, "a condition");
    }

    fn load(&mut self, buffer: BufferId, index: Option<ValueId>) {
        let site = self.site(index);
        let inside = self.inside_blocks;
        let name = self.buffer_name(buffer);
        let access = self.kernel.buffers.get(buffer).map(|buffer| buffer.access);
        self.demand(inside || access == Some(Access::Read), |_| {
            format!("{name} is loaded from outside the loop over blocks and stored to")
        });
        match self.info.buffers.get_mut(buffer.index()) {
            Some(uses) => uses.loads.push(site),
            None => self.error("a load names a buffer that the kernel lacks"),
        }
    }

    fn store(&mut self, buffer: BufferId, index: Option<ValueId>) {
        let site = self.site(index);
        let name = self.buffer_name(buffer);
        self.demand(self.inside_blocks, |_| format!("{name} is stored to outside the loop over blocks"));
        self.demand(!self.inside_reduce, |_| format!("{name} is stored to in the body of a reduction"));
        match self.info.buffers.get_mut(buffer.index()) {
            Some(uses) => uses.stores.push(site),
            None => self.error("a store names a buffer that the kernel lacks"),
        }
    }

    fn site(&self, index: Option<ValueId>) -> Site {
        Site { index, loops: self.loops, lanes: self.lanes.last().copied() }
    }

    /// Access declared = access used.
    fn accesses(&mut self) {
        for (id, buffer) in self.kernel.buffers.iter() {
            let uses = &self.info.buffers[id.index()];
            let (read, written) = (!uses.loads.is_empty(), !uses.stores.is_empty());
            let used = match (read, written) {
                (true, true) => Some(Access::ReadWrite),
                (true, false) => Some(Access::Read),
                (false, true) => Some(Access::Write),
                (false, false) => None,
            };
            self.demand(used == Some(buffer.access), |_| {
                let found = used.map_or("no access".to_string(), |used| format!("{used:?}"));
                format!("`{}` declares {:?} and has {found}", buffer.name, buffer.access)
            });
        }
    }
}
