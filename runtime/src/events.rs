//! What happens in a step: spikes, as sorted lists of neurons. A whole run's worth of them is in `train`.

use std::fmt;

use aplysia_compiler::kernel;

use crate::error::{Error, Result};

/// A side of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Presynaptic.
    Pre,
    /// Postsynaptic.
    Post,
}

impl Side {
    pub(crate) const BOTH: [Side; 2] = [Side::Pre, Side::Post];

    /// The side of a kernel.
    pub(crate) fn kernel(self) -> kernel::Side {
        match self {
            Side::Pre => kernel::Side::Pre,
            Side::Post => kernel::Side::Post,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Pre => "pre",
            Side::Post => "post",
        })
    }
}

/// The spikes of one group in one step. It borrows its lists, which are ascending and without repetition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events<'a> {
    pub(crate) pre: &'a [u32],
    pub(crate) post: &'a [u32],
}

impl<'a> Events<'a> {
    /// No spikes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The presynaptic neurons that spike.
    #[must_use]
    pub fn pre(self, pre: &'a [u32]) -> Self {
        Self { pre, ..self }
    }

    /// The postsynaptic neurons that spike.
    #[must_use]
    pub fn post(self, post: &'a [u32]) -> Self {
        Self { post, ..self }
    }

    pub(crate) fn of(&self, side: Side) -> &'a [u32] {
        match side {
            Side::Pre => self.pre,
            Side::Post => self.post,
        }
    }

    /// Refuses indices that do not exist, and lists that are not strictly ascending.
    pub(crate) fn check(&self, counts: [usize; 2]) -> Result<()> {
        check_list(Side::Pre, self.pre, counts[0])?;
        check_list(Side::Post, self.post, counts[1])
    }
}

fn check_list(side: Side, list: &[u32], count: usize) -> Result<()> {
    let mut previous = None;
    for (position, &index) in list.iter().enumerate() {
        if index as usize >= count {
            return Err(Error::EventIndex { side, position, index: index.into(), count });
        }
        if let Some(previous) = previous
            && index <= previous
        {
            return Err(Error::EventOrder { side, position, index: index.into(), previous: previous.into() });
        }
        previous = Some(index);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascending_lists_pass() {
        Events::new().pre(&[0, 3, 9]).post(&[1]).check([10, 2]).unwrap();
        Events::new().check([0, 0]).unwrap();
    }

    #[test]
    fn bad_lists_are_refused_with_their_place() {
        let error = Events::new().pre(&[1, 3, 3]).check([10, 2]).unwrap_err();
        assert!(
            matches!(error, Error::EventOrder { side: Side::Pre, position: 2, index: 3, previous: 3 }),
            "{error}"
        );
        assert!(error.to_string().contains("is there twice"), "{error}");
        let error = Events::new().post(&[5, 1]).check([10, 6]).unwrap_err();
        assert!(matches!(error, Error::EventOrder { side: Side::Post, position: 1, .. }), "{error}");
        let error = Events::new().post(&[0, 6]).check([10, 6]).unwrap_err();
        assert!(matches!(error, Error::EventIndex { position: 1, index: 6, count: 6, .. }), "{error}");
    }
}
