//! Writes a kernel: its head, how its work is shared, and statements one by one.

use std::collections::{HashMap, HashSet};

use super::index::Facts;
use super::lanes::Chunk;
use super::mapping::{self, Mapping, Plan};
use super::names::{Names, identifier, names};
use super::op;
use super::{CudaKernel, THREADS};
use crate::kernel::*;
use crate::valid::kernel::KernelInfo;

/// The most parts into which the rows of a block go.
const MOST_SLOTS: u32 = 32;
/// Strips of columns where nothing says how many columns there are.
const MOST_STRIPS: u32 = 1024;
/// Threads with longer bodies, or with several rows at once, get more registers: three thread blocks fit where four did,
/// and above the second length two. What spills costs more than the threads that are missing.
const SHORT_BODY: usize = 24;
const LONG_BODY: usize = 150;

/// A text that is being written.
pub(super) struct Writer<'a> {
    pub facts: &'a Facts<'a>,
    pub plan: &'a Plan,
    pub names: Names,
    pub out: String,
    pub depth: usize,
    /// Whether this is inside a spread loop, where each thread is on its own.
    pub alone: bool,
    /// Whether threads take runs of V neighbours.
    pub runs: bool,
    /// How an element is read instead of from memory: by the value that loads it.
    pub held: HashMap<ValueId, String>,
    /// Where an element is written instead of memory: by buffer, inside a chunk.
    pub kept: HashMap<BufferId, String>,
    /// `Let`s that have been written before their place.
    pub early: HashSet<ValueId>,
    /// In a loop over rows inside of the columns: runs that have been loaded, by value, and what holds a buffer's column.
    pub chunk: Chunk,
}

/// Writes a kernel.
pub(super) fn kernel(kernel: &Kernel, info: &KernelInfo) -> CudaKernel {
    let facts = Facts::new(kernel, info);
    let Some(blocks) = kernel.body.iter().find_map(|stmt| match stmt {
        Stmt::For(each) if each.kind == LoopKind::Blocks => Some(each),
        _ => None,
    }) else {
        crate::ice!("kernel `{}` has no loop over blocks", kernel.name)
    };
    let plan = mapping::plan(&facts, &blocks.body);
    let mut writer = Writer {
        facts: &facts,
        plan: &plan,
        names: names(kernel),
        out: String::new(),
        depth: 0,
        alone: false,
        runs: false,
        held: HashMap::new(),
        kept: HashMap::new(),
        early: HashSet::new(),
        chunk: Chunk::default(),
    };
    let run = writer.run_length(&blocks.body);
    writer.runs = run > 1;
    let symbol = identifier(&kernel.name);
    writer.head(&symbol, run, blocks);
    let waits = !matches!(plan.mapping, Mapping::Free { .. });
    CudaKernel {
        symbol,
        text: writer.out,
        threads: THREADS,
        per_block: kernel.space.per_block,
        run,
        waits,
        mapping: plan.mapping,
    }
}

impl<'a> Writer<'a> {
    pub fn line(&mut self, text: impl AsRef<str>) {
        for _ in 0..self.depth {
            self.out.push_str("    ");
        }
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    /// A line that opens braces, what is inside, and the closing brace.
    pub fn braces(&mut self, head: impl AsRef<str>, inside: impl FnOnce(&mut Self)) {
        self.line(format!("{} {{", head.as_ref()));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
    }

    fn head(&mut self, symbol: &str, run: u32, blocks: &Loop) {
        let kernel = self.facts.kernel;
        for line in kernel.docs.iter().flat_map(|docs| docs.split('\n')) {
            self.line(format!("// {line}").trim_end());
        }
        self.line(format!("// {}", self.in_words()));
        let mut parameters: Vec<String> = kernel
            .buffers
            .iter()
            .map(|(id, buffer)| {
                let constant = if self.facts.info.is_written(id) { "" } else { "const " };
                format!("{constant}{} *__restrict__ {}", op::cell_word(buffer.ty), self.names.buffer(id))
            })
            .collect();
        parameters.push("const u64 *__restrict__ scalars".to_owned());
        let parameters = parameters.join(", ");
        let several_rows = self.runs && matches!(self.plan.mapping, Mapping::Free { columns: Some(_), .. });
        let least = match self.chunk.longest {
            length if length <= SHORT_BODY && !several_rows => 4,
            length if length <= LONG_BODY => 3,
            _ => 2,
        };
        let bounds = format!("__launch_bounds__({THREADS}, {least})");
        if !self.runs {
            self.braces(format!("extern \"C\" __global__ void {bounds} {symbol}({parameters})"), |w| {
                w.body(blocks)
            });
            return;
        }
        let inner = self.names.fresh(&format!("{symbol}_in_runs"));
        self.line("template <int V>");
        self.braces(format!("__device__ __forceinline__ void {inner}({parameters})"), |w| w.body(blocks));
        self.out.push('\n');
        let mut arguments: Vec<&str> = kernel.buffers.handles().map(|id| self.names.buffer(id)).collect();
        arguments.push("scalars");
        let arguments = arguments.join(", ");
        let mut ends: Vec<String> = self.chunk.ends.iter().map(|&end| self.raw(end)).collect();
        ends.sort();
        ends.dedup();
        let fits: Vec<String> = ends.iter().map(|end| format!("{end} % {run} == 0")).collect();
        self.braces(format!("extern \"C\" __global__ void {bounds} {symbol}({parameters})"), |w| {
            w.line(format!("if ({}) {inner}<{run}>({arguments});", fits.join(" && ")));
            w.line(format!("else {inner}<1>({arguments});"));
        });
    }

    /// A scalar or constant where the scalars have not been taken apart.
    fn raw(&self, value: ValueId) -> String {
        match self.facts.op(value) {
            Op::Scalar(scalar) => format!("scalars[{}]", scalar.index()),
            _ => self.value(value),
        }
    }

    fn in_words(&self) -> String {
        let name = |index: &ValueId| self.names.value(*index).to_owned();
        match &self.plan.mapping {
            Mapping::Free { rows, columns } => {
                let rows = rows.as_ref().map(|rows| format!("; each {} by itself", name(rows)));
                let columns = columns.map(|_| "; the rows of a block inside of its columns");
                format!("Threads are free{}{}.", rows.unwrap_or_default(), columns.unwrap_or_default())
            }
            Mapping::WarpPerRow(rows) => format!("A warp for each {}.", name(rows)),
            Mapping::ThreadBlock => "A thread block for each block.".to_owned(),
        }
    }

    fn body(&mut self, blocks: &Loop) {
        let kernel = self.facts.kernel;
        for (id, scalar) in kernel.scalars.iter() {
            let (name, at) = (self.names.scalar(id).to_owned(), id.index());
            self.line(match scalar.ty {
                Type::F32 => format!("const float {name} = __uint_as_float(u32(scalars[{at}]));"),
                Type::F64 => format!("const double {name} = __longlong_as_double(i64(scalars[{at}]));"),
                Type::I32 => format!("const u32 {name} = u32(scalars[{at}]);"),
                Type::I64 => format!("const u64 {name} = scalars[{at}];"),
                Type::Bool => format!("const bool {name} = (scalars[{at}] & 0xff) != 0;"),
            });
        }
        self.line(format!("const u64 blocks = scalars[{}];", kernel.scalars.len()));
        for stmt in &kernel.body {
            match stmt {
                Stmt::For(each) if each.index == blocks.index => self.shared(blocks),
                other => self.stmt(other),
            }
        }
    }

    /// The loop over the blocks, shared among threads.
    fn shared(&mut self, blocks: &Loop) {
        let block = self.names.value(blocks.index).to_owned();
        let mapping = self.plan.mapping.clone();
        let (rows, columns) = match &mapping {
            Mapping::ThreadBlock => {
                let head = format!("for (u64 {block} = blockIdx.x; {block} < blocks; {block} += gridDim.x)");
                return self.braces(head, |w| {
                    w.line("const u64 rank = threadIdx.x, width = blockDim.x;");
                    w.block(&blocks.body);
                });
            }
            Mapping::WarpPerRow(rows) => (Some(*rows), None),
            Mapping::Free { rows, columns } => (*rows, *columns),
        };
        let slots = if rows.is_some() { self.facts.kernel.space.per_block.clamp(1, MOST_SLOTS) } else { 1 };
        let share = match (columns, &mapping) {
            (Some(end), _) => {
                let (end, width) = (self.value(end), if self.runs { "32 * V" } else { "32" });
                format!("share_strips(blocks, ({end} + {width} - 1) / ({width}), {slots})")
            }
            (None, Mapping::Free { .. }) => {
                let strips = match self.plan.rows {
                    Some(_) => MOST_STRIPS,
                    None => self.facts.kernel.space.per_block.div_ceil(32).clamp(1, MOST_STRIPS),
                };
                format!("share_slots(blocks, {strips}, {slots})")
            }
            (None, _) => format!("share_slots(blocks, 1, {slots})"),
        };
        self.line(format!("const Share share = {share};"));
        let head = "for (u64 unit = share.first; unit < share.units; unit += share.step)";
        self.braces(head, |w| {
            if rows.is_some() {
                w.line("const u64 slot = unit / share.strips % share.slots;");
                w.line(format!("const u64 {block} = unit / share.strips / share.slots;"));
            } else {
                w.line(format!("const u64 {block} = unit / share.strips;"));
            }
            if columns.is_some() {
                w.line("const u64 rank = unit % share.strips * 32 + threadIdx.x % 32;");
            } else {
                w.line("const u64 rank = unit % share.strips * 32 + threadIdx.x % 32, width = share.strips * 32;");
            }
            match columns {
                Some(end) => w.columns_first(&blocks.body, end),
                None => w.block(&blocks.body),
            }
        });
    }

    /// Statements in order.
    pub fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            self.stmt(stmt);
        }
    }

    /// What a value is called where it is used.
    pub fn value(&self, value: ValueId) -> String {
        match self.facts.op(value) {
            Op::Constant(constant) => op::literal(*constant),
            Op::Scalar(scalar) => self.names.scalar(*scalar).to_owned(),
            _ => self.names.value(value).to_owned(),
        }
    }

    pub fn ty(&self, value: ValueId) -> Type {
        self.facts.kernel.values[value].ty
    }

    /// A buffer's element in memory.
    pub fn cell(&self, buffer: BufferId, index: ValueId) -> String {
        format!("{}[{}]", self.names.buffer(buffer), self.value(index))
    }

    /// The operation of a value as an expression.
    fn expression(&self, value: ValueId) -> String {
        let ty = self.ty(value);
        match self.facts.op(value) {
            Op::Constant(_) | Op::Scalar(_) => self.value(value),
            Op::Unary(unary, a) => op::unary(*unary, ty, &self.value(*a)),
            Op::Binary(binary, a, b) => {
                let count = match self.facts.op(*b) {
                    Op::Constant(Constant::I32(count)) => Some(u64::from(*count as u32)),
                    Op::Constant(Constant::I64(count)) => Some(*count as u64),
                    _ => None,
                };
                op::binary(*binary, ty, &self.value(*a), &self.value(*b), count)
            }
            Op::Fma(a, b, c) => {
                let word = if ty == Type::F32 { "fmaf" } else { "fma" };
                format!("{word}({}, {}, {})", self.value(*a), self.value(*b), self.value(*c))
            }
            Op::Compare(compare, a, b) => {
                op::compare(*compare, self.ty(*a), &self.value(*a), &self.value(*b))
            }
            Op::Select(condition, a, b) => {
                format!("{} ? {} : {}", self.value(*condition), self.value(*a), self.value(*b))
            }
            Op::Convert(conversion, a) => op::convert(*conversion, self.ty(*a), ty, &self.value(*a)),
            Op::Load(buffer, index) => {
                let cell = self.held.get(&value).cloned().unwrap_or_else(|| self.cell(*buffer, *index));
                if ty == Type::Bool { format!("{cell} != 0") } else { cell }
            }
            Op::Defined | Op::Math(..) | Op::Random(_) => {
                crate::ice!("an operation that is no expression: {value:?}")
            }
        }
    }

    /// Writes a `Let`.
    pub fn define(&mut self, value: ValueId) {
        if matches!(self.facts.op(value), Op::Constant(_) | Op::Scalar(_)) {
            return;
        }
        let (word, name) = (op::type_word(self.ty(value)), self.names.value(value).to_owned());
        self.line(format!("const {word} {name} = {};", self.expression(value)));
    }

    /// Writes a statement.
    pub fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if !self.early.contains(value) {
                    self.define(*value);
                    if let Op::Load(buffer, _) = self.facts.op(*value) {
                        self.wait_for(&[*buffer]);
                    }
                }
            }
            Stmt::Store { buffer, index, value, gate } => {
                self.store(*buffer, *index, *value, *gate);
                self.wait_for(&[*buffer]);
            }
            Stmt::If { condition, then, otherwise, results } => {
                self.branch(*condition, then, otherwise, results);
            }
            Stmt::For(each) if !self.alone && self.plan.spread.contains(&each.index) => {
                self.spread(each);
                let touched = self.touched(&each.body);
                self.wait_for(&touched);
            }
            Stmt::For(each) => self.serial(each),
            Stmt::Reduce(reduce) => {
                self.reduce(reduce);
                let touched = self.touched(&reduce.body);
                self.wait_for(&touched);
            }
            Stmt::Fill(_) | Stmt::Fetch(_) => crate::ice!("fills and fetches are expanded"),
            Stmt::Tile(tile) => {
                self.tile(tile);
                self.wait_for(&[tile.left, tile.right, tile.into]);
            }
        }
    }

    /// Everything that a body loads or stores.
    fn touched(&self, body: &[Stmt]) -> Vec<BufferId> {
        super::sites::accesses(self.facts, body).into_iter().map(|access| access.buffer).collect()
    }

    /// A barrier, where threads share an element of one of these.
    fn wait_for(&mut self, buffers: &[BufferId]) {
        if !self.alone && buffers.iter().any(|buffer| self.plan.shared.contains(buffer)) {
            let barrier = match self.plan.mapping {
                Mapping::WarpPerRow(_) => "__syncwarp();",
                Mapping::ThreadBlock => "__syncthreads();",
                Mapping::Free { .. } => crate::ice!("free threads share no elements"),
            };
            self.line(barrier);
        }
    }

    fn store(&mut self, buffer: BufferId, index: ValueId, value: ValueId, gate: Option<ValueId>) {
        let target = match self.kept.get(&buffer) {
            Some(kept) => kept.clone(),
            None => self.cell(buffer, index),
        };
        let value = match self.facts.kernel.buffers[buffer].ty {
            Type::Bool => format!("{} ? 1 : 0", self.value(value)),
            Type::F32 | Type::F64 | Type::I32 | Type::I64 => self.value(value),
        };
        let mut conditions = Vec::new();
        if !self.alone {
            conditions.push("rank == 0".to_owned());
        }
        conditions.extend(gate.map(|gate| self.value(gate)));
        let when =
            if conditions.is_empty() { String::new() } else { format!("if ({}) ", conditions.join(" && ")) };
        self.line(format!("{when}{target} = {value};"));
    }

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt], results: &[BranchResult]) {
        for result in results {
            let word = op::type_word(self.ty(result.value));
            self.line(format!("{word} {};", self.names.value(result.value)));
        }
        let condition = self.value(condition);
        self.line(format!("if ({condition}) {{"));
        self.depth += 1;
        self.block(then);
        for result in results {
            self.line(format!("{} = {};", self.names.value(result.value), self.value(result.then)));
        }
        self.depth -= 1;
        if !otherwise.is_empty() || !results.is_empty() {
            self.line("} else {");
            self.depth += 1;
            self.block(otherwise);
            for result in results {
                self.line(format!("{} = {};", self.names.value(result.value), self.value(result.otherwise)));
            }
            self.depth -= 1;
        }
        self.line("}");
    }

    /// The bounds of a loop inside.
    pub fn bounds(&self, each: &Loop) -> (String, String) {
        match (each.start, each.end) {
            (Some(start), Some(end)) => (self.value(start), self.value(end)),
            _ => crate::ice!("only the outermost loop has no range"),
        }
    }

    /// One iteration after another; of rows that are shared, only those of this thread.
    fn serial(&mut self, each: &Loop) {
        let index = self.names.value(each.index).to_owned();
        let (start, end) = self.bounds(each);
        for carried in &each.carried {
            let (word, name) = (op::type_word(self.ty(carried.value)), self.names.value(carried.value));
            self.line(format!("{word} {name} = {};", self.value(carried.initial)));
        }
        let own = match self.plan.mapping {
            Mapping::WarpPerRow(rows) | Mapping::Free { rows: Some(rows), .. } => rows == each.index,
            Mapping::Free { rows: None, .. } | Mapping::ThreadBlock => false,
        };
        let head = if own {
            format!("for (u64 {index} = {start} + slot; before({index}, {end}); {index} += share.slots)")
        } else {
            format!("for (u64 {index} = {start}; before({index}, {end}); ++{index})")
        };
        self.braces(head, |w| {
            w.block(&each.body);
            w.next_iteration(each);
        });
        for carried in &each.carried {
            let word = op::type_word(self.ty(carried.result));
            let (result, name) = (self.names.value(carried.result), self.names.value(carried.value));
            self.line(format!("const {word} {result} = {name};"));
        }
    }

    /// Hands on what a loop carries, all at once, and leaves it where the exit says so.
    fn next_iteration(&mut self, each: &Loop) {
        let exit = each.exit.map(|exit| {
            let name = self.names.fresh("leaves");
            self.line(format!("const bool {name} = {};", self.value(exit)));
            name
        });
        if let [carried] = &each.carried[..] {
            self.line(format!("{} = {};", self.names.value(carried.value), self.value(carried.next)));
        } else {
            let mut next = Vec::new();
            for carried in &each.carried {
                let name = self.names.fresh(&format!("{}_next", self.names.value(carried.value)));
                let word = op::type_word(self.ty(carried.value));
                self.line(format!("const {word} {name} = {};", self.value(carried.next)));
                next.push(name);
            }
            for (carried, next) in each.carried.iter().zip(next) {
                self.line(format!("{} = {next};", self.names.value(carried.value)));
            }
        }
        if let Some(exit) = exit {
            self.line(format!("if ({exit}) break;"));
        }
    }
}
