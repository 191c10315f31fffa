//! Launches: what each scalar is, the functions of one precision, and the prologue.

use super::Module;
use super::params::number;
use super::prologue::Prologue;
use crate::back::rust::{RustKernel, kernel};
use crate::kernel::{Extent, Kernel, Type};
use crate::plan::program::{Count, Launch, Program, ScalarSource, Size};
use crate::valid::kernel::validate;

impl Module<'_> {
    pub(super) fn launch(&mut self, launch: &Launch, program: &Program, module: &str) {
        let of = &program.kernels[launch.kernel];
        let rust = printed(of);
        let scalars: Vec<String> = of
            .scalars
            .iter()
            .zip(&launch.scalars)
            .map(|((_, scalar), source)| scalar_text(*source, scalar.ty))
            .collect();
        let items: Vec<String> = of
            .space
            .items
            .iter()
            .map(|extent| match extent {
                Extent::Constant(length) => format!("{length}i64"),
                Extent::Scalar(scalar) => format!("({})", scalars[scalar.index()]),
            })
            .collect();
        let items = if items.is_empty() { "1i64".to_owned() } else { items.join(" * ") };
        self.out.open(format!("native::dispatch({module}::Launch_{}", rust.symbol));
        self.out.line(format!("blocks: native::blocks({items}, {}),", of.space.per_block));
        let buffers = launch.buffers.iter().map(|storage| format!("arrays.{}", self.field(*storage)));
        let values: Vec<String> = scalars.iter().cloned().chain(buffers).collect();
        for ((name, ty), value) in rust.parameters.iter().zip(values) {
            let borrow = match ty {
                ty if ty.starts_with("&mut") => "&mut ",
                ty if ty.starts_with('&') => "&",
                _ => "",
            };
            self.out.line(format!("{name}: {borrow}{value},"));
        }
        self.out.close_with("});");
    }

    /// The functions of one precision, and a launch for each.
    pub(super) fn kernels(&mut self, module: &str, program: &Program, prologue: Prologue) {
        self.out.open(format!("mod {module}"));
        self.out.line("use super::native::{self, Real as _};");
        self.out.line("use super::Params;");
        self.prologue_function(prologue);
        for (_, of) in program.kernels.iter() {
            let rust = printed(of);
            self.out.lines(&rust.text);
            let borrows = rust.parameters.iter().any(|(_, ty)| ty.starts_with('&'));
            let (lifetime, any) = if borrows { ("<'a>", "<'_>") } else { ("", "") };
            self.out.open(format!("pub struct Launch_{}{lifetime}", rust.symbol));
            self.out.line("pub blocks: core::ops::Range<i64>,");
            for (name, ty) in &rust.parameters {
                self.out.line(format!("pub {name}: {},", ty.replacen('&', "&'a ", 1)));
            }
            self.out.close();
            self.out.open(format!("impl native::Launch for Launch_{}{any}", rust.symbol));
            self.out.line("#[inline(always)]");
            self.out.open("fn run(self)");
            let arguments: Vec<String> =
                rust.parameters.iter().map(|(name, _)| format!(", self.{name}")).collect();
            self.out.line(format!("{}(self.blocks{});", rust.symbol, arguments.concat()));
            self.out.close();
            self.out.close();
        }
        self.out.close();
    }

    /// Checks the parameters and computes what depends on them.
    fn prologue_function(&mut self, prologue: Prologue) {
        let empty = prologue.len() == 0;
        let (of, scalars) = prologue.finish();
        self.out.open(
            "pub fn prologue(params: &Params, dt: f64, results: &mut [f64]) -> Result<(), native::Error>",
        );
        for id in self.parameters() {
            let variable = &self.rule.variables[id];
            let (address, scale) = (variable.address(), number(variable.unit.scale));
            let range = self
                .range(id)
                .map_or("None".to_owned(), |(lo, hi)| format!("Some(({}, {}))", number(lo), number(hi)));
            for element in 0..variable.elements() {
                let at = if variable.length.is_some() { format!("[{element}]") } else { String::new() };
                let name = &self.names[&id];
                let line = format!(
                    "let p{}_{element} = native::parameter({address:?}, params.{name}{at}, {scale}, {range})?;",
                    id.index()
                );
                self.out.line(line);
            }
        }
        if !empty {
            let arguments: Vec<String> = scalars
                .iter()
                .map(|scalar| {
                    scalar.map_or("dt, ".to_owned(), |(id, element)| format!("p{}_{element}, ", id.index()))
                })
                .collect();
            self.out.line(format!("evaluate(0..1, {}results);", arguments.concat()));
        }
        self.out.line("Ok(())");
        self.out.close();
        if !empty {
            let mut of = of;
            of.name = "evaluate".to_owned();
            self.out.lines(&printed(&of).text);
        }
    }
}

/// The text of a kernel of a plan.
fn printed(of: &Kernel) -> RustKernel {
    match validate(of).map(|info| kernel(of, &info)) {
        Ok(Ok(rust)) => rust,
        Ok(Err(error)) => crate::ice!("{error}"),
        Err(errors) => crate::ice!("kernel `{}` is not valid: {}", of.name, errors.join("; ")),
    }
}

/// A length of a dense group without a batch, as `usize`.
pub(super) fn length(size: Size) -> String {
    match size {
        Size::Constant(length) => length.to_string(),
        Size::Prologue(place) => format!("run.length({place})?"),
        Size::Count(count) => count_text(count),
    }
}

/// A number of a dense group without a batch, as `usize`.
fn count_text(count: Count) -> String {
    match count {
        Count::Pre | Count::PreChannels => "run.pre",
        Count::Post | Count::PostChannels => "run.post",
        Count::Synapses => "(run.pre * run.post)",
        Count::PreBlocks => "run.pre.div_ceil(256)",
        Count::RowEnds => "(run.pre + 1)",
        Count::ColumnEnds => "(run.post + 1)",
        Count::Batch
        | Count::Pairs
        | Count::Kernel
        | Count::KernelArea
        | Count::Positions
        | Count::InputHeight
        | Count::InputWidth
        | Count::OutputsPerGroup
        | Count::Entries => "1usize",
    }
    .to_owned()
}

/// The value of a scalar of a launch.
fn scalar_text(source: ScalarSource, ty: Type) -> String {
    let real = |text: String| match ty {
        Type::F32 => format!("({text}) as f32"),
        Type::F64 => text,
        Type::I32 => format!("({text}) as i64 as i32"),
        Type::I64 => format!("({text}) as i64"),
        Type::Bool => format!("{text} != 0.0"),
    };
    let whole = |text: String| match ty {
        Type::I32 => format!("{text} as i32"),
        Type::F32 | Type::F64 | Type::I64 | Type::Bool => format!("{text} as i64"),
    };
    match source {
        ScalarSource::Prologue(place) => real(format!("run.prologue[{place}]")),
        ScalarSource::Time => real("run.step as f64 * run.dt".to_owned()),
        ScalarSource::Count(count) => whole(count_text(count)),
        ScalarSource::Constant(value) => whole(format!("{value}u64")),
        ScalarSource::Step => whole("run.step".to_owned()),
        ScalarSource::Seed => whole("run.seed".to_owned()),
        ScalarSource::Run => whole("again".to_owned()),
        ScalarSource::EventCount(side) => whole(format!("run.events[{}]", side as usize)),
        ScalarSource::Head(place) => whole(format!("(run.step % (run.prologue[{place}] as u64).max(1))")),
    }
}
