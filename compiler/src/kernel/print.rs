//! The text of a kernel, for people who review snapshots and for tests that are written by hand.
//!
//! In goes a kernel, valid or not; out comes a text that `kernel::parse` reads back. The same kernel gives
//! the same text, and printing what was parsed gives the text again. Floats are printed so that they come back bit
//! for bit.
//!
//! ```text
//! /// Exponential decay of all weights, and the largest that is left in each row.
//! kernel decay: rows all [n_pre] by 1 {
//!     scalar n_pre: i64;
//!     scalar n_post: i64;
//!     scalar factor: f32;
//!     buffer w: f32 read_write synapse [n_pre, n_post];
//!     buffer largest: f32 write neuron pre [n_pre];
//!     for blocks i {
//!         base = i * n_post;
//!         most = max lanes32 j below n_post {
//!             k = base + j;
//!             w = load w[k];
//!             term w;
//!         }
//!         kept = most * factor;
//!         store largest[i] = kept;
//!         for lanes j.1 in 0i64 .. n_post {
//!             …
//!         }
//!     }
//! }
//! ```
//!
//! The other forms, with `a`, `b`, `c` for values:
//!
//! ```text
//! x = a + b;            x = min(a, b);        x = fma(a, b, c);     x = select(a, b, c);
//! x = a < b;            x = below(a, b);      x = negate(a);        x = pow(a, b);
//! x = a as f32;         x = a as unsigned f32;                      x = a as bits f32;
//! x = random(site, attempt, run, step, seed, row, column);
//! store w[a] = b if c;
//! if a { … give b; } else { … give c; } -> x;
//! for lanes i in a .. b { … }
//! for serial i in a .. b carry x = c { … next y; exit if z; } -> x.last;
//! x = sum serial256 i below a { … term b * c if d; }
//! fill into[a] below c = words(site, attempt, run, step, seed, row, column);
//! fill into[a] below c = normals(site, attempt, run, step, seed, row, column);
//! fill into[a] below c = exp;
//! tile into(stride a, from e) = left(stride a, from b, size c) * right(stride a, from b, size c) over d;
//! ```
//!
//! A value is called by its name, with a number after a dot where that is taken; without a name it is called `%n`,
//! numbered in the order of definition. Constants and scalars without a name are written where they are used, not
//! where they are defined: nothing depends on the place, and the text is half as long. A type is written where it
//! does not follow from the operation, as in a conversion.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

use super::words::*;
use super::*;

/// The text of a kernel.
pub fn print(kernel: &Kernel) -> String {
    Printer::of(kernel).out
}

/// What each value is called in the text of its kernel; constants and scalars that are written in place as they are.
pub fn value_names(kernel: &Kernel) -> Vec<String> {
    let mut printer = Printer::of(kernel);
    kernel.values.handles().map(|value| printer.value(value)).collect()
}

/// What is being written.
struct Printer<'a> {
    kernel: &'a Kernel,
    out: String,
    depth: usize,
    /// What values are called so far.
    names: HashMap<ValueId, String>,
    taken: HashSet<String>,
    /// The last number after the dot for each name.
    counts: HashMap<String, usize>,
    /// How many values without a name have been met.
    unnamed: usize,
}

impl<'a> Printer<'a> {
    /// A printer that has written `kernel`.
    fn of(kernel: &'a Kernel) -> Self {
        let taken = kernel.scalars.iter().map(|(_, scalar)| scalar.name.clone()).collect();
        let (names, counts) = (HashMap::new(), HashMap::new());
        let mut printer = Self { kernel, out: String::new(), depth: 0, names, taken, counts, unnamed: 0 };
        // Writing to a string does not fail.
        let _ = printer.kernel();
        printer
    }

    fn kernel(&mut self) -> fmt::Result {
        let kernel = self.kernel;
        for line in kernel.docs.iter().flat_map(|docs| docs.split('\n')) {
            self.out.push_str(if line.is_empty() { "///" } else { "/// " });
            writeln!(self.out, "{line}")?;
        }
        let kind = match kernel.space.kind {
            SpaceKind::Single => "single".to_string(),
            SpaceKind::Neurons(side) => format!("neurons {}", side_word(side)),
            SpaceKind::Channels(side) => format!("channels {}", side_word(side)),
            SpaceKind::Rows(rows) => format!("rows {}", rows_word(rows)),
            SpaceKind::Columns => "columns".to_string(),
            SpaceKind::Synapses => "synapses".to_string(),
            SpaceKind::Pairs => "pairs".to_string(),
            SpaceKind::Tiles => "tiles".to_string(),
        };
        let items = self.extents(&kernel.space.items);
        let name = quoted(&kernel.name);
        writeln!(self.out, "kernel {name}: {kind} {items} by {} {{", kernel.space.per_block)?;
        self.depth = 1;
        for (_, scalar) in kernel.scalars.iter() {
            self.line(format!("scalar {}: {};", quoted(&scalar.name), type_word(scalar.ty)));
        }
        for (_, buffer) in kernel.buffers.iter() {
            let (name, ty, access) = (quoted(&buffer.name), type_word(buffer.ty), access_word(buffer.access));
            let (kind, side) = buffer_words(buffer.kind);
            let side = side.map(|side| format!(" {}", side_word(side))).unwrap_or_default();
            let shape = self.extents(&buffer.shape);
            self.line(format!("buffer {name}: {ty} {access} {kind}{side} {shape};"));
        }
        self.block(&kernel.body);
        self.out.push_str("}\n");
        Ok(())
    }

    fn extents(&self, extents: &[Extent]) -> String {
        let texts = extents.iter().map(|extent| match *extent {
            Extent::Constant(count) => count.to_string(),
            Extent::Scalar(scalar) => self.scalar(scalar),
        });
        format!("[{}]", texts.collect::<Vec<_>>().join(", "))
    }

    fn scalar(&self, scalar: ScalarId) -> String {
        self.kernel
            .scalars
            .get(scalar)
            .map_or_else(|| format!("\"{scalar:?}\""), |scalar| quoted(&scalar.name))
    }

    fn buffer(&self, buffer: BufferId) -> String {
        self.kernel
            .buffers
            .get(buffer)
            .map_or_else(|| format!("\"{buffer:?}\""), |buffer| quoted(&buffer.name))
    }

    fn line(&mut self, text: impl AsRef<str>) {
        for _ in 0..self.depth {
            self.out.push_str("    ");
        }
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            self.stmt(stmt);
        }
    }

    /// What is between braces.
    fn inside(&mut self, block: &[Stmt], last: impl FnOnce(&mut Self)) {
        self.depth += 1;
        self.block(block);
        last(self);
        self.depth -= 1;
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => self.definition(*value),
            Stmt::Store { buffer, index, value, gate } => {
                let (name, index, value) = (self.buffer(*buffer), self.value(*index), self.value(*value));
                let gate = self.gate(*gate);
                self.line(format!("store {name}[{index}] = {value}{gate};"));
            }
            Stmt::If { condition, then, otherwise, results } => {
                self.branch(*condition, then, otherwise, results);
            }
            Stmt::For(each) => self.each(each),
            Stmt::Reduce(reduce) => self.reduce(reduce),
            Stmt::Tile(tile) => self.tile(tile),
            Stmt::Fill(fill) => self.fill(fill),
            Stmt::Fetch(fetch) => {
                let [start, count] = [fetch.start, fetch.count].map(|value| self.value(value));
                self.line(format!("fetch {}[{start}] below {count};", self.buffer(fetch.buffer)));
            }
        }
    }

    fn definition(&mut self, value: ValueId) {
        if self.inlined(value).is_some() {
            return;
        }
        let Some(Value { op, .. }) = self.kernel.values.get(value) else {
            return self.line(format!("// value {value:?}, which the kernel lacks"));
        };
        let text = self.op(value, op);
        let name =
            self.defined(value, if matches!(op, Op::Convert(..)) { None } else { own_type(self.kernel, op) });
        self.line(format!("{name} = {text};"));
    }

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt], results: &[BranchResult]) {
        let condition = self.value(condition);
        self.line(format!("if {condition} {{"));
        self.inside(then, |printer| {
            printer.list("give", &results.iter().map(|result| result.then).collect::<Vec<_>>());
        });
        if !otherwise.is_empty() || !results.is_empty() {
            self.line("} else {");
            self.inside(otherwise, |printer| {
                printer.list("give", &results.iter().map(|result| result.otherwise).collect::<Vec<_>>());
            });
        }
        let types = results.iter().map(|result| (result.value, result.then)).collect::<Vec<_>>();
        self.close(&types);
    }

    fn each(&mut self, each: &Loop) {
        let (start, end) = (each.start.map(|start| self.value(start)), each.end.map(|end| self.value(end)));
        let initial: Vec<String> = each.carried.iter().map(|carried| self.value(carried.initial)).collect();
        let index = self.defined(each.index, Some(Type::I64));
        let mut text = format!("for {} {index}", loop_word(each.kind));
        if start.is_some() || end.is_some() {
            let _ = write!(text, " in {} .. {}", start.unwrap_or_default(), end.unwrap_or_default());
        }
        for (k, (carried, initial)) in each.carried.iter().zip(initial).enumerate() {
            let name = self.defined(carried.value, self.ty(carried.initial));
            let _ = write!(text, "{} {name} = {initial}", if k == 0 { " carry" } else { "," });
        }
        self.line(text + " {");
        self.inside(&each.body, |printer| {
            printer.list("next", &each.carried.iter().map(|carried| carried.next).collect::<Vec<_>>());
            if let Some(exit) = each.exit {
                printer.list("exit if", &[exit]);
            }
        });
        let types = each.carried.iter().map(|carried| (carried.result, carried.value)).collect::<Vec<_>>();
        self.close(&types);
    }

    fn reduce(&mut self, reduce: &Reduce) {
        let count = self.value(reduce.count);
        // The result is named first, as it stands first in the text.
        let result = self.name(reduce.result);
        let index = self.defined(reduce.index, Some(Type::I64));
        let (op, order) = (reduce_word(reduce.op), order_word(reduce.order));
        let own = match (reduce.op, reduce.term) {
            (ReduceOp::Count, _) => Some(Type::I64),
            (ReduceOp::Sum | ReduceOp::Min | ReduceOp::Max, Term::Value(a) | Term::Product(a, _)) => {
                self.ty(a)
            }
        };
        let result = self.typed(result, reduce.result, own);
        let extent = reduce.slot.map(|slot| format!(" of {}", self.value(slot.extent))).unwrap_or_default();
        self.line(format!("{result} = {op} {order} {index} below {count}{extent} {{"));
        self.inside(&reduce.body, |printer| {
            let term = match reduce.term {
                Term::Value(value) => printer.value(value),
                Term::Product(a, b) => format!("{} * {}", printer.value(a), printer.value(b)),
            };
            let slot =
                reduce.slot.map(|slot| format!(" at {}", printer.value(slot.index))).unwrap_or_default();
            let gate = printer.gate(reduce.gate);
            printer.line(format!("term {term}{slot}{gate};"));
        });
        self.line("}");
    }

    fn fill(&mut self, fill: &Fill) {
        let [start, count] = [fill.start, fill.count].map(|value| self.value(value));
        let with = match &fill.with {
            Filling::Words(random) => format!("words{}", self.address(random)),
            Filling::Normals(random) => format!("normals{}", self.address(random)),
            Filling::Function(function) => math_word(*function).to_string(),
        };
        self.line(format!("fill {}[{start}] below {count} = {with};", self.buffer(fill.into)));
    }

    /// Where random words come from.
    fn address(&mut self, random: &Random) -> String {
        let Random { site, attempt, run, step, seed, row, column } = random;
        let values = self.values(&[*attempt, *run, *step, *seed, *row, *column]);
        format!("({site}, {values})")
    }

    fn tile(&mut self, tile: &TileProduct) {
        let (into, left, right) = (self.buffer(tile.into), self.buffer(tile.left), self.buffer(tile.right));
        let tile_stride = self.value(tile.tile_stride);
        let tile_start = self.value(tile.tile_start);
        self.line(format!("tile {into}(stride {tile_stride}, from {tile_start}) ="));
        let side = |printer: &mut Self, k: usize| {
            let [stride, from, size] =
                [tile.strides[k], tile.origin[k], tile.size[k]].map(|value| printer.value(value));
            format!("(stride {stride}, from {from}, size {size})")
        };
        let (rows, columns) = (side(self, 0), side(self, 1));
        self.line(format!("    {left}{rows}"));
        self.line(format!("    * {right}{columns}"));
        let depth = self.value(tile.depth);
        self.line(format!("    over {depth};"));
    }

    /// The end of a block with the values that it gives.
    fn close(&mut self, results: &[(ValueId, ValueId)]) {
        let names: Vec<String> =
            results.iter().map(|&(result, like)| self.defined(result, self.ty(like))).collect();
        let names = names.join(", ");
        self.line(if names.is_empty() { "}".to_string() } else { format!("}} -> {names};") });
    }

    /// A statement with values, unless there are none.
    fn list(&mut self, word: &str, values: &[ValueId]) {
        if !values.is_empty() {
            let values = self.values(values);
            self.line(format!("{word} {values};"));
        }
    }

    fn gate(&mut self, gate: Option<ValueId>) -> String {
        gate.map(|gate| format!(" if {}", self.value(gate))).unwrap_or_default()
    }

    fn op(&mut self, value: ValueId, op: &Op) -> String {
        match op {
            Op::Defined => "defined".to_string(),
            Op::Constant(constant) => literal(*constant),
            Op::Scalar(scalar) => self.scalar(*scalar),
            Op::Unary(unary, a) => format!("{}({})", unary_word(*unary), self.value(*a)),
            Op::Binary(binary, a, b) => self.infix(binary_word(*binary), *a, *b),
            Op::Compare(compare, a, b) => self.infix(compare_word(*compare), *a, *b),
            Op::Fma(a, b, c) => format!("fma({})", self.values(&[*a, *b, *c])),
            Op::Select(a, b, c) => format!("select({})", self.values(&[*a, *b, *c])),
            Op::Convert(conversion, a) => {
                let how = match conversion {
                    Conversion::Value => "",
                    Conversion::Unsigned => "unsigned ",
                    Conversion::Bits => "bits ",
                };
                format!("{} as {how}{}", self.value(*a), self.ty(value).map_or("?", type_word))
            }
            Op::Load(buffer, index) => format!("load {}[{}]", self.buffer(*buffer), self.value(*index)),
            Op::Math(function, arguments) => format!("{}({})", math_word(*function), self.values(arguments)),
            Op::Random(random) => format!("random{}", self.address(random)),
        }
    }

    /// A sign stands between its operands, a word before them.
    fn infix(&mut self, word: &str, a: ValueId, b: ValueId) -> String {
        let (a, b) = (self.value(a), self.value(b));
        if word.starts_with(|first: char| first.is_ascii_alphabetic()) {
            format!("{word}({a}, {b})")
        } else {
            format!("{a} {word} {b}")
        }
    }

    fn values(&mut self, values: &[ValueId]) -> String {
        values.iter().map(|&value| self.value(value)).collect::<Vec<_>>().join(", ")
    }

    /// A use of a value.
    fn value(&mut self, value: ValueId) -> String {
        match self.inlined(value) {
            Some(text) => text,
            None => self.name(value),
        }
    }

    /// The text of a value that is written where it is used.
    fn inlined(&self, value: ValueId) -> Option<String> {
        let value = self.kernel.values.get(value)?;
        if value.name.is_some() || own_type(self.kernel, &value.op) != Some(value.ty) {
            return None;
        }
        match value.op {
            Op::Constant(constant) => Some(literal(constant)),
            Op::Scalar(scalar) => Some(self.scalar(scalar)),
            Op::Defined
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Fma(..)
            | Op::Compare(..)
            | Op::Select(..)
            | Op::Convert(..)
            | Op::Load(..)
            | Op::Math(..)
            | Op::Random(_) => None,
        }
    }

    fn ty(&self, value: ValueId) -> Option<Type> {
        self.kernel.values.get(value).map(|value| value.ty)
    }

    /// The name of a value where it is defined, with its type where that is not its own.
    fn defined(&mut self, value: ValueId, own: Option<Type>) -> String {
        let name = self.name(value);
        self.typed(name, value, own)
    }

    fn typed(&self, name: String, value: ValueId, own: Option<Type>) -> String {
        match (self.ty(value), own) {
            (Some(ty), Some(own)) if ty != own => format!("{name}: {}", type_word(ty)),
            (Some(_) | None, _) => name,
        }
    }

    fn name(&mut self, value: ValueId) -> String {
        if let Some(name) = self.names.get(&value) {
            return name.clone();
        }
        let given = self.kernel.values.get(value).and_then(|value| value.name.as_deref());
        let name = match given.map(base_name).filter(|name| !name.is_empty()) {
            Some(base) => self.free(base),
            None => {
                self.unnamed += 1;
                format!("%{}", self.unnamed - 1)
            }
        };
        self.names.insert(value, name.clone());
        name
    }

    fn free(&mut self, base: String) -> String {
        if !is_reserved(&base) && self.taken.insert(base.clone()) {
            return base;
        }
        let count = self.counts.entry(base.clone()).or_default();
        loop {
            *count += 1;
            let name = format!("{base}.{count}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A value's name without what cannot stand in a text and without numbers after dots.
pub(super) fn base_name(name: &str) -> String {
    let mut base = String::new();
    for part in name.split('.') {
        let part: String = part.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if part.is_empty() || part.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if !base.is_empty() {
            base.push('.');
        } else if part.starts_with(|first: char| first.is_ascii_digit()) {
            base.push('_');
        }
        base.push_str(&part);
    }
    base
}

/// A name as it is where that can be read back, else between quotes.
fn quoted(name: &str) -> String {
    if is_plain(name) { name.to_string() } else { format!("\"{}\"", name.escape_default()) }
}

/// A literal that comes back bit for bit.
fn literal(constant: Constant) -> String {
    match constant {
        Constant::F32(bits) => match f32::from_bits(bits) {
            value if value.is_nan() => format!("nan_f32(0x{bits:08x})"),
            f32::INFINITY => "inf_f32".to_string(),
            f32::NEG_INFINITY => "-inf_f32".to_string(),
            value => format!("{value:?}f32"),
        },
        Constant::F64(bits) => match f64::from_bits(bits) {
            value if value.is_nan() => format!("nan_f64(0x{bits:016x})"),
            f64::INFINITY => "inf_f64".to_string(),
            f64::NEG_INFINITY => "-inf_f64".to_string(),
            value => format!("{value:?}f64"),
        },
        Constant::I32(value) => format!("{value}i32"),
        Constant::I64(value) => format!("{value}i64"),
        Constant::Bool(value) => value.to_string(),
    }
}
