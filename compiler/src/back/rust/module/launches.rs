//! Launches: what each scalar is, the functions of one program, and the prologue.

use super::Module;
use super::params::number;
use super::plans::Plan;
use super::prologue::ROOM;
use crate::back::rust::{RustKernel, kernel};
use crate::kernel::{Extent, Kernel, Type};
use crate::plan::program::{Count, Launch, ScalarSource, Size};

impl Module<'_> {
    pub(super) fn launch(&mut self, plan: usize, launch: &Launch) {
        let of = &self.plans.plans[plan];
        let kernel = &of.program.kernels[launch.kernel];
        let rust = of.texts[launch.kernel.index()].clone();
        let scalars: Vec<String> = kernel
            .scalars
            .iter()
            .zip(&launch.scalars)
            .map(|((_, scalar), source)| scalar_text(of, *source, scalar.ty))
            .collect();
        let items: Vec<String> = kernel
            .space
            .items
            .iter()
            .map(|extent| match extent {
                Extent::Constant(length) => format!("{length}i64"),
                Extent::Scalar(scalar) => format!("({})", scalars[scalar.index()]),
            })
            .collect();
        let items = if items.is_empty() { "1i64".to_owned() } else { items.join(" * ") };
        let per_block = kernel.space.per_block;
        let buffers = launch.buffers.iter().map(|&storage| self.plans.place(plan, storage));
        let values: Vec<String> = scalars.iter().cloned().chain(buffers).collect();
        self.out.open(format!("native::dispatch(Launch_{}", rust.symbol));
        self.out.line(format!("blocks: native::blocks({items}, {per_block}),"));
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

    /// The functions of one program, and a launch for each. What another program has, too, stands there.
    pub(super) fn kernels(&mut self, plan: usize) {
        let (module, texts) = (self.plans.plans[plan].module(), self.plans.plans[plan].texts.clone());
        for rust in texts {
            if let Some(there) = self.printed.get(&rust.text) {
                self.out.line(format!("use super::{there}::Launch_{};", rust.symbol));
                continue;
            }
            self.printed.insert(rust.text.clone(), module.clone());
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
    }

    /// Checks the parameters and computes what depends on them.
    pub(super) fn prologue(&mut self) {
        // Without the standard library floats have no fused operation of their own.
        self.out.line("use native::Real as _;");
        let (results, flags) = (self.plans.prologue.len(), self.planned.flags.len());
        let (of, scalars) = self.plans.prologue.finish();
        let room = of.buffers.iter().find_map(|(_, buffer)| match buffer.shape[..] {
            [Extent::Constant(length)] if buffer.name == ROOM => Some(length),
            _ => None,
        });
        self.out.open(format!(
            "fn prologue(params: &Params, given: &[bool; {flags}], dt: f64, results: &mut [f64; {results}]) -> Result<(), native::Error>"
        ));
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
        for (place, flag) in self.planned.flags.iter().enumerate() {
            self.out.line(format!("let p{}_0 = f64::from(u8::from(given[{place}]));", flag.index()));
        }
        if results > 0 {
            let arguments: Vec<String> = scalars
                .iter()
                .map(|scalar| {
                    scalar.map_or("dt, ".to_owned(), |(id, element)| format!("p{}_{element}, ", id.index()))
                })
                .collect();
            let mut arguments = arguments.concat();
            if let Some(room) = room {
                self.out.line(format!("let mut room = [0.0; {room}];"));
                arguments.push_str("&mut room, ");
            }
            self.out.line(format!("evaluate(0..1, {arguments}results);"));
        }
        let periods = self.plans.places.schedules.iter().chain(&self.plans.places.commit);
        for place in periods.copied().collect::<Vec<usize>>() {
            self.out.open(format!("if results[{place}].is_nan()"));
            self.out.line("return Err(native::Error::BadPeriod);");
            self.out.close();
        }
        self.out.line("Ok(())");
        self.out.close();
        if results > 0 {
            self.out.lines(&printed(&of).text);
        }
    }
}

/// The text of a kernel of a plan.
pub(super) fn printed(of: &Kernel) -> RustKernel {
    match kernel(of, &super::facts(of)) {
        Ok(rust) => rust,
        Err(error) => crate::ice!("{error}"),
    }
}

/// A length, as `usize`.
pub(super) fn length(of: &Plan, size: Size) -> String {
    match size {
        Size::Constant(length) => length.to_string(),
        Size::Prologue(place) => format!("run.length({})?", of.place(place)),
        Size::Count(count) => count_text(count),
    }
}

/// A number of a group, as `usize`.
fn count_text(count: Count) -> String {
    match count {
        Count::Pre => "run.pre".to_owned(),
        Count::Post => "run.post".to_owned(),
        Count::Synapses
        | Count::PreChannels
        | Count::PostChannels
        | Count::Batch
        | Count::PreBlocks
        | Count::PostBlocks
        | Count::Pairs
        | Count::RowEnds
        | Count::ColumnEnds
        | Count::Kernel
        | Count::KernelArea
        | Count::Positions
        | Count::InputHeight
        | Count::InputWidth
        | Count::OutputsPerGroup
        | Count::Entries
        | Count::PanelRows
        | Count::PanelColumns => format!("run.count(native::Count::{count:?})"),
    }
}

/// The value of a scalar of a launch.
fn scalar_text(of: &Plan, source: ScalarSource, ty: Type) -> String {
    let real = |text: String| match ty {
        Type::F32 => format!("({text}) as f32"),
        Type::F64 => text,
        Type::I32 => format!("({text}) as i32"),
        Type::I64 => format!("({text}) as i64"),
        Type::Bool => format!("{text} != 0.0"),
    };
    let whole = |text: String| match ty {
        Type::I32 => format!("{text} as i32"),
        Type::F32 => format!("{text} as i64 as f32"),
        Type::F64 => format!("{text} as i64 as f64"),
        Type::I64 => format!("{text} as i64"),
        Type::Bool => format!("{text} != 0"),
    };
    match source {
        ScalarSource::Prologue(place) => real(format!("run.prologue[{}]", of.place(place))),
        ScalarSource::Time => real("run.step as f64 * run.dt".to_owned()),
        ScalarSource::Count(count) => whole(count_text(count)),
        ScalarSource::Constant(value) => whole(format!("{value}u64")),
        ScalarSource::Step => whole("run.step".to_owned()),
        ScalarSource::Seed => whole("run.seed".to_owned()),
        ScalarSource::Run => whole("again".to_owned()),
        ScalarSource::EventCount(side) => whole(format!("run.events[{}]", side as usize)),
        ScalarSource::Head(place) => {
            whole(format!("(run.step % (run.prologue[{}] as u64).max(1))", of.place(place)))
        }
    }
}
