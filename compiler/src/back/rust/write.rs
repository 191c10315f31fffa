//! Writes a kernel: its head, and statements one by one.
//!
//! Lines come first, and a `let` that no other line mentions is left out of the text at the end: an index goes where its
//! slice has been cut.

use std::collections::{HashMap, HashSet};

use super::change::change;
use super::names::{Names, identifier, names};
use super::rows::is_plain;
use super::{RustKernel, op};
use crate::kernel::*;
use crate::valid::kernel::KernelInfo;

/// A text that is being written.
pub(super) struct Writer<'a> {
    pub kernel: &'a Kernel,
    pub info: &'a KernelInfo,
    pub names: Names,
    pub lines: Vec<Line>,
    pub depth: usize,
    /// The values that lines above define.
    pub defined: HashSet<ValueId>,
    /// How the element of a buffer at an index is called, where a slice has been cut for it.
    pub cut: HashMap<(BufferId, ValueId), String>,
    /// Arrays that are read at places which other arrays name.
    pub named: HashSet<BufferId>,
    /// The types of names that are no values, scalars or arrays of the kernel.
    pub types: HashMap<String, String>,
    /// Conditions that have been decided where a line stands, and what they are.
    pub assumed: Vec<(ValueId, bool)>,
}

pub(super) struct Line {
    pub depth: usize,
    pub text: String,
    /// What it defines, where it does nothing else.
    defines: Option<String>,
}

/// Writes a kernel.
pub(super) fn kernel(kernel: &Kernel, info: &KernelInfo) -> RustKernel {
    let mut writer = Writer {
        kernel,
        info,
        names: names(kernel),
        lines: Vec::new(),
        depth: 0,
        defined: HashSet::new(),
        cut: HashMap::new(),
        named: HashSet::new(),
        types: HashMap::new(),
        assumed: Vec::new(),
    };
    let symbol = identifier(&kernel.name);
    let parameters = writer.parameters();
    writer.head(&symbol, &parameters);
    RustKernel { symbol, parameters, text: writer.text() }
}

impl<'a> Writer<'a> {
    pub fn line(&mut self, text: impl Into<String>) {
        self.lines.push(Line { depth: self.depth, text: text.into(), defines: None });
    }

    /// A `let` without effects.
    pub fn define(&mut self, name: &str, value: impl AsRef<str>) {
        let text = format!("let {name} = {};", value.as_ref());
        self.lines.push(Line { depth: self.depth, text, defines: Some(name.to_owned()) });
    }

    /// A new name, and the type of what it stands for.
    pub fn fresh(&mut self, base: &str, ty: &str) -> String {
        let name = self.names.fresh(base);
        self.types.insert(name.clone(), ty.to_owned());
        name
    }

    /// A line that opens braces, what is inside, and the line that closes them.
    pub fn braces(&mut self, head: impl AsRef<str>, tail: &str, inside: impl FnOnce(&mut Self)) {
        self.line(format!("{} {{", head.as_ref()));
        self.inside(inside);
        self.line(tail);
    }

    pub fn inside(&mut self, inside: impl FnOnce(&mut Self)) {
        self.depth += 1;
        inside(self);
        self.depth -= 1;
    }

    /// The text of the lines that are needed.
    fn text(self) -> String {
        let mut text = String::new();
        for line in needed(self.lines) {
            for _ in 0..line.depth {
                text.push_str("    ");
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }

    pub fn parameters(&self) -> Vec<(String, String)> {
        let scalars = self
            .kernel
            .scalars
            .iter()
            .map(|(id, scalar)| (self.names.scalar(id).to_owned(), op::type_word(scalar.ty).to_owned()));
        let buffers = self.kernel.buffers.iter().map(|(id, buffer)| {
            let mutable = if self.info.is_written(id) { "mut " } else { "" };
            (self.names.buffer(id).to_owned(), format!("&{mutable}[{}]", op::type_word(buffer.ty)))
        });
        scalars.chain(buffers).collect()
    }

    fn head(&mut self, symbol: &str, parameters: &[(String, String)]) {
        let kernel = self.kernel;
        for line in kernel.docs.iter().flat_map(|docs| docs.split('\n')) {
            self.line(format!("/// {line}").trim_end());
        }
        self.line("#[inline(always)]");
        self.line(format!("pub fn {symbol}("));
        self.inside(|w| {
            w.line("blocks: core::ops::Range<i64>,");
            parameters.iter().for_each(|(name, ty)| w.line(format!("{name}: {ty},")));
        });
        self.braces(")", "}", |w| {
            w.name_places();
            w.block(&kernel.body);
        });
    }

    /// Cuts arrays that are read at places which other arrays name to their lengths, so that rustc knows which are as long as
    /// each other and that there is a last element.
    fn name_places(&mut self) {
        let kernel = self.kernel;
        let named = |mut index: ValueId| {
            while let Op::Convert(_, of) = kernel.values[index].op {
                index = of;
            }
            matches!(kernel.values[index].op, Op::Load(..))
        };
        let read = |(_, value): (ValueId, &Value)| {
            let Op::Load(buffer, index) = value.op else { return None };
            named(index).then_some(buffer)
        };
        let read: HashSet<BufferId> = kernel.values.iter().filter_map(read).collect();
        for (id, buffer) in kernel.buffers.iter().filter(|(id, _)| read.contains(id)) {
            if let ([Extent::Scalar(length)], false) = (buffer.shape.as_slice(), self.info.is_written(id)) {
                let (array, length) = (self.names.buffer(id), self.names.scalar(*length));
                self.line(format!("let {array} = native::named({array}, {length});"));
                self.named.insert(id);
            }
        }
    }

    /// Statements in order.
    pub fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            self.stmt(stmt);
        }
    }

    /// What a value is called where it is used.
    pub fn value(&self, value: ValueId) -> String {
        match &self.kernel.values[value].op {
            Op::Constant(constant) => op::literal(*constant),
            Op::Scalar(scalar) => self.names.scalar(*scalar).to_owned(),
            Op::Select(..) if let Some(chosen) = self.chosen(value) => self.value(chosen),
            Op::Defined
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Fma(..)
            | Op::Compare(..)
            | Op::Select(..)
            | Op::Convert(..)
            | Op::Load(..)
            | Op::Math(..)
            | Op::Random(_) => self.names.value(value).to_owned(),
        }
    }

    /// What a selection gives where its condition is assumed.
    fn chosen(&self, value: ValueId) -> Option<ValueId> {
        let Op::Select(condition, a, b) = self.kernel.values[value].op else { return None };
        let (_, holds) = self.assumed.iter().find(|(assumed, _)| *assumed == condition)?;
        Some(if *holds { a } else { b })
    }

    pub fn ty(&self, value: ValueId) -> Type {
        self.kernel.values[value].ty
    }

    /// An element of a buffer.
    fn cell(&self, buffer: BufferId, index: ValueId) -> String {
        match self.cut.get(&(buffer, index)) {
            Some(cell) => cell.clone(),
            None if self.named.contains(&buffer) => {
                format!("native::at({}, {})", self.names.buffer(buffer), self.value(index))
            }
            None => format!("{}[{} as usize]", self.names.buffer(buffer), self.value(index)),
        }
    }

    /// The operation of a value as an expression.
    fn expression(&self, value: ValueId) -> String {
        let ty = self.ty(value);
        match &self.kernel.values[value].op {
            Op::Constant(_) | Op::Scalar(_) => self.value(value),
            Op::Unary(unary, a) => op::unary(*unary, ty, &self.value(*a)),
            Op::Binary(binary, a, b) => {
                let count = match self.kernel.values[*b].op {
                    Op::Constant(Constant::I32(count)) => Some(u64::from(count as u32)),
                    Op::Constant(Constant::I64(count)) => Some(count as u64),
                    _ => None,
                };
                op::binary(*binary, ty, &self.value(*a), &self.value(*b), count)
            }
            Op::Fma(a, b, c) => {
                format!("{}.mul_add({}, {})", self.value(*a), self.value(*b), self.value(*c))
            }
            Op::Compare(compare, a, b) => {
                op::compare(*compare, self.ty(*a), &self.value(*a), &self.value(*b))
            }
            Op::Select(condition, ..) if let Some((kept, by)) = change(self.kernel, value) => {
                let (condition, kept, by) = (self.value(*condition), self.value(kept), self.value(by));
                format!("{kept} + if {condition} {{ {by} }} else {{ -0.0{} }}", op::type_word(ty))
            }
            Op::Select(condition, a, b) => {
                let (condition, a, b) = (self.value(*condition), self.value(*a), self.value(*b));
                format!("if {condition} {{ {a} }} else {{ {b} }}")
            }
            Op::Convert(conversion, a) => op::convert(*conversion, self.ty(*a), ty, &self.value(*a)),
            Op::Load(buffer, index) => self.cell(*buffer, *index),
            Op::Defined | Op::Math(..) | Op::Random(_) => {
                crate::ice!("an operation that is no expression: {value:?}")
            }
        }
    }

    /// Writes a `Let`, once.
    pub fn evaluate(&mut self, value: ValueId) {
        if !self.defined.insert(value)
            || matches!(self.kernel.values[value].op, Op::Constant(_) | Op::Scalar(_))
            || self.chosen(value).is_some()
        {
            return;
        }
        let (name, expression) = (self.names.value(value).to_owned(), self.expression(value));
        self.define(&name, expression);
    }

    /// Writes a statement.
    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => self.evaluate(*value),
            Stmt::Store { buffer, index, value, gate } => self.store(*buffer, *index, *value, *gate),
            Stmt::If { condition, then, otherwise, results } => {
                self.branch(*condition, then, otherwise, results);
            }
            Stmt::For(each) => match each.kind {
                LoopKind::Blocks => self.serial(each, "blocks".to_owned()),
                LoopKind::Lanes => self.lanes(each),
                LoopKind::Serial => {
                    let (start, end) = self.bounds(each);
                    self.serial(each, format!("{start}..{end}"));
                }
            },
            Stmt::Reduce(reduce) => self.reduce(reduce),
            Stmt::Tile(tile) => self.tile(tile),
            Stmt::Fill(fill) => self.fill(fill),
            Stmt::Fetch(fetch) => {
                let array = self.names.buffer(fetch.buffer).to_owned();
                let (start, count) = (self.value(fetch.start), self.value(fetch.count));
                self.line(format!("native::fetch({array}, {start}, {count});"));
            }
        }
    }

    fn store(&mut self, buffer: BufferId, index: ValueId, value: ValueId, gate: Option<ValueId>) {
        let (cell, value) = (self.cell(buffer, index), self.value(value));
        let text = match gate.map(|gate| self.value(gate)) {
            None => format!("{cell} = {value};"),
            // Where the element is known to exist, it is written back, so that iterations fit into a vector.
            Some(gate) if self.cut.contains_key(&(buffer, index)) => {
                format!("{cell} = if {gate} {{ {value} }} else {{ {cell} }};")
            }
            Some(gate) => format!("if {gate} {{ {cell} = {value}; }}"),
        };
        self.line(text);
    }

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt], results: &[BranchResult]) {
        let list = |texts: Vec<String>| match texts.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(", ")),
        };
        let names: Vec<String> =
            results.iter().map(|result| self.names.value(result.value).to_owned()).collect();
        let binding = if results.is_empty() { String::new() } else { format!("let {} = ", list(names)) };
        self.line(format!("{binding}if {} {{", self.value(condition)));
        self.inside(|w| {
            w.block(then);
            if !results.is_empty() {
                w.line(list(results.iter().map(|result| w.value(result.then)).collect()));
            }
        });
        if !otherwise.is_empty() || !results.is_empty() {
            self.line("} else {");
            self.inside(|w| {
                w.block(otherwise);
                if !results.is_empty() {
                    w.line(list(results.iter().map(|result| w.value(result.otherwise)).collect()));
                }
            });
        }
        self.line(if results.is_empty() { "}" } else { "};" });
        self.defined.extend(results.iter().map(|result| result.value));
    }

    /// The bounds of a loop inside.
    pub fn bounds(&self, each: &Loop) -> (String, String) {
        match (each.start, each.end) {
            (Some(start), Some(end)) => (self.value(start), self.value(end)),
            _ => crate::ice!("only the outermost loop has no range"),
        }
    }

    /// One iteration after another.
    fn serial(&mut self, each: &Loop, range: String) {
        for carried in &each.carried {
            let (name, ty) = (self.names.value(carried.value), op::type_word(self.ty(carried.value)));
            self.line(format!("let mut {name}: {ty} = {};", self.value(carried.initial)));
        }
        if !self.straight(each) {
            let is_plain = each.body.iter().all(is_plain);
            let cut = if is_plain { self.cut_rests(&each.body) } else { Vec::new() };
            let index = self.names.value(each.index).to_owned();
            self.braces(format!("for {index} in {range}"), "}", |w| w.iteration(each));
            self.forget(&cut);
        }
        for carried in &each.carried {
            let (result, name) =
                (self.names.value(carried.result).to_owned(), self.names.value(carried.value).to_owned());
            self.define(&result, name);
            self.defined.insert(carried.result);
        }
    }

    /// The body of an iteration after another.
    pub fn iteration(&mut self, each: &Loop) {
        self.defined.insert(each.index);
        self.defined.extend(each.carried.iter().map(|carried| carried.value));
        self.block(&each.body);
        self.next_iteration(each);
    }

    /// Hands on what a loop carries, all at once, and leaves it where the exit says so.
    fn next_iteration(&mut self, each: &Loop) {
        let exit = each.exit.map(|exit| {
            let (name, exit) = (self.names.fresh("leaves"), self.value(exit));
            self.define(&name, exit);
            name
        });
        match each.carried.as_slice() {
            [] => {}
            [carried] => {
                self.line(format!("{} = {};", self.names.value(carried.value), self.value(carried.next)));
            }
            several => {
                let names: Vec<&str> =
                    several.iter().map(|carried| self.names.value(carried.value)).collect();
                let next: Vec<String> = several.iter().map(|carried| self.value(carried.next)).collect();
                self.line(format!("({}) = ({});", names.join(", "), next.join(", ")));
            }
        }
        if let Some(exit) = exit {
            self.braces(format!("if {exit}"), "}", |w| w.line("break;"));
        }
    }
}

/// Those of some lines that are needed. A name stands for one value: it may be defined again only where the first is out of
/// scope.
pub(super) fn needed(lines: Vec<Line>) -> Vec<Line> {
    let mut needed: HashSet<String> = HashSet::new();
    let mut kept: Vec<Line> = Vec::new();
    for line in lines.into_iter().rev() {
        if line.defines.as_ref().is_some_and(|name| !needed.remove(name)) {
            continue;
        }
        let words = words(&line.text).map(|(_, word)| word);
        needed.extend(words.filter(|word| line.defines.as_deref() != Some(*word)).map(str::to_owned));
        kept.push(line);
    }
    kept.reverse();
    kept
}

/// The identifiers of a line, and its numbers, each behind what comes before it.
pub(super) fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut start = 0;
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter_map(move |word| {
        let before = &text[..start];
        start += word.len();
        start += text[start..].chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((before, word))
    })
}
