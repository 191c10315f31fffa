//! `Group`: its arrays, and what does not depend on precision.

use super::Module;
use crate::kernel::Type;

impl Module<'_> {
    pub(super) fn group(&mut self) {
        let results = self.prologues().into_iter().max().unwrap_or(0);
        let (inputs, calls) = (self.inputs().len(), self.calls().len());
        self.out.line("/// The synapses between two populations, with all their state.");
        self.out.line("#[derive(Clone, Debug)]");
        self.out.open("pub struct Group<R = f32, T = native::Dense>");
        self.out.line("arrays: Arrays<R>,");
        self.out.line(format!("run: native::Run<{results}>,"));
        self.out.line("params: Params,");
        self.out.line(format!("given: [bool; {inputs}],"));
        self.out.line(format!("calls: [u64; {calls}],"));
        self.out.line("topology: core::marker::PhantomData<T>,");
        self.out.close();
        self.out.line("#[derive(Clone, Debug)]");
        self.out.open("struct Arrays<R>");
        self.out.line("precision: core::marker::PhantomData<R>,");
        for (name, ty) in self.array_types() {
            self.out.line(format!("{name}: native::Vec<{ty}>,"));
        }
        self.out.close();
    }

    /// The arrays of a group, in their order, with their types.
    fn array_types(&self) -> Vec<(String, &'static str)> {
        let storages = self.program().storages.iter();
        storages.map(|(id, storage)| (self.field(id).to_owned(), element(storage.ty))).collect()
    }
}

/// The type of an element, in which `R` stands for the group's precision.
pub(super) fn element(ty: Type) -> &'static str {
    match ty {
        Type::F32 | Type::F64 => "R",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::Bool => "bool",
    }
}
