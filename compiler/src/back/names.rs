//! What values, buffers and scalars are called in a text that another compiler reads.

use std::collections::HashSet;

use crate::kernel::print::value_names;
use crate::kernel::*;

/// The names of one kernel in a text.
pub(crate) struct Names {
    values: Vec<String>,
    buffers: Vec<String>,
    scalars: Vec<String>,
    taken: HashSet<String>,
}

impl Names {
    /// Names that are no `reserved` words; `identifier` makes one that the language takes.
    pub(crate) fn new(kernel: &Kernel, reserved: &[&str], identifier: impl Fn(&str) -> String) -> Self {
        let words = reserved.iter().flat_map(|words| words.split_whitespace());
        let taken = words.map(str::to_owned).collect();
        let mut names = Self { values: Vec::new(), buffers: Vec::new(), scalars: Vec::new(), taken };
        for (_, scalar) in kernel.scalars.iter() {
            let name = names.fresh(&identifier(&scalar.name));
            names.scalars.push(name);
        }
        for (_, buffer) in kernel.buffers.iter() {
            let name = names.fresh(&format!("{}_array", identifier(&buffer.name)));
            names.buffers.push(name);
        }
        for (id, text) in kernel.values.handles().zip(value_names(kernel)) {
            let written_in_place = matches!(kernel.values[id].op, Op::Constant(_) | Op::Scalar(_));
            let name = if written_in_place { String::new() } else { names.fresh(&identifier(&text)) };
            names.values.push(name);
        }
        names
    }

    pub(crate) fn value(&self, value: ValueId) -> &str {
        &self.values[value.index()]
    }

    pub(crate) fn buffer(&self, buffer: BufferId) -> &str {
        &self.buffers[buffer.index()]
    }

    pub(crate) fn scalar(&self, scalar: ScalarId) -> &str {
        &self.scalars[scalar.index()]
    }

    /// A name that nothing else has.
    pub(crate) fn fresh(&mut self, base: &str) -> String {
        let mut name = base.to_owned();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        name
    }
}
