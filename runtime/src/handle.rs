//! Handles: names that have been resolved once.

use aplysia_compiler::ir::{SiteId, VarId};

/// A group of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupId {
    pub(crate) engine: u64,
    pub(crate) index: usize,
}

impl GroupId {
    /// The group's number: 0 for the first that was registered.
    pub fn index(self) -> usize {
        self.index
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $name {
                pub(crate) group: GroupId,
                pub(crate) variable: VarId,
            }

            impl Named for $name {}
            impl private::Sealed for $name {
                fn key(&self) -> Key<'_> {
                    Key::Variable(self.group, self.variable)
                }
            }
        )*
    };
}

handles! {
    /// A state, plastic variable or output of a group.
    StateId
    /// An input of a group.
    InputId
    /// A parameter of a group.
    ParamId
}

/// A draw of a group whose values the host gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DrawId {
    pub(crate) group: GroupId,
    pub(crate) site: SiteId,
}

/// A name (`"w"`, `"stdp.x"`), or a handle that stands for one. A handle saves the look-up.
pub trait Named: private::Sealed {}

impl Named for str {}
impl private::Sealed for str {
    fn key(&self) -> Key<'_> {
        Key::Name(self)
    }
}
impl Named for String {}
impl private::Sealed for String {
    fn key(&self) -> Key<'_> {
        Key::Name(self)
    }
}
impl<T: Named + ?Sized> Named for &T {}
impl<T: private::Sealed + ?Sized> private::Sealed for &T {
    fn key(&self) -> Key<'_> {
        (**self).key()
    }
}

pub(crate) use private::Key;

/// Public in name only, so that the traits above can be sealed.
pub(crate) mod private {
    use aplysia_compiler::ir::VarId;

    /// What a `Named` stands for.
    #[derive(Clone, Copy, Debug)]
    pub enum Key<'a> {
        /// A name that has to be looked up.
        Name(&'a str),
        /// A variable that is known.
        Variable(super::GroupId, VarId),
    }

    /// Only this crate names things.
    pub trait Sealed {
        /// What it stands for.
        fn key(&self) -> Key<'_>;
    }
}
