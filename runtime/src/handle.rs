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

/// What a [`Named`] stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<'a> {
    Name(&'a str),
    Variable(GroupId, VarId),
}

pub(crate) mod private {
    #[expect(private_interfaces, reason = "the trait is sealed: only this crate calls it")]
    pub trait Sealed {
        fn key(&self) -> super::Key<'_>;
    }
}
