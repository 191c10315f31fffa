//! The facts of a valid kernel.

use std::collections::HashMap;

use crate::kernel::*;

/// What validation finds out about a kernel; only [`validate`](super::validate) makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelInfo {
    /// Whether no operation is left that `expand` replaces: `Math`, `Random`, `Remainder`.
    pub expanded: bool,
    /// Whether there is a fill, which `expand` makes a loop of, and which only code of the host can do.
    pub fills: bool,
    /// Whether it has fetches.
    pub fetches: bool,
    /// Where each buffer is loaded from and stored to, in the order of the kernel's buffers.
    pub buffers: Vec<BufferUse>,
    /// By the index of a lanes loop: the values of its body that are not the same in all its iterations.
    pub(super) forms: HashMap<ValueId, HashMap<ValueId, IndexForm>>,
}

/// The places that use a buffer, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BufferUse {
    /// Loads; a tile product is one of each factor.
    pub loads: Vec<Site>,
    /// Stores, gated or not.
    pub stores: Vec<Site>,
}

/// A place that loads or stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The element; a tile product has none.
    pub index: Option<ValueId>,
    /// How many loops and reductions are around it, with the loop over blocks.
    pub loops: u32,
    /// The index of the innermost lanes loop around it.
    pub lanes: Option<ValueId>,
}

/// How a value changes from one iteration of a lanes loop to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexForm {
    /// Not at all.
    Invariant,
    /// It grows by one: something invariant, plus the loop's index.
    Contiguous,
    /// In some other way, or it is not known how.
    Other,
}

impl KernelInfo {
    /// Nothing found yet.
    pub(super) fn new(kernel: &Kernel) -> Self {
        let buffers = vec![BufferUse::default(); kernel.buffers.len()];
        Self { expanded: true, fills: false, fetches: false, buffers, forms: HashMap::new() }
    }

    /// Whether the kernel loads from a buffer.
    pub fn is_read(&self, buffer: BufferId) -> bool {
        !self.buffers[buffer.index()].loads.is_empty()
    }

    /// Whether the kernel stores to a buffer.
    pub fn is_written(&self, buffer: BufferId) -> bool {
        !self.buffers[buffer.index()].stores.is_empty()
    }

    /// How a value changes over the iterations of the lanes loop whose index is `lanes`. Meant for values that are
    /// used in that loop: what is defined outside is invariant.
    pub fn index_form(&self, value: ValueId, lanes: ValueId) -> IndexForm {
        let form = self.forms.get(&lanes).and_then(|forms| forms.get(&value));
        form.copied().unwrap_or(IndexForm::Invariant)
    }
}
