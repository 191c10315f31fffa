//! What is computed in f64 when a parameter changes, as a kernel, so that its functions are expanded as all others are.

use std::collections::{BTreeMap, HashMap};

use super::exponential;
use crate::arena::Arena;
use crate::flow::Graph;
use crate::ir::{self, BinaryOp, Builtin, Expr, ExprId, ExprKind, Shape, VarId};
use crate::kernel::build::KernelBuilder;
use crate::kernel::*;
use crate::plan::words;
use crate::source::{FileId, Span};

/// What is computed here stands in many programs, and in no one place of the text.
pub(super) const NOWHERE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

/// What the buffer is called in which exponentials are computed.
pub(super) const ROOM: &str = "room";

/// Numbers that parameters and `dt` decide; equal ones are one, whichever program asks for them.
#[derive(Default)]
pub(super) struct Prologue {
    graph: Graph,
    outputs: Vec<ExprId>,
}

impl Prologue {
    /// Adds an expression; gives its place among the results.
    pub(super) fn add(&mut self, exprs: &Arena<Expr>, root: ExprId) -> usize {
        let root = self.copy(exprs, root);
        self.output(root)
    }

    /// Adds a time, divided by the length of a step.
    pub(super) fn add_in_steps(&mut self, exprs: &Arena<Expr>, root: ExprId) -> usize {
        let time = self.copy(exprs, root);
        let shape = Shape::of(ir::Domain::Global);
        let wide = |kind| Expr { kind, ty: ir::Type::Wide, shape };
        let dt = self.graph.add(wide(ExprKind::Builtin(Builtin::Dt)), NOWHERE);
        let steps = self.graph.add(wide(ExprKind::Binary(BinaryOp::Divide, time, dt)), NOWHERE);
        self.output(steps)
    }

    fn copy(&mut self, exprs: &Arena<Expr>, root: ExprId) -> ExprId {
        let mut copied: HashMap<ExprId, ExprId> = HashMap::new();
        for id in ir::operands::reachable(exprs, [root]) {
            let Expr { kind, ty, shape } = &exprs[id];
            let kind = kind.map_operands(|operand| copied[&operand]);
            copied.insert(id, self.graph.add(Expr { kind, ty: *ty, shape: *shape }, NOWHERE));
        }
        copied[&root]
    }

    fn output(&mut self, root: ExprId) -> usize {
        match self.outputs.iter().position(|&known| known == root) {
            Some(place) => place,
            None => {
                self.outputs.push(root);
                self.outputs.len() - 1
            }
        }
    }

    /// How many results there are.
    pub(super) fn len(&self) -> usize {
        self.outputs.len()
    }

    /// The kernel, expanded, and what its scalars are: parameters, or `dt` where there is none.
    pub(super) fn finish(&self) -> (Kernel, Vec<Option<(VarId, u32)>>) {
        let space = Space { kind: SpaceKind::Single, items: vec![Extent::Constant(1)], per_block: 1 };
        let mut builder = KernelBuilder::new("evaluate", space);
        builder.doc("what is computed when a parameter changes");
        let mut writer =
            Writer { builder, parameters: BTreeMap::new(), dt: None, exponentials: Vec::new(), room: None };
        writer.builder.enter();
        let outputs = writer.numbers(self.graph.exprs(), &self.outputs);
        writer.finish(&outputs)
    }
}

/// The kernel that is being written.
struct Writer {
    builder: KernelBuilder,
    parameters: BTreeMap<(VarId, u32), ScalarId>,
    dt: Option<ScalarId>,
    /// The matrices whose exponentials are computed, each with where its result begins in the room.
    exponentials: Vec<(Vec<ValueId>, usize)>,
    room: Option<BufferId>,
}

impl Writer {
    fn step_length(&mut self) -> ValueId {
        let scalar = self.dt.unwrap_or_else(|| self.builder.add_scalar("dt", Type::F64));
        self.dt = Some(scalar);
        self.builder.scalar(scalar)
    }

    fn numbers(&mut self, exprs: &Arena<Expr>, roots: &[ExprId]) -> Vec<ValueId> {
        let mut values: BTreeMap<ExprId, ValueId> = BTreeMap::new();
        for id in ir::operands::reachable(exprs, roots.iter().copied()) {
            let value = self.emit(exprs, id, &values);
            values.insert(id, value);
        }
        let mut number = |root: &ExprId| {
            let value = values[root];
            match self.builder.ty(value) {
                Type::F64 => value,
                Type::F32 | Type::I32 | Type::I64 | Type::Bool => {
                    self.builder.convert(Conversion::Value, Type::F64, value)
                }
            }
        };
        roots.iter().map(&mut number).collect()
    }

    fn finish(mut self, outputs: &[ValueId]) -> (Kernel, Vec<Option<(VarId, u32)>>) {
        let shape = vec![Extent::Constant(outputs.len() as u64)];
        let buffer = Buffer {
            name: "results".to_owned(),
            ty: Type::F64,
            access: Access::Write,
            kind: BufferKind::Scratch,
            shape,
        };
        let buffer = self.builder.buffer(buffer);
        for (place, value) in outputs.iter().enumerate() {
            let index = self.builder.int(place as i64);
            self.builder.store(buffer, index, *value, None);
        }
        if let Some(room) = self.room {
            self.builder.set_shape(room, vec![Extent::Constant(self.room() as u64)]);
        }
        let body = self.builder.leave();
        let index = self.builder.defined(Type::I64);
        self.builder.push(Stmt::For(Loop {
            kind: LoopKind::Blocks,
            index,
            start: None,
            end: None,
            carried: Vec::new(),
            exit: None,
            body,
        }));
        let kernel = expand::expand(&self.builder.finish());
        let scalars = kernel.scalars.handles().map(|scalar| {
            let found = self.parameters.iter().find(|(_, known)| **known == scalar);
            found.map(|(parameter, _)| *parameter)
        });
        let scalars = scalars.collect();
        (kernel, scalars)
    }

    fn emit(&mut self, exprs: &Arena<Expr>, id: ExprId, values: &BTreeMap<ExprId, ValueId>) -> ValueId {
        let expr = &exprs[id];
        let value = |operand: &ExprId| values[operand];
        match &expr.kind {
            ExprKind::Number(number) => self.builder.real(Type::F64, *number),
            ExprKind::Integer(number) => self.builder.int(*number),
            ExprKind::Boolean(condition) => self.builder.boolean(*condition),
            ExprKind::Load { variable, element } => {
                let name = format!("p{}_{element}", variable.index());
                let known = self.parameters.get(&(*variable, *element)).copied();
                let scalar = known.unwrap_or_else(|| self.builder.add_scalar(name, Type::F64));
                self.parameters.insert((*variable, *element), scalar);
                self.builder.scalar(scalar)
            }
            ExprKind::Builtin(Builtin::Dt) => self.step_length(),
            ExprKind::Unary(op, a) => self.builder.unary(words::unary(*op), value(a)),
            ExprKind::Binary(op, a, b) => self.builder.binary(words::binary(*op), value(a), value(b)),
            ExprKind::Compare(comparison, a, b) => {
                self.builder.compare(words::compare(*comparison), value(a), value(b))
            }
            ExprKind::Select(condition, a, b) => self.builder.select(value(condition), value(a), value(b)),
            ExprKind::Gate(condition, a) => {
                let zero = self.zero(self.builder.ty(value(a)));
                self.builder.select(value(condition), value(a), zero)
            }
            ExprKind::Math(function, arguments) => {
                let arguments = arguments.iter().map(value).collect();
                self.builder.op(Type::F64, Op::Math(*function, arguments))
            }
            ExprKind::Exponential { entries, place } => {
                let entries = entries.iter().map(value).collect();
                self.exponential(entries, *place)
            }
            ExprKind::Convert(a) => self.convert(value(a), expr.ty),
            ExprKind::Local(_)
            | ExprKind::Builtin(_)
            | ExprKind::Draw { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Widen(_)
            | ExprKind::Past { .. } => crate::ice!("{:?} does not belong to a prologue", expr.kind),
        }
    }

    /// An entry of an exponential, which is computed once.
    fn exponential(&mut self, entries: Vec<ValueId>, place: u32) -> ValueId {
        let room = match self.room {
            Some(room) => room,
            None => self.builder.buffer(Buffer {
                name: ROOM.to_owned(),
                ty: Type::F64,
                access: Access::ReadWrite,
                kind: BufferKind::Scratch,
                shape: Vec::new(),
            }),
        };
        self.room = Some(room);
        let known = self.exponentials.iter().find(|(matrix, _)| *matrix == entries);
        let start = match known {
            Some((_, start)) => *start,
            None => {
                let start = self.room();
                exponential::emit(&mut self.builder, room, start, &entries);
                self.exponentials.push((entries, start));
                start
            }
        };
        let at = self.builder.int(start as i64 + i64::from(place));
        self.builder.load(room, at)
    }

    /// How many numbers of room the function needs.
    fn room(&self) -> usize {
        self.exponentials.iter().map(|(matrix, _)| exponential::room(matrix.len())).sum()
    }

    fn convert(&mut self, value: ValueId, ty: ir::Type) -> ValueId {
        let to = match ty {
            ir::Type::Wide | ir::Type::Real => Type::F64,
            ir::Type::Int => Type::I64,
            ir::Type::Bool => Type::Bool,
        };
        let from = self.builder.ty(value);
        match to {
            _ if from == to => value,
            Type::Bool => {
                let zero = self.zero(from);
                self.builder.compare(Compare::NotEqual, value, zero)
            }
            Type::F32 | Type::F64 | Type::I32 | Type::I64 => {
                self.builder.convert(Conversion::Value, to, value)
            }
        }
    }

    fn zero(&mut self, ty: Type) -> ValueId {
        match ty {
            Type::F32 | Type::F64 => self.builder.real(ty, 0.0),
            Type::I32 => self.builder.word(0),
            Type::I64 => self.builder.int(0),
            Type::Bool => self.builder.boolean(false),
        }
    }
}
