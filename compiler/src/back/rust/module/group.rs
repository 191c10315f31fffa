//! `Group`: its arrays, the short ways to one, and the trait through which its loops are found.

use super::Module;
use super::bodies::Function;
use super::plans::{kind_type, kind_word};
use crate::kernel::{Precision, Type};
use crate::topology::Kind;

impl Module<'_> {
    pub(super) fn group(&mut self) {
        let (results, inputs) = (self.plans.prologue.len(), self.inputs().len());
        let calls = self.calls().len();
        self.out.line("/// The synapses between two populations, with all their state, in one precision on one topology.");
        self.out.line("#[derive(Clone, Debug)]");
        self.out.open("pub struct Group<R: native::Value = f32, T = native::Dense>");
        self.out.line("arrays: Arrays<R>,");
        if self.plans.lazy {
            self.out.line("rows: native::Lagging<Rows<R>>,");
        }
        self.out.line(format!("run: native::Run<{results}>,"));
        self.out.line("params: Params,");
        self.out.line(format!("given: [bool; {inputs}],"));
        self.out.line(format!("calls: [u64; {calls}],"));
        self.out.line("topology: core::marker::PhantomData<T>,");
        self.out.close();
        let lag = if self.plans.lazy { ", but for those that lag behind" } else { "" };
        self.struct_of_arrays(
            "Arrays",
            false,
            &format!("/// All arrays of a group{lag}; those that its topology does not need are empty."),
        );
        if self.plans.lazy {
            self.struct_of_arrays(
                "Rows",
                true,
                "/// The arrays whose rows may lag behind, and what brings them up to date.",
            );
        }
        self.loops();
        self.builder();
        self.build();
        for &kind in self.topologies {
            for (real, suffix) in [("f32", ""), ("f64", "_f64")] {
                self.constructors(kind, real, suffix);
            }
        }
    }

    /// The arrays that lag behind, or the others.
    fn struct_of_arrays(&mut self, name: &str, lag: bool, doc: &str) {
        self.out.line(doc);
        self.out.line("#[doc(hidden)]");
        self.out.line("#[derive(Clone, Debug)]");
        self.out.open(format!("pub struct {name}<R: native::Value>"));
        self.out.line("precision: core::marker::PhantomData<R>,");
        for field in self.plans.fields.iter().filter(|field| field.lags == lag) {
            self.out.line(format!("{}: native::Memory<{}>,", field.name, field.ty));
        }
        self.out.close();
    }

    /// The trait of topologies that the rule runs on.
    fn loops(&mut self) {
        self.out
            .line("/// The loops of the rule on a topology in the precision `R`; those of a group that nobody makes are not compiled.");
        self.out.open("pub trait Loops<R: native::Value>: native::Connected");
        for (number, Function { head, .. }) in self.functions("R", "").into_iter().enumerate() {
            self.out.line("#[doc(hidden)]");
            if number == 0 {
                self.out.line("#[allow(missing_docs)]");
            }
            self.out.line(format!("{head};"));
        }
        self.out.close();
    }

    /// The short ways to a group of a topology.
    fn constructors(&mut self, kind: Kind, real: &str, suffix: &str) {
        let word = kind_word(kind);
        let Constructor { ty, what, parameters, topology } = constructor(kind);
        let names: Vec<&str> = parameters.split(", ").filter_map(|one| one.split(':').next()).collect();
        let names = names.join(", ");
        let in_precision = if suffix.is_empty() { "" } else { ".f64()" };
        self.out.open(format!("impl Group<{real}, native::{ty}>"));
        self.out.line(format!("/// {what}, in {real}, with their initial values."));
        self.out.line("///");
        self.out.line("/// # Panics");
        self.out.line(format!("/// Where `try_{word}{suffix}` gives an error."));
        self.out.line("#[track_caller]");
        self.out.line("#[inline]");
        self.out.open(format!("pub fn {word}{suffix}({parameters}, params: Params) -> Self"));
        self.out
            .line(format!("native::expect(Self::try_{word}{suffix}({names}, params, Options::default()))"));
        self.out.close();
        self.out.line(format!("/// {what}, in {real}, with their initial values."));
        self.out.line("///");
        self.out.line("/// # Errors");
        self.out.line("/// If a parameter is out of range, or there is no memory for so many synapses.");
        self.out.line("#[inline]");
        self.out.open(format!(
            "pub fn try_{word}{suffix}({parameters}, params: Params, options: Options) -> Result<Self, native::Error>"
        ));
        self.out.line(format!("Builder::new({topology}, params){in_precision}.options(options).build()"));
        self.out.close();
        self.out.close();
    }
}

/// How a constructor stands in a module.
pub(super) struct Constructor {
    /// The type of its topology.
    pub ty: &'static str,
    what: &'static str,
    pub parameters: &'static str,
    /// The topology, of the parameters.
    topology: &'static str,
}

/// The constructor of a topology.
pub(super) fn constructor(kind: Kind) -> Constructor {
    let (what, parameters, topology) = match kind {
        Kind::Dense => (
            "Synapses from each of `pre` to each of `post` neurons",
            "pre: usize, post: usize",
            "native::Dense { pre, post }",
        ),
        Kind::OneToOne => (
            "A synapse from each of `count` neurons onto the neuron of the same number",
            "count: usize",
            "native::OneToOne { count }",
        ),
        Kind::Sparse => ("The listed synapses", "synapses: native::Sparse", "synapses"),
        Kind::Conv2d => (
            "A convolution, whose kernels all positions share",
            "shape: native::Convolution",
            "native::Conv2d(shape)",
        ),
        Kind::Local2d => (
            "A convolution in which each output neuron has a kernel of its own",
            "shape: native::Convolution",
            "native::Local2d(shape)",
        ),
    };
    Constructor { ty: kind_type(kind), what, parameters, topology }
}

/// The type of an element, in which `R` stands for the group's precision.
pub(super) fn element(ty: Type, precision: Precision) -> &'static str {
    match ty {
        _ if ty == Type::real(precision) => "R",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::Bool => "bool",
    }
}
